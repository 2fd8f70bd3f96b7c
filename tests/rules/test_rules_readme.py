"""rules/README.md is the language: everything in it works, everything that works is in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from qa_monitor.rules import fields
from qa_monitor.rules.parse import parse_condition
from qa_monitor.rules.parse_rule import TEMPLATE_FIELDS, parse_rule
from qa_monitor.rules.readers import Names
from qa_monitor.rules.source import Node, read_text
from qa_monitor.scoring import read_card

README = (Path(__file__).parents[2] / "rules" / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
WORDS = {"歉意": ("抱歉", "对不起", "不好意思", "请(您|)谅解")}


def documented(key: str) -> bool:
    return f"`{key}`" in README or f"`{key}:" in README or re.search(rf"`[^`\n]*\b{key}\b[^`\n]*`", README) is not None


@pytest.mark.parametrize(
    "key",
    [
        *fields.FILE_KEYS,
        *fields.PACK_KEYS,
        *fields.RULE_KEYS,
        *fields.OPERATOR_KEYS,
        *fields.COMMON_KEYS,
        *fields.NEAR_KEYS,
        *fields.EXAMPLE_KEYS,
        *fields.EXAMPLE_FIELDS,
        *fields.ROLES,
        *fields.VERDICTS,
        *TEMPLATE_FIELDS,
    ],
)
def test_every_key_is_documented(key: str) -> None:
    assert documented(key)


@pytest.mark.parametrize("operator", fields.OPERATOR_KEYS)
def test_every_option_is_documented_with_its_operator(operator: str) -> None:
    for option in fields.options_of(operator):
        assert documented(option), f"{operator}: {option}"


@pytest.mark.parametrize(
    "key",
    [
        *read_card.CARD_KEYS,
        *read_card.DIMENSION_KEYS,
        *read_card.RULE_KEYS,
        *read_card.MODEL_KEYS,
        *read_card.BONUS_KEYS,
        *read_card.BUSINESS_KEYS,
        *read_card.LIMIT_KEYS,
    ],
)
def test_every_scorecard_key_is_documented(key: str) -> None:
    assert documented(key)


@pytest.mark.parametrize("word", [*fields.EMOTIONS, *fields.EMOTIONS.values(), *fields.RESOLUTIONS, *fields.ENTITIES])
def test_every_label_is_documented(word: str) -> None:
    assert word in README


@pytest.mark.parametrize("block", BLOCKS)
def test_every_example_in_the_readme_is_valid(block: str) -> None:
    node = read_text(block, "README")
    names = Names(WORDS)
    mapping = node.mapping("例")
    if "rules" in mapping:
        for rule in mapping["rules"].items("rules"):
            parse_rule(rule, "demo", names)
    elif "examples" in mapping:
        body = {"id": "a.b", "name": "名", "category": "服务规范", "check": "条件"}
        rule = Node({**{k: Node(v, "x", 1) for k, v in body.items()}, **mapping}, "x", 1)
        parse_rule(rule, "demo", names)
    elif "applies" in mapping:
        parse_condition(mapping["applies"], names)
    else:
        parse_condition(node, names)


def test_every_operator_has_an_example() -> None:
    written = "\n".join(BLOCKS)
    missing = [key for key in fields.OPERATOR_KEYS if not re.search(rf"\b{key}:", written)]
    assert not missing


def test_every_option_is_used_in_an_example() -> None:
    written = "\n".join(BLOCKS)
    every = {option for operator in fields.OPERATOR_KEYS for option in fields.options_of(operator)}
    missing = sorted(option for option in every if not re.search(rf"\b{option}:", written))
    assert not missing
