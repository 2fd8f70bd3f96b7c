"""Recordings in progress side by side: one that was there when a worker died is worked on alone."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from qa_monitor.records import CallFacts
from qa_monitor.settings import Settings
from qa_monitor.store.jobs import Job
from qa_monitor.worker import Company, calls_at_once


def job(crashes: int) -> Job:
    return Job("0" * 64, "target", CallFacts(), "owner", 1, crashes)


def test_suspects_are_alone_and_the_others_are_not() -> None:
    company, lock = Company(), threading.Lock()
    inside: list[int] = []
    seen: list[tuple[int, ...]] = []

    def work(crashes: int) -> None:
        with company.of(job(crashes)):
            with lock:
                inside.append(crashes)
                seen.append(tuple(inside))
            time.sleep(0.02)
            with lock:
                inside.remove(crashes)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(work, [0, 0, 1, 0, 0, 2, 0, 1, 0, 0, 0, 0]))
    assert len(seen) == 12
    assert all(len(together) == 1 for together in seen if any(together))
    assert any(len(together) > 1 for together in seen)


def test_a_fault_lets_the_others_in() -> None:
    company = Company()
    for crashes in (1, 0, 1):
        try:
            with company.of(job(crashes)):
                raise MemoryError
        except MemoryError:
            pass
    with company.of(job(0)), company.of(job(0)):
        pass


def test_text_is_worked_on_one_by_one_and_recordings_are_not() -> None:
    assert calls_at_once(Settings(), "text") == 1
    assert calls_at_once(Settings(), "audio") >= 2
