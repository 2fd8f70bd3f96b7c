"""Giving every recognised word back to the moment it was spoken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from qa_monitor.records import Span, Word
from qa_monitor.transcript.packing import Piece, Window

if TYPE_CHECKING:
    from qa_monitor.transcript.engine import HeardWord

MIN_WORD_S = 0.02
ANCHOR = 0.75  # a word after a pause is aligned from the pause's beginning: its later part is where it is spoken


def place(window: Window, words: Sequence[HeardWord], channel: int) -> Iterator[tuple[Piece, Word]]:
    """Each word with its piece, timed on the recording's clock, inside a voiced span and not before the last word."""
    floor_s = float("-inf")
    reached = 0
    for word in words:
        anchor_s = word.start_s + ANCHOR * (word.end_s - word.start_s)
        at = max(reached, window.pieces.index(window.piece_at(anchor_s)))
        reached, piece = at, window.pieces[at]
        start_s, end_s = piece.to_recording(word.start_s), piece.to_recording(word.end_s)
        span = _nearest(piece.voiced, start_s, end_s)
        start_s = min(max(start_s, span.start_s, floor_s), span.end_s - MIN_WORD_S)
        end_s = min(max(end_s, start_s + MIN_WORD_S), span.end_s)
        floor_s = start_s
        yield piece, Word(word.text, round(start_s, 3), round(end_s, 3), round(word.probability, 4), channel)


def _nearest(spans: Sequence[Span], start_s: float, end_s: float) -> Span:
    """The span that shares most time with a word, or else lies nearest to it."""
    return max(spans, key=lambda span: (min(span.end_s, end_s) - max(span.start_s, start_s), -span.start_s))
