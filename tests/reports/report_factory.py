"""Made-up calls, agents and a batch for the report tests, complete down to evidence offsets."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from report_scripts import AGENTS, DIMENSIONS, RULES, SCORER, SCRIPTS, SPEAKERS, WEIGHTS, Script

from qa_monitor.records import (
    AudioInfo,
    CallFacts,
    CallScore,
    ChannelInfo,
    Dialogue,
    DimensionScore,
    Evidence,
    Finding,
    ModelScores,
    Note,
    Overlap,
    ScoreLine,
    Silence,
    Span,
    Turn,
    TurnEmotion,
    TurnPoliteness,
    Verdict,
)
from qa_monitor.store.views import (
    AgentView,
    BatchView,
    CallView,
    FailureView,
    MaskedSpan,
    RuleCount,
    RuleSummary,
    Versions,
)

_MARK = re.compile(r"\{(?P<rule>[a-z_.]+)\|(?P<words>[^}]*)\}|\[\[(?P<kind>[^|]*)\|(?P<stand>[^\]]*)\]\]")


@dataclass
class _Spoken:
    turns: list[Turn] = field(default_factory=list)
    silences: list[Silence] = field(default_factory=list)
    overlaps: list[Overlap] = field(default_factory=list)
    evidence: dict[str, list[Evidence]] = field(default_factory=dict)
    masked: list[MaskedSpan] = field(default_factory=list)
    clock: float = 0.6


def _speak(script: Script) -> _Spoken:
    spoken = _Spoken()
    for line in script.lines.splitlines():
        if line.startswith("~"):
            length = float(line.strip("~!"))
            after = spoken.turns[-1].index if spoken.turns else None
            spoken.silences.append(Silence(spoken.clock, spoken.clock + length, after, line.endswith("!")))
            spoken.clock += length
        else:
            _say(script, line, spoken)
    return spoken


def _say(script: Script, line: str, spoken: _Spoken) -> None:
    interrupts = line.startswith("/")
    who, _, marked = line.lstrip("/").partition(" ")
    role, index = SPEAKERS[who[0]], len(spoken.turns)
    text, places = "", []
    last = 0
    for mark in _MARK.finditer(marked):
        text += marked[last : mark.start()]
        words = mark["words"] if mark["rule"] else mark["stand"]
        places.append((mark["rule"], mark["kind"], len(text), len(text) + len(words)))
        text += words
        last = mark.end()
    text += marked[last:]
    start = spoken.clock + 0.5
    if interrupts:
        start = spoken.clock - 0.9
        spoken.overlaps.append(Overlap(start, spoken.clock, role, index))
    end = start + max(0.6, len(text) / 4.6)
    timed = script.kind == "audio"
    for rule_id, kind, begin, stop in places:
        if not rule_id:
            spoken.masked.append(MaskedSpan(index, begin, stop, kind))
            continue
        at = [start + (end - start) * place / len(text) for place in (begin, stop)] if timed else [None, None]
        found = Evidence(index, text[begin:stop], begin, stop, at[0], at[1], role, "话术", "text")
        spoken.evidence.setdefault(rule_id, []).append(found)
    suspect = "stock_phrase" if who.endswith("?") else None
    speaker = "spk1" if script.mono else "ch0" if role == "agent" else "ch1"
    spoken.turns.append(
        Turn(index, role, text, start if timed else None, end if timed else None, speaker, 0.93, 0.88, suspect=suspect)
    )
    spoken.clock = max(end, spoken.clock)


def _findings(script: Script, spoken: _Spoken) -> tuple[Finding, ...]:
    made = []
    for rule_id, rule in RULES.items():
        verdict: Verdict = "pass"
        if rule_id in script.broken or rule_id in script.suspected:
            verdict = "fail"
        elif rule_id in script.unsure:
            verdict = "unsure"
        elif rule_id in script.skipped:
            verdict = "not_applicable"
        evidence = tuple(spoken.evidence.get(rule_id, ())) if verdict != "not_applicable" else ()
        suspected = rule_id in script.suspected
        if suspected and not evidence:
            turn = next(turn for turn in spoken.turns if turn.role == "agent" and len(turn.text) > 12)
            evidence = (
                Evidence(turn.index, turn.text[2:8], 2, 8, turn.start_s, turn.end_s, "agent", "读音", "pinyin"),
            )
        default = {
            "pass": f"坐席做到了：“{evidence[0].quote}”" if evidence else "没有发现违规",
            "fail": f"命中：“{evidence[0].quote}”" if evidence else "全程没有找到应说的话",
            "not_applicable": "本通不涉及",
            "unsure": "识别不清，不能判断",
        }[verdict]
        made.append(
            Finding(
                rule_id,
                hashlib.sha256(rule_id.encode()).hexdigest()[:10],
                rule.name,
                rule.category,
                rule.severity,
                verdict,
                0.62 if suspected else 0.94,
                script.whys.get(rule_id, default),
                evidence,
                suspected,
                max(1, len(evidence)),
                rule.veto,
            )
        )
    return tuple(made)


def _score(findings: Sequence[Finding]) -> CallScore:
    veto = tuple(f.rule_id for f in findings if f.veto and f.verdict == "fail" and not f.suspected)
    dimensions, parts, total = [], [], 0.0
    for name in DIMENSIONS:
        lines = []
        for finding in findings:
            if finding.category != name:
                continue
            rule = RULES[finding.rule_id]
            lost = -rule.points if finding.verdict == "fail" and not finding.suspected else 0.0
            lines.append(ScoreLine(finding.rule_id, rule.name, finding.verdict, lost, rule.points, finding.why))
        possible = sum(line.possible for line in lines if line.verdict != "not_applicable")
        lost = sum(line.points for line in lines)
        score = max(0.0, 100.0 * (1 + lost / possible)) if possible else None
        dimensions.append(DimensionScore(name, WEIGHTS[name], score, tuple(lines)))
        if score is not None:
            parts.append(f"{name} {score:.1f}×{WEIGHTS[name]:.0%}")
            total += score * WEIGHTS[name]
    weight = sum(part.weight for part in dimensions if part.score is not None)
    points = total / weight
    arithmetic = f"（{' ＋ '.join(parts)}）÷{weight:.0%} ＝ {points:.1f}"
    if veto:
        arithmetic += f"；一票否决（{'、'.join(RULES[rule].name for rule in veto)}），记 0 分"
        points = 0.0
    return CallScore("95598 评分表", "a41c77e09b52", points, veto, tuple(dimensions), arithmetic)


def _model(script: Script, spoken: _Spoken) -> ModelScores:
    resolution = script.resolution
    others = {"resolved": 0.08, "partial": 0.13, "unresolved": 0.08}
    probabilities = dict(others)
    if resolution is not None:
        probabilities[resolution] = 1 - sum(value for label, value in others.items() if label != resolution)
    mean = script.politeness
    polite = tuple(
        TurnPoliteness(turn.index, min(5.0, max(1.0, mean + (turn.index % 3 - 1) * 0.4)), 0.7, words=("请", "您"))
        for turn in spoken.turns
        if turn.role == "agent" and turn.suspect is None and mean is not None
    )
    emotions = tuple(
        TurnEmotion(turn.index, script.emotions.get(turn.index, "neutral"), 0.72)
        for turn in spoken.turns
        if turn.role == "customer"
    )
    return ModelScores(SCORER, "1-3fb2c90a", mean, polite, emotions, resolution, probabilities if resolution else {},
                       len(spoken.turns) - 2, script.satisfaction)  # fmt: skip


def _audio(script: Script, spoken: _Spoken) -> AudioInfo:
    channels = tuple(
        ChannelInfo(index, -21.4 - index, 23.5 - 4 * index, 0.0002, (Span(0.6, spoken.clock),))
        for index in range(1 if script.mono else 2)
    )
    return AudioInfo(spoken.clock + 0.7, spoken.clock + 0.7, 8000, 1 if script.mono else 2, "pcm_mulaw", "wav",
                     "mono" if script.mono else "stereo", False, channels)  # fmt: skip


def make_call(script: Script) -> CallView:
    """The script as the store would give it."""
    spoken = _speak(script)
    findings = _findings(script, spoken)
    sha256 = hashlib.sha256(f"{script.call_id}\n{script.lines}".encode()).hexdigest()
    said = {role: sum(len(turn.text) for turn in spoken.turns if turn.role == role) for role in ("agent", "customer")}
    dialogue = Dialogue(
        turns=tuple(spoken.turns),
        duration_s=spoken.clock + 0.7 if script.kind == "audio" else None,
        roles_from="words" if script.mono else "sidecar" if script.kind == "audio" else "given",
        role_confidence=0.78 if script.mono else 0.99,
        silences=tuple(spoken.silences) if script.kind == "audio" else (),
        overlaps=tuple(spoken.overlaps) if script.kind == "audio" else (),
        talk_share={role: count / sum(said.values()) for role, count in said.items()},
    )
    notes = [Note("masked", f"遮盖{span.kind}", 1) for span in spoken.masked]
    if any(turn.suspect for turn in spoken.turns):
        notes.append(Note("hallucination", "疑似凭空识别的片段，已标灰不计分", 1, 40.0, 42.0))
    folder = f"录音/{script.started_at[:10]}"
    name = f"{script.agent_id or 'unknown'}_{script.call_id}.wav" if script.kind == "audio" else "对话.jsonl:6"
    return CallView(
        sha256=sha256,
        key=sha256[:10],
        kind="audio" if script.kind == "audio" else "text",
        names=(f"{folder}/{name}",),
        facts=CallFacts(script.call_id, script.agent_id, script.started_at, "outbound" if script.business == "催费" else "inbound", script.business),
        agent=AGENTS.get(script.agent_id or ""),
        audio=_audio(script, spoken) if script.kind == "audio" else None,
        dialogue=dialogue,
        findings=findings,
        model=_model(script, spoken),
        score=_score(findings),
        notes=tuple(notes),
        masked=tuple(spoken.masked),
    )  # fmt: skip


def silent_call() -> CallView:
    """Ten seconds without a voice: processed, never scored."""
    sha256 = hashlib.sha256(b"silent").hexdigest()
    info = AudioInfo(10.4, 10.4, 8000, 1, "pcm_s16le", "wav", "mono", False, (ChannelInfo(0, -61.0, None, 0.0),),
                     (Note("no_speech", "没有人声"),))  # fmt: skip
    model = ModelScores(SCORER, "1-3fb2c90a", None, (), (), None, {}, None, None, abstained="没有可评价的话")
    score = CallScore("95598 评分表", "a41c77e09b52", None, (), (), "未评分：无人声", "无人声")
    return CallView(sha256, sha256[:10], "audio", ("录音/2026-11-06/4408_20261106170000.wav",),
                    CallFacts(None, "4408", "2026-11-06T17:00:00+08:00"), AGENTS["4408"], info, Dialogue((), 10.4),
                    (), model, score, info.notes)  # fmt: skip


def failed_call() -> CallView:
    """A call of 4408's that could not be decoded."""
    sha256 = hashlib.sha256(b"broken").hexdigest()
    return CallView(sha256, sha256[:10], "audio", ("录音/2026-11-06/4408_20261106171500.wav",),
                    CallFacts(None, "4408", "2026-11-06T17:15:00+08:00"), AGENTS["4408"],
                    error=("not_audio", "不是音频：内容是文本"))  # fmt: skip


