"""Turning one value of a rule file into one typed value, or into a message that says how it should be written."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from qa_monitor.rules.compare import Measure, parse_comparison
from qa_monitor.rules.source import Node
from qa_monitor.rules.wordings import UnknownClassError, Wording, parse_wording

YES = ("yes", "true", "是", "on")
NO = ("no", "false", "否", "off")
MAX_PATTERN_CHARS = 1000


@dataclass(frozen=True, slots=True)
class Names:
    """What a rule file may refer to: word classes, and the names of conditions defined inside the rule being read."""

    words: Mapping[str, Sequence[str]] = field(default_factory=dict)
    local_prefix: str = ""
    local: frozenset[str] = frozenset()

    def key_of(self, name: str) -> str:
        """Rule-local names hide shared ones of the same name."""
        return f"{self.local_prefix}/{name}" if name in self.local else name


Reader = Callable[[Node, str, Names], Any]


def suggest(word: str, known: Iterable[str]) -> str:
    """`是不是 X？` when something known is near, else the list of what is known."""
    options = list(known)
    near = difflib.get_close_matches(word, options, n=1, cutoff=0.6)
    if near:
        return f"是不是想写 {near[0]}？"
    return "可用的有：" + "、".join(options[:40])


def text(node: Node, what: str, names: Names) -> str:
    value = node.text(what)
    if not value:
        node.refuse(f"{what} 是空的", "写上内容，或删去这一行")
    return value


def texts(node: Node, what: str, names: Names) -> tuple[str, ...]:
    """One text or a list of texts."""
    nodes = [node] if node.is_text else node.items(what)
    if not nodes:
        node.refuse(f"{what} 是空列表", "至少写一项，或删去这一行")
    return tuple(text(item, what, names) for item in nodes)


def yes_no(node: Node, what: str, names: Names) -> bool:
    value = node.text(what).lower()
    if value in YES:
        return True
    if value in NO:
        return False
    return node.refuse(f"{what} 应写 yes 或 no，这里是“{value}”")


def by_sound(node: Node, what: str, names: Names) -> int:
    """From how many characters on wordings are also found by their sound; 0 never."""
    value = node.text(what).lower()
    if value in YES or value in NO:
        return int(value in YES)
    if not value.isdecimal() or not 2 <= int(value) <= 12:
        node.refuse(f"{what} 应写 yes、no 或 2～12 的整数（几个字以上的说法才认读音），这里是“{value}”")
    return int(value)


def whole_number(low: int, high: int) -> Reader:
    def read(node: Node, what: str, names: Names) -> int:
        value = node.text(what)
        if not value.isdecimal() or not low <= int(value) <= high:
            node.refuse(f"{what} 应是 {low}～{high} 的整数，这里是“{value}”")
        return int(value)

    return read


def number(low: float, high: float) -> Reader:
    def read(node: Node, what: str, names: Names) -> float:
        value = node.text(what)
        try:
            found = float(value)
        except ValueError:
            found = float("nan")
        if not low <= found <= high:
            node.refuse(f"{what} 应是 {low:g}～{high:g} 的数，这里是“{value}”")
        return found

    return read


def choice(options: Mapping[str, Any] | Sequence[str]) -> Reader:
    """One of `options`; a mapping also translates what was typed into what is meant."""
    known = options if isinstance(options, Mapping) else {option: option for option in options}

    def read(node: Node, what: str, names: Names) -> Any:
        value = node.text(what)
        if value not in known:
            node.refuse(f"{what} 不能写“{value}”", suggest(value, known))
        return known[value]

    return read


def choices(options: Mapping[str, Any] | Sequence[str]) -> Reader:
    one = choice(options)

    def read(node: Node, what: str, names: Names) -> tuple[Any, ...]:
        nodes = [node] if node.is_text else node.items(what)
        if not nodes:
            node.refuse(f"{what} 是空列表", "至少写一项")
        return tuple(dict.fromkeys(one(item, what, names) for item in nodes))

    return read


def comparison(measure: Measure) -> Reader:
    def read(node: Node, what: str, names: Names) -> Any:
        try:
            return parse_comparison(node.text(what), measure)
        except ValueError as error:
            return node.refuse(f"{what}：{error}")

    return read


def guards(node: Node, what: str, names: Names) -> tuple[str, ...]:
    if node.is_text and node.text(what) in ("none", "all"):
        return () if node.text(what) == "none" else ("negation", "quote")
    found: tuple[str, ...] = choices(("negation", "quote"))(node, what, names)
    return found


def need(node: Node, what: str, names: Names) -> str | int:
    value = node.text(what)
    if value in ("any", "all", "none"):
        return value
    if value.isdecimal() and int(value) >= 1:
        return int(value)
    return node.refuse(f"{what} 应写 any、all、none 或一个数，这里是“{value}”")


def which(node: Node, what: str, names: Names) -> str | int:
    value = node.text(what)
    if value in ("any", "every", "first", "last"):
        return value
    if value.isdecimal() and int(value) >= 1:
        return int(value)
    return node.refuse(f"{what} 应写 any、every、first、last 或第几次（如 2），这里是“{value}”")


def wordings(node: Node, what: str, names: Names) -> tuple[Wording, ...]:
    nodes = [node] if node.is_text else node.items(what)
    if not nodes:
        node.refuse(f"{what} 是空列表", "至少写一种说法")
    return tuple(_wording(item, what, names) for item in nodes)


def _wording(node: Node, what: str, names: Names) -> Wording:
    value = text(node, what, names)
    try:
        return parse_wording(value, names.words)
    except UnknownClassError as error:
        hint = suggest(error.name, names.words) if names.words else "在某个文件的 words 里定义它"
        return node.refuse(str(error), hint)
    except ValueError as error:
        return node.refuse(str(error))


def vocabulary(node: Node, what: str, names: Names) -> tuple[str, ...]:
    """Words, with `<class>` standing for the plain words of a class."""
    found: list[str] = []
    for wording in wordings(node, what, names):
        for variant in wording.variants:
            if len(variant) > 1:
                node.refuse(f"{what} 只能写词，“{wording.text}”里有间隔", "隔着字的说法用 phrase")
            found.extend(variant[0].strings)
    return tuple(dict.fromkeys(found))


def patterns(node: Node, what: str, names: Names) -> tuple[str, ...]:
    nodes = [node] if node.is_text else node.items(what)
    if not nodes:
        node.refuse(f"{what} 是空列表", "至少写一条正则")
    return tuple(pattern(item, what, names) for item in nodes)


def pattern(node: Node, what: str, names: Names) -> str:
    from qa_monitor.rules.patterns import PatternError, compile_pattern

    value = text(node, what, names)
    if len(value) > MAX_PATTERN_CHARS:
        node.refuse(f"{what} 有 {len(value)} 个字符，超过 {MAX_PATTERN_CHARS} 个的上限", "拆成几条，或改用 phrase")
    try:
        compile_pattern(value)
    except PatternError as error:
        node.refuse(f"{what}“{value[:40]}”不能用：{error}", error.hint)
    return value
