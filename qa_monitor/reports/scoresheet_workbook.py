"""The workbook of a period: cover, ranking, teams, coaching, links, what found no match, method, a sheet an agent."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from qa_monitor.reports import scoresheet_columns as lists
from qa_monitor.reports.columns import Column
from qa_monitor.reports.scoresheet import AgentSheet, ScoreSheet
from qa_monitor.reports.scoresheet_agent import write_agent
from qa_monitor.reports.scoresheet_cover import write_cover
from qa_monitor.reports.scoresheet_links import link_columns, rule_link_columns
from qa_monitor.reports.scoresheet_notes import write_notes
from qa_monitor.reports.sheets import LINE, Sheet, Styles, Table
from qa_monitor.reports.workbook import POINT_COLOURS
from qa_monitor.reports.writing import put_in_place, staging

COVER, RANKING, TEAMS, COACHING = "封面", "排名", "班组", "辅导建议"
LINKS, RULE_LINKS, UNMATCHED, NOTES = "与业绩的关系", "规则与满意度", "未匹配与样本不足", "方法说明"


def write_score_sheet(sheet: ScoreSheet, path: Path) -> None:
    """Write the workbook to `path`, whole or not at all. Raises ReportNotWritten or DiskFull."""
    from xlsxwriter import Workbook
    from xlsxwriter.exceptions import FileCreateError

    with staging(path) as folder:
        made = folder / "scoresheet.xlsx"
        options = {
            "tmpdir": str(folder),
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        workbook = Workbook(str(made), options)
        try:
            _fill(workbook, sheet)
            workbook.close()
        except FileCreateError as error:
            raise error.args[0] from error
        put_in_place(made, path)


def _fill(workbook: Any, sheet: ScoreSheet) -> None:
    created = datetime.fromisoformat(sheet.created_at).replace(tzinfo=None)
    workbook.set_properties({"title": sheet.title, "created": created})
    styles = Styles(workbook)
    counts: Counter[str] = Counter()
    making = _Making(workbook, styles, counts)
    cover = making.sheet(COVER)
    ranking = making.table(RANKING, lists.ranking_columns(sheet), printed_to="marks")
    making.list_of(TEAMS, lists.team_columns(sheet), sheet.ledger.teams, printed_to="dearest")
    making.list_of(COACHING, lists.advice_columns(), list(lists.advice_rows(sheet)), printed_to="last")
    if sheet.links:
        making.list_of(LINKS, link_columns(), sheet.links)
        making.list_of(RULE_LINKS, rule_link_columns(), sheet.rule_links)
    making.list_of(UNMATCHED, lists.unmatched_columns(), lists.unmatched_rows(sheet))
    notes = making.sheet(NOTES)
    names = {agent.entry.agent_id: _page(making, workbook, sheet, agent) for agent in sheet.agents}
    for row in lists.ranked_rows(sheet):
        ranking.add(row)
    ranking.finish(_colour)
    _link_to_pages(ranking, sheet, names)
    write_cover(workbook, cover, sheet)
    write_notes(notes, sheet, counts)
    cover.raw.activate()


def _page(making: _Making, workbook: Any, sheet: ScoreSheet, agent: AgentSheet) -> str:
    page = making.sheet(f"{agent.entry.agent_id} {agent.entry.name}")
    write_agent(workbook, page, sheet, agent, RANKING)
    return page.name


def _link_to_pages(table: Table[lists.Ranked], sheet: ScoreSheet, names: dict[str, str]) -> None:
    """The 工号 of the ranking lead to the agents' sheets."""
    column = [column.key for column in table.columns].index("agent_id")
    page, _ = table.sheets[0]
    style = page.styles.get(font_color="#2F6F6B", underline=1, num_format="@", indent=1, bottom=4, bottom_color=LINE)
    for row, line in enumerate(lists.ranked_rows(sheet), start=1):
        name = names.get(line.entry.agent_id)
        if name is not None:
            quoted = name.replace("'", "''")
            page.raw.write_url(row, column, f"internal:'{quoted}'!A1", style, string=page.shown(line.entry.agent_id))


class _Making:
    """Makes the workbook's sheets, each with its place in the order of making."""

    def __init__(self, workbook: Any, styles: Styles, counts: Counter[str]) -> None:
        self._workbook, self._styles, self._counts = workbook, styles, counts

    def sheet(self, name: str) -> Sheet:
        made = Sheet(self._workbook, self._styles, name, self._counts)
        made.raw.ignore_errors({"number_stored_as_text": "A1:BZ1048576"})  # ids are meant to be text
        return made

    def table(self, name: str, columns: Sequence[Column[Any]], printed_to: str | None = None) -> Table[Any]:
        table: Table[Any] = Table(name, columns, self.sheet, printed_to=printed_to)
        if name == RANKING:
            keys = [column.key for column in columns]
            table.sheets[0][0].raw.freeze_panes(1, keys.index("name") + 1)
        return table

    def list_of(
        self, name: str, columns: Sequence[Column[Any]], rows: Iterable[Any], printed_to: str | None = None
    ) -> None:
        table = self.table(name, columns, printed_to)
        for row in rows:
            table.add(row)
        table.finish(_colour)


def _colour(sheet: Sheet, column: Column[Any], index: int, last_row: int) -> None:
    """Points by band, breaches of sample and pay in words."""
    from xlsxwriter.utility import xl_rowcol_to_cell

    area = (1, index, last_row, index)
    if column.kind == "points" and re.fullmatch(r"adjusted|points|shrunken|total|dimension\..*", column.key):
        cell = xl_rowcol_to_cell(1, index)
        for lower, upper, fill, ink in POINT_COLOURS:
            style = sheet.styles.conditional(bg_color=fill, font_color=ink)
            top = "<=" if upper == 100 else "<"
            formula = f"=AND(ISNUMBER({cell}),{cell}>={lower},{cell}{top}{upper})"
            sheet.raw.conditional_format(*area, {"type": "formula", "criteria": formula, "format": style})
    words = {"rank": "样本不足", "basis": "含机器初评", "verdict": "相反"}.get(column.key)
    if words:
        style = sheet.styles.conditional(font_color="#96281B")
        sheet.raw.conditional_format(*area, {"type": "text", "criteria": "containing", "value": words, "format": style})
