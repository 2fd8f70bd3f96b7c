"""Where a call's missing points went: its score taken apart, so that many calls can be summed up by cause."""

from __future__ import annotations

import math

from qa_monitor.records import CallScore, DimensionScore

VETO, BONUS_ITEM, ROUNDING = "veto", "bonus", "rounding"
UNKNOWN = "unknown"  # of a call whose score is no longer kept in parts
DIGITS = 6
ROUNDING_LIMIT = 0.06  # scores carry one decimal


def cost_shares(score: CallScore) -> dict[str, float]:
    """Item (rule id, `model.…`, veto, bonus, rounding) → points of the 100 that it cost; gains are negative.

    The values sum to 100 − points. What a dimension lost is shared over its lines as they lost it, so that a dimension
    whose loss was capped shares the capped loss. Empty when the call has no points.
    """
    if score.points is None:
        return {}
    counted = [part for part in score.dimensions if part.score is not None and part.weight > 0]
    weight = sum(part.weight for part in counted)
    costs: dict[str, float] = {}
    for part in counted:
        for item, cost in _shared(part, part.weight / weight).items():
            costs[item] = costs.get(item, 0.0) + cost
    rest = 100.0 - math.fsum(costs.values()) - score.points
    if score.veto:
        costs[VETO] = rest
    elif abs(rest) > ROUNDING_LIMIT:
        costs[BONUS_ITEM] = rest
    else:
        costs[ROUNDING] = rest
    rounded = {item: round(cost, DIGITS) for item, cost in costs.items()}
    return {item: cost for item, cost in sorted(rounded.items()) if cost}


def _shared(part: DimensionScore, share: float) -> dict[str, float]:
    lost = {line.rule_id: -line.points for line in part.lines if line.points < 0}
    total = math.fsum(lost.values())
    cost = share * (100.0 - (part.score or 0.0))
    if not total:
        return {}
    return {item: cost * points / total for item, points in lost.items()}
