"""The words behind an agent's figures: quotes and calls for the picks of a frame, read in a few large queries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from qa_monitor.agents.entries import ITEM_NAMES
from qa_monitor.agents.examples import Example, Pick
from qa_monitor.store.schema import call_findings, calls
from qa_monitor.store.store import Store

A_QUERY = 500
RESOLUTION_WORDS = {"resolved": "已解决", "partial": "部分解决", "unresolved": "未解决"}


def examples(store: Store, picks: Iterable[Pick]) -> dict[tuple[str, str], Example]:
    """(content, item) → example, of every pick whose call is in the store."""
    costs = {(pick.sha256, pick.item): pick.cost for pick in picks}
    wanted = sorted(costs, key=lambda pick: (pick[1], pick[0]))  # item by item: a query is then about one or two
    found: dict[tuple[str, str], Example] = {}
    with store.read() as connection:
        for part in _parts(wanted):
            hashes = sorted({sha256 for sha256, _ in part})
            of_call = {row.sha256: row for row in connection.execute(_calls_query(hashes)).all()}
            said = {(row.sha256, row.rule_id): row for row in connection.execute(_findings_query(part)).all()}
            for sha256, item in part:
                if sha256 in of_call:
                    found[sha256, item] = _example(of_call[sha256], said.get((sha256, item)), item, costs[sha256, item])
    return found


def _parts(wanted: Sequence[tuple[str, str]]) -> Iterator[Sequence[tuple[str, str]]]:
    for start in range(0, len(wanted), A_QUERY):
        yield wanted[start : start + A_QUERY]


def _calls_query(hashes: Sequence[str]) -> sa.Select[Any]:
    names = ("sha256", "agent_id", "call_id", "started_at", "business", "points", "review_state", "politeness",
             "satisfaction", "resolution")  # fmt: skip
    return sa.select(*(calls.c[name] for name in names)).where(calls.c.sha256.in_(hashes))


def _findings_query(part: Sequence[tuple[str, str]]) -> sa.Select[Any]:
    names = ("sha256", "rule_id", "name", "quote", "quote_turn", "quote_s", "why")
    hashes, items = sorted({sha256 for sha256, _ in part}), sorted({item for _, item in part})
    # Two lists and not pairs: SQLite reads a whole table to compare it with a list of pairs.
    return sa.select(*(call_findings.c[name] for name in names)).where(
        call_findings.c.sha256.in_(hashes), call_findings.c.rule_id.in_(items)
    )


def _example(call: Any, finding: Any, item: str, cost: float) -> Example:
    base = {
        "agent_id": call.agent_id or "",
        "sha256": call.sha256,
        "call_id": call.call_id or "",
        "started_at": call.started_at or "",
        "business": call.business or "",
        "points": call.points,
        "review_state": call.review_state,
        "item": item,
        "cost": cost,
    }
    if finding is None:
        return Example(**base, name=ITEM_NAMES.get(item, item), why=_of_model(call, item))
    return Example(
        **base,
        name=finding.name,
        quote=finding.quote or "",
        quote_turn=finding.quote_turn,
        quote_s=finding.quote_s,
        why=finding.why or "",
    )


def _of_model(call: Any, item: str) -> str:
    """Why a model item cost what it did."""
    if item == "model.politeness" and call.politeness is not None:
        return f"模型评礼貌 {call.politeness:.1f}（1–5）"
    if item == "model.satisfaction" and call.satisfaction is not None:
        return f"模型预测满意度 {call.satisfaction:.1f}（1–5）"
    if item == "model.resolution" and call.resolution is not None:
        return f"模型判断为{RESOLUTION_WORDS.get(call.resolution, call.resolution)}"
    return ""
