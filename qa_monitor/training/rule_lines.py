"""The golden lines and the rules' own examples as training examples: short scenes labelled for one rule each.

A line says whether the rule's condition is met; which verdict that means (a missing apology is a fail where one is
owed, else not applicable) is taken from the rule itself, which agrees with all of its lines (`qa-monitor rules test`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from qa_monitor.classifier.encoding import AGENT, CUSTOMER
from qa_monitor.rules.rulebook import Rulebook
from qa_monitor.rules.script import build_dialogue, build_facts, build_scores, parse_script
from qa_monitor.rules.specs import Example as Scene
from qa_monitor.rules.specs import Rule
from qa_monitor.rules.testing import read_golden
from qa_monitor.training.examples import Example
from qa_monitor.training.tasks import VERDICTS


def rule_lines(book: Rulebook, golden: Path, rules: Sequence[str]) -> list[Example]:
    """One example a scene whose verdict is sure; `rules` fixes the order of the labels."""
    examples = []
    for number, (rule, scene) in enumerate(_scenes(book, golden)):
        if rule.id not in rules:
            continue
        dialogue = build_dialogue(parse_script(scene.text, "agent" if rule.role == "either" else rule.role))
        turns = [
            (AGENT if turn.role == "agent" else CUSTOMER, turn.text)
            for turn in dialogue.turns
            if turn.role in ("agent", "customer")
        ]
        facts, scores = build_facts(scene.facts), build_scores(scene.scores, dialogue)
        verdict = next(found.verdict for found in book.check(dialogue, facts, scores) if found.rule_id == rule.id)
        if verdict not in VERDICTS or not turns:
            continue
        target = tuple(1.0 if name == verdict else 0.0 for name in VERDICTS)
        verdicts = tuple(target if name == rule.id else None for name in rules)
        examples.append(Example(f"line-{number}", "lines", tuple(turns), rules=verdicts))
    return examples


def _scenes(book: Rulebook, golden: Path) -> Iterator[tuple[Rule, Scene]]:
    yield from read_golden(golden, book)
    for rule in book.rules:
        for scene in rule.examples:
            yield rule, scene
