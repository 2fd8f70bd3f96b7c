"""Where a condition looks: whose turns, and which windows of the call.

A window is a span of the joined text; None stands for the whole call.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from qa_monitor.rules.call import Call
from qa_monitor.rules.compare import Place
from qa_monitor.rules.hits import Hit
from qa_monitor.rules.specs import RoleScope, Side, Which

Window = tuple[int, int]
_FAR = 1 << 62


class Scope(NamedTuple):
    role: RoleScope
    windows: tuple[Window, ...] | None = None

    def holds(self, hit: Hit) -> bool:
        """Whether a hit's words stand inside; a hit about the whole call always does."""
        if self.windows is None or hit.turn is None:
            return True
        at = bisect_right(self.windows, (hit.start, _FAR)) - 1
        return at >= 0 and hit.end <= self.windows[at][1]

    def narrowed(self, windows: Sequence[Window]) -> Scope:
        """The scope cut down to `windows`."""
        merged = _merged(windows)
        if self.windows is None:
            return Scope(self.role, merged)
        cut = [(max(a, c), min(b, d)) for a, b in self.windows for c, d in merged if max(a, c) < min(b, d)]
        return Scope(self.role, tuple(cut))


def _merged(windows: Sequence[Window]) -> tuple[Window, ...]:
    """The windows in order, overlapping ones as one."""
    found: list[Window] = []
    for low, high in sorted(windows):
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        elif low <= high:
            found.append((low, high))
    return tuple(found)


def turns_in(call: Call, scope: Scope) -> list[int]:
    """Positions of the turns of the scope's role that lie wholly inside it."""
    own = call.turns_of(scope.role)
    if scope.windows is None:
        return own
    starts, ends = call.text.starts, call.text.ends
    found: list[int] = []
    for low, high in scope.windows:
        for at in range(bisect_left(own, low, key=starts.__getitem__), len(own)):
            if ends[own[at]] > high:
                break
            found.append(own[at])
    return found


def place_window(call: Call, place: Place, role: RoleScope) -> Window | None:
    """The window of a place; None when it is in seconds and the call has no clock."""
    end = call.text.ends[-1]
    if place.kind == "whole":
        return (0, end)
    if place.kind in ("first_turns", "last_turns", "turns"):
        return _turns_window(call, place, role)
    if place.kind in ("first_s", "last_s") and not call.timed:
        return None
    return _time_window(call, place)


def _turns_window(call: Call, place: Place, role: RoleScope) -> Window:
    """Turns are counted among those of `role` whose words can be trusted."""
    own = call.trusted_turns_of(role)
    if not own:
        return (0, call.text.ends[-1])
    count = int(place.a)
    if place.kind == "first_turns":
        return (0, call.text.ends[own[min(count, len(own)) - 1]])
    if place.kind == "last_turns":
        return (call.text.starts[own[max(0, len(own) - count)]], call.text.ends[-1])
    if count > len(own):
        return (call.text.ends[-1], call.text.ends[-1])
    return (call.text.starts[own[count - 1]], call.text.ends[own[min(int(place.b), len(own)) - 1]])


def _time_window(call: Call, place: Place) -> Window:
    last = len(call.turns) - 1
    if call.timed:
        times = [turn.start_s or 0.0 for turn in call.turns]
        total = call.dialogue.duration_s or max(turn.end_s or 0.0 for turn in call.turns)
    else:  # shares of a text dialogue are shares of its turns
        times = [float(i) for i in range(last + 1)]
        total = float(last + 1)
    length = place.a * total if place.kind.endswith("share") else place.a
    if place.kind.startswith("first"):
        inside = [i for i, start in enumerate(times) if start < length]
        return (0, call.text.ends[inside[-1]]) if inside else (0, 0)
    inside = [i for i, start in enumerate(times) if start >= total - length]
    return (call.text.starts[inside[0]], call.text.ends[-1]) if inside else (call.text.ends[-1], call.text.ends[-1])


def chosen(hits: Sequence[Hit], which: Which) -> Sequence[Hit]:
    """The anchors that count: all of them, the first, the last or the N-th by place.

    Hits about the whole call have no place among others.
    """
    if which in ("any", "every"):
        return hits
    hits = sorted([hit for hit in hits if hit.turn is not None] or hits, key=lambda hit: (hit.start, hit.end))
    if which == "first":
        return hits[:1]
    if which == "last":
        return hits[-1:]
    if isinstance(which, int):
        return hits[which - 1 : which]
    return hits


def window_about(call: Call, hit: Hit, side: Side, turns: int | None, seconds: float | None) -> Window:
    """The window on one side of a hit, at most so many turns and seconds away."""
    turn = hit.turn if hit.turn is not None else 0
    starts, ends = call.text.starts, call.text.ends
    if side == "same":
        return (starts[turn], ends[turn])
    first = 0 if turns is None else max(0, turn - turns)
    last = len(call.turns) - 1 if turns is None else min(len(call.turns) - 1, turn + turns)
    if seconds is not None and call.timed:
        first, last = _within_seconds(call, hit, turn, first, last, seconds)
    low = hit.end if side == "after" else starts[first]
    high = hit.start if side == "before" else ends[last]
    return (low, high)


def _within_seconds(call: Call, hit: Hit, turn: int, first: int, last: int, seconds: float) -> tuple[int, int]:
    here = call.turns[turn]
    start = hit.start_s if hit.start_s is not None else here.start_s
    end = hit.end_s if hit.end_s is not None else here.end_s
    while first < turn and _gap(call.turns[first].end_s, start) > seconds:
        first += 1
    while last > turn and _gap(end, call.turns[last].start_s) > seconds:
        last -= 1
    return first, last


def _gap(earlier: float | None, later: float | None) -> float:
    return 0.0 if earlier is None or later is None else later - earlier
