"""A call as the HTML report's card: every text and figure ready to print, so that the template only lays out."""

from __future__ import annotations

from dataclasses import dataclass

from qa_monitor.records import DimensionScore, Finding, ModelScores, TurnEmotion
from qa_monitor.reports import figures, names
from qa_monitor.reports.conversation import Line, conversation
from qa_monitor.reports.marks import MarkKind
from qa_monitor.reports.rows import (
    FindingRow,
    deducted,
    duration_s,
    silence_s,
    veto_names,
    weight_order,
)
from qa_monitor.reports.timeline import Place, Timeline, draw
from qa_monitor.store.views import REVIEW_STATE_NAMES, CallView

CHIPS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Quote:
    """Words a finding rests on. `target` is the anchor of their turn, '' when they belong to none.

    `text` is empty when the finding's reason quotes them already.
    """

    text: str
    where: str
    target: str


@dataclass(frozen=True, slots=True)
class FindingItem:
    """A finding in the list beside the transcript."""

    number: int
    kind: MarkKind
    name: str
    rule_id: str
    verdict: str
    severity: str
    veto: bool
    points: str
    why: str
    confidence: str
    match: str
    count: int
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class LineItem:
    """A line of a dimension that changed its score."""

    name: str
    points: str


@dataclass(frozen=True, slots=True)
class DimensionItem:
    """A dimension: its score as text and 0–100 for its bar, its weight, and what was taken off."""

    name: str
    score: str
    bar: float | None
    band: str
    weight: str
    lines: tuple[LineItem, ...]


@dataclass(frozen=True, slots=True)
class ModelItem:
    """What the scorer says, with its name."""

    scorer: str
    politeness: str
    satisfaction: str
    resolution: str
    probabilities: tuple[tuple[str, str, str, float], ...]  # label, name, share as text, 0–100
    deciding: str
    abstained: str


@dataclass(frozen=True, slots=True)
class Card:
    """Everything the template shows of one call. `anchor` is its id in the page; `sort_*` are for the script."""

    anchor: str
    key: str
    title: str
    agent: str
    team: str
    business: str
    started: str
    length: str
    points: str
    band: str
    points_note: str
    veto: tuple[str, ...]
    chips: tuple[tuple[str, MarkKind], ...]
    more_chips: int
    state: str
    error: str
    findings: tuple[FindingItem, ...]
    passed: tuple[str, ...]
    not_applicable: tuple[str, ...]
    dimensions: tuple[DimensionItem, ...]
    arithmetic: tuple[str, ...]  # line by line
    model: ModelItem | None
    timeline: Timeline | None
    lines: tuple[Line, ...]
    facts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    sort_points: float
    flags: str


def make_card(view: CallView, anchor: str) -> Card:
    """The card of `view`, whose ids all begin with `anchor`."""
    order = [*weight_order(view), *(finding for finding in view.findings if finding.verdict == "unsure")]
    numbered = [(number, mark_kind(finding), finding) for number, finding in enumerate(order, start=1)]
    chips = [(finding.name, mark_kind(finding)) for finding in weight_order(view)]
    shown_points = figures.points(view.score.points) if view.score else None
    return Card(
        anchor=anchor,
        key=view.key,
        title=names.call_title(view),
        agent=names.agent_label(view),
        team=view.agent.team if view.agent else "",
        business=view.facts.business or "",
        started=(view.facts.started_at or "").replace("T", " "),
        length=figures.clock(duration_s(view)) if duration_s(view) is not None else "文字",
        points=figures.points_text(view.score.points) if view.score else figures.MISSING,
        band=figures.band(view.score.points) if view.score else "",
        points_note=_points_note(view),
        veto=tuple(veto_names(view)),
        chips=tuple(chips[:CHIPS_SHOWN]),
        more_chips=max(0, len(chips) - CHIPS_SHOWN),
        state=REVIEW_STATE_NAMES[view.review_state],
        error=view.error[1] if view.error else "",
        findings=tuple(_finding_item(view, number, kind, finding, anchor) for number, kind, finding in numbered),
        passed=tuple(finding.name for finding in view.findings if finding.verdict == "pass"),
        not_applicable=tuple(finding.name for finding in view.findings if finding.verdict == "not_applicable"),
        dimensions=_dimensions(view),
        arithmetic=tuple(view.score.arithmetic.splitlines()) if view.score else (),
        model=_model(view.model) if view.model else None,
        timeline=_timeline(view, numbered),
        lines=tuple(conversation(view, numbered, anchor)),
        facts=tuple(_facts(view)),
        notes=tuple(f"{note.message}（{note.count}）" if note.count > 1 else note.message for note in view.notes),
        sort_points=-1.0 if shown_points is None else shown_points,
        flags=_flags(view),
    )


def mark_kind(finding: Finding) -> MarkKind:
    """How a finding's words are marked; passes and rules that do not apply are not."""
    if finding.verdict == "unsure":
        return "unsure"
    if finding.verdict != "fail":
        return ""
    return "suspected" if finding.suspected else "fail"


def _points_note(view: CallView) -> str:
    if view.error is not None:
        return "失败"
    if view.score is None or figures.points(view.score.points) is None:
        return "未评分"
    return ""


def _flags(view: CallView) -> str:
    """Words the page's filters look for."""
    flags = []
    if view.score is not None and view.score.veto:
        flags.append("veto")
    if any(names.is_broken(finding) for finding in view.findings):
        flags.append("broken")
    if any(names.is_suspected(finding) or finding.verdict == "unsure" for finding in view.findings):
        flags.append("doubt")
    if _points_note(view):
        flags.append("unscored")
    return " ".join(flags)


