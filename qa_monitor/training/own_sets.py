"""Our own labelled dialogues as training examples: both readings averaged."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from qa_monitor.classifier.encoding import AGENT, CUSTOMER
from qa_monitor.errors import TrainingDataError
from qa_monitor.records import Verdict
from qa_monitor.training.dialogues import (
    ATTITUDES,
    COURSES,
    EMOTIONS,
    RESOLUTIONS,
    LabelledDialogue,
    LabelledTurn,
    read_dialogues,
    read_second,
)
from qa_monitor.training.examples import Example
from qa_monitor.training.public_sets import WIKI_LEVELS, between, simplified

AGENT_ROLE = "agent"
ATTITUDE_LABELS = tuple(ATTITUDES.values())
EMOTION_LABELS = tuple(EMOTIONS.values())
RESOLUTION_LABELS = tuple(reversed(RESOLUTIONS.values()))  # unresolved, partial, resolved: an ordered scale
COURSE_LABELS = tuple(COURSES.values())


def rule_labels(golden: Path) -> tuple[str, ...]:
    """The rule ids that dialogues are labelled for: one golden file each."""
    return tuple(sorted(file.stem for file in golden.glob("*.txt")))


def read_own(folder: Path) -> list[tuple[LabelledDialogue, LabelledDialogue | None]]:
    """Every dialogue under `folder`/dialogues with its second reading, where there is one."""
    first = {item.id: item for file in sorted((folder / "dialogues").glob("*.txt")) for item in read_dialogues(file)}
    second = {
        item.id: item for file in sorted((folder / "second_reading").glob("*.txt")) for item in read_second(file, first)
    }
    return [(item, second.get(item.id)) for item in first.values()]


def verdicts_of(reading: LabelledDialogue, rules: Iterable[str]) -> dict[str, Verdict]:
    """A reading's verdict on every rule."""
    return {
        rule: "fail" if rule in reading.failed else "not_applicable" if rule in reading.not_applicable else "pass"
        for rule in rules
    }


def agreed(told: dict[str, Verdict], again: dict[str, Verdict] | None) -> dict[str, Verdict]:
    """The verdicts on which both readings agree; all of the first where there is no second."""
    return {rule: verdict for rule, verdict in told.items() if again is None or again[rule] == verdict}


def read_replies(folder: Path) -> list[Example]:
    """`folder`/replies: what was said so far and several replies to it, from rude to warm, each an example."""
    examples = []
    for file in sorted((folder / "replies").glob("*.txt")):
        before: list[LabelledTurn] = []
        answered = True
        for number, raw in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            line = raw.strip()
            reply = re.fullmatch(r"([1-5]) (\S+?)：(.+)", line)
            if reply and reply[2] in ATTITUDES and before:
                said = LabelledTurn(AGENT_ROLE, reply[3], int(reply[1]), ATTITUDES[reply[2]])
                examples.append(_reply(f"{file.stem}-{number}", [*before, said]))
                answered = True
            elif heard := _heard_before(line):
                before = [heard] if answered else [*before, heard]
                answered = False
            elif line:
                raise TrainingDataError(
                    "应为「客户 情绪：话」或「坐席：话」，后面每行「礼貌分 态度：话」",
                    where=f"{file}:{number}",
                    hint="格式见 data/guideline.md",
                )
    return examples


