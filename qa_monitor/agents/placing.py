"""Who an agent was on the day of a call: lines of the roster in force, moves between teams, and those never found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from qa_monitor.agents.roster import valid_on
from qa_monitor.records import Agent

NOT_IN_ROSTER = "名册中没有这个工号"
OUT_OF_DATES = "通话日期不在名册的在岗日期内"


@dataclass(frozen=True, slots=True)
class Period:
    """A month: `name` 2026-11, its first day and the first day after it (ISO)."""

    name: str
    since: str
    until: str

    @property
    def last_day(self) -> str:
        return (date.fromisoformat(self.until) - timedelta(days=1)).isoformat()

    def before(self, months: int = 1) -> Period:
        """The month `months` earlier."""
        year, month = (int(part) for part in self.name.split("-"))
        index = year * 12 + month - 1 - months
        return month_period(f"{index // 12:04d}-{index % 12 + 1:02d}")


def month_period(name: str) -> Period:
    """`2026-11` as a period. Raises ValueError for anything else."""
    first = date.fromisoformat(f"{name}-01")
    after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    if name != f"{first.year:04d}-{first.month:02d}":
        raise ValueError(name)
    return Period(name, first.isoformat(), after.isoformat())


@dataclass(frozen=True, slots=True)
class Stay:
    """Days [first, last] (ordinals) of a period that an agent spent under one line of the roster."""

    line: Agent
    first: int
    last: int


class Roster:
    """Roster lines by 工号. People are never matched by name."""

    def __init__(self, lines: Iterable[Agent]) -> None:
        self._lines: dict[str, list[Agent]] = {}
        for line in sorted(lines, key=lambda line: (line.agent_id, line.valid_from or "")):
            self._lines.setdefault(line.agent_id, []).append(line)
        self._stays: dict[tuple[str, str], tuple[Stay, ...]] = {}

    def __contains__(self, agent_id: str) -> bool:
        return agent_id in self._lines

    def ids(self) -> list[str]:
        return sorted(self._lines)

    def lines_of(self, agent_id: str) -> Sequence[Agent]:
        return self._lines.get(agent_id, ())

    def stays(self, agent_id: str, period: Period) -> tuple[Stay, ...]:
        """The agent's lines in force during the period, in order; empty when there is none."""
        key = (agent_id, period.name)
        if key not in self._stays:
            self._stays[key] = self._find_stays(agent_id, period)
        return self._stays[key]

    def _find_stays(self, agent_id: str, period: Period) -> tuple[Stay, ...]:
        first, last = date.fromisoformat(period.since).toordinal(), date.fromisoformat(period.last_day).toordinal()
        lines = self.lines_of(agent_id)
        if len(lines) == 1:
            starts = _ordinal(lines[0].valid_from, first)
            ends = _ordinal(lines[0].valid_to, last)
            return (Stay(lines[0], max(first, starts), min(last, ends)),) if starts <= last and ends >= first else ()
        stays: list[Stay] = []
        for day in range(first, last + 1):
            line = valid_on(lines, date.fromordinal(day).isoformat())
            if line is None:
                continue
            if stays and stays[-1].line == line and stays[-1].last == day - 1:
                stays[-1] = Stay(line, stays[-1].first, day)
            else:
                stays.append(Stay(line, day, day))
        return tuple(stays)


def _ordinal(day: str | None, otherwise: int) -> int:
    return date.fromisoformat(day).toordinal() if day else otherwise


def is_new(hired_on: str | None, period: Period, days: int) -> bool:
    """Fewer than `days` days between the hiring and the period's end."""
    if not hired_on or hired_on > period.last_day:
        return bool(hired_on)
    return (date.fromisoformat(period.last_day) - date.fromisoformat(hired_on)).days < days
