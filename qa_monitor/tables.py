"""Tables as offices make them: CSV in any usual encoding, or Excel. Every cell comes out as text.

工号 007 stays 007; a number that Excel stored as 7.0 becomes 7, and 1E+05 is expanded, each counted in a note.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qa_monitor.errors import RecordsFileError
from qa_monitor.records import Note

MAX_BYTES = 512 * 1024 * 1024
MAX_FIELD_CHARS = 1_000_000
HEADER_SEARCH_ROWS = 15
EXCEL_ENDINGS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_WHOLE_FLOAT = re.compile(r"^(-?\d+)\.0+$")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number in the file (1 is the first), and its cells by column name."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its header found. `rejected` rows could not be read, each with its number and reason."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    encoding: str
    rejected: tuple[tuple[int, str], ...] = ()
    notes: tuple[Note, ...] = ()


def read_table(path: Path, known_columns: frozenset[str] = frozenset(), encoding: str | None = None) -> Table:
    """The table in a CSV or Excel file.

    The header is the first row in which the most cells are among `known_columns` (title rows above it are passed over),
    or the first row that is not blank. Without `encoding` a CSV file's is found out (see `decode_table`). Raises
    RecordsFileError when the file cannot be read as a table, or when its encoding might as well be another.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise RecordsFileError(
            f"无法打开（{error.strerror}）", where=str(path), hint="请检查文件是否存在、是否有权限"
        ) from error
    if size > MAX_BYTES:
        raise RecordsFileError(f"文件过大（{size / 1e6:.0f} MB）", where=str(path), hint="请拆分后再导入")
    if path.suffix.lower() in EXCEL_ENDINGS:
        lines, notes = _excel_lines(path)
        return _shape(path, lines, "excel", notes, known_columns)
    lines, found, rejected = _csv_lines(path, encoding)
    table = _shape(path, lines, found, [], known_columns, rejected)
    if encoding is None and found == "gb18030" and known_columns and not known_columns & set(table.columns):
        _refuse_if_big5(path, table)
    return table


def _shape(
    path: Path,
    lines: list[tuple[int, list[str]]],
    encoding: str,
    notes: list[Note],
    known: frozenset[str],
    rejected: list[tuple[int, str]] | None = None,
) -> Table:
    filled = [(number, cells) for number, cells in lines if any(cell.strip() for cell in cells)]
    if not filled:
        raise RecordsFileError("表里没有内容", where=str(path), hint="请确认导出的是有数据的工作表")
    at = _header_at(filled, known)
    header = [cell.strip().lstrip("﻿") for cell in filled[at][1]]
    while header and not header[-1]:
        header.pop()
    doubled = sorted({name for name in header if name and header.count(name) > 1})
    if doubled:
        raise RecordsFileError(
            f"表头重复：{'、'.join(doubled)}", where=f"{path}:{filled[at][0]}", hint="请给重名的列改名后再导入"
        )
    if at:
        notes = [*notes, Note("title_rows", f"{path.name}：跳过表头上方的标题 {at} 行", at)]
    rows = []
    for number, cells in filled[at + 1 :]:
        values = {name: cells[index].strip() if index < len(cells) else "" for index, name in enumerate(header) if name}
        rows.append(Row(number, values))
    return Table(
        path, tuple(name for name in header if name), tuple(rows), encoding, tuple(rejected or ()), tuple(notes)
    )


def _header_at(lines: list[tuple[int, list[str]]], known: frozenset[str]) -> int:
    if not known:
        return 0
    hits = [sum(cell.strip().lstrip("﻿") in known for cell in cells) for _, cells in lines[:HEADER_SEARCH_ROWS]]
    return hits.index(max(hits)) if max(hits) else 0


# --- CSV -------------------------------------------------------------------------------------------------------------


def _refuse_if_big5(path: Path, table: Table) -> None:
    """Raises RecordsFileError for a file that GB18030 made nothing known of and that reads as Big5 too."""
    try:
        path.read_bytes().decode("big5")
    except UnicodeDecodeError:
        return
    raise RecordsFileError(
        f"文字编码拿不准：按 GB18030 读出的表头认不得（{'、'.join(table.columns[:4])}），也可能是繁体的 Big5",
        where=str(path),
        hint="加 --encoding big5 或 --encoding gb18030 指明，或在 Excel 中另存为“CSV UTF-8”",
    )


def _csv_lines(path: Path, given: str | None) -> tuple[list[tuple[int, list[str]]], str, list[tuple[int, str]]]:
    data = path.read_bytes()
    text, encoding = decode_table(data, str(path)) if given is None else _decode_as(data, given, str(path))
    rejected = [
        (number, "含有空字符（NUL），已去除") for number, line in enumerate(text.split("\n"), start=1) if "\0" in line
    ]
    text = text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    csv.field_size_limit(MAX_FIELD_CHARS)
    reader = csv.reader(io.StringIO(text), delimiter=_delimiter(text))
    lines: list[tuple[int, list[str]]] = []
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            rejected.append((number, f"无法解析（{error}）"))
            continue
        lines.append((number, cells))
    return lines, encoding, rejected


