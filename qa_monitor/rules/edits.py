"""Finding literals with one wrong syllable, over a whole dialogue at once, at a cost that hardly grows with their number.

Every literal (a long one in parts) is entered in one table under the hashes of the forms it takes with one syllable
replaced, lost or added; the same hashes of every window of the dialogue are looked up by whole arrays. With k edits
over at least k − 1 parts some part holds one edit at most, so no tolerated form is missed; `literals.edited_fit` then
judges each candidate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from qa_monitor.rules import fold
from qa_monitor.rules.streams import Stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

SHORTEST = 3  # one syllable replaced by a near one
_ANY_FROM = 4  # one syllable replaced by any other, or one added
_LOSS_FROM = 5  # one syllable lost
_LONGEST = 7
_LEAST_FILTER_BITS = 10
_SPARE_BITS = 5  # so few hashes share their first bits with one of the table
_CHUNK = 20_000
_OFFSET_BITS = 8
_OFFSET = (1 << _OFFSET_BITS) - 1
_BASE = 0x9E3779B97F4A7C15
_WORD = (1 << 64) - 1


def _salt(kind: int, length: int, at: int) -> int:
    return ((kind * 67 + length) * 67 + at + 1) * 0xD6E8FEB86659FD93 & _WORD


_REPLACED, _LOST, _ADDED, _INITIAL, _FINAL = range(5)


def _mixed(values: NDArray[np.uint32], seed: int) -> Hashes:
    """Spread small numbers over 64 bits (splitmix64)."""
    x = values.astype(np.uint64) + np.uint64(seed * 0x51_7C_C1_B7_27_22_0A_95 & _WORD)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


class EditIndex:
    """Literals to be found with an edit. `candidates` yields (place, literal), each place near a likely fit."""

    def __init__(self, literals: Sequence[str]) -> None:
        self._literals = literals
        keys: list[Hashes] = []
        owners: list[NDArray[np.int64]] = []
        by_length: dict[int, list[tuple[int, int]]] = {}
        for number, literal in enumerate(literals):
            for offset, length in _parts(len(literal)):
                by_length.setdefault(length, []).append((number, offset))
        for length, parts in sorted(by_length.items()):
            owner = np.array([(number << _OFFSET_BITS) | offset for number, offset in parts], dtype=np.int64)
            text = "".join(literals[number][offset : offset + length] for number, offset in parts)
            for hashes in _literal_forms(fold.codes_of(text).reshape(-1, length)):
                keys.append(hashes)
                owners.append(owner)
        joined = np.concatenate(keys) if keys else np.zeros(0, dtype=np.uint64)
        order = np.argsort(joined, kind="stable")
        self._keys = joined[order]
        self._owners = np.concatenate(owners)[order] if owners else np.zeros(0, dtype=np.int64)
        self._filter = _Filter(joined)
        self._lengths = sorted(by_length)

    def candidates(self, stream: Stream) -> Iterator[tuple[int, str]]:
        """Places in `stream` and the literals that may stand there, in order and without repeats."""
        if not self._lengths:
            return
        for start in range(0, len(stream.keys), _CHUNK):
            codes = stream.key_codes[start : start + _CHUNK + _LONGEST + 1]
            places, owners = self._search(codes)
            inside = places < _CHUNK
            places, owners = places[inside] - (owners[inside] & _OFFSET), owners[inside] >> _OFFSET_BITS
            for place, number in sorted(set(zip(places.tolist(), owners.tolist(), strict=True))):
                yield start + place, self._literals[number]

    def _search(self, codes: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where a hash of the text is one of the table, and what the table has there (both in pairs)."""
        forms = list(_text_forms(codes, self._lengths))
        hashes = np.concatenate(forms) if forms else np.zeros(0, dtype=np.uint64)
        begins = np.cumsum([0, *map(len, forms)])
        likely = np.flatnonzero(self._filter.may_have(hashes))
        places = likely - begins[np.searchsorted(begins, likely, side="right") - 1]
        wanted = hashes[likely]
        low = np.searchsorted(self._keys, wanted, side="left")
        there = self._keys[np.minimum(low, len(self._keys) - 1)] == wanted
        places, wanted, low = places[there], wanted[there], low[there]
        counts = np.searchsorted(self._keys, wanted, side="right") - low
        # Rows low, low + 1 … of each hash, one after another.
        rows = np.arange(int(counts.sum())) + np.repeat(low - np.cumsum(counts) + counts, counts)
        return np.repeat(places, counts), self._owners[rows]


