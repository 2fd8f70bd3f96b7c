"""The score sheets as CSV and JSON: the same tables and figures as the workbook's."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from qa_monitor.agents.examples import deductions
from qa_monitor.reports import scoresheet_columns as lists
from qa_monitor.reports.columns import Column
from qa_monitor.reports.exports import CSV_NOTES
from qa_monitor.reports.safe_text import csv_text
from qa_monitor.reports.scoresheet import ScoreSheet
from qa_monitor.reports.scoresheet_blocks import agent_blocks
from qa_monitor.reports.scoresheet_cover import totals
from qa_monitor.reports.scoresheet_links import link_columns, rule_link_columns
from qa_monitor.reports.scoresheet_pay import pay_columns, pay_lines
from qa_monitor.reports.writing import put_in_place, refused, staging
from qa_monitor.store.agent_evidence import examples
from qa_monitor.store.agent_ledger import PeriodData
from qa_monitor.store.store import Store

AGENTS_A_READ = 20
README = "导出说明.txt"

Listed = tuple[str, Sequence[Column[Any]], Iterable[Any]]


def every_deduction(store: Store, data: PeriodData, sheet: ScoreSheet) -> Iterator[lists.Deduction]:
    """Every deduction of the sheet's agents with its evidence, a few agents in memory at a time."""
    agents = sheet.agents
    for start in range(0, len(agents), AGENTS_A_READ):
        part = agents[start : start + AGENTS_A_READ]
        picks = {agent.entry.agent_id: deductions(data.frame, agent.entry.agent_id)[0] for agent in part}
        found = examples(store, (pick for chosen in picks.values() for pick in chosen))
        for agent in part:
            for pick in picks[agent.entry.agent_id]:
                example = found.get((pick.sha256, pick.item))
                if example is not None:
                    yield lists.Deduction(agent.entry, example, sheet.link_of(example))


def tables(sheet: ScoreSheet, deducted: Iterable[lists.Deduction]) -> list[Listed]:
    """Every list of the score sheets: name, columns, rows."""
    listed: list[Listed] = [
        ("排名", lists.ranking_columns(sheet), lists.ranked_rows(sheet)),
        ("班组", lists.team_columns(sheet), sheet.ledger.teams),
        ("扣分明细", lists.deduction_columns(), deducted),
        ("辅导建议", lists.advice_columns(), lists.advice_rows(sheet)),
        ("未匹配与样本不足", lists.unmatched_columns(), lists.unmatched_rows(sheet)),
    ]
    if sheet.policy is not None:
        listed.append(("等级核算", pay_columns(), pay_lines(sheet)))
    if sheet.links:
        listed.append(("与业绩的关系", link_columns(), sheet.links))
        listed.append(("规则与满意度", rule_link_columns(), sheet.rule_links))
    return listed


def write_score_csv(sheet: ScoreSheet, deducted: Iterable[lists.Deduction], folder: Path) -> list[Path]:
    """One CSV a list into `folder`, and a note on them. Raises ReportNotWritten or DiskFull."""
    with refused(folder):
        folder.mkdir(parents=True, exist_ok=True)
    counts: Counter[str] = Counter()
    written = []
    with staging(folder / README) as made:
        for name, columns, rows in tables(sheet, deducted):
            with (made / f"{name}.csv").open("w", encoding="utf-8", errors="replace", newline="") as stream:
                _write_csv(stream, columns, rows, counts)
            written.append(name)
        note = [sheet.title, *CSV_NOTES, f"本次加单引号 {counts['quoted_cells']} 格。"]
        note += [f"{name}：{value}" for name, value in sheet.versions]
        (made / README).write_text("\n".join(note) + "\n", encoding="utf-8-sig", errors="replace")
        targets = [folder / f"{name}.csv" for name in written] + [folder / README]
        for target in targets:
            put_in_place(made / target.name, target)
    return targets


def _write_csv(stream: TextIO, columns: Sequence[Column[Any]], rows: Iterable[Any], counts: Counter[str]) -> None:
    stream.write("\ufeff")
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([column.heading.replace("\n", "") for column in columns])
    for row in rows:
        values = [column.of(row) for column in columns]
        writer.writerow([csv_text(value, counts) if isinstance(value, str) else value for value in values])


def write_score_json(sheet: ScoreSheet, deducted: Iterable[lists.Deduction], path: Path) -> None:
    """Everything in one JSON file: head, lists, and each agent's page block by block."""
    with staging(path) as folder:
        made = folder / "scoresheet.json"
        with made.open("w", encoding="utf-8", errors="replace", newline="") as stream:
            _write_json(stream, sheet, deducted)
        put_in_place(made, path)


def _write_json(stream: TextIO, sheet: ScoreSheet, deducted: Iterable[lists.Deduction]) -> None:
    head = {
        "title": sheet.title,
        "created_at": sheet.created_at,
        "period": sheet.ledger.period.name,
        "versions": dict(sheet.versions),
        "totals": {name: value for name, _, value in totals(sheet)},
    }
    stream.write(_json(head)[:-1] + ', "lists": {')
    for index, (name, columns, rows) in enumerate(tables(sheet, deducted)):
        named = {column.key: column.heading.replace("\n", "") for column in columns}
        stream.write(("\n" if not index else ",\n") + _json(name) + ': {"columns": ' + _json(named) + ', "rows": [')
        for place, row in enumerate(rows):
            stream.write(("\n" if not place else ",\n") + _json({column.key: column.of(row) for column in columns}))
        stream.write("]}")
    stream.write('}, "agents": [')
    for index, agent in enumerate(sheet.agents):
        blocks = {
            block.key: {
                "title": block.title,
                "rows": [
                    {head.key: cell for head, cell in zip(block.heads, row.cells, strict=True)} for row in block.rows
                ],
            }
            for block in agent_blocks(sheet, agent)
        }
        page = {"agent_id": agent.entry.agent_id, "name": agent.entry.name, "blocks": blocks}
        stream.write(("\n" if not index else ",\n") + _json(page))
    stream.write("]}\n")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
