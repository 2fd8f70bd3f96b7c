"""Pieces of recognised speech: an utterance can be cut between any two of its words without losing a character."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from qa_monitor.records import Utterance, Word

BREATH_S = 0.2  # a gap between words at which a piece may end


@dataclass(frozen=True, slots=True)
class Phrase:
    """Something one speaker said: normalised text with offsets into its raw text, words, confidence, suspicion.

    `ivr` marks a recorded announcement. Times are those of the words; a text without words keeps its utterance's.
    """

    speaker: str
    start_s: float
    end_s: float
    text: str
    raw_text: str
    offsets: tuple[int, ...]
    words: tuple[Word, ...]
    confidence: float
    suspect: str | None = None
    ivr: bool = False

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s


def cut(utterance: Utterance, speakers: Sequence[str], pause_s: float = BREATH_S) -> list[Phrase]:
    """The utterance in pieces of one speaker without a pause of `pause_s` inside.

    `speakers` names the speaker of each word (of the whole, where there are no words). Every word, every character of
    the raw text and every character of the text comes back in exactly one piece.
    """
    words = utterance.words
    if not words:
        return [_whole(utterance, speakers[0])]
    begins = word_begins(utterance)
    owners = [bisect_right(begins, offset) - 1 for offset in utterance.offsets]
    firsts = [
        index
        for index, word in enumerate(words)
        if index == 0 or speakers[index] != speakers[index - 1] or word.start_s - words[index - 1].end_s >= pause_s
    ]
    pieces = []
    for first, last in zip(firsts, [*firsts[1:], len(words)], strict=True):
        begin = begins[first]
        end = begins[last] if last < len(words) else len(utterance.raw_text)
        kept = [index for index, owner in enumerate(owners) if first <= owner < last]
        own = words[first:last]
        pieces.append(
            Phrase(
                speaker=speakers[first],
                start_s=own[0].start_s,
                end_s=max(own[0].start_s, max(word.end_s for word in own)),
                text="".join(utterance.text[index] for index in kept),
                raw_text=utterance.raw_text[begin:end],
                offsets=tuple(utterance.offsets[index] - begin for index in kept),
                words=own,
                confidence=_confidence(own, utterance.confidence),
                suspect=utterance.suspect,
            )
        )
    return pieces


def word_begins(utterance: Utterance) -> list[int]:
    """Where each word begins in the raw text. The first begins at 0, so that the words share all of it."""
    begins = []
    cursor = 0
    for word in utterance.words:
        text = word.text.strip()
        found = utterance.raw_text.find(text, cursor) if text else -1
        begins.append(found if found >= 0 else cursor)
        cursor = begins[-1] + (len(text) if found >= 0 else 0)
    return [0, *begins[1:]]


def grouped(pieces: Iterable[Phrase], pause_s: float) -> list[list[Phrase]]:
    """Pieces of one speaker in order of time, together as long as the pause between them is at most `pause_s`.

    Announcements, suspect text and the rest are never put together.
    """
    groups: list[list[Phrase]] = []
    reach_s = 0.0
    for piece in sorted(pieces, key=lambda piece: (piece.start_s, piece.end_s)):
        last = groups[-1][-1] if groups else None
        if last is not None and kind(last) == kind(piece) and piece.start_s - reach_s <= pause_s:
            groups[-1].append(piece)
            reach_s = max(reach_s, piece.end_s)
        else:
            groups.append([piece])
            reach_s = piece.end_s
    return groups


def kind(piece: Phrase) -> tuple[bool, bool]:
    return (piece.suspect is not None, piece.ivr)


def joined(group: Sequence[Phrase]) -> Phrase:
    """One phrase out of pieces of one speaker, in their order."""
    raw, text = "", ""
    offsets: list[int] = []
    for piece in group:
        offsets += [len(raw) + offset for offset in piece.offsets]
        raw += piece.raw_text
        text += piece.text
    weights = [max(1, len(piece.text)) for piece in group]
    confidence = sum(piece.confidence * weight for piece, weight in zip(group, weights, strict=True)) / sum(weights)
    return replace(
        group[0],
        end_s=max(piece.end_s for piece in group),
        text=text,
        raw_text=raw,
        offsets=tuple(offsets),
        words=tuple(word for piece in group for word in piece.words),
        confidence=confidence,
    )


def _whole(utterance: Utterance, speaker: str) -> Phrase:
    return Phrase(
        speaker=speaker,
        start_s=utterance.start_s,
        end_s=utterance.end_s,
        text=utterance.text,
        raw_text=utterance.raw_text,
        offsets=utterance.offsets,
        words=(),
        confidence=utterance.confidence,
        suspect=utterance.suspect,
    )


def _confidence(words: Sequence[Word], otherwise: float) -> float:
    spoken = [word.probability for word in words if any(character.isalnum() for character in word.text)]
    return sum(spoken) / len(spoken) if spoken else otherwise
