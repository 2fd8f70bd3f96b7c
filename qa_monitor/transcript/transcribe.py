"""A recording's voiced stretches to utterances: packed, recognised, brought back to the recording's clock, guarded."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from qa_monitor.records import AudioInfo, Note, Transcript, Utterance, Word
from qa_monitor.settings import TranscriptSettings
from qa_monitor.transcript import guard
from qa_monitor.transcript.correct import Corrector, load_corrector
from qa_monitor.transcript.engine import Engine, Heard, HeardWord, engine_settings
from qa_monitor.transcript.normalise import simplify
from qa_monitor.transcript.packing import Piece, Sound, Window, in_batches, pack

if TYPE_CHECKING:
    from qa_monitor.models import ModelRegistry

WINDOWS_AT_ONCE = 16
SUSPICION_NAMES = {
    "silence": "静音或杂音处的文字",
    "repetition": "反复循环的文字",
    "stock_phrase": "套话式幻觉（字幕、点赞之类）",
    "low_confidence": "把握过低的文字",
    "not_chinese": "非中文的文字",
}
OTHER_LANGUAGE = 0.8
SHORTEST_MISSED_S = 1.0
FEWEST_CHARS_A_SECOND = 1.0


class Decoded(Sound, Protocol):
    """Decoded audio: what it is, and slices of it."""

    @property
    def info(self) -> AudioInfo: ...


def transcribe(audio: Decoded, engine: Engine, settings: TranscriptSettings, rules_dir: Path) -> Transcript:
    """Every channel of `audio`, in order of time. Nothing voiced gives an empty transcript."""
    windows = [
        window
        for position, channel in enumerate(audio.info.channels)
        for window in pack(position, channel.voiced, engine.window_s)
    ]
    corrector = load_corrector(rules_dir) if settings.correct_domain_words else None
    utterances: list[Utterance] = []
    language, language_probability = settings.language, 1.0
    for batch in in_batches(windows, WINDOWS_AT_ONCE):
        samples = [window.samples(audio) for window in batch]
        if not utterances:
            language, language_probability = engine.language_of(max(samples, key=len))
        for window, heard in zip(batch, engine.recognise(samples), strict=True):
            utterances.extend(_utterances(window, heard, corrector))
        missed = [
            Window(window.channel, (replace(piece, at_s=0.0),))
            for window in batch
            for piece in _missed(window, utterances)
        ]
        if missed:
            utterances = [utterance for utterance in utterances if not _lies_in(utterance, missed)]
            for window, heard in zip(
                missed, engine.recognise([window.samples(audio) for window in missed]), strict=True
            ):
                utterances.extend(_utterances(window, heard, corrector))
    utterances.sort(key=lambda utterance: (utterance.start_s, utterance.channel))
    return Transcript(
        engine=engine.name,
        model=engine.model,
        language=language,
        language_probability=round(language_probability, 3),
        utterances=tuple(utterances),
        notes=tuple(_notes(utterances, language, language_probability, settings)),
    )


def stage_settings(settings: TranscriptSettings, rules_dir: Path, registry: ModelRegistry) -> dict[str, Any]:
    """All that decides what a transcript says."""
    words = rules_dir / settings.hotwords_file
    digest = hashlib.sha256(words.read_bytes()).hexdigest()[:16] if words.is_file() else ""
    return {**engine_settings(settings, registry), "corrects": settings.correct_domain_words, "words": digest}


def _utterances(window: Window, heard: Heard, corrector: Corrector | None) -> Iterable[Utterance]:
    """One utterance a piece: its words, moved to the recording's clock and kept inside the piece."""
    by_piece: dict[int, list[HeardWord]] = {}
    place = 0
    for word in heard.words:
        place = _place(window, word, place, after_stop=bool(by_piece.get(place)) and _is_stop(by_piece[place][-1].text))
        by_piece.setdefault(place, []).append(word)
    for index, words in sorted(by_piece.items()):
        piece = window.pieces[index]
        raw = "".join(word.text for word in words).strip()
        if not raw:
            continue
        moved = tuple(
            Word(
                text=word.text,
                start_s=round(_inside(word.start_s - piece.at_s + piece.start_s, piece.start_s, piece.end_s), 3),
                end_s=round(_inside(word.end_s - piece.at_s + piece.start_s, piece.start_s, piece.end_s), 3),
                probability=round(word.probability, 3),
                channel=window.channel,
            )
            for word in words
        )
        spoken = [word.probability for word in words if any(character.isalnum() for character in word.text)]
        confidence = sum(spoken) / len(spoken) if spoken else 0.0
        text, offsets = simplify(raw)
        if corrector is not None:
            text = corrector.correct(text, offsets, raw, moved)
        yield Utterance(
            channel=window.channel,
            start_s=moved[0].start_s,
            end_s=max(moved[-1].end_s, moved[0].start_s),
            text=text,
            raw_text=raw,
            offsets=offsets,
            words=moved,
            confidence=round(confidence, 3),
            suspect=guard.suspicion(text, heard, confidence, piece.end_s - piece.start_s),
        )


def _missed(window: Window, utterances: Sequence[Utterance]) -> list[Piece]:
    """Pieces of a shared window that got far fewer words than their length calls for: they are heard again alone."""
    found = []
    for piece in window.pieces:
        length_s = piece.end_s - piece.start_s
        characters = sum(
            len(utterance.text)
            for utterance in utterances
            if utterance.channel == window.channel and piece.start_s <= utterance.start_s < piece.end_s
        )
        if len(window.pieces) > 1 and length_s >= SHORTEST_MISSED_S and characters < FEWEST_CHARS_A_SECOND * length_s:
            found.append(piece)
    return found


def _lies_in(utterance: Utterance, windows: Sequence[Window]) -> bool:
    return any(
        window.channel == utterance.channel and window.pieces[0].start_s <= utterance.start_s < window.pieces[0].end_s
        for window in windows
    )


def _place(window: Window, word: HeardWord, place: int, *, after_stop: bool) -> int:
    """The piece a word belongs to. Words never go back; one that spans the pause begins the next piece if the sentence
    before it has ended, and ends the last one if it ends a sentence itself."""
    mostly = max(place, window.piece_at(word.start_s, word.end_s))
    if place + 1 < len(window.pieces):
        spans_pause = word.start_s < window.pieces[place + 1].at_s < word.end_s + 0.2
        if spans_pause and after_stop:
            return place + 1
        if spans_pause and _is_stop(word.text):
            return place
    return mostly


def _is_stop(text: str) -> bool:
    return text.strip()[-1:] in ("。", "？", "！", "?", "!", "，", ",")


def _inside(moment_s: float, start_s: float, end_s: float) -> float:
    return min(max(moment_s, start_s), end_s)


def _notes(
    utterances: Sequence[Utterance], language: str, probability: float, settings: TranscriptSettings
) -> Iterable[Note]:
    suspects = Counter(utterance.suspect for utterance in utterances if utterance.suspect)
    for code, count in sorted(suspects.items()):
        yield Note(f"suspect_{code}", f"{count} 段{SUSPICION_NAMES[code]}，已标灰，不计分", count)
    if language not in (settings.language, "yue") and probability >= OTHER_LANGUAGE and utterances:
        yield Note("other_language", f"听起来像 {language}（把握 {probability:.0%}），转写可能不可靠，建议人工复核")
    if language == "yue" and probability >= OTHER_LANGUAGE:
        yield Note("dialect", f"听起来像粤语（把握 {probability:.0%}），转写可能不可靠，建议人工复核")
