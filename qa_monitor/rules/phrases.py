"""All wordings of all rules, found in one pass over a dialogue.

One automaton over the literals' characters and one over their loose sounds (Aho–Corasick) find them exactly and by
pronunciation; `edits` finds those with a wrong syllable. Of a wording with gaps only the longest slot is searched for;
its neighbours are then looked for beside it. So the cost is that of the text and of what is found, not of the wordings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import ahocorasick

from qa_monitor.rules import fold
from qa_monitor.rules.edits import EditIndex
from qa_monitor.rules.literals import (
    Fit,
    edited_fit,
    edits_allowed,
    enough_kept,
    make_literal,
    same_sound_fit,
    sounds_of,
)
from qa_monitor.rules.slots import SlotPieces
from qa_monitor.rules.streams import CallText, Stream
from qa_monitor.rules.wordings import Wording

_HOMOPHONE_COST = 0.05
_CONFUSION_COST = 0.1
_EDIT_COST = 0.2
_LEAST = 0.3
_SHORT = 6


class PhraseHit(NamedTuple):
    """A wording found at [start, end) of the joined text; `sure` when every character agrees."""

    start: int
    end: int
    confidence: float
    sure: bool
    wording: int


# The strings of each slot, and how many characters may stand before it.
_Shape = tuple[tuple[tuple[str, ...], int], ...]


@dataclass(frozen=True, slots=True)
class _Use:
    """A variant of a wording: its slots, the one searched for, and the sets that it belongs to (set, wording, pinyin)."""

    slots: tuple[SlotPieces, ...]
    gaps: tuple[int, ...]  # at most so many characters before each slot
    trigger: int
    owners: tuple[tuple[int, int, int], ...]


class PhraseIndex:
    """Sets of wordings. Add all sets, then `scan` any number of dialogues."""

    def __init__(self) -> None:
        self._owners: dict[_Shape, list[tuple[int, int, int]]] = {}
        self._sets = 0
        self._built: _Automata | None = None

    def add(self, wordings: Sequence[Wording], gap: int, pinyin: int) -> int:
        """Number of the new set. Wordings of fewer than `pinyin` characters (all, when 0) only as the very characters."""
        number = self._sets
        self._sets += 1
        self._built = None
        for position, wording in enumerate(wordings):
            for variant in wording.variants:
                slots = [(_keys_of(slot.strings), 0 if slot.adjacent else gap) for slot in variant]
                shape = tuple((keys, room) for keys, room in slots if keys)
                self._owners.setdefault(shape, []).append((number, position, pinyin))
        return number

    def scan(self, text: CallText) -> dict[int, list[PhraseHit]]:
        """Hits by set number, each list in order of place; of several fits of a wording to one place the best."""
        if self._built is None:
            self._built = _Automata(self._uses())
        found: dict[int, dict[tuple[int, int, int], PhraseHit]] = {}
        for number, hit in self._built.search(text):
            places = found.setdefault(number, {})
            place = (hit.start, hit.end, hit.wording)
            if place not in places or hit.confidence > places[place].confidence:
                places[place] = hit
        return {number: sorted(places.values()) for number, places in sorted(found.items())}

    def _uses(self) -> list[_Use]:
        uses: list[_Use] = []
        made: dict[tuple[str, ...], SlotPieces] = {}
        for shape, owners in self._owners.items():
            slots = tuple(made.setdefault(keys, SlotPieces(keys)) for keys, _ in shape)
            gaps = tuple(room for _, room in shape)
            for trigger in _triggers(slots):
                uses.append(_Use(slots, gaps, trigger, tuple(owners)))
        return uses


def _keys_of(slot: Sequence[str]) -> tuple[str, ...]:
    """The slot's strings as they are compared, longest first."""
    keys = {key for key in map(fold.key_text, slot) if key}
    return tuple(sorted(keys, key=lambda key: (-len(key), key)))


def _triggers(slots: tuple[SlotPieces, ...]) -> list[int]:
    """The slot with the longest pieces, and the next one if long enough to stand in should the first be misheard."""
    by_length = sorted(range(len(slots)), key=lambda i: (-slots[i].shortest, len(slots[i].pieces), i))
    return by_length[:1] + [i for i in by_length[1:2] if slots[i].shortest > 1]


