"""Trying rules before they count: their examples, golden files, stored calls, old against new, reviewers' verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from qa_monitor.errors import RuleFileError
from qa_monitor.records import CallFacts, Dialogue, Finding, ModelScores, Verdict
from qa_monitor.rules.lint import Problem, lint_packs
from qa_monitor.rules.rulebook import Rulebook
from qa_monitor.rules.script import ScriptError, build_dialogue, build_facts, build_scores, parse_script
from qa_monitor.rules.specs import Example, Rule

_EXPECTED: dict[tuple[str, bool], tuple[Verdict, ...]] = {
    ("hit", True): ("pass",),
    ("hit", False): ("fail",),
    ("miss", True): ("fail", "not_applicable"),
    ("miss", False): ("pass", "not_applicable"),
}


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """One example and what the rule said of it."""

    rule_id: str
    where: str
    text: str
    expected: tuple[Verdict, ...]
    verdict: Verdict
    why: str

    @property
    def ok(self) -> bool:
        return self.verdict in self.expected


@dataclass(frozen=True, slots=True)
class CallInput:
    """A stored call, as rules read it."""

    call_id: str
    dialogue: Dialogue
    facts: CallFacts
    scores: ModelScores | None = None


@dataclass(frozen=True, slots=True)
class TryReport:
    """What a rule would find in stored calls: verdict counts, and the calls where it would deduct or only suspect."""

    rule_id: str
    calls: int
    verdicts: dict[Verdict, int]
    suspected: int
    found: tuple[tuple[str, Finding], ...]
    left_out: int  # failing calls beyond those listed in `found`


@dataclass(frozen=True, slots=True)
class Change:
    """A call whose finding differs between two rulebooks; None where a book has no such rule."""

    call_id: str
    rule_id: str
    old: Finding | None
    new: Finding | None


@dataclass(frozen=True, slots=True)
class ScoreChange:
    call_id: str
    old: float | None
    new: float | None


@dataclass(frozen=True, slots=True)
class RulebookDiff:
    calls: int
    changes: tuple[Change, ...]
    scores: tuple[ScoreChange, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """A rule against people's verdicts: how many calls, and of its failures how many stand and were found.

    `precision`, `recall` and `f1` are of `fail`; `macro_f1` is the mean F1 over the verdicts that people gave. None
    where nothing can be divided by.
    """

    rule_id: str
    calls: int
    true_fails: int
    false_fails: int
    missed_fails: int
    precision: float | None
    recall: float | None
    f1: float | None
    macro_f1: float | None


def check_packs(rules_dir: Path, packs: Sequence[str]) -> tuple[Problem, ...]:
    """Errors and warnings of the packs, for `rules check`."""
    return lint_packs(rules_dir, packs)


def run_examples(book: Rulebook, rule_ids: Sequence[str] = ()) -> Iterator[ExampleResult]:
    """The examples of the given rules (of all, when none are given)."""
    for rule in [book.rule(rule_id) for rule_id in rule_ids] or book.rules:
        for example in rule.examples:
            yield run_example(book, rule, example)


def run_example(book: Rulebook, rule: Rule, example: Example) -> ExampleResult:
    dialogue = build_dialogue(parse_script(example.text, "agent" if rule.role == "either" else rule.role))
    findings = book.check(dialogue, build_facts(example.facts), build_scores(example.scores, dialogue))
    found = next(finding for finding in findings if finding.rule_id == rule.id)
    expected = _expected(example.expect, rule)
    return ExampleResult(rule.id, example.where, example.text, expected, found.verdict, found.why)


def _expected(expect: str, rule: Rule) -> tuple[Verdict, ...]:
    exact: tuple[Verdict, ...] = (expect,)  # type: ignore[assignment]
    return _EXPECTED.get((expect, rule.required), exact)


def read_golden(folder: Path, book: Rulebook) -> Iterator[tuple[Rule, Example]]:
    """Golden lines from `folder/<rule id>.txt`: `+ ` should hit, `- ` should not; ` | ` parts turns; `#` comments.

    Raises RuleFileError for a line or a file name that cannot be used.
    """
    for path in sorted(folder.glob("*.txt")):
        if path.stem not in {rule.id for rule in book.rules}:
            hint = "文件名应是规则编号，如 opening.greeting.txt"
            raise RuleFileError(f"没有规则 {path.stem}", where=path.name, hint=hint)
        rule = book.rule(path.stem)
        for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
            if line.strip() and not line.startswith("#"):
                yield rule, _golden_line(line, f"{path.name}:{number}", rule)


def _golden_line(line: str, where: str, rule: Rule) -> Example:
    sign, text = line[:2], line[2:].replace(" | ", "\n").strip()
    if sign not in ("+ ", "- "):
        raise RuleFileError("每行应以“+ ”或“- ”开头", where=where, hint="+ 应命中，- 不应命中，# 注释")
    try:
        parse_script(text, "agent" if rule.role == "either" else rule.role)
    except ScriptError as error:
        raise RuleFileError(str(error), where=where, hint=error.hint) from error
    return Example("hit" if sign == "+ " else "miss", text, where)


def try_rule(book: Rulebook, rule_id: str, calls: Iterable[CallInput], limit: int = 200) -> TryReport:
    """What `rule_id` finds in stored calls, listing at most `limit` failing ones."""
    verdicts: Counter[Verdict] = Counter()
    suspected = failing = total = 0
    found: list[tuple[str, Finding]] = []
    book.rule(rule_id)
    for call in calls:
        total += 1
        for finding in book.check(call.dialogue, call.facts, call.scores):
            if finding.rule_id == rule_id:
                verdicts[finding.verdict] += 1
                suspected += finding.suspected
                if finding.verdict == "fail":
                    failing += 1
                    if len(found) < limit:
                        found.append((call.call_id, finding))
    return TryReport(rule_id, total, dict(sorted(verdicts.items())), suspected, tuple(found), failing - len(found))


Score = Callable[[tuple[Finding, ...], CallInput], float | None]


def diff_rulebooks(
    old: Rulebook,
    new: Rulebook,
    calls: Iterable[CallInput],
    score_old: Score | None = None,
    score_new: Score | None = None,
) -> RulebookDiff:
    """Which calls change verdict and, with scorers given, score."""
    changes: list[Change] = []
    scores: list[ScoreChange] = []
    total = 0
    for call in calls:
        total += 1
        before = old.check(call.dialogue, call.facts, call.scores)
        after = new.check(call.dialogue, call.facts, call.scores)
        changes.extend(_changes(call.call_id, before, after))
        if score_old is not None and score_new is not None:
            was, now = score_old(before, call), score_new(after, call)
            if was != now:
                scores.append(ScoreChange(call.call_id, was, now))
    return RulebookDiff(total, tuple(changes), tuple(scores))


def _changes(call_id: str, before: Sequence[Finding], after: Sequence[Finding]) -> Iterator[Change]:
    old = {finding.rule_id: finding for finding in before}
    new = {finding.rule_id: finding for finding in after}
    for rule_id in sorted(old.keys() | new.keys()):
        a, b = old.get(rule_id), new.get(rule_id)
        if a is None or b is None or (a.verdict, a.suspected, a.count) != (b.verdict, b.suspected, b.count):
            yield Change(call_id, rule_id, a, b)


def precision_recall(
    findings: Iterable[tuple[str, str, Verdict]], verdicts: Iterable[tuple[str, str, Verdict]]
) -> tuple[Measured, ...]:
    """Each rule's findings against people's verdicts; both are (call id, rule id, verdict).

    Calls that nobody judged for a rule are left out; a judged call without a finding counts as `not_applicable`.
    """
    given = {(call_id, rule_id): verdict for call_id, rule_id, verdict in findings}
    pairs: dict[str, list[tuple[Verdict, Verdict]]] = {}
    for call_id, rule_id, verdict in verdicts:
        said = given.get((call_id, rule_id), "not_applicable")
        pairs.setdefault(rule_id, []).append((said, verdict))
    return tuple(_measured(rule_id, found) for rule_id, found in sorted(pairs.items()))


def _measured(rule_id: str, pairs: Sequence[tuple[Verdict, Verdict]]) -> Measured:
    hit, false, missed = _counts(pairs, "fail")
    scores = [f1(pairs, verdict) for verdict in sorted({truth for _, truth in pairs})]
    known = [score for score in scores if score is not None]
    return Measured(
        rule_id,
        len(pairs),
        hit,
        false,
        missed,
        hit / (hit + false) if hit + false else None,
        hit / (hit + missed) if hit + missed else None,
        f1(pairs, "fail"),
        sum(known) / len(known) if known else None,
    )


def _counts(pairs: Sequence[tuple[Verdict, Verdict]], verdict: Verdict) -> tuple[int, int, int]:
    hit = sum(said == truth == verdict for said, truth in pairs)
    false = sum(said == verdict != truth for said, truth in pairs)
    missed = sum(truth == verdict != said for said, truth in pairs)
    return hit, false, missed


def f1(pairs: Sequence[tuple[Verdict, Verdict]], verdict: Verdict) -> float | None:
    """F1 of one verdict over (found, truth), either way round; None when it occurs in neither."""
    hit, false, missed = _counts(pairs, verdict)
    return 2 * hit / (2 * hit + false + missed) if hit + false + missed else None
