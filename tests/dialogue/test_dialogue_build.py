"""Who is the agent, on what grounds; crosstalk, silence, interruption; two voices told apart in real sample calls."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from qa_monitor.audio.decoder import Decoder
from qa_monitor.dialogue import interaction, roles, voices
from qa_monitor.dialogue.build import build_dialogue, from_text
from qa_monitor.dialogue.voiceprint import voice_prints
from qa_monitor.recordings import identify, walk
from qa_monitor.records import AudioInfo, CallFacts, ChannelInfo, Dialogue, Span, Transcript, Turn, Utterance, Word
from qa_monitor.settings import AudioSettings, DialogueSettings, RecordingSettings

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
SETTINGS = DialogueSettings()
AGENT = "您好，供电公司零零七号为您服务，请问有什么可以帮您？"
CUSTOMER = "我家停电了，什么时候能来电啊，你们怎么回事"


class Sound:
    """Channels of noise at given levels: enough for everything but telling voices apart."""

    def __init__(self, levels: list[float], voiced: list[list[Span]], duration_s: float = 60.0) -> None:
        self.levels = levels
        layout = "stereo" if len(levels) > 1 else "mono"
        channels = tuple(
            ChannelInfo(index, 20 * np.log10(level), 30.0, 0.0, tuple(spans))
            for index, (level, spans) in enumerate(zip(levels, voiced, strict=True))
        )
        self.info = AudioInfo(duration_s, None, 8000, len(levels), "pcm_mulaw", "wav", layout, False, channels)

    def read(self, channel: int, start_s: float, end_s: float) -> np.ndarray:
        count = max(0, round((end_s - start_s) * 16000))
        return (self.levels[channel] * np.random.default_rng(1).standard_normal(count)).astype(np.float32)


def utterance(channel: int, start_s: float, text: str, suspect: str | None = None, pace_s: float = 0.2) -> Utterance:
    words = tuple(
        Word(character, start_s + index * pace_s, start_s + (index + 1) * pace_s, 0.9, channel)
        for index, character in enumerate(text)
    )
    return Utterance(channel, start_s, words[-1].end_s, text, text, tuple(range(len(text))), words, 0.9, suspect)


def transcript(*utterances: Utterance) -> Transcript:
    return Transcript("test", "none", "zh", 1.0, utterances)


def stereo(*utterances: Utterance, facts: CallFacts | None = None, settings: DialogueSettings = SETTINGS) -> Dialogue:
    voiced = [[Span(u.start_s, u.end_s) for u in utterances if u.channel == channel] for channel in (0, 1)]
    return build_dialogue(transcript(*utterances), Sound([0.1, 0.1], voiced), facts or CallFacts(), settings)


def codes(dialogue: Dialogue) -> list[str]:
    return [note.code for note in dialogue.notes]


@pytest.mark.parametrize("agent", [0, 1])
def test_roles_follow_the_words_whichever_channel_they_are_on(agent: int) -> None:
    dialogue = stereo(utterance(agent, 1, AGENT), utterance(1 - agent, 8, CUSTOMER))
    assert [turn.role for turn in dialogue.turns] == ["agent", "customer"]
    assert dialogue.roles_from == "words"
    assert dialogue.role_confidence > 0.9


def test_the_registered_channel_wins_and_a_contradiction_is_told() -> None:
    dialogue = stereo(utterance(0, 1, AGENT), utterance(1, 8, CUSTOMER), facts=CallFacts(agent_channel=1))
    assert [turn.role for turn in dialogue.turns] == ["customer", "agent"]
    assert dialogue.roles_from == "sidecar"
    assert codes(dialogue) == ["channel_swapped"]
    agreed = stereo(utterance(0, 1, AGENT), utterance(1, 8, CUSTOMER), settings=DialogueSettings(agent_channel=0))
    assert (agreed.roles_from, codes(agreed)) == ("settings", [])


def test_words_that_tell_nothing_give_no_roles() -> None:
    dialogue = stereo(utterance(0, 1, "天气不错"), utterance(1, 3, "是吗今天星期二"))
    assert {turn.role for turn in dialogue.turns} == {"unknown"}
    assert "role_unknown" in codes(dialogue)


def test_crosstalk_is_dropped_and_counted() -> None:
    loud, faint = utterance(0, 1, AGENT), utterance(1, 1.05, AGENT)
    voiced = [[Span(1, 7)], [Span(1, 7), Span(8, 12)]]
    dialogue = build_dialogue(
        transcript(loud, faint, utterance(1, 8, CUSTOMER)), Sound([0.1, 0.01], voiced), CallFacts(), SETTINGS
    )
    assert [(turn.speaker, turn.role) for turn in dialogue.turns] == [("ch0", "agent"), ("ch1", "customer")]
    assert [note.count for note in dialogue.notes if note.code == "crosstalk"] == [1]


def test_two_people_saying_the_same_equally_loud_are_both_kept() -> None:
    dialogue = stereo(utterance(0, 1, "好的好的再见"), utterance(1, 1.05, "好的好的再见"), utterance(0, 4, AGENT))
    assert sum(turn.text == "好的好的再见" for turn in dialogue.turns) == 2


def test_silences_know_whether_they_were_announced() -> None:
    dialogue = stereo(
        utterance(0, 1, AGENT),
        utterance(1, 8, CUSTOMER),
        utterance(0, 18, "您稍等我查一下"),
        utterance(0, 40, "让您久等了"),
    )
    waited = [silence for silence in dialogue.silences if 19 < silence.start_s < 40]
    assert [silence.announced for silence in waited] == [True]
    assert waited[0].end_s - waited[0].start_s == pytest.approx(20.6, abs=0.3)


def test_who_begins_later_interrupts() -> None:
    dialogue = stereo(utterance(1, 1, CUSTOMER), utterance(0, 3, AGENT))
    (overlap,) = dialogue.overlaps
    assert overlap.interrupter == "agent"
    assert dialogue.turns[overlap.turn].role == "agent"


def test_interruption_shorter_than_asked_for_is_none() -> None:
    spans = {"a": [Span(0, 5)], "b": [Span(4.7, 9)]}
    turns = [Turn(0, "customer", "甲", 0, 5, speaker="a"), Turn(1, "agent", "乙", 4.7, 9, speaker="b")]
    assert interaction.overlaps(turns, spans, {"a": "customer", "b": "agent"}, 0.5) == ()
    assert len(interaction.overlaps(turns, spans, {"a": "customer", "b": "agent"}, 0.2)) == 1


def test_nothing_recognised_is_a_dialogue_without_turns() -> None:
    dialogue = build_dialogue(transcript(), Sound([0.1], [[]], 5.0), CallFacts(), SETTINGS)
    assert dialogue.turns == ()
    assert [(silence.start_s, silence.end_s) for silence in dialogue.silences] == [(0.0, 5.0)]


def test_text_dialogues_share_talk_only_where_times_are_known() -> None:
    timed = from_text([{"role": "agent", "text": "您好", "start": 0, "end": 1}, {"role": "customer", "text": "喂"}])
    assert timed.talk_share == {"agent": 1.0}
    assert timed.duration_s == 1
    assert from_text([{"role": "agent", "text": "您好"}]).talk_share == {}


def test_announcements_are_nobodys() -> None:
    assert roles.is_ivr("普通话服务请按一，英文服务请按二")
    assert roles.is_ivr("您的来电可能会被录音")
    assert not roles.is_ivr("您按一下空开上面那个按钮")


def reference(name: str) -> dict:
    return json.loads((SAMPLES / "reference" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["C1004", "C1009", "C1011", "C1012"])
def test_two_voices_on_one_channel(name: str, tmp_path: Path) -> None:
    """Words of a real mono call, timed evenly inside the reference turns, get the voice that said them."""
    told = reference(name)
    (file,) = [f for f in walk([SAMPLES / "recordings"], RecordingSettings()) if f.name == told["file"]]
    words, truth = [], []
    for turn in told["turns"]:
        pace_s = (turn["end_s"] - turn["start_s"]) / len(turn["text"])
        for index, character in enumerate(turn["text"]):
            at = turn["start_s"] + index * pace_s
            words.append(Word(character, at, at + pace_s, 0.9, 0))
            truth.append(turn["role"])
    order = sorted(range(len(words)), key=lambda index: words[index].start_s)
    decoder = Decoder(AudioSettings(), tmp_path)
    try:
        with decoder.open(identify(file)) as audio:
            voiced = audio.info.channels[0].voiced
            found = voices.speakers([words[index] for index in order], voiced, audio, 0, 2)
    finally:
        decoder.close()
    assert set(found) >= {"spk0", "spk1"}
    agent = truth[order[0]] if found[0] == "spk0" else None
    assert agent is not None
    wrong = sum((speaker == "spk0") != (truth[index] == agent) for index, speaker in zip(order, found, strict=True))
    assert wrong / len(words) <= 0.08


def test_one_voice_stays_one(tmp_path: Path) -> None:
    """The agent's channel of a stereo call alone has one voice."""
    told = reference("C1003")
    (file,) = [f for f in walk([SAMPLES / "recordings"], RecordingSettings()) if f.name == told["file"]]
    decoder = Decoder(AudioSettings(), tmp_path)
    try:
        with decoder.open(identify(file)) as audio:
            for channel in (0, 1):
                prints, times = voice_prints(audio, channel, audio.info.channels[channel].voiced)
                assert prints.shape == (len(times), 192)
                assert np.allclose(np.linalg.norm(prints, axis=1), 1, atol=1e-3)
                assert len(voices.voice_centres(prints, 3)) == 1
    finally:
        decoder.close()


