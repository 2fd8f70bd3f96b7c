"""Simulated recognition errors: characters replaced by others of the same or a near sound, by any other, or lost."""

from __future__ import annotations

import random
from functools import lru_cache

from qa_monitor.transcript.sound import alike

SAME_SOUND, ANY_OTHER = 0.6, 0.25  # the rest of the spoiled characters are lost


@lru_cache(maxsize=1)
def confusable() -> dict[str, str]:
    """The common characters (GB 2312), each with those that sound like it, itself among them."""
    from pypinyin import Style, pinyin

    by_sound: dict[str, list[str]] = {}
    for code in range(0x4E00, 0x9FA6):
        character = chr(code)
        try:
            character.encode("gb2312")
        except UnicodeEncodeError:
            continue
        by_sound.setdefault(alike(pinyin(character, style=Style.NORMAL)[0][0]), []).append(character)
    return {character: "".join(group) for group in by_sound.values() for character in group}


def spoil(text: str, rate: float, chance: random.Random) -> str:
    """`text` with a share `rate` of its Chinese characters spoiled."""
    sounding = confusable()
    everything = _characters()
    out = []
    for character in text:
        if character in sounding and chance.random() < rate:
            kind = chance.random()
            if kind < SAME_SOUND:
                out.append(chance.choice(sounding[character]))
            elif kind < SAME_SOUND + ANY_OTHER:
                out.append(chance.choice(everything))
        else:
            out.append(character)
    return "".join(out)


@lru_cache(maxsize=1)
def _characters() -> str:
    return "".join(confusable())
