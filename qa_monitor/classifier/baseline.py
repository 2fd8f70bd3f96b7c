"""The baseline scorer: weighted markers, no training. It is named 基线 wherever its figures are shown.

It reads the words and nothing else, so sarcasm in polite words passes it by; it is here to be beaten.
"""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from qa_monitor.records import Dialogue, ModelScores, ResolutionLabel, Turn, TurnEmotion, TurnPoliteness

_MARKERS = Path(__file__).with_name("baseline_markers.toml")
_CODE_VERSION = "1"
_NEUTRAL = 3.2  # an agent turn without any marker, on the 1–5 scale
_NEGATIONS = ("不是", "没有", "不要", "别", "并非", "没说", "不会")
_RESOLUTIONS: tuple[ResolutionLabel, ...] = ("resolved", "partial", "unresolved")


@dataclass(frozen=True, slots=True)
class _Hit:
    phrase: str
    weight: float
    start: int


class BaselineScorer:
    """Politeness, emotion, resolution and satisfaction from weighted markers."""

    name = "基线"

    def __init__(self) -> None:
        content = _MARKERS.read_bytes()
        self.version = f"{_CODE_VERSION}-{hashlib.sha256(content).hexdigest()[:8]}"
        lists: dict[str, dict[str, float]] = tomllib.loads(content.decode("utf-8"))
        self._matchers = {name: _automaton(phrases) for name, phrases in lists.items()}

    def score(self, dialogues: Sequence[Dialogue]) -> list[ModelScores]:
        return [self._score_one(dialogue) for dialogue in dialogues]

    def _score_one(self, dialogue: Dialogue) -> ModelScores:
        heard = [turn for turn in dialogue.turns if turn.suspect is None and turn.text.strip()]
        agent = [turn for turn in heard if turn.role == "agent"]
        customer = [turn for turn in heard if turn.role == "customer"]
        politeness = tuple(self._politeness(turn) for turn in agent)
        emotions = tuple(self._emotion(turn) for turn in customer)
        if not agent or not customer:
            why = "没有可评分的坐席话语" if not agent else "没有可评分的客户话语"
            return ModelScores(
                self.name,
                self.version,
                _call_politeness(politeness),
                politeness,
                emotions,
                None,
                {},
                None,
                None,
                abstained=why,
            )
        label, probabilities, deciding = self._resolution(heard)
        call = _call_politeness(politeness)
        satisfaction = self._satisfaction(call, probabilities, emotions)
        return ModelScores(
            scorer=self.name,
            scorer_version=self.version,
            politeness=call,
            politeness_turns=politeness,
            emotion_turns=emotions,
            resolution=label,
            resolution_probabilities=probabilities,
            deciding_turn=deciding,
            satisfaction=satisfaction,
            satisfaction_probabilities=_spread(satisfaction),
        )

    def _hits(self, name: str, text: str) -> list[_Hit]:
        """The markers in `text`, longest first where they overlap, those behind a negation left out."""
        found = [
            _Hit(phrase, weight, end - len(phrase) + 1) for end, (phrase, weight) in self._matchers[name].iter(text)
        ]
        kept: list[_Hit] = []
        taken: set[int] = set()
        for hit in sorted(found, key=lambda hit: (-len(hit.phrase), hit.start)):
            places = range(hit.start, hit.start + len(hit.phrase))
            if taken.isdisjoint(places) and not text[: hit.start].endswith(_NEGATIONS):
                kept.append(hit)
                taken.update(places)
        return sorted(kept, key=lambda hit: hit.start)

    def _sum(self, name: str, text: str) -> float:
        """Weight of a list's markers; the second and later of one phrase count little."""
        seen: dict[str, int] = {}
        total = 0.0
        for hit in self._hits(name, text):
            seen[hit.phrase] = seen.get(hit.phrase, 0) + 1
            total += hit.weight / seen[hit.phrase] ** 2
        return total

    def _politeness(self, turn: Turn) -> TurnPoliteness:
        polite, rude = self._sum("polite", turn.text), self._sum("rude", turn.text)
        lift = 1.8 * math.tanh(polite / 2.2) - 2.2 * math.tanh(rude / 1.8)
        score = min(5.0, max(1.0, _NEUTRAL + lift))
        hits = self._hits("rude", turn.text) if rude > polite else self._hits("polite", turn.text)
        words = tuple(hit.phrase for hit in sorted(hits, key=lambda hit: -hit.weight)[:3])
        label = "courteous" if score >= 4 else "impatient" if score <= 2 else "neutral"
        confidence = min(0.9, 0.4 + 0.15 * (polite + rude))
        return TurnPoliteness(turn.index, round(score, 3), round(confidence, 3), label, words)

    def _emotion(self, turn: Turn) -> TurnEmotion:
        sums = {
            "abusive": self._sum("abusive", turn.text),
            "angry": self._sum("angry", turn.text),
            "anxious": self._sum("anxious", turn.text),
            "positive": self._sum("pleased", turn.text),
        }
        label, weight = max(sums.items(), key=lambda item: item[1])
        if weight < 0.6:
            return TurnEmotion(turn.index, "neutral", 0.5)
        if label == "angry" and weight < 1.4:
            label = "annoyed"
        return TurnEmotion(turn.index, label, round(min(0.9, 0.4 + 0.15 * weight), 3))

    def _resolution(self, heard: list[Turn]) -> tuple[ResolutionLabel, dict[str, float], int]:
        """Later turns weigh more: what is said at the end decides."""
        logits = {"resolved": 0.3, "partial": 0.2, "unresolved": 0.0}
        strongest = (0.0, heard[-1].index)
        for place, turn in enumerate(heard):
            weight = 0.3 + 0.7 * (place + 1) / len(heard)
            sums = {
                "resolved": self._sum("solved", turn.text),
                "partial": self._sum("pending", turn.text),
                "unresolved": self._sum("unsolved", turn.text),
            }
            if turn.role == "customer" and place >= len(heard) - 4:
                sums["resolved"] += 0.5 * self._sum("pleased", turn.text)
                sums["unresolved"] += 0.6 * self._sum("angry", turn.text)
            for name, value in sums.items():
                logits[name] += 0.8 * weight * math.tanh(value)
            strongest = max(strongest, (weight * max(sums.values()), turn.index))
        highest = max(logits.values())
        powers = {name: math.exp(logits[name] - highest) for name in _RESOLUTIONS}
        total = sum(powers.values())
        probabilities: dict[str, float] = {name: round(powers[name] / total, 4) for name in _RESOLUTIONS}
        label = max(_RESOLUTIONS, key=lambda name: probabilities[name])
        return label, probabilities, strongest[1]

    def _satisfaction(
        self, politeness: float | None, resolution: dict[str, float], emotions: tuple[TurnEmotion, ...]
    ) -> float:
        feel = {"abusive": -1.5, "angry": -1.2, "annoyed": -0.6, "anxious": -0.1, "neutral": 0.0, "positive": 0.9}
        last = emotions[-3:]
        mood = sum(feel[emotion.label] for emotion in last) / max(1, len(last))
        score = (
            3.0 + 0.6 * ((politeness or 3.0) - 3.2) + 1.2 * (resolution["resolved"] - resolution["unresolved"]) + mood
        )
        return round(min(5.0, max(1.0, score)), 3)


def _call_politeness(turns: tuple[TurnPoliteness, ...]) -> float | None:
    """A call is as polite as its turns, and its worst turns weigh as much as all the others."""
    if not turns:
        return None
    scores = sorted(turn.score for turn in turns)
    worst = scores[: max(1, len(scores) // 5)]
    return round(0.5 * sum(scores) / len(scores) + 0.5 * sum(worst) / len(worst), 3)


def _spread(score: float) -> dict[str, float]:
    """Probabilities of 1–5 around a score, for a scorer that has only a point."""
    powers = {str(level): math.exp(-((level - score) ** 2) / 1.2) for level in range(1, 6)}
    total = sum(powers.values())
    return {level: round(power / total, 4) for level, power in powers.items()}


def _automaton(phrases: dict[str, float]) -> Any:
    return _build(tuple(phrases.items()))


@lru_cache(maxsize=32)
def _build(items: tuple[tuple[str, float], ...]) -> Any:
    import ahocorasick

    automaton = ahocorasick.Automaton()
    for phrase, weight in items:
        automaton.add_word(phrase, (phrase, weight))
    automaton.make_automaton()
    return automaton
