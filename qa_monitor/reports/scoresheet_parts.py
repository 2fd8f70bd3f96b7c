"""What an agent's page is made of: blocks, rows of rounded cells, and figures cut to size."""

from __future__ import annotations

from dataclasses import dataclass

from qa_monitor.agents.interval import Figure
from qa_monitor.reports import figures
from qa_monitor.reports.columns import Cell, ColumnKind


@dataclass(frozen=True, slots=True)
class Head:
    """A block's column: key for JSON, heading for people, kind of its figures where the row does not say."""

    key: str
    heading: str
    kind: ColumnKind = "text"


@dataclass(frozen=True, slots=True)
class Row:
    """Cells of a block; `kind` overrides the kind of the figure columns (a row of shares among rows of points)."""

    cells: tuple[Cell, ...]
    kind: ColumnKind | None = None
    link: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A titled table. `note` stands under it; `wide` blocks take the sheet's whole width."""

    key: str
    title: str
    heads: tuple[Head, ...]
    rows: tuple[Row, ...]
    note: str = ""
    wide: bool = False


def cells_of(kind: ColumnKind, figure: Figure) -> tuple[Cell, Cell, Cell, Cell]:
    """Value, lower and upper limit, n — rounded; None where there is none."""
    return (shown(kind, figure.value), shown(kind, figure.low), shown(kind, figure.high), figure.n)


def shown(kind: ColumnKind, value: float | None) -> float | int | None:
    """A figure of a kind, rounded as every report rounds it."""
    if kind in ("id", "text", "long"):
        raise ValueError(kind)
    return figures.figure(kind, value)  # type: ignore[arg-type]
