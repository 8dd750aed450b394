"""Who took a nonce, and why a transaction reverted."""

from __future__ import annotations

import pytest

from monitor.lab.anvil import Anvil
from monitor.model import Address
from monitor.rpc.errors import RpcError
from monitor.transactions.autopsy import SEARCH_BLOCKS_MAX, consumer, revert_reason
from monitor.transactions.raw import decode, from_hex
from monitor.transactions.words import Receipt
from tests.transactions.conftest import Dial

SENDER = Address("0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266")
OTHER = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"
# Returns Error("no"): 4 bytes selector, offset, length, text (Solidity ABI, revert with reason).
REVERTING_CODE = (
    "0x"
    "7f08c379a000000000000000000000000000000000000000000000000000000000"
    "600052"
    "6020600452"
    "6002602452"
    "7f6e6f" + "00" * 30 + "604452" + "60646000fd"
)


async def send(anvil: Anvil, nonce: int, *, to: str = OTHER, gas: int = 21_000) -> str:
    call = {"from": SENDER, "to": to, "value": "0x1", "nonce": hex(nonce), "gas": hex(gas)}
    return str(await anvil.rpc("eth_sendTransaction", call))


async def mined(anvil: Anvil) -> int:
    await anvil.rpc("anvil_mine", "0x1")
    return int(await anvil.rpc("eth_blockNumber"), 16)


@pytest.mark.parametrize("empty_blocks", [0, 1, 5, 40])
async def test_consumer_of_a_nonce_is_found_in_its_block(
    anvil: Anvil, dial: Dial, empty_blocks: int
) -> None:
    """Whatever was mined before and after, the block is the one in which the count rose."""
    node = dial(anvil.url).node
    await send(anvil, 0)
    await mined(anvil)
    if empty_blocks:
        await anvil.rpc("anvil_mine", hex(empty_blocks))
    hashes = [await send(anvil, nonce) for nonce in (1, 2)]
    number = await mined(anvil)
    await anvil.rpc("anvil_mine", "0x3")
    head = int(await anvil.rpc("eth_blockNumber"), 16)
    for nonce, hash_ in zip((1, 2), hashes, strict=True):
        found = await consumer(node, SENDER, nonce, head)
        assert found is not None
        assert (found.transaction.hash, found.number) == (hash_, number)
        block = await anvil.rpc("eth_getBlockByNumber", hex(number), False)
        assert found.block_hash == block["hash"]
        assert found.transaction.sender == SENDER


async def test_consumer_of_a_free_nonce_is_nobody(anvil: Anvil, dial: Dial) -> None:
    """A nonce that is not used was taken by nobody."""
    await send(anvil, 0)
    head = await mined(anvil)
    assert await consumer(dial(anvil.url).node, SENDER, 1, head) is None


async def test_consumer_before_the_last_blocks_is_not_looked_for(anvil: Anvil, dial: Dial) -> None:
    """Nodes without an archive know the last 128 blocks; beyond them nothing is claimed."""
    await send(anvil, 0)
    number = await mined(anvil)
    node = dial(anvil.url).node
    await anvil.rpc("anvil_mine", hex(SEARCH_BLOCKS_MAX - 1))
    assert await consumer(node, SENDER, 0, number + SEARCH_BLOCKS_MAX - 1) is not None
    await anvil.rpc("anvil_mine", "0x1")
    assert await consumer(node, SENDER, 0, number + SEARCH_BLOCKS_MAX) is None


async def test_consumer_asked_of_a_dead_node_raises(dial: Dial) -> None:
    """No answer is no answer, and not nobody."""
    with pytest.raises(RpcError):
        await consumer(dial("http://127.0.0.1:9").node, SENDER, 0, 10)


async def test_reason_of_a_revert_is_the_nodes_own_word(anvil: Anvil, dial: Dial) -> None:
    """The call is repeated on the block before, and its error carries the reason."""
    contract = "0x00000000000000000000000000000000000c0de0"
    await anvil.rpc("anvil_setCode", contract, REVERTING_CODE)
    hash_ = await send(anvil, 0, to=contract, gas=100_000)
    await mined(anvil)
    receipt = await anvil.rpc("eth_getTransactionReceipt", hash_)
    assert receipt["status"] == "0x0"
    raw = from_hex(await anvil.rpc("eth_getRawTransactionByHash", hash_))
    seen = Receipt(
        hash=decode(raw).hash,
        number=int(receipt["blockNumber"], 16),
        block_hash=receipt["blockHash"],
        is_success=False,
        gas_used=int(receipt["gasUsed"], 16),
    )
    node = dial(anvil.url).node
    reason = await revert_reason(node, decode(raw), seen)
    assert "revert" in reason
    assert "no" in reason


async def test_reason_of_a_transaction_that_used_all_its_gas_is_that(
    anvil: Anvil, dial: Dial
) -> None:
    """Out of gas needs no question."""
    hash_ = await send(anvil, 0)
    raw = from_hex(await anvil.rpc("eth_getRawTransactionByHash", hash_))
    transaction = decode(raw)
    seen = Receipt(transaction.hash, 1, transaction.hash, False, transaction.gas)
    reason = await revert_reason(dial("http://127.0.0.1:9").node, transaction, seen)
    assert reason == f"out of gas: all {transaction.gas} were used"


async def test_reason_of_what_does_not_revert_again_says_so(anvil: Anvil, dial: Dial) -> None:
    """A transaction that depended on its neighbours is no riddle made up by us."""
    hash_ = await send(anvil, 0)
    await mined(anvil)
    raw = from_hex(await anvil.rpc("eth_getRawTransactionByHash", hash_))
    seen = Receipt(decode(raw).hash, 1, decode(raw).hash, False, 20_000)
    reason = await revert_reason(dial(anvil.url).node, decode(raw), seen)
    assert "does not revert" in reason
