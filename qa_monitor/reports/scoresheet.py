"""Everything a period's score sheets show, gathered once; Excel, CSV and JSON are drawn from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import qa_monitor
from qa_monitor.agents.coaching import Advice, Coaching, advise, dearest_items, effects
from qa_monitor.agents.entries import Entry, Ledger
from qa_monitor.agents.examples import Example, Pick, best_and_worst, deductions, kept, worst_of
from qa_monitor.agents.frame import CallFrame
from qa_monitor.agents.links import Link, RuleLink, links, rule_links
from qa_monitor.agents.pay import Pay, apply_policy
from qa_monitor.agents.read_policy import PolicyFile
from qa_monitor.agents.rows import item_costs
from qa_monitor.agents.tallies import by_agent, satisfaction_by_rule, tallies
from qa_monitor.agents.training import Course
from qa_monitor.records import Note
from qa_monitor.store.agent_evidence import examples
from qa_monitor.store.agent_ledger import PeriodData
from qa_monitor.store.store import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CALLS_SHOWN = 3  # best and worst
DEDUCTIONS_IN_ALL = 20  # of each agent, in a workbook of many agents
MODEL_CANDIDATES = 5  # calls looked through for words that show how it is done


@dataclass(frozen=True, slots=True)
class AgentSheet:
    """What one agent's sheet shows beside the ledger's entry."""

    entry: Entry
    pay: Pay | None
    deductions: tuple[Example, ...]
    deductions_in_all: int
    best: tuple[Example, ...]
    worst: tuple[Example, ...]
    coaching: Coaching


@dataclass(frozen=True, slots=True)
class ScoreSheet:
    """The score sheets of a period. `agents` are those asked for with at least one call, by 工号."""

    title: str
    created_at: str
    ledger: Ledger
    policy: PolicyFile | None
    agents: tuple[AgentSheet, ...]
    team_coaching: tuple[Coaching, ...]
    links: tuple[Link, ...]
    rule_links: tuple[RuleLink, ...]
    versions: tuple[tuple[str, str], ...]
    notes: tuple[Note, ...]
    ranked: bool = False  # places were asked for although intervals overlap
    call_link: str = ""

    @property
    def entries(self) -> tuple[Entry, ...]:
        return self.ledger.entries

    def link_of(self, example: Example) -> str:
        """The address of a call, '' when none was configured."""
        return self.call_link.replace("{key}", example.key).replace("{sha256}", example.sha256)


def build_score_sheet(
    store: Store,
    data: PeriodData,
    *,
    wanted: Iterable[str] | None = None,
    policy: PolicyFile | None = None,
    courses: tuple[Course, ...] = (),
    ranked: bool = False,
    call_link: str = "",
) -> ScoreSheet:
    """Score sheets of the agents in `wanted` (all of the ledger when None)."""
    ledger = data.ledger
    chosen = None if wanted is None else frozenset(wanted)
    pays = apply_policy(policy.policy, ledger) if policy is not None else {}
    entries = [e for e in ledger.entries if (chosen is None or e.agent_id in chosen) and e.calls]
    limit = None if len(entries) == 1 else DEDUCTIONS_IN_ALL
    making = _Making(data, courses)
    drafts = [making.draft(entry, limit) for entry in entries]
    teams = making.team_coaching({entry.team for entry in entries})
    found = examples(store, making.picks)
    shown = replace(ledger, entries=tuple(e for e in ledger.entries if chosen is None or e.agent_id in chosen))
    whole = ledger.whole and chosen is None
    now = datetime.now().astimezone()
    return ScoreSheet(
        title=f"坐席质检成绩单 {ledger.period.name}",
        created_at=now.isoformat(timespec="seconds"),
        ledger=shown,
        policy=policy,
        agents=tuple(draft.filled(found, pays.get(draft.entry.agent_id)) for draft in drafts),
        team_coaching=tuple(_with_examples(coaching, choices, found) for coaching, choices in teams),
        links=_links(data) if whole else (),
        rule_links=_rule_links(data) if whole else (),
        versions=_versions(ledger, policy),
        notes=data.notes,
        ranked=ranked,
        call_link=call_link,
    )


@dataclass(frozen=True, slots=True)
class _Choices:
    """Calls that may stand as bad, good and model example of an item, the best choice first."""

    bad: tuple[Pick, ...]
    good: tuple[Pick, ...]
    model: tuple[Pick, ...]


@dataclass(frozen=True, slots=True)
class _Draft:
    """An agent's sheet before its words were read."""

    entry: Entry
    deductions: tuple[Pick, ...]
    deductions_in_all: int
    best: tuple[Pick, ...]
    worst: tuple[Pick, ...]
    coaching: Coaching
    choices: dict[str, _Choices]

    def filled(self, found: dict[tuple[str, str], Example], pay: Pay | None) -> AgentSheet:
        def of(picks: Sequence[Pick]) -> tuple[Example, ...]:
            return tuple(found[pick.sha256, pick.item] for pick in picks if (pick.sha256, pick.item) in found)

        return AgentSheet(
            self.entry, pay, of(self.deductions), self.deductions_in_all, of(self.best), of(self.worst),
            _with_examples(self.coaching, self.choices, found),
        )  # fmt: skip


