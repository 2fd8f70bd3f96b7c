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
from qa_monitor.rules.literals import Fit, edited_fit, make_literal, same_sound_fit, sounds_of
from qa_monitor.rules.streams import Stream

_BORDER = chr(fold.BORDER)
_EDIT_FROM = 3
Found = tuple[Fit, str]  # a fit, and the piece that fits


class SlotPieces:
    """The pieces that may stand in one slot, longest first."""

    def __init__(self, keys: Sequence[str]) -> None:
        self.pieces = tuple(keys)
        self.longest = max(map(len, keys))
        self.shortest = min(map(len, keys))

    def after(self, stream: Stream, edge: int, gap: int) -> Found | None:
        """The piece that begins soonest from `edge` on, at most `gap` characters later."""
        if not self._sign.search(stream.loose, edge, edge + gap + self.longest):
            return None
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
        low = max(0, edge - gap - self.longest)
        if not self._sign.search(stream.loose, low, edge):
            return None
        key = (self, edge, gap, "before")
        if key not in stream.memo:
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
                return min(near, key=lambda found: (distance(found[0]), -len(found[1]), found[1]))
        return None

    def _same_keys(self, stream: Stream, low: int, high: int) -> Iterator[Found]:
        for match in self._keys_pattern.finditer(stream.keys, low, high):
            yield Fit(match.start(), match.end(1)), match[1]

    def _same_sound(self, stream: Stream, low: int, high: int) -> Iterator[Found]:
        for match in self._sound_pattern.finditer(stream.loose, low, high):
            for piece in self._by_sound[match[1]]:
                fit = same_sound_fit(make_literal(piece), stream, match.start())
                if fit is not None and (len(piece) > 1 or _telling(fit, stream)):
                    yield fit, piece

    def _one_edit(self, stream: Stream, low: int, high: int) -> Iterator[Found]:
        """With one edit one half of a piece is whole: the text is only aligned where a half stands."""
        if self.longest < _EDIT_FROM:
            return
        tried = set()
        for match in self._half_pattern.finditer(stream.loose, low, high):
            for piece, offset in self._by_half[match[1]]:
                start = max(low, match.start() - offset)
                if (piece, start) in tried:
                    continue
                tried.add((piece, start))
                fit = edited_fit(make_literal(piece), stream, start, 1, near_only=len(piece) == _EDIT_FROM)
                if fit is not None and low <= fit.start and fit.end <= high:
                    yield fit, piece

    @cached_property
    def _sign(self) -> re.Pattern[str]:
        """What stands wherever a piece does, however it was heard: one of these short sounds. Most windows have none."""
        signs = {
            sign
            for _, sound in sounds_of(self.pieces)
            for sign in ([sound] if len(sound) < _EDIT_FROM else [half for half, _ in _halves(sound)])
        }
        return re.compile("|".join(map(re.escape, sorted(signs))))

    @cached_property
    def _keys_pattern(self) -> re.Pattern[str]:
        return _anywhere(self.pieces)

    @cached_property
    def _by_sound(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for piece, sound in sounds_of(self.pieces):
            found[sound] = (*found.get(sound, ()), piece)
        return found

    @cached_property
    def _sound_pattern(self) -> re.Pattern[str]:
        return _anywhere(self._by_sound)

    @cached_property
    def _by_half(self) -> dict[str, tuple[tuple[str, int], ...]]:
        found: dict[str, tuple[tuple[str, int], ...]] = {}
        for piece, sound in zip(self.pieces, fold.loose_sounds(self.pieces), strict=True):
            for half, offset in _halves(sound) if len(piece) >= _EDIT_FROM else ():
                found[half] = (*found.get(half, ()), (piece, offset))
        return found

    @cached_property
    def _half_pattern(self) -> re.Pattern[str]:
        return _anywhere(self._by_half)


def _halves(sound: str) -> list[tuple[str, int]]:
    """The two halves of a sound, and where each begins; they overlap in a short one."""
    size = max(2, len(sound) // 2)
    return [(sound[offset : offset + size], offset) for offset in (0, len(sound) - size)]


def _anywhere(strings: Iterable[str]) -> re.Pattern[str]:
    """Finds every place where one of `strings` begins, the longest there; matches may overlap."""
    ordered = sorted(strings, key=lambda string: (-len(string), string))
    return re.compile(f"(?=({'|'.join(map(re.escape, ordered))}))")


def _telling(fit: Fit, stream: Stream) -> bool:
    """A single character is little evidence: it must sound exactly so and be no common word itself."""
    return not fit.confusions and not common_word(stream.keys[fit.start])
