"""One agent's sheet as blocks of rounded cells: what Excel draws and JSON holds is the same."""

from __future__ import annotations

from dataclasses import dataclass

from qa_monitor.agents.entries import CONFIRMED_STATES, REVIEW_NAMES, Entry
from qa_monitor.agents.examples import Example
from qa_monitor.agents.interval import EMPTY, Figure
from qa_monitor.agents.measures import MEASURES, Measure
from qa_monitor.agents.pay import Pay
from qa_monitor.reports import figures
from qa_monitor.reports.columns import Cell, ColumnKind
from qa_monitor.reports.scoresheet import AgentSheet, ScoreSheet

COSTS_SHOWN = 8
DRIVERS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Head:
    """A block's column: key for JSON, heading for people, kind of its figures where the row does not say."""

    key: str
    heading: str
    kind: ColumnKind = "text"


@dataclass(frozen=True, slots=True)
class Row:
    """Cells of a block; `kind` overrides the kind of the figure columns (a row of shares among rows of points)."""

    cells: tuple[Cell, ...]
    kind: ColumnKind | None = None
    link: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A titled table. `note` stands under it; `wide` blocks take the sheet's whole width."""

    key: str
    title: str
    heads: tuple[Head, ...]
    rows: tuple[Row, ...]
    note: str = ""
    wide: bool = False


def agent_blocks(sheet: ScoreSheet, agent: AgentSheet) -> list[Block]:
    """Everything on an agent's sheet below its heading, in order; empty blocks are left out."""
    entry = agent.entry
    blocks = [
        _scores(sheet, entry),
        _dimensions(sheet, entry),
        _measures(sheet, entry),
        _trend(entry),
        _drivers(sheet, entry),
        _costs(sheet, entry),
        _states(entry),
        _stays(entry),
        _records(entry),
        _pay(agent),
        _calls(sheet, agent),
        _deductions(sheet, agent),
        _advice(agent),
        _effects(agent),
    ]
    return [block for block in blocks if block.rows]


# --- figures ----------------------------------------------------------------------------------------------------------


def cells_of(kind: ColumnKind, figure: Figure) -> tuple[Cell, Cell, Cell, Cell]:
    """Value, lower and upper limit, n — rounded; None where there is none."""
    return (shown(kind, figure.value), shown(kind, figure.low), shown(kind, figure.high), figure.n)


def shown(kind: ColumnKind, value: float | None) -> float | int | None:
    """A figure of a kind, rounded as every report rounds it."""
    if kind in ("id", "text", "long"):
        raise ValueError(kind)
    return figures.figure(kind, value)  # type: ignore[arg-type]


def _figure_heads(*more: Head) -> tuple[Head, ...]:
    return (
        Head("name", "项目"), Head("value", "本期", "points"), Head("low", "95%下限", "points"),
        Head("high", "95%上限", "points"), Head("n", "样本", "count"), *more,
    )  # fmt: skip


def _scores(sheet: ScoreSheet, entry: Entry) -> Block:
    team = sheet.ledger.team(entry.team)
    rows = [
        Row(("原始平均分", *cells_of("points", entry.points))),
        Row(("调整后得分", *cells_of("points", entry.adjusted))),
        Row(("收缩后得分", *cells_of("points", entry.shrunken))),
        Row((f"班组平均（{entry.team or '未分组'}）", *cells_of("points", team.points if team else EMPTY))),
        Row(("全中心平均", *cells_of("points", sheet.ledger.centre))),
    ]
    return Block("scores", "得分", _figure_heads(), tuple(rows), "调整与收缩的办法见“方法说明”")


def _dimensions(sheet: ScoreSheet, entry: Entry) -> Block:
    team = sheet.ledger.team(entry.team)
    rows = [
        Row(
            (
                name,
                *cells_of("points", entry.dimensions.get(name, EMPTY)),
                shown("points", team.dimensions.get(name, EMPTY).value if team else None),
                shown("points", entry.before_dimensions.get(name, EMPTY).value),
            )
        )
        for name in sheet.ledger.dimensions
    ]
    heads = _figure_heads(Head("team", "班组", "points"), Head("before", "上期", "points"))
    return Block("dimensions", "各维度", heads, tuple(rows))


def _measures(sheet: ScoreSheet, entry: Entry) -> Block:
    team = sheet.ledger.team(entry.team)
    rows = []
    for measure in MEASURES:
        mine = entry.measures.get(measure.key, EMPTY)
        rows.append(_measure_row(measure, mine, team.measures.get(measure.key) if team else None, entry))
        if measure.key == "predicted":
            rows.append(Row(("回访满意率", *cells_of("share", entry.surveyed), None, None), "share"))
    heads = _figure_heads(Head("team", "班组", "points"), Head("before", "上期", "points"))
    return Block("measures", "其他指标", heads, tuple(rows))


