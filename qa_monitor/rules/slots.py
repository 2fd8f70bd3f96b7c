"""Neighbouring slots of a wording: the nearest of many pieces, beside a place, in one search.

Each slot has one alternation of its pieces' characters, one of their sounds, one of their halves. They are plain
alternations of literals over windows of a few dozen characters, so the standard library's engine cannot run away.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property

from qa_monitor.rules import fold
from qa_monitor.rules.lexicon import common_word
from qa_monitor.rules.literals import Fit, Literal, edited_fit, make_literal, same_sound_fit, sounds_of
from qa_monitor.rules.streams import Stream

_BORDER = chr(fold.BORDER)
_EDIT_FROM = 3
Found = tuple[Fit, Literal]


class SlotPieces:
    """The pieces that may stand in one slot, longest first."""

    def __init__(self, keys: Sequence[str]) -> None:
        self.pieces: tuple[Literal, ...] = tuple(map(make_literal, keys))
        self.longest = max(map(len, keys))
        self.shortest = min(map(len, keys))
        self._by_keys = {piece.keys: piece for piece in self.pieces}

    def after(self, stream: Stream, edge: int, gap: int) -> Found | None:
        """The piece that begins soonest from `edge` on, at most `gap` characters later."""
        key = (self, edge, gap, "after")
        if key not in stream.memo:
            high = min(len(stream.keys), edge + gap + self.longest)
            border = stream.keys.find(_BORDER, edge, high)
            high = border if border >= 0 else high
            stream.memo[key] = self._nearest(stream, edge, high, lambda fit: fit.start - edge, gap)
        found: Found | None = stream.memo[key]
        return found

    def before(self, stream: Stream, edge: int, gap: int) -> Found | None:
        """The piece that ends last up to `edge`, at most `gap` characters earlier."""
        key = (self, edge, gap, "before")
        if key not in stream.memo:
            low = max(0, edge - gap - self.longest)
            low = max(low, stream.keys.rfind(_BORDER, low, edge) + 1)
            stream.memo[key] = self._nearest(stream, low, edge, lambda fit: edge - fit.end, gap)
        found: Found | None = stream.memo[key]
        return found

    def _nearest(self, stream: Stream, low: int, high: int, distance: Callable[[Fit], int], gap: int) -> Found | None:
        """The same characters if any piece has them there, else the same sound, else one edit; nearest, then longest."""
        if high - low < self.shortest - 1:
            return None
        for finder in (self._same_keys, self._same_sound, self._one_edit):
            near = [(fit, piece) for fit, piece in finder(stream, low, high) if distance(fit) <= gap]
            if near:
                return min(near, key=lambda found: (distance(found[0]), -found[1].size, found[1].keys))
        return None

    def _same_keys(self, stream: Stream, low: int, high: int) -> Iterator[Found]:
        for match in self._keys_pattern.finditer(stream.keys, low, high):
            piece = self._by_keys[match[1]]
            yield Fit(match.start(), match.start() + piece.size), piece

    def _same_sound(self, stream: Stream, low: int, high: int) -> Iterator[Found]:
        for match in self._sound_pattern.finditer(stream.loose, low, high):
            for piece in self._by_sound[match[1]]:
                fit = same_sound_fit(piece, stream, match.start())
                if fit is not None and (piece.size > 1 or _telling(fit, stream)):
                    yield fit, piece

    def _one_edit(self, stream: Stream, low: int, high: int) -> Iterator[Found]:
        """With one edit one half of a piece is whole: the text is only aligned where a half stands."""
        if self.longest < _EDIT_FROM:
            return
        tried = set()
        for match in self._half_pattern.finditer(stream.loose, low, high):
            for piece, offset in self._by_half[match[1]]:
                start = max(low, match.start() - offset)
                if (piece.keys, start) in tried:
                    continue
                tried.add((piece.keys, start))
                fit = edited_fit(piece, stream, start, 1, near_only=piece.size == _EDIT_FROM)
                if fit is not None and low <= fit.start and fit.end <= high:
                    yield fit, piece

    @cached_property
    def _keys_pattern(self) -> re.Pattern[str]:
        return _anywhere(self._by_keys)

    @cached_property
    def _by_sound(self) -> dict[str, list[Literal]]:
        found: dict[str, list[Literal]] = {}
        for piece in self.pieces:
            for sound in sounds_of(piece):
                found.setdefault(sound, []).append(piece)
        return found

    @cached_property
    def _sound_pattern(self) -> re.Pattern[str]:
        return _anywhere(self._by_sound)

    @cached_property
    def _by_half(self) -> dict[str, list[tuple[Literal, int]]]:
        found: dict[str, list[tuple[Literal, int]]] = {}
        for piece in self.pieces:
            size = max(2, piece.size // 2)
            for offset in {0, piece.size - size} if piece.size >= _EDIT_FROM else ():
                found.setdefault(piece.loose[offset : offset + size], []).append((piece, offset))
        return found

    @cached_property
    def _half_pattern(self) -> re.Pattern[str]:
        return _anywhere(self._by_half)


def _anywhere(strings: Iterable[str]) -> re.Pattern[str]:
    """Finds every place where one of `strings` begins, the longest there; matches may overlap."""
    ordered = sorted(strings, key=lambda string: (-len(string), string))
    return re.compile(f"(?=({'|'.join(map(re.escape, ordered))}))")


def _telling(fit: Fit, stream: Stream) -> bool:
    """A single character is little evidence: it must sound exactly so and be no common word itself."""
    return not fit.confusions and not common_word(stream.keys[fit.start])
