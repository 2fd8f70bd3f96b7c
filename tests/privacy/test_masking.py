"""Personal data is masked however it is said; plain figures are not; what cannot be checked is not shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_monitor.privacy import masker as module
from qa_monitor.privacy.masker import _ID_CHECKS, _ID_WEIGHTS, WITHHELD, Masker, is_id_card, passes_luhn

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "masking.txt"
LINES = [line.split("\t") for line in GOLDEN.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
SPOKEN = {
    "0": "零洞0",
    "1": "幺一1",
    "2": "二两2",
    "3": "三3",
    "4": "四4",
    "5": "五5",
    "6": "六6",
    "7": "七拐7",
    "8": "八8",
    "9": "九勾9",
}
PAUSES = ["", "", "", "，", " ", "嗯", "、", "_"]
MASKER = Masker()


def masked(text: str) -> str:
    return MASKER.mask_turns([text])[0].text


@pytest.mark.parametrize(("text", "expected"), LINES, ids=[line[0][:20] for line in LINES])
def test_golden_lines(text: str, expected: str) -> None:
    found = [mask.text for mask in MASKER.mask_turns(text.split(" ｜ "))]
    assert " ｜ ".join(found) == expected


@st.composite
def said(draw: st.DrawFn, digits: str) -> str:
    """Digits in any mixture of scripts, with pauses between."""
    return "".join(draw(st.sampled_from(SPOKEN[digit])) + draw(st.sampled_from(PAUSES)) for digit in digits).strip(
        "，、 _嗯"
    )


mobiles = st.builds(lambda second, rest: f"1{second}{rest:09d}", st.integers(3, 9), st.integers(0, 10**9 - 1))


def id_card(area: int, year: int, month: int, day: int, order: int) -> str:
    body = f"{area:06d}{year}{month:02d}{day:02d}{order:03d}"
    return body + _ID_CHECKS[sum(int(digit) * weight for digit, weight in zip(body, _ID_WEIGHTS, strict=True)) % 11]


@given(mobiles.flatmap(said), st.sampled_from(["电话{}", "我是{}哈", "{}", "您记一下，{}，对吧"]))
def test_every_mobile_is_masked(number: str, sentence: str) -> None:
    shown = masked(sentence.format(number))
    assert number not in shown
    assert "[" in shown


@given(
    st.builds(
        id_card,
        st.integers(110000, 659000),
        st.integers(1940, 2009),
        st.integers(1, 12),
        st.integers(1, 28),
        st.integers(1, 999),
    )
)
def test_every_id_card_is_masked(number: str) -> None:
    assert is_id_card(number)
    assert "[身份证]" in masked(f"身份证号{number}")


@given(st.integers(10**14, 10**15 - 1))
def test_every_bank_card_is_masked(body: int) -> None:
    digits = "6" + str(body)
    number = next(digits + str(check) for check in range(10) if passes_luhn(digits + str(check)))
    assert number not in masked(f"卡号是{number}")


@given(st.integers(1, 9999), st.sampled_from(["电费{}元", "用了{}度电", "还剩{}块钱", "一共{}户", "等了{}分钟"]))
def test_plain_figures_are_left_alone(figure: int, sentence: str) -> None:
    assert masked(sentence.format(figure)) == sentence.format(figure)


@given(st.lists(st.text(alphabet="您好电话幺三八零一二四，。1380 户号是", max_size=40), max_size=6))
def test_spans_move_along_and_stay_in_order(texts: list[str]) -> None:
    for text, mask in zip(texts, MASKER.mask_turns(texts), strict=True):
        places = [mask.map_span(place, place)[0] for place in range(len(text) + 1)]
        assert places == sorted(places)
        for start in range(len(text)):
            low, high = mask.map_span(start, start + 1)
            assert 0 <= low <= high <= len(mask.text)
            if not any(hit.start <= start < hit.end for hit in mask.hits):
                assert mask.text[low:high] == text[start]


def test_a_masker_that_fails_withholds_every_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_text: str) -> list[object]:
        raise RuntimeError("finder broke")

    monkeypatch.setattr(module, "find", broken)
    for mask in MASKER.mask_turns(["手机13800001234", "您好"]):
        assert mask.text == WITHHELD
        assert mask.withheld
        assert mask.map_span(0, 2) == (0, len(WITHHELD))
