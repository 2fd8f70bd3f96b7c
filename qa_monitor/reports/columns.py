"""The tables of the workbook and of the exports, column by column: one definition, so their figures cannot differ.

A column gives the rounded figure or the text of one row. `key` names it in JSON, `heading` in Excel and CSV.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from qa_monitor.records import Finding
from qa_monitor.reports import figures, names
from qa_monitor.reports.overview import failed_share, scored_dimensions
from qa_monitor.reports.rows import (
    FailureRow,
    FindingRow,
    deducted,
    dimension_score,
    duration_s,
    lead_evidence,
    notes_in_words,
    silence_s,
    veto_names,
    worst_in_words,
)
from qa_monitor.store.views import REVIEW_STATE_NAMES, AgentView, BatchView, CallView, RuleSummary

Cell = str | float | int | None
ColumnKind = Literal["id", "text", "long", "points", "scale", "share", "seconds", "count", "rate", "ratio"]
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Column(Generic[R]):
    """One column over rows of type R. `width` is in characters, as Excel counts them."""

    key: str
    heading: str
    kind: ColumnKind
    width: float
    of: Callable[[R], Cell]


def _id(view: CallView) -> str:
    return view.facts.agent_id or ""


def _agent_name(view: CallView) -> str:
    return view.agent.name if view.agent else ""


def _team(view: CallView) -> str:
    return view.agent.team if view.agent else ""


def _started(view: CallView) -> str:
    return (view.facts.started_at or "").replace("T", " ")


def _call_dimensions(batch: BatchView) -> list[Column[CallView]]:
    def of(name: str) -> Callable[[CallView], Cell]:
        return lambda view: figures.points(dimension_score(view, name))

    return [Column(f"dimension.{name}", name, "points", 10, of(name)) for name in scored_dimensions(batch)]


def call_columns(batch: BatchView) -> Sequence[Column[CallView]]:
    """One row a call that was processed, scored or not."""
    columns: list[Column[CallView]] = [
        Column("key", "短编号", "id", 12, lambda v: v.key),
        Column("call_id", "通话编号", "id", 18, lambda v: v.facts.call_id),
        Column("agent_id", "工号", "id", 9, _id),
        Column("agent_name", "姓名", "text", 9, _agent_name),
        Column("business", "业务", "text", 11, lambda v: v.facts.business),
        Column("started_at", "开始时间", "text", 25, _started),
        Column("duration_s", "时长(秒)", "seconds", 9, lambda v: figures.seconds(duration_s(v))),
        Column("points", "得分", "points", 8, lambda v: figures.points(v.score.points if v.score else None)),
        Column("veto", "一票否决", "text", 12, lambda v: "、".join(veto_names(v))),
        Column("politeness", "礼貌(1–5)", "scale", 10, lambda v: figures.scale(v.model.politeness if v.model else None)),
        Column("resolution", "解决情况", "text", 10, lambda v: names.RESOLUTIONS[v.model.resolution] if v.model and v.model.resolution else ""),
        Column("satisfaction", "满意度(1–5)", "scale", 11, lambda v: figures.scale(v.model.satisfaction if v.model else None)),
        Column("worst", "主要问题", "long", 28, worst_in_words),
        Column("evidence", "证据原话", "long", 34, lead_evidence),
        Column("state", "状态", "text", 10, lambda v: REVIEW_STATE_NAMES[v.review_state]),
        Column("not_scored", "未评分原因", "text", 16, lambda v: v.score.not_scored if v.score else ""),
        *_call_dimensions(batch),
        Column("broken", "不合格项", "count", 9, lambda v: sum(names.is_broken(f) for f in v.findings)),
        Column("suspected", "疑似项", "count", 8, lambda v: sum(names.is_suspected(f) for f in v.findings)),
        Column("arithmetic", "得分算式", "text", 44, lambda v: v.score.arithmetic.replace("\n", "；") if v.score else ""),
        Column("scorer", "礼貌等由谁评", "text", 13, lambda v: v.model.scorer if v.model else ""),
        Column("team", "班组", "text", 11, _team),
        Column("direction", "方向", "text", 7, lambda v: names.DIRECTIONS[v.facts.direction] if v.facts.direction else ""),
        Column("silence_s", "静音合计(秒)", "seconds", 12, lambda v: figures.seconds(silence_s(v))),
        Column("overlaps", "抢话次数", "count", 9, lambda v: len(v.dialogue.overlaps) if v.dialogue else None),
        Column("agent_talk_share", "坐席说话占比", "share", 12, lambda v: figures.share(v.dialogue.talk_share.get("agent") if v.dialogue else None)),
        Column("notes", "处理说明", "text", 34, lambda v: notes_in_words(v.notes)),
        Column("files", "文件", "text", 40, lambda v: "；".join(v.names)),
    ]  # fmt: skip
    return columns


def finding_columns() -> Sequence[Column[FindingRow]]:
    """One row a broken or suspected rule of a call."""

    def finding(of: Callable[[Finding], Cell]) -> Callable[[FindingRow], Cell]:
        return lambda row: of(row.finding)

    return [
        Column("key", "短编号", "id", 12, lambda r: r.view.key),
        Column("agent_id", "工号", "id", 9, lambda r: _id(r.view)),
        Column("agent_name", "姓名", "text", 9, lambda r: _agent_name(r.view)),
        Column("rule_name", "规则", "text", 14, finding(lambda f: f.name)),
        Column("verdict", "结论", "text", 9, finding(names.verdict_label)),
        Column("deducted", "扣分", "points", 8, lambda r: figures.points(deducted(r))),
        Column("veto", "一票否决", "text", 10, finding(lambda f: "是" if f.veto and names.is_broken(f) else "")),
        Column("turn", "第几轮", "count", 8, lambda r: r.turn_number),
        Column("start_s", "时间(秒)", "seconds", 9, lambda r: figures.seconds(r.evidence.start_s if r.evidence else None)),
        Column("role", "谁说的", "text", 8, lambda r: names.ROLES[r.evidence.role] if r.evidence else ""),
        Column("quote", "证据原话", "long", 36, lambda r: r.evidence.quote if r.evidence else ""),
        Column("why", "理由", "long", 42, finding(lambda f: f.why)),
        Column("state", "状态", "text", 10, lambda r: REVIEW_STATE_NAMES[r.view.review_state]),
        Column("category", "维度", "text", 19, finding(lambda f: f.category)),
        Column("severity", "程度", "text", 8, finding(lambda f: names.SEVERITIES[f.severity])),
        Column("count", "次数", "count", 7, finding(lambda f: f.count)),
        Column("confidence", "把握", "share", 8, finding(lambda f: figures.share(f.confidence))),
        Column("match", "依据", "text", 8, lambda r: names.MATCHES.get(r.evidence.match, r.evidence.match) if r.evidence else ""),
        Column("call_id", "通话编号", "id", 18, lambda r: r.view.facts.call_id),
        Column("business", "业务", "text", 11, lambda r: r.view.facts.business),
        Column("team", "班组", "text", 11, lambda r: _team(r.view)),
        Column("rule_id", "规则编号", "id", 27, finding(lambda f: f.rule_id)),
        Column("rule_version", "规则版本", "id", 14, finding(lambda f: f.rule_version)),
    ]  # fmt: skip


def agent_columns(batch: BatchView) -> Sequence[Column[AgentView]]:
    """One row an agent; the imported performance records follow, a column each."""

    def dimension(name: str) -> Callable[[AgentView], Cell]:
        return lambda a: figures.points(a.dimensions.get(name))

    def record(name: str) -> Callable[[AgentView], Cell]:
        return lambda a: _record_cell(a.performance.get(name))

    metrics = sorted({name for agent in batch.agents for name in agent.performance})
    return [
        Column("agent_id", "工号", "id", 10, lambda a: a.agent_id),
        Column("name", "姓名", "text", 10, lambda a: a.agent.name if a.agent else "（名册无）"),
        Column("team", "班组", "text", 11, lambda a: a.agent.team if a.agent else ""),
        Column("calls", "通话", "count", 7, lambda a: a.calls),
        Column("scored", "评分", "count", 7, lambda a: a.scored),
        Column("mean_points", "平均分", "points", 8, lambda a: figures.points(a.mean_points)),
        Column("interval_low", "95%区间\n下限", "points", 9, lambda a: figures.points(a.interval[0] if a.interval else None)),
        Column("interval_high", "95%区间\n上限", "points", 9, lambda a: figures.points(a.interval[1] if a.interval else None)),
        Column("veto_calls", "一票否决\n通数", "count", 9, lambda a: a.veto_calls),
        Column("sample", "样本", "text", 10, lambda a: "足够" if a.enough_sample else "样本不足"),
        *[Column(f"dimension.{name}", name, "points", 11, dimension(name)) for name in scored_dimensions(batch)],
        Column("politeness", "礼貌\n(1–5)", "scale", 8, lambda a: figures.scale(a.politeness)),
        Column("satisfaction", "满意度\n(1–5)", "scale", 8, lambda a: figures.scale(a.satisfaction)),
        Column("resolved", "已解决", "share", 9, lambda a: _resolution(a, "resolved")),
        Column("worst", "主要问题（通数）", "long", 34, lambda a: "；".join(f"{r.name} {r.calls}" for r in a.worst)),
        Column("partial", "部分解决", "share", 10, lambda a: _resolution(a, "partial")),
        Column("unresolved", "未解决", "share", 9, lambda a: _resolution(a, "unresolved")),
        Column("failed", "处理失败", "count", 9, lambda a: a.failed),
        Column("skill_group", "技能组", "text", 12, lambda a: a.agent.skill_group if a.agent else ""),
        Column("post", "岗位", "text", 14, lambda a: a.agent.post if a.agent else ""),
        *[Column(f"performance.{name}", name, "text", 13, record(name)) for name in metrics],
    ]  # fmt: skip


def _resolution(agent: AgentView, label: Literal["resolved", "partial", "unresolved"]) -> Cell:
    return figures.share(agent.resolution.get(label, 0.0)) if agent.resolution else None


def _record_cell(value: float | str | None) -> Cell:
    """A performance record as imported: numbers stay exact, texts stay text."""
    if isinstance(value, float):
        return figures.rounded(value, 6)
    return value


def rule_columns() -> Sequence[Column[RuleSummary]]:
    """One row a rule."""
    return [
        Column("rule_id", "规则编号", "id", 28, lambda r: r.rule_id),
        Column("name", "规则", "text", 18, lambda r: r.name),
        Column("category", "维度", "text", 20, lambda r: r.category),
        Column("severity", "程度", "text", 9, lambda r: names.SEVERITIES[r.severity]),
        Column("veto", "一票否决", "text", 10, lambda r: "是" if r.veto else ""),
        Column("passed", "合格", "count", 9, lambda r: r.passed),
        Column("failed", "不合格", "count", 9, lambda r: r.failed),
        Column("suspected", "疑似", "count", 9, lambda r: r.suspected),
        Column("unsure", "无法判断", "count", 10, lambda r: r.unsure),
        Column("not_applicable", "不适用", "count", 9, lambda r: r.not_applicable),
        Column("failed_share", "不合格率", "share", 10, lambda r: figures.share(failed_share(r))),
    ]


def failure_columns() -> Sequence[Column[FailureRow]]:
    """One row a recording without a score."""
    return [
        Column("name", "文件", "long", 48, lambda r: r.name),
        Column("key", "短编号", "id", 13, lambda r: r.key),
        Column("agent_id", "工号", "id", 10, lambda r: r.agent_id),
        Column("state", "类别", "text", 11, lambda r: r.state),
        Column("code", "代码", "id", 20, lambda r: r.code),
        Column("reason", "原因", "long", 52, lambda r: r.reason),
        Column("hint", "怎么办", "long", 48, lambda r: r.hint),
    ]
