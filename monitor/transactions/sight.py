"""Asks endpoints about an account: counts, pool, presence, receipts, all of it at one head.

Every question begins and ends with `latest`; an endpoint whose head moved in between is asked once
more, and then not believed for this round. Nothing here decides anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from monitor.endpoint import Endpoint
from monitor.model import Address, Hash32, Head, Unseen
from monitor.rpc import decode
from monitor.rpc.errors import CallRejected, MalformedAnswer, MethodAbsent, RpcError
from monitor.rpc.node import UNREADABLE, Node
from monitor.transactions import reading
from monitor.transactions.reading import PooledTransaction
from monitor.transactions.words import Market, PoolEntry, Presence, Receipt, View

T = TypeVar("T")
LACKS_SECONDS = 600.0
"""How long a node is believed that it lacks a method."""
FEE_BLOCKS = 10
FEE_PERCENTILES = (10, 50)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of one endpoint about one account."""

    address: Address
    hashes: tuple[Hash32, ...] = ()
    """Of which it is asked whether they are pooled or mined."""
    mined: tuple[Hash32, ...] = ()
    """Of which the receipt is asked."""
    with_balance: bool = False
    with_pool: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A view, and the objects of the pool that it was made from."""

    view: View | Unseen
    pool: tuple[PooledTransaction, ...] = ()


class Sight:
    """The asking side of one network. It remembers which methods an endpoint lacks."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lacks: dict[tuple[str, str], float] = {}
        """Methods that an endpoint said it does not have, and when: it may be another one soon."""

    async def look(self, endpoint: Endpoint, question: Question) -> Answer:
        """One endpoint's view of one account; `Unseen` where it did not answer, or moved twice."""
        for _ in range(2):
            try:
                answer = await self._look(endpoint, question)
            except RpcError as error:
                return Answer(error.unseen())
            if answer is not None:
                return answer
        return Answer(Unseen("malformed", "its head moved while it was asked, twice"))

    async def _look(self, endpoint: Endpoint, question: Question) -> Answer | None:
        """None where its head moved."""
        node, address = endpoint.node, question.address
        # Tasks begin in the order in which they are made, and one tick's calls are one batch: the
        # two questions for the head stand around all the others.
        (latest, counted, pending, balance), pool, places, receipts, again = await asyncio.gather(
            asyncio.gather(
                _head(node),
                self._seen(_count(node, address, "latest")),
                self._seen(_count(node, address, "pending")),
                self._seen(_balance(node, address) if question.with_balance else _nothing()),
            ),
            self._seen(self._pool(node, address) if question.with_pool else _nothing()),
            asyncio.gather(*(self._seen(_place(node, hash_)) for hash_ in question.hashes)),
            asyncio.gather(*(self._seen(_receipt(node, hash_)) for hash_ in question.mined)),
            _head(node),
        )
        if latest.hash != again.hash:
            return None
        listed = () if pool is None or isinstance(pool, Unseen) else pool
        entries = tuple(one.entry for one in listed)
        view = View(
            label=endpoint.label,
            operator=endpoint.operator or endpoint.label,
            at=self._clock(),
            head=latest,
            nonce_latest=counted,
            nonce_pending=pending,
            presence={
                hash_: _presence(place, hash_, entries)
                for hash_, place in zip(question.hashes, places, strict=True)
            },
            receipts=dict(zip(question.mined, receipts, strict=True)),
            pool=entries if isinstance(pool, tuple) else pool,
            balance_wei=balance,
        )
        return Answer(view, listed)

    def _has_not(self, node: Node, method: str) -> bool:
        """Whether the node said lately that it lacks a method."""
        return self._clock() - self._lacks.get((node.label, method), -LACKS_SECONDS) < LACKS_SECONDS

    async def _seen(self, answer: Awaitable[T]) -> T | Unseen:
        try:
            return await answer
        except RpcError as error:
            return error.unseen()

    async def _pool(self, node: Node, address: Address) -> tuple[PooledTransaction, ...] | None:
        """All of the account's in the pool; None where the node has no way to list it."""
        ways = (
            ("txpool_contentFrom", (address,), reading.content_from, reading.pooled),
            ("txpool_content", (), reading.content, reading.pooled_of_all),
        )
        for method, params, decoder, read in ways:
            if self._has_not(node, method):
                continue
            try:
                return tuple(read(await node.ask(method, params, decoder), address))
            except MethodAbsent:
                self._lacks[node.label, method] = self._clock()
            except UNREADABLE as error:
                message = f"{method}: {node.url.scrub(str(error))}"
                raise MalformedAnswer(message) from None
        return None

    async def raw(
        self, node: Node, hash_: Hash32, verified: Callable[[bytes], bool]
    ) -> bytes | None:
        """The bytes of a transaction as this node has them; None where it has no verified ones.

        Raises RpcError where it did not answer.
        """
        for method in ("eth_getRawTransactionByHash", "debug_getRawTransaction"):
            if self._has_not(node, method):
                continue
            try:
                written = await node.ask(method, (hash_,), reading.hex_bytes)
            except MethodAbsent:
                self._lacks[node.label, method] = self._clock()
                continue
            except CallRejected:
                continue
            raw = _bytes(written)
            if raw is not None and verified(raw):
                return raw
        return None

    async def has(self, node: Node, hash_: Hash32) -> bool | Unseen:
        """Whether a node has a transaction, pooled or mined."""
        place = await self._seen(_place(node, hash_))
        return place if isinstance(place, Unseen) else place is not None

    async def market(self, endpoints: Sequence[Endpoint], need: int) -> Market | Unseen:
        """What inclusion costs: of each price the highest that `need` operators reach.

        One operator is one vote, by the lowest that any of its endpoints names; so a liar alone
        neither makes a transaction look too cheap nor sets the price of its replacement.
        """
        said = await asyncio.gather(*(self._seen(_market(e.node)) for e in endpoints))
        by_operator: dict[str, list[Market]] = {}
        for endpoint, one in zip(endpoints, said, strict=True):
            if isinstance(one, Market):
                by_operator.setdefault(endpoint.operator or endpoint.label, []).append(one)
        if len(by_operator) < need or not by_operator:
            unseen = [one for one in said if isinstance(one, Unseen)]
            return unseen[0] if unseen else Unseen("unsupported", "too few tell what gas costs")

        def reached(price: Callable[[Market], int]) -> int:
            lowest = (min(price(one) for one in many) for many in by_operator.values())
            return sorted(lowest, reverse=True)[max(need, 1) - 1]

        return Market(
            base_fee_wei=reached(lambda market: market.base_fee_wei),
            tip_low_wei=reached(lambda market: market.tip_low_wei),
            tip_wei=reached(lambda market: market.tip_wei),
            gas_limit=reached(lambda market: market.gas_limit),
            blob_base_fee_wei=reached(lambda market: market.blob_base_fee_wei),
        )

    async def peers(self, node: Node) -> int | Unseen:
        """How many peers the node says it has."""
        return await self._seen(_quantity(node, "net_peerCount", ()))


