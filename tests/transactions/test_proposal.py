"""The unsigned replacement: what it says, and the webhook that gets it."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from monitor.model import Evidence, Level
from monitor.transactions.fees import Fees
from monitor.transactions.proposal import SCHEMA, Proposal, Proposals
from monitor.transactions.unsigned import Unsigned
from monitor.transactions.words import Decision, State
from monitor.url import Url
from tests.transactions import builders as make


class Desk:
    """A webhook that keeps what it gets, and answers as it is told."""

    def __init__(self) -> None:
        self.status = 202
        self.got: list[tuple[dict[str, Any], str | None]] = []
        self.url = ""

    async def serve(self, request: web.Request) -> web.Response:
        self.got.append((await request.json(), request.headers.get("Authorization")))
        return web.Response(status=self.status)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    app = web.Application()
    app.router.add_post("/{path:.*}", desk.serve)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    desk.url = f"http://{host}:{port}/hook/s3cr3t-key"
    yield desk
    await runner.cleanup()


def proposal() -> Proposal:
    unsigned = Unsigned(
        type=2,
        chain_id=1,
        nonce=make.NONCE,
        to=make.PAYEE,
        value_wei=make.ETHER,
        data=b"\x01",
        gas=21_000,
        fee_cap_wei=40,
        tip_cap_wei=3,
    )
    evidence = Evidence("net/a", "eth_getTransactionByHash", "absent", make.NOW)
    decision = Decision("14", State.UNDERPRICED_CAP, Level.DEGRADED, "too cheap", (), (evidence,))
    return Proposal("net", "till", make.slot_of(), decision, unsigned, Fees(40, 3))


def test_proposal_says_what_to_sign_and_why() -> None:
    """The transaction as eth_signTransaction takes it, its nonce the slot's, with the evidence."""
    document = proposal().as_json()
    transaction = document["transaction"]
    assert isinstance(transaction, dict)
    assert document["schema"] == SCHEMA
    assert (document["nonce"], transaction["nonce"]) == (make.NONCE, hex(make.NONCE))
    assert document["replaces"] == make.hash_of("tx 7")
    assert document["reason"] == "underpriced_cap"
    assert (document["fee_cap_wei"], transaction["maxFeePerGas"]) == (40, hex(40))
    evidence = document["evidence"]
    assert isinstance(evidence, list)
    assert evidence[0]["said"] == "absent"
    assert json.loads(json.dumps(document)) == document


async def test_post_hands_it_over_with_the_token(
    desk: Desk, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """The token is read anew for every message, and the outcome is counted."""
    token = tmp_path / "token"
    outcomes: list[str] = []
    proposals = Proposals(Url(desk.url), token, session, outcomes.append)
    for word in ("first", "second"):
        token.write_text(f"{word}\n")
        assert await proposals.post(proposal().as_json()) == ""
    assert [header for _, header in desk.got] == ["Bearer first", "Bearer second"]
    assert desk.got[0][0] == proposal().as_json()
    assert outcomes == ["sent", "sent"]


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_post_that_is_not_taken_says_so(
    desk: Desk, session: aiohttp.ClientSession, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """A redirect is not followed, which could lead it anywhere. The log names host and port."""
    desk.status = status
    outcomes: list[str] = []
    proposals = Proposals(Url(desk.url), None, session, outcomes.append)
    assert await proposals.post({}) == f"HTTP {status}"
    assert outcomes == ["failed"]
    masked = desk.url.replace("hook/s3cr3t-key", "***")
    said = [record.getMessage() for record in caplog.records if record.name == "headwatch"]
    assert said == [f"a proposal was not taken by {masked}: HTTP {status}"]


async def test_post_to_nobody_names_no_key(
    session: aiohttp.ClientSession, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither a dead receiver nor a missing token makes a traceback, or shows the URL's path."""
    url = Url("http://127.0.0.1:9/hook/s3cr3t-key")
    said = await Proposals(url, None, session, lambda outcome: None).post({})
    assert said
    assert "s3cr3t" not in said
    missing = Proposals(url, tmp_path / "none", session, lambda outcome: None)
    assert "token cannot be read" in await missing.post({})
    assert "token cannot be read" in caplog.text
    assert "s3cr3t" not in caplog.text


def test_page_has_every_field_of_the_document() -> None:
    """Who writes the receiver reads it there."""
    document = proposal().as_json()
    page = (Path(__file__).parents[2] / "docs" / "transactions.md").read_text()
    _, _, rest = page.partition(f"`{SCHEMA}`")
    table = re.findall(r"^\| (`[^|]*`) \|", rest.partition("\n## ")[0], re.MULTILINE)
    named = {name for cell in table for name in re.findall(r"`([a-z_]+)`", cell)}
    assert named == set(document)
