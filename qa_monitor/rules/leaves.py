"""Leaf operators: the hits of each over the whole call, worked out once, then cut to a condition's scope."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from qa_monitor.rules import call_ops, sound_ops, specs, text_ops
from qa_monitor.rules.call import Call
from qa_monitor.rules.encoders import Encoder
from qa_monitor.rules.hits import FALSE, Hit, Reason, Result, from_hits, unknown, without_overlaps
from qa_monitor.rules.pattern_index import PatternIndex, Readings
from qa_monitor.rules.phrases import PhraseIndex
from qa_monitor.rules.repair import Repairer
from qa_monitor.rules.scope import Scope, turns_in
from qa_monitor.rules.similar_op import Spoken, encode_call, encode_examples, similar_hits
from qa_monitor.rules.specs import Condition
from qa_monitor.rules.wordings import Slot, Wording

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(slots=True)
class Compiled:
    """What conditions need prepared before the first call: phrase sets and the vectors of example sentences."""

    index: PhraseIndex
    encoder: Encoder
    sets: dict[Condition, int] = field(default_factory=dict)
    exceptions: dict[Condition, int] = field(default_factory=dict)
    examples: dict[Condition, NDArray[np.float32]] = field(default_factory=dict)
    patterns: PatternIndex = field(default_factory=PatternIndex)
    repairer: Repairer = field(default_factory=Repairer)

    def add(self, condition: Condition) -> None:
        spec = condition.spec
        if isinstance(spec, specs.PhraseSpec):
            self.sets[condition] = self.index.add(spec.wordings, spec.gap, spec.pinyin)
        elif isinstance(spec, specs.WordSpec):
            words = [Wording(word, ((Slot((word,)),),)) for word in spec.words]
            self.sets[condition] = self.index.add(words, 1, pinyin=False)
        elif isinstance(spec, specs.PatternSpec):
            self.patterns.add([*spec.patterns, *spec.except_patterns])
            self.repairer.add(spec.patterns)
        elif isinstance(spec, specs.SimilarSpec):
            self.examples[condition] = encode_examples(self.encoder, spec.sentences)
        if isinstance(spec, (specs.PhraseSpec, specs.WordSpec, specs.RepeatSpec)) and spec.exceptions:
            # What counts only as written is excused only as written: an exception nearly heard must not hide it.
            by_sound = spec.pinyin if isinstance(spec, specs.PhraseSpec) else True
            self.exceptions[condition] = self.index.add(spec.exceptions, 6, pinyin=by_sound)


class Leaves:
    """The leaf conditions of one call."""

    def __init__(self, call: Call, compiled: Compiled) -> None:
        self._call = call
        self._compiled = compiled
        self._hits: dict[Condition, list[Hit]] = {}
        self._spoken: Spoken | None = None
        self._readings: Readings | None = None
        self._bad: dict[Scope, bool] = {}

    def evaluate(self, condition: Condition, scope: Scope, keep: Callable[[Hit], bool] | None) -> Result:
        """The leaf's result in `scope`; `keep`, if any, rejects hits that an exception covers."""
        spec = condition.spec
        if not isinstance(spec, _READS_WORDS):
            missing = self._missing_input(spec)
            if missing is not None:
                return unknown(missing)
            whole = self._of_call(spec, scope)
            if whole is not None:
                return whole._replace(hits=tuple(hit for hit in whole.hits if keep is None or keep(hit)))
        hits = [hit for hit in self._all_hits(condition) if self._in_scope(hit, spec, scope)]
        if keep is not None:
            hits = [hit for hit in hits if keep(hit)]
        if not hits and not isinstance(spec, specs.PhraseSpec):
            return FALSE
        if isinstance(spec, specs.PhraseSpec) and spec.need != "any":
            return _needed(spec, hits)
        return from_hits(without_overlaps(hits) if len(hits) > 1 else hits)

    def _missing_input(self, spec: specs.Spec) -> Reason | None:
        if isinstance(spec, _NEEDS_SOUND) and not self._call.timed:
            return "no_audio"
        per_turn = isinstance(spec, specs.EmotionSpec) or (
            isinstance(spec, specs.PolitenessSpec) and spec.per == "turn"
        )
        return "no_model" if per_turn and self._call.scores is None else None

    def _of_call(self, spec: specs.Spec, scope: Scope) -> Result | None:
        """Results about the call as a whole; None for operators that have hits in turns."""
        call = self._call
        if isinstance(spec, specs.MeasureSpec):
            return call_ops.measure(call, spec, scope)
        if isinstance(spec, specs.FactSpec):
            return call_ops.fact(call, spec)
        if isinstance(spec, specs.SpeakerSpec):
            return call_ops.speaker(call, spec)
        if isinstance(spec, specs.ResolutionSpec):
            return call_ops.resolution(call, spec)
        if isinstance(spec, specs.SatisfactionSpec):
            return call_ops.satisfaction(call, spec)
        if isinstance(spec, specs.PolitenessSpec) and spec.per == "call":
            return call_ops.politeness_of_call(call, spec)
        return None

    def _in_scope(self, hit: Hit, spec: specs.Spec, scope: Scope) -> bool:
        if not scope.holds(hit):
            return False
        # A silence is nobody's, an overlap both sides', an emotion always the customer's.
        anyone = isinstance(spec, (specs.SilenceSpec, specs.EmotionSpec)) or (
            isinstance(spec, specs.OverlapSpec) and not spec.interrupting
        )
        return anyone or hit.turn is None or self._call.in_role(hit.turn, scope.role)

    def _all_hits(self, condition: Condition) -> list[Hit]:
        found = self._hits.get(condition)
        if found is None:
            label = condition.name or condition.op
            found = self._find(condition, label)
            self._hits[condition] = [hit if hit.label == label else hit._replace(label=label) for hit in found]
        return self._hits[condition]

    def _find(self, condition: Condition, label: str) -> list[Hit]:
        call, spec = self._call, condition.spec
        barred = self._compiled.exceptions.get(condition)
        if isinstance(spec, specs.PhraseSpec):
            return text_ops.phrase_hits(call, spec, self._compiled.sets[condition], barred, label)
        if isinstance(spec, specs.WordSpec):
            return text_ops.word_hits(call, spec, self._compiled.sets[condition], barred)
        if isinstance(spec, specs.PatternSpec):
            if self._readings is None:
                self._readings = Readings(call.text, self._compiled.patterns, self._compiled.repairer)
            return text_ops.pattern_hits(call, spec, self._readings, label)
        if isinstance(spec, specs.RepeatSpec):
            return text_ops.repeat_hits(call, spec, barred)
        if isinstance(spec, specs.SimilarSpec):
            if self._spoken is None:
                self._spoken = encode_call(call, self._compiled.encoder)
            return similar_hits(call, spec, self._spoken, self._compiled.examples[condition])
        finder: Any = _FINDERS[type(spec)]
        hits: list[Hit] = finder(call, spec)
        return hits

    def badly_heard(self, scope: Scope, share: float, few_turns: int) -> bool:
        """Whether so much of a scope was badly heard that something said there may have been missed."""
        if scope not in self._bad:
            self._bad[scope] = self._much_lost(scope, share, few_turns)
        return self._bad[scope]

    def _much_lost(self, scope: Scope, share: float, few_turns: int) -> bool:
        turns = turns_in(self._call, scope)
        bad = [turn for turn in turns if self._call.badly_heard(turn) or self._call.role_of(turn) == "unknown"]
        if not bad:
            return False
        chars = sum(len(self._call.turns[turn].text) for turn in turns)
        lost = sum(len(self._call.turns[turn].text) for turn in bad)
        return len(turns) <= few_turns or lost >= share * chars


