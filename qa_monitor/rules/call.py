"""One call as the rules see it: its dialogue, facts and scores, with what several conditions need worked out once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from qa_monitor.records import CallFacts, Dialogue, ModelScores, Role, Turn, TurnProsody
from qa_monitor.rules.hits import Hit
from qa_monitor.rules.phrases import PhraseHit, PhraseIndex
from qa_monitor.rules.specs import Guard, RoleScope, speaks_of
from qa_monitor.rules.streams import CallText
from qa_monitor.rules.times import heard, word_edges

# Below this mean word probability what was heard is not relied on alone.
LOW_CONFIDENCE = 0.5
LOW_ROLE_CONFIDENCE = 0.5
FACT_NAMES = {
    "业务": "business", "业务类型": "business", "呼叫方向": "direction", "工号": "agent_id", "通话编号": "call_id",
    "开始时间": "started_at",
}  # fmt: skip
_DIRECTIONS = {"inbound": "呼入", "outbound": "呼出"}


class Call:
    def __init__(self, dialogue: Dialogue, facts: CallFacts, scores: ModelScores | None, index: PhraseIndex) -> None:
        self.dialogue = dialogue
        self.turns: tuple[Turn, ...] = dialogue.turns
        self.facts = facts
        self.scores = scores
        self.text = CallText(dialogue.turns)
        self._index = index
        self._roles: list[Role] = [
            turn.role if turn.role_confidence >= LOW_ROLE_CONFIDENCE else "unknown" for turn in dialogue.turns
        ]
        self._edges: dict[int, list[int]] = {}
        self.guarded: dict[tuple[Guard, int, int], bool] = {}
        self._turns_of: dict[RoleScope, list[int]] = {}
        self._trusted_turns_of: dict[RoleScope, list[int]] = {}
        self.position = {turn.index: i for i, turn in enumerate(dialogue.turns)}

    @cached_property
    def phrases(self) -> dict[int, list[PhraseHit]]:
        return self._index.scan(self.text)

    @cached_property
    def timed(self) -> bool:
        """Whether the call has a clock: a dialogue that arrived as text has none."""
        return any(turn.start_s is not None for turn in self.turns)

    @cached_property
    def prosody(self) -> dict[int, TurnProsody]:
        """By position of the turn."""
        return {self.position[p.turn]: p for p in self.dialogue.prosody if p.turn in self.position}

    def role_of(self, turn: int) -> Role:
        """Who speaks in a turn; unknown where the dialogue is not sure enough to hold anyone to it."""
        return self._roles[turn]

    def in_role(self, turn: int, scope: RoleScope) -> bool:
        """Whether a turn is looked at for `scope`; a turn of an unknown speaker may be anyone's."""
        role = self.role_of(turn)
        return role == "unknown" or speaks_of(role, scope)

    def turns_of(self, scope: RoleScope) -> list[int]:
        """Positions of all turns looked at for `scope`."""
        if scope not in self._turns_of:
            self._turns_of[scope] = [turn for turn in range(len(self.turns)) if self.in_role(turn, scope)]
        return self._turns_of[scope]

    def trusted_turns_of(self, scope: RoleScope) -> list[int]:
        """The same without turns whose words are not to be trusted."""
        if scope not in self._trusted_turns_of:
            own = [turn for turn in self.turns_of(scope) if self.turns[turn].suspect is None]
            self._trusted_turns_of[scope] = own
        return self._trusted_turns_of[scope]

    def shown(self, turn: int) -> str:
        return self.text.shown[self.text.starts[turn] : self.text.ends[turn]]

    def badly_heard(self, turn: int) -> bool:
        return self.turns[turn].suspect is not None or self.turns[turn].confidence < LOW_CONFIDENCE

    def heard(self, turn: int, start: int, end: int) -> tuple[float | None, float | None, float]:
        """Start and end seconds of characters of a turn, and how surely they were heard."""
        if turn not in self._edges:
            self._edges[turn] = word_edges(self.turns[turn])
        return heard(self.turns[turn], start, end, self._edges[turn])

    def hit(
        self,
        start: int,
        end: int,
        confidence: float = 1.0,
        sure: bool = True,
        match: str = "text",
        wording: int = 0,
        label: str = "",
    ) -> Hit:
        """A hit on words, weighed by how well they were heard and whether it is known who said them."""
        number, low, high = self.text.local(start, end)
        turn = self.turns[number]
        _, _, probability = self.heard(number, low, high)
        unknown_role = self.role_of(number) == "unknown"
        return Hit(
            number,
            start,
            end,
            confidence=round(confidence * max(probability, 0.05), 3),
            sure=sure and probability >= LOW_CONFIDENCE,
            trusted=turn.suspect is None and not unknown_role,
            match="no_role" if unknown_role and turn.suspect is None else match,
            label=label,
            wording=wording,
        )

    def turn_hit(self, turn: int, confidence: float = 1.0, match: str = "audio") -> Hit:
        """A hit on a whole turn, measured rather than read."""
        trusted = self.turns[turn].suspect is None and self.role_of(turn) != "unknown"
        return Hit(
            turn,
            self.text.starts[turn],
            self.text.ends[turn],
            confidence=round(confidence, 3),
            trusted=trusted,
            match=match if self.role_of(turn) != "unknown" else "no_role",
        )

    def call_hit(self, confidence: float = 1.0, match: str = "audio") -> Hit:
        return Hit(None, 0, 0, confidence=round(confidence, 3), match=match)

    def fact(self, name: str) -> tuple[str, ...]:
        """The values that a fact may be compared as (呼入 as well as inbound); empty when it is not known."""
        name = FACT_NAMES.get(name, name)
        value = getattr(self.facts, name, None) if name in _FACT_FIELDS else self.facts.extra.get(name)
        if value is None or str(value).strip() == "":
            return ()
        text = str(value).strip()
        return (text, _DIRECTIONS[text]) if name == "direction" and text in _DIRECTIONS else (text,)

    def other_side_before(self, turn: int, turns: int) -> Sequence[int]:
        """The other side's turns among the `turns` turns before `turn`, latest first."""
        mine = self.role_of(turn)
        roles = [(earlier, self.role_of(earlier)) for earlier in range(turn - 1, max(-1, turn - 1 - turns), -1)]
        return [earlier for earlier, role in roles if role != mine and role in ("agent", "customer")]


_FACT_FIELDS = frozenset({"call_id", "agent_id", "started_at", "direction", "business"})
