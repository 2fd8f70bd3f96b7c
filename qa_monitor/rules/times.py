"""When, and how surely, some characters of a turn were said: from its words' times, else in proportion."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

from qa_monitor.records import Turn, Word


def word_edges(turn: Turn) -> list[int]:
    """Where each word of the turn ends, in characters of the words put together."""
    return list(accumulate(len(word.text) for word in turn.words))


def heard(turn: Turn, start: int, end: int, edges: list[int]) -> tuple[float | None, float | None, float]:
    """Start and end seconds of characters [start, end) of `turn.text`, and their mean probability.

    `edges` are the turn's `word_edges`, worked out once for many hits.
    """
    words = _words_of(turn, start, end, edges) if turn.words else ()
    if words:
        probability = sum(word.probability for word in words) / len(words)
        return words[0].start_s, words[-1].end_s, probability
    if turn.start_s is None or turn.end_s is None or not turn.text:
        return turn.start_s, turn.end_s, turn.confidence
    second = (turn.end_s - turn.start_s) / len(turn.text)
    return round(turn.start_s + start * second, 3), round(turn.start_s + end * second, 3), turn.confidence


def _words_of(turn: Turn, start: int, end: int, edges: list[int]) -> tuple[Word, ...]:
    """The words that hold the characters: through the raw text when the words spell it out, else in proportion."""
    total = edges[-1]
    if total == 0 or end <= start:
        return ()
    if len(turn.offsets) == len(turn.text) and total == len(turn.raw_text):
        low, high = turn.offsets[start], turn.offsets[end - 1]
    else:
        low = start * total // len(turn.text)
        high = max(low, (end * total - 1) // len(turn.text))
    first = min(bisect_right(edges, low), len(edges) - 1)
    last = min(bisect_right(edges, high), len(edges) - 1)
    return turn.words[first : last + 1]
