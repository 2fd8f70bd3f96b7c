"""Labelled dialogues as people write them (`data/guideline.md` describes the format and the labels).

    @ pw-0001 | 故障报修 | 呼入 | 有标点
    坐席 4 礼貌：您好，供电公司零二六号，您请讲
    客户* 焦急：我家电表箱那儿冒烟呢
    = 礼貌 4 解决 已解决 满意 4 完成 2 效果 2 走向 平息
    不合格 closing.anything_else
    不适用 identity.verify
    证据 opening.greeting=1 solution.confirm=0

A second reading gives the same labels without the words, one numbered line a turn: `1 坐席 4 礼貌`, `2 客户* 焦急`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from qa_monitor.errors import TrainingDataError
from qa_monitor.records import Direction

ATTITUDES = {
    "礼貌": "courteous",
    "热情": "warm",
    "平淡": "neutral",
    "生硬": "curt",
    "不耐烦": "impatient",
    "讽刺": "sarcastic",
    "指责": "blaming",
    "轻蔑": "contemptuous",
    "推诿": "buck_passing",
    "拒绝": "refusing",
}
EMOTIONS = {
    "辱骂": "abusive",
    "愤怒": "angry",
    "不满": "annoyed",
    "焦急": "anxious",
    "平静": "neutral",
    "满意": "positive",
}
RESOLUTIONS = {"已解决": "resolved", "部分解决": "partial", "未解决": "unresolved"}
COURSES = {"平息": "calmed", "激化": "inflamed", "不变": "steady"}

_AGENT = re.compile(r"坐席(\*?) ?([1-5]) ?([^：:\s]+)[：:](.*)")
_CUSTOMER = re.compile(r"客户(\*?) ?([^：:\s]+)[：:](.*)")
_CALL = re.compile(r"= ?礼貌 ?([1-5]) 解决 ?(\S+) 满意 ?([1-5]) 完成 ?([-+]?[0-2]) 效果 ?([-+]?[0-2]) 走向 ?(\S+)")
_EVIDENCE = re.compile(r"([a-z_]+(?:\.[a-z_]+)?)=(\d{1,4})")


@dataclass(frozen=True, slots=True)
class LabelledTurn:
    """One turn: `politeness` 1 (rude) – 5 (warm) and `attitude` for agents, `emotion` for customers, else None."""

    role: str
    text: str
    politeness: int | None = None
    attitude: str | None = None
    emotion: str | None = None


@dataclass(frozen=True, slots=True)
class LabelledDialogue:
    """One call. `politeness` and `satisfaction` 1–5, `accomplishment` and `effectiveness` −2…2, higher is better.

    `failed` and `not_applicable` are rule ids; every other rule passed. `deciding_turn` is a 0-based index; `evidence`
    maps a rule id to the 0-based turn that shows its verdict, without the rules that no turn shows.
    """

    id: str
    business: str
    direction: Direction
    style: str
    turns: tuple[LabelledTurn, ...]
    deciding_turn: int | None
    politeness: int
    resolution: str
    satisfaction: int
    accomplishment: int
    effectiveness: int
    course: str
    failed: frozenset[str]
    not_applicable: frozenset[str]
    evidence: dict[str, int] = field(default_factory=dict)


def read_dialogues(file: Path) -> list[LabelledDialogue]:
    """Every dialogue of a file, in order. TrainingDataError names the file and line of the first thing wrong."""
    return _parse(file, file.read_text(encoding="utf-8").splitlines())


def _parse(file: Path, lines: Sequence[str]) -> list[LabelledDialogue]:
    dialogues: list[LabelledDialogue] = []
    block: list[tuple[int, str]] = []
    for number, raw in enumerate([*lines, "@"], 1):
        line = raw.strip()
        if line.startswith("@") and block:
            dialogues.append(_read_one(file, block))
            block = []
        if line and not line.startswith("#"):
            block.append((number, line))
    seen: set[str] = set()
    for dialogue in dialogues:
        if dialogue.id in seen:
            raise TrainingDataError(f"编号 {dialogue.id} 出现了两次", where=str(file), hint="请改成不同的编号")
        seen.add(dialogue.id)
    return dialogues


def read_second(file: Path, dialogues: dict[str, LabelledDialogue]) -> list[LabelledDialogue]:
    """The dialogues of a second reading, with the words of the first and the labels of the second."""
    written: list[str] = []
    current: LabelledDialogue | None = None
    for number, raw in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        line = raw.strip()
        if line.startswith("@"):
            current = dialogues.get(line.lstrip("@").split("|")[0].strip())
            if current is None:
                raise _wrong(file, number, "第一遍里没有这个编号")
            direction = "呼入" if current.direction == "inbound" else "呼出"
            line = f"@ {current.id} | {current.business} | {direction} | {current.style}"
        elif current and (numbered := re.match(r"(\d+)[ .、]*((?:坐席|客户).*)", line)):
            place = int(numbered[1]) - 1
            if place >= len(current.turns) or not numbered[2].startswith(
                "坐席" if current.turns[place].role == "agent" else "客户"
            ):
                raise _wrong(file, number, f"第 {place + 1} 句与第一遍的角色或句数不符")
            line = f"{numbered[2].rstrip('：: ')}：{current.turns[place].text}"
        written.append(line)
    second = _parse(file, written)
    for dialogue in second:
        if len(dialogue.turns) != len(dialogues[dialogue.id].turns):
            raise TrainingDataError(
                f"{dialogue.id} 标了 {len(dialogue.turns)} 句，对话有 {len(dialogues[dialogue.id].turns)} 句",
                where=str(file),
            )
    return second


def _read_one(file: Path, block: list[tuple[int, str]]) -> LabelledDialogue:
    first, head = block[0]
    parts = [part.strip() for part in head.lstrip("@").split("|")]
    if len(parts) != 4 or parts[2] not in ("呼入", "呼出"):
        raise _wrong(file, first, "第一行应为「@ 编号 | 业务 | 呼入或呼出 | 文字样子」")
    turns: list[LabelledTurn] = []
    deciding: int | None = None
    call: re.Match[str] | None = None
    verdicts: dict[str, frozenset[str]] = {"不合格": frozenset(), "不适用": frozenset()}
    evidence: dict[str, int] = {}
    for number, line in block[1:]:
        if line.startswith(("坐席", "客户")):
            turn, decides = _turn(file, number, line)
            deciding = len(turns) if decides else deciding
            turns.append(turn)
        elif line.startswith("="):
            call = _CALL.match(line)
            if not call or call[2] not in RESOLUTIONS or call[6] not in COURSES:
                raise _wrong(file, number, "应为「= 礼貌 4 解决 已解决 满意 4 完成 1 效果 1 走向 不变」")
        elif line[:3] in verdicts:
            verdicts[line[:3]] = frozenset(re.findall(r"[a-z_]+(?:\.[a-z_]+)?", line[3:]))
        elif line.startswith("证据"):
            evidence = _evidence(file, number, line, len(turns))
        else:
            raise _wrong(file, number, "看不懂这一行：应以 坐席、客户、=、不合格、不适用 或 证据 开头")
    if call is None or not turns:
        raise _wrong(file, first, "这通缺少对话或「=」行")
    return LabelledDialogue(
        parts[0], parts[1], "inbound" if parts[2] == "呼入" else "outbound", parts[3], tuple(turns), deciding,
        int(call[1]), RESOLUTIONS[call[2]], int(call[3]), int(call[4]), int(call[5]), COURSES[call[6]],
        verdicts["不合格"], verdicts["不适用"], evidence,
    )  # fmt: skip


def _turn(file: Path, number: int, line: str) -> tuple[LabelledTurn, bool]:
    agent, customer = _AGENT.match(line), _CUSTOMER.match(line)
    if agent and agent[3] in ATTITUDES:
        return LabelledTurn("agent", agent[4].strip(), int(agent[2]), ATTITUDES[agent[3]]), bool(agent[1])
    if customer and customer[2] in EMOTIONS:
        return LabelledTurn("customer", customer[3].strip(), emotion=EMOTIONS[customer[2]]), bool(customer[1])
    raise _wrong(
        file,
        number,
        f"应为「坐席 1–5 态度：话」或「客户 情绪：话」；态度有 {'、'.join(ATTITUDES)}；情绪有 {'、'.join(EMOTIONS)}",
    )


def _evidence(file: Path, number: int, line: str, turns: int) -> dict[str, int]:
    """Rule id → 0-based turn. 0 in the file says that no turn shows the verdict: what was wanted was left unsaid."""
    found: dict[str, int] = {}
    for item in line.removeprefix("证据").split():
        told = _EVIDENCE.fullmatch(item)
        if not told:
            raise _wrong(file, number, f"证据应为「规则编号=第几句」，这里是 {item}")
        if told[1] in found:
            raise _wrong(file, number, f"{told[1]} 的证据写了两次")
        if int(told[2]) > turns:
            raise _wrong(file, number, f"{told[1]} 的证据是第 {told[2]} 句，这通只有 {turns} 句")
        found[told[1]] = int(told[2]) - 1
    return {rule: turn for rule, turn in found.items() if turn >= 0}


def _wrong(file: Path, line: int, what: str) -> TrainingDataError:
    return TrainingDataError(what, where=f"{file}:{line}", hint="格式见 data/guideline.md")
