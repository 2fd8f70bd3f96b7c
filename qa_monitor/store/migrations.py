"""Schema migrations: each runs with its own record in one transaction, after a backup of an older store.

Migrations are written out in full and never edited once released: they must not follow `schema` as it changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class Migration:
    version: int
    name: str
    apply: Callable[[sa.Connection], None]


def _statements(*statements: str) -> Callable[[sa.Connection], None]:
    def apply(connection: sa.Connection) -> None:
        # The two dialects differ in these two types only.
        postgres = connection.dialect.name == "postgresql"
        blob, serial = ("BYTEA", "SERIAL PRIMARY KEY") if postgres else ("BLOB", "INTEGER PRIMARY KEY AUTOINCREMENT")
        real = "DOUBLE PRECISION" if postgres else "REAL"
        for statement in statements:
            connection.execute(
                sa.text(statement.replace("$BLOB", blob).replace("$SERIAL", serial).replace("$REAL", real))
            )

    return apply


_FIRST = Migration(
    1,
    "first",
    _statements(
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
        """CREATE TABLE recordings (sha256 TEXT PRIMARY KEY, kind TEXT NOT NULL, size_bytes BIGINT NOT NULL,
           first_seen_at TEXT NOT NULL, source $BLOB)""",
        """CREATE TABLE sightings (path $BLOB NOT NULL, sha256 TEXT NOT NULL, name TEXT NOT NULL,
           size_bytes BIGINT NOT NULL, mtime_ns BIGINT NOT NULL, facts TEXT NOT NULL, seen_at TEXT NOT NULL,
           PRIMARY KEY (path, sha256))""",
        "CREATE INDEX ix_sightings_sha256 ON sightings (sha256)",
        """CREATE TABLE jobs (sha256 TEXT PRIMARY KEY, state TEXT NOT NULL, target TEXT NOT NULL, profile TEXT NOT NULL,
           facts TEXT NOT NULL,           stage TEXT, owner TEXT, fence INTEGER NOT NULL DEFAULT 0, lease_until $REAL,
           not_before $REAL NOT NULL DEFAULT 0, retries INTEGER NOT NULL DEFAULT 0, crashes INTEGER NOT NULL DEFAULT 0,
           error_code TEXT, error_title TEXT, error_what TEXT, error_hint TEXT, updated_at TEXT NOT NULL)""",
        "CREATE INDEX ix_jobs_state ON jobs (state, profile, not_before)",
        "CREATE TABLE run_items (run TEXT NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (run, sha256))",
        """CREATE TABLE unread_files (path $BLOB PRIMARY KEY, name TEXT NOT NULL, error_code TEXT NOT NULL,
           error_title TEXT NOT NULL, error_what TEXT NOT NULL, error_hint TEXT NOT NULL, seen_at TEXT NOT NULL)""",
        """CREATE TABLE results (id $SERIAL, sha256 TEXT NOT NULL, stage TEXT NOT NULL, version TEXT NOT NULL,
           settings_hash TEXT NOT NULL, payload $BLOB NOT NULL, seconds $REAL NOT NULL, produced_at TEXT NOT NULL,
           CONSTRAINT uq_results_key UNIQUE (sha256, stage, version, settings_hash))""",
        """CREATE TABLE current_results (sha256 TEXT NOT NULL, stage TEXT NOT NULL, result_id INTEGER NOT NULL,
           PRIMARY KEY (sha256, stage))""",
        """CREATE TABLE calls (sha256 TEXT PRIMARY KEY, call_id TEXT, agent_id TEXT, started_at TEXT, business TEXT,
           direction TEXT, duration_s $REAL, points $REAL, veto TEXT NOT NULL, not_scored TEXT, politeness $REAL,
           resolution TEXT, satisfaction $REAL, silence_s $REAL, overlap_count INTEGER, agent_talk_share $REAL,
           rulebook_version TEXT NOT NULL, scorecard_version TEXT NOT NULL,
           review_state TEXT NOT NULL DEFAULT 'machine')""",
        "CREATE INDEX ix_calls_agent ON calls (agent_id, started_at)",
        "CREATE INDEX ix_calls_started ON calls (started_at)",
        """CREATE TABLE call_findings (sha256 TEXT NOT NULL, rule_id TEXT NOT NULL, rule_version TEXT NOT NULL,
           name TEXT NOT NULL, category TEXT NOT NULL, severity TEXT NOT NULL, verdict TEXT NOT NULL,
           suspected BOOLEAN NOT NULL, occurrences INTEGER NOT NULL, points $REAL NOT NULL,
           PRIMARY KEY (sha256, rule_id))""",
        "CREATE INDEX ix_call_findings_rule ON call_findings (rule_id, verdict)",
        """CREATE TABLE roster (agent_id TEXT NOT NULL, valid_from TEXT NOT NULL, name TEXT NOT NULL, team TEXT NOT NULL,
           skill_group TEXT NOT NULL, post TEXT NOT NULL, hired_on TEXT, valid_to TEXT,
           PRIMARY KEY (agent_id, valid_from))""",
        """CREATE TABLE performance (agent_id TEXT NOT NULL, period TEXT NOT NULL, metric TEXT NOT NULL,
           value TEXT NOT NULL, PRIMARY KEY (agent_id, period, metric))""",
        """CREATE TABLE audit_trail (id $SERIAL, at TEXT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
           detail TEXT NOT NULL, previous_hash TEXT NOT NULL, hash TEXT NOT NULL)""",
    ),
)

_AGENT_LEDGER = Migration(
    2,
    "agent_ledger",
    _statements(
        "ALTER TABLE calls ADD COLUMN dimensions TEXT",
        "ALTER TABLE calls ADD COLUMN costs TEXT",
        "ALTER TABLE calls ADD COLUMN hold_s $REAL",
        "ALTER TABLE calls ADD COLUMN opening_emotion TEXT",
        "ALTER TABLE calls ADD COLUMN snr_db $REAL",
        "ALTER TABLE calls ADD COLUMN promise TEXT",
        "ALTER TABLE calls ADD COLUMN complaint BOOLEAN",
        "ALTER TABLE calls ADD COLUMN broken INTEGER",
        "ALTER TABLE calls ADD COLUMN verdicts TEXT",
        "DROP INDEX ix_calls_agent",
        "CREATE INDEX ix_calls_agent ON calls (agent_id, started_at, points)",
        "DROP INDEX ix_calls_started",
        """CREATE INDEX ix_calls_started ON calls
           (started_at, agent_id, business, opening_emotion, snr_db, points)""",
        "CREATE INDEX ix_calls_unfilled ON calls (started_at) WHERE costs IS NULL",
        "ALTER TABLE call_findings ADD COLUMN quote TEXT",
        "ALTER TABLE call_findings ADD COLUMN quote_turn INTEGER",
        "ALTER TABLE call_findings ADD COLUMN quote_s $REAL",
        "ALTER TABLE call_findings ADD COLUMN why TEXT",
    ),
)

MIGRATIONS: tuple[Migration, ...] = (_FIRST, _AGENT_LEDGER)
LATEST = MIGRATIONS[-1].version
