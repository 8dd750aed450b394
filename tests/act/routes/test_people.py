from __future__ import annotations

import asyncio
import gzip
from collections import Counter
from pathlib import Path

import pytest

from monitor.act import assets, drawn
from monitor.act.transactions import NONE_WATCHED
from monitor.model import Level
from monitor.transactions.journal import Reader
from tests.act import accounts, pasts, snapshots
from tests.act.accounts import tx_hash
from tests.act.conftest import Serve, Stage
from tests.act.markup import Document


async def test_pages_fifty_views_at_once_are_one_drawing(serve: Serve) -> None:
    """However many look at the same moment, the page is drawn once."""
    stage = Stage(snapshots.fleet(20))
    client = await serve(stage)

    async def look() -> bytes:
        async with client.get("/") as answer:
            return await answer.read()

    pages = await asyncio.gather(*(look() for _ in range(50)))
    assert stage.looks == 1
    assert len(set(pages)) == 1


async def test_pages_are_drawn_anew_when_something_happened(serve: Serve) -> None:
    """A page is kept for half a second only."""
    stage = Stage()
    client = await serve(stage)
    async with client.get("/") as answer:
        assert '<p class="word">Pass</p>' in await answer.text()
    stage.snapshot = snapshots.stalled()
    stage.now += drawn.KEEP_SECONDS
    async with client.get("/") as answer:
        assert '<p class="word">Fail</p>' in await answer.text()


@pytest.mark.parametrize("route", ["/", "/node/node-007", "/static/uPlot.iife.min.js"])
async def test_pages_travel_packed(route: str, serve: Serve) -> None:
    """What is packed is the same page, and less than half of it."""
    client = await serve(Stage(snapshots.fleet(20)))
    async with client.get(route, headers={"Accept-Encoding": "identity"}) as plain:
        assert "Content-Encoding" not in plain.headers
        body = await plain.read()
    async with client.get(route, headers={"Accept-Encoding": "gzip"}) as packed:
        assert packed.headers["Content-Encoding"] == "gzip"
        assert int(packed.headers["Content-Length"]) < len(body) / 2
        assert await packed.read() == body
    assert len(gzip.compress(body)) < len(body)


async def test_assets_have_their_types_and_may_be_kept(serve: Serve) -> None:
    """Under nosniff a wrong type would leave the page without its style or its script."""
    client = await serve(Stage())
    for name, (_, kind) in assets.STATIC.items():
        async with client.get(f"/static/{name}") as answer:
            assert (answer.status, answer.headers["Content-Type"]) == (200, kind)
            assert "max-age" in answer.headers["Cache-Control"]


async def test_assets_are_asked_for_by_their_content(serve: Serve) -> None:
    """A page of a newer release does not run with the scripts of the one before."""
    client = await serve(Stage(history=await pasts.history_at()))
    async with client.get("/node/local") as answer:
        html = await answer.text()
    for name in ("headwatch.css", "live.js", "chart.js", "uPlot.iife.min.js", "uPlot.min.css"):
        assert f'/static/{name}?v={assets.stamp()}"' in html


@pytest.mark.parametrize(
    ("situation", "route", "words"),
    [
        ("healthy", "/badge.svg", "headwatch: pass"),
        ("stalled", "/badge.svg", "headwatch: fail"),
        ("split", "/badge.svg", "headwatch: inconclusive"),
        ("healthy", "/badge/local.svg", "local: ok"),
        ("stalled", "/badge/local.svg", "local: failed"),
        ("stalled", "/badge/spare.svg", "spare: ok"),
        ("unreachable", "/badge/local.svg", "local: unknown"),
        ("beginning", "/badge/local.svg", "local: unknown"),
        ("beginning", "/badge.svg", "headwatch: inconclusive"),
    ],
)
async def test_badge_says_what_is(situation: str, route: str, words: str, serve: Serve) -> None:
    """The verdict of all, or the level of one; other sites may show it, for a moment."""
    client = await serve(Stage(snapshots.SITUATIONS[situation]))
    async with client.get(route) as answer:
        assert answer.content_type == "image/svg+xml"
        assert f"<title>{words}</title>" in await answer.text()
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert answer.headers["Cache-Control"] == "public, max-age=15"


async def test_badge_of_a_degraded_node_says_so(serve: Serve) -> None:
    """A warning passes, and is not shown as ok."""
    worse = snapshots.with_finding(
        snapshots.healthy(), snapshots.finding("fork", "node:local", Level.DEGRADED)
    )
    client = await serve(Stage(worse))
    async with client.get("/badge/local.svg") as answer:
        assert "<title>local: degraded</title>" in await answer.text()


async def test_incidents_page_shows_only_what_was_chosen(serve: Serve) -> None:
    """Of one node its own; what is chosen stays chosen."""
    history = await pasts.history_at()
    pasts.live_through(history, [(0.1, snapshots.stalled())])
    await history.flush()
    client = await serve(Stage(snapshots.stalled(), history=history))
    async with client.get("/incidents?node=local") as answer:
        html = await answer.text()
    assert html.count('id="incident-') == 2
    assert "<option selected>local</option>" in html
    assert "eth_getBlockByNumber(latest)" in html
    async with client.get("/incidents?node=spare&network=ethereum") as answer:
        html = await answer.text()
    assert html.count('id="incident-') == 0
    assert 'href="/incidents?network=ethereum&amp;node=spare&amp;refresh=0"' in html


