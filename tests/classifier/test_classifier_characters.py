"""The character regression beside the network that public figures are for."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from qa_monitor.classifier.characters import FILE, SLOTS, CharacterRidge, read_characters, slots
from qa_monitor.classifier.scorer import bundle_folder
from qa_monitor.errors import ModelCorrupt
from qa_monitor.training.characters import fit_characters

POLITE = ["谢谢您的指点", "非常感谢您", "辛苦您看一下，谢谢", "麻烦您了，多谢"]
RUDE = ["胡说八道", "你懂什么", "别在这里胡闹", "少来这套胡话"]


def test_it_tells_kind_words_from_rude_ones_in_texts_it_has_not_seen() -> None:
    fitted = fit_characters([*POLITE, *RUDE], [4.0] * 4 + [0.0] * 4)
    kind, rude = fitted.predict(["谢谢您", "胡闹什么"])
    assert 0 <= rude < fitted.mean < kind <= 4


def test_repeating_a_word_counts_less_and_less_and_length_not_at_all() -> None:
    (once,) = set(slots("谢").values())
    found = slots("谢谢谢谢")
    assert sorted(found.values()) == pytest.approx([once + math.log(3), once + math.log(4)])
    fitted = fit_characters([*POLITE, *RUDE], [4.0] * 4 + [0.0] * 4)
    assert fitted.predict(["谢谢"])[0] > fitted.predict(["谢谢，少来"])[0]


def test_a_text_without_characters_gets_the_mean() -> None:
    fitted = fit_characters([*POLITE, *RUDE], [4.0] * 4 + [0.0] * 4)
    assert fitted.predict([""])[0] == fitted.mean


def test_what_is_stored_says_the_same(tmp_path: Path) -> None:
    fitted = fit_characters([*POLITE, *RUDE], [4.0] * 4 + [0.0] * 4)
    fitted.write(tmp_path)
    stored = read_characters(tmp_path)
    assert stored is not None
    assert stored.predict(POLITE) == pytest.approx(fitted.predict(POLITE), abs=0.01)


def test_no_file_is_no_regression_and_a_spoiled_one_is_named(tmp_path: Path) -> None:
    assert read_characters(tmp_path) is None
    CharacterRidge(np.zeros(3, np.float32), np.zeros(SLOTS, np.float32), 0.0).write(tmp_path)
    with pytest.raises(ModelCorrupt, match=FILE):
        read_characters(tmp_path)
    for spoiled in (b"PK", (tmp_path / FILE).read_bytes()[:-40]):
        (tmp_path / FILE).write_bytes(spoiled)
        with pytest.raises(ModelCorrupt, match=FILE):
            read_characters(tmp_path)


def test_the_shipped_one_knows_thanks_from_abuse() -> None:
    shipped = read_characters(bundle_folder("written"))
    assert shipped is not None
    kind, rude = shipped.predict(["非常感谢您的帮助，辛苦了", "你这个人胡说八道，滚"])
    assert kind > rude + 0.5
