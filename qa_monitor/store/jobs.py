"""Work to do: what is queued, who holds it, what became of it.

A job is one recording's content. A worker holds it by a lease that it renews; a lease whose owner is gone, or that ran
out, is taken over. Every lease has a higher fence than the one before, and a write names its fence, so a worker that
was frozen past its lease cannot overwrite what its successor did.
"""

from __future__ import annotations

import os
import socket
import time
import uuid
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil
import sqlalchemy as sa

from qa_monitor.errors import QaMonitorError
from qa_monitor.records import CallFacts, dump, load
from qa_monitor.store.schema import jobs, run_items
from qa_monitor.store.store import Store, utc_now

MAX_RETRIES = 5


class LeaseLost(Exception):
    """Another worker holds this job now; whatever was being written has been rolled back."""


@dataclass(frozen=True, slots=True)
class Job:
    """A leased job. `target` is the last stage's settings hash that would make it done; `owner` and `fence` its lease.

    `crashes` counts the workers that died while they had it.
    """

    sha256: str
    target: str
    facts: CallFacts
    owner: str
    fence: int
    crashes: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """A job that did not end well. `state`: failed or set_aside."""

    sha256: str
    state: str
    code: str
    title: str
    what: str
    hint: str


def new_owner() -> str:
    """A name for this process that tells, on the same machine, whether it still lives."""
    me = psutil.Process()
    return f"{socket.gethostname()}|{_boot_id()}|{me.pid}|{me.create_time():.2f}|{uuid.uuid4().hex[:8]}"


def enqueue(connection: sa.Connection, sha256: str, target: str, profile: str, facts: CallFacts) -> str:
    """Queue a recording for `target` unless that is done or in progress. Returns its state afterwards.

    A failed or set-aside recording stays so (the same content fails the same way) until `requeue_failed`, or until
    the settings change.
    """
    row = connection.execute(
        sa.select(jobs.c.state, jobs.c.target, jobs.c.profile).where(jobs.c.sha256 == sha256)
    ).first()
    wanted = {"target": target, "profile": profile, "facts": dump(facts).decode()}
    values = {
        "state": "queued",
        **wanted,
        "not_before": 0.0,
        "retries": 0,
        "crashes": 0,
        "error_code": None,
        "error_title": None,
        "error_what": None,
        "error_hint": None,
        "updated_at": utc_now(),
    }
    if row is None:
        connection.execute(jobs.insert().values(sha256=sha256, **values))
        return "queued"
    if row.target == target or (row.state in ("failed", "set_aside") and row.profile == profile):
        return str(row.state)
    if row.state == "running":  # its worker sees the new target when it finishes, and queues it again
        connection.execute(jobs.update().where(jobs.c.sha256 == sha256).values(**wanted))
        return "running"
    connection.execute(jobs.update().where(jobs.c.sha256 == sha256).values(**values))
    return "queued"


def lease_next(store: Store, profile: str, owner: str, lease_s: float, max_crashes: int) -> Job | None:
    """Take the next job of this profile that is queued, or whose owner is gone or out of time; None when there is none.

    A job found with a dead owner counts a crash; after `max_crashes` it is set aside and the next one is taken.
    """
    while True:
        with store.write() as connection:
            row = connection.execute(
                sa.select(jobs)
                .where(jobs.c.state == "queued", jobs.c.profile == profile, jobs.c.not_before <= time.time())
                .order_by(jobs.c.not_before, jobs.c.sha256)
                .limit(1)
            ).first()
            if row is None:
                row = _abandoned(connection, profile)
            if row is None:
                return None
            crashes = row.crashes + (1 if row.state == "running" else 0)
            if crashes >= max_crashes:
                connection.execute(jobs.update().where(jobs.c.sha256 == row.sha256).values(**_poisoned(crashes)))
                continue
            fence = row.fence + 1
            connection.execute(
                jobs.update()
                .where(jobs.c.sha256 == row.sha256)
                .values(
                    state="running",
                    owner=owner,
                    fence=fence,
                    lease_until=time.monotonic() + lease_s,
                    crashes=crashes,
                    updated_at=utc_now(),
                )
            )
            return Job(row.sha256, row.target, load(CallFacts, row.facts), owner, fence, crashes)


def _poisoned(crashes: int) -> dict[str, object]:
    return {
        "state": "set_aside",
        "owner": None,
        "crashes": crashes,
        "error_code": "poisoned",
        "error_title": "已搁置",
        "error_what": f"处理时已使工作进程崩溃 {crashes} 次",
        "error_hint": "其余录音不受影响；排查后运行 qa-monitor retry 重新处理",
        "updated_at": utc_now(),
    }


