"""The audit trail: who did what. Each row is hashed over the one before it, so an edit or a deletion shows."""

from __future__ import annotations

import getpass
import hashlib

import sqlalchemy as sa

from qa_monitor.store.schema import audit_trail
from qa_monitor.store.store import Store, to_json_text, utc_now


def write(connection: sa.Connection, action: str, detail: object) -> None:
    """Append a row, in the transaction of the thing it tells of."""
    last = connection.scalar(sa.select(audit_trail.c.hash).order_by(audit_trail.c.id.desc()).limit(1)) or ""
    row = {"at": utc_now(), "actor": _actor(), "action": action, "detail": to_json_text(detail)}
    connection.execute(audit_trail.insert().values(**row, previous_hash=last, hash=_hash(last, row)))


def broken_at(store: Store) -> int | None:
    """The id of the first row that does not follow from the one before it; None when the chain holds."""
    previous = ""
    with store.read() as connection:
        for row in connection.execute(sa.select(audit_trail).order_by(audit_trail.c.id)):
            content = {"at": row.at, "actor": row.actor, "action": row.action, "detail": row.detail}
            if row.previous_hash != previous or row.hash != _hash(previous, content):
                return int(row.id)
            previous = row.hash
    return None


def _hash(previous: str, row: dict[str, str]) -> str:
    return hashlib.sha256(f"{previous}\n{to_json_text(row)}".encode()).hexdigest()


def _actor() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
