"""The lists of a score sheet, column by column: ranking, teams, deductions, coaching, links and what found no match."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qa_monitor.agents.coaching import Advice, Coaching
from qa_monitor.agents.entries import CONFIRMED_STATES, REVIEW_NAMES, Entry, Rank, TeamEntry, Unmatched
from qa_monitor.agents.examples import Example
from qa_monitor.agents.interval import EMPTY
from qa_monitor.agents.measures import BY_KEY, MEASURES
from qa_monitor.agents.pay import Pay
from qa_monitor.reports import figures
from qa_monitor.reports.columns import Cell, Column, ColumnKind
from qa_monitor.reports.scoresheet import ScoreSheet
from qa_monitor.reports.scoresheet_blocks import is_share, record_cell
from qa_monitor.reports.scoresheet_parts import shown
from qa_monitor.reports.scoresheet_words import said, where


@dataclass(frozen=True, slots=True)
class Ranked:
    """A line of the ranking."""

    entry: Entry
    pay: Pay | None


@dataclass(frozen=True, slots=True)
class Deduction:
    """A line of the deductions: whose, and the evidence."""

    entry: Entry
    example: Example
    link: str


@dataclass(frozen=True, slots=True)
class Advised:
    """A line of the coaching list."""

    entry: Entry | None
    coaching: Coaching
    advice: Advice


def ranked_rows(sheet: ScoreSheet) -> list[Ranked]:
    """Those ranked by the best and worst place they may have, then the rest; equals by 工号."""
    pays = {agent.entry.agent_id: agent.pay for agent in sheet.agents}

    def order(entry: Entry) -> tuple[float, float, float, str]:
        rank = entry.rank
        if rank is None:
            return (float("inf"), float("inf"), 0.0, entry.agent_id)
        if sheet.ranked:
            return (rank.place, 0.0, 0.0, entry.agent_id)
        return (rank.best, rank.worst, 0.0, entry.agent_id)

    return [Ranked(entry, pays.get(entry.agent_id)) for entry in sorted(sheet.entries, key=order)]


def rank_words(rank: Rank | None) -> str:
    """`3`, `2–41`, or why there is no place."""
    if rank is None:
        return "样本不足"
    return str(rank.best) if rank.settled else f"{rank.best}–{rank.worst}"


def _figure(key: str, heading: str, kind: ColumnKind, of: str | None = None) -> list[Column[Ranked]]:
    """Value and limits of one of an entry's figures."""
    attribute = of or key

    def part(name: str) -> Column[Ranked]:
        label = {"value": "", "low": "\n95%下限", "high": "\n95%上限"}[name]
        suffix = "" if name == "value" else f"_{name}"

        def cell(row: Ranked) -> Cell:
            return shown(kind, getattr(getattr(row.entry, attribute), name))

        return Column(f"{key}{suffix}", heading + label, kind, 10, cell)

    return [part("value"), part("low"), part("high")]


def _measure(key: str, width: float = 9) -> Column[Ranked]:
    measure = BY_KEY[key]
    return Column(
        key, measure.name, measure.kind, width,
        lambda row: shown(measure.kind, row.entry.measures.get(key, EMPTY).value),
    )  # fmt: skip


def _change(entry: Entry) -> float | None:
    if len(entry.trend) < 2 or not entry.drivers:
        return None
    return sum(driver.change for driver in entry.drivers)


