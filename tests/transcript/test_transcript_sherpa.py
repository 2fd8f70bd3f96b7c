"""The optional engine: refused clearly without its package or model; its tokens become words with times."""

from __future__ import annotations

import builtins
import math
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from qa_monitor.errors import DeviceMissing, ModelMissing, SettingsError
from qa_monitor.models import ModelRegistry
from qa_monitor.settings import TranscriptSettings
from qa_monitor.transcript.engine import Clip, load_engine
from qa_monitor.transcript.transcribe import stage_settings


def settings(folder: Path, device: str = "cpu") -> TranscriptSettings:
    return TranscriptSettings(engine="sherpa-onnx", model=str(folder), device=device)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "sense-voice"
    place.mkdir()
    (place / "model.int8.onnx").write_bytes(b"stand-in")
    (place / "tokens.txt").write_text("<blk> 0\n", encoding="utf-8")
    return place


class Stream:
    result = SimpleNamespace(tokens=["您", "好", "▁OK"], timestamps=[0.1, 0.3, 1.6], ys_log_probs=[-0.1, -0.7, 0.0])

    def accept_waveform(self, rate: int, samples: np.ndarray) -> None:
        assert (rate, samples.dtype) == (16_000, np.float32)


class Recogniser:
    made: str

    @classmethod
    def from_sense_voice(cls, **_: object) -> Recogniser:
        cls.made = "sense_voice"
        return cls()

    @classmethod
    def from_paraformer(cls, **_: object) -> Recogniser:
        cls.made = "paraformer"
        return cls()

    def create_stream(self) -> Stream:
        return Stream()

    def decode_streams(self, streams: list[Stream]) -> None:
        assert 0 < len(streams) <= 4


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("sherpa_onnx")
    module.OfflineRecognizer = Recogniser  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sherpa_onnx", module)


def test_without_its_package_it_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: object, **more: object) -> object:
        if name == "sherpa_onnx":
            raise ImportError(name)
        return real(name, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(SettingsError, match="没有安装 sherpa-onnx"):
        load_engine(settings(folder), ModelRegistry())


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize("name", ["model.int8.onnx", "tokens.txt"])
def test_without_its_model_it_says_which_file_is_missing(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelMissing, match=name):
        load_engine(settings(folder), ModelRegistry())


@pytest.mark.usefixtures("package")
def test_a_gpu_is_refused(folder: Path) -> None:
    with pytest.raises(DeviceMissing):
        load_engine(settings(folder, "cuda"), ModelRegistry())


@pytest.mark.usefixtures("package")
def test_tokens_become_words_with_times_and_probabilities(folder: Path) -> None:
    engine = load_engine(settings(folder), ModelRegistry())
    heard = engine.recognise([Clip(np.zeros(2 * 16_000, dtype=np.float32))] * 6)
    assert Recogniser.made == "sense_voice"
    assert len(heard) == 6
    assert heard[0].text == "您好 OK"
    assert [(word.start_s, word.end_s) for word in heard[0].words] == [(0.1, 0.3), (0.3, 0.7), (1.6, 2.0)]
    assert heard[0].words[1].probability == pytest.approx(math.exp(-0.7))


@pytest.mark.usefixtures("package")
def test_a_paraformer_is_known_by_its_folder(folder: Path) -> None:
    renamed = folder.rename(folder.with_name("paraformer-zh"))
    load_engine(settings(renamed), ModelRegistry())
    assert Recogniser.made == "paraformer"


def test_another_model_is_another_fingerprint(folder: Path, tmp_path: Path) -> None:
    before = stage_settings(settings(folder), tmp_path, ModelRegistry())["model"]
    (folder / "model.int8.onnx").write_bytes(b"another")
    assert stage_settings(settings(folder), tmp_path, ModelRegistry())["model"] != before
