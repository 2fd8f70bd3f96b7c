"""What a scorecard says, as typed values. Read from YAML by `read_card`; the file's own comments explain it to people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

ModelItem = Literal["politeness", "resolution", "satisfaction"]
BONUS = "加分项"
OUTSIDE = "不计分的发现"


@dataclass(frozen=True, slots=True)
class RuleItem:
    """A rule on the card: `points` lost each time it fails, at most `cap` in all; `cap` is what it can be worth."""

    rule_id: str
    points: float
    cap: float
    veto: bool | None = None  # None: as the rule says


@dataclass(frozen=True, slots=True)
class ScaleItem:
    """A model's score on the card: `scale` maps its values to points between 0 and `points`, in straight lines."""

    model: ModelItem
    name: str
    points: float
    scale: tuple[tuple[float, float], ...] = ()
    labels: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Dimension:
    """`full` bounds what the dimension can lose: its items may be worth more in all than any call should lose."""

    name: str
    weight: float
    rules: tuple[RuleItem, ...] = ()
    models: tuple[ScaleItem, ...] = ()
    full: float | None = None


@dataclass(frozen=True, slots=True)
class BonusItem:
    """Points added to the total when the rule passes (or, for a rule that forbids, is not broken)."""

    rule_id: str
    points: float


@dataclass(frozen=True, slots=True)
class Override:
    """What changes for some business types: weights of dimensions, points of rules (None takes a rule off)."""

    business: tuple[str, ...]
    weights: tuple[tuple[str, float], ...] = ()
    rules: tuple[tuple[str, RuleItem | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """Calls outside these are not scored."""

    min_turns: int = 2
    min_seconds: float = 5.0
    max_suspect_share: float = 0.5
    min_role_confidence: float = 0.5


@dataclass(frozen=True, slots=True)
class Card:
    name: str
    version: str
    dimensions: tuple[Dimension, ...]
    bonus: tuple[BonusItem, ...] = ()
    bonus_cap: float = 0.0
    overrides: tuple[Override, ...] = ()
    limits: Limits = field(default_factory=Limits)
    score_unlisted: bool = True
    label: str = ""
