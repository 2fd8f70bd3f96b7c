"""What a recogniser makes up: stock phrases over silence, loops, words where nobody spoke. Kept, named, never scored."""

from __future__ import annotations

import re

from qa_monitor.transcript.engine import Heard

# What Whisper learnt from subtitles and says into silence and music.
STOCK_PHRASES = re.compile(
    r"请不吝|点赞|订阅|打赏|明镜|点点栏目|字幕(由|提供|组|志愿|制作|by)|(由|by).{0,8}字幕|谢谢(观看|收看|收听|大家)|感谢(观看|收看|收听)|"
    r"Amara\.org|优优独播剧场|YoYo|中文字幕|李宗盛|词曲|作词|作曲|编曲|下期再见|下集|我们下次再见|本集|正片|"
    r"Thank you for watching|Subtitles|www\.|\.com"
)
REPETITIVE = 2.4
LONGEST_LOOP = 12
LOOP_TIMES = 4
FASTEST_CHARS_A_SECOND = 14.0
MIN_CONFIDENCE = 0.3
NO_SPEECH = 0.6
CHINESE_SHARE = 0.4
_HAN = re.compile(r"[㐀-䶿一-鿿]")
_SPOKEN = re.compile(r"\w")


def suspicion(text: str, heard: Heard, confidence: float, voiced_s: float) -> str | None:
    """Why the words of a stretch are not to be trusted, or None.

    `confidence` is the mean word probability of the stretch, `voiced_s` how long somebody spoke there.
    """
    spoken = "".join(_SPOKEN.findall(text))
    if not spoken:
        return "silence"
    if STOCK_PHRASES.search(text):
        return "stock_phrase"
    if is_loop(spoken) or (heard.compression > REPETITIVE and is_loop(spoken, times=3)):
        return "repetition"
    if len(spoken) > FASTEST_CHARS_A_SECOND * max(voiced_s, 0.3) + 2:
        return "silence"
    if confidence < MIN_CONFIDENCE or (heard.no_speech > NO_SPEECH and confidence < 0.5):
        return "low_confidence"
    if len(_HAN.findall(spoken)) < CHINESE_SHARE * len(spoken) and not spoken.isdigit():
        return "not_chinese"
    return None


def is_loop(text: str, times: int = LOOP_TIMES) -> bool:
    """Whether most of `text` is one phrase of up to a dozen characters over and over (digits may repeat)."""
    for length in range(1, LONGEST_LOOP + 1):
        if len(text) < length * times:
            break
        run = best = 0
        for index in range(length, len(text)):
            run = run + 1 if text[index] == text[index - length] else 0
            best = max(best, run)
        repeats = best / length + 1
        if repeats >= times * (2 if length == 1 else 1) and best + length > len(text) / 2 and not text.isdigit():
            return True
    return False
