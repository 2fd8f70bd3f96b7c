"""A call's points from its findings and model scores, with every step of the sum written out.

    worth     = what the dimension's items are worth together, at most its full marks
    dimension = 100 × (worth − what was lost, at most worth) ÷ worth
    total     = dimensions by weight + bonus; 0 when a veto rule was broken

Items that do not apply, cannot be judged, or have no model score leave the sum; a dimension without items leaves the
weights. A suspected finding costs nothing until a person confirms it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from qa_monitor.records import CallFacts, CallScore, Dialogue, DimensionScore, Finding, ModelScores, ScoreLine
from qa_monitor.scoring.card import BONUS, OUTSIDE, Card, Dimension, RuleItem, ScaleItem
from qa_monitor.scoring.read_card import read_card
from qa_monitor.scoring.scorable import why_not_scored

_RESOLUTION = {"resolved": "已解决", "partial": "部分解决", "unresolved": "未解决"}


@dataclass(frozen=True, slots=True)
class _Plan:
    """The card for one call: dimensions with the rules that count in them."""

    dimensions: tuple[Dimension, ...]
    outside: tuple[Finding, ...]


class Scorecard:
    def __init__(self, card: Card) -> None:
        self.card = card

    @property
    def name(self) -> str:
        return self.card.name

    @property
    def version(self) -> str:
        return self.card.version

    def score(
        self,
        findings: Sequence[Finding],
        model_scores: ModelScores | None,
        facts: CallFacts,
        dialogue: Dialogue,
    ) -> CallScore:
        """The call's points and how they came about; points None with the reason when the call cannot be scored."""
        reason = why_not_scored(dialogue, self.card.limits)
        if reason:
            return self._refused(reason, ())
        by_rule = {finding.rule_id: finding for finding in findings}
        plan = self._plan(findings, facts)
        dimensions = [_dimension(dimension, by_rule, model_scores) for dimension in plan.dimensions]
        counted = [d for d in dimensions if d.score is not None and d.weight > 0]
        if not counted:
            return self._refused("没有一项适用于这通电话", tuple(dimensions))
        return self._total(dimensions, counted, self._bonus(by_rule), plan, by_rule)

    def _refused(self, reason: str, dimensions: tuple[DimensionScore, ...]) -> CallScore:
        return CallScore(self.name, self.version, None, (), dimensions, f"不评分：{reason}", reason)

    def _plan(self, findings: Sequence[Finding], facts: CallFacts) -> _Plan:
        """The card's dimensions as this business has them, with rules that the card does not list put where they say."""
        weights: dict[str, float] = {}
        items: dict[str, RuleItem | None] = {}
        for override in self.card.overrides:
            if facts.business and any(word in facts.business for word in override.business):
                weights.update(override.weights)
                items.update(override.rules)
        unlisted, outside = self._unlisted(findings)
        dimensions = []
        for dimension in self.card.dimensions:
            chosen = [items.get(item.rule_id, item) for item in dimension.rules]
            rules = [item for item in chosen if item is not None] + unlisted.get(dimension.name, [])
            weight = weights.get(dimension.name, dimension.weight)
            dimensions.append(replace(dimension, weight=weight, rules=tuple(rules)))
        return _Plan(tuple(dimensions), tuple(outside))

    def _unlisted(self, findings: Sequence[Finding]) -> tuple[dict[str, list[RuleItem]], list[Finding]]:
        listed = {item.rule_id for dimension in self.card.dimensions for item in dimension.rules}
        listed |= {item.rule_id for item in self.card.bonus}
        names = {dimension.name for dimension in self.card.dimensions}
        placed: dict[str, list[RuleItem]] = {}
        outside: list[Finding] = []
        for finding in findings:
            if finding.rule_id in listed:
                continue
            if self.card.score_unlisted and finding.category in names and finding.points is not None:
                item = RuleItem(finding.rule_id, finding.points, finding.points)
                placed.setdefault(finding.category, []).append(item)
            elif finding.verdict == "fail":
                outside.append(finding)
        return placed, outside

    def _bonus(self, by_rule: dict[str, Finding]) -> list[ScoreLine]:
        lines: list[ScoreLine] = []
        for item in self.card.bonus:
            finding = by_rule.get(item.rule_id)
            if finding is not None and finding.verdict == "pass":
                lines.append(ScoreLine(item.rule_id, finding.name, "pass", item.points, item.points, finding.why))
        return lines

    def _total(
        self,
        dimensions: list[DimensionScore],
        counted: list[DimensionScore],
        bonus: list[ScoreLine],
        plan: _Plan,
        by_rule: dict[str, Finding],
    ) -> CallScore:
        weight = sum(d.weight for d in counted)
        base = _rounded(sum(d.weight * (d.score or 0.0) for d in counted) / weight)
        added = min(self.card.bonus_cap, sum(line.points for line in bonus))
        points = _rounded(min(100.0, base + added))
        worths = [_worth(d, scored.lines) for d, scored in zip(plan.dimensions, dimensions, strict=True)]
        text = [_dimension_text(d, worth) for d, worth in zip(dimensions, worths, strict=True)]
        text.append(_total_text(counted, weight, base))
        if bonus:
            named = "、".join(f"{line.name} +{line.points:g}" for line in bonus)
            text.append(
                f"加分：{named}，最多加 {self.card.bonus_cap:g}：{base:g} + {added:g} = {points:g}（不超过 100）"
            )
            dimensions = [*dimensions, DimensionScore(BONUS, 0.0, None, tuple(bonus))]
        if plan.outside:
            lines = tuple(_free_line(finding) for finding in plan.outside)
            text.append(f"{OUTSIDE}：{'、'.join(line.name for line in lines)}")
            dimensions = [*dimensions, DimensionScore(OUTSIDE, 0.0, None, lines)]
        vetoed = self._vetoed(by_rule, plan)
        if vetoed:
            named = "、".join(f"{by_rule[rule_id].name}（{rule_id}）" for rule_id in vetoed)
            text.append(f"一票否决：{named}，总分记 0（否决前 {points:g} 分）")
            points = 0.0
        return CallScore(self.name, self.version, points, vetoed, tuple(dimensions), "\n".join(text))

    def _vetoed(self, by_rule: dict[str, Finding], plan: _Plan) -> tuple[str, ...]:
        """Broken rules that end the score: as the card says, else as the rule does. Suspected ones never do."""
        said = {item.rule_id: item.veto for dimension in plan.dimensions for item in dimension.rules}
        return tuple(
            rule_id
            for rule_id, finding in sorted(by_rule.items())
            if finding.verdict == "fail"
            and not finding.suspected
            and (finding.veto if said.get(rule_id) is None else said[rule_id])
        )


