"""A whole training run: data in, a measured bundle out. What made the weights is written beside them."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from qa_monitor.classifier.encoding import AGENT, Encoding
from qa_monitor.training import metrics
from qa_monitor.training.batches import Encoded, encode
from qa_monitor.training.calibrate import fail_logit, temperatures
from qa_monitor.training.examples import Example, is_kept_apart
from qa_monitor.training.export import export
from qa_monitor.training.finetune import FineTuneConfig, fastest_device, fine_tune, predict
from qa_monitor.training.network import CallNetwork
from qa_monitor.training.spoil import spoil
from qa_monitor.training.tasks import LOSS_WEIGHTS, head_labels

ERROR_RATES = (0.0, 0.0, 0.05, 0.1, 0.15, 0.2)
LONGEST_PART = 8  # turns
Shares = dict[str, dict[str, NDArray[np.float64]]]


@dataclass(frozen=True, slots=True)
class Data:
    """Examples to learn from and examples kept apart. `spoken` sources are read anew each epoch with other errors."""

    train: Sequence[Example]
    held: Sequence[Example]
    spoken: frozenset[str] = frozenset()
    repeat_spoken: int = 1

    @property
    def sha256(self) -> str:
        """Of every text and label learnt from."""
        digest = hashlib.sha256()
        for item in sorted(self.train, key=lambda item: (item.source, item.id)):
            known = [item.id, item.turns, item.call, item.turn, item.rules, item.evidence]
            digest.update(json.dumps(known, sort_keys=True).encode())
        return digest.hexdigest()


def split(examples: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """(learn, keep apart)."""
    kept = [item for item in examples if is_kept_apart(item.id)]
    return [item for item in examples if not is_kept_apart(item.id)], kept


def train(
    network: CallNetwork, data: Data, encoding: Encoding, config: FineTuneConfig, report: Callable[[str], None]
) -> CallNetwork:
    """Fine-tune on `data`, spoken calls with recognition errors drawn anew each epoch.

    From every spoken call a few turns that end with the agent are read apart as well: a turn is also judged with little
    before it and nothing after it.
    """
    chance = random.Random(config.seed)
    readable = [item for item in data.train if item.readable]
    fixed = encode([item for item in readable if item.source not in data.spoken], encoding)
    spoken = [item for item in readable if item.source in data.spoken]

    def draw(_epoch: int) -> list[Encoded]:
        drawn: list[Example] = []
        for _ in range(data.repeat_spoken):
            for item in [*spoken, *(_part(item, chance) for item in spoken if len(item.turns) > LONGEST_PART)]:
                rate = chance.choice(ERROR_RATES)
                drawn.append(item.with_texts([spoil(text, rate, chance) for _, text in item.turns]) if rate else item)
        return fixed + encode(drawn, encoding)

    return fine_tune(network.to(fastest_device()), draw(0), encoding.pad, config, report, redraw=draw)


def _part(item: Example, chance: random.Random) -> Example:
    ends = [place + 1 for place, (role, _) in enumerate(item.turns) if role == AGENT] or [len(item.turns)]
    end = chance.choice(ends)
    return item.part(max(0, end - chance.randint(1, LONGEST_PART)), end)


def finish(
    network: CallNetwork,
    data: Data,
    encoding: Encoding,
    folder: Path,
    tokenizer_file: Path,
    *,
    name: str,
    rules: Sequence[str],
    notes: dict[str, Any],
    bits: int = 8,
) -> dict[str, float]:
    """Calibrate on the examples kept apart, measure, export into `folder`; the figures, by name."""
    network = network.cpu()
    held = encode([item for item in data.held if item.turns], encoding)
    shift = fail_logit(predict(network, held, encoding.pad), data.held) if rules else 0.0
    if rules:
        with torch.no_grad():
            network.heads.rule_bias[:, 1] += shift
    shares = predict(network, held, encoding.pad)
    found = figures(shares, data.held)
    state = hashlib.sha256()
    for parameter in network.state_dict().values():
        state.update(parameter.detach().numpy().tobytes())
    sizes = network.heads.sizes
    known = head_labels()
    heads = [f"turn.{head}" for head in sizes.turn] + [f"call.{head}" for head in sizes.call]
    info = {
        "name": name,
        "version": state.hexdigest()[:12],
        "labels": {head: list(known[head]) for head in heads},
        "rules": list(rules),
        "temperatures": temperatures(shares, data.held),
        "data_sha256": data.sha256,
        "figures": found,
        **notes,
    }
    export(network, tokenizer_file, folder, info, bits=bits)
    return found


def figures(shares: Shares, examples: Sequence[Example]) -> dict[str, float]:
    """Every figure that the examples have labels for, as the issue of each task names it."""
    out: dict[str, float] = {}
    for head in sorted({name for item in examples for name in item.call}):
        rows = [item for item in examples if head in item.call]
        truth = np.array([item.call[head] for item in rows])
        guess = np.array([shares[item.id][f"call.{head}"] for item in rows])
        means = metrics.expectation(truth, 0), metrics.expectation(guess, 0)
        if head.startswith("dch_"):
            out |= {f"{head} NMD": metrics.nmd(truth, guess), f"{head} RSNOD": metrics.rsnod(truth, guess)}
            out[f"{head} r"] = metrics.pearson(*means)
        elif head == "wiki":
            out |= {"wiki r": metrics.pearson(*means), "wiki RMSE": metrics.rmse(*means)}
        elif head in ("resolution", "course"):
            out[f"{head} macro-F1"] = metrics.macro_f1(list(truth.argmax(1)), list(guess.argmax(1)))
            out[f"{head} ECE"] = metrics.calibration_error(guess, list(truth.argmax(1)))
        else:
            out[f"{head} Spearman"] = metrics.spearman(*means)
    for head in sorted({name for item in examples for name in item.turn}):
        pairs = [
            (target, shares[item.id][f"turn.{head}"][place])
            for item in examples
            for place, target in enumerate(item.turn.get(head, ()))
            if target is not None
        ]
        if not pairs:
            continue
        truth, guess = (np.array(side) for side in zip(*pairs, strict=True))
        if head == "politeness":
            out["turn politeness Spearman"] = metrics.spearman(
                metrics.expectation(truth, 1), metrics.expectation(guess, 1)
            )
        else:
            labels = list(truth.argmax(1)), list(guess.argmax(1))
            out |= {
                f"turn {head} accuracy": metrics.accuracy(*labels),
                f"turn {head} macro-F1": metrics.macro_f1(*labels),
            }
    judged = [item for item in examples if item.rules]
    scores = []
    for rule in range(len(judged[0].rules or ()) if judged else 0):
        known = [item for item in judged if item.rules and item.rules[rule]]
        truth_fail = [int(np.argmax(item.rules[rule] or ())) == 1 for item in known if item.rules]
        guess_fail = [int(shares[item.id]["rules"][rule].argmax()) == 1 for item in known]
        hits = sum(a and b for a, b in zip(truth_fail, guess_fail, strict=True))
        if any(truth_fail):
            scores.append(2 * hits / (sum(truth_fail) + sum(guess_fail)))
    if scores:
        out["rules fail macro-F1"] = float(np.mean(scores))
    return {name: round(float(value), 4) for name, value in out.items()}


def config_notes(config: FineTuneConfig, base: str, sources: Sequence[str]) -> dict[str, Any]:
    """What is written into bundle.json about how the weights came about."""
    return {"base": base, "sources": sorted(sources), "config": asdict(config), "loss_weights": LOSS_WEIGHTS}
