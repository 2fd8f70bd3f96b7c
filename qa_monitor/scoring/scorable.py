"""Which calls are scored at all: a score must rest on enough words that can be trusted, from speakers that are known."""

from __future__ import annotations

from qa_monitor.records import Dialogue
from qa_monitor.scoring.card import Limits


def why_not_scored(dialogue: Dialogue, limits: Limits) -> str:
    """One Chinese clause, empty when the call can be scored."""
    spoken = [turn for turn in dialogue.turns if turn.text.strip()]
    if not spoken:
        return "无人声"
    if dialogue.duration_s is not None and dialogue.duration_s < limits.min_seconds:
        return f"通话过短（{dialogue.duration_s:.1f} 秒，少于 {limits.min_seconds:g} 秒）"
    characters = sum(len(turn.text) for turn in spoken)
    suspect = sum(len(turn.text) for turn in spoken if turn.suspect is not None)
    if suspect > limits.max_suspect_share * characters:
        return f"识别不可信的文字占 {100 * suspect / characters:.0f}%，超过 {100 * limits.max_suspect_share:.0f}%"
    trusted = [turn for turn in spoken if turn.suspect is None]
    if len(trusted) < limits.min_turns:
        return f"通话过短（只有 {len(trusted)} 轮，少于 {limits.min_turns} 轮）"
    if dialogue.roles_from == "unknown" or dialogue.role_confidence < limits.min_role_confidence:
        return "分不清坐席与客户"
    if not any(turn.role == "agent" for turn in trusted):
        return "分不清坐席与客户" if any(turn.role == "unknown" for turn in trusted) else "没有坐席的话"
    return ""
