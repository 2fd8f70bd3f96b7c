"""One agent's sheet as blocks of rounded cells: what Excel draws and JSON holds is the same."""

from __future__ import annotations

from qa_monitor.agents.entries import CONFIRMED_STATES, REVIEW_NAMES, Entry
from qa_monitor.agents.interval import EMPTY, Figure
from qa_monitor.agents.measures import MEASURES, Measure
from qa_monitor.agents.pay import Pay
from qa_monitor.reports import figures
from qa_monitor.reports.columns import Cell
from qa_monitor.reports.scoresheet import AgentSheet, ScoreSheet
from qa_monitor.reports.scoresheet_parts import Block, Head, Row, cells_of, shown
from qa_monitor.reports.scoresheet_words import advice_block, calls_block, deductions_block, effects_block

COSTS_SHOWN = 8
DRIVERS_SHOWN = 5


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
        calls_block(sheet, agent),
        deductions_block(sheet, agent),
        advice_block(agent),
        effects_block(agent),
    ]
    return [block for block in blocks if block.rows]


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
