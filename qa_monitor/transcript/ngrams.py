"""How likely a character is after two others: back-off models read from `models/language/calls.npz`.

Two models over the same characters: `calls`, of service calls, and `words`, of the language's dictionary. Their
arithmetic is that of ARPA files: a sequence that was seen has its probability, for others the last characters alone
are asked, at the price of the longer history's weight. `qa_monitor.training.ngrams` builds them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ids = NDArray[np.int64]
    Logs = NDArray[np.float64]

UNKNOWN, START, END = 0, 1, 2  # then the characters; START stands before a text, END after it
FIRST_CHARACTER = 3
HISTORY = 2
CHINESE = re.compile("[一-鿿]+")  # what is no stretch of characters parts a text
ID_BITS = 13
MOST_CHARACTERS = (1 << ID_BITS) - FIRST_CHARACTER


def packed(ids: Ids) -> Ids:
    """(…, n) ids → (…) one number a sequence. Known ids are not 0, so sequences of every length differ."""
    keys = np.zeros(ids.shape[:-1], dtype=np.int64)
    for place in range(ids.shape[-1]):
        keys = (keys << ID_BITS) | ids[..., place]
    return keys


@dataclass(frozen=True, slots=True)
class Ngrams:
    """One model. `keys` in order; natural logarithms of the probability of a sequence's last character after the
    others, and of the weight of a shorter history where the sequence is the history."""

    keys: Ids
    log_p: NDArray[np.float16]
    backoff: NDArray[np.float16]
    unknown: float

    def log_probability(self, histories: Ids, characters: Ids) -> Logs:
        """(n, HISTORY) ids, (n,) ids → (n,) logarithms."""
        last = characters[:, None]
        total, found = self._look_up(self.log_p, packed(last))
        total = np.where(found, total, self.unknown)
        for length in range(1, HISTORY + 1):
            history = histories[:, HISTORY - length :]
            known = (history != UNKNOWN).all(axis=1)
            weight, _ = self._look_up(self.backoff, packed(history))
            seen, found = self._look_up(self.log_p, packed(np.hstack([history, last])))
            longer = np.where(found & (characters != UNKNOWN), seen, weight + total)
            total = np.where(known, longer, total)
        return total

    def _look_up(self, values: NDArray[np.float16], keys: Ids) -> tuple[Logs, NDArray[np.bool_]]:
        """The values of keys, 0 where there is none, and where there is one."""
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        found = self.keys[at] == keys
        return np.where(found, values[at].astype(np.float64), 0.0), found


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """Both models and the characters that their ids stand for."""

    characters: str
    calls: Ngrams
    words: Ngrams

    @classmethod
    def read(cls, path: Path) -> LanguageModel:
        """Raises OSError or ValueError for what `save` did not write."""
        with np.load(path, allow_pickle=False) as stored:
            calls, words = (
                Ngrams(
                    stored[f"{name}_keys"],
                    stored[f"{name}_log_p"],
                    stored[f"{name}_backoff"],
                    float(stored[f"{name}_unknown"]),
                )
                for name in ("calls", "words")
            )
            return cls(str(stored["characters"]), calls, words)

    def save(self, path: Path) -> None:
        parts = {
            f"{name}_{part}": getattr(model, part)
            for name, model in (("calls", self.calls), ("words", self.words))
            for part in ("keys", "log_p", "backoff", "unknown")
        }
        np.savez_compressed(path, characters=np.array(self.characters), **parts)
