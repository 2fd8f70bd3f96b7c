"""The records that flow along the data's path.

    recording → audio → transcript → dialogue → model scores → findings → call score → agent ledger

All are frozen dataclasses made of plain values, so that `dump` and `load` turn any of them into JSON and back without
loss. Times are float seconds from the start of the original recording; probabilities and confidences are 0–1, higher
is surer; scales state their own range.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

Role = Literal["agent", "customer", "ivr", "other", "unknown"]
Verdict = Literal["pass", "fail", "not_applicable", "unsure"]
Said = Literal["pass", "fail", "suspected", "unsure", "not_applicable"]  # by a rule's conditions alone
Shares = tuple[float, float, float]  # probabilities of pass, fail and not applicable
Severity = Literal["info", "minor", "major", "critical"]
ResolutionLabel = Literal["resolved", "partial", "unresolved"]
Direction = Literal["inbound", "outbound"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Note:
    """Something cut, guessed, masked, repaired or worth knowing: counted here so that it can be shown.

    `code` is a stable identifier (`truncated`, `dual_mono`, `hallucination` …); `message` is Chinese, for people;
    `count` says how many things it stands for; the times bound the place in the recording, if it has one.
    """

    code: str
    message: str
    count: int = 1
    start_s: float | None = None
    end_s: float | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, `start_s` < `end_s`, seconds."""

    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s


# --- recording -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Recording:
    """A file found in a folder. Identity is the SHA-256 of its content, never its name.

    `path` is kept as the bytes the file system gave (a Windows recorder writes GBK names); `name` is its best decoding
    with control characters escaped, for display only and never used to open anything.
    """

    sha256: str
    path: bytes
    name: str
    size_bytes: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What is known of a call from outside its sound: a sidecar table or the file name. Unknown stays None.

    `agent_channel` is the 0-based channel that carries the agent; `customer_hash` is a keyed hash of the caller's
    number, never the number; `extra` holds the remaining sidecar columns as text; `sources` names where each known
    fact came from (`sidecar:通话清单.csv:12`, `filename`).
    """

    call_id: str | None = None
    agent_id: str | None = None
    started_at: str | None = None  # ISO 8601 with offset
    direction: Direction | None = None
    business: str | None = None
    customer_hash: str | None = None
    agent_channel: int | None = None
    extra: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)


# --- audio -----------------------------------------------------------------------------------------------------------

ChannelLayout = Literal["mono", "stereo", "dual_mono", "one_silent"]


@dataclass(frozen=True, slots=True)
class ChannelInfo:
    """One channel: level in dBFS (≤ 0), signal-to-noise in dB, share of clipped samples 0–1, voiced spans."""

    index: int
    level_dbfs: float
    snr_db: float | None
    clipped_share: float
    voiced: tuple[Span, ...] = ()

    @property
    def voiced_s(self) -> float:
        return sum(span.duration_s for span in self.voiced)


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What decoding found. `channels` lists only the channels worth listening to (one for dual-mono).

    `source_channels` and `source_rate` describe the file; decoded audio is always 16 000 Hz. `claimed_s` is the length
    the header promises. `inverted` is true when the two channels are one signal with opposite sign.
    """

    duration_s: float
    claimed_s: float | None
    source_rate: int
    source_channels: int
    codec: str
    container: str
    layout: ChannelLayout
    inverted: bool
    channels: tuple[ChannelInfo, ...]
    notes: tuple[Note, ...] = ()


# --- transcript ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Word:
    """A recognised word (for Chinese often one character): text as recognised, times, probability, channel index."""

    text: str
    start_s: float
    end_s: float
    probability: float
    channel: int


@dataclass(frozen=True, slots=True)
class Utterance:
    """A stretch of recognised speech on one channel.

    `raw_text` is what the engine wrote; `text` is the normalised text (simplified characters, corrected domain words);
    `offsets[i]` is the index in `raw_text` of the character that produced `text[i]`. `suspect` names why the words are
    not trusted (`silence`, `repetition`, `stock_phrase`, `low_confidence`, `not_chinese`): such text is kept, shown
    grey and not scored.
    """

    channel: int
    start_s: float
    end_s: float
    text: str
    raw_text: str
    offsets: tuple[int, ...]
    words: tuple[Word, ...]
    confidence: float
    suspect: str | None = None


