"""`rules check`: everything wrong with a set of packs at once, and what is legal but probably not meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from qa_monitor.errors import RuleFileError
from qa_monitor.rules import specs
from qa_monitor.rules.fold import key_text
from qa_monitor.rules.load import Packs, read_packs, roots, walk
from qa_monitor.rules.specs import Condition, Rule
from qa_monitor.rules.wordings import Wording

MIN_EXAMPLES = 2
LONG_LITERAL = 14


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong (`error`: the packs cannot be used) or doubtful (`warning`) at file:line."""

    level: Literal["error", "warning"]
    where: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        level = "错误" if self.level == "error" else "提醒"
        return f"{level}：{self.where}：{self.what}" + (f"。{self.hint}" if self.hint else "")


def lint_packs(rules_dir: Path, packs: Sequence[str]) -> tuple[Problem, ...]:
    """All errors and warnings of the packs, in order of place."""
    errors: list[RuleFileError] = []
    found = Packs()
    try:
        found = read_packs(rules_dir, packs, errors)
    except RuleFileError as error:
        errors.append(error)
    problems = [Problem("error", error.where, error.what, error.hint) for error in errors]
    if not errors:
        problems.extend(_warnings(found))
    return tuple(sorted(set(problems), key=_in_order))


def _in_order(problem: Problem) -> tuple[str, int, str]:
    file, _, line = problem.where.rpartition(":")
    return file, int(line) if line.isdecimal() else 0, problem.what


def _warnings(found: Packs) -> Iterator[Problem]:
    for rule in found.rules.values():
        yield from _rule_warnings(rule)
    yield from _same_names(found)
    every = [part for rule in found.rules.values() for part in roots(rule)]
    used: set[str] = set()
    for condition in walk(found, every):
        yield from _condition_warnings(condition)
        if isinstance(condition.spec, specs.RefSpec):
            used.add(condition.spec.name)
    for name, condition in found.conditions.items():
        if name not in used:
            shown = name.rpartition("/")[2]
            yield Problem("warning", condition.where, f"条件 {shown} 没有规则用到", "删去，或检查引用处的名字")


def _rule_warnings(rule: Rule) -> Iterator[Problem]:
    hits = sum(example.expect in ("hit", "pass" if rule.required else "fail") for example in rule.examples)
    misses = len(rule.examples) - hits
    if hits < MIN_EXAMPLES or misses < MIN_EXAMPLES:
        what = f"规则 {rule.id} 只有 {hits} 个命中例子、{misses} 个不命中例子"
        yield Problem("warning", rule.where, what, f"各写至少 {MIN_EXAMPLES} 个，改规则时才知道有没有改坏")
    if rule.veto and rule.severity in ("info", "minor"):
        what = f"规则 {rule.id} 是一票否决，严重程度却是 {rule.severity}"
        yield Problem("warning", rule.where, what, "改成 severity: critical")
    if rule.required and rule.applies is None and "{quote}" in rule.fail_text:
        what = f"规则 {rule.id} 的 fail_text 用了 {{quote}}，而没说到的话没有原话可引"
        yield Problem("warning", rule.where, what, "去掉 {quote}")
    if not rule.required and "{quote}" in rule.pass_text:
        what = f"规则 {rule.id} 的 pass_text 用了 {{quote}}，而没有发现的话没有原话可引"
        yield Problem("warning", rule.where, what, "去掉 {quote}")


def _same_names(found: Packs) -> Iterator[Problem]:
    first: dict[str, Rule] = {}
    for rule in found.rules.values():
        if rule.name in first:
            what = f"规则 {rule.id} 与 {first[rule.name].id} 同名“{rule.name}”，报告里分不清"
            yield Problem("warning", rule.where, what, "换个名字")
        first.setdefault(rule.name, rule)


def _condition_warnings(condition: Condition) -> Iterator[Problem]:
    spec = condition.spec
    if isinstance(spec, specs.PhraseSpec):
        yield from _phrase_warnings(spec, condition.where)
    if isinstance(spec, specs.PatternSpec):
        for pattern in (*spec.patterns, *spec.except_patterns):
            if "\\b" in pattern:
                what = f"正则“{pattern[:30]}”用了 \\b，汉字之间没有词边界，多半不会命中"
                yield Problem("warning", condition.where, what, "去掉 \\b，或改用 word")


def _phrase_warnings(spec: specs.PhraseSpec, where: str) -> Iterator[Problem]:
    literals = {wording.text: _literals(wording) for wording in spec.wordings}
    for text, strings in literals.items():
        shortest = min((len(string) for string in strings), default=0)
        if shortest == 1 and spec.at == "any" and len(strings) >= 1 and _single_slot(spec, text):
            yield Problem("warning", where, f"说法“{text}”只有一个字，容易误命中", "加 at: alone，或写完整些")
        if any(len(string) > LONG_LITERAL for string in strings):
            what = f"说法“{text[:30]}”连着超过 {LONG_LITERAL} 个字，换一点说法就对不上"
            yield Problem("warning", where, what, "用 … 隔开关键的几个词")
    if spec.need == "any":
        yield from _redundant(spec, where)


def _literals(wording: Wording) -> list[str]:
    return [key_text(string) for variant in wording.variants for slot in variant for string in slot.strings]


def _single_slot(spec: specs.PhraseSpec, text: str) -> bool:
    wording = next(wording for wording in spec.wordings if wording.text == text)
    return any(
        len(variant) == 1 and min(len(key_text(s)) for s in variant[0].strings) == 1 for variant in wording.variants
    )


def _redundant(spec: specs.PhraseSpec, where: str) -> Iterator[Problem]:
    """Plain wordings that contain another plain wording of the same list: the longer adds nothing."""
    plain: dict[str, str] = {}
    for wording in spec.wordings:
        if len(wording.variants) == 1 and len(wording.variants[0]) == 1 and len(wording.variants[0][0].strings) == 1:
            key = key_text(wording.variants[0][0].strings[0])
            if key in plain:
                yield Problem("warning", where, f"说法“{wording.text}”与“{plain[key]}”重复", "删去一个")
            plain.setdefault(key, wording.text)
    if spec.at != "any":
        return
    for key, text in plain.items():
        shorter = next((other for other in plain if other != key and other in key), None)
        if shorter is not None:
            what = f"说法“{text}”已包含在“{plain[shorter]}”里，写不写都一样"
            yield Problem("warning", where, what, "删去长的那个")
