"""A leader, its followers and their proxies, together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

import aiohttp

from monitor.config import ProfileRef
from monitor.lab.anvil import HASHES_ONLY, Anvil, Chain
from monitor.lab.arrivals import Arrivals, Led
from monitor.lab.errors import LabError
from monitor.lab.follower import Follower, LabNode
from monitor.lab.leader import Leader
from monitor.lab.pace import Pace, drawn_from, late_seconds, steady
from monitor.lab.proxy import FaultProxy
from monitor.lab.pulse import Pulse
from monitor.lab.replicator import self_test
from monitor.lab.tools import find_anvil
from monitor.model import Hash32

LOCAL = "local"
OTHER_GENESIS_AGE_SECONDS = 86_400
WAIT_SECONDS_MIN = 30.0
"""Every wait's deadline is at least this, on top of the time that the blocks themselves take."""
WAIT_FACTOR = 4.0


class LabNetwork:
    """A chain with a node of ours and several references, each behind a proxy of its own.

    The first reference is the leader itself; the local node and the other references copy it. At
    a pace that is drawn, each of them has every block after a delay of its own.
    """

    def __init__(
        self,
        references: Sequence[str] = ("a", "b", "c"),
        interval_seconds: float = 0.25,
        seed: int = 0,
        chain_id: int = 31337,
        *,
        binary: Path | None = None,
        pace: Pace | None = None,
    ) -> None:
        """A block every `interval_seconds`, or at the gaps of a pace, where one is given."""
        names = [LOCAL, *references]
        if not references or len(set(names)) != len(names):
            message = f"references need distinct names other than {LOCAL!r}: {list(references)}"
            raise LabError(message)
        self._references = tuple(references)
        self.pace = steady(interval_seconds) if pace is None else pace
        self._genesis_hash = ""
        self._seed = seed
        self._binary = binary
        self._chain = Chain(chain_id, int(time.time()), self.pace.slots_in_an_epoch)
        self._pulse = Pulse()
        self._stack = AsyncExitStack()
        self._leader: Leader | None = None
        self._other: Anvil | None = None
        self._other_lock = asyncio.Lock()
        self._nodes: dict[str, LabNode] = {}

    @property
    def leader(self) -> Leader:
        """The chain's one producer."""
        if self._leader is None:
            message = "this network is not started"
            raise LabError(message)
        return self._leader

    @property
    def leader_number(self) -> int:
        """The height of the chain; known without asking."""
        return self.leader.head.number

    @property
    def rehearsed(self) -> ProfileRef | None:
        """What a configuration says of a chain that is rehearsed; None of a development chain.

        The thresholds are that chain's, and the id and the genesis this network's.
        """
        if self.pace.kind == "steady":
            return None
        return ProfileRef(
            profile=self.pace.profile.key,
            speed=self.pace.profile.speed,
            chain_id=self._chain.chain_id,
            genesis_hash=Hash32(self._genesis_hash),
        )

    @property
    def local(self) -> LabNode:
        """The node that is watched."""
        return self._nodes[LOCAL]

    @property
    def reference(self) -> Mapping[str, LabNode]:
        """The nodes it is compared with, by name."""
        return MappingProxyType({name: self._nodes[name] for name in self._references})

    def quiet(self) -> None:
        """The whole network stops making blocks."""
        self.leader.is_quiet = True

    def go(self) -> None:
        """The network makes blocks again."""
        self.leader.is_quiet = False

    async def reorg(self, depth: int, *, keeps_transactions: bool = True) -> None:
        """The chain leaves its newest `depth` blocks for others, and who follows goes along.

        No proxy answers meanwhile: nodes of a network of slow blocks are together again between
        two polls, and so are these, however busy the machine is.
        """
        head = self.leader_number
        following = [
            node
            for node in self._followers()
            if node.state == "follow" and not node.is_absent and node.number >= head - 1
        ]
        for node in self._nodes.values():
            node.proxy.hold()
        try:
            await self.leader.reorg(depth, keeps_transactions=keeps_transactions)
            await self._pulse.until(
                lambda: all(node.is_caught_up for node in following),
                WAIT_SECONDS_MIN,
                f"a reorg of {depth} blocks to reach every node",
            )
        finally:
            for node in self._nodes.values():
                node.proxy.release()

    async def restart(
        self, name: str, *, keeps_chain: bool = True, catches_up_first: bool = False
    ) -> None:
        """End a node's process and start it anew on the same port, with its chain or without.

        Its pool is lost, its websockets are closed. The port opens when the node is up, or when
        it has caught up.
        """
        await self._nodes[name].kill()
        await self.revive(name, keeps_chain=keeps_chain, catches_up_first=catches_up_first)

    async def revive(
        self, name: str, *, keeps_chain: bool = True, catches_up_first: bool = False
    ) -> None:
        """Wake the node's process, or start it again; does nothing to one that is well."""
        node = self._nodes[name]
        if not isinstance(node, Follower) or not node.is_absent:
            return
        if catches_up_first:
            # Also in front of a process that hangs: what it is asked now, it answers with old news.
            await node.proxy.unplug()
        if node.is_killed:
            await node.start(keeps_chain=keeps_chain)
            for other in self._nodes.values():
                other.proxy.add_upstream(name, node.anvil.url)
        else:
            await node.wake_process()
        if catches_up_first:
            await self.wait_caught_up(name)
        await node.proxy.plug()

    async def join_late(self, name: str, behind_blocks: int) -> None:
        """A node with an empty chain takes the place of this one, and replays from genesis.

        It comes within `behind_blocks` of the leader and keeps that distance until it is told to
        follow.
        """
        node = self._nodes[name]
        await node.kill()
        node.lag(behind_blocks)
        await self.revive(name, keeps_chain=False)

    async def wait_blocks(self, count: int) -> None:
        """Wait for `count` more blocks, and until every node has done with them what it does."""
        goal = self.leader_number + count
        await self._pulse.until(
            lambda: self.leader_number >= goal and self._is_settled,
            self._wait_seconds(count),
            f"block {goal} of the leader, which is at {self.leader_number}, on every node",
        )

    async def wait_caught_up(self, name: str) -> None:
        """Wait until the node's head is what its state calls for: the leader's, or `lag` behind."""
        node = self._nodes[name]
        if not isinstance(node, Follower):
            self._pulse.check()
            return
        if node.is_absent or node.state not in {"follow", "lag"}:
            state = "gone" if node.is_absent else f"in state {node.state}"
            message = f"{name} is {state} and will not catch up"
            raise LabError(message)
        await self._pulse.until(
            lambda: node.is_caught_up,
            self._wait_seconds(self.leader_number),
            f"{name} to catch up: {node.number} of {self.leader_number}",
        )

    def _wait_seconds(self, blocks: int) -> float:
        own = WAIT_FACTOR * blocks * self.pace.interval_seconds
        return WAIT_SECONDS_MIN + own + self.pace.patience_seconds

    async def other_chain(self) -> Anvil:
        """A node of another chain (id, genesis), mined each interval too; started once."""
        async with self._other_lock:
            if self._other is None:
                chain = Chain(
                    self._chain.chain_id + 1,
                    self._chain.genesis_timestamp - OTHER_GENESIS_AGE_SECONDS,
                )
                anvil = await self._stack.enter_async_context(
                    Anvil(chain, name="other", binary=self._binary)
                )
                miner = self._leader_of(anvil, traffic_seed=None)
                await miner.open()
                await miner.mine()
                self._background(miner.run(), "miner of the other chain")
                self._other = anvil
            return self._other

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as undo:
            undo.push_async_callback(self._stack.aclose)
            await self._start()
            undo.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()
        if error is None:
            self._pulse.check()
        elif self._pulse.failure is not None:
            error.add_note(f"the lab failed in the background: {self._pulse.failure}")

    async def _start(self) -> None:
        binary = self._binary = self._binary or find_anvil()
        session = await self._stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        )
        anvils = {
            name: Anvil(self._chain, name=name, binary=binary, session=session)
            for name in (*self._references, LOCAL)
        }
        # Before they are started: a start that fails halfway leaves others to be stopped.
        self._stack.push_async_callback(_all, (anvil.stop for anvil in anvils.values()))
        await _all(anvil.start for anvil in anvils.values())
        proxies = await self._start_proxies(anvils)
        self._leader = self._leader_of(anvils[self._references[0]], traffic_seed=self._seed)
        await self_test(self._leader.anvil, anvils[LOCAL])
        await self._leader.open()
        genesis = await self._leader.anvil.rpc("eth_getBlockByNumber", hex(0), HASHES_ONLY)
        self._genesis_hash = genesis["hash"]
        for name, anvil in anvils.items():
            if anvil is self._leader.anvil:
                self._nodes[name] = LabNode(name, anvil, proxies[name])
                continue
            self._nodes[name] = Follower(
                name, anvil, proxies[name], leader=self._seen_by(name), pulse=self._pulse
            )
        for follower in self._followers():
            self._background(follower.run(), f"follower {follower.name}")
        for follower in self._followers():
            await self.wait_caught_up(follower.name)
        self._background(self._leader.run(), "leader")

    async def _start_proxies(self, anvils: Mapping[str, Anvil]) -> dict[str, FaultProxy]:
        """Each knows every node by name, its own first, so that any may be routed to any."""
        proxies: dict[str, FaultProxy] = {}
        for index, name in enumerate(anvils):
            upstreams = {name: anvils[name].url}
            upstreams.update((other, anvil.url) for other, anvil in anvils.items())
            proxies[name] = FaultProxy(
                upstreams, self._seed + index, slots_in_an_epoch=self._chain.slots_in_an_epoch
            )
            self._stack.push_async_callback(proxies[name].stop)
            await proxies[name].start()
        return proxies

    def _leader_of(self, anvil: Anvil, *, traffic_seed: int | None) -> Leader:
        return Leader(
            anvil,
            self._pulse,
            gap_seconds=self.pace.gaps(f"{self._seed} {anvil.name}"),
            traffic_seed=traffic_seed,
        )

    def _seen_by(self, name: str) -> Led:
        """The leader's chain as this node gets to know it."""
        leader = self.leader
        if self.pace.kind == "steady":
            return leader
        draw = drawn_from(f"{self._seed} {name} late")
        arrivals = Arrivals(leader, self._pulse, lambda: late_seconds(self.pace.profile, draw))
        leader.listeners.append(arrivals.made)
        return arrivals

    @property
    def _is_settled(self) -> bool:
        return self.leader.is_settled and all(one.is_settled for one in self._followers())

    def _followers(self) -> list[Follower]:
        return [node for node in self._nodes.values() if isinstance(node, Follower)]

    def _background(self, work: Coroutine[object, object, None], name: str) -> None:
        task = self._pulse.watch(work, name)

        async def cancel() -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        self._stack.push_async_callback(cancel)


async def _all(acts: Iterable[Callable[[], Awaitable[None]]]) -> None:
    """Do these together; the first failure is raised once all have ended, so none is left."""
    results = await asyncio.gather(*(act() for act in acts), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
