"""Labelled dialogues: what people write is read as meant, and refused with its place where it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from qa_monitor.errors import TrainingDataError
from qa_monitor.training.dialogues import read_dialogues, read_second
from qa_monitor.training.own_sets import read_labels, read_own, read_replies, read_talk, rule_labels, to_example

ROOT = Path(__file__).resolve().parents[2]
ONE = """@ pw-1 | 故障报修 | 呼入 | 有标点
坐席 4 礼貌：您好，您请讲
客户* 焦急：表箱冒烟：快来
= 礼貌 5 解决 部分解决 满意 4 完成 2 效果 -1 走向 平息
不合格 closing.anything_else
不适用 identity.verify hold.courtesy
证据 closing.anything_else=2 opening.greeting=1 solution.confirm=0
"""
SECOND = """@ pw-1
1 坐席 3 平淡
2 客户* 愤怒
= 礼貌 3 解决 未解决 满意 2 完成 0 效果 -1 走向 不变
不合格
不适用 identity.verify
"""


def written(folder: Path, text: str, name: str = "a.txt") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_reads_turns_labels_and_verdicts(tmp_path: Path) -> None:
    (one,) = read_dialogues(written(tmp_path, ONE))
    assert [turn.role for turn in one.turns] == ["agent", "customer"]
    assert one.turns[1].text == "表箱冒烟：快来"
    assert (one.turns[0].politeness, one.turns[0].attitude, one.turns[1].emotion) == (4, "courteous", "anxious")
    assert (one.deciding_turn, one.resolution, one.effectiveness, one.course) == (1, "partial", -1, "calmed")
    assert one.failed == {"closing.anything_else"}
    assert one.not_applicable == {"identity.verify", "hold.courtesy"}
    assert one.evidence == {"closing.anything_else": 1, "opening.greeting": 0}  # 0 of the file: no turn shows it


def test_both_readings_are_averaged(tmp_path: Path) -> None:
    first = read_dialogues(written(tmp_path, ONE))
    second = read_second(written(tmp_path, SECOND, "b.txt"), {item.id: item for item in first})
    example = to_example([first[0], second[0]], ["closing.anything_else", "identity.verify", "opening.greeting"])
    assert example.turn["politeness"][0] == (0, 0, 0.5, 0.5, 0)
    assert example.turn["politeness"][1] is None
    assert example.call["resolution"] == (0.5, 0.5, 0)
    assert example.rules == ((0.5, 0.5, 0), (0, 0, 1), (1, 0, 0))
    assert second[0].evidence == {}
    assert example.evidence == (1, None, 0)
    assert example.part(0, 1).evidence is None


@pytest.mark.parametrize(
    ("wrong", "line", "told"),
    [
        (ONE.replace("坐席 4 礼貌", "坐席 6 礼貌"), 2, "坐席 1–5"),
        (ONE.replace("焦急", "着急"), 3, "情绪有"),
        (ONE.replace("满意 4", ""), 4, "满意"),
        (ONE.replace("呼入", "呼"), 1, "呼入或呼出"),
        (ONE.replace("不适用", "不晓得"), 6, "看不懂"),
        (ONE.replace("else=2", "else=3"), 7, "只有 2 句"),
        (ONE.replace("greeting=1", "greeting:1"), 7, "规则编号=第几句"),
        (ONE.replace("opening.greeting=1", "closing.anything_else=1"), 7, "写了两次"),
        (ONE.replace("坐席 4", "证据 opening.greeting=1\n坐席 4"), 2, "只有 0 句"),
        ("@ x | a | 呼入 | 有标点\n坐席 4 礼貌：好\n", 1, "缺少"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(tmp_path: Path, wrong: str, line: int, told: str) -> None:
    with pytest.raises(TrainingDataError) as caught:
        read_dialogues(written(tmp_path, wrong))
    assert caught.value.where.endswith(f"a.txt:{line}")
    assert told in str(caught.value)


def test_the_same_number_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingDataError, match="pw-1"):
        read_dialogues(written(tmp_path, ONE + "\n" + ONE))


def test_a_second_reading_must_fit_the_first(tmp_path: Path) -> None:
    first = {item.id: item for item in read_dialogues(written(tmp_path, ONE))}
    for wrong in (
        SECOND.replace("1 坐席 3 平淡\n", ""),
        SECOND.replace("2 客户* 愤怒", "2 坐席* 3 平淡"),
        SECOND.replace("pw-1", "pw-2"),
    ):
        with pytest.raises(TrainingDataError):
            read_second(written(tmp_path, wrong, "b.txt"), first)


def test_our_own_dialogues_are_all_readable() -> None:
    rules = rule_labels(ROOT / "tests/golden/rules")
    readings = read_own(ROOT / "data")
    assert readings
    ids = [first.id for first, _ in readings]
    assert len(ids) == len(set(ids))
    for first, second in readings:
        assert {turn.role for turn in first.turns} == {"agent", "customer"}, first.id
        assert (first.failed | first.not_applicable) <= set(rules), first.id
        assert not first.failed & first.not_applicable, first.id
        assert set(first.evidence) <= set(rules) - first.not_applicable, first.id
        to_example([first] + ([second] if second else []), rules)


def test_reviewers_labels_are_read_with_their_line(tmp_path: Path) -> None:
    good = '{"id": "1", "turns": [{"role": "agent", "text": "您好", "politeness": 4.5}], "resolution": "partial"}\n'
    (example,) = read_labels(written(tmp_path, good), ["opening.greeting"])
    assert example.turn["politeness"][0] == (0, 0, 0, 0.5, 0.5)
    assert example.rules == (None,)
    for wrong in ("not json\n", '{"id": "2"}\n', good.replace("partial", "done"), good.replace("4.5", "7")):
        with pytest.raises(TrainingDataError) as caught:
            read_labels(written(tmp_path, good + wrong), ["opening.greeting"])
        assert caught.value.where.endswith(":2")


def test_replies_are_read_with_what_was_said_before(tmp_path: Path) -> None:
    (tmp_path / "replies").mkdir()
    (tmp_path / "replies/a.txt").write_text(
        "坐席：您好请讲\n客户 焦急：停电了\n1 轻蔑：停就停呗\n5 热情：我马上帮您看\n\n客户 平静：电费多少\n3 平淡：户号\n",
        encoding="utf-8",
    )
    first, second, third = read_replies(tmp_path)
    assert [text for _, text in first.turns] == ["您好请讲", "停电了", "停就停呗"]
    assert first.turn["politeness"] == (None, None, (1.0, 0.0, 0.0, 0.0, 0.0))
    assert first.turn["emotion"][0] is None
    assert first.turn["emotion"][1] is not None
    assert second.turns[-1][1] == "我马上帮您看"
    assert [text for _, text in third.turns] == ["电费多少", "户号"]


def test_a_reply_to_nothing_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "replies").mkdir()
    (tmp_path / "replies/a.txt").write_text("3 平淡：户号\n", encoding="utf-8")
    with pytest.raises(TrainingDataError, match=r"a\.txt:1"):
        read_replies(tmp_path)


def test_talk_is_read_in_simplified_characters_and_a_wrong_line_refused(tmp_path: Path) -> None:
    (tmp_path / "talk").mkdir()
    file = tmp_path / "talk/a.tsv"
    file.write_text("3.3\t謝謝您的說明，我再看看。\n0\t胡說\n", encoding="utf-8")
    first, second = read_talk(tmp_path)
    assert first.turns == ((0, "谢谢您的说明，我再看看。"),)
    assert first.call["wiki"] == pytest.approx((0, 0, 0, 0.7, 0.3))
    assert second.call["wiki"] == (1, 0, 0, 0, 0)
    for wrong in ("4.5\t太高", "好\t没有分", "2.0 没有制表符", "2.0\t "):
        file.write_text(f"1.0\t对\n{wrong}\n", encoding="utf-8")
        with pytest.raises(TrainingDataError, match=r"a\.tsv:2"):
            read_talk(tmp_path)
