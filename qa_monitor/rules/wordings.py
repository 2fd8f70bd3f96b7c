"""The small language of wordings: `请[您]稍(等|候)`, `感谢…来电`, `<歉意>…不便`.

A wording stands for variants; a variant is a sequence of slots, each holding the strings that may stand there, with a
bounded gap or nothing between neighbours. Short runs of alternatives are multiplied out into one slot, so that they are
compared as a whole; long ones are kept as adjacent slots.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import NamedTuple

MAX_WORDING_CHARS = 400
MAX_ALTERNATIVES = 800
MAX_VARIANTS = 500
DEFAULT_GAP = 6
GAP = "…"
# Brackets and bars typed with a Chinese keyboard mean the same.
_KEYBOARD = str.maketrans("（）［］｜＜＞＊", "()[]|<>*")
_CLASS_ALONE = re.compile(r"<([^<>]+)>")


class Slot(NamedTuple):
    """The strings that may stand in one place; `adjacent` when nothing may stand between it and the slot before."""

    strings: tuple[str, ...]
    adjacent: bool = False


Variant = tuple[Slot, ...]
# A slot's strings, or GAP between slots.
_Token = tuple[str, ...] | str


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
    parts: list[list[list[_Token]]] = []
    for number, segment in enumerate(_Parser(flat, words, inside).segments()):
        if number:
            parts.append([[GAP]])
        parts.extend(_choices(chunk) for chunk in _chunks(segment))
    if prod(map(len, parts)) > MAX_VARIANTS:
        raise ValueError(f"说法“{flat}”展开太多，请减少括号，或拆成几条")
    return [_variant([token for tokens in chosen for token in tokens]) for chosen in product(*parts)]


def _variant(tokens: Sequence[_Token]) -> Variant:
    slots: list[Slot] = []
    gap = False
    for token in tokens:
        if isinstance(token, str):
            gap = True
        else:
            slots.append(Slot(token, adjacent=not gap and bool(slots)))
            gap = False
    return tuple(slots)


def _chunks(parts: Sequence[Sequence[str]]) -> list[list[str]]:
    """Neighbouring parts multiplied out as long as that stays small."""
    chunks: list[list[str]] = [[""]]
    for part in parts:
        if len(chunks[-1]) * len(part) > MAX_ALTERNATIVES:
            chunks.append([""])
        chunks[-1] = [head + tail for head in chunks[-1] for tail in part]
    return chunks


def _entries(name: str, text: str, words: Mapping[str, Sequence[str]], inside: tuple[str, ...]) -> Sequence[str]:
    if name not in words:
        raise UnknownClassError(name, text)
    if name in inside:
        raise ValueError(f"词类 <{name}> 绕回了自己：{' → '.join((*inside, name))}")
    return words[name]


def _flat(text: str) -> str:
    return text.translate(_KEYBOARD).replace("...", GAP).replace("*", GAP)


def _choices(strings: Sequence[str]) -> list[list[_Token]]:
    """What a chunk may be: one slot of plain strings, nothing, or a string that has gaps of its own."""
    plain = tuple(dict.fromkeys(string.strip() for string in strings if string.strip() and GAP not in string))
    found: list[list[_Token]] = [[plain]] if plain else []
    if any(not string.strip() for string in strings):
        found.append([])
    for string in strings:
        if GAP in string:
            pieces = [
                GAP if piece == GAP else (piece.strip(),) for piece in re.split(f"({GAP})", string) if piece.strip()
            ]
            found.append(list(pieces))
    return found


class _Parser:
    """Recursive descent over one wording; returns every string it stands for, gaps kept as `…`."""

    def __init__(self, text: str, words: Mapping[str, Sequence[str]], inside: tuple[str, ...]) -> None:
        self.text = text
        self.words = words
        self.inside = inside
        self.at = 0

    def segments(self) -> list[list[list[str]]]:
        """The parts of each stretch between two gaps; a part is the strings that may stand there."""
        found: list[list[list[str]]] = [[]]
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == "|":
                raise ValueError(f"说法“{self.text}”里的 | 要放在 ( ) 里，或拆成两条说法")
            if char in ")]>":
                raise ValueError(f"说法“{self.text}”第 {self.at + 1} 个字“{char}”前缺少左括号")
            if char == GAP:
                self.at += 1
                found.append([])
            else:
                found[-1].append(self.part(char))
        return found

    def alternatives(self, closing: str) -> list[str]:
        """Branches split by `|`, up to `closing` (not consumed) or the end."""
        branches = [self.sequence(closing)]
        while self.at < len(self.text) and self.text[self.at] == "|":
            self.at += 1
            branches.append(self.sequence(closing))
        return [string for branch in branches for string in branch]

    def sequence(self, closing: str) -> list[str]:
        strings = [""]
        while self.at < len(self.text) and self.text[self.at] not in f"|)]>{closing}":
            part = self.part(self.text[self.at])
            strings = self.limited([head + tail for head in strings for tail in part])
        return strings

    def limited(self, strings: list[str]) -> list[str]:
        if len(strings) > MAX_ALTERNATIVES:
            raise ValueError(f"说法“{self.text}”的一个括号展开超过 {MAX_ALTERNATIVES} 种，请拆成几条")
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
        stretches = [["".join(strings) for strings in product(*parts)] for parts in parser.segments()]
        return self.limited([GAP.join(strings) for strings in product(*stretches)])


class UnknownClassError(ValueError):
    """A wording names a word class that no file defines."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"说法“{text}”用到的词类 <{name}> 没有定义")
        self.name = name
