"""What a call's row carries for the ledger: costs that add up, masked quotes, rows from before filled in."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from ledger_factory import agent, open_store, write_roster

from qa_monitor.agents.placing import month_period
from qa_monitor.records import (
    CallFacts,
    CallScore,
    Dialogue,
    Evidence,
    Finding,
    Findings,
    ModelScores,
    Recording,
    Silence,
    Turn,
    TurnEmotion,
)
from qa_monitor.scoring.scorecard import load_scorecard
from qa_monitor.scoring.shares import cost_shares
from qa_monitor.settings import resource_dir
from qa_monitor.store import calls as call_rows
from qa_monitor.store import results
from qa_monitor.store.agent_ledger import read_period
from qa_monitor.store.schema import call_findings, calls, jobs
from qa_monitor.store.store import Store

CARD = load_scorecard(resource_dir("rules") / "scorecards" / "power_95598.yaml")
RULES = [item.rule_id for dimension in CARD.card.dimensions for item in dimension.rules]
NOVEMBER = month_period("2026-11")
TURNS = (
    Turn(0, "agent", "喂，说", 0.0, 1.0),
    Turn(1, "customer", "我电话是13800001234，你们什么态度", 1.5, 5.0),
    Turn(2, "agent", "13800001234是吧，急什么，等着", 5.5, 8.0),
)
DIALOGUE = Dialogue(
    TURNS,
    duration_s=30.0,
    silences=(Silence(8.0, 20.0, 2, announced=True), Silence(22.0, 25.0, 2)),
    talk_share={"agent": 0.4},
)


def finding(rule_id: str, verdict: str = "fail", **more: object) -> Finding:
    return Finding(rule_id, "v", rule_id, "服务态度", "major", verdict, 1.0, f"{rule_id}：13800001234", **more)  # type: ignore[arg-type]


def model(resolution: str | None, politeness: float | None) -> ModelScores:
    emotions = (TurnEmotion(1, "angry", 0.9),)
    return ModelScores("基线", "1", politeness, (), emotions, resolution, {}, None, 3.0)  # type: ignore[arg-type]


verdicts = st.sampled_from(["pass", "fail", "not_applicable", "unsure"])


@given(
    st.dictionaries(st.sampled_from(RULES), st.tuples(verdicts, st.booleans(), st.integers(1, 4))),
    st.sampled_from(["resolved", "partial", "unresolved", None]),
    st.none() | st.floats(1, 5),
    st.sampled_from(["投诉举报", "故障报修", "欠费催缴", None]),
)
def test_costs_and_points_sum_to_a_hundred(
    found: dict[str, tuple[str, bool, int]], resolution: str | None, politeness: float | None, business: str | None
) -> None:
    findings = [finding(rule, verdict, suspected=doubt, count=count) for rule, (verdict, doubt, count) in found.items()]
    score = CARD.score(findings, model(resolution, politeness), CallFacts(business=business), DIALOGUE)
    costs = cost_shares(score)
    if score.points is None:
        assert costs == {}
    else:
        assert sum(costs.values()) == pytest.approx(100 - score.points, abs=1e-4)
        assert all(cost > 0 for item, cost in costs.items() if item not in ("bonus", "rounding", "veto"))


def test_a_score_without_points_costs_nothing() -> None:
    assert cost_shares(CallScore("表", "1", None, (), (), "", "过短")) == {}


# --- rows -------------------------------------------------------------------------------------------------------------


def store_call(store: Store) -> str:
    """One call as a worker stores it."""
    sha256 = "a" * 64
    facts = CallFacts("C1", "001", "2026-11-03T09:00:00+08:00", business="投诉")
    quote = Evidence(2, "13800001234是吧，急什么", 0, 17, 5.5, 7.0, "agent")
    found = Findings("b" * 64, (
        finding("attitude.forbidden_expression", evidence=(quote,)),
        finding("closing.farewell", suspected=True),
        finding("opening.greeting", "pass", evidence=(Evidence(0, "喂", 0, 1, 0.0, 0.3, "agent"),)),
        finding("promise.time_limit", "pass"),
        finding("transfer.courtesy", "not_applicable"),
    ))  # fmt: skip
    judged = model("resolved", 2.0)
    score = CARD.score(found.findings, judged, facts, DIALOGUE)
    with store.write() as connection:
        recording = Recording(sha256, b"a.wav", "a.wav", 1, 1)
        results.register(connection, recording, "text", facts)
        connection.execute(
            jobs.insert().values(
                sha256=sha256, state="done", target="t", profile="p", facts=results.dump(facts).decode(), updated_at="x"
            )
        )
        for stage, record in (("dialogue", DIALOGUE), ("model", judged), ("findings", found), ("score", score)):
            results.save(connection, results.ResultKey(sha256, stage, "1", "h"), record, 0.0)
        call_rows.write(connection, sha256, facts, 30.0, DIALOGUE, found, judged, score)
    return sha256


def test_a_row_has_what_the_ledger_reads_and_no_personal_data(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store_call(store)
    with store.read() as connection:
        row = connection.execute(sa.select(calls)).one()
        lines = {line.rule_id: line for line in connection.execute(sa.select(call_findings))}
    store.close()
    assert (row.hold_s, row.silence_s, row.opening_emotion, row.promise) == (12.0, 15.0, "angry", "pass")
    assert (row.complaint, row.broken, row.verdicts) == (True, 1, "fspp-")
    broken = lines["attitude.forbidden_expression"]
    assert (broken.quote, broken.quote_turn, broken.quote_s) == ("[手机号]是吧，急什么", 2, 5.5)
    assert "1380000" not in f"{broken.why}{lines['closing.farewell'].why}"
    assert lines["opening.greeting"].quote == "喂"


def test_rows_from_before_are_filled_in_and_purged_ones_say_that_the_cause_is_unknown(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    write_roster(store, agent("001", "甲"))
    sha256 = store_call(store)
    before = read_period(store, NOVEMBER).ledger
    empty = dict.fromkeys(("dimensions", "costs", "hold_s", "opening_emotion", "promise", "verdicts", "broken"))
    with store.write() as connection:
        connection.execute(calls.update().values(**empty))
        connection.execute(call_findings.update().values(quote=None, why=None))
    assert read_period(store, NOVEMBER).ledger == before
    with store.write() as connection:
        connection.execute(calls.update().values(**empty))
        connection.execute(sa.text("DELETE FROM results"))
    data = read_period(store, NOVEMBER)
    (entry,) = data.ledger.entries
    assert entry.points == before.entries[0].points
    assert [(cost.item, round(cost.per_call + (entry.points.value or 0), 4)) for cost in entry.costs] == [
        ("unknown", 100.0)
    ]
    assert [(note.code, note.count) for note in data.notes] == [("without_parts", 1)]
    assert data.frame.sha256[0].decode() == sha256
    store.close()
