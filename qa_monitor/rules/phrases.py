"""All wordings of all rules, found in one pass over a dialogue.

One automaton over the literals' characters and one over their loose sounds (Aho–Corasick) find them exactly and by
pronunciation; `edits` finds those with a wrong syllable. Only the longest piece of a wording with gaps is searched for;
its neighbours are then looked for beside it. So the cost is that of the text and of what is found, not of the wordings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import ahocorasick

from qa_monitor.rules import fold
from qa_monitor.rules.edits import EditIndex
from qa_monitor.rules.literals import Fit, Literal, edited_fit, edits_allowed, make_literal, same_sound_fit
from qa_monitor.rules.streams import CallText, Stream
from qa_monitor.rules.wordings import Wording

_HOMOPHONE_COST = 0.05
_CONFUSION_COST = 0.1
_EDIT_COST = 0.2
_LEAST = 0.3


class PhraseHit(NamedTuple):
    """A wording found at [start, end) of the joined text; `sure` when every character agrees."""

    start: int
    end: int
    confidence: float
    sure: bool
    wording: int


@dataclass(frozen=True, slots=True)
class _Use:
    """A variant of a wording: its pieces, the one searched for, and the sets that it belongs to (set, wording, pinyin)."""

    pieces: tuple[Literal, ...]
    trigger: int
    gap: int
    owners: tuple[tuple[int, int, bool], ...]

    @property
    def syllables(self) -> int:
        return sum(map(len, self.pieces))


class PhraseIndex:
    """Sets of wordings. Add all sets, then `scan` any number of dialogues."""

    def __init__(self) -> None:
        self._owners: dict[tuple[tuple[str, ...], int], list[tuple[int, int, bool]]] = {}
        self._sets = 0
        self._built: _Automata | None = None

    def add(self, wordings: Sequence[Wording], gap: int, pinyin: bool) -> int:
        """Number of the new set. `pinyin` false accepts only the very characters."""
        number = self._sets
        self._sets += 1
        self._built = None
        for position, wording in enumerate(wordings):
            for variant in wording.variants:
                pieces = tuple(key for key in map(fold.key_text, variant) if key)
                self._owners.setdefault((pieces, gap), []).append((number, position, pinyin))
        return number

    def scan(self, text: CallText) -> dict[int, list[PhraseHit]]:
        """Hits by set number, each list in order of place, best first at one place."""
        if self._built is None:
            self._built = _Automata(self._uses())
        found: dict[int, set[PhraseHit]] = {}
        for number, hit in self._built.search(text):
            found.setdefault(number, set()).add(hit)
        return {number: sorted(hits, key=_order) for number, hits in sorted(found.items())}

    def _uses(self) -> list[_Use]:
        uses: list[_Use] = []
        for (keys, gap), owners in self._owners.items():
            pieces = tuple(map(make_literal, keys))
            for trigger in _triggers(pieces):
                uses.append(_Use(pieces, trigger, gap, tuple(owners)))
        return uses


def _order(hit: PhraseHit) -> tuple[int, int, float, int]:
    return hit.start, hit.end, -hit.confidence, hit.wording


def _triggers(pieces: tuple[Literal, ...]) -> list[int]:
    """The longest piece, and the next one when it is long enough to stand in should the longest be misheard."""
    by_length = sorted(range(len(pieces)), key=lambda i: (-len(pieces[i]), i))
    return by_length[:1] + [i for i in by_length[1:2] if len(pieces[i]) > 1]


class _Automata:
    def __init__(self, uses: Sequence[_Use]) -> None:
        by_literal: dict[str, list[_Use]] = {}
        for use in uses:
            by_literal.setdefault(use.pieces[use.trigger].keys, []).append(use)
        self._literals = [make_literal(keys) for keys in by_literal]
        self._uses = list(by_literal.values())
        by_sound: dict[str, list[int]] = {}
        for number, literal in enumerate(self._literals):
            by_sound.setdefault(literal.loose, []).append(number)
        # Every character of a text has its sound, so the automaton of sounds finds exact hits as well.
        self._sounds: Any = ahocorasick.Automaton()
        for sound, numbers in by_sound.items():
            self._sounds.add_word(sound, (len(sound), numbers))
        if by_sound:
            self._sounds.make_automaton()
        self._edits = EditIndex(self._literals)

    def search(self, text: CallText) -> Iterator[tuple[int, PhraseHit]]:
        if not self._literals:
            return
        for stream in text.streams:
            for number, fit in self._same_sound(stream):
                yield from self._completed(number, fit, stream)
        stream = text.cleanest
        for start, number in self._edits.candidates(stream):
            literal = self._literals[number]
            near_only = len(literal) < 4
            fit = edited_fit(literal, stream, start, 1 if near_only else edits_allowed(len(literal)), near_only)
            if fit is not None and fit.edits:
                yield from self._completed(number, fit, stream)

    def _same_sound(self, stream: Stream) -> Iterator[tuple[int, Fit]]:
        for last, (length, numbers) in self._sounds.iter(stream.loose):
            start = last - length + 1
            for number in numbers:
                fit = same_sound_fit(self._literals[number], stream, start)
                if fit is not None:
                    yield number, fit

    def _completed(self, number: int, fit: Fit, stream: Stream) -> Iterator[tuple[int, PhraseHit]]:
        for use in self._uses[number]:
            whole = fit if len(use.pieces) == 1 else _join(use, fit, stream)
            if whole is None or not _acceptable(use, whole):
                continue
            start, end = int(stream.at[whole.start]), int(stream.at[whole.end - 1]) + 1
            confidence = _confidence(whole)
            for number_of_set, wording, pinyin in use.owners:
                if whole.exact or pinyin:
                    yield number_of_set, PhraseHit(start, end, confidence, whole.exact, wording)


def _acceptable(use: _Use, fit: Fit) -> bool:
    """A single character counts only as itself; edits only as many as the length of the whole allows."""
    syllables = use.syllables
    if syllables == 1:
        return fit.exact
    allowed = edits_allowed(syllables)
    if syllables == 3 and len(use.pieces) == 1:
        allowed = 1  # `edits` offers only a near syllable here
    return fit.edits <= allowed


def _confidence(fit: Fit) -> float:
    loss = _HOMOPHONE_COST * fit.homophones + _CONFUSION_COST * fit.confusions + _EDIT_COST * fit.edits
    return max(_LEAST, round(1 - loss, 3))


def _join(use: _Use, trigger: Fit, stream: Stream) -> Fit | None:
    """The whole wording around its trigger piece: each neighbour the nearest within the gap, in the same sentence."""
    start, end = trigger.start, trigger.end
    counts = [trigger.homophones, trigger.confusions, trigger.edits]
    for piece in use.pieces[use.trigger + 1 :]:
        found = _neighbour(piece, stream, end, min(len(stream.keys), end + use.gap + len(piece)), first=True)
        if found is None or stream.sentence[found.start] != stream.sentence[end - 1]:
            return None
        end = found.end
        counts = [a + b for a, b in zip(counts, found[2:], strict=True)]
    for piece in reversed(use.pieces[: use.trigger]):
        found = _neighbour(piece, stream, max(0, start - use.gap - len(piece)), start, first=False)
        if found is None or stream.sentence[found.end - 1] != stream.sentence[start]:
            return None
        start = found.start
        counts = [a + b for a, b in zip(counts, found[2:], strict=True)]
    return Fit(start, end, *counts)


def _neighbour(piece: Literal, stream: Stream, low: int, high: int, *, first: bool) -> Fit | None:
    """`piece` inside [low, high): the same characters, else the same sound, else (from 3 syllables) with an edit."""
    border = stream.keys.find("\x01", low, high) if first else stream.keys.rfind("\x01", low, high)
    if border >= 0:
        low, high = (low, border) if first else (border + 1, high)
    find = str.find if first else str.rfind
    at = find(stream.keys, piece.keys, low, high)
    if at >= 0:
        return Fit(at, at + len(piece))
    at = find(stream.loose, piece.loose, low, high)
    if at >= 0:
        fit = same_sound_fit(piece, stream, at)
        if fit is not None and (len(piece) > 1 or not fit.confusions):
            return fit
    if len(piece) < 3 or high - low < len(piece) - 1:
        return None
    places = range(low, high - len(piece) + 2)
    for start in places if first else reversed(places):
        fit = edited_fit(piece, stream, start, 1, near_only=len(piece) < 4)
        if fit is not None and low <= fit.start and fit.end <= high:
            return fit
    return None
