"""CSV and JSON, and the terminal's summary."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from report_factory import make_batch, make_call, standard_calls
from report_scripts import SCRIPTS

from qa_monitor.errors import ReportNotWritten
from qa_monitor.reports.exports import write_csv, write_json
from qa_monitor.reports.summary import summary_rows
from qa_monitor.store.views import CallView


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream, strict=True))


def hostile(text: str) -> list[CallView]:
    view = make_call(SCRIPTS[1])
    return [replace(view, facts=replace(view.facts, business=text, call_id=text), names=(text,))]


def test_csv_has_a_bom_and_every_cell_quoted(tmp_path: Path) -> None:
    calls = standard_calls()
    paths = write_csv(make_batch(calls), iter(calls), tmp_path / "新目录")
    assert [path.name for path in paths] == ["通话.csv", "扣分明细.csv", "坐席.csv", "导出说明.txt"]
    raw = paths[0].read_bytes()
    assert raw.startswith('\ufeff"短编号","通话编号"'.encode())
    assert raw.count(b"\r\n") == 1 + len(SCRIPTS) + 1
    rows = csv_rows(paths[0])
    assert [row["工号"] for row in rows][:4] == ["007", "1024", "2E5", "3310"]
    assert rows[-1]["得分"] == ""
    assert all(row["扣分"].startswith("-") for row in csv_rows(paths[1]) if row["结论"] == "不合格")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\0=1", "＝1", '"=1', "a\nb", "a\0b"])
def test_csv_text_never_begins_as_a_formula(tmp_path: Path, text: str) -> None:
    calls = hostile(text)
    paths = write_csv(make_batch(calls), iter(calls), tmp_path)
    cell = csv_rows(paths[0])[0]["业务"]
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝"))
    assert "\0" not in cell
    plain = text.replace("\r", "\n").replace("\0", "")
    assert cell in (plain, f"'{plain}")
    assert "单引号" in paths[3].read_text(encoding="utf-8-sig")


def test_json_holds_the_text_exactly(tmp_path: Path) -> None:
    text = '=1+1 </script>\n"引号" 🙂'
    calls = hostile(text)
    paths = write_json(make_batch(calls), iter(calls), tmp_path)
    assert [path.name for path in paths] == ["通话.json", "扣分明细.json", "坐席.json"]
    read: dict[str, Any] = json.loads(paths[0].read_text(encoding="utf-8"))
    assert read["rows"][0]["business"] == text
    assert read["columns"]["business"] == "业务"
    assert read["timezone"] == "Asia/Shanghai"
    assert json.loads(paths[2].read_text(encoding="utf-8"))["rows"][0]["agent_id"] == "1024"


def test_nothing_at_all_is_still_valid(tmp_path: Path) -> None:
    for path in write_json(replace(make_batch([], ()), agents=()), iter([]), tmp_path):
        assert json.loads(path.read_text(encoding="utf-8"))["rows"] == []
    for path in write_csv(replace(make_batch([], ()), agents=()), iter([]), tmp_path)[:3]:
        assert csv_rows(path) == []


def test_old_exports_stay_when_the_new_ones_fail(tmp_path: Path) -> None:
    calls = standard_calls()
    write_csv(make_batch(calls), iter(calls), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def broken() -> Iterator[CallView]:
        yield calls[0]
        raise RuntimeError("the store went away")

    with pytest.raises(RuntimeError, match="went away"):
        write_csv(make_batch(calls), broken(), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    (tmp_path / "文件").write_text("", encoding="utf-8")
    with pytest.raises(ReportNotWritten):
        write_csv(make_batch(calls), iter(calls), tmp_path / "文件")


def test_summary_rows() -> None:
    rows = list(summary_rows(standard_calls()))
    assert [row.points for row in rows] == ["100.0", "0.0", "95.7", "0.0", "92.0", "73.6", "96.0", "未评分", "失败"]
    assert (rows[1].recording, rows[1].agent, rows[1].veto, rows[1].worst) == (
        "1024_HX20261103-1042.wav", "1024 顾远", "服务忌语", "服务忌语",
    )  # fmt: skip
    assert rows[6].agent == "未匹配"
    assert rows[7].worst == "无人声"
    assert rows[8].worst == "不是音频：内容是文本"


def test_reports_are_written_without_a_locale(tmp_path: Path) -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from report_factory import make_batch, standard_calls\n"
        "from qa_monitor.reports.html import write_html\n"
        "from qa_monitor.reports.workbook import write_workbook\n"
        "from qa_monitor.reports.exports import write_csv\n"
        "calls = standard_calls(); batch = make_batch(calls); out = Path(sys.argv[2])\n"
        "write_html(batch, calls, out / '质检报告.html'); write_workbook(batch, calls, out / '质检成绩表.xlsx')\n"
        "write_csv(batch, calls, out)\n"
    )
    environment = {**os.environ, "LC_ALL": "C", "LANG": "C"}
    here = str(Path(__file__).parent)
    subprocess.run([sys.executable, "-c", program, here, str(tmp_path)], env=environment, check=True, timeout=60)
    assert "客服录音" in (tmp_path / "质检报告.html").read_text(encoding="utf-8")
    assert len(os.listdir(tmp_path)) == 6
