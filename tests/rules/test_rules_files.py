"""FAULTS 39-42: rule files that are wrong are refused with file, line and what to type instead."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from rules_helpers import HEAD, MakeRule, call, only

from qa_monitor.errors import RuleFileError
from qa_monitor.records import CallFacts, Dialogue, Turn
from qa_monitor.rules.rulebook import Rulebook, load_rulebook

MakeBook = Callable[[str], Rulebook]
GOOD = f"rules:\n{HEAD}    check: {{phrase: 您好}}\n"


def refused(make_book: MakeBook, text: str) -> RuleFileError:
    with pytest.raises(RuleFileError) as caught:
        make_book(text)
    return caught.value


FILES = [
    ("", 1, "空", ""),
    ("# 只有注释\n", 1, "空", ""),
    ("- a\n", 1, "最外层", ""),
    ("rules:\n\t- id: a\n", 2, "制表符", "空格"),
    ("words:\n  a: [甲]\n  a: [乙]\n", 3, "重复", "第 2 行"),
    ("words:\n  a: &x [甲]\n  b: *x\n", 2, "锚点", "conditions"),
    ("words:\n  a: *x\n", 2, "别名", "words"),
    ("words: !!python/object:os.system [a]\n", 1, "标签", ""),
    ("rule:\n  - id: a\n", 1, "不能写 rule", "rules"),
    ("words:\n  a: [甲\nrules: []\n", 3, "语法", "引号"),
    ("a: 1\n---\nb: 2\n", 2, "多个文档", ""),
    ("words: {a: []}\n", 1, "空", ""),
    ("words: {a: [甲<b>]}\n", 1, "<b>", ""),
    ("words: {a: [甲], +b: [乙]}\n", 1, "追加", ""),
    ("disable: [a.b]\n", 1, "停用", ""),
]


@pytest.mark.parametrize(("text", "line", "what", "hint"), FILES)
def test_bad_files(make_book: MakeBook, text: str, line: int, what: str, hint: str) -> None:
    error = refused(make_book, text)
    assert error.where == f"demo/rules.yaml:{line}"
    assert what in error.what
    assert hint in error.hint


RULES = [
    ("chek: {phrase: 您好}", 5, "chek", "check"),
    ("check: {phrases: 您好}", 5, "phrases", "phrase"),
    ("check: {phrase: 您好, gapp: 3}", 5, "gapp", "gap"),
    ("check: {phrase: 您好}\nviolation: {phrase: 滚}", 2, "只写一个", ""),
    ("severity: bad\ncheck: {phrase: 您好}", 5, "bad", "minor"),
    ("veto: 007\ncheck: {phrase: 您好}", 5, "yes 或 no", ""),
    ("points: many\ncheck: {phrase: 您好}", 5, "0～100", ""),
    ("check: {phrase: ''}", 5, "空", ""),
    ("check: {phrase: []}", 5, "空列表", ""),
    ("check: {phrase: 的}", 5, "几乎每句话", "完整"),
    ("check: {phrase: [您好, 的]}", 5, "几乎每句话", "完整"),
    ("check: {phrase: ，。}", 5, "匹配任何话", ""),
    ("check: {phrase: '[您好]'}", 5, "匹配任何话", ""),
    ("check: {phrase: <谢意>}", 5, "<谢意>", "words"),
    ("check: {phrase: 您好, need: 3}", 5, "永远不成立", ""),
    ("check: {any: [{phrase: 您好}], need: 2}", 5, "永远不成立", ""),
    ("check: {phrase: 您好, silence: 超过 3 秒}", 5, "只能有一个算子", "all"),
    ("check: {role: agent}", 5, "没有写算子", ""),
    ("check: [{phrase: 您好}]", 5, "列表", "all"),
    ("check: 没有的条件", 5, "没有的条件", ""),
    ("check: {rule: no.such}", 5, "no.such", ""),
    ("check: {silence: 很久}", 5, "看不懂", "")
    , ("check: {silence: 超过 3 轮}", 5, "单位", ""),
    ("check: {talk_share: 低于 20}", 5, "百分号", ""),
    ("check: {phrase: 您好, where: 前面}", 5, "看不懂范围", ""),
    ("check: {phrase: 您好, near: {side: after}}", 5, "hit", ""),
    ("check: {phrase: 您好, near: {hit: {phrase: 喂}}}", 5, "多近", ""),
    ("check: {within: [{phrase: 您好}, {phrase: 喂}]}", 5, "多近", ""),
    ("check: {before: [{phrase: 您好}]}", 5, "两个条件", ""),
    ("check: {fact: business}", 5, "要求", ""),
    ("check: {phrase: 您好}\nfail_text: 没说{quot}", 6, "{quot}", "quote"),
    ("check: {phrase: 您好}\nfail_text: 没说{quote", 6, "大括号", ""),
    ("check: {phrase: 您好}\nexamples: {hits: [您好]}", 6, "hits", "hit"),
    ("check: {phrase: 您好}\nexamples: {hit: ['你好\n\n\n  坐席您好']}", 6, "说话人", "坐席"),
    ("check: {ref: 甲}\ndefine: {甲: {ref: 乙}, 乙: {ref: 甲}}", 6, "绕回", ""),
    ("check: {rule: t.rule}", 5, "绕回", ""),
    ("check: {phrase: 您好, near: {hit: 甲, side: after}}\ndefine: {甲: {phrase: 喂, near: {hit: 甲, side: after}}}", 6, "绕回", ""),
]  # fmt: skip


@pytest.mark.parametrize(("body", "line", "what", "hint"), RULES)
def test_bad_rules(make_rule: MakeRule, body: str, line: int, what: str, hint: str) -> None:
    with pytest.raises(RuleFileError) as caught:
        make_rule(body)
    file, _, number = caught.value.where.rpartition(":")
    assert file == "demo/rules.yaml"
    assert int(number) in (line, line + 1)  # the file begins with an empty head
    assert what in caught.value.what
    assert hint in caught.value.hint


PATTERNS = [
    ("您好(?=国网)", "断言", "except_pattern"),
    ("(?<!不)好", "断言", "except_pattern"),
    ("(好", "语法", "括号"),
    ("好*", "空文字", "一个字"),
    ("(a{900}){900}", "重复次数", "1000"),
    ("a" * 2000, "1000", "phrase"),
    (r"(好)\1", "转义", "反向引用"),
]


@pytest.mark.parametrize(("pattern", "what", "hint"), PATTERNS)
def test_bad_patterns(make_rule: MakeRule, pattern: str, what: str, hint: str) -> None:
    with pytest.raises(RuleFileError) as caught:
        make_rule(f"check:\n  pattern: '{pattern}'")
    assert what in caught.value.what
    assert hint in caught.value.hint
    assert caught.value.where.startswith("demo/rules.yaml:")


@pytest.mark.parametrize("pattern", ["(a+)+$", "(.*)*x", "(a|a)*b", "(x+x+)+y"])
def test_hostile_patterns_stay_linear(make_rule: MakeRule, pattern: str) -> None:
    book = make_rule(f"violation:\n  pattern: '{pattern}z'")
    dialogue = Dialogue((Turn(0, "agent", "a" * 50_000 + "!"),))
    start = time.process_time()
    assert only(book, dialogue).verdict == "pass"
    assert time.process_time() - start < 2


def test_a_ten_megabyte_pattern_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "a.yaml").write_text(GOOD + "#" + "a" * 10_000_000, encoding="utf-8")
    with pytest.raises(RuleFileError, match="MB"):
        load_rulebook(tmp_path, ["demo"])


def test_nesting_is_bounded(make_book: MakeBook) -> None:
    assert "嵌套" in refused(make_book, "rules: " + "[" * 200 + "]" * 200).what


def test_gbk_files_say_how_to_convert(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "a.yaml").write_bytes(GOOD.encode("gbk"))
    with pytest.raises(RuleFileError) as caught:
        load_rulebook(tmp_path, ["demo"])
    assert "GBK" in caught.value.what
    assert "iconv" in caught.value.hint
    assert caught.value.where == "demo/a.yaml:3"


def test_utf16_and_bom(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    path = tmp_path / "demo" / "a.yaml"
    path.write_text(GOOD, encoding="utf-16")
    with pytest.raises(RuleFileError, match="UTF-16"):
        load_rulebook(tmp_path, ["demo"])
    path.write_text(GOOD, encoding="utf-8-sig")
    assert len(load_rulebook(tmp_path, ["demo"]).rules) == 1


def test_values_are_read_as_typed(make_rule: MakeRule) -> None:
    book = make_rule("violation: {any: [{fact: 工号, is: 007}, {fact: 时间, is: 12:30}, {fact: 标记, is: no}]}")
    for extra in ({"时间": "12:30"}, {"标记": "no"}):
        assert only(book, call("好"), CallFacts(extra=extra)).verdict == "fail"
    assert only(book, call("好"), CallFacts(agent_id="007")).verdict == "fail"
    assert only(book, call("好"), CallFacts(agent_id="7")).verdict == "pass"


def test_missing_packs_and_requirements(tmp_path: Path) -> None:
    (tmp_path / "common").mkdir()
    with pytest.raises(RuleFileError, match=r"没有 \.yaml"):
        load_rulebook(tmp_path, ["common"])
    with pytest.raises(RuleFileError) as caught:
        load_rulebook(tmp_path, ["comon"])
    assert "common" in caught.value.hint
    (tmp_path / "common" / "a.yaml").write_text("pack: {name: 甲, requires: [base]}\n" + GOOD, encoding="utf-8")
    with pytest.raises(RuleFileError, match="base"):
        load_rulebook(tmp_path, ["common"])
    with pytest.raises(RuleFileError, match="没有启用"):
        load_rulebook(tmp_path, [])


def two_packs(folder: Path, second: str) -> Rulebook:
    for name, text in (("one", "words: {问候: [您好]}\n" + GOOD), ("two", second)):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "a.yaml").write_text(text, encoding="utf-8")
    return load_rulebook(folder, ["one", "two"])


def test_later_packs_override_disable_and_extend(tmp_path: Path) -> None:
    rule = "{id: t.rule, name: 新, category: 服务规范, check: {phrase: <问候>}"
    with pytest.raises(RuleFileError, match="重复"):
        two_packs(tmp_path, f"rules: [{rule}}}]")
    book = two_packs(tmp_path, f"words: {{+问候: [早上好]}}\nrules: [{rule}, override: yes}}]")
    assert book.rules[0].name == "新"
    assert only(book, call("早上好")).verdict == "pass"
    assert two_packs(tmp_path, "disable: [t.rule]").rules == ()
    assert two_packs(tmp_path, f"rules: [{rule}, override: yes, enabled: no}}]").rules == ()


def test_versions_follow_content_not_layout(make_book: MakeBook) -> None:
    version = make_book(GOOD).version
    assert make_book("# 注释\n" + GOOD.replace("{phrase: 您好}", "{ phrase:  '您好' }")).version == version
    changed = make_book(GOOD.replace("您好", "早上好"))
    assert changed.version != version


def test_a_rules_version_follows_what_it_refers_to(make_book: MakeBook) -> None:
    text = (
        "conditions: {甲: {phrase: %s}}\nwords: {乙: [%s]}\nrules:\n"
        "  - {id: a.ref, name: 子, category: 服务规范, check: 甲}\n"
        "  - {id: a.word, name: 丑, category: 服务规范, check: {phrase: <乙>}}\n"
        "  - {id: a.own, name: 寅, category: 服务规范, check: {phrase: 您好}}\n"
    )

    def versions(condition: str, word: str) -> list[str]:
        return [rule.version for rule in make_book(text % (condition, word)).rules]

    base, other_condition, other_word = versions("喂", "嗨"), versions("哎", "嗨"), versions("喂", "哈喽")
    named = {rule.id: i for i, rule in enumerate(make_book(text % ("喂", "嗨")).rules)}
    assert base[named["a.ref"]] != other_condition[named["a.ref"]]
    assert base[named["a.word"]] != other_word[named["a.word"]]
    assert base[named["a.own"]] == other_condition[named["a.own"]] == other_word[named["a.own"]]


def test_an_injected_encoder_decides_what_is_similar(tmp_path: Path) -> None:
    class Topics:
        """One dimension a topic, as a sentence model would put them together."""

        name = "主题"

        def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
            topics = ("停电|没电|黑灯", "电费|账单|欠费")
            rows = [[float(any(word in text for word in topic.split("|"))) for topic in topics] for text in texts]
            return np.array(rows, dtype=np.float32)

    (tmp_path / "demo").mkdir()
    text = f"rules:\n{HEAD}    violation: {{similar: 我家停电了, threshold: 0.9}}\n"
    (tmp_path / "demo" / "a.yaml").write_text(text, encoding="utf-8")
    book = load_rulebook(tmp_path, ["demo"], Topics())
    assert only(book, call("整栋楼都黑灯瞎火的")).verdict == "fail"
    assert only(book, call("我的账单不对呀")).verdict == "pass"
    assert only(load_rulebook(tmp_path, ["demo"]), call("整栋楼都黑灯瞎火的")).verdict == "pass"


def test_another_encoder_is_another_book(tmp_path: Path) -> None:
    class Other:
        name = "别的模型"

        def encode(self, texts: object) -> object:
            raise AssertionError("nothing to encode")

    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "a.yaml").write_text(GOOD, encoding="utf-8")
    other = load_rulebook(tmp_path, ["demo"], Other())  # type: ignore[arg-type]
    assert other.version != load_rulebook(tmp_path, ["demo"]).version
