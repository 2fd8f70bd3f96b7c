"""Whisper through CTranslate2, window by window.

Five things make it quick without costing accuracy. Batches run side by side, one core each, on one copy of the model.
The encoder is given as many frames as the batch needs and not always 30 s. The shortest of the likely texts wins: a
mean over tokens favours those that say everything once more. Text that begins anew all the same is cut, not decoded
again; only improbable windows are, with a wide beam. Word times come from one alignment pass over the text.

Timestamp tokens are decoded all the same, and nothing is said before a window: without them, or after a prompt, the
decoder ends at the first change of voice (112 characters of 1,800 lost on spliced calls, 24 to 38 with them).
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa_monitor.errors import DeviceMissing, ModelCorrupt
from qa_monitor.transcript.engine import Heard, HeardWord, Language, available_cores
from qa_monitor.transcript.guard import is_poor

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from qa_monitor.models import ModelRegistry
    from qa_monitor.settings import TranscriptSettings
    from qa_monitor.transcript.engine import Samples

RATE = 16_000
FRAMES_PER_S = 100
ALIGNED_PER_S = 50
WINDOW_S = 14.4
TAIL_S = 0.6  # silence after the last word: without it the decoder does not find the end and repeats itself
MIN_FRAMES = 1000  # shorter encoder input makes the decoder repeat itself
BATCH = 6  # the same on every machine: what a window is batched with changes its padding, and so its text
FIRST_BEAM = 3  # a wider one is for windows that turn out poor
NO_REPEAT = 10  # tokens that must not come twice in a second decoding: people repeat themselves, but not so long
BEGUN_ANEW = 8  # tokens of text that come again: what follows them was written before
PROMPT_TOKENS = 223  # what the decoder's 448 positions leave for a prompt
TOKENS_PER_S = 14  # no one speaks faster; a loop is cut here
SPARE_TOKENS = 36  # timestamps among them


@dataclass(frozen=True, slots=True)
class _Decoded:
    tokens: list[int]
    log_probability: float
    no_speech: float


class WhisperEngine:
    """A CTranslate2 Whisper model. See `Engine`."""

    name = "faster-whisper"
    window_s = WINDOW_S
    batch = BATCH

    def __init__(
        self, folder: Path, model: str, *, language: str, beam_size: int, device: str, compute_type: str, threads: int
    ) -> None:
        import ctranslate2
        from faster_whisper.feature_extractor import FeatureExtractor
        from faster_whisper.tokenizer import Tokenizer
        from tokenizers import Tokenizer as TokenizerFile

        self.model = model
        self._beam_size = beam_size
        self._storage = ctranslate2.StorageView
        try:
            self._whisper = ctranslate2.models.Whisper(
                str(folder), device=device, compute_type=compute_type, intra_threads=1, inter_threads=threads
            )
            self._tokenizer = Tokenizer(
                TokenizerFile.from_file(str(folder / "tokenizer.json")),
                self._whisper.is_multilingual,
                task="transcribe",
                language=language,
            )
        except (RuntimeError, ValueError) as error:
            raise ModelCorrupt(
                f"模型装载失败：{error}", where=str(folder), hint=f"请运行 qa-monitor models pull {model}"
            ) from error
        self._lanes = ThreadPoolExecutor(threads, thread_name_prefix="whisper")
        self.hotword_limit = PROMPT_TOKENS
        self._features = FeatureExtractor(feature_size=self._whisper.n_mels)

    @classmethod
    def load(cls, settings: TranscriptSettings, registry: ModelRegistry) -> WhisperEngine:
        """The model of the settings on the device of the settings."""
        folder = registry.path(settings.model)
        device, compute_type = _device(settings)
        return cls(
            folder,
            settings.model,
            language=settings.language,
            beam_size=settings.beam_size,
            device=device,
            compute_type=compute_type,
            threads=settings.threads or available_cores(),
        )

    def recognise(self, windows: Sequence[Samples], hotwords: str = "", *, no_loops: bool = False) -> list[Heard]:
        """Words of every window, in the windows' order."""
        order = sorted(range(len(windows)), key=lambda i: (-len(windows[i]), i))  # like lengths waste least padding
        count = max(min(2, len(order)), -(-len(order) // self.batch))  # even ones, so that no core waits for another
        borders = [len(order) * place // max(1, count) for place in range(count + 1)]
        batches = [order[first:last] for first, last in pairwise(borders)]
        results = self._lanes.map(lambda chosen: self._batch([windows[i] for i in chosen], hotwords, no_loops), batches)
        heard = {
            i: result
            for chosen, batch in zip(batches, results, strict=True)
            for i, result in zip(chosen, batch, strict=True)
        }
        return [heard[i] for i in range(len(windows))]

    def count_tokens(self, text: str) -> int:
        """Tokens of a prompt's text."""
        return len(self._tokenizer.encode(" " + text.strip()))

    def _batch(self, windows: list[Samples], hotwords: str, no_loops: bool) -> list[Heard]:
        encoded = self._encode(windows)
        seconds = [len(window) / RATE for window in windows]
        beam_size = min(FIRST_BEAM, self._beam_size)
        decoded = self._decode(encoded, max(seconds), hotwords, beam_size)
        attempts = [1] * len(windows)
        poor = [i for i, one in enumerate(decoded) if self._is_poor(one, seconds[i])]
        for i in poor if beam_size < self._beam_size or no_loops else ():  # one by one: a wide beam takes much memory
            anew = self._encode([windows[i]])
            (again,) = self._decode(anew, seconds[i], "", self._beam_size, NO_REPEAT if no_loops else 0)
            attempts[i] = 2
            if self._better(again, decoded[i], seconds[i]):
                decoded[i] = again
        aligned = self._align(encoded, decoded, seconds)
        language = self._language(encoded)
        return [
            Heard(words, one.log_probability, one.no_speech, language, tries)
            for words, one, tries in zip(aligned, decoded, attempts, strict=True)
        ]

    def _encode(self, windows: list[Samples]) -> Any:
        """One after the other: side by side their attention does not fit the cache, which costs a third more."""
        import numpy as np

        features = [self._features(np.pad(window, (0, int(TAIL_S * RATE))), padding=0) for window in windows]
        frames = max(MIN_FRAMES, *(one.shape[1] for one in features))
        frames += frames % 2  # the encoder halves them
        encoded = []
        for one in features:
            row = np.zeros((1, self._whisper.n_mels, frames), dtype=np.float32)
            row[0, :, : one.shape[1]] = one
            encoded.append(np.asarray(self._whisper.encode(self._storage.from_array(row), to_cpu=True)))
        return self._storage.from_array(np.concatenate(encoded))

    def _language(self, encoded: Any) -> Language:
        """The language of a batch's longest window, which stands for all: each costs a tenth of its transcript."""
        import numpy as np

        first = self._storage.from_array(np.asarray(encoded)[:1].copy())
        return _language(self._whisper.detect_language(first)[0])

    def _decode(
        self, encoded: Any, longest_s: float, hotwords: str, beam_size: int, no_repeat: int = 0
    ) -> list[_Decoded]:
        prompt = self._prompt(hotwords)
        results = self._whisper.generate(
            encoded,
            [prompt] * encoded.shape[0],
            beam_size=beam_size,
            length_penalty=0,
            no_repeat_ngram_size=no_repeat,
            max_length=min(448, len(prompt) + int(longest_s * TOKENS_PER_S) + SPARE_TOKENS),
            return_scores=True,
            return_no_speech_prob=True,
        )
        return [self._decoded(result) for result in results]

    def _prompt(self, hotwords: str) -> list[int]:
        said = hotwords.strip()
        words = [self._tokenizer.sot_prev, *self._tokenizer.encode(" " + said)[:PROMPT_TOKENS]] if said else []
        return [*words, *self._tokenizer.sot_sequence]

    def _decoded(self, result: Any) -> _Decoded:
        tokens = list(result.sequences_ids[0])
        mean = result.scores[0] / (len(tokens) + 1)  # the end token counts, as in Whisper's own threshold
        return _Decoded(once(tokens, self._tokenizer.eot), float(mean), float(result.no_speech_prob))

    def _is_poor(self, one: _Decoded, seconds: float) -> bool:
        return is_poor(self._tokenizer.decode(one.tokens), one.log_probability, seconds)

    def _better(self, new: _Decoded, old: _Decoded, seconds: float) -> bool:
        """Sound text beats poor text; between equals the likelier wins."""
        rank_new, rank_old = (not self._is_poor(one, seconds) for one in (new, old))
        return (rank_new, new.log_probability) > (rank_old, old.log_probability)

    def _align(self, encoded: Any, decoded: list[_Decoded], seconds: list[float]) -> list[tuple[HeardWord, ...]]:
        texts = [[token for token in one.tokens if token < self._tokenizer.eot] for one in decoded]
        frames = [int((one + TAIL_S) * FRAMES_PER_S) for one in seconds]
        results = self._whisper.align(encoded, self._tokenizer.sot_sequence, texts, frames)
        return [
            self._words(text, result, longest) for text, result, longest in zip(texts, results, seconds, strict=True)
        ]

    def _words(self, tokens: list[int], aligned: Any, longest_s: float) -> tuple[HeardWord, ...]:
        import numpy as np

        if not tokens:
            return ()
        texts, groups = self._tokenizer.split_to_word_tokens([*tokens, self._tokenizer.eot])
        path: NDArray[np.int64] = np.array(aligned.alignments)
        starts = np.pad(np.diff(path[:, 0]), (1, 0), constant_values=1).astype(bool)
        times = path[starts, 1] / ALIGNED_PER_S
        borders = np.pad(np.cumsum([len(group) for group in groups[:-1]]), (1, 0))
        words: list[HeardWord] = []
        for i, text in enumerate(texts[:-1]):  # the last is the end-of-text token
            first, last = int(borders[i]), int(borders[i + 1])
            probability = float(np.mean(aligned.text_token_probs[first:last]))
            start_s, end_s = (min(float(times[k]), longest_s) for k in (first, last))
            if words and not any(char.isalnum() for char in text):
                before = words[-1]  # punctuation has no sound of its own
                words[-1] = HeardWord(before.text + text, before.start_s, before.end_s, before.probability)
            else:
                words.append(HeardWord(text, start_s, max(start_s, end_s), probability))
        return tuple(words)


def once(tokens: list[int], end: int) -> list[int]:
    """Tokens up to where the text begins anew. Those from `end` on are no text but timestamps."""
    text = [(place, token) for place, token in enumerate(tokens) if token < end]
    seen: set[tuple[int, ...]] = set()
    for i in range(len(text) - BEGUN_ANEW + 1):
        phrase = tuple(token for _, token in text[i : i + BEGUN_ANEW])
        if phrase in seen:
            return tokens[: text[i][0]]
        seen.add(phrase)
    return tokens


def _language(ranked: list[tuple[str, float]]) -> Language:
    token, probability = ranked[0]
    return Language(token.strip("<|>"), probability)


def _device(settings: TranscriptSettings) -> tuple[str, str]:
    """Device and compute type. Raises DeviceMissing when a GPU is asked for, not there, and the CPU not allowed."""
    import ctranslate2

    if settings.device == "cpu":
        return "cpu", settings.compute_type
    if ctranslate2.get_cuda_device_count() > 0:
        return "cuda", "int8_float16" if settings.compute_type == "int8" else settings.compute_type
    if settings.allow_cpu_fallback:
        return "cpu", "int8"
    raise DeviceMissing(
        "设置要求 GPU（transcript.device = cuda），但没有找到可用的 CUDA 设备",
        hint="请检查驱动，或改用 --device cpu，或设置 transcript.allow_cpu_fallback = true",
    )
