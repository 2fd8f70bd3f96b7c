"""Conditions put together: and, or, not, order, nearness, counts, exceptions. Three-valued throughout.

Every evaluation can be traced: `Step` trees are what `rules explain` shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from qa_monitor.rules import specs
from qa_monitor.rules.call import Call
from qa_monitor.rules.fields import LEAF_BY_KEY
from qa_monitor.rules.hits import ABSENT_INPUT, FALSE, Hit, Reason, Result, unknown, without_overlaps
from qa_monitor.rules.leaves import Compiled, Leaves
from qa_monitor.rules.scope import Scope, Window, chosen, place_window, turns_in, window_about
from qa_monitor.rules.specs import Condition, RoleScope, Side, Which

_TEXT_SPECS = (
    specs.PhraseSpec, specs.WordSpec, specs.PatternSpec, specs.SimilarSpec, specs.EntitySpec, specs.ReadbackSpec,
)  # fmt: skip
_NOWHERE: frozenset[Scope] = frozenset()


@dataclass(slots=True)
class Step:
    """One condition as it was evaluated, with the conditions inside it."""

    condition: Condition
    result: Result
    inside: list[Step] = field(default_factory=list)


class Evaluator:
    """Conditions of one call. `verdict_of` tells the verdict of another rule by its id and this evaluator."""

    def __init__(
        self,
        call: Call,
        compiled: Compiled,
        named: Mapping[str, Condition],
        verdict_of: Callable[[str, Evaluator], str],
        trace: bool = False,
    ) -> None:
        self.call = call
        self.leaves = Leaves(call, compiled)
        self._named = named
        self._verdict_of = verdict_of
        self._known: dict[tuple[Condition, Scope], Result] = {}
        self._named_known: dict[tuple[str, Scope], Result] = {}
        self._windows: dict[tuple[object, RoleScope], Window | None] = {}
        # Where operators on words found nothing: by condition, and so far in the one being evaluated.
        self._looked_in: dict[tuple[Condition, Scope], frozenset[Scope]] = {}
        self._looked = _NOWHERE
        self._trail: list[Step] | None = [] if trace else None

    def steps(self, condition: Condition, scope: Scope) -> Step:
        """The trace of `condition` (the evaluator must have been made with `trace`)."""
        before, self._trail = self._trail, []
        self.evaluate(condition, scope)
        (step,), self._trail = self._trail, before
        return step

    def looked_in(self, condition: Condition, scope: Scope) -> frozenset[Scope]:
        """The scopes in which operators on words found nothing while `condition` was evaluated."""
        self.evaluate(condition, scope)
        return self._looked_in[condition, scope]

    def evaluate(self, condition: Condition, scope: Scope) -> Result:
        key = (condition, scope)
        if self._trail is None and key in self._known:
            self._looked = _joined(self._looked, self._looked_in[key])
            return self._known[key]
        looked, self._looked = self._looked, _NOWHERE
        above = self._trail
        if above is not None:
            self._trail = []
        own = self._own_scope(condition, scope)
        if own is None:
            result = unknown("no_time")
        elif condition.near is None:
            result = self._core(condition, own)
        else:
            result = self._near(condition, condition.near, own)
        if above is not None and self._trail is not None:
            above.append(Step(condition, result, self._trail))
            self._trail = above
        self._known[key] = result
        self._looked_in[key] = self._looked
        self._looked = _joined(looked, self._looked)
        return result

    def _own_scope(self, condition: Condition, scope: Scope) -> Scope | None:
        """The scope with the condition's own role and place; None when the place needs a clock there is not."""
        role = condition.role or scope.role
        own = scope if role == scope.role else Scope(role, scope.windows)
        if condition.place is None:
            return own
        key = (condition.place, role)
        if key not in self._windows:
            self._windows[key] = place_window(self.call, condition.place, role)
        window = self._windows[key]
        return None if window is None else own.narrowed([window])

    def _near(self, condition: Condition, near: specs.Near, scope: Scope) -> Result:
        anchors = self.evaluate(near.hit, Scope(scope.role))
        if not anchors.state:
            return anchors._replace(hits=())
        windows = self._anchor_windows(anchors.hits, near.side, near.turns, near.seconds, near.which)
        if windows is None:
            return unknown("no_time")
        if near.which != "every":
            result = self._core(condition, scope.narrowed(windows))
            return result._replace(sure=result.sure and anchors.sure)
        results = [self._core(condition, scope.narrowed([window])) for window in windows]
        return _all(results)._replace(sure=anchors.sure and all(result.sure for result in results))

    def _anchor_windows(
        self, hits: Sequence[Hit], side: Side, turns: int | None, seconds: float | None, which: Which
    ) -> list[Window] | None:
        """One window an anchor; None when the distance is in seconds only and there is no clock."""
        if seconds is not None and turns is None and not self.call.timed:
            return None
        return [window_about(self.call, hit, side, turns, seconds) for hit in chosen(hits, which)]

    def _core(self, condition: Condition, scope: Scope) -> Result:
        """The condition proper, in its scope: exceptions and `each_turn` applied."""
        keep = self._keeper(condition)
        spec = condition.spec
        compound = self._COMPOUNDS.get(type(spec))
        if compound is None:
            result = self.leaves.evaluate(condition, scope, keep)
            if not result.hits and isinstance(spec, _TEXT_SPECS):
                self._looked = self._looked | {scope}
        else:
            result = compound(self, spec, scope)
            if keep is not None and result.state:
                kept = tuple(hit for hit in result.hits if keep(hit))
                state = bool(kept) or (not result.hits and not self._excused(condition))
                result = result._replace(hits=kept, state=state)
        return self._each_turn(result, scope) if condition.each_turn else result

    def _keeper(self, condition: Condition) -> Callable[[Hit], bool] | None:
        """Whether a hit is kept by the condition's exception; None without one."""
        exception = condition.unless
        if exception is None:
            return None
        if exception.near is not None or exception.place is not None:
            excused = self._excused(condition)
            return lambda hit: not excused
        return lambda hit: not self._excepted(exception, hit)

    def _excused(self, condition: Condition) -> bool:
        assert condition.unless is not None
        return bool(self.evaluate(condition.unless, Scope(condition.unless.role or "either")).state)

    def _excepted(self, exception: Condition, hit: Hit) -> bool:
        """Whether the exception is met in the hit's own turn."""
        if hit.turn is None:
            return bool(self.evaluate(exception, Scope(exception.role or "either")).state)
        window = (self.call.text.starts[hit.turn], self.call.text.ends[hit.turn])
        role = exception.role or _scope_of(self.call.role_of(hit.turn))
        return bool(self.evaluate(exception, Scope(role, (window,))).state)

    def _each_turn(self, result: Result, scope: Scope) -> Result:
        turns = [turn for turn in turns_in(self.call, scope) if self.call.turns[turn].suspect is None]
        if result.state is not True or not turns:
            return FALSE if result.state is not None else result
        met = {hit.turn for hit in result.hits}
        return result if all(turn in met for turn in turns) else FALSE

    def _all_of(self, spec: specs.AllSpec, scope: Scope) -> Result:
        return _all([self.evaluate(child, scope) for child in spec.children])

    def _any_of(self, spec: specs.AnySpec, scope: Scope) -> Result:
        return _any([self.evaluate(child, scope) for child in spec.children], spec.need)

    def _not(self, spec: specs.NotSpec, scope: Scope) -> Result:
        inner = self.evaluate(spec.child, scope)
        return Result(None if inner.state is None else not inner.state, (), inner.sure, inner.reasons)

    def _count(self, spec: specs.CountSpec, scope: Scope) -> Result:
        return _count(spec, self.evaluate(spec.child, scope))

    def _ref(self, spec: specs.RefSpec, scope: Scope) -> Result:
        result = self.evaluate(self._named[spec.name], scope)
        key = (spec.name, scope)
        if key not in self._named_known:
            self._named_known[key] = _named_hits(spec.name, result)
        return self._named_known[key]

    def _rule(self, spec: specs.RuleSpec, scope: Scope) -> Result:
        verdict = self._verdict_of(spec.rule_id, self)
        if verdict == "unsure" and "unsure" not in spec.verdicts:
            return unknown("rule_unsure")
        return Result(verdict in spec.verdicts)

    def _order(self, spec: specs.OrderSpec, scope: Scope) -> Result:
        first, second = self.evaluate(spec.first, scope), self.evaluate(spec.second, scope)
        reasons = first.reasons | second.reasons
        if second.state is None or (first.state is None and second.state):
            return Result(None, reasons=reasons)
        if not second.state:
            return FALSE
        side: Side = {"before": "before", "after": "after", "within": "around"}[spec.relation]  # type: ignore[assignment]
        windows = self._anchor_windows(second.hits, side, spec.turns, spec.seconds, spec.which)
        if windows is None:
            return unknown("no_time")
        pairs = [
            (anchor, [hit for hit in first.hits if hit.turn is not None and low <= hit.start and hit.end <= high])
            for anchor, (low, high) in zip(chosen(second.hits, spec.which), windows, strict=True)
        ]
        met = [(anchor, hits) for anchor, hits in pairs if any(hit != anchor for hit in hits)]
        if not met or (spec.which == "every" and len(met) < len(pairs)):
            return FALSE
        found = {hit for anchor, hits in met for hit in (anchor, *hits)}
        sure_pairs = [anchor.sure and any(hit.sure for hit in hits) for anchor, hits in met]
        return Result(True, tuple(sorted(found)), all(sure_pairs) if spec.which == "every" else any(sure_pairs))

    # Operators that are made of other conditions; the others are leaves.
    _COMPOUNDS: Mapping[type, Callable[..., Result]] = {
        specs.AllSpec: _all_of,
        specs.AnySpec: _any_of,
        specs.NotSpec: _not,
        specs.CountSpec: _count,
        specs.RefSpec: _ref,
        specs.RuleSpec: _rule,
        specs.OrderSpec: _order,
    }


