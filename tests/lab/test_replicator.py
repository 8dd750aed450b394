"""Equal hashes on two nodes."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.lab.anvil import Anvil, Chain
from monitor.lab.errors import LabError
from monitor.lab.leader import Leader
from monitor.lab.pulse import Pulse
from monitor.lab.replicator import CatchUp, Replicator, read_block, self_test

HEADER = ("latest", False)


@pytest.fixture
async def leader(anvil_path: Path, chain: Chain) -> AsyncIterator[Anvil]:
    """A node at genesis."""
    async with Anvil(chain, name="leader", binary=anvil_path) as anvil:
        yield anvil


@pytest.fixture
async def follower(anvil_path: Path, chain: Chain) -> AsyncIterator[Anvil]:
    """Another node at the same genesis."""
    async with Anvil(chain, name="follower", binary=anvil_path) as anvil:
        yield anvil


async def _miner(anvil: Anvil, seed: int) -> Leader:
    miner = Leader(anvil, Pulse(), gap_seconds=lambda: 0.25, traffic_seed=seed)
    await miner.open()
    return miner


async def _head(node: Anvil) -> dict[str, str]:
    head: dict[str, str] = await node.rpc("eth_getBlockByNumber", *HEADER)
    return head


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_replicator_with_traffic_gives_equal_hashes(
    leader: Anvil, follower: Anvil, seed: int
) -> None:
    """60 blocks of transfers and contracts, odd times and coinbases: every hash and state equal."""
    draw = random.Random(seed)  # noqa: S311 - to be replayed, not secret
    miner, replicator = await _miner(leader, seed), Replicator(leader, follower)
    sent = 0
    for _ in range(60):
        if draw.random() < 0.3:
            await leader.rpc("anvil_setCoinbase", f"0x{draw.getrandbits(160):040x}")
        mined = await miner.mine()
        block = await replicator.apply(mined.number)
        sent += len(block.raws)
        assert block.hash == mined.hash
    assert sent > 30
    assert await _head(leader) == await _head(follower)


async def test_replicator_of_a_full_block_gives_an_equal_hash(
    leader: Anvil, follower: Anvil
) -> None:
    """A block of 200 transactions of several senders keeps their order."""
    accounts = await leader.rpc("eth_accounts")
    draw = random.Random(5)  # noqa: S311 - to be replayed, not secret
    for _ in range(200):
        sender = draw.choice(accounts)
        price = hex(draw.randint(2, 9) * 10**9)
        await leader.rpc(
            "eth_sendTransaction",
            {"from": sender, "to": accounts[0], "value": "0x1", "gas": "0x5208", "gasPrice": price},
        )
    await leader.rpc("anvil_mine")
    block = await Replicator(leader, follower).apply(1)
    assert len(block.raws) == 200
    assert (await _head(follower))["hash"] == block.hash


async def test_catch_up_of_a_late_joiner_replays_from_genesis(
    leader: Anvil, follower: Anvil
) -> None:
    """A node that starts late reaches the leader's head."""
    miner = await _miner(leader, 4)
    for _ in range(40):
        await miner.mine()
    assert await Replicator(leader, follower).catch_up() == CatchUp(rolled_back=0, applied=40)
    assert await _head(leader) == await _head(follower)


async def test_catch_up_to_a_height_stops_there(leader: Anvil, follower: Anvil) -> None:
    """`upto` is where the follower stands afterwards, from below and from above."""
    await leader.rpc("anvil_mine", "0xa")
    replicator = Replicator(leader, follower)
    assert await replicator.catch_up(6) == CatchUp(0, 6)
    assert await replicator.catch_up(4) == CatchUp(2, 0)
    assert int((await _head(follower))["number"], 16) == 4


@pytest.mark.parametrize("depth", [1, 2, 3, 7, 20])
async def test_catch_up_from_a_fork_rolls_back_exactly_to_the_ancestor(
    leader: Anvil, follower: Anvil, depth: int
) -> None:
    """A private fork is given up block for block, whatever its depth; its transaction is lost."""
    miner, replicator = await _miner(leader, depth), Replicator(leader, follower)
    for _ in range(5):
        await replicator.apply((await miner.mine()).number)
    accounts = await follower.rpc("eth_accounts")
    lost = await follower.rpc(
        "eth_sendTransaction",
        {"from": accounts[3], "to": accounts[4], "value": "0x1", "gas": "0x5208"},
    )
    await follower.rpc("anvil_mine", hex(depth))
    assert (await follower.rpc("eth_getTransactionReceipt", lost))["status"] == "0x1"
    for _ in range(8):
        await miner.mine()
    assert await replicator.catch_up() == CatchUp(rolled_back=depth, applied=8)
    assert await _head(leader) == await _head(follower)
    assert await follower.rpc("eth_getTransactionReceipt", lost) is None
    assert await follower.rpc("eth_getTransactionByHash", lost) is None


