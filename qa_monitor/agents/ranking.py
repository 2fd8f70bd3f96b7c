"""Places that the figures can bear: where intervals overlap, a range of places instead of a place."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping

from qa_monitor.agents.entries import Rank
from qa_monitor.agents.interval import Figure


def ranks(figures: Mapping[str, Figure]) -> dict[str, Rank]:
    """工号 → rank, of those with an interval. `place` orders by value, equal values share a place."""
    there = {
        agent_id: (figure.value, figure.low, figure.high)
        for agent_id, figure in figures.items()
        if figure.value is not None and figure.low is not None and figure.high is not None
    }
    lows = sorted(low for _, low, _ in there.values())
    highs = sorted(high for _, _, high in there.values())
    values = sorted(value for value, _, _ in there.values())
    count = len(there)
    return {
        agent_id: Rank(
            best=1 + count - bisect_right(lows, high),  # surely better: their whole interval lies above
            worst=count - bisect_left(highs, low),  # surely worse: their whole interval lies below
            place=1 + count - bisect_right(values, value),
            of=count,
        )
        for agent_id, (value, low, high) in there.items()
    }
