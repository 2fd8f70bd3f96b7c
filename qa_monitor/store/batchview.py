"""A batch as reports show it: counts, agents and rules over a set of calls, in one pass over their views."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import qa_monitor
from qa_monitor.agents.interval import mean_interval
from qa_monitor.records import Finding, Note, ResolutionLabel
from qa_monitor.store import people
from qa_monitor.store.reader import Reader
from qa_monitor.store.views import AgentView, BatchView, CallView, RuleCount, RuleSummary, Versions

WORST_RULES = 3


@dataclass(slots=True)
class _Tally:
    """What is summed up of one agent's calls."""

    calls: int = 0
    failed: int = 0
    points: list[float] = field(default_factory=list)
    vetoes: int = 0
    dimensions: dict[str, list[float]] = field(default_factory=dict)
    politeness: list[float] = field(default_factory=list)
    satisfaction: list[float] = field(default_factory=list)
    resolution: Counter[ResolutionLabel] = field(default_factory=Counter)
    broken: Counter[tuple[str, str]] = field(default_factory=Counter)
    months: Counter[str] = field(default_factory=Counter)


def batch_view(reader: Reader, sha256s: Sequence[str], *, title: str = "客服录音质检报告") -> BatchView:
    """Sum up these calls. One pass, one call in memory at a time."""
    summing = _Summing()
    for view in reader.calls(sha256s):
        summing.add(view)
    failures = reader.failures(sha256s)
    now = datetime.now().astimezone()
    minimum = reader.settings.reports.min_calls
    return BatchView(
        title=title,
        created_at=now.isoformat(timespec="seconds"),
        timezone=now.tzname() or "",
        versions=summing.versions(),
        done=summing.done,
        not_scored=summing.not_scored,
        failed=sum(1 for failure in failures if failure.state == "failed"),
        set_aside=sum(1 for failure in failures if failure.state == "set_aside"),
        unread=sum(1 for failure in failures if failure.state == "unread"),
        audio_s=summing.audio_s,
        dimensions=tuple(summing.dimension_names),
        agents=_agents(summing, reader, minimum),
        unmatched_calls=summing.unmatched,
        unmatched_note=summing.unmatched_note(),
        failures=tuple(failures),
        rules=summing.rules(),
        notes=summing.notes(),
        min_calls=minimum,
    )


