"""The other side heard through a channel is no voice of its own; a soft voice is (real voices from the samples)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from qa_monitor.audio.decoder import Decoder
from qa_monitor.recordings import identify, walk
from qa_monitor.records import AudioInfo
from qa_monitor.settings import AudioSettings, RecordingSettings

RATE = 16_000
SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "recordings"


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Decoder]:
    made = Decoder(AudioSettings(), tmp_path_factory.mktemp("spool"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def voices(decoder: Decoder) -> tuple[np.ndarray, np.ndarray]:
    """Four seconds of the agent, four of the customer."""
    (file,) = walk([SAMPLES / "0085_20261105_083014_C1005.wav"], RecordingSettings())
    with decoder.open(identify(file)) as audio:
        longest = [max(channel.voiced, key=lambda span: span.duration_s) for channel in audio.info.channels]
        return tuple(audio.read(position, span.start_s, span.start_s + 4) for position, span in enumerate(longest))  # type: ignore[return-value]


def described(decoder: Decoder, tmp_path: Path, left: np.ndarray, right: np.ndarray) -> AudioInfo:
    soundfile.write(tmp_path / "call.wav", np.column_stack([left, right]), RATE, subtype="FLOAT")
    (file,) = walk([tmp_path / "call.wav"], RecordingSettings())
    with decoder.open(identify(file)) as audio:
        return audio.info


def call(agent: np.ndarray, customer: np.ndarray, through_db: float, own_db: float = 0.0) -> tuple[np.ndarray, ...]:
    """Agent for 4 s, a pause, customer for 4 s; each channel lets the other through."""
    pause = np.zeros(RATE, dtype=np.float32)
    left = np.concatenate([pause, agent, pause, 0 * customer, pause])
    right = np.concatenate([pause, 0 * agent, pause, customer, pause]) * 10 ** (own_db / 20)
    through = 10 ** (through_db / 20)
    return left + through * right, right + through * left


def voiced_in(info: AudioInfo, position: int, start_s: float, end_s: float) -> float:
    spans = info.channels[position].voiced
    return sum(max(0.0, min(span.end_s, end_s) - max(span.start_s, start_s)) for span in spans)


def test_the_other_side_heard_through_is_not_voiced_and_is_told(decoder: Decoder, tmp_path: Path, voices) -> None:
    info = described(decoder, tmp_path, *call(*voices, through_db=-34))
    assert voiced_in(info, 1, 1, 5) < 0.3
    assert voiced_in(info, 0, 6, 10) < 0.3
    assert voiced_in(info, 0, 1, 5) > 2
    assert voiced_in(info, 1, 6, 10) > 2
    assert "heard_through" in [note.code for note in info.notes]


def test_a_soft_voice_of_its_own_stays(decoder: Decoder, tmp_path: Path, voices) -> None:
    clean = described(decoder, tmp_path, *call(*voices, through_db=-120))
    soft = described(decoder, tmp_path, *call(*voices, through_db=-120, own_db=-24))
    assert voiced_in(soft, 1, 6, 10) == pytest.approx(voiced_in(clean, 1, 6, 10), abs=0.5)
    assert soft.notes == clean.notes == ()


def test_who_speaks_into_the_other_s_words_stays(decoder: Decoder, tmp_path: Path, voices) -> None:
    agent, customer = voices
    info = described(decoder, tmp_path, agent, 0.3 * customer)
    assert voiced_in(info, 0, 0, 4) > 2
    assert voiced_in(info, 1, 0, 4) > 2
