"""Finding personal data in the turns of a call and masking it: in figures or spoken, in one turn or dictated over several.

A finder that fails withholds the text: what could not be checked is not shown.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from qa_monitor.privacy.digits import Digit, Run, runs

log = logging.getLogger(__name__)

WITHHELD = "〔遮盖失败，已隐去〕"
ACCOUNT_DIGITS = 10  # the fewest an account number has
DICTATION_GAP_TURNS = 2  # turns between the parts of one dictated number
_MOBILE = re.compile(r"1[3-9]\d{9}")
_LANDLINE = re.compile(r"0(?:10|2\d|[3-9]\d{2})[2-8]\d{6,7}")
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_ACCOUNT_CUE = re.compile(r"(户号|用户号|客户编号|用户编号|缴费号|交费号|卡号|账号|帐号|编号是|单元号)")
_PHONE_CUE = re.compile(r"(电话|手机|号码|联系方式|打给|拨打|尾号|微信|QQ|qq|扣扣)")
_HARMLESS_CUE = re.compile(r"(工号|坐席|客服|热线|工单|单号|受理|编号为|话务员|号客户代表|号为您)[^，。]{0,6}$")
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+\s?(?:@|艾特| at )\s?[A-Za-z0-9.-]+\.[A-Za-z]{2,}")
_PLATE = re.compile(r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][A-Z0-9]{5,6}")
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆"
    "范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章"
    "鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳欧阳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳"
)
_NAME = re.compile(
    rf"(?:我叫|名字叫|名叫|姓名是|姓名叫|姓名|户主叫|户主是|户名是|户名叫|户名|机主是|机主叫|登记的是|名字是|本人是|叫做|收件人是?|联系人是?|联系人叫)"
    rf"(?:[，,：:是]|呃|嗯|啊)*((?:欧阳|司马|上官|诸葛|[{_SURNAMES}])[一-鿿]{{1,2}}?)(?=[，。,.！？!?的啊吧呢呀吗对是这那他她家户名号]|$|\s|[0-9])"
)
_TITLED = re.compile(rf"((?:欧阳|[{_SURNAMES}])(?:[一-鿿]{{1,2}})?)(?=先生|女士|小姐|大爷|大妈|阿姨|师傅您)")
_NOT_NAMES = frozenset(
    [
        "什么",
        "这个",
        "那个",
        "先生",
        "女士",
        "多少",
        "不对",
        "没错",
        "您好",
        "师傅",
        "方便",
        "高兴",
        "安全",
        "任何",
        "向您",
        "成功",
        "单位",
        "关于",
        "解决",
        "安排",
    ]
)
_ADDRESS = re.compile(
    r"((?:[一-鿿]{2,6}(?:省|市|区|县|旗|镇|乡|街道))*[一-鿿A-Za-z0-9零一二三四五六七八九十]{1,12}?"
    r"(?:路|街|巷|弄|胡同|大道|小区|花园|家园|新村|公寓|苑|城|村|庄|屯|社区|大院|院)"
    r"(?:[，,]?(?:第)?[A-Za-z0-9零〇一二两三四五六七八九十百幺]{1,6}(?:号院|号楼|号|栋|幢|座|单元|组|队|层|楼|室|户|门|房|弄))+)"
)
_ADDRESS_PLACE = re.compile(
    r"(?:我?家?住在?|地址是?|住址是?|位置是?|住的是|搬到|家在)(?:[，,：:]|呃|嗯|啊|就是|那个|在|是)*"
    r"([一-鿿A-Za-z0-9零一二三四五六七八九十]{2,24}?(?:路|街|巷|弄|小区|花园|家园|新村|公寓|苑|城|村|庄|屯|镇|乡|社区|楼|号|室))(?=[，。,.！？!?啊呢的对这那]|$|\s)"
)
_ROOM = re.compile(
    r"([A-Za-z0-9零〇一二两三四五六七八九十百幺]{1,4}(?:号楼|栋|幢|座)(?:[，,]?[A-Za-z0-9零〇一二两三四五六七八九十百幺]{1,5}(?:单元|层|楼|室|号|户))+)"
)


@dataclass(frozen=True, slots=True)
class Hit:
    """Personal data: its kind in Chinese, characters [start, end) of the original text, and why it was taken for that."""

    kind: str
    start: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class Masked:
    """A text with its personal data replaced by `[kind]`, and the way from original places to places in it."""

    text: str
    hits: tuple[Hit, ...] = ()
    withheld: bool = False

    def map_span(self, start: int, end: int) -> tuple[int, int]:
        """[start, end) of the original as a span of `text`; a span that meets a mask covers the whole mask."""
        if self.withheld:
            return 0, len(self.text)
        return self._map(start, at_end=False), max(self._map(start, at_end=False), self._map(end, at_end=True))

    def _map(self, place: int, *, at_end: bool) -> int:
        shift = 0
        for hit in self.hits:
            token = len(_token(hit.kind))
            if place <= hit.start:
                break
            if place < hit.end or (place == hit.end and at_end and place > hit.start):
                return hit.start + shift + (token if at_end else 0)
            shift += token - (hit.end - hit.start)
        return min(place + shift, len(self.text))


class Masker:
    """Masks the turns of one call together, since a number may be dictated over several of them."""

    def mask_turns(self, texts: Sequence[str]) -> list[Masked]:
        """One Masked a text, in order. Never raises: a text that could not be checked is withheld."""
        try:
            dictated = _dictated(texts)
            return [_mask(text, [*find(text), *dictated.get(index, [])]) for index, text in enumerate(texts)]
        except Exception as error:  # noqa: BLE001 - failing closed means no fault whatever may let a text through
            log.error("masking failed (%s); %d texts withheld", type(error).__name__, len(texts))
            return [Masked(WITHHELD, (), withheld=True) for _ in texts]


def find(text: str) -> list[Hit]:
    """Personal data that one text shows by itself."""
    hits = [hit for run in runs(text) for hit in _numbers(text, run)]
    hits += [Hit("邮箱", *match.span(), "邮箱格式") for match in _EMAIL.finditer(text)]
    hits += [Hit("车牌", *match.span(), "车牌格式") for match in _PLATE.finditer(text)]
    for match in _NAME.finditer(text):
        if match.group(1) not in _NOT_NAMES:
            hits.append(Hit("姓名", *match.span(1), "提示词后的姓名"))
    for match in _TITLED.finditer(text):
        if len(match.group(1)) >= 2 and match.group(1) not in _NOT_NAMES:
            hits.append(Hit("姓名", *match.span(1), "称呼前的姓名"))
    for pattern, reason in ((_ADDRESS, "门牌格式"), (_ADDRESS_PLACE, "提示词后的地址"), (_ROOM, "楼栋房号")):
        hits += [Hit("地址", *match.span(1), reason) for match in pattern.finditer(text)]
    return hits


def _numbers(text: str, run: Run) -> list[Hit]:
    """What a run of digits is, if it is personal."""
    digits = run.digits
    following = text[digits[-1].end : digits[-1].end + 1]
    if len(run.text) == 17 and following in ("X", "x", "叉"):
        digits = (*digits, Digit("X", digits[-1].end, digits[-1].end + 1))
    value = "".join(digit.value for digit in digits)
    before = text[: digits[0].start]
    found = _classify(value, before[-14:], before)
    return [Hit(kind, digits[start].start, digits[end - 1].end, reason) for kind, start, end, reason in found]


def _classify(value: str, near: str, before: str) -> list[tuple[str, int, int, str]]:
    """(kind, first digit, past the last, reason) of the personal numbers in a string of digits."""
    for length in (18, 15):
        for start in range(len(value) - length + 1):
            if is_id_card(value[start : start + length]):
                return [("身份证", start, start + length, "身份证校验位相符" if length == 18 else "15 位身份证")]
    if 13 <= len(value) <= 19 and passes_luhn(value) and not _ACCOUNT_CUE.search(near.replace("卡号", "")):
        return [("银行卡", 0, len(value), "银行卡校验相符")]
    mobiles = [("手机号", match.start(), match.end(), "手机号段") for match in _MOBILE.finditer(value)]
    if mobiles:
        return mobiles
    if _ACCOUNT_CUE.search(near) and 5 <= len(value) <= 20:
        return [("户号", 0, len(value), "提示词后的编号")]
    if match := _LANDLINE.search(value):
        return [("座机", match.start(), match.end(), "区号加号码")]
    if _HARMLESS_CUE.search(before):
        return []
    if _PHONE_CUE.search(near) and 7 <= len(value) <= 12:
        return [("电话", 0, len(value), "提示词后的号码")]
    if 10 <= len(value) <= 13:
        return [("户号", 0, len(value), f"{len(value)} 位编号")]
    if len(value) > 13:
        return [("编号", 0, len(value), f"{len(value)} 位数字")]
    return []


def is_id_card(value: str) -> bool:
    """18 characters with a plausible date and the right check digit, or 15 digits with a plausible date."""
    if len(value) == 18 and value[:17].isdigit():
        total = sum(int(digit) * weight for digit, weight in zip(value, _ID_WEIGHTS, strict=False))
        return _ID_CHECKS[total % 11] == value[17].upper() and _plausible(value[6:14])
    return len(value) == 15 and value.isdigit() and value[0] != "0" and _plausible("19" + value[6:12])


def _plausible(date: str) -> bool:
    return "1900" <= date[:4] <= "2099" and "01" <= date[4:6] <= "12" and "01" <= date[6:8] <= "31"


def passes_luhn(value: str) -> bool:
    digits = [int(digit) for digit in reversed(value)]
    doubled = [digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[1::2]]
    return value[0] in "3456" and (sum(digits[::2]) + sum(doubled)) % 10 == 0


# --- numbers dictated over several turns ------------------------------------------------------------------------------


def _dictated(texts: Sequence[str]) -> dict[int, list[Hit]]:
    """Parts of one number given in pieces: `幺三八` / `嗯` / `零零零零` / `幺二三四`, repeated by the other side or not."""
    pieces: list[tuple[int, Run]] = []
    for index, text in enumerate(texts):
        short = [run for run in runs(text, least=2) if 2 <= len(run.text) <= 9]
        if short and _is_mostly_digits(text, short):
            pieces += [(index, run) for run in short]
    found: dict[int, list[Hit]] = {}
    for first in range(len(pieces)):
        _grow(pieces, first, texts, found)
    return {index: _distinct(hits) for index, hits in found.items()}


def _is_mostly_digits(text: str, parts: Sequence[Run]) -> bool:
    """A dictated piece is little else than digits (`对，零零零零`), unless a number is what the turn is about."""
    spoken = sum(character.isalnum() for character in text)
    digits = sum(len(run.text) for run in parts)
    return digits * 2 >= spoken or bool(_PHONE_CUE.search(text) or _ACCOUNT_CUE.search(text))


def _grow(pieces: Sequence[tuple[int, Run]], first: int, texts: Sequence[str], found: dict[int, list[Hit]]) -> None:
    """Join the pieces that follow `first`, leaving out what merely repeats the last, until they make a number."""
    joined = pieces[first][1].text
    used = [pieces[first]]
    kind: str | None = None
    for turn, run in pieces[first + 1 :]:
        if turn - used[-1][0] > DICTATION_GAP_TURNS:
            break
        repeated = run.text in joined
        whole = kind is not None and (kind != "户号" or len(joined) >= ACCOUNT_DIGITS)
        if whole and not repeated:
            break  # what follows is another number
        used.append((turn, run))
        if repeated:
            continue
        joined += run.text
        cue = "".join(texts[max(0, used[0][0] - 2) : used[0][0] + 1])
        classified = _classify(joined, cue[-40:], cue) if len(joined) >= 10 or _ACCOUNT_CUE.search(cue) else []
        if classified and (len(joined) >= 11 or classified[0][0] == "户号"):
            kind = classified[0][0]
    if kind is not None:
        for place, part in used:
            hit = Hit(kind, part.digits[0].start, part.digits[-1].end, "分几轮报出的号码")
            found.setdefault(place, []).append(hit)


def _distinct(hits: Sequence[Hit]) -> list[Hit]:
    seen: dict[tuple[int, int], Hit] = {}
    for hit in hits:
        seen.setdefault((hit.start, hit.end), hit)
    return list(seen.values())


# --- replacing --------------------------------------------------------------------------------------------------------


def _token(kind: str) -> str:
    return f"[{kind}]"


def _mask(text: str, hits: Sequence[Hit]) -> Masked:
    kept = _without_overlaps(hits)
    parts = []
    place = 0
    for hit in kept:
        parts += [text[place : hit.start], _token(hit.kind)]
        place = hit.end
    return Masked("".join([*parts, text[place:]]), tuple(kept))


def _without_overlaps(hits: Sequence[Hit]) -> list[Hit]:
    """Overlapping hits become one, of the longer's kind."""
    kept: list[Hit] = []
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end)):
        if kept and hit.start < kept[-1].end:
            last = kept[-1]
            longer = hit if hit.end - hit.start > last.end - last.start else last
            kept[-1] = replace(longer, start=last.start, end=max(last.end, hit.end))
        else:
            kept.append(hit)
    return kept
