"""A call passed on: a colleague who speaks on the agent's channel after a transfer is a third person, not the agent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice

from qa_monitor.audio.sound import Sound
from qa_monitor.dialogue import voices
from qa_monitor.records import Utterance

MARK = "+"  # after a channel's speaker name: the other voice on that channel
LEAST_S = 2.0  # of the colleague's speech: less is a cough or a word heard from the next desk
_PASSED_ON = re.compile(
    r"(帮|给|为|替)[您你].{0,6}(转|接(到|给|过去|通))|转(接|到|给).{0,10}(专席|班长|主管|组长|经理|同事|部门|人工|师傅)|"
    r"(让|请|叫).{0,6}(同事|班长|主管|组长|师傅|经理).{0,4}(跟|和|给|来)[您你]?"
)


def speakers(utterances: Sequence[Utterance], name: str, sound: Sound, position: int) -> list[list[str]]:
    """`name`, or `name` + MARK for the colleague, for each word of each utterance of one channel (once without words).

    Voices are told apart only where somebody on the channel says that the call is passed on, and only what another
    voice says after that is the colleague's. `position` is the channel's place in `sound.info.channels`.
    """
    alone = [[name] * max(1, len(utterance.words)) for utterance in utterances]
    offers = [one for one in utterances if one.words and one.suspect is None and _PASSED_ON.search(one.text)]
    if not offers:
        return alone
    passed_s = min(offer.start_s for offer in offers)
    words = [word for utterance in utterances for word in utterance.words]
    in_time = sorted(range(len(words)), key=lambda index: words[index].start_s)
    spans = sound.info.channels[position].voiced
    ordered = voices.speakers([words[index] for index in in_time], spans, sound, position, most=2, expected=1)
    heard = dict(zip(in_time, ordered, strict=True))
    before = [heard[index] for index in in_time if words[index].start_s <= passed_s]
    known = [voice for voice in before if voice != voices.UNKNOWN]
    if not known:
        return alone
    agent = max(sorted(set(known)), key=known.count)
    others = [
        index for index in in_time if words[index].start_s > passed_s and heard[index] not in (agent, voices.UNKNOWN)
    ]
    if sum(words[index].end_s - words[index].start_s for index in others) < LEAST_S:
        return alone
    colleague = set(others)
    names = iter([name + MARK if index in colleague else name for index in range(len(words))])
    return [list(islice(names, len(utterance.words))) or [name] for utterance in utterances]
