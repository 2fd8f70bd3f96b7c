"""The roster: who the agents are, where they sit and since when. 工号 is text, and people are never matched by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from qa_monitor.agents.columns import iso_date, load_aliases, match_columns
from qa_monitor.errors import RecordsFileError
from qa_monitor.records import Agent, Note
from qa_monitor.settings import resource_dir
from qa_monitor.tables import Row, plain_id, read_table

ALIASES_FILE = "roster_columns.yaml"


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not taken, and why."""

    file: str
    row: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file} 第 {self.row} 行：{self.reason}"


@dataclass(frozen=True, slots=True)
class RosterImport:
    """What a roster file held."""

    agents: tuple[Agent, ...]
    rejected: tuple[Rejected, ...]
    notes: tuple[Note, ...]


def read_roster(path: Path, aliases_file: Path | None = None, encoding: str | None = None) -> RosterImport:
    """Every line of a roster. Raises RecordsFileError when the file has no 工号 or no 姓名 column."""
    aliases = load_aliases(aliases_file or resource_dir("rules") / ALIASES_FILE)
    table = read_table(path, frozenset(name for names in aliases.values() for name in names), encoding)
    columns = match_columns(table.columns, aliases)
    for needed, label in (("agent_id", "工号"), ("name", "姓名")):
        if needed not in columns:
            raise RecordsFileError(
                f"没有“{label}”列（现有：{'、'.join(table.columns[:8])}）",
                where=str(path),
                hint=f"请补上该列，或在 rules/{ALIASES_FILE} 里写明它的叫法",
            )
    rejected = [Rejected(path.name, number, reason) for number, reason in table.rejected]
    agents: dict[tuple[str, str], Agent] = {}
    for row in table.rows:
        try:
            agent = _agent(row, columns)
            key = (agent.agent_id, agent.valid_from or "")
            if key in agents and agents[key] != agent:
                raise ValueError(f"工号 {agent.agent_id} 在同一生效日期有两行不同内容")
            agents[key] = agent
        except ValueError as error:
            rejected.append(Rejected(path.name, row.number, str(error)))
    return RosterImport(tuple(_closed(list(agents.values()))), tuple(rejected), table.notes)


def _agent(row: Row, columns: dict[str, str]) -> Agent:
    def cell(field: str) -> str:
        return row.cells.get(columns.get(field, ""), "").strip()

    def day(field: str) -> str | None:
        text = cell(field)
        if not text or text in ("-", "/", "无", "至今"):
            return None
        found = iso_date(text)
        if found is None:
            raise ValueError(f"{columns[field]}“{text}”不是日期")
        return found

    agent_id = plain_id(cell("agent_id"))
    if not agent_id:
        raise ValueError("没有工号")
    if not cell("name"):
        raise ValueError(f"工号 {agent_id} 没有姓名")
    valid_from, valid_to = day("valid_from"), day("valid_to")
    if valid_from and valid_to and valid_to < valid_from:
        raise ValueError(f"工号 {agent_id} 的失效日期早于生效日期")
    return Agent(
        agent_id, cell("name"), cell("team"), cell("skill_group"), cell("post"), day("hired_on"), valid_from, valid_to
    )


def _closed(agents: list[Agent]) -> list[Agent]:
    """A line without an end ends the day before the same agent's next line begins."""
    ordered = sorted(agents, key=lambda agent: (agent.agent_id, agent.valid_from or ""))
    for index, agent in enumerate(ordered[:-1]):
        following = ordered[index + 1]
        if following.agent_id == agent.agent_id and agent.valid_to is None and following.valid_from:
            ordered[index] = replace(agent, valid_to=_day_before(following.valid_from))
    return ordered


def _day_before(day: str) -> str:
    from datetime import date, timedelta

    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def valid_on(lines: Sequence[Agent], day: str) -> Agent | None:
    """Of one agent's lines, the one in force on `day` (ISO); the newest when the day is not known."""
    for line in reversed(lines):
        if not day or ((line.valid_from or "") <= day <= (line.valid_to or "9999")):
            return line
    return None