def _presence(
    place: reading.RawTransactionPlace | Unseen | None,
    hash_: Hash32,
    entries: Sequence[PoolEntry],
) -> Presence | Unseen:
    """How a node has a transaction; its pool's own list says what is queued."""
    if isinstance(place, Unseen):
        return place
    listed = next((entry for entry in entries if entry.hash == hash_), None)
    if place is None:
        return "absent" if listed is None else listed.presence
    if place.block_hash is not None:
        return "mined"
    return "pending" if listed is None else listed.presence


def _bytes(written: str | None) -> bytes | None:
    if written is None or not written.lower().startswith("0x"):
        return None
    try:
        return bytes.fromhex(written[2:]) or None
    except ValueError:
        return None


async def _nothing() -> None:
    return None


async def _head(node: Node) -> Head:
    header = await node.ask("eth_getBlockByNumber", ("latest", False), decode.header)
    if header is None:
        message = "eth_getBlockByNumber: it has no latest block"
        raise MalformedAnswer(message)
    return header.head()


async def _quantity(node: Node, method: str, params: Sequence[object]) -> int:
    return int(await node.ask(method, params, decode.quantity), 16)


async def _count(node: Node, address: Address, tag: str) -> int:
    return await _quantity(node, "eth_getTransactionCount", (address, tag))


async def _balance(node: Node, address: Address) -> int:
    return await _quantity(node, "eth_getBalance", (address, "latest"))


async def _place(node: Node, hash_: Hash32) -> reading.RawTransactionPlace | None:
    found = await node.ask("eth_getTransactionByHash", (hash_,), reading.place)
    if found is not None and found.hash.lower() != hash_:
        message = "eth_getTransactionByHash: it answers with another transaction"
        raise MalformedAnswer(message)
    return found


async def _receipt(node: Node, hash_: Hash32) -> Receipt | None:
    found = await node.ask("eth_getTransactionReceipt", (hash_,), reading.receipt)
    if found is None:
        return None
    receipt = found.receipt()
    if receipt.hash != hash_:
        message = "eth_getTransactionReceipt: it answers with another transaction"
        raise MalformedAnswer(message)
    return receipt


async def _market(node: Node) -> Market | None:
    history, newest = await asyncio.gather(
        node.ask(
            "eth_feeHistory", (hex(FEE_BLOCKS), "latest", FEE_PERCENTILES), reading.fee_history
        ),
        node.ask("eth_getBlockByNumber", ("latest", False), reading.gas_limit),
    )
    return reading.market_of(history, int(newest.gas_limit, 16))
