"""Figures over some rows of a frame: an agent's, a team's, a stay's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qa_monitor.agents.entries import Cost, StayFigures
from qa_monitor.agents.frame import CallFrame
from qa_monitor.agents.interval import EMPTY, Figure, figure_of
from qa_monitor.agents.measures import Rows
from qa_monitor.agents.placing import Stay

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Sums = tuple[int, float, float]  # scored calls, Σ points, Σ points²
BUSINESSES_SHOWN = 5


def column_figure(values: NDArray[np.float64]) -> Figure:
    """Mean and interval of a column of 0–100 figures, unknown ones left out."""
    import numpy as np

    known = values[~np.isnan(values)]
    if not len(known):
        return EMPTY
    mean = float(known.mean())
    return figure_of(len(known), mean, float(((known - mean) ** 2).sum()), 0.0, 100.0)


def points_figure(frame: CallFrame, rows: Rows) -> Figure:
    return column_figure(frame.points[rows])


def dimension_figures(frame: CallFrame, rows: Rows) -> dict[str, Figure]:
    """The mean of each dimension that was scored in these calls."""
    figures = {name: column_figure(values[rows]) for name, values in frame.dimensions.items()}
    return {name: figure for name, figure in figures.items() if figure.n}


def scored_in(frame: CallFrame, rows: Rows) -> int:
    import numpy as np

    return int((~np.isnan(frame.points[rows])).sum())


def by_state(frame: CallFrame, rows: slice) -> dict[str, Figure]:
    """The mean score by state of review, of those states that occur."""
    codes, points = frame.review[rows], frame.points[rows]
    found = {state: column_figure(points[codes == code]) for code, state in enumerate(frame.reviews)}
    return {state: figure for state, figure in found.items() if figure.n}


def businesses(frame: CallFrame, rows: slice) -> tuple[tuple[str, int], ...]:
    import numpy as np

    codes = frame.business[rows]
    counts = np.bincount(codes[codes >= 0], minlength=len(frame.businesses))
    named = [(name, int(counts[code])) for code, name in enumerate(frame.businesses) if counts[code]]
    return tuple(sorted(named, key=lambda item: (-item[1], item[0]))[:BUSINESSES_SHOWN])


def rows_during(frame: CallFrame, rows: slice, stay: Stay) -> NDArray[np.int64]:
    import numpy as np

    days = frame.day[rows]
    found: NDArray[np.int64] = np.flatnonzero((days >= stay.first) & (days <= stay.last)) + rows.start
    return found


def stay_figures(frame: CallFrame, rows: slice, stay: Stay) -> StayFigures:
    during = rows_during(frame, rows, stay)
    return StayFigures(stay, len(during), points_figure(frame, during))


def item_costs(frame: CallFrame, rows: Rows) -> tuple[Cost, ...]:
    """Points a scored call that each item cost, dearest first."""
    import numpy as np

    scored = scored_in(frame, rows)
    if not scored:
        return ()
    if isinstance(rows, slice):
        chosen: slice | NDArray[np.bool_] = slice(int(frame.cost_bounds[rows.start]), int(frame.cost_bounds[rows.stop]))
    else:
        inside = np.zeros(len(frame), dtype=bool)
        inside[rows] = True
        chosen = inside[frame.cost_call]
    items, values = frame.cost_item[chosen], frame.cost[chosen]
    totals = np.bincount(items, values, len(frame.items)) / scored
    calls = np.bincount(items[values > 0], minlength=len(frame.items))
    costs = [Cost(item, float(totals[code]), int(calls[code])) for code, item in enumerate(frame.items) if totals[code]]
    return tuple(sorted(costs, key=lambda cost: (-cost.per_call, cost.item)))


def figure_of_sums(sums: Sums) -> Figure:
    count, total, squares = sums
    if not count:
        return EMPTY
    mean = total / count
    return figure_of(count, mean, max(0.0, squares - count * mean * mean), 0.0, 100.0)
