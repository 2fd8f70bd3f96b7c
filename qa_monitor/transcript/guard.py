"""What an engine writes when nobody said it, recognised by its marks.

Speech models fill silence, music and noise with sentences from their training (subtitle credits, thanks for watching)
or repeat themselves. Nothing is thrown away here: the text is kept and marked, so that it is shown grey and not scored.
"""

from __future__ import annotations

import re
import zlib

LOW_LOG_PROBABILITY = -1.0
NO_SPEECH = 0.6
SPEECH_LOG_PROBABILITY = -0.7
COMPRESSION = 2.4
FASTEST_CPS = 11.0  # Chinese characters a second; the fastest announcers reach 8
LOW_CONFIDENCE = 0.30
MIN_REPEATS = 4
SAID_ONCE = 12  # characters; people repeat themselves within seconds, but not so much word for word
MIN_CHINESE_SHARE = 0.5

# Sentences of video subtitles that telephone callers do not say; compared without punctuation.
_STOCK = re.compile(
    "请不吝点赞|點贊|點讚|点赞订阅|订阅转发|打赏支持|明镜与?点点|明镜需要您|字幕由|字幕志愿者|字幕by|中文字幕|字幕组|字幕提供"
    "|amaraorg|索兰娅|李宗盛|词曲|作词|作曲|编曲|优优独播剧场|yoyotelevision|独播剧场"
    "|(谢谢|感谢)(大家|您|你们)?(的)?(观看|收看|收听)|下集再见|下期再见|下期见|欢迎订阅|记得订阅|请订阅"
    "|本视频|本期视频|这期视频|小编|thanksforwatching|pleasesubscribe|由于.{0,6}字幕"
)
_NOT_WORD = re.compile(r"[\W_]+")
_CHINESE = re.compile(r"[\u3400-\u9fff]")


def bare(text: str) -> str:
    """Lower case, without spaces and punctuation."""
    return _NOT_WORD.sub("", text).lower()


def is_poor(text: str, log_probability: float, seconds: float) -> bool:
    """Whether a window's text deserves another decoding: improbable, repetitive, or too much for its length."""
    plain = bare(text)
    return (
        log_probability < LOW_LOG_PROBABILITY
        or repeats(plain)
        or comes_twice(plain)
        or compression(text) > COMPRESSION
        or len(plain) > FASTEST_CPS * seconds + 3
    )


def repeats(plain: str) -> bool:
    """Whether a phrase comes `MIN_REPEATS` times on end and fills half of the text (对对对 and 喂喂喂 are speech)."""
    for length in range(1, len(plain) // MIN_REPEATS + 1):
        count = 0
        for i in range(len(plain) - length):
            count = count + 1 if plain[i] == plain[i + length] else 0
            if count >= length * (MIN_REPEATS - 1) and count + length >= max(8, len(plain) / 2):
                return True
    return False


def comes_twice(plain: str) -> bool:
    """Whether a phrase of `SAID_ONCE` characters comes twice: the engine began a window anew after its end."""
    seen: set[str] = set()
    for i in range(len(plain) - SAID_ONCE + 1):
        seen.add(plain[i : i + SAID_ONCE])
    return len(seen) < len(plain) - SAID_ONCE + 1


def compression(text: str) -> float:
    """How many times smaller zlib makes the text; repetition compresses well."""
    data = text.encode("utf-8")
    return len(data) / len(zlib.compress(data)) if data else 0.0


def suspicion(text: str, voiced_s: float, confidence: float, log_probability: float, no_speech: float) -> str | None:
    """Why the words of an utterance are not trusted, or None. See `Utterance.suspect`.

    Parameters
    ----------
    text : simplified text. voiced_s : seconds of voice it was heard in. confidence : mean word probability.
    log_probability, no_speech : of the window it came from.
    """
    plain = bare(text)
    if not plain:
        return None
    if _STOCK.search(plain):
        return "stock_phrase"
    if repeats(plain) or (len(plain) > 12 and compression(text) > COMPRESSION):
        return "repetition"
    if no_speech > NO_SPEECH and log_probability < SPEECH_LOG_PROBABILITY:
        return "silence"
    if len(plain) > FASTEST_CPS * voiced_s + 3:
        return "silence"
    letters = [character for character in plain if not character.isdigit()]  # numbers are of every language
    if len(letters) >= 6 and len(_CHINESE.findall(plain)) < MIN_CHINESE_SHARE * len(letters):
        return "not_chinese"
    if confidence < LOW_CONFIDENCE:
        return "low_confidence"
    return None
