"""`trust_words`: the model's verdict on a rule weighed against what its conditions say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from qa_monitor.classifier.verdicts import SAID
from qa_monitor.dialogue.build import from_text
from qa_monitor.errors import RuleFileError
from qa_monitor.records import CallFacts, Finding, ModelScores, ModelVerdict, Said
from qa_monitor.rules.rulebook import load_rulebook

RULE = """
rules:
  - id: demo.greeting
    name: 问候
    category: 服务规范
    trust_words: {trust}
    check: {{phrase: 您好}}
"""
GREETED = [{"role": "agent", "text": "您好，请讲"}, {"role": "customer", "text": "我家停电了"}]
UNGREETED = [{"role": "agent", "text": "早啊师傅"}, {"role": "customer", "text": "我家停电了"}]


def scores(passed: float, failed: float, not_applicable: float, rule: str = "demo.greeting") -> ModelScores:
    verdict = ModelVerdict(rule, passed, failed, not_applicable, turn=0)
    return ModelScores("微调模型", "1", None, (), (), None, {}, None, None, verdicts=(verdict,))


def found(
    folder: Path, trust: str, turns: list[dict[str, str]], model: ModelScores | None, rule: str = RULE
) -> Finding:
    pack = folder / "demo"
    pack.mkdir(exist_ok=True)
    (pack / "demo.yaml").write_text(rule.format(trust=trust), encoding="utf-8")
    return load_rulebook(folder, ["demo"]).check(from_text(turns), CallFacts(), model)[0]


def test_words_alone_decide_when_trusted_wholly(tmp_path: Path) -> None:
    assert found(tmp_path, "1", UNGREETED, scores(0.99, 0.01, 0)).verdict == "fail"


def test_a_sure_model_overrules_and_says_so_with_its_place(tmp_path: Path) -> None:
    finding = found(tmp_path, "0.4", UNGREETED, scores(0.97, 0.02, 0.01))
    assert finding.verdict == "pass"
    assert "模型" in finding.why
    assert finding.confidence == pytest.approx(0.97)
    assert (finding.evidence[0].turn, finding.evidence[0].match) == (0, "model")


def test_an_unsure_model_leaves_it_to_the_words(tmp_path: Path) -> None:
    finding = found(tmp_path, "0.4", UNGREETED, scores(0.5, 0.3, 0.2))
    assert finding.verdict == "fail"
    assert "模型" not in finding.why


def test_what_costs_points_needs_more_support_than_the_rest_together(tmp_path: Path) -> None:
    assert found(tmp_path, "0.4", UNGREETED, scores(0.5, 0.2, 0.3)).verdict == "pass"
    assert found(tmp_path, "0.4", UNGREETED, scores(0.5, 0.3, 0.2)).verdict == "fail"


def test_agreement_keeps_the_words_as_evidence(tmp_path: Path) -> None:
    finding = found(tmp_path, "0.4", GREETED, scores(0.9, 0.1, 0))
    assert (finding.verdict, finding.evidence[0].quote) == ("pass", "您好")


@pytest.mark.parametrize("model", [None, scores(0, 1, 0, "another.rule")])
def test_without_the_models_verdict_the_words_decide(tmp_path: Path, model: ModelScores | None) -> None:
    assert found(tmp_path, "0", GREETED, model).verdict == "pass"


def learnt(said: Said, passed: float, failed: float, not_applicable: float) -> ModelScores:
    """A model that sees a pass, and has learnt what that is worth beside conditions that say `said`."""
    plain = scores(0.9, 0.05, 0.05)
    (verdict,) = plain.verdicts
    beside = dict.fromkeys(SAID, (1.0, 0.0, 0.0)) | {said: (passed, failed, not_applicable)}
    return replace(plain, verdicts=(replace(verdict, beside=beside),))


def test_what_was_learnt_of_both_decides_and_not_the_share(tmp_path: Path) -> None:
    kept = found(tmp_path, "0.1", UNGREETED, learnt("fail", 0.3, 0.6, 0.1))
    assert (kept.verdict, "模型" in kept.why) == ("fail", False)
    overruled = found(tmp_path, "0.9", UNGREETED, learnt("fail", 0.2, 0.3, 0.5))
    assert (overruled.verdict, overruled.confidence) == ("not_applicable", 0.5)
    assert "模型" in overruled.why


def test_a_learnt_fail_needs_a_little_more_than_half(tmp_path: Path) -> None:
    assert found(tmp_path, "0.4", GREETED, learnt("pass", 0.26, 0.54, 0.2)).verdict == "pass"
    assert found(tmp_path, "0.4", GREETED, learnt("pass", 0.24, 0.56, 0.2)).verdict == "fail"


@pytest.mark.parametrize(("by_itself", "beside", "suspected"), [(0.7, 0.8, False), (0.3, 0.8, True), (0.7, 0.3, True)])
def test_what_the_words_suspect_the_model_confirms_or_leaves_to_a_person(
    tmp_path: Path, by_itself: float, beside: float, suspected: bool
) -> None:
    turns = [{"role": "agent", "text": "不规我管，找物业去"}, {"role": "customer", "text": "我家停电了"}]
    forbidden = RULE.replace("check: {{phrase: 您好}}", "violation: {{phrase: 不归我管}}")
    alone = found(tmp_path, "1", turns, None, forbidden)
    assert (alone.verdict, alone.suspected) == ("fail", True)
    model = learnt("suspected", 1 - beside, beside, 0)
    model = replace(model, verdicts=(replace(model.verdicts[0], passed=1 - by_itself, failed=by_itself),))
    finding = found(tmp_path, "0.4", turns, model, forbidden)
    assert (finding.verdict, finding.suspected) == ("fail", suspected)
    assert finding.evidence[0].quote == "不规我管"


def test_the_explanation_tells_what_each_says_and_what_comes_of_it(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    for trust, told in (
        ("0.4", "条件说不合格；模型：合格 90%、不合格 5%、不适用 5%；合起来：合格 30%、不合格 60%、不适用 10%"),
        ("1", None),
    ):
        (tmp_path / "demo" / "demo.yaml").write_text(RULE.format(trust=trust), encoding="utf-8")
        book = load_rulebook(tmp_path, ["demo"])
        model = learnt("fail", 0.3, 0.6, 0.1)
        assert book.explain("demo.greeting", from_text(UNGREETED), CallFacts(), model).weighed == told


def test_a_share_outside_0_to_1_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuleFileError, match="trust_words"):
        found(tmp_path, "3", GREETED, None)
