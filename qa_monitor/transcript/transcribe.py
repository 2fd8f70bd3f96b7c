"""A recording's sound in, its transcript out.

voiced spans → windows → engine → words on the recording's clock → guards → normalised utterances → misheard words put
right
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa_monitor.audio.sound import Sound
from qa_monitor.records import AudioInfo, Note, Span, Transcript, Utterance, Word
from qa_monitor.transcript import guard
from qa_monitor.transcript.correct import Corrector
from qa_monitor.transcript.engine import RATE, Clip, load_engine
from qa_monitor.transcript.homophones import corrected_notes, homophones
from qa_monitor.transcript.homophones import fingerprint as language_fingerprint
from qa_monitor.transcript.hotwords import DOMAIN_WORDS_NAME, HotWords, fit, list_hash, read_words
from qa_monitor.transcript.normalise import normalise
from qa_monitor.transcript.packing import LEAD_S, Piece, Window, pack
from qa_monitor.transcript.placing import place
from qa_monitor.transcript.words import cut

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from qa_monitor.models import ModelRegistry
    from qa_monitor.settings import TranscriptSettings
    from qa_monitor.transcript.engine import Engine, Heard, Reading

WINDOWS_AT_ONCE = 12  # bounds memory on long recordings: several are in progress at a time
WINDOWS_KEPT = 60  # the talk of some minutes tells what a call is about
CONTEXT = 0.8  # what the context makes of a reading counts so much of what the engine makes of it
DOUBTED_BELOW = -0.5  # mean log probability under which a window may be heard again
QUIET_FRAME_S = 0.05
LEAST_GAP_S = 0.8  # a voiced stretch this long without a word was left out
LONGEST_CHARACTER_S = 0.6
LEVEL_SPREAD_DB = 6.0  # how much softer than the loudest a voiced span may stay
MOST_GAIN_DB = 12.0  # more would make crosstalk and noise sound like a voice
OTHER_LANGUAGE = 0.5

SUSPECT_NAMES = {
    "silence": "疑似无人说话处的幻听",
    "repetition": "异常重复",
    "stock_phrase": "视频字幕套话",
    "low_confidence": "识别把握过低",
    "not_chinese": "非中文",
}


def stage_settings(settings: TranscriptSettings, rules_dir: Path, registry: ModelRegistry) -> dict[str, Any]:
    """All that decides what `transcribe` writes; loads no model. Threads and devices change speed, not text."""
    return {
        "engine": settings.engine,
        "model": _fingerprint(settings, registry),
        "compute_type": settings.compute_type,
        "beam_size": settings.beam_size,
        "language": settings.language,
        "hotwords": list_hash(rules_dir / settings.hotwords_file),
        "domain_words": list_hash(rules_dir / DOMAIN_WORDS_NAME) if settings.correct_domain_words else "",
        "language_model": language_fingerprint() if settings.correct_homophones else "",
    }


def _fingerprint(settings: TranscriptSettings, registry: ModelRegistry) -> str:
    if settings.engine == "sherpa-onnx":
        from qa_monitor.transcript.sherpa import fingerprint

        return fingerprint(Path(settings.model))
    return registry.fingerprint(settings.model)


def load(settings: TranscriptSettings, rules_dir: Path, registry: ModelRegistry) -> Engine:
    """The engine. What else a transcript needs is read meanwhile, so that no call waits for it."""
    beside = ThreadPoolExecutor(1)
    beside.submit(_read_ahead, settings, rules_dir)  # what fails there fails again for the first call, and is told then
    beside.shutdown(wait=False)
    return load_engine(settings, registry)


def _read_ahead(settings: TranscriptSettings, rules_dir: Path) -> None:
    if settings.correct_homophones:
        homophones()
    if settings.correct_domain_words:
        cut("您好")
        _corrector(settings, rules_dir)


def transcribe(audio: Sound, engine: Engine, settings: TranscriptSettings, rules_dir: Path) -> Transcript:
    """Everything said in a recording, in order of time. Deterministic; sound is read a few minutes at a time."""
    hotwords = fit(read_words(rules_dir / settings.hotwords_file), engine.count_tokens, engine.hotword_limit)
    corrector = _corrector(settings, rules_dir)
    whole = _in_one(audio, engine.whole_s)
    planned = [whole] if whole else plan(audio, engine.window_s)
    ear = _Ear(audio, engine, hotwords, thorough=whole is not None, by_context=settings.correct_homophones)
    utterances: list[Utterance] = []
    languages: dict[str, float] = defaultdict(float)
    for first in range(0, len(planned), WINDOWS_AT_ONCE):
        windows = planned[first : first + WINDOWS_AT_ONCE]
        for position, piece, words, heard in ear.hear(windows):
            said = _utterance(audio.info.channels[position].index, piece, words, heard, corrector)
            utterances += [said] if said else []
            languages[heard.language.code] += heard.language.probability * piece.voiced_s
    utterances.sort(key=lambda one: (one.start_s, one.channel, one.end_s))
    changed = 0
    if settings.correct_homophones:
        utterances, changed = homophones().put_right(utterances, corrector.words)
    language, probability = _language(languages, settings.language)
    notes = (
        *hotwords.notes(),
        *corrected_notes(changed),
        *_suspect_notes(utterances),
        *_language_notes(language, probability, settings.language),
    )
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


def _in_one(audio: Sound, longest_s: float) -> Window | None:
    """The only window of a recording whose speech fits one. Short recordings are left whole: the engine hears the line
    before the first word, and errs less."""
    if sum(channel.voiced_s for channel in audio.info.channels) > longest_s:
        return None  # without planning a long recording twice
    windows = plan(audio, longest_s)
    if len(windows) != 1:
        return None
    (window,) = windows
    if audio.info.duration_s > longest_s:
        return window
    voiced = tuple(span for piece in window.pieces for span in piece.voiced)
    return Window(window.channel, (Piece(0.0, audio.info.duration_s, 0.0, voiced),))


def render(audio: Sound, window: Window) -> NDArray[np.float32]:
    """A window's samples: its pieces with true silence between them; on one channel, soft voices raised.

    The engine listens to the loudest voice in a window and takes a much softer one for background. On a channel of its
    own a much softer voice is background: the other channel's, heard through.
    """
    import numpy as np

    sounds = [audio.read(window.channel, piece.start_s, piece.end_s) for piece in window.pieces]
    if len(audio.info.channels) == 1:
        sounds = _evened(window.pieces, sounds)
    samples = np.zeros(round(window.duration_s * RATE), dtype=np.float32)
    for piece, sound in zip(window.pieces, sounds, strict=True):
        at = round(piece.at_s * RATE)
        room = len(samples) - at
        samples[at : at + len(sound)] = sound[:room]
    return samples


def _evened(pieces: Sequence[Piece], sounds: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """The pieces with no voiced span much softer than the loudest of them."""
    levels = [
        [_level_db(sound, piece, span) for span in piece.voiced] for piece, sound in zip(pieces, sounds, strict=True)
    ]
    aimed_db = max(level for own in levels for level in own) - LEVEL_SPREAD_DB
    return [_raised(sound, piece, own, aimed_db) for piece, sound, own in zip(pieces, sounds, levels, strict=True)]


def _level_db(sound: NDArray[np.float32], piece: Piece, span: Span) -> float:
    import numpy as np

    first, last = (round((at_s - piece.start_s) * RATE) for at_s in (span.start_s, span.end_s))
    own = sound[first:last].astype(np.float64)
    return float(10 * np.log10(np.mean(own**2) + 1e-12)) if len(own) else -120.0


def _raised(sound: NDArray[np.float32], piece: Piece, levels: Sequence[float], aimed_db: float) -> NDArray[np.float32]:
    """A piece with its spans raised to the aimed level at least; the gain glides from one span to the next."""
    import numpy as np

    gains_db = [min(MOST_GAIN_DB, max(0.0, aimed_db - level)) for level in levels]
    if not any(gains_db):
        return sound
    times = [(at_s - piece.start_s) * RATE for span in piece.voiced for at_s in (span.start_s, span.end_s)]
    curve = np.interp(np.arange(len(sound)), times, np.repeat(gains_db, 2))
    return np.asarray(np.clip(sound * 10 ** (curve / 20), -1, 1), dtype=np.float32)


class _Ear:
    """Hears the windows of one recording, some of them twice.

    Of the readings that the engine holds likely the one is kept that what our calls, or Chinese in general,
    make of it speaks for as well. Hot words make a step of the decoder half as dear again, and are no use where none
    is said: a doubtful window is heard again with them if it holds the sound of one in other characters.
    """

    def __init__(self, audio: Sound, engine: Engine, hotwords: HotWords, *, thorough: bool, by_context: bool) -> None:
        self._audio = audio
        choose = self._likeliest if by_context else None
        self._recognise = partial(engine.recognise, thorough=thorough, choose=choose)
        self._hotwords = hotwords
        self._said: list[str] = []  # in the windows so far

    def hear(self, windows: Sequence[Window]) -> Iterator[tuple[int, Piece, tuple[Word, ...], Heard]]:
        """(channel position, piece, its words, what was heard) of every piece; what was left out once more, alone."""
        again: list[Window] = []
        for window, result in zip(windows, self._heard(windows), strict=True):
            if _is_poor(window, result):
                again += [_alone(window.channel, piece) for piece in window.pieces]
                continue
            for piece, words in _placed(self._audio.info, window, result).items():
                kept, gaps = left_out(piece, words)
                gaps = [gap for gap in gaps if not _of_others(self._audio.info, window.channel, gap)]
                yield window.channel, piece, kept, result
                again += [_alone(window.channel, Piece(gap.start_s, gap.end_s, LEAD_S, (gap,))) for gap in gaps]
        heard = self._recognise([Clip(render(self._audio, part)) for part in again], no_loops=True)
        for part, result in zip(again, heard, strict=True):
            for piece, words in _placed(self._audio.info, part, result).items():
                yield part.channel, piece, words, result

    def _heard(self, windows: Sequence[Window]) -> list[Heard]:
        """What is heard in the windows, with hot words where one seems to have been misheard."""
        clips = [Clip(render(self._audio, window)) for window in windows]
        heard = self._recognise(clips)
        texts = [_simplified(one.text) for one in heard]
        sound = [text for window, one, text in zip(windows, heard, texts, strict=True) if not _is_poor(window, one)]
        self._said = [*self._said, *sound][-WINDOWS_KEPT:]
        again = [
            i
            for i, (one, text) in enumerate(zip(heard, texts, strict=True))
            if one.log_probability < DOUBTED_BELOW and self._hotwords.misheard_in(text)
        ]
        once_more = [Clip(clips[i].samples, heard[i].encoded) for i in again]
        for i, one in zip(again, self._recognise(once_more, self._hotwords.prompt), strict=True):
            if not _is_poor(windows[i], one) and one.log_probability > heard[i].log_probability:
                heard[i] = one
        return heard

    def _likeliest(self, readings: Sequence[Sequence[Reading]]) -> list[int]:
        """See `Choose`."""
        known = homophones()
        texts = [[_simplified(one.text) for one in group] for group in readings]
        share = known.share_of_general([*self._said, *(group[0] for group in texts)])
        worth = [
            [one.log_probability + CONTEXT * known.worth(text, share) for one, text in zip(group, own, strict=True)]
            for group, own in zip(readings, texts, strict=True)
        ]
        return [max(range(len(row)), key=row.__getitem__) for row in worth]


def _simplified(text: str) -> str:
    return normalise(text).text


def _placed(info: AudioInfo, window: Window, heard: Heard) -> dict[Piece, tuple[Word, ...]]:
    words: dict[Piece, tuple[Word, ...]] = dict.fromkeys(window.pieces, ())
    for piece, word in place(window, heard.words, info.channels[window.channel].index):
        words[piece] += (word,)
    return words


def left_out(piece: Piece, words: Sequence[Word]) -> tuple[tuple[Word, ...], list[Span]]:
    """The words, and the voiced stretches for which nothing was written: the decoder passes over a voice that differs.

    The word before such a stretch was aligned to all of it; it is cut to what a word takes.
    """
    kept = tuple(_at_most(word) for word in words)
    gaps = []
    for span in piece.voiced:
        inside = [word for word in kept if word.end_s > span.start_s and word.start_s < span.end_s]
        starts = [span.start_s, *(word.end_s for word in inside)]
        ends = [*(word.start_s for word in inside), span.end_s]
        gaps += [Span(a, b) for a, b in zip(starts, ends, strict=True) if b - a >= LEAST_GAP_S]
    return kept, gaps


def _of_others(info: AudioInfo, position: int, gap: Span) -> bool:
    """Whether another channel speaks for half of the gap: what is heard here is likely to be that voice."""
    others = [span for index, channel in enumerate(info.channels) if index != position for span in channel.voiced]
    shared_s = sum(max(0.0, min(gap.end_s, span.end_s) - max(gap.start_s, span.start_s)) for span in others)
    return shared_s > 0.5 * gap.duration_s


def _at_most(word: Word) -> Word:
    """A word without the silence, or the other voice, that it was aligned to as well."""
    longest_s = LONGEST_CHARACTER_S * max(1, len(guard.bare(word.text)))
    if word.end_s - word.start_s <= longest_s + LEAST_GAP_S:
        return word
    return replace(word, end_s=round(word.start_s + longest_s, 3))


def _is_poor(window: Window, heard: Heard) -> bool:
    return guard.is_poor(heard.text, heard.log_probability, window.voiced_s)


def _alone(channel: int, piece: Piece) -> Window:
    return Window(channel, (Piece(piece.start_s, piece.end_s, LEAD_S, piece.voiced),))


def _corrector(settings: TranscriptSettings, rules_dir: Path) -> Corrector:
    if not settings.correct_domain_words:
        return Corrector(())
    return Corrector((*read_words(rules_dir / settings.hotwords_file), *read_words(rules_dir / DOMAIN_WORDS_NAME)))


def _utterance(
    channel: int, piece: Piece, words: tuple[Word, ...], heard: Heard, corrector: Corrector
) -> Utterance | None:
    """What was said in a piece; None where that was nothing."""
    raw = "".join(word.text for word in words)
    normal = normalise(raw)
    if not guard.bare(normal.text):
        return None
    text = corrector.correct(normal.text, normal.offsets, words)
    confidence = sum(word.probability for word in words) / len(words)
    suspect = guard.suspicion(text, piece.voiced_s, confidence, heard.log_probability, heard.no_speech)
    return Utterance(
        channel,
        words[0].start_s,
        words[-1].end_s,
        text,
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