FAILURES = (
    FailureView("录音/2026-11-06/4408_20261106171500.wav", "failed", "not_audio", "不是音频", "内容是文本，不是录音",
                "请检查录音系统的导出设置", hashlib.sha256(b"broken").hexdigest(), "4408"),
    FailureView("录音/2026-11-05/坏文件.mp3", "set_aside", "poisoned", "已搁置", "处理时已使工作进程崩溃 2 次",
                "其余录音不受影响；排查后运行 qa-monitor retry 重新处理", hashlib.sha256(b"poison").hexdigest()),
    FailureView("录音/2026-11-05/锁定.wav", "unread", "unreadable", "无法读取", "没有读取权限", "修改权限后重新运行 audit"),
)  # fmt: skip


def standard_calls() -> list[CallView]:
    """The scripts above, a call without a voice and one that failed."""
    return [*(make_call(script) for script in SCRIPTS), silent_call(), failed_call()]


def many_calls(count: int) -> list[CallView]:
    """`count` calls: the scripts over and over, each with its own identity, key and call id."""
    base = [make_call(script) for script in SCRIPTS]
    made = []
    for number in range(count):
        view = base[number % len(base)]
        sha256 = hashlib.sha256(f"{view.sha256}{number}".encode()).hexdigest()
        facts = replace(view.facts, call_id=f"{view.facts.call_id}-{number:04d}")
        made.append(replace(view, sha256=sha256, key=sha256[:10], facts=facts))
    return made