@dataclass(frozen=True, slots=True)
class Transcript:
    """Everything recognised, in order of time. `engine` and `model` name what wrote it."""

    engine: str
    model: str
    language: str
    language_probability: float
    utterances: tuple[Utterance, ...]
    notes: tuple[Note, ...] = ()


# --- dialogue --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Turn:
    """One speaker's turn. Times are None for dialogues that arrived as text.

    `speaker` tells voices apart (`ch0`, `spk1`); `role` says what they are, with `role_confidence`. `confidence` is the
    mean word probability (1 for text). A `suspect` turn is shown grey and never scored.
    """

    index: int
    role: Role
    text: str
    start_s: float | None = None
    end_s: float | None = None
    speaker: str = ""
    role_confidence: float = 1.0
    confidence: float = 1.0
    raw_text: str = ""
    offsets: tuple[int, ...] = ()
    words: tuple[Word, ...] = ()
    suspect: str | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """Nobody speaks for `end_s - start_s` seconds; `after_turn` is the index of the turn before it (None at the start)."""

    start_s: float
    end_s: float
    after_turn: int | None
    announced: bool = False  # the agent asked the caller to wait


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two voices at once. `interrupter` began while the other was speaking; `turn` is the interrupting turn's index."""

    start_s: float
    end_s: float
    interrupter: Role
    turn: int


@dataclass(frozen=True, slots=True)
class TurnProsody:
    """How a turn was spoken, against the speaker's own median over the call.

    `rate_cpm` Chinese characters a minute of voiced time; `loudness_db` and `pitch_semitones` differences from the
    speaker's median; `pitch_range_semitones` 5th–95th percentile; `response_delay_s` gap after the other's last turn
    (negative when it overlaps). None where it cannot be measured.
    """

    turn: int
    rate_cpm: float | None = None
    loudness_db: float | None = None
    pitch_semitones: float | None = None
    pitch_range_semitones: float | None = None
    response_delay_s: float | None = None


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Who said what, when. `roles_from` says what the roles rest on: `sidecar`, `settings`, `words`, `given`, `unknown`."""

    turns: tuple[Turn, ...]
    duration_s: float | None = None
    roles_from: str = "given"
    role_confidence: float = 1.0
    silences: tuple[Silence, ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    prosody: tuple[TurnProsody, ...] = ()
    talk_share: dict[str, float] = field(default_factory=dict)  # role → share of speech time, sums to 1
    notes: tuple[Note, ...] = ()


# --- model scores ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TurnPoliteness:
    """Politeness of one agent turn, 1 (rude) – 5 (warm and courteous), with the words that carry it."""

    turn: int
    score: float
    confidence: float
    label: str = "neutral"
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TurnEmotion:
    """Emotion of one customer turn: abusive, angry, annoyed, anxious, neutral or positive."""

    turn: int
    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class ModelVerdict:
    """What the model holds of one rule: probabilities of pass, fail and not applicable, summing to 1; `turn` is where
    it looked most. `beside` are the same beside each thing that the rule's conditions may say, where that was learnt."""

    rule_id: str
    passed: float
    failed: float
    not_applicable: float
    turn: int | None = None
    beside: dict[Said, Shares] | None = None


