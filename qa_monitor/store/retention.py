"""Deleting what has been kept long enough: the words go, the figures stay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from qa_monitor.store import trail
from qa_monitor.store.schema import call_findings, current_results, recordings, results
from qa_monitor.store.store import Store


def expired(store: Store, days: int) -> list[str]:
    """Contents first seen more than `days` days ago that still have text or evidence stored."""
    before = (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="milliseconds")
    with store.read() as connection:
        found = connection.scalars(
            sa.select(recordings.c.sha256)
            .where(recordings.c.first_seen_at < before)
            .where(sa.exists().where(results.c.sha256 == recordings.c.sha256) | recordings.c.source.is_not(None))
            .order_by(recordings.c.sha256)
        )
        return list(found)


def purge_calls(store: Store, sha256s: Sequence[str], days: int) -> None:
    """Delete the stored results, quotes and source text of these contents; their figures stay. Written to the trail."""
    with store.write() as connection:
        for sha256 in sha256s:
            connection.execute(results.delete().where(results.c.sha256 == sha256))
            connection.execute(current_results.delete().where(current_results.c.sha256 == sha256))
            wordless = {"quote": None, "quote_turn": None, "quote_s": None, "why": None}
            connection.execute(call_findings.update().where(call_findings.c.sha256 == sha256).values(**wordless))
            connection.execute(recordings.update().where(recordings.c.sha256 == sha256).values(source=None))
        if sha256s:
            trail.write(connection, "purge", {"days": days, "sha256": list(sha256s)})
