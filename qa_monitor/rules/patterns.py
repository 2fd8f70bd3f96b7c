"""RE2: patterns that cannot run away, compiled once, searched over many turns at once.

Turns are joined with newlines and `never_nl` keeps a match inside its turn, so one search covers the whole dialogue.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import re2

_MAX_MEMORY_BYTES = 8_000_000
_LOOKAROUND = ("(?=", "(?!", "(?<=", "(?<!")


class PatternError(ValueError):
    """A pattern that RE2 refuses, with what to write instead."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


@lru_cache(maxsize=4096)
def compile_pattern(pattern: str) -> Any:
    """An RE2 object over UTF-8 bytes. Raises PatternError; a pattern that matches nothing-at-all is refused too."""
    options = re2.Options()
    options.never_nl = True
    options.never_capture = True  # nobody asks for groups, and RE2 finds a match without them by its quickest machine
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = _MAX_MEMORY_BYTES
    try:
        found = re2.compile(f"(?m:{pattern})", options)
    except re2.error as error:
        raise PatternError(*_reason(pattern, str(error.args[0]))) from error
    except UnicodeEncodeError as error:
        raise PatternError("有无效的字符") from error
    if found.search(b"") is not None:
        raise PatternError("能匹配空文字，会命中每一轮", "去掉多余的 ? 或 *，至少要求一个字")
    return found


def _reason(pattern: str, message: str) -> tuple[str, str]:
    message = message.removeprefix("b'").removesuffix("'")
    if any(mark in pattern for mark in _LOOKAROUND):
        return "用了前后断言 (?= (?! (?<= (?<!", "改用 except_pattern 或 unless 写例外"
    if "repetition size" in message:
        return f"重复次数太大（{message}）", "次数不超过 1000，也不要层层相乘"
    if "too large" in message:
        return "编译后太大", "减少重复次数，或拆成几条"
    if "escape" in message:
        return f"转义不支持（{message}）", "RE2 不支持反向引用；汉字旁边不要用 \\b"
    return f"语法错误（{message}）", "检查括号和转义是否配对"


def find_spans(pattern: str, data: bytes, low: int, high: int) -> Iterator[tuple[int, int]]:
    """Byte spans of the non-empty matches of `pattern` in [low, high) of UTF-8 `data`, left to right.

    `^` and `$` are those of the lines of `data`, wherever `low` and `high` are.
    """
    for match in compile_pattern(pattern).finditer(data, low, high):
        start, end = match.span()
        if end > start:
            yield start, end
