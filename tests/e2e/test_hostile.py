"""What hostile answers may not do, and what the tap's fan-out may."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from monitor.config import Tap
from monitor.model import Level
from monitor.transactions.words import State
from tests.e2e.stage import Stage, staged
from tests.transactions.fakepool import lies, payments
from tests.transactions.fakepool.signed import decode

GWEI = 10**9


@pytest.fixture
async def stage(tmp_path: Path, anvil_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path, binary=anvil_path) as stage:
        yield stage


def listed(raw: str, changes: dict[str, str] | None = None) -> dict[str, Any]:
    """A pool that holds one transaction, as it is or a little otherwise."""
    return {"pending": {"0": decode(raw).as_json() | (changes or {})}, "queued": {}}


@pytest.mark.parametrize(
    "pool",
    [
        listed(payments.payment(0, chainId=1)),
        listed(payments.payment(0), {"nonce": "0x5"}),
        listed(payments.payment(0), {"nonce": hex(2**70)}),
        listed(payments.payment(0, sender=1), {"from": payments.address(0)}),
        listed(payments.payment(0), {"r": "0x0", "s": "0x0", "v": "0x0"}),
        listed(payments.payment(0), {"value": "\ud800"}),
    ],
    ids=["another chain", "another nonce", "a nonce beyond", "another sender", "hidden", "no text"],
)
async def test_pool_that_lists_what_is_not_so_stops_nobody(
    stage: Stage, pool: dict[str, Any]
) -> None:
    """The account is judged on, the journal is not called broken, and nothing of it is sent."""
    stage.ground.local.pool.rpc.lies["txpool_contentFrom"] = lies.says(pool)
    await stage.round(3)
    await stage.blocks(3)
    assert stage.finding.reason != "journal_failed"
    stage.ground.local.pool.rpc.lies.clear()
    stage.ground.references["a"].pool.wipe()
    hash_ = await stage.ground.send(stage.ground.references["a"], payments.payment(0))
    stage.later(100)
    await stage.blocks(3)
    assert await stage.mined(hash_)


async def test_node_that_counts_to_any_height_does_not_hold_up_the_round(stage: Stage) -> None:
    """Its own node says that 2^60 transactions are mined: a few are looked for, and no more."""
    lie = lies.nonce_is(2**60, payments.address(0))
    stage.ground.local.pool.rpc.lies["eth_getTransactionCount"] = lie
    async with asyncio.timeout(30):
        await stage.blocks(3)
    assert stage.ward.slots == {}


async def test_reference_that_lies_about_the_price_has_nothing_replaced(stage: Stage) -> None:
    """One of three names a huge base fee: the payment does not look too cheap."""
    history = {"baseFeePerGas": [hex(2**90)] * 11, "reward": [["0x1", "0x1"]] * 10}
    stage.ground.references["b"].pool.rpc.lies["eth_feeHistory"] = lies.says(history)
    stage.ground.miner.hold(await stage.send(0))
    stage.later(1000)
    await stage.blocks(3)
    assert stage.row() == ("19", State.PENDING)


async def test_block_of_the_consumer_that_is_reorganised_away_closes_nothing(
    stage: Stage,
) -> None:
    """Another payment took the nonce, a reorg took it back: its slot is not closed by that."""
    stage.ground.isolate_local()
    ours = await stage.send(0)
    other = payments.payment(0, value=2, fee_cap_wei=60 * GWEI, tip_cap_wei=6 * GWEI)
    theirs = await stage.ground.send(stage.ground.references["a"], other)
    await stage.blocks(5)
    assert stage.state() is State.NONCE_TAKEN
    stage.ground.miner.hold(theirs)
    await stage.ground.reorganise(6)
    for seat in stage.ground.references.values():
        seat.pool.wipe()
    await stage.blocks(3)
    assert stage.state() is not State.REPLACED_OTHER
    await stage.blocks(6)
    assert await stage.mined(ours)
    assert not await stage.mined(theirs)


async def through_the_tap(address: str, raw: str) -> Any:
    body = {"jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": [raw]}
    async with aiohttp.ClientSession() as session, session.post(address, json=body) as response:
        return await response.json()


@pytest.mark.parametrize(
    ("fan_out", "policy", "goes_out"),
    [
        ("always", {}, True),
        ("never", {}, False),
        ("behind", {}, False),
        ("always", {"rebroadcast": False}, False),
    ],
)
async def test_send_through_the_tap_goes_to_references_as_it_is_configured(
    tmp_path: Path, anvil_path: Path, *, fan_out: Any, policy: dict[str, Any], goes_out: bool
) -> None:
    """Never past the policy of the account, whose bytes may be meant for its own node alone."""
    tap = Tap(listen="127.0.0.1:0", node="local", fan_out=fan_out)
    async with staged(tmp_path, binary=anvil_path, policy=policy, tap=tap) as stage:
        # Settled: the node is known to be on the network.
        await stage.blocks(3)
        stage.ground.local.pool.gossips = False
        raw = payments.payment(0)
        stage.ground.miner.hold(decode(raw).hash)
        async with stage.watchdog.tapping.open(None) as address:
            assert address is not None
            answer = await through_the_tap(address, raw)
            assert answer["result"] == decode(raw).hash
            while stage.watchdog._tasks:
                await asyncio.wait(tuple(stage.watchdog._tasks))
        who = await stage.ground.who_has(decode(raw).hash)
        assert who["local"] == "pending"
        assert {who[name] for name in "abc"} == ({"pending"} if goes_out else {"absent"})


async def test_send_that_its_node_refuses_is_never_sent_by_us(
    tmp_path: Path, anvil_path: Path
) -> None:
    """Its sender was told that it failed, and may sign the payment anew under another nonce."""
    tap = Tap(listen="127.0.0.1:0", node="local")
    async with staged(tmp_path, binary=anvil_path, tap=tap) as stage:
        raw = payments.payment(0, value=10**24)
        async with stage.watchdog.tapping.open(None) as address:
            assert address is not None
            assert "insufficient funds" in (await through_the_tap(address, raw))["error"]["message"]
        await stage.blocks(5)
        assert stage.ward.slots == {}
        assert stage.finding.level is Level.OK
        assert set((await stage.ground.who_has(decode(raw).hash)).values()) == {"absent"}