def load_scorecard(path: Path) -> Scorecard:
    """The scorecard in a YAML file. Raises RuleFileError (file:line)."""
    return Scorecard(read_card(Path(path)))


def _rounded(value: float) -> float:
    """One decimal, halves up, as a person would round."""
    return int(value * 10 + 0.5 + 1e-9) / 10


def _dimension(dimension: Dimension, by_rule: dict[str, Finding], scores: ModelScores | None) -> DimensionScore:
    lines = [_rule_line(item, by_rule[item.rule_id]) for item in dimension.rules if item.rule_id in by_rule]
    lines += [_model_line(item, scores) for item in dimension.models]
    worth = _worth(dimension, lines)
    lost = min(worth, -sum(line.points for line in lines))
    score = _rounded(100 * (worth - lost) / worth) if worth else None
    return DimensionScore(dimension.name, dimension.weight if worth else 0.0, score, tuple(lines))


def _worth(dimension: Dimension, lines: Sequence[ScoreLine]) -> float:
    possible = sum(line.possible for line in lines)
    return possible if dimension.full is None else min(possible, dimension.full)


def _rule_line(item: RuleItem, finding: Finding) -> ScoreLine:
    """`possible` is 0 for what leaves the sum; `points` is what was lost, as a negative number."""
    if finding.verdict in ("not_applicable", "unsure"):
        return ScoreLine(item.rule_id, finding.name, finding.verdict, 0.0, 0.0, finding.why)
    lost = 0.0
    if finding.verdict == "fail" and not finding.suspected:
        lost = min(item.cap, item.points * finding.count)
    return ScoreLine(item.rule_id, finding.name, finding.verdict, -lost if lost else 0.0, item.cap, finding.why)


