"""Advice: the behaviours that cost an agent or a team most, a course for each, and whether last period's advice worked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qa_monitor.agents.entries import Cost
from qa_monitor.agents.examples import NOT_DEDUCTIONS, Example
from qa_monitor.agents.interval import EMPTY, Figure, difference_of_shares, share_figure
from qa_monitor.agents.training import Course, course_for

ADVICE_GIVEN = 3
LEAST_COST = 0.5  # points a call: less is not worth a course
LEAST_CALLS = 2

Tally = tuple[int, int]  # calls that broke the rule, calls it was judged in


@dataclass(frozen=True, slots=True)
class Advice:
    """One behaviour to work on. `rate` is the share of judged calls that broke it."""

    item: str
    name: str
    cost: float
    calls: int
    rate: Figure
    course: Course | None
    bad: Example | None = None
    good: Example | None = None
    model: Example | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """What became of last period's advice. `change` is the rate's, negative for fewer breaches."""

    item: str
    name: str
    before: Figure
    now: Figure
    change: Figure
    course: Course | None

    @property
    def verdict(self) -> str:
        if self.change.value is None or self.change.low is None or self.change.high is None:
            return "本期没有可比的通话"
        if self.change.high < 0:
            return "有改善"
        if self.change.low > 0:
            return "变差"
        return "看不出变化"


@dataclass(frozen=True, slots=True)
class Coaching:
    """Advice to one agent (or team, then `agent_id` is '') and what became of the last."""

    agent_id: str
    team: str
    advice: tuple[Advice, ...]
    effects: tuple[Effect, ...]


def dearest_items(costs: Sequence[Cost]) -> list[Cost]:
    """The few items worth advice: dear enough and seen more than once."""
    worth = [
        cost
        for cost in costs
        if cost.item not in NOT_DEDUCTIONS and cost.per_call >= LEAST_COST and cost.calls >= LEAST_CALLS
    ]
    return worth[:ADVICE_GIVEN]


def advise(
    costs: Sequence[Cost],
    tallies: Mapping[str, Tally],
    names: Mapping[str, str],
    dimensions: Mapping[str, str],
    courses: tuple[Course, ...],
) -> tuple[Advice, ...]:
    """Advice without examples. `tallies` item → breaches and judged calls; `dimensions` item → its dimension."""
    return tuple(
        Advice(
            item=cost.item,
            name=names.get(cost.item, cost.item),
            cost=cost.per_call,
            calls=cost.calls,
            rate=_rate(tallies.get(cost.item)),
            course=course_for(courses, cost.item, dimensions.get(cost.item, "")),
        )
        for cost in dearest_items(costs)
    )


def effects(
    earlier_costs: Sequence[Cost],
    earlier: Mapping[str, Tally],
    now: Mapping[str, Tally],
    names: Mapping[str, str],
    dimensions: Mapping[str, str],
    courses: tuple[Course, ...],
) -> tuple[Effect, ...]:
    """Last period's advice is what `dearest_items` gave then: it follows from the data and need not be stored."""
    found = []
    for cost in dearest_items(earlier_costs):
        before, after = earlier.get(cost.item, (0, 0)), now.get(cost.item, (0, 0))
        found.append(
            Effect(
                item=cost.item,
                name=names.get(cost.item, cost.item),
                before=_rate(before),
                now=_rate(after),
                change=difference_of_shares(*after, *before),
                course=course_for(courses, cost.item, dimensions.get(cost.item, "")),
            )
        )
    return tuple(found)


def _rate(tally: Tally | None) -> Figure:
    return share_figure(*tally) if tally else EMPTY
