"""SenseVoice or Paraformer through sherpa-onnx: stronger on Mandarin than Whisper base, for who has such a model.

An option: the package is not installed with this one, and the model (`model.int8.onnx` or `model.onnx`, `tokens.txt`) is
a folder of the user's, named in `transcript.model`. It takes no hot words, knows no language but Chinese, and most
models tell no probabilities; domain words are then not put right, since nothing says where it was unsure.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa_monitor.errors import DeviceMissing, ModelCorrupt, ModelMissing, SettingsError
from qa_monitor.transcript.engine import RATE, Choose, Clip, Heard, HeardWord, Language, available_cores

if TYPE_CHECKING:
    from qa_monitor.settings import TranscriptSettings

MODEL_NAMES = ("model.int8.onnx", "model.onnx")
TOKENS_NAME = "tokens.txt"
LONGEST_TOKEN_S = 0.4
BEGINS_A_WORD = "▁"
CONTINUES = "@@"
WHERE = "transcript.engine"


class SherpaEngine:
    """A sherpa-onnx recogniser. See `Engine`."""

    name = "sherpa-onnx"
    window_s = whole_s = 14.4
    batch = 4
    hotword_limit = 0

    def __init__(self, recogniser: Any, model: str, language: str) -> None:
        self.model = model
        self._recogniser = recogniser
        self._language = language

    @classmethod
    def load(cls, settings: TranscriptSettings) -> SherpaEngine:
        """The model in the folder of the settings. Raises SettingsError without the package, ModelMissing without the
        model, ModelCorrupt when it cannot be loaded, DeviceMissing for a GPU."""
        try:
            import sherpa_onnx
        except ImportError as error:
            raise SettingsError(
                "没有安装 sherpa-onnx", where=WHERE, hint="请运行 pip install sherpa-onnx，或改用 faster-whisper"
            ) from error
        if settings.device != "cpu" and not settings.allow_cpu_fallback:
            raise DeviceMissing("sherpa-onnx 引擎只用 CPU", hint="请改用 --device cpu，或改用 faster-whisper")
        folder = Path(settings.model)
        model, tokens = _files(folder)
        options = {"tokens": str(tokens), "num_threads": settings.threads or available_cores()}
        try:
            if "paraformer" in folder.resolve().name.lower():
                made = sherpa_onnx.OfflineRecognizer.from_paraformer(paraformer=str(model), **options)
            else:
                made = sherpa_onnx.OfflineRecognizer.from_sense_voice(
                    model=str(model), language=settings.language, use_itn=True, **options
                )
        except (RuntimeError, ValueError) as error:
            raise ModelCorrupt(f"模型装载失败：{error}", where=str(folder), hint="请重新下载这个模型") from error
        return cls(made, str(folder), settings.language)

    def recognise(
        self,
        clips: Sequence[Clip],
        hotwords: str = "",
        *,
        choose: Choose | None = None,
        no_loops: bool = False,
        thorough: bool = False,
    ) -> list[Heard]:
        """Words of every clip, in the clips' order. Such models give one reading, and do not loop."""
        heard: list[Heard] = []
        for first in range(0, len(clips), self.batch):
            chosen = clips[first : first + self.batch]
            streams = [self._recogniser.create_stream() for _ in chosen]
            for stream, clip in zip(streams, chosen, strict=True):
                stream.accept_waveform(RATE, clip.samples)
            self._recogniser.decode_streams(streams)
            heard += [self._heard(stream.result, clip.seconds) for stream, clip in zip(streams, chosen, strict=True)]
        return heard

    def count_tokens(self, text: str) -> int:
        """Every text is longer than a limit of none."""
        return len(text)

    def _heard(self, result: Any, seconds: float) -> Heard:
        logs = [float(value) for value in getattr(result, "ys_log_probs", None) or ()]
        starts = [min(float(at_s), seconds) for at_s in result.timestamps]
        words: list[HeardWord] = []
        for i, (token, start_s) in enumerate(zip(result.tokens, starts, strict=True)):
            after_s = starts[i + 1] if i + 1 < len(starts) else seconds
            text = token.replace(BEGINS_A_WORD, " ").replace(CONTINUES, "")
            probability = math.exp(min(0.0, logs[i])) if i < len(logs) else 1.0
            words.append(HeardWord(text, start_s, min(after_s, start_s + LONGEST_TOKEN_S), probability))
        mean = sum(logs) / len(logs) if logs else 0.0
        return Heard(tuple(words), mean, 0.0, Language(self._language, 1.0))


def fingerprint(folder: Path) -> str:
    """A hash of the content of the model's files: what a transcript made with it depends on."""
    whole = hashlib.sha256()
    for path in _files(folder):
        with path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()


def _files(folder: Path) -> tuple[Path, Path]:
    """(model, tokens) in a folder. Raises ModelMissing naming what is not there."""
    tokens = folder / TOKENS_NAME
    models = [folder / name for name in MODEL_NAMES if (folder / name).is_file()]
    if not models or not tokens.is_file():
        lacking = TOKENS_NAME if models else " 或 ".join(MODEL_NAMES)
        raise ModelMissing(
            f"sherpa-onnx 模型目录里没有 {lacking}",
            where=str(folder),
            hint="请把 transcript.model 设为 SenseVoice 或 Paraformer 模型所在的目录",
        )
    return models[0], tokens
