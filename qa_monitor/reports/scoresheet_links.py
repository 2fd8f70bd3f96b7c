"""Correlations of the scorecard with outcomes, column by column."""

from __future__ import annotations

from collections.abc import Sequence

from qa_monitor.agents.interval import Figure
from qa_monitor.agents.links import Link, RuleLink
from qa_monitor.reports import figures
from qa_monitor.reports.columns import Cell, Column, ColumnKind
from qa_monitor.reports.scoresheet_parts import shown


def _limits(kind: ColumnKind, of: str, figure_of: str) -> list[Column[RuleLink]]:
    names = {"value": "", "low": "\n95%下限", "high": "\n95%上限"}

    def one(part: str) -> Column[RuleLink]:
        def cell(link: RuleLink) -> Cell:
            found: Figure = getattr(link, figure_of)
            return shown(kind, getattr(found, part))

        return Column(f"{figure_of}_{part}", of + names[part], kind, 11, cell)

    return [one("value"), one("low"), one("high")]


def link_columns() -> Sequence[Column[Link]]:
    """One row a month and outcome."""
    return [
        Column("period", "月份", "text", 10, lambda link: link.period),
        Column("outcome", "质检得分与…", "text", 18, lambda link: link.outcome),
        Column("r", "相关系数 r", "ratio", 11, lambda link: figures.figure("ratio", link.r.value)),
        Column("low", "95%下限", "ratio", 10, lambda link: figures.figure("ratio", link.r.low)),
        Column("high", "95%上限", "ratio", 10, lambda link: figures.figure("ratio", link.r.high)),
        Column("n", "坐席数", "count", 9, lambda link: link.r.n),
        Column("verdict", "结论", "text", 34, lambda link: link.verdict),
    ]


def rule_link_columns() -> Sequence[Column[RuleLink]]:
    """One row a rule: predicted satisfaction of calls that broke it minus of those that kept it; over agents, the
    correlation of the share of breaches with the surveyed share of dissatisfied."""
    return [
        Column("name", "规则", "text", 16, lambda link: link.name),
        Column("item", "规则编号", "id", 28, lambda link: link.item),
        Column("broken", "违规通数", "count", 10, lambda link: link.broken),
        Column("judged", "判断通数", "count", 10, lambda link: link.judged),
        *_limits("ratio", "满意度差", "difference"),
        *_limits("ratio", "回访不满 r", "surveyed"),
        Column("verdict", "结论", "text", 30, lambda link: link.verdict),
    ]
