"""Between the turns: silences, overlaps with who interrupted whom, shares of talk."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from qa_monitor.records import Overlap, Role, Silence, Span, Turn

ANNOUNCED = re.compile(
    r"稍等|稍候|等(一下|一会|下|会)|别挂|不要挂|(帮|给|为)您(查|看|核实|问)|查(一下|询)|看一下|正在为您"
)
HELD_BEFORE_S = 1.0  # the interrupted voice had been speaking at least this long, and went on


def silences(turns: Sequence[Turn], voiced: Sequence[Span], duration_s: float, longest_s: float) -> tuple[Silence, ...]:
    """Stretches longer than `longest_s` in which no channel is voiced, the ends of the call included."""
    found = []
    quiet_from = 0.0
    for span in [*_union(voiced), Span(duration_s, duration_s + 1)]:
        if span.start_s - quiet_from > longest_s:
            before = [turn for turn in turns if turn.start_s is not None and turn.start_s < quiet_from + 0.3]
            after_turn = before[-1].index if before else None
            said = "".join(turn.text for turn in before[-2:] if turn.role == "agent")
            found.append(
                Silence(round(quiet_from, 2), round(span.start_s, 2), after_turn, bool(ANNOUNCED.search(said)))
            )
        quiet_from = max(quiet_from, span.end_s)
    return tuple(found)


def overlaps(
    turns: Sequence[Turn], voiced: Mapping[str, Sequence[Span]], roles: Mapping[str, Role], shortest_s: float
) -> tuple[Overlap, ...]:
    """Where two speakers' voiced spans meet for longer than `shortest_s`; the later to begin interrupted."""
    names = sorted(voiced)
    found = []
    for position, first in enumerate(names):
        for second in names[position + 1 :]:
            for one in voiced[first]:
                for other in voiced[second]:
                    start, end = max(one.start_s, other.start_s), min(one.end_s, other.end_s)
                    if end - start <= shortest_s:
                        continue
                    speaker = second if other.start_s >= one.start_s else first
                    turn = _turn_at(turns, speaker, start, end)
                    if turn is not None:
                        found.append(Overlap(round(start, 2), round(end, 2), roles.get(speaker, "unknown"), turn))
    return tuple(sorted(found, key=lambda overlap: (overlap.start_s, overlap.end_s)))


def talk_share(turns: Sequence[Turn]) -> dict[str, float]:
    """Role → share of the time that anybody speaks; empty when nobody does."""
    seconds: dict[str, float] = {}
    for turn in turns:
        if turn.start_s is not None and turn.end_s is not None and not turn.suspect:
            seconds[turn.role] = seconds.get(turn.role, 0.0) + max(0.0, turn.end_s - turn.start_s)
    total = sum(seconds.values())
    return {role: value / total for role, value in sorted(seconds.items())} if total > 0 else {}


def _turn_at(turns: Sequence[Turn], speaker: str, start_s: float, end_s: float) -> int | None:
    for turn in turns:
        inside = (
            turn.start_s is not None and turn.end_s is not None and turn.start_s < end_s and start_s < turn.end_s + 0.5
        )
        if turn.speaker == speaker and inside:
            return turn.index
    return None


def _union(spans: Sequence[Span]) -> list[Span]:
    joined: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start_s, span.end_s)):
        if joined and span.start_s <= joined[-1].end_s:
            joined[-1] = Span(joined[-1].start_s, max(joined[-1].end_s, span.end_s))
        else:
            joined.append(span)
    return joined