async def test_node_page_shows_the_last_exchange(serve: Serve) -> None:
    """What was asked last and what it said, scrubbed, without asking anybody for it."""
    stage = Stage()
    stage.exchange = lambda facts: (f"to {facts.name}", '"0x1"')  # type: ignore[method-assign]
    client = await serve(stage)
    async with client.get("/node/local") as answer:
        html = await answer.text()
    assert "LAST REQUEST\n  to local\n" in html
    assert "LAST ANSWER\n  &#34;0x1&#34;\n" in html
    assert "/badge/local.svg)](http://127.0.0.1:9845/node/local)" in html


async def account_stage(tmp_path: Path) -> Stage:
    journal = await accounts.written(tmp_path / "journal.sqlite")
    return Stage(accounts.watched(), journal=Reader(journal), orders=accounts.Clerk())


@pytest.mark.parametrize("route", ["/", f"/transactions/{tx_hash(17)}", "/transactions/0x3e9006"])
async def test_page_with_accounts_is_whole(route: str, tmp_path: Path, serve: Serve) -> None:
    """Every tag is closed, every id is one, every table and heading is in order."""
    client = await serve(await account_stage(tmp_path))
    async with client.get(route) as answer:
        assert answer.status == 200
        document = Document(await answer.text())
    tags = document.tags
    ids = Counter(attributes["id"] for _, attributes in tags if "id" in attributes)
    assert document.open == []
    assert [name for name, count in ids.items() if count > 1] == []
    assert sum(tag == "h1" for tag, _ in tags) == 1
    assert all(attributes.get("scope") for tag, attributes in tags if tag == "th")
    assert sum(tag == "caption" for tag, _ in tags) == sum(tag == "table" for tag, _ in tags)
    for tag, attributes in tags:
        assert tag not in {"style", "iframe"}
        assert not any(name == "style" or name.startswith("on") for name in attributes)
        address = attributes.get("href")
        assert address is None or address.startswith(("/", "#")), address


async def test_page_of_a_transaction_is_found_by_its_nonce_and_can_be_paused(
    tmp_path: Path, serve: Serve
) -> None:
    """By account and nonce, with the pace that was asked for; the link leads to the same page."""
    client = await serve(await account_stage(tmp_path))
    async with client.get(f"/transactions/{accounts.ALIAS}/17?refresh=7") as answer:
        html = await answer.text()
    assert f'href="/transactions/{accounts.ALIAS}/17?refresh=0"' in html
    async with client.get(f"/transactions/{accounts.ALIAS}/17?network=ethereum") as answer:
        assert f'href="/transactions/{tx_hash(17)}?refresh=0"' in await answer.text()
    async with client.get(f"/transactions/{accounts.ALIAS}/17?network=gnosis") as answer:
        assert answer.status == 404
    assert 'http-equiv="refresh" content="7"' in html
    assert tx_hash(17) in html


@pytest.mark.parametrize("token", [None, "the-token"])
async def test_page_of_a_transaction_keeps_what_is_no_one_else_s(
    token: str | None, tmp_path: Path, serve: Serve
) -> None:
    """A browser bears no token: it sees what is public, and that there is more.

    Of two who ask at once, each gets the page that is theirs.
    """
    client = await serve(await account_stage(tmp_path), token=token)
    secret, public = accounts.raw_of(18).hex(), accounts.raw_of(17).hex()
    trusted = {"Authorization": "Bearer the-token"}
    elsewhere = {"Host": "headwatch.example.org"}
    for nonce, bytes_, is_public in ((18, secret, False), (17, public, True)):
        route = f"/transactions/{accounts.ALIAS}/{nonce}"
        async with client.get(route, headers=trusted) as answer:
            assert bytes_ in await answer.text()
        async with client.get(route, headers=elsewhere) as answer:
            html = await answer.text()
        assert (bytes_ in html) == is_public
        assert ("those who may give orders" in html.replace("\n", " ")) != is_public


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        (tx_hash(99), 404, "the journal has no transaction"),
        ("0xnothing", 404, "expected a hash"),
        (f"{accounts.ALIAS}/17?network=a&network=b", 400, "network: expected once"),
    ],
)
async def test_page_of_a_transaction_that_is_none_says_so(
    name: str, status: int, said: str, tmp_path: Path, serve: Serve
) -> None:
    """As everywhere, one line; and where nothing is watched, that nothing is."""
    client = await serve(await account_stage(tmp_path))
    async with client.get(f"/transactions/{name}") as answer:
        assert answer.status == status
        assert said in (await answer.json())["error"]
    client = await serve(Stage())
    async with client.get(f"/transactions/{tx_hash(17)}") as answer:
        assert answer.status == 404
        assert (await answer.json())["error"] == NONE_WATCHED