def agent_view(agent_id: str, calls: Sequence[CallView], min_calls: int = 5) -> AgentView:
    """The ledger line of one agent, as the store would sum it up."""
    own = [view for view in calls if view.facts.agent_id == agent_id]
    scored = [view for view in own if view.score is not None and view.score.points is not None]
    points = [view.score.points for view in scored if view.score and view.score.points is not None]
    broken = Counter(
        (f.rule_id, f.name) for view in scored for f in view.findings if f.verdict == "fail" and not f.suspected
    )
    means: dict[str, float | None] = {}
    for name in DIMENSIONS:
        values = [
            d.score for v in scored if v.score for d in v.score.dimensions if d.name == name and d.score is not None
        ]
        means[name] = sum(values) / len(values) if values else None
    judged = [view.model.resolution for view in own if view.model and view.model.resolution]
    polite = [view.model.politeness for view in own if view.model and view.model.politeness is not None]
    happy = [view.model.satisfaction for view in own if view.model and view.model.satisfaction is not None]
    mean = sum(points) / len(points) if points else None
    return AgentView(
        agent_id=agent_id,
        agent=AGENTS.get(agent_id),
        calls=len(own),
        scored=len(scored),
        failed=sum(view.error is not None for view in own),
        mean_points=mean,
        interval=(max(0.0, mean - 9.3), min(100.0, mean + 9.3)) if mean is not None and len(points) > 1 else None,
        veto_calls=sum(bool(view.score and view.score.veto) for view in scored),
        dimensions=means,
        politeness=sum(polite) / len(polite) if polite else None,
        satisfaction=sum(happy) / len(happy) if happy else None,
        resolution={label: judged.count(label) / len(judged) for label in dict.fromkeys(judged)},
        worst=tuple(RuleCount(rule[0], rule[1], n) for rule, n in broken.most_common(3)),
        enough_sample=len(points) >= min_calls,
        performance={"平均处理时长(秒)": 312.0, "考勤": "全勤"} if agent_id in ("007", "1024") else {},
    )


