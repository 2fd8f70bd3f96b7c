"""Which strings are ordinary words, and the words of a sentence: jieba's dictionary and segmentation.

A character that differs from a wording is taken as misheard only when it makes no word with its neighbours: 还有问题 is
not a misheard 没有问题.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

# Rarer entries are mostly names; they make words of almost any two characters.
_MIN_FREQUENCY = 20
_LONGEST = 4
# A character that is a common word by itself: 在, 到, 再, 是.
_COMMON_FREQUENCY = 3000


@lru_cache(maxsize=1)
def _tokenizer() -> Any:
    import logging

    import jieba

    jieba.setLogLevel(logging.WARNING)
    jieba.dt.initialize()
    return jieba.dt


def covered_by_word(text: str, at: int) -> bool:
    """Whether a dictionary word of two to four characters covers `text[at]`."""
    frequency = _tokenizer().FREQ
    for length in range(2, _LONGEST + 1):
        for start in range(max(0, at - length + 1), min(at, len(text) - length) + 1):
            if frequency.get(text[start : start + length], 0) >= _MIN_FREQUENCY:
                return True
    return False


def common_word(char: str) -> bool:
    """Whether a single character is a common word of its own, so that it was probably meant."""
    return bool(_tokenizer().FREQ.get(char, 0) >= _COMMON_FREQUENCY)


def cut_spans(text: str) -> list[tuple[int, int]]:
    """Start and end of each word of `text`."""
    return [(start, end) for _, start, end in _tokenizer().tokenize(text, HMM=False)]
