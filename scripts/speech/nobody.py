"""What a telephone line carries when nobody speaks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE = 8_000
TUNE = (0, 4, 7, 12, 7, 4, 2, 5, 9, 14, 9, 5)  # semitones over middle C, two a second


def silence(seconds: float) -> NDArray[np.float64]:
    """An open line: all but nothing."""
    return 0.0003 * np.random.default_rng(2).standard_normal(len(_times(seconds)))


def ring_back(seconds: float) -> NDArray[np.float64]:
    """450 Hz, one second on, four off: what a caller hears in China while it rings."""
    times = _times(seconds)
    return 0.2 * np.sin(2 * np.pi * 450 * times) * (times % 5 < 1)


def music(seconds: float) -> NDArray[np.float64]:
    """A slow melody with overtones over a steady bass, like the tunes that callers wait to."""
    times = _times(seconds)
    pitch = 261.6 * 2 ** (np.array(TUNE) / 12)[(times * 2).astype(int) % len(TUNE)]
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    melody = np.exp(-3 * (times * 2 % 1)) * sum(np.sin(k * phase) / k for k in (1, 2, 3))
    return 0.15 * melody + 0.05 * np.sin(2 * np.pi * 130.8 * times)


def white_noise(seconds: float) -> NDArray[np.float64]:
    return 0.05 * np.random.default_rng(0).standard_normal(len(_times(seconds)))


def _times(seconds: float) -> NDArray[np.float64]:
    return np.arange(int(seconds * RATE)) / RATE


SOUNDS = {"silence": silence, "ring_back": ring_back, "music": music, "white_noise": white_noise}