class _Summing:
    """Everything counted while the calls go by."""

    def __init__(self) -> None:
        self.done = 0
        self.not_scored = 0
        self.audio_s = 0.0
        self.unmatched = 0
        self.without_id = 0
        self.unknown_ids: Counter[str] = Counter()
        self.agents: dict[str, _Tally] = {}
        self.dimension_names: dict[str, None] = {}
        self._rules: dict[str, Finding] = {}
        self._verdicts: dict[str, Counter[str]] = {}
        self._notes: dict[str, Counter[str]] = {}
        self._versions: dict[str, dict[str, None]] = {"rulebook": {}, "scorecard": {}, "scorer": {}, "asr": {}}

    def add(self, view: CallView) -> None:
        tally = self._tally_of(view)
        if view.score is None or view.model is None:
            if tally:
                tally.failed += 1
            return
        self.done += 1
        self.not_scored += view.score.points is None
        self.audio_s += view.audio.duration_s if view.audio else 0.0
        self._count_rules(view.findings)
        for note in view.notes:
            self._notes.setdefault(note.code, Counter())[note.message] += note.count
        for span in view.masked:
            self._notes.setdefault("masked", Counter())[f"遮盖{span.kind}"] += 1
        self._versions["rulebook"][view.rulebook_version[:12]] = None
        if view.asr:
            self._versions["asr"][view.asr] = None
        self._versions["scorecard"][f"{view.score.scorecard} {view.score.scorecard_version[:12]}"] = None
        self._versions["scorer"][f"{view.model.scorer} {view.model.scorer_version}"] = None
        for dimension in view.score.dimensions:
            self.dimension_names[dimension.name] = None
        if tally:
            self._add_to(tally, view)

    def _tally_of(self, view: CallView) -> _Tally | None:
        agent_id = view.facts.agent_id
        if agent_id is None:
            self.unmatched += 1
            self.without_id += 1
            return None
        if view.agent is None:
            self.unmatched += 1
            self.unknown_ids[agent_id] += 1
        tally = self.agents.setdefault(agent_id, _Tally())
        tally.calls += 1
        tally.months[(view.facts.started_at or "")[:7]] += 1
        return tally

    def _add_to(self, tally: _Tally, view: CallView) -> None:
        assert view.score is not None
        assert view.model is not None
        if view.score.points is not None:
            tally.points.append(view.score.points)
            tally.vetoes += bool(view.score.veto)
            for dimension in view.score.dimensions:
                if dimension.score is not None:
                    tally.dimensions.setdefault(dimension.name, []).append(dimension.score)
        if view.model.politeness is not None:
            tally.politeness.append(view.model.politeness)
        if view.model.satisfaction is not None:
            tally.satisfaction.append(view.model.satisfaction)
        if view.model.resolution is not None:
            tally.resolution[view.model.resolution] += 1
        for finding in view.findings:
            if finding.verdict == "fail" and not finding.suspected:
                tally.broken[finding.rule_id, finding.name] += 1

    def _count_rules(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self._rules[finding.rule_id] = finding
            suspected = finding.verdict == "fail" and finding.suspected
            self._verdicts.setdefault(finding.rule_id, Counter())["suspected" if suspected else finding.verdict] += 1

    def rules(self) -> tuple[RuleSummary, ...]:
        return tuple(
            RuleSummary(
                rule_id,
                rule.name,
                rule.category,
                rule.severity,
                rule.veto,
                seen["pass"],
                seen["fail"],
                seen["not_applicable"],
                seen["unsure"],
                seen["suspected"],
            )
            for rule_id, rule in sorted(self._rules.items())
            for seen in [self._verdicts[rule_id]]
        )

    def notes(self) -> tuple[Note, ...]:
        """One note a code: the total, and the commonest message."""
        return tuple(
            Note(code, messages.most_common(1)[0][0] + ("等" if len(messages) > 1 else ""), sum(messages.values()))
            for code, messages in sorted(self._notes.items())
        )

    def versions(self) -> Versions:
        joined = {name: "、".join(seen) for name, seen in self._versions.items()}
        return Versions(qa_monitor.__version__, **joined)

    def unmatched_note(self) -> str:
        parts = []
        if self.without_id:
            parts.append(f"{self.without_id} 通没有工号")
        if self.unknown_ids:
            ids = "、".join(f"{agent_id}（{count} 通）" for agent_id, count in sorted(self.unknown_ids.items()))
            parts.append(f"名册中没有的工号：{ids}")
        return "；".join(parts)


def _agents(summing: _Summing, reader: Reader, minimum: int) -> tuple[AgentView, ...]:
    performance = people.performance_of(reader.store)
    views = []
    for agent_id, tally in sorted(summing.agents.items()):
        month = tally.months.most_common(1)[0][0]
        mean, interval = mean_interval(tally.points)
        judged = sum(tally.resolution.values())
        views.append(
            AgentView(
                agent_id=agent_id,
                agent=reader.latest_agent(agent_id),
                calls=tally.calls,
                scored=len(tally.points),
                failed=tally.failed,
                mean_points=mean,
                interval=interval,
                veto_calls=tally.vetoes,
                dimensions={name: _mean(tally.dimensions.get(name, [])) for name in summing.dimension_names},
                politeness=_mean(tally.politeness),
                satisfaction=_mean(tally.satisfaction),
                resolution={label: count / judged for label, count in tally.resolution.items()},
                worst=tuple(RuleCount(*rule, count) for rule, count in _worst(tally)),
                enough_sample=len(tally.points) >= minimum,
                performance={
                    name: _number(value) for name, value in performance.get(agent_id, {}).get(month, {}).items()
                },
            )
        )
    return tuple(views)


def _worst(tally: _Tally) -> list[tuple[tuple[str, str], int]]:
    return sorted(tally.broken.items(), key=lambda item: (-item[1], item[0]))[:WORST_RULES]


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _number(value: str) -> float | str:
    try:
        return float(value)
    except ValueError:
        return value
