"""What a rule is once read: rules, conditions and one small record per operator. Plain frozen values, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from qa_monitor.records import Role, Severity, Verdict
from qa_monitor.rules.compare import Comparison, Place
from qa_monitor.rules.wordings import Wording

RoleScope = Literal["agent", "customer", "either", "other", "ivr"]
Side = Literal["before", "after", "around", "same"]
Which = Literal["any", "every", "first", "last"] | int
Guard = Literal["negation", "quote"]
At = Literal["any", "start", "end", "alone"]
Need = Literal["any", "all", "none"] | int
EntityKind = Literal["number", "amount", "time", "date", "duration", "phone", "percent"]
ToneMeasure = Literal["loudness", "pitch", "pitch_range"]
CallMeasure = Literal["talk_share", "duration", "turn_count", "turn_chars", "asr_confidence"]

CATEGORIES = ("服务规范", "服务态度", "沟通技巧", "业务能力与问题解决", "合规与安全")
SEVERITY_POINTS: dict[Severity, float] = {"info": 0.0, "minor": 2.0, "major": 5.0, "critical": 10.0}


@dataclass(frozen=True, slots=True)
class PhraseSpec:
    wordings: tuple[Wording, ...]
    gap: int
    need: Need
    same_turn: bool
    exceptions: tuple[Wording, ...]
    at: At
    pinyin: int  # 0: only the very characters; else also by sound, in wordings of at least so many characters
    guards: tuple[Guard, ...]


@dataclass(frozen=True, slots=True)
class WordSpec:
    words: tuple[str, ...]
    exceptions: tuple[Wording, ...]
    at: At
    guards: tuple[Guard, ...]


@dataclass(frozen=True, slots=True)
class PatternSpec:
    patterns: tuple[str, ...]
    except_patterns: tuple[str, ...]
    guards: tuple[Guard, ...]


@dataclass(frozen=True, slots=True)
class SimilarSpec:
    sentences: tuple[str, ...]
    threshold: float
    min_chars: int
    guards: tuple[Guard, ...]


@dataclass(frozen=True, slots=True)
class RepeatSpec:
    times: Comparison
    similarity: float
    turns: int
    min_chars: int
    exceptions: tuple[Wording, ...]
    of: Literal["same", "other"]
    part: bool


@dataclass(frozen=True, slots=True)
class EntitySpec:
    kinds: tuple[EntityKind, ...]
    value: Comparison | None
    min_digits: int


@dataclass(frozen=True, slots=True)
class ReadbackSpec:
    digits: Comparison
    turns: int
    tail: int


@dataclass(frozen=True, slots=True)
class SilenceSpec:
    length: Comparison
    announced: Literal["yes", "no", "any"]
    after: Literal["agent", "customer", "start", "any"]


@dataclass(frozen=True, slots=True)
class ResponseDelaySpec:
    length: Comparison
    first_only: bool


@dataclass(frozen=True, slots=True)
class OverlapSpec:
    """Two voices at once; `interrupting` asks that the role in scope began it."""

    length: Comparison
    delay_s: float
    interrupting: bool


@dataclass(frozen=True, slots=True)
class RateSpec:
    rate: Comparison
    min_chars: int
    average: bool


@dataclass(frozen=True, slots=True)
class ToneSpec:
    measure: ToneMeasure
    change: Comparison
    versus: Literal["median", "previous"]
    min_chars: int


@dataclass(frozen=True, slots=True)
class MeasureSpec:
    measure: CallMeasure
    value: Comparison


@dataclass(frozen=True, slots=True)
class SpeakerSpec:
    position: Literal["first", "last"]
    who: RoleScope


@dataclass(frozen=True, slots=True)
class PolitenessSpec:
    score: Comparison
    per: Literal["turn", "call"]
    confidence: float


@dataclass(frozen=True, slots=True)
class EmotionSpec:
    labels: tuple[str, ...]
    confidence: float


@dataclass(frozen=True, slots=True)
class ResolutionSpec:
    labels: tuple[str, ...]
    confidence: float


@dataclass(frozen=True, slots=True)
class SatisfactionSpec:
    score: Comparison
    confidence: float


@dataclass(frozen=True, slots=True)
class FactSpec:
    fact: str
    one_of: tuple[str, ...]
    none_of: tuple[str, ...]
    value: Comparison | None
    matches: str | None
    exists: bool | None
    missing: Literal["yes", "no", "unknown"]


@dataclass(frozen=True, slots=True)
class AllSpec:
    children: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnySpec:
    children: tuple[Condition, ...]
    need: int


@dataclass(frozen=True, slots=True)
class NotSpec:
    child: Condition


@dataclass(frozen=True, slots=True)
class OrderSpec:
    """`first` stands before / after / within reach of `second`, which is the anchor that `which` counts."""

    relation: Literal["before", "after", "within"]
    first: Condition
    second: Condition
    turns: int | None
    seconds: float | None
    which: Which


@dataclass(frozen=True, slots=True)
class CountSpec:
    child: Condition
    times: Comparison
    by: Literal["hit", "turn"]


@dataclass(frozen=True, slots=True)
class RefSpec:
    name: str


@dataclass(frozen=True, slots=True)
class RuleSpec:
    rule_id: str
    verdicts: tuple[Verdict, ...]


Spec = (
    PhraseSpec
    | WordSpec
    | PatternSpec
    | SimilarSpec
    | RepeatSpec
    | EntitySpec
    | ReadbackSpec
    | SilenceSpec
    | ResponseDelaySpec
    | OverlapSpec
    | RateSpec
    | ToneSpec
    | MeasureSpec
    | SpeakerSpec
    | PolitenessSpec
    | EmotionSpec
    | ResolutionSpec
    | SatisfactionSpec
    | FactSpec
    | AllSpec
    | AnySpec
    | NotSpec
    | OrderSpec
    | CountSpec
    | RefSpec
    | RuleSpec
)


@dataclass(frozen=True, slots=True)
class Near:
    """Only around the hits of another condition."""

    hit: Condition
    side: Side
    turns: int | None
    seconds: float | None
    which: Which


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """A node of a rule's condition. Compared by identity, so that results and compiled phrases can be kept per node."""

    op: str
    spec: Spec
    where: str  # file:line
    name: str = ""
    role: RoleScope | None = None
    place: Place | None = None
    near: Near | None = None
    unless: Condition | None = None
    each_turn: bool = False


