"""Which turns each pattern is tried in: those that hold one of the strings that it needs.

One automaton over the needed strings of all patterns reads a text once; most patterns are then never tried on most
calls, and the others on a turn or two. So the cost is that of the text and of what is found, not of the patterns.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import ahocorasick

from qa_monitor.rules.patterns import find_spans
from qa_monitor.rules.repair import Repairer
from qa_monitor.rules.required import required
from qa_monitor.rules.streams import CallText

Span = tuple[int, int]
# The lines in which a pattern may match, for every pattern that may; None for the whole text.
_Places = dict[str, set[int] | None]


class _Owners(NamedTuple):
    """The ways of patterns that need a string: as one of their rarest set, and as one of their n-th set (way, n)."""

    rarest: tuple[int, ...]
    others: tuple[tuple[int, int], ...]


class PatternIndex:
    """Patterns of all rules. Add all of them, then read any number of texts."""

    def __init__(self) -> None:
        self._patterns: dict[str, None] = {}

    def add(self, patterns: Iterable[str]) -> None:
        self._patterns.update(dict.fromkeys(patterns))

    def reading(self, text: str) -> Reading:
        """`text`, whose turns are its lines, ready to be searched for any of the patterns."""
        return Reading(text.encode("utf-8", "surrogatepass"), self._built.places(text) if text else {})

    @cached_property
    def _built(self) -> _Needed:
        return _Needed(self._patterns)


class _Needed:
    """The strings that patterns need, in one automaton."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._everywhere: list[str] = []
        self._ways: list[tuple[str, int]] = []  # the pattern, and how many sets it needs a string of
        uses: dict[str, list[tuple[int, int]]] = {}
        for pattern in patterns:
            ways = required(pattern)
            if not ways:
                self._everywhere.append(pattern)
            for way in ways:
                for number, strings in enumerate(way):
                    for string in strings:
                        uses.setdefault(string, []).append((len(self._ways), number))
                self._ways.append((pattern, len(way)))
        numbers: dict[_Owners, int] = {}
        self._automaton: Any = ahocorasick.Automaton(ahocorasick.STORE_INTS)
        for string, own in uses.items():
            rarest = tuple(way for way, number in own if number == 0)
            owners = _Owners(rarest, tuple(use for use in own if use[1] > 0))
            self._automaton.add_word(string, numbers.setdefault(owners, len(numbers)))
        if uses:
            self._automaton.make_automaton()
        self._owners = list(numbers)

    def places(self, text: str) -> _Places:
        seen = [(self._owners[number], lines) for number, lines in self._lines(text).items()]
        rarest: dict[int, set[int]] = {}
        for owners, lines in seen:
            for way in owners.rarest:
                rarest.setdefault(way, set()).update(lines)
        others: dict[tuple[int, int], set[int]] = {}
        for owners, lines in seen:
            for use in owners.others:
                if use[0] in rarest:
                    others.setdefault(use, set()).update(lines)
        places: dict[str, set[int]] = {}
        for way, own in rarest.items():
            pattern, sets = self._ways[way]
            if sets > 1:
                own = own.intersection(*(others.get((way, number), ()) for number in range(1, sets)))
            if own:
                places.setdefault(pattern, set()).update(own)
        return {**places, **dict.fromkeys(self._everywhere)}

    def _lines(self, text: str) -> dict[int, list[int]]:
        """The lines of the strings found, by the number of their owners."""
        seen: dict[int, list[int]] = {}
        line, end = 0, text.find("\n")
        for last, number in self._automaton.iter(text) if self._owners else ():
            while 0 <= end < last:
                line, end = line + 1, text.find("\n", end + 1)
            lines = seen.setdefault(number, [])
            if not lines or lines[-1] != line:
                lines.append(line)
        return seen


class Reading:
    """A text and where its patterns stand: byte spans in `data`, each pattern searched for when first asked for."""

    def __init__(self, data: bytes, places: _Places) -> None:
        self.data = data
        self._places = places
        self.patterns = frozenset(places)  # the others match nowhere
        self._found: dict[str, list[Span]] = {}

    def spans(self, pattern: str) -> list[Span]:
        """Byte spans of the matches of `pattern`, left to right."""
        if pattern not in self.patterns:
            return []
        if pattern not in self._found:
            stretches = self._stretches(self._places[pattern])
            self._found[pattern] = [span for edges in stretches for span in find_spans(pattern, self.data, *edges)]
        return self._found[pattern]

    def _stretches(self, lines: set[int] | None) -> list[Span]:
        """Byte spans of the lines that a pattern is tried in, neighbouring ones as one."""
        if lines is None:
            return [(0, len(self.data))]
        found: list[Span] = []
        for line in sorted(lines):
            low, high = self._lines[line]
            if found and found[-1][1] == low - 1:
                found[-1] = (found[-1][0], high)
            else:
                found.append((low, high))
        return found

    @cached_property
    def _lines(self) -> list[Span]:
        found, low = [], 0
        for line in self.data.split(b"\n"):
            found.append((low, low + len(line)))
            low += len(line) + 1
        return found


class Readings:
    """A call's words as they were heard, and the turns that were probably said otherwise read again (see `repair`)."""

    def __init__(self, text: CallText, index: PatternIndex, repairer: Repairer) -> None:
        self._heard = index.reading(text.shown)
        self._repaired = repairer.repaired(text)
        self._again = index.reading(self._repaired.text)
        self._worth = self._heard.patterns | self._again.patterns

    def may_hold(self, patterns: Sequence[str]) -> bool:
        """Whether any of the patterns is worth looking for."""
        return not self._worth.isdisjoint(patterns)

    def spans(self, pattern: str) -> list[Span]:
        """Byte spans, in the call's words, of what the pattern matches in them."""
        return self._heard.spans(pattern)

    def spans_again(self, pattern: str) -> list[Span]:
        """The same for the second reading."""
        places = self._repaired.places
        found: list[Span] = []
        for low, high in self._again.spans(pattern):
            start, first = places[bisect_right(places, (low, 1 << 62)) - 1]
            found.append((first + low - start, first + high - start))
        return found

    def changed(self, start: int, end: int) -> bool:
        """Whether the second reading put any of the characters [start, end) of the call back."""
        return any(at in self._repaired.changed for at in range(start, end))
