"""Text that is safe in a cell of a spreadsheet or a CSV file; what had to be removed or cut is counted."""

from __future__ import annotations

import re
from collections import Counter

MAX_CELL_UNITS = 32_767  # of UTF-16, Excel's limit
RISKY_START = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
# What XML 1.0 cannot hold, lone halves of surrogate pairs included; tab and newline stay.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")


def units(text: str) -> int:
    """Length as Excel counts it: UTF-16 code units, two for an emoji or a rare character."""
    return len(text) + sum(char > "\uffff" for char in text)


def fitted(text: str, room: int) -> str:
    """The beginning of `text` that takes at most `room` units, no pair of units cut in half."""
    return text.encode("utf-16-le", "replace")[: 2 * room].decode("utf-16-le", "ignore")


def writable(text: str, counts: Counter[str]) -> str:
    """`text` with plain newlines and without what cannot be written; removals are added to `counts`."""
    text, removed = _UNWRITABLE.subn("", text.replace("\r\n", "\n").replace("\r", "\n"))
    if removed:
        counts["control_characters"] += removed
    return text


def cell_text(text: str, counts: Counter[str]) -> str:
    """`text` as an Excel cell can hold it; what was cut is added to `counts` and shown in the cell.

    XlsxWriter writes a string that looks like rich-text markup as raw XML: such a text gets a space at its end.
    """
    text = writable(text, counts)
    if text.startswith("<r>") and text.endswith("</r>"):
        text += " "
        counts["markup_guarded"] += 1
    if len(text) > MAX_CELL_UNITS // 2 and units(text) > MAX_CELL_UNITS:
        tail = f"…（已截断，原文共 {len(text)} 字）"
        text = fitted(text, MAX_CELL_UNITS - len(tail)) + tail
        counts["cut_cells"] += 1
    return text


def is_risky(text: str) -> bool:
    """Would become a formula if a person edited the cell and pressed Enter, or if a CSV file were opened."""
    return text.startswith(RISKY_START)


def csv_text(text: str, counts: Counter[str]) -> str:
    """`text` for CSV: a leading ' keeps a spreadsheet from taking it for a formula."""
    shown = writable(text, counts)
    if not is_risky(text) and not is_risky(shown):
        return shown
    counts["quoted_cells"] += 1
    return f"'{shown}"
