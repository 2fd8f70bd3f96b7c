"""Who is the agent: from the words that each voice says, with a confidence."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cache

from qa_monitor.records import Role

# Cue → weight. What agents say to callers, and what callers say of themselves; the greeting weighs most.
_AGENT = (
    (r"为您服务|(请问)?有什么(可以|能)?帮|很高兴为您|竭诚", 4.0),
    (r"工号|客户代表|话务员|客服(代表|中心|热线|专员)|(供电|电力|国家电网|国网|南网).{0,6}(公司|热线|服务|客服)", 2.5),
    (r"欢迎(致电|拨打)|感谢您的(来电|致电)|祝您", 3.0),
    (r"还有(什么|其他|别的).{0,6}(帮|需要|咨询|问)|满意度|评价", 2.5),
    (r"(帮|给|为)您(查|登记|核实|处理|转|办|记录|反映|报|看|催)", 2.0),
    (r"请您|麻烦您|您(先|稍|别|看|这边|那边|提供|报一下|说一下)|请(稍等|稍候|提供|问|讲)", 1.2),
    (r"(您的|报一下).{0,4}(户号|电话|地址|姓名)|工单|登记(好|上|了)|抢修(人员|师傅)|工作人员.{0,6}(联系|上门|到)", 1.2),
    (r"您", 0.25),
    (
        r"你家(的)?(电费|电|欠)|(再|要是)不交|给你(停|登记|查|报)|户号(报|多少)|报一下户号|(我们|我)(这边|这儿)(看|查|显示|给)",
        1.0,
    ),
)
_CUSTOMER = (
    (r"我(家|们家|这|这边|这儿|们小区|们村|的电|交|打|想|要|就想|刚|昨天|都)", 1.0),
    (r"你们(怎么|到底|这|公司|什么|啥|就|能|那|的人|管|来)", 1.5),
    (r"(怎么|为什么|为啥|咋).{0,8}(没电|停电|这么多|这么高|还没|不来|回事)", 1.5),
    (r"什么时候(来|能|到|修|送|有)|(能不能|可以)快点|投诉|什么态度", 1.2),
    (r"(停|没)电了|跳闸|电费.{0,6}(多|高|贵)|(多|高|贵).{0,4}电费", 1.0),
    (r"谢谢(你|您)?啊?|麻烦(你|您)了|辛苦了", 0.5),
    (r"我(叫|姓|是户主)|户号是|电话是|住在", 1.0),
    (r"(你|您)(是|们是)?(哪位|谁|哪里|哪儿)|我(最近|今天|试|买|现在|上班|出差)|那我|怎么(办|弄|交|申请)", 0.7),
)
FIRST = 0.3  # less than any cue, so that on its own it decides nothing
AGENT_LIKE = 2.0  # balance from which one of several voices speaks as agents do
IVR = re.compile(
    r"请按[零一二三四五六七八九十0-9#＃*]|按[一二三四五六七八九0-9]号?键|(普通话|英文|人工).{0,4}(服务)?请按|(来电|通话).{0,6}(录音|被记录)|"
    r"(座席|坐席|话务员|客服人员).{0,4}(全忙|正忙|繁忙)|正在(为您)?(转接|接通).{0,6}(请稍|人工)|(for english|press)"
)


def role_weights(text: str) -> tuple[float, float]:
    """(agent, customer) weight of the cues in a speaker's whole text, each cue counted a few times at most."""
    return _weigh(text, _compiled(True)), _weigh(text, _compiled(False))


def decide(texts: Mapping[str, str], first_speaker: str | None = None) -> tuple[dict[str, Role], float]:
    """Roles of the speakers by what they say, and how sure that is, 0.5–1. `texts` is in order of first appearance.

    Of two voices the more agent-like is the agent. Of more, the first that speaks as agents do (another one is a
    colleague the call was passed on to), the one that says most of the rest is the customer, and whoever is left is a
    third person. A single voice is decided by its own balance. Whoever speaks first is a little more likely to be the
    agent.
    """
    balance = {}
    for speaker, text in texts.items():
        as_agent, as_customer = role_weights(text)
        length = math.sqrt(max(1, len(text)) / 40)  # long texts hold more of everything
        balance[speaker] = (as_agent - as_customer) / max(1.0, length) + (FIRST if speaker == first_speaker else 0.0)
    if not balance:
        return {}, 0.5
    ordered = sorted(balance, key=lambda speaker: (-balance[speaker], speaker))
    if len(ordered) == 1:
        only = ordered[0]
        role: Role = "agent" if balance[only] > 0 else "customer"
        return {only: role}, _sureness(abs(balance[only]))
    alike = [speaker for speaker in texts if balance[speaker] >= AGENT_LIKE] or ordered[:1]
    agent = alike[0] if len(ordered) > 2 else ordered[0]
    rest = [speaker for speaker in texts if speaker != agent]
    customer = max([speaker for speaker in rest if speaker not in alike] or rest, key=lambda one: len(texts[one]))
    roles: dict[str, Role] = dict.fromkeys(texts, "other")
    roles |= {agent: "agent", customer: "customer"}
    return roles, _sureness(balance[agent] - balance[customer])


def _sureness(margin: float) -> float:
    return round(1 / (1 + math.exp(-1.2 * margin)), 3)


def is_ivr(text: str) -> bool:
    """Whether a turn is a recorded announcement."""
    return IVR.search(text) is not None


def _weigh(text: str, cues: tuple[tuple[re.Pattern[str], float], ...]) -> float:
    return sum(weight * min(3, len(pattern.findall(text))) for pattern, weight in cues)


@cache
def _compiled(agent: bool) -> tuple[tuple[re.Pattern[str], float], ...]:
    return tuple((re.compile(pattern), weight) for pattern, weight in (_AGENT if agent else _CUSTOMER))
