"""Pitch: known tones are found, and real-like voices as the reference library finds them."""

from __future__ import annotations

import numpy as np
import pytest

from qa_monitor.dialogue.pitch import frames_of, pitch_hz

RATE, FRAME, HOP = 8_000, 512, 256


def voice(hertz: np.ndarray) -> np.ndarray:
    """A buzz with falling overtones at the given pitch (a value a sample) and a little noise."""
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    buzz = sum(np.sin(k * phase) / k for k in range(1, 9))
    return (0.1 * buzz + 0.002 * np.random.default_rng(0).standard_normal(len(hertz))).astype(np.float32)


@pytest.mark.parametrize("hertz", [80.0, 117.3, 220.0, 341.0])
def test_a_steady_voice_has_its_pitch(hertz: float) -> None:
    found = pitch_hz(frames_of(voice(np.full(RATE, hertz)), FRAME, HOP)[2:-2], RATE, 70, 420)
    assert found == pytest.approx(hertz, rel=0.01)


def test_it_is_the_pitch_that_librosa_finds() -> None:
    librosa = pytest.importorskip("librosa")
    samples = voice(180 + 60 * np.sin(np.arange(3 * RATE) / RATE * 4))
    samples[RATE : RATE + 2000] = 0.01 * np.random.default_rng(1).standard_normal(2000)
    expected = librosa.yin(samples, fmin=70, fmax=420, sr=RATE, frame_length=FRAME, hop_length=HOP)
    found = pitch_hz(frames_of(samples, FRAME, HOP), RATE, 70, 420)
    assert len(found) == len(expected)
    assert np.mean(np.abs(12 * np.log2(found / expected)) < 0.1) > 0.98


def test_silence_gives_a_number_and_no_warning() -> None:
    assert np.isfinite(pitch_hz(frames_of(np.zeros(RATE, dtype=np.float32), FRAME, HOP), RATE, 70, 420)).all()
