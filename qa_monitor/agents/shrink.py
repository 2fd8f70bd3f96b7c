"""Empirical Bayes: a mean over few calls is drawn towards everybody's, the more so the fewer calls it rests on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from qa_monitor.agents.interval import EMPTY, Figure
from qa_monitor.agents.quantiles import normal_quantile


@dataclass(frozen=True, slots=True)
class Prior:
    """What agents are like before anybody listened: their mean, the variance between them, and within one's calls."""

    mean: float
    between: float
    within: float


def prior_of(groups: Sequence[tuple[int, float, float]]) -> Prior | None:
    """From (count, mean, sum of squared distances) of each agent; None when there is nothing to learn from.

    `within` is the variance pooled over agents, `between` DerSimonian and Laird's moment estimate (never negative),
    `mean` the mean weighted by 1 / (between + within / count).
    """
    there = [(count, mean, squares) for count, mean, squares in groups if count]
    freedom = sum(count - 1 for count, _, _ in there)
    if len(there) < 2 or freedom < 1:
        return None
    within = math.fsum(squares for _, _, squares in there) / freedom
    if within <= 0:
        return None
    weights = [count / within for count, _, _ in there]
    total = math.fsum(weights)
    centre = math.fsum(w * mean for w, (_, mean, _) in zip(weights, there, strict=True)) / total
    q = math.fsum(w * (mean - centre) ** 2 for w, (_, mean, _) in zip(weights, there, strict=True))
    scale = total - math.fsum(w * w for w in weights) / total
    between = max(0.0, (q - (len(there) - 1)) / scale) if scale > 0 else 0.0
    shares = [1 / (between + within / count) for count, _, _ in there]
    mean = math.fsum(w * mean for w, (_, mean, _) in zip(shares, there, strict=True)) / math.fsum(shares)
    return Prior(mean, between, within)


def shrunken(prior: Prior | None, count: int, mean: float, least: float = 0.0, most: float = 100.0) -> Figure:
    """The posterior mean of an agent with `count` calls, and its 95 % interval; EMPTY without calls or prior."""
    if prior is None or not count:
        return EMPTY
    noise = prior.within / count
    trust = prior.between / (prior.between + noise) if prior.between else 0.0
    value = prior.mean + trust * (mean - prior.mean)
    half = normal_quantile() * math.sqrt(trust * noise)
    return Figure(value, count, max(least, value - half), min(most, value + half))
