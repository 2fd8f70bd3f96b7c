"""The score sheets as HR gets them: safe, printable, the same figures everywhere (FAULTS 45, 46, 48, 49, 50)."""

from __future__ import annotations

import csv
import json
import os
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ledger_factory import Made, agent, many_calls, open_store, write_calls, write_roster
from openpyxl import load_workbook

from qa_monitor.agents.placing import month_period
from qa_monitor.agents.read_policy import read_policy
from qa_monitor.agents.training import read_courses
from qa_monitor.errors import ReportNotWritten
from qa_monitor.reports.pdf import office_program, write_pdf
from qa_monitor.reports.safe_text import cell_text, csv_text
from qa_monitor.reports.scoresheet import ScoreSheet, build_score_sheet
from qa_monitor.reports.scoresheet_exports import every_deduction, write_score_csv, write_score_json
from qa_monitor.reports.scoresheet_workbook import write_score_sheet
from qa_monitor.settings import resource_dir
from qa_monitor.store import people
from qa_monitor.store.agent_ledger import PeriodData, read_period
from qa_monitor.store.store import Store

POLICY = read_policy(resource_dir("rules") / "policy" / "default.yaml")
COURSES = read_courses(resource_dir("rules") / "training.yaml")
HOSTILE = '=HYPERLINK("http://evil","x")'


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path)
    yield opened
    opened.close()


def gathered(store: Store, **asked: Any) -> tuple[PeriodData, ScoreSheet]:
    data = read_period(store, month_period("2026-11"), dimensions=("服务规范", "服务态度"))
    return data, build_score_sheet(store, data, policy=POLICY, courses=COURSES, **asked)


def fill(store: Store) -> None:
    """Agents with hostile names and ids, one with nothing, one with a call, one who moved."""
    write_roster(
        store,
        agent("007", HOSTILE, "-一班"),
        agent("123456789012345678", "[:*?/\\]" * 6, "@SUM(A1)"),
        agent("100000", "History", "一班", valid_to="2026-11-10"),
        agent("100000", "History", "二班", valid_from="2026-11-11"),
        agent("0", "没有通话", "一班"),
        agent("1", "一通", "一班"),
        agent("2", "一通", "一班"),
    )
    calls = many_calls(["007", "123456789012345678", "100000"], 90, months=("2026-10", "2026-11"))
    calls += [Made("1", name="only", quote="+86 回拨\x00😀" + "长" * 40_000, lost={"opening.greeting": 0.5})]
    calls += [Made("2", name="none", scored=False), Made("404", name="stranger"), Made(None, name="nobody")]
    write_calls(store, calls)
    people.save_performance(store, [
        ("007", "2026-11", "接听量", "1,200"), ("007", "2026-11", "=cmd|' /C calc'!A0", "@x"), ("007", "2026-11", "接通率", "98.6%"),
        ("007", "2026-11", "回访满意", "95"), ("007", "2026-11", "回访不满意", "5"), ("007", "2026-11", "知识考试", "88"),
    ])  # fmt: skip


def sheets_of(path: Path) -> dict[str, list[list[Any]]]:
    return {sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in load_workbook(path)}


def test_the_workbook_is_safe_to_open_and_ready_to_print(store: Store, tmp_path: Path) -> None:
    fill(store)
    _, sheet = gathered(store)
    path = tmp_path / "成绩单.xlsx"
    write_score_sheet(sheet, path)
    book = load_workbook(path)
    names = book.sheetnames
    assert names[:7] == ["封面", "排名", "班组", "辅导建议", "与业绩的关系", "规则与满意度", "未匹配与样本不足"]
    assert len({name.casefold() for name in names}) == len(names)
    assert all(len(name) <= 31 and not re.search(r"[\[\]:*?/\\]", name) for name in names)
    for page in book:
        assert page.page_setup.paperSize == 9
        assert page.sheet_properties.pageSetUpPr.fitToPage
        for row in page.iter_rows():
            assert all(cell.data_type != "f" for cell in row), page.title
    ranking = book["排名"]
    assert ranking.freeze_panes == "D2"
    assert ranking.auto_filter.ref
    assert ranking.print_title_rows == "$1:$1"
    head = [cell.value for cell in ranking[1]]
    ids = {row[head.index("工号")].value: row[head.index("工号")] for row in ranking.iter_rows(min_row=2)}
    assert set(ids) == {"007", "123456789012345678", "100000", "0", "1", "2"}
    assert all(isinstance(value, str) and cell.number_format == "@" for value, cell in ids.items())
    first = next(name for name in names if name.startswith("007"))
    assert book[first].freeze_panes == "A4"
    assert book[first].print_title_rows == "$1:$3"
    assert len(book[first]._charts) == 2
    with zipfile.ZipFile(path) as parts:
        text = b"".join(parts.read(name) for name in parts.namelist() if name.startswith("xl/worksheets/sheet"))
        links = b"".join(parts.read(name) for name in parts.namelist() if name.endswith(".rels"))
    assert b"<f>" not in text
    assert b"evil" not in links


