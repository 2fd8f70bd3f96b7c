"""What the stages made, kept by (content, stage, version, settings) and never overwritten."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa

from qa_monitor.records import CallFacts, Recording, dump, load
from qa_monitor.store.schema import current_results, meta, recordings, results, sightings
from qa_monitor.store.store import utc_now

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ResultKey:
    sha256: str
    stage: str
    version: str
    settings_hash: str


def pack(record: Any) -> bytes:
    return zlib.compress(dump(record), 6)


def unpack(kind: type[T], payload: bytes) -> T:
    return load(kind, zlib.decompress(payload))


def find(connection: sa.Connection, key: ResultKey, kind: type[T]) -> T | None:
    """The stored record of a stage, or None."""
    payload = connection.scalar(sa.select(results.c.payload).where(*_matches(key)))
    return None if payload is None else unpack(kind, payload)


def save(connection: sa.Connection, key: ResultKey, record: Any, seconds: float) -> None:
    """Store a stage's record once and make it the current one. Storing the same key again keeps the first."""
    if connection.scalar(sa.select(results.c.id).where(*_matches(key))) is None:
        connection.execute(
            results.insert().values(
                sha256=key.sha256,
                stage=key.stage,
                version=key.version,
                settings_hash=key.settings_hash,
                payload=pack(record),
                seconds=seconds,
                produced_at=utc_now(),
            )
        )
    make_current(connection, key)


def make_current(connection: sa.Connection, key: ResultKey) -> None:
    """Point the recording's stage at the result under `key`, which must be stored."""
    result_id = connection.execute(sa.select(results.c.id).where(*_matches(key))).scalar_one()
    changed = connection.execute(
        current_results.update()
        .where(current_results.c.sha256 == key.sha256, current_results.c.stage == key.stage)
        .values(result_id=result_id)
    )
    if changed.rowcount == 0:
        connection.execute(current_results.insert().values(sha256=key.sha256, stage=key.stage, result_id=result_id))


def _matches(key: ResultKey) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        results.c.sha256 == key.sha256,
        results.c.stage == key.stage,
        results.c.version == key.version,
        results.c.settings_hash == key.settings_hash,
    )


def current(connection: sa.Connection, sha256: str, kinds: dict[str, type[Any]]) -> dict[str, Any]:
    """The current record of each stage named in `kinds`, for one recording."""
    rows = connection.execute(
        sa.select(results.c.stage, results.c.payload)
        .join(current_results, current_results.c.result_id == results.c.id)
        .where(current_results.c.sha256 == sha256, current_results.c.stage.in_(list(kinds)))
    )
    return {row.stage: unpack(kinds[row.stage], row.payload) for row in rows}


# --- recordings ------------------------------------------------------------------------------------------------------


def register(
    connection: sa.Connection, recording: Recording, kind: str, facts: CallFacts, source: bytes | None = None
) -> None:
    """Keep a content and the name it was seen under; `source` is a text dialogue's own turns (JSON)."""
    if connection.scalar(sa.select(recordings.c.sha256).where(recordings.c.sha256 == recording.sha256)) is None:
        connection.execute(
            recordings.insert().values(
                sha256=recording.sha256,
                kind=kind,
                size_bytes=recording.size_bytes,
                first_seen_at=utc_now(),
                source=zlib.compress(source) if source is not None else None,
            )
        )
    values = {
        "name": recording.name,
        "size_bytes": recording.size_bytes,
        "mtime_ns": recording.mtime_ns,
        "facts": dump(facts).decode(),
        "seen_at": utc_now(),
    }
    same = (sightings.c.path == recording.path) & (sightings.c.sha256 == recording.sha256)
    if connection.execute(sightings.update().where(same).values(**values)).rowcount == 0:
        connection.execute(sightings.insert().values(path=recording.path, sha256=recording.sha256, **values))


def known_hash(connection: sa.Connection, path: bytes, size_bytes: int, mtime_ns: int) -> str | None:
    """The content hash of a file that has not changed since it was last seen."""
    return connection.scalar(
        sa.select(sightings.c.sha256)
        .where(sightings.c.path == path, sightings.c.size_bytes == size_bytes, sightings.c.mtime_ns == mtime_ns)
        .order_by(sightings.c.seen_at.desc())
        .limit(1)
    )


def sightings_of(connection: sa.Connection, sha256: str) -> list[tuple[Recording, CallFacts]]:
    """Every name of a content, in order of path."""
    rows = connection.execute(sa.select(sightings).where(sightings.c.sha256 == sha256).order_by(sightings.c.path))
    return [
        (Recording(row.sha256, bytes(row.path), row.name, row.size_bytes, row.mtime_ns), load(CallFacts, row.facts))
        for row in rows
    ]


def source_of(connection: sa.Connection, sha256: str) -> tuple[str, bytes | None]:
    """(`audio` or `text`, a text dialogue's own turns as JSON)."""
    row = connection.execute(
        sa.select(recordings.c.kind, recordings.c.source).where(recordings.c.sha256 == sha256)
    ).one()
    return str(row.kind), zlib.decompress(row.source) if row.source is not None else None


def set_meta(connection: sa.Connection, key: str, value: str) -> None:
    if connection.execute(meta.update().where(meta.c.key == key).values(value=value)).rowcount == 0:
        connection.execute(meta.insert().values(key=key, value=value))