_READS_WORDS = (
    specs.PatternSpec,
    specs.PhraseSpec,
    specs.WordSpec,
    specs.RepeatSpec,
    specs.ReadbackSpec,
    specs.EntitySpec,
)
_NEEDS_SOUND = (specs.SilenceSpec, specs.ResponseDelaySpec, specs.OverlapSpec, specs.RateSpec, specs.ToneSpec)
_FINDERS: dict[type[Any], Callable[..., list[Hit]]] = {
    specs.EntitySpec: text_ops.entity_hits,
    specs.ReadbackSpec: text_ops.readback_hits,
    specs.SilenceSpec: sound_ops.silence_hits,
    specs.ResponseDelaySpec: sound_ops.response_delay_hits,
    specs.OverlapSpec: sound_ops.overlap_hits,
    specs.RateSpec: sound_ops.rate_hits,
    specs.ToneSpec: sound_ops.tone_hits,
    specs.PolitenessSpec: call_ops.politeness_hits,
    specs.EmotionSpec: call_ops.emotion_hits,
}


def _needed(spec: specs.PhraseSpec, hits: list[Hit]) -> Result:
    """`need` all, none or so many different wordings, in one turn if asked."""
    if spec.need == "none":
        found = from_hits(hits)
        return Result(None if found.state is None else not found.state, sure=found.sure, reasons=found.reasons)
    wanted = len(spec.wordings) if spec.need == "all" else int(spec.need)
    groups: dict[int | None, list[Hit]] = {}
    for hit in hits:
        groups.setdefault(hit.turn if spec.same_turn else None, []).append(hit)
    best = FALSE
    for group in groups.values():
        result = _wordings_met(group, wanted)
        if result.state or best.state is False:
            best = result
        if best.state and best.sure:
            break
    return best


def _wordings_met(hits: list[Hit], wanted: int) -> Result:
    def kinds(chosen: list[Hit]) -> int:
        return len({hit.wording for hit in chosen})

    trusted = [hit for hit in hits if hit.trusted]
    if kinds(trusted) >= wanted:
        return Result(True, tuple(trusted), kinds([hit for hit in trusted if hit.sure]) >= wanted)
    return unknown("bad_text") if kinds(hits) >= wanted else FALSE
