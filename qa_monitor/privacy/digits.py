"""Numbers as they are spoken: every digit of a text with its place, whatever script it is in and whatever stands between."""

from __future__ import annotations

from dataclasses import dataclass

SPOKEN = {
    "零": "0",
    "〇": "0",
    "洞": "0",
    "一": "1",
    "幺": "1",
    "壹": "1",
    "二": "2",
    "贰": "2",
    "两": "2",
    "三": "3",
    "叁": "3",
    "四": "4",
    "肆": "4",
    "五": "5",
    "伍": "5",
    "六": "6",
    "陆": "6",
    "七": "7",
    "柒": "7",
    "拐": "7",
    "八": "8",
    "捌": "8",
    "九": "9",
    "玖": "9",
    "勾": "9",
}
# What people say or a recogniser writes between the digits of one number.
BETWEEN = frozenset(" 　,，、.。-—_·…~嗯呃啊哦然后是就那个") | frozenset("\t\n")
MAX_BETWEEN = 4
UNITS = frozenset("十百千万亿点块元毛角分度吨方个年月日号时小秒钟天周次趟遍层楼岁%％千瓦")


@dataclass(frozen=True, slots=True)
class Digit:
    """One digit and the characters [start, end) that stand for it."""

    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Run:
    """Digits that follow on one another."""

    digits: tuple[Digit, ...]

    @property
    def text(self) -> str:
        return "".join(digit.value for digit in self.digits)


def runs(text: str, least: int = 3) -> list[Run]:
    """Runs of at least `least` digits with nothing but pauses and fillers between.

    A spoken digit next to 十百千万 or a unit is part of a quantity, not of a dictated number, and ends a run.
    """
    found: list[Run] = []
    held: list[Digit] = []
    for index, character in enumerate(text):
        value = _value(text, index, character)
        if value is not None:
            if held and not _joins(text[held[-1].end : index]):
                _keep(found, held, least)
                held = []
            held.append(Digit(value, index, index + 1))
    _keep(found, held, least)
    return found


def _keep(found: list[Run], held: list[Digit], least: int) -> None:
    if len(held) >= least:
        found.append(Run(tuple(held)))


def _value(text: str, index: int, character: str) -> str | None:
    if "０" <= character <= "９":
        return chr(ord(character) - 0xFEE0)
    if "0" <= character <= "9":
        return character
    value = SPOKEN.get(character)
    if value is None:
        return None
    after = text[index + 1 : index + 2]
    before = text[index - 1 : index]
    if after in ("十", "百", "千", "万", "亿") or before in ("十", "百", "千", "万", "亿", "第"):
        return None
    return value


def _joins(between: str) -> bool:
    return len(between) <= MAX_BETWEEN and all(character in BETWEEN for character in between)
