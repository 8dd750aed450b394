"""A node that follows, stalls, lags or forks, switchable at any time, and its process."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
from typing import Literal, NoReturn

from monitor.lab.anvil import HASHES_ONLY, Anvil, Json
from monitor.lab.arrivals import Led
from monitor.lab.errors import LabError
from monitor.lab.proxy import FaultProxy
from monitor.lab.pulse import Pulse
from monitor.lab.replicator import Replicator

PORTION_BLOCKS_MAX = 32

WITH_HISTORY = True
"""Of `anvil_dumpState`: without it a node cannot roll back below the block it was loaded at."""

State = Literal["follow", "stall", "lag", "fork"]


class LabNode:
    """A node of the lab, and the proxy through which its clients see it."""

    def __init__(self, name: str, anvil: Anvil, proxy: FaultProxy) -> None:
        self.name = name
        self.anvil = anvil
        self.proxy = proxy

    @property
    def url(self) -> str:
        """What a client is given: the proxy's, not the node's own."""
        return self.proxy.url

    @property
    def ws_url(self) -> str:
        return self.proxy.ws_url

    def follow(self) -> None:
        """Copy every block of the leader; heals the other states."""
        self._refuse("follow")

    def stall(self) -> None:
        """Stay at the present head."""
        self._refuse("stall")

    def lag(self, blocks: int) -> None:
        """Move with the leader, `blocks` behind it; a head that is too high waits."""
        self._refuse(f"lag {blocks}")

    def fork(self) -> None:
        """Mine an own block for each of the leader's, from the present head."""
        self._refuse("fork")

    async def hang_process(self) -> None:
        """Stop the process (SIGSTOP): it takes connections and never answers."""
        self._refuse("hang")

    async def wake_process(self) -> None:
        """Let a process that hangs go on (SIGCONT); does nothing to one that does not."""
        self._refuse("wake")

    async def kill(self) -> None:
        """End the process: the port is closed, and what was in the pool is lost."""
        self._refuse("die")

    async def start(self, *, keeps_chain: bool = True) -> None:
        """Start it again, with the chain it had or an empty one; the port stays closed.

        Calls of contracts at blocks before the start are not answered: anvil loads no old code.
        """
        self._refuse("start" if keeps_chain else "start empty")

    def _refuse(self, state: str) -> NoReturn:
        message = (
            f"{self.name} is the leader itself and cannot {state}: use the faults of its proxy, "
            "or quiet() for the whole network"
        )
        raise LabError(message)


