"""The ledger over a real store: whose calls count for whom, sums that add up, and what finds no match (FAULTS 44, 48)."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger_factory import RULES, Made, agent, many_calls, open_store, write_calls, write_roster

from qa_monitor.agents.entries import Entry, Ledger
from qa_monitor.agents.placing import month_period
from qa_monitor.store import people
from qa_monitor.store.agent_ledger import PeriodData, read_period

NOVEMBER = month_period("2026-11")
made_calls = st.builds(
    Made,
    agent_id=st.sampled_from(["001", "002", "003"]),
    started_at=st.sampled_from(["2026-11-03T09:00:00+08:00", "2026-11-20T10:00:00+08:00", "2026-10-05T11:00:00+08:00"]),
    lost=st.dictionaries(st.sampled_from(sorted(RULES)), st.sampled_from([0.1, 0.25, 0.4]), max_size=3),
    scored=st.sampled_from([True, True, True, False]),
    vetoed=st.sampled_from([False, False, False, True]),
    business=st.sampled_from(["故障报修", "投诉"]),
    review_state=st.sampled_from(["machine", "confirmed", "appealed"]),
)
some_calls = st.lists(made_calls, max_size=25)
quiet = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def ledger_of(folder: Path, calls: list[Made], **asked: Any) -> Ledger:
    return data_of(folder, calls, **asked).ledger


def data_of(folder: Path, calls: list[Made], **asked: Any) -> PeriodData:
    folder.mkdir(parents=True, exist_ok=True)
    store = open_store(folder)
    try:
        write_roster(store, agent("001", "甲"), agent("002", "乙"), agent("003", "丙", "二班"))
        write_calls(store, calls)
        return read_period(store, NOVEMBER, **asked)
    finally:
        store.close()


def named(calls: list[Made]) -> list[Made]:
    return [replace(call, name=str(number)) for number, call in enumerate(calls)]


@quiet
@given(calls=some_calls, more=made_calls)
def test_adding_a_call_never_changes_another_agents_raw_score(
    tmp_path_factory: pytest.TempPathFactory, calls: list[Made], more: Made
) -> None:
    calls = named(calls)
    before = ledger_of(tmp_path_factory.mktemp("a"), calls)
    after = ledger_of(tmp_path_factory.mktemp("b"), [*calls, replace(more, name="more")])
    for entry in before.entries:
        if entry.agent_id != more.agent_id:
            now = after.entry(entry.agent_id)
            assert now is not None
            assert now.points == entry.points
            assert now.dimensions == entry.dimensions
            assert now.measures == entry.measures
            assert now.costs == entry.costs


@quiet
@given(calls=some_calls, seed=st.integers(0, 99))
def test_the_order_of_calls_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, calls: list[Made], seed: int
) -> None:
    calls = named(calls)
    shuffled = random.Random(seed).sample(calls, len(calls))
    one = ledger_of(tmp_path_factory.mktemp("a"), calls)
    two = ledger_of(tmp_path_factory.mktemp("b"), shuffled)
    assert one == two


@quiet
@given(calls=some_calls)
def test_the_parts_add_up_to_the_whole(tmp_path_factory: pytest.TempPathFactory, calls: list[Made]) -> None:
    ledger = ledger_of(tmp_path_factory.mktemp("a"), named(calls))
    inside = [call for call in calls if (call.started_at or "") >= "2026-11"]
    assert sum(entry.calls for entry in ledger.entries) == len(inside)
    assert sum(team.calls for team in ledger.teams) == len(inside)
    assert sum(entry.scored for entry in ledger.entries) == sum(call.scored for call in inside) == ledger.centre.n
    for entry in ledger.entries:
        assert sum(figure.n for figure in entry.states.values()) == entry.scored
        assert sum(stay.calls for stay in entry.stays) == entry.calls
        assert sum(count for _, count in entry.business) == entry.calls
        if entry.points.value is not None:
            assert sum(cost.per_call for cost in entry.costs) == pytest.approx(100 - entry.points.value, abs=1e-4)
            own = [call.points for call in inside if call.agent_id == entry.agent_id and call.points is not None]
            assert entry.points.value == pytest.approx(sum(own) / len(own), abs=1e-9)
    whole = [(e.scored, e.points.value or 0.0) for e in ledger.entries if e.scored]
    if whole:
        mean = sum(n * value for n, value in whole) / sum(n for n, _ in whole)
        assert ledger.centre.value == pytest.approx(mean)


@quiet
@given(calls=some_calls)
def test_changes_by_cause_add_up_to_the_change(tmp_path_factory: pytest.TempPathFactory, calls: list[Made]) -> None:
    for entry in ledger_of(tmp_path_factory.mktemp("a"), named(calls)).entries:
        if entry.drivers:
            old, new = entry.trend[-2].points.value, entry.trend[-1].points.value
            assert old is not None
            assert new is not None
            assert sum(driver.change for driver in entry.drivers) == pytest.approx(new - old, abs=1e-4)


def test_one_agents_ledger_is_that_agents_part_of_everybodys(tmp_path: Path) -> None:
    calls = many_calls(["001", "002", "003", "009"], 80, months=("2026-10", "2026-11"))
    whole = ledger_of(tmp_path / "a", calls)
    alone = ledger_of(tmp_path / "b", calls, agent_ids=["002"])
    team = ledger_of(tmp_path / "c", calls, team="一班")
    assert alone.entry("002") == whole.entry("002") == team.entry("002")
    assert alone.entry("003") is None
    assert alone.team("一班") == whole.team("一班")
    assert alone.centre == whole.centre


def test_period_without_calls(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, [])
    assert [entry.calls for entry in ledger.entries] == [0, 0, 0]
    assert ledger.centre.value is None
    assert all(entry.rank is None and entry.points.value is None for entry in ledger.entries)
    assert ledger.casemix.levels == {}


def test_few_calls_are_not_ranked_and_one_has_no_interval(tmp_path: Path) -> None:
    ledger = ledger_of(
        tmp_path, [Made(name="1"), *(Made("002", name=f"x{n}") for n in range(5)), Made("003", scored=False)]
    )
    one, five, none = ledger.entries
    assert (one.points.n, one.points.low, one.rank, one.enough) == (1, None, None, False)
    assert five.enough
    assert five.rank is not None
    assert (none.calls, none.scored, none.points.value) == (1, 0, None)


def test_calls_go_to_the_team_of_their_day_and_outside_the_dates_to_nobody(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    write_roster(
        store,
        agent("001", "甲", "一班", valid_to="2026-11-10"),
        agent("001", "甲", "二班", valid_from="2026-11-11", valid_to="2026-11-20"),
        agent("007", "乙", "一班"),
        agent("7", "乙", "二班"),
    )
    days = ("05", "10", "11", "15", "25")
    calls = [
        Made(
            started_at=f"2026-11-{day}T09:00:00+08:00", name=day, lost={"opening.greeting": 0.25} if day == "25" else {}
        )
        for day in days
    ]
    write_calls(store, [*calls, Made("007", name="x"), Made("7", name="y"), Made("7", name="z")])
    ledger = read_period(store, NOVEMBER).ledger
    moved = ledger.entry("001")
    assert moved is not None
    assert [(stay.stay.line.team, stay.calls) for stay in moved.stays] == [("一班", 2), ("二班", 2)]
    assert (moved.calls, moved.team, moved.points.value) == (4, "二班", 100.0)
    assert [(item.kind, item.agent_id, item.count) for item in ledger.unmatched] == [
        ("通话日期不在名册的在岗日期内", "001", 1)
    ]
    assert [(team.team, team.agents, team.calls) for team in ledger.teams] == [("一班", 2, 3), ("二班", 2, 4)]
    assert [(entry.agent_id, entry.calls) for entry in ledger.entries] == [("001", 4), ("007", 1), ("7", 2)]
    alone = read_period(store, NOVEMBER, agent_ids=["001"]).ledger
    assert alone.entry("001") == moved
    store.close()


def test_everything_without_a_counterpart_is_listed(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    write_roster(store, agent("001", "甲"), agent("002", "乙"), agent("003", "丙"))
    write_calls(
        store,
        [
            Made(name="1"),
            Made(None, name="2"),
            Made("404", name="3"),
            Made("003", name="5"),
            Made("003", None, name="4"),
        ],
    )
    records = [("001", "2026-11", "接听量", "0"), ("002", "2026-11", "接听量", "90"), ("505", "2026-11", "接听量", "3")]
    people.save_performance(store, records)
    ledger = read_period(store, NOVEMBER).ledger
    assert [(item.kind, item.agent_id, item.count) for item in ledger.unmatched] == [
        ("通话没有开始时间", "", 1),
        ("通话没有工号", "", 1),
        ("名册中没有这个工号", "404", 1),
        ("接听量少于已质检通数", "001", 1),
        ("有绩效记录，没有质检通话", "002", 1),
        ("绩效记录的工号不在名册", "505", 1),
        ("有质检通话，没有绩效记录", "003", 1),
    ]
    assert all(item.hint for item in ledger.unmatched)
    store.close()


def test_states_of_review_are_told_apart_and_new_staff_marked(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    write_roster(store, agent("001", "甲", hired_on="2026-10-01"), agent("002", "乙", hired_on="2020-10-01"))
    states = ["machine", "confirmed", "changed", "appealed", "machine"]
    write_calls(store, [Made(review_state=state, name=str(n)) for n, state in enumerate(states)])
    first, second = read_period(store, NOVEMBER).ledger.entries
    assert {state: figure.n for state, figure in first.states.items()} == {
        "machine": 2,
        "confirmed": 1,
        "changed": 1,
        "appealed": 1,
    }
    assert first.is_new
    assert not second.is_new
    store.close()


def test_records_are_matched_by_month_and_days_put_together(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    write_roster(store, agent("001", "甲"), agent("002", "乙"))
    write_calls(store, [Made(name="1")])
    people.save_performance(store, [
        ("001", "2026-11-02", "接听量", "60"), ("001", "2026-11-03", "接听量", "40"), ("001", "2026-11-02", "接通率", "90%"),
        ("001", "2026-11-03", "接通率", "100%"), ("001", "2026-11", "投诉", "2"), ("001", "2026-11-02", "投诉", "9"),
        ("001", "2026-10", "接听量", "1"), ("001", "2026-11", "回访满意", "30"), ("001", "2026-11", "回访不满意", "10"),
        ("001", "2026-11", "备注", "调休"),
    ])  # fmt: skip
    entry = read_period(store, NOVEMBER).ledger.entries[0]
    assert entry.indicators.values == {
        "备注": "调休",
        "回访不满意": 10.0,
        "回访满意": 30.0,
        "投诉": 2.0,
        "接听量": 100.0,
        "接通率": pytest.approx(0.94),
    }
    assert (entry.surveyed.value, entry.surveyed.n) == (0.75, 40)
    assert entry.coverage == 0.01
    store.close()


def test_trend_has_the_earlier_months(tmp_path: Path) -> None:
    months = ("2025-10", "2025-12", "2026-09", "2026-10", "2026-11")
    ledger = ledger_of(tmp_path, many_calls(["001", "002"], 20, months=months))
    assert [point.period for point in one(ledger).trend] == ["2025-12", "2026-09", "2026-10", "2026-11"]
    assert all(point.points.n == 10 for point in one(ledger).trend)


def one(ledger: Ledger) -> Entry:
    return ledger.entries[0]


def test_a_team_is_shown_whole_or_not_at_all(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    write_roster(
        store,
        agent("001", "甲", "一班"),
        agent("002", "乙", "一班", valid_to="2026-11-10"),
        agent("002", "乙", "二班", valid_from="2026-11-11"),
        agent("003", "丙", "二班"),
    )
    days = ("2026-11-05", "2026-11-20")
    write_calls(
        store, [Made(who, f"{day}T09:00:00+08:00", name=f"{who}{day}") for who in ("001", "002", "003") for day in days]
    )
    whole = read_period(store, NOVEMBER).ledger
    alone = read_period(store, NOVEMBER, agent_ids=["001"]).ledger
    moved = read_period(store, NOVEMBER, agent_ids=["002"]).ledger
    store.close()
    assert [(team.team, team.calls) for team in whole.teams] == [("一班", 3), ("二班", 3)]
    assert alone.teams == whole.teams[:1]
    assert moved.teams == whole.teams
