"""Pay policies from YAML, with file:line and a suggestion for whatever is wrong."""

from __future__ import annotations

import difflib
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from qa_monitor.agents.policy import Policy
from qa_monitor.errors import RuleFileError
from qa_monitor.rules.source import Node, plain, read_file

_WORDS = {
    "missing": "缺少这一项",
    "extra_forbidden": "不认识这一项",
    "literal_error": "只能写 {expected}，这里是“{input}”",
    "float_parsing": "应是一个数，这里是“{input}”",
    "int_parsing": "应是整数，这里是“{input}”",
    "bool_parsing": "应写 yes 或 no，这里是“{input}”",
    "greater_than": "应大于 {gt}，这里是 {input}",
    "greater_than_equal": "不能小于 {ge}，这里是 {input}",
    "less_than_equal": "不能大于 {le}，这里是 {input}",
    "too_short": "至少写一项",
    "string_too_short": "是空的",
    "string_type": "应是一段文字",
    "tuple_type": "应是列表（每行以 - 开头）",
    "model_type": "应写成“键: 值”",
    "model_attributes_type": "应写成“键: 值”",
    "finite_number": "应是一个有限的数",
}


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """A policy, the file it came from and the hash of what it says."""

    policy: Policy
    file: str
    digest: str

    @property
    def label(self) -> str:
        return f"{self.policy.name} {self.policy.version}（{self.digest[:12]}）"


def read_policy(path: Path) -> PolicyFile:
    """The policy in `path`. Raises RuleFileError (file:line) for the first thing that is wrong, and says how many are."""
    root = read_file(path, path.name)
    value = plain(root)
    try:
        policy = Policy.model_validate(value)
    except ValidationError as error:
        raise _as_ours(error, root) from error
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return PolicyFile(policy, path.name, hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())


def _as_ours(error: ValidationError, root: Node) -> RuleFileError:
    problems = error.errors()
    first = problems[0]
    node, path, known = _place(root, first["loc"])
    hint = "写法见 rules/policy/default.yaml 里的说明"
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(first["loc"][-1]), known, n=1, cutoff=0.5)
        hint = f"是不是想写 {near[0]}？" if near else "可用的有：" + "、".join(known)
    if len(problems) > 1:
        hint += f"；另有 {len(problems) - 1} 处问题"
    return RuleFileError(f"{path}：{_said(first)}" if path else _said(first), where=node.where, hint=hint)


def _said(problem: Any) -> str:
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    words = _WORDS.get(problem["type"])
    if words is None:
        return str(problem["msg"])
    shown = {"input": str(problem.get("input"))[:40], **problem.get("ctx", {})}
    return words.format(**shown).replace(" or ", " 或 ")


def _place(root: Node, loc: tuple[int | str, ...]) -> tuple[Node, str, list[str]]:
    """The deepest node on the way to `loc`, the way in words, and the keys known where the problem is."""
    node: Node = root
    model: Any = Policy
    known = _keys(Policy)
    words: list[str] = []
    for part in loc:
        if isinstance(part, int):
            words.append(f"第 {part + 1} 项")
            if isinstance(node.value, list) and part < len(node.value):
                node = node.value[part]
            continue
        words.append(str(part))
        known = _keys(model)
        model = _inner(model, part) or model
        if isinstance(node.value, dict) and part in node.value:
            node = node.value[part]
    return node, " ".join(words), known


def _keys(model: Any) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _inner(model: Any, key: str) -> Any:
    """The model that stands under `key`, looking through tuples and alternatives; None for plain values."""
    fields = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
    waiting = [fields.get(key)]
    while waiting:
        kind = waiting.pop()
        if hasattr(kind, "model_fields"):
            return kind
        waiting += list(getattr(kind, "__args__", ()))
    return None
