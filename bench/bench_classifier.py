#!/usr/bin/env python3
"""Speed of the classifier: loading, one call of 30 turns, and many calls together; the peer is torch with the same weights.

python bench/bench_classifier.py [--threads 2]
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from qa_monitor.classifier.bundle import Classifier
from qa_monitor.classifier.encoding import AGENT, CUSTOMER
from qa_monitor.classifier.fine_tuned import FineTunedScorer
from qa_monitor.classifier.scorer import bundle_folder
from qa_monitor.dialogue.build import from_text
from qa_monitor.training.own_sets import read_own

ROOT = Path(__file__).resolve().parent.parent

EVERY = 12  # calls of data/ measured: some 290


def seconds(work: Callable[[], object], rounds: int = 5) -> float:
    spent = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        spent.append(time.perf_counter() - started)
    return statistics.median(spent)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    calls = [
        [(AGENT if turn.role == "agent" else CUSTOMER, turn.text) for turn in first.turns]
        for first, _ in read_own(ROOT / "data")[::EVERY]
    ]
    turns = sum(map(len, calls))
    thirty = [turn for call in calls for turn in call][:30]
    print(f"loading: {seconds(lambda: Classifier(bundle_folder(), options.threads), 3):.2f} s")
    classifier = Classifier(bundle_folder(), options.threads)
    classifier.predict(calls[:4])
    print(f"one call of 30 turns: {1000 * seconds(lambda: classifier.predict([thirty])):.0f} ms")
    together = seconds(lambda: classifier.predict(calls), 3)
    print(f"{len(calls)} calls, {turns} turns together: {together:.2f} s, {turns / together:.0f} turns a second")
    scorer = FineTunedScorer(bundle_folder(), options.threads)
    dialogues = [
        from_text([{"role": "agent" if role == AGENT else "customer", "text": text} for role, text in call])
        for call in calls
    ]
    scorer.score(dialogues[:4])
    scored = seconds(lambda: scorer.score(dialogues), 1)
    print(f"as the audit scores them, deciding words included: {turns / scored:.0f} turns a second")
    if importlib.util.find_spec("torch") is None:
        print("torch is not installed: no peer")
        return
    from qa_monitor.classifier.encoding import Encoding
    from qa_monitor.training.batches import encode
    from qa_monitor.training.examples import Example
    from qa_monitor.training.finetune import predict
    from qa_monitor.training.recover import recover

    encoding = Encoding(bundle_folder() / "tokenizer.json")
    network = recover(bundle_folder())
    examples = [Example(str(n), "bench", tuple(call)) for n, call in enumerate(calls)]
    peer = seconds(lambda: predict(network, encode(examples, encoding), encoding.pad), 2)
    print(f"torch, bfloat16: {turns / peer:.0f} turns a second; ratio {peer / together:.2f}")


if __name__ == "__main__":
    main()