@dataclass(frozen=True, slots=True)
class ModelScores:
    """What the scorer says of a call. `scorer` names it as reports show it (`微调模型`).

    `politeness` 1–5 over the call's agent turns; `resolution_probabilities` over resolved/partial/unresolved, summing
    to 1; `deciding_turn` the turn that decides it; `satisfaction` 1 (very dissatisfied) – 5. A None score means the
    scorer abstains, and `abstained` says why.
    """

    scorer: str
    scorer_version: str
    politeness: float | None
    politeness_turns: tuple[TurnPoliteness, ...]
    emotion_turns: tuple[TurnEmotion, ...]
    resolution: ResolutionLabel | None
    resolution_probabilities: dict[str, float]
    deciding_turn: int | None
    satisfaction: float | None
    satisfaction_probabilities: dict[str, float] = field(default_factory=dict)  # "1" … "5"
    abstained: str | None = None
    course: str | None = None  # the customer's mood over the call: calmed, inflamed or steady
    accomplishment: float | None = None  # −2 (the task failed) … 2 (accomplished)
    effectiveness: float | None = None  # −2 (roundabout) … 2 (to the point)
    verdicts: tuple[ModelVerdict, ...] = ()


# --- findings --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a finding rests: characters [start, end) of turn `turn`, its times, who spoke, the quoted words.

    `condition` names the condition of the rule that fired; `match` how (`text`, `pinyin`, `regex`, `model`, `audio`).
    """

    turn: int | None
    quote: str
    start: int | None = None
    end: int | None = None
    start_s: float | None = None
    end_s: float | None = None
    role: Role = "unknown"
    condition: str = ""
    match: str = "text"


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule's verdict on one call, with its evidence and one Chinese sentence saying why.

    `fail` means the rule was broken. A `suspected` finding rests on pinyin or on badly heard words: it costs nothing
    until a person confirms it. `category` is the scorecard dimension; `rule_version` a hash of the rule's own text.
    """

    rule_id: str
    rule_version: str
    name: str
    category: str
    severity: Severity
    verdict: Verdict
    confidence: float
    why: str
    evidence: tuple[Evidence, ...] = ()
    suspected: bool = False
    count: int = 1  # how many times it happened
    veto: bool = False  # the rule ends the call's score when it fails
    points: float | None = None  # what the rule itself says a failure costs; a scorecard may say otherwise


@dataclass(frozen=True, slots=True)
class Findings:
    """Every rule's verdict on one call, by rule id, and the version of the rule book that gave them."""

    rulebook_version: str
    findings: tuple[Finding, ...]


# --- scores ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ScoreLine:
    """One line of a call's arithmetic: `points` gained or (negative) lost, out of `possible`."""

    rule_id: str
    name: str
    verdict: Verdict
    points: float
    possible: float
    why: str


@dataclass(frozen=True, slots=True)
class DimensionScore:
    """A dimension of the scorecard: 0–100, its weight after items that do not apply were taken out, and its lines."""

    name: str
    weight: float
    score: float | None
    lines: tuple[ScoreLine, ...]


@dataclass(frozen=True, slots=True)
class CallScore:
    """A call's points, 0–100, higher is better, with the arithmetic kept. A 机器初评 until a person confirms it.

    `points` is None when the call is not scored, and `not_scored` says why. `veto` lists the ids of rules that ended
    the score (一票否决). `arithmetic` is the sum as a person would write it.
    """

    scorecard: str
    scorecard_version: str
    points: float | None
    veto: tuple[str, ...]
    dimensions: tuple[DimensionScore, ...]
    arithmetic: str
    not_scored: str | None = None


# --- agents ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Agent:
    """A line of the roster. `agent_id` (工号) is text: 007 stays 007. Dates are ISO, open ends are None."""

    agent_id: str
    name: str
    team: str = ""
    skill_group: str = ""
    post: str = ""
    hired_on: str | None = None
    valid_from: str | None = None
    valid_to: str | None = None


# --- JSON ------------------------------------------------------------------------------------------------------------


_adapters: dict[type[Any], Any] = {}


def _adapter(kind: type[Any]) -> Any:
    from pydantic import TypeAdapter

    if kind not in _adapters:  # building one takes a hundred times as long as using it
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def dump(record: Any) -> bytes:
    """JSON bytes (UTF-8) of any record above."""
    return bytes(_adapter(type(record)).dump_json(record))


def load(kind: type[T], data: bytes | str) -> T:
    """The record of type `kind` that `dump` wrote. Raises pydantic.ValidationError on anything else."""
    value: T = _adapter(kind).validate_json(data)
    return value
