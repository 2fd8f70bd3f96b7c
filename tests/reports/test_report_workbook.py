"""The Excel score sheet: safe cells, sheets that go on, old files that stay."""

from __future__ import annotations

import errno
import os
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from report_factory import agent_view, failed_call, make_batch, make_call, many_calls, silent_call, standard_calls
from report_scripts import SCRIPTS

from qa_monitor.errors import DiskFull, ReportNotWritten
from qa_monitor.records import Agent
from qa_monitor.reports.safe_text import MAX_CELL_UNITS, cell_text, csv_text, is_risky, units
from qa_monitor.reports.sheets import sheet_name
from qa_monitor.reports.workbook import write_workbook
from qa_monitor.store.views import BatchView, CallView

SHEETS = ["汇总", "坐席", "通话", "扣分明细", "未评分与失败", "规则统计", "说明"]
RISKY = [
    "=1+1", "+8613800000000", "-1", "@SUM(A1)", "\t=1", "\r=1", "\0=1", "\x01=1", "=HYPERLINK(\"http://x\",\"点\")",
    "=cmd|'/C calc'!A0", "＝1+1",
]  # fmt: skip


def table(sheet: Worksheet) -> list[dict[str, Any]]:
    """The rows of a sheet as heading → value."""
    rows = list(sheet.iter_rows(values_only=True))
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def hostile_call(text: str) -> CallView:
    view = make_call(SCRIPTS[1])
    assert view.agent is not None
    findings = tuple(replace(finding, name=text, why=text) for finding in view.findings)
    return replace(
        view,
        names=(text,),
        facts=replace(view.facts, call_id=text, agent_id=text, business=text),
        agent=replace(view.agent, agent_id=text, name=text, team=text),
        findings=findings,
    )


def hostile_batch(calls: list[CallView], text: str) -> BatchView:
    agent = replace(agent_view("1024", calls), agent_id=text, agent=Agent(text, text, text), performance={text: text})
    return replace(make_batch(calls, title=text), agents=(agent,), unmatched_note=text)


def test_sheets_rows_and_figures(tmp_path: Path) -> None:
    calls = standard_calls()
    write_workbook(make_batch(calls), iter(calls), tmp_path / "a.xlsx")
    book = load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == SHEETS
    rows = table(book["通话"])
    assert [row["通话编号"] for row in rows] == [*(script.call_id for script in SCRIPTS), None]
    assert rows[1]["得分"] == 0
    assert rows[1]["一票否决"] == "服务忌语"
    assert rows[1]["礼貌等由谁评"] == "基线"
    assert rows[-1]["主要问题"] == "未评分：无人声"
    assert {row["状态"] for row in rows} == {"机器初评"}
    agents = {row["工号"]: row for row in table(book["坐席"])}
    assert list(agents) == ["007", "1024", "2E5", "3310", "4408", "5500"]
    assert agents["4408"]["平均分"] is None
    assert agents["2E5"]["样本"] == "样本不足"
    assert agents["007"]["平均处理时长(秒)"] == 312
    failures = table(book["未评分与失败"])
    assert [row["类别"] for row in failures] == ["处理失败", "已搁置", "无法读取", "未评分"]
    lost = [row for row in table(book["扣分明细"]) if row["结论"] == "疑似"]
    assert lost
    assert all(row["扣分"] == 0 for row in lost)


def test_cells_are_typed_and_none_is_a_formula(tmp_path: Path) -> None:
    calls = standard_calls()
    write_workbook(make_batch(calls), iter(calls), tmp_path / "a.xlsx")
    book = load_workbook(tmp_path / "a.xlsx")
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type in ("s", "n"), (sheet.title, cell.coordinate, cell.value)
                if cell.value is not None:
                    assert cell.font.name == "等线"
    ids = [row["工号"] for row in table(book["通话"]) if row["工号"]]
    assert "007" in ids
    assert "2E5" in ids
    assert all(isinstance(agent_id, str) for agent_id in ids)
    for heading in ("得分", "时长(秒)", "礼貌(1–5)", "满意度(1–5)"):
        assert all(isinstance(row[heading], (int, float)) for row in table(book["通话"])[:5])


