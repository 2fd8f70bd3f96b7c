"""Performance records as numbers of a period: months as they are, days put together, shares as shares."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

HANDLED = "接听量"
SATISFIED, DISSATISFIED = "回访满意", "回访不满意"
FIRST_TIME = "一次解决率"
COMPLAINTS = "投诉"
SURVEYED = "回访满意率"
_NUMBER = re.compile(r"^[-+]?\d{1,3}(,\d{3})+(\.\d+)?$|^[-+]?\d+(\.\d+)?$|^[-+]?\.\d+$")

Value = float | str


@dataclass(frozen=True, slots=True)
class Indicators:
    """One agent's records of a period. `values` metric → number (shares 0–1) or text that is no number.

    `days` is how many daily records were put together, 0 for a monthly record.
    """

    values: Mapping[str, Value]
    days: int = 0

    def number(self, metric: str) -> float | None:
        """A metric as a number; 回访满意率 is worked out from its counts when it is not recorded."""
        value = self.values.get(metric)
        if isinstance(value, float):
            return value
        if metric == SURVEYED:
            good, bad = self.values.get(SATISFIED), self.values.get(DISSATISFIED)
            if isinstance(good, float) and isinstance(bad, float) and good + bad > 0:
                return good / (good + bad)
        return None

    def survey(self) -> tuple[int, int] | None:
        """(satisfied, asked) as whole counts, None when they are not recorded."""
        good, bad = self.values.get(SATISFIED), self.values.get(DISSATISFIED)
        if not isinstance(good, float) or not isinstance(bad, float) or good < 0 or bad < 0:
            return None
        return round(good), round(good + bad)


NOTHING = Indicators({})


def to_value(text: str) -> Value:
    """`91.2%` is 0.912, `1,820` is 1820.0; what is no number stays text. NaN and infinity are no numbers."""
    plain = text.strip().replace("％", "%").replace("，", ",")
    share = plain.endswith("%")
    digits = plain.removesuffix("%").strip()
    if not _NUMBER.match(digits):
        return text.strip()
    number = float(digits.replace(",", ""))
    return round(number / 100, 10) if share else number


def of_period(rows: Iterable[tuple[str, str, str, str]], averaged: Sequence[str]) -> dict[str, Indicators]:
    """工号 → indicators, from (工号, period, metric, text) of one month. A monthly record wins over daily ones.

    Daily figures are added up; shares, texts and metrics named in `averaged` are averaged, weighted by that day's
    接听量 where it is recorded; of texts the last one stands.
    """
    monthly: dict[str, dict[str, Value]] = {}
    daily: dict[str, dict[str, dict[str, Value]]] = {}
    for agent_id, period, metric, text in sorted(rows):
        if len(period) == 7:
            monthly.setdefault(agent_id, {})[metric] = to_value(text)
        else:
            value: Value = to_value(text)
            daily.setdefault(agent_id, {}).setdefault(period, {})[metric] = value
    found = {}
    for agent_id in sorted({*monthly, *daily}):
        days = daily.get(agent_id, {})
        values = _together(days, averaged) | monthly.get(agent_id, {})
        found[agent_id] = Indicators(dict(sorted(values.items())), len(days))
    return found


def _together(days: Mapping[str, Mapping[str, Value]], averaged: Sequence[str]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for metric in sorted({metric for day in days.values() for metric in day}):
        seen = [(day[metric], day.get(HANDLED)) for _, day in sorted(days.items()) if metric in day]
        numbers = [(value, weight) for value, weight in seen if isinstance(value, float)]
        if not numbers:
            values[metric] = seen[-1][0]
        elif metric in averaged or metric.endswith("率"):
            values[metric] = _mean(numbers)
        else:
            values[metric] = math.fsum(value for value, _ in numbers)
    return values


def _mean(numbers: Sequence[tuple[float, Value | None]]) -> float:
    weights = [weight for _, weight in numbers if isinstance(weight, float) and weight > 0]
    if len(weights) == len(numbers):
        total = math.fsum(weights)
        return math.fsum(value * weight for (value, _), weight in zip(numbers, weights, strict=True)) / total
    return math.fsum(value for value, _ in numbers) / len(numbers)
