"""Learning how far a rule's conditions and the model are to be believed, from labelled calls that neither was made from.

Multinomial logistic regression over `classifier.verdicts.inputs`: weights that all rules share, and each rule's own
difference from them, held small: most rules are broken in a few calls only.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qa_monitor.classifier.scorer import Scorer
from qa_monitor.classifier.verdicts import INPUTS, VERDICTS, inputs
from qa_monitor.dialogue.build import from_text
from qa_monitor.errors import TrainingDataError
from qa_monitor.records import CallFacts, Direction, Finding, ModelVerdict, Said, Shares, Verdict
from qa_monitor.rules.rulebook import Rulebook
from qa_monitor.training.spoil import spoil

# How far a rule's own weights may differ from the shared ones, by input; none for what is seldom said.
FREEDOM = dict(zip(INPUTS, (1.0, 0.5, 0.0, 0.0, 0.5, 0.5, 0.5), strict=True))


@dataclass(frozen=True, slots=True)
class Heard:
    """What a rule's conditions alone say of a call, the finding that says so, and what the model holds of the rule."""

    said: Said
    finding: Finding | None
    model: ModelVerdict | None


def hear(
    name: str, direction: Direction | None, turns: Iterable[dict[str, str]], book: Rulebook, scorer: Scorer | None,
    errors: float, chance: random.Random,
) -> dict[str, Heard]:  # fmt: skip
    """Every rule on one labelled call, its characters spoiled at the rate `errors`."""
    dialogue = from_text([{**turn, "text": spoil(turn["text"], errors, chance)} for turn in turns])
    findings = {one.rule_id: one for one in book.check(dialogue, CallFacts(call_id=name, direction=direction))}
    held = {one.rule_id: one for one in scorer.score([dialogue])[0].verdicts} if scorer else {}
    return {rule: Heard(said(findings.get(rule)), findings.get(rule), held.get(rule)) for rule in {*findings, *held}}


def said(finding: Finding | None) -> Said:
    if finding is None:
        return "not_applicable"
    return "suspected" if finding.suspected and finding.verdict == "fail" else finding.verdict


@dataclass(frozen=True, slots=True)
class Case:
    """One rule on one call: what its conditions say, what the model holds of it, and what is right."""

    rule: str
    said: Said
    shares: Shares
    label: Verdict


def learn_verdicts(cases: Sequence[Case]) -> dict[str, list[list[float]]]:
    """For every rule seen a row of weights (as INPUTS) for each of pass, fail and not applicable.

    Raises TrainingDataError where one of the three is never right.
    """
    if missing := set(VERDICTS) - {case.label for case in cases}:
        raise TrainingDataError(f"没有一个标注是 {'、'.join(sorted(missing))}", hint="请加上这样的通话再学")
    from sklearn.linear_model import LogisticRegression

    rules = sorted({case.rule for case in cases})
    given = np.array([inputs(case.said, case.shares) for case in cases])
    place = np.array([rules.index(case.rule) for case in cases])
    freedom = np.array([FREEDOM[name] for name in INPUTS])
    fitted = LogisticRegression(max_iter=2000, fit_intercept=False).fit(
        _spread(given, place, len(rules), freedom), [VERDICTS.index(case.label) for case in cases]
    )
    parts: NDArray[np.float64] = fitted.coef_.reshape(len(VERDICTS), 1 + len(rules), len(INPUTS))
    own = parts[:, :1] + parts[:, 1:] * freedom
    return {rule: own[:, i].tolist() for i, rule in enumerate(rules)}


def _spread(
    given: NDArray[np.float64], place: NDArray[np.int64], rules: int, freedom: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(cases, (1 + rules) · inputs): the inputs for all, and once more in the columns of the case's own rule."""
    rows = np.zeros((len(given), 1 + rules, given.shape[1]))
    rows[:, 0] = given
    rows[np.arange(len(given)), 1 + place] = given * freedom
    return rows.reshape(len(given), -1)
