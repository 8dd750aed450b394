from __future__ import annotations

import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest

from monitor.act.html import TEMPLATES, html_of
from monitor.act.pages.fleet import FleetPage, fleet_page
from monitor.model import Level
from tests.act import pasts, snapshots
from tests.act.conftest import Serve, Stage
from tests.act.markup import Document

PAGES = ("/", "/node/local", "/incidents", "/runbook", "/runbook/HeadwatchNodeStalled")


async def staged(situation: str) -> Stage:
    """A situation that another one went before, with both remembered."""
    history = await pasts.history_at()
    pasts.live_through(
        history, [(0.2, snapshots.healthy()), (0.2, snapshots.SITUATIONS[situation])]
    )
    await history.flush()
    return Stage(snapshots.SITUATIONS[situation], history=history)


@pytest.mark.parametrize("route", PAGES)
@pytest.mark.parametrize("situation", snapshots.SITUATIONS)
async def test_page_in_every_situation_is_whole(situation: str, route: str, serve: Serve) -> None:
    """Every tag is closed, every id is one, scripts and styles are files of ours alone."""
    client = await serve(await staged(situation))
    async with client.get(route) as answer:
        assert answer.status == 200
        document = Document(await answer.text())
    assert document.open == []
    ids = Counter(attributes["id"] for _, attributes in document.tags if "id" in attributes)
    assert [name for name, count in ids.items() if count > 1] == []
    for tag, attributes in document.tags:
        assert tag not in {"style", "iframe", "object", "embed"}
        assert not any(name == "style" or name.startswith("on") for name in attributes)
        if tag == "script":
            assert (attributes["src"] or "").startswith("/static/")
        for name in ("href", "src", "action"):
            address = attributes.get(name)
            assert address is None or address.startswith(("/", "#")), address


@pytest.mark.parametrize("route", PAGES)
async def test_page_is_accessible_in_its_structure(route: str, serve: Serve) -> None:
    """A language, a title, one first heading, and header cells that say what they head."""
    client = await serve(await staged("stalled"))
    async with client.get(route) as answer:
        document = Document(await answer.text())
    tags = document.tags
    assert ("html", {"lang": "en"}) in tags
    assert sum(tag == "h1" for tag, _ in tags) == 1
    assert sum(tag == "main" for tag, _ in tags) == 1
    assert all(attributes.get("scope") for tag, attributes in tags if tag == "th")
    assert sum(tag == "caption" for tag, _ in tags) == sum(tag == "table" for tag, _ in tags)
    named = {"title", "aria-label", "aria-labelledby"}
    for tag, attributes in tags:
        if tag == "nav" or attributes.get("role") in {"group", "region"}:
            assert named & set(attributes)


@pytest.mark.parametrize("route", PAGES)
async def test_page_without_a_script_reloads_itself(route: str, serve: Serve) -> None:
    """The reload is there for those without scripts only, and can be stopped."""
    client = await serve(await staged("healthy"))
    async with client.get(route) as answer:
        text = await answer.text()
    assert text.count("http-equiv") == 1
    before, _, after = text.partition('<meta http-equiv="refresh"')
    assert before.endswith("<noscript>")
    assert after.split(">", 1)[1].startswith("</noscript>")
    assert f'href="{route}?refresh=0"' in text
    async with client.get(f"{route}?refresh=0") as answer:
        text = await answer.text()
    assert "http-equiv" not in text
    assert f'paused, <a href="{route}">resume</a>' in text


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
        html = await answer.text()
    text = Document(html).text
    for words in (
        "measured 9 blocks, limit 2 blocks",
        "since 11:05:16 UTC, for 1 min 24 s",
        "First look: If only this node stands",
        "follows from stall",
        "p = 3.1e-09",
        "+9 +108 s",
        "3 of 3 operators agree",
        "4,100 of 50,000",
    ):
        assert words in text
    assert 'href="/runbook/HeadwatchNodeStalled"' in html
    assert 'href="/node/local"' in html


async def test_page_shows_the_past_where_it_is_remembered(serve: Serve) -> None:
    """Bars and uptime of each node, what began and ended; without a history none of it."""
    client = await serve(await staged("stalled"))
    async with client.get("/") as answer:
        html = await answer.text()
    assert html.count('<svg class="bars"') == 2
    text = Document(html).text
    assert "Recent incidents" in text
    assert "last 24 h, of which 24 min are known: failed for 12 min" in text
    assert "up 50 %" in text
    client = await serve(Stage(snapshots.stalled()))
    async with client.get("/") as answer:
        html = await answer.text()
    assert "<svg" not in html
    assert "Recent incidents" not in html


@pytest.mark.parametrize("route", ["/", "/node/local", "/incidents"])
async def test_page_escapes_what_a_hostile_node_says(route: str, serve: Serve) -> None:
    """A client version, a summary or an error can hold markup; the page shows it as text."""
    hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    snapshot = snapshots.with_finding(
        snapshots.healthy(),
        snapshots.finding("identity", "node:local", Level.FAILED, summary=hostile),
    )
    facts = replace(
        snapshots.node_facts(client=hostile),
        errors_total={hostile: 3},
        last_exchange=(hostile, hostile),
    )
    history = await pasts.history_at()
    pasts.live_through(history, [(0.1, snapshot)])
    await history.flush()
    stage = Stage(replace(snapshot, endpoints=(*snapshot.endpoints[:-1], facts)), history=history)
    client = await serve(stage)
    async with client.get(route) as answer:
        text = await answer.text()
    for tag, attributes in Document(text).tags:
        if tag in {"script", "img"}:
            assert (attributes["src"] or "").startswith(("/static/", "/badge/"))
            assert not any(name.startswith("on") for name in attributes)
    assert "&lt;script&gt;" in text


def test_page_words_in_backticks_are_code() -> None:
    """The documentation of a check is written once, for pages and for Markdown."""
    text = html_of(fleet_page(snapshots.unreachable(), refresh_seconds=0))
    assert "<code>eth_syncing</code>" in text
    assert "`" not in text


def test_every_kind_of_page_has_its_template() -> None:
    """A page that nothing lays out is no page."""
    assert TEMPLATES[FleetPage] == "fleet.html.j2"
    assert len(set(TEMPLATES.values())) == len(TEMPLATES)


def test_page_nobody_opened_costs_no_template_engine() -> None:
    """Jinja and Markdown are imported at the first view: a sidecar is paid for in memory."""
    code = (
        "import sys, monitor.act.server; "
        "sys.exit(bool({'jinja2', 'markdown_it'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
