"""Which calls stand for an agent's figures: the dearest deductions, the best and worst calls, rules well kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa_monitor.agents.frame import CallFrame

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NOT_DEDUCTIONS = frozenset({"veto", "bonus", "rounding", "unknown"})  # these have no evidence of their own


@dataclass(frozen=True, slots=True)
class Pick:
    """A call (its row in the frame) chosen for what an item cost there; `item` is '' for the call as a whole."""

    row: int
    sha256: str
    item: str
    cost: float


@dataclass(frozen=True, slots=True)
class Example:
    """A call shown as evidence. `cost` is in points of the 100; `quote` and `why` have personal data masked.

    `quote` is '' where the finding is that something was missing, or where the words were purged.
    """

    agent_id: str
    sha256: str
    call_id: str
    started_at: str
    business: str
    points: float | None
    review_state: str
    item: str
    name: str
    cost: float
    quote: str = ""
    quote_turn: int | None = None
    quote_s: float | None = None
    why: str = ""

    @property
    def key(self) -> str:
        return self.sha256[:10]


def deductions(frame: CallFrame, agent_id: str, limit: int | None = None) -> tuple[list[Pick], int]:
    """What cost the agent points, dearest first, at most `limit`; and how many there are in all."""
    rows = frame.rows_of(agent_id)
    first, last = int(frame.cost_bounds[rows.start]), int(frame.cost_bounds[rows.stop])
    found = [
        (float(frame.cost[place]), int(frame.cost_call[place]), frame.items[frame.cost_item[place]])
        for place in range(first, last)
        if frame.cost[place] > 0
    ]
    there = [item for item in found if item[2] not in NOT_DEDUCTIONS]
    there.sort(key=lambda item: (-item[0], item[1], item[2]))
    chosen = there if limit is None else there[:limit]
    return [Pick(row, _sha(frame, row), item, cost) for cost, row, item in chosen], len(there)


def best_and_worst(frame: CallFrame, agent_id: str, count: int) -> tuple[list[Pick], list[Pick]]:
    """The agent's calls with the most and with the fewest points, the later of equals first; no call is in both."""
    import numpy as np

    rows = frame.rows_of(agent_id)
    points = frame.points[rows]
    scored = np.flatnonzero(~np.isnan(points))
    order = scored[np.lexsort((-scored, -points[scored]))] + rows.start
    best = order[: min(count, (len(order) + 1) // 2)]
    worst = order[::-1][: min(count, len(order) // 2)]
    return [_whole(frame, int(row)) for row in best], [_whole(frame, int(row)) for row in worst]


def worst_of(frame: CallFrame, rows: slice, item: str) -> Pick | None:
    """The call in which an item cost most."""
    if item not in frame.items or rows.start == rows.stop:
        return None
    first, last = int(frame.cost_bounds[rows.start]), int(frame.cost_bounds[rows.stop])
    code = frame.items.index(item)
    places = [place for place in range(first, last) if frame.cost_item[place] == code and frame.cost[place] > 0]
    if not places:
        return None
    place = max(places, key=lambda place: (float(frame.cost[place]), -place))
    row = int(frame.cost_call[place])
    return Pick(row, _sha(frame, row), item, float(frame.cost[place]))


def kept(frame: CallFrame, rows: NDArray[np.int64], item: str, count: int) -> list[Pick]:
    """The best calls in which an item cost nothing."""
    import numpy as np

    scored = rows[~frame.cost_anything(item)[rows] & ~np.isnan(frame.points[rows])]
    order = scored[np.lexsort((scored, -frame.points[scored]))][:count]
    return [Pick(int(row), _sha(frame, int(row)), item, 0.0) for row in order]


def _whole(frame: CallFrame, row: int) -> Pick:
    return Pick(row, _sha(frame, row), "", 100.0 - float(frame.points[row]))


def _sha(frame: CallFrame, row: int) -> str:
    return bytes(frame.sha256[row]).decode()
