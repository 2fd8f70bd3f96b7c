"""The small language of wordings: `请[您]稍(等|候)`, `感谢…来电`, `<歉意>…不便`.

A wording stands for variants; a variant is a sequence of slots with bounded gaps between them, and each slot holds the
strings that may stand there. Alternatives inside a slot are kept side by side, not multiplied with other slots.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

MAX_WORDING_CHARS = 400
MAX_ALTERNATIVES = 2000
MAX_VARIANTS = 500
DEFAULT_GAP = 6
GAP = "…"
# Brackets and bars typed with a Chinese keyboard mean the same.
_KEYBOARD = str.maketrans("（）［］｜＜＞＊", "()[]|<>*")
_CLASS_ALONE = re.compile(r"<([^<>]+)>")

Slot = tuple[str, ...]
Variant = tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class Wording:
    """One wording as typed, and what it stands for."""

    text: str
    variants: tuple[Variant, ...]


def parse_wording(text: str, words: Mapping[str, Sequence[str]]) -> Wording:
    """Expand `text`, looking word classes up in `words`. Raises ValueError (Chinese) saying what is wrong."""
    if len(text) > MAX_WORDING_CHARS:
        raise ValueError(f"说法有 {len(text)} 个字，超过 {MAX_WORDING_CHARS} 个，请拆短")
    variants = tuple(dict.fromkeys(_variants(_flat(text), words, ())))
    if not all(variants):
        raise ValueError(f"说法“{text}”有一种写法是空的，会匹配任何话")
    return Wording(text, variants)


def _variants(flat: str, words: Mapping[str, Sequence[str]], inside: tuple[str, ...]) -> list[Variant]:
    alone = _CLASS_ALONE.fullmatch(flat.strip())
    if alone:  # each entry of the class keeps its own slots
        name = alone[1].strip()
        entries = _entries(name, flat, words, inside)
        return [variant for entry in entries for variant in _variants(_flat(entry), words, (*inside, name))]
    choices = [_choices(segment) for segment in _Parser(flat, words, inside).segments()]
    if prod(map(len, choices)) > MAX_VARIANTS:
        raise ValueError(f"说法“{flat}”展开太多，请减少括号里的 … 或拆成几条")
    return [tuple(slot for part in parts for slot in part) for parts in product(*choices)]


def _entries(name: str, text: str, words: Mapping[str, Sequence[str]], inside: tuple[str, ...]) -> Sequence[str]:
    if name not in words:
        raise UnknownClassError(name, text)
    if name in inside:
        raise ValueError(f"词类 <{name}> 绕回了自己：{' → '.join((*inside, name))}")
    return words[name]


def _flat(text: str) -> str:
    return text.translate(_KEYBOARD).replace("...", GAP).replace("*", GAP)


def _choices(strings: Sequence[str]) -> list[Variant]:
    """What may stand between two gaps: one slot of plain strings, nothing, or a string that has gaps of its own."""
    plain = tuple(dict.fromkeys(string.strip() for string in strings if string.strip() and GAP not in string))
    found: list[Variant] = [(plain,)] if plain else []
    if any(not string.strip() for string in strings):
        found.append(())
    for string in strings:
        if GAP in string:
            pieces = [piece.strip() for piece in string.split(GAP)]
            found.append(tuple((piece,) for piece in pieces if piece))
    return found


class _Parser:
    """Recursive descent over one wording; returns every string it stands for, gaps kept as `…`."""

    def __init__(self, text: str, words: Mapping[str, Sequence[str]], inside: tuple[str, ...]) -> None:
        self.text = text
        self.words = words
        self.inside = inside
        self.at = 0

    def segments(self) -> list[list[str]]:
        """The strings of each stretch between two gaps."""
        found = []
        while True:
            found.append(self.sequence("", stop_at_gap=True))
            if self.at == len(self.text):
                return found
            char = self.text[self.at]
            if char == "|":
                raise ValueError(f"说法“{self.text}”里的 | 要放在 ( ) 里，或拆成两条说法")
            if char != GAP:
                raise ValueError(f"说法“{self.text}”第 {self.at + 1} 个字“{char}”前缺少左括号")
            self.at += 1

    def alternatives(self, closing: str) -> list[str]:
        """Branches split by `|`, up to `closing` (not consumed) or the end."""
        branches = [self.sequence(closing)]
        while self.at < len(self.text) and self.text[self.at] == "|":
            self.at += 1
            branches.append(self.sequence(closing))
        return [string for branch in branches for string in branch]

    def sequence(self, closing: str, stop_at_gap: bool = False) -> list[str]:
        strings = [""]
        while self.at < len(self.text):
            char = self.text[self.at]
            if char in closing or char in "|)]>" or (stop_at_gap and char == GAP):
                break
            part = self.part(char)
            strings = [head + tail for head in strings for tail in part]
            if len(strings) > MAX_ALTERNATIVES:
                raise ValueError(f"说法“{self.text}”展开超过 {MAX_ALTERNATIVES} 种，请减少括号或拆成几条")
        return strings

    def part(self, char: str) -> list[str]:
        self.at += 1
        if char == "(":
            return self.bracket(")")
        if char == "[":
            return ["", *self.bracket("]")]
        if char == "<":
            return self.word_class()
        return [char]

    def bracket(self, closing: str) -> list[str]:
        found = self.alternatives(closing)
        if self.at >= len(self.text) or self.text[self.at] != closing:
            raise ValueError(f"说法“{self.text}”缺少右括号 {closing}")
        self.at += 1
        return found

    def word_class(self) -> list[str]:
        end = self.text.find(">", self.at)
        if end < 0:
            raise ValueError(f"说法“{self.text}”缺少 >")
        name = self.text[self.at : end].strip()
        self.at = end + 1
        entries = _entries(name, self.text, self.words, self.inside)
        return [string for entry in entries for string in self.entry(entry, name)]

    def entry(self, entry: str, name: str) -> list[str]:
        parser = _Parser(_flat(entry), self.words, (*self.inside, name))
        parts = parser.segments()
        if prod(map(len, parts)) > MAX_ALTERNATIVES:
            raise ValueError(f"词类 <{name}> 里的“{entry}”展开太多，请拆成几条")
        return [GAP.join(part) for part in product(*parts)]


class UnknownClassError(ValueError):
    """A wording names a word class that no file defines."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"说法“{text}”用到的词类 <{name}> 没有定义")
        self.name = name