def test_risky_text_has_the_text_prefix(store: Store, tmp_path: Path) -> None:
    fill(store)
    _, sheet = gathered(store)
    write_score_sheet(sheet, tmp_path / "s.xlsx")
    risky = [
        cell
        for page in load_workbook(tmp_path / "s.xlsx")
        for row in page.iter_rows()
        for cell in row
        if isinstance(cell.value, str) and cell.value.startswith(("=", "+", "-", "@"))
    ]
    assert risky
    assert all(cell.quotePrefix for cell in risky)


def test_every_figure_is_the_same_in_excel_csv_and_json(store: Store, tmp_path: Path) -> None:
    fill(store)
    data, sheet = gathered(store, ranked=True)
    write_score_sheet(sheet, tmp_path / "s.xlsx")
    write_score_csv(sheet, every_deduction(store, data, sheet), tmp_path / "csv")
    write_score_json(sheet, every_deduction(store, data, sheet), tmp_path / "s.json")
    told = json.loads((tmp_path / "s.json").read_text(encoding="utf-8"))
    book = sheets_of(tmp_path / "s.xlsx")
    for name, listed in told["lists"].items():
        headings = list(listed["columns"].values())
        rows = [list(row.values()) for row in listed["rows"]]
        with (tmp_path / "csv" / f"{name}.csv").open(encoding="utf-8-sig", newline="") as stream:
            read = list(csv.reader(stream))
        assert read[0] == headings, name
        assert read[1:] == [[in_csv(value) for value in row] for row in rows], name
        if name in book:
            shown = book[name]
            assert [str(value).replace("\n", "") for value in shown[0]] == headings
            assert [[plain(v) for v in row] for row in shown[1:]] == [[plain(in_excel(v)) for v in row] for row in rows]
    for page in told["agents"]:
        cells = {plain(value) for row in book[page_of(book, page["agent_id"])] for value in row}
        for key, block in page["blocks"].items():
            for row in block["rows"]:
                assert all(plain(in_excel(value)) in cells for value in row.values()), (page["agent_id"], key)


def page_of(book: dict[str, Any], agent_id: str) -> str:
    return next(name for name in book if name.split(" ")[0] == agent_id)


def plain(value: Any) -> Any:
    return "" if value is None else value


def in_excel(value: Any) -> Any:
    """A value of JSON as a cell has it."""
    return cell_text(value, Counter()) if isinstance(value, str) else value


def in_csv(value: Any) -> str:
    """A value of JSON as CSV has it."""
    return csv_text(value, Counter()) if isinstance(value, str) else "" if value is None else str(value)


def test_shown_parts_add_up_to_what_is_shown(store: Store, tmp_path: Path) -> None:
    fill(store)
    data, sheet = gathered(store)
    write_score_json(sheet, every_deduction(store, data, sheet), tmp_path / "s.json")
    told = json.loads((tmp_path / "s.json").read_text(encoding="utf-8"))
    checked = 0
    for page in told["agents"]:
        for key, of in (("costs", "cost"), ("drivers", "change")):
            if key in page["blocks"]:
                *parts, total = (row[of] for row in page["blocks"][key]["rows"])
                assert sum(parts) == pytest.approx(total, abs=1e-6)
                checked += 1
        scores = {row["name"]: row["value"] for row in page["blocks"]["scores"]["rows"]}
        if "costs" in page["blocks"]:
            assert page["blocks"]["costs"]["rows"][-1]["cost"] == pytest.approx(100 - scores["原始平均分"])
    assert checked >= 6
    ranking = {row["agent_id"]: row for row in told["lists"]["排名"]["rows"]}
    assert sum(row["calls"] for row in ranking.values()) == told["totals"]["质检通数"]
    assert (ranking["0"]["rank"], ranking["1"]["rank"], ranking["2"]["points"]) == ("样本不足", "样本不足", None)


