"""Operators about the call as a whole, about what is known of it, and about what the model says of it."""

from __future__ import annotations

import re

from qa_monitor.rules import specs
from qa_monitor.rules.call import Call
from qa_monitor.rules.hits import FALSE, TRUE, Hit, Result, from_hits, unknown
from qa_monitor.rules.patterns import compile_pattern
from qa_monitor.rules.scope import Scope, turns_in


def measure(call: Call, spec: specs.MeasureSpec, scope: Scope) -> Result:
    if spec.measure == "turn_chars":
        return from_hits(_short_or_long(call, spec, scope))
    if spec.measure == "turn_count":
        own = [turn for turn in turns_in(call, scope) if call.turns[turn].suspect is None]
        return _of_call(call, spec, float(len(own)))
    if spec.measure == "asr_confidence":
        heard = [call.turns[turn].confidence for turn in turns_in(call, scope)]
        return _of_call(call, spec, sum(heard) / len(heard)) if heard else FALSE
    if spec.measure == "duration":
        seconds = call.dialogue.duration_s
        return unknown("no_audio") if seconds is None else _of_call(call, spec, seconds)
    return _talk_share(call, spec, scope)


def _of_call(call: Call, spec: specs.MeasureSpec, value: float) -> Result:
    return Result(True, (call.call_hit(),)) if spec.value.holds(round(value, 4)) else FALSE


def _short_or_long(call: Call, spec: specs.MeasureSpec, scope: Scope) -> list[Hit]:
    found = []
    for turn in turns_in(call, scope):
        if spec.value.holds(sum(char.isalnum() for char in call.turns[turn].text)):
            found.append(call.turn_hit(turn, match="text"))
    return found


def _talk_share(call: Call, spec: specs.MeasureSpec, scope: Scope) -> Result:
    """The role's share of the speaking time: of the call, or inside the scope's windows."""
    shares = call.dialogue.talk_share
    if scope.windows is None and scope.role in shares:
        return _of_call(call, spec, shares[scope.role])
    if not call.timed:
        return unknown("no_audio")
    everyone = turns_in(call, Scope("either", scope.windows))
    total = sum(_seconds(call, turn) for turn in everyone)
    own = sum(_seconds(call, turn) for turn in everyone if call.in_role(turn, scope.role))
    return _of_call(call, spec, own / total) if total else FALSE


def _seconds(call: Call, turn: int) -> float:
    found = call.turns[turn]
    return 0.0 if found.start_s is None or found.end_s is None else found.end_s - found.start_s


def speaker(call: Call, spec: specs.SpeakerSpec) -> Result:
    own = call.trusted_turns_of("either")
    if not own:
        return FALSE
    turn = own[0] if spec.position == "first" else own[-1]
    if call.role_of(turn) == "unknown":
        return unknown("no_role")
    return Result(True, (call.turn_hit(turn, match="text"),)) if call.in_role(turn, spec.who) else FALSE


def fact(call: Call, spec: specs.FactSpec) -> Result:
    values = call.fact(spec.fact)
    if spec.exists is not None and not (spec.one_of or spec.none_of or spec.value or spec.matches):
        return TRUE if bool(values) == spec.exists else FALSE
    if not values:
        return {"yes": TRUE, "no": FALSE, "unknown": unknown("no_fact")}[spec.missing]
    holds = _fact_holds(spec, values)
    return unknown("no_fact") if holds is None else TRUE if holds else FALSE


def _fact_holds(spec: specs.FactSpec, values: tuple[str, ...]) -> bool | None:
    """None when a number is asked for and the fact is none."""
    if spec.one_of and not any(value in spec.one_of for value in values):
        return False
    if any(value in spec.none_of for value in values):
        return False
    if spec.matches and not any(compile_pattern(spec.matches).search(value.encode()) for value in values):
        return False
    if spec.value is None:
        return True
    number = re.search(r"-?\d+(?:\.\d+)?", values[0])
    return None if number is None else spec.value.holds(float(number[0]))


def politeness_of_call(call: Call, spec: specs.PolitenessSpec) -> Result:
    scores = call.scores
    if scores is None:
        return unknown("no_model")
    if scores.politeness is None:
        return unknown("abstained")
    return Result(True, (call.call_hit(match="model"),)) if spec.score.holds(scores.politeness) else FALSE


def politeness_hits(call: Call, spec: specs.PolitenessSpec) -> list[Hit]:
    """Agent turns with such a score."""
    judged = call.scores.politeness_turns if call.scores is not None else ()
    return sorted(
        call.turn_hit(call.position[one.turn], one.confidence, "model")
        for one in judged
        if one.turn in call.position and one.confidence >= spec.confidence and spec.score.holds(one.score)
    )


def emotion_hits(call: Call, spec: specs.EmotionSpec) -> list[Hit]:
    """Customer turns with one of these emotions."""
    judged = call.scores.emotion_turns if call.scores is not None else ()
    return sorted(
        call.turn_hit(call.position[one.turn], one.confidence, "model")
        for one in judged
        if one.turn in call.position and one.label in spec.labels and one.confidence >= spec.confidence
    )


def resolution(call: Call, spec: specs.ResolutionSpec) -> Result:
    scores = call.scores
    if scores is None:
        return unknown("no_model")
    if scores.resolution is None:
        return unknown("abstained")
    probability = scores.resolution_probabilities.get(scores.resolution, 1.0)
    if scores.resolution not in spec.labels or probability < spec.confidence:
        return FALSE
    deciding = call.position.get(scores.deciding_turn) if scores.deciding_turn is not None else None
    if deciding is None:
        return Result(True, (call.call_hit(probability, "model"),))
    return from_hits([call.turn_hit(deciding, probability, "model")])


def satisfaction(call: Call, spec: specs.SatisfactionSpec) -> Result:
    scores = call.scores
    if scores is None:
        return unknown("no_model")
    if scores.satisfaction is None:
        return unknown("abstained")
    inside = [p for points, p in scores.satisfaction_probabilities.items() if spec.score.holds(float(points))]
    probability = sum(inside) if scores.satisfaction_probabilities else 1.0
    if not spec.score.holds(scores.satisfaction) or probability < spec.confidence:
        return FALSE
    return Result(True, (call.call_hit(probability, "model"),))
