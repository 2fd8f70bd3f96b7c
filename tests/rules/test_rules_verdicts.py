"""Verdicts: what passes, fails, does not apply, cannot be told; what is only suspected; what the finding says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from rules_helpers import MakeRule, call, only

from qa_monitor.records import CallFacts, Dialogue, Note, Turn, Word, dump
from qa_monitor.rules.rulebook import Rulebook

GREETING = "check: {phrase: 您好, where: opening}"
RUDE = "violation: {phrase: 不归我管}"


def with_turn(dialogue: Dialogue, number: int, **changes: object) -> Dialogue:
    turns = list(dialogue.turns)
    turns[number] = replace(turns[number], **changes)  # type: ignore[arg-type]
    return replace(dialogue, turns=tuple(turns))


def test_required_and_forbidden(make_rule: MakeRule) -> None:
    book = make_rule(GREETING)
    assert only(book, call("您好")).verdict == "pass"
    assert only(book, call("喂")).verdict == "fail"
    assert only(make_rule(RUDE), call("不归我管")).verdict == "fail"
    assert only(make_rule(RUDE), call("我来管")).verdict == "pass"


def test_evidence_points_at_the_words(make_rule: MakeRule) -> None:
    found = only(
        make_rule("violation: {phrase: 不归我管, name: 推诿}"), call("坐席：好的 | 坐席：这事，不归我管啊，不归我管")
    )
    assert [(e.turn, e.start, e.end, e.quote) for e in found.evidence] == [
        (1, 3, 7, "不归我管"),
        (1, 9, 13, "不归我管"),
    ]
    assert {(e.condition, e.match, e.role) for e in found.evidence} == {("推诿", "text", "agent")}
    assert found.count == 2


def test_times_of_evidence_come_from_words(make_rule: MakeRule) -> None:
    words = tuple(Word(char, i * 1.0, i + 0.8, 0.9, 0) for i, char in enumerate("这事不归我管"))
    turn = Turn(0, "agent", "这事不归我管", 0.0, 6.0, raw_text="这事不归我管", offsets=tuple(range(6)), words=words)
    evidence = only(make_rule(RUDE), Dialogue((turn,), 6.0)).evidence[0]
    assert (evidence.start_s, evidence.end_s) == (2.0, 5.8)


def test_times_without_words_are_in_proportion(make_rule: MakeRule) -> None:
    evidence = only(make_rule(RUDE), call("坐席 10-16：这事不归我管")).evidence[0]
    assert (evidence.start_s, evidence.end_s) == (12.0, 16.0)


def test_nobody_speaks_no_findings(make_rule: MakeRule) -> None:
    book = make_rule(GREETING)
    assert book.check(Dialogue(()), CallFacts()) == ()
    assert book.check(Dialogue((Turn(0, "agent", " "),)), CallFacts()) == ()


def test_applies_decides_whether_a_rule_is_asked(make_rule: MakeRule) -> None:
    book = make_rule("applies: {phrase: 投诉, role: customer}\ncheck: {phrase: 抱歉}")
    assert only(book, call("坐席：您好")).verdict == "not_applicable"
    found = only(book, call("客户：我要投诉 | 坐席：哦"))
    assert found.verdict == "fail"
    assert found.evidence[0].quote == "投诉"  # what made it due


def test_unless_excuses(make_rule: MakeRule) -> None:
    assert only(make_rule(RUDE + "\nunless: {phrase: 开玩笑}"), call("不归我管，开玩笑的")).verdict == "pass"
    assert only(make_rule(GREETING + "\nunless: {phrase: 别挂}"), call("别挂")).verdict == "pass"


# --- what was badly heard -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", [{"suspect": "silence"}, {"confidence": 0.3}, {"role": "unknown"}])
def test_a_greeting_missed_in_a_badly_heard_opening_is_not_a_fault(
    make_rule: MakeRule, changes: dict[str, object]
) -> None:
    book = make_rule(GREETING)
    heard = call("坐席：呢耗国电 | 客户：喂 | 坐席：您说")
    assert only(book, heard).verdict == "fail"
    found = only(book, with_turn(heard, 0, **changes))
    assert found.verdict == "unsure"
    assert "识别" in found.why


def test_bad_words_elsewhere_do_not_excuse_the_opening(make_rule: MakeRule) -> None:
    heard = call(" | ".join(["坐席：喂", "客户：好", "坐席：说", "客户：好", "坐席：好的呀", "客户：好", "坐席：嗯嗯"]))
    assert only(make_rule(GREETING), with_turn(heard, 6, suspect="noise")).verdict == "fail"


def test_a_little_bad_hearing_in_a_long_call_does_not_excuse(make_rule: MakeRule) -> None:
    book = make_rule("check: {phrase: 抱歉}")
    heard = call(" | ".join(["坐席：我这边给您登记处理一下好吧"] * 12))
    assert only(book, with_turn(heard, 5, suspect="noise")).verdict == "fail"
    bad = heard
    for number in range(4):
        bad = with_turn(bad, number, suspect="noise")
    assert only(book, bad).verdict == "unsure"


@pytest.mark.parametrize(
    ("note", "verdict"),
    [
        (Note("damaged", "坏块"), "unsure"),
        (Note("damaged", "坏块", start_s=0.0, end_s=1.0), "unsure"),
        (Note("damaged", "坏块", start_s=100.0, end_s=120.0), "fail"),
        (Note("truncated", "不完整"), "fail"),  # what is cut off is the end, not the opening
        (Note("other_language", "英语"), "unsure"),
        (Note("dual_mono", "单声道"), "fail"),
    ],
)
def test_notes_about_lost_words_count(make_rule: MakeRule, note: Note, verdict: str) -> None:
    lines = [f"坐席 {10 * i}-{10 * i + 5}：好的您说" for i in range(12)]
    heard = replace(call(" | ".join(lines)), notes=(note,))
    assert only(make_rule(GREETING), heard).verdict == verdict


def test_a_cut_recording_may_have_lost_the_farewell(make_rule: MakeRule) -> None:
    heard = replace(call("坐席：您好 | 客户：喂"), notes=(Note("truncated", "不完整"),))
    assert only(make_rule("check: {phrase: 再见, where: closing}"), heard).verdict == "unsure"


def test_suspect_turns_are_never_held_against_anyone(make_rule: MakeRule) -> None:
    found = only(make_rule(RUDE), with_turn(call("坐席：您好 | 坐席：不归我管"), 1, suspect="repetition"))
    assert found.verdict == "unsure"
    assert found.evidence == ()


def test_unknown_speakers_are_not_held_to_rules(make_rule: MakeRule) -> None:
    found = only(make_rule(RUDE), call("未知：不归我管"))
    assert found.verdict == "unsure"
    assert "谁" in found.why


def test_a_turn_whose_speaker_is_doubtful_counts_as_unknown(make_rule: MakeRule) -> None:
    assert only(make_rule(RUDE), with_turn(call("坐席：不归我管"), 0, role_confidence=0.3)).verdict == "unsure"


# --- suspected ----------------------------------------------------------------------------------------------------


def test_a_forbidden_word_by_sound_is_only_suspected(make_rule: MakeRule) -> None:
    found = only(make_rule(RUDE), call("不规我管"))
    assert (found.verdict, found.suspected) == ("fail", True)
    assert found.evidence[0].match == "pinyin"
    assert "疑似" in found.why


def test_a_required_word_by_sound_passes_with_less_confidence(make_rule: MakeRule) -> None:
    book = make_rule("check: {phrase: 请稍等}")
    clear, misheard = only(book, call("请稍等")), only(book, call("请烧等"))
    assert (misheard.verdict, misheard.suspected) == ("pass", False)
    assert misheard.confidence < clear.confidence


def test_badly_heard_words_are_only_suspected(make_rule: MakeRule) -> None:
    found = only(make_rule(RUDE), with_turn(call("不归我管"), 0, confidence=0.4))
    assert (found.verdict, found.suspected) == ("fail", True)


def test_one_clear_hit_is_enough(make_rule: MakeRule) -> None:
    assert not only(make_rule(RUDE), call("坐席：不规我管 | 坐席：不归我管")).suspected


def test_all_is_as_sure_as_its_least_sure_part(make_rule: MakeRule) -> None:
    book = make_rule("violation: {all: [{phrase: 不归我管}, {phrase: 找物业去}]}")
    assert only(book, call("不归我管，找物业去")).suspected is False
    assert only(book, call("不规我管，找物业去")).suspected is True


def test_what_is_owed_on_a_guess_is_only_suspected_when_missing(make_rule: MakeRule) -> None:
    book = make_rule("applies: {phrase: 冒烟起火, role: customer}\ncheck: {phrase: 不要靠近}")
    assert only(book, call("客户：表箱冒烟起火 | 坐席：哦")).suspected is False
    assert only(book, call("客户：表箱冒烟起伙 | 坐席：哦")).suspected is True


def test_review_makes_every_failure_suspected(make_rule: MakeRule) -> None:
    assert only(make_rule(RUDE + "\nreview: yes"), call("不归我管")).suspected


# --- what the finding says ----------------------------------------------------------------------------------------


def test_templates(make_rule: MakeRule) -> None:
    book = make_rule(RUDE + "\nfail_text: 第{turn}轮 {time} 说“{quote}” {count} 次（{name}）\nsource: 十个不准第四条")
    why = only(book, call("坐席 0-2：好 | 坐席 65-69：不归我管")).why
    assert why == "第2轮 1:05 说“不归我管” 1 次（试验规则）（依据：十个不准第四条）"


def test_reasons_without_templates_are_whole_sentences(make_rule: MakeRule) -> None:
    assert only(make_rule(RUDE), call("不归我管")).why == "第1轮坐席说“不归我管”，属于「试验规则」"
    assert only(make_rule(GREETING), call("喂")).why.startswith("没有做到「试验规则」：没有找到说到“您好”")
    assert only(make_rule(GREETING), call("您好")).why == "第1轮坐席说“您好”，做到了「试验规则」"
    assert "没有发现" in only(make_rule(RUDE), call("好")).why


def test_more_evidence_than_shown_is_counted(make_rule: MakeRule) -> None:
    found = only(make_rule(RUDE), call("不归我管，" * 30))
    assert (len(found.evidence), found.count) == (20, 30)
    assert "共 30 处" in found.why


def test_finding_carries_the_rules_own_text(make_rule: MakeRule) -> None:
    found = only(make_rule(RUDE + "\nseverity: critical\nveto: yes\npoints: 7"), call("不归我管"))
    assert (found.severity, found.veto, found.points, found.category) == ("critical", True, 7.0, "服务规范")


def test_points_default_by_severity(make_rule: MakeRule) -> None:
    assert only(make_rule(RUDE + "\nseverity: major"), call("好")).points == 5


# --- places, anchors, exceptions ----------------------------------------------------------------------------------

LINES = ["坐席：您好", "客户：停电了", "坐席：户号", "客户：一二三", "坐席：稍等", "客户：好", "坐席：再见"]


@pytest.mark.parametrize(
    ("place", "words", "verdict"),
    [
        ("前 1 轮", "您好", "fail"),
        ("前 1 轮", "户号", "pass"),
        ("opening", "户号", "fail"),
        ("opening", "再见", "pass"),
        ("closing", "再见", "fail"),
        ("后 1 轮", "稍等", "pass"),
        ("第 2 到 3 轮", "稍等", "fail"),
        ("第 2 轮", "稍等", "pass"),
        ("前 50%", "户号", "fail"),
        ("前 50%", "稍等", "pass"),
        ("后 30%", "再见", "fail"),
        ("whole", "稍等", "fail"),
    ],
)
def test_places_count_the_roles_own_turns(make_rule: MakeRule, place: str, words: str, verdict: str) -> None:
    book = make_rule(f"violation: {{phrase: {words}, where: {place}}}")
    assert only(book, call(" | ".join(LINES))).verdict == verdict


def test_places_in_seconds(make_rule: MakeRule) -> None:
    lines = " | ".join(f"坐席 {10 * i}-{10 * i + 4}：{line[3:]}" for i, line in enumerate(LINES))
    assert only(make_rule("violation: {phrase: 停电, where: 前 15 秒}"), call(lines)).verdict == "fail"
    assert only(make_rule("violation: {phrase: 户号, where: 前 15 秒}"), call(lines)).verdict == "pass"
    assert only(make_rule("violation: {phrase: 再见, where: 后 5 秒}"), call(lines)).verdict == "fail"
    assert only(make_rule("violation: {phrase: 您好, where: 前 15 秒}"), call("您好")).verdict == "not_applicable"


@pytest.mark.parametrize(
    ("near", "verdict"),
    [
        ("side: after", "fail"),
        ("side: after, turns: 1", "pass"),
        ("side: after, turns: 3", "fail"),
        ("side: before", "pass"),
        ("side: around, turns: 3", "fail"),
        ("side: same", "pass"),
    ],
)
def test_near(make_rule: MakeRule, near: str, verdict: str) -> None:
    book = make_rule(f"violation: {{phrase: 稍等, near: {{hit: {{phrase: 停电, role: customer}}, {near}}}}}")
    assert only(book, call(" | ".join(LINES))).verdict == verdict


def test_near_nothing_is_false(make_rule: MakeRule) -> None:
    book = make_rule("violation: {phrase: 稍等, near: {hit: {phrase: 着火}, side: after}}")
    assert only(book, call("稍等")).verdict == "pass"


@pytest.mark.parametrize(
    ("which", "verdict"), [("any", "fail"), ("every", "pass"), ("first", "fail"), ("last", "pass"), ("1", "fail"), ("2", "pass"), ("3", "pass")]
)  # fmt: skip
def test_which_anchor(make_rule: MakeRule, which: str, verdict: str) -> None:
    book = make_rule(
        f"violation: {{phrase: 谢谢, near: {{hit: {{phrase: 请稍等}}, side: after, turns: 1, which: {which}}}}}"
    )
    lines = "坐席：请稍等 | 坐席：谢谢 | 坐席：好 | 坐席：请稍等 | 坐席：好"
    assert only(book, call(lines)).verdict == verdict


def test_near_in_seconds(make_rule: MakeRule) -> None:
    book = make_rule("violation: {phrase: 久等, near: {hit: {phrase: 请稍等}, side: after, seconds: 30}}")
    assert only(book, call("坐席 0-2：请稍等 | 坐席 20-22：久等了")).verdict == "fail"
    assert only(book, call("坐席 0-2：请稍等 | 坐席 50-52：久等了")).verdict == "pass"
    assert only(book, call("坐席：请稍等 | 坐席：久等了")).verdict == "not_applicable"  # no clock, no distance


def test_a_silence_can_be_an_anchor(make_rule: MakeRule) -> None:
    book = make_rule("violation: {not: {before: [{phrase: 稍等}, {silence: 超过 5 秒}], turns: 0, which: every}}")
    asked = "坐席 0-2：请稍等 | 坐席 20-22：查到了"
    assert only(book, call(asked)).verdict == "pass"
    assert only(book, call(asked + " | 坐席 40-42：好了")).verdict == "fail"


def test_condition_exception_is_about_the_same_turn(make_rule: MakeRule) -> None:
    book = make_rule("violation: {phrase: 不清楚, unless: {phrase: 帮您查}}")
    assert only(book, call("不清楚，我帮您查")).verdict == "pass"
    assert only(book, call("坐席：不清楚 | 坐席：我帮您查")).verdict == "fail"
    wide = make_rule("violation: {phrase: 不清楚, unless: {phrase: 帮您查, where: whole}}")
    assert only(wide, call("坐席：不清楚 | 坐席：我帮您查")).verdict == "pass"


def test_alternatives_that_the_call_cannot_show_are_left_out(make_rule: MakeRule) -> None:
    book = make_rule("violation: {any: [{phrase: 听我说}, {interruption: 超过 1 秒}]}")
    assert only(book, call("您先听我说")).verdict == "fail"
    assert only(book, call("好")).verdict == "pass"
    both = make_rule("violation: {any: [{phrase: 听我说}, {interruption: 超过 1 秒}], need: 2}")
    assert only(both, call("您先听我说")).verdict == "not_applicable"


def test_each_turn(make_rule: MakeRule) -> None:
    book = make_rule("check: {phrase: 请您, each_turn: yes}")
    assert only(book, call("坐席：请您讲 | 客户：好 | 坐席：请您稍等")).verdict == "pass"
    assert only(book, call("坐席：请您讲 | 客户：好 | 坐席：稍等")).verdict == "fail"


def test_role_is_whose_words_count(make_rule: MakeRule) -> None:
    assert only(make_rule("violation: {phrase: 骗人, role: either}"), call("客户：骗人")).verdict == "fail"
    assert only(make_rule("violation: {phrase: 骗人}"), call("客户：骗人")).verdict == "pass"
    assert only(make_rule("role: customer\nviolation: {phrase: 骗人}"), call("客户：骗人")).verdict == "fail"
    assert (
        only(make_rule("violation: {phrase: 请按一, role: ivr}"), call("导航：请按一 | 坐席：您好")).verdict == "fail"
    )


# --- the same every time ------------------------------------------------------------------------------------------


def test_the_same_call_gives_the_same_bytes(make_book: Callable[[str], Rulebook]) -> None:
    text = (
        "rules:\n"
        "  - {id: b.two, name: 乙, category: 服务规范, violation: {phrase: [不归我管, 不规, '不(归|该)…管']}}\n"
        "  - {id: a.one, name: 甲, category: 服务规范, check: {similar: 您好请问有什么可以帮您, threshold: 0.4}}\n"
    )
    dialogue = call("坐席：您好有什么可以帮您 | 客户：停电 | 坐席：这事不归我管不规我管")
    first, second = make_book(text), make_book(text)
    assert [f.rule_id for f in first.check(dialogue, CallFacts())] == ["a.one", "b.two"]
    once = [dump(f) for f in first.check(dialogue, CallFacts())]
    assert once == [dump(f) for f in first.check(dialogue, CallFacts())]
    assert once == [dump(f) for f in second.check(dialogue, CallFacts())]
    assert first.version == second.version


def test_explain_shows_each_condition(make_rule: MakeRule) -> None:
    book = make_rule(
        "applies: {phrase: 投诉, role: customer}\ncheck: {all: [{phrase: 抱歉}, {not: {phrase: 不归我管}}]}"
    )
    told = book.explain("t.rule", call("客户：我要投诉 | 坐席：抱歉，不归我管"), CallFacts())
    assert told.finding is not None
    assert told.finding.verdict == "fail"
    assert told.applies is not None
    assert [hit.quote for hit in told.applies.hits] == ["投诉"]
    assert told.condition is not None
    said, not_said = told.condition.inside
    assert (said.state, not_said.state) == (True, False)
    assert not_said.inside[0].hits[0].quote == "不归我管"
    assert said.where == "demo/rules.yaml:7"


def test_explain_an_unknown_rule(make_rule: MakeRule) -> None:
    with pytest.raises(KeyError, match=r"t\.rule"):
        make_rule(RUDE).explain("t.rul", call("好"), CallFacts())
