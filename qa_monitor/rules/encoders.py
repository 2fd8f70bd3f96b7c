"""Sentences as vectors, for `similar`. The default counts characters and pairs of characters and needs no model."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np

from qa_monitor.rules import fold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

_SIZE = 4096
_PAIR_WEIGHT = 2.0
# Characters that every sentence has say little about its meaning.
_LIGHT = frozenset("的了吗呢吧啊呀嘛是在我你他们这那就都也和把给一下个请嗯呃哦")
_LIGHT_WEIGHT = 0.3


class Encoder(Protocol):
    """`encode` gives one vector of length 1 a sentence (zero for a sentence without content); `name` names the model."""

    @property
    def name(self) -> str: ...

    def encode(self, texts: Sequence[str]) -> Vectors: ...


class CharacterEncoder:
    """Counts of characters and of neighbouring pairs, light words counted less; damped by the square root."""

    name = "字词相似度 1"

    def encode(self, texts: Sequence[str]) -> Vectors:
        found = np.zeros((len(texts), _SIZE), dtype=np.float32)
        for row, text in enumerate(texts):
            for feature, weight in _features(fold.key_text(text)):
                found[row, feature] += weight
        np.sqrt(found, out=found)
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        vectors: Vectors = np.divide(found, lengths, out=found, where=lengths > 0)
        return vectors


def _features(keys: str) -> list[tuple[int, float]]:
    single = [(ord(c) * 2_654_435_761 % _SIZE, _LIGHT_WEIGHT if c in _LIGHT else 1.0) for c in keys]
    pairs = [
        (
            (ord(a) * 31_337 + ord(b)) * 2_654_435_761 % _SIZE,
            _LIGHT_WEIGHT if a in _LIGHT and b in _LIGHT else _PAIR_WEIGHT,
        )
        for a, b in pairwise(keys)
    ]
    return single + pairs
