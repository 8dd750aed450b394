"""Transactions of any account, in blocks whose content, order and time are chosen here.

One writer a chain: nobody else sends to the node or mines on it meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from monitor.lab.anvil import HASHES_ONLY, Anvil, Json
from monitor.lab.errors import LabError
from monitor.model import Address, Hash32

GAS_LIMIT = 12_000_000
"""Of a transaction: the largest constructor needs 5 million, and a failed `assert` burns it all."""
BLOCK_GAS_LIMIT = 10**12
"""Base fees rise when half a block is used; half of this never is, so gas stays free."""
CALLS_A_BATCH = 32
"""Anvil starts the calls of one batch in order only while there are fewer than about 90."""
RECENT_BLOCKS_MIN = 9
"""Anvil's `finalized` with 4 slots an epoch is 8 blocks behind its head."""


class Tx(NamedTuple):
    """A transaction to be made; gas is free and nonces are counted for it."""

    sender: Address
    to: Address | None
    """None creates a contract."""
    data: bytes
    reverts: bool = False
    """It has to fail: its calldata reads like that of one that did something."""


class Log(NamedTuple):
    """One log as the node's receipts show it."""

    block: int
    log_index: int
    transaction: Hash32
    address: Address
    topics: tuple[bytes, ...]
    data: bytes


class Receipt(NamedTuple):
    """What became of a transaction."""

    block: int
    hash: Hash32
    is_success: bool
    contract: Address | None
    logs: tuple[Log, ...]


class Blocks:
    """The end of a chain, and the only hand that lengthens it."""

    def __init__(self, anvil: Anvil) -> None:
        self.anvil = anvil
        self.number = 0
        self.timestamp = 0
        """Of the last block, seconds."""
        self.transactions = 0
        self.reverted = 0
        self._nonces: dict[Address, int] = {}

    async def open(self) -> None:
        """Make gas free and every account usable, and see where the chain is."""
        await self.anvil.strict_batch(
            [
                ("evm_setBlockGasLimit", hex(BLOCK_GAS_LIMIT)),
                ("anvil_setNextBlockBaseFeePerGas", "0x0"),
                ("anvil_autoImpersonateAccount", True),
            ]
        )
        head = await self.anvil.rpc("eth_getBlockByNumber", "latest", HASHES_ONLY)
        self.number = int(head["number"], 16)
        self.timestamp = int(head["timestamp"], 16)

    async def mine(self, transactions: Sequence[Tx], *, seconds: int = 12) -> list[Receipt]:
        """One block, so many seconds after the last, of these in this order.

        Raises LabError where one reverts that should not, or does not that should, or where the
        node put them into another order.
        """
        hashes = await self._send(transactions)
        self.timestamp += seconds
        await self.anvil.rpc("evm_mine", {"timestamp": self.timestamp, "blocks": 1})
        block, receipts = await self.anvil.strict_batch(
            [
                ("eth_getBlockByNumber", "latest", HASHES_ONLY),
                ("eth_getBlockReceipts", "latest"),
            ]
        )
        self.number += 1
        if int(block["number"], 16) != self.number or block["transactions"] != hashes:
            message = f"block {self.number} does not hold the transactions that were sent for it"
            raise LabError(message)
        found = [_receipt(one) for one in receipts]
        for asked, receipt in zip(transactions, found, strict=True):
            if receipt.is_success == asked.reverts:
                raise LabError(await self._surprise(asked, receipt))
        self.transactions += len(found)
        self.reverted += sum(one.reverts for one in transactions)
        return found

    async def settle(self) -> None:
        """Empty blocks, until what was made so far is final."""
        for _ in range(RECENT_BLOCKS_MIN):
            await self.mine([])

    async def call(self, to: Address, data: bytes, block: str = "latest") -> bytes:
        """What a getter answers; raises LabRpcError where it reverts."""
        answer = await self.anvil.rpc("eth_call", {"to": to, "data": f"0x{data.hex()}"}, block)
        return bytes.fromhex(answer[2:])

    async def _send(self, transactions: Sequence[Tx]) -> list[str]:
        await self._learn_nonces(one.sender for one in transactions)
        calls = []
        for one in transactions:
            nonce = self._nonces[one.sender]
            self._nonces[one.sender] = nonce + 1
            calls.append(("eth_sendTransaction", _fields(one, nonce)))
        hashes: list[str] = []
        for start in range(0, len(calls), CALLS_A_BATCH):
            hashes += await self.anvil.strict_batch(calls[start : start + CALLS_A_BATCH])
        return hashes

    async def _learn_nonces(self, senders: Iterable[Address]) -> None:
        unknown = sorted({sender for sender in senders if sender not in self._nonces})
        counts = await self.anvil.strict_batch(
            [("eth_getTransactionCount", sender, "latest") for sender in unknown]
        )
        self._nonces |= {
            sender: int(count, 16) for sender, count in zip(unknown, counts, strict=True)
        }

    async def _surprise(self, asked: Tx, receipt: Receipt) -> str:
        done = "succeeded" if receipt.is_success else "reverted"
        return (
            f"block {receipt.block}: transaction {receipt.hash} of {asked.sender} to {asked.to} "
            f"with 0x{asked.data[:4].hex()} {done}, which it should not have"
        )


def _fields(one: Tx, nonce: int) -> dict[str, Json]:
    fields: dict[str, Json] = {
        "from": one.sender,
        "data": f"0x{one.data.hex()}",
        "nonce": hex(nonce),
        "gas": hex(GAS_LIMIT),
        "gasPrice": "0x0",
    }
    if one.to is not None:
        fields["to"] = one.to
    return fields


def _receipt(answer: Json) -> Receipt:
    contract = answer["contractAddress"]
    return Receipt(
        block=int(answer["blockNumber"], 16),
        hash=Hash32(answer["transactionHash"]),
        is_success=answer["status"] == "0x1",
        contract=None if contract is None else Address(contract.lower()),
        logs=tuple(log_of(one) for one in answer["logs"]),
    )


def log_of(answer: Json) -> Log:
    """A log as JSON-RPC shows it, read."""
    return Log(
        block=int(answer["blockNumber"], 16),
        log_index=int(answer["logIndex"], 16),
        transaction=Hash32(answer["transactionHash"]),
        address=Address(answer["address"].lower()),
        topics=tuple(bytes.fromhex(topic[2:]) for topic in answer["topics"]),
        data=bytes.fromhex(answer["data"][2:]),
    )
