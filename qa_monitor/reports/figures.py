"""Every figure of every report is rounded through here and nowhere else, so that Excel, HTML, CSV and JSON agree.

Each function takes what the store holds and gives the figure to show: rounded half up on its decimal digits, None for
what is missing or not a number. The `*_text` functions write a figure as people read it; they round nothing further.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from qa_monitor.agents.rounding import rounded as rounded

MISSING = "—"
FigureKind = Literal["points", "scale", "share", "seconds", "hours", "count", "rate", "ratio"]
DIGITS: dict[FigureKind, int] = {
    "points": 1,
    "scale": 1,
    "share": 3,
    "seconds": 1,
    "hours": 2,
    "count": 0,
    "rate": 1,
    "ratio": 2,
}

# A call's band by its points: lower bound, name used for its colour, what it is called.
BANDS: tuple[tuple[float, str, str], ...] = (
    (90, "good", "优良"),
    (80, "fair", "合格"),
    (60, "weak", "待改进"),
    (0, "poor", "差"),
)
HISTOGRAM_STEP = 10


def figure(kind: FigureKind, value: float | None) -> float | None:
    """The figure to show for a value of this kind; a count is a whole number of type int."""
    shown = rounded(value, DIGITS[kind])
    return int(shown) if shown is not None and kind == "count" else shown


def points(value: float | None) -> float | None:
    """Points, 0–100 or a deduction: one decimal."""
    return figure("points", value)


def scale(value: float | None) -> float | None:
    """A 1–5 scale: one decimal."""
    return figure("scale", value)


def share(value: float | None) -> float | None:
    """A share 0–1: three decimals, so that one decimal of its percentage is exact."""
    return figure("share", value)


def seconds(value: float | None) -> float | None:
    """Seconds: one decimal."""
    return figure("seconds", value)


def hours(value_s: float | None) -> float | None:
    """Seconds as hours: two decimals."""
    return figure("hours", None if value_s is None else value_s / 3600)


def mean(values: Iterable[float | None]) -> float | None:
    """The mean of what is there, not rounded; None when nothing is."""
    there = [value for value in values if value is not None and math.isfinite(value)]
    return math.fsum(there) / len(there) if there else None


def band(value: float | None) -> str:
    """The band a call's points fall in, judged on the figure shown; '' without points."""
    shown = points(value)
    if shown is None:
        return ""
    return next((name for lower, name, _ in BANDS if shown >= lower), BANDS[-1][1])


def histogram_bin(value: float) -> int:
    """Which of the ten bins 0–10 … 90–100 the shown points fall in; the upper edge of the last belongs to it."""
    shown = points(value) or 0.0
    return min(max(int(shown // HISTOGRAM_STEP), 0), 100 // HISTOGRAM_STEP - 1)


# --- as text ---------------------------------------------------------------------------------------------------------


def text_of(kind: FigureKind, value: float | None) -> str:
    """A value as people read it: `86.3`, `66.7%`, `12`; `—` when it is missing."""
    shown = figure(kind, value)
    if shown is None:
        return MISSING
    if kind == "share":
        return f"{Decimal(repr(shown)) * 100:.1f}%"
    return f"{shown:.{DIGITS[kind]}f}"


def points_text(value: float | None) -> str:
    return text_of("points", value)


def scale_text(value: float | None) -> str:
    return text_of("scale", value)


def share_text(value: float | None) -> str:
    return text_of("share", value)


def signed_points_text(value: float | None) -> str:
    """Points gained or lost: `+2.0`, `−5.0`, `0.0`."""
    shown = points(value)
    if shown is None:
        return MISSING
    sign = "+" if shown > 0 else "−" if shown < 0 else ""
    return f"{sign}{abs(shown):.1f}"


def clock(value_s: float | None) -> str:
    """Seconds as `3:05` or `1:02:09`, cut to whole seconds as players do."""
    shown = seconds(value_s)
    if shown is None:
        return MISSING
    whole = max(int(shown), 0)
    hour, rest = divmod(whole, 3600)
    minute, second = divmod(rest, 60)
    return f"{hour}:{minute:02d}:{second:02d}" if hour else f"{minute}:{second:02d}"


def length_text(value_s: float | None) -> str:
    """A length of time: `0.8 秒`, `42.0 秒`, `3 分 05 秒`, `1.25 小时`."""
    shown = seconds(value_s)
    if shown is None:
        return MISSING
    if shown < 60:
        return f"{shown:.1f} 秒"
    if shown < 3600:
        minute, second = divmod(int(shown), 60)
        return f"{minute} 分 {second:02d} 秒"
    return f"{hours(shown):.2f} 小时"
