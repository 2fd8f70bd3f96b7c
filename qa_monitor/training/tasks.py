"""The tasks: every head of the network with its labels, lowest first where they are ordered."""

from __future__ import annotations

from collections.abc import Sequence

from qa_monitor.training.own_sets import ATTITUDE_LABELS, COURSE_LABELS, EMOTION_LABELS, RESOLUTION_LABELS
from qa_monitor.training.public_sets import NUGGETS

ONE_TO_FIVE = ("1", "2", "3", "4", "5")
MINUS_TO_PLUS = ("-2", "-1", "0", "1", "2")
TURN_LABELS: dict[str, tuple[str, ...]] = {
    "politeness": ONE_TO_FIVE,
    "attitude": ATTITUDE_LABELS,
    "emotion": EMOTION_LABELS,
    "nugget": NUGGETS,
    "uss": ("0", "1", "2"),
}
CALL_LABELS: dict[str, tuple[str, ...]] = {
    "dch_A": MINUS_TO_PLUS,
    "dch_S": MINUS_TO_PLUS,
    "dch_E": MINUS_TO_PLUS,
    "wiki": ("0", "1", "2", "3", "4"),
    "resolution": RESOLUTION_LABELS,
    "satisfaction": ONE_TO_FIVE,
    "courtesy": ONE_TO_FIVE,
    "course": COURSE_LABELS,
    "accomplishment": MINUS_TO_PLUS,
    "effectiveness": MINUS_TO_PLUS,
}
VERDICTS = ("pass", "fail", "not_applicable")
# The shipped models: spoken service calls, which the audit scores, and written text, which benchmarks are made of.
SERVICE_HEADS = (
    "turn.politeness", "turn.attitude", "turn.emotion", "call.resolution", "call.satisfaction", "call.courtesy",
    "call.course", "call.accomplishment", "call.effectiveness", "rules",
)  # fmt: skip
WRITTEN_HEADS = ("turn.nugget", "turn.uss", "call.dch_A", "call.dch_S", "call.dch_E", "call.wiki")
LOSS_WEIGHTS = {
    "nugget": 0.5,
    "attitude": 0.5,
    "course": 0.5,
    "deciding": 0.3,
    "resolution": 2.0,
    "rules": 6.0,
    "evidence": 1.0,
}


def head_labels(heads: Sequence[str] = ()) -> dict[str, Sequence[str]]:
    """Head name as the exported model has it → labels; of all heads when none are named."""
    known: dict[str, Sequence[str]] = {
        **{f"turn.{name}": labels for name, labels in TURN_LABELS.items()},
        **{f"call.{name}": labels for name, labels in CALL_LABELS.items()},
        "rules": VERDICTS,
    }
    return {head: known[head] for head in heads or known}