def _abandoned(connection: sa.Connection, profile: str) -> sa.Row[tuple[object, ...]] | None:
    running = sa.select(jobs).where(jobs.c.state == "running", jobs.c.profile == profile).order_by(jobs.c.sha256)
    for row in connection.execute(running):
        if not _holds(row.owner, row.lease_until):
            return row
    return None


def _holds(owner: str | None, lease_until: float | None) -> bool:
    """Whether the lease still stands: not out of time, same boot, and (on this machine) its process lives."""
    host, boot, pid, created, _ = (owner or "||||").split("|")
    if host != socket.gethostname():
        return lease_until is not None and time.monotonic() < lease_until
    if boot != _boot_id() or lease_until is None or time.monotonic() >= lease_until:
        return False
    try:
        process = psutil.Process(int(pid))
        return f"{process.create_time():.2f}" == created and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, ValueError):
        return False


@cache
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return f"{psutil.boot_time():.0f}-{os.getuid() if hasattr(os, 'getuid') else 0}"


def renew(store: Store, job: Job, lease_s: float) -> None:
    """Keep the lease. Raises LeaseLost when somebody else has it."""
    with store.write() as connection:
        hold(connection, job, lease_until=time.monotonic() + lease_s)


def hold(connection: sa.Connection, job: Job, **values: object) -> None:
    """Inside a write: assert the lease is still ours and set `values` on the job. Raises LeaseLost."""
    changed = connection.execute(
        jobs.update()
        .where(jobs.c.sha256 == job.sha256, jobs.c.fence == job.fence, jobs.c.owner == job.owner)
        .values(updated_at=utc_now(), **values)
    )
    if changed.rowcount != 1:
        raise LeaseLost(job.sha256)


def finish(connection: sa.Connection, job: Job) -> None:
    """Mark done, in the transaction that commits the last stage; queued again if its target changed meanwhile."""
    target = connection.scalar(sa.select(jobs.c.target).where(jobs.c.sha256 == job.sha256))
    state = "done" if target == job.target else "queued"
    hold(connection, job, state=state, owner=None, lease_until=None, retries=0, crashes=0)


def fail(store: Store, job: Job, error: QaMonitorError) -> None:
    """The recording is bad: keep why."""
    with store.write() as connection:
        hold(
            connection,
            job,
            state="failed",
            owner=None,
            error_code=error.code,
            error_title=error.title,
            error_what=error.what,
            error_hint=error.hint,
        )


def postpone(store: Store, job: Job, error: QaMonitorError | None, *, delay_s: float = 0.0) -> bool:
    """Give the job back for later. With an error it counts as a retry; false when the retries are used up (failed)."""
    with store.write() as connection:
        retries = connection.scalar(sa.select(jobs.c.retries).where(jobs.c.sha256 == job.sha256)) or 0
        retries += 1 if error else 0
    if error is not None and retries > MAX_RETRIES:
        fail(store, job, error)
        return False
    with store.write() as connection:
        hold(
            connection,
            job,
            state="queued",
            owner=None,
            lease_until=None,
            retries=retries,
            not_before=time.time() + delay_s * 2 ** max(0, retries - 1) if delay_s else 0.0,
        )
    return True


def counts(connection: sa.Connection, run: str | None = None, profile: str | None = None) -> dict[str, int]:
    """How many jobs are in each state: all, those of one run, or those of one profile."""
    query = sa.select(jobs.c.state, sa.func.count()).group_by(jobs.c.state)
    if run is not None:
        query = query.join(run_items, run_items.c.sha256 == jobs.c.sha256).where(run_items.c.run == run)
    if profile is not None:
        query = query.where(jobs.c.profile == profile)
    return {str(state): int(number) for state, number in connection.execute(query)}


def failures(connection: sa.Connection) -> list[Failure]:
    """Jobs that failed or were set aside, by content hash."""
    found = connection.execute(sa.select(jobs).where(jobs.c.state.in_(["failed", "set_aside"])).order_by(jobs.c.sha256))
    return [
        Failure(row.sha256, row.state, row.error_code, row.error_title, row.error_what, row.error_hint or "")
        for row in found
    ]


def requeue_failed(store: Store, sha256s: list[str] | None = None) -> int:
    """Queue failed and set-aside jobs again (all, or those named). Returns how many."""
    chosen: sa.ColumnElement[bool] = jobs.c.state.in_(["failed", "set_aside"])
    if sha256s is not None:
        chosen = chosen & jobs.c.sha256.in_(sha256s)
    with store.write() as connection:
        changed = connection.execute(
            jobs.update()
            .where(chosen)
            .values(state="queued", retries=0, crashes=0, not_before=0.0, updated_at=utc_now())
        )
        return int(changed.rowcount)
