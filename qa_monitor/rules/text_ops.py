"""Hits of the operators that read words: phrase, word, pattern, similar, repeat, entity, readback.

Each function gives the hits over the whole call, whoever speaks; scope and role are the evaluator's business.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

from qa_monitor.rules import lexicon, specs
from qa_monitor.rules.call import Call
from qa_monitor.rules.entities import find_entities, spoken_digits
from qa_monitor.rules.guards import denied, echoed, reported
from qa_monitor.rules.hits import Hit
from qa_monitor.rules.pattern_index import Readings
from qa_monitor.rules.phrases import PhraseHit
from qa_monitor.rules.specs import At, Guard

_ECHO_TURNS = 4
_BY_SOUND = 0.85
_GUARD_REACH = 32
# Clauses are looked for in what was said before only as long as both are of the length of speech: the cost stays linear.
_LONGEST_CLAUSE = 60
_LONGEST_SEARCHED = 400
# What may stand before or after a wording that begins, ends or makes up a turn.
_NOTHING = re.compile(r"[\W_嗯呃啊哦噢喔诶欸哎唉呀嘛呢吧哈额]*")


def phrase_hits(call: Call, spec: specs.PhraseSpec, number: int, exceptions: int | None, label: str) -> list[Hit]:
    """Hits of the wordings of set `number` that pass position, exceptions and guards."""
    found = _kept(call, call.phrases.get(number, ()), exceptions, spec.at, spec.guards)
    return [call.hit(hit.start, hit.end, hit.confidence, hit.sure, _match(hit), hit.wording, label) for hit in found]


def _match(hit: PhraseHit) -> str:
    return "text" if hit.sure else "pinyin"


def word_hits(call: Call, spec: specs.WordSpec, number: int, exceptions: int | None) -> list[Hit]:
    """Hits of words that begin and end where jieba's segmentation begins and ends words."""
    edges: dict[int, set[int]] = {}
    found: list[Hit] = []
    for hit in _kept(call, call.phrases.get(number, ()), exceptions, spec.at, spec.guards):
        turn = call.text.turn_at(hit.start)
        if turn not in edges:
            offset = call.text.starts[turn]
            edges[turn] = {offset + edge for span in lexicon.cut_spans(call.shown(turn)) for edge in span}
        if hit.start in edges[turn] and hit.end in edges[turn]:
            found.append(call.hit(hit.start, hit.end, wording=hit.wording))
    return found


def _kept(
    call: Call, hits: Sequence[PhraseHit], exceptions: int | None, at: At, guards: tuple[Guard, ...]
) -> Iterator[PhraseHit]:
    barred = call.phrases.get(exceptions, ()) if exceptions is not None and hits else ()
    spans = _Spans([(hit.start, hit.end) for hit in barred])
    # An exception that is only nearly heard does not excuse what was heard word for word.
    exact = _Spans([(hit.start, hit.end) for hit in barred if hit.sure])
    for hit in hits:
        if (exact if hit.sure else spans).touch(hit.start, hit.end):
            continue
        if at != "any" and not _placed(call, hit, at):
            continue
        if guards and _guarded(call, hit.start, hit.end, guards):
            continue
        yield hit


class _Spans:
    """Spans to keep clear of."""

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        self._spans = sorted(spans)
        self._longest = max((end - start for start, end in self._spans), default=0)

    def touch(self, start: int, end: int) -> bool:
        """Whether any span overlaps [start, end)."""
        at = bisect_right(self._spans, (end - 1, 1 << 62)) - 1
        while at >= 0 and self._spans[at][0] > start - self._longest:
            if self._spans[at][1] > start:
                return True
            at -= 1
        return False


def _placed(call: Call, hit: PhraseHit, at: At) -> bool:
    turn, start, end = call.text.local(hit.start, hit.end)
    text = call.shown(turn)
    if at in ("start", "alone") and not _NOTHING.fullmatch(text[:start]):
        return False
    return at == "start" or bool(_NOTHING.fullmatch(text[end:]))


def _guarded(call: Call, start: int, end: int, guards: tuple[Guard, ...]) -> bool:
    """Whether the words are denied, or (the agent's) someone else's repeated. Rules ask the same of the same words."""
    for guard in guards:
        key = (guard, start, end)
        if key not in call.guarded:
            call.guarded[key] = _denied(call, start, end) if guard == "negation" else _quoted(call, start, end)
        if call.guarded[key]:
            return True
    return False


def _denied(call: Call, start: int, end: int) -> bool:
    text, low, _ = _surroundings(call, start, end)
    return denied(text, low)


def _quoted(call: Call, start: int, end: int) -> bool:
    turn = call.text.turn_at(start)
    if call.role_of(turn) != "agent":
        return False
    text, low, high = _surroundings(call, start, end)
    if reported(text, low, high):
        return True
    before = "\n".join(call.shown(other) for other in call.other_side_before(turn, _ECHO_TURNS))
    return echoed(text, low, high, before)


def _surroundings(call: Call, start: int, end: int) -> tuple[str, int, int]:
    """A few dozen characters of the turn about the words, and the words' place in them; turns can be very long."""
    turn, low, high = call.text.local(start, end)
    offset, window = call.text.starts[turn], max(0, low - _GUARD_REACH)
    text = call.text.shown[offset + window : min(end + _GUARD_REACH, call.text.ends[turn])]
    return text, low - window, high - window


