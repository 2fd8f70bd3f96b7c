"""Performance records that the centre already keeps: any column, by agent and period."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from qa_monitor.agents.columns import iso_period, load_aliases, match_columns
from qa_monitor.agents.roster import Rejected
from qa_monitor.errors import RecordsFileError
from qa_monitor.records import Note
from qa_monitor.tables import plain_id, read_table

_PERIOD_IN_NAME = re.compile(r"(20\d{2})[-_年.]?(0[1-9]|1[0-2])(?!\d)")


@dataclass(frozen=True, slots=True)
class PerformanceImport:
    """(工号, period, metric, value as text) of every filled cell, and what was not taken."""

    records: tuple[tuple[str, str, str, str], ...]
    rejected: tuple[Rejected, ...]
    notes: tuple[Note, ...]


AVERAGED_KEY = "每日记录取平均"


def load_columns(path: Path) -> dict[str, tuple[str, ...]]:
    """Metric → the names its column goes by. Raises RuleFileError naming the file."""
    return {field: names for field, names in load_aliases(path).items() if field != AVERAGED_KEY}


def load_averaged(path: Path) -> tuple[str, ...]:
    """Metrics whose daily figures are averaged over a month, not added up."""
    return load_aliases(path).get(AVERAGED_KEY, ())[1:]


def read_performance(path: Path, aliases: dict[str, tuple[str, ...]], encoding: str | None = None) -> PerformanceImport:
    """Every figure of a table with a 工号 column. The period is a column, or stands in the file's name (`绩效_2026-11`).

    Columns that `aliases` does not know are kept under their own names. Raises RecordsFileError without 工号 or period.
    """
    table = read_table(path, frozenset(name for names in aliases.values() for name in names), encoding)
    columns = match_columns(table.columns, aliases)
    if "工号" not in columns:
        raise RecordsFileError(
            "没有“工号”列", where=str(path), hint="请补上该列，或在 rules/performance_columns.yaml 写明它的叫法"
        )
    in_name = _PERIOD_IN_NAME.search(path.stem)
    if "月份" not in columns and in_name is None:
        raise RecordsFileError(
            "不知道是哪个月的记录", where=str(path), hint="请加一列“月份”，或在文件名里写明，如 绩效_2026-11.csv"
        )
    metric_of = {column: field for field, column in columns.items()}
    rejected = [Rejected(path.name, number, reason) for number, reason in table.rejected]
    records: dict[tuple[str, str, str], str] = {}
    for row in table.rows:
        agent_id = plain_id(row.cells.get(columns["工号"], ""))
        period = (
            iso_period(row.cells[columns["月份"]])
            if "月份" in columns
            else f"{in_name[1]}-{in_name[2]}"
            if in_name
            else None
        )
        if not agent_id or period is None:
            rejected.append(Rejected(path.name, row.number, "没有工号" if not agent_id else "月份无法识别"))
            continue
        figures = {
            (agent_id, period, metric_of.get(column, column)): value
            for column, value in row.cells.items()
            if value and metric_of.get(column) not in ("工号", "月份", "姓名")
        }
        clash = [key[2] for key, value in figures.items() if records.get(key, value) != value]
        if clash:
            rejected.append(
                Rejected(path.name, row.number, f"工号 {agent_id} {period} 与前面的行不一致：{'、'.join(clash)}")
            )
            continue
        records |= figures
    return PerformanceImport(
        tuple((*key, value) for key, value in sorted(records.items())), tuple(rejected), table.notes
    )
