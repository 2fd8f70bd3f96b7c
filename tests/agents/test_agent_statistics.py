"""Intervals, shrinkage and case mix against scipy, numpy and published figures."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from qa_monitor.agents.casemix import LEAST_CALLS, OTHER, Cell, adjust
from qa_monitor.agents.interval import (
    Figure,
    correlation,
    difference_of_means,
    difference_of_shares,
    figure_of,
    mean_figure,
    share_figure,
)
from qa_monitor.agents.quantiles import normal_quantile, t_quantile
from qa_monitor.agents.ranking import ranks
from qa_monitor.agents.shrink import prior_of, shrunken

points = st.lists(st.floats(0, 100).map(lambda value: round(value, 1)), min_size=2, max_size=40)


@given(st.floats(0.5, 1e6))
def test_t_quantile(freedom: float) -> None:
    assert t_quantile(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-8)


def test_normal_quantile() -> None:
    assert normal_quantile() == pytest.approx(stats.norm.ppf(0.975), rel=1e-12)


@given(st.integers(0, 400), st.integers(1, 400))
def test_share_is_wilsons(hits: int, count: int) -> None:
    assume(hits <= count)
    found = share_figure(hits, count)
    expected = stats.binomtest(hits, count).proportion_ci(0.95, method="wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_difference_of_shares_is_newcombes() -> None:
    """R. G. Newcombe, Statistics in Medicine 17 (1998) 873–890, table II, method 10: 56/70 − 48/80, and extremes."""
    assert rounded(difference_of_shares(56, 70, 48, 80)) == (0.2, 0.0524, 0.3339)
    assert rounded(difference_of_shares(9, 10, 3, 10)) == (0.6, 0.1705, 0.8090)
    assert rounded(difference_of_shares(10, 10, 0, 20)) == (1.0, 0.6791, 1.0)


def rounded(figure: Figure) -> tuple[float, float, float]:
    assert figure.value is not None
    assert figure.low is not None
    assert figure.high is not None
    return round(figure.value, 4), round(figure.low, 4), round(figure.high, 4)


@given(points, points)
def test_difference_of_means_is_welchs(one: list[float], two: list[float]) -> None:
    assume(np.var(one) > 0.01 and np.var(two) > 0.01)
    found = difference_of_means(*moments(one), *moments(two))
    expected = stats.ttest_ind(one, two, equal_var=False).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-6, abs=1e-6)


def moments(values: list[float]) -> tuple[int, float, float]:
    mean = math.fsum(values) / len(values)
    return len(values), mean, math.fsum((value - mean) ** 2 for value in values)


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 1)), min_size=5, max_size=60))
def test_correlation_is_pearsons_with_fishers_interval(pairs: list[tuple[float, float]]) -> None:
    left, right = zip(*pairs, strict=True)
    assume(np.std(left) > 0.1 and np.std(right) > 0.01)
    found = correlation(pairs)
    expected = stats.pearsonr(left, right)
    assert found.value == pytest.approx(expected.statistic, abs=1e-9)
    if abs(expected.statistic) < 0.9999:
        interval = expected.confidence_interval(0.95)
        assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=1e-7)


@pytest.mark.parametrize("pairs", [[], [(1.0, 2.0)], [(1.0, 2.0), (3.0, 4.0)], [(1.0, 2.0)] * 10])
def test_no_correlation_where_there_is_none_to_find(pairs: list[tuple[float, float]]) -> None:
    assert correlation(pairs).value is None


@given(points)
def test_mean_has_students_interval(values: list[float]) -> None:
    found = mean_figure(values)
    error = stats.sem(values)
    if error > 1e-9:
        low, high = stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=error)
        assert (found.low, found.high) == pytest.approx((low, high), rel=1e-7, abs=1e-7)


def test_nothing_and_one() -> None:
    assert mean_figure([]) == Figure(None, 0)
    assert mean_figure([70.0]) == Figure(70.0, 1)
    assert share_figure(0, 0) == Figure(None, 0)
    assert figure_of(0, math.nan, math.nan) == Figure(None, 0)
    assert difference_of_shares(1, 2, 0, 0).value is None


# --- shrinkage --------------------------------------------------------------------------------------------------------


def test_between_variance_is_dersimonian_and_lairds() -> None:
    groups = [(5, 80.0, 400.0), (12, 90.0, 900.0), (40, 70.0, 5000.0), (2, 100.0, 2.0)]
    prior = prior_of(groups)
    assert prior is not None
    counts = np.array([group[0] for group in groups], float)
    means = np.array([group[1] for group in groups])
    within = sum(group[2] for group in groups) / (counts.sum() - len(groups))
    weights = counts / within
    centre = np.average(means, weights=weights)
    q = float((weights * (means - centre) ** 2).sum())
    between = (q - 3) / (weights.sum() - (weights**2).sum() / weights.sum())
    assert prior.within == pytest.approx(within)
    assert prior.between == pytest.approx(between)
    assert prior.mean == pytest.approx(np.average(means, weights=1 / (between + within / counts)))


def test_shrinkage_recovers_what_made_the_data() -> None:
    rng = random.Random(7)
    groups = []
    for _ in range(800):
        level, count = rng.gauss(80, 6), rng.randint(3, 40)
        calls = [rng.gauss(level, 15) for _ in range(count)]
        groups.append(moments(calls))
    prior = prior_of(groups)
    assert prior is not None
    assert prior.mean == pytest.approx(80, abs=0.8)
    assert math.sqrt(prior.between) == pytest.approx(6, abs=0.6)
    assert math.sqrt(prior.within) == pytest.approx(15, abs=0.4)


@given(st.integers(1, 10_000), st.floats(0, 100))
def test_shrunken_lies_between_the_agent_and_everybody(count: int, mean: float) -> None:
    prior = prior_of([(10, 70.0, 900.0), (10, 90.0, 900.0), (10, 80.0, 900.0)])
    assert prior is not None
    found = shrunken(prior, count, mean)
    assert found.value is not None
    low, high = sorted((mean, prior.mean))
    assert low - 1e-9 <= found.value <= high + 1e-9
    more = shrunken(prior, count * 10, mean)
    assert abs((more.value or 0) - mean) <= abs(found.value - mean) + 1e-9


def test_nothing_to_shrink_to() -> None:
    assert prior_of([]) is None
    assert prior_of([(1, 80.0, 0.0), (1, 70.0, 0.0)]) is None
    assert shrunken(None, 5, 80.0).value is None


# --- case mix ---------------------------------------------------------------------------------------------------------


def cells_from(calls: list[tuple[str, str, str, float]]) -> list[Cell]:
    grouped: dict[tuple[str, str, str], list[float]] = {}
    for agent, business, emotion, value in calls:
        grouped.setdefault((agent, business, emotion), []).append(value)
    return [
        Cell(agent, (business, emotion, "好"), len(values), math.fsum(values), math.fsum(v * v for v in values))
        for (agent, business, emotion), values in grouped.items()
    ]


def test_effects_are_those_of_least_squares_with_a_dummy_an_agent() -> None:
    rng = random.Random(3)
    calls = []
    for agent, level in (("a", 90), ("b", 80), ("c", 70)):
        for _ in range(120):
            business = "投诉" if rng.random() < {"a": 0.1, "b": 0.5, "c": 0.9}[agent] else "查询"
            emotion = rng.choice(("angry", "neutral"))
            value = level - 12 * (business == "投诉") - 5 * (emotion == "angry") + rng.gauss(0, 4)
            calls.append((agent, business, emotion, value))
    mix = adjust(cells_from(calls))
    rows = [
        [*(agent == name for name in "abc"), business == "投诉", emotion == "angry"]
        for agent, business, emotion, _ in calls
    ]
    found = np.linalg.lstsq(np.array(rows, float), np.array([call[3] for call in calls]), rcond=None)[0]
    effect = mix.effects["业务类型", "投诉"] - mix.effects["业务类型", "查询"]
    assert effect == pytest.approx(found[3], abs=1e-8)
    anger = mix.effects["开场情绪", "angry"] - mix.effects["开场情绪", "neutral"]
    assert anger == pytest.approx(found[4], abs=1e-8)
    for name, level in zip("abc", found[:3], strict=True):
        share = (
            np.mean([call[1] == "投诉" for call in calls]) * found[3]
            + np.mean([c[2] == "angry" for c in calls]) * found[4]
        )
        assert mix.levels[name].adjusted_mean == pytest.approx(level + share, abs=1e-8)


def test_equal_agents_with_different_calls_come_out_equal() -> None:
    calls = [("easy", "查询", "neutral", 90.0)] * 90 + [("easy", "投诉", "neutral", 70.0)] * 10
    calls += [("hard", "查询", "neutral", 90.0)] * 10 + [("hard", "投诉", "neutral", 70.0)] * 90
    mix = adjust(cells_from(calls))
    assert mix.levels["easy"].mean - mix.levels["hard"].mean == pytest.approx(16)
    assert mix.levels["easy"].adjusted_mean == pytest.approx(mix.levels["hard"].adjusted_mean)


def test_rare_levels_are_put_together_and_one_level_adjusts_nothing() -> None:
    calls = [("a", "查询", "neutral", 90.0)] * LEAST_CALLS + [("a", "罕见", "neutral", 10.0)]
    assert ("业务类型", OTHER) in adjust(cells_from(calls)).calls
    alike = adjust(cells_from([("a", "查询", "neutral", 90.0), ("b", "查询", "neutral", 80.0)]))
    assert not alike.adjusted
    assert all(level.mean == level.adjusted_mean for level in alike.levels.values())
    assert adjust([]).levels == {}


# --- places -----------------------------------------------------------------------------------------------------------


def test_places_only_where_intervals_do_not_overlap() -> None:
    found = ranks({
        "a": Figure(95, 9, 93, 97), "b": Figure(90, 9, 85, 94), "c": Figure(88, 9, 84, 92), "d": Figure(60, 9, 55, 65),
        "e": Figure(99, 1),
    })  # fmt: skip
    assert [(found[name].best, found[name].worst) for name in "abcd"] == [(1, 2), (1, 3), (2, 3), (4, 4)]
    assert found["d"].settled
    assert not found["a"].settled
    assert "e" not in found
    assert [found[name].place for name in "abcd"] == [1, 2, 3, 4]
