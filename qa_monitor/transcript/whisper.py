"""Whisper through CTranslate2: several packed windows in one batch, a wider search only where the first was unsure."""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa_monitor.settings import TranscriptSettings
from qa_monitor.transcript.engine import Heard, HeardWord

if TYPE_CHECKING:
    from qa_monitor.transcript.engine import Samples

RATE = 16_000
FRAMES_A_SECOND = 100
SECONDS_A_TOKEN = 0.02
BATCH = 4
MAX_TOKENS = 224
# Below this mean log-probability, or above this repetition, a window is searched again with a wider beam.
UNSURE_LOGPROB = -0.7
REPETITIVE = 2.2
WIDE_BEAM = 5


class WhisperEngine:
    """faster-whisper's model files, tokenizer and features, batched by us."""

    name = "faster-whisper"
    window_s = 30.0

    def __init__(self, folder: Path, settings: TranscriptSettings, device: str, prompt: str = "") -> None:
        import ctranslate2
        import tokenizers
        from faster_whisper.feature_extractor import FeatureExtractor
        from faster_whisper.tokenizer import Tokenizer

        threads = settings.threads or os.cpu_count() or 1
        self.model = settings.model
        self._whisper = ctranslate2.models.Whisper(
            str(folder), device=device, compute_type=settings.compute_type, intra_threads=threads
        )
        self._features = FeatureExtractor(feature_size=self._whisper.n_mels)
        backend = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer = Tokenizer(backend, True, task="transcribe", language=settings.language)
        self._beam = settings.beam_size
        self._prompt = self._prompt_tokens(prompt)

    def _prompt_tokens(self, prompt: str) -> list[int]:
        tokenizer = self._tokenizer
        before = [tokenizer.sot_prev, *tokenizer.encode(" " + prompt)] if prompt else []
        return [*before, *tokenizer.sot_sequence, tokenizer.no_timestamps]

    def recognise(self, windows: Sequence[Samples]) -> list[Heard]:
        """Batches of like length, so that short windows do not pay for long ones; results in the order given."""
        order = sorted(range(len(windows)), key=lambda index: len(windows[index]))
        heard: dict[int, Heard] = {}
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            for index, result in zip(chosen, self._batch([windows[index] for index in chosen]), strict=True):
                heard[index] = result
        return [heard[index] for index in range(len(windows))]

    def language_of(self, window: Samples) -> tuple[str, float]:
        encoded = self._encode([window])
        best = self._whisper.detect_language(encoded)[0][0]
        return best[0].strip("<|>"), float(best[1])

    def _batch(self, windows: Sequence[Samples]) -> list[Heard]:
        encoded = self._encode(windows)
        found = self._generate(encoded, len(windows), self._beam)
        unsure = [index for index, result in enumerate(found) if self._is_unsure(result)]
        if unsure and self._beam < WIDE_BEAM:
            again = self._encode([windows[index] for index in unsure])
            for index, result in zip(unsure, self._generate(again, len(unsure), WIDE_BEAM), strict=True):
                if result.scores[0] > found[index].scores[0] or self._repetition(found[index]) > REPETITIVE:
                    found[index] = result
        return self._with_words(encoded, windows, found)

    def _encode(self, windows: Sequence[Samples]) -> Any:
        import ctranslate2
        import numpy as np

        frames = int(self.window_s * FRAMES_A_SECOND)
        stacked = np.zeros((len(windows), self._whisper.n_mels, frames), dtype=np.float32)
        for row, window in zip(stacked, windows, strict=True):
            features = self._features(window)[:, :frames]
            row[:, : features.shape[1]] = features
        return self._whisper.encode(ctranslate2.StorageView.from_array(stacked), to_cpu=False)

    def _generate(self, encoded: Any, count: int, beam: int) -> list[Any]:
        found: list[Any] = self._whisper.generate(
            encoded,
            [self._prompt] * count,
            beam_size=beam,
            max_length=MAX_TOKENS * 2,
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=True,
            repetition_penalty=1.0,
        )
        return found

    def _is_unsure(self, result: Any) -> bool:
        return result.scores[0] < UNSURE_LOGPROB or self._repetition(result) > REPETITIVE

    def _repetition(self, result: Any) -> float:
        return compression_of(self._tokenizer.decode(result.sequences_ids[0]))

    def _with_words(self, encoded: Any, windows: Sequence[Samples], found: list[Any]) -> list[Heard]:
        """Times of the tokens by the decoder's cross-attention, joined into whole characters."""
        import numpy as np

        text_tokens = [[token for token in result.sequences_ids[0] if token < self._tokenizer.eot] for result in found]
        frames = [min(len(window) // 160, int(self.window_s * FRAMES_A_SECOND)) for window in windows]
        aligned = self._whisper.align(encoded, self._prompt[:-1], text_tokens, frames, median_filter_width=7)
        results = []
        for result, tokens, alignment in zip(found, text_tokens, aligned, strict=True):
            words, word_tokens = self._tokenizer.split_to_word_tokens([*tokens, self._tokenizer.eot])
            ends = np.cumsum([0, *(len(group) for group in word_tokens[:-1])])
            pairs = np.array(alignment.alignments) if alignment.alignments else np.zeros((0, 2), dtype=int)
            times = self._token_times(pairs, len(tokens))
            heard = [
                HeardWord(
                    text=word,
                    start_s=times[first],
                    end_s=max(times[last], times[first] + SECONDS_A_TOKEN),
                    probability=float(np.mean(alignment.text_token_probs[first:last])) if last > first else 0.0,
                )
                for word, first, last in zip(words[: len(ends) - 1], ends[:-1], ends[1:], strict=True)
            ]
            text = self._tokenizer.decode(tokens)
            confidence = float(np.exp(result.scores[0])) if tokens else 0.0
            results.append(Heard(text, tuple(heard), confidence, float(result.no_speech_prob), compression_of(text)))
        return results

    @staticmethod
    def _token_times(pairs: Any, tokens: int) -> list[float]:
        """Seconds at which each token begins, and (last) where the text ends."""
        times = [0.0] * (tokens + 1)
        seen = -1
        for token, frame in pairs:
            if token > seen and token <= tokens:
                times[int(token)] = float(frame) * SECONDS_A_TOKEN
                seen = int(token)
        for index in range(seen + 1, tokens + 1):
            times[index] = times[max(0, seen)]
        return times


def compression_of(text: str) -> float:
    """How many times smaller the text gets when compressed: above about 2 it repeats itself."""
    raw = text.encode("utf-8")
    return len(raw) / len(zlib.compress(raw)) if raw else 0.0
