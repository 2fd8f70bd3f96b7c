"""Whisper through CTranslate2, window by window.

What makes it quick without costing accuracy:
- The decoder weighs only the tokens that Chinese is written with (`vocabulary`).
- Windows of all calls in progress are decoded together (`lanes`). Each is encoded alone, to 12.5 s at most, so
  that its text does not depend on what it is decoded with.
- The decoder is given a window's states only as far as it was spoken: every step reads all of them.
- The shortest of the likely texts wins: a mean over tokens favours those that say everything once more. Text that
  begins anew all the same is cut, not decoded again.
- Word times come from one alignment pass over the text.

Timestamp tokens are decoded all the same, and nothing is said before a window: without them, or after a prompt, the
decoder ends at the first change of voice (112 characters of 1,800 lost on spliced calls, 24 to 38 with them).
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa_monitor.errors import DeviceMissing, ModelCorrupt
from qa_monitor.transcript.engine import RATE, Choose, Clip, Heard, HeardWord, Language, Reading, available_cores
from qa_monitor.transcript.guard import is_poor
from qa_monitor.transcript.lanes import Lanes
from qa_monitor.transcript.vocabulary import FULL, LAYOUT, for_chinese

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from qa_monitor.models import ModelRegistry
    from qa_monitor.settings import TranscriptSettings
    from qa_monitor.transcript.engine import Samples

FRAMES_PER_S = 100
ALIGNED_PER_S = 50
WINDOW_S = 11.9
WHOLE_S = 28.5  # with LATER_S, TAIL_S and what a window may run over, under the 30 s that the model takes
LATER_S = (0.2, 0.4)  # a short recording is heard again so much later each time: the hearings err in different places
TAIL_S = 0.6  # silence after the last word: without it the decoder does not find the end and repeats itself
FRAMES = 1250  # the most encoder input of a window
HEARD_BY_S = 2.0  # the decoder is given a window's states up to a whole multiple of this: every step reads all of them
BEYOND_S = 1.0  # of silence that the encoder still hears after that; without it the decoder repeats itself
LONGEST = 3000  # what the model was trained with; a tenth fewer errors on short recordings, at six times the cost
BATCH = 8  # windows decoded together; more gain little and take 20 MB each
NO_REPEAT = 10  # tokens that must not come twice in a second decoding: people repeat themselves, but not so long
BEGUN_ANEW = 8  # tokens of text that come again: what follows them was written before
PROMPT_TOKENS = 223  # what the decoder's 448 positions leave for a prompt
TOKENS_PER_S = 9  # no one speaks faster; a loop is cut here
SPARE_TOKENS = 18  # timestamps among them
MOST_TOKENS = 224  # half of the decoder's positions: CTranslate2 writes half of the `max_length` that it is given
MANY = 10_000


@dataclass(frozen=True, slots=True)
class _Decoded:
    tokens: list[int]
    total: float  # log probability of all tokens
    log_probability: float  # mean
    no_speech: float


@dataclass(frozen=True, slots=True)
class _Hearing:
    """One of the times that a clip is heard."""

    of: int  # the clip's place
    later_s: float  # silence put before it
    clip: Clip


@dataclass(frozen=True, slots=True)
class _How:
    """How a window is decoded. Only windows of one `_How` are decoded together."""

    frames: int
    prompt_tokens: int  # prompts of one length only can share a batch
    beam_size: int
    no_repeat: int = 0


class WhisperEngine:
    """A CTranslate2 Whisper model. See `Engine`. Several threads may ask it at once; that is what fills its batches."""

    name = "faster-whisper"
    window_s = WINDOW_S
    whole_s = WHOLE_S

    def __init__(
        self,
        folder: Path,
        model: str,
        *,
        language: str,
        beam_size: int,
        device: str,
        compute_type: str,
        threads: int,
        copies: Path | None = None,
    ) -> None:
        import ctranslate2
        from faster_whisper.feature_extractor import FeatureExtractor
        from faster_whisper.tokenizer import Tokenizer
        from tokenizers import Tokenizer as TokenizerFile

        self.model = model
        self._beam_size = beam_size
        self._storage = ctranslate2.StorageView
        weights, self._vocabulary = for_chinese(folder, copies) if copies and language == "zh" else (folder, FULL)
        try:
            self._whisper = ctranslate2.models.Whisper(
                str(weights), device=device, compute_type=compute_type, intra_threads=1, inter_threads=threads
            )
            self._tokenizer = Tokenizer(
                TokenizerFile.from_file(str(folder / "tokenizer.json")),
                self._vocabulary is not FULL or self._whisper.is_multilingual,
                task="transcribe",
                language=language,
            )
        except (RuntimeError, ValueError) as error:
            if weights != folder:
                shutil.rmtree(weights, ignore_errors=True)  # made anew next time
            raise ModelCorrupt(
                f"模型装载失败：{error}", where=str(weights), hint=f"请运行 qa-monitor models pull {model}"
            ) from error
        self._lanes = Lanes(threads, self._decode, BATCH)
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
            copies=registry.cache_dir / "chinese" / f"{registry.fingerprint(settings.model)[:16]}-{LAYOUT}",
        )

    def recognise(
        self,
        clips: Sequence[Clip],
        hotwords: str = "",
        *,
        choose: Choose | None = None,
        no_loops: bool = False,
        thorough: bool = False,
    ) -> list[Heard]:
        """Words of every clip, in the clips' order."""
        if not clips:
            return []
        later_s = (0.0, *LATER_S) if thorough else (0.0,)
        hearings = [_Hearing(place, s, _later(clip, s)) for place, clip in enumerate(clips) for s in later_s]
        return self._hear(hearings, hotwords, choose, no_loops, LONGEST if thorough else FRAMES)

    def _hear(
        self, hearings: Sequence[_Hearing], hotwords: str, choose: Choose | None, no_loops: bool, frames: int
    ) -> list[Heard]:
        """The best of what the hearings of each clip give, in the clips' order."""
        prompt = self._prompt(hotwords)
        waiting = [self._lanes.single(partial(self._encoded, one.clip, frames)) for one in hearings]
        sounds = []
        first: list[Future[list[_Decoded]]] = []
        for sound in waiting:
            sounds.append(sound.result())
            how = _How(sounds[-1].shape[1], len(prompt), self._beam_size)
            first.append(self._lanes.join(how, (sounds[-1], prompt)))
        # The longest window stands for all: to ask for each costs a tenth of its transcript.
        longest = sounds[max(range(len(hearings)), key=lambda i: hearings[i].clip.seconds)]
        language = self._lanes.single(partial(self._language, longest), urgent=True)
        best = self._best(hearings, [one.result() for one in first], choose)
        later_s = [hearings[i].later_s for i, _ in best]
        seconds = [hearings[i].clip.seconds for i, _ in best]
        encoded, decoded = [sounds[i] for i, _ in best], [one for _, one in best]
        attempts = [1] * len(best)
        if prompt or no_loops:  # else it would only be the same once more
            attempts = self._decode_poor_again(encoded, decoded, seconds, NO_REPEAT if no_loops else 0)
        aligned = [
            self._lanes.single(partial(self._align, sound, one.tokens, length), urgent=True)
            for sound, one, length in zip(encoded, decoded, seconds, strict=True)
        ]
        return [
            Heard(_earlier(words.result(), s), one.log_probability, one.no_speech, language.result(), tries, sound)
            for words, one, s, tries, sound in zip(aligned, decoded, later_s, attempts, encoded, strict=True)
        ]

    def _best(
        self, hearings: Sequence[_Hearing], decoded: Sequence[list[_Decoded]], choose: Choose | None
    ) -> list[tuple[int, _Decoded]]:
        """For every clip the best of all readings of its hearings, and the place of the hearing."""
        groups: dict[int, list[tuple[int, _Decoded]]] = {}
        for i, (hearing, readings) in enumerate(zip(hearings, decoded, strict=True)):
            own = readings if choose else readings[:1]
            groups.setdefault(hearing.of, []).extend((i, one) for one in own)
        if choose is None:
            return [
                max(group, key=lambda pair: self._rank(pair[1], hearings[pair[0]].clip.seconds))
                for group in groups.values()
            ]
        places = choose([[Reading(self._text(one), one.total) for _, one in group] for group in groups.values()])
        return [group[place] for group, place in zip(groups.values(), places, strict=True)]

    def count_tokens(self, text: str) -> int:
        """Tokens of a prompt's text."""
        return len(self._tokenizer.encode(" " + text.strip()))

    def _decode_poor_again(
        self, encoded: list[Any], decoded: list[_Decoded], seconds: list[float], no_repeat: int
    ) -> list[int]:
        """Puts better texts into `decoded` where a wide beam finds them; the number of decodings of each window."""
        attempts = [1] * len(decoded)
        again = {
            i: self._lanes.join(_How(encoded[i].shape[1], 0, self._beam_size, no_repeat), (encoded[i], []))
            for i, one in enumerate(decoded)
            if self._is_poor(one, seconds[i])
        }
        for i, waiting in again.items():
            attempts[i] = 2
            (new, *_) = waiting.result()
            decoded[i] = max(decoded[i], new, key=lambda one: self._rank(one, seconds[i]))
        return attempts

    def _text(self, one: _Decoded) -> str:
        return str(self._tokenizer.decode(one.tokens))

    def _encoded(self, clip: Clip, least: int) -> Any:
        return self._encode(clip.samples, least) if clip.encoded is None else clip.encoded

    def _encode(self, window: Samples, least: int) -> Any:
        """(1, time, width) states of one window, 50 a second. Side by side, several do not fit the cache.

        What follows the window is cut off, but for whole 30 s, with which the decoder errs least.
        """
        import numpy as np

        features = self._features(np.pad(window, (0, int(TAIL_S * RATE))), padding=0)
        count = features.shape[1] + features.shape[1] % 2  # the encoder halves them
        heard_s = ceil((len(window) / RATE + TAIL_S) / HEARD_BY_S) * HEARD_BY_S
        if least != LONGEST:
            least = min(least, int((heard_s + BEYOND_S) * FRAMES_PER_S))
        frames = max(count, least)
        row = np.zeros((1, self._whisper.n_mels, frames), dtype=np.float32)
        row[0, :, : features.shape[1]] = features
        states = np.asarray(self._whisper.encode(self._storage.from_array(row), to_cpu=True))
        if least == LONGEST:
            return states
        return np.ascontiguousarray(states[:, : int(heard_s * ALIGNED_PER_S)])

    def _language(self, encoded: Any) -> Language:
        """What is spoken, by the first step of the decoder."""
        states = self._storage.from_array(encoded.copy())
        if self._vocabulary is FULL:
            return _language(self._whisper.detect_language(states)[0])
        return _language(self._ranked_languages(states))

    def _ranked_languages(self, states: Any) -> list[tuple[str, float]]:
        """As `detect_language` of the whole model gives them, which a model with fewer tokens refuses to do."""
        import numpy as np

        start = self._vocabulary.inward([self._tokenizer.sot])
        (result,) = self._whisper.generate(
            states,
            [start],
            beam_size=1,
            max_length=2,
            return_logits_vocab=True,
            suppress_blank=False,
            suppress_tokens=[],
            max_initial_timestamp_index=MANY,
        )
        logits = np.array(result.logits[0][0], dtype=np.float64)[list(self._vocabulary.languages)]
        shares = np.exp(logits - logits.max())
        shares /= shares.sum()
        ranked = sorted(zip(self._vocabulary.languages, shares, strict=True), key=lambda pair: -pair[1])
        names = self._vocabulary.outward([place for place, _ in ranked])
        return [
            (self._tokenizer.tokenizer.id_to_token(name), float(share))
            for name, (_, share) in zip(names, ranked, strict=True)
        ]

    def _decode(self, how: _How, parts: list[tuple[Any, list[int]]]) -> list[list[_Decoded]]:
        """The readings of every part, likeliest first."""
        import numpy as np

        prompts = [self._vocabulary.inward([*prompt, *self._tokenizer.sot_sequence]) for _, prompt in parts]
        longest_s = how.frames * 2 / FRAMES_PER_S
        results = self._whisper.generate(
            self._storage.from_array(np.concatenate([encoded for encoded, _ in parts])),
            prompts,
            beam_size=how.beam_size,
            num_hypotheses=how.beam_size,
            length_penalty=0,
            no_repeat_ngram_size=how.no_repeat,
            max_length=2 * min(MOST_TOKENS, int(longest_s * TOKENS_PER_S) + SPARE_TOKENS),
            return_scores=True,
            return_no_speech_prob=True,
        )
        return [self._decoded(result) for result in results]

    def _prompt(self, hotwords: str) -> list[int]:
        """What precedes a window's own tokens."""
        words = self._tokenizer.encode(" " + hotwords.strip())[:PROMPT_TOKENS] if hotwords.strip() else []
        return [self._tokenizer.sot_prev, *words] if words else []

    def _decoded(self, result: Any) -> list[_Decoded]:
        readings = []
        for ids, total in zip(result.sequences_ids, result.scores, strict=True):
            tokens = self._vocabulary.outward(ids)
            mean = total / (len(tokens) + 1)  # the end token counts, as in Whisper's own threshold
            readings.append(_Decoded(once(tokens, self._tokenizer.eot), total, mean, result.no_speech_prob))
        return readings

    def _is_poor(self, one: _Decoded, seconds: float) -> bool:
        return not self._rank(one, seconds)[0]

    def _rank(self, one: _Decoded, seconds: float) -> tuple[bool, float]:
        return _rank(self._text(one), one.log_probability, seconds)

    def _align(self, encoded: Any, tokens: list[int], seconds: float) -> tuple[HeardWord, ...]:
        """One window at a time: beside a longer text the times come out differently."""
        text = [token for token in tokens if token < self._tokenizer.eot]
        start, said = (self._vocabulary.inward(part) for part in (self._tokenizer.sot_sequence, text))
        frames = int((seconds + TAIL_S) * FRAMES_PER_S)
        (result,) = self._whisper.align(self._storage.from_array(encoded.copy()), start, [said], [frames])
        return self._words(text, result, seconds)

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


def _rank(text: str, log_probability: float, seconds: float) -> tuple[bool, float]:
    """Sound text beats poor text; between equals the likelier wins."""
    return not is_poor(text, log_probability, seconds), log_probability


def _later(clip: Clip, later_s: float) -> Clip:
    """A clip with silence before it."""
    import numpy as np

    return Clip(np.pad(clip.samples, (round(later_s * RATE), 0))) if later_s else clip


def _earlier(words: tuple[HeardWord, ...], later_s: float) -> tuple[HeardWord, ...]:
    """On the clock of the clip, not of a hearing so much later."""
    if not later_s:
        return words
    return tuple(
        replace(word, start_s=max(0.0, word.start_s - later_s), end_s=max(0.0, word.end_s - later_s)) for word in words
    )


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
