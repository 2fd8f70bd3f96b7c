"""Which strings are ordinary words (jieba's dictionary), and the words of a sentence.

A character that differs from a wording is taken as misheard only when it makes no word with its neighbours: 还有问题 is
not a misheard 没有问题.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from qa_monitor.transcript.words import cut

# Rarer entries are mostly names; they make words of almost any two characters.
_MIN_FREQUENCY = 20
_LONGEST = 4
# A character that is a common word by itself: 在, 到, 再, 是.
_COMMON_FREQUENCY = 3000


@lru_cache(maxsize=1)
def _words() -> tuple[frozenset[str], frozenset[str]]:
    """Words of two to four characters, and characters that are common words. Read without jieba's own index: smaller."""
    longer, single = set(), set()
    with files("jieba").joinpath("dict.txt").open(encoding="utf-8") as lines:
        for line in lines:
            word, frequency, *_ = line.split(" ")
            if len(word) == 1 and int(frequency) >= _COMMON_FREQUENCY:
                single.add(word)
            elif 1 < len(word) <= _LONGEST and int(frequency) >= _MIN_FREQUENCY:
                longer.add(word)
    return frozenset(longer), frozenset(single)


@lru_cache(maxsize=20_000)
def covered_by_word(text: str, at: int) -> bool:
    """Whether a dictionary word of two to four characters covers `text[at]`."""
    words, _ = _words()
    for length in range(2, _LONGEST + 1):
        for start in range(max(0, at - length + 1), min(at, len(text) - length) + 1):
            if text[start : start + length] in words:
                return True
    return False


def common_word(char: str) -> bool:
    """Whether a single character is a common word of its own, so that it was probably meant."""
    return char in _words()[1]


def cut_spans(text: str) -> list[tuple[int, int]]:
    """Start and end of each word of `text`."""
    return [(token.start, token.end) for token in cut(text)]
