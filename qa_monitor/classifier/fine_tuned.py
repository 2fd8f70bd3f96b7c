"""The fine-tuned classifier as a scorer: calibrated, abstaining where it is not sure, saying which words decide."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qa_monitor.classifier.bundle import Classifier, Prediction
from qa_monitor.classifier.encoding import AGENT, CUSTOMER
from qa_monitor.classifier.verdicts import read_weights
from qa_monitor.records import (
    Dialogue,
    ModelScores,
    ModelVerdict,
    ResolutionLabel,
    Turn,
    TurnEmotion,
    TurnPoliteness,
)
from qa_monitor.transcript.words import cut

UNSURE_BELOW = 0.4  # of three outcomes: less than this is no answer
NOTABLE_LOW, NOTABLE_HIGH = 2.5, 4.4  # turns whose words are worth showing
MOST_EXPLAINED = 4  # turns a call
MOST_WORDS = 24  # words tried a turn
LEAST_CHANGE = 0.15  # points of politeness that a word must carry
_RESOLUTIONS: tuple[ResolutionLabel, ...] = ("unresolved", "partial", "resolved")


class FineTunedScorer:
    """Politeness, emotion, resolution, satisfaction and rule verdicts from the bundle in `folder`.

    One thread: the audit runs a worker a core, and threads that wait for each other's cores cost far more than they give.
    """

    def __init__(self, folder: Path, threads: int = 1) -> None:
        self._classifier = Classifier(folder, threads)
        self.name = self._classifier.info.name
        self._weights = read_weights(folder)
        self.version = "-".join(filter(None, (self._classifier.info.version, self._weights.fingerprint)))

    def score(self, dialogues: Sequence[Dialogue]) -> list[ModelScores]:
        """One ModelScores a dialogue, in order.

        Calls are read one by one: 8-bit activations are scaled by what is read together, and a call's score must not
        depend on its neighbours. A call fills a batch by itself.
        """
        return [self._score(_heard(dialogue)) for dialogue in dialogues]

    def _score(self, turns: list[Turn]) -> ModelScores:
        if not _both_speak(turns):
            return self._nothing(turns)
        return self._scores(turns, self._classifier.predict([[_spoken(turn) for turn in turns]])[0])

    def _scores(self, turns: list[Turn], prediction: Prediction) -> ModelScores:
        shares = prediction.shares
        labels = self._classifier.info.labels
        levels = _means(shares["turn.politeness"], 1)
        words = self._deciding_words(turns, levels)
        politeness = tuple(
            TurnPoliteness(
                turn.index,
                round(float(levels[place]), 3),
                round(float(shares["turn.politeness"][place].max()), 3),
                labels["turn.attitude"][int(shares["turn.attitude"][place].argmax())],
                words.get(place, ()),
            )
            for place, turn in enumerate(turns)
            if turn.role == "agent"
        )
        emotions = tuple(
            TurnEmotion(
                turn.index,
                labels["turn.emotion"][int(shares["turn.emotion"][place].argmax())],
                round(float(shares["turn.emotion"][place].max()), 3),
            )
            for place, turn in enumerate(turns)
            if turn.role == "customer"
        )
        outcome: dict[str, float] = {
            name: round(float(p), 4) for name, p in zip(_RESOLUTIONS, shares["call.resolution"], strict=True)
        }
        best = max(_RESOLUTIONS, key=lambda name: outcome[name])
        sure = outcome[best] >= UNSURE_BELOW
        satisfied = shares["call.satisfaction"]
        return ModelScores(
            scorer=self.name,
            scorer_version=self.version,
            politeness=round(_mean(shares["call.courtesy"], 1), 3),
            politeness_turns=politeness,
            emotion_turns=emotions,
            resolution=best if sure else None,
            resolution_probabilities=outcome,
            deciding_turn=turns[int(prediction.attention["resolution"].argmax())].index,
            satisfaction=round(_mean(satisfied, 1), 3),
            satisfaction_probabilities={str(level): round(float(p), 4) for level, p in enumerate(satisfied, 1)},
            abstained=None if sure else f"是否解决拿不准（最高把握 {outcome[best]:.0%}）",
            course=labels["call.course"][int(shares["call.course"].argmax())],
            accomplishment=round(_mean(shares["call.accomplishment"], -2), 3),
            effectiveness=round(_mean(shares["call.effectiveness"], -2), 3),
            verdicts=tuple(
                self._verdict(
                    rule, shares["rules"][place], turns[int(prediction.attention["rules"][place].argmax())].index
                )
                for place, rule in enumerate(self._classifier.info.rules)
            ),
        )

    def _verdict(self, rule: str, shares: NDArray[np.float32], turn: int) -> ModelVerdict:
        passed, failed, not_applicable = (round(float(share), 4) for share in shares)
        beside = self._weights.beside(rule, (passed, failed, not_applicable))
        return ModelVerdict(rule, passed, failed, not_applicable, turn, beside)

    def _nothing(self, turns: list[Turn]) -> ModelScores:
        """A call in which one side says nothing has no outcome to judge."""
        agent = any(turn.role == "agent" for turn in turns)
        why = "没有可评分的坐席话语" if not agent else "没有可评分的客户话语"
        return ModelScores(self.name, self.version, None, (), (), None, {}, None, None, abstained=why)

    def _deciding_words(self, turns: list[Turn], levels: NDArray[np.float32]) -> dict[int, tuple[str, ...]]:
        """For the most notable agent turns: the words without which the turn, read alone, would score otherwise."""
        notable = [
            place
            for place, turn in enumerate(turns)
            if turn.role == "agent" and not NOTABLE_LOW <= levels[place] <= NOTABLE_HIGH
        ]
        notable = sorted(notable, key=lambda place: -abs(levels[place] - 3))[:MOST_EXPLAINED]
        tried: list[tuple[int, str, str]] = []
        for place in notable:
            text = turns[place].text
            tried.append((place, "", text))
            for token in cut(text)[:MOST_WORDS]:
                rest = (text[: token.start] + text[token.end :]).strip()
                if rest and any(character.isalnum() for character in token.text):
                    tried.append((place, token.text, rest))
        if not tried:
            return {}
        found = self._classifier.predict([[(AGENT, text)] for _, _, text in tried])
        scores = [float(_means(one.shares["turn.politeness"], 1)[0]) for one in found]
        whole = {place: score for (place, word, _), score in zip(tried, scores, strict=True) if not word}
        carried: dict[int, list[tuple[float, str]]] = {place: [] for place in notable}
        for (place, word, _), score in zip(tried, scores, strict=True):
            change = (whole[place] - score) * (1 if levels[place] > 3 else -1)
            if word and change >= LEAST_CHANGE:
                carried[place].append((change, word))
        return {place: tuple(word for _, word in sorted(words, reverse=True)[:3]) for place, words in carried.items()}


def _heard(dialogue: Dialogue) -> list[Turn]:
    return [
        turn
        for turn in dialogue.turns
        if turn.suspect is None and turn.text.strip() and turn.role in ("agent", "customer")
    ]


def _both_speak(turns: list[Turn]) -> bool:
    return {"agent", "customer"} <= {turn.role for turn in turns}


def _spoken(turn: Turn) -> tuple[int, str]:
    return (AGENT if turn.role == "agent" else CUSTOMER, turn.text)


def _mean(shares: NDArray[np.float32], lowest: int) -> float:
    return float(shares @ (lowest + np.arange(shares.shape[-1])))


def _means(shares: NDArray[np.float32], lowest: int) -> NDArray[np.float32]:
    return np.asarray(shares @ (lowest + np.arange(shares.shape[-1])), np.float32)
