"""From a transcript to a dialogue: voices, roles, turns, and what happens between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from qa_monitor.audio.sound import Sound
from qa_monitor.dialogue import changes, colleague, interaction, phrases, prosody, roles, turns, voices
from qa_monitor.dialogue.phrases import Phrase
from qa_monitor.records import AudioInfo, CallFacts, Dialogue, Note, Role, Span, Transcript, Turn, Utterance
from qa_monitor.settings import DialogueSettings
from qa_monitor.transcript.homophones import corrected_notes, homophones

SWAP_SURE = 0.9
ECHO_SIMILARITY = 75.0
ECHO_QUIETER_DB = 6.0
CHANNEL_NAMES = ("左", "右")


def stage_settings(settings: DialogueSettings) -> dict[str, Any]:
    """All that decides how a dialogue is built."""
    return settings.model_dump()


def from_text(given: Sequence[dict[str, Any]], correct_homophones: bool = True) -> Dialogue:
    """A dialogue that arrived as text: `role`, `text`, and `start`, `end` in seconds where they are known. One that
    reads misheard is put right; `raw_text` is what arrived."""
    texts, changed = [item["text"] for item in given], 0
    if correct_homophones:
        texts, changed = homophones().put_right_typed(texts)
    made = tuple(
        Turn(index, item["role"], text, item.get("start"), item.get("end"), speaker=item["role"], raw_text=item["text"])
        for index, (item, text) in enumerate(zip(given, texts, strict=True))
    )
    ends = [turn.end_s for turn in made if turn.end_s is not None]
    timed = tuple(turn for turn in made if turn.start_s is not None and turn.end_s is not None)
    return Dialogue(
        made,
        duration_s=max(ends) if ends else None,
        talk_share=interaction.talk_share(timed),
        notes=corrected_notes(changed),
    )


def build_dialogue(transcript: Transcript, audio: Sound, facts: CallFacts, settings: DialogueSettings) -> Dialogue:
    """Who said what, when, and how. Nothing recognised gives a dialogue without turns."""
    notes: list[Note] = []
    stereo = len(audio.info.channels) > 1
    utterances, dropped = _without_echo(transcript.utterances, audio) if stereo else (list(transcript.utterances), 0)
    if dropped:
        notes.append(Note("crosstalk", f"{dropped} 段是另一声道的串音，已去除", dropped))
    if stereo:
        pieces = _split_channels(utterances, audio)
        channel_of = {
            f"ch{position}{mark}": position
            for position in range(len(audio.info.channels))
            for mark in ("", colleague.MARK)
        }
    else:
        pieces = _split_voices(utterances, audio, settings, notes)
        channel_of = dict.fromkeys({piece.speaker for piece in pieces}, 0)
    assigned, sureness, source = _roles(pieces, audio.info, facts, settings, notes)
    assigned |= {f"{name}{colleague.MARK}": "other" if role == "agent" else role for name, role in assigned.items()}
    built = turns.build(pieces, assigned, sureness)
    notes += _third_person(built)
    heard = [span for channel in audio.info.channels for span in channel.voiced]
    voiced = _voiced(built, audio.info, stereo)
    return Dialogue(
        turns=built,
        duration_s=audio.info.duration_s,
        roles_from=source,
        role_confidence=sureness,
        silences=interaction.silences(built, heard, audio.info.duration_s, settings.silence_s),
        overlaps=interaction.overlaps(built, voiced, assigned, settings.overlap_s) if stereo else (),
        prosody=prosody.measure(
            built, channel_of, voiced | {name + colleague.MARK: spans for name, spans in voiced.items()}, audio
        ),
        talk_share=interaction.talk_share(built),
        notes=tuple(notes),
    )


def _cut(utterance: Utterance, speakers: Sequence[str]) -> list[Phrase]:
    """Pieces of an utterance; those of a recorded announcement are nobody's to be judged by."""
    announced = roles.is_ivr(utterance.text)
    return [replace(piece, ivr=announced) for piece in phrases.cut(utterance, speakers)]


def _voiced(built: Sequence[Turn], info: AudioInfo, stereo: bool) -> dict[str, list[Span]]:
    if stereo:
        return {f"ch{position}": list(channel.voiced) for position, channel in enumerate(info.channels)}
    voiced: dict[str, list[Span]] = {}
    for turn in built:
        if turn.start_s is not None and turn.end_s is not None and turn.end_s > turn.start_s:
            voiced.setdefault(turn.speaker, []).append(Span(turn.start_s, turn.end_s))
    return voiced


def _split_channels(utterances: Sequence[Utterance], audio: Sound) -> list[Phrase]:
    pieces = []
    for position, channel in enumerate(audio.info.channels):
        own = [utterance for utterance in utterances if utterance.channel == channel.index]
        for utterance, names in zip(own, colleague.speakers(own, f"ch{channel.index}", audio, position), strict=True):
            pieces += _cut(utterance, names)
    return pieces


