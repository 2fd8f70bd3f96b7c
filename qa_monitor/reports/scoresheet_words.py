"""The blocks of an agent's page that are words: calls, deductions with their evidence, advice and what became of it."""

from __future__ import annotations

from qa_monitor.agents.entries import REVIEW_NAMES
from qa_monitor.agents.examples import Example
from qa_monitor.reports import figures
from qa_monitor.reports.columns import Cell
from qa_monitor.reports.scoresheet import AgentSheet, ScoreSheet
from qa_monitor.reports.scoresheet_parts import Block, Head, Row


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


def calls_block(sheet: ScoreSheet, agent: AgentSheet) -> Block:
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


def deductions_block(sheet: ScoreSheet, agent: AgentSheet) -> Block:
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


def advice_block(agent: AgentSheet) -> Block:
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


def effects_block(agent: AgentSheet) -> Block:
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
