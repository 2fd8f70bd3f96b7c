"""Calls from scripts, and the finding of the rule under test."""

from __future__ import annotations

from collections.abc import Callable

from qa_monitor.records import CallFacts, Dialogue, Finding, ModelScores
from qa_monitor.rules.rulebook import Rulebook
from qa_monitor.rules.script import build_dialogue, parse_script

HEAD = "  - id: t.rule\n    name: 试验规则\n    category: 服务规范\n"

MakeBook = Callable[[str], Rulebook]
MakeRule = Callable[..., Rulebook]


def call(script: str, role: str = "agent") -> Dialogue:
    """The dialogue of a script, turns parted by new lines or ` | `."""
    return build_dialogue(parse_script(script.replace(" | ", "\n"), role))  # type: ignore[arg-type]


def indented(text: str, by: int) -> str:
    return "\n".join(" " * by + line for line in text.strip("\n").splitlines())


def only(
    book: Rulebook, dialogue: Dialogue, facts: CallFacts | None = None, scores: ModelScores | None = None
) -> Finding:
    """The finding of `t.rule`."""
    found = {finding.rule_id: finding for finding in book.check(dialogue, facts or CallFacts(), scores)}
    return found["t.rule"]
