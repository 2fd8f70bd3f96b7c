"""What reports and the review page read: a call, an agent and a batch, ready to show.

The store fills these; whoever draws them only formats. Texts are already masked when they get here: in `Dialogue` the
turns' `text` is the masked text, `raw_text`, `offsets` and `words` are emptied, and every offset of `Evidence` points
into the masked text. A figure that could not be computed is None, never NaN and never 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from qa_monitor.records import (
    Agent,
    AudioInfo,
    CallFacts,
    CallScore,
    Dialogue,
    Finding,
    ModelScores,
    Note,
    ResolutionLabel,
    Severity,
)

Kind = Literal["audio", "text"]
ReviewState = Literal["machine", "confirmed", "changed"]
FailureState = Literal["failed", "set_aside", "unread"]

REVIEW_STATE_NAMES: dict[ReviewState, str] = {"machine": "机器初评", "confirmed": "人工确认", "changed": "人工改判"}


@dataclass(frozen=True, slots=True)
class MaskedSpan:
    """Characters [start, end) of turn `turn`'s text stand in for personal data of this `kind` (`手机号` …)."""

    turn: int
    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class CallView:
    """One call. `key` is the short id people type (`qa-monitor show KEY`); `names` every file name it was seen under.

    `agent` is the roster line valid on the day of the call, None when the 工号 is unknown or not in the roster.
    `error` is (code, Chinese message) of a call that could not be processed; its results are then None.
    """

    sha256: str
    key: str
    kind: Kind
    names: tuple[str, ...]
    facts: CallFacts
    agent: Agent | None = None
    audio: AudioInfo | None = None
    dialogue: Dialogue | None = None
    findings: tuple[Finding, ...] = ()
    model: ModelScores | None = None
    score: CallScore | None = None
    notes: tuple[Note, ...] = ()
    masked: tuple[MaskedSpan, ...] = ()
    error: tuple[str, str] | None = None
    review_state: ReviewState = "machine"
    rulebook_version: str = ""
    asr: str = ""  # engine and model, empty for text


@dataclass(frozen=True, slots=True)
class FailureView:
    """A recording that could not be processed. `title`, `what` and `hint` are its error's; sha256 is '' if unread."""

    name: str
    state: FailureState
    code: str
    title: str
    what: str
    hint: str = ""
    sha256: str = ""
    agent_id: str | None = None


@dataclass(frozen=True, slots=True)
class RuleCount:
    """How many calls broke a rule."""

    rule_id: str
    name: str
    calls: int


@dataclass(frozen=True, slots=True)
class AgentView:
    """One agent over the batch. Means are over the scored calls; None where there is nothing to average.

    `interval` is the 95 % interval of the mean, 0–100. `dimensions` dimension name → mean 0–100. `politeness` and
    `satisfaction` are means on 1–5. `resolution` share of each outcome, summing to 1, empty when none was judged.
    `enough_sample` is false below the configured number of scored calls: such an agent is never ranked.
    `performance` holds the roster period's own records (`平均处理时长(秒)` → 312.0), as imported.
    """

    agent_id: str
    agent: Agent | None
    calls: int
    scored: int
    failed: int = 0
    mean_points: float | None = None
    interval: tuple[float, float] | None = None
    veto_calls: int = 0
    dimensions: dict[str, float | None] = field(default_factory=dict)
    politeness: float | None = None
    satisfaction: float | None = None
    resolution: dict[ResolutionLabel, float] = field(default_factory=dict)
    worst: tuple[RuleCount, ...] = ()
    enough_sample: bool = False
    performance: dict[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RuleSummary:
    """One rule over the batch: how many calls got each verdict. `suspected` are fails that cost nothing until reviewed
    and are not counted in `failed`."""

    rule_id: str
    name: str
    category: str
    severity: Severity
    veto: bool
    passed: int
    failed: int
    not_applicable: int
    unsure: int
    suspected: int


@dataclass(frozen=True, slots=True)
class Versions:
    """What the figures rest on. `scorer` is the scorer's name and version, `asr` the engine and model ('' for text)."""

    program: str
    rulebook: str
    scorecard: str
    scorer: str
    asr: str = ""


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch as one report shows it. `created_at` is ISO 8601 with its offset, `timezone` the zone it is told in.

    `done` = scored + `not_scored`; `failed`, `set_aside` and `unread` files are listed in `failures`. `dimensions` is
    the scorecard's order. `unmatched_calls` have no 工号 or one that the roster does not know; `unmatched_note` says so
    in words. `notes` sum up what was masked, cut or guessed over the whole batch.
    """

    title: str
    created_at: str
    timezone: str
    versions: Versions
    done: int
    not_scored: int
    failed: int
    set_aside: int
    unread: int = 0
    audio_s: float = 0.0
    dimensions: tuple[str, ...] = ()
    agents: tuple[AgentView, ...] = ()
    unmatched_calls: int = 0
    unmatched_note: str = ""
    failures: tuple[FailureView, ...] = ()
    rules: tuple[RuleSummary, ...] = ()
    notes: tuple[Note, ...] = ()
    min_calls: int = 5

    @property
    def scored(self) -> int:
        return self.done - self.not_scored
