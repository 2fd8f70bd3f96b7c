"""Windows of several calls share batches, and nobody waits for ever."""

from __future__ import annotations

import threading
from concurrent.futures import wait
from typing import Any

import pytest

from qa_monitor.transcript.lanes import Lanes


def test_what_waits_for_the_same_is_done_together_up_to_a_full_batch() -> None:
    gate, sizes = threading.Event(), []

    def together(key: str, items: list[int]) -> list[Any]:
        sizes.append((key, len(items)))
        return [(key, item) for item in items]

    lanes = Lanes(1, together, most=4)
    lanes.single(gate.wait)  # everything else arrives meanwhile
    waiting = [lanes.join("ab"[number % 2], number) for number in range(14)]
    gate.set()
    wait(waiting, timeout=10)
    assert [one.result(0) for one in waiting] == [("ab"[number % 2], number) for number in range(14)]
    assert sorted(sizes) == [("a", 3), ("a", 4), ("b", 3), ("b", 4)]


def test_a_batch_waits_for_what_is_being_prepared() -> None:
    begun, gate, sizes = threading.Event(), threading.Event(), []

    def together(_key: str, items: list[int]) -> list[int]:
        sizes.append(len(items))
        return items

    def prepare() -> None:
        begun.set()
        gate.wait(10)

    lanes = Lanes(2, together, most=8)
    prepared = lanes.single(prepare)
    begun.wait(10)
    first = lanes.join("key", 1)
    with pytest.raises(TimeoutError):
        first.result(0.1)
    second = lanes.join("key", 2)
    gate.set()
    prepared.result(10)
    assert (first.result(10), second.result(10)) == (1, 2)
    assert sum(sizes) == 2


def test_a_fault_reaches_everybody_it_concerns_and_nobody_else() -> None:
    def together(key: str, items: list[int]) -> list[int]:
        if key == "bad":
            raise MemoryError
        return items

    lanes = Lanes(2, together, most=8)
    bad, good = [lanes.join("bad", n) for n in range(3)], [lanes.join("good", n) for n in range(3)]
    for one in bad:
        with pytest.raises(MemoryError):
            one.result(10)
    assert [one.result(10) for one in good] == [0, 1, 2]
    with pytest.raises(ZeroDivisionError):
        lanes.single(lambda: 1 // 0).result(10)
    assert lanes.single(lambda: "still there").result(10) == "still there"
