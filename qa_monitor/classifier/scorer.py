"""What scores a call's politeness, emotion, resolution and satisfaction. The pipeline knows only this protocol."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

from qa_monitor.records import Dialogue, ModelScores
from qa_monitor.settings import resource_dir


class Scorer(Protocol):
    """`name` is what reports show beside every figure; `version` changes whenever the same call could score otherwise."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def score(self, dialogues: Sequence[Dialogue]) -> list[ModelScores]:
        """One ModelScores a dialogue, in order. Abstains (None scores, `abstained`) rather than guess."""
        ...


def bundle_folder(kind: Literal["service", "written"] = "service") -> Path:
    """Where a shipped classifier lies: `service` for spoken service calls, which the audit uses; `written` for written
    help-desk and talk-page text, which the published benchmarks are made of."""
    return resource_dir("models") / "classifier" / kind


def load_scorer(folder: Path | None = None) -> Scorer:
    """The classifier in `folder`, or the shipped one. Raises ModelMissing when a file of it is not there."""
    from qa_monitor.classifier.fine_tuned import FineTunedScorer

    return FineTunedScorer(folder or bundle_folder())
