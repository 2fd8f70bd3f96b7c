"""Which words of a turn are marked: the text cut into stretches, each with the findings that rest on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

MarkKind = Literal["fail", "suspected", "unsure", ""]
_STRENGTH: dict[MarkKind, int] = {"fail": 3, "suspected": 2, "unsure": 1, "": 0}


@dataclass(frozen=True, slots=True)
class Mark:
    """Characters [start, end) of a turn carry finding number `number` (as listed, from 1), named `name`."""

    start: int
    end: int
    number: int
    name: str
    kind: MarkKind


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of a turn's text under the same marks. `opens` are the findings whose marked words begin here."""

    text: str
    kind: MarkKind = ""
    names: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    opens: tuple[int, ...] = ()
    masked: str = ""

    @property
    def tip(self) -> str:
        return "、".join(self.names)


def stretches(text: str, marks: Iterable[Mark], masked: Sequence[tuple[int, int, str]] = ()) -> list[Stretch]:
    """`text` in order, cut where a mark or a masked stretch begins or ends; joined, it is `text` again.

    Marks outside the text or empty are left out; overlapping ones share their stretches, the strongest kind shows.
    """
    inside = [mark for mark in marks if 0 <= mark.start < mark.end <= len(text)]
    hidden = [span for span in masked if 0 <= span[0] < span[1] <= len(text)]
    cuts = sorted({0, len(text), *(place for mark in inside for place in (mark.start, mark.end)),
                   *(place for start, end, _ in hidden for place in (start, end))})  # fmt: skip
    pieces = []
    for start, end in pairwise(cuts):
        here = [mark for mark in inside if mark.start <= start and end <= mark.end]
        kind: MarkKind = max((mark.kind for mark in here), key=lambda kind: _STRENGTH[kind], default="")
        pieces.append(
            Stretch(
                text=text[start:end],
                kind=kind,
                names=tuple(dict.fromkeys(mark.name for mark in here)),
                numbers=tuple(dict.fromkeys(mark.number for mark in here)),
                opens=tuple(dict.fromkeys(mark.number for mark in here if mark.start == start)),
                masked=next((kind for first, last, kind in hidden if first <= start and end <= last), ""),
            )
        )
    return pieces
