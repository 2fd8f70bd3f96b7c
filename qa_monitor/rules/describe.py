"""Conditions in Chinese, for reasons and explanations: 说到“请稍等”等 3 种说法（开场 3 轮）."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qa_monitor.records import Said
from qa_monitor.rules import fields, specs
from qa_monitor.rules.specs import Condition

_ROLE = {"agent": "坐席", "customer": "客户", "either": "双方", "other": "第三方", "ivr": "语音导航"}
_SIDE = {"before": "之前", "after": "之后", "around": "前后", "same": "同一轮"}
_WHICH = {"any": "", "every": "每一次", "first": "第一次", "last": "最后一次"}
VERDICT_NAMES: dict[Said, str] = {
    "pass": "合格",
    "fail": "不合格",
    "suspected": "疑似不合格",
    "unsure": "无法判断",
    "not_applicable": "不适用",
}
_MEASURE = {
    "talk_share": "说话占比", "duration": "通话时长", "turn_count": "说话轮数", "turn_chars": "一轮的字数",
    "asr_confidence": "识别把握", "loudness": "音量变化", "pitch": "音高变化", "pitch_range": "音高起伏",
}  # fmt: skip
_SHOWN = 3
_SHOWN_CHARS = 24


def role_text(role: str) -> str:
    return _ROLE.get(role, "说话人不明")


def describe(condition: Condition) -> str:
    """One line; the condition's own name when it has one."""
    if condition.name:
        return condition.name
    text = _describe_spec(condition.spec)
    around = [_ROLE[condition.role]] if condition.role else []
    if condition.place is not None:
        around.append(condition.place.text)
    if condition.near is not None:
        around.append(f"{describe(condition.near.hit)}{_distance(condition.near)}")
    if condition.each_turn:
        around.append("每一轮")
    if condition.unless is not None:
        around.append(f"除非{describe(condition.unless)}")
    return f"{text}（{'，'.join(around)}）" if around else text


def _distance(near: specs.Near) -> str:
    which = _WHICH.get(str(near.which), f"第 {near.which} 次")
    limit = f" {near.turns} 轮内" if near.turns is not None else ""
    limit += f" {near.seconds:g} 秒内" if near.seconds is not None else ""
    return f"{which}{_SIDE[near.side]}{limit}"


def _some(items: list[str]) -> str:
    shown = "”“".join(item[:_SHOWN_CHARS] for item in items[:_SHOWN])
    return f"“{shown}”" + (f"等 {len(items)} 种说法" if len(items) > _SHOWN else "")


def _describe_spec(spec: specs.Spec) -> str:
    describer: Callable[[Any], str] = _DESCRIBERS[type(spec)]
    return describer(spec)


def _phrase(spec: specs.PhraseSpec) -> str:
    said = _some([wording.text for wording in spec.wordings])
    if spec.need == "none":
        return f"没有说{said}"
    if spec.need == "all":
        return f"说全{said}"
    return f"说到{said}" + (f"中的 {spec.need} 种" if isinstance(spec.need, int) else "")


def _order(spec: specs.OrderSpec) -> str:
    first, second = describe(spec.first), describe(spec.second)
    which = _WHICH.get(str(spec.which), f"第 {spec.which} 次")
    limit = f" {spec.turns} 轮内" if spec.turns is not None else ""
    limit += f" {spec.seconds:g} 秒内" if spec.seconds is not None else ""
    relation = {"before": "之前", "after": "之后", "within": "附近"}[spec.relation]
    return f"在{which}〔{second}〕{relation}{limit}有〔{first}〕"


def _labels(labels: tuple[str, ...], names: dict[str, str]) -> str:
    chinese = {english: name for name, english in names.items()}
    return "、".join(chinese[label] for label in labels)


def _fact(spec: specs.FactSpec) -> str:
    tests = []
    if spec.one_of:
        tests.append("是" + "、".join(spec.one_of))
    if spec.none_of:
        tests.append("不是" + "、".join(spec.none_of))
    if spec.value is not None:
        tests.append(spec.value.text)
    if spec.matches is not None:
        tests.append(f"符合 {spec.matches}")
    if spec.exists is not None:
        tests.append("已知" if spec.exists else "未知")
    return f"随录信息 {spec.fact} " + "且".join(tests)


def _children(children: tuple[Condition, ...], joint: str) -> str:
    return joint.join(describe(child) if len(children) == 1 else f"〔{describe(child)}〕" for child in children)


_DESCRIBERS: dict[type[Any], Callable[[Any], str]] = {
    specs.PhraseSpec: _phrase,
    specs.WordSpec: lambda s: f"说到{_some(list(s.words))}",
    specs.PatternSpec: lambda s: f"符合正则{_some(list(s.patterns))}",
    specs.SimilarSpec: lambda s: f"意思接近{_some(list(s.sentences))}",
    specs.RepeatSpec: lambda s: f"差不多的话说了{s.times.text}",
    specs.EntitySpec: lambda s: f"提到{_labels(s.kinds, fields.ENTITIES)}" + (f" {s.value.text}" if s.value else ""),
    specs.ReadbackSpec: lambda s: f"复述对方报的{s.digits.text}数字",
    specs.SilenceSpec: lambda s: (
        {"yes": "打过招呼的", "no": "没打招呼的", "any": ""}[s.announced] + f"静音{s.length.text}"
    ),
    specs.ResponseDelaySpec: lambda s: f"响应时间{s.length.text}",
    specs.OverlapSpec: lambda s: ("抢话" if s.interrupting else "重叠") + s.length.text,
    specs.RateSpec: lambda s: ("全程平均" if s.average else "") + f"语速{s.rate.text}",
    specs.ToneSpec: lambda s: f"{_MEASURE[s.measure]}{s.change.text}",
    specs.MeasureSpec: lambda s: f"{_MEASURE[s.measure]}{s.value.text}",
    specs.SpeakerSpec: lambda s: f"{_ROLE[s.who]}" + ("先开口" if s.position == "first" else "最后说话"),
    specs.PolitenessSpec: lambda s: ("全程" if s.per == "call" else "单轮") + f"礼貌分{s.score.text}",
    specs.EmotionSpec: lambda s: f"客户情绪为{_labels(s.labels, fields.EMOTIONS)}",
    specs.ResolutionSpec: lambda s: f"解决情况为{_labels(s.labels, fields.RESOLUTIONS)}",
    specs.SatisfactionSpec: lambda s: f"满意度{s.score.text}",
    specs.FactSpec: _fact,
    specs.AllSpec: lambda s: _children(s.children, "且"),
    specs.AnySpec: lambda s: _children(s.children, "或") + (f"中的 {s.need} 项" if s.need > 1 else ""),
    specs.NotSpec: lambda s: f"没有〔{describe(s.child)}〕",
    specs.OrderSpec: _order,
    specs.CountSpec: lambda s: f"〔{describe(s.child)}〕{s.times.text}",
    specs.RefSpec: lambda s: s.name.rpartition("/")[2],
    specs.RuleSpec: lambda s: f"规则 {s.rule_id} {'或'.join(VERDICT_NAMES[v] for v in s.verdicts)}",
}