def rule_summaries(calls: Sequence[CallView]) -> tuple[RuleSummary, ...]:
    made = []
    for rule_id, rule in sorted(RULES.items()):
        seen: Counter[str] = Counter(
            "suspected" if f.suspected else f.verdict for view in calls for f in view.findings if f.rule_id == rule_id
        )
        made.append(
            RuleSummary(
                rule_id,
                rule.name,
                rule.category,
                rule.severity,
                rule.veto,
                seen["pass"],
                seen["fail"],
                seen["not_applicable"],
                seen["unsure"],
                seen["suspected"],
            )
        )
    return tuple(made)


def make_batch(
    calls: Sequence[CallView], failures: Sequence[FailureView] = FAILURES, *, min_calls: int = 2, title: str = ""
) -> BatchView:
    """The batch that these calls make up, with every agent of theirs and one without calls."""
    done = [view for view in calls if view.error is None]
    ids = sorted({view.facts.agent_id for view in calls if view.facts.agent_id} | {"5500"})
    return BatchView(
        title=title or "95598 客服录音质检报告",
        created_at="2026-11-07T18:30:05+08:00",
        timezone="Asia/Shanghai",
        versions=Versions("0.1.0", "7c1e55d0aa31", "95598 评分表 a41c77e09b52", f"{SCORER} 1-3fb2c90a", "faster-whisper whisper-base"),
        done=len(done),
        not_scored=sum(view.score is None or view.score.points is None for view in done),
        failed=sum(failure.state == "failed" for failure in failures),
        set_aside=sum(failure.state == "set_aside" for failure in failures),
        unread=sum(failure.state == "unread" for failure in failures),
        audio_s=sum(view.audio.duration_s for view in done if view.audio),
        dimensions=DIMENSIONS,
        agents=tuple(agent_view(agent_id, calls, min_calls) for agent_id in ids),
        unmatched_calls=sum(view.facts.agent_id is None for view in calls),
        unmatched_note="1 通没有工号" if any(view.facts.agent_id is None for view in calls) else "",
        failures=tuple(failures),
        rules=rule_summaries(done),
        notes=(Note("masked", "遮盖户号等", 6), Note("hallucination", "疑似凭空识别的片段，已标灰不计分", 1)),
        min_calls=min_calls,
    )  # fmt: skip
