"""Misheard characters put right: by sound and context, never a number, a held word or what the engine was sure of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa_monitor.records import Utterance, Word
from qa_monitor.settings import resource_dir
from qa_monitor.training.arpa import characters, read_arpa
from qa_monitor.training.ngrams import count
from qa_monitor.transcript.homophones import LONGEST_TYPED, Homophones, corrected_notes, homophones
from qa_monitor.transcript.ngrams import END, START, LanguageModel, Ngrams, ids_of

SAID = ["今天是计划检修，停到晚上八点。", "检修完就会送电的", "我帮您查询一下", "请问户号是多少", "给您发了短信"] * 20
# Logarithms to the base of ten: the words, what follows what.
GENERAL = """
\\data\\
ngram 1=7

\\1-grams:
-6	<unk>	0
-1	公园	-0.5
-1	散步	0
-0.8	去	-0.4
-0.8	话	0
-0.5	电	0
-3	app	0

\\2-grams:
-0.3	去 公园	-0.2
-0.5	公园 散步	0

\\3-grams:
-0.1	去 公园 散步

\\end\\
"""


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return LanguageModel(count(SAID), characters(read_arpa(GENERAL.splitlines())))


def heard(text: str, probability: float = 0.5, suspect: str | None = None) -> Utterance:
    words = tuple(Word(character, 0, 1, probability, 0) for character in text)
    return Utterance(0, 0, 1, text, text, tuple(range(len(text))), words, probability, suspect)


def right(known: Homophones, text: str, *, held: tuple[str, ...] = (), probability: float = 0.5) -> str:
    (one,), _ = known.put_right([heard(text, probability)], held)
    return one.text


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("今天事计划减修", "今天是计划检修"),
        ("减修完就会送电的", "检修完就会送电的"),
        ("给您发了短心", "给您发了短信"),
        ("请问，互号是多少", "请问，户号是多少"),
    ],
)
def test_a_misheard_character_becomes_what_is_said_in_calls(model: LanguageModel, text: str, meant: str) -> None:
    assert right(Homophones(model), text) == meant


def test_what_the_engine_is_sure_of_stands(model: LanguageModel) -> None:
    for probability in (0.999, 1.0):
        assert right(Homophones(model), "今天事计划减修", probability=probability) == "今天事计划减修"


def test_a_held_word_stands(model: LanguageModel) -> None:
    assert right(Homophones(model), "减修完就会送电的", held=("减修",)) == "减修完就会送电的"


def test_suspect_text_stands_and_is_not_learnt_from(model: LanguageModel) -> None:
    one = heard("今天事计划减修", suspect="silence")
    assert Homophones(model).put_right([one], ()) == ([one], 0)


def test_numbers_stand() -> None:
    assert right(homophones(), "户号是一三八七二幺零四五九") == "户号是一三八七二幺零四五九"


def test_changes_are_counted_and_the_engine_s_text_is_kept(model: LanguageModel) -> None:
    (one, other), changed = Homophones(model).put_right([heard("今天事计划减修"), heard("给您发了短心")], ())
    assert changed == 3
    assert (one.raw_text, other.raw_text) == ("今天事计划减修", "给您发了短心")
    (note,) = corrected_notes(changed)
    assert note.count == 3
    assert corrected_notes(0) == ()


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("查到了今天事计划减修停到晚上八点", "查到了今天是计划检修停到晚上八点"),
        ("你们就不能发个短心吗", "你们就不能发个短信吗"),
        ("这个我可以帮您返亏一下", "这个我可以帮您反馈一下"),
        ("我哪里知道什么互号啊", "我哪里知道什么户号啊"),
    ],
)
def test_the_shipped_model_knows_how_calls_go(text: str, meant: str) -> None:
    assert right(homophones(), text) == meant


@pytest.mark.parametrize(
    ("text", "meant"), [("您的店费是多少", "您的电费是多少"), ("请您报一下付号", "请您报一下户号")]
)
def test_a_near_sound_is_tried_where_the_engine_doubts(text: str, meant: str) -> None:
    assert right(homophones(), text) == meant
    assert right(homophones(), "请您报一下付号", probability=0.98) == "请您报一下付号"


@pytest.mark.parametrize("text", ["我们周末去爬山看日出", "北京大学图书馆在未名湖旁边", "他昨天去公园散步看见很多花"])
def test_a_call_about_something_else_is_not_bent_to_ours(text: str) -> None:
    assert right(homophones(), text, probability=0.8) == text


MISHEARD = [
    "您好 攻电公司 请问有什么可以帮您",
    "我家今天听电了 什么时后能来电",
    "请您提供一下互号",
    "稍等 我帮您茶一下",
]
MEANT = ["您好 供电公司 请问有什么可以帮您", "我家今天停电了 什么时候能来电", "请您提供一下户号", "稍等 我帮您查一下"]


def test_a_call_typed_by_another_engine_is_put_right_where_it_reads_misheard() -> None:
    assert homophones().put_right_typed(MISHEARD) == (MEANT, 5)


@pytest.mark.parametrize(
    "texts",
    [
        MEANT,
        ["我们周末去爬山看日出", "北京大学图书馆在未名湖旁边", "他昨天去公园散步看见很多花"],
        ["卷积核的步长决定输出的尺寸", "反向传播沿着计算图求梯度"],
        ["", "ok 95598", "……"],
        [],
    ],
)
def test_a_typed_call_that_reads_well_or_is_about_something_else_stands(texts: list[str]) -> None:
    assert homophones().put_right_typed(texts) == (texts, 0)


def test_text_longer_than_any_call_stands() -> None:
    endless = MISHEARD * (LONGEST_TYPED // sum(map(len, MISHEARD)) + 1)
    assert homophones().put_right_typed(endless) == (endless, 0)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(alphabet="您好请问户号电费一二三，。 ab𠮷龘停湖诗婷", max_size=30), max_size=4))
def test_typed_text_keeps_its_length_and_what_is_not_chinese(texts: list[str]) -> None:
    after, changed = homophones().put_right_typed(texts)
    pairs = [pair for before, text in zip(texts, after, strict=True) for pair in zip(before, text, strict=True)]
    assert sum(old != new for old, new in pairs) == changed
    assert all(old == new for old, new in pairs if not "一" <= old <= "鿿" or (old in "一二三" and new in "一二三"))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.text(alphabet="您好请问户号电费一二三，。 ab𠮷龘停", max_size=20), max_size=4),
    st.floats(0, 1),
)
def test_nothing_changes_in_length_or_beside_chinese(texts: list[str], probability: float) -> None:
    before = [heard(text, probability) for text in texts]
    after, changed = homophones().put_right(before, ())
    assert [len(one.text) for one in after] == [len(text) for text in texts]
    pairs = [
        (old, new) for one, text in zip(after, texts, strict=True) for old, new in zip(text, one.text, strict=True)
    ]
    assert sum(old != new for old, new in pairs) == changed
    assert all(old == new for old, new in pairs if not "一" <= old <= "鿿")


@pytest.mark.parametrize("history", ["是计", "计划", "划公", "去公", "公园", "园散", "电去"])
def test_a_model_s_probabilities_are_a_distribution(model: LanguageModel, history: str) -> None:
    for one in (model.calls, model.general):
        everything = np.append(ids_of(one.characters()), END)
        shares = np.exp(one.after(ids_of(history)[None, :], everything))
        assert shares.sum() == pytest.approx(1, abs=0.15)  # in steps of a twelfth; some is left for what is unseen


def test_what_follows_in_words_follows_in_characters(model: LanguageModel) -> None:
    def share(history: str, character: str) -> float:
        return float(np.exp(model.general.after(ids_of(history)[None, :], ids_of(character)))[0, 0])

    assert share("去公", "园") > 0.9  # in one word
    assert share("公园", "散") > share("公园", "话") * 2  # across words
    assert share("电去", "公") == pytest.approx(share("话去", "公"))  # unseen: what follows the last character


def test_both_ways_of_asking_tell_the_same() -> None:
    known = LanguageModel.read(resource_dir("models") / "language")
    histories = np.vstack([[START, START], [START, ids_of("您")[0]], ids_of("请问"), ids_of("龘园"), ids_of("园龘")])
    asked = np.append(ids_of("您问户号龘"), END)
    for one in (known.calls, known.general):
        rows = one.log_probability(np.repeat(histories, len(asked), axis=0), np.tile(asked, len(histories)))
        assert one.after(histories, asked) == pytest.approx(rows.reshape(len(histories), -1))


def test_a_saved_model_is_the_same_when_read(model: LanguageModel, tmp_path: Path) -> None:
    for name in ("calls", "general"):
        getattr(model, name).save(tmp_path / f"{name}.npz")
    read = LanguageModel.read(tmp_path)
    assert read.calls.characters() == model.calls.characters()
    assert right(Homophones(read), "今天事计划减修") == "今天是计划检修"
    first = (tmp_path / "calls.npz").read_bytes()
    Ngrams.read(tmp_path / "calls.npz").save(tmp_path / "calls.npz")
    assert (tmp_path / "calls.npz").read_bytes() == first


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\\1-grams:\n-1\t电\t0\n\\2-grams:\n-1\t电 话\t0\n", "line 4"),
        ("\\1-grams:\nx\t电\t0\n", "line 2"),
        ("\\4-grams:\n", "line 1"),
        ("not one", "no words"),
    ],
)
def test_what_is_no_model_of_words_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_arpa(text.splitlines())
