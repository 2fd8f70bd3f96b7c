"""Wordings: the small language, what does and does not hide them, and that a hit always points at its own words."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rules_helpers import MakeRule, call, only

from qa_monitor.records import Turn
from qa_monitor.rules import fold
from qa_monitor.rules.phrases import PhraseHit, PhraseIndex
from qa_monitor.rules.streams import CallText
from qa_monitor.rules.wordings import UnknownClassError, parse_wording

WORDS = {"歉意": ("抱歉", "对不起", "不好意思"), "套": ("<歉意>…久等", "让您(久|)等了")}


def strings(text: str) -> set[str]:
    """Every variant written out, gaps as …, slots that touch as +."""
    out = set()
    for variant in parse_wording(text, WORDS).variants:
        combined = [""]
        for slot in variant:
            glue = "" if not combined[0] else "+" if slot.adjacent else "…"
            combined = [head + glue + string for head in combined for string in slot.strings]
        out |= set(combined)
    return out


@pytest.mark.parametrize(
    ("wording", "expected"),
    [
        ("请稍等", {"请稍等"}),
        ("请…稍等", {"请…稍等"}),
        ("请*稍等", {"请…稍等"}),
        ("请...稍等", {"请…稍等"}),
        ("请[您]稍等", {"请稍等", "请您稍等"}),
        ("请(稍等|稍候)", {"请稍等", "请稍候"}),
        ("请（稍等｜稍候）", {"请稍等", "请稍候"}),
        ("[非常]<歉意>", {"抱歉", "对不起", "不好意思", "非常抱歉", "非常对不起", "非常不好意思"}),
        ("<套>", {"抱歉…久等", "对不起…久等", "不好意思…久等", "让您久等了", "让您等了"}),
        ("好(的|…吧)啊", {"好的啊", "好…吧啊"}),
        ("([请]您|)稍等", {"请您稍等", "您稍等", "稍等"}),
    ],
)
def test_wordings_expand(wording: str, expected: set[str]) -> None:
    assert strings(wording) == expected


@pytest.mark.parametrize("wording", ["请(稍等", "请稍等)", "甲|乙", "请<稍等", "[请]", "(|请)", "…", "a" * 500])
def test_wordings_that_mean_nothing_are_refused(wording: str) -> None:
    with pytest.raises(ValueError, match=r"说法"):
        parse_wording(wording, WORDS)


def test_unknown_and_circular_classes_are_refused() -> None:
    with pytest.raises(UnknownClassError):
        parse_wording("<谢意>", WORDS)
    with pytest.raises(ValueError, match="绕回"):
        parse_wording("甲<a>", {"a": ("<b>",), "b": ("乙<a>",)})


def test_long_runs_of_alternatives_become_adjacent_slots() -> None:
    letters = "甲|乙|丙|丁|戊|己|庚|辛|壬|癸"
    wording = parse_wording(f"({letters})(一|二|三|四)({letters})({letters})", {})
    assert all(len(variant) > 1 and all(slot.adjacent for slot in variant[1:]) for variant in wording.variants)
    run = f"一个({letters})(一|二|三|四)({letters})({letters})"
    assert find(run, "一个甲三癸丙") == ["一个甲三癸丙"]
    assert find(run, "一个甲三癸的丙") == []


def hits(wording: str, *texts: str, gap: int = 6, pinyin: bool = True) -> tuple[CallText, list[PhraseHit]]:
    index = PhraseIndex()
    number = index.add([parse_wording(wording, WORDS)], gap, pinyin)
    text = CallText([Turn(i, "agent", words) for i, words in enumerate(texts)])
    return text, index.scan(text).get(number, [])


def find(wording: str, *texts: str, gap: int = 6) -> list[str]:
    """The quoted words of the best hit in each place."""
    text, found = hits(wording, *texts, gap=gap)
    return [text.joined[hit.start : hit.end] for hit in found]


@pytest.mark.parametrize(
    ("wording", "said"),
    [
        ("请稍等", "请稍等"),
        ("请稍等", "請稍等"),
        ("请稍等", "请，稍 等"),
        ("请稍等", "请嗯稍等"),
        ("请稍等", "请请稍等"),
        ("请稍等", "请稍稍等"),
        ("请稍等", "请那个稍呃等"),
        ("还有其他问题吗", "还有还有其他问题吗"),
        ("谢谢", "谢呃谢"),
        ("谢谢您的来电", "嗯谢谢您的啊来电"),
        ("给您添麻烦了", "给你添麻烦了"),
        ("WiFi密码", "ｗｉｆｉ密码"),
        ("95598", "９５５９８"),
    ],
)
def test_noise_does_not_hide_a_wording(wording: str, said: str) -> None:
    _, found = hits(wording, f"好的，{said}。")
    assert any(hit.sure for hit in found)


@pytest.mark.parametrize(
    ("wording", "said"),
    [
        ("请稍等", "请烧等"),
        ("很抱歉", "恨抱歉"),
        ("请您稍等", "情您稍等"),
        ("这事不归我管", "这是不规我管"),
        ("您好", "拎好"),
        ("非常抱歉", "灰常抱歉"),
        ("国家电网", "国家点网"),
        ("感谢您的来电", "感谢您来电"),
        ("还有什么可以帮您", "还有啥么可以帮您"),
        ("请…稍等", "请您在线烧等"),
        ("感谢您的耐心等待祝您生活愉快", "感谢您的耐心等呆猪您生活愉筷"),
    ],
)
def test_misheard_wordings_are_found_and_marked(wording: str, said: str) -> None:
    _, found = hits(wording, said)
    assert found
    assert not found[0].sure
    assert found[0].confidence < 1
    assert not hits(wording, said, pinyin=False)[1]


@pytest.mark.parametrize(
    ("wording", "said"),
    [
        ("没有问题", "还有问题"),  # one syllable apart, and the opposite
        ("不给您办理", "我给您办理"),
        ("再见", "在建工程"),  # same sound, another word
        ("投诉", "头疏"),  # nothing but the sound
        ("不归我管", "不关我的事"),
        ("请稍等", "请。稍后等"),
        ("对不起", "对不对"),
        ("95598", "95599"),
        ("请…稍等", "请。您在线稍等"),
        ("喂", "为"),
    ],
)
def test_other_words_are_not_taken_for_a_wording(wording: str, said: str) -> None:
    assert find(wording, said) == []


def test_wordings_do_not_cross_turns() -> None:
    assert find("请稍等", "请", "稍等") == []
    assert find("请…稍等", "请您", "稍等") == []


def test_gaps_are_bounded() -> None:
    assert find("请…稍等", "请您在线上耐心稍等") == ["请您在线上耐心稍等"]
    assert find("请…稍等", "请您在线上耐心稍等", gap=5) == []


PLAIN = st.text(alphabet="请您稍等好的再见抱歉电费户号，。嗯呃 的了", max_size=25)


@settings(max_examples=150, deadline=None)
@given(before=PLAIN, after=PLAIN, wording=st.sampled_from(["请稍等", "很抱歉", "谢谢您的来电", "不归我管"]))
def test_a_wording_is_found_wherever_it_stands(before: str, after: str, wording: str) -> None:
    text, found = hits(wording, before, after + wording + before, before)
    sure = [hit for hit in found if hit.sure]
    assert any(text.joined[hit.start : hit.end] == wording for hit in sure)


NOISE = st.sampled_from(["嗯", "呃", "，", " ", "那个", "啊", ""])


@settings(max_examples=150, deadline=None)
@given(noise=st.lists(NOISE, min_size=12, max_size=12), lead=PLAIN)
def test_offsets_lead_back_to_the_words(noise: list[str], lead: str) -> None:
    wording = "感谢您的耐心等待"
    said = "".join(char + extra for char, extra in zip(wording, noise, strict=False))
    text, found = hits(wording, lead + "。" + said)
    quotes = {text.joined[hit.start : hit.end] for hit in found}
    assert quotes
    for quote in quotes:
        kept = "".join(char for char in quote if char in wording)
        assert kept.startswith("感谢") or kept.endswith("等待")
        assert quote[0] in wording
        assert quote[-1] in wording


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_folding_keeps_the_length(text: str) -> None:
    assert len(fold.shown_text(text)) == len(text)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=5))
def test_any_text_at_all_can_be_searched(texts: list[str]) -> None:
    index = PhraseIndex()
    for wording in ("请稍等", "请…等", "感谢您的来电", "<歉意>"):
        index.add([parse_wording(wording, WORDS)], 6, True)
    text = CallText([Turn(i, "agent", words) for i, words in enumerate(texts)])
    for found in index.scan(text).values():
        for hit in found:
            turn, start, end = text.local(hit.start, hit.end)
            assert 0 <= start < end <= len(texts[turn])


def test_half_the_characters_wrong_by_sound_is_too_much(make_rule: MakeRule) -> None:
    book = make_rule("violation: {phrase: 我没有办法}")
    assert only(book, call("我没有办法")).verdict == "fail"
    assert only(book, call("我没有半发")).suspected
    assert only(book, call("握煤有半发")).verdict == "pass"


def homophones() -> dict[int, list[str]]:
    table = fold.tables().syllable
    found: dict[int, list[str]] = {}
    for code in range(0x4E00, 0x9FA5):
        found.setdefault(int(table[code]), []).append(chr(code))
    return found


def test_homophones_in_15_percent_of_characters_hide_few_wordings() -> None:
    """Of 400 misheard sentences of real length at least 93 in 100 keep their wording."""
    by_sound = homophones()
    rng = random.Random(7)
    wordings = ["请您稍等", "很抱歉", "感谢您的来电", "还有什么可以帮您", "这事不归我管", "让您久等了", "给您添麻烦了"]
    kept = 0
    for number in range(400):
        wording = wordings[number % len(wordings)]
        said = "".join(
            rng.choice(by_sound[int(fold.tables().syllable[ord(char)])]) if rng.random() < 0.15 else char
            for char in f"好的{wording}我这边看一下"
        )
        kept += bool(find(wording, said))
    assert kept >= 372