def decode_table(data: bytes, where: str) -> tuple[str, str]:
    """Text and encoding: a byte-order mark, then strict UTF-8, then GB18030 (which reads rare names that GBK cannot)."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data.decode(encoding, "replace"), encoding
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        pass
    if data[:200].count(b"\0") > 20:
        # The zero byte of a separator or digit comes second in little-endian text.
        head = data[:400]
        encoding = "utf-16-le" if head[1::2].count(b"\0") > head[::2].count(b"\0") else "utf-16-be"
        return data.decode(encoding, "replace"), encoding
    try:
        return data.decode("gb18030"), "gb18030"
    except UnicodeDecodeError as error:
        raise RecordsFileError(
            f"无法识别的文字编码（第 {error.start} 字节起）", where=where, hint="请在 Excel 中另存为“CSV UTF-8”后再导入"
        ) from error


def _decode_as(data: bytes, encoding: str, where: str) -> tuple[str, str]:
    """The text in the encoding that the user named."""
    try:
        return data.decode(encoding), encoding
    except LookupError as error:
        raise RecordsFileError(
            f"不认识的编码 {encoding}", where=where, hint="可写 utf-8、gb18030、big5、utf-16"
        ) from error
    except UnicodeDecodeError as error:
        raise RecordsFileError(
            f"不是 {encoding} 编码（第 {error.start} 字节起）", where=where, hint="去掉 --encoding 让程序判断，或换一个"
        ) from error


def _delimiter(text: str) -> str:
    """The separator that cuts the first lines into the most columns, equally often."""
    lines = [line for line in text.split("\n")[:20] if line.strip()]
    best = max(",\t;|", key=lambda mark: (sum(mark in line for line in lines), sum(line.count(mark) for line in lines)))
    return best if any(best in line for line in lines) else ","


# --- Excel -----------------------------------------------------------------------------------------------------------


def _excel_lines(path: Path) -> tuple[list[tuple[int, list[str]]], list[Note]]:
    """The first sheet that is not empty."""
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    try:
        with path.open("rb") as stream:
            book = CalamineWorkbook.from_filelike(stream)
            sheets = [
                (name, book.get_sheet_by_name(name).to_python(skip_empty_area=False)) for name in book.sheet_names
            ]
    except PasswordError as error:
        raise RecordsFileError("工作簿有密码", where=str(path), hint="请去掉密码另存后再导入") from error
    except (CalamineError, OSError, ValueError) as error:
        raise RecordsFileError(
            f"不是可读的 Excel 文件（{error}）", where=str(path), hint="请在 Excel 中另存为 .xlsx 或 CSV"
        ) from error
    filled = [(name, rows) for name, rows in sheets if any(any(str(cell).strip() for cell in row) for row in rows)]
    if not filled:
        return [], []
    name, rows = filled[0]
    changed = 0
    lines = []
    for number, row in enumerate(rows, start=1):
        cells = []
        for cell in row:
            text, was_number = _cell_text(cell)
            changed += was_number
            cells.append(text)
        lines.append((number, cells))
    notes = []
    if len(filled) > 1:
        others = "、".join(other for other, _ in filled[1:])
        notes.append(Note("other_sheets", f"{path.name}：只读取工作表“{name}”，未读取：{others}", len(filled) - 1))
    if changed:
        notes.append(Note("numbers_as_text", f"{path.name}：{changed} 个以数字存放的单元格按文字读取", changed))
    return lines, notes


def _cell_text(cell: Any) -> tuple[str, bool]:
    """A cell as text, and whether it was stored as a number."""
    if isinstance(cell, bool):
        return ("是" if cell else "否"), False
    if isinstance(cell, float):
        if cell.is_integer() and abs(cell) < 1e18:
            return str(int(cell)), True
        return repr(cell), True
    if isinstance(cell, int):
        return str(cell), True
    if hasattr(cell, "isoformat"):
        return str(cell.isoformat()).replace("T00:00:00", ""), False
    return str(cell), False


def plain_id(text: str) -> str:
    """An id as people write it: `7.0` is 7, `1E5` is 100000; leading zeros stay; full-width digits become ASCII."""
    value = text.strip().translate(str.maketrans("０１２３４５６７８９", "0123456789"))
    if match := _WHOLE_FLOAT.match(value):
        return match.group(1)
    if re.fullmatch(r"\d(\.\d+)?[eE]\+?\d{1,2}", value):
        return str(int(float(value)))
    return value
