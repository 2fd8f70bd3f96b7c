"""How likely a character is after two others: back-off models read from `models/language/`.

Two models: `calls`, of service calls, and `general`, of written Chinese of every kind. Their arithmetic is that of
ARPA files: a sequence that was seen has its probability, for others the last characters alone are asked, at the price
of the longer history's weight. `qa_monitor.training.ngrams` and `qa_monitor.training.arpa` build them.
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

START, END = 1, 2  # ids: START stands before a text, END after it; then the characters in Unicode's order
HISTORY = 2
CHINESE = re.compile("[一-鿿]+")  # what is no stretch of characters parts a text
ID_BITS = 15
STEPS = 12  # logarithms are kept in steps of a twelfth
MOST_STEPS = 255
_FIRST = 3


def ids_of(text: str) -> Ids:
    """(n,) the ids of a text of Chinese characters."""
    return np.array([ord(character) - ord("一") + _FIRST for character in text], dtype=np.int64)


def character_of(number: int) -> str:
    """The character of an id."""
    return chr(number - _FIRST + ord("一"))


def packed(ids: Ids) -> Ids:
    """(…, n) ids → (…) one number a sequence. No id is 0, so sequences of every length differ."""
    keys = np.zeros(ids.shape[:-1], dtype=np.int64)
    for place in range(ids.shape[-1]):
        keys = (keys << ID_BITS) | ids[..., place]
    return keys


@dataclass(frozen=True, slots=True)
class Ngrams:
    """One model. `keys` in order; in steps below 0 the natural logarithms of the probability of a sequence's last
    character after the others, and of the weight of a shorter history where the sequence is the history."""

    keys: Ids
    log_p: NDArray[np.uint8]
    backoff: NDArray[np.uint8]
    unknown: float

    @classmethod
    def read(cls, path: Path) -> Ngrams:
        """Raises OSError, KeyError or ValueError for what `save` did not write."""
        with np.load(path, allow_pickle=False) as stored:
            return cls(np.cumsum(stored["steps"]), stored["log_p"], stored["backoff"], float(stored["unknown"]))

    def save(self, path: Path) -> None:
        steps = np.diff(self.keys, prepend=0)  # these take less room than the keys
        np.savez_compressed(path, steps=steps, log_p=self.log_p, backoff=self.backoff, unknown=self.unknown)

    def characters(self) -> str:
        """All that the model has seen."""
        singles = self.keys[slice(*np.searchsorted(self.keys, [_FIRST, 1 << ID_BITS]))]
        return "".join(map(character_of, singles.tolist()))

    def log_probability(self, histories: Ids, characters: Ids) -> Logs:
        """(n, HISTORY) ids, (n,) ids → (n,) logarithms."""
        log_p = self.alone(characters)
        for length in range(1, HISTORY + 1):
            log_p = self._longer(packed(histories[:, HISTORY - length :]), characters, log_p)
        return log_p

    def after(self, histories: Ids, characters: Ids) -> Logs:
        """(n, HISTORY) ids, (m,) ids → (n, m) logarithms of each character after each history."""
        lasts, of_last = np.unique(histories[:, -1], return_inverse=True)
        after_last = self._longer(lasts[:, None], characters, self.alone(characters))
        return self._longer(packed(histories)[:, None], characters, after_last[of_last])

    def alone(self, characters: Ids) -> Logs:
        """(n,) ids → (n,) logarithms of characters after nothing that is known."""
        log_p, found = self._look_up(self.log_p, characters)
        return np.where(found, log_p, self.unknown)

    def _longer(self, histories: Ids, characters: Ids, shorter: Logs) -> Logs:
        """Logarithms of characters after packed histories, of those after the shorter ones."""
        seen, found = self._look_up(self.log_p, histories << ID_BITS | characters)
        weight, _ = self._look_up(self.backoff, histories)
        return np.where(found, seen, weight + shorter)

    def _look_up(self, steps: NDArray[np.uint8], keys: Ids) -> tuple[Logs, NDArray[np.bool_]]:
        """The logarithms of keys, 0 where there is none, and where there is one."""
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        found = self.keys[at] == keys
        return np.where(found, steps[at] / -STEPS, 0.0), found


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """Both models."""

    calls: Ngrams
    general: Ngrams

    @classmethod
    def read(cls, folder: Path) -> LanguageModel:
        """See `Ngrams.read`."""
        return cls(*(Ngrams.read(folder / f"{name}.npz") for name in ("calls", "general")))
