"""Turns as they were probably said: characters that make no word, put back to the like-sounding word a pattern asks for.

Patterns read characters, so one misheard character hides what they look for. Here the words that stand in the patterns
are looked for by sound (as phrases are), and a second reading of the turn is made with them: 请烧等 → 请稍等. It has the
same length, so places agree. What is found only there is a hit by sound.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import ahocorasick

from qa_monitor.rules import fold
from qa_monitor.rules.lexicon import common_word, covered_by_word
from qa_monitor.rules.literals import enough_kept
from qa_monitor.rules.streams import CallText

_WORDS = re.compile("[\u4e00-\u9fff]{2,4}")
_SHORTEST = 2
_LONGEST = 4


@dataclass(frozen=True, slots=True)
class Repaired:
    """The turns in which something was put back, joined by newlines, and which characters were."""

    text: str = ""
    # Of every repaired turn: its first byte in `text`, its first byte in the call's words (both as UTF-8).
    places: tuple[tuple[int, int], ...] = ()
    changed: frozenset[int] = frozenset()  # offsets into the joined text


class Repairer:
    """Words of patterns, found by sound."""

    def __init__(self) -> None:
        self._words: set[str] = set()

    def add(self, patterns: Iterable[str]) -> None:
        """Words of two to four characters that the patterns spell out."""
        self._words.update(word for pattern in patterns for word in _WORDS.findall(pattern))

    @cached_property
    def _automaton(self) -> Any:
        found: Any = ahocorasick.Automaton()
        by_sound: dict[str, list[str]] = {}
        for word in sorted(self._words):
            by_sound.setdefault(_sound(word), []).append(word)
        for sound, words in by_sound.items():
            found.add_word(sound, (len(sound), words))
        if by_sound:
            found.make_automaton()
        return found

    def repaired(self, text: CallText) -> Repaired:
        """The second reading of a call; empty when nothing was put back."""
        if not self._words:
            return Repaired()
        put_back: dict[int, str] = {}
        for last, (length, words) in self._automaton.iter(_sound(text.shown)):
            start = last - length + 1
            heard = text.shown[start : last + 1]
            if heard in words:
                continue
            for word in words:
                if _misheard(text.shown, start, heard, word):
                    put_back.update({start + i: char for i, char in enumerate(word) if char != heard[i]})
                    break
        return _second_reading(text, put_back) if put_back else Repaired()


def _sound(text: str) -> str:
    return fold.text_of(fold.sounds(text)[1])


def _misheard(shown: str, start: int, heard: str, word: str) -> bool:
    """Whether `heard` is more likely `word` than itself: half of it agrees, and what differs makes no word."""
    changed = [i for i, (one, other) in enumerate(zip(heard, word, strict=True)) if one != other]
    if not enough_kept(len(word) - len(changed), len(word)):
        return False
    # Of two characters one alone is little evidence: the other must be no common word itself.
    short = len(word) == _SHORTEST
    return not any((short and common_word(heard[i])) or _in_a_word(shown, start + i) for i in changed)


def _in_a_word(shown: str, at: int) -> bool:
    low = max(0, at - _LONGEST + 1)
    return covered_by_word(shown[low : at + _LONGEST], at - low)


def _second_reading(text: CallText, put_back: dict[int, str]) -> Repaired:
    turns = sorted({text.turn_at(at) for at in put_back})
    pieces, places, size = [], [], 0
    for turn in turns:
        low, high = text.starts[turn], text.ends[turn]
        said = "".join(put_back.get(at, text.shown[at]) for at in range(low, high))
        places.append((size, text.byte_of_char(low)))
        pieces.append(said)
        size += len(said.encode("utf-8", "surrogatepass")) + 1
    return Repaired("\n".join(pieces), tuple(places), frozenset(put_back))
