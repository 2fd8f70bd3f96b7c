"""Misheard characters put right by their sound and by what is said around them: 减修 → 检修, 送电灯您 → 送电的您.

Every character may stand for another that sounds alike. Of all readings the one is kept that is likeliest: the
engine's doubt about a character against what service calls, or the language's dictionary, make of it. How much of
either a call is, is told by the call itself, so a call about something else is not bent to the words of ours.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from qa_monitor.records import Note, Utterance
from qa_monitor.settings import resource_dir
from qa_monitor.shared import shared
from qa_monitor.transcript.correct import character_probabilities
from qa_monitor.transcript.ngrams import CHINESE, END, FIRST_CHARACTER, HISTORY, START, UNKNOWN, LanguageModel
from qa_monitor.transcript.sound import alike, readings, syllables

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Costs are natural logarithms. Measured on calls that no model and no figure was made from: docs/speech.md.
CHANGE = 2.6  # of a character that the engine holds for as likely as not
ELSEWHERE = 3.0  # more, times the dictionary's share: it knows words and not how they follow each other
LEAST_CHANGE = 0.5
NOT_THE_SAME = 0.7  # more for a sound that is only alike, as zh and z
SURE = 0.98  # what the engine is surer of stands
LEAST_SURE = 0.01  # of any character, however much the engine doubts it
END_COUNTS = 0.5
USUAL = -5.0  # of a character
READINGS = 12  # kept at every character
FIRST_SHARE, LEAST_SHARE, MOST_SHARE = 0.3, 0.03, 0.9  # of the dictionary in what is said
# A text of another engine comes without its doubt. It is put right only where it reads misheard: with more than this
# share of characters less likely than e⁻¹⁰ (.03 of a clean call, .05 of one in ten; .13 where 15 % are misheard), and
# where that finds enough to change.
TYPED_CHANGE, UNLIKELY, UNLIKELY_SHARE, LEAST_CHANGED = 5.0, -10.0, 0.06, 0.02
LONGEST_TYPED = 30_000  # characters, two hours of talk and some seconds of work; no call is longer
ROUNDS = 15
_NUMERALS = frozenset("零一二三四五六七八九十百千万亿幺两")

_Choices = tuple["NDArray[np.int64]", "NDArray[np.float64]"]  # ids and costs


class Homophones:
    """Characters by their sound, and how likely they are. See `LanguageModel`."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model
        self._ids = {character: number for number, character in enumerate(model.characters, FIRST_CHARACTER)}
        by_sound: defaultdict[str, dict[int, str]] = defaultdict(dict)
        for character, number in self._ids.items():
            for reading in readings(character) if character not in _NUMERALS else ():
                by_sound[alike(reading)].setdefault(number, reading)
        self._by_sound = {sound: (np.array(list(found)), list(found.values())) for sound, found in by_sound.items()}

    def put_right(self, utterances: Sequence[Utterance], held: Collection[str]) -> tuple[list[Utterance], int]:
        """The utterances of a call with their text put right, as long as before, and how many characters changed.

        What `held` lists, numbers and suspect text stand.
        """
        share = self.share_of_words([one.text for one in utterances if not one.suspect])
        out: list[Utterance] = []
        for one in utterances:
            text = one.text if one.suspect else self._right(one, held, share)
            out.append(one if text == one.text else replace(one, text=text))
        return out, _differences([one.text for one in utterances], [one.text for one in out])

    def put_right_typed(self, texts: Sequence[str]) -> tuple[list[str], int]:
        """The texts of a call that came without an engine's doubt, put right where they read misheard; as `put_right`.
        More than `LONGEST_TYPED` characters stand."""
        if sum(map(len, texts)) > LONGEST_TYPED:
            return list(texts), 0
        calls, words = self._likelihoods(texts)
        share = _share_of_words(calls, words)
        characters = len(calls)
        if np.sum((1 - share) * calls + share * words < math.exp(UNLIKELY)) <= UNLIKELY_SHARE * characters:
            return list(texts), 0
        change = TYPED_CHANGE + ELSEWHERE * share
        out = [self._reading(text, [change] * len(text), set(_numbers(text)), share) for text in texts]
        changed = _differences(texts, out)
        return (out, changed) if changed >= LEAST_CHANGED * characters else (list(texts), 0)

    def share_of_words(self, texts: Iterable[str]) -> float:
        """How much of what is said the dictionary tells better than our calls do."""
        return _share_of_words(*self._likelihoods(texts))

    def worth(self, text: str, share: float) -> float:
        """How much likelier the Chinese characters of a text are than `USUAL` each, as a logarithm: what speaks for
        one reading against another. Without the usual likelihood the shorter reading would win."""
        calls, words = self._likelihoods([text])
        return float(np.sum(np.log((1 - share) * calls + share * words) - USUAL))

    def _likelihoods(self, texts: Iterable[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The probability of every Chinese character by our calls and by the dictionary."""
        rows = [self._row(part) for text in texts for part in CHINESE.findall(text)]
        if not rows:
            return np.zeros(0), np.zeros(0)
        histories = np.vstack([np.lib.stride_tricks.sliding_window_view(row, HISTORY)[:-1] for row in rows])
        characters = np.concatenate([row[HISTORY:] for row in rows])
        calls, words = (
            np.exp(model.log_probability(histories, characters)) for model in (self._model.calls, self._model.words)
        )
        return calls, words

    def _row(self, text: str) -> NDArray[np.int64]:
        return np.array([START] * HISTORY + [self._ids.get(character, UNKNOWN) for character in text], dtype=np.int64)

    def _right(self, one: Utterance, held: Collection[str], share: float) -> str:
        text = one.text
        sure = character_probabilities(one.words)
        doubt = [sure[offset] for offset in one.offsets]
        change = CHANGE + ELSEWHERE * share
        stands = set(_places(text, held)) | set(_numbers(text))
        stands |= {place for place, probability in enumerate(doubt) if probability >= SURE}
        return self._reading(text, [change + _odds(probability) for probability in doubt], stands, share)

    def _reading(self, text: str, changes: Sequence[float], stands: Collection[int], share: float) -> str:
        """The likeliest reading of a text, of what each character costs to change; the places `stands` stay."""
        out = list(text)
        for start, end in (found.span() for found in CHINESE.finditer(text)):
            sounds = syllables(text[start:end])
            if len(sounds) != end - start or all(place in stands for place in range(start, end)):
                continue
            choices = [
                self._choices(text[place], sound, changes[place]) if place not in stands else self._only(text[place])
                for place, sound in zip(range(start, end), sounds, strict=True)
            ]
            likeliest = self._likeliest(choices, share)
            for place, number in zip(range(start, end), likeliest, strict=True):
                if number != UNKNOWN:
                    out[place] = self._model.characters[number - FIRST_CHARACTER]
        return "".join(out)

    def _choices(self, character: str, sound: str, change: float) -> _Choices:
        """What may be meant by a character, itself first, and what it costs to change it."""
        found = self._by_sound.get(alike(sound))
        if found is None:
            return self._only(character)
        numbers, sounds = found
        costs = max(LEAST_CHANGE, change) + np.array([NOT_THE_SAME * (reading != sound) for reading in sounds])
        own = self._ids.get(character, UNKNOWN)
        others = numbers != own
        return np.append(own, numbers[others]), np.append(0.0, costs[others])

    def _only(self, character: str) -> _Choices:
        return np.array([self._ids.get(character, UNKNOWN)]), np.zeros(1)

    def _likeliest(self, choices: Sequence[_Choices], share: float) -> list[int]:
        """One id of each choice: the row of least cost, of the `READINGS` best at every character."""
        histories = np.full((1, HISTORY), START, dtype=np.int64)
        scores = np.zeros(1)
        steps: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []  # the ids, and which reading each continues
        for numbers, costs in choices:
            count, width = len(histories), len(numbers)
            before, ids = np.repeat(histories, width, axis=0), np.tile(numbers, count)
            all_scores = np.repeat(scores, width) - np.tile(costs, count) + self._log_probability(before, ids, share)
            # Of readings with the same last characters only the best can win.
            best = np.argsort(-all_scores, kind="stable")
            ends = before[best, -1] << 32 | ids[best]
            _, first = np.unique(ends, return_index=True)
            kept = best[np.sort(first)[:READINGS]]
            histories = np.column_stack([before[kept, 1:], ids[kept]])
            scores = all_scores[kept]
            steps.append((ids[kept], kept // width))
        ending = self._log_probability(histories, np.full(len(histories), END), share)
        at = int(np.argmax(scores + END_COUNTS * ending))
        row: list[int] = []
        for ids, continued in reversed(steps):
            row.append(int(ids[at]))
            at = int(continued[at])
        return row[::-1]

    def _log_probability(
        self, histories: NDArray[np.int64], characters: NDArray[np.int64], share: float
    ) -> NDArray[np.float64]:
        calls = self._model.calls.log_probability(histories, characters)
        words = self._model.words.log_probability(histories, characters)
        mixed: NDArray[np.float64] = np.logaddexp(math.log(1 - share) + calls, math.log(share) + words)
        return mixed


def _share_of_words(calls: NDArray[np.float64], words: NDArray[np.float64]) -> float:
    """The dictionary's share of what both give probabilities of, by expectation and maximisation."""
    share = FIRST_SHARE
    for _ in range(ROUNDS if len(calls) else 0):
        of_words = share * words
        share = float(np.mean(of_words / (of_words + (1 - share) * calls)))
    return min(MOST_SHARE, max(LEAST_SHARE, share))


def _differences(before: Iterable[str], after: Iterable[str]) -> int:
    """How many characters differ in texts of the same lengths."""
    pairs = zip(before, after, strict=True)
    return sum(old != new for one, other in pairs for old, new in zip(one, other, strict=True))


def _model_file() -> Path:
    return resource_dir("models") / "language" / "calls.npz"


@shared
def homophones() -> Homophones:
    """Those of the shipped model."""
    return Homophones(LanguageModel.read(_model_file()))


@shared
def fingerprint() -> str:
    """What the shipped model is known by."""
    return hashlib.sha256(_model_file().read_bytes()).hexdigest()[:16]


def corrected_notes(changed: int) -> tuple[Note, ...]:
    if not changed:
        return ()
    return (Note("misheard", "按读音和上下文改正的字（识别原文保留）", changed),)


def _odds(probability: float) -> float:
    """The logarithm of what the engine holds a character for, against all others."""
    bounded = min(max(probability, LEAST_SURE), SURE)
    return math.log(bounded / (1 - bounded))


def _places(text: str, held: Collection[str]) -> Iterator[int]:
    for word in held:
        at = text.find(word)
        while at >= 0:
            yield from range(at, at + len(word))
            at = text.find(word, at + 1)


def _numbers(text: str) -> Iterator[int]:
    """Numerals beside numerals: a number is not for the context to tell."""
    for place in range(len(text) - 1):
        if text[place] in _NUMERALS and text[place + 1] in _NUMERALS:
            yield from (place, place + 1)
