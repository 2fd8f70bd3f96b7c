"""The first page of the score sheets: what they cover, the totals, grades and teams at a glance, who signs."""

from __future__ import annotations

from collections import Counter
from typing import Any

from qa_monitor.agents.entries import CONFIRMED_STATES, REVIEW_NAMES
from qa_monitor.agents.interval import EMPTY
from qa_monitor.reports import figures
from qa_monitor.reports.columns import Cell, ColumnKind
from qa_monitor.reports.cover import OCHRE, TEAL, VERMILION, plain_chart
from qa_monitor.reports.scoresheet import ScoreSheet
from qa_monitor.reports.sheets import FAINT, HEAD_FILL, INK, LINE, Sheet

WIDTHS = (26, 14, 14, 14, 4, 22, 12, 12, 12)
TEAMS_ON_CHART = 30
FIRST_ROW = 5


def totals(sheet: ScoreSheet) -> list[tuple[str, ColumnKind, Cell]]:
    """What the score sheets cover, in figures."""
    entries = sheet.entries
    calls = sum(entry.calls for entry in entries)
    handled = [entry for entry in entries if entry.handled]
    answered = sum(entry.handled or 0.0 for entry in handled)
    covered = sum(entry.calls for entry in handled)
    return [
        ("坐席人数", "count", len(entries)),
        ("其中有质检通话", "count", sum(bool(entry.calls) for entry in entries)),
        ("其中样本不足", "count", sum(not entry.enough for entry in entries)),
        ("质检通数", "count", calls),
        ("评分通数", "count", sum(entry.scored for entry in entries)),
        ("其中人工确认或改判", "count", sum(entry.state_count(*CONFIRMED_STATES) for entry in entries)),
        ("其中申诉中", "count", sum(entry.state_count("appealed") for entry in entries)),
        ("疑似待复核（不扣分）", "count", sum(entry.suspected for entry in entries)),
        ("接听量（有记录的坐席）", "count", figures.figure("count", answered) if handled else None),
        ("覆盖率（质检 ÷ 接听）", "share", figures.share(covered / answered) if answered else None),
        ("全中心平均分", "points", figures.points(sheet.ledger.centre.value)),
        ("95%下限", "points", figures.points(sheet.ledger.centre.low)),
        ("95%上限", "points", figures.points(sheet.ledger.centre.high)),
        ("一票否决通数", "count", sum(entry.vetoed[0] for entry in entries)),
        ("未匹配（项）", "count", len(sheet.ledger.unmatched)),
    ]


def grades(sheet: ScoreSheet) -> list[tuple[str, int, float]]:
    """(grade, agents, their mean coefficient), in the policy's order, those without a grade last."""
    if sheet.policy is None:
        return []
    pays = [agent.pay for agent in sheet.agents if agent.pay is not None]
    counts = Counter(pay.grade for pay in pays)
    order = [level.grade for level in sheet.policy.policy.grades.levels]
    order += sorted(set(counts) - set(order))
    return [
        (grade, counts[grade], sum(pay.coefficient for pay in pays if pay.grade == grade) / counts[grade])
        for grade in order
        if counts[grade]
    ]


def pay_notice(sheet: ScoreSheet) -> str:
    """Whether machine scores that nobody confirmed moved anybody's pay."""
    if sheet.policy is None:
        return "本表没有使用绩效办法，得分为机器初评，不直接用于考核。"
    moved = sum(agent.pay is not None and agent.pay.by_machine for agent in sheet.agents)
    if moved:
        return f"按绩效办法的规定，{moved} 名坐席的等级含未经人工确认的机器初评，见“排名”的“质检分依据”列。"
    return "未经人工确认的机器初评没有影响任何人的等级和系数。"


def write_cover(workbook: Any, sheet: Sheet, scores: ScoreSheet) -> None:
    for column, width in enumerate(WIDTHS):
        sheet.raw.set_column(column, column, width)
    sheet.raw.fit_to_pages(1, 1)
    sheet.raw.set_row(0, 36)
    sheet.text(0, 0, scores.title, font_size=22, bold=True)
    period = scores.ledger.period
    sheet.text(
        1,
        0,
        f"考核期 {period.since} 至 {period.last_day}　生成时间 {scores.created_at.replace('T', ' ')}",
        font_color=FAINT,
    )
    sheet.text(2, 0, pay_notice(scores), bold=True, font_color=VERMILION)
    if scores.ranked:
        sheet.text(3, 0, "按要求列出了名次：名次不计误差，区间重叠的坐席实际分不出高低。", font_color=VERMILION)
    last = _totals(sheet, scores)
    last = max(last, _versions(sheet, scores))
    graded = _grades(sheet, scores, FIRST_ROW + 2 + len(scores.versions) + 1)
    _team_chart(workbook, sheet, scores, max(last, graded) + 1)
    _signatures(sheet, max(last, graded) + 23)


