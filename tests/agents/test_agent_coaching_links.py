"""Advice that follows from the figures, whether it worked, and whether the scorecard measures anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from ledger_factory import Made, agent, many_calls, open_store, write_calls, write_roster

from qa_monitor.agents.coaching import Effect, dearest_items
from qa_monitor.agents.entries import Cost
from qa_monitor.agents.indicators import Indicators
from qa_monitor.agents.interval import difference_of_shares, share_figure
from qa_monitor.agents.links import RuleSums, links, rule_links
from qa_monitor.agents.placing import month_period
from qa_monitor.agents.training import course_for, read_courses
from qa_monitor.errors import RuleFileError
from qa_monitor.reports.scoresheet import build_score_sheet
from qa_monitor.settings import resource_dir
from qa_monitor.store.agent_ledger import read_period

COURSES = read_courses(resource_dir("rules") / "training.yaml")


def test_courses_by_rule_by_prefix_and_by_dimension() -> None:
    names = [course_for(COURSES, item, dimension) for item, dimension in (
        ("attitude.buck_passing", ""), ("opening.anything", ""), ("my.own", "合规与安全"), ("my.own", "沟通技巧"),
    )]  # fmt: skip
    assert [course and course.name for course in names] == [
        "首问负责与投诉处理",
        "服务流程与规范话术",
        "合规与安全",
        None,
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("courses:\n  - course: 甲\n", "t.yaml:2"),
        ("courses:\n  - course: 甲\n    rule: [a]\n", "t.yaml:3"),
        ("course: []\n", "t.yaml:1"),
    ],
)
def test_what_is_wrong_with_courses_is_said_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RuleFileError) as caught:
        read_courses(path)
    assert caught.value.where == said


def test_only_what_is_dear_and_repeated_is_advised() -> None:
    costs = [Cost("veto", 9.0, 3), Cost("a", 5.0, 4), Cost("b", 4.0, 1), Cost("c", 0.1, 9), Cost("d", 0.9, 2)]
    assert [cost.item for cost in dearest_items(costs)] == ["a", "d"]


def test_advice_has_own_examples_and_a_colleagues(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    write_roster(store, agent("001", "甲"), agent("002", "乙"), agent("003", "丙", "二班"))
    bad = [Made("001", lost={"opening.greeting": 0.5}, quote="喂", name=f"b{n}") for n in range(3)]
    good = [Made("001", quote="您好", name="g"), Made("002", quote="您好，很高兴为您服务", name="m")]
    other = [Made("003", quote="您好您好", name="o")]
    write_calls(store, [*bad, *good, *other])
    sheet = build_score_sheet(store, read_period(store, month_period("2026-11")), courses=COURSES)
    store.close()
    advice = sheet.agents[0].coaching.advice[0]
    assert (advice.item, advice.calls, advice.rate.value, advice.rate.n) == ("opening.greeting", 3, 0.75, 4)
    assert advice.cost == pytest.approx(15.0)
    assert advice.course is not None
    assert advice.course.name == "服务流程与规范话术"
    examples = (advice.bad, advice.good, advice.model)
    assert [(one.quote, one.agent_id) for one in examples if one] == [
        ("喂", "001"),
        ("您好", "001"),
        ("您好，很高兴为您服务", "002"),
    ]
    assert sheet.agents[1].coaching.advice == ()


def test_last_periods_advice_is_judged_by_the_rate_now(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    write_roster(store, agent("001", "甲"))
    lost = {"opening.greeting": 0.5}
    calls = [Made(started_at="2026-10-05T09:00:00+08:00", lost=lost if n < 30 else {}, name=f"o{n}") for n in range(40)]
    calls += [Made(lost=lost if n < 3 else {}, name=f"n{n}") for n in range(40)]
    write_calls(store, calls)
    sheet = build_score_sheet(store, read_period(store, month_period("2026-11")), courses=COURSES)
    store.close()
    (effect,) = sheet.agents[0].coaching.effects
    assert (effect.before.value, effect.now.value, effect.verdict) == (0.75, 0.075, "有改善")


def test_verdicts_on_advice() -> None:
    def verdict(now: tuple[int, int], before: tuple[int, int]) -> str:
        change = difference_of_shares(*now, *before)
        return Effect("a", "甲", share_figure(*before), share_figure(*now), change, None).verdict

    assert verdict((30, 40), (3, 40)) == "变差"
    assert verdict((3, 4), (2, 4)) == "看不出变化"
    assert verdict((0, 0), (2, 4)) == "本期没有可比的通话"


def test_links_find_what_was_put_in_and_say_when_there_is_too_little() -> None:
    scores = {f"{n:03d}": (20, 60.0 + n) for n in range(30)}
    records = {
        agent_id: Indicators(
            {"回访满意": 80.0 + n % 20, "回访不满意": 20.0 - n % 20, "投诉": float(30 - n), "接听量": 1000.0}
        )
        for n, agent_id in enumerate(scores)
    }
    satisfaction, complaints, fcr = links("2026-11", scores, records, 5)
    assert complaints.r.value == pytest.approx(-1.0)
    assert complaints.r.n == 30
    assert satisfaction.verdict in ("看不出关系", "有关，方向如预期")
    assert (fcr.r.value, fcr.verdict) == (None, "样本不足（少于 10 名坐席）")
    assert links("2026-11", scores, records, 21)[0].r.n == 0


def test_rules_that_go_with_dissatisfaction_come_first() -> None:
    sums = {
        "bad": RuleSums((100, 2.0, 50.0), (300, 4.0, 150.0)),
        "none": RuleSums((100, 4.0, 50.0), (300, 4.0, 150.0)),
        "odd": RuleSums((100, 4.8, 50.0), (300, 4.0, 150.0)),
        "few": RuleSums((2, 1.0, 0.5), (300, 4.0, 150.0)),
    }
    found = {link.item: link for link in rule_links(sums, {}, {}, {"bad": "坏"}, 5)}
    assert found["bad"].verdict == "有关，方向如预期"
    assert found["bad"].name == "坏"
    assert found["none"].verdict == "看不出关系"
    assert found["odd"].verdict == "有关，但方向相反，请检查评分表"
    assert found["few"].verdict.startswith("样本不足")
    assert next(iter(found)) == "few"  # the largest difference, told to be too small a sample
    assert rule_links({}, {}, {}, {}, 5) == ()


def test_a_whole_sheet_has_links_and_one_agents_has_none(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    ids = [f"{n:03d}" for n in range(12)]
    write_roster(store, *(agent(agent_id, f"甲{agent_id}") for agent_id in ids))
    write_calls(store, many_calls(ids, 240))
    whole = build_score_sheet(store, read_period(store, month_period("2026-11")))
    part = build_score_sheet(store, read_period(store, month_period("2026-11"), agent_ids=["001"]), wanted=["001"])
    store.close()
    assert {link.item for link in whole.rule_links} == {
        "opening.greeting",
        "closing.farewell",
        "attitude.forbidden_expression",
    }
    assert all(link.difference.value is not None and link.difference.value < 0 for link in whole.rule_links)
    assert (part.links, part.rule_links) == ((), ())
