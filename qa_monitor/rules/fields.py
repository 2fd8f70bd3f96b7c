"""The vocabulary of rule files, as data: every key, how its value is read, its default.

The parser, the suggestions for misspelt keys and the test that holds rules/README.md to the language all read it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from qa_monitor.rules import readers as read
from qa_monitor.rules import specs

ROLES = ("agent", "customer", "either", "other", "ivr")
VERDICTS = ("pass", "fail", "not_applicable", "unsure")
EXAMPLE_KEYS = ("hit", "miss", *VERDICTS)

FILE_KEYS = ("pack", "words", "conditions", "disable", "rules")
PACK_KEYS = ("name", "description", "version", "requires")
RULE_KEYS = (
    "id",
    "name",
    "category",
    "severity",
    "points",
    "veto",
    "role",
    "applies",
    "check",
    "violation",
    "unless",
    "define",
    "review",
    "trust_words",
    "pass_text",
    "fail_text",
    "na_text",
    "source",
    "override",
    "enabled",
    "examples",
)
# Options that any condition may carry.
COMMON_KEYS = ("name", "role", "where", "near", "unless", "each_turn")
NEAR_KEYS = ("hit", "side", "turns", "seconds", "which")
EXAMPLE_FIELDS = ("text", "facts", "scores", "note")

EMOTIONS = {
    "辱骂": "abusive",
    "愤怒": "angry",
    "不满": "annoyed",
    "焦急": "anxious",
    "平静": "neutral",
    "满意": "positive",
}
RESOLUTIONS = {"已解决": "resolved", "部分解决": "partial", "未解决": "unresolved"}
ENTITIES = {
    "数字": "number",
    "金额": "amount",
    "时间": "time",
    "日期": "date",
    "时长": "duration",
    "电话": "phone",
    "百分比": "percent",
}
DIRECTIONS = {"inbound": "inbound", "outbound": "outbound", "呼入": "inbound", "呼出": "outbound"}

BOTH_GUARDS = ("negation", "quote")


@dataclass(frozen=True, slots=True)
class Option:
    """A key beside an operator. `field` names the spec's field when it differs from the key."""

    key: str
    reader: read.Reader
    default: Any
    field: str = ""


@dataclass(frozen=True, slots=True)
class Operator:
    """A leaf operator: its key, the spec field its value fills, the reader of that value, its options."""

    key: str
    build: Callable[..., specs.Spec]
    field: str
    reader: read.Reader
    options: tuple[Option, ...] = ()
    fixed: tuple[tuple[str, Any], ...] = ()


def _both(names: dict[str, str]) -> dict[str, str]:
    """Chinese names and the English ones they stand for."""
    return {**names, **{english: english for english in names.values()}}


# What an example may say of the model's scores.
SCORE_READERS: dict[str, read.Reader] = {
    "politeness": read.number(1, 5),
    "satisfaction": read.number(1, 5),
    "resolution": read.choice(_both(RESOLUTIONS)),
    "emotion": read.choice(_both(EMOTIONS)),
}

_GUARDS = Option("guards", read.guards, BOTH_GUARDS)
_NO_GUARDS = Option("guards", read.guards, ())
_EXCEPT = Option("except", read.wordings, (), "exceptions")
_AT = Option("at", read.choice(("any", "start", "end", "alone")), "any")
_CONFIDENCE = Option("confidence", read.number(0, 1), 0.0)
_DELAY_0 = Option("delay_s", read.number(0, 600), 0.0)
_DELAY_1 = Option("delay_s", read.number(0, 600), 1.0)
_VERSUS = Option("versus", read.choice(("median", "previous")), "median")
_MIN_CHARS_4 = Option("min_chars", read.whole_number(1, 500), 4)


def _measure(key: str, measure: Any) -> Operator:
    return Operator(key, specs.MeasureSpec, "value", read.comparison(measure), fixed=(("measure", key),))


