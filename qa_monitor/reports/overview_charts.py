"""The overview's drawings and rows, as numbers: the templates only place them."""

from __future__ import annotations

from dataclasses import dataclass

from qa_monitor.reports import figures, names
from qa_monitor.reports.figures import HISTOGRAM_STEP
from qa_monitor.reports.overview import Overview, failed_share, scored_dimensions, top_broken
from qa_monitor.store.views import AgentView, BatchView

TOP_RULES = 10
CHART_WIDTH, CHART_HEIGHT, CHART_LEFT, CHART_RIGHT, CHART_TOP, CHART_BOTTOM = 630.0, 230.0, 34.0, 612.0, 30.0, 205.0
COLUMN_GAP = 7.0
MEAN_LABEL_ROOM = 70.0


@dataclass(frozen=True, slots=True)
class DistributionColumn:
    """Ten points wide: plain calls below, vetoed ones on top."""

    lower: int
    x: float
    middle: float
    width: float
    y: float
    height: float
    veto_y: float
    veto_height: float
    top: float
    count: int
    tip: str


@dataclass(frozen=True, slots=True)
class Guide:
    y: float
    label: int


@dataclass(frozen=True, slots=True)
class Distribution:
    """The histogram of points, with the mean."""

    width: float
    height: float
    left: float
    right: float
    bottom: float
    columns: tuple[DistributionColumn, ...]
    guides: tuple[Guide, ...]
    mean_x: float | None
    mean_label: str
    mean_anchor: str
    mean_shift: float
    summary: str


@dataclass(frozen=True, slots=True)
class DimensionBar:
    name: str
    score: str
    bar: float


@dataclass(frozen=True, slots=True)
class RuleBar:
    """A rule's bars, 0–100 of the longest."""

    name: str
    category: str
    veto: bool
    failed: int
    suspected: int
    failed_bar: float
    suspected_bar: float
    share: str


@dataclass(frozen=True, slots=True)
class AgentRow:
    """An agent's line; `*_x` are places on the 0–100 axis, None when there is nothing to place."""

    agent_id: str
    name: str
    team: str
    calls: int
    scored: int
    few: bool
    points: str
    band: str
    low: str
    high: str
    point_x: float | None
    low_x: float | None
    high_x: float | None
    dimensions: tuple[tuple[str, str, str], ...]  # name, score, band
    veto_calls: int
    politeness: str
    resolved: str
    worst: str


def distribution(overview: Overview) -> Distribution:
    """The histogram, scaled to its highest column."""
    step = _guide_step(max(overview.histogram, default=0))
    top = max(step * -(-max(overview.histogram, default=0) // step), step)
    unit = (CHART_BOTTOM - CHART_TOP) / top
    pitch = (CHART_RIGHT - CHART_LEFT) / len(overview.histogram)
    columns = []
    for index, count in enumerate(overview.histogram):
        vetoed = overview.histogram_vetoed[index]
        x = CHART_LEFT + index * pitch + COLUMN_GAP / 2
        plain_top = CHART_BOTTOM - (count - vetoed) * unit
        lower = index * HISTOGRAM_STEP
        columns.append(
            DistributionColumn(
                lower=lower,
                x=round(CHART_LEFT + index * pitch + COLUMN_GAP / 2, 1),
                middle=round(x + (pitch - COLUMN_GAP) / 2, 1),
                width=round(pitch - COLUMN_GAP, 1),
                y=round(plain_top, 1),
                height=round((count - vetoed) * unit, 1),
                veto_y=round(plain_top - vetoed * unit, 1),
                veto_height=round(vetoed * unit, 1),
                top=round(CHART_BOTTOM - count * unit, 1),
                count=count,
                tip=f"{lower}–{lower + HISTOGRAM_STEP} 分：{count} 通"
                + (f"，其中一票否决 {vetoed} 通" if vetoed else ""),
            )
        )
    mean = figures.points(overview.mean_points)
    mean_x = None if mean is None else round(CHART_LEFT + mean / 100 * (CHART_RIGHT - CHART_LEFT), 1)
    right_side = mean_x is not None and mean_x + MEAN_LABEL_ROOM > CHART_RIGHT
    told = (
        "，".join(f"{column.lower} 分起 {column.count} 通" for column in columns if column.count) or "没有已评分的通话"
    )
    return Distribution(
        CHART_WIDTH, CHART_HEIGHT, CHART_LEFT, CHART_RIGHT, CHART_BOTTOM, tuple(columns),
        tuple(Guide(round(CHART_BOTTOM - value * unit, 1), value) for value in range(step, top + 1, step)),
        mean_x, figures.points_text(mean), "end" if right_side else "start", -6.0 if right_side else 6.0,
        f"得分分布：{told}",
    )  # fmt: skip


def _guide_step(highest: int) -> int:
    """A round step that gives at most five guide lines."""
    size = 1
    while True:
        for factor in (1, 2, 5):
            if size * factor * 5 >= highest:
                return size * factor
        size *= 10


def dimension_bars(batch: BatchView, overview: Overview) -> list[DimensionBar]:
    if not overview.scored:
        return []
    return [
        DimensionBar(name, figures.points_text(value), min(max(figures.points(value) or 0.0, 0.0), 100.0))
        for name, value in overview.dimension_means(scored_dimensions(batch)).items()
    ]


def rule_bars(batch: BatchView) -> list[RuleBar]:
    rules = top_broken(batch, TOP_RULES)
    longest = max((rule.failed + rule.suspected for rule in rules), default=1)
    return [
        RuleBar(
            rule.name, rule.category, rule.veto, rule.failed, rule.suspected, round(100 * rule.failed / longest, 1),
            round(100 * rule.suspected / longest, 1), figures.share_text(failed_share(rule)),
        )
        for rule in rules
    ]  # fmt: skip


def resolution_parts(overview: Overview) -> list[tuple[str, str, str, float, float]]:
    """(label, name, share as text, start, width), start and width 0–100; nothing when no call was judged."""
    parts: list[tuple[str, str, str, float, float]] = []
    start = 0.0
    for label, name in names.RESOLUTIONS.items():
        share = overview.resolution_share(label)
        if share:
            parts.append((label, name, figures.share_text(share), round(start, 1), round(100 * share, 1)))
            start += 100 * share
    return parts


def agent_row(agent: AgentView, dimensions: tuple[str, ...]) -> AgentRow:
    low, high = agent.interval or (None, None)
    return AgentRow(
        agent_id=agent.agent_id,
        name=agent.agent.name if agent.agent else "（名册无）",
        team=agent.agent.team if agent.agent else "",
        calls=agent.calls,
        scored=agent.scored,
        few=not agent.enough_sample,
        points=figures.points_text(agent.mean_points),
        band=figures.band(agent.mean_points),
        low=figures.points_text(low) if figures.points(low) is not None else "",
        high=figures.points_text(high) if figures.points(high) is not None else "",
        point_x=figures.points(agent.mean_points),
        low_x=figures.points(low),
        high_x=figures.points(high),
        dimensions=tuple(
            (name, figures.points_text(agent.dimensions.get(name)), figures.band(agent.dimensions.get(name)))
            for name in dimensions
        ),
        veto_calls=agent.veto_calls,
        politeness=figures.scale_text(agent.politeness),
        resolved=figures.share_text(agent.resolution.get("resolved", 0.0)) if agent.resolution else figures.MISSING,
        worst="；".join(f"{rule.name} {rule.calls}" for rule in agent.worst),
    )
