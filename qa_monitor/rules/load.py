"""Rule packs from a folder: read, put together, checked for what no single file can tell, versioned."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from qa_monitor.errors import RuleFileError
from qa_monitor.rules import fields, specs
from qa_monitor.rules import readers as read
from qa_monitor.rules.parse import parse_condition, refuse_unknown_keys, rule_id
from qa_monitor.rules.parse_rule import ReadRule, parse_rule
from qa_monitor.rules.readers import Names
from qa_monitor.rules.source import Node, plain, read_file
from qa_monitor.rules.specs import Condition, Rule, children
from qa_monitor.rules.wordings import UnknownClassError, parse_wording

# Raised whenever the same rule text would be judged differently by new code.
LANGUAGE_VERSION = "1"


@dataclass(slots=True)
class Packs:
    """Everything read from the packs, put together."""

    rules: dict[str, Rule] = field(default_factory=dict)
    conditions: dict[str, Condition] = field(default_factory=dict)
    words: dict[str, tuple[str, ...]] = field(default_factory=dict)
    version: str = ""


@dataclass(frozen=True, slots=True)
class _File:
    pack: str
    mapping: dict[str, Node]


def read_packs(rules_dir: Path, packs: Sequence[str], problems: list[RuleFileError] | None = None) -> Packs:
    """The rules of `packs` (folders of `rules_dir`), later packs on top of earlier ones. Raises RuleFileError.

    Given a list of `problems`, a rule or condition that cannot be read is added to it and left out, so that all that
    is wrong can be shown at once.
    """
    files = list(_files(rules_dir, packs))
    found = Packs()
    nodes = _collect_words(files)
    found.words = {name: tuple(node.text("词") for node in entries) for name, entries in nodes.items()}
    _check_words(nodes, found.words)
    names = Names(found.words)
    where_named: dict[str, Node] = {}
    for file in files:
        for name, node in _section(file, "conditions").items():
            if name in where_named:
                node.refuse(f"公用条件 {name} 重名", f"{where_named[name].where} 已写过，换个名字或删去一处")
            where_named[name] = node
            with _collecting(problems):
                found.conditions[name] = parse_condition(node, names)
    for file in files:
        _add_rules(found, file, names, problems)
    with _collecting(problems):
        _check_references(found)
    _version(found, files)
    return found


@contextmanager
def _collecting(problems: list[RuleFileError] | None) -> Iterator[None]:
    try:
        yield
    except RuleFileError as error:
        if problems is None:
            raise
        problems.append(error)


def _files(rules_dir: Path, packs: Sequence[str]) -> Iterator[_File]:
    if not packs:
        raise RuleFileError(
            "没有启用任何规则包", where=str(rules_dir), hint="在 qa_monitor.toml 的 [rules] packs 里写上"
        )
    for pack in packs:
        folder = rules_dir / pack
        if not folder.is_dir():
            known = sorted(p.name for p in rules_dir.iterdir() if p.is_dir()) if rules_dir.is_dir() else []
            raise RuleFileError(f"没有规则包 {pack}", where=str(folder), hint=read.suggest(pack, known))
        paths = sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])
        if not paths:
            raise RuleFileError(
                f"规则包 {pack} 里没有 .yaml 文件", where=str(folder), hint="放入规则文件，或停用这个包"
            )
        for path in paths:
            mapping = read_file(path, f"{pack}/{path.name}").mapping("文件")
            refuse_unknown_keys(mapping, fields.FILE_KEYS, "文件最外层")
            _check_pack(mapping, packs)
            yield _File(pack, mapping)


def _check_pack(mapping: dict[str, Node], packs: Sequence[str]) -> None:
    if "pack" not in mapping:
        return
    about = mapping["pack"].mapping("pack")
    refuse_unknown_keys(about, fields.PACK_KEYS, "pack ")
    for node in about["requires"].items("requires") if "requires" in about else ():
        if node.text("requires") not in packs:
            node.refuse(f"这个包依赖规则包 {node.text('requires')}，而它没有启用", "在 [rules] packs 里把它写在前面")


def _section(file: _File, key: str) -> dict[str, Node]:
    return file.mapping[key].mapping(key) if key in file.mapping else {}


def _collect_words(files: Sequence[_File]) -> dict[str, list[Node]]:
    """Word classes by name; `+name` adds to a class defined anywhere."""
    found: dict[str, list[Node]] = {}
    additions: list[tuple[str, Node]] = []
    for file in files:
        for name, node in _section(file, "words").items():
            if name.startswith("+"):
                additions.append((name[1:].strip(), node))
            elif name in found:
                node.refuse(f"词类 {name} 重名", f"换个名字；要在原有词类里添加说法，写成 +{name}")
            else:
                found[name] = _entries(name, node)
    for name, node in additions:
        if name not in found:
            node.refuse(f"+{name}：没有词类 {name} 可以追加", read.suggest(name, found))
        found[name].extend(_entries(name, node))
    return found


def _entries(name: str, node: Node) -> list[Node]:
    entries = [node] if node.is_text else node.items(f"词类 {name}")
    if not entries:
        node.refuse(f"词类 {name} 是空的", "至少写一个词")
    for entry in entries:
        read.text(entry, f"词类 {name}", Names())
    return list(entries)


def _check_words(nodes: Mapping[str, list[Node]], words: Mapping[str, tuple[str, ...]]) -> None:
    for entries in nodes.values():
        for node in entries:
            try:
                parse_wording(node.text("词"), words)
            except UnknownClassError as error:
                node.refuse(str(error), read.suggest(error.name, words))
            except ValueError as error:
                node.refuse(str(error))


def _add_rules(found: Packs, file: _File, names: Names, problems: list[RuleFileError] | None) -> None:
    if "disable" in file.mapping:
        for node in file.mapping["disable"].items("disable"):
            identity = rule_id(node, "disable")
            if identity not in found.rules:
                node.refuse(f"要停用的规则 {identity} 不在前面的规则包里", read.suggest(identity, found.rules))
            del found.rules[identity]
    for node in file.mapping["rules"].items("rules") if "rules" in file.mapping else ():
        with _collecting(problems):
            _place(found, parse_rule(node, file.pack, names))


def _place(found: Packs, got: ReadRule) -> None:
    rule, earlier = got.rule, found.rules.get(got.rule.id)
    if earlier is not None and not got.override:
        got.node.refuse(f"规则编号 {rule.id} 重复", f"{earlier.where} 已有；换个编号，或加 override: yes 表示替换")
    if earlier is None and got.override:
        got.node.refuse(f"规则 {rule.id} 写了 override，但前面没有同编号的规则", read.suggest(rule.id, found.rules))
    if got.enabled:
        found.rules[rule.id] = replace(rule, version=_hash(plain(got.node)))
        found.conditions.update(rule.define)
    else:
        found.rules.pop(rule.id, None)


def _hash(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _version(found: Packs, files: Sequence[_File]) -> None:
    """A rule's version covers its own text and all that it refers to; the rulebook's covers its rules."""
    shared = {name: _hash(plain(node)) for file in files for name, node in _section(file, "conditions").items()}
    words = _hash([[name, list(entries)] for name, entries in sorted(found.words.items())])
    for identity, rule in found.rules.items():
        used = sorted({name for name in _names_used(found, rule) if name in shared})
        parts = [
            LANGUAGE_VERSION,
            rule.version,
            [shared[name] for name in used],
            words if _uses_words(found, rule) else "",
        ]
        found.rules[identity] = replace(rule, version=_hash(parts))
    found.version = _hash([LANGUAGE_VERSION, sorted((rule.id, rule.version) for rule in found.rules.values())])


def roots(rule: Rule) -> tuple[Condition, ...]:
    """The conditions a rule is made of."""
    parts = (rule.applies, rule.condition, rule.unless)
    return tuple(part for part in parts if part is not None)


def walk(found: Packs, start: Sequence[Condition]) -> Iterator[Condition]:
    """`start` and every condition inside or referred to, each once."""
    seen: set[Condition] = set()
    waiting = list(start)
    while waiting:
        condition = waiting.pop()
        if condition in seen:
            continue
        seen.add(condition)
        yield condition
        waiting.extend(children(condition))
        if isinstance(condition.spec, specs.RefSpec) and condition.spec.name in found.conditions:
            waiting.append(found.conditions[condition.spec.name])


def _names_used(found: Packs, rule: Rule) -> Iterator[str]:
    for condition in walk(found, roots(rule)):
        if isinstance(condition.spec, specs.RefSpec):
            yield condition.spec.name


def _uses_words(found: Packs, rule: Rule) -> bool:
    for condition in walk(found, roots(rule)):
        wordings = getattr(condition.spec, "wordings", ()) + getattr(condition.spec, "exceptions", ())
        if any("<" in wording.text or "＜" in wording.text for wording in wordings):
            return True
        if isinstance(condition.spec, specs.WordSpec):
            return True
    return False


def _check_references(found: Packs) -> None:
    """Every name refers to something, and no condition or rule leads back to itself."""
    everything = [*found.conditions.values(), *(part for rule in found.rules.values() for part in roots(rule))]
    for condition in walk(found, everything):
        spec = condition.spec
        if isinstance(spec, specs.RefSpec) and spec.name not in found.conditions:
            hint = read.suggest(spec.name, [name for name in found.conditions if "/" not in name])
            raise RuleFileError(f"没有叫“{spec.name}”的条件", where=condition.where, hint=hint)
        if isinstance(spec, specs.RuleSpec) and spec.rule_id not in found.rules:
            hint = read.suggest(spec.rule_id, found.rules)
            raise RuleFileError(f"没有规则 {spec.rule_id}", where=condition.where, hint=hint)
    _Cycles(found).check()


class _Cycles:
    """Depth-first search for references that lead back to themselves."""

    def __init__(self, found: Packs) -> None:
        self._found = found
        self._done: set[str] = set()

    def check(self) -> None:
        for name, condition in self._found.conditions.items():
            self._visit(name, [condition], [])
        for rule in self._found.rules.values():
            self._visit(f"rule:{rule.id}", list(roots(rule)), [])

    def _visit(self, name: str, start: Sequence[Condition], above: list[str]) -> None:
        if name in above:
            path = " → ".join(part.removeprefix("rule:") for part in [*above[above.index(name) :], name])
            hint = "去掉其中一处引用，条件不能引用自己"
            raise RuleFileError(f"条件绕回了自己：{path}", where=start[0].where, hint=hint)
        if name in self._done:
            return
        waiting = list(start)
        while waiting:
            condition = waiting.pop()
            waiting.extend(children(condition))
            if isinstance(condition.spec, specs.RefSpec):
                target = condition.spec.name
                self._visit(target, [self._found.conditions[target]], [*above, name])
            elif isinstance(condition.spec, specs.RuleSpec):
                target = condition.spec.rule_id
                self._visit(f"rule:{target}", list(roots(self._found.rules[target])), [*above, name])
        self._done.add(name)
