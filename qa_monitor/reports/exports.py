"""Calls, findings and agents as CSV or JSON, with the figures of the Excel sheet. Streamed, one pass over the calls."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TextIO

from qa_monitor.reports import columns as tables
from qa_monitor.reports.columns import Column
from qa_monitor.reports.explain import version_lines
from qa_monitor.reports.overview import counts_sentence
from qa_monitor.reports.rows import finding_rows
from qa_monitor.reports.safe_text import csv_text
from qa_monitor.reports.writing import put_in_place, refused, staging
from qa_monitor.store.views import BatchView, CallView

CALLS, FINDINGS, AGENTS, README = "通话", "扣分明细", "坐席", "导出说明.txt"
CSV_NOTES = (
    "编码 UTF-8（带 BOM），逗号分隔，每格都有引号，首行为列名，空格子表示没有这项数字。",
    "以 = + - @、制表符或换行开头的文字，前面加了一个英文单引号，防止表格软件当作公式；读入其他系统时可去掉。",
    "工号等编号按原样写出；用 Excel 直接双击打开会把 007 显示成 7，请用“数据 → 从文本/CSV”导入，或看 Excel 成绩表。",
    "占比是 0–1 的小数；得分、秒数保留 1 位小数，与 Excel 成绩表和网页报告相同。得分为机器初评。",
)


def write_csv(batch: BatchView, calls: Iterable[CallView], folder: Path) -> list[Path]:
    """Write 通话.csv, 扣分明细.csv, 坐席.csv and a note on them into `folder`; returns their paths.

    Raises ReportNotWritten or DiskFull; files that were there before stay until all the new ones are whole.
    """
    return _write(batch, calls, folder, ".csv", _CsvTable)


def write_json(batch: BatchView, calls: Iterable[CallView], folder: Path) -> list[Path]:
    """Write 通话.json, 扣分明细.json and 坐席.json into `folder`: what the batch is, and its rows as objects."""
    return _write(batch, calls, folder, ".json", _JsonTable)


class _CsvTable:
    """A CSV file being written."""

    def __init__(self, stream: TextIO, columns: Sequence[Column[Any]], _batch: BatchView) -> None:
        self.counts: Counter[str] = Counter()
        self._columns = columns
        self._writer = csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        stream.write("\ufeff")
        self._writer.writerow([column.heading.replace("\n", "") for column in columns])

    def add(self, item: Any) -> None:
        values = [column.of(item) for column in self._columns]
        self._writer.writerow([csv_text(value, self.counts) if isinstance(value, str) else value for value in values])

    def close(self) -> None:
        """A CSV file has no end."""


class _JsonTable:
    """A JSON file being written: an object whose `rows` are the items."""

    def __init__(self, stream: TextIO, columns: Sequence[Column[Any]], batch: BatchView) -> None:
        self.counts: Counter[str] = Counter()
        self._stream, self._columns, self._first = stream, columns, True
        head = {
            "title": batch.title,
            "created_at": batch.created_at,
            "timezone": batch.timezone,
            "versions": dict(version_lines(batch)),
            "columns": {column.key: column.heading.replace("\n", "") for column in columns},
        }
        stream.write(_json(head)[:-1] + ', "rows": [')

    def add(self, item: Any) -> None:
        row = {column.key: column.of(item) for column in self._columns}
        self._stream.write(("\n" if self._first else ",\n") + _json(row))
        self._first = False

    def close(self) -> None:
        self._stream.write("\n]}\n")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _write(
    batch: BatchView,
    calls: Iterable[CallView],
    folder: Path,
    ending: str,
    table: Callable[[TextIO, Sequence[Column[Any]], BatchView], _CsvTable | _JsonTable],
) -> list[Path]:
    with refused(folder):
        folder.mkdir(parents=True, exist_ok=True)
    columns: dict[str, Sequence[Column[Any]]] = {
        CALLS: tables.call_columns(batch),
        FINDINGS: tables.finding_columns(),
        AGENTS: tables.agent_columns(batch),
    }
    targets = [folder / f"{name}{ending}" for name in columns]
    with staging(targets[0]) as made:
        streams = {name: (made / name).open("w", encoding="utf-8", errors="replace", newline="") for name in columns}
        try:
            written = {name: table(streams[name], columns[name], batch) for name in columns}
            _fill(written, batch, calls)
        finally:
            for stream in streams.values():
                stream.close()
        if ending == ".csv":
            counts = sum((part.counts for part in written.values()), Counter[str]())
            (made / README).write_text(_note(batch, counts), encoding="utf-8-sig", errors="replace")
            put_in_place(made / README, folder / README)
            targets.append(folder / README)
        for name, target in zip(columns, targets, strict=False):
            put_in_place(made / name, target)
    return targets


def _fill(written: dict[str, _CsvTable | _JsonTable], batch: BatchView, calls: Iterable[CallView]) -> None:
    for agent in batch.agents:
        written[AGENTS].add(agent)
    for view in calls:
        if view.error is None:
            written[CALLS].add(view)
        for row in finding_rows(view):
            written[FINDINGS].add(row)
    for part in written.values():
        part.close()


def _note(batch: BatchView, counts: Counter[str]) -> str:
    lines = [f"{batch.title}　生成时间 {batch.created_at}（{batch.timezone}）", counts_sentence(batch), *CSV_NOTES]
    lines.append(f"本次加单引号 {counts['quoted_cells']} 格，去除控制字符 {counts['control_characters']} 个。")
    lines += [f"{name}：{value}" for name, value in version_lines(batch)]
    return "\n".join(lines) + "\n"
