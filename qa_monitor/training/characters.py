"""Fitting the character regression that stands beside the network (`qa_monitor.classifier.characters`)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qa_monitor.classifier.characters import SLOTS, CharacterRidge, slots

PENALTY = 2.0


def fit_characters(texts: Sequence[str], values: Sequence[float]) -> CharacterRidge:
    """Ridge regression of `values` on hashed sequences, weighed by rarity, each row of length 1."""
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import Ridge
    from sklearn.preprocessing import normalize

    found = [slots(text) for text in texts]
    known = csr_matrix(
        (
            [value for row in found for value in row.values()],
            [slot for row in found for slot in row],
            np.cumsum([0, *(len(row) for row in found)]),
        ),
        shape=(len(texts), SLOTS),
    )
    held_by = np.bincount(known.indices, minlength=SLOTS)
    rarity = np.log((1 + len(texts)) / (1 + held_by)) + 1
    fitted = Ridge(alpha=PENALTY).fit(normalize(known.multiply(rarity).tocsr()), values)
    return CharacterRidge(fitted.coef_.astype(np.float32), rarity.astype(np.float32), float(fitted.intercept_))
