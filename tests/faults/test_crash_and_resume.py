"""Killed anywhere, nothing is lost, doubled or half-written, and the next run finishes."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import simple_stages
import sqlalchemy as sa

from qa_monitor import pipeline
from qa_monitor.errors import DiskFull, NotAudio, StoreBusy
from qa_monitor.records import CallFacts
from qa_monitor.settings import load_settings
from qa_monitor.store import jobs, results, schema
from qa_monitor.store.store import Store

STAGES_A_CALL = 4


@pytest.fixture(autouse=True)
def simple(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "STAGES", {**pipeline.STAGES, "text": simple_stages.stages()})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(load_settings(tmp_path).store_url)


def run_to_end(store: Store, home: Path) -> list[str]:
    no_more = threading.Event()
    no_more.set()
    return [event.outcome for event in simple_stages.make_worker(store, home, threading.Event()).run(no_more)]


def assert_consistent(store: Store) -> None:
    """No partial call: done means every stage stored once and current; a call row exists only with its findings."""
    with store.read() as connection:
        doubled = connection.execute(
            sa.select(schema.results.c.sha256, schema.results.c.stage)
            .group_by(schema.results.c.sha256, schema.results.c.stage, schema.results.c.settings_hash)
            .having(sa.func.count() > 1)
        ).all()
        assert doubled == []
        done = connection.scalars(sa.select(schema.jobs.c.sha256).where(schema.jobs.c.state == "done")).all()
        for sha256 in done:
            kinds = {stage.name: stage.produces for stage in pipeline.STAGES["text"]}
            assert set(results.current(connection, sha256, kinds)) == set(kinds)
        calls = connection.scalars(sa.select(schema.calls.c.sha256)).all()
        assert sorted(calls) == sorted(done)
        finding_calls = connection.scalars(sa.select(schema.call_findings.c.sha256)).all()
        assert sorted(finding_calls) == sorted(done)


def test_kill_nine_at_every_checkpoint(tmp_path: Path, store: Store) -> None:
    names = simple_stages.enqueue(store, 2)
    store.close()
    fresh = tmp_path / "fresh.db"
    shutil.copy(tmp_path / "store.db", fresh)
    script = str(Path(simple_stages.__file__))
    killed = 0
    for kill_at in range(1, 200, 3):  # every third checkpoint: all kinds of place come up, since a call has 27
        for leftover in tmp_path.glob("store.db*"):
            leftover.unlink()
        shutil.copy(fresh, tmp_path / "store.db")
        ended = subprocess.run([sys.executable, script, str(tmp_path), str(kill_at)], capture_output=True, timeout=60)
        store = Store.open(load_settings(tmp_path).store_url)
        assert_consistent(store)
        if ended.returncode == 0:
            store.close()
            break
        assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
        killed += 1
        with store.read() as connection:
            kept = connection.scalar(sa.select(sa.func.count()).select_from(schema.results))
        run_to_end(store, tmp_path)
        assert_consistent(store)
        with store.read() as connection:
            assert jobs.counts(connection) == {"done": len(names)}
            total = connection.scalar(sa.select(sa.func.count()).select_from(schema.results))
        assert total == STAGES_A_CALL * len(names)
        assert kept is not None
        assert kept <= total
        store.close()
    else:
        pytest.fail("the worker never ran to its end")
    assert killed >= 10


def test_a_recording_that_kills_its_worker_twice_is_set_aside(tmp_path: Path, store: Store) -> None:
    (bad,) = simple_stages.enqueue(store, 1)
    for _ in range(2):
        job = jobs.lease_next(store, simple_stages.PROFILE, "host|gone|1|0.0|x", 0.0, 2)
        assert job is not None
        assert job.sha256 == bad
    simple_stages.enqueue(store, 2)
    assert run_to_end(store, tmp_path) == ["done"]
    with store.read() as connection:
        assert [(f.sha256, f.state, f.code) for f in jobs.failures(connection)] == [(bad, "set_aside", "poisoned")]
    assert jobs.requeue_failed(store) == 1
    assert run_to_end(store, tmp_path) == ["done"]
    with store.read() as connection:
        assert jobs.counts(connection) == {"done": 2}


def test_frozen_worker_cannot_write_after_its_lease_was_taken(tmp_path: Path, store: Store) -> None:
    (name,) = simple_stages.enqueue(store, 1)
    frozen = jobs.lease_next(store, simple_stages.PROFILE, jobs.new_owner(), 0.05, 5)
    assert frozen is not None
    time.sleep(0.1)
    assert run_to_end(store, tmp_path) == ["done"]
    with pytest.raises(jobs.LeaseLost), store.write() as connection:
        jobs.hold(connection, frozen, stage="dialogue")
        connection.execute(schema.results.delete())
    with pytest.raises(jobs.LeaseLost):
        jobs.renew(store, frozen, 60)
    assert_consistent(store)
    with store.read() as connection:
        assert connection.scalar(sa.select(schema.jobs.c.state).where(schema.jobs.c.sha256 == name)) == "done"


def test_two_workers_share_the_work_without_doing_it_twice(tmp_path: Path, store: Store) -> None:
    simple_stages.enqueue(store, 30)
    store.close()
    script = str(Path(simple_stages.__file__))
    pair = [subprocess.Popen([sys.executable, script, str(tmp_path), "100000"]) for _ in range(2)]
    assert [process.wait(60) for process in pair] == [0, 0]
    store = Store.open(load_settings(tmp_path).store_url)
    assert_consistent(store)
    with store.read() as connection:
        assert jobs.counts(connection) == {"done": 30}
        assert connection.scalar(sa.select(sa.func.max(schema.jobs.c.fence))) == 1
    store.close()


def test_stop_keeps_what_is_done_and_gives_the_rest_back(tmp_path: Path, store: Store) -> None:
    simple_stages.enqueue(store, 1)
    stopping = threading.Event()
    worker = simple_stages.make_worker(store, tmp_path, stopping)
    job = jobs.lease_next(store, simple_stages.PROFILE, worker.owner, 60, 2)
    assert job is not None
    stopping.set()
    assert worker.process(job).outcome == "postponed"
    with store.read() as connection:
        assert jobs.counts(connection) == {"queued": 1}
    assert run_to_end(store, tmp_path) == ["done"]


def test_bad_recording_stays_failed_until_retry_or_new_settings(store: Store) -> None:
    (name,) = simple_stages.enqueue(store, 1)
    job = jobs.lease_next(store, simple_stages.PROFILE, jobs.new_owner(), 60, 2)
    assert job is not None
    jobs.fail(store, job, NotAudio("内容是文字", hint="请检查"))
    with store.write() as connection:
        again = jobs.enqueue(connection, name, simple_stages.target(name), simple_stages.PROFILE, CallFacts())
        assert again == "failed"
        assert jobs.enqueue(connection, name, "other", "other-profile", CallFacts()) == "queued"


def test_a_new_target_while_running_is_queued_again_at_the_end(tmp_path: Path, store: Store) -> None:
    (name,) = simple_stages.enqueue(store, 1)
    job = jobs.lease_next(store, simple_stages.PROFILE, jobs.new_owner(), 60, 2)
    assert job is not None
    with store.write() as connection:
        jobs.enqueue(connection, name, "newer", simple_stages.PROFILE, CallFacts())
    worker = simple_stages.make_worker(store, tmp_path, threading.Event())
    assert worker.process(job).outcome == "done"
    with store.read() as connection:
        assert jobs.counts(connection) == {"queued": 1}


def test_copy_of_database_and_log_in_the_middle_of_a_run_is_consistent(tmp_path: Path, store: Store) -> None:
    """What a power cut leaves: whatever reached the files, opened afresh."""
    simple_stages.enqueue(store, 20)
    script = str(Path(simple_stages.__file__))
    running = subprocess.Popen([sys.executable, script, str(tmp_path), "100000"])
    copies = []
    while running.poll() is None and len(copies) < 5:
        time.sleep(0.15)
        copy = tmp_path / f"copy{len(copies)}"
        copy.mkdir()
        for name in ("store.db", "store.db-wal"):
            if (tmp_path / name).exists():
                shutil.copy(tmp_path / name, copy / name)
        copies.append(copy)
    running.wait(60)
    assert copies
    for copy in copies:
        plain = sqlite3.connect(copy / "store.db")
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        plain.close()
        opened = Store.open(load_settings(copy).store_url)
        assert_consistent(opened)
        opened.close()
    store.close()


def test_full_disk_is_told_and_leaves_nothing_half_written(tmp_path: Path, store: Store) -> None:
    simple_stages.enqueue(store, 3)
    with store.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
    with pytest.raises(DiskFull, match="磁盘已满"), store.write() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        for index in range(2000):
            results.set_meta(connection, f"filler{index}", "x" * 4000)
    with store.write() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1073741823")
        left = sa.select(sa.func.count()).where(schema.meta.c.key.like("filler%"))
        assert connection.scalar(left) == 0
    assert set(run_to_end(store, tmp_path)) == {"done"}


def test_disk_full_postpones_the_recording_and_does_not_fail_it(tmp_path: Path, store: Store) -> None:
    simple_stages.enqueue(store, 1)
    job = jobs.lease_next(store, simple_stages.PROFILE, jobs.new_owner(), 60, 2)
    assert job is not None
    assert jobs.postpone(store, job, DiskFull("满了"), delay_s=30.0)
    with store.read() as connection:
        row = connection.execute(sa.select(schema.jobs)).one()
    assert (row.state, row.retries) == ("queued", 1)
    assert row.not_before > time.time() + 20
    assert jobs.lease_next(store, simple_stages.PROFILE, jobs.new_owner(), 60, 2) is None


def test_readers_are_not_blocked_by_a_writer(store: Store) -> None:
    simple_stages.enqueue(store, 1)
    with store.write() as writing:
        results.set_meta(writing, "k", "v")
        started = time.monotonic()
        with store.read() as reading:
            assert jobs.counts(reading) == {"queued": 1}
        assert time.monotonic() - started < 1.0


def test_locked_store_is_busy_not_broken(store: Store) -> None:
    impatient = Store.open(store.engine.url.render_as_string())
    with store.write():
        with impatient.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout = 50")
            connection.rollback()
        with pytest.raises(StoreBusy), impatient.write():
            pass
    impatient.close()
