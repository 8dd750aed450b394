"""The tap and the journal that it was made for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from monitor.config.transactions import Account
from monitor.model import Address
from monitor.transactions.filing import ABSENT_ROUNDS_MAX, Filing, Place
from monitor.transactions.journal import Journal, Reader
from monitor.transactions.rules import Rules
from monitor.transactions.sight import Sight
from monitor.transactions.tap import Sent, Tap, TapLimits, open_session
from monitor.transactions.ward import Ward
from monitor.url import Url
from tests.rpc.canned import Canned, Clock
from tests.transactions import signing
from tests.transactions.conftest import Dial
from tests.transactions.tap.upstream import Upstream, always, error, send_of

DONE = signing.sign(signing.legacy())
CLOCK = Clock(1_700_000_000.0)


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal = Journal(tmp_path / "journal.sqlite", clock=CLOCK)
    await journal.open()
    yield journal
    await journal.close()


@pytest.fixture
async def url(journal: Journal, upstream: Upstream) -> AsyncIterator[str]:
    """A tap as the sidecar makes it."""
    sent: list[Sent] = []
    async with open_session() as session:
        tap = Tap(
            upstream=Url(upstream.url),
            websocket=None,
            ledger=journal,
            session=session,
            token=None,
            limits=TapLimits(),
            clock=CLOCK,
            on_sent=sent.append,
        )
        host, port = await tap.start("127.0.0.1", 0)
        yield f"http://{host}:{port}"
        await tap.stop()


async def post(client: aiohttp.ClientSession, url: str) -> Any:
    async with client.post(url, json=send_of(DONE.raw)) as response:
        return await response.json()


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({"id": 1, "result": DONE.hash}, None),
        (error("already known"), None),
        (error("insufficient funds"), "refused"),
        (error("request timed out"), "unanswered"),
        (error("words that nobody knows"), "unanswered"),
    ],
)
async def test_journal_has_what_was_sent_and_what_was_told(
    journal: Journal,
    upstream: Upstream,
    client: aiohttp.ClientSession,
    url: str,
    *,
    said: Any,
    outcome: str | None,
) -> None:
    """The bytes, under the hash by which nodes name them, with the outcome of an error."""
    upstream.respond = always(said)
    assert await post(client, url) == said
    (arrival,) = Reader(journal.path).arrivals()
    assert (arrival.hash, arrival.raw, arrival.source) == (DONE.hash, DONE.raw, "tap")
    assert arrival.outcome == outcome


async def test_send_that_was_refused_and_is_sent_again_counts_as_sent(
    journal: Journal, upstream: Upstream, client: aiohttp.ClientSession, url: str
) -> None:
    """A sender funds its account and sends the same bytes once more."""
    for said in (error("insufficient funds"), {"id": 1, "result": DONE.hash}):
        upstream.respond = always(said)
        await post(client, url)
    (arrival,) = await journal.arrivals()
    assert arrival.outcome is None


async def test_journal_that_is_closed_lets_nothing_pass(
    journal: Journal, upstream: Upstream, client: aiohttp.ClientSession, url: str
) -> None:
    """Its own error is the reason that the client is told."""
    await journal.close()
    answer = await post(client, url)
    text = "headwatch tap: not forwarded, because the journal cannot be written: "
    assert answer["error"]["message"].startswith(text)
    assert upstream.requests == []


@pytest.mark.parametrize("is_on_its_way", [True, False])
async def test_send_that_was_answered_in_unknown_words_is_looked_for(
    journal: Journal,
    upstream: Upstream,
    client: aiohttp.ClientSession,
    url: str,
    *,
    server: Canned,
    dial: Dial,
    is_on_its_way: bool,
) -> None:
    """Such an error proves nothing: it is watched where anybody has it, else given up."""
    upstream.respond = always(error("words that nobody knows"))
    await post(client, url)
    place = {"hash": DONE.hash, "blockNumber": None}
    server.answers["eth_getTransactionByHash"] = place if is_on_its_way else None
    sender = Address(signing.SENDER.address.lower())
    ward = Ward(Account(alias="till", address=sender), Rules(), "net")
    filing = Filing(journal, Sight(CLOCK), CLOCK, is_claimed=lambda _transaction: False)
    for number in range(1, ABSENT_ROUNDS_MAX + 1):
        assert len(await journal.arrivals()) == 1
        here = Place("net", signing.CHAIN_ID, number)
        await filing.arrivals({sender: ward}, here, [dial(server.url)], ())
        if is_on_its_way:
            break
    assert [slot.newest.hash for slot in ward.slots.values() if slot.newest] == (
        [DONE.hash] if is_on_its_way else []
    )
    assert await journal.arrivals() == ()
