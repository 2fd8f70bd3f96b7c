"""A period's ledger from the store: everything read once, only as much of it as the agents asked for need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from qa_monitor.agents.casemix import Cell
from qa_monitor.agents.entries import Ledger, Unmatched
from qa_monitor.agents.frame import CallFrame
from qa_monitor.agents.indicators import Indicators, of_period
from qa_monitor.agents.ledger import LedgerInput, build_ledger
from qa_monitor.agents.matching import NO_ID, NO_TIME, matched, unmatched, unmatched_records
from qa_monitor.agents.performance import load_averaged
from qa_monitor.agents.placing import NOT_IN_ROSTER, Period, Roster
from qa_monitor.records import Note
from qa_monitor.settings import resource_dir
from qa_monitor.store import agent_calls, agent_sums, people
from qa_monitor.store.backfill import fill_ledger_columns
from qa_monitor.store.schema import performance
from qa_monitor.store.store import Store

TREND_MONTHS = 12


@dataclass(frozen=True, slots=True)
class PeriodData:
    """A ledger and what more is read from: the calls of the period and of the one before, records by period.

    `records` period → 工号 → indicators, over the months of the trend.
    """

    ledger: Ledger
    roster: Roster
    frame: CallFrame
    earlier: CallFrame
    history: dict[tuple[str, str], tuple[int, float, float]]
    records: dict[str, dict[str, Indicators]]
    notes: tuple[Note, ...]


def read_period(
    store: Store,
    period: Period,
    *,
    team: str | None = None,
    agent_ids: Iterable[str] | None = None,
    min_calls: int = 5,
    new_days: int = 90,
    dimensions: Sequence[str] = (),
    averaged: Sequence[str] | None = None,
) -> PeriodData:
    """The ledger of `period`: of everybody, of a team, or of some agents (then their teams are read with them).

    `dimensions` is the order to show them in; others follow by name. `averaged` names the metrics whose daily records
    are averaged, by default those of the columns file that came with the program.
    """
    fill_ledger_columns(store, period.before().since, period.until)
    roster = Roster(people.roster_of(store))
    chosen = _chosen(roster, period, team, agent_ids)
    teams = None if chosen is None else _teams_of(roster, period, chosen)
    with_teams = None if chosen is None else _with_team_mates(roster, period, chosen)
    if averaged is None:
        averaged = load_averaged(resource_dir("rules") / "performance_columns.yaml")
    records = records_by_period(store, period.before(TREND_MONTHS - 1), period, with_teams, averaged)
    read = None if with_teams is None else sorted(with_teams)
    frame, strangers = matched(agent_calls.call_frame(store, period.since, period.until, read), roster, period)
    before = period.before()
    mine = None if chosen is None else sorted(chosen)
    earlier, _ = matched(agent_calls.call_frame(store, before.since, before.until, mine), roster, before)
    counts = agent_sums.calls_by_agent(store, period.since, period.until, mine)
    first = period.before(TREND_MONTHS - 1)
    history = agent_sums.history(store, first.since, period.since, read)
    ledger = build_ledger(
        LedgerInput(
            period=period,
            roster=roster,
            frame=frame,
            cells=_cells(store, period, roster, frame, read is None),
            earlier=earlier,
            history=history,
            indicators=records.get(period.name, {}),
            unmatched=_unmatched(store, period, roster, records.get(period.name, {}), counts, strangers, chosen),
            names={**earlier.rule_names, **frame.rule_names},
            min_calls=min_calls,
            new_days=new_days,
            wanted=with_teams,
            teams=teams,
            dimensions=tuple(dimensions),
        )
    )
    left = frame.without_parts
    notes = [Note("without_parts", f"{left} 通的内容已按保存期限删除，只有得分，没有维度和证据", left)] if left else []
    return PeriodData(ledger, roster, frame, earlier, history, records, tuple(notes))


def _chosen(roster: Roster, period: Period, team: str | None, agent_ids: Iterable[str] | None) -> frozenset[str] | None:
    if agent_ids is not None:
        return frozenset(agent_ids)
    if team is not None:
        return frozenset(
            agent_id
            for agent_id in roster.ids()
            if any(stay.line.team == team for stay in roster.stays(agent_id, period))
        )
    return None


def _teams_of(roster: Roster, period: Period, chosen: frozenset[str]) -> frozenset[str]:
    """Every team in which one of these agents was during the period."""
    return frozenset(stay.line.team for agent_id in chosen for stay in roster.stays(agent_id, period))


def _with_team_mates(roster: Roster, period: Period, chosen: frozenset[str]) -> frozenset[str]:
    """The chosen agents and everybody who was in one of their teams during the period."""
    teams = _teams_of(roster, period, chosen)
    mates = {
        agent_id for agent_id in roster.ids() if any(stay.line.team in teams for stay in roster.stays(agent_id, period))
    }
    return frozenset(chosen | mates)


def _cells(store: Store, period: Period, roster: Roster, frame: CallFrame, whole: bool) -> list[Cell]:
    """Summed calls of every roster agent. Agents with days outside the roster are summed from their matched calls."""
    days = int(period.last_day[-2:])
    partly = {
        agent_id
        for agent_id in roster.ids()
        if sum(stay.last - stay.first + 1 for stay in roster.stays(agent_id, period)) < days
    }
    cells = [
        cell
        for cell in agent_sums.case_cells(store, period.since, period.until)
        if cell.agent_id in roster and cell.agent_id not in partly
    ]
    source = frame
    if not whole and partly:
        read = agent_calls.call_frame(store, period.since, period.until, sorted(partly))
        source, _ = matched(read, roster, period)
    return cells + agent_sums.cells_of(source, sorted(partly))


def _unmatched(
    store: Store,
    period: Period,
    roster: Roster,
    indicators: dict[str, Indicators],
    counts: dict[str, int],
    strangers: tuple[Unmatched, ...],
    chosen: frozenset[str] | None,
) -> list[Unmatched]:
    """Everything without a counterpart; for some agents only what is about them."""
    if chosen is not None:
        about = {agent_id: record for agent_id, record in indicators.items() if agent_id in chosen}
        mine = {agent_id: counts.get(agent_id, 0) for agent_id in chosen}
        unknown = [
            unmatched(NOT_IN_ROSTER, agent_id, counts.get(agent_id, 0))
            for agent_id in sorted(chosen)
            if agent_id not in roster and counts.get(agent_id)
        ]
        found = [item for item in strangers if item.agent_id in chosen and item.kind != NOT_IN_ROSTER]
        return unknown + found + list(unmatched_records(about, roster, mine, period))
    timeless = agent_sums.calls_without_time(store)
    first = [unmatched(NO_TIME, "", timeless)] if timeless else []
    ordered = sorted(strangers, key=lambda item: (item.kind != NO_ID, item.kind, item.agent_id))
    return first + ordered + list(unmatched_records(indicators, roster, counts, period))


def records_by_period(
    store: Store, first: Period, last: Period, agent_ids: frozenset[str] | None, averaged: Sequence[str]
) -> dict[str, dict[str, Indicators]]:
    """Month → 工号 → indicators of the months first … last."""
    table = performance.c
    query = sa.select(table.agent_id, table.period, table.metric, table.value).where(
        table.period >= first.name, table.period < last.until
    )
    if agent_ids is not None and len(agent_ids) <= agent_calls.IDS_A_QUERY:
        query = query.where(table.agent_id.in_(sorted(agent_ids)))
    months: dict[str, list[tuple[str, str, str, str]]] = {}
    with store.read() as connection:
        for agent_id, name, metric, value in connection.execute(query).all():
            if agent_ids is None or agent_id in agent_ids:
                months.setdefault(name[:7], []).append((agent_id, name, metric, value))
    return {name: of_period(rows, averaged) for name, rows in sorted(months.items())}
