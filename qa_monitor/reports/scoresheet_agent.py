"""One agent's page of the workbook: figures and charts side by side, then evidence, advice and the signature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qa_monitor.agents.entries import Entry
from qa_monitor.reports import figures
from qa_monitor.reports.cover import OCHRE, TEAL, VERMILION, plain_chart
from qa_monitor.reports.scoresheet import AgentSheet, ScoreSheet
from qa_monitor.reports.scoresheet_blocks import agent_blocks, grade_words
from qa_monitor.reports.scoresheet_columns import marks_of, rank_words
from qa_monitor.reports.scoresheet_parts import Block, Head, Row
from qa_monitor.reports.sheets import (
    FAINT,
    HEAD_FILL,
    INK,
    LINE,
    LINE_POINTS,
    MAX_LINES,
    NUMBER_FORMATS,
    ROW_PADDING_POINTS,
    Sheet,
    text_width,
)

WIDTHS = (22, 11, 11.5, 11.5, 10, 11.5, 11.5, 2, 32, 32, 32)
RIGHT = 8  # the first column beside the charts
HEAD_ROWS = 3
CHART_ROWS = 12
CHART_WIDTH, CHART_HEIGHT = 690, 232
TO_THE_RIGHT = frozenset({"drivers", "costs"})
WHERE_THERE_IS_ROOM = frozenset({"records"})
# First and last column of each of a block's heads, where they are not one after another.
SPANS: dict[str, tuple[tuple[int, int], ...]] = {
    "pay": ((0, 1), (2, 2), (3, 10)),
    "calls": ((0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 6), (7, 10)),
    "deductions": ((0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 6), (7, 8), (9, 10)),
    "advice": ((0, 0), (1, 1), (2, 2), (3, 3), (4, 5), (6, 7), (8, 8), (9, 9), (10, 10)),
    "effects": ((0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 8)),
}


@dataclass(frozen=True, slots=True)
class _Placed:
    """Where a block's rows stand, for the charts: first and last row of cells, counted from 0."""

    first: int
    last: int


def write_agent(workbook: Any, sheet: Sheet, scores: ScoreSheet, agent: AgentSheet, back_to: str) -> None:
    """Fill the agent's sheet. `back_to` names the sheet of the ranking."""
    for column, width in enumerate(WIDTHS):
        sheet.raw.set_column(column, column, width)
    sheet.raw.fit_to_pages(1, 0)
    sheet.raw.repeat_rows(0, HEAD_ROWS - 1)
    sheet.raw.freeze_panes(HEAD_ROWS, 0)
    _heading(sheet, scores, agent, back_to)
    left = right = HEAD_ROWS + 1
    placed: dict[str, _Placed] = {}
    blocks = agent_blocks(scores, agent)
    charts = {"trend", "dimensions"} & {block.key for block in blocks}
    right += CHART_ROWS * len(charts)
    first_wide = next((block for block in blocks if block.wide), None)
    for block in blocks:
        if block is first_wide:
            sheet.raw.set_h_pagebreaks([max(left, right)])  # figures on one page, words from the next
        if block.wide:
            left = right = _draw(sheet, block, max(left, right), 0)
        elif block.key in TO_THE_RIGHT or (block.key in WHERE_THERE_IS_ROOM and right < left):
            right = _draw(sheet, block, right, RIGHT)
        else:
            placed[block.key] = _Placed(left + 2, left + 1 + len(block.rows))
            left = _draw(sheet, block, left, 0)
    _signature(sheet, max(left, right))
    row = HEAD_ROWS + 1
    for key, make in (("trend", _trend_chart), ("dimensions", _dimension_chart)):
        if key in placed:
            chart = make(workbook, sheet.name, placed[key], agent.entry)
            sheet.raw.insert_chart(row, RIGHT, chart, {"x_offset": 8, "y_offset": 4})
            row += CHART_ROWS