class _Filter:
    """Which hashes are certainly not in a table: one bit for all that share their first bits."""

    def __init__(self, hashes: Hashes) -> None:
        self._shift = np.uint64(64 - max(_LEAST_FILTER_BITS, len(hashes).bit_length() + _SPARE_BITS))
        self._bits = np.zeros(1 << (61 - int(self._shift)), dtype=np.uint8)
        at = hashes >> self._shift
        np.bitwise_or.at(self._bits, at >> np.uint64(3), np.uint8(1) << (at & np.uint64(7)).astype(np.uint8))

    def may_have(self, hashes: Hashes) -> NDArray[np.bool_]:
        at = hashes >> self._shift
        byte = self._bits[at >> np.uint64(3)]
        found: NDArray[np.bool_] = (byte >> (at & np.uint64(7)).astype(np.uint8)) & 1 > 0
        return found


def _parts(length: int) -> list[tuple[int, int]]:
    """Offset and length of the parts that a literal of `length` syllables is looked up by."""
    if length < SHORTEST:
        return []
    count = 1 if length <= _LONGEST else max(2, -(-length // _LONGEST))
    edges = [round(i * length / count) for i in range(count + 1)]
    return [(edges[i], edges[i + 1] - edges[i]) for i in range(count)]


def _powers(count: int) -> list[np.uint64]:
    return [np.uint64(pow(_BASE, i, 1 << 64)) for i in range(count)]


def _literal_forms(rows: NDArray[np.uint32]) -> Iterator[Hashes]:
    """Hashes of literals of one length (one a row) under every edit they may suffer."""
    length = rows.shape[1]
    tables = fold.tables()
    power = _powers(length + 1)
    columns = [_mixed(fold.look_up(tables.loose, rows[:, i]), 1) for i in range(length)]
    terms = [column * power[i] for i, column in enumerate(columns)]
    whole = sum(terms[1:], terms[0])
    if length == SHORTEST:
        for i in range(length):
            for kind, classes in _halves():
                near = _mixed(fold.look_up(classes, rows[:, i]), 2 + kind) * power[i]
                yield (whole - terms[i] + near) ^ np.uint64(_salt(kind, length, i))
        return
    for i in range(length):
        yield (whole - terms[i]) ^ np.uint64(_salt(_REPLACED, length, i))
    for i in range(1, length):
        yield whole ^ np.uint64(_salt(_ADDED, length, i))
    if length >= _LOSS_FROM:
        for i in range(length):
            kept = [column for j, column in enumerate(columns) if j != i]
            shorter = sum((column * power[j] for j, column in enumerate(kept[1:], 1)), kept[0] * power[0])
            yield shorter ^ np.uint64(_salt(_LOST, length, 0))


def _text_forms(codes: NDArray[np.uint32], lengths: Sequence[int]) -> Iterator[Hashes]:
    """The same hashes of every window of a text; element p of each array belongs to the window at p."""
    tables = fold.tables()
    power = _powers(_LONGEST + 2)
    value = _mixed(fold.look_up(tables.loose, codes), 1)
    halves = [(kind, _mixed(fold.look_up(classes, codes), 2 + kind)) for kind, classes in _halves()]
    # windows[n][p]: hash of the n characters from p
    windows = [np.zeros(len(value), dtype=np.uint64)]
    for n in range(_LONGEST + 1):
        size = len(value) - n
        if size <= 0:
            break
        windows.append(windows[n][:size] + value[n:] * power[n])
    for length in lengths:
        if _LOSS_FROM <= length <= len(windows):
            yield windows[length - 1] ^ np.uint64(_salt(_LOST, length, 0))
        if length >= len(windows):
            continue
        yield from _replaced_forms(value, halves, windows, power, length)
        size = len(value) - length
        for i in range(1, length) if length >= _ANY_FROM and size > 0 else ():
            tail = windows[length - i][i + 1 : i + 1 + size] * power[i]
            yield (windows[i][:size] + tail) ^ np.uint64(_salt(_ADDED, length, i))


def _replaced_forms(
    value: Hashes, halves: list[tuple[int, Hashes]], windows: list[Hashes], power: list[np.uint64], length: int
) -> Iterator[Hashes]:
    whole = windows[length]
    size = len(whole)
    for i in range(length):
        without = whole - value[i : i + size] * power[i]
        if length >= _ANY_FROM:
            yield without ^ np.uint64(_salt(_REPLACED, length, i))
        for kind, half in halves if length == SHORTEST else ():
            yield (without + half[i : i + size] * power[i]) ^ np.uint64(_salt(kind, length, i))


def _halves() -> tuple[tuple[int, NDArray[np.uint32]], ...]:
    """The classes that a syllable shares with one that it may be misheard as."""
    tables = fold.tables()
    return (_INITIAL, tables.initial), (_FINAL, tables.final)
