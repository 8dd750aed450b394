"""What a node answers to a call: its pool's own methods here, all others from the chain behind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from eth_utils.address import to_checksum_address

from monitor.lab.disguise import method_of, reply_message
from monitor.lab.view import Json, Reply
from tests.transactions.fakepool.contents import Place
from tests.transactions.fakepool.node import Node
from tests.transactions.fakepool.refusals import Refusal, Refused
from tests.transactions.fakepool.signed import Signed

Lie: TypeAlias = Callable[[list[Json], Json], Json]
"""The parameters and the true result in, what is answered instead out."""

_SIGNS = ("eth_sendTransaction", "eth_signTransaction", "eth_sign", "eth_accounts")
"""What needs keys: the lab's nodes have some, a client's node has none."""


class Rpc:
    """The JSON-RPC of one node, in its client's dialect."""

    def __init__(self, node: Node) -> None:
        self.lies: dict[str, Lie] = {}
        """By method; of its results, not of its errors."""
        self._node = node
        self._methods: dict[str, Callable[[list[Json]], Awaitable[Json]]] = {
            "debug_getRawTransaction": self._raw,
            "eth_getRawTransactionByHash": self._raw,
            "eth_getTransactionByHash": self._by_hash,
            "eth_getTransactionCount": self._count,
            "eth_getTransactionReceipt": self._receipt,
            "eth_pendingTransactions": self._pending_transactions,
            "eth_sendRawTransaction": self._send,
            "eth_syncing": self._syncing,
            "net_peerCount": self._peer_count,
            "txpool_content": self._content,
            "txpool_contentFrom": self._content_from,
            "txpool_inspect": self._inspect,
            "txpool_status": self._status,
            "web3_clientVersion": self._version,
        }

    async def answer(self, call: Json) -> Json:
        """The response to one call."""
        method = method_of(call)
        params = list(call.get("params") or [])
        dialect = self._node.dialect
        if not dialect.has(method) or method in _SIGNS:
            return reply_message(call, Reply(error=dialect.error_absent(method)))
        await self._node.refresh()
        handler = self._methods.get(method)
        if method == "eth_getTransactionCount" and params[1:] != ["pending"]:
            handler = None
        try:
            if handler is not None:
                answer = reply_message(call, Reply(await handler(params)))
            else:
                (answer,) = await self._node.upstream.ask([call])
        except Refused as refused:
            return reply_message(call, Reply(error=dialect.error(refused)))
        if method in self.lies and "result" in answer:
            answer["result"] = self.lies[method](params, answer["result"])
        return answer

    async def _send(self, params: list[Json]) -> str:
        return await self._node.send(params[0])

    async def _by_hash(self, params: list[Json]) -> Json:
        pooled = self._pooled(params[0])
        return (
            self._object(pooled)
            if pooled
            else await self._of_chain("eth_getTransactionByHash", params)
        )

    async def _receipt(self, params: list[Json]) -> Json:
        return await self._of_chain("eth_getTransactionReceipt", params)

    async def _of_chain(self, method: str, params: list[Json]) -> Json:
        """From the chain; raises Refused where the node cannot say that there is nothing."""
        (found,) = await self._node.upstream.results((method, *params))
        if found is None and self._node.is_indexing:
            raise Refused(Refusal.INDEXING)
        return found

    async def _raw(self, params: list[Json]) -> Json:
        pooled = self._pooled(params[0])
        if pooled:
            return pooled.raw
        (found,) = await self._node.upstream.results(("eth_getRawTransactionByHash", params[0]))
        return found or self._node.dialect.no_raw

    async def _count(self, params: list[Json]) -> Json:
        return hex(await self._node.count(params[0].lower()))

    async def _syncing(self, params: list[Json]) -> Json:
        if not self._node.is_syncing:
            return False
        (number,) = await self._node.upstream.results(("eth_blockNumber",))
        behind = hex(int(number, 16) + 1000)
        return {"startingBlock": "0x0", "currentBlock": number, "highestBlock": behind}

    async def _peer_count(self, params: list[Json]) -> Json:
        return hex(len(self._node.peers))

    async def _version(self, params: list[Json]) -> Json:
        return self._node.dialect.version

    async def _pending_transactions(self, params: list[Json]) -> Json:
        """Whatever is pooled; geth lists only what its own accounts have sent."""
        if self._node.dialect.client == "geth":
            return []
        return [self._object(transaction) for transaction, _ in self._places()]

    async def _content(self, params: list[Json]) -> Json:
        return self._by_sender(self._object)

    async def _inspect(self, params: list[Json]) -> Json:
        return self._by_sender(_summary)

    async def _content_from(self, params: list[Json]) -> Json:
        """txpool_contentFrom: by nonce alone."""
        sender = params[0].lower()
        parts: dict[str, dict[str, Json]] = {name: {} for name in self._parts().values()}
        for transaction, place in self._places():
            if transaction.sender == sender:
                part = parts[self._parts()[place]]
                part[str(transaction.nonce)] = self._object(transaction)
        return parts

    async def _status(self, params: list[Json]) -> Json:
        parts = dict.fromkeys(self._parts().values(), 0)
        for _, place in self._places():
            parts[self._parts()[place]] += 1
        return {name: hex(count) for name, count in parts.items()}

    def _by_sender(self, shown: Callable[[Signed], Any]) -> dict[str, dict[str, Json]]:
        """By part, sender and nonce; geth and Erigon write addresses with their checksum."""
        parts: dict[str, dict[str, Json]] = {name: {} for name in self._parts().values()}
        has_checksum = self._node.dialect.client in {"geth", "erigon"}
        for transaction, place in self._places():
            sender = transaction.sender
            key = to_checksum_address(sender) if has_checksum else sender
            by_nonce = parts[self._parts()[place]].setdefault(key, {})
            by_nonce[str(transaction.nonce)] = shown(transaction)
        return parts

    def _pooled(self, hash_: str) -> Signed | None:
        return None if self._node.is_private else self._node.pool.get(hash_.lower())

    def _places(self) -> list[tuple[Signed, Place]]:
        return [] if self._node.is_private else list(self._node.pool.places())

    def _parts(self) -> dict[Place, str]:
        """What the places are called: Erigon alone shows what is parked."""
        parked = "baseFee" if self._node.dialect.client == "erigon" else "queued"
        return {"pending": "pending", "parked": parked, "queued": "queued"}

    def _object(self, transaction: Signed) -> dict[str, Json]:
        return transaction.as_json(zero_signature=self._node.zeroes_signatures)


def _summary(transaction: Signed) -> str:
    """geth, core/types and internal/ethapi: a line for people."""
    to = transaction.to or "contract creation"
    price, gas = transaction.fee_cap_wei, transaction.gas
    return f"{to}: {transaction.value_wei} wei + {gas} gas × {price} wei"
