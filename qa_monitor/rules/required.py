"""Strings of which a pattern needs one: where none of them stands, the pattern need not be tried.

The pattern is read as RE2 reads it. Whatever this reader does not know for certain (flags, classes by name) makes it
give no strings, and the pattern is tried everywhere: it is never tried too seldom.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache, reduce
from typing import NamedTuple

_MOST = 200  # strings kept of one part
_LONGEST = 4  # characters of a string: more hardly makes it rarer
_RARITY = 30.0  # each further character makes a string about so many times rarer
_REPEATS = {"?": 0, "*": 0, "+": 1}
_ANYTHING = re.compile(r"[dDsSwW]|[pP](?:[A-Z]|\{\^?\w+\})")  # escapes that stand for many characters
_PLACES = re.compile("[bBAz]")  # escapes that match a place, not a character
_RANGE = re.compile(r"-(?!\])")

Strings = frozenset[str]


class _Part(NamedTuple):
    """A part of a pattern: all that it may match (None when that is too much), and strings of which a match has one."""

    exact: Strings | None
    needs: Strings | None


class _UnknownSyntax(Exception):
    """Something in the pattern that this reader leaves to RE2."""


_NOTHING = _Part(frozenset({""}), None)
_ANY_CHARACTER = _Part(None, None)


@lru_cache(maxsize=4096)
def required(pattern: str) -> Strings | None:
    """Strings of which one stands in every match of `pattern`; None when no such strings are known."""
    try:
        return _needs(_Reader(pattern).whole())
    except _UnknownSyntax:
        return None


def _needs(part: _Part) -> Strings | None:
    if part.exact is None:
        return part.needs
    return None if "" in part.exact else frozenset(text[:_LONGEST] for text in part.exact)


def _rarer(one: Strings | None, other: Strings | None) -> Strings | None:
    """Of two sets the one that is less likely to have a string in a text."""
    if one is None or other is None:
        return one if other is None else other
    return min(one, other, key=lambda strings: sum(_RARITY ** -len(text) for text in strings))


def _one_after_another(parts: Iterable[_Part]) -> _Part:
    run: Strings = frozenset({""})  # what the last parts may match together
    needs: Strings | None = None
    whole = True
    for part in parts:
        if part.exact is not None and len(run) * len(part.exact) <= _MOST:
            run = frozenset(head + tail for head in run for tail in part.exact)
            continue
        whole = False
        needs = reduce(_rarer, (needs, _needs(_Part(run, None)), _needs(part)))
        run = part.exact or frozenset({""})
    return _Part(run, None) if whole else _Part(None, _rarer(needs, _needs(_Part(run, None))))


def _either(branches: list[_Part]) -> _Part:
    if len(branches) == 1:
        return branches[0]
    exact: Strings = frozenset()
    needs: Strings = frozenset()
    short = sure = True
    for branch in branches:
        short = short and branch.exact is not None
        exact |= branch.exact or frozenset()
        own = _needs(branch)
        sure = sure and own is not None
        needs |= own or frozenset()
    return _Part(exact if short and len(exact) <= _MOST else None, needs if sure else None)


class _Reader:
    """Recursive descent over a pattern."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def whole(self) -> _Part:
        part = self._branches()
        if self._at < len(self._pattern):
            raise _UnknownSyntax
        return part

    def _next(self) -> str:
        if self._at >= len(self._pattern):
            raise _UnknownSyntax
        self._at += 1
        return self._pattern[self._at - 1]

    def _follows(self, text: str) -> bool:
        """Whether `text` stands here; it is passed if so."""
        found = self._pattern.startswith(text, self._at)
        self._at += len(text) if found else 0
        return found

    def _one_of(self, signs: re.Pattern[str]) -> bool:
        """The same for one of several."""
        found = signs.match(self._pattern, self._at)
        self._at = found.end() if found else self._at
        return found is not None

    def _branches(self) -> _Part:
        branches = [self._branch()]
        while self._follows("|"):
            branches.append(self._branch())
        return _either(branches)

    def _branch(self) -> _Part:
        parts = []
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            parts.append(self._repeated(self._part()))
        return _one_after_another(parts)

    def _repeated(self, part: _Part) -> _Part:
        while self._at < len(self._pattern) and self._pattern[self._at] in "?*+{":
            least, most = self._times(self._next())
            self._follows("?")  # which of several matches is preferred does not matter here
            if least == 0:
                once = part.exact is not None and most == 1
                part = _Part(part.exact | {""}, None) if once and part.exact is not None else _ANY_CHARACTER
            elif most != 1:
                part = _Part(None, _needs(part))
        return part

    def _times(self, sign: str) -> tuple[int, int | None]:
        if sign != "{":
            return _REPEATS[sign], 1 if sign == "?" else None
        end = self._pattern.find("}", self._at)
        low, comma, high = self._pattern[self._at : max(end, self._at)].partition(",")
        if not low.isdecimal() or not (high.isdecimal() or not high):
            raise _UnknownSyntax  # a bracket that RE2 takes for a character
        self._at = end + 1
        return int(low), int(high) if high else None if comma else int(low)

    def _part(self) -> _Part:
        char = self._next()
        if char == "(":
            return self._group()
        if char == "[":
            return self._class()
        if char == ".":
            return _ANY_CHARACTER
        if char in "^$":
            return _NOTHING
        if char == "\\":
            return _NOTHING if self._one_of(_PLACES) else self._escaped()
        return _character(char)

    def _group(self) -> _Part:
        if self._follows("?") and not self._follows(":"):
            raise _UnknownSyntax
        part = self._branches()
        if not self._follows(")"):
            raise _UnknownSyntax
        return part

    def _class(self) -> _Part:
        negated = self._follows("^")
        found: list[_Part] = []
        while not (found and self._follows("]")):
            found.append(self._in_class())
        return _ANY_CHARACTER if negated else _either(found)

    def _in_class(self) -> _Part:
        char = self._next()
        if char == "[" and self._follows(":"):
            raise _UnknownSyntax
        part = self._escaped() if char == "\\" else _character(char)
        if not self._one_of(_RANGE):
            return part
        if self._next() == "\\":
            self._escaped()
        return _ANY_CHARACTER

    def _escaped(self) -> _Part:
        """What stands behind a backslash: a class, or a character that stands for itself."""
        if self._one_of(_ANYTHING):
            return _ANY_CHARACTER
        char = self._next()
        if char.isalnum():
            raise _UnknownSyntax
        return _character(char)


def _character(char: str) -> _Part:
    """A character that has an upper or lower case matches more than itself."""
    return _Part(frozenset({char}), None) if char.lower() == char.upper() else _ANY_CHARACTER
