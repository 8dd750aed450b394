"""The network's block production: out of the pools of those whom the network hears.

The lab's leader makes the blocks; what is in them comes from the pools of the block builders, as
on a real network. A node of ours is none: its transactions are mined only if its peers have them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Sequence

import aiohttp

from monitor.lab.errors import LabRpcError
from monitor.lab.follower import Follower, LabNode
from monitor.lab.network import LabNetwork
from monitor.lab.replicator import Block
from tests.transactions.fakepool.node import Node
from tests.transactions.fakepool.signed import Signed
from tests.transactions.fakepool.upstream import next_base_fee_wei

TRAFFIC_GAS_MAX = 2_000_000
"""Room in each block for the lab's own traffic."""
TRAFFIC_FEE_CAP_WEI = 3 * 10**9
"""The least that the lab's own traffic offers."""


class Miner:
    """Makes the blocks of a quiet lab network."""

    def __init__(
        self,
        net: LabNetwork,
        builders: Sequence[Node],
        nodes: Sequence[tuple[Node, LabNode]],
    ) -> None:
        """`nodes` are all of them, each with the chain behind it."""
        self.builders = list(builders)
        """Whose pools are mined; a test may add and remove."""
        self.held: set[str] = set()
        """Hashes that are never taken, nor what their senders have after them."""
        self.censored: set[str] = set()
        """Senders of whom nothing is taken."""
        self.transactions_max: int | None = None
        """In a block, the lab's own traffic not counted."""
        self.base_fee_wei: int | None = None
        """Of every block from now on; None: by the rule (EIP-1559), as the pools reckon always."""
        self.has_traffic = True
        """Whether the lab's own transactions come along; they cannot pay every base fee."""
        self._net = net
        self._nodes = nodes
        self._lock = asyncio.Lock()

    def hold(self, hash_: str) -> None:
        """Never mine this one, until it is released."""
        self.held.add(hash_)

    def release(self, hash_: str) -> None:
        self.held.discard(hash_)

    def censor(self, sender: str) -> None:
        """Mine nothing of this sender."""
        self.censored.add(sender)

    async def mine(self, count: int) -> None:
        """So many blocks, one after the other."""
        for _ in range(count):
            await self.mine_one()

    async def run(self, interval_seconds: float) -> None:
        """A block every interval, for ever."""
        while True:
            await asyncio.sleep(interval_seconds)
            await self.mine_one()

    async def mine_one(self) -> Block:
        """One block; when it returns, every node that follows has it and every pool knows it."""
        async with self._lock:
            await self._refresh()
            leader = self._net.leader
            if self.base_fee_wei is not None:
                await leader.anvil.rpc("anvil_setNextBlockBaseFeePerGas", hex(self.base_fee_wei))
            for transaction in await self._chosen():
                try:
                    await leader.anvil.rpc("eth_sendRawTransaction", transaction.raw)
                except LabRpcError:
                    # Not executable after what came before it: it stays in the pools.
                    continue
            await self._feed_forks()
            with self._traffic():
                block = await leader.mine()
            await self._net.wait_blocks(0)
            await leader.anvil.rpc("anvil_dropAllTransactions")
            await self._refresh()
            return block

    @contextlib.contextmanager
    def _traffic(self) -> Iterator[None]:
        """The leader has no switch for its traffic; without its dice it sends none."""
        leader = self._net.leader
        dice = leader._random
        can_pay = self.base_fee_wei is None or self.base_fee_wei <= TRAFFIC_FEE_CAP_WEI
        leader._random = dice if self.has_traffic and can_pay else None
        try:
            yield
        finally:
            leader._random = dice

    async def _refresh(self) -> None:
        for node, _ in self._nodes:
            # One that is down learns of it when it is up.
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                await node.refresh()

    async def _chosen(self) -> list[Signed]:
        """The best tip first, each sender's by nonce, as far as the gas goes."""
        anvil = self._net.leader.anvil
        head = await anvil.rpc("eth_getBlockByNumber", "latest", False)
        base_fee = self.base_fee_wei
        base_fee = next_base_fee_wei(head) if base_fee is None else base_fee
        gas = int(head["gasLimit"], 16) - TRAFFIC_GAS_MAX
        waiting = self._waiting(base_fee)
        # What is below the base fee comes last, and the leader refuses it.
        nonces = {
            sender: int(await anvil.rpc("eth_getTransactionCount", sender, "latest"), 16)
            for sender in waiting
        }
        chosen: list[Signed] = []
        limit = self.transactions_max
        while limit is None or len(chosen) < limit:
            firsts = [by_nonce.get(nonces[sender]) for sender, by_nonce in waiting.items()]
            able = [one for one in firsts if one is not None and one.gas <= gas]
            if not able:
                break
            best = max(able, key=lambda one: (one.tip_wei(base_fee), one.hash))
            chosen.append(best)
            nonces[best.sender] += 1
            gas -= best.gas
        return chosen

    def _waiting(self, base_fee_wei: int) -> dict[str, dict[int, Signed]]:
        """By sender and nonce; where the builders have different ones, the best paid."""
        waiting: dict[str, dict[int, Signed]] = {}
        for builder in self.builders:
            for one in builder.pool.executable():
                if one.hash in self.held or one.sender in self.censored:
                    continue
                by_nonce = waiting.setdefault(one.sender, {})
                other = by_nonce.get(one.nonce)
                if other is None or one.tip_wei(base_fee_wei) > other.tip_wei(base_fee_wei):
                    by_nonce[one.nonce] = one
        return waiting

    async def _feed_forks(self) -> None:
        """A node on a fork of its own mines what it has itself."""
        for node, behind in self._nodes:
            if isinstance(behind, Follower) and behind.state == "fork":
                for transaction in node.pool.executable():
                    try:
                        await behind.anvil.rpc("eth_sendRawTransaction", transaction.raw)
                    except LabRpcError:
                        continue
