"""Telling voices apart on one channel: prints of every second of speech, in groups, and a vote for every word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qa_monitor.audio.sound import Sound
from qa_monitor.dialogue.voiceprint import FRAME_S, voice_prints
from qa_monitor.records import Span, Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

UNKNOWN = "unknown"
# Cosine between the centres of two groups of windows from which they are one voice. Halves of one voice differ by chance
# where there are few windows (0.6–0.85 at 40, 0.8–0.9 at 120, measured); two voices mostly lie below 0.6. A call has two
# sides far more often than one, so the limit lies near what one voice reaches.
SAME_VOICE = (0.62, 0.78)
SAME_VOICE_WINDOWS = (40, 120)
# For one voice more than there are sides: a loud or hoarse moment is no new person. The halves of one side of a call lie
# at 0.68–0.86, a side with two people at 0.3–0.5 (three in four of fourteen calls, measured).
SAME_VOICE_FURTHER = (0.4, 0.55)
LEAST_WINDOWS = 3
KEPT = 0.7  # of a group, the windows most its own make its centre: those at a change of voice hold both
LEAST_WORD_S = 0.3  # a shorter word is heard with its surroundings
SWITCH_COST = 0.3
SWITCH_COST_AT_MARK = 0.15
SWITCH_COST_AT_PAUSE = 0.05
PAUSE_S = 0.15
PHRASE_PAUSE_S = 0.5
UNSURE_MARGIN = 0.05  # a phrase that is hardly more the one voice than the other is nobody's
_MARKS = "。？！?!，,；;、"


def speakers(
    words: Sequence[Word], spans: Sequence[Span], sound: Sound, channel: int, most: int, expected: int = 2
) -> list[str]:
    """`spk0`, `spk1` … for each word, in order of first appearance; `unknown` where it could be either.

    words : in order of time; spans : voiced stretches of the channel; most : how many voices there may be; expected :
    how many a channel mostly has, more than which must differ clearly.
    """
    import numpy as np

    prints, times = voice_prints(sound, channel, spans)
    centres = voice_centres(prints, most, expected)
    if len(centres) < 2 or not words:
        return ["spk0"] * len(words)
    likeness = _likeness(words, prints @ centres.T, times)
    best = _smoothest(likeness, words)
    names: dict[int, str] = {}
    for voice in best.tolist():
        names.setdefault(voice, f"spk{len(names)}")
    found = [names[voice] for voice in best.tolist()]
    ordered = np.sort(likeness, axis=1)
    margins = np.where(likeness.argmax(axis=1) == best, ordered[:, -1] - ordered[:, -2], 0.0)
    for first, last in _phrases(words, found):
        if margins[first:last].mean() < UNSURE_MARGIN:
            found[first:last] = [UNKNOWN] * (last - first)
    return found


def voice_centres(prints: NDArray[np.float32], most: int, expected: int = 2) -> NDArray[np.float32]:
    """(voices, 192): one centre where the prints are of one voice. The same prints give the same centres."""
    import numpy as np

    groups = [np.arange(len(prints))]
    while len(groups) < most:
        splits = [(_apart(prints, group), index) for index, group in enumerate(groups)]
        limits = SAME_VOICE if len(groups) < expected else SAME_VOICE_FURTHER
        limit = np.interp(len(prints), SAME_VOICE_WINDOWS, limits)
        (nearness, parts), index = min(splits, key=lambda split: split[0][0])
        if nearness >= limit:
            break
        groups[index : index + 1] = parts
    return np.stack([_unit(prints[group].sum(axis=0)) for group in groups])


def _apart(prints: NDArray[np.float32], group: NDArray[np.int64]) -> tuple[float, list[NDArray[np.int64]]]:
    """How near the two most different halves of a group are, and the windows that are most each half's own."""
    import numpy as np

    if len(group) < 2 * LEAST_WINDOWS:
        return 1.0, [group]
    points = prints[group]
    _, _, directions = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    second = (points - points.mean(axis=0)) @ directions[0] > 0
    for _ in range(50):
        if min(second.sum(), (~second).sum()) < LEAST_WINDOWS:
            return 1.0, [group]
        leaning = points @ (_unit(points[second].sum(axis=0)) - _unit(points[~second].sum(axis=0)))
        if ((leaning > 0) == second).all():
            break
        second = leaning > 0
    halves = []
    for half in (~second, second):
        own = np.abs(leaning) >= np.quantile(np.abs(leaning[half]), 1 - KEPT)
        halves.append(group[half & own])
    centres = [_unit(prints[half].sum(axis=0)) for half in halves]
    return float(centres[0] @ centres[1]), halves


def _likeness(words: Sequence[Word], scores: NDArray[np.float32], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """(words, voices): how much a word sounds like each voice, −1..1, from the windows over it; 0 where none is."""
    import numpy as np

    frames = np.round(times / FRAME_S).astype(np.int64)
    size = int(max(frames[:, 1].max(), max(word.end_s for word in words) / FRAME_S)) + 2
    sums, weights = np.zeros((size, scores.shape[1])), np.zeros(size)
    for (start, end), score in zip(frames.tolist(), scores, strict=True):
        shape = np.hanning(end - start + 2)[1:-1] + 0.02  # a window tells most about its middle
        sums[start:end] += shape[:, None] * score
        weights[start:end] += shape
    sums, weights = np.cumsum(sums, axis=0), np.cumsum(weights)
    found = np.zeros((len(words), scores.shape[1]))
    for index, word in enumerate(words):
        spare = max(0.0, LEAST_WORD_S - (word.end_s - word.start_s)) / 2
        low, high = max(0, round((word.start_s - spare) / FRAME_S)), round((word.end_s + spare) / FRAME_S)
        weight = weights[min(high, size - 1)] - weights[low]
        if weight > 0:
            found[index] = (sums[min(high, size - 1)] - sums[low]) / weight
    return found


def _smoothest(likeness: NDArray[np.float64], words: Sequence[Word]) -> NDArray[np.int64]:
    """The voices of the words in a row (Viterbi): changing costs, less where a sentence ends or the voice pauses."""
    import numpy as np

    voices = likeness.shape[1]
    total = np.zeros(voices)
    came_from = np.zeros(likeness.shape, dtype=np.int64)
    for index, word in enumerate(words):
        if index:
            changed = total[None, :] - _switch_cost(words[index - 1], word) * (1 - np.eye(voices))
            came_from[index] = changed.argmax(axis=1)
            total = changed.max(axis=1)
        total = total + likeness[index] * max(0.1, min(0.6, word.end_s - word.start_s)) / 0.2
    path = [int(total.argmax())]
    for index in range(len(words) - 1, 0, -1):
        path.append(int(came_from[index][path[-1]]))
    return np.array(path[::-1])


def _switch_cost(before: Word, after: Word) -> float:
    if after.start_s - before.end_s >= PAUSE_S:
        return SWITCH_COST_AT_PAUSE
    return SWITCH_COST_AT_MARK if before.text.strip()[-1:] in tuple(_MARKS) else SWITCH_COST


def _phrases(words: Sequence[Word], found: Sequence[str]) -> list[tuple[int, int]]:
    """[first, last) of words of one voice without a long pause."""
    breaks = [
        index
        for index in range(1, len(words))
        if found[index] != found[index - 1] or words[index].start_s - words[index - 1].end_s >= PHRASE_PAUSE_S
    ]
    return list(zip([0, *breaks], [*breaks, len(words)], strict=True))


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    return np.asarray(vector / max(1e-9, float(np.linalg.norm(vector))), dtype=np.float32)
