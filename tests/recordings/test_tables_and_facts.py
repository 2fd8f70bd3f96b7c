"""Tables as offices make them, and facts that are matched and never guessed (FAULTS 43, 44)."""

from __future__ import annotations

import codecs
from pathlib import Path

import openpyxl
import pytest

from qa_monitor.errors import RecordsFileError, SettingsError
from qa_monitor.facts import FactTable
from qa_monitor.settings import RecordingSettings
from qa_monitor.tables import plain_id, read_table

KNOWN = frozenset({"工号", "姓名", "班组"})
ROWS = "工号,姓名,班组\n007,王㐂,一班\n0085,赵强,二班\n"


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", codecs.BOM_UTF8),
        ("gb18030", b""),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
    ],
)
def test_every_usual_encoding_reads_the_same(tmp_path: Path, encoding: str, mark: bytes) -> None:
    (tmp_path / "t.csv").write_bytes(mark + ROWS.encode(encoding))
    table = read_table(tmp_path / "t.csv", KNOWN)
    assert [(row.number, row.cells["工号"], row.cells["姓名"]) for row in table.rows] == [
        (2, "007", "王㐂"),
        (3, "0085", "赵强"),
    ]


@pytest.mark.parametrize(
    "text", [ROWS.replace(",", ";"), ROWS.replace(",", "\t"), ROWS.replace("\n", "\r\n"), ROWS.replace("\n", "\r")]
)
def test_delimiters_and_line_ends(tmp_path: Path, text: str) -> None:
    (tmp_path / "t.csv").write_bytes(text.encode())
    assert [row.cells["班组"] for row in read_table(tmp_path / "t.csv", KNOWN).rows] == ["一班", "二班"]


def test_title_rows_are_passed_over_and_said(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("客服中心名册,,\n\n" + ROWS, encoding="utf-8")
    table = read_table(tmp_path / "t.csv", KNOWN)
    assert table.columns == ("工号", "姓名", "班组")
    assert [note.code for note in table.notes] == ["title_rows"]


def test_quoted_newline_keeps_one_row_and_nul_is_reported(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes('工号,姓名\n1,"a\nb"\n2,c\0d\n'.encode())
    table = read_table(tmp_path / "t.csv", KNOWN)
    assert [row.cells["姓名"] for row in table.rows] == ["a\nb", "cd"]
    assert table.rejected


def test_excel_ids_stay_text(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["工号", "姓名"])
    book.active.append(["007", "甲"])
    book.active.append([7.0, "乙"])
    book.active.append(["110105194912310025", "丙"])
    book.save(tmp_path / "t.xlsx")
    table = read_table(tmp_path / "t.xlsx", KNOWN)
    assert [row.cells["工号"] for row in table.rows] == ["007", "7", "110105194912310025"]
    assert any(note.code == "numbers_as_text" and note.count == 1 for note in table.notes)


def test_ids_as_spreadsheets_spoil_them() -> None:
    assert [plain_id(text) for text in ("007", "7.0", "1E5", " ００７ ", "A012")] == [
        "007",
        "7",
        "100000",
        "007",
        "A012",
    ]


@pytest.mark.parametrize(
    ("name", "content"), [("t.xlsx", b"not excel"), ("t.csv", b"   \n"), ("t.csv", "工号,工号\n1,2\n".encode())]
)
def test_what_is_no_table_is_refused_with_its_name(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RecordsFileError, match=name):
        read_table(tmp_path / name, KNOWN)


# --- facts -----------------------------------------------------------------------------------------------------------


def facts_in(folder: Path, rows: str, encoding: str = "gb18030", **settings: str) -> FactTable:
    (folder / "清单.csv").write_bytes(
        ("录音文件,通话编号,员工编号,开始时间,呼叫方向,业务类型,主叫号码,坐席声道,客户等级\n" + rows).encode(encoding)
    )
    return FactTable.load(folder, RecordingSettings(**settings), b"secret")


def test_sidecar_row_becomes_facts_with_their_source(tmp_path: Path) -> None:
    table = facts_in(tmp_path, "a.wav,T1,007,2026/11/3 9:15,呼入,电费,13800001234,右,VIP\n")
    facts = table.facts_for(bytes(tmp_path / "sub" / "a.wav"))
    assert (facts.call_id, facts.agent_id, facts.direction, facts.agent_channel) == ("T1", "007", "inbound", 1)
    assert facts.started_at == "2026-11-03T09:15:00+08:00"
    assert facts.extra == {"客户等级": "VIP"}
    assert "清单.csv 第 2 行" in facts.sources["agent_id"]
    assert facts.customer_hash is not None
    assert "1380000" not in repr(facts)
    assert table.notes() == []


def test_same_caller_same_hash_other_store_another(tmp_path: Path) -> None:
    table = facts_in(tmp_path, "a.wav,1,1,,,,138-0000-1234,,\nb.wav,2,1,,,,13800001234,,\n")
    one, two = (table.facts_for(bytes(tmp_path / name)).customer_hash for name in ("a.wav", "b.wav"))
    assert one == two
    other = FactTable.load(tmp_path, RecordingSettings(), b"another").facts_for(bytes(tmp_path / "a.wav"))
    assert other.customer_hash != one


def test_nothing_is_guessed_and_everything_unmatched_is_said(tmp_path: Path) -> None:
    table = facts_in(
        tmp_path,
        "a.wav,1,007,,呼入,,,,\na.wav,1,008,,呼入,,,,\nmissing.wav,2,009,,,,,,\nc.wav,3,010,昨天,斜着,,,中间,\n",
    )
    assert table.facts_for(bytes(tmp_path / "a.wav")).agent_id is None
    c = table.facts_for(bytes(tmp_path / "c.wav"))
    assert (c.agent_id, c.started_at, c.direction, c.agent_channel) == ("010", None, None, None)
    table.facts_for(bytes(tmp_path / "nameless.wav"))
    codes = sorted(note.code for note in table.notes())
    assert codes == [
        "file_without_facts",
        "row_conflict",
        "row_without_file",
        "time_unreadable",
        "value_unknown",
        "value_unknown",
    ]


def test_facts_from_the_file_name(tmp_path: Path) -> None:
    table = FactTable.load(tmp_path, RecordingSettings(), b"s")
    facts = table.facts_for(bytes(tmp_path / "0071_20261103_091522_C1001.wav"))
    assert (facts.agent_id, facts.started_at, facts.call_id) == ("0071", "2026-11-03T09:15:22+08:00", "C1001")
    assert facts.sources["agent_id"] == "filename"


def test_a_performance_table_beside_the_recordings_is_no_sidecar(tmp_path: Path) -> None:
    (tmp_path / "绩效.csv").write_text("工号,接听量\n007,100\n", encoding="utf-8")
    assert FactTable.load(tmp_path, RecordingSettings(), b"s").notes() == []


def test_a_bad_pattern_or_zone_stops_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="file_name_pattern"):
        FactTable.load(tmp_path, RecordingSettings(file_name_pattern="(?P<x"), b"s")
    with pytest.raises(SettingsError, match="timezone"):
        FactTable.load(tmp_path, RecordingSettings(timezone="Mars/Base"), b"s")
