"""Turns from stretches of speech: one voice until the other speaks or a pause is long."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from qa_monitor.records import Role, Turn, Utterance, Word

JOIN_WITHIN_S = 1.5


@dataclass(frozen=True, slots=True)
class Said:
    """Something one speaker said: normalised text with offsets into its raw text, words, confidence, suspicion."""

    speaker: str
    start_s: float
    end_s: float
    text: str
    raw_text: str
    offsets: tuple[int, ...]
    words: tuple[Word, ...]
    confidence: float
    suspect: str | None


def of_utterance(utterance: Utterance, speaker: str) -> Said:
    return Said(
        speaker,
        utterance.start_s,
        utterance.end_s,
        utterance.text,
        utterance.raw_text,
        utterance.offsets,
        utterance.words,
        utterance.confidence,
        utterance.suspect,
    )


def of_words(utterance: Utterance, words: Sequence[Word], speaker: str) -> Said:
    """The part of an utterance that these of its words make up."""
    first = next(index for index, word in enumerate(utterance.words) if word is words[0])
    lead = len("".join(word.text for word in utterance.words)) - len("".join(w.text for w in utterance.words).lstrip())
    begin = max(0, sum(len(word.text) for word in utterance.words[:first]) - lead)
    end = begin + sum(len(word.text) for word in words) - (lead if first == 0 else 0)
    kept = [index for index, offset in enumerate(utterance.offsets) if begin <= offset < end]
    spoken = [word.probability for word in words if any(character.isalnum() for character in word.text)]
    return Said(
        speaker=speaker,
        start_s=words[0].start_s,
        end_s=max(words[-1].end_s, words[0].start_s),
        text="".join(utterance.text[index] for index in kept),
        raw_text=utterance.raw_text[begin:end],
        offsets=tuple(utterance.offsets[index] - begin for index in kept),
        words=tuple(words),
        confidence=sum(spoken) / len(spoken) if spoken else utterance.confidence,
        suspect=utterance.suspect,
    )


def build(said: Iterable[Said], roles: dict[str, Role], sureness: float) -> tuple[Turn, ...]:
    """Turns in order of time. Trusted and suspect words are never mixed in one turn."""
    groups: list[list[Said]] = []
    for item in sorted(said, key=lambda item: (item.start_s, item.end_s, item.speaker)):
        last = groups[-1][-1] if groups else None
        if (
            last is not None
            and (last.speaker, bool(last.suspect)) == (item.speaker, bool(item.suspect))
            and item.start_s - last.end_s <= JOIN_WITHIN_S
        ):
            groups[-1].append(item)
        else:
            groups.append([item])
    return tuple(_turn(index, group, roles, sureness) for index, group in enumerate(groups))


def _turn(index: int, group: Sequence[Said], roles: dict[str, Role], sureness: float) -> Turn:
    raw, text, offsets = "", "", []
    for item in group:
        offsets += [len(raw) + offset for offset in item.offsets]
        raw += item.raw_text
        text += item.text
    length = sum(max(1, len(item.text)) for item in group)
    role = roles.get(group[0].speaker, "unknown")
    return Turn(
        index=index,
        role=role,
        text=text,
        start_s=group[0].start_s,
        end_s=max(item.end_s for item in group),
        speaker=group[0].speaker,
        role_confidence=sureness if role != "unknown" else 0.0,
        confidence=round(sum(item.confidence * max(1, len(item.text)) for item in group) / length, 3),
        raw_text=raw,
        offsets=tuple(offsets),
        words=tuple(word for item in group for word in item.words),
        suspect=group[0].suspect,
    )
