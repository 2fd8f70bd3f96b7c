"""The HTML report: one file that needs nothing else, or an index and pages beside it when there are many calls.

Scripts and styles stand in the file and are named in its content security policy by hash; nothing else may run, and
nothing may be loaded. All text goes through Jinja's escaping; no link is made from data.
"""

from __future__ import annotations

import base64
import hashlib
import heapq
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from qa_monitor.errors import ReportNotWritten
from qa_monitor.reports import figures, names
from qa_monitor.reports.card import make_card
from qa_monitor.reports.explain import method_lines, version_lines
from qa_monitor.reports.overview import Overview, counts_sentence, length_sentence, scored_dimensions
from qa_monitor.reports.overview_charts import agent_row, dimension_bars, distribution, resolution_parts, rule_bars
from qa_monitor.reports.rows import FailureRow, failed_row, unscored_row, worst_in_words
from qa_monitor.reports.writing import put_in_place, staging
from qa_monitor.store.views import BatchView, CallView

if TYPE_CHECKING:
    from jinja2 import Environment

ONE_FILE_CALLS = 300
PAGE_CALLS = 200
LOWEST_LISTED = 200
FAILURES_LISTED = 200
TEMPLATES = Path(__file__).with_name("templates")
_PAGE_NAME = re.compile(r"\d+\.html")


@dataclass(frozen=True, slots=True)
class _Page:
    """A page of calls; `href` leads there from the index."""

    name: str
    href: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _ListedCall:
    """A call in the index of a report with pages."""

    points: str
    band: str
    title: str
    agent: str
    business: str
    veto: bool
    worst: str
    href: str


class _Counted:
    """What is summed up while the calls go by."""

    def __init__(self, batch: BatchView) -> None:
        self.overview = Overview()
        self.failures = [failed_row(failure) for failure in batch.failures]
        self._listed = frozenset(failure.sha256 for failure in batch.failures if failure.sha256)

    def see(self, view: CallView) -> None:
        self.overview.add(view)
        row = unscored_row(view, self._listed)
        if row is not None:
            self.failures.append(row)


def write_html(batch: BatchView, calls: Iterable[CallView], path: Path) -> None:
    """Write the report of `batch` and its `calls` (read once, in order) to `path`, whole or not at all.

    Up to ONE_FILE_CALLS calls stand in the one file; more go to pages in the folder `<name>_通话` beside it, and the
    file lists those with the fewest points. Raises ReportNotWritten or DiskFull; what was there before stays.
    """
    counted = _Counted(batch)
    rest = iter(calls)
    first = list(islice(rest, ONE_FILE_CALLS + 1))
    pages_folder = path.with_name(f"{path.stem}_通话")
    with staging(path) as folder:
        made = folder / "report.html"
        if len(first) <= ONE_FILE_CALLS:
            cards = [_card(view, number, counted) for number, view in enumerate(first, start=1)]
            _write(made, _report(batch, counted, cards=cards))
            put_in_place(made, path)
            if _is_ours(pages_folder):
                shutil.rmtree(pages_folder)
            return
        if pages_folder.exists() and not _is_ours(pages_folder):
            raise ReportNotWritten(
                "放分页的文件夹里有别的文件", where=str(pages_folder), hint="移走其中的文件后，运行 qa-monitor report"
            )
        made_pages = folder / "pages"
        made_pages.mkdir()
        pages, lowest = _write_pages(batch, chain(first, rest), made_pages, path, counted)
        _write(made, _report(batch, counted, pages=pages, lowest=lowest))
        put_in_place(made_pages, pages_folder)
        put_in_place(made, path)


def _card(view: CallView, number: int, counted: _Counted) -> Any:
    """The call's card, rendered. The script's hashes and the policy are of the page, not of the card."""
    from markupsafe import Markup

    counted.see(view)
    card = make_card(view, f"c{number}")
    return Markup(_templates().get_template("call.html.j2").render(card=card))


