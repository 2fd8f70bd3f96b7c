"""A centre's own fine-tuning: from the bundle in use, on its reviewers' labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from qa_monitor.classifier.bundle import read_info
from qa_monitor.classifier.encoding import Encoding
from qa_monitor.classifier.scorer import bundle_folder
from qa_monitor.classifier.verdicts import carry_weights
from qa_monitor.errors import TrainingDataError
from qa_monitor.training.batches import encode
from qa_monitor.training.finetune import FineTuneConfig, predict
from qa_monitor.training.own_sets import read_labels, read_own, to_example
from qa_monitor.training.recover import recover
from qa_monitor.training.run import Data, config_notes, figures, finish, split, train
from qa_monitor.training.tasks import LOSS_WEIGHTS

LEAST_CALLS = 20
OWN_DIALOGUES = (
    Path(__file__).resolve().parent.parent.parent / "data"
)  # in a checkout: kept in the mix, so that nothing is forgotten


@dataclass(frozen=True, slots=True)
class Comparison:
    """Figures of both models on the calls kept apart, by name, and how many calls were learnt from and kept."""

    old: dict[str, float]
    new: dict[str, float]
    learnt: int
    kept: int


def adapt(
    files: Sequence[Path],
    folder: Path,
    *,
    in_use: Path | None,
    epochs: float,
    seed: int,
    report: Callable[[str], None],
) -> Comparison:
    """Fine-tune the bundle in use (None: the shipped one) on `files` into `folder`, and measure both.

    Raises TrainingDataError when a file cannot be read or holds too few calls to learn from and to measure.
    """
    old_folder = in_use or bundle_folder()
    info = read_info(old_folder / "bundle.json")
    examples = [item for file in files for item in read_labels(file, info.rules, "centre")]
    learnt, kept = split(examples)
    if len(examples) < LEAST_CALLS or not kept:
        raise TrainingDataError(
            f"只有 {len(examples)} 通，太少，学不出也比不出", hint=f"请至少标注 {LEAST_CALLS} 通再训练"
        )
    rehearsed = [
        to_example([first] + ([second] if second else []), info.rules) for first, second in read_own(OWN_DIALOGUES)
    ]
    encoding = Encoding(old_folder / "tokenizer.json")
    network = recover(old_folder)
    held = encode(kept, encoding)
    old = figures(predict(network, held, encoding.pad), kept)
    config = FineTuneConfig(epochs=epochs, encoder_rate=3e-5, head_rate=1e-4, seed=seed, weights=LOSS_WEIGHTS)
    data = Data([*learnt, *rehearsed], kept, spoken=frozenset({"centre", "own"}))
    trained = train(network, data, encoding, config, report)
    new = finish(
        trained, data, encoding, folder, old_folder / "tokenizer.json",
        name=f"{info.name}（本中心）", rules=info.rules,
        notes=config_notes(config, f"{info.name} {info.version}", [file.name for file in files]),
    )  # fmt: skip
    carry_weights(old_folder, folder)
    return Comparison(old, new, len(learnt), len(kept))