def read_talk(folder: Path) -> list[Example]:
    """`folder`/talk: utterances as on an encyclopaedia's discussion pages, `politeness<TAB>text`, 0 (rude) – 4 (polite)."""
    examples = []
    for file in sorted((folder / "talk").glob("*.tsv")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            level, _, text = line.partition("\t")
            if not re.fullmatch(r"[0-4](\.\d+)?", level) or float(level) > 4 or not text.strip():
                raise TrainingDataError(
                    "应为「0–4 的分数<TAB>发言」", where=f"{file}:{number}", hint="格式见 data/guideline.md"
                )
            call = {"wiki": between(float(level), WIKI_LEVELS)}
            examples.append(Example(f"{file.stem}-{number}", "talk", ((CUSTOMER, simplified(text)),), call=call))
    return examples


def _heard_before(line: str) -> LabelledTurn | None:
    """A line of what was said before the replies: a caller with an emotion, or the agent without a label."""
    if asked := re.fullmatch(r"客户 (\S+?)：(.+)", line):
        return LabelledTurn("customer", asked[2], emotion=EMOTIONS[asked[1]]) if asked[1] in EMOTIONS else None
    told = re.fullmatch(r"坐席：(.+)", line)
    return LabelledTurn(AGENT_ROLE, told[1]) if told else None


def _reply(name: str, turns: Sequence[LabelledTurn]) -> Example:
    return Example(
        name,
        "replies",
        tuple((AGENT if turn.role == AGENT_ROLE else CUSTOMER, turn.text) for turn in turns),
        turn={
            "politeness": tuple(_one_of(turn.politeness - 1, 5) if turn.politeness else None for turn in turns),
            "attitude": tuple(
                _one_of(ATTITUDE_LABELS.index(turn.attitude), 10) if turn.attitude else None for turn in turns
            ),
            "emotion": tuple(
                _one_of(EMOTION_LABELS.index(turn.emotion), 6) if turn.emotion else None for turn in turns
            ),
        },
    )


def to_example(readings: Sequence[LabelledDialogue], rules: Sequence[str], source: str = "own") -> Example:
    """One example with every label the mean of the readings; the evidence is the first reading's, since where the
    second saw another verdict, that turn is still the one to look at."""
    one = readings[0]
    turns = tuple((AGENT if turn.role == "agent" else CUSTOMER, turn.text) for turn in one.turns)
    call = {
        "courtesy": _mean([_one_of(r.politeness - 1, 5) for r in readings]),
        "resolution": _mean([_one_of(RESOLUTION_LABELS.index(r.resolution), 3) for r in readings]),
        "satisfaction": _mean([_one_of(r.satisfaction - 1, 5) for r in readings]),
        "accomplishment": _mean([_one_of(r.accomplishment + 2, 5) for r in readings]),
        "effectiveness": _mean([_one_of(r.effectiveness + 2, 5) for r in readings]),
        "course": _mean([_one_of(COURSE_LABELS.index(r.course), 3) for r in readings]),
    }
    politeness, attitude, emotion = [], [], []
    for place, (role, _) in enumerate(turns):
        said = [reading.turns[place] for reading in readings]
        agent = role == AGENT
        politeness.append(_mean([_one_of((t.politeness or 3) - 1, 5) for t in said]) if agent else None)
        attitude.append(
            _mean([_one_of(ATTITUDE_LABELS.index(t.attitude or "neutral"), 10) for t in said]) if agent else None
        )
        emotion.append(
            None if agent else _mean([_one_of(EMOTION_LABELS.index(t.emotion or "neutral"), 6) for t in said])
        )
    verdicts = tuple(
        _mean([_one_of(1 if rule in r.failed else 2 if rule in r.not_applicable else 0, 3) for r in readings])
        for rule in rules
    )
    return Example(
        one.id,
        source,
        turns,
        call=call,
        turn={"politeness": tuple(politeness), "attitude": tuple(attitude), "emotion": tuple(emotion)},
        deciding=one.deciding_turn,
        rules=verdicts,
        evidence=tuple(one.evidence.get(rule) for rule in rules),
    )


def read_labels(file: Path, rules: Sequence[str], source: str = "labels") -> list[Example]:
    """Calls with reviewers' labels, one JSON object a line, as in `tests/golden/dialogues`.

    `id` and `turns` (role agent | customer, text) are required; a turn may have `politeness` 1–5, `attitude` or
    `emotion`; a call may have `politeness`, `satisfaction` (1–5), `resolution` and `labels` (rule id → verdict).
    Raises TrainingDataError with file and line.
    """
    examples = []
    for number, line in enumerate(file.read_text(encoding="utf-8-sig").splitlines(), 1):
        if not line.strip():
            continue
        try:
            examples.append(_labelled(json.loads(line), rules, source))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise TrainingDataError(
                f"这一行用不了（{_reason(error)}）", where=f"{file}:{number}", hint="格式见 data/guideline.md 第七节"
            ) from error
    if not examples:
        raise TrainingDataError(
            "里面没有一通对话", where=str(file), hint="每行一个 JSON 对象，见 data/guideline.md 第七节"
        )
    return examples


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"不是 JSON，第 {error.colno} 列"
    return f"缺少 {error}" if isinstance(error, KeyError) else str(error)


def _labelled(row: dict[str, Any], rules: Sequence[str], source: str) -> Example:
    turns = tuple((_role(turn["role"]), str(turn["text"])) for turn in row["turns"])
    call: dict[str, tuple[float, ...]] = {}
    for key, head in (("politeness", "courtesy"), ("satisfaction", "satisfaction")):
        if row.get(key) is not None:
            call[head] = between(_scale(row[key], key) - 1, 5)
    if row.get("resolution") is not None:
        call["resolution"] = _one_of(_place(row["resolution"], RESOLUTION_LABELS, "resolution"), 3)
    labels = row.get("labels") or {}
    return Example(
        str(row["id"]),
        source,
        turns,
        call=call,
        turn={
            "politeness": tuple(
                between(_scale(turn["politeness"], "politeness") - 1, 5) if turn.get("politeness") is not None else None
                for turn in row["turns"]
            ),
            "attitude": tuple(
                _one_of(_place(turn["attitude"], ATTITUDE_LABELS, "attitude"), 10) if turn.get("attitude") else None
                for turn in row["turns"]
            ),
            "emotion": tuple(
                _one_of(_place(turn["emotion"], EMOTION_LABELS, "emotion"), 6) if turn.get("emotion") else None
                for turn in row["turns"]
            ),
        },
        rules=tuple(
            _one_of(_place(labels[rule], ("pass", "fail", "not_applicable"), rule), 3) if rule in labels else None
            for rule in rules
        ),
    )


def _role(role: str) -> int:
    return (CUSTOMER, AGENT)[_place(role, ("customer", "agent"), "role")]


def _scale(value: Any, key: str) -> float:
    if not 1 <= float(value) <= 5:
        raise ValueError(f"{key} 应为 1–5，这里是 {value}")
    return float(value)


def _place(value: str, labels: Sequence[str], key: str) -> int:
    if value not in labels:
        raise ValueError(f"{key} 应为 {'、'.join(labels)} 之一，这里是 {value}")
    return labels.index(value)


def _one_of(place: int, size: int) -> tuple[float, ...]:
    return tuple(1.0 if index == place else 0.0 for index in range(size))


def _mean(rows: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    return tuple(sum(column) / len(rows) for column in zip(*rows, strict=True))