def _write_pages(
    batch: BatchView, calls: Iterator[CallView], folder: Path, path: Path, counted: _Counted
) -> tuple[list[_Page], list[_ListedCall]]:
    """The pages of calls; returns them, and the calls with the fewest points."""
    total = batch.done + batch.failed + batch.set_aside
    lowest: list[tuple[float, int, _ListedCall]] = []
    pages: list[_Page] = []
    upcoming = list(islice(calls, PAGE_CALLS))
    while upcoming:
        here, upcoming = upcoming, list(islice(calls, PAGE_CALLS))
        start = len(pages) * PAGE_CALLS
        name = _page_name(len(pages) + 1, total)
        href = quote(f"{path.stem}_通话/{name}")
        page = _Page(name, href, start + 1, start + len(here))
        cards = []
        for number, view in enumerate(here, start=page.first):
            cards.append(_card(view, number, counted))
            _keep_lowest(lowest, view, number, page)
        after = _page_name(len(pages) + 2, total) if upcoming else ""
        before = pages[-1].name if pages else ""
        shown = {"page": page, "cards": cards, "before": before, "after": after, "back": f"../{quote(path.name)}"}
        _write(folder / name, _render("calls.html.j2", batch, f"第 {page.first}–{page.last} 通", **shown))
        pages.append(page)
    return pages, [item for _, _, item in sorted(lowest, key=lambda entry: (-entry[0], -entry[1]))]


def _page_name(number: int, total: int) -> str:
    """`03.html`: as many digits as the last page needs."""
    return f"{number:0{len(str(max(1, total // PAGE_CALLS)))}d}.html"


def _keep_lowest(lowest: list[tuple[float, int, _ListedCall]], view: CallView, number: int, page: _Page) -> None:
    points = figures.points(view.score.points) if view.score else None
    if points is None:
        return
    item = _ListedCall(
        points=figures.points_text(points),
        band=figures.band(points),
        title=names.call_title(view),
        agent=names.agent_label(view),
        business=view.facts.business or "",
        veto=bool(view.score and view.score.veto),
        worst=worst_in_words(view),
        href=f"{page.href}#c{number}",
    )
    entry = (-points, -number, item)  # a heap of the fewest points: the greatest of those goes first
    if len(lowest) < LOWEST_LISTED:
        heapq.heappush(lowest, entry)
    else:
        heapq.heappushpop(lowest, entry)


def _report(
    batch: BatchView,
    counted: _Counted,
    *,
    cards: list[Any] | None = None,
    pages: list[_Page] | None = None,
    lowest: list[_ListedCall] | None = None,
) -> str:
    overview = counted.overview
    failures: list[FailureRow] = counted.failures[:FAILURES_LISTED]
    return _render(
        "report.html.j2",
        batch,
        batch.title,
        overview=overview,
        counts=counts_sentence(batch),
        length=length_sentence(batch),
        versions=version_lines(batch),
        mean_points=figures.points_text(overview.mean_points),
        mean_band=figures.band(overview.mean_points),
        chart=distribution(overview),
        dimensions=dimension_bars(batch, overview),
        resolved=figures.share_text(overview.resolution_share("resolved")),
        shares=resolution_parts(overview),
        politeness=figures.scale_text(overview.politeness),
        satisfaction=figures.scale_text(overview.satisfaction),
        by_whom=f"（{overview.scorer}）" if overview.scorer else "",
        rules=rule_bars(batch),
        dimension_names=scored_dimensions(batch),
        agents=[agent_row(agent, scored_dimensions(batch)) for agent in batch.agents],
        failures=failures,
        more_failures=len(counted.failures) - len(failures),
        method=method_lines(batch, overview),
        cards=cards or [],
        pages=pages or [],
        lowest=lowest or [],
        one_file=ONE_FILE_CALLS,
        a_page=PAGE_CALLS,
    )


def _render(template: str, batch: BatchView, page_title: str, **shown: Any) -> str:
    from markupsafe import Markup

    css, js = _asset("page.css") + _asset("call.css"), _asset("page.js")
    policy = (
        f"default-src 'none'; style-src {_hash_source(css)}; script-src {_hash_source(js)}; "
        "base-uri 'none'; form-action 'none'"
    )
    return _templates().get_template(template).render(
        batch=batch, page_title=page_title, css=Markup(css), js=Markup(js), policy=Markup(policy), **shown
    )  # fmt: skip


@lru_cache(maxsize=1)
def _templates() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@lru_cache(maxsize=4)
def _asset(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _hash_source(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
    return f"'sha256-{digest}'"


def _is_ours(folder: Path) -> bool:
    """A folder of pages that an earlier report wrote, with nothing else in it."""
    return folder.is_dir() and all(_PAGE_NAME.fullmatch(item.name) for item in folder.iterdir())


def _write(path: Path, text: str) -> None:
    # Half of a surrogate pair cannot be written as UTF-8; the policy's hashes need the newlines as they are.
    path.write_bytes(text.encode("utf-8", "replace"))
