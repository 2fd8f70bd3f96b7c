"""The workbook's first sheet: the batch on one page, with native charts that can be copied into slides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from qa_monitor.reports import figures
from qa_monitor.reports.figures import HISTOGRAM_STEP
from qa_monitor.reports.overview import (
    Overview,
    counts_sentence,
    failed_share,
    length_sentence,
    scored_dimensions,
    top_broken,
)
from qa_monitor.reports.sheets import FAINT, FONT, HEAD_FILL, INK, LINE, Sheet
from qa_monitor.store.views import BatchView

CoverKind = Literal["points", "scale", "share", "count"]

TEAL, VERMILION, OCHRE = "#2F6F6B", "#B5432F", "#C08A3E"
NOTICE = "机器初评：全部得分由程序给出，人工复核前不作为考核依据；疑似项不扣分。"
TOP_RULES = 10
COLUMN_WIDTHS = (18, 10, 10, 4, 22, 10, 4, 14, 14, 14, 14, 14)
TABLES_ROW = 8


class _Page:
    """Cells collected in any order and written top down, as a streamed sheet needs."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._cells: list[tuple[int, int, Callable[[], None]]] = []

    def text(self, row: int, column: int, value: str, **properties: Any) -> None:
        self._cells.append((row, column, lambda: self._sheet.text(row, column, value, **properties)))

    def number(self, row: int, column: int, kind: CoverKind, value: float | None, **properties: Any) -> None:
        shown = figures.figure(kind, value)
        if shown is None:
            self.text(row, column, figures.MISSING, **({"align": "right"} | properties))
            return
        self._cells.append((row, column, lambda: self._sheet.cell(row, column, kind, shown, **properties)))

    def flush(self) -> None:
        for _, _, write in sorted(self._cells, key=lambda cell: cell[:2]):
            write()


def write_cover(workbook: Any, sheet: Sheet, batch: BatchView, overview: Overview) -> None:
    """Title, key figures, distribution, dimensions and the rules broken most."""
    for index, width in enumerate(COLUMN_WIDTHS):
        sheet.raw.set_column(index, index, width)
    sheet.raw.fit_to_pages(1, 1)
    page = _Page(sheet)
    _heading(sheet, page, batch)
    _key_figures(page, batch, overview)
    last_bin = _distribution(page, overview)
    means = overview.dimension_means(scored_dimensions(batch))
    last_dimension = _dimensions(page, means)
    _top_rules(page, batch, TABLES_ROW + 14)
    _unmatched(page, batch)
    page.flush()
    if overview.scored:
        chart = _distribution_chart(workbook, sheet.name, last_bin)
        sheet.raw.insert_chart(TABLES_ROW - 1, 7, chart, {"x_offset": 4, "y_offset": 4})
    if any(value is not None for value in means.values()):
        chart = _dimension_chart(workbook, sheet.name, last_dimension)
        sheet.raw.insert_chart(TABLES_ROW + 12, 7, chart, {"x_offset": 4, "y_offset": 10})


def _heading(sheet: Sheet, page: _Page, batch: BatchView) -> None:
    sheet.raw.set_row(0, 32)
    page.text(0, 0, batch.title, font_size=20, bold=True, valign="vcenter")
    page.text(1, 0, counts_sentence(batch) + length_sentence(batch), font_color=FAINT)
    page.text(2, 0, f"生成时间 {batch.created_at.replace('T', ' ')}（{batch.timezone}）", font_color=FAINT)
    page.text(3, 0, NOTICE, bold=True, font_color=VERMILION)


def _key_figures(page: _Page, batch: BatchView, overview: Overview) -> None:
    by_whom = f"（{overview.scorer}）" if overview.scorer else ""
    items: list[tuple[int, str, CoverKind, float | None]] = [
        (0, "平均分", "points", overview.mean_points),
        (1, "评分通话", "count", overview.scored),
        (2, "一票否决", "count", overview.vetoed),
        (4, f"已解决占比{by_whom}", "share", overview.resolution_share("resolved")),
        (5, "礼貌", "scale", overview.politeness),
        (7, f"满意度{by_whom}", "scale", overview.satisfaction),
        (8, "未匹配通话", "count", batch.unmatched_calls),
    ]
    for column, label, kind, value in items:
        page.text(5, column, label, font_color=FAINT, font_size=9)
        page.number(6, column, kind, value, font_size=16, bold=True, align="left")


def _table_head(page: _Page, row: int, column: int, name: str, numbers: list[str]) -> None:
    style: dict[str, Any] = {"bold": True, "bg_color": HEAD_FILL, "bottom": 1, "bottom_color": INK}
    page.text(row, column, name, **style)
    for index, heading in enumerate(numbers, start=column + 1):
        page.text(row, index, heading, align="right", **style)


