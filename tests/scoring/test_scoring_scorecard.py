"""Scorecards: the sum, step by step; what leaves it; what ends it; and what is not scored at all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa_monitor.errors import RuleFileError
from qa_monitor.records import CallFacts, CallScore, Dialogue, Finding, ModelScores, Turn, dump
from qa_monitor.scoring.scorecard import Scorecard, load_scorecard

SHIPPED = Path(__file__).parents[2] / "rules" / "scorecards"
CARD = """
name: 试验表
dimensions:
  - name: 服务规范
    weight: 40
    rules:
      a.greet: 5
      a.hold: 5
  - name: 服务态度
    weight: 60
    full: 10
    rules:
      b.rude: {points: 4, cap: 12}
      b.veto: {points: 10, veto: yes}
"""
TALK = Dialogue((Turn(0, "agent", "您好"), Turn(1, "customer", "喂"), Turn(2, "agent", "再见")))


def card(tmp_path: Path, text: str = CARD) -> Scorecard:
    path = tmp_path / "card.yaml"
    path.write_text(text, encoding="utf-8")
    return load_scorecard(path)


def finding(rule_id: str, verdict: str = "pass", **changes: object) -> Finding:
    values: dict[str, object] = {
        "rule_version": "1", "name": rule_id, "category": "服务规范", "severity": "minor", "confidence": 1.0, "why": "因为",
    }  # fmt: skip
    return Finding(rule_id=rule_id, verdict=verdict, **{**values, **changes})  # type: ignore[arg-type]


def score(card: Scorecard, *findings: Finding, facts: CallFacts | None = None, model: ModelScores | None = None,
          dialogue: Dialogue = TALK) -> CallScore:  # fmt: skip
    return card.score(findings, model, facts or CallFacts(), dialogue)


ALL_PASS = (finding("a.greet"), finding("a.hold"), finding("b.rude"), finding("b.veto"))


def with_verdicts(**verdicts: str) -> list[Finding]:
    named = {key.replace("_", "."): verdict for key, verdict in verdicts.items()}
    return [finding(f.rule_id, named.get(f.rule_id, "pass")) for f in ALL_PASS]


def test_nothing_wrong_is_a_hundred(tmp_path: Path) -> None:
    assert score(card(tmp_path), *ALL_PASS).points == 100


def test_the_sum(tmp_path: Path) -> None:
    found = score(card(tmp_path), *with_verdicts(a_greet="fail", b_rude="fail"))
    assert [(d.name, d.weight, d.score) for d in found.dimensions] == [("服务规范", 40, 50), ("服务态度", 60, 60)]
    assert found.points == 56
    assert found.arithmetic.splitlines() == [
        "服务规范：满分 10，扣 5（a.greet −5），得 5/10 → 50 分",
        "服务态度：满分 10，扣 4（b.rude −4），得 6/10 → 60 分",
        "总分：(服务规范 50×40 + 服务态度 60×60) ÷ 100 = 56",
    ]


def test_what_does_not_apply_leaves_the_sum(tmp_path: Path) -> None:
    found = score(card(tmp_path), *with_verdicts(a_greet="fail", a_hold="not_applicable"))
    assert found.dimensions[0].score == 0
    found = score(card(tmp_path), *with_verdicts(a_greet="fail", a_hold="unsure"))
    assert found.dimensions[0].score == 0
    assert "另有 1 项不适用或无法判断，不计" in found.arithmetic


def test_a_dimension_without_items_leaves_the_weights(tmp_path: Path) -> None:
    found = score(card(tmp_path), *with_verdicts(a_greet="unsure", a_hold="not_applicable", b_rude="fail"))
    assert (found.dimensions[0].score, found.dimensions[0].weight) == (None, 0)
    assert found.points == 60


def test_nothing_applies(tmp_path: Path) -> None:
    found = score(card(tmp_path))
    assert (found.points, found.not_scored) == (None, "没有一项适用于这通电话")


def test_caps_and_full_marks(tmp_path: Path) -> None:
    rude = finding("b.rude", "fail", count=2)
    found = score(card(tmp_path), finding("a.greet"), rude)
    assert found.dimensions[1].lines[0].points == -8
    assert found.dimensions[1].score == 20  # 8 of full marks 10
    often = score(card(tmp_path), finding("a.greet"), finding("b.rude", "fail", count=50))
    assert often.dimensions[1].lines[0].points == -12
    assert often.dimensions[1].score == 0
    assert "扣完为止" in often.arithmetic


def test_suspected_findings_cost_nothing(tmp_path: Path) -> None:
    found = score(card(tmp_path), finding("a.greet", "fail", suspected=True), finding("b.veto", "fail", suspected=True))
    assert (found.points, found.veto) == (100, ())


def test_veto_ends_the_score_and_keeps_the_sum(tmp_path: Path) -> None:
    found = score(card(tmp_path), *with_verdicts(b_veto="fail"))
    assert (found.points, found.veto) == (0, ("b.veto",))
    assert "一票否决：b.veto（b.veto），总分记 0（否决前 40 分）" in found.arithmetic


def test_the_rules_own_veto_holds_unless_the_card_says_no(tmp_path: Path) -> None:
    broken = finding("a.greet", "fail", veto=True)
    assert score(card(tmp_path), broken).veto == ("a.greet",)
    mild = CARD.replace("a.greet: 5", "a.greet: {points: 5, veto: no}")
    assert score(card(tmp_path, mild), broken).veto == ()


def test_business_types(tmp_path: Path) -> None:
    text = (
        CARD
        + """
