"""What the model's view of a rule becomes beside what the rule's conditions say: weights learnt from labelled calls.

    verdicts.json   {"rules": {rule: {"pass": [7 numbers], "fail": […], "not_applicable": […]}}, …}

The numbers weigh `inputs`: their sum is the logit of that verdict. `scripts/learn_verdicts` writes the file.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from qa_monitor.errors import ModelCorrupt
from qa_monitor.records import Said, Shares, Verdict

FILE = "verdicts.json"
VERDICTS: tuple[Verdict, ...] = ("pass", "fail", "not_applicable")
SAID: tuple[Said, ...] = ("pass", "fail", "suspected", "unsure", "not_applicable")
INPUTS = ("1", "fail", "suspected", "unsure", "not_applicable", "model fail", "model not_applicable")
LEAST_SHARE = 0.002  # a surer model weighs no more


def inputs(said: Said, shares: Shares) -> tuple[float, ...]:
    """What the conditions say, and the logits of the model's fail and not applicable. Conditions that say pass: zeros."""
    return (1.0, *(float(said == one) for one in SAID[1:]), _logit(shares[1]), _logit(shares[2]))


def _logit(share: float) -> float:
    bounded = min(max(share, LEAST_SHARE), 1 - LEAST_SHARE)
    return math.log(bounded / (1 - bounded))


@dataclass(frozen=True, slots=True)
class VerdictWeights:
    """`rules[rule]` holds a row of weights for each of pass, fail and not applicable. `fingerprint` is empty without a
    file: such a model says nothing of what the conditions say."""

    rules: Mapping[str, tuple[tuple[float, ...], ...]]
    fingerprint: str = ""

    def beside(self, rule: str, shares: Shares) -> dict[Said, Shares] | None:
        """For all that the conditions of `rule` may say: probabilities of pass, fail and not applicable."""
        rows = self.rules.get(rule)
        return None if rows is None else {said: _softmax(rows, inputs(said, shares)) for said in SAID}


def _softmax(rows: Sequence[Sequence[float]], given: Sequence[float]) -> Shares:
    logits = [sum(weight * value for weight, value in zip(row, given, strict=True)) for row in rows]
    powers = [math.exp(logit - max(logits)) for logit in logits]
    passed, failed, not_applicable = (round(power / sum(powers), 3) for power in powers)
    return passed, failed, not_applicable


def read_weights(folder: Path) -> VerdictWeights:
    """Those in a model's folder; none where it has no such file. Raises ModelCorrupt."""
    file = folder / FILE
    if not file.is_file():
        return VerdictWeights({})
    content = file.read_bytes()
    try:
        rules = {
            rule: tuple(tuple(float(weight) for weight in rows[verdict]) for verdict in VERDICTS)
            for rule, rows in json.loads(content)["rules"].items()
        }
        if any(len(row) != len(INPUTS) for rows in rules.values() for row in rows):
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelCorrupt(
            f"{FILE} 读不懂", where=str(file), hint="请重新安装 qa_monitor，或用 scripts/learn_verdicts 重新学"
        ) from error
    return VerdictWeights(rules, hashlib.sha256(content).hexdigest()[:6])


def carry_weights(old: Path, new: Path) -> None:
    """To a model that learnt on from another: its views change little, and labels to learn anew from may be few."""
    if (old / FILE).is_file() and old.resolve() != new.resolve():
        shutil.copyfile(old / FILE, new / FILE)


def write_weights(folder: Path, rules: Mapping[str, Sequence[Sequence[float]]], notes: Mapping[str, object]) -> None:
    """Into a model's folder, a rule a line."""
    lines = [
        f"  {json.dumps(rule)}: {json.dumps(dict(zip(VERDICTS, ([round(w, 3) for w in row] for row in rows), strict=True)))}"
        for rule, rows in sorted(rules.items())
    ]
    body = "".join(f" {json.dumps(name)}: {json.dumps(told, ensure_ascii=False)},\n" for name, told in notes.items())
    (folder / FILE).write_text(
        f'{{\n{body} "inputs": {json.dumps(INPUTS)},\n "rules": {{\n' + ",\n".join(lines) + "\n }\n}\n",
        encoding="utf-8",
    )
