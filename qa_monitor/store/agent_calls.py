"""What the agents' ledger reads: a period's calls as columns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from qa_monitor.agents.frame import RESOLUTIONS, UNKNOWN, CallFrame
from qa_monitor.store.schema import call_findings, calls
from qa_monitor.store.store import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FLOATS = ("politeness", "satisfaction", "silence_s", "hold_s", "overlap_count", "agent_talk_share", "broken", "snr_db")
_COLUMNS = ("agent_id", "started_at", "sha256", "business", "opening_emotion", "review_state", "resolution", "points",
            "veto", "complaint", "promise", "dimensions", "costs", "verdicts", "rulebook_version", "scorecard_version")  # fmt: skip
CHUNK = 20_000
IDS_A_QUERY = 500


class _Codes:
    """Texts as small numbers, in the order they came."""

    def __init__(self) -> None:
        self.seen: dict[str, int] = {}

    def of(self, text: str | None) -> int:
        return UNKNOWN if text is None else self.seen.setdefault(text, len(self.seen))

    def in_order(self) -> tuple[tuple[str, ...], NDArray[np.int32]]:
        """The texts sorted, and for each old number its place among them; the last entry stands for UNKNOWN."""
        import numpy as np

        ordered = tuple(sorted(self.seen))
        places = np.full(len(ordered) + 1, UNKNOWN, dtype=np.int32)
        for place, text in enumerate(ordered):
            places[self.seen[text]] = place
        return ordered, places


def call_frame(store: Store, since: str, until: str, agent_ids: Sequence[str] | None = None) -> CallFrame:
    """The calls begun in [since, until), of these agents or of all (those without 工号 under '')."""
    reading = _Reading()
    with store.read() as connection:
        for rows in _chunks(connection, since, until, agent_ids):
            reading.add(rows)
        books = {version: rules_of(connection, sha256) for version, sha256 in sorted(reading.one_of_book.items())}
    return reading.frame(books)


def _chunks(
    connection: sa.Connection, since: str, until: str, agent_ids: Sequence[str] | None
) -> Iterator[Sequence[Any]]:
    query = sa.select(*(calls.c[name] for name in (*_COLUMNS, *FLOATS))).where(
        calls.c.started_at >= since, calls.c.started_at < until
    )
    streaming = connection.execution_options(stream_results=True)
    for part in for_agents(query, agent_ids):
        yield from streaming.execute(part).partitions(CHUNK)


def for_agents(query: sa.Select[Any], agent_ids: Sequence[str] | None) -> list[sa.Select[Any]]:
    """The query for these agents only, in parts that a database takes; the query itself for all."""
    if agent_ids is None:
        return [query]
    starts = range(0, len(agent_ids), IDS_A_QUERY)
    return [query.where(calls.c.agent_id.in_(list(agent_ids[start : start + IDS_A_QUERY]))) for start in starts]


class _Reading:
    """Columns being filled, chunk by chunk."""

    def __init__(self) -> None:
        self.agents, self.businesses, self.emotions, self.reviews = _Codes(), _Codes(), _Codes(), _Codes()
        self.items, self.rulebooks, self.scorecards = _Codes(), _Codes(), _Codes()
        self.codes: list[NDArray[np.int32]] = []
        self.hashes: list[NDArray[np.bytes_]] = []
        self.floats: list[NDArray[np.float64]] = []
        self.flags: list[NDArray[np.bool_]] = []
        self.dimensions: dict[str, dict[int, float]] = {}
        self.costs: tuple[list[int], list[int], list[float]] = ([], [], [])
        self.verdicts: list[NDArray[np.bytes_]] = []
        self.one_of_book: dict[str, str] = {}  # a call of each rule-book version
        self.books: list[NDArray[np.int32]] = []
        self.count = 0
        self._days: dict[str, int] = {}

    def add(self, rows: Sequence[Any]) -> None:
        import numpy as np

        columns = dict(zip((*_COLUMNS, *FLOATS), zip(*rows, strict=True), strict=True))
        resolutions = {name: code for code, name in enumerate(RESOLUTIONS)}
        coded: list[Iterable[int]] = [
            (self.agents.of(value or "") for value in columns["agent_id"]),
            map(self._day, columns["started_at"]),
            map(self.businesses.of, columns["business"]),
            map(self.emotions.of, columns["opening_emotion"]),
            map(self.reviews.of, columns["review_state"]),
            (resolutions.get(value, UNKNOWN) for value in columns["resolution"]),
        ]
        self.codes.append(np.array([list(values) for values in coded], dtype=np.int32))
        self.hashes.append(np.array(columns["sha256"], dtype="S64"))
        promise = [None if value is None else float(value == "pass") for value in columns["promise"]]
        floats = [columns["points"], promise, *(columns[name] for name in FLOATS)]
        self.floats.append(np.array(floats, dtype=float))
        self.flags.append(
            np.array([[bool(value) for value in columns["veto"]], [bool(value) for value in columns["complaint"]]])
        )
        self.books.append(np.array([self.rulebooks.of(version) for version in columns["rulebook_version"]], np.int32))
        for version, sha256 in zip(columns["rulebook_version"], columns["sha256"], strict=True):
            self.one_of_book[version] = min(sha256, self.one_of_book.get(version, sha256))
        self.verdicts.append(np.array([letters or "" for letters in columns["verdicts"]], dtype="S"))
        for version in set(columns["scorecard_version"]):
            self.scorecards.of(version)
        self._add_parts(columns)
        self.count += len(rows)

    def _add_parts(self, columns: Mapping[str, Sequence[Any]]) -> None:
        """Dimensions and costs, which are JSON by call."""
        where, items, values = self.costs
        for place, (dimensions, costs) in enumerate(
            zip(columns["dimensions"], columns["costs"], strict=True), start=self.count
        ):
            if dimensions:
                for name, score in json.loads(dimensions).items():
                    self.dimensions.setdefault(name, {})[place] = score
            if costs:
                for item, cost in json.loads(costs).items():
                    where.append(place)
                    items.append(self.items.of(item))
                    values.append(cost)

    def _day(self, started_at: str) -> int:
        day = started_at[:10]
        if day not in self._days:
            self._days[day] = date.fromisoformat(day).toordinal()
        return self._days[day]

    def frame(self, books: Mapping[str, Mapping[str, tuple[str, str]]]) -> CallFrame:
        """Everything read, in order of 工号, start and content whatever order it came in."""
        import numpy as np

        empty = self.count == 0
        codes = np.zeros((6, 0), np.int32) if empty else np.concatenate(self.codes, axis=1)
        floats = np.zeros((2 + len(FLOATS), 0)) if empty else np.concatenate(self.floats, axis=1)
        flags = np.zeros((2, 0), bool) if empty else np.concatenate(self.flags, axis=1)
        hashes = np.zeros(0, "S64") if empty else np.concatenate(self.hashes)
        agents, agent_places = self.agents.in_order()
        agent = agent_places[codes[0]]
        order = np.lexsort((hashes, codes[1], agent))
        place = np.empty_like(order)
        place[order] = np.arange(len(order))

        def coded(codes_: _Codes, row: int) -> tuple[tuple[str, ...], NDArray[np.int32]]:
            names, places = codes_.in_order()
            return names, places[codes[row]][order]

        businesses, business = coded(self.businesses, 2)
        emotions, emotion = coded(self.emotions, 3)
        reviews, review = coded(self.reviews, 4)
        items, item_places = self.items.in_order()
        cost_call = place[np.array(self.costs[0], dtype=np.int64)].astype(np.int32)
        cost_item = item_places[np.array(self.costs[1], dtype=np.int32)]
        cost_order = np.lexsort((cost_item, cost_call))
        rules, verdicts = self._verdict_columns(books)
        return CallFrame(
            agents=agents, businesses=businesses, emotions=emotions, reviews=reviews,
            agent=agent[order], business=business, emotion=emotion, review=review,
            resolution=codes[5][order], day=codes[1][order], sha256=hashes[order],
            points=floats[0][order], promise=floats[1][order], veto=flags[0][order], complaint=flags[1][order],
            floats={name: floats[2 + row][order] for row, name in enumerate(FLOATS)},
            dimensions=self._dimension_columns(place),
            rules=rules, rule_names={rule: told[0] for book in books.values() for rule, told in book.items()},
            rule_dimensions={rule: told[1] for book in books.values() for rule, told in book.items()},
            verdicts=verdicts[order],
            items=items, cost_call=cost_call[cost_order], cost_item=cost_item[cost_order],
            cost=np.array(self.costs[2], dtype=float)[cost_order],
            versions={"rulebook": tuple(sorted(self.rulebooks.seen)), "scorecard": tuple(sorted(self.scorecards.seen))},
        )  # fmt: skip

    def _verdict_columns(
        self, books: Mapping[str, Mapping[str, tuple[str, str]]]
    ) -> tuple[tuple[str, ...], NDArray[np.bytes_]]:
        """A letter a call and rule, in the order the calls were read; blank where the rule book lacks the rule."""
        import numpy as np

        rules = tuple(sorted({rule for book in books.values() for rule in book}))
        columns = np.full((self.count, len(rules)), b" ", dtype="S1")
        book_of = np.concatenate(self.books) if self.books else np.zeros(0, np.int32)
        letters = np.concatenate(self.verdicts) if self.verdicts else np.zeros(0, "S1")
        lengths = np.char.str_len(letters)
        for version, code in self.rulebooks.seen.items():
            book = tuple(books[version])
            rows = np.flatnonzero((book_of == code) & (lengths == len(book)))
            if len(rows) and book:
                at = np.searchsorted(np.array(rules), np.array(book))
                plain = letters[rows].astype(f"S{len(book)}").view("S1").reshape(len(rows), len(book))
                columns[np.ix_(rows, at)] = plain
        return rules, columns

    def _dimension_columns(self, place: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        import numpy as np

        columns = {}
        for name in sorted(self.dimensions):
            column = np.full(self.count, np.nan)
            known = self.dimensions[name]
            column[place[np.fromiter(known, np.int64, len(known))]] = np.fromiter(known.values(), float, len(known))
            columns[name] = column
        return columns


def rules_of(connection: sa.Connection, sha256: str) -> dict[str, tuple[str, str]]:
    """Rule id → (name, dimension) of the rules that judged a call, in order of id; calls of one rule book share them."""
    columns = (call_findings.c.rule_id, call_findings.c.name, call_findings.c.category)
    found = sa.select(*columns).where(call_findings.c.sha256 == sha256).order_by(call_findings.c.rule_id)
    return {row.rule_id: (row.name, row.category) for row in connection.execute(found)}