class _Automata:
    """The literals that wordings are searched by: tens of thousands, so all that is kept of each is plain strings and
    shared tuples, which cost little memory and no time of the garbage collector."""

    def __init__(self, uses: Sequence[_Use]) -> None:
        by_literal: dict[str, list[int]] = {}
        for number, use in enumerate(uses):
            for literal in use.slots[use.trigger].pieces:
                by_literal.setdefault(literal, []).append(number)
        groups: dict[tuple[int, ...], tuple[_Use, ...]] = {}
        self._uses: dict[str, tuple[_Use, ...]] = {}
        for literal, numbers in by_literal.items():
            self._uses[literal] = groups.setdefault(tuple(numbers), tuple(uses[number] for number in numbers))
        by_sound: dict[str, list[str]] = {}
        for literal, sound in sounds_of(list(self._uses)):
            by_sound.setdefault(sound, []).append(literal)
        # Every character of a text has its sound, so the automaton of sounds finds exact hits as well.
        self._sounds: Any = ahocorasick.Automaton()
        for sound, literals in by_sound.items():
            self._sounds.add_word(sound, tuple(literals))
        if by_sound:
            self._sounds.make_automaton()
        self._edits = EditIndex(list(self._uses))

    def search(self, text: CallText) -> Iterator[tuple[int, PhraseHit]]:
        if not self._uses:
            return
        for stream in text.streams:
            for keys, fit in self._same_sound(stream):
                yield from self._completed(keys, fit, stream)
        stream = text.cleanest
        for start, keys in self._edits.candidates(stream):
            literal = make_literal(keys)
            if stream.loose.startswith(literal.loose, start):
                continue  # no edit
            near_only = literal.size < 4
            edited = edited_fit(literal, stream, start, 1 if near_only else edits_allowed(literal.size), near_only)
            if edited is not None and edited.edits:
                yield from self._completed(keys, edited, stream)

    def _same_sound(self, stream: Stream) -> Iterator[tuple[str, Fit]]:
        for last, literals in self._sounds.iter(stream.loose):
            start = last + 1 - len(literals[0])
            heard = stream.keys[start : last + 1]
            for keys in literals:
                fit = Fit(start, last + 1) if heard == keys else same_sound_fit(make_literal(keys), stream, start)
                if fit is not None:
                    yield keys, fit

    def _completed(self, keys: str, fit: Fit, stream: Stream) -> Iterator[tuple[int, PhraseHit]]:
        length = len(keys)
        for use in self._uses[keys]:
            joined = (fit, length) if len(use.slots) == 1 else _join(use, fit, length, stream)
            if joined is None:
                continue
            whole, syllables = joined
            if not _acceptable(whole, syllables, single=len(use.slots) == 1):
                continue
            start, end = int(stream.at[whole.start]), int(stream.at[whole.end - 1]) + 1
            confidence = _confidence(whole)
            for number_of_set, wording, pinyin in use.owners:
                if whole.exact or 0 < pinyin <= syllables:
                    yield number_of_set, PhraseHit(start, end, confidence, whole.exact, wording)


def _acceptable(fit: Fit, syllables: int, *, single: bool) -> bool:
    """A single character counts only as itself; edits only as many as the length of the whole allows."""
    if syllables == 1:
        return fit.exact
    if not enough_kept(syllables - fit.homophones - fit.confusions - fit.edits, syllables):
        return False
    # In a short wording one wrong syllable is all that is forgiven: with a misheard one beside it too little is left.
    if fit.edits and syllables < _SHORT and fit.homophones + fit.confusions:
        return False
    # `edits` offers nothing of three syllables but one replaced by a near one.
    return fit.edits <= (1 if single and syllables == 3 else edits_allowed(syllables))


def _confidence(fit: Fit) -> float:
    loss = _HOMOPHONE_COST * fit.homophones + _CONFUSION_COST * fit.confusions + _EDIT_COST * fit.edits
    return max(_LEAST, round(1 - loss, 3))


def _join(use: _Use, trigger: Fit, length: int, stream: Stream) -> tuple[Fit, int] | None:
    """The whole wording about its trigger, with its number of syllables: each neighbour the nearest within the gap and
    in the same sentence."""
    start, end = trigger.start, trigger.end
    counts = (trigger.homophones, trigger.confusions, trigger.edits)
    for number in range(use.trigger + 1, len(use.slots)):
        slot, gap = use.slots[number], use.gaps[number]
        found = slot.after(stream, end, gap)
        if found is None or stream.sentence[found[0].start] != stream.sentence[end - 1]:
            return None
        fit, piece = found
        end, length, counts = fit.end, length + len(piece), _plus(counts, fit)
    for number in range(use.trigger - 1, -1, -1):
        slot, gap = use.slots[number], use.gaps[number + 1]
        found = slot.before(stream, start, gap)
        if found is None or stream.sentence[found[0].end - 1] != stream.sentence[start]:
            return None
        fit, piece = found
        start, length, counts = fit.start, length + len(piece), _plus(counts, fit)
    return Fit(start, end, *counts), length


def _plus(counts: tuple[int, int, int], fit: Fit) -> tuple[int, int, int]:
    return counts[0] + fit.homophones, counts[1] + fit.confusions, counts[2] + fit.edits
