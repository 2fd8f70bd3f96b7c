"""A model of characters out of a model of words: what Chinese in general is like (`qa_monitor.transcript.ngrams`).

The words come as an ARPA file of up to three words with their logarithms to the base of ten. How often a sequence of
characters stands in text of that model is added up over the words and the pairs and triples of words it may be part
of; a history's share that is in none of them goes to the shorter history. What then tells next to nothing that the
shorter history does not is left out (Stolcke 1998, "Entropy-based pruning of backoff language models").
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qa_monitor.training.ngrams import ORDER, table
from qa_monitor.transcript.ngrams import CHINESE, Ngrams, ids_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_GAIN = 1e-7  # nats a word of text that a sequence must save
UNSEEN = 1e-7  # the probability of a character that no word holds
DOUBT = 1e-7  # how often a history is held to be followed by something else at least
LEAST_LEFT = 1e-4  # of a history's probability to the shorter one
ROUNDS = 30  # until how often words stand in text no longer changes

_LENGTHS = {f"\\{length}-grams:": length for length in range(1, ORDER + 1)}

Masses = dict[str, float]  # how often sequences of characters stand in text, for each of its words


@dataclass(frozen=True, slots=True)
class WordModel:
    """Words with the probability and the back-off weight of each; pairs (n, 2) and triples (n, 3) of their places with
    the probability of the last word after the others."""

    words: list[str]
    p: NDArray[np.float64]
    backoff: NDArray[np.float64]
    pairs: NDArray[np.int64]
    pairs_p: NDArray[np.float64]
    triples: NDArray[np.int64]
    triples_p: NDArray[np.float64]


def read_arpa(lines: Iterable[str]) -> WordModel:
    """Raises ValueError, naming the line, for what is no ARPA file of up to three words."""
    places: dict[str, int] = {}
    rows: dict[int, list[tuple[int, ...]]] = {length: [] for length in range(1, ORDER + 1)}
    logs: dict[int, list[tuple[float, float]]] = {length: [] for length in rows}
    length = 0
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\n")
        if text.startswith("\\"):
            length = _LENGTHS.get(text, 0)
            if not length and text.endswith("-grams:"):
                raise ValueError(f"line {number}: {text!r}")
        elif text and length:
            try:
                log_p, words, *backoff = text.split("\t")
                if length == 1:
                    places[words] = len(places)
                rows[length].append(tuple(places[word] for word in words.split(" ")))
                logs[length].append((float(log_p), float(backoff[0]) if backoff else 0.0))
            except (KeyError, ValueError) as error:
                raise ValueError(f"line {number}: {text!r}") from error
    if not all(rows.values()):
        raise ValueError("no words, no pairs or no triples of words in the file")
    shares = {length: 10 ** np.array(found) for length, found in logs.items()}
    return WordModel(
        list(places),
        shares[1][:, 0],
        shares[1][:, 1],
        np.array(rows[2]),
        shares[2][:, 0],
        np.array(rows[3]),
        shares[3][:, 0],
    )


def characters(model: WordModel) -> Ngrams:
    """The model of characters that the model of words implies."""
    often = _often(model)
    masses = _masses(model, often)
    everything = sum(masses[1].values())
    shares = {one: max(UNSEEN, mass / everything) for one, mass in masses[1].items()}
    weights: Masses = {}
    histories = {1: masses[1], 2: _with_chance_pairs(model, often, masses[2])}
    for length in range(2, ORDER + 1):
        followed: defaultdict[str, float] = defaultdict(float)
        for sequence, mass in masses[length].items():
            followed[sequence[:-1]] += mass
        kept: Masses = {}
        for sequence, mass in masses[length].items():
            history = sequence[:-1]
            of_history = max(histories[length - 1][history], followed[history]) + DOUBT
            shorter = (1 - followed[history] / of_history) * _share(sequence[1:], shares, weights)
            share = mass / of_history + shorter
            if mass * math.log(share / shorter) > LEAST_GAIN:
                kept[sequence] = share
        weights |= _weights(kept, shares, weights)
        shares |= kept
    return table(
        {tuple(ids_of(sequence).tolist()): share for sequence, share in shares.items()},
        {tuple(ids_of(history).tolist()): weight for history, weight in weights.items()},
        unknown=UNSEEN,
    )


def _often(model: WordModel) -> NDArray[np.float64]:
    """(n,) how often each word stands in text: what it is after the words that stand before it."""
    first, second = model.pairs.T
    more = model.pairs_p - model.backoff[first] * model.p[second]  # than without the pair
    often = model.p / model.p.sum()
    for _ in range(ROUNDS):
        after_pairs = np.bincount(second, often[first] * more, len(often))
        often = np.maximum(0.0, after_pairs + (often @ model.backoff) * model.p)
        often /= often.sum()
    return often


def _masses(model: WordModel, often: NDArray[np.float64]) -> dict[int, Masses]:
    """By length, how often sequences of characters stand in words, and across the words of pairs and triples."""
    masses: dict[int, Masses] = {length: defaultdict(float) for length in range(1, ORDER + 1)}
    words = _chinese(model)
    for word, mass in zip(words, often.tolist(), strict=True):
        for length in range(1, ORDER + 1):
            for start in range(len(word) - length + 1):
                masses[length][word[start : start + length]] += mass
    of_pairs: dict[tuple[int, int], float] = {}
    pairs_often = (often[model.pairs[:, 0]] * model.pairs_p).tolist()
    for (first, last), mass in zip(model.pairs.tolist(), pairs_often, strict=True):
        of_pairs[first, last] = mass
        before, after = words[first], words[last]
        for length in range(2, ORDER + 1):
            for taken in range(1, length):
                if len(before) >= taken and len(after) >= length - taken:
                    masses[length][before[-taken:] + after[: length - taken]] += mass
    for (first, middle, last), p in zip(model.triples.tolist(), model.triples_p.tolist(), strict=True):
        if words[first] and words[last] and len(words[middle]) == 1:
            masses[3][words[first][-1] + words[middle] + words[last][0]] += of_pairs.get((first, middle), 0.0) * p
    return masses


def _with_chance_pairs(model: WordModel, often: NDArray[np.float64], pairs: Masses) -> Masses:
    """How often pairs of characters stand in text, those across words counted that no pair of words tells of."""
    ends: Masses = defaultdict(float)
    begins: Masses = defaultdict(float)
    unpaired = (often * model.backoff).tolist()
    for word, end, begin in zip(_chinese(model), unpaired, model.p.tolist(), strict=True):
        if word:
            ends[word[-1]] += end
            begins[word[0]] += begin
    return {pair: mass + ends.get(pair[0], 0.0) * begins.get(pair[1], 0.0) for pair, mass in pairs.items()}


def _chinese(model: WordModel) -> list[str]:
    """The words, empty for what is not all Chinese."""
    return [word if CHINESE.fullmatch(word) else "" for word in model.words]


def _share(sequence: str, shares: Masses, weights: Masses) -> float:
    """The probability of the last character after the others."""
    weight = 1.0
    while sequence not in shares:
        weight *= weights.get(sequence[:-1], 1.0)
        sequence = sequence[1:]
    return weight * shares[sequence]


def _weights(kept: Masses, shares: Masses, weights: Masses) -> Masses:
    """What histories leave to the shorter ones, so that all of a history's probabilities are one."""
    left: Masses = defaultdict(lambda: 1.0)
    shorter: Masses = defaultdict(lambda: 1.0)
    for sequence, share in kept.items():
        left[sequence[:-1]] -= share
        shorter[sequence[:-1]] -= _share(sequence[1:], shares, weights)
    return {history: max(LEAST_LEFT, left[history]) / max(LEAST_LEFT, shorter[history]) for history in left}
