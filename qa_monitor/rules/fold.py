"""Characters as matching sees them: two tables from code point to code point, and one to syllables.

`shown` keeps the text readable and as long as before (simplified, lower case, half width but for ，？！；): patterns and
numbers read it. `key` also drops punctuation and spaces (0) and treats 您/你 and 她/它/他 as one: phrases read it. `syllable` and
`loose` number the toneless pinyin of a character, exactly and with the usual confusions of Mandarin telephone speech
taken together (z/zh c/ch s/sh n/l f/h an/ang en/eng in/ing); `initial` and `final` number its halves.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from importlib.util import find_spec
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Codes = NDArray[np.uint32]

_BMP = 0x10000
_SAME = {"您": "你", "妳": "你", "她": "他", "它": "他", "牠": "他"}
# Recognisers write either; the marks that end a clause are shown full width, everything else half width.
_PUNCTUATION = {",": "，", "?": "？", "!": "！", ";": "；"}
# Syllable numbers start above this, so that 0 stays "no character" and 1 the border between turns.
BORDER = 1
_FIRST_SYLLABLE = 16


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """Lookup tables over the basic plane. `names[i]` is the pinyin of syllable number `i` (for messages)."""

    shown: Codes
    key: Codes
    syllable: Codes
    loose: Codes
    initial: Codes
    final: Codes
    names: tuple[str, ...]


@lru_cache(maxsize=1)
def tables() -> Tables:
    shown = _shown_table()
    readings = _readings()
    key = _key_table(shown, readings)
    exact = sorted(set(readings.values()))
    number = {name: _FIRST_SYLLABLE + i for i, name in enumerate(exact)}
    loose_names = sorted({loosen(name) for name in exact})
    loose_number = {name: _FIRST_SYLLABLE + i for i, name in enumerate(loose_names)}
    # Characters without a reading (letters, digits, rare ones) keep themselves as their sound.
    syllable = np.arange(_BMP, dtype=np.uint32) + len(exact) + _FIRST_SYLLABLE
    loose = syllable.copy()
    initial, final = loose.copy(), loose.copy()
    parts = sorted({part(name) for name in exact for part in (initial_of, final_of)})
    part_number = {name: _FIRST_SYLLABLE + i for i, name in enumerate(parts)}
    for code, name in readings.items():
        syllable[code] = number[name]
        loose[code] = loose_number[loosen(name)]
        # A bare vowel shares no initial with anything.
        initial[code] = part_number[initial_of(name)] if initial_of(name) else loose[code] + _BMP
        final[code] = part_number[final_of(name)]
    for table in (syllable, loose, initial, final):
        table[0], table[BORDER] = 0, BORDER
    return Tables(shown, key, syllable, loose, initial, final, ("",) * _FIRST_SYLLABLE + tuple(exact))


def _shown_table() -> Codes:
    table = np.arange(_BMP, dtype=np.uint32)
    for code in range(_BMP):
        if 0xD800 <= code < 0xE000:
            continue
        char = chr(code)
        plain = unicodedata.normalize("NFKC", char) if 0xFF00 <= code < 0xFFF0 or code == 0x3000 else char
        lower = plain.lower() if len(plain) == 1 else char
        table[code] = ord(_PUNCTUATION.get(lower, lower)) if len(lower) == 1 else code
    for traditional, simplified in _simplified():
        table[ord(traditional)] = ord(simplified)
    table[ord("\n")] = table[ord("\r")] = ord(" ")
    return table


def _simplified() -> list[tuple[str, str]]:
    """Traditional characters and what they become; characters that are also simplified ones map to themselves."""
    text = files("opencc").joinpath("dictionary/TSCharacters.txt").read_text(encoding="utf-8")
    rows = (row.split() for row in text.splitlines() if row and not row.startswith("#"))
    pairs = [(row[0], row[1]) for row in rows if len(row) > 1]
    return [(a, b) for a, b in pairs if len(a) == len(b) == 1 and ord(a) < _BMP and ord(b) < _BMP]


def _key_table(shown: Codes, readings: dict[int, str]) -> Codes:
    table = shown.copy()
    for code in range(_BMP):
        folded = int(table[code])
        if not (0xD800 <= folded < 0xE000) and not chr(folded).isalnum():
            table[code] = 0
    for one, other in _SAME.items():
        table[ord(one)] = ord(other)
    # 您 is the only word of its sound: whatever else is written for it was meant as 您.
    for code, reading in readings.items():
        if reading == "nin":
            table[code] = ord("你")
    table[BORDER] = BORDER
    return table


def _readings() -> dict[int, str]:
    """Code point → the most common reading of the character, without its tone."""
    found: dict[int, str] = {}
    for code, readings in _characters_read():
        if code < _BMP:
            plain = _toneless(readings.split(",")[0])
            if plain.isascii() and plain.isalpha():
                found[code] = plain
    for char, reading in (("得", "de"), ("喂", "wei"), ("呐", "na"), ("地", "di")):
        found[ord(char)] = reading
    return found


def _characters_read() -> Iterator[tuple[int, str]]:
    """Code points and their readings by pypinyin's table; importing it would load its dictionary of phrases as well:
    50 MB, and 200,000 objects for the garbage collector to walk through."""
    package = find_spec("pypinyin")
    assert package is not None
    assert package.origin is not None
    table = json.loads(Path(package.origin).with_name("pinyin_dict.json").read_text(encoding="utf-8"))
    for code, readings in table.items():
        yield int(code), readings


@lru_cache(maxsize=4096)
def _toneless(reading: str) -> str:
    split = unicodedata.normalize("NFD", reading)
    return "".join(c for c in split.replace("u\u0308", "v") if not unicodedata.combining(c))


@lru_cache(maxsize=1024)
def loosen(syllable: str) -> str:
    """The syllable with easily confused initials and finals taken together."""
    for long, short in (("zh", "z"), ("ch", "c"), ("sh", "s")):
        if syllable.startswith(long):
            syllable = short + syllable[2:]
    if syllable.startswith("n"):
        syllable = "l" + syllable[1:]
    elif syllable.startswith("f"):
        syllable = "h" + syllable[1:]
    return syllable[:-1] if syllable.endswith(("ang", "eng", "ing")) else syllable


@lru_cache(maxsize=1024)
def initial_of(syllable: str) -> str:
    """The loose initial consonant, empty for a bare vowel."""
    loose = loosen(syllable)
    vowel = next((i for i, letter in enumerate(loose) if letter in "aeiouv"), len(loose))
    return loose[:vowel]


def final_of(syllable: str) -> str:
    loose = loosen(syllable)
    return loose[len(initial_of(syllable)) :]


def codes_of(text: str) -> Codes:
    """Code points of `text`; lone surrogates are kept as they are."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def text_of(codes: Codes) -> str:
    return codes.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")


