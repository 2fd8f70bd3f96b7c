"""Short dialogues as people write them: one turn a line, `坐席：…` / `客户 12.0-15.5：…`.

Used by the rules' own examples and by golden files. Silences, overlaps, response delays and talk shares are worked out
from the seconds, so that rules about sound can be tried without a recording.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from qa_monitor.records import (
    CallFacts,
    Dialogue,
    ModelScores,
    Overlap,
    Role,
    Silence,
    Turn,
    TurnEmotion,
    TurnPoliteness,
    TurnProsody,
)
from qa_monitor.rules.fields import DIRECTIONS

SILENCE_S = 3.0
OVERLAP_S = 0.5
_ROLES: dict[str, Role] = {
    "坐席": "agent",
    "客服": "agent",
    "座席": "agent",
    "客户": "customer",
    "用户": "customer",
    "第三方": "other",
    "导航": "ivr",
    "未知": "unknown",
}
_LINE = re.compile(rf"^({'|'.join(_ROLES)})\s*(?:(\d+(?:\.\d+)?)\s*[-~～]\s*(\d+(?:\.\d+)?)\s*秒?)?\s*[:：]\s*(.*)$")
_WAIT = re.compile("稍等|稍候|等一下|别挂|不要挂|等我")
_EMOTION_CONFIDENCE = 0.9


class ScriptError(ValueError):
    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Line:
    role: Role
    text: str
    start_s: float | None = None
    end_s: float | None = None


def parse_script(text: str, default_role: Role) -> tuple[Line, ...]:
    """The lines of a script; a single line without a speaker belongs to `default_role`. Raises ScriptError."""
    rows = [row.strip() for row in text.splitlines() if row.strip()]
    if not rows:
        raise ScriptError("例子里没有话")
    if len(rows) == 1 and not _LINE.match(rows[0]):
        return (Line(default_role, rows[0]),)
    return tuple(_line(row) for row in rows)


def _line(row: str) -> Line:
    match = _LINE.match(row)
    if not match:
        raise ScriptError(f"这一行没有说话人：{row[:30]}", "每行以“坐席：”或“客户：”开头")
    role, start, end, words = match.groups()
    if not words.strip():
        raise ScriptError(f"这一行没有话：{row[:30]}")
    if start is None:
        return Line(_ROLES[role], words)
    if float(end) <= float(start):
        raise ScriptError(f"这一行的结束时间不晚于开始时间：{row[:30]}")
    return Line(_ROLES[role], words, float(start), float(end))


def build_dialogue(lines: tuple[Line, ...]) -> Dialogue:
    """The lines as a Dialogue; interaction is worked out when every line has its times."""
    turns = tuple(
        Turn(i, line.role, line.text, line.start_s, line.end_s, speaker=line.role, raw_text=line.text)
        for i, line in enumerate(lines)
    )
    if any(line.start_s is None for line in lines):
        return Dialogue(turns)
    return _timed(turns)


def _timed(turns: tuple[Turn, ...]) -> Dialogue:
    spans = [(turn.start_s or 0.0, turn.end_s or 0.0) for turn in turns]
    silences, overlaps = [], []
    prosody = [_prosody(0, turns[0], None)]
    if spans[0][0] >= SILENCE_S:
        silences.append(Silence(0.0, spans[0][0], None))
    for i, ((_, before_end), (start, end)) in enumerate(pairwise(spans), start=1):
        if start - before_end >= SILENCE_S:
            announced = turns[i - 1].role == "agent" and bool(_WAIT.search(turns[i - 1].text))
            silences.append(Silence(before_end, start, i - 1, announced))
        changed = turns[i].role != turns[i - 1].role
        if changed and before_end - start >= OVERLAP_S:
            overlaps.append(Overlap(start, min(before_end, end), turns[i].role, i))
        prosody.append(_prosody(i, turns[i], start - before_end if changed else None))
    return Dialogue(
        turns,
        duration_s=max(end for _, end in spans),
        silences=tuple(silences),
        overlaps=tuple(overlaps),
        prosody=tuple(prosody),
        talk_share=_talk_share(turns, spans),
    )


def _prosody(index: int, turn: Turn, delay_s: float | None) -> TurnProsody:
    seconds = (turn.end_s or 0.0) - (turn.start_s or 0.0)
    return TurnProsody(index, rate_cpm=round(60 * len(turn.text) / seconds, 1), response_delay_s=delay_s)


def _talk_share(turns: tuple[Turn, ...], spans: list[tuple[float, float]]) -> dict[str, float]:
    total = sum(end - start for start, end in spans)
    shares: dict[str, float] = {}
    for turn, (start, end) in zip(turns, spans, strict=True):
        shares[turn.role] = shares.get(turn.role, 0.0) + (end - start) / total
    return shares


def build_facts(pairs: tuple[tuple[str, str], ...]) -> CallFacts:
    """Call facts from an example's `facts`."""
    known = {key: value for key, value in pairs if key in ("call_id", "agent_id", "started_at", "business")}
    given = DIRECTIONS.get(dict(pairs).get("direction", ""))
    extra = {key: value for key, value in pairs if key not in known and key != "direction"}
    return CallFacts(**known, direction=given, extra=extra)  # type: ignore[arg-type]


def build_scores(pairs: tuple[tuple[str, str], ...], dialogue: Dialogue) -> ModelScores | None:
    """Model scores from an example's `scores`: given for the call, and the same for each turn of the role judged."""
    if not pairs:
        return None
    given = dict(pairs)
    politeness = float(given["politeness"]) if "politeness" in given else None
    satisfaction = float(given["satisfaction"]) if "satisfaction" in given else None
    resolution = given.get("resolution")
    return ModelScores(
        scorer="例子",
        scorer_version="1",
        politeness=politeness,
        politeness_turns=tuple(
            TurnPoliteness(turn.index, politeness, 1.0)
            for turn in dialogue.turns
            if politeness is not None and turn.role == "agent"
        ),
        emotion_turns=tuple(
            TurnEmotion(turn.index, given["emotion"], _EMOTION_CONFIDENCE)
            for turn in dialogue.turns
            if "emotion" in given and turn.role == "customer"
        ),
        resolution=resolution,  # type: ignore[arg-type]
        resolution_probabilities={resolution: 1.0} if resolution else {},
        deciding_turn=None,
        satisfaction=satisfaction,
        satisfaction_probabilities={f"{satisfaction:g}": 1.0} if satisfaction is not None else {},
    )
