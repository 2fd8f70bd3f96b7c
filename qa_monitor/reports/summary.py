"""One line a call, for the terminal's table and for lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from qa_monitor.reports import figures, names
from qa_monitor.reports.rows import findings_in_words, veto_names, worst_findings
from qa_monitor.store.views import CallView


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """Everything as text, ready to print. `points` is `86.3`, `未评分` or `失败`."""

    recording: str
    agent: str
    points: str
    veto: str
    worst: str


def summary_rows(views: Iterable[CallView]) -> Iterator[SummaryRow]:
    """One row a call, in order; a call that could not be processed says why in place of its findings."""
    return (_row(view) for view in views)


def _row(view: CallView) -> SummaryRow:
    recording = names.file_name(view.names[0]) if view.names else names.call_title(view)
    agent = names.agent_label(view)
    if view.error is not None:
        return SummaryRow(recording, agent, "失败", "", view.error[1])
    if view.score is None or figures.points(view.score.points) is None:
        reason = view.score.not_scored if view.score else None
        return SummaryRow(recording, agent, "未评分", "", reason or "")
    return SummaryRow(
        recording,
        agent,
        figures.points_text(view.score.points),
        "、".join(veto_names(view)),
        findings_in_words(worst_findings(view)[:1]),
    )
