"""Numbers people say: counts, amounts, times of day, dates, lengths of time, telephone numbers, percentages.

Arabic and Chinese numerals alike (四十五分钟, 45 分钟, 半小时, 幺三八……). Values come out in base units: yuan, seconds,
shares 0–1, minutes after midnight for a time of day.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from qa_monitor.rules.specs import EntityKind

_DIGITS = {c: str(i) for i, c in enumerate("零一二三四五六七八九")} | {
    "〇": "0",
    "幺": "1",
    "两": "2",
    "洞": "0",
    "拐": "7",
}
_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
_CN = "零〇一二两三四五六七八九十百千万亿"
_CN_RUN = f"[{_CN}]+"
_NUMBER = rf"(\d{{1,3}}(?:[,，]\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?|{_CN_RUN}(?:点[零一二三四五六七八九]+)?|半)"
_SECONDS = {
    "秒": 1,
    "秒钟": 1,
    "分钟": 60,
    "小时": 3600,
    "钟头": 3600,
    "天": 86400,
    "工作日": 86400,
    "星期": 604_800,
    "周": 604_800,
    "月": 2_592_000,
    "年": 31_536_000,
}

_DURATION = re.compile(
    rf"{_NUMBER}(?:个)?(半)?(秒钟|秒|分钟|小时|钟头|天|工作日|星期|周(?![一二三四五六日末])|(?<=个)月|(?<=个半)月|年(?!\d|[{_CN}]))(半)?"
)
_AMOUNT = re.compile(
    rf"{_NUMBER}(万)?(?:元|块钱|块)(?:(\d|[一二三四五六七八九])(?:毛|角)?(?:(\d|[一二三四五六七八九])分)?)?"
)
_CLOCK = re.compile(
    rf"(上午|早上|凌晨|中午|下午|晚上|傍晚)?(\d{{1,2}}|[{_CN}]{{1,3}})(?:点钟?|时|:)(?:(半|一刻|三刻)|(\d{{1,2}}|[{_CN}]{{1,3}})分?)?"
)
_DATE = re.compile(
    rf"(?:(?:\d{{2,4}}|[零〇一二三四五六七八九]{{2,4}})年)?(?:\d{{1,2}}|[{_CN}]{{1,3}})月(?:份|底|初)?(?:(?:\d{{1,2}}|[{_CN}]{{1,3}})[日号])?"
    rf"|(?:\d{{1,2}}|[{_CN}]{{2,3}})[日号](?!线|楼|门|院|员|码)|今天|明天|后天|大后天|昨天|前天|(?:下|上|这)?(?:周|星期|礼拜)[一二三四五六日天]|月底|月初"
)
_PERCENT = re.compile(rf"(\d+(?:\.\d+)?)%|百分之({_CN_RUN}|\d+(?:\.\d+)?)")
# Digits said one by one, pauses written as spaces or hyphens, or as commas between groups of two and more.
_DIGIT = r"[\d零〇一二两三四五六七八九幺洞拐]"
_GROUP = rf"{_DIGIT}(?:[ \-]?{_DIGIT})"
_SPOKEN = re.compile(rf"{_GROUP}+(?:[,，、] ?{_GROUP}+)*|{_DIGIT}")
_SPOKEN_GROUP = re.compile(rf"{_GROUP}*")
_PLAIN = re.compile(rf"\d+(?:\.\d+)?|{_CN_RUN}(?:点[零一二三四五六七八九]+)?")
_EXACT_DIGITS = 15  # a float holds this many digits


@dataclass(frozen=True, slots=True)
class Entity:
    """A number said at [start, end) of the text; `digits` are its digits when it was said or written digit by digit."""

    kind: EntityKind
    start: int
    end: int
    value: float | None
    digits: str = ""


def parse_number(text: str) -> float | None:
    """The value of Arabic or Chinese numerals: 45, 3.5, 一百二十三, 两万五, 二点五, 一二三."""
    text = text.replace(",", "").replace("，", "")
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        return float(text)
    if text == "半":
        return 0.5
    whole, _, fraction = text.partition("点")
    value = _parse_chinese(whole)
    if value is None:
        return None
    if fraction:
        return value + float("0." + "".join(_DIGITS[c] for c in fraction))
    return value


def _parse_chinese(text: str) -> float | None:
    if not text:
        return None
    if not any(char in _UNITS for char in text):
        return float("".join(_DIGITS[char] for char in text))
    total = section = 0
    digit = 0
    last_unit = 1
    for char in text:
        if char in _UNITS:
            unit = _UNITS[char]
            if unit >= 10_000:
                total = (total + section + digit) * unit if unit > max(total, 1) else total + (section + digit) * unit
                section = 0
            else:
                section += (digit or 1) * unit
            digit, last_unit = 0, unit
        else:
            digit = int(_DIGITS[char])
            last_unit = 10 if char in "零〇" else last_unit
    # 两万五 is 25 000: a bare last digit counts in tenths of the last unit.
    tail = digit * last_unit // 10 if digit and last_unit >= 100 and text[-2] in _UNITS else digit
    return float(total + section + tail)


def spoken_digits(text: str) -> Iterator[tuple[int, int, str]]:
    """Runs of digits said one by one: start, end, the digits."""
    return _runs(_SPOKEN, text)


def _runs(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int, str]]:
    for match in pattern.finditer(text):
        digits = "".join(_DIGITS.get(char, char) for char in match[0] if char not in " -,，、")
        yield match.start(), match.end(), digits


def find_entities(text: str, kind: EntityKind) -> Iterator[Entity]:
    """Entities of one kind in `text` (shown form), left to right."""
    yield from _FINDERS[kind](text)


def _durations(text: str) -> Iterator[Entity]:
    for match in _DURATION.finditer(text):
        number = parse_number(match[1])
        if number is not None:
            half = 0.5 if match[2] or match[4] else 0.0
            yield Entity("duration", match.start(), match.end(), (number + half) * _SECONDS[match[3]])


def _amounts(text: str) -> Iterator[Entity]:
    for match in _AMOUNT.finditer(text):
        number = parse_number(match[1])
        if number is not None:
            value = number * (10_000 if match[2] else 1)
            for group, worth in ((match[3], 0.1), (match[4], 0.01)):
                value += worth * (parse_number(group) or 0) if group else 0
            yield Entity("amount", match.start(), match.end(), round(value, 2))


def _times(text: str) -> Iterator[Entity]:
    for match in _CLOCK.finditer(text):
        hour, minute = parse_number(match[2]), 0.0
        if hour is None or hour > 24:
            continue
        if match[1] in ("下午", "晚上", "傍晚") and hour < 12:
            hour += 12
        if match[3]:
            minute = {"半": 30.0, "一刻": 15.0, "三刻": 45.0}[match[3]]
        elif match[4]:
            minute = parse_number(match[4]) or 0.0
        # 一点 alone is “a little”; a time of day has a part of day, digits or minutes.
        if match[2] == "一" and not (match[1] or match[3] or match[4]):
            continue
        yield Entity("time", match.start(), match.end(), hour * 60 + minute)


def _dates(text: str) -> Iterator[Entity]:
    for match in _DATE.finditer(text):
        yield Entity("date", match.start(), match.end(), None)


def _percents(text: str) -> Iterator[Entity]:
    for match in _PERCENT.finditer(text):
        number = parse_number(match[1] or match[2])
        if number is not None:
            yield Entity("percent", match.start(), match.end(), number / 100)


def _phones(text: str) -> Iterator[Entity]:
    found: dict[int, Entity] = {}
    for pattern in (_SPOKEN, _SPOKEN_GROUP):
        for start, end, digits in _runs(pattern, text):
            if _is_phone(digits):
                found.setdefault(start, Entity("phone", start, end, None, digits))
    yield from (entity for _, entity in sorted(found.items()))


def _is_phone(digits: str) -> bool:
    if len(digits) == 11:
        return digits[0] in "01"
    return len(digits) in (7, 8) or (len(digits) in (10, 12) and digits[0] == "0")


def _numbers(text: str) -> Iterator[Entity]:
    """Arabic numbers, and Chinese ones of two numerals or more: the single 一 of 一下 is no number."""
    found = [
        Entity("number", start, end, float(digits) if len(digits) <= _EXACT_DIGITS else None, digits)
        for start, end, digits in spoken_digits(text)
        if len(digits) >= 2
    ]
    starts = [entity.start for entity in found]
    for match in _PLAIN.finditer(text):
        before = bisect_right(starts, match.end() - 1) - 1
        inside = before >= 0 and found[before].end > match.start()
        if not inside and (match[0][0].isdigit() or len(match[0]) >= 2):
            digits = match[0] if match[0].isdigit() else ""
            found.append(Entity("number", match.start(), match.end(), parse_number(match[0]), digits))
    yield from sorted(found, key=lambda entity: entity.start)


_FINDERS = {
    "number": _numbers,
    "amount": _amounts,
    "time": _times,
    "date": _dates,
    "duration": _durations,
    "phone": _phones,
    "percent": _percents,
}
