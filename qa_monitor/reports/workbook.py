"""The Excel score sheet: 汇总, 坐席, 通话, 扣分明细, 未评分与失败, 规则统计, 说明. One pass over the calls."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from qa_monitor.reports import columns as tables
from qa_monitor.reports.columns import Column
from qa_monitor.reports.cover import write_cover
from qa_monitor.reports.explain import write_explanation
from qa_monitor.reports.overview import Overview
from qa_monitor.reports.rows import failed_row, finding_rows, unscored_row
from qa_monitor.reports.sheets import MAX_ROWS, Sheet, Styles, Table
from qa_monitor.reports.writing import put_in_place, staging
from qa_monitor.store.views import BatchView, CallView

# Fill and ink of points by band, the same bands as in the HTML report.
POINT_COLOURS = (
    (90, 100, "#E3EFE4", "#2C5A3A"),
    (80, 90, "#EEF1E2", "#51602A"),
    (60, 80, "#FAEEDA", "#7A5213"),
    (0, 60, "#F7E1DC", "#96281B"),
)


def write_workbook(batch: BatchView, calls: Iterable[CallView], path: Path, *, max_rows: int = MAX_ROWS) -> None:
    """Write the score sheet of `batch` and its `calls` (read once, in order) to `path`, whole or not at all.

    Raises ReportNotWritten or DiskFull; the file that was there before stays.
    """
    from xlsxwriter import Workbook
    from xlsxwriter.exceptions import FileCreateError

    with staging(path) as folder:
        made = folder / "report.xlsx"
        options = {
            "constant_memory": True,
            "tmpdir": str(folder),
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        workbook = Workbook(str(made), options)
        try:
            _fill(workbook, batch, calls, max_rows)
            workbook.close()
        except FileCreateError as error:
            raise error.args[0] from error
        finally:
            for sheet in workbook.worksheets():
                sheet.row_data_fh.close()  # XlsxWriter keeps its row files open when the book is given up half-way
        put_in_place(made, path)


def _fill(workbook: Any, batch: BatchView, calls: Iterable[CallView], max_rows: int) -> None:
    workbook.set_properties({"title": _plain(batch.title), "created": _created(batch)})
    styles = Styles(workbook)
    counts: Counter[str] = Counter()

    def sheet(name: str) -> Sheet:
        return Sheet(workbook, styles, name, counts)

    cover = sheet("汇总")
    agents = Table("坐席", tables.agent_columns(batch), sheet, printed_to="worst", max_rows=max_rows)
    of_calls = Table("通话", tables.call_columns(batch), sheet, printed_to="state", max_rows=max_rows)
    findings = Table("扣分明细", tables.finding_columns(), sheet, printed_to="state", max_rows=max_rows)
    failures = Table("未评分与失败", tables.failure_columns(), sheet, max_rows=max_rows)
    rules = Table("规则统计", tables.rule_columns(), sheet, max_rows=max_rows)
    explanation = sheet("说明")

    for agent in batch.agents:
        agents.add(agent)
    for failure in batch.failures:
        failures.add(failed_row(failure))
    overview = Overview()
    listed = frozenset(failure.sha256 for failure in batch.failures if failure.sha256)
    for view in calls:
        overview.add(view)
        if view.error is None:
            of_calls.add(view)
        for row in finding_rows(view):
            findings.add(row)
        unscored = unscored_row(view, listed)
        if unscored is not None:
            failures.add(unscored)
    for rule in batch.rules:
        rules.add(rule)

    for table in (agents, of_calls, findings, failures, rules):
        table.finish(_colour)
    write_cover(workbook, cover, batch, overview)
    sheets_used = [part.name for table in (of_calls, findings) for part, _ in table.sheets]
    write_explanation(explanation, batch, overview, counts, sheets_used)
    cover.raw.activate()


def _colour(sheet: Sheet, column: Column[Any], index: int, last_row: int) -> None:
    """Conditional colours: points by band, vetoes and suspicions in words."""
    area = (1, index, last_row, index)
    if column.kind == "points" and column.key not in ("interval_low", "interval_high", "deducted"):
        for lower, upper, fill, ink in POINT_COLOURS:
            style = sheet.styles.conditional(bg_color=fill, font_color=ink)
            top = "<=" if upper == 100 else "<"
            cell = _cell(index)
            formula = f"=AND(ISNUMBER({cell}),{cell}>={lower},{cell}{top}{upper})"
            sheet.raw.conditional_format(*area, {"type": "formula", "criteria": formula, "format": style})
    elif column.key in ("veto", "sample", "verdict"):
        style = sheet.styles.conditional(font_color="#96281B", bold=column.key == "veto")
        text = {"veto": "", "sample": "样本不足", "verdict": "疑似"}[column.key]
        rule = {"type": "no_blanks"} if not text else {"type": "text", "criteria": "containing", "value": text}
        sheet.raw.conditional_format(*area, rule | {"format": style})


def _cell(column: int) -> str:
    """The first data cell of a column, relative, as conditional formats are written: `J2`."""
    from xlsxwriter.utility import xl_rowcol_to_cell

    name: str = xl_rowcol_to_cell(1, column)
    return name


def _plain(text: str) -> str:
    """Text for the file's properties, where XML cannot hold control characters."""
    return re.sub(r"[\x00-\x1f\ud800-\udfff\ufffe\uffff]", "", text)[:255]


def _created(batch: BatchView) -> datetime:
    return datetime.fromisoformat(batch.created_at).replace(tzinfo=None)
