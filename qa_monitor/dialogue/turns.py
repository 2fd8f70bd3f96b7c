"""Turns: one voice until it pauses or the other has said something; a 嗯 or 好的 in between ends no turn."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from qa_monitor.dialogue.phrases import Phrase, grouped, joined
from qa_monitor.records import Role, Turn

PAUSE_S = 0.8  # a longer pause ends a turn
TAKES_THE_FLOOR_S = 0.15  # how far into the pause of one voice the other must speak to end that voice's turn
MAX_BACK_CHANNEL_S = 1.5
_BACK_CHANNEL = re.compile(
    r"(嗯|恩|唔|呃|额|啊|哦|噢|喔|哎|唉|诶|欸|哈|对对|对的|对啊|对|好的|好嘞|好吧|好|是的|是啊|是|行|可以|明白|知道了|了解|没错|ok)+",
    re.IGNORECASE,
)
_ASKS = re.compile(r"([?？]|[吗么呢吧嘛]|好不好|对不对|是不是|可不可以|行不行|有没有|没有)[啊呀，。,.？?！!\s]*$")
_MARKS = re.compile(r"[\W_]+")


def is_back_channel(text: str) -> bool:
    """Whether a text says no more than that one is listening."""
    return _BACK_CHANNEL.fullmatch(_MARKS.sub("", text)) is not None


def build(pieces: Iterable[Phrase], roles: Mapping[str, Role], sureness: float) -> tuple[Turn, ...]:
    """Turns in order of time out of pieces of speech. Trusted and suspect words are never in one turn.

    A speaker without an entry in `roles` is unknown.
    """
    by_speaker: dict[str, list[list[Phrase]]] = {}
    for piece in pieces:
        by_speaker.setdefault(piece.speaker, [[]])[0].append(piece)
    for speaker, (everything,) in by_speaker.items():
        by_speaker[speaker] = grouped(everything, PAUSE_S)
    spoken: list[Phrase] = []
    for speaker, groups in by_speaker.items():
        others = sorted(
            (
                joined(group)
                for other, theirs in by_speaker.items()
                if other != speaker
                for group in theirs
                if group[0].suspect is None
            ),
            key=lambda phrase: (phrase.start_s, phrase.end_s, phrase.speaker),
        )
        starts = [phrase.start_s for phrase in others]
        spoken += [joined(run) for group in groups for run in _parted(group, others, starts)]
    spoken.sort(key=lambda phrase: (phrase.start_s, phrase.end_s, phrase.speaker))
    return tuple(_turn(index, phrase, roles, sureness) for index, phrase in enumerate(spoken))


def _parted(group: Sequence[Phrase], others: Sequence[Phrase], starts: Sequence[float]) -> list[list[Phrase]]:
    """Pieces that belong together, cut where another voice took the floor in between."""
    runs = [[group[0]]]
    for before, after in pairwise(group):
        low, high = bisect_left(starts, before.start_s), bisect_left(starts, after.start_s)
        if any(_takes_floor(others[index], before, after, runs[-1]) for index in range(low, high)):
            runs.append([after])
        else:
            runs[-1].append(after)
    return runs


def _takes_floor(other: Phrase, before: Phrase, after: Phrase, run: Sequence[Phrase]) -> bool:
    heard_s = min(other.end_s, after.start_s) - max(other.start_s, before.end_s)
    if heard_s < min(TAKES_THE_FLOOR_S, 0.9 * other.duration_s):
        return False
    if other.duration_s <= MAX_BACK_CHANNEL_S and is_back_channel(other.text):
        return _ASKS.search("".join(piece.text for piece in run)) is not None  # an answer, not a murmur
    return True


def _turn(index: int, phrase: Phrase, roles: Mapping[str, Role], sureness: float) -> Turn:
    role: Role = "ivr" if phrase.ivr else roles.get(phrase.speaker, "unknown")
    return Turn(
        index=index,
        role=role,
        text=phrase.text,
        start_s=phrase.start_s,
        end_s=phrase.end_s,
        speaker=phrase.speaker,
        role_confidence=sureness if role != "unknown" else 0.0,
        confidence=round(phrase.confidence, 3),
        raw_text=phrase.raw_text,
        offsets=phrase.offsets,
        words=phrase.words,
        suspect=phrase.suspect,
    )
