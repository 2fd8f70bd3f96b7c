"""The real speech model: nothing invented where nobody speaks, a sample call heard well, the same twice."""

from __future__ import annotations

import json
import wave
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from qa_monitor.audio.decoder import Decoder
from qa_monitor.dialogue.build import build_dialogue
from qa_monitor.errors import NoSound
from qa_monitor.models import ModelRegistry
from qa_monitor.recordings import identify, walk
from qa_monitor.records import CallFacts, Dialogue, Transcript
from qa_monitor.settings import RecordingSettings, Settings
from qa_monitor.transcript.engine import Clip, Engine, Heard, Reading, load_engine
from qa_monitor.transcript.transcribe import transcribe

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
SETTINGS = Settings()
RATE = 8_000
MINUTE = 60.0

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("speech_model")]


@pytest.fixture(scope="module")
def engine() -> Engine:
    return load_engine(SETTINGS.transcript, ModelRegistry())


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Decoder]:
    made = Decoder(SETTINGS.audio, tmp_path_factory.mktemp("spool"))
    yield made
    made.close()


def hear(path: Path, decoder: Decoder, engine: Engine) -> tuple[Transcript, Dialogue]:
    (file,) = walk([path], RecordingSettings())
    with decoder.open(identify(file)) as audio:
        text = transcribe(audio, engine, SETTINGS.transcript, SETTINGS.rules_dir)
        return text, build_dialogue(text, audio, CallFacts(), SETTINGS.dialogue)


def spoken(texts: Iterable[str]) -> str:
    """Letters only: numbers may be written either way."""
    return "".join(c for text in texts for c in text if c.isalpha() and c not in "零幺一二两三四五六七八九十百千万")


def times(seconds: float = MINUTE) -> np.ndarray:
    return np.arange(int(seconds * RATE)) / RATE


def ring_back() -> np.ndarray:
    """450 Hz, one second on, four off: what a caller hears in China while it rings."""
    return 0.2 * np.sin(2 * np.pi * 450 * times()) * (times() % 5 < 1)


def white_noise() -> np.ndarray:
    return 0.05 * np.random.default_rng(0).standard_normal(len(times()))


def hold_music() -> np.ndarray:
    """A slow melody with overtones and chords, like the tunes that callers wait to."""
    scale = 261.6 * 2 ** (np.array([0, 4, 7, 12, 7, 4, 2, 5, 9, 14, 9, 5]) / 12)
    pitch = scale[(times() * 2).astype(int) % len(scale)]
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    beat = np.exp(-3 * (times() * 2 % 1))
    return 0.15 * beat * sum(np.sin(k * phase) / k for k in (1, 2, 3)) + 0.05 * np.sin(2 * np.pi * 130.8 * times())


def hum() -> np.ndarray:
    """A line with nobody on it: 50 Hz and its overtones, faint noise."""
    quiet = 0.003 * np.random.default_rng(1).standard_normal(len(times()))
    return quiet + 0.01 * sum(np.sin(2 * np.pi * 50 * k * times()) / k for k in (1, 3, 5))


@pytest.mark.parametrize("sound", [ring_back, white_noise, hold_music, hum])
def test_nothing_is_scored_where_nobody_speaks(sound, tmp_path: Path, decoder: Decoder, engine: Engine) -> None:
    path = tmp_path / "nobody.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(sound(), -1, 1) * 32767).astype("<i2").tobytes())
    try:
        _, dialogue = hear(path, decoder, engine)
    except NoSound:
        return
    scored = [turn.text for turn in dialogue.turns if not turn.suspect and turn.role in ("agent", "customer")]
    assert scored == []


def test_a_sample_call_is_heard_well_and_the_same_twice(decoder: Decoder, engine: Engine) -> None:
    from rapidfuzz.distance import Levenshtein

    told = json.loads((SAMPLES / "reference" / "C1003.json").read_text(encoding="utf-8"))
    path = SAMPLES / "recordings" / told["file"]
    text, dialogue = hear(path, decoder, engine)
    for role in ("agent", "customer"):
        truth = spoken(turn["text"] for turn in told["turns"] if turn["role"] == role)
        found = spoken(turn.text for turn in dialogue.turns if turn.role == role)
        assert Levenshtein.distance(truth, found) < 0.2 * len(truth)
    for utterance in text.utterances:
        assert "".join(word.text for word in utterance.words) == utterance.raw_text
        assert len(utterance.offsets) == len(utterance.text)
        assert all(word.start_s <= word.end_s for word in utterance.words)
    again, _ = hear(path, decoder, engine)
    assert again == text


def test_a_short_recording_is_chosen_from_several_hearings_on_one_clock(decoder: Decoder, engine: Engine) -> None:
    (file,) = walk([SAMPLES / "recordings" / "0085_20261103_102947_C1002.wav"], RecordingSettings())
    with decoder.open(identify(file)) as audio:
        span = audio.info.channels[0].voiced[0]
        clip = Clip(audio.read(0, max(0.0, span.start_s - 0.5), span.end_s))
    readings: list[int] = []

    def heard(place: int) -> Heard:
        def choose(groups: Sequence[Sequence[Reading]]) -> list[int]:
            readings.append(len(groups[0]))
            return [place]

        (one,) = engine.recognise([clip], choose=choose, thorough=True)
        return one

    first, last = heard(0), heard(-1)
    assert readings == [15, 15]  # three hearings, beam 5
    assert first.words[0].start_s == pytest.approx(last.words[0].start_s, abs=0.15)
    assert all(word.end_s <= clip.seconds + 0.1 for word in (*first.words, *last.words))
