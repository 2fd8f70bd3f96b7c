"""Strings that a pattern needs: where they do not stand, the pattern need not be tried.

A pattern matches in one of several ways, the alternatives that it is made of; every way needs a string of each of
some sets: 您[^，]{0,4}(投诉|举报)|工号 needs 您 and one of 投诉, 举报; or 工号.

The pattern is read as RE2 reads it. Whatever this reader does not know for certain (flags, classes by name) makes it
give no strings, and the pattern is tried everywhere: it is never tried too seldom.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

_MOST = 200  # strings kept of one part
_LONGEST = 4  # characters of a string: more hardly makes it rarer
_SETS = 3  # sets of strings kept of one part
_RARITY = 30.0  # each further character makes a string about so many times rarer
_REPEATS = {"?": 0, "*": 0, "+": 1}
_ANYTHING = re.compile(r"[dDsSwW]|[pP](?:[A-Z]|\{\^?\w+\})")  # escapes that stand for many characters
_PLACES = re.compile("[bBAz]")  # escapes that match a place, not a character
_RANGE = re.compile(r"-(?!\])")

Strings = frozenset[str]
Way = tuple[Strings, ...]  # rarest first


class _Part(NamedTuple):
    """A part of a pattern: all that it may match (None when that is too much), and what every match needs."""

    exact: Strings | None
    needs: Way


class _UnknownSyntax(Exception):
    """Something in the pattern that this reader leaves to RE2."""


_NOTHING = _Part(frozenset({""}), ())
_ANY_CHARACTER = _Part(None, ())


@lru_cache(maxsize=4096)
def required(pattern: str) -> tuple[Way, ...]:
    """The ways in which `pattern` matches; none when it may match without any string that is known."""
    try:
        ways = tuple(_needs(branch) for branch in _Reader(pattern).whole())
    except (_UnknownSyntax, RecursionError):
        return ()
    return ways if all(ways) else ()


def _needs(part: _Part) -> Way:
    if part.exact is None:
        return part.needs
    return () if "" in part.exact else (frozenset(text[:_LONGEST] for text in part.exact),)


def _rarest(sets: Iterable[Strings]) -> Way:
    return tuple(sorted(sets, key=lambda strings: sum(_RARITY ** -len(text) for text in strings))[:_SETS])


def _one_after_another(parts: Iterable[_Part]) -> _Part:
    run: Strings = frozenset({""})  # what the last parts may match together
    needs: list[Strings] = []
    whole = True
    for part in parts:
        if part.exact is not None and len(run) * len(part.exact) <= _MOST:
            run = frozenset(head + tail for head in run for tail in part.exact)
            continue
        whole = False
        needs += (*_needs(_Part(run, ())), *part.needs)
        run = part.exact or frozenset({""})
    return _Part(run, ()) if whole else _Part(None, _rarest((*needs, *_needs(_Part(run, ())))))


def _either(branches: list[_Part]) -> _Part:
    if len(branches) == 1:
        return branches[0]
    exact = None
    if all(branch.exact is not None for branch in branches):
        exact = frozenset(chain.from_iterable(branch.exact or () for branch in branches))
    needs = tuple(frozenset(chain.from_iterable(sets)) for sets in zip(*map(_needs, branches), strict=False))
    return _Part(exact if exact is not None and len(exact) <= _MOST else None, needs)


class _Reader:
    """Recursive descent over a pattern."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def whole(self) -> list[_Part]:
        branches = self._branches()
        if self._at < len(self._pattern):
            raise _UnknownSyntax
        return branches

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

    def _branches(self) -> list[_Part]:
        branches = [self._branch()]
        while self._follows("|"):
            branches.append(self._branch())
        return branches

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
                part = _ANY_CHARACTER if part.exact is None or most != 1 else _Part(part.exact | {""}, ())
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
        part = _either(self._branches())
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
    return _Part(frozenset({char}), ()) if char.lower() == char.upper() else _ANY_CHARACTER
