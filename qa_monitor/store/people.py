"""Roster and performance records in the store. Importing the same table again changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from qa_monitor.records import Agent
from qa_monitor.store.schema import performance, roster
from qa_monitor.store.store import Store

# (key columns, the other columns)
_Row = tuple[dict[str, str], dict[str, str | None]]


@dataclass(frozen=True, slots=True)
class Change:
    """What an import changed."""

    added: int
    updated: int
    unchanged: int

    def in_words(self, unit: str) -> str:
        return f"新增 {self.added} {unit}，更新 {self.updated}，未变 {self.unchanged}"


def save_roster(store: Store, agents: Iterable[Agent]) -> Change:
    """Add or replace roster lines by (工号, 生效日期), all or none."""
    rows = [
        (
            {"agent_id": agent.agent_id, "valid_from": agent.valid_from or ""},
            {
                "name": agent.name,
                "team": agent.team,
                "skill_group": agent.skill_group,
                "post": agent.post,
                "hired_on": agent.hired_on,
                "valid_to": agent.valid_to,
            },
        )
        for agent in agents
    ]
    return _upsert(store, roster, rows)


def save_performance(store: Store, records: Iterable[tuple[str, str, str, str]]) -> Change:
    """Add or replace (工号, period, metric, value), all or none."""
    rows: list[_Row] = [
        ({"agent_id": agent_id, "period": period, "metric": metric}, {"value": value})
        for agent_id, period, metric, value in records
    ]
    return _upsert(store, performance, rows)


def _upsert(store: Store, table: sa.Table, rows: list[_Row]) -> Change:
    added = updated = unchanged = 0
    with store.write() as connection:
        for key, values in rows:
            where = [table.c[name] == value for name, value in key.items()]
            old = connection.execute(sa.select(*(table.c[name] for name in values)).where(*where)).first()
            if old is None:
                connection.execute(table.insert().values(**key, **values))
                added += 1
            elif tuple(old) != tuple(values.values()):
                connection.execute(table.update().where(*where).values(**values))
                updated += 1
            else:
                unchanged += 1
    return Change(added, updated, unchanged)


def roster_of(store: Store) -> list[Agent]:
    """Every roster line, by 工号 and date."""
    with store.read() as connection:
        rows = connection.execute(sa.select(roster).order_by(roster.c.agent_id, roster.c.valid_from))
        return [
            Agent(
                row.agent_id,
                row.name,
                row.team,
                row.skill_group,
                row.post,
                row.hired_on,
                row.valid_from or None,
                row.valid_to,
            )
            for row in rows
        ]


def performance_of(store: Store) -> dict[str, dict[str, dict[str, str]]]:
    """工号 → period → metric → value as text."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    with store.read() as connection:
        for row in connection.execute(sa.select(performance).order_by(performance.c.agent_id, performance.c.period)):
            found.setdefault(row.agent_id, {}).setdefault(row.period, {})[row.metric] = row.value
    return found
