"""Text as people read it: simplified characters and one width, with a map back to what the engine wrote."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from qa_monitor.shared import shared


@dataclass(frozen=True, slots=True)
class Normalised:
    """`text` and, for each of its characters, the index in the raw text of the character it came from."""

    text: str
    offsets: tuple[int, ...]


# 著 is both; the converter leaves it, and the recogniser writes it for 着 (随著, 接著) whenever it is no part of these.
_REALLY_ZHU = re.compile("著[名作称述录者]|[显名原专编论译土昭卓巨遗合]著")
_HALF_TO_FULL = str.maketrans(",?!:;", "，？！：；")


@shared
def _converter() -> Any:
    import opencc

    return opencc.OpenCC("t2s")


def normalise(raw: str) -> Normalised:
    """Simplified characters, half-width letters and digits, full-width Chinese punctuation, no stray spaces."""
    simple = _simplified(raw)
    text: list[str] = []
    offsets: list[int] = []
    for i, char in enumerate(simple):
        if char.isspace():
            if _between_latin(simple, i):
                text.append(" ")
                offsets.append(i)
            continue
        for piece in _width(char, simple, i):
            text.append(piece)
            offsets.append(i)
    return Normalised("".join(text), tuple(offsets))


def _simplified(raw: str) -> str:
    """Simplified text of the same length: phrase conversion where it keeps the length, else character by character."""
    whole = str(_converter().convert(raw))
    if len(whole) != len(raw):
        converted = ((char, str(_converter().convert(char))) for char in raw)
        whole = "".join(one if len(one) == 1 else char for char, one in converted)
    kept = {i for found in _REALLY_ZHU.finditer(whole) for i in range(*found.span())}
    return "".join("着" if char == "著" and i not in kept else char for i, char in enumerate(whole))


def _width(char: str, text: str, i: int) -> str:
    if "\uff10" <= char <= "\uff19" or "\uff21" <= char <= "\uff3a" or "\uff41" <= char <= "\uff5a" or char == "％":
        return unicodedata.normalize("NFKC", char)
    if char in ",?!:;" and not _inside_number(text, i):
        return char.translate(_HALF_TO_FULL)
    return char


def _inside_number(text: str, i: int) -> bool:
    return 0 < i < len(text) - 1 and text[i - 1].isdigit() and text[i + 1].isdigit()


def _between_latin(text: str, i: int) -> bool:
    return 0 < i < len(text) - 1 and _latin(text[i - 1]) and _latin(text[i + 1])


def _latin(char: str) -> bool:
    return char.isascii() and char.isalnum()
