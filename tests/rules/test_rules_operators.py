"""Every operator on small calls: one that it must find, one that it must not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rules_helpers import MakeRule, call, only

from qa_monitor.records import (
    CallFacts,
    Dialogue,
    ModelScores,
    Overlap,
    Silence,
    Turn,
    TurnEmotion,
    TurnPoliteness,
    TurnProsody,
)
from qa_monitor.rules import fields
from qa_monitor.rules.rulebook import Rulebook

# operator → (condition, call in which it holds, call in which it does not)
TEXT_CASES: list[tuple[str, str, str, str]] = [
    ("phrase", "phrase: [不归我管, 你问我我问谁]", "这事不归我管", "这事归我管"),
    ("phrase", "phrase: 请…稍等", "请您在线上稍等", "请问您贵姓。稍等"),
    ("phrase", "phrase: 请…稍等\ngap: 2", "请您先稍等", "请您在线上耐心稍等"),
    ("phrase", "phrase: '请[您]稍(等|候)'", "请您稍候", "请您稍微"),
    ("phrase", "phrase: 请*稍等", "請您稍等", "请您坐等"),
    ("phrase", "phrase: [金额, 日期]\nneed: all", "坐席：金额一百 | 坐席：日期五号", "金额一百"),
    ("phrase", "phrase: [金额, 日期]\nneed: all\nsame_turn: yes", "金额和日期", "坐席：金额一百 | 坐席：日期五号"),
    ("phrase", "phrase: [金额, 日期, 渠道]\nneed: 2", "日期渠道都说了", "渠道说了"),
    ("phrase", "phrase: [金额, 日期]\nneed: none", "别的事", "日期五号"),
    ("phrase", "phrase: 不知道\nexcept: [不知道您]", "我不知道", "不知道您方便吗"),
    ("phrase", "phrase: [喂, 什么]\nat: alone", "喂？", "喂您好"),
    ("phrase", "phrase: 您好\nat: start", "嗯，您好国家电网", "好的，那您好好休息"),
    ("phrase", "phrase: 再见\nat: end", "感谢来电再见啊", "再见到他的时候说一声"),
    ("phrase", "phrase: 不归我管\npinyin: no", "不归我管", "不规我管"),
    ("phrase", "phrase: [不归我管, 请稍等]\npinyin: 4", "这事不规我管", "请烧等"),
    ("phrase", "phrase: [不归我管, 请稍等]\npinyin: 4", "请稍等", "请烧灯"),
    # a short wording forgives one wrong syllable, not a misheard one beside it; half of three characters is two
    ("phrase", "phrase: 替您着急", "我替您找急", "我给您找急"),
    ("phrase", "phrase: 多包涵", "您多包含", "您多抱寒"),
    # what was said word for word is not excused by an exception that is only nearly heard
    ("phrase", "phrase: 马上派人\nexcept: [马上派您去]", "马上派人去", "马上派您去"),
    # the first by place, whichever alternative found it
    (
        "before",
        "before: [{phrase: 核对}, {any: [{phrase: 余额}, {phrase: 欠费}]}]\nwhich: first",
        "坐席：核对一下 | 坐席：您欠费了 | 坐席：余额是零",
        "坐席：您欠费了 | 坐席：核对一下 | 坐席：余额是零",
    ),
    ("word", "word: [退费]", "给您退费", "给您退还费用"),
    ("word", "word: [会]", "明天会有人上门", "找会计处理"),
    ("pattern", "pattern: '\\d{3,6}号'", "１２３号为您服务", "三号楼"),
    ("pattern", "pattern: '^喂'", "坐席：好 | 坐席：喂", "坐席：好喂"),
    ("pattern", "pattern: '\\d{4,}'\nexcept_pattern: '户号\\d+'", "尾号1234", "户号12345"),
    ("similar", "similar: 您反映的问题我已经记录下来了\nthreshold: 0.6", "您反映的问题我都记录下来了", "今天天气不错我去查查"),
    ("repeat", "repeat: 至少 3 次", "坐席：请您耐心等待处理结果 | 坐席：请您耐心等待处理结果啊 | 坐席：请您耐心等待处理结果",
     "坐席：请您耐心等待处理结果 | 坐席：抢修师傅已经出发 | 坐席：请您耐心等待处理结果"),
    ("repeat", "repeat: 至少 2 次\nof: other", "客户：我家停电已经两天了 | 坐席：我家停电已经两天了",
     "坐席：我家停电已经两天了 | 坐席：我家停电已经两天了"),
    ("repeat", "repeat: 至少 3 次\npart: yes",
     "坐席：哦，线路已消缺恢复供电 | 坐席：我再看看，线路已消缺恢复供电 | 坐席：备注里写的线路已消缺恢复供电",
     "坐席：哦，线路已消缺恢复供电 | 坐席：我再看看，单子还没有回 | 坐席：备注里写的线路已消缺恢复供电"),
    ("repeat", "repeat: 至少 3 次",  # a row is not broken by one that fits only its neighbour
     "坐席：请您耐心等待处理结果 | 坐席：请您耐心等待处理结论通知 | 坐席：您耐心等待结论通知",
     "坐席：请您耐心等待处理结果 | 坐席：您耐心等待结论通知"),
    ("phrase", "phrase: 得再去一趟\nexcept: [不用再去一趟]\npinyin: no", "您得再去一趟", "您不用再去一趟"),
    ("entity", "entity: 时长\nvalue: 超过 24 小时", "三天之内回复您", "四十五分钟到场"),
    ("entity", "entity: 金额", "一共一百二十三块五", "一共三项"),
    ("entity", "entity: 数字\nmin_digits: 6", "户号三四五六七八", "三四五号"),
    ("entity", "entity: 电话", "请拨打幺三八零零幺二三四五六", "请拨打九五五九八"),
    ("entity", "entity: [日期, 时间]", "下周三上午九点半", "回头"),
    ("entity", "entity: 百分比", "百分之二十", "二十块"),
    ("readback", "readback: 至少 6 位", "客户：户号是三四五六七八 | 坐席：三四五六七八对吗", "客户：户号是三四五六七八 | 坐席：好的"),
    ("readback", "readback: 至少 6 位\ntail: 4", "客户：幺三八零零幺二三四五六 | 坐席：尾号三四五六", "客户：幺三八零零幺二三四五六 | 坐席：尾号三四五七"),
    ("turn_chars", "turn_chars: 少于 3 字", "嗯", "好的没问题"),
    ("turn_count", "turn_count: 至少 2 轮", "坐席：好 | 坐席：好的", "坐席：好 | 客户：好的"),
    ("first_speaker", "first_speaker: agent", "坐席：您好 | 客户：你好", "客户：喂 | 坐席：您好"),
    ("last_speaker", "last_speaker: customer", "坐席：您好 | 客户：你好", "客户：喂 | 坐席：您好"),
    ("all", "all: [{phrase: 您好}, {phrase: 再见}]", "坐席：您好 | 坐席：再见", "坐席：您好"),
    ("any", "any: [{phrase: 您好}, {phrase: 再见}]", "再见", "好的"),
    ("any", "any: [{phrase: 您好}, {phrase: 再见}, {phrase: 谢谢}]\nneed: 2", "您好谢谢", "谢谢"),
    ("not", "not: {phrase: 再见}", "您好", "再见"),
    ("before", "before: [{phrase: 您好}, {phrase: 户号}]", "坐席：您好 | 坐席：户号报一下", "坐席：户号报一下 | 坐席：您好"),
    ("before", "before: [{phrase: 您好}, {phrase: 户号}]\nturns: 1", "坐席：您好 | 坐席：户号", "坐席：您好 | 客户：嗯 | 坐席：户号"),
    ("after", "after: [{phrase: 久等}, {phrase: 请稍等}]", "坐席：请稍等 | 坐席：让您久等了", "坐席：让您久等了 | 坐席：请稍等"),
    ("after", "after: [{phrase: 久等}, {phrase: 请稍等}]\nwhich: every",
     "坐席：请稍等 | 坐席：久等了 | 坐席：请稍等 | 坐席：久等了", "坐席：请稍等 | 坐席：久等了 | 坐席：请稍等"),
    ("after", "after: [{phrase: 久等}, {phrase: 请稍等}]\nturns: 1\nwhich: 2",
     "坐席：请稍等 | 客户：嗯 | 坐席：请稍等 | 坐席：久等了", "坐席：请稍等 | 坐席：久等了 | 坐席：请稍等 | 坐席：好"),
    ("within", "within: [{phrase: 停电}, {phrase: 赔偿}]\nturns: 1", "坐席：赔偿 | 坐席：停电", "坐席：赔偿 | 坐席：好 | 坐席：停电"),
    ("count", "count: {phrase: 听我说}\ntimes: 至少 3 次", "坐席：听我说，听我说 | 坐席：听我说", "坐席：听我说，听我说"),
    ("count", "count: {phrase: 听我说}\ntimes: 至少 2 次\nby: turn", "坐席：听我说 | 坐席：听我说", "坐席：听我说，听我说"),
]  # fmt: skip


@pytest.mark.parametrize(("operator", "condition", "holds", "fails"), TEXT_CASES)
def test_operator_on_words(make_rule: MakeRule, operator: str, condition: str, holds: str, fails: str) -> None:
    assert operator in condition
    book = make_rule("violation:\n" + "\n".join(f"  {line}" for line in condition.splitlines()))
    assert only(book, call(holds)).verdict == "fail"
    assert only(book, call(fails)).verdict == "pass"


def timed(**changes: object) -> Dialogue:
    """Two turns with a clock, to be completed."""
    turns = (
        Turn(0, "customer", "我家里停电了怎么办呢你们快来看看吧", 0.0, 4.0, confidence=0.9),
        Turn(1, "agent", "您好我帮您登记一下请问您的户号是多少", 5.0, 8.0, confidence=0.8),
    )
    return Dialogue(turns, duration_s=30.0, **changes)  # type: ignore[arg-type]


def prosody(**measured: float) -> Dialogue:
    return timed(prosody=(TurnProsody(1, **measured),))


QUIET = timed()
SOUND_CASES: list[tuple[str, Dialogue, Dialogue]] = [
    ("silence: 超过 10 秒", timed(silences=(Silence(8.0, 20.0, 1),)), timed(silences=(Silence(8.0, 12.0, 1),))),
    (
        "silence: 超过 10 秒\nannounced: no",
        timed(silences=(Silence(8.0, 20.0, 1),)),
        timed(silences=(Silence(8.0, 20.0, 1, announced=True),)),
    ),
    (
        "silence: 超过 10 秒\nafter: agent",
        timed(silences=(Silence(8.0, 20.0, 1),)),
        timed(silences=(Silence(4.0, 15.0, 0),)),
    ),
    (
        "silence: 超过 5 秒\nafter: start",
        timed(silences=(Silence(0.0, 6.0, None),)),
        timed(silences=(Silence(8, 20, 1),)),
    ),
    ("response_delay: 超过 5 秒", prosody(response_delay_s=6.0), prosody(response_delay_s=1.0)),
    (
        "response_delay: 超过 5 秒\nfirst_only: yes",
        prosody(response_delay_s=6.0),
        timed(prosody=(TurnProsody(0, response_delay_s=6.0), TurnProsody(1, response_delay_s=1.0))),
    ),
    (
        "overlap: 超过 1 秒",
        timed(overlaps=(Overlap(2.0, 4.0, "agent", 1),)),
        timed(overlaps=(Overlap(3.5, 4.0, "agent", 1),)),
    ),
    (
        "overlap: 超过 1 秒\ndelay_s: 1.5",
        timed(overlaps=(Overlap(2.0, 4.0, "agent", 1),)),
        timed(overlaps=(Overlap(1.0, 4.0, "agent", 1),)),
    ),
    (
        "interruption: 超过 1 秒",
        timed(overlaps=(Overlap(2.0, 4.0, "agent", 1),)),
        timed(overlaps=(Overlap(2.0, 4.0, "customer", 0),)),
    ),
    ("speech_rate: 超过 300 字/分", prosody(rate_cpm=350.0), prosody(rate_cpm=250.0)),
    ("speech_rate: 超过 300 字/分\nmin_chars: 30", timed(), prosody(rate_cpm=350.0)),
    ("speech_rate: 超过 300\naverage: yes", prosody(rate_cpm=350.0), prosody(rate_cpm=250.0)),
    ("loudness: 超过 6 dB", prosody(loudness_db=8.0), prosody(loudness_db=2.0)),
    ("pitch: 超过 4 半音", prosody(pitch_semitones=5.0), prosody(pitch_semitones=1.0)),
    ("pitch_range: 低于 2 半音", prosody(pitch_range_semitones=1.0), prosody(pitch_range_semitones=6.0)),
    ("talk_share: 低于 20%", timed(talk_share={"agent": 0.1}), timed(talk_share={"agent": 0.5})),
    ("duration: 小于 60 秒", QUIET, Dialogue(QUIET.turns, duration_s=90.0)),
    (
        "asr_confidence: 低于 85%",
        QUIET,
        Dialogue((Turn(0, "agent", "您好", 0.0, 1.0, confidence=0.95),), duration_s=9.0),
    ),
]


@pytest.mark.parametrize(("condition", "holds", "fails"), SOUND_CASES)
def test_operator_on_sound(make_rule: MakeRule, condition: str, holds: Dialogue, fails: Dialogue) -> None:
    book = make_rule("violation:\n" + "\n".join(f"  {line}" for line in condition.splitlines()))
    if holds != QUIET or "duration" in condition or "confidence" in condition:
        assert only(book, holds).verdict == "fail"
    assert only(book, fails).verdict == "pass"


def test_versus_previous_compares_with_the_same_speakers_last_turn(make_rule: MakeRule) -> None:
    book = make_rule("violation: {loudness: 超过 6 dB, versus: previous, min_chars: 1}")
    turns = tuple(Turn(i, "agent" if i != 1 else "customer", "好的好的", float(i), i + 0.9) for i in range(3))
    measured = (TurnProsody(0, loudness_db=-3.0), TurnProsody(1, loudness_db=20.0), TurnProsody(2, loudness_db=4.0))
    found = only(book, Dialogue(turns, 9.0, prosody=measured))
    assert found.verdict == "fail"
    assert [evidence.turn for evidence in found.evidence] == [2]
    flat = (measured[0], measured[1], TurnProsody(2, loudness_db=2.0))
    assert only(book, Dialogue(turns, 9.0, prosody=flat)).verdict == "pass"


@pytest.mark.parametrize(
    "condition",
    ["silence: 超过 1 秒", "overlap: 超过 1 秒", "speech_rate: 超过 1", "loudness: 超过 1", "duration: 超过 1 秒"],
)
def test_sound_does_not_apply_to_text_dialogues(make_rule: MakeRule, condition: str) -> None:
    found = only(make_rule(f"violation: {{{condition}}}"), call("您好"))
    assert found.verdict == "not_applicable"
    assert "声音" in found.why


def scores(**changes: object) -> ModelScores:
    values: dict[str, object] = {
        "scorer": "试验", "scorer_version": "1", "politeness": 3.0, "politeness_turns": (), "emotion_turns": (),
        "resolution": "resolved", "resolution_probabilities": {"resolved": 0.8}, "deciding_turn": 1,
        "satisfaction": 4.0, "satisfaction_probabilities": {"4": 0.7, "5": 0.3},
    }  # fmt: skip
    return ModelScores(**{**values, **changes})  # type: ignore[arg-type]


MODEL_CASES: list[tuple[str, ModelScores, ModelScores]] = [
    (
        "politeness: 低于 2 分",
        scores(politeness_turns=(TurnPoliteness(1, 1.5, 0.9),)),
        scores(politeness_turns=(TurnPoliteness(1, 3.0, 0.9),)),
    ),
    (
        "politeness: 低于 2 分\nconfidence: 0.8",
        scores(politeness_turns=(TurnPoliteness(1, 1.5, 0.9),)),
        scores(politeness_turns=(TurnPoliteness(1, 1.5, 0.5),)),
    ),
    ("politeness: 低于 2 分\nper: call", scores(politeness=1.5), scores()),
    ("emotion: [愤怒, 辱骂]", scores(emotion_turns=(TurnEmotion(0, "angry", 0.9),)), scores()),
    ("emotion: 愤怒\nconfidence: 0.8", scores(emotion_turns=(TurnEmotion(0, "angry", 0.9),)),
     scores(emotion_turns=(TurnEmotion(0, "angry", 0.4),))),
    ("resolution: 未解决", scores(resolution="unresolved", resolution_probabilities={"unresolved": 0.6}), scores()),
    ("resolution: 已解决\nconfidence: 0.7", scores(), scores(resolution_probabilities={"resolved": 0.5})),
    ("satisfaction: 不超过 2 分", scores(satisfaction=2.0, satisfaction_probabilities={}), scores()),
    ("satisfaction: 至少 4 分\nconfidence: 0.9", scores(), scores(satisfaction_probabilities={"4": 0.5, "1": 0.5})),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "holds", "fails"), MODEL_CASES)
def test_operator_on_the_model(make_rule: MakeRule, condition: str, holds: ModelScores, fails: ModelScores) -> None:
    book = make_rule("violation:\n" + "\n".join(f"  {line}" for line in condition.splitlines()))
    assert only(book, QUIET, scores=holds).verdict == "fail"
    assert only(book, QUIET, scores=fails).verdict == "pass"
    assert only(book, QUIET).verdict == "not_applicable"


def test_a_model_that_abstains_leaves_it_open(make_rule: MakeRule) -> None:
    book = make_rule("violation: {resolution: 未解决}")
    assert only(book, QUIET, scores=scores(resolution=None, abstained="话太少")).verdict == "unsure"


FACTS = CallFacts(
    business="欠费催缴", direction="inbound", agent_id="007", extra={"客户等级": "VIP客户", "排队": "45秒"}
)
FACT_CASES = [
    ("fact: business\nis: [欠费催缴]", True),
    ("fact: business\nis: 报修", False),
    ("fact: 业务类型\nis_not: [报修]", True),
    ("fact: direction\nis: 呼入", True),
    ("fact: direction\nis: inbound", True),
    ("fact: 工号\nis: '007'", True),
    ("fact: 客户等级\nmatches: ^VIP", True),
    ("fact: 排队\nvalue: 超过 30", True),
    ("fact: 排队\nvalue: 超过 60 秒", False),
    ("fact: 工单号\nexists: no", True),
    ("fact: 工单号\nexists: yes", False),
    ("fact: 工单号\nis: A1", False),
    ("fact: 工单号\nis: A1\nmissing: yes", True),
]


@pytest.mark.parametrize(("condition", "holds"), FACT_CASES)
def test_operator_on_facts(make_rule: MakeRule, condition: str, holds: bool) -> None:
    book = make_rule("violation:\n" + "\n".join(f"  {line}" for line in condition.splitlines()))
    assert only(book, call("您好"), FACTS).verdict == ("fail" if holds else "pass")


def test_a_missing_fact_can_be_left_open(make_rule: MakeRule) -> None:
    book = make_rule("violation: {fact: 工单号, is: A1, missing: unknown}")
    assert only(book, call("您好"), FACTS).verdict == "unsure"


def test_another_rules_verdict_is_a_condition(make_book: Callable[[str], Rulebook]) -> None:
    book = make_book(
        "rules:\n"
        "  - {id: t.first, name: 甲, category: 服务规范, check: {phrase: 您好}}\n"
        "  - {id: t.rule, name: 乙, category: 服务规范, applies: {rule: t.first, verdict: fail}, check: {phrase: 抱歉}}\n"
    )
    assert only(book, call("您好")).verdict == "not_applicable"
    assert only(book, call("喂")).verdict == "fail"
    assert only(book, call("喂抱歉")).verdict == "pass"


def test_shared_conditions_by_name(make_rule: MakeRule) -> None:
    head = "conditions:\n  投诉: {phrase: 我要投诉, role: customer}\n"
    book = make_rule("applies: 投诉\ncheck: {ref: 道歉}\ndefine:\n  道歉: {phrase: 抱歉}", head)
    assert only(book, call("客户：我要投诉 | 坐席：抱歉")).verdict == "pass"
    assert only(book, call("客户：我要投诉 | 坐席：哦")).verdict == "fail"
    assert only(book, call("坐席：我要投诉 | 坐席：哦")).verdict == "not_applicable"
    assert only(book, call("客户：我要投诉 | 坐席：哦")).evidence[0].condition == "投诉"


def test_every_operator_is_tried() -> None:
    tried = {case[0] for case in TEXT_CASES}
    tried |= {condition.split(":")[0] for condition, *_ in (*SOUND_CASES, *MODEL_CASES, *FACT_CASES)}
    assert set(fields.OPERATOR_KEYS) - tried == {"ref", "rule"}  # these two have their own tests above
