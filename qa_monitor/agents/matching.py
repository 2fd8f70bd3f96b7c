"""Calls and records that belong to an agent of the roster, and an explicit list of those that do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from qa_monitor.agents.entries import Unmatched
from qa_monitor.agents.frame import CallFrame
from qa_monitor.agents.indicators import HANDLED, Indicators
from qa_monitor.agents.placing import NOT_IN_ROSTER, OUT_OF_DATES, Period, Roster

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NO_ID, NO_TIME = "通话没有工号", "通话没有开始时间"
RECORD_UNKNOWN, RECORD_WITHOUT_CALLS = "绩效记录的工号不在名册", "有绩效记录，没有质检通话"
CALLS_WITHOUT_RECORD, FEWER_HANDLED = "有质检通话，没有绩效记录", "接听量少于已质检通数"
_HINTS = {
    NO_ID: "在随录信息表里补上工号，或改配置 recordings.file_name_pattern",
    NO_TIME: "在随录信息表里补上开始时间",
    NOT_IN_ROSTER: "核对工号，或把此人加进名册后运行 qa-monitor agents import",
    OUT_OF_DATES: "核对名册的生效、失效日期",
    RECORD_UNKNOWN: "核对工号，或把此人加进名册",
    RECORD_WITHOUT_CALLS: "核对录音是否齐全",
    CALLS_WITHOUT_RECORD: "运行 qa-monitor performance import 导入当月记录",
    FEWER_HANDLED: "核对绩效记录的接听量",
}


def matched(frame: CallFrame, roster: Roster, period: Period) -> tuple[CallFrame, tuple[Unmatched, ...]]:
    """The calls of roster agents on days the roster has them, and what was left out."""
    import numpy as np

    keep = np.zeros(len(frame), dtype=bool)
    left: list[Unmatched] = []
    for agent_id in frame.agents:
        rows = frame.rows_of(agent_id)
        count = rows.stop - rows.start
        if not agent_id:
            left.append(unmatched(NO_ID, "", count))
        elif agent_id not in roster:
            left.append(unmatched(NOT_IN_ROSTER, agent_id, count))
        else:
            days = frame.day[rows]
            inside = np.zeros(count, dtype=bool)
            for stay in roster.stays(agent_id, period):
                inside |= (days >= stay.first) & (days <= stay.last)
            keep[rows] = inside
            if not inside.all():
                outside = sorted({date.fromordinal(int(day)).isoformat() for day in days[~inside]})
                shown = "、".join(outside[:3]) + ("…" if len(outside) > 3 else "")
                left.append(unmatched(OUT_OF_DATES, agent_id, int((~inside).sum()), shown))
    return (frame if keep.all() else take(frame, keep)), tuple(left)


def unmatched_records(
    indicators: Mapping[str, Indicators], roster: Roster, calls: Mapping[str, int], period: Period
) -> tuple[Unmatched, ...]:
    """Performance records without an agent or without calls, and agents with calls and no record."""
    found = []
    for agent_id, record in sorted(indicators.items()):
        if agent_id not in roster:
            found.append(unmatched(RECORD_UNKNOWN, agent_id, len(record.values)))
        elif not calls.get(agent_id):
            found.append(unmatched(RECORD_WITHOUT_CALLS, agent_id, len(record.values)))
        elif (handled := record.number(HANDLED)) is not None and handled < calls[agent_id]:
            found.append(
                unmatched(FEWER_HANDLED, agent_id, calls[agent_id], f"接听量 {handled:g}，已质检 {calls[agent_id]} 通")
            )
    if indicators:
        found += [
            unmatched(CALLS_WITHOUT_RECORD, agent_id, count)
            for agent_id, count in sorted(calls.items())
            if count and agent_id not in indicators and roster.stays(agent_id, period)
        ]
    return tuple(found)


def unmatched(kind: str, agent_id: str, count: int, detail: str = "") -> Unmatched:
    return Unmatched(kind, agent_id, count, detail, _HINTS[kind])


def take(frame: CallFrame, keep: NDArray[np.bool_]) -> CallFrame:
    """The calls where `keep` is true, in the same order."""
    import numpy as np

    new_place = np.cumsum(keep) - 1
    costs = keep[frame.cost_call]
    return replace(
        frame,
        agent=frame.agent[keep],
        business=frame.business[keep],
        emotion=frame.emotion[keep],
        review=frame.review[keep],
        resolution=frame.resolution[keep],
        day=frame.day[keep],
        sha256=frame.sha256[keep],
        points=frame.points[keep],
        veto=frame.veto[keep],
        complaint=frame.complaint[keep],
        promise=frame.promise[keep],
        floats={name: values[keep] for name, values in frame.floats.items()},
        dimensions={name: values[keep] for name, values in frame.dimensions.items()},
        verdicts=frame.verdicts[keep],
        cost_call=new_place[frame.cost_call[costs]].astype(np.int32),
        cost_item=frame.cost_item[costs],
        cost=frame.cost[costs],
    )
