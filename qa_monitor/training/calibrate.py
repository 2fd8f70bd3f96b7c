"""Temperatures: one number a head that makes its confidence agree with how often it is right (Guo et al. 2017)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from qa_monitor.training.examples import Example

GRID = np.exp(np.linspace(np.log(0.5), np.log(3.0), 61))


def temperatures(shares: dict[str, dict[str, NDArray[np.float64]]], examples: Sequence[Example]) -> dict[str, float]:
    """Head → the temperature with the least cross entropy on labelled examples; 1 where there is no label."""
    rows: dict[str, list[tuple[NDArray[np.float64], Sequence[float]]]] = {}
    for item in examples:
        found = shares[item.id]
        for head, target in item.call.items():
            rows.setdefault(f"call.{head}", []).append((found[f"call.{head}"], target))
        for head, targets in item.turn.items():
            for place, mark in enumerate(targets):
                if mark is not None:
                    rows.setdefault(f"turn.{head}", []).append((found[f"turn.{head}"][place], mark))
        for place, mark in enumerate(item.rules or ()):
            if mark is not None:
                rows.setdefault("rules", []).append((found["rules"][place], mark))
    return {
        head: _best(np.array([row for row, _ in pairs]), np.array([mark for _, mark in pairs]))
        for head, pairs in rows.items()
    }


def fail_logit(shares: dict[str, dict[str, NDArray[np.float64]]], examples: Sequence[Example]) -> float:
    """What to add to every rule's fail logit so that as many fails are expected as there are (training weighs them up)."""
    pairs = [
        (shares[item.id]["rules"][place], mark)
        for item in examples
        for place, mark in enumerate(item.rules or ())
        if mark is not None
    ]
    if not pairs or not any(mark[1] for _, mark in pairs):
        return 0.0
    found = np.array([row for row, _ in pairs])
    wanted = sum(mark[1] for _, mark in pairs)

    def expected(shift: float) -> float:
        moved = found * np.array([1.0, np.exp(shift), 1.0])
        return float((moved[:, 1] / moved.sum(1)).sum())

    low, high = -4.0, 4.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if expected(middle) < wanted else (low, middle)
    return (low + high) / 2


def _best(shares: NDArray[np.float64], targets: NDArray[np.float64]) -> float:
    logits = np.log(np.maximum(shares, 1e-9))

    def entropy(temperature: float) -> float:
        scaled = logits / temperature
        scaled -= scaled.max(1, keepdims=True)
        log_shares = scaled - np.log(np.exp(scaled).sum(1, keepdims=True))
        return float(-(targets * log_shares).sum(1).mean())

    return round(float(min(GRID, key=entropy)), 3)