def look_up(table: Codes, codes: Codes) -> Codes:
    """`table[codes]`; characters beyond the basic plane stand for themselves."""
    if codes.size == 0 or int(codes.max()) < _BMP:
        found: Codes = table[codes]
        return found
    return np.where(codes < _BMP, table[np.minimum(codes, _BMP - 1)], codes).astype(np.uint32)


def shown_text(text: str) -> str:
    """`text` simplified, half width and lower case, character for character."""
    return text_of(look_up(tables().shown, codes_of(text)))


def key_text(text: str) -> str:
    """`text` as phrases are compared: folded, without punctuation and spaces."""
    keys = look_up(tables().key, codes_of(text))
    return text_of(keys[keys > 0])


def loose_sounds(texts: Sequence[str]) -> list[str]:
    """The loose syllables of key texts, each as a string as long as the text; looked up for all at once."""
    joined = text_of(look_up(tables().loose, codes_of("".join(texts))))
    ends = accumulate(map(len, texts))
    return [joined[end - len(text) : end] for text, end in zip(texts, ends, strict=True)]


def sounds(keys: str) -> tuple[Codes, Codes]:
    """Exact and loose syllable numbers of a key text."""
    codes = codes_of(keys)
    return look_up(tables().syllable, codes), look_up(tables().loose, codes)
