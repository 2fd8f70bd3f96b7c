"""Texts made comparable, and how much two of them differ."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Any

_DIGITS = "零一二三四五六七八九"
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_YEAR = re.compile(r"\d{4}(?=年)")
_NOT_SPOKEN = re.compile(r"[\W_]+")


@cache
def _simplifier() -> Any:
    import opencc

    return opencc.OpenCC("t2s")


def comparable(text: str) -> str:
    """Simplified, lower case, numbers as they are read, without punctuation: what error rates are counted on."""
    import cn2an

    plain = unicodedata.normalize("NFKC", str(_simplifier().convert(text))).lower()
    plain = re.sub(r"(\d+(?:\.\d+)?)%", r"百分之\1", plain)
    plain = _YEAR.sub(lambda found: _spelt(found.group()), plain)

    def read(found: re.Match[str]) -> str:
        number = found.group()
        one_by_one = "." not in number and (len(number) >= 5 or (number.startswith("0") and len(number) > 1))
        return _spelt(number) if one_by_one else str(cn2an.an2cn(number))

    plain = _NUMBER.sub(read, plain)
    return _NOT_SPOKEN.sub("", plain.replace("幺", "一").replace("两", "二").replace("〇", "零"))


def _spelt(number: str) -> str:
    return "".join(_DIGITS[int(digit)] for digit in number)


def errors(reference: str, heard: str) -> tuple[int, int]:
    """(characters wrong, characters of the reference) of two comparable texts."""
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.distance(reference, heard), len(reference)