def _joined(one: frozenset[Scope], other: frozenset[Scope]) -> frozenset[Scope]:
    return one | other if one and other else one or other


def _named_hits(name: str, result: Result) -> Result:
    """Hits without a name of their own take that of the condition they were found by."""
    shown = name.rpartition("/")[2]
    hits = tuple(hit._replace(label=shown) if hit.label in LEAF_BY_KEY else hit for hit in result.hits)
    return result._replace(hits=hits)


def _scope_of(role: str) -> RoleScope:
    return role if role in ("agent", "customer", "other", "ivr") else "either"  # type: ignore[return-value]


def _reasons(results: Sequence[Result]) -> frozenset[Reason]:
    return frozenset(reason for result in results for reason in result.reasons)


def _all(results: Sequence[Result]) -> Result:
    unmet = [result for result in results if result.state is False]
    if unmet:
        return Result(False, sure=any(result.sure for result in unmet))
    if any(result.state is None for result in results):
        return Result(None, reasons=_reasons(results))
    hits = tuple(dict.fromkeys(hit for result in results for hit in result.hits))
    return Result(True, hits, all(result.sure for result in results))


def _any(results: Sequence[Result], need: int) -> Result:
    met = [result for result in results if result.state]
    if len(met) >= need:
        hits = tuple(dict.fromkeys(hit for result in met for hit in result.hits))
        return Result(True, hits, sum(result.sure for result in met) >= need)
    # What this kind of call cannot show (sound, in a text dialogue) is no alternative, as long as there are others.
    possible = [result for result in results if result.state is not None or not result.reasons <= ABSENT_INPUT]
    if len(possible) >= need:
        results = possible
    if len(met) + sum(result.state is None for result in results) >= need:
        return Result(None, reasons=_reasons(results))
    return Result(False, sure=all(result.sure for result in results))


def _count(spec: specs.CountSpec, inner: Result) -> Result:
    if inner.state is None:
        return inner
    hits = without_overlaps(inner.hits)

    def counted(chosen: Sequence[Hit]) -> int:
        return len({hit.turn for hit in chosen}) if spec.by == "turn" else len(chosen)

    if not spec.times.holds(counted(hits)):
        return FALSE
    return Result(True, tuple(hits), spec.times.holds(counted([hit for hit in hits if hit.sure])))
