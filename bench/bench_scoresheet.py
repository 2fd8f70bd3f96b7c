"""Time and peak memory of score sheets at the size of a large centre, on SQLite.

    python bench/bench_scoresheet.py --agents 1000 --calls 200000 --months 12

`--calls` is the number of calls a month. Every month has its calls; the rules' findings, which no score sheet reads
beyond the month before its own, are made for the last two months.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qa_monitor.agents.placing import month_period
from qa_monitor.store.store import Store

RULES = (
    ("opening.greeting", "开场问候", "服务规范", 3), ("opening.self_intro", "自报家门", "服务规范", 3),
    ("opening.ask_need", "询问需求", "服务规范", 2), ("hold.courtesy", "等待礼貌", "服务规范", 4),
    ("transfer.courtesy", "转接礼貌", "服务规范", 3), ("closing.anything_else", "询问其他需求", "服务规范", 2),
    ("closing.farewell", "礼貌结束", "服务规范", 3), ("hangup.first", "坐席先挂断", "服务规范", 10),
    ("empathy.apology", "致歉安抚", "服务态度", 6), ("attitude.forbidden_expression", "服务忌语", "服务态度", 12),
    ("attitude.blame_customer", "指责客户", "服务态度", 8), ("attitude.buck_passing", "推诿", "服务态度", 10),
    ("attitude.interrupt", "打断客户", "服务态度", 4), ("attitude.impatience", "不耐烦", "服务态度", 6),
    ("attitude.sarcasm", "讽刺挖苦", "服务态度", 10), ("jargon", "使用专业术语", "沟通技巧", 2),
    ("script.repetition", "复读话术", "沟通技巧", 5), ("solution.confirm", "确认方案", "业务能力与问题解决", 4),
    ("promise.time_limit", "承诺时限", "业务能力与问题解决", 5), ("complaint.accept", "投诉受理", "业务能力与问题解决", 8),
    ("digital.guide", "线上渠道引导", "业务能力与问题解决", 2), ("process.friction", "折腾客户", "业务能力与问题解决", 0),
    ("identity.verify", "核实身份", "合规与安全", 6), ("arrears.compliance", "欠费沟通合规", "合规与安全", 8),
    ("safety.advice", "安全提示", "合规与安全", 20), ("privacy.leak", "泄露隐私", "合规与安全", 20),
)  # fmt: skip
DIMENSIONS = {"服务规范": 20, "服务态度": 30, "沟通技巧": 10, "业务能力与问题解决": 25, "合规与安全": 15}
FULL = {"服务规范": 20, "服务态度": 30, "沟通技巧": 7, "业务能力与问题解决": 25, "合规与安全": 20}
BUSINESS = ("故障报修", "电费查询", "欠费复电", "业扩报装", "投诉", "停电查询")
EMOTIONS = ("neutral", "neutral", "neutral", "anxious", "annoyed", "angry", "positive")
SURNAMES, GIVEN = "王李张刘陈杨黄赵吴周徐孙马朱胡", "敏静丽强磊军洋艳勇杰娟涛明超霞平刚桂英玉兰"
AGENTS_A_TEAM = 40
VERSIONS = ("a" * 64, "b" * 64)


def months_before(last: str, count: int) -> list[str]:
    return [month_period(last).before(back).name for back in range(count - 1, -1, -1)]


def fill(file: Path, agents: int, calls_a_month: int, months: list[str]) -> None:
    """A store with a roster, records and calls, all from one seed."""
    Store.open(f"sqlite:///{file}").close()
    rng = random.Random(20261123)
    ids = [f"{number:05d}" for number in range(1, agents + 1)]
    skill = {agent_id: rng.gauss(0, 1) for agent_id in ids}
    with sqlite3.connect(file) as store:
        store.execute("PRAGMA synchronous=OFF")
        store.execute("PRAGMA cache_size=-400000")
        store.executemany("INSERT INTO roster VALUES (?, '', ?, ?, ?, ?, ?, NULL)", _roster(ids, rng))
        store.executemany("INSERT INTO performance VALUES (?, ?, ?, ?)", _records(ids, months, skill, rng))
        for month in months:
            with_findings = month in months[-2:]
            for start in range(0, calls_a_month, 10_000):
                many = min(10_000, calls_a_month - start)
                rows, found = [], []
                for number in range(start, start + many):
                    call, lines = _call(month, number, ids, skill, rng, with_findings)
                    rows.append(call)
                    found += lines
                store.executemany(f"INSERT INTO calls VALUES ({','.join('?' * 28)})", rows)
                store.executemany(f"INSERT INTO call_findings VALUES ({','.join('?' * 14)})", found)
            store.commit()
    store.close()


def _roster(ids: list[str], rng: random.Random) -> Iterator[tuple[Any, ...]]:
    for place, agent_id in enumerate(ids):
        name = rng.choice(SURNAMES) + rng.choice(GIVEN) + rng.choice(("", rng.choice(GIVEN)))
        hired = f"{rng.randint(2012, 2026)}-{rng.randint(1, 10):02d}-15"
        yield agent_id, name, f"客服{place // AGENTS_A_TEAM + 1}班", "综合业务", "坐席", hired


def _records(
    ids: list[str], months: list[str], skill: dict[str, float], rng: random.Random
) -> Iterator[tuple[str, str, str, str]]:
    for month in months:
        for agent_id in ids:
            unhappy = max(0, round(12 - 4 * skill[agent_id] + rng.gauss(0, 3)))
            values = {
                "接听量": rng.randint(1200, 2200), "平均处理时长": rng.randint(180, 330),
                "回访满意": 300 - unhappy, "回访不满意": unhappy, "投诉": max(0, round(rng.gauss(0.8 - skill[agent_id], 1))),
                "表扬": rng.randint(0, 3), "知识考试": rng.randint(60, 100), "一次解决率": f"{rng.uniform(75, 95):.1f}%",
            }  # fmt: skip
            for metric, value in values.items():
                yield agent_id, month, metric, str(value)


def _call(
    month: str, number: int, ids: list[str], skill: dict[str, float], rng: random.Random, with_findings: bool
) -> tuple[tuple[Any, ...], list[tuple[Any, ...]]]:
    sha256 = hashlib.sha256(f"{month}-{number}".encode()).hexdigest()
    agent_id = ids[int(rng.random() * len(ids))]
    able = skill[agent_id]
    business, emotion = BUSINESS[int(rng.random() * 6)], EMOTIONS[int(rng.random() * 7)]
    chance = max(0.01, 0.07 - 0.02 * able + (0.04 if emotion in ("annoyed", "angry") else 0))
    lost: dict[str, float] = {}
    letters: dict[str, str] = {}
    found: list[tuple[Any, ...]] = []
    lost_by = dict.fromkeys(DIMENSIONS, 0.0)
    for rule_id, name, category, points in RULES:
        draw = rng.random()
        verdict = "fail" if draw < chance else "not_applicable" if draw > 0.65 else "pass"
        if rule_id in ("safety.advice", "privacy.leak") and draw > 0.002:
            verdict = "pass"
        letters[rule_id] = {"fail": "f", "pass": "p", "not_applicable": "-"}[verdict]
        if verdict == "fail":
            lost[rule_id] = points
            lost_by[category] += points
        if with_findings:
            quote = "您先别急，我给您查一下" if verdict != "not_applicable" else None
            why = f"没有做到：{name}" if verdict == "fail" else None
            found.append((sha256, rule_id, "c" * 64, name, category, "major", verdict, 0, 1,
                          -points if verdict == "fail" else 0.0, quote, 3, 21.5, why))  # fmt: skip
    scores = {name: round(100 * (1 - min(1.0, lost_by[name] / FULL[name])), 1) for name in DIMENSIONS}
    points = round(sum(DIMENSIONS[name] * score for name, score in scores.items()) / 100, 1)
    costs = {}
    for rule_id, _, category, worth in RULES:
        if rule_id in lost and worth:
            share = DIMENSIONS[category] / 100 * (100 - scores[category])
            costs[rule_id] = round(share * worth / lost_by[category], 6)
    costs["rounding"] = round(100 - points - sum(costs.values()), 6)
    day = f"{month}-{1 + int(rng.random() * 28):02d}T{8 + int(rng.random() * 12):02d}:{number % 60:02d}:00+08:00"
    politeness = min(5.0, max(1.0, 3.6 + 0.3 * able + rng.gauss(0, 0.5)))
    resolution = "resolved" if rng.random() < 0.8 else "unresolved"
    satisfaction = min(5.0, max(1.0, 3.5 + (points - 85) / 30 + rng.gauss(0, 0.6)))
    verdicts = "".join(letters[rule_id] for rule_id in sorted(letters))
    state = "confirmed" if rng.random() < 0.06 else "machine"
    call = (sha256, f"C{month}{number}", agent_id, day, business, "inbound", 60 + 300 * rng.random(), points, "", None,
            politeness, resolution, satisfaction, 20 * rng.random(), int(3 * rng.random()), 0.3 + 0.4 * rng.random(),
            *VERSIONS, state, json.dumps(scores, ensure_ascii=False), json.dumps(costs), 10 * rng.random(), emotion,
            25 * rng.random(), "pass" if rng.random() < 0.3 else None, business == "投诉", len(lost), verdicts)  # fmt: skip
    return call, found


def measured(home: Path, arguments: list[str]) -> tuple[float, float]:
    """Seconds and peak MB of a command in a process of its own."""
    program = [sys.executable, "-m", "qa_monitor", "--home", str(home), *arguments]
    started = time.monotonic()
    process = subprocess.Popen(program, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {process.returncode}")
    return time.monotonic() - started, used.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agents", type=int, default=1000)
    parser.add_argument("--calls", type=int, default=200_000, help="calls a month")
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--period", default="2026-11")
    parser.add_argument("--home", type=Path, default=Path("bench_scoresheet_data"))
    parser.add_argument("--pdf", action="store_true", help="also the PDF of the whole centre through LibreOffice")
    options = parser.parse_args()
    options.home.mkdir(parents=True, exist_ok=True)
    file = options.home / "store.db"
    if not file.exists():
        started = time.monotonic()
        fill(file, options.agents, options.calls, months_before(options.period, options.months))
        print(f"store made in {time.monotonic() - started:.0f} s, {file.stat().st_size / 1e9:.2f} GB")
    tasks = [
        ("one agent, first time", ["--agent", f"{options.agents // 2:05d}"]),
        ("one agent", ["--agent", f"{options.agents // 3:05d}"]),
        ("one team", ["--team", "客服3班"]),
        ("whole centre", []),
    ]
    if options.pdf:
        tasks.append(("whole centre, PDF", ["--format", "pdf"]))
    for name, arguments in tasks:
        seconds, peak_mb = measured(options.home, ["scoresheet", "--period", options.period, *arguments])
        print(f"{name}: {seconds:.1f} s, peak {peak_mb:.0f} MB")


if __name__ == "__main__":
    main()
