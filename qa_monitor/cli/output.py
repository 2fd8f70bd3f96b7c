"""What several commands print, and where reports are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console

from qa_monitor.errors import QaMonitorError
from qa_monitor.records import Note
from qa_monitor.settings import Settings
from qa_monitor.store.store import Store

if TYPE_CHECKING:
    from qa_monitor.store.reader import Reader

NOTES_SHOWN = 5
WORKBOOK_NAME = "质检成绩表.xlsx"
HTML_NAME = "质检报告.html"


def open_store(settings: Settings, *, create: bool = True) -> Store:
    return Store.open(settings.store_url, create=create)


@dataclass(frozen=True, slots=True)
class NoteSummary:
    """Notes grouped by code: how many, and the first few in full."""

    notes: Iterable[Note]

    def print(self, console: Console) -> None:
        counts: Counter[str] = Counter()
        shown: dict[str, list[str]] = {}
        for note in self.notes:
            counts[note.code] += note.count
            shown.setdefault(note.code, []).append(note.message)
        for messages in shown.values():
            for message in messages[:NOTES_SHOWN]:
                console.print(f"注意：{message}", soft_wrap=True)
            if len(messages) > NOTES_SHOWN:
                console.print(f"      …同类还有 {len(messages) - NOTES_SHOWN} 条", soft_wrap=True)


def write_reports(reader: Reader, settings: Settings, sha256s: Sequence[str]) -> list[str]:
    """Write the workbook and the HTML report over these calls; a line on each, whether or not it could be written."""
    from qa_monitor.reports.html import write_html
    from qa_monitor.reports.workbook import write_workbook
    from qa_monitor.store.batchview import batch_view

    folder = settings.reports_dir
    lines = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return [f"报告目录无法建立：{folder}（{error.strerror}）。请检查权限，或在配置 reports.directory 中换一个目录"]
    batch = batch_view(reader, sha256s)
    for title, name, write in (("Excel 成绩表", WORKBOOK_NAME, write_workbook), ("HTML 报告", HTML_NAME, write_html)):
        target = folder / name
        try:
            write(batch, reader.calls(sha256s), target)
            lines.append(f"{title}：{target}")
        except QaMonitorError as error:
            lines.append(str(error))
    return lines
