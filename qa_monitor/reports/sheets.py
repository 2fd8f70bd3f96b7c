"""Sheets that are safe to open: text stays text, numbers are numbers, and a table goes on when a sheet is full.

`Worksheet.write` guesses a cell's type from its content; all text therefore goes through `Sheet.text`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

from qa_monitor.reports.columns import Cell, Column, ColumnKind
from qa_monitor.reports.safe_text import cell_text, fitted, is_risky

MAX_ROWS = 1_048_576
MAX_NAME_CHARS = 31
LINE_POINTS, ROW_PADDING_POINTS, MAX_LINES = 14.0, 4.0, 8  # of a table's rows; longer texts are whole but scroll
FONT = "等线"
INK, FAINT, LINE, HEAD_FILL = "#22303C", "#6B7680", "#DDD8CC", "#EEF2F1"
_NAME_FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f]")

NUMBER_FORMATS: dict[ColumnKind, str] = {
    "points": "0.0",
    "scale": "0.0",
    "share": "0.0%",
    "seconds": "0.0",
    "count": "0",
    "rate": "0.0",
    "ratio": "0.00",
}
R = TypeVar("R")


def text_width(text: str) -> int:
    """Characters as Excel counts them: a Chinese one is two wide."""
    return len(text) + sum(char > "\u2e7f" for char in text)


def sheet_name(wanted: str, taken: Iterable[str]) -> str:
    """`wanted` as Excel allows it: no []:*?/\\, at most 31 characters, not in `taken` and not the reserved History."""
    name = _NAME_FORBIDDEN.sub("_", wanted).strip().strip("'") or "表"
    used = {other.casefold() for other in taken} | {"history"}
    candidate, number = fitted(name, MAX_NAME_CHARS), 1
    while candidate.casefold() in used:
        number += 1
        suffix = f"({number})"
        candidate = fitted(name, MAX_NAME_CHARS - len(suffix)) + suffix
    return candidate


class Styles:
    """The workbook's formats, each made once."""

    def __init__(self, workbook: Any) -> None:
        self._workbook = workbook
        self._made: dict[tuple[tuple[str, Any], ...], Any] = {}

    def get(self, **properties: Any) -> Any:
        """The format with these properties over the house's own."""
        base = {"font_name": FONT, "font_size": 10, "font_color": INK, "valign": "vcenter"}
        merged = base | properties
        key = tuple(sorted(merged.items()))
        if key not in self._made:
            self._made[key] = self._workbook.add_format(merged)
        return self._made[key]

    def conditional(self, **properties: Any) -> Any:
        """A format for a conditional rule: only what it changes."""
        key = tuple(sorted(properties.items()))
        if key not in self._made:
            self._made[key] = self._workbook.add_format(properties)
        return self._made[key]


class Sheet:
    """A worksheet written top down. Only these methods write cells."""

    def __init__(self, workbook: Any, styles: Styles, name: str, counts: Counter[str]) -> None:
        taken = [sheet.get_name() for sheet in workbook.worksheets()]
        self.name = sheet_name(name, taken)
        self.raw: Any = workbook.add_worksheet(self.name)
        self.styles = styles
        self._counts = counts
        self.raw.hide_gridlines(2)
        self.raw.set_paper(9)  # A4
        self.raw.set_landscape()
        self.raw.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
        self.raw.set_footer("&L&8&A&R&8第 &P 页，共 &N 页")

    def text(self, row: int, column: int, value: str | None, **properties: Any) -> None:
        """A text cell, whatever the text looks like."""
        given = value or ""
        shown = cell_text(given, self._counts)
        if is_risky(given) or is_risky(shown):
            properties["quote_prefix"] = True
            self._counts["quoted_cells"] += 1
        cell_format = self.styles.get(**properties)
        if shown:
            self.raw.write_string(row, column, shown, cell_format)
        else:
            self.raw.write_blank(row, column, None, cell_format)

    def number(self, row: int, column: int, value: float | None, **properties: Any) -> None:
        """A numeric cell; empty when there is no figure."""
        cell_format = self.styles.get(**properties)
        if value is None:
            self.raw.write_blank(row, column, None, cell_format)
        else:
            self.raw.write_number(row, column, value, cell_format)

    def shown(self, value: str) -> str:
        """A text as this workbook writes it, what was cut counted."""
        return cell_text(value, self._counts)

    def merge(self, row: int, first: int, last: int, **properties: Any) -> None:
        """Join cells of a row; what is written to the first afterwards fills them."""
        self.raw.merge_range(row, first, row, last, "", self.styles.get(**properties))

    def cell(self, row: int, column: int, kind: ColumnKind, value: Cell, **properties: Any) -> None:
        """A table's cell, by the column's kind; a number in a text column (a performance record) stays a number."""
        if isinstance(value, (int, float)) or (value is None and kind in NUMBER_FORMATS):
            shape = {"align": "right", "num_format": NUMBER_FORMATS.get(kind, "General")}
            self.number(row, column, value, **(shape | properties))
            return
        self.text(row, column, value, **({"num_format": "@", "indent": 1, "text_wrap": kind == "long"} | properties))


