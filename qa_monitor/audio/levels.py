"""Levels and the relation of two channels, summed up over a stream."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FLOOR_DB = -100.0
CLIPPED_AT = 0.985
FRAME = 400  # 25 ms at 16 kHz, for the noise floor
SAME_ABOVE = 0.985  # correlation over which two channels are one signal
SILENT_DBFS = -65.0


class Levels:
    """Mean square, clipping and a histogram of short-time levels of one channel."""

    def __init__(self) -> None:
        self._samples = 0
        self._square = 0.0
        self._clipped = 0
        self._histogram = [0] * 101  # one bin a decibel, 0 … −100 dBFS

    def feed(self, samples: NDArray[np.float32]) -> None:
        import numpy as np

        self._samples += len(samples)
        self._square += float(np.dot(samples, samples))
        self._clipped += int(np.count_nonzero(np.abs(samples) >= CLIPPED_AT))
        whole = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
        if len(whole):
            power = np.mean(np.square(whole), axis=1)
            levels = 10 * np.log10(np.maximum(power, 1e-10))
            bins = np.clip(-levels, 0, 100).astype(int)
            for index, count in zip(*np.unique(bins, return_counts=True), strict=True):
                self._histogram[int(index)] += int(count)

    @property
    def level_dbfs(self) -> float:
        if not self._samples or self._square <= 0:
            return FLOOR_DB
        return max(FLOOR_DB, 10 * math.log10(self._square / self._samples))

    @property
    def clipped_share(self) -> float:
        return self._clipped / self._samples if self._samples else 0.0

    @property
    def snr_db(self) -> float | None:
        """Loud frames (90th percentile) over quiet ones (10th); None for digital silence."""
        total = sum(self._histogram)
        if not total:
            return None
        quiet, loud = self._percentile(0.9 * total), self._percentile(0.1 * total)
        return None if quiet >= 100 and loud >= 100 else float(quiet - loud)

    def _percentile(self, count: float) -> int:
        """Decibels below full scale that `count` frames are louder than."""
        seen = 0
        for level, number in enumerate(self._histogram):
            seen += number
            if seen >= count:
                return level
        return 100


class Relation:
    """Correlation of two channels: +1 one signal twice, −1 one signal inverted."""

    def __init__(self) -> None:
        self._left = self._right = self._both = 0.0

    def feed(self, left: NDArray[Any], right: NDArray[Any]) -> None:
        import numpy as np

        self._left += float(np.dot(left, left))
        self._right += float(np.dot(right, right))
        self._both += float(np.dot(left, right))

    @property
    def correlation(self) -> float:
        power = math.sqrt(self._left * self._right)
        return self._both / power if power > 1e-12 else 0.0
