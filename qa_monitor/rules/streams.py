"""A dialogue's words prepared for matching: all turns in one string, and streams of it with less and less noise.

Positions everywhere are offsets into `joined`, the turns' texts joined by one character; `CallText.turn_at` and
`CallText.local` lead back to the turn and to its own characters.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from qa_monitor.records import Turn
from qa_monitor.rules import fold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Codes = NDArray[np.uint32]
    Index = NDArray[np.int64]
    Mask = NDArray[np.bool_]

# What speakers put between words while they think; a wording that contains one is still found in the full stream.
_FILLERS = re.compile("就是说|那个|这个|就是|然后|[嗯呃啊哦噢喔诶欸哎唉呀嘛呢吧哈]|(?<![\u4e00-\u9fff])额")
# A stretch of one to four characters said again at once: 请请稍等, 还有还有什么. Digits do repeat in numbers.
_STAMMER = re.compile(r"([^\d\x01]{1,4}?)\1+")
_SENTENCE_ENDS = "。！？!?"
_CLAUSE_ENDS = "，、。！？；,!?; "


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """Characters that count, their sounds, and where each stands in the joined text.

    `sentence[i]` numbers the sentence of character `i`; gaps do not cross sentences. `memo` keeps what was found beside a
    place: many wordings ask the same.
    """

    keys: str
    loose: str
    at: Index
    sentence: Index
    key_codes: Codes
    loose_codes: Codes
    memo: dict[Any, Any] = field(default_factory=dict)


class CallText:
    """The turns' texts prepared once for all rules."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self.joined = "\n".join(turn.text.replace("\n", " ") for turn in turns)
        lengths = np.array([len(turn.text) for turn in turns], dtype=np.int64)
        ends = np.cumsum(lengths + 1) - 1
        self.starts: list[int] = (ends - lengths).tolist()
        self.ends: list[int] = ends.tolist()
        codes = fold.codes_of(self.joined)
        self._borders = ends[:-1]
        shown = fold.look_up(fold.tables().shown, codes)
        shown[self._borders] = ord("\n")
        self.shown = fold.text_of(shown)
        self._keys = fold.look_up(fold.tables().key, codes)
        self._keys[self._borders] = fold.BORDER

    def turn_at(self, position: int) -> int:
        """The turn that holds `position`."""
        return bisect_right(self.starts, position) - 1

    def local(self, start: int, end: int) -> tuple[int, int, int]:
        """Turn, start and end within its text, of a span of the joined text."""
        turn = self.turn_at(start)
        return turn, start - self.starts[turn], end - self.starts[turn]

    @cached_property
    def _byte_starts(self) -> array[int]:
        """Byte offset of every character of `shown` as UTF-8, and of its end."""
        codes = fold.codes_of(self.shown)
        widths = 1 + (codes >= 0x80).astype(np.int64) + (codes >= 0x800) + (codes >= 0x10000)
        return array("q", np.concatenate([[0], np.cumsum(widths)]).tobytes())

    def byte_of_char(self, offset: int) -> int:
        return self._byte_starts[offset]

    def char_of_byte(self, offset: int) -> int:
        return bisect_left(self._byte_starts, offset)

    @cached_property
    def streams(self) -> tuple[Stream, ...]:
        """The full text; turns with fillers, without them; turns with stammers, without either."""
        return tuple(stream for stream in (self._full, *self._cleaned[:2]) if stream.keys)

    @property
    def cleanest(self) -> Stream:
        """Every turn without fillers and stammers."""
        return self._cleaned[2]

    @cached_property
    def sounds_by_turn(self) -> list[str]:
        """The loose sounds of each turn, without fillers and stammers."""
        return self.cleanest.loose.split(chr(fold.BORDER))

    @cached_property
    def clause_sounds_by_turn(self) -> list[list[str]]:
        """The sounds of each turn's clauses; what has no punctuation is one clause."""
        stream = self.cleanest
        cuts = np.cumsum(np.isin(fold.codes_of(self.shown), [ord(char) for char in _CLAUSE_ENDS]))[stream.at]
        breaks = np.flatnonzero((np.diff(cuts) > 0) & (stream.key_codes[1:] != fold.BORDER)) + 1
        found: list[list[str]] = [[]]
        for piece in np.split(stream.loose_codes, breaks):
            first, *later = fold.text_of(piece).split(chr(fold.BORDER))
            found[-1].append(first)
            found.extend([words] for words in later)
        return found

    @cached_property
    def _full(self) -> Stream:
        return self._stream(self._keys > 0)

    @cached_property
    def _cleaned(self) -> tuple[Stream, Stream, Stream]:
        counted = self._keys > 0
        fillers = self._marked(_FILLERS.finditer(self.shown))
        without = counted & ~fillers
        at = np.flatnonzero(without)
        spoken = fold.text_of(self._keys[at])
        stammers = np.zeros(len(counted), dtype=np.bool_)
        for match in _STAMMER.finditer(spoken):
            stammers[at[match.start() : match.end() - len(match[1])]] = True
        cleanest = without & ~stammers
        return (
            self._stream(without & self._in_turns_with(fillers & counted)),
            self._stream(cleanest & self._in_turns_with(stammers)),
            self._stream(cleanest),
        )

    def _marked(self, matches: Any) -> Mask:
        marked = np.zeros(len(self._keys), dtype=np.bool_)
        for match in matches:
            marked[match.start() : match.end()] = True
        marked[self._borders] = False
        return marked

    def _in_turns_with(self, marked: Mask) -> Mask:
        """Whole turns (with the border after them) that have a marked character."""
        number = np.searchsorted(self._borders, np.arange(len(self._keys)), side="left")
        has = np.zeros(len(self.starts), dtype=np.bool_)
        has[number[marked]] = True
        found: Mask = has[number]
        return found

    @cached_property
    def _sentence(self) -> Index:
        ends = np.isin(fold.codes_of(self.shown), [ord(char) for char in _SENTENCE_ENDS])
        found: Index = np.cumsum(ends)
        return found

    def _stream(self, mask: Mask) -> Stream:
        at = np.flatnonzero(mask)
        keys = self._keys[at]
        loose = fold.look_up(fold.tables().loose, keys)
        return Stream(fold.text_of(keys), fold.text_of(loose), at, self._sentence[at], keys, loose)
