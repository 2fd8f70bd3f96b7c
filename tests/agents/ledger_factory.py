"""A store with made-up calls, written straight into the tables that score sheets read."""

from __future__ import annotations

import hashlib
import json
import random
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qa_monitor.records import Agent
from qa_monitor.store import people
from qa_monitor.store.schema import call_findings, calls
from qa_monitor.store.store import Store

WEIGHTS = {"服务规范": 40.0, "服务态度": 60.0}
RULES = {
    "attitude.forbidden_expression": ("服务忌语", "服务态度"),
    "closing.farewell": ("礼貌结束", "服务规范"),
    "opening.greeting": ("开场问候", "服务规范"),
}


@dataclass(frozen=True)
class Made:
    """A call to be written. `lost` rule → share of its dimension that the breach cost, 0–1."""

    agent_id: str | None = "001"
    started_at: str | None = "2026-11-03T09:00:00+08:00"
    lost: Mapping[str, float] = field(default_factory=dict)
    scored: bool = True
    vetoed: bool = False
    business: str = "故障报修"
    emotion: str = "neutral"
    snr_db: float | None = 25.0
    review_state: str = "machine"
    quote: str = "您稍等"
    satisfaction: float | None = 4.0
    suspected: Sequence[str] = ()
    name: str = ""

    @property
    def dimensions(self) -> dict[str, float]:
        found = dict.fromkeys(WEIGHTS, 100.0)
        for rule, share in self.lost.items():
            found[RULES[rule][1]] -= 100 * share
        return {name: round(max(0.0, score), 1) for name, score in found.items()}

    @property
    def points(self) -> float | None:
        if not self.scored:
            return None
        if self.vetoed:
            return 0.0
        return round(sum(WEIGHTS[name] * score for name, score in self.dimensions.items()) / 100, 1)


_empty: list[bytes] = []  # a migrated store's file, made once


def open_store(folder: Path) -> Store:
    """A new store in `folder`."""
    file = folder / "store.db"
    if not _empty:
        Store.open(f"sqlite:///{file}").close()
        with closing(sqlite3.connect(file)) as made:
            made.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        _empty.append(file.read_bytes())
    file.write_bytes(_empty[0])
    return Store.open(f"sqlite:///{file}")


def write_calls(store: Store, made: Iterable[Made]) -> list[str]:
    """Write the calls in the order given; their hashes."""
    rows, found = [], []
    for number, call in enumerate(made):
        sha256 = hashlib.sha256(f"{call.name or number}".encode()).hexdigest()
        rows.append({"sha256": sha256, "call_id": f"C{call.name or number}", **_row(call)})
        for rule, (name, dimension) in RULES.items():
            found.append({"sha256": sha256, **_finding(call, rule, name, dimension)})
    with store.write() as connection:
        for table, lines in ((calls, rows), (call_findings, found)):
            if lines:
                connection.execute(table.insert(), lines)
    return [row["sha256"] for row in rows]


def _row(call: Made) -> dict[str, Any]:
    return {
        "agent_id": call.agent_id,
        "started_at": call.started_at,
        "business": call.business,
        "direction": "inbound",
        "duration_s": 120.0,
        "points": call.points,
        "veto": "privacy.leak" if call.vetoed else "",
        "not_scored": None if call.scored else "通话过短",
        "politeness": 3.5,
        "resolution": "resolved",
        "satisfaction": call.satisfaction,
        "silence_s": 3.0,
        "overlap_count": 1,
        "agent_talk_share": 0.5,
        "rulebook_version": "b" * 64,
        "scorecard_version": "c" * 64,
        "review_state": call.review_state,
        "dimensions": json.dumps(call.dimensions if call.scored else {}, ensure_ascii=False),
        "costs": json.dumps(_costs(call)),
        "hold_s": 1.0,
        "opening_emotion": call.emotion,
        "snr_db": call.snr_db,
        "promise": "pass",
        "complaint": call.business == "投诉",
        "broken": len(call.lost),
        "verdicts": "".join(_letter(call, rule) for rule in sorted(RULES)),
    }


def _letter(call: Made, rule: str) -> str:
    return "f" if rule in call.lost else "s" if rule in call.suspected else "p"


def _costs(call: Made) -> dict[str, float]:
    if call.points is None:
        return {}
    costs = {rule: WEIGHTS[RULES[rule][1]] * share for rule, share in call.lost.items()}
    rest = 100 - call.points - sum(costs.values())
    costs["veto" if call.vetoed else "rounding"] = rest
    return {item: round(cost, 6) for item, cost in costs.items() if round(cost, 6)}


def _finding(call: Made, rule: str, name: str, dimension: str) -> dict[str, Any]:
    letter = _letter(call, rule)
    return {
        "rule_id": rule,
        "rule_version": "v" * 64,
        "name": name,
        "category": dimension,
        "severity": "major",
        "verdict": "pass" if letter == "p" else "fail",
        "suspected": letter == "s",
        "occurrences": 1,
        "points": -5.0 if letter == "f" else 0.0,
        "quote": call.quote,
        "quote_turn": 2,
        "quote_s": 21.5,
        "why": f"没有做到{name}" if letter == "f" else None,
    }


def write_roster(store: Store, *agents: Agent) -> None:
    people.save_roster(store, agents)


def agent(agent_id: str, name: str = "张三", team: str = "一班", **more: Any) -> Agent:
    return Agent(agent_id, name, team, "综合业务", "坐席", **more)


def many_calls(agent_ids: Sequence[str], count: int, seed: int = 1, months: Sequence[str] = ("2026-11",)) -> list[Made]:
    """Calls of several agents with some breaches, the same for the same seed."""
    rng = random.Random(seed)
    made = []
    for month in months:
        for number in range(count):
            lost = {rule: rng.choice((0.1, 0.25, 0.5)) for rule in RULES if rng.random() < 0.3}
            made.append(
                Made(
                    agent_id=agent_ids[number % len(agent_ids)],
                    started_at=f"{month}-{rng.randint(1, 28):02d}T{rng.randint(8, 20):02d}:00:00+08:00",
                    lost=lost,
                    business=rng.choice(("故障报修", "电费查询", "投诉")),
                    emotion=rng.choice(("neutral", "angry")),
                    satisfaction=4.0 - len(lost) + rng.random(),
                    review_state="confirmed" if rng.random() < 0.5 else "machine",
                    name=f"{month}-{number}",
                )
            )
    return made
