"""Small rulebooks from text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from rules_helpers import HEAD, MakeBook, indented

from qa_monitor.rules.rulebook import Rulebook, load_rulebook


@pytest.fixture
def make_book(tmp_path: Path) -> MakeBook:
    """A rulebook of one file with this text."""

    def make(text: str) -> Rulebook:
        folder = tmp_path / "demo"
        folder.mkdir(exist_ok=True)
        (folder / "rules.yaml").write_text(text, encoding="utf-8")
        return load_rulebook(tmp_path, ["demo"])

    return make


@pytest.fixture
def make_rule(make_book: MakeBook) -> Callable[..., Rulebook]:
    """A rulebook of one rule, `t.rule`, whose body (and file head) is given."""

    def make(body: str, head: str = "") -> Rulebook:
        return make_book(f"{head}\nrules:\n{HEAD}{indented(body, 4)}\n")

    return make
