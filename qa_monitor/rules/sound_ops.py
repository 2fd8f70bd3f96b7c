"""Hits of the operators that measure: silence, delays, overlaps, rate, loudness, pitch. None without a recording."""

from __future__ import annotations

import math

from qa_monitor.records import Silence
from qa_monitor.rules import specs
from qa_monitor.rules.call import Call
from qa_monitor.rules.hits import Hit
from qa_monitor.rules.specs import speaks_of


def silence_hits(call: Call, spec: specs.SilenceSpec) -> list[Hit]:
    """Stretches in which nobody speaks, each placed at the end of the turn before it."""
    found: list[Hit] = []
    for silence in call.dialogue.silences:
        length = round(silence.end_s - silence.start_s, 3)
        if not spec.length.holds(length):
            continue
        if spec.announced != "any" and silence.announced != (spec.announced == "yes"):
            continue
        before = call.position.get(silence.after_turn) if silence.after_turn is not None else None
        if _follows(call, before, spec.after):
            found.append(_silence_hit(call, silence, before))
    return found


def _follows(call: Call, before: int | None, wanted: str) -> bool:
    if wanted == "any":
        return True
    if before is None:
        return wanted == "start"
    return call.role_of(before) == wanted


def _silence_hit(call: Call, silence: Silence, before: int | None) -> Hit:
    at = 0 if before is None else call.text.ends[before]
    turn = 0 if before is None else before
    return Hit(turn, at, at, match="audio", start_s=silence.start_s, end_s=silence.end_s)


def response_delay_hits(call: Call, spec: specs.ResponseDelaySpec) -> list[Hit]:
    """Turns that begin so long after the other side's last words."""
    measured = [
        (turn, p.response_delay_s) for turn, p in sorted(call.prosody.items()) if p.response_delay_s is not None
    ]
    seen: set[str] = set()
    found: list[Hit] = []
    for turn, delay in measured:
        role = call.role_of(turn)
        first = role not in seen
        seen.add(role)
        if (first or not spec.first_only) and delay is not None and spec.length.holds(delay):
            found.append(call.turn_hit(turn))
    return found


def overlap_hits(call: Call, spec: specs.OverlapSpec) -> list[Hit]:
    """Two voices at once. The hit is the interrupting turn; an overlap without interruption is anyone's."""
    found: list[Hit] = []
    for overlap in call.dialogue.overlaps:
        turn = call.position.get(overlap.turn)
        if turn is None or not spec.length.holds(round(overlap.end_s - overlap.start_s, 3)):
            continue
        if spec.delay_s and _spoken_before(call, turn, overlap.start_s) < spec.delay_s:
            continue
        if spec.interrupting and overlap.interrupter != call.role_of(turn):
            continue
        found.append(call.turn_hit(turn)._replace(start_s=overlap.start_s, end_s=overlap.end_s))
    return found


def _spoken_before(call: Call, turn: int, start_s: float) -> float:
    """How long the other side's turn had lasted when it was overlapped; endless when its start is not known."""
    for other in call.other_side_before(turn, 3):
        began = call.turns[other].start_s
        if began is not None and began <= start_s:
            return start_s - began
    return math.inf


def rate_hits(call: Call, spec: specs.RateSpec) -> list[Hit]:
    """Turns spoken at such a rate; for the average, every turn that makes it."""
    rates = [
        (turn, p.rate_cpm)
        for turn, p in sorted(call.prosody.items())
        if p.rate_cpm is not None and _counted(call, turn) >= spec.min_chars
    ]
    if not spec.average:
        return [call.turn_hit(turn) for turn, rate in rates if spec.rate.holds(rate)]
    found: list[Hit] = []
    for role in ("agent", "customer"):
        own = [(turn, rate) for turn, rate in rates if speaks_of(call.role_of(turn), role)]
        chars = sum(_counted(call, turn) for turn, _ in own)
        minutes = sum(_counted(call, turn) / rate for turn, rate in own if rate)
        if minutes and spec.rate.holds(chars / minutes):
            found.extend(call.turn_hit(turn) for turn, _ in own)
    return sorted(found)


def tone_hits(call: Call, spec: specs.ToneSpec) -> list[Hit]:
    """Turns louder, quieter, higher, lower or flatter than the speaker's usual, or than the speaker's last turn."""
    found: list[Hit] = []
    last: dict[str, float] = {}
    for turn, prosody in sorted(call.prosody.items()):
        value = {
            "loudness": prosody.loudness_db,
            "pitch": prosody.pitch_semitones,
            "pitch_range": prosody.pitch_range_semitones,
        }[spec.measure]
        if value is None or _counted(call, turn) < spec.min_chars:
            continue
        role = call.role_of(turn)
        compared = value if spec.versus == "median" else value - last[role] if role in last else None
        last[role] = value
        if compared is not None and spec.change.holds(compared):
            found.append(call.turn_hit(turn))
    return found


def _counted(call: Call, turn: int) -> int:
    return sum(char.isalnum() for char in call.turns[turn].text)
