from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from monitor.act.html import status_html
from monitor.model import Level
from tests.act import snapshots
from tests.act.conftest import Serve, Stage


class Document(HTMLParser):
    """The tags of a page, their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "link", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.mark.parametrize("situation", snapshots.SITUATIONS)
async def test_page_in_every_situation_is_whole_without_script(
    situation: str, serve: Serve
) -> None:
    """Every tag is closed; there is no script, no inline style and nothing from elsewhere."""
    client = await serve(Stage(snapshots.SITUATIONS[situation]))
    async with client.get("/") as answer:
        assert answer.status == 200
        document = Document(await answer.text())
    assert document.open == []
    for tag, attributes in document.tags:
        assert tag not in {"script", "style", "iframe", "form", "img"}
        assert not any(name == "style" or name.startswith("on") for name in attributes)
        for name in ("href", "src"):
            address = attributes.get(name)
            assert address is None or address.startswith("/"), address


async def test_page_is_accessible_in_its_structure(serve: Serve) -> None:
    """A language, a title, one first heading, and header cells that say what they head."""
    client = await serve(Stage(snapshots.stalled()))
    async with client.get("/") as answer:
        document = Document(await answer.text())
    tags = document.tags
    assert ("html", {"lang": "en"}) in tags
    assert sum(tag == "h1" for tag, _ in tags) == 1
    assert sum(tag == "title" for tag, _ in tags) == 1
    assert all(attributes.get("scope") for tag, attributes in tags if tag == "th")
    assert sum(tag == "caption" for tag, _ in tags) == sum(tag == "table" for tag, _ in tags)


@pytest.mark.parametrize(
    ("situation", "words"),
    [
        ("healthy", "Node local is on the network's chain"),
        ("stalled", "Node local FAILED: stall"),
        ("unreachable", "Node local cannot be judged: head"),
        ("split", "The references of ethereum cannot be believed"),
        ("beginning", "Nothing has been judged yet"),
    ],
)
async def test_page_says_the_verdict_first(situation: str, words: str, serve: Serve) -> None:
    """The first heading is the verdict in one sentence, and the tab's icon has its colour."""
    snapshot = snapshots.SITUATIONS[situation]
    client = await serve(Stage(snapshot))
    async with client.get("/") as answer:
        text = await answer.text()
    assert f"/static/{snapshot.verdict.word}.svg" in text
    assert words in Document(text.split("<h1>")[1].split("</h1>")[0]).text


async def test_page_shows_measured_limit_remedy_and_evidence(serve: Serve) -> None:
    """What an operator needs in the night: what, how far, since when, what to do, who said so."""
    client = await serve(Stage(snapshots.stalled()))
    async with client.get("/") as answer:
        text = Document(await answer.text()).text
    for words in (
        "measured 9 blocks, limit 2 blocks",
        "since 11:05:16 UTC, for 1 min 24 s",
        "First look: If only this node stands",
        "checks.md#stall",
        "follows from stall",
        "p = 3.1e-09",
        "+9 +108 s",
        "3 of 3 operators agree",
        "4,100 of 50,000",
    ):
        assert words in text


async def test_page_escapes_what_a_hostile_node_says(serve: Serve) -> None:
    """A client version, a summary or an error can hold markup; the page shows it as text."""
    hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    snapshot = snapshots.with_finding(
        snapshots.healthy(),
        snapshots.finding("identity", "node:local", Level.FAILED, summary=hostile),
    )
    facts = replace(snapshots.node_facts(client=hostile), errors_total={hostile: 3})
    snapshot = replace(snapshot, endpoints=(*snapshot.endpoints[:-1], facts))
    client = await serve(Stage(snapshot))
    async with client.get("/") as answer:
        text = await answer.text()
    tags = {tag for tag, _ in Document(text).tags}
    assert not tags & {"script", "img"}
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize(("query", "expected"), [("", "5"), ("?refresh=60", "60")])
async def test_page_reloads_itself_as_asked(query: str, expected: str, serve: Serve) -> None:
    """Every five seconds unless told otherwise."""
    client = await serve(Stage())
    async with client.get("/" + query) as answer:
        tags = Document(await answer.text()).tags
    assert ("meta", {"http-equiv": "refresh", "content": expected}) in tags


async def test_page_refresh_zero_stays(serve: Serve) -> None:
    """Who reads the evidence can stop the page from moving."""
    client = await serve(Stage())
    async with client.get("/?refresh=0") as answer:
        assert "http-equiv" not in await answer.text()


def test_page_words_in_backticks_are_code() -> None:
    """The documentation of a check is written once, for pages and for Markdown."""
    text = status_html(snapshots.unreachable(), refresh_seconds=0)
    assert "<code>eth_syncing</code>" in text
    assert "`" not in text


def test_page_nobody_opened_costs_no_template_engine() -> None:
    """Jinja is imported at the first view: a sidecar is paid for in resident memory."""
    code = "import sys, monitor.act.server; sys.exit('jinja2' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
