"""Quantiles of the normal and of Student's t, without the second that importing a statistics library takes."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

LEVEL = 0.95
_NEARLY_NORMAL = 1e7  # degrees of freedom from which t and normal agree to ten digits
_STEPS = 200
_TINY = 1e-300


@lru_cache(maxsize=1)
def normal_quantile() -> float:
    """The 0.975 quantile of the normal distribution."""
    return NormalDist().inv_cdf(0.5 + LEVEL / 2)


@lru_cache(maxsize=65536)
def t_quantile(freedom: float) -> float:
    """The 0.975 quantile of Student's t: the two tails beyond it hold 5 %.

    Newton's method from the normal's quantile, which lies below; the tails are convex, so no step goes too far.
    """
    if freedom <= 0:
        raise ValueError("no degrees of freedom")
    t = normal_quantile()
    if freedom >= _NEARLY_NORMAL:
        return t
    log_scale = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - math.log(freedom * math.pi) / 2
    for _ in range(_STEPS):
        density = math.exp(log_scale - (freedom + 1) / 2 * math.log1p(t * t / freedom))
        step = (_two_tails(t, freedom) - (1 - LEVEL)) / (2 * density)
        t += step
        if abs(step) <= 1e-12 * t:
            break
    return t


def _two_tails(t: float, freedom: float) -> float:
    """P(|T| > t): the regularised incomplete beta function at freedom / (freedom + t²)."""
    return _beta(freedom / 2, 0.5, freedom / (freedom + t * t))


def _beta(a: float, b: float, x: float) -> float:
    """I_x(a, b) by its continued fraction, from the side where that converges fast."""
    if x <= 0 or x >= 1:
        return min(max(x, 0.0), 1.0)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    front = math.exp(log_front)
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    """Lentz's evaluation of the continued fraction of the incomplete beta function."""
    c, d = 1.0, _away_from_zero(1 - (a + b) * x / (a + 1))
    d = 1 / d
    value = d
    for m in range(1, 2000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _away_from_zero(1 + term * d)
            c = _away_from_zero(1 + term / c)
            value *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
