"""How Chinese text sounds, as far as a telephone line and accents tell sounds apart."""

from __future__ import annotations

import re
from functools import lru_cache

# Finals and initials that telephone lines and accents make alike.
_ALIKE = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ang", "an"), ("eng", "en"), ("ing", "in"))
# Initials of one row are made in the same way or in the same place; "" begins with a vowel.
_MADE_ALIKE = (
    ("b", "d", "g", "z", "zh", "j"),
    ("p", "t", "k", "c", "ch", "q"),
    ("f", "s", "sh", "x", "h"),
    ("m", "n", "l", "r", ""),
    ("b", "p", "m", "f"),
    ("d", "t", "n", "l"),
    ("g", "k", "h"),
    ("z", "zh", "j", "c", "ch", "q", "s", "sh", "x", "r"),
)
# Finals by medial, vowel and end where they are not written so.
_SPELT = {"in": "ien", "vn": "ven", "ong": "uen", "iong": "ven", "o": "ue", "uo": "ue", "ou": "eo", "iou": "ieo"}
_FINAL = re.compile("([iuv]?)([ae]?)([iounr]?)")


@lru_cache(maxsize=20_000)
def sounds(text: str) -> tuple[str, ...]:
    """Toneless syllables with easily confused sounds made one; empty for what is not Chinese."""
    return tuple(alike(syllable) for syllable in syllables(text))


def syllables(text: str) -> list[str]:
    """Toneless syllables, told by the words they stand in; none for what is not Chinese."""
    from pypinyin import Style, lazy_pinyin

    return list(lazy_pinyin(text, style=Style.NORMAL, errors="ignore"))


def readings(character: str) -> list[str]:
    """All toneless syllables that a character can be."""
    from pypinyin import Style, pinyin

    return list(dict.fromkeys(pinyin(character, style=Style.NORMAL, heteronym=True)[0]))


def alike(syllable: str) -> str:
    """The syllable with easily confused sounds made one."""
    for long, short in _ALIKE:
        if syllable.startswith(long) and len(long) == 2 and long[1] == "h":
            syllable = short + syllable[2:]
        elif syllable.endswith(long):
            syllable = syllable[: -len(long)] + short
    return syllable


def near(one: str, other: str) -> bool:
    """Whether two different syllables differ in one trait at most: how or where the initial is made, the medial, the
    vowel or the end of the final."""
    initial, *final = _traits(one)
    other_initial, *other_final = _traits(other)
    differ = sum(trait != other_trait for trait, other_trait in zip(final, other_final, strict=True))
    if initial == other_initial:
        return differ <= 1
    return differ == 0 and any(initial in row and other_initial in row for row in _MADE_ALIKE)


@lru_cache(maxsize=1000)
def _traits(syllable: str) -> tuple[str, str, str, str]:
    """Initial, medial, vowel and end; empty what a syllable has not."""
    from pypinyin.contrib.tone_convert import to_finals, to_initials

    final = to_finals(syllable, strict=True, v_to_u=False)
    found = _FINAL.fullmatch(_SPELT.get(final, final))
    if not final or found is None:  # an interjection, as hng: like no other
        return syllable, "", "", ""
    medial, vowel, end = found.groups()
    return to_initials(syllable, strict=True), medial, vowel, end