@pytest.mark.parametrize("text", RISKY)
def test_text_that_looks_like_a_formula_stays_text_even_when_edited(tmp_path: Path, text: str) -> None:
    calls = [hostile_call(text)]
    write_workbook(hostile_batch(calls, text), iter(calls), tmp_path / "a.xlsx")
    book = load_workbook(tmp_path / "a.xlsx")
    guarded = 0
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f"
                assert cell.hyperlink is None
                if isinstance(cell.value, str) and is_risky(cell.value):
                    assert cell.quotePrefix, (sheet.title, cell.coordinate)
                    guarded += 1
    assert guarded > 0 or text.startswith(("\0", "\x01", "\r"))
    found = [row["理由"] for row in table(book["扣分明细"])]
    assert found[0].strip("\n") == text.lstrip("\0\x01\r")
    assert "加了文本前缀" in str(list(book["说明"].iter_rows(values_only=True)))


@pytest.mark.parametrize(
    "text",
    [
        "<r><t>x</t></r>",
        "<r></si><si></r>",
        "a\x00\x07\ud800b",
        "_x0041_",
        "表情🙂𠮷㐂",
        " 前后空格 ",
        "]]>&<b>",
        "\ufffe",
    ],
)
def test_strange_text_never_breaks_the_file(tmp_path: Path, text: str) -> None:
    calls = [hostile_call(text)]
    write_workbook(hostile_batch(calls, text), iter(calls), tmp_path / "a.xlsx")
    found = [row["理由"] for row in table(load_workbook(tmp_path / "a.xlsx")["扣分明细"])]
    expected = cell_text(text, Counter())
    assert {(value or "").replace("_x005F_", "_") for value in found} == {expected}


def test_long_text_is_cut_where_people_can_see_it(tmp_path: Path) -> None:
    text = "🙂" * 20_000
    calls = [hostile_call(text)]
    write_workbook(hostile_batch(calls, "题"), iter(calls), tmp_path / "a.xlsx")
    book = load_workbook(tmp_path / "a.xlsx")
    shown = table(book["扣分明细"])[0]["理由"]
    assert shown.endswith("…（已截断，原文共 20000 字）")
    assert MAX_CELL_UNITS - 1 <= units(shown) <= MAX_CELL_UNITS
    assert "已截断并注明" in str(list(book["说明"].iter_rows(values_only=True)))


@given(st.text(alphabet=st.characters(codec=None), max_size=50))
def test_cell_text_loses_only_what_cannot_be_written(text: str) -> None:
    counts: Counter[str] = Counter()
    shown = cell_text(text, counts)
    shown.encode("utf-8")
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    assert len(plain) - counts["control_characters"] + counts["markup_guarded"] == len(shown)
    assert not is_risky(csv_text(text, counts))


@given(st.lists(st.text(max_size=60), max_size=8))
def test_sheet_names_are_always_allowed_and_never_twice(wanted: list[str]) -> None:
    taken: list[str] = []
    for name in [*wanted, "History", "history", "a/b:c*?[d]\\", "x" * 50, "x" * 50]:
        taken.append(sheet_name(name, taken))
    assert len({name.casefold() for name in taken}) == len(taken)
    for name in taken:
        assert 0 < units(name) <= 31
        assert name.casefold() != "history"
        assert not set(name) & set("[]:*?/\\")
        assert not name.startswith("'")


def test_a_full_sheet_goes_on_in_the_next(tmp_path: Path) -> None:
    calls = many_calls(25)
    write_workbook(make_batch(calls), iter(calls), tmp_path / "a.xlsx", max_rows=11)
    book = load_workbook(tmp_path / "a.xlsx")
    parts = [name for name in book.sheetnames if name.startswith("通话")]
    assert parts == ["通话", "通话(2)", "通话(3)"]
    assert [book[name].max_row for name in parts] == [11, 11, 6]
    seen = [row["短编号"] for name in parts for row in table(book[name])]
    assert seen == [view.key for view in calls]
    assert "接续写在" in str(list(book["说明"].iter_rows(values_only=True)))