def test_too_little_speech_is_one_voice() -> None:
    sound = Sound([0.1], [[Span(0, 1)]])
    words = [Word("喂", 0.2, 0.5, 0.9, 0)]
    assert voices.speakers(words, [Span(0, 1)], sound, 0, 2) == ["spk0"]
    assert voices.speakers(words, [], sound, 0, 2) == ["spk0"]


PASSED_ON = "您好供电公司零零七号请问有什么可以帮您，这个我帮您转接给抄表班的同事"
COLLEAGUE = "我是抄表班的，您家这个月的表码我们重新核对了一遍"


def two_voices_from(monkeypatch: pytest.MonkeyPatch, second_s: float) -> None:
    """Stand-in for hearing: on the channel asked about, another voice speaks from `second_s` on."""

    def heard(words: list[Word], *_args: object, **_kinds: object) -> list[str]:
        return ["spk0" if word.start_s < second_s else "spk1" for word in words]

    monkeypatch.setattr(voices, "speakers", heard)


def test_a_colleague_after_a_transfer_is_a_third_person(monkeypatch: pytest.MonkeyPatch) -> None:
    two_voices_from(monkeypatch, 20)
    said = (utterance(0, 1, PASSED_ON), utterance(1, 10, CUSTOMER), utterance(0, 21, COLLEAGUE))
    dialogue = stereo(*said)
    assert [turn.role for turn in dialogue.turns] == ["agent", "customer", "other"]
    assert "从 0:21 起听出第三个人" in next(note.message for note in dialogue.notes if note.code == "third_person")
    assert [turn.text for turn in dialogue.turns] == [one.text for one in said]


