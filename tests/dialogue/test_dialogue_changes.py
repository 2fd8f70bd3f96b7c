"""Where one voice gives way to another, the pause in the sound times the words on both sides."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from qa_monitor.dialogue.changes import RATE, retimed
from qa_monitor.records import Word


class Speech:
    """Noise of a voice's level, near silence in the given pauses."""

    def __init__(self, *pauses: tuple[float, float]) -> None:
        self.samples = np.random.default_rng(1).standard_normal(10 * RATE).astype(np.float32) * 0.1
        for start_s, end_s in pauses:
            self.samples[round(start_s * RATE) : round(end_s * RATE)] *= 0.001

    def read(self, _channel: int, start_s: float, end_s: float) -> np.ndarray:
        return self.samples[round(start_s * RATE) : round(end_s * RATE)]


WORDS = [Word("好", 1.0, 1.4, 0.9, 0), Word("我", 2.2, 2.5, 0.9, 0), Word("家", 2.5, 2.8, 0.9, 0)]


def test_words_beside_a_change_of_voice_end_and_begin_at_the_pause() -> None:
    before, after, last = retimed(WORDS, ["spk0", "spk1", "spk1"], Speech((1.5, 1.9)), 0)
    assert abs(before.end_s - 1.5) <= 0.02
    assert abs(after.start_s - 1.9) <= 0.02
    assert last == WORDS[2]


def test_without_a_change_or_a_pause_nothing_moves() -> None:
    assert retimed(WORDS, ["spk0"] * 3, Speech((1.5, 1.9)), 0) == WORDS
    assert retimed(WORDS, ["spk0", "spk1", "spk1"], Speech(), 0) == WORDS


def test_times_stay_in_order_and_no_word_is_turned_round() -> None:
    for pause in ((1.21, 2.34), (1.3, 1.35), (2.0, 2.3)):
        found = retimed(WORDS, ["spk0", "spk1", "spk0"], Speech(pause), 0)
        assert all(word.start_s < word.end_s for word in found)
        assert all(a.end_s <= b.start_s + 1e-6 for a, b in pairwise(found))
