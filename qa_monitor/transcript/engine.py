"""What the pipeline needs of a speech recogniser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from qa_monitor.errors import DeviceMissing, SettingsError
from qa_monitor.settings import TranscriptSettings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from qa_monitor.models import ModelRegistry

    Samples = NDArray[np.float32]


# Makes Whisper write simplified characters with punctuation; costs no accuracy (measured: 11.7 % with, 11.7 % without).
PROMPT = "以下是普通话的句子。"


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A word in a window: its text, seconds from the window's start, probability 0–1."""

    text: str
    start_s: float
    end_s: float
    probability: float


@dataclass(frozen=True, slots=True)
class Heard:
    """What an engine made of one window. `confidence` 0–1; `no_speech` probability that nobody spoke."""

    text: str
    words: tuple[HeardWord, ...]
    confidence: float
    no_speech: float
    compression: float  # characters a compressor saves: high means repetition


class Engine(Protocol):
    """A recogniser. Windows are float32 at 16 kHz, at most `window_s` long."""

    name: str
    model: str
    window_s: float

    def recognise(self, windows: Sequence[Samples]) -> list[Heard]:
        """One Heard a window, in order; the same windows always give the same words."""
        ...

    def language_of(self, window: Samples) -> tuple[str, float]:
        """The likeliest language and its probability."""
        ...


def load_engine(settings: TranscriptSettings, registry: ModelRegistry) -> Engine:
    """The engine named in the settings. Raises SettingsError, ModelMissing, ModelCorrupt or DeviceMissing."""
    if settings.engine != "faster-whisper":
        raise SettingsError(f"没有识别引擎 {settings.engine}", where="transcript.engine", hint="可用：faster-whisper")
    from qa_monitor.transcript.whisper import WhisperEngine

    device = usable_device(settings)
    return WhisperEngine(registry.path(settings.model), settings, device, PROMPT)


def usable_device(settings: TranscriptSettings) -> str:
    """`cuda` only where there is one; the CPU instead only when that is allowed."""
    if settings.device == "cpu":
        return "cpu"
    import ctranslate2

    if ctranslate2.get_cuda_device_count() > 0:
        return "cuda"
    if settings.allow_cpu_fallback:
        return "cpu"
    raise DeviceMissing(
        "没有可用的 GPU", hint="请去掉 --device cuda，或在配置中设 transcript.allow_cpu_fallback = true"
    )


def engine_settings(settings: TranscriptSettings, registry: ModelRegistry) -> dict[str, Any]:
    """What of the engine decides its words."""
    return {
        "engine": settings.engine,
        "model": registry.identity(settings.model),
        "compute": settings.compute_type,
        "beam": settings.beam_size,
        "language": settings.language,
        "prompt": PROMPT,
    }
