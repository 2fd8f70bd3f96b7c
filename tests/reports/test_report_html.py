"""The HTML report: whole, self-contained, and saying what it must."""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest
from report_factory import failed_call, make_batch, make_call, many_calls, silent_call, standard_calls
from report_page import Page
from report_scripts import SCRIPTS

from qa_monitor.errors import ReportNotWritten
from qa_monitor.reports import html
from qa_monitor.reports.html import write_html
from qa_monitor.store.views import BatchView, CallView


def page_of(path: Path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


def written(tmp_path: Path, calls: list[CallView], batch: BatchView | None = None) -> Page:
    write_html(batch or make_batch(calls), iter(calls), tmp_path / "r.html")
    return page_of(tmp_path / "r.html")


def test_the_page_is_whole_and_needs_nothing_else(tmp_path: Path) -> None:
    page = written(tmp_path, standard_calls())
    assert len(page.ids) == len(set(page.ids))
    assert page.links
    for link in page.links:
        assert link.startswith("#"), "one file links only into itself"
        assert link[1:] in page.ids
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert not re.search(r"url\((?!#)|@import|https?://", text.replace("http://www.w3.org", ""))


def test_only_the_page_s_own_script_and_style_may_run(tmp_path: Path) -> None:
    page = written(tmp_path, standard_calls())
    assert "unsafe-inline" not in page.policy
    assert "default-src 'none'" in page.policy
    for kind in ("script", "style"):
        assert len(page.raw[kind]) == 1
        digest = base64.b64encode(hashlib.sha256(page.raw[kind][0].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in page.policy


def test_what_a_supervisor_looks_for_is_there(tmp_path: Path) -> None:
    page = written(tmp_path, standard_calls())
    for words in (
        "机器初评", "共 11 通：评分 7，未评分 1，处理失败 1，已搁置 1，无法读取 1", "一票否决：服务忌语", "你问我我问谁啊",
        "记 0 分", "由“基线”评定", "样本不足", "（名册无）", "1 通没有工号", "已搁置", "静音 9.0 秒", "抢话 0.9 秒",
        "视频字幕套话，不计分", "2026-11-07 18:30:05+08:00（Asia/Shanghai）", "无人声", "待人工确认",
    ):  # fmt: skip
        assert words in page.words, words


def test_every_turn_is_shown_in_full(tmp_path: Path) -> None:
    calls = standard_calls()
    write_html(make_batch(calls), iter(calls), tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    bubbles = re.findall(r'<p class="bubble">(.*?)</p>', text, flags=re.S)
    shown = [re.sub(r"<a class=\"ref.*?</a>|<[^>]+>", "", bubble) for bubble in bubbles]
    assert shown == [turn.text for view in calls if view.dialogue for turn in view.dialogue.turns]


def test_no_calls_no_agents_no_figures(tmp_path: Path) -> None:
    page = written(tmp_path, [], replace(make_batch([], ()), agents=(), rules=(), notes=()))
    assert "没有通话" in page.words
    assert "nan" not in page.words.lower()


def test_agents_with_none_one_or_only_failed_calls(tmp_path: Path) -> None:
    calls = [make_call(SCRIPTS[2]), silent_call(), failed_call()]
    page = written(tmp_path, calls, make_batch(calls, min_calls=5))
    assert page.words.count("样本不足") >= 3
    assert "nan" not in page.words.lower()


def test_figures_that_are_no_numbers_are_dashes(tmp_path: Path) -> None:
    nan = float("nan")
    view = make_call(SCRIPTS[0])
    assert view.score is not None
    assert view.model is not None
    dimensions = tuple(replace(part, score=nan, weight=nan) for part in view.score.dimensions)
    view = replace(
        view,
        score=replace(view.score, points=nan, dimensions=dimensions),
        model=replace(view.model, politeness=nan, satisfaction=nan, resolution_probabilities={"resolved": nan}),
        findings=tuple(replace(finding, confidence=nan) for finding in view.findings),
    )
    batch = make_batch([view])
    agent = replace(batch.agents[0], mean_points=nan, interval=(nan, nan), politeness=nan, resolution={"resolved": nan})
    write_html(replace(batch, agents=(agent,), audio_s=nan), iter([view]), tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert not re.search(r"[\"> −]nan\b", text, flags=re.I)


def test_same_calls_same_bytes(tmp_path: Path) -> None:
    calls = standard_calls()
    for name in ("a.html", "b.html"):
        write_html(make_batch(calls), iter(calls), tmp_path / name)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


# --- many calls ------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "ONE_FILE_CALLS", 10)
    monkeypatch.setattr(html, "PAGE_CALLS", 4)
    monkeypatch.setattr(html, "LOWEST_LISTED", 6)


@pytest.mark.usefixtures("small_pages")
def test_many_calls_go_to_pages_that_the_index_leads_to(tmp_path: Path) -> None:
    calls = many_calls(11)
    index = written(tmp_path, calls)
    folder = tmp_path / "r_通话"
    assert sorted(os.listdir(folder)) == ["1.html", "2.html", "3.html"]
    assert "超过 10 通时分页存放，每页 4 通；这里列出得分最低的 6 通" in index.words
    pages = {f"r_通话/{name}": page_of(folder / name) for name in os.listdir(folder)}
    for link in index.links:
        file, _, anchor = unquote(link).partition("#")
        assert file in pages
        assert not anchor or anchor in pages[file].ids
    shown = [view_id for name in sorted(pages) for view_id in pages[name].ids if re.fullmatch(r"c\d+", view_id)]
    assert shown == [f"c{number}" for number in range(1, 12)]
    assert {"2.html", "../r.html"} <= set(pages["r_通话/1.html"].links)


@pytest.mark.usefixtures("small_pages")
def test_the_index_lists_the_calls_with_the_fewest_points(tmp_path: Path) -> None:
    calls = many_calls(11)
    write_html(make_batch(calls), iter(calls), tmp_path / "r.html")
    rows = re.findall(r'<td class="right number \w+" data-value="([\d.]+)">', (tmp_path / "r.html").read_text("utf-8"))
    points = sorted(view.score.points for view in calls if view.score and view.score.points is not None)
    assert [float(row) for row in rows][-6:] == [round(value, 1) for value in points[:6]]


@pytest.mark.usefixtures("small_pages")
def test_pages_of_an_earlier_report_go_and_a_person_s_files_stay(tmp_path: Path) -> None:
    calls = many_calls(11)
    write_html(make_batch(calls), iter(calls), tmp_path / "r.html")
    write_html(make_batch(calls), iter(calls), tmp_path / "r.html")
    assert len(os.listdir(tmp_path / "r_通话")) == 3
    (tmp_path / "r_通话" / "我的笔记.txt").write_text("别删", encoding="utf-8")
    with pytest.raises(ReportNotWritten, match="别的文件"):
        write_html(make_batch(calls), iter(calls), tmp_path / "r.html")
    write_html(make_batch([]), iter([]), tmp_path / "r.html")
    assert (tmp_path / "r_通话" / "我的笔记.txt").exists()
    (tmp_path / "r_通话" / "我的笔记.txt").unlink()
    write_html(make_batch([]), iter([]), tmp_path / "r.html")
    assert os.listdir(tmp_path) == ["r.html"]


def test_a_report_that_cannot_be_put_in_place_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "r.html").write_text("old", encoding="utf-8")

    def refused(_from: object, _to: object) -> None:
        raise PermissionError(errno.EACCES, "denied")

    monkeypatch.setattr(os, "replace", refused)
    with pytest.raises(ReportNotWritten):
        write_html(make_batch([]), iter([]), tmp_path / "r.html")
    assert (tmp_path / "r.html").read_text(encoding="utf-8") == "old"
    assert os.listdir(tmp_path) == ["r.html"]
