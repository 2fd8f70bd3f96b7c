"""Misheard characters put right by their sound and by what is said around them: 减修 → 检修, 送电灯您 → 送电的您.

Every character may stand for another that sounds alike. Of all readings the one is kept that is likeliest: the
engine's doubt about a character against what service calls, or Chinese in general, make of it. How much of either a
call is, is told by the call itself, so a call about something else is not bent to the words of ours.
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
from qa_monitor.transcript.ngrams import CHINESE, END, HISTORY, ID_BITS, START, LanguageModel, character_of, ids_of
from qa_monitor.transcript.sound import alike, near, readings, syllables

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Costs are natural logarithms. Measured on calls that no model and no figure was made from: docs/speech.md.
CHANGE = 2.3  # of a character that the engine holds for as likely as not
LEAST_CHANGE = 0.5
NOT_THE_SAME = 0.7  # more for a sound that is only alike, as zh and z
NEAR_SOUND = 2.5  # more for a sound that is near, as f and h
NEAR_ELSEWHERE = 6.0  # and more again, times the share of general: it is less sure what follows
NEAR_SURE = 0.97  # what the engine is surer of does not stand for a sound that is near
MOST_NEAR = 150  # characters of near sounds, the most usual
SURE = 0.999  # what the engine is surer of stands
LEAST_SURE = 0.01  # of any character, however much the engine doubts it
END_COUNTS = 0.5
USUAL = -5.0  # of a character
READINGS = 100  # kept at every character
HOPELESS = 8.0  # so far behind the best no reading is kept
FIRST_SHARE, LEAST_SHARE, MOST_SHARE = 0.3, 0.03, 0.9  # of Chinese in general in what is said
# A text of another engine comes without its doubt. It is put right only where it reads misheard: with more than this
# share of characters less likely than e⁻¹⁰ (.03 of a clean call, .06 of one in twenty; .13 where 15 % are misheard), and
# where that finds enough to change.
TYPED_CHANGE, UNLIKELY, UNLIKELY_SHARE, LEAST_CHANGED = 7.0, -10.0, 0.065, 0.02
LONGEST_TYPED = 30_000  # characters, two hours of talk and some seconds of work; no call is longer
ROUNDS = 15
_NUMERALS = frozenset("零一二三四五六七八九十百千万亿幺两")

SAME, ALIKE, NEAR = range(3)  # how far apart sounds are

_Alternatives = tuple["NDArray[np.int64]", "NDArray[np.int64]"]  # ids and how far apart
_Choices = tuple["NDArray[np.int64]", "NDArray[np.float64]"]  # ids and costs


class Homophones:
    """Characters by their sound, and how likely they are. See `LanguageModel`."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model
        by_sound: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for character in sorted({*model.calls.characters(), *model.general.characters()} - _NUMERALS):
            for reading in readings(character):
                by_sound[alike(reading)].setdefault(character, reading)
        self._by_sound = dict(by_sound)  # several calls read it at once: asking must not add to it
        self._by_syllable: dict[str, _Alternatives] = {}

    def put_right(self, utterances: Sequence[Utterance], held: Collection[str]) -> tuple[list[Utterance], int]:
        """The utterances of a call with their text put right, as long as before, and how many characters changed.

        What `held` lists, numbers and suspect text stand.
        """
        share = self.share_of_general([one.text for one in utterances if not one.suspect])
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
        calls, general = self._likelihoods(texts)
        share = _share_of_general(calls, general)
        characters = len(calls)
        if np.sum((1 - share) * calls + share * general < math.exp(UNLIKELY)) <= UNLIKELY_SHARE * characters:
            return list(texts), 0
        out = [self._reading(text, [TYPED_CHANGE] * len(text), (), set(_numbers(text)), share) for text in texts]
        changed = _differences(texts, out)
        return (out, changed) if changed >= LEAST_CHANGED * characters else (list(texts), 0)

    def share_of_general(self, texts: Iterable[str]) -> float:
        """How much of what is said Chinese in general tells better than our calls do."""
        return _share_of_general(*self._likelihoods(texts))

    def worth(self, text: str, share: float) -> float:
        """How much likelier the Chinese characters of a text are than `USUAL` each, as a logarithm: what speaks for
        one reading against another. Without the usual likelihood the shorter reading would win."""
        calls, general = self._likelihoods([text])
        return float(np.sum(np.log((1 - share) * calls + share * general) - USUAL))

    def _likelihoods(self, texts: Iterable[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The probability of every Chinese character by our calls and by Chinese in general."""
        rows = [np.append([START] * HISTORY, ids_of(part)) for text in texts for part in CHINESE.findall(text)]
        if not rows:
            return np.zeros(0), np.zeros(0)
        histories = np.vstack([np.lib.stride_tricks.sliding_window_view(row, HISTORY)[:-1] for row in rows])
        characters = np.concatenate([row[HISTORY:] for row in rows])
        calls, general = (
            np.exp(model.log_probability(histories, characters)) for model in (self._model.calls, self._model.general)
        )
        return calls, general

    def _right(self, one: Utterance, held: Collection[str], share: float) -> str:
        text = one.text
        sure = character_probabilities(one.words)
        doubt = [sure[offset] for offset in one.offsets]
        stands = set(_places(text, held)) | set(_numbers(text))
        stands |= {place for place, probability in enumerate(doubt) if probability >= SURE}
        doubted = {place for place, probability in enumerate(doubt) if probability < NEAR_SURE}
        return self._reading(text, [CHANGE + _odds(probability) for probability in doubt], doubted, stands, share)

    def _reading(
        self, text: str, changes: Sequence[float], doubted: Collection[int], stands: Collection[int], share: float
    ) -> str:
        """The likeliest reading of a text, of what each character costs to change; the places `stands` stay, the places
        `doubted` may be of a near sound."""
        out = list(text)
        for start, end in (found.span() for found in CHINESE.finditer(text)):
            sounds = syllables(text[start:end])
            if len(sounds) != end - start or all(place in stands for place in range(start, end)):
                continue
            choices = [
                _only(text[place])
                if place in stands
                else self._choices(text[place], sound, changes[place], share if place in doubted else None)
                for place, sound in zip(range(start, end), sounds, strict=True)
            ]
            likeliest = self._likeliest(choices, share)
            out[start:end] = map(character_of, likeliest)
        return "".join(out)

    def _choices(self, character: str, sound: str, change: float, share: float | None) -> _Choices:
        """What may be meant by a character, itself first, and what it costs to change it; near sounds at the share of
        general, none without it."""
        numbers, apart = self._alternatives(sound)
        (own,) = ids_of(character)
        others = (numbers != own) & (apart <= (ALIKE if share is None else NEAR))
        dearer = np.array([0.0, NOT_THE_SAME, NEAR_SOUND + NEAR_ELSEWHERE * (share or 0.0)])
        return np.append(own, numbers[others]), np.append(0.0, max(LEAST_CHANGE, change) + dearer[apart[others]])

    def _alternatives(self, sound: str) -> _Alternatives:
        """The characters that sound like a syllable, and how far apart each is."""
        if sound not in self._by_syllable:
            group = alike(sound)
            own = {one: SAME if reading == sound else ALIKE for one, reading in self._by_sound.get(group, {}).items()}
            others = {one for other, found in self._by_sound.items() if near(group, other) for one in found} - {*own}
            numbers = ids_of("".join(sorted(others)))
            usual = np.maximum(self._model.calls.alone(numbers), self._model.general.alone(numbers))
            numbers = numbers[np.argsort(-usual, kind="stable")[:MOST_NEAR]]
            apart = np.append(list(own.values()), np.full(len(numbers), NEAR)).astype(np.int64)
            self._by_syllable[sound] = np.append(ids_of("".join(own)), numbers), apart
        return self._by_syllable[sound]

    def _likeliest(self, choices: Sequence[_Choices], share: float) -> list[int]:
        """One id of each choice: the row of least cost, of the `READINGS` best at every character."""
        histories = np.full((1, HISTORY), START, dtype=np.int64)
        scores = np.zeros(1)
        steps: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []  # the ids, and which reading each continues
        for numbers, costs in choices:
            grown = scores[:, None] - costs + self._after(histories, numbers, share)
            best = np.flatnonzero(grown > grown.max() - HOPELESS)
            best = best[np.argsort(-grown.flat[best], kind="stable")]
            before, place = np.divmod(best, len(numbers))
            # Of readings with the same last characters only the best can win.
            _, first = np.unique(histories[before, -1] << ID_BITS | numbers[place], return_index=True)
            kept = np.sort(first)[:READINGS]
            before, ids = before[kept], numbers[place[kept]]
            histories = np.column_stack([histories[before, 1:], ids])
            scores = grown.flat[best[kept]]
            steps.append((ids, before))
        ending = self._after(histories, np.array([END]), share)[:, 0]
        at = int(np.argmax(scores + END_COUNTS * ending))
        row: list[int] = []
        for ids, continued in reversed(steps):
            row.append(int(ids[at]))
            at = int(continued[at])
        return row[::-1]

    def _after(self, histories: NDArray[np.int64], characters: NDArray[np.int64], share: float) -> NDArray[np.float64]:
        """(n, HISTORY) and (m,) ids → (n, m) logarithms."""
        calls = self._model.calls.after(histories, characters)
        general = self._model.general.after(histories, characters)
        mixed: NDArray[np.float64] = np.logaddexp(math.log(1 - share) + calls, math.log(share) + general)
        return mixed


def _only(character: str) -> _Choices:
    return ids_of(character), np.zeros(1)


def _share_of_general(calls: NDArray[np.float64], general: NDArray[np.float64]) -> float:
    """The share of Chinese in general of what both give probabilities of, by expectation and maximisation."""
    share = FIRST_SHARE
    for _ in range(ROUNDS if len(calls) else 0):
        of_general = share * general
        share = float(np.mean(of_general / (of_general + (1 - share) * calls)))
    return min(MOST_SHARE, max(LEAST_SHARE, share))


def _differences(before: Iterable[str], after: Iterable[str]) -> int:
    """How many characters differ in texts of the same lengths."""
    pairs = zip(before, after, strict=True)
    return sum(old != new for one, other in pairs for old, new in zip(one, other, strict=True))


def _folder() -> Path:
    return resource_dir("models") / "language"


@shared
def homophones() -> Homophones:
    """Those of the shipped models."""
    return Homophones(LanguageModel.read(_folder()))


@shared
def fingerprint() -> str:
    """What the shipped models are known by."""
    files = sorted(_folder().glob("*.npz"))
    return hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)).hexdigest()[:16]


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
