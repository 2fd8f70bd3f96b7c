"""The small language of wordings: `请[您]稍(等|候)`, `感谢…来电`, `<歉意>…不便`.

A wording expands into variants; a variant is a sequence of literal pieces with bounded gaps between them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MAX_WORDING_CHARS = 80
MAX_VARIANTS = 2000
DEFAULT_GAP = 6
GAP = "…"
# Brackets and bars typed with a Chinese keyboard mean the same.
_KEYBOARD = str.maketrans("（）［］｜＜＞＊", "()[]|<>*")

Pieces = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wording:
    """One wording as typed and its variants: each a tuple of literals, with a gap between neighbours."""

    text: str
    variants: tuple[Pieces, ...]


def parse_wording(text: str, words: Mapping[str, Sequence[str]]) -> Wording:
    """Expand `text`, looking word classes up in `words`. Raises ValueError (Chinese) saying what is wrong."""
    if len(text) > MAX_WORDING_CHARS:
        raise ValueError(f"说法有 {len(text)} 个字，超过 {MAX_WORDING_CHARS} 个，请拆短")
    strings = _Parser(_flat(text), words, ()).whole()
    variants = tuple(dict.fromkeys(_pieces(string, text) for string in strings))
    return Wording(text, variants)


def _flat(text: str) -> str:
    return text.translate(_KEYBOARD).replace("...", GAP).replace("*", GAP)


def _pieces(string: str, text: str) -> Pieces:
    pieces = tuple(piece for piece in (part.strip() for part in string.split(GAP)) if piece)
    if not pieces:
        raise ValueError(f"说法“{text}”有一种写法是空的，会匹配任何话")
    return pieces


class _Parser:
    """Recursive descent over one wording; returns every string it stands for, gaps kept as `…`."""

    def __init__(self, text: str, words: Mapping[str, Sequence[str]], inside: tuple[str, ...]) -> None:
        self.text = text
        self.words = words
        self.inside = inside
        self.at = 0

    def whole(self) -> list[str]:
        found = self.alternatives("")
        if self.at < len(self.text):
            raise ValueError(f"说法“{self.text}”第 {self.at + 1} 个字“{self.text[self.at]}”前缺少左括号")
        return found

    def alternatives(self, closing: str) -> list[str]:
        """Branches split by `|`, up to one of `closing` (not consumed) or the end."""
        branches = [self.sequence(closing)]
        while self.at < len(self.text) and self.text[self.at] == "|":
            if not closing:
                raise ValueError(f"说法“{self.text}”里的 | 要放在 ( ) 里，或拆成两条说法")
            self.at += 1
            branches.append(self.sequence(closing))
        return [string for branch in branches for string in branch]

    def sequence(self, closing: str) -> list[str]:
        strings = [""]
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == "|" or char in closing or char in ")]>":
                break
            part = self.part(char)
            strings = [head + tail for head in strings for tail in part]
            if len(strings) > MAX_VARIANTS:
                raise ValueError(f"说法“{self.text}”展开超过 {MAX_VARIANTS} 种，请减少括号或拆成几条")
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
        if name not in self.words:
            raise UnknownClassError(name, self.text)
        if name in self.inside:
            raise ValueError(f"词类 <{name}> 绕回了自己：{' → '.join((*self.inside, name))}")
        return [s for entry in self.words[name] for s in self.entry(entry, name)]

    def entry(self, entry: str, name: str) -> list[str]:
        return _Parser(_flat(entry), self.words, (*self.inside, name)).whole()


class UnknownClassError(ValueError):
    """A wording names a word class that no file defines."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"说法“{text}”用到的词类 <{name}> 没有定义")
        self.name = name
