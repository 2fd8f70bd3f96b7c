"""The transcript as a conversation: turns with their marked words, and the silences between them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from qa_monitor.records import Dialogue, Finding, Overlap, Silence, Turn
from qa_monitor.reports import figures, names
from qa_monitor.reports.marks import Mark, MarkKind, Stretch, stretches
from qa_monitor.store.views import CallView

IMPOLITE = 2.5  # an agent turn at or below this, on 1–5, is remarked on
Numbered = tuple[int, MarkKind, Finding]


@dataclass(frozen=True, slots=True)
class Line:
    """A turn, or a silence (then `pause` says how long and `stretches` is empty).

    `side` is agent, customer or other; `tags` are small remarks beside the name: (text, how to show it).
    """

    anchor: str = ""
    side: str = ""
    who: str = ""
    when: str = ""
    number: int = 0
    stretches: tuple[Stretch, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    suspect: str = ""
    pause: str = ""
    announced: bool = False
    outside: tuple[tuple[int, str, MarkKind], ...] = ()  # findings on the turn as a whole: number, name, kind


def conversation(view: CallView, numbered: Iterable[Numbered], anchor: str) -> list[Line]:
    """Turns and silences in the order they were heard."""
    if view.dialogue is None:
        return []
    dialogue = view.dialogue
    marks, whole = _marks_by_turn(dialogue, numbered)
    masked: dict[int, list[tuple[int, int, str]]] = {}
    for span in view.masked:
        masked.setdefault(span.turn, []).append((span.start, span.end, span.kind))
    overlaps: dict[int, list[Overlap]] = {}
    for overlap in dialogue.overlaps:
        overlaps.setdefault(overlap.turn, []).append(overlap)
    remarks = _remarks(view)
    pauses: dict[int | None, list[Silence]] = {}
    for silence in dialogue.silences:
        pauses.setdefault(silence.after_turn, []).append(silence)

    lines = [_pause(silence) for silence in pauses.get(None, [])]
    for turn in dialogue.turns:
        pieces = stretches(turn.text, marks.get(turn.index, ()), masked.get(turn.index, ()))
        tags = [_overlap_tag(overlap) for overlap in overlaps.get(turn.index, [])] + remarks.get(turn.index, [])
        lines.append(_line(turn, anchor, pieces, tags, whole.get(turn.index, [])))
        lines += [_pause(silence) for silence in pauses.get(turn.index, [])]
    return lines


def _marks_by_turn(
    dialogue: Dialogue, numbered: Iterable[Numbered]
) -> tuple[dict[int, list[Mark]], dict[int, list[tuple[int, str, MarkKind]]]]:
    """Marks on words, and findings that rest on a turn without naming words of it."""
    lengths = {turn.index: len(turn.text) for turn in dialogue.turns}
    marks: dict[int, list[Mark]] = {}
    whole: dict[int, list[tuple[int, str, MarkKind]]] = {}
    for number, kind, finding in numbered:
        for item in finding.evidence:
            if item.turn is None or item.turn not in lengths:
                continue
            worded = item.start is not None and item.end is not None
            if worded and 0 <= (item.start or 0) < (item.end or 0) <= lengths[item.turn]:
                mark = Mark(item.start or 0, item.end or 0, number, finding.name, kind)
                marks.setdefault(item.turn, []).append(mark)
            elif (number, finding.name, kind) not in whole.setdefault(item.turn, []):
                whole[item.turn].append((number, finding.name, kind))
    return marks, whole


def _line(
    turn: Turn,
    anchor: str,
    pieces: list[Stretch],
    tags: list[tuple[str, str]],
    whole: list[tuple[int, str, MarkKind]],
) -> Line:
    return Line(
        anchor=f"{anchor}t{turn.index}",
        side=turn.role if turn.role in ("agent", "customer") else "other",
        who=names.ROLES[turn.role],
        when=figures.clock(turn.start_s) if figures.seconds(turn.start_s) is not None else "",
        number=turn.index + 1,
        stretches=tuple(pieces),
        tags=tuple(tags),
        suspect=names.SUSPECTS.get(turn.suspect, turn.suspect) if turn.suspect else "",
        outside=tuple(whole),
    )


def _pause(silence: Silence) -> Line:
    length = figures.text_of("seconds", silence.end_s - silence.start_s)
    return Line(pause=f"静音 {length} 秒", when=figures.clock(silence.start_s), announced=silence.announced)


def _overlap_tag(overlap: Overlap) -> tuple[str, str]:
    return f"抢话 {figures.text_of('seconds', overlap.end_s - overlap.start_s)} 秒", "overlap"


def _remarks(view: CallView) -> dict[int, list[tuple[str, str]]]:
    """What the scorer says of single turns, with its name: a customer's emotion, an agent turn that is not polite."""
    remarks: dict[int, list[tuple[str, str]]] = {}
    if view.model is None:
        return remarks
    scorer = view.model.scorer
    for emotion in view.model.emotion_turns:
        if emotion.label in names.EMOTIONS and emotion.label != "neutral":
            remarks.setdefault(emotion.turn, []).append(
                (f"{names.EMOTIONS[emotion.label]}（{scorer}）", f"emotion {emotion.label}")
            )
    for polite in view.model.politeness_turns:
        shown = figures.scale(polite.score)
        if shown is not None and shown <= IMPOLITE:
            attitude = names.ATTITUDES.get(polite.label, "")
            words = f"：{'、'.join(polite.words)}" if polite.words else ""
            told = f"礼貌 {figures.scale_text(shown)} {attitude}{words}（{scorer}）"
            remarks.setdefault(polite.turn, []).append((told, "polite"))
    return remarks
