"""A node among its peers and upon its chain: who is told what, when, and how often."""

from __future__ import annotations

import itertools

import pytest

from monitor.lab.anvil import Anvil
from tests.transactions.fakepool.checks import Settings
from tests.transactions.fakepool.conftest import Open
from tests.transactions.fakepool.node import connect, disconnect, isolate
from tests.transactions.fakepool.payments import GWEI, address, payment
from tests.transactions.fakepool.refusals import Client, Refusal, Refused
from tests.transactions.fakepool.server import FakePool
from tests.transactions.fakepool.signed import decode

FIRST, SECOND = decode(payment(0)).hash, decode(payment(1)).hash


async def chained(open_pool: Open, *clients: Client) -> list[FakePool]:
    """Pools in a row, each the peer of the next."""
    pools = [await open_pool(client) for client in clients]
    for one, other in itertools.pairwise(pools):
        await connect(one, other)
    return pools


def having(pools: list[FakePool], hash_: str) -> list[bool]:
    return [hash_ in pool.pool for pool in pools]


async def test_pending_transaction_reaches_the_whole_network(open_pool: Open) -> None:
    """From peer to peer; and whoever has it already is told nothing."""
    pools = await chained(open_pool, "geth", "besu", "erigon", "reth")
    await pools[0].send(payment(0))
    assert having(pools, FIRST) == [True] * 4


async def test_queued_transaction_is_told_to_nobody_until_it_is_promoted(open_pool: Open) -> None:
    """And then all that became executable are told, in order."""
    pools = await chained(open_pool, "geth", "geth")
    await pools[0].send(payment(1))
    assert having(pools, SECOND) == [True, False]
    await pools[0].send(payment(0))
    assert having(pools, SECOND) == [True, True]
    assert pools[1].pool.next_nonce(address(0)) == 2


async def test_announcement_is_made_once(open_pool: Open, anvil: Anvil) -> None:
    """Whoever has lost it is not told again: by no block, no second send and no later one (M5)."""
    pools = await chained(open_pool, "geth", "geth")
    await pools[0].send(payment(0))
    pools[0].evict_at_peers(FIRST)
    await anvil.rpc("evm_mine")
    await pools[0].refresh()
    with pytest.raises(Refused) as caught:
        await pools[0].send(payment(0))
    assert caught.value.refusal is Refusal.KNOWN
    await pools[0].send(payment(1))
    assert having(pools, FIRST) == [True, False]
    assert pools[1].pool.place(SECOND) == "queued"


async def test_moment_without_peers_passes(open_pool: Open) -> None:
    """Nobody there, nobody told; gossip that was off is not made up for when it is on again."""
    pools = await chained(open_pool, "geth", "geth")
    pools[0].gossips = False
    await pools[0].send(payment(0))
    pools[0].gossips = True
    assert having(pools, FIRST) == [True, False]
    pools[1].listens = False
    await pools[0].send(payment(1))
    pools[1].listens = True
    assert having(pools, SECOND) == [True, False]
    isolate(pools[0])
    pools[0].gossips = False
    await connect(pools[0], pools[1])
    assert having(pools, FIRST) == [True, False]


async def test_new_peer_is_told_what_is_pending_and_not_what_is_queued(open_pool: Open) -> None:
    """The handshake announces the pool: what helps a node that had no peers."""
    pools = await chained(open_pool, "geth", "geth")
    isolate(pools[0])
    assert pools[0].peers == pools[1].peers == []
    await pools[0].send(payment(0))
    await pools[0].send(payment(2))
    await connect(pools[0], pools[1])
    await connect(pools[0], pools[1])
    assert having(pools, FIRST) == [True, True]
    assert having(pools, decode(payment(2)).hash) == [True, False]
    assert len(pools[0].peers) == 1
    disconnect(pools[0], pools[1])
    assert pools[1].peers == []


async def test_nethermind_tells_its_own_again_on_each_new_head(
    open_pool: Open, anvil: Anvil
) -> None:
    """One of them, the best paid, as long as there are heads; a peer's are not told again."""
    pools = await chained(open_pool, "nethermind", "geth")
    await pools[0].send(payment(0))
    await pools[0].send(payment(0, sender=1, tip_cap_wei=3 * GWEI))
    best = decode(payment(0, sender=1, tip_cap_wei=3 * GWEI)).hash
    for hash_ in (FIRST, best):
        pools[0].evict_at_peers(hash_)
    await pools[0].refresh()
    assert having(pools, best) == [True, False]
    await anvil.rpc("evm_mine")
    await pools[0].refresh()
    assert having(pools, best) == [True, True]
    assert having(pools, FIRST) == [True, False]
    pools[1].forget(best)
    await pools[0].freeze()
    await anvil.rpc("evm_mine")
    await pools[0].refresh()
    assert having(pools, best) == [True, False]


async def test_erigon_tells_again_what_a_bad_replacement_pokes(open_pool: Open) -> None:
    """A different transaction of the same nonce that is refused brings the old one to mind."""
    pools = await chained(open_pool, "erigon", "geth")
    await pools[0].send(payment(0))
    pools[0].evict_at_peers(FIRST)
    with pytest.raises(Refused):
        await pools[0].send(payment(0, value=2))
    assert having(pools, FIRST) == [True, True]


@pytest.mark.parametrize(
    ("client", "is_taken", "is_told"),
    [("geth", True, True), ("nethermind", True, False), ("reth", True, False)],
)
async def test_syncing_node_takes_what_comes_by_rpc(
    client: Client, open_pool: Open, *, is_taken: bool, is_told: bool
) -> None:
    """Some tell it, some are mute; none hears what its peers have (M3). What it had, it keeps."""
    pools = await chained(open_pool, client, "geth")
    await pools[0].send(payment(0, sender=2))
    pools[0].sync(is_syncing=True)
    assert len(pools[0].pool) == 1
    await pools[0].send(payment(0))
    assert having(pools, FIRST) == [is_taken, is_told]
    await pools[1].send(payment(0, sender=1))
    assert having(pools, decode(payment(0, sender=1)).hash) == [False, True]


