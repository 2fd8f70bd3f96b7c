"""How Chinese text sounds, as far as a telephone line and accents tell sounds apart."""

from __future__ import annotations

from functools import lru_cache

# Finals and initials that telephone lines and accents make alike.
_ALIKE = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ang", "an"), ("eng", "en"), ("ing", "in"))


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