def ranking_columns(sheet: ScoreSheet) -> Sequence[Column[Ranked]]:
    """One row an agent; places only as far as the intervals bear them, unless places were asked for."""

    def dimension(name: str) -> Column[Ranked]:
        return Column(
            f"dimension.{name}", name, "points", 11,
            lambda row: figures.points(row.entry.dimensions.get(name, EMPTY).value),
        )  # fmt: skip

    place: list[Column[Ranked]] = []
    if sheet.ranked:
        place = [
            Column("place", "名次\n(未计误差)", "count", 9, lambda r: r.entry.rank.place if r.entry.rank else None)
        ]
    return [
        Column("rank", "名次区间", "text", 10, lambda r: rank_words(r.entry.rank)),
        *place,
        Column("agent_id", "工号", "id", 9, lambda r: r.entry.agent_id),
        Column("name", "姓名", "text", 10, lambda r: r.entry.name),
        Column("team", "班组", "text", 12, lambda r: r.entry.team),
        *_figure("adjusted", "调整后得分", "points"),
        Column("scored", "评分通数", "count", 9, lambda r: r.entry.scored),
        *_pay_columns(sheet),
        Column("marks", "说明", "text", 16, lambda r: marks_of(r.entry, sheet)),
        Column("points", "原始分", "points", 9, lambda r: figures.points(r.entry.points.value)),
        Column("shrunken", "收缩后", "points", 9, lambda r: figures.points(r.entry.shrunken.value)),
        Column("change", "比上期", "points", 9, lambda r: figures.points(_change(r.entry))),
        *[dimension(name) for name in sheet.ledger.dimensions],
        *[_measure(measure.key) for measure in MEASURES[:3]],
        *_figure("surveyed", "回访满意率", "share"),
        *[_measure(measure.key) for measure in MEASURES[3:]],
        Column("vetoed", "一票否决\n通数", "count", 9, lambda r: r.entry.vetoed[0]),
        Column("calls", "质检通数", "count", 9, lambda r: r.entry.calls),
        Column("handled", "接听量", "count", 9, lambda r: figures.figure("count", r.entry.handled)),
        Column("coverage", "覆盖率", "share", 9, lambda r: figures.share(r.entry.coverage)),
        Column("confirmed", "人工确认\n改判", "count", 9, lambda r: r.entry.state_count(*CONFIRMED_STATES)),
        Column("machine", "机器初评", "count", 9, lambda r: r.entry.state_count("machine")),
        Column("appealed", "申诉中", "count", 9, lambda r: r.entry.state_count("appealed")),
        Column("suspected", "疑似\n待复核", "count", 9, lambda r: r.entry.suspected),
        Column("post", "岗位", "text", 12, lambda r: r.entry.post),
        Column("skill_group", "技能组", "text", 12, lambda r: r.entry.skill_group),
        Column("hired_on", "入职日期", "text", 12, lambda r: r.entry.hired_on),
        *_record_columns(sheet),
    ]  # fmt: skip


def _pay_columns(sheet: ScoreSheet) -> list[Column[Ranked]]:
    if sheet.policy is None:
        return []
    return [
        Column("total", "综合得分", "points", 10, lambda r: figures.points(r.pay.total) if r.pay else None),
        Column("grade", "等级", "text", 8, lambda r: r.pay.grade if r.pay else ""),
        Column("coefficient", "系数", "ratio", 8, lambda r: figures.figure("ratio", r.pay.coefficient) if r.pay else None),
        Column("basis", "质检分依据", "text", 11, lambda r: pay_basis(r.pay)),
    ]  # fmt: skip


def pay_basis(pay: Pay | None) -> str:
    """Whether scores that nobody confirmed moved the pay."""
    if pay is None:
        return ""
    return "含机器初评" if pay.by_machine else "人工确认" if pay.total is not None else "未计入"


def _record_columns(sheet: ScoreSheet) -> list[Column[Ranked]]:
    metrics = sorted({metric for entry in sheet.entries for metric in entry.indicators.values})

    def column(metric: str) -> Column[Ranked]:
        values = [e.indicators.values[metric] for e in sheet.entries if metric in e.indicators.values]
        share = all(is_share(metric, value) for value in values)
        return Column(
            f"record.{metric}", metric, "share" if share else "text", 11,
            lambda row: record_cell(row.entry.indicators.values.get(metric)),
        )  # fmt: skip

    return [column(metric) for metric in metrics]


def marks_of(entry: Entry, sheet: ScoreSheet) -> str:
    """New staff, a move between teams, too few calls."""
    marks = []
    if entry.is_new:
        marks.append("新员工")
    if len(entry.stays) > 1:
        marks.append("期内调动：" + "→".join(stay.stay.line.team or "未分组" for stay in entry.stays))
    if not entry.enough:
        marks.append(f"样本不足（少于 {sheet.ledger.min_calls} 通）")
    return "；".join(marks)


def team_columns(sheet: ScoreSheet) -> Sequence[Column[TeamEntry]]:
    """One row a team."""

    def figure(of: str, heading: str) -> Column[TeamEntry]:
        return Column(
            of if of != "value" else "points", heading, "points", 10, lambda t: figures.points(getattr(t.points, of))
        )

    def dimension(name: str) -> Column[TeamEntry]:
        return Column(
            f"dimension.{name}", name, "points", 11, lambda t: figures.points(t.dimensions.get(name, EMPTY).value)
        )

    def measure(key: str) -> Column[TeamEntry]:
        one = BY_KEY[key]
        return Column(key, one.name, one.kind, 10, lambda t: shown(one.kind, t.measures.get(key, EMPTY).value))

    def dearest(team: TeamEntry) -> str:
        there = [cost for cost in team.costs if cost.item not in ("rounding", "bonus") and cost.per_call > 0][:3]
        return "；".join(f"{sheet.ledger.item_name(cost.item)} {figures.points(cost.per_call)}" for cost in there)

    return [
        Column("team", "班组", "text", 14, lambda t: t.team),
        Column("agents", "人数", "count", 8, lambda t: t.agents),
        Column("calls", "质检通数", "count", 10, lambda t: t.calls),
        Column("scored", "评分通数", "count", 10, lambda t: t.scored),
        figure("value", "平均分"),
        figure("low", "95%下限"),
        figure("high", "95%上限"),
        *[dimension(name) for name in sheet.ledger.dimensions],
        Column("dearest", "失分最多（分/通）", "long", 40, dearest),
        *[measure(one.key) for one in MEASURES],
    ]


