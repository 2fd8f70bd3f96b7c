"""What the records' codes are called in reports."""

from __future__ import annotations

from qa_monitor.records import (
    ChannelLayout,
    Direction,
    Finding,
    ResolutionLabel,
    Role,
    Severity,
    Verdict,
)
from qa_monitor.store.views import CallView, FailureState

ROLES: dict[Role, str] = {"agent": "坐席", "customer": "客户", "ivr": "语音导航", "other": "第三方", "unknown": "未知"}
VERDICTS: dict[Verdict, str] = {"pass": "合格", "fail": "不合格", "not_applicable": "不适用", "unsure": "无法判断"}
SEVERITIES: dict[Severity, str] = {"info": "仅统计", "minor": "轻微", "major": "较重", "critical": "严重"}
SEVERITY_ORDER: dict[Severity, int] = {"critical": 0, "major": 1, "minor": 2, "info": 3}
RESOLUTIONS: dict[ResolutionLabel, str] = {"resolved": "已解决", "partial": "部分解决", "unresolved": "未解决"}
DIRECTIONS: dict[Direction, str] = {"inbound": "呼入", "outbound": "呼出"}
LAYOUTS: dict[ChannelLayout, str] = {
    "mono": "单声道",
    "stereo": "双声道",
    "dual_mono": "双声道（内容相同）",
    "one_silent": "双声道（一路无声）",
}
EMOTIONS = {
    "abusive": "辱骂",
    "angry": "愤怒",
    "annoyed": "不满",
    "anxious": "焦急",
    "neutral": "平静",
    "positive": "满意",
}
ATTITUDES = {
    "courteous": "礼貌",
    "warm": "热情",
    "neutral": "平淡",
    "curt": "生硬",
    "impatient": "不耐烦",
    "sarcastic": "讽刺",
    "blaming": "指责",
    "contemptuous": "轻蔑",
    "buck_passing": "推诿",
    "refusing": "拒绝",
}
MATCHES = {
    "text": "原文",
    "pinyin": "读音",
    "similar": "相似说法",
    "regex": "句式",
    "entity": "信息项",
    "repeat": "复读",
    "model": "模型",
    "audio": "声音",
}
LOOSE_MATCHES = ("pinyin", "similar", "model")  # a hit that does not rest on the very words
ROLE_SOURCES = {
    "sidecar": "随录信息表",
    "settings": "配置",
    "words": "话语内容",
    "given": "文字对话自带",
    "unknown": "无法确定",
}
SUSPECTS = {
    "silence": "疑似无人说话处的幻听",
    "repetition": "异常重复",
    "stock_phrase": "视频字幕套话",
    "low_confidence": "识别把握过低",
    "not_chinese": "非中文",
}
FAILURES: dict[FailureState, str] = {"failed": "处理失败", "set_aside": "已搁置", "unread": "无法读取"}
UNMATCHED = "未匹配"


def agent_label(view: CallView) -> str:
    """`007 张敏`; a 工号 the roster does not know says so; no 工号 is 未匹配."""
    if view.facts.agent_id is None:
        return UNMATCHED
    return f"{view.facts.agent_id} {view.agent.name}" if view.agent else f"{view.facts.agent_id}（名册无）"


def call_title(view: CallView) -> str:
    """What the call is called: its call id, else its file name without folders, else its key."""
    return view.facts.call_id or (file_name(view.names[0]) if view.names else view.key)


def file_name(name: str) -> str:
    """The last part of a displayed path, whichever slash it was written with."""
    return name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1] or name


def verdict_label(finding: Finding) -> str:
    """The verdict in words; a suspected breach is 疑似, which costs nothing until a person confirms it."""
    return "疑似" if is_suspected(finding) else VERDICTS[finding.verdict]


def is_broken(finding: Finding) -> bool:
    """The rule was broken, beyond suspicion."""
    return finding.verdict == "fail" and not finding.suspected


def is_suspected(finding: Finding) -> bool:
    return finding.verdict == "fail" and finding.suspected
