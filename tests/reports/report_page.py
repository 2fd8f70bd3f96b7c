"""A page of the report, taken apart; anything that could load or run something fails."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "br", "input"}
LOADING = {"src", "srcset", "action", "data", "poster", "formaction", "background", "xlink:href"}


class Page(HTMLParser):
    """Checks that tags close in order, and collects ids, links, event handlers and what scripts and styles say."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self.policy = ""
        self.words = ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        given = dict(attrs)
        assert not LOADING & set(given), f"<{tag}> loads something"
        assert not [name for name in given if name.startswith("on") or name == "style"], f"<{tag}> {given}"
        self.ids += [given["id"] or ""] if "id" in given else []
        if "href" in given:
            self.links.append(given["href"] or "")
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"] or ""

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not LOADING & {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> out of order at {self.getpos()}"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.raw:
            self.raw[self.open[-1]].append(data)
        else:
            self.words += data
