"""Chinese text to words: jieba with the domain's list, the same cut every time."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from qa_monitor.settings import resource_dir
from qa_monitor.shared import shared
from qa_monitor.transcript.hotwords import DOMAIN_WORDS_NAME, HOTWORDS_NAME, read_words


@dataclass(frozen=True, slots=True)
class Token:
    """A word and where it stands: characters [start, end) of the text."""

    text: str
    start: int
    end: int


def cut(text: str) -> list[Token]:
    """The words of `text`, in order, covering all of it."""
    return [Token(word, start, end) for word, start, end in _jieba().tokenize(text)] if text else []


@shared
def _jieba() -> Any:
    import jieba

    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    for name in (DOMAIN_WORDS_NAME, HOTWORDS_NAME):
        for word in read_words(resource_dir("rules") / name):
            tokenizer.add_word(word)
    return tokenizer
