"""Blocks of a chosen content, order and time; and what is not as it was meant is an error."""

from __future__ import annotations

import pytest

from monitor.lab.anvil import HASHES_ONLY, WITH_TRANSACTIONS
from monitor.lab.errors import LabError
from monitor.lab.poco.accounts import named
from monitor.lab.poco.blocks import CALLS_A_BATCH, RECENT_BLOCKS_MIN, Blocks, Tx
from monitor.lab.poco.puppets import Claim, assemble, crier

REVERTING = assemble("0x00 0x00 REVERT")
STOPPING = assemble("STOP")
ONE, OTHER = named(0, "one"), named(0, "other")


async def test_mine_keeps_the_order_of_many_transactions(blocks: Blocks) -> None:
    """More transactions than go into one batch, of two senders in turn, are in the order given."""
    count = 2 * CALLS_A_BATCH + 3
    asked = [Tx((ONE, OTHER)[index % 2], OTHER, bytes([index])) for index in range(count)]
    receipts = await blocks.mine(asked)
    block = await blocks.anvil.rpc("eth_getBlockByNumber", "latest", WITH_TRANSACTIONS)
    assert [one["input"] for one in block["transactions"]] == [
        f"0x{one.data.hex()}" for one in asked
    ]
    assert [receipt.hash for receipt in receipts] == [one["hash"] for one in block["transactions"]]
    assert all(receipt.is_success and not receipt.logs for receipt in receipts)
    assert blocks.transactions == count


async def test_mine_makes_one_block_at_its_time(blocks: Blocks) -> None:
    """So many seconds after the last, and one higher."""
    before = blocks.number, blocks.timestamp
    await blocks.mine([], seconds=77)
    block = await blocks.anvil.rpc("eth_getBlockByNumber", "latest", HASHES_ONLY)
    assert (int(block["number"], 16), int(block["timestamp"], 16)) == (
        before[0] + 1,
        before[1] + 77,
    )
    assert (blocks.number, blocks.timestamp) == (before[0] + 1, before[1] + 77)


async def test_mine_of_a_creation_names_the_contract_and_its_logs(blocks: Blocks) -> None:
    """What the receipt says is read: address, topics, data, place."""
    topic = bytes(range(32))
    (quiet, made) = await blocks.mine(
        [Tx(ONE, OTHER, b""), Tx(ONE, None, crier([Claim((topic,), b"abc"), Claim((), b"")]))]
    )
    assert quiet.contract is None
    assert made.contract is not None
    assert [(log.address, log.topics, log.data, log.log_index) for log in made.logs] == [
        (made.contract, (topic,), b"abc", 0),
        (made.contract, (), b"", 1),
    ]
    assert {log.transaction for log in made.logs} == {made.hash}
    assert {log.block for log in made.logs} == {made.block} == {blocks.number}


@pytest.mark.parametrize(
    ("code", "reverts", "complaint"),
    [(REVERTING, False, "reverted, which"), (STOPPING, True, "succeeded, which")],
    ids=["fails", "succeeds"],
)
async def test_mine_of_another_outcome_is_refused(
    blocks: Blocks, code: bytes, reverts: bool, complaint: str
) -> None:
    """A transaction that fails, or does not, against its sender's expectation is named."""
    with pytest.raises(LabError, match=complaint):
        await blocks.mine([Tx(ONE, None, code, reverts=reverts)])


async def test_mine_of_the_expected_failure_counts_it(blocks: Blocks) -> None:
    """It lies in a block, and the next nonce follows."""
    (failed,) = await blocks.mine([Tx(ONE, None, REVERTING, reverts=True)])
    (made,) = await blocks.mine([Tx(ONE, OTHER, b"")])
    assert (failed.is_success, made.is_success) == (False, WITH_TRANSACTIONS)
    assert (blocks.reverted, blocks.transactions) == (1, 2)


async def test_mine_on_a_chain_with_another_hand_is_refused(blocks: Blocks) -> None:
    """A block that somebody else made in between is not taken for one's own."""
    await blocks.anvil.rpc("evm_mine", {"timestamp": blocks.timestamp + 1, "blocks": 1})
    with pytest.raises(LabError, match=f"block {blocks.number + 1} does not hold"):
        await blocks.mine([], seconds=5)


async def test_settle_makes_what_was_made_final(blocks: Blocks) -> None:
    """Not one block less would do."""
    await blocks.mine([Tx(ONE, OTHER, b"")])
    made = blocks.number
    await blocks.settle()
    final = await blocks.anvil.rpc("eth_getBlockByNumber", "finalized", HASHES_ONLY)
    assert int(final["number"], 16) >= made
    assert blocks.number == made + RECENT_BLOCKS_MIN
