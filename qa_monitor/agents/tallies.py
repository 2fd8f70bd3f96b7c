"""How often rules were broken and kept, counted from the letters of a frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from qa_monitor.agents.coaching import Tally
from qa_monitor.agents.frame import CallFrame
from qa_monitor.agents.links import RuleSums
from qa_monitor.agents.measures import Rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MODEL_ITEMS = ("model.politeness", "model.resolution", "model.satisfaction")


def tallies(frame: CallFrame, rows: Rows) -> dict[str, Tally]:
    """Item → (calls that broke it, calls it was judged in) over some rows; model items by whether they cost points."""
    import numpy as np

    letters = frame.verdicts[rows]
    broken = (letters == b"f").sum(axis=0)
    kept = (letters == b"p").sum(axis=0)
    found = {
        rule: (int(broken[place]), int(broken[place] + kept[place]))
        for place, rule in enumerate(frame.rules)
        if broken[place] + kept[place]
    }
    scored = ~np.isnan(frame.points[rows])
    for item in MODEL_ITEMS:
        if item in frame.items:
            lost = frame.cost_anything(item)[rows]
            found[item] = (int((lost & scored).sum()), int(scored.sum()))
    return found


def suspected(frame: CallFrame, rows: Rows) -> int:
    """Findings that cost nothing until a person confirms them."""
    return int((frame.verdicts[rows] == b"s").sum())


def by_agent(frame: CallFrame) -> dict[tuple[str, str], Tally]:
    """(工号, rule) → (breaches, judged calls) of everybody at once."""
    import numpy as np

    found: dict[tuple[str, str], Tally] = {}
    for place, rule in enumerate(frame.rules):
        letters = frame.verdicts[:, place]
        broken = np.bincount(frame.agent[letters == b"f"], minlength=len(frame.agents))
        kept = np.bincount(frame.agent[letters == b"p"], minlength=len(frame.agents))
        for code, agent_id in enumerate(frame.agents):
            judged = int(broken[code] + kept[code])
            if judged:
                found[agent_id, rule] = (int(broken[code]), judged)
    return found


def satisfaction_by_rule(frame: CallFrame) -> Mapping[str, RuleSums]:
    """Predicted satisfaction of the calls that broke and that kept each rule."""
    values = frame.floats["satisfaction"]
    return {
        rule: RuleSums(
            _moments(values, frame.verdicts[:, place] == b"f"), _moments(values, frame.verdicts[:, place] == b"p")
        )
        for place, rule in enumerate(frame.rules)
    }


def _moments(values: NDArray[np.float64], chosen: NDArray[np.bool_]) -> tuple[int, float, float]:
    import numpy as np

    known = values[chosen & ~np.isnan(values)]
    if not len(known):
        return 0, 0.0, 0.0
    mean = float(known.mean())
    return len(known), mean, float(((known - mean) ** 2).sum())


def vetoes(frame: CallFrame, rows: Rows, confirmed_states: tuple[str, ...]) -> tuple[int, int]:
    """(vetoed calls, of these confirmed by a person)."""
    import numpy as np

    vetoed = frame.veto[rows] & ~np.isnan(frame.points[rows])
    codes = [code for code, state in enumerate(frame.reviews) if state in confirmed_states]
    return int(vetoed.sum()), int((vetoed & np.isin(frame.review[rows], codes)).sum())
