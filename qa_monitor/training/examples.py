"""One example of training: the turns of a call and whatever is known of it."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

HELD_OUT = 10  # one call in so many is kept for measuring


@dataclass(frozen=True, slots=True)
class Example:
    """`turns` are (role 0 customer | 1 agent, text).

    `call` maps a call head to its target distribution; `turn` maps a turn head to one distribution (or None) a turn;
    `deciding` is the 0-based turn that decides the resolution; `rules` one distribution over pass, fail and not
    applicable a rule (or None); `evidence` the 0-based turn that shows the verdict, one a rule (or None). `source` says
    where it comes from, for sampling and for measuring apart.
    """

    id: str
    source: str
    turns: tuple[tuple[int, str], ...]
    call: dict[str, tuple[float, ...]] = field(default_factory=dict)
    turn: dict[str, tuple[tuple[float, ...] | None, ...]] = field(default_factory=dict)
    deciding: int | None = None
    rules: tuple[tuple[float, ...] | None, ...] | None = None
    evidence: tuple[int | None, ...] | None = None
    weight: float = 1.0

    @property
    def readable(self) -> bool:
        """Whether anything is said."""
        return any(text.strip() for _, text in self.turns)

    def with_texts(self, texts: Sequence[str]) -> Example:
        return replace(self, turns=tuple((role, text) for (role, _), text in zip(self.turns, texts, strict=True)))

    def part(self, start: int, end: int) -> Example:
        """Turns `start` … `end`−1 with their own labels; what is known of the whole call does not hold for a part."""
        return replace(
            self,
            id=f"{self.id}[{start}:{end}]",
            turns=self.turns[start:end],
            call={},
            turn={head: labels[start:end] for head, labels in self.turn.items()},
            deciding=None,
            rules=None,
            evidence=None,
        )


def is_kept_apart(name: str) -> bool:
    """Whether training keeps the call of this id for measuring: by a hash, so that a call never changes sides."""
    return zlib.crc32(name.encode()) % HELD_OUT == 0
