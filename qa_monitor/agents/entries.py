"""The records of a ledger: one agent's figures of a period, a team's, and what could not be matched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from qa_monitor.agents.casemix import CaseMix
from qa_monitor.agents.indicators import NOTHING, Indicators
from qa_monitor.agents.interval import EMPTY, Figure
from qa_monitor.agents.placing import Period, Stay
from qa_monitor.agents.shrink import Prior

REVIEW_NAMES = {
    "machine": "机器初评",
    "confirmed": "人工确认",
    "changed": "人工改判",
    "appealed": "申诉中",
}
CONFIRMED_STATES = ("confirmed", "changed")
ITEM_NAMES = {
    "model.politeness": "礼貌程度（模型）",
    "model.resolution": "问题解决（模型）",
    "model.satisfaction": "客户满意度（模型）",
    "veto": "一票否决（其余分数）",
    "bonus": "加分",
    "rounding": "取整",
    "unknown": "内容已删除，原因不详",
}


@dataclass(frozen=True, slots=True)
class Cost:
    """What an item cost: points a scored call on average, and in how many calls it cost anything."""

    item: str
    per_call: float
    calls: int


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """The mean score of a period."""

    period: str
    points: Figure


@dataclass(frozen=True, slots=True)
class Driver:
    """How much an item moved the mean score against the period before: positive helped."""

    item: str
    change: float


@dataclass(frozen=True, slots=True)
class Rank:
    """Place among those ranked: somewhere in best…worst as far as intervals tell; `place` by the adjusted mean alone."""

    best: int
    worst: int
    place: int
    of: int

    @property
    def settled(self) -> bool:
        return self.best == self.worst


@dataclass(frozen=True, slots=True)
class StayFigures:
    """One agent's calls during one stay in a team."""

    stay: Stay
    calls: int
    points: Figure

    def days(self) -> str:
        first, last = date.fromordinal(self.stay.first), date.fromordinal(self.stay.last)
        return f"{first.month}-{first.day:02d} 至 {last.month}-{last.day:02d}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One agent over one period. Points are 0–100; what `points`, `adjusted` and `shrunken` are: see `ledger`.

    `calls` were processed, `scored` have points, `handled` is the centre's own count of calls answered. `states` holds
    the mean score by state of review. `costs` are sorted, dearest first, and sum to 100 − the mean score.
    """

    agent_id: str
    name: str
    team: str
    skill_group: str
    post: str
    hired_on: str | None
    is_new: bool
    stays: tuple[StayFigures, ...]
    calls: int
    scored: int
    enough: bool
    points: Figure = EMPTY
    adjusted: Figure = EMPTY
    shrunken: Figure = EMPTY
    states: Mapping[str, Figure] = field(default_factory=dict)
    dimensions: Mapping[str, Figure] = field(default_factory=dict)
    measures: Mapping[str, Figure] = field(default_factory=dict)
    surveyed: Figure = EMPTY
    handled: float | None = None
    costs: tuple[Cost, ...] = ()
    rank: Rank | None = None
    trend: tuple[TrendPoint, ...] = ()
    drivers: tuple[Driver, ...] = ()
    indicators: Indicators = NOTHING
    business: tuple[tuple[str, int], ...] = ()  # calls by business type, commonest first
    before_dimensions: Mapping[str, Figure] = field(default_factory=dict)  # of the period before
    before_measures: Mapping[str, Figure] = field(default_factory=dict)
    suspected: int = 0  # findings that cost nothing until a person confirms them
    vetoed: tuple[int, int] = (0, 0)  # calls with a veto, of these confirmed by a person

    @property
    def coverage(self) -> float | None:
        return self.calls / self.handled if self.handled else None

    def state_count(self, *states: str) -> int:
        return sum(self.states[state].n for state in states if state in self.states)


@dataclass(frozen=True, slots=True)
class TeamEntry:
    """A team over a period: every call its members took while they were in it."""

    team: str
    agents: int
    calls: int
    scored: int
    points: Figure
    dimensions: Mapping[str, Figure]
    measures: Mapping[str, Figure]
    costs: tuple[Cost, ...]


@dataclass(frozen=True, slots=True)
class Unmatched:
    """Something that found no agent or no counterpart, with what to do about it."""

    kind: str
    agent_id: str
    count: int
    detail: str
    hint: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """A period. `entries` are the agents asked for, by 工号; `centre` is the mean over all agents' calls.

    `names` gives every item (rule id, model item) a name for people. `everybody` is how many agents the rank is among.
    """

    period: Period
    entries: tuple[Entry, ...]
    teams: tuple[TeamEntry, ...]
    centre: Figure
    dimensions: tuple[str, ...]
    names: Mapping[str, str]
    unmatched: tuple[Unmatched, ...]
    casemix: CaseMix
    prior: Prior | None
    min_calls: int
    versions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    whole: bool = True  # every agent is in `entries`

    def item_name(self, item: str) -> str:
        return ITEM_NAMES.get(item) or self.names.get(item, item)

    def entry(self, agent_id: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.agent_id == agent_id), None)

    def team(self, name: str) -> TeamEntry | None:
        return next((team for team in self.teams if team.team == name), None)
