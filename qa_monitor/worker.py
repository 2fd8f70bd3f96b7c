"""One recording through the stages, and the process that works on many.

Each stage is committed in one transaction, so a kill -9 at any moment loses at most the stage in progress.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from qa_monitor.errors import MachineError, OutOfMemory, QaMonitorError, RecordingError, SetupError, Unreadable
from qa_monitor.pipeline import Kind, Toolbox, Work, keys_for
from qa_monitor.records import CallScore, Dialogue, Findings, ModelScores, Recording
from qa_monitor.settings import Settings
from qa_monitor.store import calls, jobs, results
from qa_monitor.store.store import Store

if TYPE_CHECKING:
    from qa_monitor.audio.decoder import Audio

log = logging.getLogger(__name__)

BACK_OFF_S = 2.0
IDLE_WAIT_S = 0.3
SETUP_EXIT = 2


class Event(Protocol):
    """What a worker needs of a multiprocessing event."""

    def is_set(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Progress:
    """Told by a worker when a recording ends. `seconds` is its length of sound, 0 for text."""

    sha256: str
    outcome: str  # done | failed | postponed
    seconds: float = 0.0


class Stopped(Exception):
    """The user asked to stop; the recording is given back for later."""


class Worker:
    """Works on jobs of one kind until there are none left."""

    def __init__(
        self, store: Store, tools: Toolbox, kind: Kind, profile: str, stopping: Event, company: Company | None = None
    ) -> None:
        self.store = store
        self.tools = tools
        self.kind: Kind = kind
        self.profile = profile
        self.stopping = stopping
        self.owner = jobs.new_owner()
        self._company = company or Company()

    def run(self, no_more: Event) -> Iterator[Progress]:
        """Work until stopped, or until `no_more` is set and nothing is queued or in progress anywhere."""
        settings = self.tools.settings.store
        while not self.stopping.is_set():
            closing = no_more.is_set()  # read before looking: what was queued before it was set is then seen
            job = jobs.lease_next(self.store, self.profile, self.owner, settings.lease_s, settings.max_attempts)
            if job is not None:
                yield self.process(job)
                continue
            if closing and not self._others_busy():
                return
            time.sleep(IDLE_WAIT_S)

    def _others_busy(self) -> bool:
        with self.store.read() as connection:
            states = jobs.counts(connection, profile=self.profile)
        return bool(states.get("queued") or states.get("running"))

    def process(self, job: jobs.Job) -> Progress:
        """One job to its end, whatever that is."""
        try:
            with self._heartbeat(job), self._company.of(job):  # the lease is renewed while it waits, too
                seconds = self._stages(job)
            return Progress(job.sha256, "done", seconds)
        except jobs.LeaseLost:
            log.warning("lease lost on %s: another worker has it", job.sha256[:12])
            return Progress(job.sha256, "postponed")
        except Stopped:
            jobs.postpone(self.store, job, None)
            return Progress(job.sha256, "postponed")
        except RecordingError as error:
            jobs.fail(self.store, job, error)
            return Progress(job.sha256, "failed")
        except (MachineError, MemoryError) as error:
            kept = error if isinstance(error, MachineError) else OutOfMemory("处理这个录音时内存不足")
            later = jobs.postpone(self.store, job, kept, delay_s=BACK_OFF_S)
            return Progress(job.sha256, "postponed" if later else "failed")
        except SetupError:
            jobs.postpone(self.store, job, None)
            raise
        except Exception as error:  # the one place: a fault in one recording must not stop the others
            log.exception("unexpected fault on %s", job.sha256[:12])
            kind = type(error).__name__
            jobs.fail(
                self.store,
                job,
                RecordingError(
                    f"程序内部错误（{kind}）", hint="其余录音不受影响；请附上日志反馈，或稍后运行 qa-monitor retry"
                ),
            )
            return Progress(job.sha256, "failed")

    def _stages(self, job: jobs.Job) -> float:
        with self.store.read() as connection:
            _, source = results.source_of(connection, job.sha256)
        with ExitStack() as stack:
            opened: list[Audio] = []

            def audio() -> Audio:
                if not opened:
                    opened.append(stack.enter_context(self._open(job.sha256)))
                return opened[0]

            made: dict[str, Any] = {}
            work = Work(self.kind, job.facts, self.tools, made, audio, source)
            keys = keys_for(self.kind, job.sha256, job.facts, self.tools)
            for number, (stage, key) in enumerate(keys):
                if self.stopping.is_set():
                    raise Stopped
                with self.store.read() as connection:
                    record = results.find(connection, key, stage.produces)
                started = time.monotonic()
                if record is None:
                    record = stage.make(work)
                made[stage.name] = record
                last = number == len(keys) - 1
                with self.store.write() as connection:
                    jobs.hold(connection, job, stage=stage.name)
                    results.save(connection, key, record, time.monotonic() - started)
                    if last:
                        self._commit_call(connection, job, made)
                        jobs.finish(connection, job)
        return made["audio"].duration_s if "audio" in made else 0.0

    def _commit_call(self, connection: Any, job: jobs.Job, made: dict[str, Any]) -> None:
        dialogue: Dialogue = made["dialogue"]
        findings: Findings = made["findings"]
        model: ModelScores = made["model"]
        score: CallScore = made["score"]
        duration_s = made["audio"].duration_s if "audio" in made else dialogue.duration_s
        calls.write(connection, job.sha256, job.facts, duration_s, dialogue, findings, model, score, made.get("audio"))

    def _open(self, sha256: str) -> Audio:
        return self.tools.decoder.open(self._present(sha256))

    def _present(self, sha256: str) -> Recording:
        """A name under which the content still lies unchanged."""
        with self.store.read() as connection:
            names = [recording for recording, _ in results.sightings_of(connection, sha256)]
        for recording in names:
            try:
                found = os.stat(recording.path)
            except OSError:
                continue
            if (found.st_size, found.st_mtime_ns) == (recording.size_bytes, recording.mtime_ns):
                return recording
        raise Unreadable(
            "文件已被移走、删除或改动", where=names[0].name if names else "", hint="放回原处后重新运行同一命令即可"
        )

    @contextmanager
    def _heartbeat(self, job: jobs.Job) -> Iterator[None]:
        """Renew the lease from a thread while the recording is worked on."""
        done = threading.Event()
        lease_s = self.tools.settings.store.lease_s

        def beat() -> None:
            while not done.wait(lease_s / 3):
                try:
                    jobs.renew(self.store, job, lease_s)
                except (jobs.LeaseLost, QaMonitorError) as error:
                    # The next commit will find the lease gone, or the store back.
                    log.warning("could not renew the lease on %s: %s", job.sha256[:12], type(error).__name__)

        thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


class Company:
    """Who is worked on beside whom: a recording that was there when a worker died is worked on alone.

    Should it kill this worker too, only it is to blame.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._suspects = 0  # those that wait included

    @contextmanager
    def of(self, job: jobs.Job) -> Iterator[None]:
        """Begins when nobody suspected is about; for a suspect, when nobody at all is."""
        with self._changed:
            if job.crashes:
                self._suspects += 1
                self._changed.wait_for(lambda: not self._inside)
            else:
                self._changed.wait_for(lambda: not self._suspects)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._suspects -= bool(job.crashes)
                self._changed.notify_all()