business:
  - match: [投诉]
    weights: {服务规范: 10}
    rules: {a.greet: 10, a.hold: no}
"""
    )
    findings = with_verdicts(a_greet="fail", a_hold="fail")
    usual = score(card(tmp_path, text), *findings, facts=CallFacts(business="报修"))
    complaint = score(card(tmp_path, text), *findings, facts=CallFacts(business="服务投诉"))
    assert usual.dimensions[0].weight == 40
    assert complaint.dimensions[0].weight == 10
    assert [(line.rule_id, line.possible) for line in complaint.dimensions[0].lines] == [("a.greet", 10)]


def test_unlisted_rules_count_where_they_say(tmp_path: Path) -> None:
    extra = finding("z.other", "fail", points=10.0)
    found = score(card(tmp_path), *ALL_PASS, extra)
    assert found.dimensions[0].score == 50
    ignored = score(card(tmp_path, CARD + "unlisted: ignore\n"), *ALL_PASS, extra)
    assert ignored.points == 100
    assert ignored.dimensions[-1].name == "不计分的发现"
    assert "不计分的发现：z.other" in ignored.arithmetic


def test_bonus(tmp_path: Path) -> None:
    text = CARD + "bonus: {cap: 3, rules: {c.online: 2, c.warm: 2}}\n"
    findings = with_verdicts(b_rude="fail")
    found = score(card(tmp_path, text), *findings, finding("c.online"), finding("c.warm"))
    assert found.points == 79  # 76 + 3 of 4
    assert found.dimensions[-1].name == "加分项"
    assert score(card(tmp_path, text), *findings, finding("c.online", "not_applicable")).points == 76
    assert score(card(tmp_path, text), *ALL_PASS, finding("c.online")).points == 100


def model(**changes: object) -> ModelScores:
    values: dict[str, object] = {
        "scorer": "基线", "scorer_version": "1", "politeness": 3.5, "politeness_turns": (), "emotion_turns": (),
        "resolution": "partial", "resolution_probabilities": {}, "deciding_turn": None, "satisfaction": 4.0,
    }  # fmt: skip
    return ModelScores(**{**values, **changes})  # type: ignore[arg-type]


MODELS = """
name: 模型表
dimensions:
  - name: 服务态度
    weight: 50
    models:
      politeness: {points: 10, scale: {1: 0, 3: 6, 5: 10}}
      satisfaction: {name: 满意, points: 4, scale: {1: 0, 5: 4}}
  - name: 解决
    weight: 50
    models:
      resolution: {points: 10, scale: {已解决: 10, 部分解决: 5, unresolved: 0}}