async def test_catch_up_after_a_reorganisation_of_the_leader_follows_it(
    leader: Anvil, follower: Anvil
) -> None:
    """A reorganised leader is followed, with equal hashes in the blocks that come after."""
    miner, replicator = await _miner(leader, 9), Replicator(leader, follower)
    for _ in range(10):
        await replicator.apply((await miner.mine()).number)
    await leader.rpc("anvil_reorg", 4, [])
    assert await replicator.catch_up() == CatchUp(rolled_back=4, applied=4)
    for _ in range(3):
        await replicator.apply((await miner.mine()).number)
    assert await _head(leader) == await _head(follower)


async def test_apply_leaves_the_pool_of_the_follower_alone(leader: Anvil, follower: Anvil) -> None:
    """A transaction that only the follower knows is in no copied block and stays pending."""
    accounts = await follower.rpc("eth_accounts")
    own = await follower.rpc(
        "eth_sendTransaction",
        {"from": accounts[3], "to": accounts[4], "value": "0x1", "gas": "0x5208"},
    )
    miner, replicator = await _miner(leader, 3), Replicator(leader, follower)
    for _ in range(6):
        await replicator.apply((await miner.mine()).number)
    assert await _head(leader) == await _head(follower)
    assert (await follower.rpc("eth_getTransactionByHash", own))["blockHash"] is None
    assert (await follower.rpc("txpool_status"))["pending"] == "0x1"


async def test_apply_of_a_transaction_that_is_in_the_pool_already_succeeds(
    leader: Anvil, follower: Anvil
) -> None:
    """A transaction that reached both nodes is mined once, and its pool is empty afterwards."""
    accounts = await leader.rpc("eth_accounts")
    sent = await leader.rpc(
        "eth_sendTransaction",
        {"from": accounts[1], "to": accounts[2], "value": "0x1", "gas": "0x5208"},
    )
    await follower.rpc(
        "eth_sendRawTransaction", await leader.rpc("eth_getRawTransactionByHash", sent)
    )
    await leader.rpc("anvil_mine")
    await Replicator(leader, follower).apply(1)
    assert await _head(leader) == await _head(follower)
    assert (await follower.rpc("txpool_status"))["pending"] == "0x0"


async def test_replay_beside_a_transaction_that_came_meanwhile_is_made_again(
    leader: Anvil, follower: Anvil
) -> None:
    """A client's transaction that slips in between look and mining is moved back to the pool."""
    accounts = await follower.rpc("eth_accounts")
    replicator = Replicator(leader, follower)
    block = await read_block(leader, (await (await _miner(leader, 1)).mine()).number)
    mine = replicator._mine
    slipped: list[str] = []

    async def mine_late() -> dict[str, object]:
        if not slipped:
            transaction = {"from": accounts[1], "to": accounts[2], "value": "0x1", "gas": "0x5208"}
            slipped.append(await follower.rpc("eth_sendTransaction", transaction))
        return await mine()

    replicator._mine = mine_late  # type: ignore[method-assign]
    await replicator.replay(block)
    assert await _head(leader) == await _head(follower)
    assert (await follower.rpc("eth_getTransactionByHash", slipped[0]))["blockHash"] is None


async def test_apply_on_the_wrong_parent_names_the_fields(leader: Anvil, follower: Anvil) -> None:
    """Where the hashes differ, the error says in which fields of the header."""
    await follower.rpc("anvil_mine")
    await leader.rpc("anvil_mine", "0x2", "0xc")
    with pytest.raises(LabError, match=r"block 2 has another hash.*parentHash 0x\w+ instead of 0x"):
        await Replicator(leader, follower).apply(2)


async def test_read_block_beyond_the_head_is_an_error(leader: Anvil) -> None:
    """A block that is not there is not an empty block."""
    with pytest.raises(LabError, match="leader has no block 5"):
        await read_block(leader, 5)


async def test_self_test_of_equal_nodes_passes(leader: Anvil, follower: Anvil) -> None:
    """Two empty blocks are equal on both nodes."""
    await self_test(leader, follower)
    assert await _head(leader) == await _head(follower)


async def test_self_test_of_different_chains_is_an_error(leader: Anvil, anvil_path: Path) -> None:
    """Nodes that do not share a genesis cannot be a network."""
    other = Chain(chain_id=31337, genesis_timestamp=1_600_000_000)
    async with Anvil(other, name="other", binary=anvil_path) as stranger:
        with pytest.raises(LabError, match="other has another genesis than leader"):
            await self_test(leader, stranger)


async def test_self_test_of_a_different_fork_is_an_error(anvil_path: Path, chain: Chain) -> None:
    """Nodes whose empty blocks differ are refused before anything is built on them."""
    older = Chain(chain.chain_id, chain.genesis_timestamp, hardfork="cancun")
    async with (
        Anvil(chain, name="leader", binary=anvil_path) as leader,
        Anvil(older, name="older", binary=anvil_path) as follower,
    ):
        with pytest.raises(LabError, match="older"):
            await self_test(leader, follower)
