"""Words that are not meant: denied (我没说不给您办) or repeated from someone else (您刚才说我们骗人).

Both look only at the clause before the hit (and, for an echo, at what the other side said shortly before).
"""

from __future__ import annotations

import re

_CLAUSE_ENDS = "，,。！？；!?;、：:\n"
_LOOK_BACK = 24

# A denial followed by nothing but light words up to the hit. 是不是、能不能 ask; 不但、不过、不得不 do not deny.
_DENIAL = re.compile(
    r"(?:并不是|并非|不是|不会|不能|不可能|不想|不敢|不让|不要|不用|不必|不许|没有|没说|没让|从没|从来没|未曾|未|别|哪有|怎么会|怎么能"
    r"|怎么敢|谁说|没|不)"
    r"[说讲想要会能可是有在让叫给把跟对你您我们他她的了过这那个么意思打算敢用必需得再真很太就都也曾来故]{0,6}$"
)
_ASKING = re.compile(r"(.)[不没]\1[^不没]{0,6}$|有没有[^不没]{0,6}$")
_NOT_DENIAL = re.compile(r"不(?:但|仅|光|过|得不|如|管|论|断|久|只|好意思)[^不没]*$")

# Someone else's words follow. 我跟您说 announces one's own.
_WHO = "您|你|客户|用户|他|她|人家|有人|别人|对方|上次那个|之前那个|师傅|同事|邻居|电工|物业"
_SAID = "说|讲|骂|提到|反映|反馈|觉得|认为|以为|抱怨|投诉|表示|称"
_REPORTED = re.compile(
    rf"(?:^|[^跟和给对向同告诉])(?:{_WHO})[们]?(?:刚才|刚刚|刚|前面|之前|昨天|是|又|一直|总|都|也|还|所|要|这么|那么|在|跟我|和我|电话里|来电)*"
    rf"(?:{_SAID})(?:的|我们|我|是|他们|客服|坐席|工作人员|过|道|了|，|：|“|「|\"|‘)*[^，。！？；]{{0,6}}$"
)
# 您说吧、您说的这个事 go on with one's own words.
_GO_ON = re.compile(
    rf"(?:{_SAID})(?:吧|完|一下|清楚|慢点|什么|啥|说|怎么|的?(?:这|那|情况|问题|事))[^，。！？；]{{0,6}}$"
)
_QUOTED = re.compile(r"[“‘「『\"][^”’」』\"]*$")
_QUOTE_AFTER = re.compile(r"^[^，。！？；]{0,4}[”’」』\"]|^(?:这|那)(?:个词|种话|样的话|句话|几个字|两个字)")


def denied(text: str, start: int) -> bool:
    """Whether the words at `start` of `text` are denied by what stands before them in the clause."""
    before = _clause_before(text, start)
    if not before or not any(sign in before for sign in "不没别未非哪怎谁"):
        return False
    match = _DENIAL.search(before)
    if match is None:
        return False
    return not (_ASKING.search(before) or _NOT_DENIAL.search(before))


def reported(text: str, start: int, end: int) -> bool:
    """Whether the words at [start, end) are given as someone else's."""
    before = text[max(0, start - _LOOK_BACK) : start]
    if _QUOTED.search(before) and _QUOTE_AFTER.search(text[end : end + 12]):
        return True
    if _REPORTED.search(before) and not _GO_ON.search(before):
        return True
    return bool(re.match(r"(?:这|那)(?:个词|种话|样的话|句话|几个字|两个字)", text[end : end + 12]))


def echoed(text: str, start: int, end: int, earlier: str) -> bool:
    """Whether the speaker asks back with the very words that the other side has just used: 骗子？您怎么能……"""
    words = text[start:end]
    if len(words) < 2 or words not in earlier:
        return False
    after = text[end : end + 6]
    asks = bool(re.match(r"[吗呀啊呢]?[？?]|[，,]?(?:这|那|您|你)(?:话|么说|样说|怎么)", after))
    return asks or bool(
        re.search(r"(?:什么叫|怎么|为什么说|凭什么说)[^，。！？；]{0,4}$", text[max(0, start - 12) : start])
    )


def _clause_before(text: str, start: int) -> str:
    low = max(0, start - _LOOK_BACK)
    for at in range(start - 1, low - 1, -1):
        if text[at] in _CLAUSE_ENDS:
            return text[at + 1 : start]
    return text[low:start]
