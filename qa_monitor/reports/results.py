"""A call's result as one JSON object, for machines to read: what `audit-text --out` and `--json` write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from qa_monitor.records import Evidence, Finding
from qa_monitor.store.views import CallView


def result_rows(views: Iterable[CallView]) -> Iterator[dict[str, Any]]:
    """One object a call, in order. Texts are as masked as the views are."""
    return (result_row(view) for view in views)


def result_row(view: CallView) -> dict[str, Any]:
    """`id`, `score` with its arithmetic, `veto`, `findings`, `politeness`, `resolution`, `satisfaction`; or `error`."""
    row: dict[str, Any] = {"id": view.facts.call_id or (view.names[0] if view.names else view.key), "key": view.key}
    if view.facts.agent_id is not None:
        row["agent_id"] = view.facts.agent_id
    if view.error is not None or view.score is None or view.model is None:
        code, message = view.error or ("unfinished", "尚未处理完")
        return {**row, "error": {"code": code, "message": message}}
    score, model = view.score, view.model
    return {
        **row,
        "score": score.points,
        "not_scored": score.not_scored,
        "arithmetic": score.arithmetic,
        "dimensions": [{"name": part.name, "weight": part.weight, "score": part.score} for part in score.dimensions],
        "veto": list(score.veto),
        "findings": [_finding(finding) for finding in view.findings],
        "politeness": {
            "call": model.politeness,
            "turns": [
                {"i": turn.turn, "score": turn.score, "label": turn.label, "confidence": turn.confidence}
                for turn in model.politeness_turns
            ],
        },
        "emotion": {"turns": [{"i": turn.turn, "label": turn.label} for turn in model.emotion_turns]},
        "resolution": {
            "label": model.resolution,
            "probabilities": model.resolution_probabilities,
            "deciding_turn": model.deciding_turn,
        },
        "satisfaction": {"score": model.satisfaction},
        "scorer": f"{model.scorer} {model.scorer_version}",
        "abstained": model.abstained,
        "scorecard": f"{score.scorecard} {score.scorecard_version}",
        "review_state": view.review_state,
        "notes": [{"code": note.code, "message": note.message, "count": note.count} for note in view.notes],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    turns = sorted({item.turn for item in finding.evidence if item.turn is not None})
    return {
        "rule_id": finding.rule_id,
        "rule_version": finding.rule_version,
        "name": finding.name,
        "verdict": finding.verdict,
        "confidence": finding.confidence,
        "suspected": finding.suspected,
        "count": finding.count,
        "turns": turns,
        "quote": finding.evidence[0].quote if finding.evidence else "",
        "why": finding.why,
        "evidence": [_evidence(item) for item in finding.evidence],
    }


def _evidence(item: Evidence) -> dict[str, Any]:
    return {
        "turn": item.turn,
        "start": item.start,
        "end": item.end,
        "start_s": item.start_s,
        "end_s": item.end_s,
        "role": item.role,
        "quote": item.quote,
        "match": item.match,
    }
