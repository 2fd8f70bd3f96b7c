"""Rules and their examples: from a node of a rule file to a `Rule`."""

from __future__ import annotations

import string
from dataclasses import dataclass, replace
from typing import Any

from qa_monitor.rules import fields, specs
from qa_monitor.rules import readers as read
from qa_monitor.rules.parse import parse_condition, refuse_unknown_keys, rule_id
from qa_monitor.rules.readers import Names
from qa_monitor.rules.source import Node
from qa_monitor.rules.specs import Condition, Example, Rule

TEMPLATE_FIELDS = ("quote", "turn", "time", "count", "name")


@dataclass(frozen=True, slots=True)
class ReadRule:
    """A rule as read, with what only the loader needs to know."""

    rule: Rule
    override: bool
    enabled: bool
    node: Node


def parse_rule(node: Node, pack: str, words: Names) -> ReadRule:
    mapping = node.mapping("规则")
    refuse_unknown_keys(mapping, fields.RULE_KEYS, "规则")
    for key in ("id", "name", "category"):
        if key not in mapping:
            node.refuse(f"规则缺少 {key}", f"加上一行 {key}: …")
    identity = rule_id(mapping["id"], "id")
    required = _kind(node, mapping, identity)
    names = _local_names(mapping, identity, words)
    severity = _given(mapping, "severity", read.choice(tuple(specs.SEVERITY_POINTS)), "minor")
    rule = Rule(
        id=identity,
        name=read.text(mapping["name"], "name", names),
        category=read.choice(specs.CATEGORIES)(mapping["category"], "category", names),
        severity=severity,
        points=_given(mapping, "points", read.number(0, 100), specs.SEVERITY_POINTS[severity]),
        veto=_given(mapping, "veto", read.yes_no, False),
        role=_given(mapping, "role", read.choice(fields.ROLES), "agent"),
        required=required,
        condition=parse_condition(mapping["check" if required else "violation"], names),
        where=node.where,
        pack=pack,
        applies=_condition(mapping, "applies", names),
        unless=_condition(mapping, "unless", names),
        define=_define(mapping, names),
        review=_given(mapping, "review", read.yes_no, False),
        trust_words=_given(mapping, "trust_words", read.number(0, 1), 1.0),
        pass_text=_template(mapping, "pass_text"),
        fail_text=_template(mapping, "fail_text"),
        na_text=_template(mapping, "na_text"),
        source=_given(mapping, "source", read.text, ""),
    )
    examples = _examples(mapping["examples"], rule) if "examples" in mapping else ()
    return ReadRule(
        replace(rule, examples=examples),
        _given(mapping, "override", read.yes_no, False),
        _given(mapping, "enabled", read.yes_no, True),
        node,
    )


def _given(mapping: dict[str, Node], key: str, reader: read.Reader, default: Any) -> Any:
    node = mapping.get(key)
    return default if node is None else reader(node, key, Names())


def _kind(node: Node, mapping: dict[str, Node], identity: str) -> bool:
    if ("check" in mapping) == ("violation" in mapping):
        node.refuse(
            f"规则 {identity} 要在 check（必须做到）和 violation（不许出现）里写且只写一个",
            "见 rules/README.md 第 2 节",
        )
    return "check" in mapping


def _local_names(mapping: dict[str, Node], identity: str, names: Names) -> Names:
    if "define" not in mapping:
        return names
    local = frozenset(mapping["define"].mapping("define"))
    return replace(names, local_prefix=identity, local=local)


def _define(mapping: dict[str, Node], names: Names) -> tuple[tuple[str, Condition], ...]:
    if "define" not in mapping:
        return ()
    inside = mapping["define"].mapping("define")
    return tuple((names.key_of(name), parse_condition(node, names)) for name, node in inside.items())


def _condition(mapping: dict[str, Node], key: str, names: Names) -> Condition | None:
    return parse_condition(mapping[key], names) if key in mapping else None


def _template(mapping: dict[str, Node], key: str) -> str:
    if key not in mapping:
        return ""
    node = mapping[key]
    text = str(read.text(node, key, Names()))
    try:
        used = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
    except ValueError:
        return node.refuse(f"{key} 的大括号不配对", "占位只能写 " + " ".join(f"{{{f}}}" for f in TEMPLATE_FIELDS))
    for name in used:
        if name not in TEMPLATE_FIELDS:
            node.refuse(f"{key} 里没有占位 {{{name}}}", read.suggest(name, TEMPLATE_FIELDS))
    return text


def _examples(node: Node, rule: Rule) -> tuple[Example, ...]:
    mapping = node.mapping("examples")
    refuse_unknown_keys(mapping, fields.EXAMPLE_KEYS, "examples ")
    return tuple(
        _example(item, expect, rule) for expect, group in mapping.items() for item in group.items(f"examples.{expect}")
    )


def _example(node: Node, expect: Any, rule: Rule) -> Example:
    from qa_monitor.rules.script import ScriptError, parse_script

    text = node
    facts: tuple[tuple[str, str], ...] = ()
    scores: tuple[tuple[str, str], ...] = ()
    note = ""
    if not node.is_text:
        mapping = node.mapping("例子")
        refuse_unknown_keys(mapping, fields.EXAMPLE_FIELDS, "例子")
        if "text" not in mapping:
            node.refuse("例子缺少 text", "把对话写在 text 里")
        text = mapping["text"]
        facts = _facts(mapping.get("facts"))
        scores = _scores(mapping.get("scores"))
        note = _given(mapping, "note", read.text, "")
    written = str(read.text(text, "例子", Names()))
    try:
        parse_script(written, "agent" if rule.role == "either" else rule.role)
    except ScriptError as error:
        text.refuse(str(error), error.hint)
    return Example(expect, written, text.where, facts, scores, note)


def _facts(node: Node | None) -> tuple[tuple[str, str], ...]:
    if node is None:
        return ()
    mapping = node.mapping("facts")
    if "direction" in mapping:
        read.choice(fields.DIRECTIONS)(mapping["direction"], "direction", Names())
    return tuple((key, item.text(key)) for key, item in mapping.items())


def _scores(node: Node | None) -> tuple[tuple[str, str], ...]:
    if node is None:
        return ()
    mapping = node.mapping("scores")
    refuse_unknown_keys(mapping, tuple(fields.SCORE_READERS), "scores ")
    return tuple((key, str(fields.SCORE_READERS[key](item, key, Names()))) for key, item in mapping.items())