def _head(sheet: Sheet, row: int, column: int, *names: str) -> None:
    for index, name in enumerate(names):
        align: dict[str, Any] = {"align": "right"} if index else {}
        sheet.text(row, column + index, name, bold=True, bg_color=HEAD_FILL, bottom=1, bottom_color=INK, **align)


def _totals(sheet: Sheet, scores: ScoreSheet) -> int:
    _head(sheet, FIRST_ROW, 0, "总体", "数值")
    for row, (name, kind, value) in enumerate(totals(scores), start=FIRST_ROW + 1):
        sheet.text(row, 0, name, bottom=4, bottom_color=LINE)
        sheet.cell(row, 1, kind, value, bottom=4, bottom_color=LINE)
    row = FIRST_ROW + 2 + len(totals(scores))
    _head(sheet, row, 0, "复核状态", "评分通数")
    states: Counter[str] = Counter()
    for entry in scores.entries:
        states.update({state: figure.n for state, figure in entry.states.items()})
    for index, (state, count) in enumerate(sorted(states.items()), start=row + 1):
        sheet.text(index, 0, REVIEW_NAMES.get(state, state), bottom=4, bottom_color=LINE)
        sheet.cell(index, 1, "count", count, bottom=4, bottom_color=LINE)
    return row + 1 + len(states)


def _versions(sheet: Sheet, scores: ScoreSheet) -> int:
    _head(sheet, FIRST_ROW, 5, "依据的版本")
    for row, (name, value) in enumerate(scores.versions, start=FIRST_ROW + 1):
        sheet.text(row, 5, name, font_color=FAINT)
        sheet.text(row, 6, value)
    return FIRST_ROW + 1 + len(scores.versions)


def _grades(sheet: Sheet, scores: ScoreSheet, row: int) -> int:
    found = grades(scores)
    if not found:
        return row
    _head(sheet, row, 5, "等级", "人数", "平均系数")
    for index, (grade, count, coefficient) in enumerate(found, start=row + 1):
        sheet.text(index, 5, grade, bottom=4, bottom_color=LINE)
        sheet.cell(index, 6, "count", count, bottom=4, bottom_color=LINE)
        sheet.cell(index, 7, "ratio", figures.figure("ratio", coefficient), bottom=4, bottom_color=LINE)
    return row + 1 + len(found)


def _team_chart(workbook: Any, sheet: Sheet, scores: ScoreSheet, row: int) -> None:
    """Team means, drawn from the sheet of teams."""
    teams = [team for team in scores.ledger.teams if team.points.value is not None][:TEAMS_ON_CHART]
    if not teams:
        return
    chart = workbook.add_chart({"type": "column"})
    last = len(scores.ledger.teams[:TEAMS_ON_CHART])
    chart.add_series(
        {
            "name": "班组平均分",
            "categories": ["班组", 1, 0, last, 0],
            "values": ["班组", 1, 4, last, 4],
            "fill": {"color": TEAL},
            "gap": 60,
            "data_labels": {"value": True, "num_format": "0.0", "font": {"size": 8}},
        }
    )
    plain_chart(chart, "各班组平均分", 470, 400)
    chart.set_y_axis(
        {"min": 0, "max": 100, "num_format": "0", "major_gridlines": {"visible": True, "line": {"color": LINE}}}
    )
    chart.set_legend({"none": True})
    sheet.raw.insert_chart(row, 0, chart, {"x_offset": 4, "y_offset": 4})
    means = {
        name: figures.mean(team.dimensions.get(name, EMPTY).value for team in teams)
        for name in scores.ledger.dimensions
    }
    if not means:
        return
    _head(sheet, row, 5, "维度", "班组平均")
    for index, (name, value) in enumerate(means.items(), start=row + 1):
        sheet.text(index, 5, name)
        sheet.cell(index, 6, "points", figures.points(value))
    bars = workbook.add_chart({"type": "bar"})
    bars.add_series(
        {
            "name": "班组平均",
            "categories": [sheet.name, row + 1, 5, row + len(means), 5],
            "values": [sheet.name, row + 1, 6, row + len(means), 6],
            "fill": {"color": OCHRE},
            "gap": 60,
            "data_labels": {"value": True, "num_format": "0.0", "font": {"size": 8}},
        }
    )
    plain_chart(bars, "各维度", 440, 270)
    bars.set_x_axis({"min": 0, "max": 100, "major_gridlines": {"visible": True, "line": {"color": LINE}}})
    bars.set_y_axis({"reverse": True})
    bars.set_legend({"none": True})
    sheet.raw.insert_chart(row + len(means) + 2, 5, bars, {"x_offset": 4, "y_offset": 4})


def _signatures(sheet: Sheet, row: int) -> None:
    sheet.raw.set_row(row, 30)
    for column, label in ((0, "制表："), (1, "质检主管："), (3, "人力资源："), (5, "批准："), (7, "日期：")):
        sheet.text(row, column, label, bold=True)
