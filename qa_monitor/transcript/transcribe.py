"""A recording's sound in, its transcript out.

voiced spans → windows → engine → words on the recording's clock → guards → normalised utterances
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from qa_monitor.records import AudioInfo, Note, Transcript, Utterance
from qa_monitor.transcript import guard
from qa_monitor.transcript.hotwords import DOMAIN_WORDS_NAME, HotWords, fit, list_hash, read_words
from qa_monitor.transcript.normalise import normalise
from qa_monitor.transcript.packing import LEAD_S, Piece, Window, pack
from qa_monitor.transcript.placing import place

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from qa_monitor.models import ModelRegistry
    from qa_monitor.settings import TranscriptSettings
    from qa_monitor.transcript.engine import Engine, Heard

RATE = 16_000
WINDOWS_AT_ONCE = 32  # bounds memory on long recordings; four batches keep like lengths together
QUIET_FRAME_S = 0.05
OTHER_LANGUAGE = 0.5

SUSPECT_NAMES = {
    "silence": "疑似无人说话处的幻听",
    "repetition": "异常重复",
    "stock_phrase": "视频字幕套话",
    "low_confidence": "识别把握过低",
    "not_chinese": "非中文",
}


class Sound(Protocol):
    """What this block needs of decoded audio. `channel` is the position in `info.channels`."""

    @property
    def info(self) -> AudioInfo: ...

    def read(self, channel: int, start_s: float, end_s: float) -> NDArray[np.float32]:
        """Samples of [start_s, end_s): float32, −1..1, 16 000 Hz."""
        ...


def stage_settings(settings: TranscriptSettings, rules_dir: Path, registry: ModelRegistry) -> dict[str, Any]:
    """All that decides what `transcribe` writes; loads no model. Threads and devices change speed, not text."""
    return {
        "engine": settings.engine,
        "model": registry.fingerprint(settings.model),
        "compute_type": settings.compute_type,
        "beam_size": settings.beam_size,
        "language": settings.language,
        "hotwords": list_hash(rules_dir / settings.hotwords_file),
        "domain_words": list_hash(rules_dir / DOMAIN_WORDS_NAME) if settings.correct_domain_words else "",
    }


def transcribe(audio: Sound, engine: Engine, settings: TranscriptSettings, rules_dir: Path) -> Transcript:
    """Everything said in a recording, in order of time. Deterministic; sound is read a few minutes at a time."""
    hotwords = fit(read_words(rules_dir / settings.hotwords_file), engine.count_tokens, engine.hotword_limit)
    utterances: list[Utterance] = []
    languages: dict[str, float] = defaultdict(float)
    for windows in _chunks(plan(audio, engine.window_s), WINDOWS_AT_ONCE):
        for window, heard in _recognise(audio, engine, windows, hotwords):
            utterances += _utterances(audio.info, window, heard)
            languages[heard.language.code] += heard.language.probability * window.voiced_s
    utterances.sort(key=lambda one: (one.start_s, one.channel, one.end_s))
    language, probability = _language(languages, settings.language)
    notes = (*hotwords.notes(), *_suspect_notes(utterances), *_language_notes(language, probability, settings.language))
    return Transcript(engine.name, engine.model, language, probability, tuple(utterances), notes)


def plan(audio: Sound, window_s: float) -> list[Window]:
    """The windows of all channels, ordered by when they begin."""
    windows = [
        window
        for position, channel in enumerate(audio.info.channels)
        for window in pack(
            position,
            channel.voiced,
            audio.info.duration_s,
            window_s,
            lambda start_s, end_s, position=position: _quietest(audio, position, start_s, end_s),  # type: ignore[misc]
        )
    ]
    return sorted(windows, key=lambda window: (window.pieces[0].start_s, window.channel))


def render(audio: Sound, window: Window) -> NDArray[np.float32]:
    """A window's samples: its pieces as recorded, true silence between them."""
    import numpy as np

    samples = np.zeros(round(window.duration_s * RATE), dtype=np.float32)
    for piece in window.pieces:
        sound = audio.read(window.channel, piece.start_s, piece.end_s)
        at = round(piece.at_s * RATE)
        room = len(samples) - at
        samples[at : at + len(sound)] = sound[:room]
    return samples


