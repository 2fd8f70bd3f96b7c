"""A batch: recordings in, workers kept busy, progress told. This process never touches audio.

walk → identify → facts → queue  ─┐
                                  ├─ store ─ worker ×N
progress, Ctrl-C, dead workers  ──┘
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any

import sqlalchemy as sa

from qa_monitor.errors import QaMonitorError, SetupError
from qa_monitor.pipeline import Kind, Toolbox, target_of
from qa_monitor.records import CallFacts, Note, Recording
from qa_monitor.settings import Settings
from qa_monitor.store import jobs, results
from qa_monitor.store.schema import jobs as job_table
from qa_monitor.store.schema import recordings, run_items, unread_files
from qa_monitor.store.store import Store, utc_now
from qa_monitor.worker import SETUP_EXIT, Progress, worker_main

POLL_S = 0.2
EXIT_S = 10.0
COUNT_EVERY_S = 1.0
QUEUE_BATCH = 200
# One heap for all threads of a worker: with one each, memory freed by one is lost to the others (100 MB). And one thread
# for each library: the lanes fill the cores, and threads that wait for each other cost a tenth of the time.
WORKER_ENV = {"MALLOC_ARENA_MAX": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
MAX_IDLE_DEATHS = 6  # workers that died in a row without finishing anything: the set-up is to blame, not a recording


@dataclass(slots=True)
class BatchState:
    """Where a batch stands. `sound_s` counts sound finished in this run; bytes are the recordings' sizes."""

    seen: int = 0
    done: int = 0
    failed: int = 0
    set_aside: int = 0
    left: int = 0
    fresh: int = 0  # finished in this run, not before
    unread: int = 0
    sound_s: float = 0.0
    bytes_fresh: int = 0
    bytes_left: int = 0
    elapsed_s: float = 0.0
    walking: bool = True
    interrupted: bool = False
    notes: list[Note] = field(default_factory=list)

    @property
    def speed(self) -> float:
        """Seconds of sound finished a second of wall time."""
        return self.sound_s / self.elapsed_s if self.elapsed_s > 0 else 0.0

    @property
    def left_s(self) -> float | None:
        """Wall seconds to go, by the bytes finished so far; None while there is too little to go by."""
        if self.walking or not self.bytes_fresh or self.done < 2:
            return None
        return self.elapsed_s * self.bytes_left / self.bytes_fresh


Tell = Callable[[BatchState], None]


