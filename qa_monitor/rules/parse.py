"""Conditions: from a node of a rule file to a `Condition`, refusing whatever the language does not know."""

from __future__ import annotations

import re
from typing import Any, NoReturn

from qa_monitor.rules import fields, specs
from qa_monitor.rules import readers as read
from qa_monitor.rules.compare import Comparison, Place, parse_place
from qa_monitor.rules.fold import key_text
from qa_monitor.rules.readers import Names
from qa_monitor.rules.source import Node
from qa_monitor.rules.specs import Condition
from qa_monitor.rules.wordings import Wording

AT_LEAST_TWICE = Comparison("至少 2 次", low=2)
# Single characters that stand in almost every turn.
_EVERYWHERE = frozenset("的了是我你他在有就不也和都这那一个们啊吗呢吧嗯哦好说要会能到去来对给把")
_RULE_ID = re.compile(r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$")


def refuse_unknown_keys(mapping: dict[str, Node], known: tuple[str, ...], what: str) -> None:
    for key, node in mapping.items():
        if key not in known:
            node.refuse(f"{what}里不能写 {key}", read.suggest(key, known))


def rule_id(node: Node, what: str) -> str:
    value = node.text(what)
    if not _RULE_ID.match(value):
        node.refuse(f"{what}“{value}”不合规", "用小写英文、数字、下划线，以点分段，如 opening.greeting")
    return value


def parse_condition(node: Node, names: Names) -> Condition:
    """The condition at `node`; plain text is the name of a shared or rule-local condition."""
    if node.is_text:
        name = node.text("条件")
        if not name:
            node.refuse("条件是空的", "写上一个算子，如 phrase: 您好")
        return Condition("ref", specs.RefSpec(names.key_of(name)), node.where)
    if isinstance(node.value, list):
        node.refuse("这里应是一个条件，写成了列表", "几个条件要用 all（全部成立）或 any（任一成立）")
    mapping = node.mapping("条件")
    operator = _operator(node, mapping)
    refuse_unknown_keys(mapping, (operator, *fields.options_of(operator)), f"{operator} 条件")
    if operator in fields.LEAF_BY_KEY:
        spec = _leaf(fields.LEAF_BY_KEY[operator], mapping, names)
    else:
        spec = _compound(operator, mapping, names)
    return Condition(operator, spec, node.where, **_common(mapping, names))


def _operator(node: Node, mapping: dict[str, Node]) -> str:
    found = [key for key in mapping if key in fields.OPERATOR_KEYS]
    if len(found) > 1:  # `after` is an operator and also an option of `silence`
        whole = [key for key in found if all(other in fields.options_of(key) for other in found if other != key)]
        found = whole or found
    if len(found) == 1:
        return found[0]
    if not found:
        strange = [key for key in mapping if key not in fields.COMMON_KEYS]
        if not strange:
            node.refuse("这个条件没有写算子", read.suggest("", fields.OPERATOR_KEYS))
        return mapping[strange[0]].refuse(f"没有算子 {strange[0]}", read.suggest(strange[0], fields.OPERATOR_KEYS))
    return mapping[found[1]].refuse(
        f"一个条件只能有一个算子，这里有 {'、'.join(found)}", "几个算子要用 all 或 any 分成几个条件"
    )


def _leaf(operator: fields.Operator, mapping: dict[str, Node], names: Names) -> specs.Spec:
    values: dict[str, Any] = dict(operator.fixed)
    values[operator.field] = operator.reader(mapping[operator.key], operator.key, names)
    for option in operator.options:
        given = mapping.get(option.key)
        values[option.field or option.key] = (
            option.default if given is None else option.reader(given, option.key, names)
        )
    spec = operator.build(**values)
    _check_leaf(spec, mapping[operator.key])
    return spec


def _check_leaf(spec: specs.Spec, node: Node) -> None:
    if isinstance(spec, specs.PhraseSpec):
        for wording in spec.wordings:
            _check_breadth(wording, spec, node)
    if isinstance(spec, specs.PhraseSpec) and isinstance(spec.need, int) and spec.need > len(spec.wordings):
        node.refuse(f"need 要 {spec.need} 种说法，却只写了 {len(spec.wordings)} 种，永远不成立", "减小 need 或补充说法")
    if isinstance(spec, specs.FactSpec):
        tests = (spec.one_of, spec.none_of, spec.value, spec.matches)
        if spec.exists is None and not any(tests):
            node.refuse("fact 没有写要求", "加上 is、is_not、value、matches 或 exists 之一")
        if spec.exists is False and any(tests):
            node.refuse("exists: no 与其他要求不能同时成立", "只留一个")


def _check_breadth(wording: Wording, spec: specs.PhraseSpec, node: Node) -> None:
    """Refuse wordings that would be found in almost any turn."""
    for variant in wording.variants:
        keys = [[key_text(string) for string in slot.strings] for slot in variant]
        said = [min(slot, key=len) for slot in keys if any(slot)]
        if not said or all(not key for key in said):
            node.refuse(f"说法“{wording.text}”没有实在的字，会匹配任何话", "写上要找的话")
        if len(said) == 1 and len(said[0]) <= 1 and spec.at != "alone":
            if said[0] in _EVERYWHERE:
                node.refuse(f"说法“{wording.text}”里单独的“{said[0]}”几乎每句话都有", "写完整的说法，或加 at: alone")
            if spec.at == "any" and said[0] == "":
                node.refuse(f"说法“{wording.text}”有一种写法是空的，会匹配任何话", "去掉空的选项")


def _compound(operator: str, mapping: dict[str, Node], names: Names) -> specs.Spec:
    node = mapping[operator]
    if operator == "all":
        return specs.AllSpec(_children(node, operator, names))
    if operator == "any":
        inside = _children(node, operator, names)
        return specs.AnySpec(inside, _need(mapping.get("need"), len(inside), names))
    if operator == "not":
        return specs.NotSpec(parse_condition(node, names))
    if operator == "count":
        return specs.CountSpec(
            parse_condition(node, names),
            _given(mapping, "times", read.comparison("times"), names, AT_LEAST_TWICE),
            _given(mapping, "by", read.choice(("hit", "turn")), names, "hit"),
        )
    if operator == "ref":
        return specs.RefSpec(names.key_of(read.text(node, operator, names)))
    if operator == "rule":
        verdicts = _given(mapping, "verdict", read.choices(fields.VERDICTS), names, ("pass",))
        return specs.RuleSpec(rule_id(node, "rule"), verdicts)
    return _order(operator, mapping, names)


def _order(relation: Any, mapping: dict[str, Node], names: Names) -> specs.OrderSpec:
    node = mapping[relation]
    pair = _children(node, relation, names)
    if len(pair) != 2:
        node.refuse(f"{relation} 要正好两个条件 [A, B]，这里有 {len(pair)} 个")
    turns = _given(mapping, "turns", read.whole_number(0, 1000), names, None)
    seconds = _given(mapping, "seconds", read.number(0, 100_000), names, None)
    if relation == "within" and turns is None and seconds is None:
        node.refuse("within 没有写多近", "加上 turns（几轮内）或 seconds（几秒内）")
    which = _given(mapping, "which", read.which, names, "any")
    return specs.OrderSpec(relation, pair[0], pair[1], turns, seconds, which)


def _children(node: Node, operator: str, names: Names) -> tuple[Condition, ...]:
    inside = node.items(operator)
    if not inside:
        node.refuse(f"{operator} 里没有条件", "至少写一个条件，或删去")
    return tuple(parse_condition(item, names) for item in inside)


def _need(node: Node | None, count: int, names: Names) -> int:
    if node is None:
        return 1
    value: int = read.whole_number(1, 1000)(node, "need", names)
    if value > count:
        node.refuse(f"need 要 {value} 项成立，却只有 {count} 项，永远不成立", "减小 need 或补充条件")
    return value


def _given(mapping: dict[str, Node], key: str, reader: read.Reader, names: Names, default: Any) -> Any:
    node = mapping.get(key)
    return default if node is None else reader(node, key, names)


def _common(mapping: dict[str, Node], names: Names) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": _given(mapping, "name", read.text, names, ""),
        "role": _given(mapping, "role", read.choice(fields.ROLES), names, None),
        "place": _given(mapping, "where", _place, names, None),
        "each_turn": _given(mapping, "each_turn", read.yes_no, names, False),
    }
    if "near" in mapping:
        found["near"] = _near(mapping["near"], names)
    if "unless" in mapping:
        found["unless"] = parse_condition(mapping["unless"], names)
    return found


def _place(node: Node, what: str, names: Names) -> Place:
    try:
        return parse_place(node.text(what))
    except ValueError as error:
        return _refuse(node, str(error))


def _refuse(node: Node, what: str) -> NoReturn:
    node.refuse(what)


def _near(node: Node, names: Names) -> specs.Near:
    mapping = node.mapping("near")
    refuse_unknown_keys(mapping, fields.NEAR_KEYS, "near ")
    if "hit" not in mapping:
        node.refuse("near 没有写 hit", "写上要靠近的条件或它的名字，如 hit: 客户投诉")
    side = _given(mapping, "side", read.choice(("before", "after", "around", "same")), names, "around")
    turns = _given(mapping, "turns", read.whole_number(0, 1000), names, None)
    seconds = _given(mapping, "seconds", read.number(0, 100_000), names, None)
    if side == "around" and turns is None and seconds is None:
        node.refuse("near 没有写多近", "加上 turns（几轮内）或 seconds（几秒内），或写 side: before、after、same")
    return specs.Near(
        parse_condition(mapping["hit"], names), side, turns, seconds, _given(mapping, "which", read.which, names, "any")
    )