class Follower(LabNode):
    """A node with its own copy of the leader's chain."""

    def __init__(
        self, name: str, anvil: Anvil, proxy: FaultProxy, *, leader: Led, pulse: Pulse
    ) -> None:
        super().__init__(name, anvil, proxy)
        self.state: State = "follow"
        self.number = 0
        """The height of its own head; known without asking."""
        self._leader = leader
        self._pulse = pulse
        self._replicator = Replicator(leader.anvil, anvil)
        self._reading = leader.reader()
        self._lag_blocks = 0
        self._is_acting = False
        self.is_absent = False
        """Its process hangs or is gone: it does nothing, whatever its state calls for."""
        self._acting = asyncio.Lock()
        """Held while its process is asked something: it must not go away meanwhile."""
        self._dump: Json = None
        """Its chain, while there is no process to hold it."""
        self._tip: str | None = None
        """The hash of its head while that is a block of the leader's, else None."""
        self._forked_upto = 0
        """The height of the leader for which the last own block was mined."""
        digest = hashlib.sha256(f"fork of {name}".encode()).hexdigest()
        self._fork_coinbase = "0x" + digest[:40]

    def follow(self) -> None:
        self._switch("follow")

    def stall(self) -> None:
        self._switch("stall")

    def lag(self, blocks: int) -> None:
        if blocks < 1:
            message = f"a lag is 1 block or more, not {blocks}"
            raise LabError(message)
        self._switch("lag", blocks)

    def fork(self) -> None:
        self._forked_upto = self._leader.head.number
        self._switch("fork")

    @property
    def is_killed(self) -> bool:
        """There is no process."""
        return self._dump is not None

    async def hang_process(self) -> None:
        async with self._acting:
            self._refuse_if_absent()
            self.is_absent = True
            os.kill(self.anvil.pid, signal.SIGSTOP)

    async def wake_process(self) -> None:
        if self.is_absent and not self.is_killed:
            os.kill(self.anvil.pid, signal.SIGCONT)
            self.is_absent = False
            self._pulse.beat()

    async def kill(self) -> None:
        async with self._acting:
            self._refuse_if_absent()
            self._dump = await self.anvil.rpc("anvil_dumpState", WITH_HISTORY)
            self.is_absent = True
            await self.proxy.unplug()
            await self.anvil.stop()

    async def start(self, *, keeps_chain: bool = True) -> None:
        if not self.is_killed:
            message = f"{self.name} was not killed and cannot start"
            raise LabError(message)
        await self.anvil.start()
        if keeps_chain:
            await self._replicator.load(self._dump)
        else:
            self.number, self._tip = 0, None
        self._dump = None
        self.is_absent = False
        self._pulse.beat()

    def _refuse_if_absent(self) -> None:
        if self.is_absent:
            message = f"the process of {self.name} hangs or is gone already"
            raise LabError(message)

    @property
    def is_caught_up(self) -> bool:
        """Its head is the leader's block that its state calls for."""
        block = self._leader.recent(self._goal)
        return block is not None and (self.number, self._tip) == (block.number, block.hash)

    @property
    def is_settled(self) -> bool:
        """It has done all that its state calls for at the present head of the leader."""
        return self._is_done and not self._is_acting

    @property
    def _is_done(self) -> bool:
        if self.is_absent or self.state == "stall":
            return True
        if self.state == "fork":
            return self._forked_upto >= self._leader.head.number
        return self.is_caught_up or self._is_waiting

    async def run(self) -> None:
        """Act after every block and every switch, for ever."""
        await self._pulse.each(self._advance)

    @property
    def _goal(self) -> int:
        return max(0, self._leader.head.number - self._lag_blocks)

    @property
    def _is_waiting(self) -> bool:
        """It lags by too little: the leader has to move first."""
        return self.state == "lag" and self._tip is not None and self.number > self._goal

    def _switch(self, state: State, lag_blocks: int = 0) -> None:
        self.state = state
        self._lag_blocks = lag_blocks
        self._pulse.beat()

    async def _advance(self) -> None:
        while not self._is_done:
            before = (self.number, self._tip)
            self._is_acting = True
            async with self._acting:
                if not self.is_absent:
                    await (self._mine_own() if self.state == "fork" else self._copy())
            self._is_acting = False
            if before == (self.number, self._tip) and not self._is_done:
                # The leader's chain was changed behind its clock's back: its next block tells.
                return
            self._pulse.beat()

    async def _mine_own(self) -> None:
        """One block that differs from the leader's in its beneficiary."""
        await self.anvil.rpc("anvil_setCoinbase", self._fork_coinbase)
        mined = await self.anvil.rpc(
            "evm_mine_detailed", {"timestamp": self._leader.head.timestamp, "blocks": 1}
        )
        self.number = int(mined[0]["number"], 16)
        self._tip = None
        self._forked_upto += 1

    async def _copy(self) -> None:
        goal = self._goal
        block = self._leader.recent(goal)
        if block is not None and (self.number + 1, self._tip) == (goal, block.parent_hash):
            await self._replicator.replay(block)
            self.number, self._tip = block.number, block.hash
            return
        # In portions, so that a switch of state need not wait for a long way to end.
        async with self._reading:
            await self._replicator.catch_up(min(goal, self.number + PORTION_BLOCKS_MAX))
        head = await self.anvil.rpc("eth_getBlockByNumber", "latest", HASHES_ONLY)
        self.number, self._tip = int(head["number"], 16), head["hash"]
