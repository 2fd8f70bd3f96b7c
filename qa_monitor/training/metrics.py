"""The figures that published work reports, so that ours can stand beside them. Lower NMD, RSNOD, RMSE and ECE are better."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Numbers = Sequence[float] | NDArray[np.float64]


def nmd(truth: Array, found: Array) -> float:
    """Normalised match distance, mean over rows of (N, classes): sum of |difference of cumulative shares| ÷ (classes − 1)."""
    distance = np.abs(np.cumsum(found, 1) - np.cumsum(truth, 1)).sum(1) / (truth.shape[1] - 1)
    return float(distance.mean())


def rsnod(truth: Array, found: Array) -> float:
    """Root symmetric normalised order-aware divergence (Sakai 2018), mean over rows of (N, classes)."""
    classes = truth.shape[1]
    steps = np.abs(np.arange(classes)[:, None] - np.arange(classes)[None, :])
    squared = (found - truth) ** 2
    weighted = squared @ steps  # (N, classes): order-aware distance seen from each class

    def divergence(shares: Array) -> Array:
        present = shares > 0
        return np.asarray((weighted * present).sum(1) / present.sum(1))

    symmetric = (divergence(truth) + divergence(found)) / 2
    return float(np.sqrt(symmetric / (classes - 1)).mean())


def pearson(truth: Numbers, found: Numbers) -> float:
    if np.std(truth) == 0 or np.std(found) == 0:
        return 0.0
    return float(np.corrcoef(truth, found)[0, 1])


def spearman(truth: Numbers, found: Numbers) -> float:
    return pearson(ranks(truth), ranks(found))


def ranks(values: Numbers) -> list[float]:
    """Ranks from 1, equal values sharing their mean rank."""
    _, inverse, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return [float(rank) for rank in ((last + last - counts + 1) / 2)[inverse]]


def rmse(truth: Numbers, found: Numbers) -> float:
    return float(np.sqrt(np.mean((np.asarray(truth) - np.asarray(found)) ** 2)))


def accuracy(truth: Sequence[object], found: Sequence[object]) -> float:
    return sum(a == b for a, b in zip(truth, found, strict=True)) / max(1, len(truth))


def macro_f1(truth: Sequence[object], found: Sequence[object]) -> float:
    """Mean F1 over the classes that occur in the truth."""
    scores = []
    for label in sorted({*truth}, key=str):
        hits = sum(a == b == label for a, b in zip(truth, found, strict=True))
        wrong = sum((a == label) != (b == label) for a, b in zip(truth, found, strict=True))
        scores.append(2 * hits / (2 * hits + wrong) if hits or wrong else 0.0)
    return float(np.mean(scores)) if scores else 0.0


def calibration_error(shares: Array, truth: Sequence[int], bins: int = 10) -> float:
    """Expected calibration error of the most likely class: |confidence − accuracy| weighted over confidence bins."""
    sure, right = shares.max(1), shares.argmax(1) == np.asarray(truth)
    bin_of = np.minimum((sure * bins).astype(int), bins - 1)
    return float(
        sum(abs(sure[bin_of == b].mean() - right[bin_of == b].mean()) * (bin_of == b).mean() for b in set(bin_of))
    )


def expectation(shares: Array, lowest: float) -> Array:
    """Mean of the scale lowest, lowest + 1, … under each row's shares."""
    return np.asarray(shares @ (lowest + np.arange(shares.shape[1])))
