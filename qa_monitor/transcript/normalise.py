"""From what the engine wrote to what is compared and shown: simplified characters, half width, with the way back."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Any

_PUNCTUATION = str.maketrans({",": "，", "?": "？", "!": "！", ";": "；", ":": "："})


def simplify(raw: str) -> tuple[str, tuple[int, ...]]:
    """(text, offsets): `offsets[i]` is the index in `raw` of the character that produced `text[i]`.

    Characters map one to one except where width folding expands one into several, which then share an offset.
    """
    folded: list[str] = []
    offsets: list[int] = []
    for index, character in enumerate(raw):
        for part in _fold(character):
            folded.append(part)
            offsets.append(index)
    joined = "".join(folded)
    simple = _converter().convert(joined)
    if len(simple) != len(joined):  # a phrase rule changed the length: character by character keeps the offsets true
        simple = "".join(converted if len(converted := _converter().convert(part)) == 1 else part for part in joined)
    return simple, tuple(offsets)


def _fold(character: str) -> str:
    if character.isspace():
        return " "
    if unicodedata.category(character).startswith("C"):
        return ""
    if "！" <= character <= "～" and unicodedata.normalize("NFKC", character).isalnum():
        return unicodedata.normalize("NFKC", character)
    return character.translate(_PUNCTUATION)


@cache
def _converter() -> Any:
    import opencc

    return opencc.OpenCC("t2s")
