"""Literal pieces of wordings and how well a stretch of speech fits one.

Fit is counted in characters: the same, another character with the same syllable (homophone), a syllable easily
confused with it (confusion), or an edit: one syllable replaced, lost or added.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import ne
from typing import NamedTuple

from qa_monitor.rules import fold
from qa_monitor.rules.lexicon import covered_by_word
from qa_monitor.rules.streams import Stream

# A mishearing that adds, drops or changes one of these turns the meaning round: never tolerated.
_TURNING = frozenset("不没无未别勿否")
_MAX_EDITS = 3
_SOUNDS_LIKE_POLITE_YOU = "林"  # n and l are confused: 您好 heard as 林好


class Fit(NamedTuple):
    """Where a literal was found in a stream, [start, end), and the characters that differ."""

    start: int
    end: int
    homophones: int = 0
    confusions: int = 0
    edits: int = 0

    @property
    def exact(self) -> bool:
        return not (self.homophones or self.confusions or self.edits)


@dataclass(frozen=True, slots=True, eq=False)
class Literal:
    """Characters said without a gap, as keys, with their exact and loose syllables."""

    keys: str
    loose: str
    syllables: tuple[int, ...]
    size: int


@lru_cache(maxsize=200_000)
def make_literal(keys: str) -> Literal:
    exact, loose = fold.sounds(keys)
    return Literal(keys, fold.text_of(loose), tuple(exact.tolist()), len(keys))


def sounds_of(literals: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The literals with the loose sounds that each may be heard as: its own, and with one 你 as 您 said (the keys do not
    tell them apart)."""
    (polite,) = fold.loose_sounds([_SOUNDS_LIKE_POLITE_YOU])
    for keys, loose in zip(literals, fold.loose_sounds(literals), strict=True):
        yield keys, loose
        for i, char in enumerate(keys):
            if char == "你":
                yield keys, loose[:i] + polite + loose[i + 1 :]


