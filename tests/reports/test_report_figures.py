"""Rounding and figures as text."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_monitor.reports import figures

ANY_FLOAT = st.floats(allow_nan=True, allow_infinity=True)
FINITE = st.floats(min_value=-1e6, max_value=1e6)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (86.25, 86.3),
        (86.35, 86.4),
        (0.05, 0.1),
        (-0.04, 0.0),
        (-2.25, -2.3),
        (100, 100.0),
        (99.95, 100.0),
        (1e-12, 0.0),
    ],
)
def test_points_round_half_up_on_their_decimal_digits(value: float, shown: float) -> None:
    assert figures.points(value) == shown
    assert math.copysign(1, figures.points(value) or 1.0) == (1 if shown >= 0 else -1)


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_missing(value: float | None) -> None:
    assert figures.points(value) is None
    assert figures.points_text(value) == figures.MISSING
    assert figures.share_text(value) == figures.MISSING
    assert figures.signed_points_text(value) == figures.MISSING
    assert figures.clock(value) == figures.MISSING
    assert figures.length_text(value) == figures.MISSING
    assert figures.hours(value) is None
    assert figures.band(value) == ""


@given(FINITE)
def test_text_and_number_are_the_same_figure(value: float) -> None:
    assert float(figures.points_text(value)) == figures.points(value)
    assert float(figures.signed_points_text(value).replace("−", "-")) == figures.points(value)
    share = figures.share(value)
    assert share is not None
    assert Decimal(figures.share_text(value).rstrip("%")) == Decimal(repr(share)) * 100


@given(FINITE)
def test_rounding_twice_changes_nothing_and_moves_at_most_half_a_step(value: float) -> None:
    once = figures.points(value)
    assert once is not None
    assert figures.points(once) == once
    assert abs(once - value) <= 0.05 + 1e-9


@given(st.lists(ANY_FLOAT | st.none()))
def test_a_mean_never_fails_and_never_is_nan(values: list[float | None]) -> None:
    small = [value if value is None or not math.isfinite(value) else value % 100 for value in values]
    shown = figures.mean(small)
    assert shown is None or 0 <= shown <= 100


@given(st.floats(min_value=0, max_value=100))
def test_a_call_falls_in_the_bin_of_the_points_shown(value: float) -> None:
    index = figures.histogram_bin(value)
    shown = figures.points(value)
    assert shown is not None
    assert index * 10 <= shown <= index * 10 + 10


def test_bands_are_judged_on_the_figure_shown() -> None:
    assert [figures.band(value) for value in (89.94, 89.95, 90, 79.95, 60, 59.94, 0)] == [
        "fair", "good", "good", "fair", "weak", "poor", "poor",
    ]  # fmt: skip


def test_clocks_and_lengths() -> None:
    assert [figures.clock(value) for value in (0, 59.9, 60, 185.04, 3729)] == [
        "0:00",
        "0:59",
        "1:00",
        "3:05",
        "1:02:09",
    ]
    assert [figures.length_text(value) for value in (0.84, 42, 185, 4500)] == [
        "0.8 秒",
        "42.0 秒",
        "3 分 05 秒",
        "1.25 小时",
    ]
