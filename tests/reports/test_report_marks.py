"""Marked words and the call's strip."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from report_factory import make_call
from report_scripts import SCRIPTS

from qa_monitor.records import Evidence
from qa_monitor.reports.card import make_card
from qa_monitor.reports.marks import Mark, stretches
from qa_monitor.reports.timeline import GUTTER, PIN_GAP, RIGHT, WIDTH, Place, draw

KINDS = st.sampled_from(["fail", "suspected", "unsure"])
MARKS = st.lists(
    st.builds(Mark, st.integers(-3, 40), st.integers(-3, 40), st.integers(1, 9), st.just("规则"), KINDS), max_size=6
)


@given(
    st.text(max_size=30),
    MARKS,
    st.lists(st.tuples(st.integers(-2, 35), st.integers(-2, 35), st.just("手机号")), max_size=3),
)
def test_stretches_join_to_the_text_and_every_mark_covers_its_words(
    text: str, marks: list[Mark], masked: list[tuple[int, int, str]]
) -> None:
    pieces = stretches(text, marks, masked)
    assert "".join(piece.text for piece in pieces) == text
    for mark in marks:
        if 0 <= mark.start < mark.end <= len(text):
            covered = "".join(piece.text for piece in pieces if mark.number in piece.numbers)
            assert text[mark.start : mark.end] in covered
            assert any(mark.number in piece.opens for piece in pieces)


def test_overlapping_marks_share_their_words_and_the_stronger_shows() -> None:
    pieces = stretches("我不管你去找物业", [Mark(1, 5, 1, "推诿", "suspected"), Mark(3, 8, 2, "服务忌语", "fail")])
    assert [(piece.text, piece.kind, piece.numbers) for piece in pieces] == [
        ("我", "", ()), ("不管", "suspected", (1,)), ("你去", "fail", (1, 2)), ("找物业", "fail", (2,)),
    ]  # fmt: skip


def test_a_finding_is_marked_on_the_very_words_that_caused_it() -> None:
    card = make_card(make_call(SCRIPTS[1]), "c1")
    number = next(item.number for item in card.findings if item.name == "服务忌语")
    marked = [piece.text for line in card.lines for piece in line.stretches if number in piece.numbers]
    assert marked == ["你问我我问谁啊"]


def test_suspicions_cost_nothing_and_are_marked_apart() -> None:
    card = make_card(make_call(SCRIPTS[4]), "c1")
    item = next(item for item in card.findings if item.name == "打断客户")
    assert (item.kind, item.verdict, item.points) == ("suspected", "疑似", "")


def test_untrusted_text_and_masked_text_are_told_apart() -> None:
    card = make_card(make_call(SCRIPTS[3]), "c1")
    assert [line.suspect for line in card.lines if line.suspect] == ["视频字幕套话"]
    assert {piece.masked for line in card.lines for piece in line.stretches} == {"", "姓名"}


@given(st.lists(st.floats(0, 120), min_size=1, max_size=30))
def test_pins_stay_on_the_strip_and_apart(times: list[float]) -> None:
    view = make_call(SCRIPTS[0])
    assert view.dialogue is not None
    places = [
        Place(number, "fail", "规则", (Evidence(0, "话", start_s=time),)) for number, time in enumerate(times, start=1)
    ]
    pins = draw(view.dialogue, None, places, {}).pins
    assert len(pins) == len(times)
    assert all(pin.x <= WIDTH - RIGHT for pin in pins)
    assert all(after.x - before.x >= PIN_GAP - 0.11 for before, after in pairwise(pins))


def test_bars_lie_inside_the_strip_and_in_the_lane_of_their_speaker() -> None:
    for script in SCRIPTS:
        view = make_call(script)
        assert view.dialogue is not None
        strip = draw(view.dialogue, None, [], {})
        assert strip.timed == (script.kind == "audio")
        assert len(strip.bars) == len(view.dialogue.turns)
        for bar in strip.bars:
            assert GUTTER <= bar.x <= bar.x + bar.width <= WIDTH - RIGHT + 2
        tops = {turn.role: bar.y for turn, bar in zip(view.dialogue.turns, strip.bars, strict=True)}
        assert tops["agent"] < tops["customer"]


def test_times_that_are_not_numbers_draw_by_words_instead() -> None:
    view = make_call(SCRIPTS[0])
    assert view.dialogue is not None
    broken = replace(
        view.dialogue, turns=(replace(view.dialogue.turns[0], start_s=float("nan")), *view.dialogue.turns[1:])
    )
    strip = draw(broken, float("nan"), [], {})
    assert not strip.timed
    assert all(bar.x == bar.x for bar in strip.bars)
