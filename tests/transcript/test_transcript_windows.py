"""Windows hold all speech of one channel once; words go back to where they were said; left-out speech is found."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_monitor.records import AudioInfo, ChannelInfo, Span, Word
from qa_monitor.settings import TranscriptSettings
from qa_monitor.transcript.engine import Heard, HeardWord, Language, Reading
from qa_monitor.transcript.packing import LEAD_S, Piece, Window, pack
from qa_monitor.transcript.transcribe import left_out, render, transcribe

WINDOW_S = 14.4
RATE = 16_000


@st.composite
def voiced(draw: st.DrawFn) -> list[Span]:
    spans, at = [], 0.0
    for _ in range(draw(st.integers(1, 12))):
        at += draw(st.floats(0.45, 5))
        length = draw(st.floats(0.2, 40))
        spans.append(Span(at, at + length))
        at += length
    return spans


@given(voiced())
def test_every_voiced_moment_is_in_exactly_one_window(spans: list[Span]) -> None:
    duration_s = spans[-1].end_s + 0.3
    windows = pack(0, spans, duration_s, WINDOW_S, lambda start, end: (start + end) / 2)
    held = [span for window in windows for piece in window.pieces for span in piece.voiced]
    assert sum(span.duration_s for span in held) == pytest.approx(sum(span.duration_s for span in spans), abs=0.02)
    assert all(one.start_s < other.start_s for window in windows for one, other in pairwise(window.pieces))
    pieces = sorted((piece for window in windows for piece in window.pieces), key=lambda piece: piece.start_s)
    assert all(one.end_s <= other.start_s + 0.2 for one, other in pairwise(pieces))
    assert all(window.duration_s <= WINDOW_S + 0.3 for window in windows)
    for window in windows:
        for piece in window.pieces:
            assert 0 <= piece.start_s < piece.end_s <= duration_s + 1e-6
            assert window.piece_at(piece.at_s + piece.duration_s / 2) == piece


def test_windows_of_a_channel_are_about_alike_in_length() -> None:
    spans = [Span(3.0 * i, 3.0 * i + 2) for i in range(8)]
    windows = pack(0, spans, 30, WINDOW_S, lambda start, end: (start + end) / 2)
    assert [len(window.pieces) for window in windows] == [4, 4]


def test_a_short_piece_joins_an_earlier_window_that_has_room_for_it() -> None:
    spans = [Span(0, 7), Span(10, 19.5), Span(22, 25)]
    windows = pack(0, spans, 30, WINDOW_S, lambda start, end: (start + end) / 2)
    assert [len(window.pieces) for window in windows] == [2, 1]


class Sound:
    def __init__(self, samples: list[np.ndarray], spans: list[list[Span]]) -> None:
        self.samples = samples
        channels = tuple(ChannelInfo(i, -20.0, 30.0, 0.0, tuple(each)) for i, each in enumerate(spans))
        layout = "mono" if len(samples) == 1 else "stereo"
        self.info = AudioInfo(len(samples[0]) / RATE, None, 8000, len(samples), "pcm", "wav", layout, False, channels)

    def read(self, channel: int, start_s: float, end_s: float) -> np.ndarray:
        return self.samples[channel][max(0, round(start_s * RATE)) : round(end_s * RATE)]


def noise(seconds: float, level: float) -> np.ndarray:
    return (level * np.random.default_rng(0).standard_normal(round(seconds * RATE))).astype(np.float32)


def window_of(*spans: Span) -> Window:
    pieces, at_s = [], LEAD_S
    for span in spans:
        pieces.append(Piece(span.start_s, span.end_s, at_s, (span,)))
        at_s += span.duration_s + 0.5
    return Window(0, tuple(pieces))


def level_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(samples**2) + 1e-12))


def test_a_soft_voice_on_one_channel_is_raised_and_on_its_own_channel_is_not() -> None:
    loud, soft = noise(2, 0.2), noise(2, 0.02)
    window = window_of(Span(0, 2), Span(2, 4))
    mono = render(Sound([np.concatenate([loud, soft])], [[Span(0, 4)]]), window)
    second = round(window.pieces[1].at_s * RATE)
    assert level_db(mono[second : second + RATE]) == pytest.approx(level_db(loud) - 8, abs=0.5)  # 20 dB apart, +12
    both = Sound([np.concatenate([loud, soft]), noise(4, 0.1)], [[Span(0, 4)], [Span(0, 4)]])
    assert level_db(render(both, window)[second : second + RATE]) == pytest.approx(level_db(soft), abs=0.5)


def said(text: str, start_s: float, end_s: float) -> list[Word]:
    pace_s = (end_s - start_s) / len(text)
    return [Word(c, start_s + i * pace_s, start_s + (i + 1) * pace_s, 0.9, 0) for i, c in enumerate(text)]


def test_voiced_stretches_without_words_are_found() -> None:
    piece = Piece(0, 10, LEAD_S, (Span(0, 10),))
    kept, gaps = left_out(piece, [*said("您好请讲", 0, 1), *said("再见", 9, 9.5)])
    assert gaps == [Span(1, 9)]
    assert [word.text for word in kept] == list("您好请讲再见")
    assert left_out(piece, said("一二三四五六七八九十" * 4, 0, 10))[1] == []
    assert left_out(piece, [])[1] == [Span(0, 10)]


def test_a_word_stretched_over_another_voice_is_cut() -> None:
    piece = Piece(0, 6, LEAD_S, (Span(0, 6),))
    kept, gaps = left_out(piece, [*said("您", 0, 4), *said("再见再见", 4, 6)])
    assert kept[0].end_s == pytest.approx(0.6)
    assert gaps == [Span(0.6, 4)]


def test_silence_between_voiced_spans_is_no_gap() -> None:
    piece = Piece(0, 10, LEAD_S, (Span(0, 1), Span(9, 10)))
    assert left_out(piece, [*said("您好", 0, 1), *said("再见", 9, 10)])[1] == []


class Scripted:
    """An engine that says what it is told, window after window."""

    name, model, window_s, whole_s, hotword_limit = "scripted", "none", WINDOW_S, WINDOW_S, 100

    def __init__(self, *heard: Heard) -> None:
        self.heard, self.asked, self.primed, self.thorough = list(heard), [], [], []

    def recognise(
        self, clips: list, hotwords: str = "", *, choose=None, no_loops: bool = False, thorough: bool = False
    ) -> list[Heard]:
        self.asked += [(clip.seconds, no_loops) for clip in clips]
        self.primed += [hotwords for _ in clips]
        self.thorough += [thorough for _ in clips]
        return [self.heard.pop(0) for _ in clips]

    def count_tokens(self, text: str) -> int:
        return len(text)


def heard(text: str, start_s: float, end_s: float, log_probability: float = -0.2, language: str = "zh") -> Heard:
    pace_s = (end_s - start_s) / max(1, len(text))
    words = tuple(HeardWord(c, start_s + i * pace_s, start_s + (i + 1) * pace_s, 0.9) for i, c in enumerate(text))
    return Heard(words, log_probability, 0.0, Language(language, 0.95))


def transcribed(engine: Scripted, sound: Sound, tmp_path: Path):
    return transcribe(sound, engine, TranscriptSettings(correct_domain_words=False), tmp_path)


def test_what_was_left_out_is_heard_again_alone(tmp_path: Path) -> None:
    sound = Sound([noise(8, 0.1)], [[Span(0, 8)]])
    engine = Scripted(heard("您好请问有什么可以帮您", 0.2, 3), heard("我家停电了你们来看看", 0.2, 4))
    text = transcribed(engine, sound, tmp_path)
    assert [utterance.text for utterance in text.utterances] == ["您好请问有什么可以帮您", "我家停电了你们来看看"]
    assert [no_loops for _, no_loops in engine.asked] == [False, True]
    assert text.utterances[1].start_s >= 2.9


def test_a_gap_in_which_the_other_channel_speaks_is_left_alone(tmp_path: Path) -> None:
    spans = [[Span(0, 8)], [Span(3.5, 8)]]
    engine = Scripted(heard("您好请问有什么可以帮您", 0.2, 3), heard("我家停电了你们来看看好不好", 0.2, 4.5))
    text = transcribed(engine, Sound([noise(8, 0.1), noise(8, 0.1)], spans), tmp_path)
    assert len(engine.asked) == 2
    assert [utterance.channel for utterance in text.utterances] == [0, 1]


CALL_S = 96.0
CALL = [Span(start, start + 10.0) for start in range(0, int(CALL_S), 12)]  # eight windows
SPOKEN = "您好请问有什么可以帮您我家里的东西用不了了"


def call_of(*texts: tuple[str, float]) -> Scripted:
    return Scripted(*(heard(text, 0.2, 9.9, log_probability) for text, log_probability in texts))


def test_a_call_about_something_else_is_heard_without_hot_words(tmp_path: Path) -> None:
    (tmp_path / "hotwords.txt").write_text("停电\n户号", encoding="utf-8")
    engine = call_of(*[(SPOKEN, -0.9)] * 8)
    transcribed(engine, Sound([noise(CALL_S, 0.1)], [CALL]), tmp_path)
    assert engine.primed == [""] * 8
    assert not any(engine.thorough)


MISHEARD = ("我家从早上就听店了到现在也没有人来", -0.7)


def test_a_doubtful_window_with_a_hot_word_misheard_is_heard_again_with_all_of_them(tmp_path: Path) -> None:
    (tmp_path / "hotwords.txt").write_text("停电\n户号", encoding="utf-8")
    right = "我家从早上就停电了到现在也没有人来"
    engine = call_of((SPOKEN, -0.5), MISHEARD, (right, -0.5), *[(SPOKEN, -0.2)] * 5, (right, -0.3))
    text = transcribed(engine, Sound([noise(CALL_S, 0.1)], [CALL]), tmp_path)
    assert engine.primed == [""] * 8 + ["停电、户号"]
    assert [utterance.text for utterance in text.utterances][:3] == [SPOKEN, right, right]


def test_a_window_that_is_only_a_little_doubtful_is_not_heard_again(tmp_path: Path) -> None:
    (tmp_path / "hotwords.txt").write_text("停电\n户号", encoding="utf-8")
    engine = call_of((MISHEARD[0], -0.4), *[(SPOKEN, -0.2)] * 7)
    transcribed(engine, Sound([noise(CALL_S, 0.1)], [CALL]), tmp_path)
    assert engine.primed == [""] * 8


def test_what_hot_words_make_less_likely_is_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "hotwords.txt").write_text("停电\n户号", encoding="utf-8")
    engine = call_of(MISHEARD, *[(SPOKEN, -0.2)] * 7, ("停电停电", -0.8))
    text = transcribed(engine, Sound([noise(CALL_S, 0.1)], [CALL]), tmp_path)
    assert len(engine.primed) == 9
    assert len(text.utterances[0].text) == len(MISHEARD[0])


def test_a_recording_of_one_window_is_heard_thoroughly(tmp_path: Path) -> None:
    engine = Scripted(heard("你好我想问下电费", 0.2, 3.9))
    transcribed(engine, Sound([noise(4, 0.1)], [[Span(0, 4)]]), tmp_path)
    assert engine.thorough == [True]


class Undecided(Scripted):
    """An engine with two readings of every window, the first the likelier by little."""

    def __init__(self, *readings: tuple[str, str]) -> None:
        super().__init__()
        self.readings = list(readings)

    def recognise(self, clips: list, hotwords: str = "", *, choose=None, **_: bool) -> list[Heard]:
        pairs = [self.readings.pop(0) for _ in clips]
        places = (
            choose([[Reading(one, -9.0), Reading(two, -9.5)] for one, two in pairs]) if choose else [0] * len(pairs)
        )
        return [heard(pair[place], 0.2, 9.9) for pair, place in zip(pairs, places, strict=True)]


@pytest.mark.parametrize("by_context", [True, False])
def test_of_two_readings_the_one_is_kept_that_is_said_in_calls(tmp_path: Path, by_context: bool) -> None:
    engine = Undecided(("请您提供一下肉号我帮您查询", "请您提供一下户号我帮您查询"))
    chosen = TranscriptSettings(correct_domain_words=False, correct_homophones=by_context)
    text = transcribe(Sound([noise(40, 0.1)], [[Span(0, 10)]]), engine, chosen, tmp_path)
    assert ("户号" in text.utterances[0].text) is by_context


def test_a_short_recording_is_heard_whole_with_the_line_before_the_first_word(tmp_path: Path) -> None:
    engine = Scripted(heard("你好我想问下电费", 5.2, 8.9))
    text = transcribed(engine, Sound([noise(12, 0.1)], [[Span(5, 9)]]), tmp_path)
    assert engine.asked == [(12.0, False)]
    assert text.utterances[0].start_s == pytest.approx(5.2)


def test_little_speech_in_a_long_recording_is_heard_thoroughly_without_the_silence(tmp_path: Path) -> None:
    engine = Scripted(heard("你好我想问下电费", 0.2, 3.9))
    text = transcribed(engine, Sound([noise(60, 0.1)], [[Span(40, 44)]]), tmp_path)
    assert engine.thorough == [True]
    assert engine.asked[0][0] < 5
    assert text.utterances[0].start_s == pytest.approx(40, abs=0.2)


def test_other_languages_are_told(tmp_path: Path) -> None:
    sound = Sound([noise(4, 0.1)], [[Span(0, 4)]])
    text = transcribed(Scripted(heard("你好我想问下电费", 0.2, 3.9, language="yue")), sound, tmp_path)
    assert [note.code for note in text.notes] == ["other_language"]
    assert text.language == "yue"


def test_nothing_voiced_is_an_empty_transcript(tmp_path: Path) -> None:
    text = transcribed(Scripted(), Sound([noise(4, 0.001)], [[]]), tmp_path)
    assert text.utterances == ()
    assert text.notes == ()
