"""Pay policies: what is wrong is said with its line; what counts for pay is what the policy says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_monitor.agents.casemix import CaseMix
from qa_monitor.agents.entries import Entry, Ledger
from qa_monitor.agents.indicators import Indicators, to_value
from qa_monitor.agents.interval import Figure
from qa_monitor.agents.pay import NO_GRADE, Pay, apply_policy, compare
from qa_monitor.agents.placing import month_period
from qa_monitor.agents.policy import Policy
from qa_monitor.agents.read_policy import read_policy
from qa_monitor.errors import RuleFileError
from qa_monitor.settings import resource_dir

DEFAULT = resource_dir("rules") / "policy" / "default.yaml"
LEVELS = [
    {"grade": "A", "from": 90, "coefficient": 1.2},
    {"grade": "B", "from": 60, "coefficient": 1.0},
    {"grade": "C", "from": 0, "coefficient": 0.8},
]


def policy(**changes: object) -> Policy:
    base: dict[str, object] = {"name": "试", "audit": {"weight": 100, "figure": "points"}, "grades": {"levels": LEVELS}}
    return Policy.model_validate(base | changes)


def entry(agent_id: str = "001", *, records: dict[str, str] | None = None, **states: tuple[int, float]) -> Entry:
    """An agent whose scored calls by state of review are `state=(calls, mean)`."""
    calls = sum(count for count, _ in states.values())
    mean = sum(count * value for count, value in states.values()) / calls if calls else None
    figure = Figure(mean, calls)
    return Entry(
        agent_id, "甲", "一班", "", "", None, False, (), calls, calls, True,
        points=figure, adjusted=figure, shrunken=figure,
        states={state: Figure(value, count) for state, (count, value) in states.items()},
        indicators=Indicators({metric: to_value(text) for metric, text in (records or {}).items()}),
    )  # fmt: skip


def ledger(*entries: Entry) -> Ledger:
    empty = CaseMix({}, {}, {}, False)
    return Ledger(month_period("2026-11"), entries, (), Figure(), (), {}, (), empty, None, 5)


def pay(policy_: Policy, of: Entry) -> Pay:
    return apply_policy(policy_, ledger(of))[of.agent_id]


# --- the file ---------------------------------------------------------------------------------------------------------


def test_the_shipped_policy_reads() -> None:
    assert read_policy(DEFAULT).policy.grades.levels[0].grade == "A"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("unconfirmed: exclude", "unconfirmd: exclude", "audit unconfirmd：不认识这一项。是不是想写 unconfirmed？"),
        ("from: 90", "from: 70", "grades：from 应从高到低"),
        ("{grade: D, from: 0,", "{grade: D, from: 10,", "最低一级的 from 应为 0"),
        ("weight: 20, zero: 70%", "weight: 很大, zero: 70%", "indicators 第 1 项 weight：应是一个数，这里是“很大”"),
        ("zero: 60, full: 100", "zero: 60, full: 60", "zero 与 full 不能相同"),
        ("figure: adjusted", "figure: 调整", "audit figure：只能写"),
        ("  grade: D\n", "  grade: Z\n", "veto.grade 写的 Z 不在 grades 里"),
        ("  calls: 5", "  calls: 0", "minimum calls：不能小于 1"),
        ("metric: 表扬, ", "", "rewards 第 1 项 metric：缺少这一项"),
        ("coefficient: 1.2}", "coefficient: nan}", "应是一个有限的数"),
        ("confirmed: yes", "confirmed: 也许", "应写 yes 或 no"),
        ("grade: B,", "grade: A,", "等级名重复"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = DEFAULT.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "p.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(RuleFileError) as caught:
        read_policy(path)
    assert said in str(caught.value)
    line = int(caught.value.where.split(":")[1])
    changed = text[: text.index(old)].count("\n") + 1
    assert 1 <= line <= changed


def test_forced_shares_must_sum_to_everybody() -> None:
    levels = [{"grade": "A", "share": "30%", "coefficient": 1.2}, {"grade": "B", "share": "60%", "coefficient": 1}]
    with pytest.raises(ValueError, match=r"90\.0%"):
        policy(grades={"method": "forced", "levels": levels})


# --- what counts ------------------------------------------------------------------------------------------------------


def test_machine_scores_do_not_move_pay_unless_the_policy_says_so() -> None:
    of = entry(machine=(40, 95.0), confirmed=(10, 70.0))
    careful, trusting = policy(), policy(audit={"weight": 100, "figure": "points", "unconfirmed": "include"})
    assert (pay(careful, of).total, pay(careful, of).grade, pay(careful, of).by_machine) == (70.0, "B", False)
    assert pay(careful, of).counted == 10
    assert "机器初评 40 通未计入" in pay(careful, of).basis
    assert (pay(trusting, of).total, pay(trusting, of).grade, pay(trusting, of).by_machine) == (90.0, "A", True)


def test_without_confirmed_calls_there_is_no_grade_and_the_neutral_coefficient() -> None:
    found = pay(policy(), entry(machine=(40, 20.0)))
    assert (found.total, found.grade, found.coefficient, found.by_machine) == (None, NO_GRADE, 1.0, False)
    assert found.reasons == ("计入的通话 0 通，少于 5 通",)


def test_calls_under_appeal_wait() -> None:
    of = entry(confirmed=(10, 80.0), appealed=(5, 20.0))
    assert pay(policy(), of).total == 80.0
    included = policy(audit={"weight": 100, "figure": "points", "appealed": "include"})
    assert pay(included, of).total == 60.0


def test_indicators_rewards_deductions_and_limits() -> None:
    rules = policy(
        audit={"weight": 50},
        indicators=[{"metric": "平均处理时长", "weight": 50, "zero": 400, "full": 200}],
        rewards=[{"metric": "表扬", "points": 2, "cap": 5}],
        deductions=[{"metric": "投诉", "points": 3, "cap": 4}],
        limits={"points_max": 95, "coefficient_max": 1.1},
    )
    of = entry(confirmed=(10, 90.0), records={"平均处理时长": "300", "表扬": "3", "投诉": "2"})
    found = pay(rules, of)
    assert found.total == 71.0  # (90×50 + 50×50) ÷ 100 + 5 − 4
    assert [step.points for step in found.steps if step.points is not None] == [90.0, 50.0, 70.0, 5.0, -4.0, 71.0, 1.0]
    best = entry(confirmed=(10, 100.0), records={"平均处理时长": "100", "表扬": "9"})
    assert (pay(rules, best).total, pay(rules, best).coefficient) == (95.0, 1.1)


def test_a_missing_record_leaves_the_sum_or_counts_nothing() -> None:
    parts = {"audit": {"weight": 50}, "indicators": [{"metric": "知识考试", "weight": 50, "zero": 0, "full": 100}]}
    of = entry(confirmed=(10, 80.0))
    assert pay(policy(**parts), of).total == 80.0
    assert pay(policy(**parts, missing="zero"), of).total == 40.0


def test_a_veto_caps_the_grade_once_a_person_confirmed_it() -> None:
    from dataclasses import replace

    rules = policy(veto={"calls": 1, "grade": "C", "confirmed": "yes"})
    of = entry(confirmed=(10, 95.0))
    machine, confirmed = replace(of, vetoed=(1, 0)), replace(of, vetoed=(1, 1))
    assert pay(rules, machine).grade == "A"
    assert "未经人工确认" in pay(rules, machine).reasons[0]
    assert (pay(rules, confirmed).grade, pay(rules, confirmed).coefficient) == ("C", 0.8)
    trusting = policy(veto={"calls": 1, "grade": "C", "confirmed": "no"})
    assert (pay(trusting, machine).grade, pay(trusting, machine).by_machine) == ("C", True)


def test_new_staff_are_not_graded_unless_the_policy_says_so() -> None:
    from dataclasses import replace

    of = replace(entry(confirmed=(10, 95.0)), is_new=True)
    assert (pay(policy(), of).grade, pay(policy(), of).coefficient) == (NO_GRADE, 1.0)
    assert pay(policy(new_staff={"graded": "yes"}), of).grade == "A"


def test_the_grade_is_judged_on_the_total_shown() -> None:
    assert pay(policy(), entry(confirmed=(10, 89.96))).grade == "A"  # shown as 90.0
    assert pay(policy(), entry(confirmed=(10, 89.94))).grade == "B"


@given(st.lists(st.integers(0, 100), min_size=1, max_size=40))
def test_a_forced_distribution_gives_each_grade_its_share_and_equals_the_same(scores: list[int]) -> None:
    levels = [
        {"grade": "A", "share": "20%", "coefficient": 1.2},
        {"grade": "B", "share": "70%", "coefficient": 1.0},
        {"grade": "C", "share": "10%", "coefficient": 0.8},
    ]
    rules = policy(grades={"method": "forced", "levels": levels})
    entries = [entry(f"{n:03d}", confirmed=(10, float(score))) for n, score in enumerate(scores)]
    pays = apply_policy(rules, ledger(*entries))
    ordered = sorted(pays.values(), key=lambda one: (-(one.total or 0), one.grade))
    assert [one.grade for one in ordered] == sorted(one.grade for one in ordered)
    by_total: dict[float | None, set[str]] = {}
    for one in ordered:
        by_total.setdefault(one.total, set()).add(one.grade)
    assert all(len(grades) == 1 for grades in by_total.values())
    if len(set(scores)) == len(scores):
        assert sum(one.grade == "A" for one in ordered) == -(-len(scores) * 20 // 100)


def test_compare_shows_who_would_change() -> None:
    people = ledger(entry("001", confirmed=(10, 85.0)), entry("002", confirmed=(10, 95.0)))
    lower = policy(grades={"levels": [{**LEVELS[0], "from": 80}, *LEVELS[1:]]})
    moved = compare(apply_policy(policy(), people), apply_policy(lower, people))
    assert [(move.agent_id, move.before.grade, move.after.grade, move.changed) for move in moved] == [
        ("001", "B", "A", True),
        ("002", "A", "A", False),
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("91.2%", 0.912),
        ("1,820", 1820.0),
        ("３", 3.0),
        ("-", "-"),
        ("nan", "nan"),
        ("inf", "inf"),
        ("1e9", "1e9"),
        (".5", 0.5),
    ],
)
def test_records_as_numbers(text: str, value: float | str) -> None:
    assert to_value(text) == value
