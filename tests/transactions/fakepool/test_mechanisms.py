"""Why a transaction is known here and invisible elsewhere: each way is real, and so is the cure.

Every test shows the tell-tale over RPC, that the network does not mine the transaction, and that
the same bytes, sent to the references, are mined.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.transactions.fakepool.ground import Ground, RpcRefused, Seat
from tests.transactions.fakepool.payments import GWEI, address, payment
from tests.transactions.fakepool.refusals import Client
from tests.transactions.fakepool.signed import decode

RAW = payment(0)
HASH = decode(RAW).hash
PATIENCE_BLOCKS = 4


async def seen(ground: Ground, seat: Seat, hash_: str = HASH) -> bool:
    return await ground.ask(seat, "eth_getTransactionByHash", hash_) is not None


async def seen_by_references(ground: Ground, hash_: str = HASH) -> list[bool]:
    return [await seen(ground, seat, hash_) for seat in ground.references.values()]


async def is_stuck(ground: Ground, hash_: str = HASH) -> bool:
    """No reference has heard of it, and blocks pass without it."""
    assert not any(await seen_by_references(ground, hash_))
    return await ground.receipt(hash_, blocks_max=PATIENCE_BLOCKS) is None


async def is_cured(ground: Ground, raw: str = RAW) -> bool:
    """The same bytes to two references, and the network mines it; our node is not asked."""
    for reference in list(ground.references.values())[:2]:
        try:
            await ground.send(reference, raw)
        except RpcRefused as error:
            assert "already known" in error.message  # noqa: PT017 - either may tell the other first
    return await ground.receipt(decode(raw).hash, blocks_max=2) is not None


async def local_pool(ground: Ground) -> dict[str, list[str]]:
    """What our node has of the account: pending and queued nonces."""
    parts: dict[str, Any] = await ground.ask(ground.local, "txpool_contentFrom", address(0))
    return {name: sorted(theirs) for name, theirs in parts.items()}


@pytest.mark.parametrize("how", ["frozen", "stalled"])
async def test_m1_transaction_ahead_of_a_local_head_that_is_behind_is_queued(
    how: str, ground: Ground
) -> None:
    """Our node has not seen what the chain used: the next nonce waits, and nobody is told."""
    # Of what went before it has nothing: it was not told, or had no room for it.
    ground.local.pool.listens = False
    if how == "frozen":
        await ground.local.pool.freeze()
    else:
        ground.net.local.stall()
    await ground.send(ground.references["a"], RAW)
    assert await ground.receipt(HASH)
    raw = payment(1)
    hash_ = await ground.send(ground.local, raw)
    assert await local_pool(ground) == {"pending": [], "queued": ["1"]}
    assert await ground.nonce(0, ground.local) < await ground.nonce(0)
    assert await is_stuck(ground, hash_)
    assert await is_cured(ground, raw)
    assert await local_pool(ground) == {"pending": [], "queued": ["1"]}


async def test_m2_transaction_promoted_without_peers_stays_at_home(ground: Ground) -> None:
    """Pending here, unknown there, no peers; when they are back, nobody is told of what was."""
    ground.local.pool.gossips = False
    await ground.send(ground.local, RAW)
    ground.isolate_local()
    assert await ground.ask(ground.local, "net_peerCount") == "0x0"
    assert await local_pool(ground) == {"pending": ["0"], "queued": []}
    assert await ground.nonce(0, ground.local, "pending") == 1
    assert await is_stuck(ground)
    assert await is_cured(ground)


async def test_m3_transaction_accepted_while_syncing_is_not_passed_on() -> None:
    """Nethermind takes what comes by RPC, and is mute."""
    async with Ground("nethermind", {"a": "geth", "b": "geth"}) as ground:
        ground.local.pool.sync(is_syncing=True)
        await ground.send(ground.local, RAW)
        assert await ground.ask(ground.local, "eth_syncing") is not False
        assert await seen(ground, ground.local)
        assert await is_stuck(ground)
        assert await is_cured(ground)


async def test_m4_transaction_mined_on_a_fork_of_our_own_is_not_mined(ground: Ground) -> None:
    """A receipt here, in a block that no reference has; the same bytes are mined there."""
    ground.isolate_local()
    ground.net.local.fork()
    await ground.send(ground.local, RAW)
    await ground.miner.mine_one()
    receipt = await ground.ask(ground.local, "eth_getTransactionReceipt", HASH)
    heads = [
        await ground.ask(seat, "eth_getBlockByNumber", receipt["blockNumber"], False)
        for seat in (ground.local, ground.references["a"])
    ]
    assert heads[0]["hash"] == receipt["blockHash"] != heads[1]["hash"]
    assert await is_stuck(ground)
    assert await is_cured(ground)


async def test_m5_transaction_that_peers_have_evicted_is_not_told_again(ground: Ground) -> None:
    """All is well here: synced, peers, pending; only that nobody else has it, for ever."""
    await ground.send(ground.local, RAW)
    assert all(await seen_by_references(ground))
    ground.local.pool.evict_at_peers(HASH)
    assert await ground.ask(ground.local, "eth_syncing") is False
    assert await ground.ask(ground.local, "net_peerCount") == "0x3"
    assert await local_pool(ground) == {"pending": ["0"], "queued": []}
    with pytest.raises(RpcRefused, match="already known"):
        await ground.send(ground.local, RAW)
    assert await is_stuck(ground)
    assert await is_cured(ground)


@pytest.mark.parametrize("client", ["geth", "nethermind", "besu"])
async def test_m6_transaction_that_was_accepted_and_is_not_there(client: Client) -> None:
    """The hash came back, and the node knows nothing of it: a full pool, in three clients."""
    async with Ground(client, {"a": "geth", "b": "reth"}) as ground:
        ground.local.pool.settings.slots_max = 1
        full = payment(0, sender=1, tip_cap_wei=3 * GWEI)
        ground.miner.hold(await ground.send(ground.local, full))
        assert await ground.send(ground.local, RAW) == HASH
        assert not await seen(ground, ground.local)
        assert await ground.nonce(0, ground.local, "pending") == 0
        assert await is_stuck(ground)
        assert await is_cured(ground)


async def test_m6_transaction_that_is_swallowed_outright(ground: Ground) -> None:
    """The same without a reason."""
    ground.local.pool.swallows = 1
    assert await ground.send(ground.local, RAW) == HASH
    assert not await seen(ground, ground.local)
    assert await is_stuck(ground)
    assert await is_cured(ground)


@pytest.mark.parametrize("how", ["wiped", "restarted"])
async def test_m7_transaction_of_a_pool_that_was_lost_is_nowhere(how: str, ground: Ground) -> None:
    """It was seen here; now nobody has it, and its nonce is free."""
    ground.isolate_local()
    await ground.send(ground.local, RAW)
    assert await seen(ground, ground.local)
    if how == "wiped":
        ground.local.pool.wipe()
    else:
        await ground.local.pool.restart(has_journal=False)
    assert not await seen(ground, ground.local)
    assert await ground.nonce(0, ground.local, "pending") == await ground.nonce(0) == 0
    assert await is_stuck(ground)
    await ground.send(ground.local, RAW)
    assert await seen(ground, ground.local)
    assert await is_cured(ground)


async def test_m7_besu_that_falls_out_of_sync_has_lost_everything() -> None:
    """Empty and shut; the bytes can be sent to the references meanwhile."""
    async with Ground("besu", {"a": "geth", "b": "geth"}) as ground:
        ground.isolate_local()
        await ground.send(ground.local, RAW)
        ground.local.pool.sync(is_syncing=True)
        assert not await seen(ground, ground.local)
        with pytest.raises(RpcRefused, match="Transaction pool not enabled") as caught:
            await ground.send(ground.local, RAW)
        assert caught.value.code == -32002
        assert await is_stuck(ground)
        assert await is_cured(ground)


async def test_m8_reference_that_disagrees_with_itself_is_outvoted(ground: Ground) -> None:
    """Behind a balancer it has and has not; another one that has it is asked, or says it knows."""
    flaky = ground.references["a"]
    twin = await ground.twin(flaky)
    flaky.pool.balance(twin)
    await ground.send(ground.local, RAW)
    found = [await seen(ground, flaky) for _ in range(4)]
    assert sorted(found) == [False, False, True, True]
    assert await seen(ground, ground.references["b"])
    with pytest.raises(RpcRefused, match="already known"):
        await ground.send(ground.references["b"], RAW)
    assert await ground.receipt(HASH, blocks_max=1)


async def test_m8_private_relay_has_it_and_shows_nobody(ground: Ground) -> None:
    """Unknown to all who are asked, and yet it is mined."""
    relay = ground.references["a"]
    relay.pool.is_private = True
    await ground.send(relay, RAW)
    assert await seen_by_references(ground) == [False] * 3
    with pytest.raises(RpcRefused, match="already known"):
        await ground.send(relay, RAW)
    assert await ground.receipt(HASH, blocks_max=1)