"""


def test_model_items(tmp_path: Path) -> None:
    found = score(card(tmp_path, MODELS), model=model())
    assert [(line.name, line.points, line.possible) for line in found.dimensions[0].lines] == [
        ("礼貌程度", -3.0, 10),
        ("满意", -1.0, 4),
    ]
    assert found.dimensions[1].lines[0].points == -5
    assert "基线给 3.5 分" in found.dimensions[0].lines[0].why
    assert "部分解决" in found.dimensions[1].lines[0].why


@pytest.mark.parametrize(("value", "lost"), [(1.0, 10), (2.0, 7), (3.0, 4), (4.0, 2), (5.0, 0)])
def test_scales_are_straight_lines(tmp_path: Path, value: float, lost: float) -> None:
    line = score(card(tmp_path, MODELS), model=model(politeness=value)).dimensions[0].lines[0]
    assert line.points == -lost


def test_a_model_that_abstains_leaves_the_sum(tmp_path: Path) -> None:
    silent = model(politeness=None, resolution=None, abstained="话太少")
    found = score(card(tmp_path, MODELS), model=silent)
    assert [d.score for d in found.dimensions] == [75, None]
    assert found.dimensions[0].lines[0].why == "话太少"
    assert score(card(tmp_path, MODELS)).points is None


# --- not scored ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dialogue", "reason"),
    [
        (Dialogue(()), "无人声"),
        (Dialogue((Turn(0, "agent", " "),)), "无人声"),
        (Dialogue(TALK.turns, duration_s=0.2), "过短"),
        (Dialogue(TALK.turns[:1]), "过短"),
        (Dialogue(TALK.turns, roles_from="unknown"), "分不清"),
        (Dialogue(TALK.turns, role_confidence=0.2), "分不清"),
        (Dialogue(tuple(Turn(i, "unknown", "好") for i in range(3))), "分不清"),
        (Dialogue(tuple(Turn(i, "customer", "好") for i in range(3))), "没有坐席"),
        (Dialogue((*TALK.turns, Turn(3, "agent", "请不吝点赞订阅转发", suspect="stock_phrase"))), "不可信"),
    ],
)
def test_calls_that_are_not_scored(tmp_path: Path, dialogue: Dialogue, reason: str) -> None:
    found = score(card(tmp_path), *ALL_PASS, dialogue=dialogue)
    assert found.points is None
    assert found.not_scored is not None
    assert reason in found.not_scored
    assert found.arithmetic == f"不评分：{found.not_scored}"


def test_limits_can_be_set(tmp_path: Path) -> None:
    loose = card(tmp_path, CARD + "not_scored: {min_turns: 1, min_seconds: 0.1}\n")
    assert score(loose, *ALL_PASS, dialogue=Dialogue(TALK.turns[:1], duration_s=0.2)).points == 100


# --- properties ---------------------------------------------------------------------------------------------------

VERDICTS = st.sampled_from(["pass", "fail", "not_applicable", "unsure"])
SHIPPED_CARDS = {path.stem: load_scorecard(path) for path in sorted(SHIPPED.glob("*.yaml"))}


def random_findings(name: str) -> st.SearchStrategy[list[Finding]]:
    items = [item.rule_id for dimension in SHIPPED_CARDS[name].card.dimensions for item in dimension.rules]
    one = st.tuples(VERDICTS, st.booleans(), st.integers(1, 5))
    return st.lists(one, min_size=len(items), max_size=len(items)).map(
        lambda drawn: [
            finding(rule_id, verdict, suspected=suspected and verdict == "fail", count=count)
            for rule_id, (verdict, suspected, count) in zip(items, drawn, strict=True)
        ]
    )


@pytest.mark.parametrize("name", sorted(SHIPPED_CARDS))
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_points_can_be_worked_out_again_from_what_is_shown(name: str, data: st.DataObject) -> None:
    found = score(SHIPPED_CARDS[name], *data.draw(random_findings(name)), model=model())
    assert found.points is not None
    assert 0 <= found.points <= 100
    counted = [d for d in found.dimensions if d.score is not None and d.weight]
    weight = sum(d.weight for d in counted)
    base = sum((d.score or 0) * d.weight for d in counted) / weight
    shown = re.search(r"÷ ([\d.]+) = ([\d.]+)$", found.arithmetic, re.MULTILINE)
    assert shown is not None
    assert float(shown[1]) == weight
    assert float(shown[2]) == pytest.approx(base, abs=0.0501)
    bonus = sum(line.points for d in found.dimensions if d.name == "加分项" for line in d.lines)
    expected = 0 if found.veto else min(100, float(shown[2]) + min(3, bonus))
    assert found.points == pytest.approx(expected, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(findings=random_findings("power_95598"), worse=st.integers(0, 30))
def test_one_more_fault_never_helps(findings: list[Finding], worse: int) -> None:
    card_ = SHIPPED_CARDS["power_95598"]
    at = worse % len(findings)
    if findings[at].verdict != "pass":
        return
    before = score(card_, *findings, model=model()).points or 0
    findings[at] = finding(findings[at].rule_id, "fail")
    assert (score(card_, *findings, model=model()).points or 0) <= before


def test_the_same_findings_give_the_same_bytes() -> None:
    findings = [
        finding("opening.greeting", "fail"),
        finding("safety.advice", "fail"),
        finding("x.y", "fail", points=3.0),
    ]
    made = [dump(score(load_scorecard(SHIPPED / "power_95598.yaml"), *findings, model=model())) for _ in range(2)]
    assert made[0] == made[1]


# --- files --------------------------------------------------------------------------------------------------------

REQUIRED_RULES = [
    "opening.greeting",
    "opening.self_intro",
    "opening.ask_need",
    "identity.verify",
    "hold.courtesy",
    "empathy.apology",
    "safety.advice",
    "solution.confirm",
    "closing.anything_else",
    "closing.farewell",
    "attitude.forbidden_expression",
    "attitude.blame_customer",
    "attitude.buck_passing",
    "attitude.interrupt",
    "attitude.impatience",
    "attitude.sarcasm",
    "promise.time_limit",
    "transfer.courtesy",
    "privacy.leak",
    "jargon",
    "script.repetition",
    "hangup.first",
    "arrears.compliance",
    "complaint.accept",
    "process.friction",
    "digital.guide",
]


def test_the_power_card_covers_every_rule() -> None:
    listed = {item.rule_id for dimension in SHIPPED_CARDS["power_95598"].card.dimensions for item in dimension.rules}
    assert listed == set(REQUIRED_RULES)


def test_version_follows_content_not_layout(tmp_path: Path) -> None:
    version = card(tmp_path).version
    assert card(tmp_path, "# 注释\n" + CARD).version == version
    assert card(tmp_path, CARD.replace("a.greet: 5", "a.greet: 6")).version != version


BAD = [
    ("name: 表", "dimensions"),
    (CARD + "extra: 1\n", "extra"),
    (CARD.replace("weight: 40", "weight: 很多"), "weight"),
    (CARD.replace("a.hold: 5", "b.rude: 5"), "两次"),
    (CARD.replace("cap: 12", "cap: 1"), "上限"),
    (CARD.replace("cap: 12", "caps: 12"), "caps"),
    (CARD.replace("a.greet", "打招呼"), "打招呼"),
    (CARD.replace("weight: 40", "weight: 0").replace("weight: 60", "weight: 0"), "都是 0"),
    (CARD + "business: [{match: 投诉, weights: {没有: 1}}]\n", "没有维度"),
    (CARD + "business: [{match: 投诉, rules: {no.such: 1}}]\n", "no.such"),
    (CARD + "not_scored: {min_turn: 3}\n", "min_turn"),
    (MODELS.replace("politeness:", "politness:"), "politness"),
    (MODELS.replace("unresolved: 0", "resolved: 0"), "unresolved"),
    (MODELS.replace("3: 6", "9: 6"), "1～5"),
    (MODELS.replace("3: 6", "3: 16"), "0～10"),
]


@pytest.mark.parametrize(("text", "what"), BAD)
def test_bad_scorecards(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(RuleFileError, match=what) as caught:
        card(tmp_path, text)
    assert re.fullmatch(r"card\.yaml:\d+", caught.value.where)