def _recognise(
    audio: Sound, engine: Engine, windows: Sequence[Window], hotwords: HotWords
) -> Iterator[tuple[Window, Heard]]:
    """Every window with what was heard in it; a poor window is heard again piece by piece."""
    heard = engine.recognise([render(audio, window) for window in windows], hotwords.prompt)
    for window, result in zip(windows, heard, strict=True):
        if len(window.pieces) == 1 or not _is_poor(window, result):
            yield window, result
            continue
        parts = [_alone(window.channel, piece) for piece in window.pieces]
        again = engine.recognise([render(audio, part) for part in parts])
        yield from zip(parts, again, strict=True)


def _is_poor(window: Window, heard: Heard) -> bool:
    return guard.is_poor(heard.text, heard.log_probability, window.voiced_s)


def _alone(channel: int, piece: Piece) -> Window:
    return Window(channel, (Piece(piece.start_s, piece.end_s, LEAD_S, piece.voiced),))


def _utterances(info: AudioInfo, window: Window, heard: Heard) -> Iterator[Utterance]:
    """One utterance for each piece of the window in which something was heard."""
    channel = info.channels[window.channel].index
    for piece, placed in groupby(place(window, heard.words, channel), key=lambda pair: pair[0]):
        words = tuple(word for _, word in placed)
        raw = "".join(word.text for word in words)
        normal = normalise(raw)
        if not guard.bare(normal.text):
            continue
        confidence = sum(word.probability for word in words) / len(words)
        voiced_s = sum(span.duration_s for span in piece.voiced)
        suspect = guard.suspicion(normal.text, voiced_s, confidence, heard.log_probability, heard.no_speech)
        yield Utterance(
            channel,
            words[0].start_s,
            words[-1].end_s,
            normal.text,
            raw,
            normal.offsets,
            words,
            round(confidence, 4),
            suspect,
        )


def _quietest(audio: Sound, channel: int, start_s: float, end_s: float) -> float:
    """The middle of the quietest 50 ms of a channel in [start_s, end_s]."""
    import numpy as np

    sound = audio.read(channel, start_s, end_s)
    frame = int(QUIET_FRAME_S * RATE)
    count = len(sound) // frame
    if not count:
        return end_s
    energy = np.square(sound[: count * frame].reshape(count, frame)).sum(axis=1)
    return start_s + (int(np.argmin(energy)) + 0.5) * QUIET_FRAME_S


def _chunks(windows: Sequence[Window], size: int) -> Iterator[Sequence[Window]]:
    for first in range(0, len(windows), size):
        yield windows[first : first + size]


def _language(weights: dict[str, float], expected: str) -> tuple[str, float]:
    """The language heard for longest, with its share of what was heard. Nothing heard: the expected one, at 0."""
    if not weights:
        return expected, 0.0
    code = max(sorted(weights), key=lambda one: weights[one])
    return code, round(weights[code] / sum(weights.values()), 4)


def _language_notes(language: str, probability: float, expected: str) -> tuple[Note, ...]:
    if language == expected or probability < OTHER_LANGUAGE:
        return ()
    message = f"通话语种疑似不是普通话（{language}，{probability:.0%}），识别结果仅供参考，请人工复核"
    return (Note("other_language", message),)


def _suspect_notes(utterances: Sequence[Utterance]) -> tuple[Note, ...]:
    counts = Counter(one.suspect for one in utterances if one.suspect)
    return tuple(
        Note(f"suspect_{reason}", f"{count} 处文字存疑（{SUSPECT_NAMES[reason]}），保留但不参与评分", count)
        for reason, count in sorted(counts.items())
    )
