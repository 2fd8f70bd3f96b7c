"""The rulebook: rules loaded from packs, checked against calls, explained.

book = load_rulebook(rules_dir, ["common", "power_95598"])
findings = book.check(dialogue, facts, model_scores)
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from qa_monitor.records import CallFacts, Dialogue, Finding, ModelScores, Verdict
from qa_monitor.rules import readers
from qa_monitor.rules.call import Call
from qa_monitor.rules.describe import describe
from qa_monitor.rules.encoders import CharacterEncoder, Encoder
from qa_monitor.rules.evaluate import Evaluator, Step
from qa_monitor.rules.leaves import Compiled
from qa_monitor.rules.load import Packs, read_packs, roots, walk
from qa_monitor.rules.phrases import PhraseIndex
from qa_monitor.rules.scope import Scope
from qa_monitor.rules.specs import Rule
from qa_monitor.rules.verdict import Outcome, finding, judge, weighing


@dataclass(frozen=True, slots=True)
class ExplainedHit:
    """Words that met a condition: turn as people count (from 1; None for the whole call), words, how, how surely."""

    turn: int | None
    quote: str
    match: str
    confidence: float
    sure: bool


@dataclass(frozen=True, slots=True)
class Explained:
    """One condition of a rule: what it asks in Chinese, whether it was met (None: cannot be told), by which words."""

    asks: str
    where: str
    state: bool | None
    hits: tuple[ExplainedHit, ...]
    inside: tuple[Explained, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a rule came to its finding. Parts that were not needed are None; `weighed` tells how the model had a say."""

    finding: Finding | None
    applies: Explained | None
    condition: Explained | None
    unless: Explained | None
    weighed: str | None = None


class Rulebook:
    """Rules ready to be checked. Built by `load_rulebook`; holds no state of any call."""

    def __init__(self, packs: Packs, encoder: Encoder) -> None:
        self._packs = packs
        self._compiled = Compiled(PhraseIndex(), encoder)
        self.rules: tuple[Rule, ...] = tuple(rule for _, rule in sorted(packs.rules.items()))
        for condition in sorted(walk(packs, [part for rule in self.rules for part in roots(rule)]), key=_place_typed):
            self._compiled.add(condition)
        # The encoder decides what `similar` finds, so a book with another one is another book.
        self.version: str = hashlib.sha256(f"{packs.version}/{encoder.name}".encode()).hexdigest()

    @property
    def packs(self) -> Packs:
        return self._packs

    def rule(self, rule_id: str) -> Rule:
        """The rule of that id. Raises KeyError with a suggestion."""
        if rule_id not in self._packs.rules:
            raise KeyError(f"没有规则 {rule_id}，{readers.suggest(rule_id, self._packs.rules)}")
        return self._packs.rules[rule_id]

    def check(
        self, dialogue: Dialogue, facts: CallFacts, model_scores: ModelScores | None = None
    ) -> tuple[Finding, ...]:
        """Every rule's finding on a call, in order of rule id; none for a call in which nobody speaks."""
        call = self._call(dialogue, facts, model_scores)
        if call is None:
            return ()
        judging = _Judging(self._packs.rules)
        evaluator = Evaluator(call, self._compiled, self._packs.conditions, judging.verdict)
        return tuple(finding(rule, judging.outcome(rule.id, evaluator), call) for rule in self.rules)

    def explain(
        self, rule_id: str, dialogue: Dialogue, facts: CallFacts, model_scores: ModelScores | None = None
    ) -> Explanation:
        """The tree of a rule's conditions with what each found."""
        rule = self.rule(rule_id)
        call = self._call(dialogue, facts, model_scores)
        if call is None:
            return Explanation(None, None, None, None)
        judging = _Judging(self._packs.rules)
        evaluator = Evaluator(call, self._compiled, self._packs.conditions, judging.verdict)
        outcome = judging.outcome(rule_id, evaluator)

        def verdict_of(other: str, _: Evaluator) -> Verdict:  # other rules are no part of the trace
            return judging.verdict(other, evaluator)

        tracer = Evaluator(call, self._compiled, self._packs.conditions, verdict_of, trace=True)
        scope = Scope(rule.role)
        parts = [
            _explained(tracer.steps(part, scope), call) if part is not None else None
            for part in (rule.applies, rule.condition, rule.unless)
        ]
        weighed = weighing(rule, evaluator)
        return Explanation(finding(rule, outcome, call), parts[0], parts[1], parts[2], weighed)

    def _call(self, dialogue: Dialogue, facts: CallFacts, scores: ModelScores | None) -> Call | None:
        if not any(turn.text.strip() for turn in dialogue.turns):
            return None
        return Call(dialogue, facts, scores, self._compiled.index)


def _place_typed(condition: object) -> tuple[str, int]:
    where = getattr(condition, "where", "")
    file, _, line = where.rpartition(":")
    return file, int(line)


class _Judging:
    """The rules of one call, each judged once, whatever order they refer to each other in.

    The evaluator refers to this and not the other way round: what a call leaves is then freed at once, not by the next
    walk of the garbage collector through the whole rule book.
    """

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        self._rules = rules
        self._outcomes: dict[str, Outcome] = {}

    def verdict(self, rule_id: str, evaluator: Evaluator) -> Verdict:
        return self.outcome(rule_id, evaluator).verdict

    def outcome(self, rule_id: str, evaluator: Evaluator) -> Outcome:
        if rule_id not in self._outcomes:
            self._outcomes[rule_id] = judge(self._rules[rule_id], evaluator)
        return self._outcomes[rule_id]


def _explained(step: Step, call: Call) -> Explained:
    hits = tuple(
        ExplainedHit(
            None if hit.turn is None else hit.turn + 1,
            call.text.joined[hit.start : hit.end],
            hit.match,
            hit.confidence,
            hit.sure,
        )
        for hit in step.result.hits
    )
    inside = tuple(_explained(child, call) for child in step.inside)
    return Explained(describe(step.condition), step.condition.where, step.result.state, hits, inside)


def load_rulebook(rules_dir: Path, packs: Sequence[str], encoder: Encoder | None = None) -> Rulebook:
    """The rules of `packs` in `rules_dir`. Raises RuleFileError (file:line) for the first thing that is wrong."""
    return Rulebook(read_packs(Path(rules_dir), packs), encoder or CharacterEncoder())