def edits_allowed(syllables: int) -> int:
    """How many syllables of a wording may be wrong: none under 4, one from 4, two from 8, three from 12."""
    return min(_MAX_EDITS, syllables // 4)


@lru_cache(maxsize=100_000)
def _syllable_of(char: str) -> int:
    return int(fold.sounds(char)[0][0])


@lru_cache(maxsize=100_000)
def near_sound(one: str, other: str) -> bool:
    """Whether two characters share their loose initial or final."""
    names = fold.tables().names
    a, b = _syllable_of(one), _syllable_of(other)
    if a >= len(names) or b >= len(names) or not (names[a] and names[b]):
        return False
    first, second = fold.initial_of(names[a]), fold.initial_of(names[b])
    return (first == second != "") or fold.final_of(names[a]) == fold.final_of(names[b])


def enough_kept(kept: int, length: int) -> bool:
    """Whether half the characters, and at least one, are the very ones: sound alone is too little evidence.

    A single character is judged by its neighbours.
    """
    return length == 1 or kept >= (length + 1) // 2


def same_sound_fit(literal: Literal, stream: Stream, start: int) -> Fit | None:
    """The fit at `start`, where the loose sounds are known to agree; None when it is more likely another word."""
    end = start + literal.size
    heard = stream.keys[start:end]
    if heard == literal.keys:
        return Fit(start, end)
    changed = [i for i, (a, b) in enumerate(zip(literal.keys, heard, strict=True)) if a != b]
    confusions = sum(literal.syllables[i] != _syllable_of(heard[i]) for i in changed)
    kept = literal.size - len(changed)
    if not enough_kept(kept, literal.size):
        return None
    # Where the sound is most of the evidence, characters that make a real word are believed.
    if 2 * kept <= literal.size and any(covered_by_word(*_around(stream, start + i)) for i in changed):
        return None
    return Fit(start, end, len(changed) - confusions, confusions)


def _around(stream: Stream, at: int) -> tuple[str, int]:
    """The characters about position `at`, and its place among them."""
    low = max(0, at - 3)
    return stream.keys[low : at + 4], at - low


def edited_fit(literal: Literal, stream: Stream, start: int, budget: int, near_only: bool = False) -> Fit | None:
    """The best fit beginning about `start` with at most `budget` edits, or None.

    `near_only` accepts no edit but one syllable replaced by another that shares its initial or final.
    """
    replaced = _replaced(literal.loose, stream.loose[start : start + literal.size], budget) if start >= 0 else None
    if replaced is not None:
        counts = _judge(literal, stream, start, replaced, near_only)
        return None if counts is None else Fit(start, start + literal.size, *counts)
    low = max(0, start - budget)
    high = min(len(stream.loose), start + literal.size + budget)
    path = _align(literal.loose, stream.loose[low:high], budget)
    if path is None:
        return None
    first, last, pairs = path
    counts = _judge(literal, stream, low, pairs, near_only)
    return None if counts is None else Fit(low + first, low + last, *counts)


def _judge(
    literal: Literal, stream: Stream, low: int, pairs: list[tuple[int, int]], near_only: bool
) -> tuple[int, int, int] | None:
    """Homophones, confusions and edits of an alignment; None when an edit changes the meaning or makes a word."""
    same = homophones = confusions = edits = 0
    for wanted_at, heard_at in pairs:
        wanted = literal.keys[wanted_at] if wanted_at >= 0 else ""
        heard = stream.keys[low + heard_at] if heard_at >= 0 else ""
        if wanted == heard:
            same += 1
        elif wanted and heard and literal.loose[wanted_at] == stream.loose[low + heard_at]:
            if literal.syllables[wanted_at] == _syllable_of(heard):
                homophones += 1
            else:
                confusions += 1
        else:
            edits += 1
            if not _bearable(wanted, heard, stream, low + heard_at, near_only):
                return None
    if not enough_kept(same, literal.size):
        return None
    return homophones, confusions, edits


def _bearable(wanted: str, heard: str, stream: Stream, at: int, near_only: bool) -> bool:
    if wanted in _TURNING or heard in _TURNING:
        return False
    # Digits and letters are recognised as themselves or not at all.
    if (wanted and wanted.isascii()) or (heard and heard.isascii()):
        return False
    near = bool(wanted and heard) and near_sound(wanted, heard)
    if near_only and not near:
        return False
    return not heard or not covered_by_word(*_around(stream, at))


def _replaced(wanted: str, heard: str, budget: int) -> list[tuple[int, int]] | None:
    """The alignment without shifts, when it stays within budget: by far the most common one."""
    if len(heard) != len(wanted) or sum(map(ne, wanted, heard)) > budget:
        return None
    return [(i, i) for i in range(len(wanted))]


@lru_cache(maxsize=20_000)
def _align(wanted: str, heard: str, budget: int) -> tuple[int, int, list[tuple[int, int]]] | None:
    """Cheapest alignment of all of `wanted` inside `heard`: start, end and pairs (−1 for none); None over budget.

    Ties prefer the alignment that ends first, and replacing over dropping and adding.
    """
    if len(set(wanted).difference(heard)) > budget:
        return None  # each of these costs an edit
    rows, columns = len(wanted) + 1, len(heard) + 1
    cost = [[0] * columns]
    for i in range(1, rows):
        row = [i]
        above = cost[-1]
        for j in range(1, columns):
            replaced = above[j - 1] + (wanted[i - 1] != heard[j - 1])
            row.append(min(replaced, above[j] + 1, row[j - 1] + 1))
        if min(row) > budget:
            return None
        cost.append(row)
    end = min(range(columns), key=lambda j: (cost[-1][j], j))
    if cost[-1][end] > budget:
        return None
    pairs: list[tuple[int, int]] = []
    i, j = rows - 1, end
    while i > 0:
        if j > 0 and cost[i][j] == cost[i - 1][j - 1] + (wanted[i - 1] != heard[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif cost[i][j] == cost[i - 1][j] + 1:
            i -= 1
            pairs.append((i, -1))
        else:
            j -= 1
            pairs.append((-1, j))
    return j, end, pairs[::-1]
