"""The row a call has in SQL, written with the score it repeats."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from qa_monitor.privacy.masker import Masker
from qa_monitor.records import AudioInfo, CallFacts, CallScore, Dialogue, Finding, Findings, ModelScores
from qa_monitor.scoring.shares import cost_shares
from qa_monitor.store.reader import mask_call
from qa_monitor.store.schema import call_findings, calls
from qa_monitor.store.store import to_json_text
from qa_monitor.store.views import CallView

# Rules with a figure of their own in the agents' ledger.
PROMISE_RULE = "promise.time_limit"
COMPLAINT_RULE = "complaint.accept"
COMPLAINT_WORD = "投诉"
OPENING_TURNS = 2  # the customer's first turns show in what mood the call came
EMOTIONS_WORST_FIRST = ("abusive", "angry", "annoyed", "anxious", "neutral", "positive")
_MASKER = Masker()


def write(
    connection: sa.Connection,
    sha256: str,
    facts: CallFacts,
    duration_s: float | None,
    dialogue: Dialogue,
    findings: Findings,
    model: ModelScores,
    score: CallScore,
    audio: AudioInfo | None = None,
) -> None:
    """Replace the call's row and its findings' rows. A reviewer's state on the row is kept."""
    timed = dialogue.duration_s is not None  # a text without times has no silence to speak of
    values = {
        "call_id": facts.call_id,
        "agent_id": facts.agent_id,
        "started_at": facts.started_at,
        "business": facts.business,
        "direction": facts.direction,
        "duration_s": duration_s,
        "points": score.points,
        "veto": ",".join(score.veto),
        "not_scored": score.not_scored,
        "politeness": model.politeness,
        "resolution": model.resolution,
        "satisfaction": model.satisfaction,
        "silence_s": sum(silence.end_s - silence.start_s for silence in dialogue.silences) if timed else None,
        "overlap_count": len(dialogue.overlaps) if timed else None,
        "agent_talk_share": dialogue.talk_share.get("agent"),
        "rulebook_version": findings.rulebook_version,
        "scorecard_version": score.scorecard_version,
        **_ledger_values(facts, dialogue, findings.findings, model, score, audio),
    }
    if connection.execute(calls.update().where(calls.c.sha256 == sha256).values(**values)).rowcount == 0:
        connection.execute(calls.insert().values(sha256=sha256, **values))
    connection.execute(call_findings.delete().where(call_findings.c.sha256 == sha256))
    points = {line.rule_id: line.points for dimension in score.dimensions for line in dimension.lines}
    view = CallView(sha256, sha256, "text", (), facts, dialogue=dialogue, findings=findings.findings)
    rows = [
        {
            "sha256": sha256,
            "rule_id": finding.rule_id,
            "rule_version": finding.rule_version,
            "name": finding.name,
            "category": finding.category,
            "severity": finding.severity,
            "verdict": finding.verdict,
            "suspected": finding.suspected,
            "occurrences": finding.count,
            "points": points.get(finding.rule_id, 0.0),
            **_words(finding),
        }
        for finding in mask_call(view, _MASKER).findings
    ]
    if rows:
        connection.execute(call_findings.insert(), rows)


def _ledger_values(
    facts: CallFacts,
    dialogue: Dialogue,
    findings: tuple[Finding, ...],
    model: ModelScores,
    score: CallScore,
    audio: AudioInfo | None,
) -> dict[str, Any]:
    """The columns that the agents' ledger adds to a call's row."""
    verdicts = {finding.rule_id: finding for finding in findings}
    promise, complaint = verdicts.get(PROMISE_RULE), verdicts.get(COMPLAINT_RULE)
    judged = promise is not None and promise.verdict in ("pass", "fail") and not promise.suspected
    timed = dialogue.duration_s is not None
    noise = [channel.snr_db for channel in audio.channels if channel.snr_db is not None] if audio else []
    scored = score.points is not None
    return {
        "dimensions": to_json_text({d.name: d.score for d in score.dimensions if d.score is not None and d.weight}),
        "costs": to_json_text(cost_shares(score) if scored else {}),
        "hold_s": sum(s.end_s - s.start_s for s in dialogue.silences if s.announced) if timed else None,
        "opening_emotion": _opening_emotion(dialogue, model),
        "snr_db": min(noise) if noise else None,
        "promise": promise.verdict if promise is not None and judged else None,
        "broken": sum(finding.verdict == "fail" and not finding.suspected for finding in findings),
        "verdicts": "".join(_letter(finding) for finding in sorted(findings, key=lambda finding: finding.rule_id)),
        "complaint": COMPLAINT_WORD in (facts.business or "")
        or (complaint is not None and complaint.verdict in ("pass", "fail") and not complaint.suspected),
    }


def _letter(finding: Finding) -> str:
    if finding.verdict == "fail" and finding.suspected:
        return "s"
    return {"pass": "p", "fail": "f", "unsure": "u", "not_applicable": "-"}[finding.verdict]


def _opening_emotion(dialogue: Dialogue, model: ModelScores) -> str | None:
    """The worst emotion of the customer's first turns; None when none was judged."""
    first = [turn.index for turn in dialogue.turns if turn.role == "customer"][:OPENING_TURNS]
    felt = {item.label for item in model.emotion_turns if item.turn in first}
    return next((label for label in EMOTIONS_WORST_FIRST if label in felt), None)


def _words(finding: Finding) -> dict[str, Any]:
    """The leading evidence of a finding whose texts are masked already."""
    lead = next((item for item in finding.evidence if item.quote), None)
    return {
        "quote": lead.quote if lead else None,
        "quote_turn": lead.turn if lead else None,
        "quote_s": lead.start_s if lead else None,
        "why": finding.why if finding.verdict == "fail" else None,
    }