def test_all_deductions_are_exported_and_the_workbook_says_how_many_it_left_out(store: Store, tmp_path: Path) -> None:
    write_roster(store, agent("001", "甲"), agent("002", "乙"))
    write_calls(
        store,
        [Made("001", lost={"opening.greeting": 0.25, "closing.farewell": 0.1}, name=str(n)) for n in range(30)]
        + [Made("002", name="x")],
    )
    data, sheet = gathered(store)
    write_score_csv(sheet, every_deduction(store, data, sheet), tmp_path / "csv")
    with (tmp_path / "csv" / "扣分明细.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert len(list(csv.reader(stream))) == 61
    assert (len(sheet.agents[0].deductions), sheet.agents[0].deductions_in_all) == (20, 60)
    write_score_sheet(sheet, tmp_path / "s.xlsx")
    words = [value for row in sheets_of(tmp_path / "s.xlsx")["001 甲"] for value in row if isinstance(value, str)]
    assert any("另有 40 条" in value for value in words)
    alone = read_period(store, month_period("2026-11"), agent_ids=["001"])
    assert len(build_score_sheet(store, alone, wanted=["001"]).agents[0].deductions) == 60


def test_a_period_without_data_still_gives_a_workbook(store: Store, tmp_path: Path) -> None:
    data, sheet = gathered(store)
    write_score_sheet(sheet, tmp_path / "s.xlsx")
    write_score_csv(sheet, every_deduction(store, data, sheet), tmp_path / "csv")
    assert "封面" in sheets_of(tmp_path / "s.xlsx")
    assert sheet.agents == ()


def test_links_lead_to_the_configured_place_only(store: Store, tmp_path: Path) -> None:
    write_roster(store, agent("001", "甲"))
    write_calls(store, [Made("001", lost={"opening.greeting": 0.25}, name="a")])
    _, sheet = gathered(store, call_link="http://qa.local/calls/{key}")
    write_score_sheet(sheet, tmp_path / "s.xlsx")
    book = load_workbook(tmp_path / "s.xlsx")
    cells = (cell for page in book for row in page.iter_rows() for cell in row)
    found = {cell.hyperlink.target for cell in cells if cell.hyperlink and cell.hyperlink.target}
    assert found == {f"http://qa.local/calls/{sheet.agents[0].deductions[0].key}"}


def test_a_workbook_that_is_open_elsewhere_stays_as_it_was(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, sheet = gathered(store)
    path = tmp_path / "s.xlsx"
    path.write_bytes(b"old")

    def locked(_from: object, _to: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", locked)
    with pytest.raises(ReportNotWritten, match="正被其他程序"):
        write_score_sheet(sheet, path)
    assert path.read_bytes() == b"old"
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".part")]


def test_quotes_are_masked_and_gone_after_a_purge(store: Store) -> None:
    from qa_monitor.store.retention import purge_calls

    write_roster(store, agent("001", "甲"))
    (sha256,) = write_calls(store, [Made("001", lost={"opening.greeting": 0.25}, quote="您稍等", name="a")])
    before = gathered(store)[1].agents[0]
    purge_calls(store, [sha256], 1)
    after = gathered(store)[1].agents[0]
    assert (before.deductions[0].quote, after.deductions[0].quote, after.deductions[0].why) == ("您稍等", "", "")
    assert after.entry == before.entry


@pytest.mark.skipif(office_program() is None, reason="LibreOffice is not installed")
def test_libreoffice_opens_the_workbook(store: Store, tmp_path: Path) -> None:
    fill(store)
    _, sheet = gathered(store)
    write_score_sheet(sheet, tmp_path / "成绩单.xlsx")
    write_pdf(tmp_path / "成绩单.xlsx", tmp_path / "成绩单.pdf")
    assert (tmp_path / "成绩单.pdf").read_bytes().startswith(b"%PDF")


def test_without_libreoffice_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ReportNotWritten, match="没有安装 LibreOffice"):
        write_pdf(tmp_path / "a.xlsx", tmp_path / "a.pdf")


def test_places_only_when_asked(store: Store) -> None:
    from qa_monitor.reports.scoresheet_columns import ranked_rows, ranking_columns

    fill(store)
    _, sheet = gathered(store)
    assert "place" not in [column.key for column in ranking_columns(sheet)]
    asked = replace(sheet, ranked=True)
    assert "place" in [column.key for column in ranking_columns(asked)]
    places = [row.entry.rank.place for row in ranked_rows(asked) if row.entry.rank]
    assert places == sorted(places)
