"""What scores a call's politeness, emotion, resolution and satisfaction. The pipeline knows only this protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from qa_monitor.records import Dialogue, ModelScores


class Scorer(Protocol):
    """`name` is what reports show beside every figure; `version` changes whenever the same call could score otherwise."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def score(self, dialogues: Sequence[Dialogue]) -> list[ModelScores]:
        """One ModelScores a dialogue, in order. Abstains (None scores, `abstained`) rather than guess."""
        ...


def load_scorer() -> Scorer:
    """The scorer in use."""
    from qa_monitor.classifier.baseline import BaselineScorer

    return BaselineScorer()