@dataclass(frozen=True, slots=True)
class Example:
    """A short dialogue with what the rule should say of it."""

    expect: Literal["hit", "miss"] | Verdict
    text: str
    where: str
    facts: tuple[tuple[str, str], ...] = ()
    scores: tuple[tuple[str, str], ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One rule. `required` rules owe their condition; the others forbid it. `version` hashes what it says.

    At `trust_words` 1 the conditions alone decide. Below, a model that has learnt how far to believe them and itself
    weighs both; with another the conditions count so much of the whole.
    """

    id: str
    name: str
    category: str
    severity: Severity
    points: float
    veto: bool
    role: RoleScope
    required: bool
    condition: Condition
    where: str
    pack: str
    applies: Condition | None = None
    unless: Condition | None = None
    define: tuple[tuple[str, Condition], ...] = ()
    review: bool = False
    trust_words: float = 1.0
    pass_text: str = ""
    fail_text: str = ""
    na_text: str = ""
    source: str = ""
    examples: tuple[Example, ...] = ()
    version: str = ""


def children(condition: Condition) -> tuple[Condition, ...]:
    """The conditions directly inside `condition`, anchors and exceptions included, references not followed."""
    spec = condition.spec
    inside: tuple[Condition, ...] = ()
    if isinstance(spec, (AllSpec, AnySpec)):
        inside = spec.children
    elif isinstance(spec, (NotSpec, CountSpec)):
        inside = (spec.child,)
    elif isinstance(spec, OrderSpec):
        inside = (spec.first, spec.second)
    if condition.near is not None:
        inside = (*inside, condition.near.hit)
    return (*inside, condition.unless) if condition.unless is not None else inside


def speaks_of(role: Role, scope: RoleScope) -> bool:
    """Whether a turn of `role` is looked at in `scope`."""
    return role in ("agent", "customer") if scope == "either" else role == scope
