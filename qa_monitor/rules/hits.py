"""What evaluating a condition gives: hits with their places, and a three-valued result that knows why it is unsure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

Reason = Literal["no_audio", "no_model", "abstained", "bad_text", "no_role", "no_time", "no_fact", "rule_unsure"]

REASON_TEXT: dict[Reason, str] = {
    "no_audio": "文字对话没有声音信息",
    "no_model": "没有模型分",
    "abstained": "模型没有给出判断",
    "bad_text": "只在识别不可信的片段里出现",
    "no_role": "分不清是谁说的",
    "no_time": "文字对话没有时间",
    "no_fact": "缺少随录信息",
    "rule_unsure": "所依据的规则无法判断",
}
# Reasons that say the call cannot show such a thing at all, rather than that this one is unclear.
ABSENT_INPUT: frozenset[Reason] = frozenset({"no_audio", "no_model", "no_time"})


class Hit(NamedTuple):
    """One place where a condition is met.

    `start`, `end` are offsets into the joined text of the call; `turn` is the position of the turn, None for a hit
    about the whole call. `sure` is false for a hit by sound or in badly heard words; `trusted` is false in text that
    must not be held against anyone. `wording` is the number of the wording that matched.
    """

    turn: int | None
    start: int
    end: int
    confidence: float = 1.0
    sure: bool = True
    trusted: bool = True
    match: str = "text"
    label: str = ""
    wording: int = 0
    start_s: float | None = None
    end_s: float | None = None


class Result(NamedTuple):
    """`state` None means it cannot be told, for `reasons`. `sure` is false when the state rests on unsure hits."""

    state: bool | None
    hits: tuple[Hit, ...] = ()
    sure: bool = True
    reasons: frozenset[Reason] = frozenset()


TRUE = Result(True)
FALSE = Result(False)


def unknown(*reasons: Reason) -> Result:
    return Result(None, reasons=frozenset(reasons))


def from_hits(hits: Sequence[Hit]) -> Result:
    """True when there is a trusted hit, unknown when there are only untrusted ones."""
    trusted = tuple(hit for hit in hits if hit.trusted)
    if trusted:
        return Result(True, trusted, any(hit.sure for hit in trusted))
    if hits:
        return Result(None, reasons=frozenset({distrust(hits[0])}))
    return FALSE


def distrust(hit: Hit) -> Reason:
    return "no_role" if hit.match == "no_role" else "bad_text"


def without_overlaps(hits: Iterable[Hit]) -> list[Hit]:
    """Of hits that overlap, the surest and longest; in order of place. Hits about the whole call are kept."""
    best: list[Hit] = []
    for hit in sorted(hits, key=lambda h: (h.start, -h.end, not h.sure, -h.confidence)):
        if best and hit.turn is not None and best[-1].turn == hit.turn and hit.start < best[-1].end:
            if _rank(hit) > _rank(best[-1]):
                best[-1] = hit
        else:
            best.append(hit)
    return best


def _rank(hit: Hit) -> tuple[bool, bool, float, int]:
    return hit.trusted, hit.sure, hit.confidence, hit.end - hit.start
