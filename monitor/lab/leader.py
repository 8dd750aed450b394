"""Mines a chain at its pace, with a little seeded traffic."""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
from collections import deque
from collections.abc import Callable
from contextlib import AsyncExitStack

from monitor.lab.anvil import Anvil, Call
from monitor.lab.errors import LabError
from monitor.lab.pulse import Pulse
from monitor.lab.replicator import Block, complete_block, read_block

RECENT_BLOCKS_MAX = 256
TRAFFIC_PROBABILITY = 0.5
TRAFFIC_PER_BLOCK_MAX = 3
CREATION_PROBABILITY = 0.25
TRAFFIC_ACCOUNTS = slice(5, 10)
"""The dev accounts that traffic is sent from; the first five are free, nonces and all."""

# Stores NUMBER, PREVRANDAO, COINBASE, TIMESTAMP and the parent's hash in slots 0 to 4: whatever of
# the header is not copied shows up in the state root.
_RUNTIME = bytes.fromhex("43600055446001554160025542600355600143034060045500")
_SIZE = f"60{len(_RUNTIME):02x}"
_INIT = bytes.fromhex(f"{_SIZE}600c600039{_SIZE}6000f3") + _RUNTIME


class Leader:
    """An anvil that is mined by us: one block after every gap, at wall-clock timestamps."""

    def __init__(
        self,
        anvil: Anvil,
        pulse: Pulse,
        *,
        gap_seconds: Callable[[], float],
        traffic_seed: int | None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`gap_seconds` is asked before every block. No traffic where the seed is None."""
        self.anvil = anvil
        self.is_quiet = False
        self.listeners: list[Callable[[Block], None]] = []
        """Told of every block as it is made, before those who wait are woken."""
        self.in_every_block: tuple[dict[str, str], ...] = ()
        """Transactions that each block holds, besides the traffic."""
        self._readers: list[asyncio.Lock] = []
        self._making = asyncio.Lock()
        """Held while blocks are made."""
        self._reorgs = 0
        self._is_mining = False
        self._pulse = pulse
        self._gap_seconds = gap_seconds
        self._random: random.Random | None = None
        if traffic_seed is not None:
            self._random = random.Random(traffic_seed)
        self._clock = clock
        self._accounts: list[str] = []
        self._recent: deque[Block] = deque(maxlen=RECENT_BLOCKS_MAX)

    @property
    def head(self) -> Block:
        """The newest block; known without asking. Only after `open`."""
        return self._recent[-1]

    def recent(self, number: int) -> Block | None:
        """The block at this height if it is among the newest, else None."""
        behind = self.head.number - number
        return self._recent[-1 - behind] if 0 <= behind < len(self._recent) else None

    def reader(self) -> asyncio.Lock:
        """A lock to hold while several blocks are read that must hang together: no reorg comes."""
        self._readers.append(asyncio.Lock())
        return self._readers[-1]

    @property
    def is_settled(self) -> bool:
        """Not quiet, or so quiet that no block is on its way any more."""
        return not (self.is_quiet and self._is_mining)

    async def open(self) -> None:
        """Read the head and the accounts; before the first block is mined."""
        self._accounts = (await self.anvil.rpc("eth_accounts"))[TRAFFIC_ACCOUNTS]
        number = int(await self.anvil.rpc("eth_blockNumber"), 16)
        self._recent.append(await read_block(self.anvil, number))

    async def run(self) -> None:
        """Mine for ever; a late block is not made up for by a burst."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + self._gap_seconds(), loop.time())
            await asyncio.sleep(due - loop.time())
            if not self.is_quiet:
                await self.mine()

    async def mine(self) -> Block:
        """Mine one block, with whatever the pool holds, and tell everybody."""
        async with self._making:
            return await self._mine()

    async def reorg(self, depth: int, *, keeps_transactions: bool = True) -> None:
        """Put as many other blocks, of another beneficiary, in the place of the newest `depth`.

        Their times are those of the blocks that go. The transactions of those are mined again, all
        in the last of the new blocks, or else they are gone and in no pool. Raises LabError for a
        depth that reaches genesis.
        """
        async with AsyncExitStack() as stack:
            for lock in (self._making, *self._readers):
                await stack.enter_async_context(lock)
            head = self.head.number
            if not 1 <= depth <= head:
                message = f"a reorg of {depth} blocks: the head is at {head}"
                raise LabError(message)
            gone = [
                self.recent(number) or await read_block(self.anvil, number)
                for number in range(head - depth + 1, head + 1)
            ]
            kept = [block for block in self._recent if block.number <= head - depth]
            raws = [raw for block in gone for raw in block.raws] if keeps_transactions else []
            await self.anvil.rpc("anvil_rollback", depth)
            self._reorgs += 1
            digest = hashlib.sha256(f"reorg {self._reorgs}".encode()).hexdigest()
            await self.anvil.rpc("anvil_setCoinbase", "0x" + digest[:40])
            # A rollback leaves the fee of the block after the old head behind.
            fee = gone[0].header["baseFeePerGas"]
            await self.anvil.rpc("anvil_setNextBlockBaseFeePerGas", fee)
            for block in gone:
                if block is gone[-1]:
                    for raw in raws:
                        await self.anvil.rpc("eth_sendRawTransaction", raw)
                kept.append(await self._mined(block.timestamp))
            self._recent = deque(kept, maxlen=RECENT_BLOCKS_MAX)
            for listener in self.listeners:
                listener(self.head)
        self._pulse.beat()

    async def _mine(self) -> Block:
        self._is_mining = True
        wanted: list[Call] = [("eth_sendTransaction", one) for one in self.in_every_block]
        await self.anvil.strict_batch([*self._traffic(), *wanted])
        timestamp = max(int(self._clock()), self.head.timestamp)
        block = await self._mined(timestamp)
        if block.parent_hash != self.head.hash:
            # The leader was reorganised by somebody: the blocks known so far may be gone.
            self._recent.clear()
        self._recent.append(block)
        self._is_mining = False
        for listener in self.listeners:
            listener(block)
        self._pulse.beat()
        return block

    async def _mined(self, timestamp: int) -> Block:
        mined = await self.anvil.rpc("evm_mine_detailed", {"timestamp": timestamp, "blocks": 1})
        return await complete_block(self.anvil, mined[0])

    def _traffic(self) -> list[Call]:
        draw = self._random
        if draw is None or draw.random() >= TRAFFIC_PROBABILITY:
            return []
        return [
            ("eth_sendTransaction", self._transaction(draw))
            for _ in range(draw.randint(1, TRAFFIC_PER_BLOCK_MAX))
        ]

    def _transaction(self, draw: random.Random) -> dict[str, str]:
        """A legacy or EIP-1559 transfer, or a contract that stores what it sees of the header."""
        sender = draw.choice(self._accounts)
        gwei = 10**9
        fees = draw.choice(
            (
                {"gasPrice": hex(draw.randint(3, 9) * gwei)},
                {
                    "maxFeePerGas": hex(20 * gwei),
                    "maxPriorityFeePerGas": hex(draw.randint(1, 4) * gwei),
                },
            )
        )
        if draw.random() < CREATION_PROBABILITY:
            return {"from": sender, "data": "0x" + _INIT.hex(), "gas": hex(400_000), **fees}
        value = hex(draw.randrange(1, 10**15))
        to = draw.choice(self._accounts)
        return {"from": sender, "to": to, "value": value, "gas": hex(21_000), **fees}