def _with_examples(coaching: Coaching, choices: dict[str, _Choices], found: dict[tuple[str, str], Example]) -> Coaching:
    def first(picks: Sequence[Pick], not_of: str = "") -> Example | None:
        there = [found[pick.sha256, pick.item] for pick in picks if (pick.sha256, pick.item) in found]
        there = [example for example in there if example.agent_id != not_of or not not_of]
        return next((example for example in there if example.quote), there[0] if there else None)

    def complete(advice: Advice) -> Advice:
        of = choices[advice.item]
        return replace(advice, bad=first(of.bad), good=first(of.good), model=first(of.model, coaching.agent_id))

    return replace(coaching, advice=tuple(complete(advice) for advice in coaching.advice))


class _Making:
    """Collects what each sheet needs, and every call whose words must be read."""

    def __init__(self, data: PeriodData, courses: tuple[Course, ...]) -> None:
        self.data, self.courses = data, courses
        self.picks: list[Pick] = []
        self._dimension_of = {**data.earlier.rule_dimensions, **data.frame.rule_dimensions}
        self._models: dict[tuple[str, str], tuple[Pick, ...]] = {}
        self._team_rows: dict[str, NDArray[np.int64]] = {}

    def draft(self, entry: Entry, limit: int | None) -> _Draft:
        frame = self.data.frame
        rows = frame.rows_of(entry.agent_id)
        chosen, in_all = deductions(frame, entry.agent_id, limit)
        best, worst = best_and_worst(frame, entry.agent_id, CALLS_SHOWN)
        coaching = self._coaching(entry, rows)
        choices = {
            advice.item: self._choices(entry.agent_id, entry.team, rows, advice.item) for advice in coaching.advice
        }
        self.picks += [*chosen, *best, *worst]
        return _Draft(entry, tuple(chosen), in_all, tuple(best), tuple(worst), coaching, choices)

    def _coaching(self, entry: Entry, rows: slice) -> Coaching:
        earlier = self.data.earlier
        before = earlier.rows_of(entry.agent_id)
        earlier_costs = item_costs(earlier, before)
        now = tallies(self.data.frame, rows)
        then = tallies(earlier, before) if dearest_items(earlier_costs) else {}
        names = {item: self.data.ledger.item_name(item) for item in {*now, *then}}
        return Coaching(
            entry.agent_id,
            entry.team,
            advise(entry.costs, now, names, self._dimension_of, self.courses),
            effects(earlier_costs, then, now, names, self._dimension_of, self.courses),
        )

    def _choices(self, agent_id: str, team: str, rows: slice, item: str) -> _Choices:
        import numpy as np

        frame = self.data.frame
        bad = worst_of(frame, rows, item)
        good = kept_well(frame, np.arange(rows.start, rows.stop), item)
        choices = _Choices((bad,) if bad else (), good, self._model(team, item))
        self.picks += [*choices.bad, *choices.good, *choices.model]
        return choices

    def _model(self, team: str, item: str) -> tuple[Pick, ...]:
        """The team's best calls that keep the rule, at most one an agent, so that a colleague's can be found."""
        if (team, item) not in self._models:
            frame = self.data.frame
            picks = kept_well(frame, self._rows_of_team(team), item, 4 * MODEL_CANDIDATES)
            one_each = {int(frame.agent[pick.row]): pick for pick in reversed(picks)}
            self._models[team, item] = tuple(
                sorted(one_each.values(), key=lambda pick: (-frame.points[pick.row], pick.row))
            )
        return self._models[team, item][:MODEL_CANDIDATES]

    def _rows_of_team(self, team: str) -> NDArray[np.int64]:
        import numpy as np

        if team not in self._team_rows:
            frame = self.data.frame
            mates = [entry.agent_id for entry in self.data.ledger.entries if entry.team == team]
            parts = [np.arange(rows.start, rows.stop) for rows in map(frame.rows_of, mates)]
            self._team_rows[team] = np.concatenate(parts) if parts else np.zeros(0, np.int64)
        return self._team_rows[team]

    def team_coaching(self, teams: set[str]) -> list[tuple[Coaching, dict[str, _Choices]]]:
        found = []
        for team in self.data.ledger.teams:
            if team.team not in teams:
                continue
            rows = self._rows_of_team(team.team)
            now = tallies(self.data.frame, rows)
            names = {item: self.data.ledger.item_name(item) for item in now}
            advice = advise(team.costs, now, names, self._dimension_of, self.courses)
            choices = {one.item: _Choices((), (), self._model(team.team, one.item)) for one in advice}
            self.picks += [pick for choice in choices.values() for pick in choice.model]
            found.append((Coaching("", team.team, advice, ()), choices))
        return found


