"""The row a call has in SQL, written with the score it repeats."""

from __future__ import annotations

import sqlalchemy as sa

from qa_monitor.records import CallFacts, CallScore, Dialogue, Findings, ModelScores
from qa_monitor.store.schema import call_findings, calls


def write(
    connection: sa.Connection,
    sha256: str,
    facts: CallFacts,
    duration_s: float | None,
    dialogue: Dialogue,
    findings: Findings,
    model: ModelScores,
    score: CallScore,
) -> None:
    """Replace the call's row and its findings' rows. A reviewer's state on the row is kept."""
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
        "silence_s": sum(silence.end_s - silence.start_s for silence in dialogue.silences),
        "overlap_count": len(dialogue.overlaps),
        "agent_talk_share": dialogue.talk_share.get("agent"),
        "rulebook_version": findings.rulebook_version,
        "scorecard_version": score.scorecard_version,
    }
    if connection.execute(calls.update().where(calls.c.sha256 == sha256).values(**values)).rowcount == 0:
        connection.execute(calls.insert().values(sha256=sha256, **values))
    connection.execute(call_findings.delete().where(call_findings.c.sha256 == sha256))
    points = {line.rule_id: line.points for dimension in score.dimensions for line in dimension.lines}
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
        }
        for finding in findings.findings
    ]
    if rows:
        connection.execute(call_findings.insert(), rows)