def _third_person(built: Sequence[Turn]) -> list[Note]:
    others = [turn for turn in built if turn.role == "other" and turn.start_s is not None]
    if not others:
        return []
    at_s = int(min(turn.start_s or 0.0 for turn in others))
    told = f"从 {at_s // 60}:{at_s % 60:02d} 起听出第三个人，共 {len(others)} 段（转接后的同事或旁人），不算坐席和客户的话，不计分"
    return [Note("third_person", told, len(others))]


def _split_voices(
    utterances: Sequence[Utterance], audio: Sound, settings: DialogueSettings, notes: list[Note]
) -> list[Phrase]:
    words = [word for utterance in utterances for word in utterance.words]
    in_time = sorted(range(len(words)), key=lambda index: words[index].start_s)
    spans = [span for channel in audio.info.channels for span in channel.voiced]
    heard = voices.speakers([words[index] for index in in_time], spans, audio, 0, settings.max_speakers)
    retimed = changes.retimed([words[index] for index in in_time], heard, audio, 0)
    told = iter([one for _, one in sorted(zip(in_time, zip(retimed, heard, strict=True), strict=True))])
    alone = "spk0" if len(set(heard)) == 1 else voices.UNKNOWN
    pieces: list[Phrase] = []
    for utterance in utterances:
        own = list(islice(told, len(utterance.words)))
        timed = replace(utterance, words=tuple(word for word, _ in own))
        pieces += _cut(timed, [speaker for _, speaker in own] or [alone])
    unknown = sum(piece.speaker == voices.UNKNOWN for piece in pieces)
    if unknown:
        notes.append(Note("voice_unknown", f"{unknown} 小段听不出是谁说的，记为未知，不计分", unknown))
    if len(set(heard)) == 1 and len(utterances) > 3:
        notes.append(Note("one_voice", "单声道录音里只听出一个声音，无法分清坐席和客户"))
    return pieces


def _roles(
    pieces: Sequence[Phrase], info: AudioInfo, facts: CallFacts, settings: DialogueSettings, notes: list[Note]
) -> tuple[dict[str, Role], float, str]:
    """(speaker → role, how sure, what that rests on)."""
    texts: dict[str, str] = {}
    in_time = sorted(pieces, key=lambda piece: piece.start_s)
    for piece in in_time:
        known = piece.speaker != voices.UNKNOWN and not piece.speaker.endswith(colleague.MARK)
        if known and not piece.suspect and not piece.ivr:
            texts[piece.speaker] = texts.get(piece.speaker, "") + piece.text
    first = next(iter(texts), None)
    by_words, sureness = roles.decide(texts, first)
    given = facts.agent_channel if facts.agent_channel is not None else settings.agent_channel
    if given is not None and info.layout in ("stereo", "one_silent"):
        source = "sidecar" if facts.agent_channel is not None else "settings"
        by_channel: dict[str, Role] = {
            f"ch{position}": "agent" if channel.index == given else "customer"
            for position, channel in enumerate(info.channels)
        }
        if info.layout == "one_silent":
            by_channel = dict.fromkeys(texts, by_channel["ch0"])
        if sureness >= SWAP_SURE and any(
            by_words.get(speaker) != role for speaker, role in by_channel.items() if speaker in texts
        ):
            notes.append(
                Note(
                    "channel_swapped",
                    f"登记的坐席声道是{CHANNEL_NAMES[given]}声道，但听内容像是反的（把握 {sureness:.0%}），请核对",
                )
            )
        return by_channel, 1.0, source
    if not texts:
        return {}, 0.0, "unknown"
    single = len(texts) == 1 and info.layout != "stereo"
    if sureness < settings.min_role_confidence or (single and len(pieces) > 3 and info.layout != "one_silent"):
        notes.append(Note("role_unknown", f"分不清谁是坐席（把握 {sureness:.0%}），未评分；可在随录信息表写明坐席声道"))
        return dict.fromkeys(texts, "unknown"), sureness, "unknown"
    return by_words, sureness, "words"


def _without_echo(utterances: Sequence[Utterance], audio: Sound) -> tuple[list[Utterance], int]:
    """Leave out words that are the other channel's, heard faintly: same words, same time, much quieter."""
    from rapidfuzz import fuzz

    dropped: set[int] = set()
    for index, one in enumerate(utterances):
        for other_index, other in enumerate(utterances):
            if one.channel == other.channel or other_index in dropped or index in dropped:
                continue
            together = min(one.end_s, other.end_s) - max(one.start_s, other.start_s)
            if together < 0.6 * min(one.end_s - one.start_s, other.end_s - other.start_s):
                continue
            if fuzz.ratio(one.text, other.text) >= ECHO_SIMILARITY and _quieter(one, other, audio):
                dropped.add(index)
    return [utterance for index, utterance in enumerate(utterances) if index not in dropped], len(dropped)


def _quieter(one: Utterance, other: Utterance, audio: Sound) -> bool:
    import numpy as np

    start_s, end_s = max(one.start_s, other.start_s), min(one.end_s, other.end_s)
    levels = [float(np.mean(audio.read(item.channel, start_s, end_s) ** 2)) + 1e-10 for item in (one, other)]
    return bool(10 * np.log10(levels[1] / levels[0]) >= ECHO_QUIETER_DB)