def kept_well(frame: CallFrame, rows: NDArray[np.int64], item: str, count: int = MODEL_CANDIDATES) -> tuple[Pick, ...]:
    """The best calls in which a rule was judged and kept; for a model item, in which it cost nothing."""
    if item in frame.rules:
        rows = rows[frame.verdicts[rows, frame.rules.index(item)] == b"p"]
    return tuple(kept(frame, rows, item, count))


def _links(data: PeriodData) -> tuple[Link, ...]:
    """Correlations of every month of the trend that has records, newest first."""
    by_period: dict[str, dict[str, tuple[int, float]]] = {}
    for (agent_id, name), (count, total, _) in data.history.items():
        if count:
            by_period.setdefault(name, {})[agent_id] = (count, total / count)
    by_period[data.ledger.period.name] = {
        entry.agent_id: (entry.scored, entry.points.value or 0.0) for entry in data.ledger.entries if entry.scored
    }
    return tuple(
        link
        for name in sorted(data.records, reverse=True)
        for link in links(name, by_period.get(name, {}), data.records[name], data.ledger.min_calls)
    )


def _rule_links(data: PeriodData) -> tuple[RuleLink, ...]:
    return rule_links(
        satisfaction_by_rule(data.frame),
        by_agent(data.frame),
        data.records.get(data.ledger.period.name, {}),
        data.ledger.names,
        data.ledger.min_calls,
    )


def _versions(ledger: Ledger, policy: PolicyFile | None) -> tuple[tuple[str, str], ...]:
    def short(name: str) -> str:
        return "、".join(version[:12] for version in ledger.versions.get(name, ())) or "—"

    return (
        ("程序版本", qa_monitor.__version__),
        ("规则版本", short("rulebook")),
        ("评分表版本", short("scorecard")),
        ("绩效办法", f"{policy.label}，文件 {policy.file}" if policy else "未使用"),
    )
