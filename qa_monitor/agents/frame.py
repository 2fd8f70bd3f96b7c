"""A period's calls as columns: one array a figure, so that 200,000 calls take tens of megabytes and no call an object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int32]

RESOLUTIONS = ("resolved", "partial", "unresolved")
UNKNOWN = -1  # the code of what is not known


@dataclass(frozen=True)
class CallFrame:
    """Calls in order of 工号, start and content. Every array has one entry a call; floats are NaN where unknown.

    `agent`, `business`, `emotion` and `review` are codes into `agents`, `businesses`, `emotions` and `reviews`;
    `resolution` into RESOLUTIONS; UNKNOWN stands for none. `day` is the proleptic ordinal of the call's local date.
    `verdicts` has a letter a call and rule of `rules`: p pass, f fail, s suspected, u unsure, - not applicable, blank
    where the rule did not exist. `promise` is 1 kept, 0 not kept, NaN none judged. Costs are sparse: call, item and points of the 100 lost.
    """

    agents: tuple[str, ...]
    businesses: tuple[str, ...]
    emotions: tuple[str, ...]
    reviews: tuple[str, ...]
    agent: Codes
    business: Codes
    emotion: Codes
    review: Codes
    resolution: Codes
    day: Codes
    sha256: NDArray[np.bytes_]
    points: Floats
    veto: NDArray[np.bool_]
    complaint: NDArray[np.bool_]
    promise: Floats
    floats: Mapping[str, Floats]  # politeness, satisfaction, silence_s, hold_s, overlap_count, agent_talk_share, …
    dimensions: Mapping[str, Floats]
    rules: tuple[str, ...]
    rule_names: Mapping[str, str]
    rule_dimensions: Mapping[str, str]
    verdicts: NDArray[np.bytes_]
    items: tuple[str, ...]
    cost_call: Codes
    cost_item: Codes
    cost: Floats
    versions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # rulebook, scorecard

    def __len__(self) -> int:
        return len(self.agent)

    @cached_property
    def bounds(self) -> Codes:
        """Calls of agent i are [bounds[i], bounds[i + 1])."""
        import numpy as np

        return np.searchsorted(self.agent, np.arange(len(self.agents) + 1)).astype(np.int32)

    def rows_of(self, agent_id: str) -> slice:
        """Where the calls of a 工号 stand."""
        if agent_id not in self._place:
            return slice(0, 0)
        place = self._place[agent_id]
        return slice(int(self.bounds[place]), int(self.bounds[place + 1]))

    @cached_property
    def _place(self) -> dict[str, int]:
        return {agent_id: place for place, agent_id in enumerate(self.agents)}

    @cached_property
    def cost_bounds(self) -> Codes:
        """Costs of call i are [cost_bounds[i], cost_bounds[i + 1])."""
        import numpy as np

        return np.searchsorted(self.cost_call, np.arange(len(self) + 1)).astype(np.int32)

    @property
    def without_parts(self) -> int:
        """Scored calls whose dimensions are not known any more."""
        import numpy as np

        known = np.zeros(len(self), dtype=bool)
        for values in self.dimensions.values():
            known |= ~np.isnan(values)
        return int((~np.isnan(self.points) & ~known).sum())

    def cost_anything(self, item: str) -> NDArray[np.bool_]:
        """For each call, whether an item cost it points."""
        import numpy as np

        if item not in self._dear:
            dear = np.zeros(len(self), dtype=bool)
            if item in self.items:
                dear[self.cost_call[(self.cost_item == self.items.index(item)) & (self.cost > 0)]] = True
            self._dear[item] = dear
        return self._dear[item]

    @cached_property
    def _dear(self) -> dict[str, NDArray[np.bool_]]:
        return {}