class _Either:
    """Set when the batch stops or a thread of this worker met what stops it."""

    def __init__(self, outer: Event) -> None:
        self._outer = outer
        self.own = threading.Event()

    def is_set(self) -> bool:
        return self.own.is_set() or self._outer.is_set()


def calls_at_once(settings: Settings, kind: Kind) -> int:
    """How many recordings a worker has in progress: enough that the recogniser's batches fill."""
    if kind == "text":
        return 1
    from qa_monitor.transcript.engine import available_cores

    return 2 * (settings.transcript.threads or available_cores())


def worker_main(settings: Settings, kind: Kind, profile: str, no_more: Any, stopping: Any, progress: Any) -> None:
    """Entry of a worker process. `progress` is a multiprocessing queue that receives Progress, or a SetupError."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor decides what Ctrl-C means
    store = Store.open(settings.store_url)
    tools, company, either = Toolbox(settings), Company(), _Either(stopping)

    def work() -> None:
        for event in Worker(store, tools, kind, profile, either, company).run(no_more):
            progress.put(event)

    count = calls_at_once(settings, kind)
    try:
        with ThreadPoolExecutor(count, thread_name_prefix="call") as threads:
            for ended in as_completed([threads.submit(work) for _ in range(count)]):
                if ended.exception() is not None:
                    either.own.set()  # the others finish their stage and stop
                ended.result()
    except SetupError as error:
        progress.put(error)
        progress.close()
        progress.join_thread()
        sys.exit(SETUP_EXIT)
    finally:
        tools.close()
        store.close()