def _heading(sheet: Sheet, scores: ScoreSheet, agent: AgentSheet, back_to: str) -> None:
    entry, pay = agent.entry, agent.pay
    sheet.raw.set_row(0, 28)
    sheet.text(0, 0, f"{entry.agent_id}　{entry.name}　{scores.ledger.period.name} 成绩单", font_size=18, bold=True)
    known = [
        entry.team, entry.post, entry.skill_group, f"入职 {entry.hired_on}" if entry.hired_on else "",
        "业务：" + "、".join(f"{name} {count}" for name, count in entry.business) if entry.business else "",
        marks_of(entry, scores),
    ]  # fmt: skip
    sheet.text(1, 0, "　".join(part for part in known if part), font_color=FAINT)
    parts = [f"质检 {entry.calls} 通，评分 {entry.scored} 通"]
    if entry.adjusted.value is not None:
        parts.append(f"调整后 {figures.points_text(entry.adjusted.value)} 分{interval_words(entry)}")
    parts.append(f"名次区间 {rank_words(entry.rank)}" + (f"（共 {entry.rank.of} 人）" if entry.rank else ""))
    if pay is not None:
        parts.append(f"{grade_words(pay)}，系数 {pay.coefficient:.2f}")
        parts.append("等级含机器初评" if pay.by_machine else "机器初评未影响等级")
    sheet.text(2, 0, "；".join(parts), bold=True, font_color=VERMILION if not entry.enough else INK)
    style = sheet.styles.get(font_color=TEAL, underline=1, align="right")
    sheet.raw.write_url(0, len(WIDTHS) - 1, f"internal:'{back_to}'!A1", style, string="返回排名")


def interval_words(entry: Entry) -> str:
    """`（95% 区间 62.9–100.0）`, '' where there is none."""
    low, high = entry.adjusted.low, entry.adjusted.high
    if low is None or high is None:
        return ""
    return f"（95% 区间 {figures.points_text(low)}–{figures.points_text(high)}）"


def _draw(sheet: Sheet, block: Block, row: int, column: int) -> int:
    """A block with its top left cell at (row, column); the row below it."""
    sheet.text(row, column, block.title, bold=True, font_size=12)
    spans = SPANS.get(block.key) or tuple((column + index, column + index) for index in range(len(block.heads)))
    for head, span in zip(block.heads, spans, strict=True):
        align: dict[str, Any] = {"align": "right"} if head.kind in NUMBER_FORMATS else {"indent": 1}
        style = {"bold": True, "bg_color": HEAD_FILL, "bottom": 1, "bottom_color": INK, "text_wrap": True, **align}
        _cell(sheet, row + 1, span, head, head.heading, style, as_text=True)
    for index, line in enumerate(block.rows, start=row + 2):
        if block.wide:
            sheet.raw.set_row(index, _height(block, line, spans))
        for head, span, value in zip(block.heads, spans, line.cells, strict=True):
            _body_cell(sheet, index, span, head, line, value)
    below = row + 2 + len(block.rows)
    if block.note:
        sheet.text(below, column, block.note, font_color=FAINT, font_size=9)
        below += 1
    return below + 1


def _body_cell(sheet: Sheet, row: int, span: tuple[int, int], head: Head, line: Row, value: Any) -> None:
    style: dict[str, Any] = {"bottom": 4, "bottom_color": LINE}
    if head.key == "call" and line.link and isinstance(value, str):
        link = sheet.styles.get(font_color=TEAL, underline=1, **style)
        sheet.raw.write_url(row, span[0], line.link, link, string=sheet.shown(value))
        return
    _cell(sheet, row, span, head, value, style, kind=line.kind)


