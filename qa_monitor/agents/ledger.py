"""The ledger: fair figures for each agent and period, with everything they rest on.

points    the plain mean of the agent's scored calls; nobody else's calls touch it
adjusted  the same with the centre's mix of calls (see `casemix`)
shrunken  the adjusted mean drawn towards everybody's, the more so the fewer calls there are (see `shrink`)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from qa_monitor.agents.casemix import CaseMix, Cell, Level, adjust
from qa_monitor.agents.entries import (
    CONFIRMED_STATES,
    Cost,
    Driver,
    Entry,
    Ledger,
    Rank,
    TeamEntry,
    TrendPoint,
    Unmatched,
)
from qa_monitor.agents.frame import CallFrame
from qa_monitor.agents.indicators import HANDLED, NOTHING, Indicators
from qa_monitor.agents.interval import EMPTY, Figure, figure_of, share_figure
from qa_monitor.agents.measures import MEASURES
from qa_monitor.agents.placing import Period, Roster, is_new
from qa_monitor.agents.ranking import ranks
from qa_monitor.agents.rows import (
    Sums,
    businesses,
    by_state,
    dimension_figures,
    figure_of_sums,
    item_costs,
    points_figure,
    rows_during,
    scored_in,
    stay_figures,
)
from qa_monitor.agents.shrink import Prior, prior_of, shrunken
from qa_monitor.agents.tallies import suspected, vetoes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class LedgerInput:
    """What a ledger is made of. `frame` and `earlier` hold matched calls only (see `matching.matched`).

    `cells` cover every agent of the centre, `frame` at least those in `wanted` (None: all). `history` holds the sums of
    earlier periods: (工号, period) → scored calls, Σ points, Σ points².
    """

    period: Period
    roster: Roster
    frame: CallFrame
    cells: Sequence[Cell]
    earlier: CallFrame | None = None
    history: Mapping[tuple[str, str], Sums] = field(default_factory=dict)
    indicators: Mapping[str, Indicators] = field(default_factory=dict)
    unmatched: Sequence[Unmatched] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    min_calls: int = 5
    new_days: int = 90
    wanted: frozenset[str] | None = None
    teams: frozenset[str] | None = None  # those all of whose members are in `frame`; None: every team
    dimensions: Sequence[str] = ()  # the order to show them in


def build_ledger(given: LedgerInput) -> Ledger:
    """The ledger of a period. The order in which calls were read changes nothing."""
    mix = adjust(given.cells)
    levels = {agent_id: level for agent_id, level in mix.levels.items() if agent_id in given.roster}
    prior = prior_of([(level.count, level.adjusted_mean, level.adjusted_squares) for level in levels.values()])
    adjusted = {agent_id: _adjusted(level) for agent_id, level in levels.items()}
    enough = {agent_id: figure for agent_id, figure in adjusted.items() if figure.n >= given.min_calls}
    placed = ranks(enough)
    making = _Making(given, mix, levels, prior, adjusted, placed)
    wanted = [agent_id for agent_id in given.roster.ids() if given.wanted is None or agent_id in given.wanted]
    entries = [entry for agent_id in wanted if (entry := making.entry(agent_id)) is not None]
    return Ledger(
        period=given.period,
        entries=tuple(entries),
        teams=making.teams(),
        centre=_pooled(levels),
        dimensions=tuple(sorted(given.frame.dimensions, key=_in_order(given.dimensions))),
        names=given.names,
        unmatched=tuple(given.unmatched),
        casemix=mix,
        prior=prior,
        min_calls=given.min_calls,
        versions=given.frame.versions,
        whole=given.wanted is None,
    )


def _in_order(first: Sequence[str]) -> Callable[[str], tuple[int, str]]:
    """A sorting key: the names in `first` as they stand there, then the others by name."""
    place = {name: index for index, name in enumerate(first)}
    return lambda name: (place.get(name, len(place)), name)


def _adjusted(level: Level) -> Figure:
    return figure_of(level.count, level.adjusted_mean, level.adjusted_squares, 0.0, 100.0)


def _pooled(levels: Mapping[str, Level]) -> Figure:
    """The mean over all calls of all agents."""
    count = sum(level.count for level in levels.values())
    if not count:
        return EMPTY
    mean = sum(level.count * level.mean for level in levels.values()) / count
    squares = sum(level.squares + level.count * (level.mean - mean) ** 2 for level in levels.values())
    return figure_of(count, mean, squares, 0.0, 100.0)


class _Making:
    """What the entries of one ledger share."""

    def __init__(
        self,
        given: LedgerInput,
        mix: CaseMix,
        levels: Mapping[str, Level],
        prior: Prior | None,
        adjusted: Mapping[str, Figure],
        placed: Mapping[str, Rank],
    ) -> None:
        self.given, self.mix, self.levels = given, mix, levels
        self.prior, self.adjusted, self.placed = prior, adjusted, placed
        self.stays = {
            agent_id: given.roster.stays(agent_id, given.period)
            for agent_id in given.roster.ids()
            if given.wanted is None or agent_id in given.wanted
        }

        self.earlier_names = sorted({name for _, name in given.history if name < given.period.name})

    def entry(self, agent_id: str) -> Entry | None:
        """The agent's entry; None when the roster has the agent nowhere in this period."""
        stays = self.stays[agent_id]
        if not stays:
            return None
        given, frame, line = self.given, self.given.frame, stays[-1].line
        rows = frame.rows_of(agent_id)
        earlier, before = given.earlier, given.earlier.rows_of(agent_id) if given.earlier else slice(0, 0)
        level = self.levels.get(agent_id)
        indicators = given.indicators.get(agent_id, NOTHING)
        scored = level.count if level else 0
        points = figure_of(level.count, level.mean, level.squares, 0.0, 100.0) if level else EMPTY
        costs = item_costs(frame, rows)
        survey = indicators.survey()
        enough = scored >= given.min_calls
        return Entry(
            agent_id=agent_id,
            name=line.name,
            team=line.team,
            skill_group=line.skill_group,
            post=line.post,
            hired_on=line.hired_on,
            is_new=is_new(line.hired_on, given.period, given.new_days),
            stays=tuple(stay_figures(frame, rows, stay) for stay in stays),
            calls=rows.stop - rows.start,
            scored=scored,
            enough=enough,
            points=points,
            adjusted=self.adjusted.get(agent_id, EMPTY),
            shrunken=shrunken(self.prior, level.count, level.adjusted_mean) if level else EMPTY,
            states=by_state(frame, rows),
            dimensions=dimension_figures(frame, rows),
            measures={measure.key: measure.of(frame, rows) for measure in MEASURES},
            surveyed=share_figure(*survey) if survey else EMPTY,
            handled=indicators.number(HANDLED),
            costs=costs,
            rank=self.placed.get(agent_id) if enough else None,
            trend=self.trend(agent_id, points),
            drivers=self.drivers(agent_id, costs, scored),
            indicators=indicators,
            business=businesses(frame, rows),
            before_dimensions=dimension_figures(earlier, before) if earlier else {},
            before_measures={measure.key: measure.of(earlier, before) for measure in MEASURES} if earlier else {},
            suspected=suspected(frame, rows),
            vetoed=vetoes(frame, rows, CONFIRMED_STATES),
        )

    def trend(self, agent_id: str, now: Figure) -> tuple[TrendPoint, ...]:
        """The mean score of earlier periods that have one, oldest first, and of this one."""
        earlier = [
            TrendPoint(name, figure_of_sums(self.given.history[agent_id, name]))
            for name in self.earlier_names
            if (agent_id, name) in self.given.history
        ]
        return (*earlier, TrendPoint(self.given.period.name, now))

    def drivers(self, agent_id: str, costs: Sequence[Cost], scored: int) -> tuple[Driver, ...]:
        """What moved the mean against the period before; the changes sum to the move. Empty without both periods."""
        earlier = self.given.earlier
        if earlier is None or not scored:
            return ()
        rows = earlier.rows_of(agent_id)
        if not scored_in(earlier, rows):
            return ()
        before = {cost.item: cost.per_call for cost in item_costs(earlier, rows)}
        now = {cost.item: cost.per_call for cost in costs}
        moved = [Driver(item, before.get(item, 0.0) - now.get(item, 0.0)) for item in {*before, *now}]
        return tuple(sorted(moved, key=lambda driver: (-abs(driver.change), driver.item)))

    def teams(self) -> tuple[TeamEntry, ...]:
        import numpy as np

        frame = self.given.frame
        members: dict[str, list[NDArray[np.int64]]] = {}
        who: dict[str, set[str]] = {}
        for agent_id, stays in self.stays.items():
            rows = frame.rows_of(agent_id)
            for stay in stays:
                who.setdefault(stay.line.team, set()).add(agent_id)
                members.setdefault(stay.line.team, []).append(rows_during(frame, rows, stay))
        return tuple(
            _team(frame, team, len(who[team]), np.sort(np.concatenate(members[team])))
            for team in sorted(members, key=_by_number)
            if team and (self.given.teams is None or team in self.given.teams)
        )


def _by_number(name: str) -> list[tuple[int, str]]:
    """A sorting key that puts 9班 before 10班."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _team(frame: CallFrame, team: str, agents: int, rows: NDArray[np.int64]) -> TeamEntry:
    points = points_figure(frame, rows)
    return TeamEntry(
        team=team,
        agents=agents,
        calls=len(rows),
        scored=points.n,
        points=points,
        dimensions=dimension_figures(frame, rows),
        measures={measure.key: measure.of(frame, rows) for measure in MEASURES},
        costs=item_costs(frame, rows),
    )