def _measure_row(measure: Measure, mine: Figure, team: Figure | None, entry: Entry) -> Row:
    before = entry.before_measures.get(measure.key, EMPTY)
    return Row(
        (
            measure.name,
            *cells_of(measure.kind, mine),
            shown(measure.kind, team.value if team else None),
            shown(measure.kind, before.value),
        ),
        measure.kind,
    )


def _trend(entry: Entry) -> Block:
    heads = (Head("period", "月份"), *_figure_heads()[1:])
    rows = tuple(Row((point.period, *cells_of("points", point.points))) for point in entry.trend)
    return Block("trend", "走势", heads, rows)


def _drivers(sheet: ScoreSheet, entry: Entry) -> Block:
    """What moved the mean, the small ones together, so that the figures shown add up."""
    change = figures.points(sum(driver.change for driver in entry.drivers)) or 0.0
    named = [driver for driver in entry.drivers[:DRIVERS_SHOWN] if figures.points(driver.change)]
    shown_parts = [figures.points(driver.change) or 0.0 for driver in named]
    rows = [Row((sheet.ledger.item_name(driver.item), part)) for driver, part in zip(named, shown_parts, strict=True)]
    if entry.drivers:
        rows += [Row(("其余各项", figures.points(change - sum(shown_parts)))), Row(("比上期合计", change))]
    heads = (Head("item", "项目"), Head("change", "每通分数", "points"))
    return Block("drivers", "比上期变在哪里", heads, tuple(rows))


def _costs(sheet: ScoreSheet, entry: Entry) -> Block:
    """Where the missing points went; the figures shown add up to 100 − the mean shown."""
    mean = figures.points(entry.points.value)
    if not entry.costs or mean is None:
        return Block("costs", "失分构成", (), ())
    named = entry.costs[:COSTS_SHOWN]
    shown_parts = [figures.points(cost.per_call) or 0.0 for cost in named]
    rows = [
        Row((sheet.ledger.item_name(cost.item), part, cost.calls))
        for cost, part in zip(named, shown_parts, strict=True)
    ]
    rows.append(Row(("其余各项", figures.points(100.0 - mean - sum(shown_parts)), None)))
    rows.append(Row(("合计 = 100 − 原始平均分", figures.points(100.0 - mean), None)))
    heads = (Head("item", "项目"), Head("cost", "每通失分", "points"), Head("calls", "涉及通数", "count"))
    return Block("costs", "失分构成", heads, tuple(rows), "每通满分 100 分里失去的分数，按评分表权重折合")


def _states(entry: Entry) -> Block:
    heads = (Head("state", "复核状态"), *_figure_heads()[1:])
    rows = [
        Row((REVIEW_NAMES.get(state, state), *cells_of("points", figure)))
        for state, figure in sorted(entry.states.items())
    ]
    confirmed = entry.state_count(*CONFIRMED_STATES)
    note = f"评分 {entry.scored} 通，其中人工确认或改判 {confirmed} 通；疑似待复核 {entry.suspected} 项，不扣分"
    return Block("states", "复核与申诉", heads, tuple(rows), note)


def _stays(entry: Entry) -> Block:
    if len(entry.stays) < 2:
        return Block("stays", "期内调动", (), ())
    heads = (Head("team", "班组"), Head("calls", "通话", "count"), *_figure_heads()[1:], Head("days", "在组日期"))
    rows = [
        Row((stay.stay.line.team, stay.calls, *cells_of("points", stay.points), stay.days())) for stay in entry.stays
    ]
    return Block("stays", "期内调动", heads, tuple(rows))


def _records(entry: Entry) -> Block:
    rows = [
        Row((metric, record_cell(value)), "share" if is_share(metric, value) else None)
        for metric, value in entry.indicators.values.items()
    ]
    source = f"由 {entry.indicators.days} 天的每日记录合成" if entry.indicators.days else ""
    return Block("records", "绩效记录", (Head("metric", "指标"), Head("value", "数值")), tuple(rows), source)


def record_cell(value: float | str | None) -> Cell:
    """A performance record: a number to four decimals, or its text."""
    return figures.rounded(value, 4) if isinstance(value, float) else value


def is_share(metric: str, value: float | str) -> bool:
    return isinstance(value, float) and 0 <= value <= 1 and metric.endswith(("率", "占比", "比例"))


def grade_words(pay: Pay) -> str:
    """`等级 A`, or 不定级."""
    return f"等级 {pay.grade}" if pay.total is not None else pay.grade


def _pay(agent: AgentSheet) -> Block:
    pay = agent.pay
    if pay is None:
        return Block("pay", "等级与系数", (), ())
    heads = (Head("step", "步骤"), Head("points", "数值", "ratio"), Head("how", "怎么来的", "long"))
    rows = [Row((step.name, figures.figure("ratio", step.points), step.how)) for step in pay.steps]
    if pay.total is None:
        rows.append(Row((pay.grade, figures.figure("ratio", pay.coefficient), "系数；" + "；".join(pay.reasons))))
    machine = "机器初评影响了等级" if pay.by_machine else "未经人工确认的机器初评没有影响等级和系数"
    note = "；".join(part for part in (*pay.reasons, machine) if part)
    return Block("pay", f"{grade_words(pay)} · 系数 {pay.coefficient:.2f}", heads, tuple(rows), note, wide=True)