def _cell(
    sheet: Sheet,
    row: int,
    span: tuple[int, int],
    head: Head,
    value: Any,
    style: dict[str, Any],
    *,
    as_text: bool = False,
    kind: Any = None,
) -> None:
    """A cell, merged over its span; a row of another kind (shares among points) formats its figures by that kind."""
    if span[1] > span[0]:
        sheet.merge(row, span[0], span[1], **style)
    if as_text:
        sheet.text(row, span[0], value, **style)
        return
    own = kind is not None and isinstance(value, float) and head.kind != "count"
    sheet.cell(row, span[0], kind if own else head.kind, value, **style)


def _height(block: Block, line: Row, spans: tuple[tuple[int, int], ...]) -> float:
    lines = 1
    for head, span, value in zip(block.heads, spans, line.cells, strict=True):
        if head.kind == "long" and isinstance(value, str):
            room = int(sum(WIDTHS[span[0] : span[1] + 1]) - 3)
            lines = max(lines, sum(max(1, -(-text_width(part) // room)) for part in value.split("\n")))
    return LINE_POINTS * min(lines, MAX_LINES) + ROW_PADDING_POINTS


def _signature(sheet: Sheet, row: int) -> None:
    sheet.text(
        row, 0, "得分为机器初评的部分可以复核，对扣分有异议可以申诉；签字表示已阅知。", font_color=FAINT, font_size=9
    )
    for column, label in ((0, "坐席签字："), (3, "班组长签字："), (RIGHT, "日期：")):
        sheet.text(row + 1, column, label, bold=True)
    sheet.raw.set_row(row + 1, 26)


# --- charts ----------------------------------------------------------------------------------------------------------


def _trend_chart(workbook: Any, name: str, place: _Placed, entry: Entry) -> Any:
    chart = workbook.add_chart({"type": "line"})
    series = (
        (1, "平均分", TEAL, "solid", 2.25),
        (2, "95%下限", FAINT, "dash", 0.75),
        (3, "95%上限", FAINT, "dash", 0.75),
    )
    for column, label, colour, dash, width in series:
        chart.add_series(
            {
                "name": label,
                "categories": [name, place.first, 0, place.last, 0],
                "values": [name, place.first, column, place.last, column],
                "line": {"color": colour, "width": width, "dash_type": dash},
                "marker": {"type": "circle", "size": 5, "fill": {"color": colour}, "border": {"color": colour}}
                if column == 1
                else {"type": "none"},
            }
        )
    plain_chart(chart, "各月平均分与 95% 区间", CHART_WIDTH, CHART_HEIGHT)
    chart.set_y_axis({"min": _axis_from(entry), "max": 100, "num_format": "0", "major_gridlines": {"visible": True, "line": {"color": LINE}},
                      "line": {"none": True}})  # fmt: skip
    chart.show_blanks_as("gap")
    chart.set_legend({"position": "bottom"})
    return chart


def _axis_from(entry: Entry) -> int:
    """A whole ten below everything drawn, so that a change of a few points shows."""
    shown = [value for point in entry.trend for value in (point.points.value, point.points.low) if value is not None]
    return max(0, int(min(shown, default=0.0) // 10) * 10 - 10)


def _dimension_chart(workbook: Any, name: str, place: _Placed, entry: Entry) -> Any:
    chart = workbook.add_chart({"type": "bar"})
    for column, label, colour in ((1, "本人", TEAL), (5, "班组", OCHRE)):
        chart.add_series(
            {
                "name": label,
                "categories": [name, place.first, 0, place.last, 0],
                "values": [name, place.first, column, place.last, column],
                "fill": {"color": colour},
                "gap": 50,
                "data_labels": {"value": True, "num_format": "0.0", "font": {"size": 8}},
            }
        )
    plain_chart(chart, f"各维度：本人与{entry.team or '班组'}", CHART_WIDTH, CHART_HEIGHT)
    chart.set_x_axis({"min": 0, "max": 100, "major_gridlines": {"visible": True, "line": {"color": LINE}}})
    chart.set_y_axis({"reverse": True})
    chart.set_legend({"position": "bottom"})
    return chart
