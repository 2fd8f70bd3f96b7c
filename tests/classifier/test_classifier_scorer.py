"""The shipped classifier as the audit uses it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from qa_monitor.classifier.bundle import Classifier
from qa_monitor.classifier.encoding import AGENT, CUSTOMER
from qa_monitor.classifier.fine_tuned import FineTunedScorer
from qa_monitor.classifier.scorer import bundle_folder
from qa_monitor.dialogue.build import from_text
from qa_monitor.errors import ModelCorrupt, ModelMissing
from qa_monitor.records import Dialogue, ModelScores, dump, load

WARM = [
    ("agent", "您好，供电公司零二六号，请问有什么可以帮您？"),
    ("customer", "我家停电了，冰箱里还有药，急死了"),
    ("agent", "您别着急，给您添麻烦了，我马上派师傅，四十五分钟之内到，您看行吗？"),
    ("customer", "好的好的，太谢谢你了"),
    ("agent", "不客气，还有别的需要我帮忙的吗？"),
    ("customer", "没有了，谢谢"),
    ("agent", "那您有事再打，再见"),
]
RUDE = [
    ("agent", "说，什么事"),
    ("customer", "我家停电了，冰箱里还有药，急死了"),
    ("agent", "停电又不是我停的，你冲我喊什么喊，等着"),
    ("customer", "你什么态度，我要投诉你"),
    ("agent", "随便你投诉，你爱找谁找谁，这事不归我管"),
    ("customer", "太气人了，你们就这么糊弄人"),
    ("agent", "没事别占线"),
]


def dialogue(lines: list[tuple[str, str]]) -> Dialogue:
    return from_text([{"role": role, "text": text} for role, text in lines])


@pytest.fixture(scope="module")
def scorer() -> FineTunedScorer:
    return FineTunedScorer(bundle_folder())


@pytest.fixture(scope="module")
def scores(scorer: FineTunedScorer) -> tuple[ModelScores, ModelScores]:
    warm, rude = scorer.score([dialogue(WARM), dialogue(RUDE)])
    return warm, rude


def test_a_warm_call_is_politer_better_solved_and_more_satisfying(scores: tuple[ModelScores, ModelScores]) -> None:
    warm, rude = scores
    assert warm.politeness is not None
    assert rude.politeness is not None
    assert warm.politeness - rude.politeness > 1.5
    assert warm.satisfaction is not None
    assert rude.satisfaction is not None
    assert warm.satisfaction - rude.satisfaction > 1.5
    assert warm.resolution == "resolved"
    assert rude.resolution == "unresolved"
    assert (warm.accomplishment or 0) > (rude.accomplishment or 0)


def test_the_rude_turn_is_found_with_its_attitude_and_its_words(scores: tuple[ModelScores, ModelScores]) -> None:
    worst = min(scores[1].politeness_turns, key=lambda turn: turn.score)
    assert worst.score < 2
    assert worst.label not in ("courteous", "warm", "neutral")
    text = RUDE[worst.turn][1]
    shown = [turn for turn in scores[1].politeness_turns if turn.words]
    assert shown
    assert all(word in RUDE[turn.turn][1] for turn in shown for word in turn.words)
    assert text


def test_every_agent_turn_has_politeness_and_every_customer_turn_an_emotion(
    scores: tuple[ModelScores, ModelScores],
) -> None:
    for found, lines in zip(scores, (WARM, RUDE), strict=True):
        agent = [place for place, (role, _) in enumerate(lines) if role == "agent"]
        assert [turn.turn for turn in found.politeness_turns] == agent
        assert [turn.turn for turn in found.emotion_turns] == [
            place for place in range(len(lines)) if place not in agent
        ]
        assert all(1 <= turn.score <= 5 for turn in found.politeness_turns)
        assert sum(found.resolution_probabilities.values()) == pytest.approx(1, abs=1e-3)
        assert sum(found.satisfaction_probabilities.values()) == pytest.approx(1, abs=1e-3)


def test_verdicts_cover_every_rule_and_sum_to_one(scores: tuple[ModelScores, ModelScores]) -> None:
    rude = {verdict.rule_id: verdict for verdict in scores[1].verdicts}
    golden = {file.stem for file in (Path(__file__).parents[1] / "golden/rules").glob("*.txt")}
    assert set(rude) == golden
    for verdict in rude.values():
        assert verdict.passed + verdict.failed + verdict.not_applicable == pytest.approx(1, abs=1e-3)
    assert rude["opening.greeting"].failed > 0.5


def test_scores_survive_the_store(scores: tuple[ModelScores, ModelScores]) -> None:
    assert load(ModelScores, dump(scores[0])) == scores[0]


def test_a_call_scores_the_same_alone_and_among_others(
    scorer: FineTunedScorer, scores: tuple[ModelScores, ModelScores]
) -> None:
    assert scorer.score([dialogue(RUDE)])[0] == scores[1]


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([("agent", "您好")], "客户"),
        ([("customer", "喂，有人吗")], "坐席"),
        ([("agent", ""), ("customer", "喂")], "坐席"),
    ],
)
def test_one_side_silent_is_no_score(scorer: FineTunedScorer, lines: list[tuple[str, str]], why: str) -> None:
    found = scorer.score([dialogue(lines)])[0]
    assert found.politeness is None
    assert found.resolution is None
    assert why in (found.abstained or "")


def test_no_calls(scorer: FineTunedScorer) -> None:
    assert scorer.score([]) == []


def test_a_very_long_call_is_read_whole() -> None:
    classifier = Classifier(bundle_folder())
    turns = [(AGENT if place % 2 else CUSTOMER, f"第{place}句，这边再看一下电表的读数好不好") for place in range(400)]
    found = classifier.predict([turns, turns[:3]])
    assert found[0].shares["turn.politeness"].shape == (400, 5)
    assert found[1].shares["turn.politeness"].shape == (3, 5)
    assert np.allclose(found[0].shares["rules"].sum(-1), 1, atol=1e-4)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match=r"encoder\.onnx"):
        Classifier(tmp_path)


def test_a_broken_description_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "classifier"
    shutil.copytree(bundle_folder(), folder)
    (folder / "bundle.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelCorrupt, match=r"bundle\.json"):
        Classifier(folder)


def test_the_daily_audit_needs_no_torch() -> None:
    code = (
        "import sys; sys.modules['torch'] = None; sys.modules['transformers'] = None\n"
        "from qa_monitor.classifier.scorer import load_scorer\n"
        "load_scorer()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_small_enough_to_ship() -> None:
    assert sum(file.stat().st_size for file in bundle_folder().parent.rglob("*") if file.is_file()) <= 40_000_000
