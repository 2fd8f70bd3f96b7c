"""Lint, examples, golden files, trying a rule, comparing rulebooks, measuring against people."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from rules_helpers import HEAD, MakeRule, call, indented

from qa_monitor.errors import RuleFileError
from qa_monitor.records import CallFacts
from qa_monitor.rules.lint import lint_packs
from qa_monitor.rules.rulebook import Rulebook
from qa_monitor.rules.testing import (
    CallInput,
    check_packs,
    diff_rulebooks,
    precision_recall,
    read_golden,
    run_example,
    run_examples,
    try_rule,
)

MakeBook = Callable[[str], Rulebook]
EXAMPLES = """
violation: {phrase: 不归我管}
severity: critical
examples:
  hit: [不归我管, 这事不归我管]
  miss:
    - |
      客户：这事归谁管
      坐席：我来管
    - 我没说不归我管
"""


def pack(folder: Path, text: str) -> None:
    (folder / "demo").mkdir(exist_ok=True)
    (folder / "demo" / "rules.yaml").write_text(text, encoding="utf-8")


def warnings(folder: Path, body: str, head: str = "") -> str:
    pack(folder, f"{head}\nrules:\n{HEAD}{indented(body, 4)}\n")
    problems = lint_packs(folder, ["demo"])
    assert all(problem.level == "warning" for problem in problems)
    return "\n".join(map(str, problems))


def test_lint_shows_all_errors_at_once(tmp_path: Path) -> None:
    pack(
        tmp_path,
        f"conditions: {{甲: {{phrase: 的}}}}\nrules:\n{HEAD}    check: {{phrase: ''}}\n"
        "  - {id: t.two, name: 乙, category: 服务规范, chek: {phrase: 您好}}\n",
    )
    problems = check_packs(tmp_path, ["demo"])
    assert [(p.level, p.where) for p in problems] == [
        ("error", "demo/rules.yaml:1"),
        ("error", "demo/rules.yaml:6"),
        ("error", "demo/rules.yaml:7"),
    ]


def test_lint_of_a_broken_file(tmp_path: Path) -> None:
    pack(tmp_path, "a: [")
    (problem,) = lint_packs(tmp_path, ["demo"])
    assert problem.level == "error"


def test_a_clean_pack_has_no_problems(tmp_path: Path) -> None:
    assert warnings(tmp_path, EXAMPLES) == ""


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("check: {phrase: 您好}", "命中例子"),
        (EXAMPLES + "veto: yes\nseverity: minor".replace("severity: minor", ""), ""),
        (EXAMPLES.replace("severity: critical", "veto: yes"), "一票否决"),
        (EXAMPLES.replace("不归我管}", "[不归我管, 这事不归我管]}"), "已包含"),
        (EXAMPLES.replace("不归我管}", "[不归我管, 不归我管]}"), "重复"),
        (EXAMPLES.replace("不归我管}", "[不归我管, 滚]}"), "只有一个字"),
        (EXAMPLES.replace("不归我管}", "[不归我管, 这个事情真的是完全彻底一点也不归我们来管]}"), "超过"),
        (EXAMPLES + "pass_text: 说了{quote}", "原话"),
        (EXAMPLES + "define: {没用到: {phrase: 您好}}", "没有规则用到"),
        (EXAMPLES.replace("{phrase: 不归我管}", "{any: [{phrase: 不归我管}, {pattern: '\\b滚'}]}"), "词边界"),
    ],
)
def test_lint_warns(tmp_path: Path, body: str, what: str) -> None:
    assert what in warnings(tmp_path, body)


def test_examples(make_rule: MakeRule) -> None:
    book = make_rule(EXAMPLES)
    results = list(run_examples(book, ["t.rule"]))
    assert [result.ok for result in results] == [True] * 4
    wrong = make_rule(EXAMPLES.replace("[不归我管, 这事不归我管]", "[不归我管, 这事归我管]"))
    (bad,) = [result for result in run_examples(wrong) if not result.ok]
    assert (bad.text, bad.expected, bad.verdict) == ("这事归我管", ("fail",), "pass")
    assert bad.where.startswith("demo/rules.yaml:")


def test_examples_with_facts_scores_and_times(make_rule: MakeRule) -> None:
    body = """