def _free_line(finding: Finding) -> ScoreLine:
    return ScoreLine(finding.rule_id, finding.name, finding.verdict, 0.0, 0.0, finding.why)


def _model_line(item: ScaleItem, scores: ModelScores | None) -> ScoreLine:
    rule_id = f"model.{item.model}"
    if scores is None:
        return ScoreLine(rule_id, item.name, "unsure", 0.0, 0.0, "没有模型分")
    if item.model == "resolution":
        return _resolution_line(item, scores, rule_id)
    value = scores.politeness if item.model == "politeness" else scores.satisfaction
    if value is None:
        return ScoreLine(rule_id, item.name, "unsure", 0.0, 0.0, scores.abstained or "模型没有给出判断")
    worth = _rounded(_interpolated(item.scale, value))
    why = f"{scores.scorer}给 {value:.1f} 分（1～5），折合 {worth:g}/{item.points:g}"
    return _worth_line(rule_id, item, worth, why)


def _resolution_line(item: ScaleItem, scores: ModelScores, rule_id: str) -> ScoreLine:
    if scores.resolution is None:
        return ScoreLine(rule_id, item.name, "unsure", 0.0, 0.0, scores.abstained or "模型没有给出判断")
    worth = dict(item.labels)[scores.resolution]
    why = f"{scores.scorer}判断为{_RESOLUTION[scores.resolution]}，折合 {worth:g}/{item.points:g}"
    return _worth_line(rule_id, item, worth, why)


def _worth_line(rule_id: str, item: ScaleItem, worth: float, why: str) -> ScoreLine:
    lost = _rounded(item.points - worth)
    return ScoreLine(rule_id, item.name, "fail" if lost else "pass", -lost if lost else 0.0, item.points, why)


def _interpolated(scale: Sequence[tuple[float, float]], value: float) -> float:
    if value <= scale[0][0]:
        return scale[0][1]
    for (low, low_worth), (high, high_worth) in pairwise(scale):
        if value <= high:
            return low_worth + (high_worth - low_worth) * (value - low) / (high - low)
    return scale[-1][1]


def _dimension_text(dimension: DimensionScore, worth: float) -> str:
    if dimension.score is None:
        return f"{dimension.name}：没有适用的项目，不参与计分"
    lost = [line for line in dimension.lines if line.points]
    total = min(worth, -sum(line.points for line in lost))
    named = "、".join(f"{line.name} −{-line.points:g}" for line in lost)
    capped = "，扣完为止" if total < -sum(line.points for line in lost) else ""
    taken = f"扣 {total:g}（{named}{capped}）" if lost else "没有扣分"
    left_out = _left_out(dimension.lines)
    return (
        f"{dimension.name}：满分 {worth:g}，{taken}，得 {worth - total:g}/{worth:g} → {dimension.score:g} 分{left_out}"
    )


def _left_out(lines: Iterable[ScoreLine]) -> str:
    free = sum(line.verdict in ("not_applicable", "unsure") for line in lines)
    return f"（另有 {free} 项不适用或无法判断，不计）" if free else ""


def _total_text(counted: Sequence[DimensionScore], weight: float, base: float) -> str:
    terms = " + ".join(f"{d.name} {d.score:g}×{d.weight:g}" for d in counted)
    return f"总分：({terms}) ÷ {weight:g} = {base:g}"
