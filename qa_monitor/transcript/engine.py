"""What a speech recogniser must offer, and how the configured one is loaded.

An engine turns windows of sound into words with times and probabilities. It knows nothing of channels, calls or
guards; those are the same for every engine.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from qa_monitor.errors import SettingsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from qa_monitor.models import ModelRegistry
    from qa_monitor.settings import TranscriptSettings

    Samples = NDArray[np.float32]


RATE = 16_000


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A word in a window: text as the engine wrote it, seconds from the window's start, probability 0–1."""

    text: str
    start_s: float
    end_s: float
    probability: float


@dataclass(frozen=True, slots=True)
class Language:
    """The language an engine believes it hears: ISO 639-1 code and probability."""

    code: str
    probability: float


@dataclass(frozen=True, slots=True)
class Heard:
    """What the engine made of one window.

    `log_probability` is the mean over tokens (≤ 0); `no_speech` the engine's own probability that nobody speaks;
    `language` the language it believes it hears; `attempts` how many decodings it took (1 unless the first was poor);
    `encoded` what spares the engine half the work when it hears the window again.
    """

    words: tuple[HeardWord, ...]
    log_probability: float
    no_speech: float
    language: Language
    attempts: int = 1
    encoded: Any = field(default=None, repr=False, compare=False)

    @property
    def text(self) -> str:
        return "".join(word.text for word in self.words)


@dataclass(frozen=True, slots=True)
class Reading:
    """One of the texts that a window may be, with its log probability (of the whole text, ≤ 0)."""

    text: str
    log_probability: float


# The place of the best reading of every window.
Choose = Callable[[Sequence[Sequence[Reading]]], list[int]]


@dataclass(frozen=True, slots=True)
class Clip:
    """A window's sound (float32, −1..1, 16 000 Hz), and how the engine encoded it if it heard it before
    (`Heard.encoded`)."""

    samples: Samples
    encoded: Any = field(default=None, repr=False, compare=False)

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE


class Engine(Protocol):
    """A speech recogniser. Deterministic: the same clips and hot words give the same words."""

    name: str
    model: str
    window_s: float  # the longest window worth giving it, seconds
    whole_s: float  # recordings with no more speech are heard in one window, thoroughly
    hotword_limit: int  # how many tokens of hot words it takes

    def recognise(
        self,
        clips: Sequence[Clip],
        hotwords: str = "",
        *,
        choose: Choose | None = None,
        no_loops: bool = False,
        thorough: bool = False,
    ) -> list[Heard]:
        """Words of every clip, in the clips' order.

        `hotwords` are made likelier. `choose` tells which of the likeliest readings to keep, where an engine has
        several; without it the likeliest. With `no_loops` poor text is decoded again so that no long phrase comes twice.
        `thorough` spares no time; for recordings so short that it does not matter.
        """
        ...

    def count_tokens(self, text: str) -> int:
        """How much of the model's limit for hot words `text` takes."""
        ...


def available_cores() -> int:
    """Cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def load_engine(settings: TranscriptSettings, registry: ModelRegistry) -> Engine:
    """The engine named in the settings. Raises SettingsError, ModelMissing, ModelCorrupt or DeviceMissing."""
    if settings.engine == "faster-whisper":
        from qa_monitor.transcript.whisper import WhisperEngine

        return WhisperEngine.load(settings, registry)
    if settings.engine == "sherpa-onnx":
        from qa_monitor.transcript.sherpa import SherpaEngine

        return SherpaEngine.load(settings)
    raise SettingsError(
        f"没有名为 {settings.engine} 的识别引擎",
        where="transcript.engine",
        hint="可用的引擎：faster-whisper、sherpa-onnx",
    )