applies: {all: [{fact: business, is: 欠费}, {fact: direction, is: 呼出}, {satisfaction: 不超过 2 分}]}
violation: {silence: 超过 10 秒, announced: no}
examples:
  fail:
    - text: |
        坐席 0-2：我查一下
        坐席 30-32：查到了
      facts: {business: 欠费, direction: 呼出}
      scores: {satisfaction: 2, resolution: 未解决, politeness: 1.5, emotion: 愤怒}
      note: 等了 28 秒
  pass:
    - text: |
        坐席 0-2：请您稍等
        坐席 30-32：查到了
      facts: {business: 欠费, direction: outbound}
      scores: {satisfaction: 2}
  not_applicable: ['坐席 0-2：好']
"""
    assert all(result.ok for result in run_examples(make_rule(body)))


def test_golden_files(make_rule: MakeRule, tmp_path: Path) -> None:
    book = make_rule("violation: {phrase: 不归我管}")
    golden = tmp_path / "golden"
    golden.mkdir()
    (golden / "t.rule.txt").write_text("# 推诿\n+ 不归我管\n- 客户：不归我管 | 坐席：我来管\n", encoding="utf-8")
    results = [run_example(book, rule, example) for rule, example in read_golden(golden, book)]
    assert [result.ok for result in results] == [True, True]
    assert [result.where for result in results] == ["t.rule.txt:2", "t.rule.txt:3"]
    (golden / "t.rule.txt").write_text("不归我管\n", encoding="utf-8")
    with pytest.raises(RuleFileError, match="开头"):
        list(read_golden(golden, book))
    (golden / "t.rule.txt").unlink()
    (golden / "t.other.txt").write_text("+ 好\n", encoding="utf-8")
    with pytest.raises(RuleFileError, match=r"t\.other"):
        list(read_golden(golden, book))


def calls(*scripts: str) -> list[CallInput]:
    return [CallInput(f"c{i}", call(script), CallFacts()) for i, script in enumerate(scripts)]


def test_try_a_rule(make_rule: MakeRule) -> None:
    book = make_rule("violation: {phrase: 不归我管}")
    report = try_rule(book, "t.rule", calls("不归我管", "好", "不规我管", "不归我管"), limit=2)
    assert report.verdicts == {"fail": 3, "pass": 1}
    assert (report.calls, report.suspected, report.left_out) == (4, 1, 1)
    assert [call_id for call_id, _ in report.found] == ["c0", "c2"]
    with pytest.raises(KeyError):
        try_rule(book, "t.none", [])


def test_compare_rulebooks(make_rule: MakeRule) -> None:
    old = make_rule("violation: {phrase: 不归我管}")
    new = make_rule("violation: {phrase: [不归我管, 找物业去]}")

    def score(findings: object, given: CallInput) -> float:
        return 100.0 - 10 * sum(f.verdict == "fail" for f in findings)  # type: ignore[attr-defined]

    report = diff_rulebooks(old, new, calls("不归我管", "找物业去", "好"), score, score)
    assert [(c.call_id, c.rule_id, c.old and c.old.verdict, c.new and c.new.verdict) for c in report.changes] == [
        ("c1", "t.rule", "pass", "fail")
    ]
    assert [(s.call_id, s.old, s.new) for s in report.scores] == [("c1", 100.0, 90.0)]
    assert report.calls == 3


def test_precision_and_recall() -> None:
    findings = [("c1", "r", "fail"), ("c2", "r", "fail"), ("c3", "r", "pass"), ("c4", "r", "fail"), ("c5", "s", "fail")]
    people = [("c1", "r", "fail"), ("c2", "r", "pass"), ("c3", "r", "fail"), ("c6", "r", "not_applicable")]
    (measured,) = precision_recall(findings, people)  # type: ignore[arg-type]
    assert (measured.true_fails, measured.false_fails, measured.missed_fails, measured.calls) == (1, 1, 1, 4)
    assert (measured.precision, measured.recall, measured.f1) == (0.5, 0.5, 0.5)
    assert measured.macro_f1 == pytest.approx((0.5 + 0 + 1) / 3)


def test_nothing_to_divide_by() -> None:
    (measured,) = precision_recall([("c1", "r", "pass")], [("c1", "r", "pass")])
    assert (measured.precision, measured.recall, measured.f1, measured.macro_f1) == (None, None, None, 1.0)
