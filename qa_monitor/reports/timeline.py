"""A call drawn as a strip: a lane a speaker, silences, overlaps and the findings' places. Geometry only, in SVG units."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from qa_monitor.records import Dialogue, Evidence, Role, Turn
from qa_monitor.reports import figures, names
from qa_monitor.reports.marks import MarkKind

WIDTH, GUTTER, RIGHT = 1100.0, 52.0, 12.0
PIN_Y, LANES_Y, LANE_HEIGHT, LANE_GAP = 13.0, 26.0, 18.0, 6.0
PIN_GAP = 15.0  # between the centres of two pins
MIN_BAR = 1.5
LABEL_MIN_WIDTH = 68.0  # a silence at least this wide is labelled
TICK_STEPS_S = (5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)
MAX_TICKS = 12
SHOWN_CHARS = 40


@dataclass(frozen=True, slots=True)
class Bar:
    """A turn. `css` says who and how: `agent`, `customer angry`, `suspect`."""

    x: float
    y: float
    width: float
    css: str
    tip: str
    turn: int


@dataclass(frozen=True, slots=True)
class Band:
    """A silence or an overlap over the lanes; `label` is drawn when there is room."""

    x: float
    width: float
    css: str
    tip: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Pin:
    """A finding's place."""

    x: float
    number: int
    kind: MarkKind
    tip: str


@dataclass(frozen=True, slots=True)
class Tick:
    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """The strip. `timed` is false for dialogues without times, whose axis counts characters."""

    lanes: tuple[tuple[float, str], ...]
    bars: tuple[Bar, ...]
    bands: tuple[Band, ...]
    pins: tuple[Pin, ...]
    ticks: tuple[Tick, ...]
    height: float
    bottom: float
    timed: bool


@dataclass(frozen=True, slots=True)
class Place:
    """A finding to be pinned: its number, kind, name and evidence."""

    number: int
    kind: MarkKind
    name: str
    evidence: tuple[Evidence, ...]


class _Axis:
    """From seconds, or characters when a turn has no time, to x."""

    def __init__(self, dialogue: Dialogue, length_s: float | None) -> None:
        turns = dialogue.turns
        self.timed = bool(turns) and all(_known(turn.start_s) and _known(turn.end_s) for turn in turns)
        if self.timed:
            last = max((turn.end_s or 0.0 for turn in turns), default=0.0)
            self.total = max(length_s or 0.0, dialogue.duration_s or 0.0, last)
            self._spans = {turn.index: (turn.start_s or 0.0, turn.end_s or 0.0) for turn in turns}
        else:
            self._spans, place = {}, 0.0
            for turn in turns:
                size = max(len(turn.text), 1)
                self._spans[turn.index] = (place, place + size)
                place += size + 1
            self.total = place
        self.total = max(self.total, 0.1)

    def x(self, value: float) -> float:
        share = min(max(value / self.total, 0.0), 1.0)
        return round(GUTTER + share * (WIDTH - GUTTER - RIGHT), 1)

    def span(self, turn: int) -> tuple[float, float] | None:
        return self._spans.get(turn)

    def place(self, item: Evidence) -> float | None:
        """Where the evidence stands: its own time, else its share of the turn."""
        if self.timed and item.start_s is not None:
            return item.start_s
        span = self.span(item.turn) if item.turn is not None else None
        if span is None:
            return None
        return span[0] if self.timed or item.start is None else min(span[0] + item.start, span[1])


def draw(dialogue: Dialogue, length_s: float | None, places: Sequence[Place], emotions: dict[int, str]) -> Timeline:
    """The strip of a dialogue. `emotions` gives the customer turns that are not neutral, by index."""
    axis = _Axis(dialogue, length_s)
    lanes = _lanes(dialogue.turns)
    row = {name: LANES_Y + number * (LANE_HEIGHT + LANE_GAP) for number, name in enumerate(lanes)}
    bottom = LANES_Y + len(lanes) * (LANE_HEIGHT + LANE_GAP) - LANE_GAP
    return Timeline(
        lanes=tuple((y + LANE_HEIGHT / 2, name) for name, y in row.items()),
        bars=tuple(_bar(turn, axis, row[_lane(turn.role)], emotions) for turn in dialogue.turns),
        bands=tuple(_bands(dialogue, axis)) if axis.timed else (),
        pins=tuple(_pins(axis, places)),
        ticks=tuple(_ticks(axis)) if axis.timed else (),
        height=bottom + (20.0 if axis.timed else 6.0),
        bottom=bottom,
        timed=axis.timed,
    )


