"""Packing voiced stretches into full windows, and finding the way back from a window's clock to the recording's.

Whisper pays for 30 seconds whether they are full or not. The stretches of one channel are laid end to end with a short
pause between, so that a call in which one person talks at a time costs one transcript and not two.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from qa_monitor.records import Span

if TYPE_CHECKING:
    from qa_monitor.transcript.engine import Samples

RATE = 16_000
PAUSE_S = 0.4
# Pieces are brought to one level: Whisper leaves out a quiet voice beside a loud one (measured on two voices: 35 %
# character errors as recorded, 15 % levelled, 15 % with each piece in a window of its own).
LEVEL = 0.08
MOST_GAIN = 20.0


class Sound(Protocol):
    """What of decoded audio is needed here."""

    def read(self, channel: int, start_s: float, end_s: float) -> Samples: ...


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the recording [start_s, end_s) that lies at `at_s` in its window."""

    start_s: float
    end_s: float
    at_s: float


@dataclass(frozen=True, slots=True)
class Window:
    """Pieces of one channel, in order, that are recognised together."""

    channel: int
    pieces: tuple[Piece, ...]

    def samples(self, audio: Sound) -> Samples:
        """samples : (time,) float32, the pieces at one level with pauses of silence between."""
        import numpy as np

        last = self.pieces[-1]
        out = np.zeros(round((last.at_s + last.end_s - last.start_s) * RATE) + 1, dtype=np.float32)
        for piece in self.pieces:
            part = audio.read(self.channel, piece.start_s, piece.end_s)
            begin = round(piece.at_s * RATE)
            part = part[: len(out) - begin]
            loudness = float(np.sqrt(np.mean(np.square(part)))) if len(part) else 0.0
            out[begin : begin + len(part)] = np.clip(part * min(MOST_GAIN, LEVEL / (loudness + 1e-6)), -1.0, 1.0)
        return out

    def piece_at(self, start_s: float, end_s: float) -> int:
        """Index of the piece in which a word at these window times mostly lies."""
        shares = [
            min(end_s, piece.at_s + piece.end_s - piece.start_s) - max(start_s, piece.at_s) for piece in self.pieces
        ]
        return max(range(len(shares)), key=lambda index: (shares[index], -index))


def pack(channel: int, spans: Iterable[Span], window_s: float) -> list[Window]:
    """Windows of at most `window_s`. A stretch longer than a window is cut where it must be."""
    windows: list[Window] = []
    pieces: list[Piece] = []
    used_s = 0.0
    for span in _no_longer_than(spans, window_s - PAUSE_S):
        if pieces and used_s + PAUSE_S + span.duration_s > window_s:
            windows.append(Window(channel, tuple(pieces)))
            pieces, used_s = [], 0.0
        at_s = used_s + (PAUSE_S if pieces else 0.0)
        pieces.append(Piece(span.start_s, span.end_s, at_s))
        used_s = at_s + span.duration_s
    if pieces:
        windows.append(Window(channel, tuple(pieces)))
    return windows


def _no_longer_than(spans: Iterable[Span], longest_s: float) -> Iterable[Span]:
    for span in spans:
        parts = int(span.duration_s // longest_s) + 1
        step = span.duration_s / parts
        for index in range(parts):
            yield Span(span.start_s + index * step, span.start_s + (index + 1) * step)


def in_batches(windows: Sequence[Window], size: int) -> Iterable[Sequence[Window]]:
    for start in range(0, len(windows), size):
        yield windows[start : start + size]