LEAVES: tuple[Operator, ...] = (
    Operator(
        "phrase",
        specs.PhraseSpec,
        "wordings",
        read.wordings,
        (
            Option("gap", read.whole_number(1, 30), 6),
            Option("need", read.need, "any"),
            Option("same_turn", read.yes_no, False),
            _EXCEPT,
            _AT,
            Option("pinyin", read.by_sound, 1),
            _GUARDS,
        ),
    ),
    Operator("word", specs.WordSpec, "words", read.vocabulary, (_EXCEPT, _AT, _GUARDS)),
    Operator(
        "pattern",
        specs.PatternSpec,
        "patterns",
        read.patterns,
        (Option("except_pattern", read.patterns, (), "except_patterns"), _NO_GUARDS),
    ),
    Operator(
        "similar",
        specs.SimilarSpec,
        "sentences",
        read.texts,
        (
            Option("threshold", read.number(0.3, 1), 0.75),
            Option("min_chars", read.whole_number(1, 500), 4),
            _GUARDS,
        ),
    ),
    Operator(
        "repeat",
        specs.RepeatSpec,
        "times",
        read.comparison("times"),
        (
            Option("similarity", read.number(0.3, 1), 0.8),
            Option("turns", read.whole_number(1, 200), 20),
            Option("min_chars", read.whole_number(1, 500), 6),
            _EXCEPT,
            Option("of", read.choice(("same", "other")), "same"),
            Option("part", read.yes_no, False),
        ),
    ),
    Operator(
        "entity",
        specs.EntitySpec,
        "kinds",
        read.choices(_both(ENTITIES)),
        (
            Option("value", read.comparison("any"), None),
            Option("min_digits", read.whole_number(1, 40), 0),
        ),
    ),
    Operator(
        "readback",
        specs.ReadbackSpec,
        "digits",
        read.comparison("digits"),
        (Option("turns", read.whole_number(1, 200), 6), Option("tail", read.whole_number(0, 40), 4)),
    ),
    _measure("turn_chars", "chars"),
    Operator(
        "silence",
        specs.SilenceSpec,
        "length",
        read.comparison("s"),
        (
            Option("announced", read.choice(("yes", "no", "any")), "any"),
            Option("after", read.choice(("agent", "customer", "start", "any")), "any"),
        ),
    ),
    Operator(
        "response_delay",
        specs.ResponseDelaySpec,
        "length",
        read.comparison("s"),
        (Option("first_only", read.yes_no, False),),
    ),
    Operator(
        "overlap", specs.OverlapSpec, "length", read.comparison("s"), (_DELAY_0,), fixed=(("interrupting", False),)
    ),
    Operator(
        "interruption", specs.OverlapSpec, "length", read.comparison("s"), (_DELAY_1,), fixed=(("interrupting", True),)
    ),
    Operator(
        "speech_rate",
        specs.RateSpec,
        "rate",
        read.comparison("cpm"),
        (Option("min_chars", read.whole_number(1, 500), 10), Option("average", read.yes_no, False)),
    ),
    Operator(
        "loudness",
        specs.ToneSpec,
        "change",
        read.comparison("db"),
        (_VERSUS, _MIN_CHARS_4),
        fixed=(("measure", "loudness"),),
    ),
    Operator(
        "pitch",
        specs.ToneSpec,
        "change",
        read.comparison("semitones"),
        (_VERSUS, _MIN_CHARS_4),
        fixed=(("measure", "pitch"),),
    ),
    Operator(
        "pitch_range",
        specs.ToneSpec,
        "change",
        read.comparison("semitones"),
        (_MIN_CHARS_4,),
        fixed=(("measure", "pitch_range"), ("versus", "median")),
    ),
    _measure("talk_share", "share"),
    _measure("duration", "s"),
    _measure("turn_count", "turns"),
    Operator("first_speaker", specs.SpeakerSpec, "who", read.choice(ROLES), fixed=(("position", "first"),)),
    Operator("last_speaker", specs.SpeakerSpec, "who", read.choice(ROLES), fixed=(("position", "last"),)),
    _measure("asr_confidence", "share"),
    Operator(
        "politeness",
        specs.PolitenessSpec,
        "score",
        read.comparison("points"),
        (Option("per", read.choice(("turn", "call")), "turn"), _CONFIDENCE),
    ),
    Operator("emotion", specs.EmotionSpec, "labels", read.choices(_both(EMOTIONS)), (_CONFIDENCE,)),
    Operator("resolution", specs.ResolutionSpec, "labels", read.choices(_both(RESOLUTIONS)), (_CONFIDENCE,)),
    Operator("satisfaction", specs.SatisfactionSpec, "score", read.comparison("points"), (_CONFIDENCE,)),
    Operator(
        "fact",
        specs.FactSpec,
        "fact",
        read.text,
        (
            Option("is", read.texts, (), "one_of"),
            Option("is_not", read.texts, (), "none_of"),
            Option("value", read.comparison("any"), None),
            Option("matches", read.pattern, None),
            Option("exists", read.yes_no, None),
            Option("missing", read.choice(("yes", "no", "unknown")), "no"),
        ),
    ),
)
LEAF_BY_KEY = {operator.key: operator for operator in LEAVES}

# Operators made of other conditions, with the options each takes.
COMPOUNDS: dict[str, tuple[str, ...]] = {
    "all": (),
    "any": ("need",),
    "not": (),
    "before": ("turns", "seconds", "which"),
    "after": ("turns", "seconds", "which"),
    "within": ("turns", "seconds", "which"),
    "count": ("times", "by"),
    "ref": (),
    "rule": ("verdict",),
}
OPERATOR_KEYS = (*COMPOUNDS, *LEAF_BY_KEY)


def options_of(operator: str) -> tuple[str, ...]:
    """Every key that may stand beside `operator`."""
    own = COMPOUNDS.get(operator)
    if own is None:
        own = tuple(option.key for option in LEAF_BY_KEY[operator].options)
    return (*own, *COMMON_KEYS)
