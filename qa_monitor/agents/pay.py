"""A policy applied to a ledger: each agent's total, grade and coefficient, and every step on the way there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from qa_monitor.agents.entries import CONFIRMED_STATES, REVIEW_NAMES, Entry, Ledger
from qa_monitor.agents.policy import AuditPart, CountPart, IndicatorPart, Level, Policy
from qa_monitor.agents.rounding import rounded

FIGURE_NAMES = {"points": "原始平均分", "adjusted": "调整后得分", "shrunken": "收缩后得分"}
NO_GRADE = "不定级"


@dataclass(frozen=True, slots=True)
class Step:
    """A line of the sum: what, how it was worked out, its points (None when it left the sum)."""

    name: str
    how: str
    points: float | None


@dataclass(frozen=True, slots=True)
class Pay:
    """What a policy makes of an agent. `total` is None for those not graded; `by_machine` says whether scores that
    nobody confirmed moved the grade; `counted` of the `scored` calls went into the audit part."""

    agent_id: str
    total: float | None
    grade: str
    coefficient: float
    steps: tuple[Step, ...]
    basis: str
    by_machine: bool
    counted: int
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Audit:
    value: float | None
    counted: int
    words: str
    by_machine: bool


def apply_policy(policy: Policy, ledger: Ledger) -> dict[str, Pay]:
    """工号 → pay of every entry. A forced distribution is over the entries of `ledger`, which must then hold everybody."""
    drafts = {entry.agent_id: _draft(policy, entry) for entry in ledger.entries}
    levels = _levels(policy, {agent_id: pay.total for agent_id, pay in drafts.items() if pay.total is not None})
    return {
        entry.agent_id: _graded(policy, drafts[entry.agent_id], levels.get(entry.agent_id), entry.vetoed)
        for entry in ledger.entries
    }


def _draft(policy: Policy, entry: Entry) -> Pay:
    """The total without its grade; without a total for those not graded, and why."""
    audit = _audit(policy.audit, entry)
    steps: list[Step] = []
    parts: list[tuple[float, float]] = []
    if policy.audit.weight:
        steps.append(Step(f"质检得分（权重 {policy.audit.weight:g}）", audit.words, rounded(audit.value, 1)))
        if audit.value is not None:
            parts.append((policy.audit.weight, rounded(audit.value, 1) or 0.0))
    for part in policy.indicators:
        points, words = _indicator(part, entry)
        if points is None and policy.missing == "zero":
            points, words = 0.0, "没有记录，按办法记 0 分"
        steps.append(Step(f"{part.metric}（权重 {part.weight:g}）", words, points))
        if points is not None:
            parts.append((part.weight, points))
    weight = sum(share for share, _ in parts)
    base = math.fsum(share * points for share, points in parts) / weight if weight else None
    added, extra = _counts(policy, entry)
    reasons = _not_graded(policy, entry, audit)
    draft = Pay(entry.agent_id, None, NO_GRADE, policy.minimum.coefficient, (), audit.words, audit.by_machine,
                audit.counted, reasons)  # fmt: skip
    if base is None or reasons:
        new = entry.is_new and not policy.new_staff.graded
        coefficient = policy.new_staff.coefficient if new else policy.minimum.coefficient
        return replace(draft, coefficient=_clamped(policy, coefficient), steps=tuple(steps + extra), by_machine=False,
                       reasons=reasons or ("没有任何一项可计",))  # fmt: skip
    total = min(max(base + added, policy.limits.points_min), policy.limits.points_max)
    shown = "、".join(f"{points:g}×{share:g}" for share, points in parts)
    steps.append(Step("加权平均", f"({shown}) ÷ {weight:g}", rounded(base, 2)))
    steps += extra
    limits = f"夹在 {policy.limits.points_min:g}～{policy.limits.points_max:g} 之间"
    steps.append(Step("综合得分", limits, rounded(total, 1)))
    return replace(draft, total=rounded(total, 1), steps=tuple(steps))


def _audit(part: AuditPart, entry: Entry) -> _Audit:
    """The audit score that counts for pay, over how many calls, in words."""
    used = [state for state in entry.states if _counts_for_pay(part, state)]
    left_out = [state for state in entry.states if state not in used]
    count = entry.state_count(*used)
    skipped = "，".join(f"{REVIEW_NAMES.get(state, state)} {entry.states[state].n} 通未计入" for state in left_out)
    tail = f"；{skipped}" if skipped else ""
    if not count:
        return _Audit(None, 0, f"没有可计入的通话{tail}", False)
    machine = sum(entry.states[state].n for state in used if state not in CONFIRMED_STATES)
    named = "、".join(f"{REVIEW_NAMES.get(state, state)} {entry.states[state].n} 通" for state in used)
    if not left_out:
        value, name = getattr(entry, part.figure).value, FIGURE_NAMES[part.figure]
    else:
        value, name = _pooled(entry, used), "这些通话的平均分"
    return _Audit(value, count, f"{name}，{named}{tail}", machine > 0)


def _counts_for_pay(part: AuditPart, state: str) -> bool:
    if state == "appealed":
        return part.appealed == "include"
    return state in CONFIRMED_STATES or part.unconfirmed == "include"


def _pooled(entry: Entry, states: Sequence[str]) -> float:
    figures = [entry.states[state] for state in states]
    return math.fsum(figure.n * (figure.value or 0.0) for figure in figures) / sum(figure.n for figure in figures)


def _indicator(part: IndicatorPart, entry: Entry) -> tuple[float | None, str]:
    value = entry.indicators.number(part.metric)
    if value is None:
        return None, "没有记录，不计入"
    points = min(max(100 * (value - part.zero) / (part.full - part.zero), 0.0), 100.0)
    share = max(abs(part.zero), abs(part.full)) <= 1 and abs(value) <= 1
    shown, zero, full = ((f"{x:.1%}" if share else f"{x:g}") for x in (value, part.zero, part.full))
    return rounded(points, 1), f"{shown}（{zero} 得 0 分，{full} 得 100 分）"


def _counts(policy: Policy, entry: Entry) -> tuple[float, list[Step]]:
    added, steps = 0.0, []
    kinds: tuple[tuple[int, str, tuple[CountPart, ...]], ...] = (
        (1, "奖励", policy.rewards),
        (-1, "扣减", policy.deductions),
    )
    for sign, kind, parts in kinds:
        for part in parts:
            count = entry.indicators.number(part.metric)
            if count is None or count <= 0:
                continue
            points = sign * min(part.cap, part.points * count)
            added += points
            steps.append(
                Step(f"{kind}：{part.metric}", f"{count:g} 件×{part.points:g} 分，最多 {part.cap:g} 分", points)
            )
    return added, steps


def _not_graded(policy: Policy, entry: Entry, audit: _Audit) -> tuple[str, ...]:
    reasons = []
    if entry.is_new and not policy.new_staff.graded:
        reasons.append(f"新员工（入职不满 {policy.new_staff.days} 天）")
    if policy.audit.weight and audit.counted < policy.minimum.calls:
        reasons.append(f"计入的通话 {audit.counted} 通，少于 {policy.minimum.calls} 通")
    return tuple(reasons)


def _levels(policy: Policy, totals: Mapping[str, float]) -> dict[str, Level]:
    """工号 → level by the total shown. In a forced distribution equal totals share the better level."""
    levels = policy.grades.levels
    if policy.grades.method == "absolute":
        return {
            agent_id: next((level for level in levels if total >= (level.from_ or 0.0)), levels[-1])
            for agent_id, total in totals.items()
        }
    ordered = sorted(totals.values(), reverse=True)
    found = {}
    for agent_id, total in totals.items():
        place = ordered.index(total)  # of the first with this total
        passed = 0.0
        for level in levels:
            passed += level.share or 0.0
            if place < passed * len(ordered) - 1e-9:
                found[agent_id] = level
                break
        else:
            found[agent_id] = levels[-1]
    return found


def _graded(policy: Policy, draft: Pay, level: Level | None, vetoed: tuple[int, int]) -> Pay:
    if level is None:
        return draft
    steps, reasons, by_machine = list(draft.steps), list(draft.reasons), draft.by_machine
    how = f"{level.grade} 级起点 {level.from_:g} 分" if level.from_ is not None else f"按比例，{level.share:.0%}"
    steps.append(Step(f"等级 {level.grade}", how, None))
    if policy.veto is not None:
        every, confirmed = vetoed
        counted = confirmed if policy.veto.confirmed else every
        order = [one.grade for one in policy.grades.levels]
        if counted >= policy.veto.calls and order.index(level.grade) < order.index(policy.veto.grade):
            level = next(one for one in policy.grades.levels if one.grade == policy.veto.grade)
            steps.append(Step(f"一票否决 {counted} 通", f"等级最高为 {level.grade}", None))
            reasons.append(f"一票否决 {counted} 通")
            by_machine = by_machine or counted > confirmed
        elif every > confirmed and policy.veto.confirmed:
            reasons.append(f"机器初评的一票否决 {every - confirmed} 通，未经人工确认，不影响等级")
    coefficient = _clamped(policy, level.coefficient)
    steps.append(Step("系数", f"{level.grade} 级 {level.coefficient:g}", coefficient))
    return replace(
        draft, grade=level.grade, coefficient=coefficient, steps=tuple(steps), reasons=tuple(reasons),
        by_machine=by_machine,
    )  # fmt: skip


def _clamped(policy: Policy, coefficient: float) -> float:
    return min(max(coefficient, policy.limits.coefficient_min), policy.limits.coefficient_max)


@dataclass(frozen=True, slots=True)
class Moved:
    """How an agent fares under another policy."""

    agent_id: str
    before: Pay
    after: Pay

    @property
    def changed(self) -> bool:
        return (self.before.grade, self.before.coefficient) != (self.after.grade, self.after.coefficient)


def compare(before: Mapping[str, Pay], after: Mapping[str, Pay]) -> tuple[Moved, ...]:
    """Everybody under both policies, by 工号."""
    return tuple(Moved(agent_id, before[agent_id], after[agent_id]) for agent_id in sorted(before))