class Batch:
    """One run over one kind of input. Use as a context manager; `add` inputs, then `wait`."""

    def __init__(self, store: Store, settings: Settings, kind: Kind, workers: int, tell: Tell) -> None:
        self.store = store
        self.settings = settings
        self.kind: Kind = kind
        self.tools = Toolbox(settings)
        self.state = BatchState()
        self.run = uuid.uuid4().hex[:12]
        self.profile = target_of(kind, CallFacts(), self.tools)
        self._tell = tell
        self._worker_count = workers
        self._context = multiprocessing.get_context("spawn")
        self._no_more = self._context.Event()
        self._stopping = self._context.Event()
        self._progress: Any = self._context.Queue()
        self._workers: list[BaseProcess] = []
        self._idle_deaths = 0
        self._started = time.monotonic()
        self._counted = 0.0
        self._pending: list[tuple[Recording, CallFacts, bytes | None]] = []

    # --- life ---------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Batch:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for worker in self._workers:
            worker.join(timeout=10.0)
            if worker.is_alive():
                worker.kill()
                worker.join()
        self._progress.close()
        with self.store.write() as connection:
            connection.execute(run_items.delete().where(run_items.c.run == self.run))

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Ctrl-C once: finish the stage in progress and stop. Twice: stop now. Both can be resumed."""

        def handle(_signal: int, _frame: FrameType | None) -> None:
            if self._stopping.is_set():
                for worker in self._workers:
                    worker.kill()
            self.state.interrupted = True
            self._stopping.set()

        old = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in old.items():
                signal.signal(number, handler)

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    # --- inputs -------------------------------------------------------------------------------------------------------

    def add(self, recording: Recording, facts: CallFacts, source: bytes | None = None) -> None:
        """Register an input and queue it; written in groups, so call `flush` (or `wait`) at the end."""
        self._pending.append((recording, facts, source))
        self.state.seen += 1
        if len(self._pending) >= QUEUE_BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what was added, and see that workers are there to do it."""
        if self._pending:
            with self.store.write() as connection:
                queued = [self._register(connection, *item) for item in self._pending]
            self._pending.clear()
            if "queued" in queued or "running" in queued:
                self._start_workers()
        self.tick()

    def _register(self, connection: Any, recording: Recording, facts: CallFacts, source: bytes | None) -> str:
        results.register(connection, recording, self.kind, facts, source)
        connection.execute(unread_files.delete().where(unread_files.c.path == recording.path))
        known = [facts for _, facts in results.sightings_of(connection, recording.sha256)]
        merged, notes = merge_facts(known, recording.name)
        self.state.notes.extend(notes)
        target = target_of(self.kind, merged, self.tools)
        state = jobs.enqueue(connection, recording.sha256, target, self.profile, merged)
        item = {"run": self.run, "sha256": recording.sha256}
        if connection.execute(sa.select(run_items.c.run).filter_by(**item)).first() is None:
            connection.execute(run_items.insert().values(**item))
        return state

    def add_unread(self, path: bytes, name: str, error: QaMonitorError) -> None:
        """Keep an input that could not be read at all."""
        values = {
            "name": name,
            "error_code": error.code,
            "error_title": error.title,
            "error_what": error.what,
            "error_hint": error.hint,
            "seen_at": utc_now(),
        }
        with self.store.write() as connection:
            connection.execute(unread_files.delete().where(unread_files.c.path == path))
            connection.execute(unread_files.insert().values(path=path, **values))
        self.state.seen += 1
        self.state.unread += 1

    def wait(self) -> BatchState:
        """Until everything added has ended (or the user stopped it). Raises SetupError when a worker reports one."""
        self.flush()
        self.state.walking = False
        self._no_more.set()
        while not self.stopping:
            self._counted = 0.0
            self.tick()
            if not self.state.left:
                break
            self._start_workers()
            time.sleep(POLL_S)
        while self.stopping and any(worker.is_alive() for worker in self._workers):
            self.tick()
            time.sleep(POLL_S)
        for worker in self._workers:
            worker.join(timeout=EXIT_S)  # their last words are still on the way
        self._counted = 0.0
        self.tick()
        return self.state

    # --- looking after the workers ------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Hear from the workers, replace the dead, count, and tell."""
        self._hear()
        self._replace_dead()
        now = time.monotonic()
        self.state.elapsed_s = now - self._started
        if now - self._counted >= COUNT_EVERY_S:
            self._counted = now
            self._count()
        self._tell(self.state)

    def _hear(self) -> None:
        while True:
            try:
                message = self._progress.get_nowait()
            except queue.Empty:
                return
            if isinstance(message, SetupError):
                raise message
            self._note_progress(message)

    def _note_progress(self, progress: Progress) -> None:
        self._idle_deaths = 0
        if progress.outcome in ("done", "failed"):
            self.state.fresh += 1
            self.state.sound_s += progress.seconds
            with self.store.read() as connection:
                size = sa.select(recordings.c.size_bytes).where(recordings.c.sha256 == progress.sha256)
                self.state.bytes_fresh += connection.scalar(size) or 0

    def _replace_dead(self) -> None:
        for worker in [worker for worker in self._workers if not worker.is_alive()]:
            self._workers.remove(worker)
            if worker.exitcode == SETUP_EXIT:
                time.sleep(POLL_S)  # its reason may still be in the pipe
                self._hear()
            if worker.exitcode == 0 or self.stopping:
                continue
            self._idle_deaths += 1
            if self._idle_deaths > MAX_IDLE_DEATHS:
                raise SetupError(
                    f"工作进程接连崩溃（退出码 {worker.exitcode}）",
                    hint="请运行 qa-monitor doctor 检查；内存不足时可加 --workers 1",
                )
            self._start_workers()

    def _start_workers(self) -> None:
        while len(self._workers) < self._worker_count and not self.stopping:
            worker = self._context.Process(
                target=worker_main,
                args=(self.settings, self.kind, self.profile, self._no_more, self._stopping, self._progress),
                name=f"qa-worker-{len(self._workers) + 1}",
            )
            for name, value in WORKER_ENV.items():
                os.environ.setdefault(name, value)
            worker.start()
            self._workers.append(worker)

    def _count(self) -> None:
        with self.store.read() as connection:
            states = jobs.counts(connection, run=self.run)
            unfinished = (
                sa.select(sa.func.coalesce(sa.func.sum(recordings.c.size_bytes), 0))
                .join(run_items, run_items.c.sha256 == recordings.c.sha256)
                .join(job_table, job_table.c.sha256 == recordings.c.sha256)
                .where(run_items.c.run == self.run, job_table.c.state.in_(["queued", "running"]))
            )
            self.state.bytes_left = int(connection.scalar(unfinished) or 0)
        self.state.done = states.get("done", 0)
        self.state.failed = states.get("failed", 0)
        self.state.set_aside = states.get("set_aside", 0)
        self.state.left = states.get("queued", 0) + states.get("running", 0) + len(self._pending)


def merge_facts(known: Iterable[CallFacts], name: str) -> tuple[CallFacts, list[Note]]:
    """The facts of one content seen under several names. Where two names disagree, neither is believed."""
    merged: dict[str, Any] = {}
    disagreed: set[str] = set()
    for facts in known:
        for part in fields(facts):
            value = getattr(facts, part.name)
            if part.name in ("extra", "sources"):
                merged[part.name] = {**value, **merged.get(part.name, {})}
            elif value is not None and merged.setdefault(part.name, value) != value:
                disagreed.add(part.name)
    nothing: dict[str, Any] = dict.fromkeys(disagreed)
    facts = replace(CallFacts(**merged), **nothing)
    labels = {"call_id": "通话编号", "agent_id": "工号", "started_at": "开始时间", "business": "业务类型"}
    kept_back = [labels.get(field_name, field_name) for field_name in sorted(disagreed)]
    if not kept_back:
        return facts, []
    return facts, [Note("facts_conflict", f"{name}：同一录音以多个文件名出现，{'、'.join(kept_back)}互相矛盾，未采用")]


def default_workers(kind: Kind) -> int:
    """One worker listens with every core; text is spread over the cores."""
    return 1 if kind == "audio" else max(1, min(4, os.cpu_count() or 1))
