"""The figures that a ledger has for each agent beside the score: what each is, and how it is summed up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from qa_monitor.agents.frame import CallFrame
from qa_monitor.agents.interval import EMPTY, Figure, figure_of, share_figure

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Rows: TypeAlias = "slice | NDArray[np.int64]"
FigureKind = Literal["points", "scale", "share", "seconds", "rate"]


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure over some calls of a frame. `better` says which way is good: 1 up, −1 down, 0 neither."""

    key: str
    name: str
    kind: FigureKind
    better: int
    of: Callable[[CallFrame, Rows], Figure]
    about: str


def _there(values: NDArray[np.float64], scale: float, least: float, most: float) -> Figure:
    import numpy as np

    known = values[~np.isnan(values)] * scale
    if not len(known):
        return EMPTY
    mean = float(known.mean())
    return figure_of(len(known), mean, float(((known - mean) ** 2).sum()), least, most)


def mean_of(name: str, least: float = 0.0, most: float = float("inf"), scale: float = 1.0) -> Callable[..., Figure]:
    return lambda frame, rows: _there(frame.floats[name][rows], scale, least, most)


def _resolved(frame: CallFrame, rows: Rows) -> Figure:
    judged = frame.resolution[rows]
    return share_figure(int((judged == 0).sum()), int((judged >= 0).sum()))


def _promises(frame: CallFrame, rows: Rows) -> Figure:
    import numpy as np

    made = frame.promise[rows]
    return share_figure(int(np.nansum(made)), int((~np.isnan(made)).sum()))


def _promise_rate(frame: CallFrame, rows: Rows) -> Figure:
    import numpy as np

    return _there((~np.isnan(frame.promise[rows])).astype(float), 100.0, 0.0, 100.0)


def _complaints(frame: CallFrame, rows: Rows) -> Figure:
    said = frame.complaint[rows]
    return share_figure(int(said.sum()), len(said))


def _vetoes(frame: CallFrame, rows: Rows) -> Figure:
    import numpy as np

    scored = ~np.isnan(frame.points[rows])
    return share_figure(int((frame.veto[rows] & scored).sum()), int(scored.sum()))


MEASURES: tuple[Measure, ...] = (
    Measure("politeness", "礼貌", "scale", 1, mean_of("politeness", 1, 5), "模型评定，1–5"),
    Measure("resolved", "已解决占比", "share", 1, _resolved, "模型判断为已解决的通话占能判断的通话"),
    Measure("predicted", "预测满意度", "scale", 1, mean_of("satisfaction", 1, 5), "模型预测，1–5"),
    Measure("veto", "一票否决占比", "share", -1, _vetoes, "触发一票否决的通话占评分通话"),
    Measure(
        "findings", "每百通不合格", "rate", -1, mean_of("broken", scale=100), "每 100 通里不合格的规则项数，疑似不计"
    ),
    Measure("hold", "等待(秒/通)", "seconds", -1, mean_of("hold_s"), "坐席打过招呼的等待"),
    Measure("silence", "静音(秒/通)", "seconds", -1, mean_of("silence_s"), "双方都不说话，含等待"),
    Measure("overlap", "抢话(次/通)", "scale", -1, mean_of("overlap_count"), "两人同时说话的次数"),
    Measure("talk", "坐席说话占比", "share", 0, mean_of("agent_talk_share", 0, 1), "坐席说话时间占双方说话时间"),
    Measure("promise_rate", "每百通承诺", "rate", 0, _promise_rate, "有时限承诺的通话，每 100 通"),
    Measure("promise_kept", "承诺合规", "share", 1, _promises, "承诺说清了时限且不超过公布标准的占比"),
    Measure("complaint", "投诉类通话", "share", 0, _complaints, "业务为投诉或客户在通话中投诉的占比"),
)
BY_KEY = {measure.key: measure for measure in MEASURES}