def _known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _lane(role: Role) -> str:
    return names.ROLES[role] if role in ("agent", "customer") else "其他"


def _lanes(turns: Sequence[Turn]) -> list[str]:
    """The agent's, the customer's, and one for everybody else if there is anybody."""
    others = any(turn.role not in ("agent", "customer") for turn in turns)
    return [names.ROLES["agent"], names.ROLES["customer"], *(["其他"] if others else [])]


def _bar(turn: Turn, axis: _Axis, y: float, emotions: dict[int, str]) -> Bar:
    start, end = axis.span(turn.index) or (0.0, 0.0)
    x = axis.x(start)
    css: str = "suspect" if turn.suspect else turn.role
    if turn.index in emotions and not turn.suspect:
        css += f" {emotions[turn.index]}"
    words = turn.text if len(turn.text) <= SHOWN_CHARS else turn.text[: SHOWN_CHARS - 1] + "…"
    when = f" {figures.clock(turn.start_s)}" if axis.timed else ""
    tip = f"{names.ROLES[turn.role]}{when}　{words}"
    return Bar(x, y, round(max(axis.x(end) - x, MIN_BAR), 1), css, tip, turn.index)


def _bands(dialogue: Dialogue, axis: _Axis) -> list[Band]:
    bands = []
    for silence in dialogue.silences:
        x, width = axis.x(silence.start_s), axis.x(silence.end_s) - axis.x(silence.start_s)
        length = figures.text_of("seconds", silence.end_s - silence.start_s)
        said = "（已告知客户）" if silence.announced else ""
        label = f"静音 {length} 秒" if width >= LABEL_MIN_WIDTH else ""
        css = "silence announced" if silence.announced else "silence"
        bands.append(Band(x, round(max(width, MIN_BAR), 1), css, f"静音 {length} 秒{said}", label))
    for overlap in dialogue.overlaps:
        x, width = axis.x(overlap.start_s), axis.x(overlap.end_s) - axis.x(overlap.start_s)
        length = figures.text_of("seconds", overlap.end_s - overlap.start_s)
        tip = f"{names.ROLES[overlap.interrupter]}抢话，重叠 {length} 秒"
        bands.append(Band(x, round(max(width, 2.5), 1), "overlap", tip))
    return bands


def _pins(axis: _Axis, places: Sequence[Place]) -> list[Pin]:
    """One pin a finding and turn, moved apart so that none hides another."""
    wanted: dict[tuple[int, int | None], Pin] = {}
    for place in places:
        for item in place.evidence:
            at = axis.place(item)
            if at is None or (place.number, item.turn) in wanted:
                continue
            wanted[place.number, item.turn] = Pin(axis.x(at), place.number, place.kind, place.name)
    pins: list[Pin] = []
    for pin in sorted(wanted.values(), key=lambda pin: (pin.x, pin.number)):
        x = max(pin.x, pins[-1].x + PIN_GAP) if pins else pin.x
        pins.append(Pin(round(x, 1), pin.number, pin.kind, pin.tip))
    limit = WIDTH - RIGHT
    for index in range(len(pins) - 1, -1, -1):  # pushed back from the right edge, still apart
        pins[index] = Pin(round(min(pins[index].x, limit), 1), pins[index].number, pins[index].kind, pins[index].tip)
        limit = pins[index].x - PIN_GAP
    return pins


def _ticks(axis: _Axis) -> list[Tick]:
    step = next((step for step in TICK_STEPS_S if axis.total / step <= MAX_TICKS), TICK_STEPS_S[-1])
    count = int(axis.total // step)
    return [Tick(axis.x(number * step), figures.clock(number * step)) for number in range(count + 1)]