def _distribution(page: _Page, overview: Overview) -> int:
    _table_head(page, TABLES_ROW, 0, "得分段", ["未否决", "一票否决"])
    for index, count in enumerate(overview.histogram):
        row = TABLES_ROW + 1 + index
        lower = index * HISTOGRAM_STEP
        last = index == len(overview.histogram) - 1
        page.text(row, 0, f"{lower}–{lower + HISTOGRAM_STEP if last else f'{lower + HISTOGRAM_STEP - 0.1:.1f}'}")
        page.number(row, 1, "count", count - overview.histogram_vetoed[index])
        page.number(row, 2, "count", overview.histogram_vetoed[index])
    return TABLES_ROW + len(overview.histogram)


def _dimensions(page: _Page, means: dict[str, float | None]) -> int:
    _table_head(page, TABLES_ROW, 4, "维度", ["平均分"])
    for index, (name, value) in enumerate(means.items()):
        page.text(TABLES_ROW + 1 + index, 4, name)
        page.number(TABLES_ROW + 1 + index, 5, "points", value)
    return TABLES_ROW + len(means)


def _top_rules(page: _Page, batch: BatchView, row: int) -> None:
    page.text(row - 1, 0, "违规最多的规则", bold=True, font_size=12)
    _table_head(page, row, 0, "规则", ["不合格", "疑似"])
    _table_head(page, row, 4, "维度", ["不合格率"])
    for index, rule in enumerate(top_broken(batch, TOP_RULES), start=row + 1):
        page.text(index, 0, rule.name, bottom=4, bottom_color=LINE)
        page.number(index, 1, "count", rule.failed, bottom=4, bottom_color=LINE)
        page.number(index, 2, "count", rule.suspected, bottom=4, bottom_color=LINE)
        page.text(index, 4, rule.category, bottom=4, bottom_color=LINE)
        page.number(index, 5, "share", failed_share(rule), bottom=4, bottom_color=LINE)


def _unmatched(page: _Page, batch: BatchView) -> None:
    if batch.unmatched_note:
        page.text(TABLES_ROW + 14 + TOP_RULES + 2, 0, f"未匹配到坐席：{batch.unmatched_note}", font_color=FAINT)


# --- charts ----------------------------------------------------------------------------------------------------------


def _font(size: int = 9, color: str = INK, **more: Any) -> dict[str, Any]:
    return {"name": FONT, "size": size, "color": color, "bold": False, **more}


def plain_chart(chart: Any, title: str, width: int = 560, height: int = 250) -> None:
    """The house's look: no frame, no fill, a quiet title."""
    chart.set_title({"name": title, "name_font": _font(12), "overlay": False})
    chart.set_chartarea({"border": {"none": True}, "fill": {"none": True}})
    chart.set_plotarea({"fill": {"none": True}})
    chart.set_size({"width": width, "height": height})


def _distribution_chart(workbook: Any, sheet: str, last_row: int) -> Any:
    chart = workbook.add_chart({"type": "column", "subtype": "stacked"})
    for column, name, colour in ((1, "未否决", TEAL), (2, "一票否决", VERMILION)):
        chart.add_series(
            {
                "name": name,
                "categories": [sheet, TABLES_ROW + 1, 0, last_row, 0],
                "values": [sheet, TABLES_ROW + 1, column, last_row, column],
                "fill": {"color": colour},
                "gap": 40,
            }
        )
    plain_chart(chart, "得分分布（通话数）")
    chart.set_x_axis({"num_font": _font(8, FAINT), "line": {"color": LINE}})
    chart.set_y_axis(
        {
            "num_font": _font(8, FAINT),
            "line": {"none": True},
            "major_gridlines": {"visible": True, "line": {"color": LINE}},
            "num_format": "0",
        }
    )
    chart.set_legend({"position": "bottom", "font": _font()})
    return chart


def _dimension_chart(workbook: Any, sheet: str, last_row: int) -> Any:
    chart = workbook.add_chart({"type": "bar"})
    chart.add_series(
        {
            "name": "平均分",
            "categories": [sheet, TABLES_ROW + 1, 4, last_row, 4],
            "values": [sheet, TABLES_ROW + 1, 5, last_row, 5],
            "fill": {"color": OCHRE},
            "gap": 60,
            "data_labels": {"value": True, "num_format": "0.0", "font": _font(9)},
        }
    )
    plain_chart(chart, "各维度平均分")
    chart.set_x_axis(
        {
            "min": 0,
            "max": 100,
            "num_font": _font(8, FAINT),
            "line": {"none": True},
            "major_gridlines": {"visible": True, "line": {"color": LINE}},
        }
    )
    chart.set_y_axis({"reverse": True, "num_font": _font(9), "line": {"color": LINE}})
    chart.set_legend({"none": True})
    return chart
