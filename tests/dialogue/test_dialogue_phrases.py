"""Nothing said is lost or doubled on the way from utterances to turns; a murmur ends no turn, an answer does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_monitor.dialogue import phrases, turns
from qa_monitor.records import Utterance, Word

ROLES = {"a": "agent", "b": "customer"}


def utterance(text: str, start_s: float = 0.0, pace_s: float = 0.2, suspect: str | None = None) -> Utterance:
    words = tuple(
        Word(character, round(start_s + index * pace_s, 3), round(start_s + (index + 1) * pace_s, 3), 0.9, 0)
        for index, character in enumerate(text)
    )
    end_s = words[-1].end_s if words else start_s + 1
    return Utterance(0, start_s, end_s, text, text, tuple(range(len(text))), words, 0.9, suspect)


def said(speaker: str, text: str, start_s: float, suspect: str | None = None) -> list[phrases.Phrase]:
    one = utterance(text, start_s, suspect=suspect)
    return phrases.cut(one, [speaker] * len(one.words))


def texts(made: tuple[turns.Turn, ...]) -> list[tuple[str, str]]:
    return [(turn.role, turn.text) for turn in made]


@st.composite
def spoken(draw: st.DrawFn) -> tuple[Utterance, list[str]]:
    """An utterance with uneven pauses, words of several characters, dropped and inserted characters, two voices."""
    parts = draw(st.lists(st.text("您好请问电费户号，。 a1", min_size=1, max_size=4), min_size=1, max_size=12))
    gaps = draw(st.lists(st.floats(0, 2), min_size=len(parts), max_size=len(parts)))
    raw = "".join(parts)
    at, words = 0.0, []
    for part, gap in zip(parts, gaps, strict=True):
        words.append(Word(part, at + gap, at + gap + 0.3, 0.5, 0))
        at += gap + 0.3
    kept = [index for index in range(len(raw)) if draw(st.booleans())]
    text = "".join(raw[index] for index in kept)
    speakers = draw(st.lists(st.sampled_from("ab"), min_size=len(parts), max_size=len(parts)))
    return Utterance(0, 0.0, at, text, raw, tuple(kept), tuple(words), 0.5), speakers


@given(spoken())
def test_cutting_keeps_every_character_once_and_in_order(given_one: tuple[Utterance, list[str]]) -> None:
    one, speakers = given_one
    pieces = phrases.cut(one, speakers)
    assert "".join(piece.raw_text for piece in pieces) == one.raw_text
    assert "".join(piece.text for piece in pieces) == one.text
    assert tuple(word for piece in pieces for word in piece.words) == one.words
    for piece in pieces:
        assert [piece.raw_text[offset] for offset in piece.offsets] == list(piece.text)


@given(spoken())
def test_turns_hold_every_character_of_every_speaker(given_one: tuple[Utterance, list[str]]) -> None:
    one, speakers = given_one
    pieces = phrases.cut(one, speakers)
    made = turns.build(pieces, {"a": "agent", "b": "customer"}, 0.9)
    for speaker in "ab":
        spoken_by = "".join(piece.text for piece in pieces if piece.speaker == speaker)
        assert "".join(turn.text for turn in made if turn.speaker == speaker) == spoken_by
    assert [turn.index for turn in made] == list(range(len(made)))
    assert [turn.start_s for turn in made] == sorted(turn.start_s for turn in made)


def test_a_text_without_words_keeps_its_times() -> None:
    whole = Utterance(0, 3.0, 4.0, "您好", "您好", (0, 1), (), 0.7)
    (piece,) = phrases.cut(whole, ["a"])
    assert (piece.start_s, piece.end_s, piece.text, piece.words) == (3.0, 4.0, "您好", ())


def test_a_murmur_of_the_other_ends_no_turn() -> None:
    pieces = said("a", "我先跟您说一下流程", 0.0) + said("b", "嗯嗯", 1.9) + said("a", "然后您带上身份证", 2.4)
    assert texts(turns.build(pieces, ROLES, 1.0)) == [
        ("agent", "我先跟您说一下流程然后您带上身份证"),
        ("customer", "嗯嗯"),
    ]


def test_the_same_murmur_after_a_question_is_an_answer() -> None:
    pieces = said("a", "您是户主本人吗", 0.0) + said("b", "对的", 1.5) + said("a", "好麻烦报一下户号", 2.1)
    assert [role for role, _ in texts(turns.build(pieces, ROLES, 1.0))] == ["agent", "customer", "agent"]


def test_a_sentence_of_the_other_ends_the_turn() -> None:
    pieces = said("a", "我先查一下", 0.0) + said("b", "你快一点啊", 1.1) + said("a", "马上就好", 2.2)
    assert [role for role, _ in texts(turns.build(pieces, ROLES, 1.0))] == ["agent", "customer", "agent"]


def test_a_long_pause_ends_a_turn() -> None:
    pieces = said("a", "请稍等", 0.0) + said("a", "查到了", 0.6 + turns.PAUSE_S + 0.1)
    assert len(turns.build(pieces, ROLES, 1.0)) == 2


def test_suspect_text_is_never_joined_to_trusted_text() -> None:
    pieces = said("a", "请稍等", 0.0) + said("a", "请不吝点赞", 0.6, suspect="stock_phrase") + said("a", "好了", 1.7)
    made = turns.build(pieces, ROLES, 1.0)
    assert [(turn.text, turn.suspect) for turn in made if turn.suspect] == [("请不吝点赞", "stock_phrase")]
    assert "点赞" not in "".join(turn.text for turn in made if not turn.suspect)


def test_a_voice_without_a_role_is_unknown_and_an_announcement_is_nobodys() -> None:
    (alone,) = turns.build(said("c", "喂", 0.0), ROLES, 1.0)
    assert (alone.role, alone.role_confidence) == ("unknown", 0.0)
    announced = [phrases.replace(piece, ivr=True) for piece in said("a", "普通话服务请按一", 0.0)]
    assert texts(turns.build(announced, ROLES, 1.0)) == [("ivr", "普通话服务请按一")]


@pytest.mark.parametrize("text", ["嗯", "好的好的", "对对对", "嗯，是的。", "OK"])
def test_back_channels(text: str) -> None:
    assert turns.is_back_channel(text)


@pytest.mark.parametrize("text", ["好的我知道您着急", "不对", "行不行", "对不起", "是停电了", ""])
def test_more_than_back_channels(text: str) -> None:
    assert not turns.is_back_channel(text)
