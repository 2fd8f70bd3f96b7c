"""One figure is the same figure in Excel, HTML, CSV and JSON."""

from __future__ import annotations

import csv
import json
import re
import tempfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from report_factory import agent_view, make_batch, make_call
from report_scripts import DIMENSIONS, SCRIPTS

from qa_monitor.reports.exports import write_csv, write_json
from qa_monitor.reports.html import write_html
from qa_monitor.reports.workbook import write_workbook
from qa_monitor.store.views import BatchView, CallView

NAN = float("nan")
POINTS = st.floats(0, 100) | st.sampled_from([None, NAN, 0.05, 99.95, 86.25, 100.0])
SCALE = st.floats(1, 5) | st.sampled_from([None, NAN, 2.25])
CALL = st.fixed_dictionaries(
    {
        "points": POINTS,
        "politeness": SCALE,
        "satisfaction": SCALE,
        "dimensions": st.lists(POINTS, min_size=5, max_size=5),
    }
)
HEADINGS = {"points": "得分", "politeness": "礼貌(1–5)", "satisfaction": "满意度(1–5)"} | {
    f"dimension.{name}": name for name in DIMENSIONS
}
AGENT_HEADINGS = {"mean_points": "平均分", "politeness": "礼貌\n(1–5)", "resolved": "已解决"} | {
    f"dimension.{name}": name for name in DIMENSIONS
}
Figures = dict[str, dict[str, Decimal | None]]  # row → figure → value


def made_calls(drawn: list[dict[str, Any]]) -> list[CallView]:
    calls = []
    for number, values in enumerate(drawn):
        view = make_call(SCRIPTS[number % len(SCRIPTS)])
        assert view.score is not None
        assert view.model is not None
        parts = [
            replace(part, score=value) for part, value in zip(view.score.dimensions, values["dimensions"], strict=True)
        ]
        key = f"{number:010d}"
        score = replace(view.score, points=values["points"], dimensions=tuple(parts))
        model = replace(view.model, politeness=values["politeness"], satisfaction=values["satisfaction"])
        calls.append(replace(view, sha256=key, key=key, score=score, model=model))
    return calls


def figure(text: Any) -> Decimal | None:
    """What any of the formats shows, as an exact number."""
    if text in (None, "", "—"):
        return None
    shown = str(text)
    return Decimal(shown.rstrip("%")) / 100 if shown.endswith("%") else Decimal(shown)


def from_excel(path: Path, sheet: str, key: str, headings: dict[str, str]) -> Figures:
    rows = list(load_workbook(path)[sheet].iter_rows(values_only=True))
    table = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    return {row[key]: {name: figure(row[heading]) for name, heading in headings.items()} for row in table}


def from_csv(path: Path, key: str, headings: dict[str, str]) -> Figures:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {row[key]: {n: figure(row[heading.replace("\n", "")]) for n, heading in headings.items()} for row in rows}


def from_json(path: Path, key: str, headings: dict[str, str]) -> Figures:
    rows = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)["rows"]
    return {row[key]: {name: figure(row[name]) for name in headings} for row in rows}


def from_html(text: str, opening: str, closing: str, headings: dict[str, str]) -> Figures:
    """Rows begin with `opening`, which a row's name in quotes follows, and end with `closing` or the next row."""
    found: Figures = {}
    for part in text.split(opening)[1:]:
        row, _, rest = part.partition('"')
        shown: dict[str, str] = {}
        for name, value in re.findall(r'data-figure="([^"]*)">([^<]*)<', rest.partition(closing)[0]):
            shown.setdefault(name, value)
        found[row] = {name: figure(shown.get(name)) for name in headings}
    return found


def all_formats(batch: BatchView, calls: list[CallView], folder: Path) -> None:
    write_workbook(batch, iter(calls), folder / "r.xlsx")
    write_html(batch, iter(calls), folder / "r.html")
    write_csv(batch, iter(calls), folder)
    write_json(batch, iter(calls), folder)
    page = (folder / "r.html").read_text(encoding="utf-8")

    excel = from_excel(folder / "r.xlsx", "通话", "短编号", HEADINGS)
    assert list(excel) == [view.key for view in calls]
    assert from_csv(folder / "通话.csv", "短编号", HEADINGS) == excel
    assert from_json(folder / "通话.json", "key", HEADINGS) == excel
    assert from_html(page, '" data-key="', "<section", HEADINGS) == excel

    agents = from_excel(folder / "r.xlsx", "坐席", "工号", AGENT_HEADINGS)
    assert from_csv(folder / "坐席.csv", "工号", AGENT_HEADINGS) == agents
    assert from_json(folder / "坐席.json", "agent_id", AGENT_HEADINGS) == agents
    assert from_html(page, '<tr data-agent="', "</tr>", AGENT_HEADINGS) == agents


@settings(max_examples=12, deadline=None)
@given(st.lists(CALL, min_size=1, max_size=4))
def test_every_format_shows_the_same_figures(drawn: list[dict[str, Any]]) -> None:
    calls = made_calls(drawn)
    agents = tuple(agent_view(agent_id, calls, 1) for agent_id in ("007", "1024", "5500"))
    with tempfile.TemporaryDirectory() as folder:
        all_formats(replace(make_batch(calls), agents=agents), calls, Path(folder))
