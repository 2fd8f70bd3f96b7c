"""Rows written before the agents' ledger had columns of its own: filled from the stored results, where these are kept."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from qa_monitor.records import AudioInfo, CallFacts, CallScore, Dialogue, Findings, ModelScores, load
from qa_monitor.scoring.shares import DIGITS, UNKNOWN
from qa_monitor.store import calls as call_rows
from qa_monitor.store import results
from qa_monitor.store.schema import calls, jobs
from qa_monitor.store.store import Store, to_json_text

_KINDS: dict[str, type[Any]] = {
    "audio": AudioInfo,
    "dialogue": Dialogue,
    "model": ModelScores,
    "findings": Findings,
    "score": CallScore,
}
_NEEDED = ("dialogue", "model", "findings", "score")
CHUNK = 200


def calls_lacking(store: Store, since: str, until: str) -> list[str]:
    """Contents of the calls begun in [since, until) whose row lacks the ledger's columns."""
    query = (
        sa.select(calls.c.sha256)
        .where(calls.c.started_at >= since, calls.c.started_at < until, calls.c.costs.is_(None))
        .order_by(calls.c.sha256)
    )
    with store.read() as connection:
        return list(connection.scalars(query))


def fill_ledger_columns(store: Store, since: str, until: str) -> None:
    """Write the ledger's columns of the calls begun in [since, until) that lack them.

    A call whose results were purged keeps its points and has no dimensions or quotes; what it lost is of unknown cause.
    """
    lacking = calls_lacking(store, since, until)
    for start in range(0, len(lacking), CHUNK):
        with store.write() as connection:
            for sha256 in lacking[start : start + CHUNK]:
                if not _fill(connection, sha256):
                    _without_parts(connection, sha256)


def _without_parts(connection: sa.Connection, sha256: str) -> None:
    points = connection.scalar(sa.select(calls.c.points).where(calls.c.sha256 == sha256))
    costs = {UNKNOWN: round(100.0 - points, DIGITS)} if points is not None and points < 100.0 else {}
    connection.execute(calls.update().where(calls.c.sha256 == sha256).values(costs=to_json_text(costs)))


def _fill(connection: sa.Connection, sha256: str) -> bool:
    made = results.current(connection, sha256, _KINDS)
    facts = connection.scalar(sa.select(jobs.c.facts).where(jobs.c.sha256 == sha256))
    if facts is None or any(name not in made for name in _NEEDED):
        return False
    duration_s = connection.scalar(sa.select(calls.c.duration_s).where(calls.c.sha256 == sha256))
    call_rows.write(
        connection,
        sha256,
        load(CallFacts, facts),
        duration_s,
        made["dialogue"],
        made["findings"],
        made["model"],
        made["score"],
        made.get("audio"),
    )
    return True
