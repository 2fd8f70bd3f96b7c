"""Comparisons and places as supervisors write them: `超过 10 秒`, `3 到 10`, `>= 2`; `前 3 轮`, `后 60 秒`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

NUMBER = r"(\d+(?:\.\d+)?)"
_SIGNS = {
    ">": ("超过", "大于", "高于", "多于", ">"),
    "<": ("低于", "小于", "少于", "不足", "<"),
    ">=": ("不小于", "不少于", "不低于", "至少", "≥", ">="),
    "<=": ("不超过", "不大于", "不高于", "不多于", "至多", "最多", "≤", "<="),
    "=": ("等于", "正好", "==", "="),
}
_SIGN_OF = {word: sign for sign, words in _SIGNS.items() for word in words}
_WORDS = "|".join(sorted(map(re.escape, _SIGN_OF), key=len, reverse=True))
_ONE = re.compile(rf"^({_WORDS})\s*(-?\d+(?:\.\d+)?)\s*(\S*)$")
_RANGE = re.compile(rf"^{NUMBER}\s*(?:到|至|-|~|～)\s*{NUMBER}\s*(\S*)$")

# unit → (what it measures, factor to the base unit)
_UNITS: dict[str, tuple[str, float]] = {
    "秒": ("s", 1),
    "分钟": ("s", 60),
    "小时": ("s", 3600),
    "天": ("s", 86400),
    "个工作日": ("s", 86400),
    "工作日": ("s", 86400),
    "轮": ("turns", 1),
    "句": ("turns", 1),
    "次": ("times", 1),
    "字": ("chars", 1),
    "位": ("digits", 1),
    "字/分": ("cpm", 1),
    "字/分钟": ("cpm", 1),
    "dB": ("db", 1),
    "db": ("db", 1),
    "分贝": ("db", 1),
    "半音": ("semitones", 1),
    "%": ("share", 0.01),
    "分": ("points", 1),
    "元": ("yuan", 1),
}

Measure = Literal["s", "turns", "times", "chars", "digits", "cpm", "db", "semitones", "share", "points", "any"]
_MEASURE_TEXT = {
    "s": "秒",
    "turns": "轮",
    "times": "次",
    "chars": "字",
    "digits": "位",
    "cpm": "字/分",
    "db": "dB",
    "semitones": "半音",
    "share": "%",
    "points": "分",
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """An interval in base units (seconds, shares 0–1 …); `text` is how it was written."""

    text: str
    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False

    def holds(self, value: float) -> bool:
        above = value > self.low if self.low_open else value >= self.low
        below = value < self.high if self.high_open else value <= self.high
        return above and below


def parse_comparison(text: str, measure: Measure) -> Comparison:
    """Raises ValueError (Chinese) for anything that is not a comparison in units of `measure`."""
    one, two = _ONE.match(text.strip()), _RANGE.match(text.strip())
    if one:
        factor = _factor(one[3], measure)
        value = float(one[2]) * factor
        return _interval(_SIGN_OF[one[1]], value, text.strip())
    if two:
        factor = _factor(two[3], measure)
        low, high = float(two[1]) * factor, float(two[2]) * factor
        if low > high:
            raise ValueError(f"“{text}”前大后小，应先写小的数")
        return Comparison(text.strip(), low, high)
    raise ValueError(f"看不懂“{text}”，应写成“超过 10{_MEASURE_TEXT.get(measure, '')}”“至少 3”“3 到 10”这样的比较")


def _interval(sign: str, value: float, text: str) -> Comparison:
    if sign == ">":
        return Comparison(text, low=value, low_open=True)
    if sign == ">=":
        return Comparison(text, low=value)
    if sign == "<":
        return Comparison(text, high=value, high_open=True)
    if sign == "<=":
        return Comparison(text, high=value)
    return Comparison(text, low=value, high=value)


def _factor(unit: str, measure: Measure) -> float:
    if not unit:
        # A bare 20 for a share is a mistake that would never hold; shares are written in percent.
        if measure == "share":
            raise ValueError("占比要写百分号，如“低于 20%”")
        return 1.0
    if unit not in _UNITS:
        raise ValueError(f"不认识单位“{unit}”")
    of, factor = _UNITS[unit]
    if measure not in (of, "any"):
        raise ValueError(f"单位“{unit}”不对，这里的单位是{_MEASURE_TEXT[measure]}")
    return factor


PlaceKind = Literal["whole", "first_turns", "last_turns", "turns", "first_s", "last_s", "first_share", "last_share"]
OPENING_TURNS = 3
CLOSING_TURNS = 3
_EDGE = re.compile(rf"^(前|开头|最初|后|末|最后|结尾)\s*{NUMBER}\s*(轮|句|秒|分钟|%)$")
_NTH = re.compile(r"^第\s*(\d+)\s*(?:(?:到|至|-|~|～)\s*(\d+)\s*)?(轮|句)$")
_FRONT = ("前", "开头", "最初")


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of the call: `a` (and `b` for a range of turns) in turns, seconds or share 0–1, by `kind`."""

    text: str
    kind: PlaceKind
    a: float = 0.0
    b: float = 0.0


def parse_place(text: str) -> Place:
    """Raises ValueError (Chinese) for anything that is not a place in the call."""
    text = text.strip()
    named = {
        "whole": Place("全程", "whole"),
        "opening": Place(f"开场 {OPENING_TURNS} 轮", "first_turns", OPENING_TURNS),
        "closing": Place(f"结尾 {CLOSING_TURNS} 轮", "last_turns", CLOSING_TURNS),
    }
    if text in named:
        return named[text]
    nth = _NTH.match(text)
    if nth:
        first, last = int(nth[1]), int(nth[2] or nth[1])
        if not 1 <= first <= last:
            raise ValueError(f"“{text}”的轮数不对，从第 1 轮数起，先小后大")
        return Place(text, "turns", first, last)
    edge = _EDGE.match(text)
    if not edge:
        raise ValueError(f"看不懂范围“{text}”，应写 whole、opening、closing、前 3 轮、后 60 秒、前 20% 或 第 2 到 5 轮")
    return _edge_place(text, edge[1] in _FRONT, float(edge[2]), edge[3])


def _edge_place(text: str, front: bool, size: float, unit: str) -> Place:
    if size <= 0:
        raise ValueError(f"“{text}”的数应大于 0")
    if unit in ("轮", "句"):
        if size != int(size):
            raise ValueError(f"“{text}”的轮数应是整数")
        return Place(text, "first_turns" if front else "last_turns", size)
    if unit == "%":
        if size > 100:
            raise ValueError(f"“{text}”超过 100%")
        return Place(text, "first_share" if front else "last_share", size / 100)
    seconds = size * (60 if unit == "分钟" else 1)
    return Place(text, "first_s" if front else "last_s", seconds)
