"""The tap before a real node, for the clients that people use."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from web3 import AsyncHTTPProvider, AsyncWeb3, HTTPProvider, Web3, WebSocketProvider
from web3.exceptions import Web3RPCError

from monitor.lab.anvil import Anvil, Chain
from monitor.transactions.tap import Tap, TapLimits, open_session
from monitor.transactions.tap.clerk import named
from monitor.url import Url
from tests.rpc.canned import Clock
from tests.transactions import signing
from tests.transactions.tap.ledger import BrokenLedgerError, FakeLedger
from tests.transactions.tap.tapped import Tapped


@pytest.fixture
async def anvil(anvil_path: Path) -> AsyncIterator[Anvil]:
    """A node that mines when told."""
    chain = Chain(chain_id=signing.CHAIN_ID, genesis_timestamp=int(time.time()) - 3600)
    async with Anvil(chain, binary=anvil_path) as anvil:
        yield anvil


@pytest.fixture
async def before_anvil(anvil: Anvil) -> AsyncIterator[Tapped]:
    """A tap in front of it."""
    async with open_session() as session:
        ledger = FakeLedger()
        tapped = Tapped(ledger=ledger)
        tapped.build = lambda given: Tap(
            upstream=Url(anvil.url),
            websocket=Url(anvil.ws_url),
            ledger=ledger,
            session=session,
            token=None,
            limits=TapLimits(),
            clock=Clock(1.0),
            on_sent=tapped.sent.append,
            journal_error=BrokenLedgerError,
        )
        yield tapped
        await tapped.stop()


def signed(nonce: int, **more: Any) -> bytes:
    """A payment of anvil's first account."""
    return signing.sign(signing.legacy(nonce=nonce, **more)).raw


async def test_plain_client_sends_alone_and_in_a_batch(
    before_anvil: Tapped, anvil: Anvil, client: aiohttp.ClientSession
) -> None:
    """Taken, known, refused: as the node says, and as the journal needs it."""
    tap = await before_anvil()
    first, second, low = signed(0), signed(1), signed(0, value=9)

    def send(raw: bytes, id_: int) -> Any:
        params = ["0x" + raw.hex()]
        return {"jsonrpc": "2.0", "id": id_, "method": "eth_sendRawTransaction", "params": params}

    async def post(message: Any) -> Any:
        async with client.post(tap, json=message) as response:
            assert response.status == 200
            return await response.json()

    assert (await post(send(first, 1)))["result"] == named(first)
    await anvil.rpc("anvil_mine", "0x1")
    chain_id = {"jsonrpc": "2.0", "id": 4, "method": "eth_chainId", "params": []}
    answers = await post([send(second, 1), send(second, 2), send(low, 3), chain_id])
    by_id = {answer["id"]: answer for answer in answers}
    assert by_id[1]["result"] == named(second)
    assert "already imported" in by_id[2]["error"]["message"]
    assert "nonce too low" in by_id[3]["error"]["message"]
    assert by_id[4]["result"] == hex(signing.CHAIN_ID)
    assert before_anvil.outcomes == ["accepted", "accepted", "accepted", "refused"]
    assert before_anvil.ledger.told == [(named(low), "refused")]
    assert await anvil.rpc("eth_getTransactionByHash", named(second)) is not None


async def test_bytes_as_an_array_of_numbers_are_a_send(
    before_anvil: Tapped, client: aiohttp.ClientSession
) -> None:
    """This node takes them, so the tap must see them."""
    raw = signed(0)
    message = {"jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": [list(raw)]}
    async with client.post(await before_anvil(), json=message) as response:
        answer = await response.json()
    assert answer.get("result") == named(raw), answer
    assert before_anvil.ledger.hashes == [named(raw)]


async def test_web3_client_works_through_the_tap(before_anvil: Tapped, anvil: Anvil) -> None:
    """Its calls, its sends, its errors and its batches, without a change but the URL."""
    tap = await before_anvil()
    web3 = AsyncWeb3(AsyncHTTPProvider(tap))
    try:
        assert await web3.eth.chain_id == signing.CHAIN_ID
        raw = signed(0)
        hash_ = await web3.eth.send_raw_transaction(raw)
        assert hash_.to_0x_hex() == named(raw)
        await anvil.rpc("anvil_mine", "0x1")
        receipt = await web3.eth.wait_for_transaction_receipt(hash_)
        assert receipt["status"] == 1
        with pytest.raises(Web3RPCError, match="nonce too low"):
            await web3.eth.send_raw_transaction(signed(0, value=9))
        async with web3.batch_requests() as batch:
            batch.add(web3.eth.get_block_number())
            batch.add(web3.eth.get_balance(signing.SENDER.address))
            found: list[Any] = list(await batch.async_execute())
        assert found[0] == 1
        assert found[1] > 0
    finally:
        await web3.provider.disconnect()
    assert before_anvil.outcomes == ["accepted", "refused"]


async def test_blocking_web3_client_works_through_the_tap(before_anvil: Tapped) -> None:
    """As schedulers in Python use it: with `requests`, which packs and keeps connections."""
    tap = await before_anvil()
    raw = signed(0)

    def work() -> str:
        with_requests = HTTPProvider(tap)
        try:
            return Web3(with_requests).eth.send_raw_transaction(raw).to_0x_hex()
        finally:
            with_requests._request_session_manager.session_cache.clear()

    assert await asyncio.to_thread(work) == named(raw)
    assert before_anvil.ledger.hashes == [named(raw)]


async def test_subscription_and_sends_share_a_websocket(before_anvil: Tapped, anvil: Anvil) -> None:
    """New heads arrive through the tap, and what is sent beside them is journalled."""
    tap = await before_anvil()
    raw = signed(0)
    async with AsyncWeb3(WebSocketProvider(tap.replace("http", "ws"))) as web3:
        await web3.eth.subscribe("newHeads")
        hash_ = await web3.eth.send_raw_transaction(raw)
        await anvil.rpc("anvil_mine", "0x1")
        async with asyncio.timeout(10):
            async for message in web3.socket.process_subscriptions():
                assert message["result"]["number"] == 1
                break
        assert hash_.to_0x_hex() == named(raw)
        with pytest.raises(Web3RPCError, match="nonce too low"):
            await web3.eth.send_raw_transaction(signed(0, value=9))
    assert before_anvil.outcomes == ["accepted", "refused"]
    assert before_anvil.ledger.hashes[0] == named(raw)