def pattern_hits(call: Call, spec: specs.PatternSpec, readings: Readings, label: str) -> list[Hit]:
    """Hits of the patterns as written, then those that only the second reading of misheard turns gives."""
    if not readings.may_hold(spec.patterns):
        return []
    spans = [readings.spans(pattern) for pattern in spec.patterns]
    again = [readings.spans_again(pattern) for pattern in spec.patterns]
    if not any(spans) and not any(again):
        return []
    barred = [span for pattern in spec.except_patterns for span in readings.spans(pattern)]
    barred_again = [span for pattern in spec.except_patterns for span in readings.spans_again(pattern)]
    exact, by_sound = _Spans(barred), _Spans([*barred, *barred_again])
    found: list[Hit] = []
    for number, (own, repaired_own) in enumerate(zip(spans, again, strict=True)):
        spoken = _kept_spans(call, spec, own, exact)
        found += [call.hit(start, end, 1.0, True, "regex", number, label) for start, end in spoken]
        if not repaired_own:
            continue
        known = _Spans(own)
        new = [span for span in repaired_own if not known.touch(*span)]
        nearly = _kept_spans(call, spec, new, by_sound)
        found += [
            call.hit(start, end, _BY_SOUND, False, "pinyin", number, label)
            for start, end in nearly
            if readings.changed(start, end)
        ]
    return sorted(found)


def _kept_spans(
    call: Call, spec: specs.PatternSpec, spans: Sequence[tuple[int, int]], barred: _Spans
) -> Iterator[tuple[int, int]]:
    """Of byte spans those that pass exceptions and guards, as offsets into the joined text."""
    for low, high in spans:
        if barred.touch(low, high):
            continue
        start, end = call.text.char_of_byte(low), call.text.char_of_byte(high)
        if not (spec.guards and _guarded(call, start, end, spec.guards)):
            yield start, end


def entity_hits(call: Call, spec: specs.EntitySpec) -> list[Hit]:
    found: list[Hit] = []
    for turn in range(len(call.turns)):
        text, offset = call.shown(turn), call.text.starts[turn]
        for kind in spec.kinds:
            for entity in find_entities(text, kind):
                if spec.value is not None and (entity.value is None or not spec.value.holds(entity.value)):
                    continue
                if spec.min_digits and len(entity.digits) < spec.min_digits:
                    continue
                found.append(call.hit(offset + entity.start, offset + entity.end, match="entity"))
    return sorted(set(found))


def readback_hits(call: Call, spec: specs.ReadbackSpec) -> list[Hit]:
    """Digits that repeat those the other side said within the last turns, whole or by their tail."""
    said = {turn: list(spoken_digits(call.shown(turn))) for turn in range(len(call.turns))}
    found: list[Hit] = []
    for turn, runs in said.items():
        if not runs:
            continue
        mine = "".join(digits for _, _, digits in runs)
        for other in call.other_side_before(turn, spec.turns):
            if any(
                spec.digits.holds(len(digits)) and _repeats(mine, digits, spec.tail) for _, _, digits in said[other]
            ):
                offset = call.text.starts[turn]
                found.append(call.hit(offset + runs[0][0], offset + runs[-1][1], match="entity"))
                break
    return found


def _repeats(mine: str, theirs: str, tail: int) -> bool:
    return theirs in mine or (0 < tail <= len(theirs) and theirs[-tail:] in mine)


def _part_said(clauses: Sequence[str], words: str, cutoff: float) -> float:
    """How well the best-fitting clause stands in the words of another turn (0 to 100)."""
    if not clauses or len(words) > _LONGEST_SEARCHED:
        return 0.0
    from rapidfuzz.fuzz import partial_ratio

    longest = min(len(words), _LONGEST_CLAUSE)
    best = 0.0
    for clause in clauses:
        if len(clause) <= longest:
            best = max(best, partial_ratio(clause, words, score_cutoff=cutoff))
    return best


def repeat_hits(call: Call, spec: specs.RepeatSpec, exceptions: int | None) -> list[Hit]:
    """Turns that say again what was said shortly before, from the time that makes `times` true on."""
    from rapidfuzz.fuzz import ratio

    barred = _Spans([(h.start, h.end) for h in call.phrases.get(exceptions, ())] if exceptions is not None else ())
    plain = call.text.sounds_by_turn  # sounds, so that a misheard character does not hide a repetition
    clauses = call.text.clause_sounds_by_turn if spec.part else [[]] * len(plain)
    clauses = [[clause for clause in own if len(clause) >= spec.min_chars] for own in clauses]
    cutoff = 100 * spec.similarity

    def likeness(one: int, other: int) -> float:
        whole = ratio(plain[one], plain[other])
        either = _part_said(clauses[one], plain[other], cutoff), _part_said(clauses[other], plain[one], cutoff)
        return max(whole, *either) / 100

    # Turns within reach that said the same, also by way of others: a misheard one in the middle does not break the row.
    alike_with: list[frozenset[int]] = [frozenset()] * len(plain)
    found: list[Hit] = []
    for turn, words in enumerate(plain):
        if len(words) < spec.min_chars or barred.touch(call.text.starts[turn], call.text.ends[turn]):
            continue
        earlier = [
            (other, likeness(turn, other))
            for other in range(max(0, turn - spec.turns), turn)
            if len(plain[other]) >= spec.min_chars
            and (call.role_of(other) == call.role_of(turn)) == (spec.of == "same")
        ]
        alike = [(other, score) for other, score in earlier if score >= spec.similarity]
        row = {turn}.union(*(alike_with[other] or {other} for other, _ in alike))
        alike_with[turn] = frozenset(other for other in row if other >= turn - spec.turns)
        if alike and spec.times.holds(len(alike_with[turn])):
            best = max(score for _, score in alike)
            found.append(call.hit(call.text.starts[turn], call.text.ends[turn], best, match="repeat"))
    return found