def deduction_columns() -> Sequence[Column[Deduction]]:
    """One row a deduction with its evidence."""
    return [
        Column("agent_id", "工号", "id", 9, lambda d: d.entry.agent_id),
        Column("name", "姓名", "text", 10, lambda d: d.entry.name),
        Column("team", "班组", "text", 12, lambda d: d.entry.team),
        Column("item", "扣分项", "text", 16, lambda d: d.example.name),
        Column("cost", "失分", "points", 8, lambda d: figures.points(d.example.cost)),
        Column("started_at", "时间", "text", 20, lambda d: d.example.started_at.replace("T", " ")[:19]),
        Column("call_id", "通话编号", "id", 16, lambda d: d.example.call_id),
        Column("key", "短编号", "id", 12, lambda d: d.example.key),
        Column("call_points", "通话得分", "points", 9, lambda d: figures.points(d.example.points)),
        Column("state", "状态", "text", 10, lambda d: REVIEW_NAMES.get(d.example.review_state, d.example.review_state)),
        Column("where", "位置", "text", 12, lambda d: where(d.example)),
        Column("quote", "证据原话", "long", 40, lambda d: d.example.quote),
        Column("why", "理由", "long", 40, lambda d: d.example.why),
        Column("rule_id", "规则编号", "id", 26, lambda d: d.example.item),
        Column("link", "链接", "text", 20, lambda d: d.link),
    ]


def advice_columns() -> Sequence[Column[Advised]]:
    """One row a piece of advice; teams first."""

    def course(row: Advised, of: str) -> str:
        return getattr(row.advice.course, of) if row.advice.course else ""

    return [
        Column("team", "班组", "text", 12, lambda a: a.coaching.team),
        Column("agent_id", "工号", "id", 9, lambda a: a.coaching.agent_id),
        Column("name", "姓名", "text", 10, lambda a: a.entry.name if a.entry else "（全班组）"),
        Column("item", "要改进的行为", "text", 16, lambda a: a.advice.name),
        Column("cost", "每通失分", "points", 9, lambda a: figures.points(a.advice.cost)),
        Column("rate", "违规率", "share", 9, lambda a: figures.share(a.advice.rate.value)),
        Column("broken", "违规通数", "count", 9, lambda a: a.advice.calls),
        Column("course", "建议课程", "text", 18, lambda a: course(a, "name")),
        Column("hours", "课时", "text", 7, lambda a: course(a, "hours")),
        Column("bad", "反例", "long", 34, lambda a: said(a.advice.bad)),
        Column("good", "本人正例", "long", 34, lambda a: said(a.advice.good)),
        Column("model", "同事范例", "long", 34, lambda a: said(a.advice.model)),
        Column("last", "上期建议的效果", "long", 30, lambda a: effects_words(a.coaching)),
    ]


def effects_words(coaching: Coaching) -> str:
    return "；".join(f"{effect.name}：{effect.verdict}" for effect in coaching.effects)


def advice_rows(sheet: ScoreSheet) -> Iterator[Advised]:
    for coaching in sheet.team_coaching:
        for advice in coaching.advice:
            yield Advised(None, coaching, advice)
    for agent in sheet.agents:
        for advice in agent.coaching.advice:
            yield Advised(agent.entry, agent.coaching, advice)


def unmatched_columns() -> Sequence[Column[Unmatched]]:
    return [
        Column("kind", "类别", "text", 26, lambda u: u.kind),
        Column("agent_id", "工号", "id", 12, lambda u: u.agent_id),
        Column("count", "数量", "count", 9, lambda u: u.count),
        Column("detail", "详情", "long", 34, lambda u: u.detail),
        Column("hint", "怎么办", "long", 44, lambda u: u.hint),
    ]


def unmatched_rows(sheet: ScoreSheet) -> list[Unmatched]:
    """What found no match, then the agents with too few calls to say much about."""
    few = [
        Unmatched("样本不足", e.agent_id, e.scored, f"{e.name}，{e.team}", f"少于 {sheet.ledger.min_calls} 通，不排名")
        for e in sheet.entries
        if not e.enough
    ]
    return [*sheet.ledger.unmatched, *few]
