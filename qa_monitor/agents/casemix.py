"""Case mix: what an agent's mean would be with the centre's mix of calls, all else equal.

    points of a call = the agent's level + business + customer's opening emotion + recording quality + chance

The effects are estimated within agents (each agent's calls against that agent's own mean), so that an agent who takes
all the complaints is not mistaken for a complaint. Works on counts and sums by stratum, never on single calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAST_CALLS = 30  # a level seen less often is put with the others
OTHER = "其他"
FACTORS = ("业务类型", "开场情绪", "录音质量")
QUALITY_BANDS = ((20.0, "好"), (10.0, "一般"), (float("-inf"), "差"))
NO_AUDIO = "无录音"


class Cell(NamedTuple):
    """Scored calls of one agent alike in everything the adjustment looks at: their number, Σ points and Σ points².

    A tuple, since a large centre has a hundred thousand of them.
    """

    agent_id: str
    levels: tuple[str, str, str]  # of FACTORS
    n: int
    total: float
    squares: float


@dataclass(frozen=True, slots=True)
class Level:
    """One agent's scored calls: number, mean and sum of squared distances, as they are and adjusted."""

    count: int
    mean: float
    squares: float
    adjusted_mean: float
    adjusted_squares: float


@dataclass(frozen=True, slots=True)
class CaseMix:
    """`effects`: (factor, level) → points against the centre's average call; `calls` how many had that level."""

    levels: dict[str, Level]
    effects: dict[tuple[str, str], float]
    calls: dict[tuple[str, str], int]
    adjusted: bool


def quality_of(snr_db: float | None) -> str:
    """The band of a recording's signal-to-noise ratio."""
    if snr_db is None or snr_db != snr_db:
        return NO_AUDIO
    return next(name for least, name in QUALITY_BANDS if snr_db >= least)


def adjust(cells: Sequence[Cell]) -> CaseMix:
    """Levels of every agent. Without at least two levels of some factor, adjusted and raw figures are the same."""
    import numpy as np

    ordered = sorted(cell for cell in cells if cell.n)
    agents, who = _coded([cell.agent_id for cell in ordered])
    count = np.array([cell.n for cell in ordered], dtype=float)
    total = np.array([cell.total for cell in ordered])
    squares = np.array([cell.squares for cell in ordered])
    design, labels, counted = _design(ordered, count)
    n = np.bincount(who, count, len(agents))
    mean = np.bincount(who, total, len(agents)) / np.maximum(n, 1)
    if labels:
        means = np.stack([np.bincount(who, count * column, len(agents)) / n for column in design.T], axis=1)
        within = design - means[who]
        left = within.T @ (within * count[:, None])
        right = within.T @ (total - count * mean[who])
        effects = np.linalg.lstsq(left, right, rcond=1e-9)[0]
        overall = (design * count[:, None]).sum(0) / count.sum()
        shift = (design - overall) @ effects
    else:
        effects, shift = np.zeros(0), np.zeros(len(ordered))
    levels = _levels(agents, who, count, total, squares, shift)
    shown = {key: float(effect) for key, effect in zip(labels, effects, strict=True)}
    return CaseMix(levels, _centred(shown, counted), counted, bool(labels))


def _coded(texts: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    """The different texts, sorted, and the place of each text among them."""
    import numpy as np

    names = sorted(set(texts))
    place = {name: index for index, name in enumerate(names)}
    return names, np.array([place[text] for text in texts], dtype=np.int64)


def _design(
    cells: Sequence[Cell], count: NDArray[np.float64]
) -> tuple[NDArray[np.float64], list[tuple[str, str]], dict[tuple[str, str], int]]:
    """0/1 columns of every level but the first of each factor, their labels, and how many calls each level has.

    Levels seen less than LEAST_CALLS times are one level together.
    """
    import numpy as np

    columns, labels = [np.zeros((len(cells), 0))], []
    counted: dict[tuple[str, str], int] = {}
    for index, factor in enumerate(FACTORS):
        names, codes = _coded([cell.levels[index] for cell in cells])
        calls = np.bincount(codes, count, len(names))
        common = [name if calls[code] >= LEAST_CALLS else OTHER for code, name in enumerate(names)]
        levels = sorted(set(common))
        merged = np.array([levels.index(name) for name in common], dtype=np.int64)[codes]
        counted |= {
            (factor, level): int(calls_of) for level, calls_of in zip(levels, np.bincount(merged, count), strict=True)
        }
        columns.append((merged[:, None] == np.arange(1, len(levels))).astype(float))
        labels += [(factor, level) for level in levels[1:]]
    return np.concatenate(columns, axis=1), labels, counted


def _levels(
    agents: Sequence[str],
    who: NDArray[np.int64],
    count: NDArray[np.float64],
    total: NDArray[np.float64],
    squares: NDArray[np.float64],
    shift: NDArray[np.float64],
) -> dict[str, Level]:
    import numpy as np

    def sums(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(who, values, len(agents)).astype(float)

    n = sums(count)
    mean, raw_squares = sums(total) / np.maximum(n, 1), sums(squares)
    adjusted = sums(total - shift * count) / np.maximum(n, 1)
    adjusted_squares = sums(squares - 2 * shift * total + shift**2 * count)
    return {
        agent_id: Level(
            int(n[index]),
            float(mean[index]),
            float(max(0.0, raw_squares[index] - n[index] * mean[index] ** 2)),
            float(adjusted[index]),
            float(max(0.0, adjusted_squares[index] - n[index] * adjusted[index] ** 2)),
        )
        for index, agent_id in enumerate(agents)
    }


def _centred(
    effects: dict[tuple[str, str], float], counted: dict[tuple[str, str], int]
) -> dict[tuple[str, str], float]:
    """Effects against the average call of the centre, for every level."""
    centred: dict[tuple[str, str], float] = {}
    for factor in FACTORS:
        levels = {key: count for key, count in counted.items() if key[0] == factor}
        number = sum(levels.values())
        average = sum(effects.get(key, 0.0) * count for key, count in levels.items()) / number if number else 0.0
        centred |= {key: effects.get(key, 0.0) - average for key in levels if len(levels) > 1}
    return centred
