"""Pitch by YIN (de Cheveigné & Kawahara 2002) on numpy: compiling a library's version takes longer than a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SURE = 0.1  # a period at which so little of the power is left over is taken, though a longer one may fit better


def frames_of(samples: NDArray[np.float32], length: int, hop: int) -> NDArray[np.float32]:
    """(frames, length), the middles `hop` samples apart from 0 on; zeros beyond the ends."""
    import numpy as np

    padded = np.pad(samples, length // 2)
    return np.lib.stride_tricks.sliding_window_view(padded, length)[::hop]


def pitch_hz(frames: NDArray[np.float32], rate: int, lowest_hz: float, highest_hz: float) -> NDArray[np.float64]:
    """(frames,) fundamental frequency of each frame, whether it is voiced or not.

    frames : (frames, length) of at least two periods of `lowest_hz`.
    """
    import numpy as np

    shortest, longest = int(rate / highest_hz), min(int(np.ceil(rate / lowest_hz)), frames.shape[1] - 1)
    left_over = _difference(frames, longest)[:, shortest:]
    inner = left_over[:, 1:-1]
    trough = np.zeros(left_over.shape, dtype=bool)
    trough[:, 1:-1] = (inner < left_over[:, :-2]) & (inner <= left_over[:, 2:])
    trough[:, 0] = left_over[:, 0] < left_over[:, 1]
    sure = trough & (left_over < SURE)
    best = np.where(sure.any(axis=1), sure.argmax(axis=1), left_over.argmin(axis=1))
    return np.asarray(rate / (shortest + best + _off_centre(left_over, best)))


def _difference(frames: NDArray[np.float32], longest: int) -> NDArray[np.float64]:
    """(frames, longest + 1): power left over when a frame is taken from itself so many samples later, over its mean."""
    import numpy as np

    held = frames.astype(np.float64)
    size = 1 << (held.shape[1] + longest).bit_length()
    spectrum = np.fft.rfft(held, size)
    like = np.fft.irfft(np.abs(spectrum) ** 2, size)[:, : longest + 1]
    power = np.cumsum(held**2, axis=1)
    difference = np.zeros(like.shape)
    difference[:, 1:] = 2 * (like[:, :1] - like[:, 1:]) - power[:, :longest]
    mean = np.cumsum(difference[:, 1:], axis=1) / np.arange(1, longest + 1)
    difference[:, 1:] /= mean + np.finfo(np.float64).tiny
    return difference


def _off_centre(values: NDArray[np.float64], at: NDArray[np.int64]) -> NDArray[np.float64]:
    """How far the lowest point of a parabola through three neighbours lies from the middle one, −1..1."""
    import numpy as np

    rows, inside = np.arange(len(at)), np.clip(at, 1, values.shape[1] - 2)
    before, middle, after = (values[rows, inside + step] for step in (-1, 0, 1))
    bend, slope = before + after - 2 * middle, (after - before) / 2
    fits = (inside == at) & (np.abs(slope) < np.abs(bend))
    return np.where(fits, -slope / np.where(fits, bend, 1.0), 0.0)
