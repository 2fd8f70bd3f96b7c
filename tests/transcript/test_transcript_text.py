"""Text after recognition: width and script with offsets, domain words by sound, marks of what nobody said."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_monitor.errors import RuleFileError
from qa_monitor.records import Word
from qa_monitor.transcript import guard, words
from qa_monitor.transcript.correct import Corrector
from qa_monitor.transcript.hotwords import fit, list_hash, read_words
from qa_monitor.transcript.normalise import normalise
from qa_monitor.transcript.sound import near
from qa_monitor.transcript.whisper import once

DOMAIN = ("户号", "复电", "营业厅", "校表", "交费", "供电所")


def corrected(text: str, probability: float = 0.4, domain: tuple[str, ...] = DOMAIN) -> str:
    heard = [Word(character, 0, 0, probability, 0) for character in text]
    return Corrector(domain).correct(text, range(len(text)), heard)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("戶號多少", "户号多少"),
        (" 計劃停電", "计划停电"),
        ("好的,請問?", "好的，请问？"),
        ("欠了1,200.5元", "欠了1,200.5元"),
        ("ＡＢ１２", "AB12"),
        ("下載 app 登錄", "下载app登录"),
        ("隨著電價，接著說著名品牌", "随着电价，接着说著名品牌"),
        ("online banking", "online banking"),
        ("", ""),
    ],
)
def test_normalised(raw: str, text: str) -> None:
    assert normalise(raw).text == text


@given(st.text(alphabet="護號電費户号您好 ,.?！１２Ａab0後里裏乾", max_size=40))
def test_each_character_knows_where_it_came_from(raw: str) -> None:
    normal = normalise(raw)
    assert len(normal.offsets) == len(normal.text)
    assert list(normal.offsets) == sorted(normal.offsets)
    for character, offset in zip(normal.text, normal.offsets, strict=True):
        assert normalise(raw[offset]).text in ("", character) or len(normalise(raw[offset]).text) == 1
    assert normalise(normal.text).text == normal.text


@pytest.mark.parametrize(
    ("heard", "right"),
    [
        ("请报一下护号", "请报一下户号"),
        ("一般会自动赋电的", "一般会自动复电的"),
        ("去营业听问", "去营业厅问"),
        ("工店所的人", "供电所的人"),
    ],
)
def test_domain_words_are_put_right_by_their_sound(heard: str, right: str) -> None:
    assert corrected(heard) == right


def test_what_the_recogniser_was_sure_of_stays() -> None:
    assert corrected("请报一下护号", probability=0.95) == "请报一下护号"


@pytest.mark.parametrize("text", ["电暖器比较费电", "您好请讲", "户号是多少", ""])
def test_everyday_words_are_no_misheard_domain_words(text: str) -> None:
    assert corrected(text) == text


def test_text_begun_anew_is_cut_where_it_begins_again() -> None:
    text, stamp = list(range(20)), 100
    assert once([stamp, *text, stamp, *text, stamp], stamp) == [stamp, *text, stamp]
    assert once([*text, 3, 4, 5, 3, 4, 5], stamp) == [*text, 3, 4, 5, 3, 4, 5]
    assert once([], stamp) == []


@given(st.text(alphabet="护户号浩互赋复电店营业听厅一下请您", max_size=20))
def test_correcting_keeps_the_length_and_does_not_go_on(text: str) -> None:
    once = corrected(text)
    assert len(once) == len(text)
    assert corrected(once) == once


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("请不吝点赞订阅转发打赏支持明镜与点点栏目", "stock_phrase"),
        ("字幕由Amara.org社区提供", "stock_phrase"),
        ("谢谢大家观看", "stock_phrase"),
        ("我们的电费我们的电费我们的电费我们的电费我们的电费", "repetition"),
        ("thank you so much for your call today", "not_chinese"),
    ],
)
def test_what_nobody_said_is_marked(text: str, reason: str) -> None:
    assert guard.suspicion(text, 20.0, 0.9, -0.2, 0.0) == reason


@pytest.mark.parametrize("text", ["对对对", "喂喂喂", "好的好的好的", "谢谢您的来电再见", "我的户号是12345678", "OK"])
def test_what_callers_say_is_not(text: str) -> None:
    assert guard.suspicion(text, 5.0, 0.9, -0.2, 0.0) is None


def test_more_text_than_anybody_can_say_is_marked() -> None:
    assert guard.suspicion("今天天气很好我们去公园里散步吧", 0.5, 0.9, -0.2, 0.0) == "silence"
    assert guard.suspicion("今天天气很好我们去公园里散步吧", 3.0, 0.9, -0.2, 0.0) is None
    assert guard.suspicion("您好", 1.0, 0.1, -0.2, 0.0) == "low_confidence"
    assert guard.suspicion("您好", 1.0, 0.9, -0.9, 0.9) == "silence"


def test_hot_words_fit_the_limit_and_those_left_out_are_told() -> None:
    fitted = fit(("户号", "网上国网", "表"), len, 5)
    assert fitted.words == ("户号", "表")
    assert fitted.left_out == ("网上国网",)
    (note,) = fitted.notes()
    assert note.count == 1
    assert "网上国网" in note.message
    assert fit(("户号",), len, 5).notes() == ()


def test_word_lists(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("# 说明\n户号  # 常用\n\n复电\n户号\n", encoding="utf-8-sig")
    assert read_words(file) == ("户号", "复电")
    before = list_hash(file)
    file.write_text("户号\n复电\n", encoding="utf-8")
    assert list_hash(file) == before
    file.write_bytes("复电\n户号".encode("gb18030"))
    with pytest.raises(RuleFileError) as failure:
        read_words(file)
    assert str(file) in str(failure.value.where)
    assert read_words(tmp_path / "none.txt") == ()


def test_segmentation_knows_domain_words_and_covers_the_text() -> None:
    text = "请在网上国网查询阶梯电价"
    tokens = words.cut(text)
    assert "".join(token.text for token in tokens) == text
    assert {"网上国网", "阶梯电价"} <= {token.text for token in tokens}
    assert words.cut("") == []


def test_a_window_begun_anew_deserves_another_decoding() -> None:
    once = "有的时候它会显示出会员并且支持七天无理由"
    assert not guard.is_poor(once, -0.2, 8)
    assert guard.is_poor(once + once, -0.2, 8)
    assert not guard.is_poor("户号是三三零一二三四五对户号是三三零一二三四", -0.2, 8)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("fu", "hu", True),  # made in the same way
        ("bao", "pao", True),  # made in the same place
        ("den", "de", True),  # only the end differs
        ("yan", "ren", False),  # the initial and the final
        ("wo", "luo", True),
        ("wo", "wu", True),
        ("zon", "dian", False),
        ("hng", "ha", False),
    ],
)
def test_sounds_are_near_that_differ_in_one_trait(one: str, other: str, expected: bool) -> None:
    assert near(one, other) is expected
    assert near(other, one) is expected