class Table(Generic[R]):
    """A sheet of one row an item, going on in further sheets when one is full. `finish` closes it, once.

    Paper takes the columns up to the one with the key `printed_to`; the screen has them all.
    """

    def __init__(
        self,
        name: str,
        columns: Sequence[Column[R]],
        make_sheet: Callable[[str], Sheet],
        *,
        printed_to: str | None = None,
        max_rows: int = MAX_ROWS,
    ) -> None:
        self.columns = columns
        keys = [column.key for column in columns]
        self._printed = len(keys) if printed_to is None else keys.index(printed_to) + 1
        self._long = [index for index, column in enumerate(columns) if column.kind == "long"]
        self.rows = 0
        self._name = name
        self._make_sheet = make_sheet
        self._max_rows = max_rows
        self.sheets: list[tuple[Sheet, int]] = []  # with the number of rows below the heading
        self._start()

    def _start(self) -> None:
        part = f"{self._name}({len(self.sheets) + 1})" if self.sheets else self._name
        sheet = self._make_sheet(part)
        for index, column in enumerate(self.columns):
            sheet.raw.set_column(index, index, column.width)
        sheet.raw.freeze_panes(1, self._frozen_columns())
        sheet.raw.repeat_rows(0)
        sheet.raw.fit_to_pages(1, 0)
        sheet.raw.set_row(0, 2 * LINE_POINTS)
        for index, column in enumerate(self.columns):
            right = column.kind in NUMBER_FORMATS
            sheet.text(0, index, column.heading, bold=True, bg_color=HEAD_FILL, bottom=1, bottom_color=INK,
                       text_wrap=True, **({"align": "right"} if right else {"indent": 1}))  # fmt: skip
        self.sheets.append((sheet, 0))

    def _frozen_columns(self) -> int:
        """Columns up to the first that is not an id stay in sight, three at most."""
        ids = 0
        while ids < min(3, len(self.columns)) and self.columns[ids].kind == "id":
            ids += 1
        return ids

    def add(self, item: R) -> None:
        sheet, filled = self.sheets[-1]
        if filled + 2 > self._max_rows:
            self._start()
            sheet, filled = self.sheets[-1]
        values = [column.of(item) for column in self.columns]
        lines = max((self._lines(index, values[index]) for index in self._long), default=1)
        sheet.raw.set_row(filled + 1, LINE_POINTS * min(lines, MAX_LINES) + ROW_PADDING_POINTS)
        for index, column in enumerate(self.columns):
            sheet.cell(filled + 1, index, column.kind, values[index], bottom=4, bottom_color=LINE)
        self.sheets[-1] = (sheet, filled + 1)
        self.rows += 1

    def _lines(self, index: int, value: Cell) -> int:
        """Lines that a wrapped text takes in its column: a Chinese character is two wide."""
        room = self.columns[index].width - 3
        return sum(max(1, -(-text_width(line) // int(room))) for line in str(value or "").split("\n"))

    def finish(self, colour: Callable[[Sheet, Column[R], int, int], None]) -> None:
        """Filters over every sheet, then `colour(sheet, column, its index, last row)` for each column."""
        for sheet, filled in self.sheets:
            sheet.raw.print_area(0, 0, max(filled, 1), self._printed - 1)
            sheet.raw.autofilter(0, 0, max(filled, 1), len(self.columns) - 1)
            for index, column in enumerate(self.columns):
                if filled:
                    colour(sheet, column, index, filled)
