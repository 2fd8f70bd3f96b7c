"""Sums that SQL makes over all calls, so that nobody reads them one by one: by agent, stratum and month."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from qa_monitor.agents.casemix import NO_AUDIO, QUALITY_BANDS, Cell, quality_of
from qa_monitor.agents.frame import CallFrame
from qa_monitor.store.agent_calls import for_agents
from qa_monitor.store.schema import calls
from qa_monitor.store.store import Store

SCALE = 1000  # points are summed as whole thousandths, so that the order of calls cannot show in a sum


def _sums() -> list[Any]:
    whole = sa.cast(sa.func.round(calls.c.points * SCALE), sa.BigInteger)
    return [sa.func.count(), sa.func.sum(whole), sa.func.sum(whole * whole)]


def case_cells(store: Store, since: str, until: str) -> list[Cell]:
    """Scored calls begun in [since, until), summed by agent and by all that the case-mix adjustment looks at."""
    good, fair = QUALITY_BANDS[0], QUALITY_BANDS[1]
    quality = sa.case(
        (calls.c.snr_db.is_(None), NO_AUDIO),
        (calls.c.snr_db >= good[0], good[1]),
        (calls.c.snr_db >= fair[0], fair[1]),
        else_=QUALITY_BANDS[2][1],
    )
    strata = [calls.c.agent_id, calls.c.business, calls.c.opening_emotion, quality]
    query = (
        sa.select(*strata, *_sums())
        .where(calls.c.started_at >= since, calls.c.started_at < until)
        .where(calls.c.points.is_not(None), calls.c.agent_id.is_not(None))
        .group_by(*strata)
    )
    with store.read() as connection:
        return [
            Cell(agent, (business or "未知", emotion or "未知", band), count, total / SCALE, squares / SCALE**2)
            for agent, business, emotion, band, count, total, squares in connection.execute(query).all()
        ]


def cells_of(frame: CallFrame, agent_ids: Iterable[str]) -> list[Cell]:
    """The same sums for some agents of a frame."""
    sums: dict[tuple[str, str, str, str], tuple[int, int, int]] = {}
    for agent_id in agent_ids:
        rows = frame.rows_of(agent_id)
        for row in range(rows.start, rows.stop):
            points = frame.points[row]
            if points != points:
                continue
            business = frame.businesses[frame.business[row]] if frame.business[row] >= 0 else "未知"
            emotion = frame.emotions[frame.emotion[row]] if frame.emotion[row] >= 0 else "未知"
            key = (agent_id, business, emotion, quality_of(float(frame.floats["snr_db"][row])))
            count, total, squares = sums.get(key, (0, 0, 0))
            whole = round(float(points) * SCALE)
            sums[key] = (count + 1, total + whole, squares + whole * whole)
    return [
        Cell(key[0], (key[1], key[2], key[3]), count, total / SCALE, squares / SCALE**2)
        for key, (count, total, squares) in sums.items()
    ]


def history(
    store: Store, since: str, until: str, agent_ids: Sequence[str] | None = None
) -> dict[tuple[str, str], tuple[int, float, float]]:
    """(工号, month) → scored calls, Σ points, Σ points², of calls begun in [since, until), first days of months."""
    month = sa.func.substr(calls.c.started_at, 1, 7)
    # Conditions on the month and not on the start: the index by agent holds all that is read, the one by start does not.
    query = (
        sa.select(calls.c.agent_id, month, *_sums())
        .where(month >= since[:7], month < until[:7])
        .where(calls.c.points.is_not(None), calls.c.agent_id > "")
        .group_by(calls.c.agent_id, month)
    )
    with store.read() as connection:
        return {
            (agent, name): (count, total / SCALE, squares / SCALE**2)
            for part in for_agents(query, agent_ids)
            for agent, name, count, total, squares in connection.execute(part).all()
        }


def calls_by_agent(store: Store, since: str, until: str, agent_ids: Sequence[str] | None = None) -> dict[str, int]:
    """工号 → calls begun in [since, until), of these agents or of all; those without 工号 under ''."""
    query = (
        sa.select(calls.c.agent_id, sa.func.count())
        .where(calls.c.started_at >= since, calls.c.started_at < until)
        .group_by(calls.c.agent_id)
    )
    with store.read() as connection:
        return {row[0] or "": row[1] for part in for_agents(query, agent_ids) for row in connection.execute(part)}


def calls_without_time(store: Store) -> int:
    """Calls that no period can have."""
    with store.read() as connection:
        found = connection.scalar(sa.select(sa.func.count()).where(calls.c.started_at.is_(None)))
    return found or 0
