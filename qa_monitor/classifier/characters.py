"""A ridge regression on single characters and pairs, for the one figure that the network alone tells no better than it.

    characters.npz   weights, rarity (SLOTS) float16, mean: hashed sequences, so the file holds no text

The two err in different places: their mean is better than either. Only `written` has the file.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qa_monitor.errors import ModelCorrupt

FILE = "characters.npz"
SLOTS = 2**15
LONGEST = 2


def slots(text: str) -> dict[int, float]:
    """Slot → 1 + log of how often its sequences stand in `text`."""
    counts = Counter(
        zlib.crc32(text[start : start + length].encode()) % SLOTS
        for length in range(1, LONGEST + 1)
        for start in range(len(text) - length + 1)
    )
    return {slot: 1 + math.log(count) for slot, count in counts.items()}


@dataclass(frozen=True, slots=True)
class CharacterRidge:
    """`rarity` (SLOTS) weighs sequences by how few texts hold them; `weights` (SLOTS) is of rows of length 1."""

    weights: NDArray[np.float32]
    rarity: NDArray[np.float32]
    mean: float

    def predict(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """(texts) values on the scale that was learnt; the mean of what was learnt for a text that holds nothing known."""
        return np.array([self._one(slots(text)) for text in texts])

    def _one(self, found: dict[int, float]) -> float:
        places = np.fromiter(found, dtype=np.int64, count=len(found))
        row = np.fromiter(found.values(), dtype=np.float64, count=len(found)) * self.rarity[places]
        length = float(np.linalg.norm(row))
        return self.mean + float(row @ self.weights[places]) / length if length else self.mean

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(
            folder / FILE,
            weights=self.weights.astype(np.float16),
            rarity=self.rarity.astype(np.float16),
            mean=np.float64(self.mean),
        )


def read_characters(folder: Path) -> CharacterRidge | None:
    """The regression in a model's folder; None where there is none. Raises ModelCorrupt."""
    file = folder / FILE
    if not file.is_file():
        return None
    try:
        with file.open("rb") as stream, np.load(stream) as stored:
            weights, rarity = (stored[name].astype(np.float32) for name in ("weights", "rarity"))
            if weights.shape != (SLOTS,) or rarity.shape != (SLOTS,):
                raise ValueError
            return CharacterRidge(weights, rarity, float(stored["mean"]))
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise ModelCorrupt(f"{FILE} 读不懂", where=str(file), hint="请重新安装 qa_monitor，或重新训练") from error
