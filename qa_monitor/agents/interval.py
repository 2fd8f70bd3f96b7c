"""Figures with the 95 % interval that belongs to them. A figure that cannot be computed is None, never NaN and never 0."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from qa_monitor.agents.quantiles import normal_quantile, t_quantile


@dataclass(frozen=True, slots=True)
class Figure:
    """A value, how many observations it rests on, and its 95 % interval; the interval is None when there is none."""

    value: float | None = None
    n: int = 0
    low: float | None = None
    high: float | None = None


EMPTY = Figure()


def mean_interval(points: Sequence[float]) -> tuple[float | None, tuple[float, float] | None]:
    """Mean and its 95 % interval (Student's t), held inside 0–100. One point has no interval; none has no mean."""
    found = mean_figure(points, 0.0, 100.0)
    interval = (found.low, found.high) if found.low is not None and found.high is not None else None
    return found.value, interval


def mean_figure(values: Sequence[float], least: float = -math.inf, most: float = math.inf) -> Figure:
    """The mean of `values` with Student's interval, held inside [least, most]."""
    count = len(values)
    if not count:
        return EMPTY
    mean = math.fsum(values) / count
    spread = math.fsum((value - mean) ** 2 for value in values)
    return figure_of(count, mean, spread, least, most)


def figure_of(count: int, mean: float, squares: float, least: float = -math.inf, most: float = math.inf) -> Figure:
    """The same from a count, a mean and the sum of squared distances from the mean."""
    if count < 1:
        return EMPTY
    mean = min(max(mean, least), most)
    if count == 1:
        return Figure(mean, 1)
    half = t_quantile(count - 1) * math.sqrt(max(squares, 0.0) / (count - 1) / count)
    return Figure(mean, count, max(least, mean - half), min(most, mean + half))


def share_figure(hits: int, count: int) -> Figure:
    """A share 0–1 with Wilson's score interval."""
    if count < 1:
        return EMPTY
    share, z = hits / count, normal_quantile()
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    low = 0.0 if hits == 0 else max(0.0, middle - half)
    high = 1.0 if hits == count else min(1.0, middle + half)
    return Figure(share, count, low, high)


def difference_of_shares(hits: int, count: int, old_hits: int, old_count: int) -> Figure:
    """New share minus old share, −1–1, with Newcombe's interval (his method 10); n is both counts together."""
    new, old = share_figure(hits, count), share_figure(old_hits, old_count)
    if new.value is None or old.value is None:
        return EMPTY
    apart = new.value - old.value
    low = apart - math.hypot(new.value - (new.low or 0.0), (old.high or 0.0) - old.value)
    high = apart + math.hypot((new.high or 0.0) - new.value, old.value - (old.low or 0.0))
    return Figure(apart, count + old_count, max(-1.0, low), min(1.0, high))


def difference_of_means(
    count: int, mean: float, squares: float, other_count: int, other_mean: float, other_squares: float
) -> Figure:
    """mean − other_mean with Welch's interval, from counts, means and sums of squared distances."""
    if count < 2 or other_count < 2:
        value = mean - other_mean if count and other_count else None
        return Figure(value, count + other_count)
    one, two = squares / (count - 1) / count, other_squares / (other_count - 1) / other_count
    apart = mean - other_mean
    if one + two <= 0:
        return Figure(apart, count + other_count, apart, apart)
    freedom = (one + two) ** 2 / (one**2 / (count - 1) + two**2 / (other_count - 1))
    half = t_quantile(freedom) * math.sqrt(one + two)
    return Figure(apart, count + other_count, apart - half, apart + half)


def correlation(pairs: Sequence[tuple[float, float]]) -> Figure:
    """Pearson's r with Fisher's interval; no value under three pairs or when one side does not vary."""
    count = len(pairs)
    if count < 3:
        return Figure(None, count)
    left = math.fsum(x for x, _ in pairs) / count
    right = math.fsum(y for _, y in pairs) / count
    xx = math.fsum((x - left) ** 2 for x, _ in pairs)
    yy = math.fsum((y - right) ** 2 for _, y in pairs)
    if xx <= 1e-12 or yy <= 1e-12:
        return Figure(None, count)
    r = math.fsum((x - left) * (y - right) for x, y in pairs) / math.sqrt(xx * yy)
    r = min(max(r, -1.0), 1.0)
    if count < 4 or abs(r) >= 1:
        return Figure(r, count)
    half = normal_quantile() / math.sqrt(count - 3)
    return Figure(r, count, math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half))