async def test_besu_out_of_sync_refuses_and_has_lost_its_pool(open_pool: Open) -> None:
    """Shut and empty; when it is in sync again it takes, and has nothing (M7)."""
    pool = await open_pool("besu")
    await pool.send(payment(0))
    pool.sync(is_syncing=True)
    assert len(pool.pool) == 0
    with pytest.raises(Refused) as caught:
        await pool.send(payment(0))
    assert pool.dialect.error(caught.value)[0] == -32002
    pool.sync(is_syncing=False)
    assert len(pool.pool) == 0
    await pool.send(payment(0))


async def test_tracked_transaction_is_reported_and_not_pooled(open_pool: Open) -> None:
    """What may pass geth hides: the hash comes back, the pool has nothing, later it has (M6)."""
    settings = Settings(slots_max=1)
    pool = await open_pool("geth", settings)
    await pool.send(payment(0, sender=1, tip_cap_wei=3 * GWEI))
    assert await pool.send(payment(0)) == FIRST
    assert FIRST not in pool.pool
    await pool.recheck()
    assert [transaction.hash for transaction in pool.tracked] == [FIRST]
    settings.slots_max = None
    await pool.recheck()
    assert FIRST in pool.pool
    assert pool.tracked == []


async def test_tracker_does_not_survive_its_node(open_pool: Open) -> None:
    """What was only tracked is lost with a restart, and with all else."""
    pool = await open_pool("geth", Settings(slots_max=1))
    await pool.send(payment(0, sender=1, tip_cap_wei=3 * GWEI))
    await pool.send(payment(0))
    await pool.restart()
    assert pool.tracked == []
    await pool.send(payment(0))
    pool.wipe()
    assert pool.tracked == []


async def test_tracker_that_is_off_hides_nothing(open_pool: Open) -> None:
    """--txpool.nolocals: the client is told what happened."""
    pool = await open_pool("geth", Settings(slots_max=1, no_locals=True))
    await pool.send(payment(0, sender=1, tip_cap_wei=3 * GWEI))
    with pytest.raises(Refused) as caught:
        await pool.send(payment(0))
    assert caught.value.refusal is Refusal.UNDERPRICED


async def test_swallowed_transaction_has_a_hash_and_is_nowhere(open_pool: Open) -> None:
    """So many times, or always."""
    pool = await open_pool()
    pool.swallows = 1
    assert await pool.send(payment(0)) == FIRST
    assert FIRST not in pool.pool
    await pool.send(payment(0))
    assert FIRST in pool.pool
    pool.swallows = None
    for nonce in (1, 2):
        await pool.send(payment(nonce))
    assert len(pool.pool) == 1


async def test_node_that_loses_what_it_has_says_nothing(open_pool: Open) -> None:
    """One, or all; the same bytes are taken again as if they were new."""
    pool = await open_pool()
    await pool.send(payment(0))
    await pool.send(payment(1))
    pool.forget(FIRST)
    assert pool.pool.place(SECOND) == "queued"
    await pool.send(payment(0))
    pool.wipe()
    assert len(pool.pool) == 0
    assert await pool.send(payment(0)) == FIRST


async def test_restart_of_geth_announces_its_own_again(open_pool: Open) -> None:
    """The one way in which a stuck transaction is told again; without a journal it is gone."""
    pools = await chained(open_pool, "geth", "geth")
    await pools[0].send(payment(0))
    pools[0].evict_at_peers(FIRST)
    await pools[0].restart()
    assert having(pools, FIRST) == [True, True]
    await pools[0].restart(has_journal=False)
    assert having(pools, FIRST) == [False, True]


async def test_transaction_of_a_block_that_goes_is_pooled_again(
    open_pool: Open, anvil: Anvil
) -> None:
    """A reorganisation gives back what it took; not what another transaction had replaced."""
    pool, forgetful = await open_pool(), await open_pool()
    forgetful.reinjects = False
    for one in (pool, forgetful):
        await one.send(payment(0))
        await one.send(payment(0, sender=1))
    await anvil.rpc("eth_sendRawTransaction", payment(0))
    await anvil.rpc("eth_sendRawTransaction", payment(0, sender=1, value=7))
    await anvil.rpc("evm_mine")
    for one in (pool, forgetful):
        await one.refresh()
        assert len(one.pool) == 0
    await anvil.rpc("anvil_rollback", 1)
    for one in (pool, forgetful):
        await one.refresh()
    assert pool.pool.place(FIRST) == "pending"
    assert len(pool.pool) == 1
    assert len(forgetful.pool) == 0


async def test_frozen_node_judges_by_the_head_it_shows(open_pool: Open, anvil: Anvil) -> None:
    """What is next on the chain is too high for it: queued, told to nobody, counted by nobody."""
    pools = await chained(open_pool, "geth", "geth")
    await pools[0].freeze()
    await anvil.rpc("eth_sendRawTransaction", payment(0))
    await anvil.rpc("evm_mine")
    await pools[0].send(payment(1))
    assert pools[0].pool.place(SECOND) == "queued"
    assert await pools[0].count(address(0)) == 0
    assert having(pools, SECOND) == [True, False]
    await pools[0].thaw()
    assert pools[0].pool.place(SECOND) == "pending"
    assert having(pools, SECOND) == [True, True]
