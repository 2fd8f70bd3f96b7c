"""What the rows of the tables are made of: findings in order of weight, their cost, reasons in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from qa_monitor.records import Evidence, Finding, Note
from qa_monitor.reports import names
from qa_monitor.store.views import CallView, FailureView

WORST_SHOWN = 3
NOT_SCORED_HINT = "不计入坐席均分；需要时请人工抽听"


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A broken or suspected rule of a call, with the evidence that leads it."""

    view: CallView
    finding: Finding
    evidence: Evidence | None

    @property
    def turn_number(self) -> int | None:
        """The turn as people count them, from 1."""
        return None if self.evidence is None or self.evidence.turn is None else self.evidence.turn + 1


@dataclass(frozen=True, slots=True)
class FailureRow:
    """A recording without a score: not processed, or processed and not fit to be scored."""

    name: str
    key: str
    agent_id: str
    state: str
    code: str
    reason: str
    hint: str


def weight_order(view: CallView) -> list[Finding]:
    """The call's broken rules, then its suspected ones; vetoes first, then by points lost, severity and id."""
    lost = points_by_rule(view)
    against = [finding for finding in view.findings if finding.verdict == "fail"]
    return sorted(
        against,
        key=lambda finding: (
            finding.suspected,
            not finding.veto,
            lost.get(finding.rule_id, 0.0),
            names.SEVERITY_ORDER[finding.severity],
            finding.rule_id,
        ),
    )


def points_by_rule(view: CallView) -> dict[str, float]:
    """Rule id → points gained or lost in the call's score."""
    if view.score is None:
        return {}
    return {line.rule_id: line.points for dimension in view.score.dimensions for line in dimension.lines}


def deducted(row: FindingRow) -> float | None:
    """What the finding cost: ≤ 0; 0 while it is only suspected; None when the call has no score."""
    if row.view.score is None or row.view.score.points is None:
        return None
    return 0.0 if row.finding.suspected else points_by_rule(row.view).get(row.finding.rule_id, 0.0)


def worst_findings(view: CallView) -> list[Finding]:
    return weight_order(view)[:WORST_SHOWN]


def findings_in_words(findings: Iterable[Finding]) -> str:
    """`服务忌语；打断客户（疑似）`."""
    return "；".join(f"{finding.name}（疑似）" if finding.suspected else finding.name for finding in findings)


def worst_in_words(view: CallView) -> str:
    """The worst findings' names; why there is no score when there is none."""
    if view.score is not None and view.score.points is None:
        return f"未评分：{view.score.not_scored or '没有得分'}"
    return findings_in_words(worst_findings(view))


def lead_evidence(view: CallView) -> str:
    """The words behind the worst finding that has any."""
    for finding in weight_order(view):
        quoted = next((item.quote for item in finding.evidence if item.quote), "")
        if quoted:
            return quoted
    return ""


def finding_rows(view: CallView) -> Iterator[FindingRow]:
    """One row a broken or suspected rule, heaviest first."""
    for finding in weight_order(view):
        yield FindingRow(view, finding, finding.evidence[0] if finding.evidence else None)


def veto_names(view: CallView) -> list[str]:
    """The names of the rules that ended the score, in the scorecard's order; an id the findings lack stays an id."""
    if view.score is None:
        return []
    known = {finding.rule_id: finding.name for finding in view.findings}
    return [known.get(rule_id, rule_id) for rule_id in view.score.veto]


def dimension_score(view: CallView, name: str) -> float | None:
    if view.score is None:
        return None
    return next((part.score for part in view.score.dimensions if part.name == name), None)


def duration_s(view: CallView) -> float | None:
    """The recording's length; for a text dialogue the span of its times, None when it has none."""
    if view.audio is not None:
        return view.audio.duration_s
    return view.dialogue.duration_s if view.dialogue else None


def silence_s(view: CallView) -> float | None:
    """Seconds of silence in all; None for a dialogue without times."""
    if view.dialogue is None or view.dialogue.duration_s is None:
        return None
    return sum(silence.end_s - silence.start_s for silence in view.dialogue.silences)


def notes_in_words(notes: Sequence[Note]) -> str:
    return "；".join(f"{note.message}（{note.count}）" if note.count > 1 else note.message for note in notes)


def failed_row(failure: FailureView) -> FailureRow:
    state = names.FAILURES[failure.state]
    return FailureRow(
        name=failure.name,
        key=failure.sha256[:10],
        agent_id=failure.agent_id or "",
        state=state,
        code=failure.code,
        reason="：".join(part for part in (failure.title, failure.what) if part and part != state),
        hint=failure.hint,
    )


def unscored_row(view: CallView, listed: frozenset[str]) -> FailureRow | None:
    """The row of a call that has no points; None when it has, or when its failure is `listed` already (by SHA-256)."""
    shown = "；".join(view.names) or view.key
    agent_id = view.facts.agent_id or ""
    if view.error is not None:
        if view.sha256 in listed:
            return None
        return FailureRow(shown, view.key, agent_id, "未完成", view.error[0], view.error[1], "")
    if view.score is not None and view.score.points is not None:
        return None
    reason = (view.score.not_scored if view.score else None) or "没有得分"
    return FailureRow(shown, view.key, agent_id, "未评分", "not_scored", reason, NOT_SCORED_HINT)
