"""Packing the voiced spans of a channel into windows for the engine.

A window holds pieces of one channel in order of time, parted by short true silence, so that the engine hears speech
and nothing else, and every word can be given back to the moment it was spoken. Windows never mix channels: a word can
not land on the wrong speaker.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from qa_monitor.records import Span

LEAD_S = 0.15  # silence before the first piece
GAP_S = 0.5  # silence between pieces
MERGE_S = 0.6  # a pause up to this long is left as it was recorded
MARGIN_S = 0.1  # sound kept on either side of a voiced span: detectors cut soft onsets
MIN_PIECE_S = 0.06
EVEN_TO_S = 0.1
OPEN = 4  # windows that a piece may still join: those further back are minutes away

Quietest = Callable[[float, float], float]


@dataclass(frozen=True, slots=True)
class Piece:
    """Recorded sound [start_s, end_s) laid into a window at `at_s`. `voiced` are the voiced spans inside it."""

    start_s: float
    end_s: float
    at_s: float
    voiced: tuple[Span, ...]

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s

    @property
    def voiced_s(self) -> float:
        return sum(span.duration_s for span in self.voiced)

    def to_recording(self, window_s: float) -> float:
        """The time in the recording of a time in the window."""
        return self.start_s + window_s - self.at_s


@dataclass(frozen=True, slots=True)
class Window:
    """Pieces of channel `channel` (its position in AudioInfo.channels), in order of time."""

    channel: int
    pieces: tuple[Piece, ...]

    @property
    def duration_s(self) -> float:
        last = self.pieces[-1]
        return last.at_s + last.duration_s

    @property
    def voiced_s(self) -> float:
        return sum(piece.voiced_s for piece in self.pieces)

    def piece_at(self, window_s: float) -> Piece:
        """The piece nearest to a time in the window."""
        borders = [
            (before.at_s + before.duration_s + after.at_s) / 2
            for before, after in zip(self.pieces, self.pieces[1:], strict=False)
        ]
        return self.pieces[bisect_right(borders, window_s)]


def pack(channel: int, voiced: Sequence[Span], duration_s: float, window_s: float, quietest: Quietest) -> list[Window]:
    """Windows of at most `window_s` seconds that together hold every voiced span of one channel.

    Parameters
    ----------
    voiced : the channel's voiced spans in order of time, not overlapping.
    duration_s : length of the recording.
    quietest : gives the quietest moment of the channel in [start, end]: where a span too long for a window is cut.
    """
    groups = [
        part for group in _merged(voiced, window_s) for part in _cut(group, window_s - LEAD_S - 2 * MARGIN_S, quietest)
    ]
    margins = _with_margins(groups, duration_s)
    windows: list[Window] = []
    for row in _even([end_s - start_s for start_s, end_s in margins], window_s):
        pieces: list[Piece] = []
        filled_s = LEAD_S
        for i in row:
            start_s, end_s = margins[i]
            pieces.append(Piece(start_s, end_s, filled_s, tuple(groups[i])))
            filled_s += end_s - start_s + GAP_S
        windows.append(Window(channel, tuple(pieces)))
    return windows


def _even(lengths_s: Sequence[float], window_s: float) -> list[list[int]]:
    """Which lengths share a window: no more windows than needed, the longest of them as short as can be.

    A full window and a short one cost more than two of the same length: a batch is as long as its longest.
    """
    fewest = _rows(lengths_s, window_s)
    low_s, high_s = 0.0, window_s
    while high_s - low_s > EVEN_TO_S:
        middle_s = (low_s + high_s) / 2
        low_s, high_s = (low_s, middle_s) if len(_rows(lengths_s, middle_s)) <= len(fewest) else (middle_s, high_s)
    return _rows(lengths_s, high_s)


def _rows(lengths_s: Sequence[float], most_s: float) -> list[list[int]]:
    """Each length into the fullest of the last windows that has room for it, or into a new one."""
    rows: list[list[int]] = []
    filled_s: list[float] = []
    for i, length_s in enumerate(lengths_s):
        fits = [row for row in range(len(rows))[-OPEN:] if filled_s[row] + length_s <= most_s]
        if not fits:
            rows.append([])
            filled_s.append(LEAD_S)
        row = max(fits, key=filled_s.__getitem__) if fits else -1
        rows[row].append(i)
        filled_s[row] += length_s + GAP_S
    return rows


def _merged(voiced: Sequence[Span], window_s: float) -> list[list[Span]]:
    """Spans with only a short pause between them, as long as they fit a window together."""
    groups: list[list[Span]] = []
    for span in voiced:
        if span.duration_s < MIN_PIECE_S:
            continue
        last = groups[-1] if groups else None
        if (
            last
            and span.start_s - last[-1].end_s <= MERGE_S
            and span.end_s - last[0].start_s <= window_s - LEAD_S - 2 * MARGIN_S
        ):
            last.append(span)
        else:
            groups.append([span])
    return groups


def _cut(group: list[Span], longest_s: float, quietest: Quietest) -> list[list[Span]]:
    """A span longer than a window, cut where it is quietest in the last third of what fits."""
    if len(group) > 1 or group[0].duration_s <= longest_s:
        return [group]
    parts: list[list[Span]] = []
    start_s, end_s = group[0].start_s, group[0].end_s
    while end_s - start_s > longest_s:
        at_s = quietest(start_s + longest_s * 2 / 3, start_s + longest_s)
        parts.append([Span(start_s, at_s)])
        start_s = at_s
    parts.append([Span(start_s, end_s)])
    return parts


def _with_margins(groups: list[list[Span]], duration_s: float) -> list[tuple[float, float]]:
    """Each group's [start, end) widened by the margin, but not into its neighbours or past the recording's ends."""
    bounds = []
    for i, group in enumerate(groups):
        floor_s = groups[i - 1][-1].end_s if i else 0.0
        ceiling_s = groups[i + 1][0].start_s if i + 1 < len(groups) else duration_s
        start_s = max(group[0].start_s - MARGIN_S, min(floor_s, group[0].start_s))
        end_s = min(group[-1].end_s + MARGIN_S, max(ceiling_s, group[-1].end_s))
        bounds.append((start_s, end_s))
    return bounds