def _finding_item(view: CallView, number: int, kind: MarkKind, finding: Finding, anchor: str) -> FindingItem:
    cost = deducted(FindingRow(view, finding, None)) if kind == "fail" else None
    return FindingItem(
        number=number,
        kind=kind,
        name=finding.name,
        rule_id=finding.rule_id,
        verdict=names.verdict_label(finding),
        severity=names.SEVERITIES[finding.severity],
        veto=finding.veto and names.is_broken(finding),
        points=figures.signed_points_text(cost) if cost is not None else "",
        why=finding.why,
        confidence=figures.share_text(finding.confidence),
        match=_match(finding),
        count=finding.count,
        quotes=tuple(_quotes(finding, anchor)),
    )


def _match(finding: Finding) -> str:
    """How the words were matched, when not by what they say."""
    how = finding.evidence[0].match if finding.evidence else ""
    return names.MATCHES[how] if how in names.LOOSE_MATCHES else ""


def _quotes(finding: Finding, anchor: str) -> list[Quote]:
    quotes = []
    for item in finding.evidence:
        parts = [names.ROLES[item.role]] if item.role != "unknown" else []
        if item.turn is not None:
            parts.append(f"第 {item.turn + 1} 轮")
        if figures.seconds(item.start_s) is not None:
            parts.append(figures.clock(item.start_s))
        target = f"{anchor}t{item.turn}" if item.turn is not None else ""
        quotes.append(Quote("" if item.quote in finding.why else item.quote, " ".join(parts), target))
    return quotes


def _dimensions(view: CallView) -> tuple[DimensionItem, ...]:
    """The scorecard's dimensions; the weight is the share of those that counted, '' for one that did not."""
    if view.score is None:
        return ()
    counted = [part.weight for part in view.score.dimensions if figures.points(part.score) is not None]
    total = sum(counted)
    items = []
    for part in view.score.dimensions:
        shown = figures.points(part.score)
        lines = [line for line in part.lines if figures.points(line.points) not in (None, 0.0) or _without_weight(part)]
        items.append(
            DimensionItem(
                name=part.name,
                score=figures.points_text(part.score) if part.weight else "",
                bar=None if shown is None else min(max(shown, 0.0), 100.0),
                band=figures.band(part.score),
                weight=figures.share_text(part.weight / total) if shown is not None and total > 0 else "",
                lines=tuple(LineItem(line.name, figures.signed_points_text(line.points)) for line in lines),
            )
        )
    return tuple(items)


def _without_weight(part: DimensionScore) -> bool:
    """Bonus points and findings that cost nothing stand beside the dimensions, without weight."""
    return part.weight == 0


def _model(model: ModelScores) -> ModelItem:
    probabilities = tuple(
        (label, names.RESOLUTIONS[label], figures.share_text(value), 100 * (figures.share(value) or 0.0))
        for label in names.RESOLUTIONS
        if (value := model.resolution_probabilities.get(label)) is not None
    )
    return ModelItem(
        scorer=model.scorer,
        politeness=figures.scale_text(model.politeness),
        satisfaction=figures.scale_text(model.satisfaction),
        resolution=names.RESOLUTIONS[model.resolution] if model.resolution else figures.MISSING,
        probabilities=probabilities,
        deciding=f"第 {model.deciding_turn + 1} 轮" if model.deciding_turn is not None else "",
        abstained=model.abstained or "",
    )


def _timeline(view: CallView, numbered: list[tuple[int, MarkKind, Finding]]) -> Timeline | None:
    if view.dialogue is None or not view.dialogue.turns:
        return None
    places = [Place(number, kind, finding.name, finding.evidence) for number, kind, finding in numbered]
    emotions = {item.turn: item.label for item in _felt(view)}
    return draw(view.dialogue, duration_s(view), places, emotions)


def _felt(view: CallView) -> list[TurnEmotion]:
    """Customer turns with an emotion worth showing."""
    if view.model is None:
        return []
    return [item for item in view.model.emotion_turns if item.label in names.EMOTIONS and item.label != "neutral"]


def _facts(view: CallView) -> list[tuple[str, str]]:
    """(name, value) pairs on the call and its recording; unknown ones left out."""
    facts = view.facts
    pairs = [
        ("文件", "；".join(view.names)),
        ("内容编号", view.sha256[:16]),
        ("通话编号", facts.call_id or ""),
        ("方向", names.DIRECTIONS[facts.direction] if facts.direction else ""),
        *[(name, value) for name, value in facts.extra.items()],
    ]
    if view.audio is not None:
        audio = view.audio
        noise = [channel.snr_db for channel in audio.channels if channel.snr_db is not None]
        quality = f"，信噪比 {figures.text_of('points', min(noise))} dB" if noise else ""
        pairs.append(("录音", f"{names.LAYOUTS[audio.layout]} {audio.codec} {audio.source_rate} Hz{quality}"))
        pairs.append(("时长", figures.length_text(audio.duration_s)))
    if view.dialogue is not None:
        pairs += _dialogue_facts(view)
    return [(name, value) for name, value in pairs if value]


def _dialogue_facts(view: CallView) -> list[tuple[str, str]]:
    assert view.dialogue is not None
    dialogue = view.dialogue
    basis = names.ROLE_SOURCES.get(dialogue.roles_from, dialogue.roles_from)
    pairs = [("角色依据", f"{basis}，把握 {figures.share_text(dialogue.role_confidence)}")]
    share = dialogue.talk_share.get("agent")
    if share is not None:
        pairs.append(("坐席说话占比", figures.share_text(share)))
    if dialogue.silences:
        pairs.append(("静音", f"{len(dialogue.silences)} 段，共 {figures.length_text(silence_s(view))}"))
    if dialogue.overlaps:
        pairs.append(("抢话", f"{len(dialogue.overlaps)} 次"))
    return pairs
