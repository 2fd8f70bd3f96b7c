"""Roster and performance records as offices keep them; fair means (FAULTS 43, 44, 48)."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from qa_monitor.agents.columns import iso_date, iso_period
from qa_monitor.agents.interval import mean_interval
from qa_monitor.agents.performance import load_columns, read_performance
from qa_monitor.agents.roster import read_roster, valid_on
from qa_monitor.errors import RecordsFileError
from qa_monitor.settings import resource_dir

COLUMNS = load_columns(resource_dir("rules") / "performance_columns.yaml")


def write(path: Path, text: str, encoding: str = "gb18030") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    "text", ["2026-11-03", "2026/11/3", "20261103", "2026年11月3日", "46329", "3-Nov-26", "2026.11.3"]
)
def test_dates_in_every_style(text: str) -> None:
    assert iso_date(text) == "2026-11-03"


@pytest.mark.parametrize("text", ["昨天", "2026-13-01", "2026-02-30", "", "3-Foo-26"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert iso_date(text) is None


def test_periods() -> None:
    assert [iso_period(text) for text in ("2026-11", "202611", "2026年11月", "2026/11/03", "十一月")] == [
        "2026-11",
        "2026-11",
        "2026-11",
        "2026-11-03",
        None,
    ]


def test_roster_as_an_office_keeps_it(tmp_path: Path) -> None:
    path = write(
        tmp_path / "名册.csv",
        "客服中心坐席名册,,,,\n员工编号,姓名,班组,入职日期,生效日期\n"
        "007,王㐂,一班,2020/1/5,2026-01-01\n007,王㐂,二班,2020/1/5,2026-06-01\n1E5,李四,二班,,\n,无号,一班,,\n0088,赵五,一班,前年,\n",
    )
    read = read_roster(path)
    assert [(agent.agent_id, agent.team, agent.valid_from, agent.valid_to) for agent in read.agents] == [
        ("007", "一班", "2026-01-01", "2026-05-31"),
        ("007", "二班", "2026-06-01", None),
        ("100000", "二班", None, None),
    ]
    assert [(row.row, row.reason[:4]) for row in read.rejected] == [(6, "没有工号"), (7, "入职日期")]


def test_two_people_of_one_name_stay_two_and_conflicting_rows_are_rejected(tmp_path: Path) -> None:
    read = read_roster(write(tmp_path / "r.csv", "工号,姓名,班组\n01,张伟,一班\n02,张伟,二班\n01,张伟,三班\n"))
    assert [agent.agent_id for agent in read.agents] == ["01", "02"]
    assert "两行不同内容" in read.rejected[0].reason


def test_the_line_in_force_on_a_day(tmp_path: Path) -> None:
    read = read_roster(
        write(
            tmp_path / "r.csv",
            "工号,姓名,班组,生效日期,离职日期\n1,甲,一班,2026-01-01,2026-06-30\n1,甲,二班,2026-07-01,2026-09-30\n",
        )
    )
    teams = [
        line.team if (line := valid_on(read.agents, day)) else None
        for day in ("2025-12-31", "2026-03-01", "2026-07-01", "2026-10-01")
    ]
    assert teams == [None, "一班", "二班", None]


def test_roster_without_ids_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordsFileError, match="没有“工号”列"):
        read_roster(write(tmp_path / "r.csv", "姓名,班组\n甲,一班\n"))


def test_performance_takes_any_column_and_the_month_from_the_name(tmp_path: Path) -> None:
    read = read_performance(
        write(tmp_path / "绩效_2026-11.csv", "工号,AHT(秒),表扬数,自定指标\n007,268,3,95%\n,1,2,3\n"), COLUMNS
    )
    assert read.records == (
        ("007", "2026-11", "平均处理时长", "268"),
        ("007", "2026-11", "自定指标", "95%"),
        ("007", "2026-11", "表扬", "3"),
    )
    assert [row.row for row in read.rejected] == [3]
    with pytest.raises(RecordsFileError, match="哪个月"):
        read_performance(write(tmp_path / "绩效.csv", "工号,接听量\n007,1\n"), COLUMNS)


def test_repeated_rows_are_one_and_contradicting_rows_are_rejected(tmp_path: Path) -> None:
    read = read_performance(write(tmp_path / "p_202611.csv", "工号,接听量\n7,10\n7,10\n7,11\n"), COLUMNS)
    assert read.records == (("7", "2026-11", "接听量", "10"),)
    assert "不一致：接听量" in read.rejected[0].reason


def test_no_calls_one_call() -> None:
    assert mean_interval([]) == (None, None)
    assert mean_interval([80.0]) == (80.0, None)


@given(st.lists(st.floats(0, 100), min_size=2, max_size=50))
def test_interval_is_students(points: list[float]) -> None:
    mean, interval = mean_interval(points)
    assert mean is not None
    assert interval is not None
    error = stats.sem(points)
    if error > 1e-9:
        low, high = stats.t.interval(0.95, len(points) - 1, loc=sum(points) / len(points), scale=error)
        assert interval == pytest.approx((max(0, low), min(100, high)), abs=1e-6)
    assert mean_interval(points[::-1])[0] == pytest.approx(mean)
