"""The weights that tell what the model's view of a rule is worth beside what its conditions say."""

from __future__ import annotations

from pathlib import Path

import pytest

from qa_monitor.classifier.fine_tuned import FineTunedScorer
from qa_monitor.classifier.scorer import bundle_folder
from qa_monitor.classifier.verdicts import FILE, SAID, carry_weights, read_weights, write_weights
from qa_monitor.dialogue.build import from_text
from qa_monitor.errors import ModelCorrupt, TrainingDataError
from qa_monitor.records import ModelScores, Said, Shares, dump, load
from qa_monitor.training.verdicts import Case, learn_verdicts

SURE_FAIL: Shares = (0.04, 0.95, 0.01)
SURE_PASS: Shares = (0.95, 0.04, 0.01)


def cases(rule: str, said: Said, shares: Shares, label: str, count: int) -> list[Case]:
    return [Case(rule, said, shares, label)] * count  # type: ignore[arg-type]


def test_each_rule_learns_whom_to_believe(tmp_path: Path) -> None:
    """Where the words were right the words are believed, where the model was right the model."""
    told = [
        *cases("by.words", "fail", SURE_PASS, "fail", 30),
        *cases("by.words", "pass", SURE_FAIL, "pass", 30),
        *cases("by.model", "fail", SURE_PASS, "pass", 30),
        *cases("by.model", "pass", SURE_FAIL, "fail", 30),
        *cases("by.model", "not_applicable", (0.05, 0.05, 0.9), "not_applicable", 10),
    ]
    with pytest.raises(TrainingDataError, match="not_applicable"):
        learn_verdicts(told[:-10])
    write_weights(tmp_path, learn_verdicts(told), {"calls": 60})
    weights = read_weights(tmp_path)
    words, model = weights.beside("by.words", SURE_PASS), weights.beside("by.model", SURE_PASS)
    assert words is not None
    assert model is not None
    assert words["fail"][1] > 0.5 > model["fail"][1]


def test_every_answer_is_a_distribution_and_unknown_rules_have_none() -> None:
    weights = read_weights(bundle_folder())
    for rule in weights.rules:
        for shares in (SURE_FAIL, SURE_PASS, (0.0, 0.0, 1.0)):
            found = weights.beside(rule, shares)
            assert found is not None
            assert set(found) == set(SAID)
            assert all(sum(three) == pytest.approx(1, abs=0.002) for three in found.values())
    assert weights.beside("another.rule", SURE_FAIL) is None


def test_in_every_shipped_rule_more_doubt_of_the_model_makes_a_fail_likelier() -> None:
    weights = read_weights(bundle_folder())
    for rule in weights.rules:
        sure, not_sure = weights.beside(rule, SURE_FAIL), weights.beside(rule, SURE_PASS)
        assert sure is not None
        assert not_sure is not None
        assert all(sure[said][1] > not_sure[said][1] for said in SAID), rule


def test_a_model_without_the_file_says_nothing_of_the_conditions(tmp_path: Path) -> None:
    assert read_weights(tmp_path).beside("closing.farewell", SURE_FAIL) is None


def test_other_weights_are_another_version() -> None:
    weights = read_weights(bundle_folder())
    assert FineTunedScorer(bundle_folder()).version.endswith(f"-{weights.fingerprint}")


@pytest.mark.parametrize("content", ["{", "[]", '{"rules": {"a": {"pass": [1]}}}', '{"rules": {"a": 1}}'])
def test_a_spoiled_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content, encoding="utf-8")
    with pytest.raises(ModelCorrupt, match=FILE):
        read_weights(tmp_path)


def test_a_model_that_learns_on_keeps_them(tmp_path: Path) -> None:
    carry_weights(bundle_folder(), tmp_path)
    assert read_weights(tmp_path) == read_weights(bundle_folder())
    carry_weights(tmp_path / "none", tmp_path)


def test_they_survive_the_store() -> None:
    turns = [{"role": "agent", "text": "说，什么事"}, {"role": "customer", "text": "我家停电了"}]
    (scores,) = FineTunedScorer(bundle_folder()).score([from_text(turns)])
    assert scores.verdicts[0].beside is not None
    assert load(ModelScores, dump(scores)) == scores
