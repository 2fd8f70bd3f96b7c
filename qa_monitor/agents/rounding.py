"""The one way a figure is rounded, wherever it is shown or compared with a limit."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal


def rounded(value: float | None, digits: int) -> float | None:
    """`value` to `digits` decimals, half up: 86.25 → 86.3. None for None, NaN and infinities; never −0."""
    if value is None or not math.isfinite(value):
        return None
    step = Decimal(1).scaleb(-digits)
    return float(Decimal(repr(float(value))).quantize(step, rounding=ROUND_HALF_UP)) + 0.0
