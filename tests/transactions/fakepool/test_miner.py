"""What the blocks are made of."""

from __future__ import annotations

from typing import Any

from tests.transactions.fakepool.ground import Ground
from tests.transactions.fakepool.payments import GWEI, address, payment
from tests.transactions.fakepool.signed import decode


async def mined(ground: Ground) -> list[tuple[int, int]]:
    """Mine a block; the dev accounts' transactions in it: index of the sender, nonce."""
    block = await ground.miner.mine_one()
    found: Any = await ground.net.leader.anvil.rpc("eth_getBlockByNumber", hex(block.number), True)
    senders = [address(index) for index in range(5)]
    return [
        (senders.index(one["from"]), int(one["nonce"], 16))
        for one in found["transactions"]
        if one["from"] in senders
    ]


async def test_block_takes_the_best_tip_first_and_each_sender_by_nonce(ground: Ground) -> None:
    """A good tip behind a bad one waits for it, as everywhere."""
    local = ground.local
    for sender, nonce, tip in ((0, 0, 1), (0, 1, 9), (1, 0, 5), (2, 0, 3)):
        await ground.send(local, payment(nonce, sender=sender, tip_cap_wei=tip * GWEI))
    assert await mined(ground) == [(1, 0), (2, 0), (0, 0), (0, 1)]
    assert await mined(ground) == []


async def test_block_is_on_every_node_and_out_of_every_pool(ground: Ground) -> None:
    """When the miner returns, the network is of one mind: one hash, one count, empty pools."""
    hash_ = await ground.send(ground.local, payment(0))
    block = await ground.miner.mine_one()
    for seat in ground.seats.values():
        head = await ground.ask(seat, "eth_getBlockByNumber", "latest", False)
        assert head["hash"] == block.hash
        assert await ground.nonce(0, seat) == await ground.nonce(0, seat, "pending") == 1
        assert (await ground.ask(seat, "eth_getTransactionReceipt", hash_))["status"] == "0x1"
    assert set((await ground.who_has(hash_)).values()) == {"mined"}


async def test_transaction_that_is_held_stays_and_holds_what_follows(ground: Ground) -> None:
    """Until it is released; others go on."""
    hash_ = await ground.send(ground.local, payment(0))
    await ground.send(ground.local, payment(1))
    await ground.send(ground.local, payment(0, sender=1))
    ground.miner.hold(hash_)
    assert await mined(ground) == [(1, 0)]
    assert (await ground.who_has(hash_))["a"] == "pending"
    ground.miner.release(hash_)
    assert await mined(ground) == [(0, 0), (0, 1)]


async def test_sender_who_is_censored_is_not_mined(ground: Ground) -> None:
    """By nobody; his transactions are on every pool."""
    ground.miner.censor(address(0))
    await ground.send(ground.local, payment(0))
    await ground.send(ground.local, payment(0, sender=1))
    assert await mined(ground) == [(1, 0)]
    assert set((await ground.who_has(decode(payment(0)).hash)).values()) == {"pending"}


async def test_block_holds_no_more_than_it_is_told(ground: Ground) -> None:
    """One at a time: the cheaper ones are pending for blocks."""
    ground.miner.transactions_max = 1
    for sender, tip in ((0, 1), (1, 2)):
        await ground.send(ground.local, payment(0, sender=sender, tip_cap_wei=tip * GWEI))
    assert await mined(ground) == [(1, 0)]
    assert await mined(ground) == [(0, 0)]


async def test_block_has_only_so_much_gas(ground: Ground) -> None:
    """Two that ask for most of a block are mined one after the other."""
    for sender, tip in ((0, 1), (1, 2)):
        raw = payment(0, sender=sender, tip_cap_wei=tip * GWEI, gas=15_000_000)
        await ground.send(ground.local, raw)
    assert await mined(ground) == [(1, 0)]
    assert await mined(ground) == [(0, 0)]


async def test_base_fee_above_the_cap_keeps_a_transaction_pending(ground: Ground) -> None:
    """The pools keep it, no block takes it, until the base fee comes down."""
    hash_ = await ground.send(ground.local, payment(0))
    await ground.send(ground.local, payment(1, fee_cap_wei=60 * GWEI))
    ground.miner.base_fee_wei = 50 * GWEI
    await ground.miner.mine_one()
    # What the leader could not mine it does not keep: the pools are the only pools.
    status = await ground.net.leader.anvil.rpc("txpool_status")
    assert status == {"pending": "0x0", "queued": "0x0"}
    assert await ground.receipt(hash_, blocks_max=3) is None
    head = await ground.ask(ground.local, "eth_getBlockByNumber", "latest", False)
    assert int(head["baseFeePerGas"], 16) == 50 * GWEI
    assert (await ground.who_has(hash_))["local"] == "pending"
    ground.miner.base_fee_wei = GWEI
    await ground.miner.mine_one()
    assert await ground.receipt(hash_, blocks_max=1)


async def test_transaction_of_which_there_are_two_is_mined_once(ground: Ground) -> None:
    """Where the builders have different ones of a nonce, the better paid is mined."""
    ground.isolate_local()
    cheap = payment(0, value=2)
    dear = payment(0, value=3, tip_cap_wei=3 * GWEI)
    for reference in ground.references.values():
        reference.pool.listens = False
    await ground.send(ground.references["a"], cheap)
    await ground.send(ground.references["b"], dear)
    assert await mined(ground) == [(0, 0)]
    assert (await ground.who_has(decode(dear).hash))["a"] == "mined"
    assert (await ground.who_has(decode(cheap).hash))["a"] == "absent"


async def test_transaction_that_only_our_node_has_is_not_mined(ground: Ground) -> None:
    """Whoever builds blocks has to have heard of it."""
    ground.isolate_local()
    hash_ = await ground.send(ground.local, payment(0))
    assert await ground.receipt(hash_, blocks_max=3) is None
    assert await ground.who_has(hash_) == {
        "local": "pending",
        "a": "absent",
        "b": "absent",
        "c": "absent",
    }


async def test_revert_is_mined_with_its_status(ground: Ground) -> None:
    """A transaction that fails has a receipt that says so."""
    raw = payment(0, to=None, data="0xfe", gas=100_000)
    hash_ = await ground.send(ground.local, raw)
    receipt = await ground.receipt(hash_)
    assert receipt["status"] == "0x0"