def test_without_a_transfer_an_agent_stays_one_person(monkeypatch: pytest.MonkeyPatch) -> None:
    two_voices_from(monkeypatch, 20)
    dialogue = stereo(utterance(0, 1, AGENT), utterance(1, 10, CUSTOMER), utterance(0, 21, COLLEAGUE))
    assert [turn.role for turn in dialogue.turns] == ["agent", "customer", "agent"]


def test_a_word_of_another_voice_makes_no_colleague(monkeypatch: pytest.MonkeyPatch) -> None:
    two_voices_from(monkeypatch, 20)
    dialogue = stereo(utterance(0, 1, PASSED_ON), utterance(1, 10, CUSTOMER), utterance(0, 21, "喂喂"))
    assert "third_person" not in codes(dialogue)


def test_of_three_voices_the_first_agent_the_main_customer_and_a_third() -> None:
    texts = {
        "spk0": AGENT + "我帮您转接专席",
        "spk1": CUSTOMER * 2,
        "spk2": "您好，这里是专席，请您提供一下户号，我帮您查询",
    }
    assert roles.decide(texts, "spk0")[0] == {"spk0": "agent", "spk1": "customer", "spk2": "other"}
    beside = {"spk0": AGENT, "spk1": CUSTOMER * 2, "spk2": "妈你问他几点来"}
    assert roles.decide(beside, "spk0")[0] == {"spk0": "agent", "spk1": "customer", "spk2": "other"}


MISHEARD = [
    {"role": "agent", "text": "您好 攻电公司 请问有什么可以帮您"},
    {"role": "customer", "text": "我家今天听电了 什么时后能来电"},
    {"role": "agent", "text": "请您提供一下互号"},
    {"role": "agent", "text": "稍等 我帮您茶一下"},
]


def test_text_that_reads_misheard_is_put_right_counted_and_kept() -> None:
    read = from_text(MISHEARD)
    said = [
        "您好 供电公司 请问有什么可以帮您",
        "我家今天停电了 什么时候能来电",
        "请您提供一下户号",
        "稍等 我帮您查一下",
    ]
    assert [turn.text for turn in read.turns] == said
    assert [turn.raw_text for turn in read.turns] == [given["text"] for given in MISHEARD]
    (note,) = read.notes
    assert (note.code, note.count) == ("misheard", 5)


def test_text_is_left_as_it_arrived_where_the_setting_says_so() -> None:
    read = from_text(MISHEARD, correct_homophones=False)
    assert [turn.text for turn in read.turns] == [given["text"] for given in MISHEARD]
    assert read.notes == ()