# --- words ------------------------------------------------------------------------------------------------------------


def where(example: Example) -> str:
    """The place of the quote in its call: `第 3 轮 0:21`."""
    parts = [f"第 {example.quote_turn + 1} 轮"] if example.quote_turn is not None else []
    if example.quote_s is not None:
        parts.append(figures.clock(example.quote_s))
    return " ".join(parts)


def day_and_time(example: Example) -> str:
    return example.started_at[5:16].replace("T", " ")


def said(example: Example | None) -> str:
    """An example in one cell: its words, when, and which call."""
    if example is None:
        return ""
    words = f"“{example.quote}”" if example.quote else example.why or f"{example.name}：这通没有失分"
    return f"{words}（{day_and_time(example)}，{example.call_id or example.key}）"


def _calls(sheet: ScoreSheet, agent: AgentSheet) -> Block:
    heads = (
        Head("which", "好差"), Head("points", "得分", "points"), Head("started_at", "时间"), Head("call", "通话", "id"),
        Head("state", "状态"), Head("business", "业务"), Head("main", "失分最多的一项", "long"),
    )  # fmt: skip
    rows = [_call_row(sheet, agent, "最好", example) for example in agent.best]
    rows += [_call_row(sheet, agent, "最差", example) for example in agent.worst]
    return Block("calls", "最好与最差的通话", heads, tuple(rows), wide=True)


def _call_row(sheet: ScoreSheet, agent: AgentSheet, which: str, example: Example) -> Row:
    main = next((item for item in agent.deductions if item.sha256 == example.sha256), None)
    words = f"{main.name}：{main.quote or main.why}" if main else ""
    cells = (
        which, figures.points(example.points), day_and_time(example), example.call_id or example.key,
        REVIEW_NAMES.get(example.review_state, example.review_state), example.business, words,
    )  # fmt: skip
    return Row(cells, link=sheet.link_of(example))


def _deductions(sheet: ScoreSheet, agent: AgentSheet) -> Block:
    heads = (
        Head("item", "扣分项"), Head("cost", "失分", "points"), Head("started_at", "时间"), Head("call", "通话", "id"),
        Head("state", "状态"), Head("where", "位置"), Head("quote", "证据原话", "long"), Head("why", "理由", "long"),
    )  # fmt: skip
    rows = [Row(deduction_cells(example), link=sheet.link_of(example)) for example in agent.deductions]
    left = agent.deductions_in_all - len(agent.deductions)
    note = "按失分从大到小" + (f"；另有 {left} 条，见扣分明细 CSV 或单独生成本人的成绩单" if left else "")
    return Block("deductions", f"扣分明细（共 {agent.deductions_in_all} 条）", heads, tuple(rows), note, wide=True)


def deduction_cells(example: Example) -> tuple[Cell, ...]:
    return (
        example.name, figures.points(example.cost), day_and_time(example), example.call_id or example.key,
        REVIEW_NAMES.get(example.review_state, example.review_state), where(example), example.quote, example.why,
    )  # fmt: skip


def _advice(agent: AgentSheet) -> Block:
    heads = (
        Head("item", "要改进的行为"), Head("cost", "每通失分", "points"), Head("rate", "违规率", "share"),
        Head("broken", "违规通数", "count"), Head("course", "建议课程"), Head("content", "课程内容", "long"),
        Head("bad", "本人反例", "long"), Head("good", "本人正例", "long"), Head("model", "同事范例", "long"),
    )  # fmt: skip
    rows = [
        Row(
            (
                advice.name,
                figures.points(advice.cost),
                figures.share(advice.rate.value),
                advice.calls,
                advice.course.name if advice.course else "",
                advice.course.content if advice.course else "",
                said(advice.bad),
                said(advice.good),
                said(advice.model),
            )
        )
        for advice in agent.coaching.advice
    ]
    return Block("advice", "辅导建议", heads, tuple(rows), wide=True)


def _effects(agent: AgentSheet) -> Block:
    heads = (
        Head("item", "上期建议"), Head("before", "上期违规率", "share"), Head("now", "本期违规率", "share"),
        Head("change", "变化", "share"), Head("low", "95%下限", "share"), Head("high", "95%上限", "share"),
        Head("verdict", "有没有用"),
    )  # fmt: skip
    rows = [
        Row((effect.name, *(figures.share(f) for f in (effect.before.value, effect.now.value, effect.change.value,
                                                       effect.change.low, effect.change.high)), effect.verdict))
        for effect in agent.coaching.effects
    ]  # fmt: skip
    return Block("effects", "上期建议的效果", heads, tuple(rows), wide=True)
