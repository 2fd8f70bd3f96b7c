"""Patterns in misheard turns: a second reading by sound, which suspects and never accuses."""

from __future__ import annotations

import pytest
from rules_helpers import MakeRule, call, only


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("户号报一下", True),
        ("互号报一下", True),  # same sound, 互 makes no word
        ("户好报一下", False),  # 好 is a word of its own
        ("糊浩报一下", False),  # nothing of it was heard
    ],
)
def test_a_misheard_word_of_a_pattern_is_found_by_its_sound(make_rule: MakeRule, said: str, found: bool) -> None:
    finding = only(make_rule("check: {pattern: '户号[^，。]{0,4}报'}"), call(said))
    assert (finding.verdict == "pass") == found


def test_a_violation_found_only_by_sound_is_suspected_and_quotes_what_was_heard(make_rule: MakeRule) -> None:
    finding = only(make_rule("violation: {pattern: '请稍等再打'}"), call("坐席：您请烧等再打"))
    assert (finding.verdict, finding.suspected) == ("fail", True)
    assert finding.evidence[0].quote == "请烧等再打"
    assert finding.evidence[0].match == "pinyin"


def test_exceptions_hold_in_the_second_reading_too(make_rule: MakeRule) -> None:
    book = make_rule("violation: {pattern: '户号', except_pattern: '您的户号'}")
    assert only(book, call("您的互号")).verdict == "pass"


def test_places_agree_in_later_turns_and_with_other_scripts(make_rule: MakeRule) -> None:
    finding = only(make_rule("check: {pattern: '户号'}"), call("坐席：abc 好😀 | 客户：嗯 | 坐席：说一下互号"))
    assert (finding.evidence[0].turn, finding.evidence[0].quote) == (2, "互号")
