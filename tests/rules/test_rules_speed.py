"""The cost of a call grows with its turns, hardly with the wordings. Bounds are loose: machines are shared."""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

from qa_monitor.records import CallFacts, Dialogue
from qa_monitor.rules.rulebook import Rulebook

BENCH = Path(__file__).parents[2] / "bench" / "bench_rules.py"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_rules", BENCH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["bench_rules"] = module
    spec.loader.exec_module(module)
    return module


def fastest_s(book: Rulebook, call: Dialogue, runs: int = 7) -> float:
    book.check(call, CallFacts())
    times = []
    for _ in range(runs):
        start = time.process_time()
        book.check(call, CallFacts())
        times.append(time.process_time() - start)
    return min(times)


def test_a_hundred_rules_over_forty_turns(bench: ModuleType, tmp_path: Path) -> None:
    assert fastest_s(bench.rulebook(100, 1000, tmp_path), bench.dialogue(40)) < 0.06


def test_ten_thousand_wordings_cost_little_more_than_a_hundred(bench: ModuleType, tmp_path: Path) -> None:
    call = bench.dialogue(40)
    few = fastest_s(bench.rulebook(100, 100, tmp_path), call)
    many = fastest_s(bench.rulebook(100, 10_000, tmp_path), call)
    assert many < 2.5 * few


def test_cost_is_linear_in_turns(bench: ModuleType, tmp_path: Path) -> None:
    book = bench.rulebook(100, 500, tmp_path)
    short, long = fastest_s(book, bench.dialogue(200), 3), fastest_s(book, bench.dialogue(1600), 2)
    assert long < 8 * 2 * short
