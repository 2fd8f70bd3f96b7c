"""Scorecards from YAML, with file:line and a suggestion for whatever is wrong."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qa_monitor.rules import readers as read
from qa_monitor.rules.fields import RESOLUTIONS
from qa_monitor.rules.parse import refuse_unknown_keys, rule_id
from qa_monitor.rules.readers import Names
from qa_monitor.rules.source import Node, plain, read_file
from qa_monitor.scoring.card import BonusItem, Card, Dimension, Limits, Override, RuleItem, ScaleItem

CARD_KEYS = ("name", "version", "description", "dimensions", "bonus", "business", "not_scored", "unlisted")
DIMENSION_KEYS = ("name", "weight", "full", "rules", "models")
RULE_KEYS = ("points", "cap", "veto")
MODEL_KEYS = ("name", "points", "scale")
BONUS_KEYS = ("cap", "rules")
BUSINESS_KEYS = ("match", "weights", "rules")
LIMIT_KEYS = ("min_turns", "min_seconds", "max_suspect_share", "min_role_confidence")
_NO_NAMES = Names()
_MODELS = {"politeness": "礼貌程度", "resolution": "问题解决", "satisfaction": "客户满意度"}


def read_card(path: Path) -> Card:
    """The scorecard in `path`. Raises RuleFileError."""
    root = read_file(path, path.name)
    mapping = root.mapping("评分表")
    refuse_unknown_keys(mapping, CARD_KEYS, "评分表")
    for key in ("name", "dimensions"):
        if key not in mapping:
            root.refuse(f"评分表缺少 {key}", f"加上 {key}: …")
    nodes = mapping["dimensions"].items("dimensions")
    dimensions = tuple(_dimension(node) for node in nodes)
    _check_dimensions(nodes, dimensions)
    bonus, bonus_cap = _bonus(mapping.get("bonus"))
    content = json.dumps(plain(root), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return Card(
        name=read.text(mapping["name"], "name", _NO_NAMES),
        version=hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest(),
        dimensions=dimensions,
        bonus=bonus,
        bonus_cap=bonus_cap,
        overrides=_overrides(mapping.get("business"), dimensions),
        limits=_limits(mapping.get("not_scored")),
        score_unlisted=_given(mapping, "unlisted", read.choice({"rule": True, "ignore": False}), True),
        label=_given(mapping, "version", read.text, ""),
    )


def _given(mapping: dict[str, Node], key: str, reader: read.Reader, default: Any) -> Any:
    node = mapping.get(key)
    return default if node is None else reader(node, key, _NO_NAMES)


def _check_dimensions(nodes: list[Node], dimensions: tuple[Dimension, ...]) -> None:
    seen: dict[str, str] = {}
    for node, dimension in zip(nodes, dimensions, strict=True):
        names = [
            dimension.name,
            *(item.rule_id for item in dimension.rules),
            *(item.model for item in dimension.models),
        ]
        for name in names:
            if name in seen:
                node.refuse(f"{name} 在评分表里写了两次（{seen[name]} 和 {dimension.name}）", "只留一处")
            seen[name] = dimension.name
    if not any(dimension.weight for dimension in dimensions):
        nodes[0].refuse("各维度的权重都是 0", "至少一个维度的 weight 大于 0")


def _dimension(node: Node) -> Dimension:
    mapping = node.mapping("维度")
    refuse_unknown_keys(mapping, DIMENSION_KEYS, "维度")
    for key in ("name", "weight"):
        if key not in mapping:
            node.refuse(f"维度缺少 {key}", f"加上 {key}: …")
    rules = mapping["rules"].mapping("rules") if "rules" in mapping else {}
    models = mapping["models"].mapping("models") if "models" in mapping else {}
    return Dimension(
        read.text(mapping["name"], "name", _NO_NAMES),
        read.number(0, 1000)(mapping["weight"], "weight", _NO_NAMES),
        tuple(_rule_item(key, item) for key, item in rules.items()),
        tuple(_scale_item(key, item) for key, item in models.items()),
        _given(mapping, "full", read.number(0.1, 1000), None),
    )


def _rule_item(key: str, node: Node) -> RuleItem:
    """`rule.id: 5`, or `rule.id: {points: 3, cap: 9, veto: yes}`."""
    identity = rule_id(Node(key, node.file, node.line), "规则编号")
    if node.is_text:
        points: float = read.number(0, 1000)(node, key, _NO_NAMES)
        return RuleItem(identity, points, points)
    mapping = node.mapping(key)
    refuse_unknown_keys(mapping, RULE_KEYS, f"{key} ")
    if "points" not in mapping:
        node.refuse(f"{key} 缺少 points", "写上不合格一次扣几分")
    points = read.number(0, 1000)(mapping["points"], "points", _NO_NAMES)
    cap: float = _given(mapping, "cap", read.number(0, 1000), points)
    if cap < points:
        mapping["cap"].refuse(f"{key} 的上限 {cap:g} 小于一次扣的 {points:g}", "cap 不小于 points")
    return RuleItem(identity, points, cap, _given(mapping, "veto", read.yes_no, None))


def _scale_item(key: str, node: Node) -> ScaleItem:
    model = read.choice(tuple(_MODELS))(Node(key, node.file, node.line), "models", _NO_NAMES)
    mapping = node.mapping(key)
    refuse_unknown_keys(mapping, MODEL_KEYS, f"{key} ")
    for needed in ("points", "scale"):
        if needed not in mapping:
            node.refuse(f"{key} 缺少 {needed}", f"加上 {needed}: …")
    points: float = read.number(0, 1000)(mapping["points"], "points", _NO_NAMES)
    scale = mapping["scale"].mapping("scale")
    worth = {name: read.number(0, points)(item, f"scale 的 {name}", _NO_NAMES) for name, item in scale.items()}
    name = _given(mapping, "name", read.text, _MODELS[model])
    if model == "resolution":
        return ScaleItem(model, name, points, labels=_labels(scale, worth, mapping["scale"]))
    levels = sorted((read.number(1, 5)(_key_node(k, scale), "scale", _NO_NAMES), value) for k, value in worth.items())
    if not levels:
        mapping["scale"].refuse("scale 是空的", "写上 1 到 5 各值几分")
    return ScaleItem(model, name, points, scale=tuple(levels))


def _key_node(key: str, mapping: dict[str, Node]) -> Node:
    return Node(key, mapping[key].file, mapping[key].line)


def _labels(scale: dict[str, Node], worth: dict[str, float], node: Node) -> tuple[tuple[str, float], ...]:
    known = {**RESOLUTIONS, **{english: english for english in RESOLUTIONS.values()}}
    found = {read.choice(known)(_key_node(key, scale), "scale", _NO_NAMES): value for key, value in worth.items()}
    missing = set(RESOLUTIONS.values()) - set(found)
    if missing:
        node.refuse(f"scale 缺少 {'、'.join(sorted(missing))}", "三种解决情况都要写上值几分")
    return tuple(sorted(found.items()))


def _bonus(node: Node | None) -> tuple[tuple[BonusItem, ...], float]:
    if node is None:
        return (), 0.0
    mapping = node.mapping("bonus")
    refuse_unknown_keys(mapping, BONUS_KEYS, "bonus ")
    rules = mapping["rules"].mapping("rules") if "rules" in mapping else {}
    number = read.number(0, 100)
    items = tuple(
        BonusItem(rule_id(_key_node(key, rules), "规则编号"), number(item, key, _NO_NAMES))
        for key, item in rules.items()
    )
    return items, _given(mapping, "cap", number, sum(item.points for item in items))


def _overrides(node: Node | None, dimensions: tuple[Dimension, ...]) -> tuple[Override, ...]:
    if node is None:
        return ()
    return tuple(_override(item, dimensions) for item in node.items("business"))


def _override(node: Node, dimensions: tuple[Dimension, ...]) -> Override:
    mapping = node.mapping("business")
    refuse_unknown_keys(mapping, BUSINESS_KEYS, "business ")
    if "match" not in mapping:
        node.refuse("business 缺少 match", "写上业务类型，如 match: [投诉]")
    weights = mapping["weights"].mapping("weights") if "weights" in mapping else {}
    known = [dimension.name for dimension in dimensions]
    for name, item in weights.items():
        if name not in known:
            item.refuse(f"没有维度 {name}", read.suggest(name, known))
    rules = mapping["rules"].mapping("rules") if "rules" in mapping else {}
    listed = [item.rule_id for dimension in dimensions for item in dimension.rules]
    for name, item in rules.items():
        if name not in listed:
            item.refuse(f"规则 {name} 不在上面的维度里", read.suggest(name, listed))
    return Override(
        read.texts(mapping["match"], "match", _NO_NAMES),
        tuple((name, read.number(0, 1000)(item, name, _NO_NAMES)) for name, item in weights.items()),
        tuple((name, _override_item(name, item)) for name, item in rules.items()),
    )


def _override_item(name: str, node: Node) -> RuleItem | None:
    return None if node.is_text and node.text(name) in read.NO else _rule_item(name, node)


def _limits(node: Node | None) -> Limits:
    if node is None:
        return Limits()
    mapping = node.mapping("not_scored")
    refuse_unknown_keys(mapping, LIMIT_KEYS, "not_scored ")
    readers: dict[str, Callable[[Node, str, Names], Any]] = {
        "min_turns": read.whole_number(0, 1000),
        "min_seconds": read.number(0, 3600),
        "max_suspect_share": read.number(0, 1),
        "min_role_confidence": read.number(0, 1),
    }
    return Limits(**{key: readers[key](item, key, _NO_NAMES) for key, item in mapping.items()})
