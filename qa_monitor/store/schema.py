"""The tables, as SQLAlchemy Core sees them today. How a store gets here from an older one: `migrations`."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

schema_migrations = sa.Table(
    "schema_migrations",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("applied_at", sa.Text, nullable=False),
)

# The store's own facts: `customer_secret` keys the hash of callers' numbers.
meta = sa.Table(
    "meta",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

# One row a content, whatever its names. `kind`: audio | text. `source` holds a text dialogue's own turns (zlib JSON).
recordings = sa.Table(
    "recordings",
    metadata,
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("first_seen_at", sa.Text, nullable=False),
    sa.Column("source", sa.LargeBinary),
)

# Every name a content was seen under. `path` is the file system's bytes; `name` is for display only.
sightings = sa.Table(
    "sightings",
    metadata,
    sa.Column("path", sa.LargeBinary, primary_key=True),
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("mtime_ns", sa.BigInteger, nullable=False),
    sa.Column("facts", sa.Text, nullable=False),
    sa.Column("seen_at", sa.Text, nullable=False),
    sa.Index("ix_sightings_sha256", "sha256"),
)

# Work to do. `fence` grows with every lease, so that a worker which lost its lease cannot write.
jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),  # queued | running | done | failed | set_aside
    sa.Column("target", sa.Text, nullable=False),  # settings hash of the last stage: what "done" would mean
    sa.Column("profile", sa.Text, nullable=False),  # settings hash without the call's facts: who may work on it
    sa.Column("facts", sa.Text, nullable=False),
    sa.Column("stage", sa.Text),  # the stage in progress or last finished
    sa.Column("owner", sa.Text),
    sa.Column("fence", sa.Integer, nullable=False, server_default="0"),
    sa.Column("lease_until", sa.Float),  # the machine's monotonic clock
    sa.Column("not_before", sa.Float, nullable=False, server_default="0"),  # wall clock, back-off only
    sa.Column("retries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("crashes", sa.Integer, nullable=False, server_default="0"),
    sa.Column("error_code", sa.Text),
    sa.Column("error_title", sa.Text),
    sa.Column("error_what", sa.Text),
    sa.Column("error_hint", sa.Text),
    sa.Column("updated_at", sa.Text, nullable=False),
    sa.Index("ix_jobs_state", "state", "profile", "not_before"),
)

# What a run of `audit` was asked to do, kept while it runs.
run_items = sa.Table(
    "run_items",
    metadata,
    sa.Column("run", sa.Text, primary_key=True),
    sa.Column("sha256", sa.Text, primary_key=True),
)

# Files that could not be read at all, so that they have no content to be known by.
unread_files = sa.Table(
    "unread_files",
    metadata,
    sa.Column("path", sa.LargeBinary, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("error_code", sa.Text, nullable=False),
    sa.Column("error_title", sa.Text, nullable=False),
    sa.Column("error_what", sa.Text, nullable=False),
    sa.Column("error_hint", sa.Text, nullable=False),
    sa.Column("seen_at", sa.Text, nullable=False),
)

# What a stage made of a recording, once per (content, stage, version, settings).
results = sa.Table(
    "results",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("settings_hash", sa.Text, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),  # zlib JSON of the stage's record
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("produced_at", sa.Text, nullable=False),
    sa.UniqueConstraint("sha256", "stage", "version", "settings_hash", name="uq_results_key"),
)

# The result of each stage that a call's score rests on now.
current_results = sa.Table(
    "current_results",
    metadata,
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("stage", sa.Text, primary_key=True),
    sa.Column("result_id", sa.Integer, nullable=False),
)

# One row a call for SQL: ledgers and lists. Written in the same transaction as the score it repeats.
calls = sa.Table(
    "calls",
    metadata,
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("call_id", sa.Text),
    sa.Column("agent_id", sa.Text),
    sa.Column("started_at", sa.Text),
    sa.Column("business", sa.Text),
    sa.Column("direction", sa.Text),
    sa.Column("duration_s", sa.Float),
    sa.Column("points", sa.Float),
    sa.Column("veto", sa.Text, nullable=False),  # rule ids, comma separated
    sa.Column("not_scored", sa.Text),
    sa.Column("politeness", sa.Float),
    sa.Column("resolution", sa.Text),
    sa.Column("satisfaction", sa.Float),
    sa.Column("silence_s", sa.Float),
    sa.Column("overlap_count", sa.Integer),
    sa.Column("agent_talk_share", sa.Float),
    sa.Column("rulebook_version", sa.Text, nullable=False),
    sa.Column("scorecard_version", sa.Text, nullable=False),
    sa.Column("review_state", sa.Text, nullable=False, server_default="machine"),
    # What the agents' ledger reads beside the above; NULL in rows written before it was kept (see `backfill`).
    sa.Column("dimensions", sa.Text),  # JSON: dimension → 0–100
    sa.Column("costs", sa.Text),  # JSON: rule or model item → points of the 100 it cost; with `points` it sums to 100
    sa.Column("hold_s", sa.Float),  # silence that the agent announced
    sa.Column("opening_emotion", sa.Text),
    sa.Column("snr_db", sa.Float),
    sa.Column("promise", sa.Text),  # verdict on the promise made, NULL when none was judged
    sa.Column("complaint", sa.Boolean),
    sa.Column("broken", sa.Integer),  # rules not kept, suspected ones left out
    sa.Column("verdicts", sa.Text),  # a letter a rule in order of rule id: p pass, f fail, s suspected, u unsure, - n/a
    sa.Index("ix_calls_agent", "agent_id", "started_at", "points"),  # with points, so that trends read the index only
    # All that the case mix is worked out from, so that it reads the index only.
    sa.Index("ix_calls_started", "started_at", "agent_id", "business", "opening_emotion", "snr_db", "points"),
    sa.Index(
        "ix_calls_unfilled",
        "started_at",
        sqlite_where=sa.text("costs IS NULL"),
        postgresql_where=sa.text("costs IS NULL"),
    ),
)

call_findings = sa.Table(
    "call_findings",
    metadata,
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("rule_id", sa.Text, primary_key=True),
    sa.Column("rule_version", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("suspected", sa.Boolean, nullable=False),
    sa.Column("occurrences", sa.Integer, nullable=False),
    sa.Column("points", sa.Float, nullable=False),  # what it cost (≤ 0) or earned in the score
    sa.Column("quote", sa.Text),  # the leading evidence, personal data masked; emptied by `purge`
    sa.Column("quote_turn", sa.Integer),
    sa.Column("quote_s", sa.Float),
    sa.Column("why", sa.Text),  # of a failure, masked; emptied by `purge`
    sa.Index("ix_call_findings_rule", "rule_id", "verdict"),
)

roster = sa.Table(
    "roster",
    metadata,
    sa.Column("agent_id", sa.Text, primary_key=True),
    sa.Column("valid_from", sa.Text, primary_key=True),  # ISO date, '' when open
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("team", sa.Text, nullable=False),
    sa.Column("skill_group", sa.Text, nullable=False),
    sa.Column("post", sa.Text, nullable=False),
    sa.Column("hired_on", sa.Text),
    sa.Column("valid_to", sa.Text),
)

performance = sa.Table(
    "performance",
    metadata,
    sa.Column("agent_id", sa.Text, primary_key=True),
    sa.Column("period", sa.Text, primary_key=True),  # 2026-11 or 2026-11-03
    sa.Column("metric", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

# Who did what, each row hashed over the one before it, so that an edit or a deletion shows.
audit_trail = sa.Table(
    "audit_trail",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("previous_hash", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
)
