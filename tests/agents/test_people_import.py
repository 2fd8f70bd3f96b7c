"""Importing what offices keep: encodings, what changed, every row not taken (FAULTS 43, 44)."""

from __future__ import annotations

from pathlib import Path

import pytest
from ledger_factory import open_store
from xlsxwriter import Workbook

from qa_monitor.agents.performance import AVERAGED_KEY, load_averaged, load_columns, read_performance
from qa_monitor.agents.roster import read_roster
from qa_monitor.cli.people import import_performance, import_roster
from qa_monitor.errors import RecordsFileError
from qa_monitor.settings import resource_dir
from qa_monitor.store import people

COLUMNS_FILE = resource_dir("rules") / "performance_columns.yaml"
ROWS = "工号,姓名,班组\n007,王㐂,一班\n1E5,李𠮷,二班\n123456789012345678,赵,一班\n"
EXPECTED = [("007", "王㐂"), ("100000", "李𠮷"), ("123456789012345678", "赵")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("change", [("", ""), (",", ";"), (",", "\t"), ("\n", "\r\n"), ("\n", "\r")])
def test_encodings_separators_and_line_ends(tmp_path: Path, encoding: str, change: tuple[str, str]) -> None:
    text = ROWS.replace(*change) if change[0] else ROWS
    path = tmp_path / "名册.csv"
    path.write_bytes(text.encode(encoding))
    read = read_roster(path)
    assert sorted((agent.agent_id, agent.name) for agent in read.agents) == EXPECTED
    assert read.rejected == ()


def test_an_encoding_that_might_be_another_is_asked_about(tmp_path: Path) -> None:
    path = tmp_path / "名冊.csv"
    path.write_bytes("工號,姓名,班組\n007,王小明,一班\n".encode("big5"))
    with pytest.raises(RecordsFileError, match="--encoding big5"):
        read_roster(path)
    (agent,) = read_roster(path, encoding="big5").agents
    assert (agent.agent_id, agent.name, agent.team) == ("007", "王小明", "一班")
    with pytest.raises(RecordsFileError, match="不认识的编码"):
        read_roster(path, encoding="没有这种")
    with pytest.raises(RecordsFileError, match="不是 utf-8 编码"):
        read_roster(path, encoding="utf-8")


def test_quoted_newlines_and_a_file_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.csv"
    path.write_text('工号,姓名,班组\n1,"甲\n乙",一班\n2,丙,二班\n', encoding="utf-8")
    assert [agent.agent_id for agent in read_roster(path).agents] == ["1", "2"]
    monkeypatch.setattr("qa_monitor.tables.MAX_BYTES", 10)
    with pytest.raises(RecordsFileError, match="文件过大"):
        read_roster(path)


def test_excel_ids_as_numbers_and_dates_as_dates(tmp_path: Path) -> None:
    path = tmp_path / "名册.xlsx"
    with Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.merge_range(0, 0, 0, 3, "客服中心名册")
        for column, name in enumerate(("员工编号", "姓名", "班组", "入职日期")):
            sheet.write_string(1, column, name)
        sheet.write_number(2, 0, 7)
        sheet.write_string(2, 1, "甲")
        sheet.write_number(2, 3, 44000)
        sheet.write_string(3, 0, "007")
        sheet.write_string(3, 1, "乙")
        sheet.write_string(3, 3, "2020年6月18日")
    read = read_roster(path)
    assert [(agent.agent_id, agent.name, agent.hired_on) for agent in read.agents] == [
        ("007", "乙", "2020-06-18"),
        ("7", "甲", "2020-06-18"),
    ]


def test_importing_again_changes_nothing_and_a_change_is_shown(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    path = tmp_path / "绩效_2026-11.csv"
    path.write_text("工号,投诉数,接听量\n007,2,100\n008,0,90\n", encoding="utf-8")
    assert "新增 4 项，更新 0，未变 0" in import_performance(store, path)
    assert "新增 0 项，更新 0，未变 4" in import_performance(store, path)
    path.write_text("工号,投诉数,接听量\n007,3,100\n008,0,90\n", encoding="utf-8")
    said = import_performance(store, path)
    assert "更新 1，未变 3" in said
    assert "007 2026-11 投诉：2 → 3" in said
    roster = tmp_path / "名册.csv"
    roster.write_text("工号,姓名,班组\n007,甲,一班\n", encoding="utf-8")
    import_roster(store, roster)
    roster.write_text("工号,姓名,班组\n007,甲,二班\n", encoding="utf-8")
    assert "007：班组 一班 → 二班" in import_roster(store, roster)
    store.close()


def test_every_row_not_taken_is_listed_with_file_row_and_reason(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    path = tmp_path / "名册.csv"
    bad = "".join(f"{n},人{n},一班,前天\n" for n in range(30))
    path.write_text(f"工号,姓名,班组,入职日期\n{bad}99,好,一班,2020-01-01\n", encoding="utf-8")
    rejects = tmp_path / "reports" / "未采用.csv"
    said = import_roster(store, path, rejects=rejects)
    assert "30 行未采用" in said
    assert "名册.csv 第 2 行：入职日期“前天”不是日期" in said
    assert f"全部列在 {rejects}" in said
    lines = rejects.read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 31
    assert lines[-1] == '"名册.csv","31","入职日期“前天”不是日期"'
    assert [agent.agent_id for agent in people.roster_of(store)] == ["99"]
    store.close()


def test_nothing_is_half_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(tmp_path)
    path = tmp_path / "绩效_2026-11.csv"
    path.write_text("工号,投诉\n007,2\n", encoding="utf-8")
    import_performance(store, path)
    path.write_text("工号,投诉\n007,5\n008,1\n", encoding="utf-8")

    def breaks(*_: object) -> str:
        raise RuntimeError("power cut")

    monkeypatch.setattr(people, "_difference", breaks)
    with pytest.raises(RuntimeError):
        import_performance(store, path)
    assert people.performance_of(store) == {"007": {"2026-11": {"投诉": "2"}}}
    store.close()


def test_the_columns_file_names_what_is_averaged(tmp_path: Path) -> None:
    assert "平均处理时长" in load_averaged(COLUMNS_FILE)
    assert AVERAGED_KEY not in load_columns(COLUMNS_FILE)
    own = tmp_path / "columns.yaml"
    own.write_text("工号: [编码]\n月份: [日期]\n接听量: [电话数]\n", encoding="utf-8")
    path = tmp_path / "p.csv"
    path.write_text("编码,日期,电话数\n007,2026/11/3,9\n007,3-Nov-26,9\n", encoding="utf-8")
    read = read_performance(path, load_columns(own))
    assert read.records == (("007", "2026-11-03", "接听量", "9"),)
    assert load_averaged(own) == ()
