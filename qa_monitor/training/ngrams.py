"""Counting the model of service calls that puts misheard characters right (`qa_monitor.transcript.ngrams`).

Sequences of up to three characters in our own dialogues, smoothed as Witten and Bell do: a history gives a share of its
probability to the shorter one, by how many different characters followed it.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import numpy as np

from qa_monitor.transcript.ngrams import CHINESE, END, HISTORY, MOST_STEPS, START, STEPS, Ngrams, ids_of, packed

ORDER = HISTORY + 1
UNSEEN_CHARACTERS = 3000
_PAUSES = re.compile("[，、 ]")

Sequence = tuple[int, ...]  # of ids


def count(texts: Iterable[str]) -> Ngrams:
    """From what is said in calls, rightly written."""
    counts: list[Counter[Sequence]] = [Counter() for _ in range(ORDER + 1)]
    for part in (part for text in texts for part in CHINESE.findall(_PAUSES.sub("", text))):
        row = (*[START] * HISTORY, *ids_of(part).tolist(), END)
        for last in range(HISTORY, len(row)):
            for length in range(1, ORDER + 1):
                counts[length][row[last - length + 1 : last + 1]] += 1
    total: defaultdict[Sequence, int] = defaultdict(int)
    kinds: defaultdict[Sequence, int] = defaultdict(int)
    for length in range(1, ORDER + 1):
        for row, number in counts[length].items():
            total[row[:-1]] += number
            kinds[row[:-1]] += 1
    unseen = 1 / (len(counts[1]) + UNSEEN_CHARACTERS)
    shares: dict[Sequence, float] = {}
    for length in range(1, ORDER + 1):
        for row, number in counts[length].items():
            before = row[:-1]
            shorter = shares[row[1:]] if length > 1 else unseen
            shares[row] = (number + kinds[before] * shorter) / (total[before] + kinds[before])
    weights = {row: kinds[row] / (total[row] + kinds[row]) for row in total if row}
    return table(shares, weights, unknown=kinds[()] * unseen / (total[()] + kinds[()]))


def table(shares: Mapping[Sequence, float], weights: Mapping[Sequence, float], *, unknown: float) -> Ngrams:
    """A model of the probabilities of sequences' last characters and the weights of histories."""
    rows = {int(packed(np.array(row, dtype=np.int64))): row for row in {*shares, *weights}}
    keys = np.array(sorted(rows), dtype=np.int64)
    in_order = [rows[key] for key in keys.tolist()]
    return Ngrams(
        keys,
        _steps([shares.get(row, unknown) for row in in_order]),
        _steps([weights.get(row, 1.0) for row in in_order]),
        math.log(unknown),
    )


def _steps(shares: list[float]) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    return np.clip(np.round(np.log(shares) * -STEPS), 0, MOST_STEPS).astype(np.uint8)