def test_headings_stay_in_sight_and_on_every_printed_page(tmp_path: Path) -> None:
    calls = standard_calls()
    write_workbook(make_batch(calls), iter(calls), tmp_path / "a.xlsx")
    book = load_workbook(tmp_path / "a.xlsx")
    for name in ("坐席", "通话", "扣分明细", "未评分与失败", "规则统计"):
        sheet = book[name]
        assert sheet.freeze_panes is not None
        assert sheet.auto_filter.ref
        assert sheet.print_title_rows == "$1:$1"
        assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == (9, "landscape")
    assert len(book["汇总"]._charts) == 2


def test_agents_and_periods_without_figures(tmp_path: Path) -> None:
    calls = [silent_call(), failed_call()]
    write_workbook(make_batch(calls), iter(calls), tmp_path / "a.xlsx")
    book = load_workbook(tmp_path / "a.xlsx")
    assert all(row["样本"] == "样本不足" and row["平均分"] is None for row in table(book["坐席"]))
    write_workbook(replace(make_batch([], ()), agents=(), rules=(), notes=()), iter([]), tmp_path / "b.xlsx")
    assert load_workbook(tmp_path / "b.xlsx").sheetnames == SHEETS


def test_a_figure_that_is_not_a_number_is_an_empty_cell(tmp_path: Path) -> None:
    nan = float("nan")
    view = make_call(SCRIPTS[0])
    assert view.score is not None
    assert view.model is not None
    calls = [replace(view, score=replace(view.score, points=nan), model=replace(view.model, politeness=nan))]
    batch = make_batch(calls)
    agents = (replace(batch.agents[0], mean_points=nan, interval=(nan, nan)),)
    write_workbook(replace(batch, agents=agents), iter(calls), tmp_path / "a.xlsx")
    row = table(load_workbook(tmp_path / "a.xlsx")["通话"])[0]
    assert row["得分"] is None
    assert row["礼貌(1–5)"] is None


def test_same_calls_same_bytes(tmp_path: Path) -> None:
    calls = standard_calls()
    for name in ("a.xlsx", "b.xlsx"):
        write_workbook(make_batch(calls), iter(calls), tmp_path / name)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    assert zipfile.ZipFile(tmp_path / "a.xlsx").testzip() is None


# --- targets that cannot be written ----------------------------------------------------------------------------------


def refuse(error: OSError, monkeypatch: pytest.MonkeyPatch) -> None:
    def replace_refused(_from: object, _to: object) -> None:
        raise error

    monkeypatch.setattr(os, "replace", replace_refused)


def test_a_target_open_in_excel_is_left_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "质检成绩表.xlsx"
    target.write_bytes(b"old")
    refuse(PermissionError(errno.EACCES, "used by another process"), monkeypatch)
    with pytest.raises(ReportNotWritten, match="正被其他程序") as caught:
        write_workbook(make_batch([]), iter([]), target)
    assert "qa-monitor report" in caught.value.hint
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == [target.name]


def test_a_full_disk_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.xlsx"
    target.write_bytes(b"old")
    refuse(OSError(errno.ENOSPC, "No space left on device"), monkeypatch)
    with pytest.raises(DiskFull, match="原有文件未改动"):
        write_workbook(make_batch([]), iter([]), target)
    assert target.read_bytes() == b"old"


def test_a_folder_that_is_not_there_or_in_the_way(tmp_path: Path) -> None:
    with pytest.raises(ReportNotWritten):
        write_workbook(make_batch([]), iter([]), tmp_path / "没有" / "a.xlsx")
    (tmp_path / "a.xlsx").mkdir()
    with pytest.raises(ReportNotWritten):
        write_workbook(make_batch([]), iter([]), tmp_path / "a.xlsx")


def test_a_fault_while_reading_leaves_nothing_behind(tmp_path: Path) -> None:
    def broken() -> Iterator[CallView]:
        yield make_call(SCRIPTS[0])
        raise RuntimeError("the store went away")

    with pytest.raises(RuntimeError, match="went away"):
        write_workbook(make_batch([]), broken(), tmp_path / "a.xlsx")
    assert os.listdir(tmp_path) == []
