"""What a report's first page sums up, counted while the calls go by: one pass, nothing kept of a call."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from qa_monitor.records import ResolutionLabel
from qa_monitor.reports import figures
from qa_monitor.reports.figures import HISTOGRAM_STEP, histogram_bin
from qa_monitor.reports.names import is_broken, is_suspected
from qa_monitor.scoring.card import BONUS, OUTSIDE
from qa_monitor.store.views import BatchView, CallView, RuleSummary


@dataclass(slots=True)
class _Mean:
    total: float = 0.0
    count: int = 0

    def add(self, value: float | None) -> None:
        if value is not None and value == value:  # NaN is not equal to itself
            self.total += value
            self.count += 1

    @property
    def value(self) -> float | None:
        return self.total / self.count if self.count else None


@dataclass(slots=True)
class Overview:
    """Sums over the calls added so far. `histogram` counts scored calls, and those vetoed, by ten points."""

    calls: int = 0
    scored: int = 0
    vetoed: int = 0
    with_broken: int = 0
    with_suspected: int = 0
    with_unsure: int = 0
    judged: int = 0
    histogram: list[int] = field(default_factory=lambda: [0] * (100 // HISTOGRAM_STEP))
    histogram_vetoed: list[int] = field(default_factory=lambda: [0] * (100 // HISTOGRAM_STEP))
    resolution: Counter[ResolutionLabel] = field(default_factory=Counter)
    scorers: dict[str, None] = field(default_factory=dict)
    _points: _Mean = field(default_factory=_Mean)
    _politeness: _Mean = field(default_factory=_Mean)
    _satisfaction: _Mean = field(default_factory=_Mean)
    _dimensions: dict[str, _Mean] = field(default_factory=dict)

    def add(self, view: CallView) -> None:
        self.calls += 1
        self.with_broken += any(is_broken(finding) for finding in view.findings)
        self.with_suspected += any(is_suspected(finding) for finding in view.findings)
        self.with_unsure += any(finding.verdict == "unsure" for finding in view.findings)
        self._add_score(view)
        self._add_model(view)

    def _add_score(self, view: CallView) -> None:
        if view.score is None or view.score.points is None or view.score.points != view.score.points:
            return
        self.scored += 1
        self.vetoed += bool(view.score.veto)
        self._points.add(view.score.points)
        place = histogram_bin(view.score.points)
        self.histogram[place] += 1
        self.histogram_vetoed[place] += bool(view.score.veto)
        for dimension in view.score.dimensions:
            self._dimensions.setdefault(dimension.name, _Mean()).add(dimension.score)

    def _add_model(self, view: CallView) -> None:
        if view.model is None:
            return
        self.scorers[scorer_label(view)] = None
        self._politeness.add(view.model.politeness)
        self._satisfaction.add(view.model.satisfaction)
        if view.model.resolution is not None:
            self.judged += 1
            self.resolution[view.model.resolution] += 1

    @property
    def mean_points(self) -> float | None:
        return self._points.value

    @property
    def politeness(self) -> float | None:
        return self._politeness.value

    @property
    def satisfaction(self) -> float | None:
        return self._satisfaction.value

    @property
    def scorer(self) -> str:
        return "、".join(self.scorers)

    def dimension_means(self, order: tuple[str, ...]) -> dict[str, float | None]:
        """Dimension → mean over the scored calls."""
        return {name: self._dimensions[name].value if name in self._dimensions else None for name in order}

    def resolution_share(self, label: ResolutionLabel) -> float | None:
        return self.resolution[label] / self.judged if self.judged else None


def scorer_label(view: CallView) -> str:
    """The scorer's name as shown beside its figures: `微调模型`; '' when nothing was scored by a model."""
    return view.model.scorer if view.model else ""


def top_broken(batch: BatchView, limit: int) -> list[RuleSummary]:
    """Rules broken most often, suspicions after; those never broken or suspected are left out."""
    broken = [rule for rule in batch.rules if rule.failed or rule.suspected]
    return sorted(broken, key=lambda rule: (-rule.failed, -rule.suspected, rule.rule_id))[:limit]


def failed_share(rule: RuleSummary) -> float | None:
    """Of the calls that the rule applied to and could judge, the share that broke it beyond suspicion."""
    judged = rule.passed + rule.failed + rule.suspected
    return rule.failed / judged if judged else None


def scored_dimensions(batch: BatchView) -> tuple[str, ...]:
    """The scorecard's dimensions, without what stands beside them (bonus points, findings that cost nothing)."""
    return tuple(name for name in batch.dimensions if name not in (BONUS, OUTSIDE))


def length_sentence(batch: BatchView) -> str:
    """`；录音合计 1.25 小时`; '' for dialogues in text."""
    return f"；录音合计 {figures.length_text(batch.audio_s)}" if figures.seconds(batch.audio_s) else ""


def counts_sentence(batch: BatchView) -> str:
    """`共 42 通：评分 38，未评分 2，处理失败 1，已搁置 1`: everything that went in is accounted for."""
    parts = [f"评分 {batch.scored}"]
    for label, count in (
        ("未评分", batch.not_scored),
        ("处理失败", batch.failed),
        ("已搁置", batch.set_aside),
        ("无法读取", batch.unread),
    ):
        if count:
            parts.append(f"{label} {count}")
    total = batch.done + batch.failed + batch.set_aside + batch.unread
    return f"共 {total} 通：{'，'.join(parts)}"
