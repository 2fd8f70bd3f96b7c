"""FAULTS 63: words that are denied, or someone else's, are not held against the speaker."""

from __future__ import annotations

import pytest
from rules_helpers import MakeRule, call, only

DENIED = [
    "我没说不给您办",
    "我不是不给您办",
    "我不会不给您办的",
    "不可能不给您办",
    "谁说不给您办了",
    "您放心，没有不给您办",
]
MEANT = [
    "我就是不给您办",
    "这个不给您办",
    "能不能办？不给您办",
    "不好意思，不给您办",
    "没错不给您办",
    "不管怎样不给您办",
    "不过不给您办",
]


@pytest.mark.parametrize("said", DENIED)
def test_denied_words_do_not_count(make_rule: MakeRule, said: str) -> None:
    assert only(make_rule("violation: {phrase: 不给您办}"), call(said)).verdict == "pass"
    assert only(make_rule("violation: {phrase: 不给您办, guards: none}"), call(said)).verdict == "fail"
    assert only(make_rule("violation: {phrase: 不给您办, guards: [quote]}"), call(said)).verdict == "fail"


@pytest.mark.parametrize("said", MEANT)
def test_words_that_are_meant_count(make_rule: MakeRule, said: str) -> None:
    assert only(make_rule("violation: {phrase: 不给您办}"), call(said)).verdict == "fail"


REPEATED = [
    "坐席：您刚才说我们是骗子，我能理解您的心情",
    "坐席：您反映客服骂您是骗子这个情况我记下了",
    "坐席：请您不要说“骗子”这样的话",
    "坐席：骗子这个词您别用",
    "客户：你们就是骗子 | 坐席：骗子？您怎么这么说",
    "坐席：客户说我们是骗子",
]
OWN = [
    "坐席：你就是个骗子",
    "坐席：我跟您说您就是骗子",
    "坐席：您说的这个人是骗子",
    "坐席：您说吧骗子",
    "客户：你们是骗子 | 坐席：你才是骗子",
]


@pytest.mark.parametrize("said", REPEATED)
def test_repeated_words_are_not_the_agents(make_rule: MakeRule, said: str) -> None:
    assert only(make_rule("violation: {phrase: 骗子}"), call(said)).verdict == "pass"
    assert only(make_rule("violation: {phrase: 骗子, guards: [negation]}"), call(said)).verdict == "fail"


@pytest.mark.parametrize("said", OWN)
def test_the_agents_own_words_count(make_rule: MakeRule, said: str) -> None:
    assert only(make_rule("violation: {phrase: 骗子}"), call(said)).verdict == "fail"


def test_the_customers_swearing_is_not_the_agents(make_rule: MakeRule) -> None:
    assert only(make_rule("violation: {phrase: 混蛋}"), call("客户：混蛋 | 坐席：您消消气")).verdict == "pass"


def test_a_customer_may_report_what_others_say(make_rule: MakeRule) -> None:
    """邻居说着火了 is a danger all the same: quoting only excuses the agent."""
    book = make_rule("applies: {phrase: 着火, role: customer}\ncheck: {phrase: 不要靠近}")
    assert only(book, call("客户：邻居说着火了 | 坐席：哦")).verdict == "fail"


def test_a_customer_who_denies_it_does_not_set_a_rule_off(make_rule: MakeRule) -> None:
    book = make_rule("applies: {phrase: 投诉, role: customer}\ncheck: {phrase: 抱歉}")
    assert only(book, call("客户：我不是要投诉，我就问问 | 坐席：好")).verdict == "not_applicable"


def test_guards_for_patterns_are_off_unless_asked_for(make_rule: MakeRule) -> None:
    assert only(make_rule("violation: {pattern: 不给您?办}"), call("我没说不给您办")).verdict == "fail"
    assert only(make_rule("violation: {pattern: 不给您?办, guards: all}"), call("我没说不给您办")).verdict == "pass"
