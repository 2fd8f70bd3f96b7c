"""From a rule's conditions to its finding: the verdict, its evidence and the sentence that says why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from qa_monitor.records import Evidence, Finding, ModelVerdict, Note, Said, Shares, Verdict
from qa_monitor.rules.call import Call
from qa_monitor.rules.describe import VERDICT_NAMES, describe, role_text
from qa_monitor.rules.evaluate import Evaluator
from qa_monitor.rules.hits import ABSENT_INPUT, REASON_TEXT, Hit, Reason, without_overlaps
from qa_monitor.rules.scope import Scope
from qa_monitor.rules.specs import Condition, Rule

MAX_EVIDENCE = 20
QUOTE_CHARS = 40
# A required phrase may hide in what was badly heard when that is this share of the words looked through, or any of it
# where only a few turns were looked through.
BAD_SHARE = 0.2
FEW_TURNS = 4
# Notes of the stages before that say words may be missing from the dialogue, or not be the words that were said.
LOSSY_NOTES = frozenset({"truncated", "damaged", "one_silent", "other_language", "dialect"})
_CUT_AT_END = "truncated"
_SURE_ABSENT = 0.9
MODEL = "model"
# What costs points needs more support than the rest together, and a little more: the least at which calls left out in
# turn had under .3 false alarms each (models/classifier/README.md).
FAIL_ABOVE = 0.55


class Outcome(NamedTuple):
    verdict: Verdict
    hits: tuple[Hit, ...] = ()
    sure: bool = True
    reasons: frozenset[Reason] = frozenset()
    badly_heard: bool = False
    by_model: bool = False


def judge(rule: Rule, evaluator: Evaluator) -> Outcome:
    """The rule's verdict on the evaluator's call: what its conditions say, weighed against what the model holds."""
    outcome = _judge_words(rule, evaluator)
    return outcome if rule.trust_words >= 1 else _weighed(rule, outcome, evaluator.call)


def weighing(rule: Rule, evaluator: Evaluator) -> str | None:
    """What the conditions say, what the model holds and what comes of both, in one line; None where no model has a say."""
    held = _held(rule, evaluator.call)
    if held is None or rule.trust_words >= 1:
        return None
    said = _said(_judge_words(rule, evaluator))
    support = _support(said, held, rule.trust_words)
    return f"条件说{VERDICT_NAMES[said]}；模型：{_told(_named(_shares(held)))}；合起来：{_told(support)}"


def _told(shares: Mapping[Said, float]) -> str:
    return "、".join(f"{VERDICT_NAMES[said]} {share:.0%}" for said, share in shares.items())


def _held(rule: Rule, call: Call) -> ModelVerdict | None:
    return next((one for one in call.scores.verdicts if one.rule_id == rule.id), None) if call.scores else None


def _said(words: Outcome) -> Said:
    return "suspected" if words.verdict == "fail" and not words.sure else words.verdict


def _weighed(rule: Rule, words: Outcome, call: Call) -> Outcome:
    """The words' outcome, or the model's where it prevails. What the words only suspect the model can confirm."""
    held, said = _held(rule, call), _said(words)
    verdict = weighed_verdict(said, held, rule.trust_words)
    if held is None or verdict == said or verdict == "suspected" or verdict == "unsure":
        return words
    if said == "suspected" and verdict == "fail":
        return words._replace(sure=True)
    share = _named(held.beside[said] if held.beside else _shares(held))[verdict]
    place = call.position.get(held.turn) if held.turn is not None else None
    hit = call.call_hit(share, MODEL) if place is None else call.turn_hit(place, share, MODEL)
    return Outcome(verdict, (hit._replace(label="模型判断"),), by_model=True)


def weighed_verdict(said: Said, held: ModelVerdict | None, trust_words: float) -> Said:
    """What the conditions and the model together make of a rule; without a model's verdict, what the conditions say.

    Weighed as was learnt (`ModelVerdict.beside`), or else the model's probabilities for `1 - trust_words` of the whole
    and the rest for what the conditions say. At `trust_words` 1 the conditions decide. A fail needs more than
    `FAIL_ABOVE`; what the conditions suspect, and the model by itself does not hold for one, stays for a person to decide.
    """
    if held is None or trust_words >= 1:
        return said
    support = _support(said, held, trust_words)
    if support["fail"] <= FAIL_ABOVE:
        del support["fail"]
    best = max(support, key=lambda verdict: support[verdict])
    confirmed = best == "fail" and held.failed > FAIL_ABOVE
    return said if said == "suspected" and not confirmed else best


def _support(said: Said, held: ModelVerdict, trust_words: float) -> dict[Said, float]:
    if held.beside is not None:
        return _named(held.beside[said])
    support = {verdict: (1 - trust_words) * share for verdict, share in _named(_shares(held)).items()}
    if said != "suspected":
        support[said] = trust_words + support.get(said, 0.0)
    return support


def _named(shares: Shares) -> dict[Said, float]:
    passed, failed, not_applicable = shares
    return {"pass": passed, "fail": failed, "not_applicable": not_applicable}


def _shares(held: ModelVerdict) -> Shares:
    return held.passed, held.failed, held.not_applicable


def _judge_words(rule: Rule, evaluator: Evaluator) -> Outcome:
    scope = Scope(rule.role)
    sure = True
    if rule.applies is not None:
        applies = evaluator.evaluate(rule.applies, scope)
        if applies.state is None:
            return _unknown(applies.reasons)
        if not applies.state:
            return Outcome("not_applicable")
        sure = applies.sure
    if rule.unless is not None and evaluator.evaluate(rule.unless, scope).state:
        return Outcome("pass")
    result = evaluator.evaluate(rule.condition, scope)
    if result.state is None:
        return _unknown(result.reasons)
    if not rule.required:
        return Outcome("fail", result.hits, sure and result.sure) if result.state else Outcome("pass")
    if result.state:
        return Outcome("pass", result.hits, result.sure)
    if _may_be_missed(evaluator, rule.condition, scope):
        return Outcome("unsure", badly_heard=True)
    return Outcome("fail", _owed_by(rule, evaluator), sure and result.sure)


def _unknown(reasons: frozenset[Reason]) -> Outcome:
    """Not applicable when the call has no sound or no scores at all; unsure when it has and they do not tell."""
    if reasons and reasons <= ABSENT_INPUT:
        return Outcome("not_applicable", reasons=reasons)
    return Outcome("unsure", reasons=reasons)


def _may_be_missed(evaluator: Evaluator, condition: Condition, scope: Scope) -> bool:
    """Whether what was looked for may stand in words that were badly heard or not recognised."""
    looked = evaluator.looked_in(condition, scope)
    if any(evaluator.leaves.badly_heard(place, BAD_SHARE, FEW_TURNS) for place in looked):
        return True
    notes = [note for note in evaluator.call.dialogue.notes if note.code in LOSSY_NOTES]
    return any(_touches(evaluator.call, note, place) for note in notes for place in looked)


def _touches(call: Call, note: Note, scope: Scope) -> bool:
    """Whether a note about lost words concerns the scope; a note without times concerns the whole call.

    What is cut off is the end: it takes nothing from a scope that ends before.
    """
    if note.code == _CUT_AT_END and note.start_s is None and scope.windows is not None:
        return any(high >= call.text.ends[-1] for _, high in scope.windows)
    if note.start_s is None or note.end_s is None or scope.windows is None:
        return True
    for low, high in scope.windows:
        first, last = call.turns[call.text.turn_at(low)], call.turns[call.text.turn_at(max(low, high - 1))]
        start = 0.0 if low == 0 else first.start_s
        if start is None or last.end_s is None or (note.start_s < last.end_s and start < note.end_s):
            return True
    return False


def _owed_by(rule: Rule, evaluator: Evaluator) -> tuple[Hit, ...]:
    """What made the missing thing due: the place where the rule began to apply."""
    if rule.applies is None:
        return ()
    return evaluator.evaluate(rule.applies, Scope(rule.role)).hits[:1]


def finding(rule: Rule, outcome: Outcome, call: Call) -> Finding:
    hits = without_overlaps(outcome.hits)
    suspected = outcome.verdict == "fail" and (not outcome.sure or rule.review)
    evidence = tuple(_evidence(call, hit) for hit in hits[:MAX_EVIDENCE])
    return Finding(
        rule_id=rule.id,
        rule_version=rule.version,
        name=rule.name,
        category=rule.category,
        severity=rule.severity,
        verdict=outcome.verdict,
        confidence=_confidence(rule, outcome, hits, call),
        why=_why(rule, outcome, hits, call, suspected),
        evidence=evidence,
        suspected=suspected,
        count=max(1, len(hits)) if outcome.verdict == "fail" and not rule.required else 1,
        veto=rule.veto,
        points=rule.points,
    )


def _evidence(call: Call, hit: Hit) -> Evidence:
    if hit.turn is None:
        return Evidence(turn=None, quote="", condition=hit.label, match=hit.match)
    turn = call.turns[hit.turn]
    _, start, end = call.text.local(hit.start, hit.end) if hit.end > hit.start else (0, 0, 0)
    start_s, end_s, _ = call.heard(hit.turn, start, end)
    return Evidence(
        turn=turn.index,
        quote=turn.text[start:end],
        start=start if end > start else None,
        end=end if end > start else None,
        start_s=hit.start_s if hit.start_s is not None else start_s,
        end_s=hit.end_s if hit.end_s is not None else end_s,
        role=turn.role,
        condition=hit.label,
        match=hit.match,
    )


def _confidence(rule: Rule, outcome: Outcome, hits: Sequence[Hit], call: Call) -> float:
    if outcome.by_model:
        return outcome.hits[0].confidence
    found = outcome.verdict == ("pass" if rule.required else "fail")
    if outcome.verdict in ("unsure", "not_applicable"):
        return 0.5 if outcome.verdict == "unsure" else 1.0
    if found and hits:
        return round(max(hit.confidence for hit in hits), 3)
    heard_turns = [turn.confidence for turn in call.turns if turn.suspect is None]
    mean = sum(heard_turns) / len(heard_turns) if heard_turns else 0.0
    return round(mean * (_SURE_ABSENT if outcome.sure else 0.5), 3)


def _why(rule: Rule, outcome: Outcome, hits: Sequence[Hit], call: Call, suspected: bool) -> str:
    if outcome.verdict == "unsure":
        return _unsure_text(rule, outcome)
    if outcome.by_model:
        first = outcome.hits[0]
        where = f"，{_place(first, call)}" if first.turn is not None else ""
        return (
            f"模型按整通的意思判为「{rule.name}」{VERDICT_NAMES[outcome.verdict]}（把握 {first.confidence:.0%}）{where}"
        )
    if outcome.verdict == "not_applicable":
        return rule.na_text or _na_text(rule, outcome)
    template = rule.pass_text if outcome.verdict == "pass" else rule.fail_text
    text = template.format(**_values(rule, hits, call)) if template else _default_text(rule, outcome, hits, call)
    if outcome.verdict == "fail" and rule.source:
        text += f"（依据：{rule.source}）"
    if outcome.verdict == "fail" and len(hits) > MAX_EVIDENCE:
        text += f"，共 {len(hits)} 处，列出前 {MAX_EVIDENCE} 处"
    return text + ("（疑似，待人工复核）" if suspected else "")


def _values(rule: Rule, hits: Sequence[Hit], call: Call) -> dict[str, str]:
    first = next((hit for hit in hits if hit.turn is not None), None)
    values = {"name": rule.name, "count": str(len(hits)), "quote": "", "turn": "", "time": ""}
    if first is not None and first.turn is not None:
        evidence = _evidence(call, first)
        values["quote"] = _short(evidence.quote)
        values["turn"] = str(first.turn + 1)
        values["time"] = clock(evidence.start_s)
    return values


def _default_text(rule: Rule, outcome: Outcome, hits: Sequence[Hit], call: Call) -> str:
    first = next((hit for hit in hits if hit.turn is not None), None)
    if rule.required and outcome.verdict == "fail":
        due = f"，{_place(first, call)}" if first is not None else ""
        return f"没有做到「{rule.name}」：没有找到{describe(rule.condition)}" + (f"（应做的缘由{due}）" if due else "")
    if not rule.required and outcome.verdict == "pass":
        return f"没有发现「{rule.name}」"
    kind = "做到了" if rule.required else "属于"
    if first is None:
        return f"{describe(rule.condition)}，{kind}「{rule.name}」"
    several = f"，共 {len(hits)} 处" if len(hits) > 1 else ""
    return f"{_place(first, call)}，{kind}「{rule.name}」{several}"


def _place(hit: Hit, call: Call) -> str:
    evidence = _evidence(call, hit)
    at = clock(evidence.start_s)
    where = f"第{(hit.turn or 0) + 1}轮" + (f"（{at}）" if at else "")
    if not evidence.quote:
        length = (hit.end_s or 0.0) - (hit.start_s or 0.0)
        return f"{where}之后静音 {length:.0f} 秒" if length > 0 else where
    return f"{where}{role_text(evidence.role)}说“{_short(evidence.quote)}”"


def _na_text(rule: Rule, outcome: Outcome) -> str:
    if outcome.reasons:
        return "不适用：" + "、".join(sorted(REASON_TEXT[reason] for reason in outcome.reasons))
    condition = describe(rule.applies) if rule.applies is not None else "适用条件"
    return f"不适用：没有出现{condition}"


def _unsure_text(rule: Rule, outcome: Outcome) -> str:
    if outcome.badly_heard:
        return f"无法判断「{rule.name}」：该说的话没找到，但查找范围内有识别不清的片段"
    reasons = "、".join(sorted(REASON_TEXT[reason] for reason in outcome.reasons)) or "依据不足"
    return f"无法判断「{rule.name}」：{reasons}"


def _short(quote: str) -> str:
    return quote if len(quote) <= QUOTE_CHARS else quote[:QUOTE_CHARS] + "…"


def clock(seconds: float | None) -> str:
    """1:05, or nothing when there is no clock."""
    if seconds is None:
        return ""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
