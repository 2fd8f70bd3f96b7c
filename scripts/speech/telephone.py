"""A telephone line: 8 kHz, 300–3400 Hz, light noise, μ-law."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 8_000


def over_telephone(samples: NDArray[np.float64], seed: int, snr_db: float = 30.0) -> NDArray[np.float64]:
    """samples : (time,) −1..1 at 16 kHz → (time/2,) at 8 kHz as the far end hears it."""
    from scipy.signal import butter, resample_poly, sosfilt

    line = sosfilt(butter(4, [300, 3400], "bandpass", fs=RATE, output="sos"), resample_poly(samples, 1, 2))
    level = np.sqrt(np.mean(line**2)) + 1e-9
    return np.asarray(line + np.random.default_rng(seed).standard_normal(len(line)) * level * 10 ** (-snr_db / 20))


def write_mu_law(path: Path, channels: list[NDArray[np.float64]]) -> None:
    import soundfile

    soundfile.write(path, np.stack(channels, axis=1).clip(-1, 1), RATE, subtype="ULAW")
