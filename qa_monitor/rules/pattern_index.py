"""Which turns each pattern is tried in: those that hold one of the strings that it needs.

One automaton over the needed strings of all patterns reads a text once; most patterns are then never tried on most
calls, and the others on a turn or two. So the cost is that of the text and of what is found, not of the patterns.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import chain
from typing import Any

import ahocorasick

from qa_monitor.rules.patterns import find_spans
from qa_monitor.rules.repair import Repairer
from qa_monitor.rules.required import required
from qa_monitor.rules.streams import CallText

Span = tuple[int, int]
# For every pattern that may match: lists of lines in which a needed string stands; None for the whole text.
_Places = dict[str, list[list[int]] | None]


class PatternIndex:
    """Patterns of all rules. Add all of them, then read any number of texts."""

    def __init__(self) -> None:
        self._needs: dict[str, frozenset[str] | None] = {}

    def add(self, patterns: Iterable[str]) -> None:
        self._needs.update((pattern, required(pattern)) for pattern in patterns)

    def reading(self, text: str) -> Reading:
        """`text`, whose turns are its lines, ready to be searched for any of the patterns."""
        return Reading(text.encode("utf-8", "surrogatepass"), self._places(text) if text else {})

    @cached_property
    def _automaton(self) -> tuple[Any, list[tuple[str, ...]]]:
        """Finds needed strings; each comes with the number of a group of patterns: those that need it."""
        owners: dict[str, list[str]] = {}
        for pattern, strings in self._needs.items():
            for string in strings or ():
                owners.setdefault(string, []).append(pattern)
        groups: dict[tuple[str, ...], int] = {}
        found: Any = ahocorasick.Automaton(ahocorasick.STORE_INTS)
        for string, patterns in owners.items():
            found.add_word(string, groups.setdefault(tuple(patterns), len(groups)))
        if owners:
            found.make_automaton()
        return found, list(groups)

    def _places(self, text: str) -> _Places:
        automaton, groups = self._automaton
        seen: dict[int, list[int]] = {}
        line, end = 0, text.find("\n")
        for last, group in automaton.iter(text) if groups else ():
            while 0 <= end < last:
                line, end = line + 1, text.find("\n", end + 1)
            lines = seen.setdefault(group, [])
            if not lines or lines[-1] != line:
                lines.append(line)
        found: dict[str, list[list[int]]] = {}
        for group, lines in seen.items():
            for pattern in groups[group]:
                found.setdefault(pattern, []).append(lines)
        return {**found, **dict.fromkeys(pattern for pattern, strings in self._needs.items() if strings is None)}


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

    def _stretches(self, places: list[list[int]] | None) -> list[Span]:
        """Byte spans of the lines that a pattern is tried in, neighbouring ones as one."""
        if places is None:
            return [(0, len(self.data))]
        found: list[Span] = []
        for line in sorted(set(chain.from_iterable(places))):
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
