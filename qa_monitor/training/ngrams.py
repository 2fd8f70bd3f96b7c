"""Counting the language model that puts misheard characters right (`qa_monitor.transcript.ngrams`).

calls: sequences of up to three characters in our own dialogues, smoothed as Witten and Bell do: a history gives a share
of its probability to the shorter one, by how many different characters followed it.
words: the same from the words of a dictionary with their frequencies; across the borders of words nothing is known, so
a history gives away the share of words that end with it.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import numpy as np

from qa_monitor.transcript.ngrams import (
    CHINESE,
    END,
    FIRST_CHARACTER,
    HISTORY,
    MOST_CHARACTERS,
    START,
    LanguageModel,
    Ngrams,
    packed,
)

ORDER = HISTORY + 1
LEAST_FREQUENCY = 200  # of a dictionary's character that is in no call
UNSEEN_CHARACTERS = 3000
DICTIONARY_CHARACTERS = 8000
DICTIONARY_DOUBT = 50  # added to the occurrences of a history that may be followed by anything
_PAUSES = re.compile("[，、 ]")


def build(texts: Iterable[str], frequencies: Mapping[str, int]) -> LanguageModel:
    """From what is said in calls, rightly written, and a dictionary's words with their frequencies."""
    parts = [part for text in texts for part in CHINESE.findall(_PAUSES.sub("", text))]
    words = {word: count for word, count in frequencies.items() if count and CHINESE.fullmatch(word)}
    singles: Counter[str] = Counter()
    for word, count in words.items():
        for character in word:
            singles[character] += count
    known = set("".join(parts)) | {character for character, count in singles.items() if count > LEAST_FREQUENCY}
    characters = "".join(sorted(known))
    if len(characters) > MOST_CHARACTERS:
        raise ValueError(f"{len(characters)} characters, {MOST_CHARACTERS} have room")
    ids = {character: number for number, character in enumerate(characters, FIRST_CHARACTER)}
    return LanguageModel(characters, _calls(parts, ids), _words(words, ids))


def _calls(parts: Iterable[str], ids: Mapping[str, int]) -> Ngrams:
    counts: list[Counter[tuple[int, ...]]] = [Counter() for _ in range(ORDER + 1)]
    for part in parts:
        row = (*[START] * HISTORY, *(ids[character] for character in part), END)
        for last in range(HISTORY, len(row)):
            for length in range(1, ORDER + 1):
                counts[length][row[last - length + 1 : last + 1]] += 1
    total: defaultdict[tuple[int, ...], int] = defaultdict(int)
    kinds: defaultdict[tuple[int, ...], int] = defaultdict(int)
    for length in range(1, ORDER + 1):
        for row, count in counts[length].items():
            total[row[:-1]] += count
            kinds[row[:-1]] += 1
    unseen = 1 / (len(counts[1]) + UNSEEN_CHARACTERS)
    shares: dict[tuple[int, ...], float] = {}
    for length in range(1, ORDER + 1):
        for row, count in counts[length].items():
            before = row[:-1]
            shorter = shares[row[1:]] if length > 1 else unseen
            shares[row] = (count + kinds[before] * shorter) / (total[before] + kinds[before])
    weights = {row: kinds[row] / (total[row] + kinds[row]) for row in total if row}
    return _table(shares, weights, unknown=kinds[()] * unseen / (total[()] + kinds[()]))


def _words(words: Mapping[str, int], ids: Mapping[str, int]) -> Ngrams:
    counts: list[Counter[tuple[int, ...]]] = [Counter() for _ in range(ORDER + 1)]
    total: defaultdict[tuple[int, ...], float] = defaultdict(float)
    ends: defaultdict[tuple[int, ...], float] = defaultdict(float)
    for word, count in words.items():
        row = tuple(ids.get(character, 0) for character in word)
        if not all(row):
            continue
        for last in range(len(row)):
            for length in range(1, min(ORDER, last + 1) + 1):
                part = row[last - length + 1 : last + 1]
                counts[length][part] += count
                total[part[:-1]] += count
        for length in range(1, min(HISTORY, len(row)) + 1):
            ends[row[-length:]] += count
    everything = total[()] + DICTIONARY_CHARACTERS
    shares: dict[tuple[int, ...], float] = {}
    for row, count in counts[1].items():
        shares[row] = (count + 1) / everything
    for length in range(2, ORDER + 1):
        for row, count in counts[length].items():
            before = row[:-1]
            room = total[before] + ends[before] + DICTIONARY_DOUBT
            shares[row] = (count + (ends[before] + DICTIONARY_DOUBT) * shares[row[1:]]) / room
    histories = {row for row in [*total, *ends] if row}
    weights = {row: (ends[row] + DICTIONARY_DOUBT) / (total[row] + ends[row] + DICTIONARY_DOUBT) for row in histories}
    return _table(shares, weights, unknown=1 / everything)


def _table(
    shares: Mapping[tuple[int, ...], float], weights: Mapping[tuple[int, ...], float], *, unknown: float
) -> Ngrams:
    rows = {int(packed(np.array(row, dtype=np.int64))): row for row in {*shares, *weights}}
    keys = np.array(sorted(rows), dtype=np.int64)
    in_order = [rows[key] for key in keys.tolist()]
    log_p = np.array([math.log(shares.get(row, unknown)) for row in in_order], np.float16)
    backoff = np.array([math.log(weights.get(row, 1.0)) for row in in_order], np.float16)
    return Ngrams(keys, log_p, backoff, math.log(unknown))
