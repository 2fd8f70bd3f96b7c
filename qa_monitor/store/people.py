"""Roster and performance records in the store. Importing the same table again changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import sqlalchemy as sa

from qa_monitor.records import Agent
from qa_monitor.store.schema import performance, roster
from qa_monitor.store.store import Store

# (key columns, the other columns)
_Row = tuple[dict[str, str], dict[str, str | None]]
_FIELD_NAMES = {"name": "姓名", "team": "班组", "skill_group": "技能组", "post": "岗位", "hired_on": "入职日期",
                "valid_to": "失效日期"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """What an import changed; `details` says of every updated line what it was and is."""

    added: int
    updated: int
    unchanged: int
    details: tuple[str, ...] = field(default=(), compare=False)

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
    """All rows or none, each compared with the one that stood under its key."""
    unchanged = 0
    details: list[str] = []
    inserts: list[dict[str, str | None]] = []
    with store.write() as connection:
        known = _known(connection, table, rows)
        for key, values in rows:
            names = tuple(key.values())
            old = known.get(names)
            if old is None:
                inserts.append({**key, **values})
            elif old == tuple(values.values()):
                unchanged += 1
            else:
                where = [table.c[name] == value for name, value in key.items()]
                connection.execute(table.update().where(*where).values(**values))
                details.append(_difference(names, tuple(values), old, tuple(values.values())))
            known[names] = tuple(values.values())
        if inserts:
            connection.execute(table.insert(), inserts)
    return Change(len(inserts), len(details), unchanged, tuple(details))


def _known(
    connection: sa.Connection, table: sa.Table, rows: list[_Row]
) -> dict[tuple[str, ...], tuple[str | None, ...]]:
    """The rows that stand now, by key; of performance records only those of the periods that `rows` are of."""
    if not rows:
        return {}
    keys, names = list(rows[0][0]), list(rows[0][1])
    query = sa.select(*(table.c[name] for name in (*keys, *names)))
    if "period" in keys:
        query = query.where(table.c.period.in_(sorted({key["period"] for key, _ in rows})))
    return {tuple(row[: len(keys)]): tuple(row[len(keys) :]) for row in connection.execute(query).all()}


def _difference(
    key: tuple[str, ...], names: tuple[str, ...], old: tuple[str | None, ...], new: tuple[str | None, ...]
) -> str:
    """`0071 2026-11 投诉：2 → 3`."""
    parts = [
        f"{_FIELD_NAMES.get(name, '')} {before or '空'} → {after or '空'}".strip()
        for name, before, after in zip(names, old, new, strict=True)
        if before != after
    ]
    return f"{' '.join(part for part in key if part)}：{'，'.join(parts)}"


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
