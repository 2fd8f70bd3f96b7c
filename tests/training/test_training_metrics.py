"""The figures, against values worked out by hand and against scipy."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from qa_monitor.training import metrics
from qa_monitor.training.calibrate import fail_logit, temperatures
from qa_monitor.training.examples import Example
from qa_monitor.training.public_sets import between, share
from qa_monitor.training.spoil import confusable, spoil


def one(*shares: float) -> np.ndarray:
    return np.array([shares])


def test_distances_by_hand() -> None:
    assert metrics.nmd(one(1, 0, 0, 0, 0), one(0, 0, 0, 0, 1)) == 1
    assert metrics.nmd(one(1, 0, 0, 0, 0), one(0, 1, 0, 0, 0)) == 0.25
    assert metrics.rsnod(one(0.5, 0.5, 0), one(0.5, 0.5, 0)) == 0
    # truth all in class 1, guess all in class 3: each side's divergence is 1²·2, and √(2 / 2) = 1
    assert metrics.rsnod(one(1, 0, 0), one(0, 0, 1)) == 1


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=40))
def test_rank_correlation_is_scipys(pairs: list[tuple[int, int]]) -> None:
    left, right = zip(*pairs, strict=True)
    expected = 0.0 if len({*left}) == 1 or len({*right}) == 1 else stats.spearmanr(left, right).statistic
    assert metrics.spearman(left, right) == pytest.approx(expected, abs=1e-9)


def test_f1_and_calibration() -> None:
    assert metrics.macro_f1(["a", "a", "b"], ["a", "b", "b"]) == pytest.approx(2 / 3)
    assert metrics.calibration_error(np.array([[0.8, 0.2]] * 5), [0, 0, 0, 0, 1]) == pytest.approx(0)
    assert metrics.calibration_error(np.array([[0.9, 0.1]] * 4), [1, 1, 1, 1]) == pytest.approx(0.9)


def test_votes_and_means_become_distributions() -> None:
    assert share([0, 0, 4], 5) == (2 / 3, 0, 0, 0, 1 / 3)
    assert between(3.25, 5) == (0, 0, 0, 0.75, 0.25)
    assert between(4, 5) == (0, 0, 0, 0, 1)


def test_temperature_softens_what_is_too_sure() -> None:
    found = {str(n): {"call.x": np.array([0.99, 0.01])} for n in range(10)}
    examples = [Example(str(n), "s", (), call={"x": (1.0, 0.0) if n < 7 else (0.0, 1.0)}) for n in range(10)]
    assert temperatures(found, examples)["call.x"] > 1.5


def test_spoiling_keeps_its_rate_and_is_repeatable() -> None:
    text = "您好请问有什么可以帮您的吗" * 100
    assert spoil(text, 0, random.Random(1)) == text
    once = spoil(text, 0.15, random.Random(1))
    assert once == spoil(text, 0.15, random.Random(1))
    changed = sum(a != b for a, b in zip(text, spoil(text, 0.15, random.Random(2)), strict=False))
    assert changed > 0
    assert 0.9 < len(once) / len(text) < 1
    assert "表" in confusable()["标"]
    assert spoil("abc 12", 1.0, random.Random(1)) == "abc 12"


def test_fails_expected_become_as_many_as_there_are() -> None:
    found = {str(n): {"rules": np.array([[0.3, 0.6, 0.1]])} for n in range(10)}
    examples = [Example(str(n), "s", (), rules=((0.0, 1.0, 0.0) if n < 2 else (1.0, 0.0, 0.0),)) for n in range(10)]
    moved = np.array([0.3, 0.6 * np.exp(fail_logit(found, examples)), 0.1])
    assert moved[1] / moved.sum() == pytest.approx(0.2, abs=1e-6)
