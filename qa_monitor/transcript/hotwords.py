"""Word lists that supervisors edit: hot words for the engine, domain words for splitting and correcting text."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qa_monitor.errors import RuleFileError
from qa_monitor.records import Note
from qa_monitor.transcript.sound import sounds

if TYPE_CHECKING:
    from collections.abc import Callable

DOMAIN_WORDS_NAME = "domain_words.txt"
HOTWORDS_NAME = "hotwords.txt"


@dataclass(frozen=True, slots=True)
class HotWords:
    """Words that fit the engine's limit, in the file's order, and those that had to be left out."""

    words: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def prompt(self) -> str:
        return "、".join(self.words)

    def misheard_in(self, text: str) -> bool:
        """Whether a word of the list is in `text` (simplified) by its sound and not as it is written."""
        heard = sounds(text)
        return any(
            key == heard[start : start + len(key)] and text[start : start + len(word)] != word
            for word, key in zip(self.words, map(sounds, self.words), strict=True)
            if key
            for start in range(len(heard) - len(key) + 1)
        )

    def notes(self) -> tuple[Note, ...]:
        if not self.left_out:
            return ()
        names = "、".join(self.left_out[:10]) + ("…" if len(self.left_out) > 10 else "")
        return (
            Note("hotwords_cut", f"热词超出识别模型的容量，{len(self.left_out)} 个未启用：{names}", len(self.left_out)),
        )


def read_words(path: Path) -> tuple[str, ...]:
    """The words of a list, one a line; `#` begins a comment; doubles are dropped. A missing file is an empty list.

    Raises RuleFileError for a file that is not UTF-8.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return ()
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise RuleFileError("不是 UTF-8 编码", where=f"{path}:{line}", hint="请用记事本另存为 UTF-8 编码") from error
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return tuple(dict.fromkeys(line for line in lines if line))


def fit(words: tuple[str, ...], count_tokens: Callable[[str], int], limit: int) -> HotWords:
    """As many words as the engine can take, in order; a word too long is skipped and shorter ones after it are tried."""
    kept: list[str] = []
    left_out: list[str] = []
    for word in words:
        fits = count_tokens(HotWords((*kept, word)).prompt) <= limit
        (kept if fits else left_out).append(word)
    return HotWords(tuple(kept), tuple(left_out))


def list_hash(path: Path) -> str:
    """A hash of the words of a list: comments and blank lines do not change it."""
    return hashlib.sha256("\n".join(read_words(path)).encode()).hexdigest()[:16]
