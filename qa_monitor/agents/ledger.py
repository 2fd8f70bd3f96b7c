"""Figures about agents that are fair: a mean with its interval, nothing where there is nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache


def mean_interval(points: Sequence[float]) -> tuple[float | None, tuple[float, float] | None]:
    """Mean and its 95 % interval (Student's t), held inside 0–100. One point has no interval; none has no mean."""
    count = len(points)
    if not count:
        return None, None
    mean = math.fsum(points) / count
    if count == 1:
        return mean, None
    variance = math.fsum((point - mean) ** 2 for point in points) / (count - 1)
    half = t_quantile(count - 1) * math.sqrt(variance / count)
    return mean, (max(0.0, mean - half), min(100.0, mean + half))


@lru_cache(maxsize=1024)
def t_quantile(freedom: int) -> float:
    """The 0.975 quantile of Student's t."""
    from scipy.stats import t

    return float(t.ppf(0.975, freedom))
