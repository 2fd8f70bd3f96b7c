"""What is dear is made once, however many threads ask for it first."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from qa_monitor.shared import shared


def test_threads_that_ask_at_once_share_one() -> None:
    asked = threading.Barrier(4)
    made: list[object] = []

    @shared
    def dear() -> object:
        made.append(object())
        threading.Event().wait(0.05)  # long enough for the others to ask as well
        return made[-1]

    def ask(_: int) -> object:
        asked.wait()
        return dear()

    with ThreadPoolExecutor(4) as threads:
        given = set(map(id, threads.map(ask, range(4))))
    assert len(made) == 1
    assert given == {id(made[0])}


def test_a_failure_is_not_kept() -> None:
    tries = 0

    @shared
    def dear() -> int:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise OSError("disk")
        return tries

    with pytest.raises(OSError, match="disk"):
        dear()
    assert dear() == dear() == 2
