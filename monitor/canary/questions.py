"""What is worth asking two nodes about the blocks that both have. Pure.

Every question is pinned: by a block's hash where the method takes one (EIP-1898), else by its
number, at or below the highest block that both agree on. The tip is nobody's to compare.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from monitor.canary.differences import Json

RECENT_BLOCKS = 100
"""So far back the state is asked for: nodes that are not archives keep 128 (geth, reth)."""
TRANSACTIONS_A_BLOCK = 2
ACCOUNTS_A_BLOCK = 3
FEE_BLOCKS = 4
PERCENTILES: list[Json] = [10, 50, 90]
NEXT_FEES = frozenset({"baseFeePerGas", "baseFeePerBlobGas"})
"""Rows of `eth_feeHistory` that are one longer than the blocks."""
FIRST_SLOT = "0x" + "0" * 64
SENDING = ("eth_sendRawTransaction",)
"""Asked for without parameters, which sends nothing: only whether it is served."""


@dataclass(frozen=True, slots=True)
class Question:
    """One call."""

    method: str
    params: tuple[Json, ...]
    is_pinned: bool = True
    """Whether the answer is the same for ever; only then is it compared."""
    block: int | None = None
    """The height it is about, for the report."""

    @property
    def words(self) -> str:
        """How a report names it."""
        return self.method if self.block is None else f"{self.method} at block {self.block}"


@dataclass(frozen=True, slots=True)
class Payment:
    """What is needed of a transaction to ask about it."""

    hash: str
    sender: str
    to: str | None
    input: str


@dataclass(frozen=True, slots=True)
class Block:
    """A block that both have."""

    number: int
    hash: str
    payments: tuple[Payment, ...]


UNPINNED = tuple(
    Question(method, (), is_pinned=False)
    for method in (
        *("eth_blockNumber", "eth_chainId", "eth_gasPrice", "eth_maxPriorityFeePerGas"),
        *("eth_syncing", "net_peerCount", "net_version", "web3_clientVersion", *SENDING),
    )
)
"""What no wallet goes without: only whether it is served."""


def sample_heights(top: int, count: int) -> tuple[int, ...]:
    """Heights to look at, the highest first: near the top, then ever further down, and genesis."""
    steps = [0, 1, 2, 3, *(4 * 2**step for step in range(64))]
    inside = [top - step for step in steps if top - step > 0]
    return tuple(dict.fromkeys((*inside[: max(0, count - 1)], 0)))


def questions(blocks: Sequence[Block], top: int) -> Iterator[Question]:
    """What is asked about these blocks, `top` being the highest that both agree on."""
    for block in blocks:
        yield from _about(block)
        for payment in block.payments[:TRANSACTIONS_A_BLOCK]:
            yield from _about_payment(block, payment)
        if top - block.number < RECENT_BLOCKS:
            yield from _about_state(block)


def _about(block: Block) -> Iterator[Question]:
    at, number = block.number, hex(block.number)
    yield Question("eth_getBlockByHash", (block.hash, True), block=at)
    yield Question("eth_getBlockByNumber", (number, False), block=at)
    yield Question("eth_getBlockTransactionCountByHash", (block.hash,), block=at)
    yield Question("eth_getBlockReceipts", (number,), block=at)
    yield Question("eth_getLogs", ({"blockHash": block.hash},), block=at)
    yield Question("eth_feeHistory", (hex(FEE_BLOCKS), number, PERCENTILES), block=at)


def _about_payment(block: Block, payment: Payment) -> Iterator[Question]:
    at = block.number
    yield Question("eth_getTransactionByHash", (payment.hash,), block=at)
    yield Question("eth_getTransactionReceipt", (payment.hash,), block=at)
    tracer: Json = {"tracer": "callTracer"}
    yield Question("debug_traceTransaction", (payment.hash, tracer), block=at)


def _about_state(block: Block) -> Iterator[Question]:
    at = block.number
    pin: Json = {"blockHash": block.hash}
    touched = (one for payment in block.payments for one in (payment.sender, payment.to) if one)
    for account in tuple(dict.fromkeys(touched))[:ACCOUNTS_A_BLOCK]:
        yield Question("eth_getBalance", (account, pin), block=at)
        yield Question("eth_getTransactionCount", (account, pin), block=at)
        yield Question("eth_getCode", (account, pin), block=at)
        yield Question("eth_getStorageAt", (account, "0x0", pin), block=at)
        yield Question("eth_getProof", (account, [FIRST_SLOT], pin), block=at)
    for payment in block.payments[:TRANSACTIONS_A_BLOCK]:
        if payment.to is not None:
            call: Json = {"from": payment.sender, "to": payment.to, "input": payment.input}
            yield Question("eth_call", (call, pin), block=at)


def settled(method: str, result: Json) -> Json:
    """A result without what is not about the block that was asked for.

    `eth_feeHistory` ends with the base fee of the block after it, which follows from it
    (execution-apis); anvil gives that of the block it would mine now.
    """
    if method != "eth_feeHistory" or not isinstance(result, dict):
        return result
    return {
        key: value[:-1] if key in NEXT_FEES and isinstance(value, list) else value
        for key, value in result.items()
    }
