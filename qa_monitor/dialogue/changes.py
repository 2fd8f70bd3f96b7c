"""Where one voice on a channel gives way to another: the pause between them, found in the sound.

Words are aligned to within a few tenths of a second; after another voice the first word is mostly aligned too late or
too early. The quietest stretch between the middles of the two words says where it begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from qa_monitor.audio.sound import Sound
from qa_monitor.records import Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RATE = 16_000
FRAME_S = 0.01
LEAST_PAUSE_S = 0.05
LONGEST_S = 3.0  # further apart the words are not next to each other in speech
QUIET_SHARE = 0.3  # of the way from the quietest to the loudest frame, in dB
LEAST_RANGE_DB = 10.0  # with less between them there is no telling pause from voice
LEAST_WORD_S = 0.02


def retimed(words: Sequence[Word], speakers: Sequence[str], sound: Sound, channel: int) -> list[Word]:
    """The words, in order of time, with those on both sides of a change of voice ended and begun where the pause is."""
    found = list(words)
    for index in range(1, len(found)):
        before, after = found[index - 1], found[index]
        low_s, high_s = (before.start_s + before.end_s) / 2, (after.start_s + after.end_s) / 2
        if speakers[index] == speakers[index - 1] or not 2 * LEAST_PAUSE_S < high_s - low_s < LONGEST_S:
            continue
        pause = _pause(sound.read(channel, low_s, high_s))
        if pause is None:
            continue
        end_s, start_s = low_s + pause[0] * FRAME_S, low_s + pause[1] * FRAME_S
        found[index - 1] = replace(before, end_s=round(max(end_s, before.start_s + LEAST_WORD_S), 3))
        found[index] = replace(after, start_s=round(min(start_s, after.end_s - LEAST_WORD_S), 3))
    return found


def _pause(samples: NDArray[np.float32]) -> tuple[int, int] | None:
    """[first, last) frame of the longest quiet stretch; None where nothing is clearly quieter."""
    import numpy as np

    size = round(FRAME_S * RATE)
    frames = samples[: len(samples) // size * size].reshape(-1, size).astype(np.float64)
    if not len(frames):
        return None
    levels = 10 * np.log10((frames**2).mean(axis=1) + 1e-10)
    lowest, loudest = float(levels.min()), float(levels.max())
    if loudest - lowest < LEAST_RANGE_DB:
        return None
    quiet = levels <= lowest + QUIET_SHARE * (loudest - lowest)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(np.int8)))
    stretches = list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
    first, last = max(stretches, key=lambda stretch: stretch[1] - stretch[0])
    return (first, last) if (last - first) * FRAME_S >= LEAST_PAUSE_S else None
