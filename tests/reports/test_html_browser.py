"""The HTML report in a real browser: it works, and text from outside never does anything. Needs Chromium."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from report_factory import make_batch, make_call, standard_calls
from report_page import Page
from report_scripts import SCRIPTS

from qa_monitor.records import Agent, Note
from qa_monitor.reports.html import write_html
from qa_monitor.store.views import BatchView, CallView, FailureView

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((path for name in BROWSERS if (path := shutil.which(name))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium installed (apt-get install chromium)")
HACKED = "HACKED"


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """A server on this machine: its address, and the paths that anything asked of it."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def dom(page: Path, profile: Path) -> str:
    """The page's document after its scripts ran."""
    assert CHROMIUM is not None
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", f"--user-data-dir={profile}",
        "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1", "--virtual-time-budget=3000", "--dump-dom",
        page.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, timeout=90, check=True)
    return done.stdout.decode("utf-8")


def title(document: str) -> str:
    return document.partition("<title>")[2].partition("</title>")[0]


def payloads(server: str) -> list[str]:
    act = f"document.title='{HACKED}';new Image().src='{server}/script'"
    return [
        f"<script>{act}</script>",
        f"\"><img src={server}/img onerror=\"{act}\">",
        f"' onmouseover='{act}' autofocus onfocus='{act}' x='",
        f"</script><script>{act}</script>",
        f"</title></style><svg onload=\"{act}\">",
        f"javascript:{act}",
        "{{7*7}}${7*7}#{7*7}",
        f"--><iframe src=\"javascript:{act}\"></iframe>",
        f"</textarea></details><link rel=stylesheet href={server}/css><base href={server}/>",
    ]  # fmt: skip


def hostile_calls(text: str) -> list[CallView]:
    view = make_call(SCRIPTS[1])
    assert view.dialogue is not None
    assert view.model is not None
    assert view.score is not None
    turns = tuple(
        replace(turn, text=text + turn.text, suspect=text if turn.index == 3 else None) for turn in view.dialogue.turns
    )
    findings = tuple(
        replace(
            finding, name=text, why=text, rule_id=text + finding.rule_id, category=text,
            evidence=tuple(replace(item, quote=text, match=text, start=0, end=5) for item in finding.evidence),
        )
        for finding in view.findings
    )  # fmt: skip
    dimensions = tuple(replace(part, name=text) for part in view.score.dimensions)
    return [
        replace(
            view, names=(text, f"{text}/{text}"), key=text, agent=Agent(text, text, text),
            facts=replace(view.facts, call_id=text, agent_id=text, business=text, started_at=text, extra={text: text}),
            dialogue=replace(view.dialogue, turns=turns, roles_from=text), findings=findings,
            model=replace(view.model, scorer=text),
            score=replace(view.score, dimensions=dimensions, arithmetic=text, veto=(text,)), notes=(Note("x", text),),
        ),
        replace(view, score=replace(view.score, points=None, not_scored=text)),
        replace(view, score=None, model=None, dialogue=None, error=("x", text)),
    ]  # fmt: skip


def hostile_batch(text: str, calls: list[CallView]) -> BatchView:
    batch = make_batch(calls, title=text)
    agents = tuple(replace(agent, agent_id=text, agent=Agent(text, text, text)) for agent in batch.agents)
    rules = tuple(replace(rule, rule_id=text, name=text, category=text, failed=3) for rule in batch.rules)
    versions = replace(batch.versions, program=text, rulebook=text, scorecard=text, scorer=text, asr=text)
    failures = (FailureView(text, "failed", text, text, text, text),)
    return replace(
        batch, agents=agents, rules=rules, versions=versions, failures=failures, unmatched_note=text, timezone=text,
        notes=(Note("x", text),), dimensions=(text,),
    )  # fmt: skip


def test_text_from_outside_does_nothing(tmp_path: Path, listener: tuple[str, list[str]]) -> None:
    server, asked = listener
    text = " ".join(payloads(server))
    calls = hostile_calls(text)
    write_html(hostile_batch(text, calls), iter(calls), tmp_path / "r.html")
    document = dom(tmp_path / "r.html", tmp_path / "profile")
    assert title(document).startswith("&lt;script&gt;"), "the title is the batch's, as text"
    assert "3 / 3 通" in document, "the page's own script ran to its end"
    assert "{{7*7}}" in document
    assert len(Page(document).raw["script"]) == 1, "and no element came of the text"
    assert asked == []


def test_the_policy_stops_what_escaping_let_through(tmp_path: Path, listener: tuple[str, list[str]]) -> None:
    """Escaping is taken away to see that the policy holds alone, then the policy too, to see that the trap works."""
    server, asked = listener
    calls = [make_call(SCRIPTS[0])]
    write_html(make_batch(calls), iter(calls), tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    attack = f"<script>document.title='{HACKED}'</script><img src='{server}/img' onerror=\"document.title='{HACKED}'\">"
    page = page.replace("<footer>", f"{attack}<footer>")
    (tmp_path / "guarded.html").write_text(page, encoding="utf-8")
    assert title(dom(tmp_path / "guarded.html", tmp_path / "profile")) != HACKED
    assert asked == []
    (tmp_path / "open.html").write_text(page.replace("Content-Security-Policy", "x-none"), encoding="utf-8")
    assert title(dom(tmp_path / "open.html", tmp_path / "profile")) == HACKED
    assert asked == ["/img"]


def test_sorting_filters_search_and_links_work(tmp_path: Path) -> None:
    calls = standard_calls()
    write_html(make_batch(calls), iter(calls), tmp_path / "r.html")
    driver = """
    const shown = () => [...document.querySelectorAll('.call:not(.hidden)')];
    const ids = () => [...document.querySelectorAll('#agents tbody tr')].map((row) => row.dataset.agent).join(',');
    const press = (selector) => document.querySelector(selector).click();
    const told = [];
    press('#agents thead th[data-ranked] button'); told.push(ids());
    press('#agents thead th[data-ranked] button'); told.push(ids());
    press('[data-flag=veto]'); told.push(shown().length); press('[data-flag=veto]');
    const words = document.querySelector('#tools input');
    words.value = '制氧机'; words.dispatchEvent(new Event('input')); told.push(shown().length);
    words.value = ''; words.dispatchEvent(new Event('input')); told.push(shown().length);
    const order = document.querySelector('[name=order]');
    order.value = 'low'; order.dispatchEvent(new Event('change'));
    told.push(document.querySelector('.call .score').textContent);
    press('[data-open]'); told.push(document.querySelectorAll('.call[open]').length); press('[data-open]');
    location.hash = '#c2f1';
    setTimeout(() => {
      told.push(document.getElementById('c2').open);
      document.querySelector('#c2f1').dispatchEvent(new MouseEvent('mouseover', {bubbles: true}));
      told.push([...document.querySelectorAll('mark.lit')].map((mark) => mark.textContent).join());
      document.title = told.join(' | ');
    }, 100);
    """
    page = (tmp_path / "r.html").read_text(encoding="utf-8").replace("Content-Security-Policy", "x-none")
    (tmp_path / "driven.html").write_text(
        page.replace("</body>", f"<script>{driver}</script></body>"), encoding="utf-8"
    )
    told = title(dom(tmp_path / "driven.html", tmp_path / "profile")).split(" | ")
    assert told == [
        "007,1024,2E5,3310,4408,5500", "1024,007,3310,2E5,4408,5500", "2", "1", "9", "0.0", "9", "true", "你问我我问谁啊",
    ]  # fmt: skip
