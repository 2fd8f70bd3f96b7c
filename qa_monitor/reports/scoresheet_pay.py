"""How each grade and coefficient came about, step by step, column by column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qa_monitor.agents.entries import Entry
from qa_monitor.agents.pay import Pay, Step
from qa_monitor.reports import figures
from qa_monitor.reports.columns import Column
from qa_monitor.reports.scoresheet import ScoreSheet
from qa_monitor.reports.scoresheet_columns import pay_basis


@dataclass(frozen=True, slots=True)
class PayLine:
    """A step of somebody's pay; `number` counts from 1."""

    entry: Entry
    pay: Pay
    number: int
    step: Step


def pay_lines(sheet: ScoreSheet) -> Iterator[PayLine]:
    """Every step of every agent's pay, in order."""
    for agent in sheet.agents:
        if agent.pay is not None:
            for number, step in enumerate(agent.pay.steps, start=1):
                yield PayLine(agent.entry, agent.pay, number, step)


def pay_columns() -> Sequence[Column[PayLine]]:
    """One row a step."""
    return [
        Column("agent_id", "工号", "id", 9, lambda line: line.entry.agent_id),
        Column("name", "姓名", "text", 10, lambda line: line.entry.name),
        Column("team", "班组", "text", 12, lambda line: line.entry.team),
        Column("number", "第几步", "count", 8, lambda line: line.number),
        Column("step", "步骤", "text", 26, lambda line: line.step.name),
        Column("points", "数值", "ratio", 9, lambda line: figures.figure("ratio", line.step.points)),
        Column("how", "怎么来的", "long", 60, lambda line: line.step.how),
        Column("grade", "等级", "text", 8, lambda line: line.pay.grade),
        Column("coefficient", "系数", "ratio", 8, lambda line: figures.figure("ratio", line.pay.coefficient)),
        Column("basis", "质检分依据", "text", 12, lambda line: pay_basis(line.pay)),
        Column("reasons", "说明", "long", 40, lambda line: "；".join(line.pay.reasons)),
    ]
