"""Does the scorecard measure anything? Its scores against what customers said, and each rule against dissatisfaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from qa_monitor.agents.indicators import COMPLAINTS, FIRST_TIME, HANDLED, SURVEYED, Indicators
from qa_monitor.agents.interval import Figure, correlation, difference_of_means

LEAST_AGENTS = 10
LEAST_CALLS = 30


@dataclass(frozen=True, slots=True)
class Link:
    """The correlation over agents of the audit score with an outcome in a period. `hoped` is the sign it should have."""

    period: str
    outcome: str
    r: Figure
    hoped: int

    @property
    def verdict(self) -> str:
        return _verdict(self.r, self.hoped, LEAST_AGENTS, "名坐席")


@dataclass(frozen=True, slots=True)
class RuleSums:
    """Predicted satisfaction over the calls that broke or kept a rule: count, mean and squared distances of each."""

    broken: tuple[int, float, float]
    kept: tuple[int, float, float]


@dataclass(frozen=True, slots=True)
class RuleLink:
    """Whether breaking a rule goes with dissatisfaction.

    `difference` is the predicted satisfaction (1–5) of calls that broke it minus that of calls that kept it;
    `surveyed` the correlation over agents of the share of breaches with the surveyed share of dissatisfied.
    """

    item: str
    name: str
    broken: int
    judged: int
    difference: Figure
    surveyed: Figure

    @property
    def verdict(self) -> str:
        if min(self.broken, self.judged - self.broken) < LEAST_CALLS:
            return f"样本不足（违规、合规各需 {LEAST_CALLS} 通）"
        return _verdict(self.difference, -1, 0, "")


def _verdict(figure: Figure, hoped: int, least: int, unit: str) -> str:
    if figure.n < least:
        return f"样本不足（少于 {least} {unit}）"
    if figure.value is None or figure.low is None or figure.high is None:
        return "算不出（没有差异或样本太少）"
    if figure.low > 0 or figure.high < 0:
        return "有关，方向如预期" if figure.value * hoped > 0 else "有关，但方向相反，请检查评分表"
    return "看不出关系"


def _complaint_rate(record: Indicators) -> float | None:
    complaints, handled = record.number(COMPLAINTS), record.number(HANDLED)
    return None if complaints is None or not handled else 1000 * complaints / handled


OUTCOMES: tuple[tuple[str, int, Callable[[Indicators], float | None]], ...] = (
    ("回访满意率", 1, lambda record: record.number(SURVEYED)),
    ("投诉（每千通）", -1, _complaint_rate),
    ("一次解决率", 1, lambda record: record.number(FIRST_TIME)),
)


def links(
    period: str, scores: Mapping[str, tuple[int, float]], records: Mapping[str, Indicators], min_calls: int
) -> tuple[Link, ...]:
    """`scores` 工号 → scored calls and mean; agents under `min_calls` are left out."""
    found = []
    for name, hoped, outcome in OUTCOMES:
        pairs = [
            (mean, value)
            for agent_id, (count, mean) in sorted(scores.items())
            if count >= min_calls and agent_id in records and (value := outcome(records[agent_id])) is not None
        ]
        found.append(Link(period, name, correlation(pairs), hoped))
    return tuple(found)


def rule_links(
    sums: Mapping[str, RuleSums],
    by_agent: Mapping[tuple[str, str], tuple[int, int]],
    records: Mapping[str, Indicators],
    names: Mapping[str, str],
    min_calls: int,
) -> tuple[RuleLink, ...]:
    """`by_agent` (工号, rule) → breaches and judged calls. The strongest link to dissatisfaction comes first."""
    unhappy = {
        agent_id: 1 - value
        for agent_id, record in sorted(records.items())
        if (value := record.number(SURVEYED)) is not None
    }
    pairs: dict[str, list[tuple[float, float]]] = {}
    for (agent_id, item), (broken, judged) in sorted(by_agent.items()):
        if agent_id in unhappy and judged >= min_calls:
            pairs.setdefault(item, []).append((broken / judged, unhappy[agent_id]))
    found = [
        RuleLink(
            item=item,
            name=names.get(item, item),
            broken=one.broken[0],
            judged=one.broken[0] + one.kept[0],
            difference=difference_of_means(*one.broken, *one.kept),
            surveyed=correlation(pairs.get(item, [])),
        )
        for item, one in sums.items()
    ]
    return tuple(sorted(found, key=lambda link: (link.difference.value or 0.0, link.item)))
