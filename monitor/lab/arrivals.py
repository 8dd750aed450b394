"""The leader's chain as one node gets to know it: every block after a delay of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from monitor.lab.anvil import Anvil
from monitor.lab.pulse import Pulse
from monitor.lab.replicator import Block


class Led(Protocol):
    """What a follower looks at: the leader itself, or its chain as it arrives."""

    @property
    def anvil(self) -> Anvil:
        """The node that blocks are copied from."""

    @property
    def head(self) -> Block:
        """The newest block."""

    def recent(self, number: int) -> Block | None:
        """The block at this height if it is among the newest, else None."""

    def reader(self) -> asyncio.Lock:
        """A lock to hold while several blocks are read that must hang together."""


class Arrivals:
    """A chain some of whose newest blocks are still on their way, in the order they were made."""

    def __init__(self, leader: Led, pulse: Pulse, late_seconds: Callable[[], float]) -> None:
        self._leader = leader
        self._pulse = pulse
        self._late_seconds = late_seconds
        self._head = leader.head
        self._due = 0.0

    @property
    def anvil(self) -> Anvil:
        """The node that blocks are copied from: it has them all."""
        return self._leader.anvil

    @property
    def head(self) -> Block:
        """The newest block that has arrived."""
        return self._head

    def recent(self, number: int) -> Block | None:
        """The block at this height if it has arrived and is among the newest, else None."""
        return self._leader.recent(number) if number <= self._head.number else None

    def reader(self) -> asyncio.Lock:
        """A lock to hold while several blocks are read that must hang together: the leader's."""
        return self._leader.reader()

    def made(self, block: Block) -> None:
        """Send a block on its way; none overtakes the one before."""
        loop = asyncio.get_running_loop()
        self._due = max(self._due, loop.time() + self._late_seconds())
        loop.call_at(self._due, self._arrive, block)

    def _arrive(self, block: Block) -> None:
        self._head = block
        self._pulse.beat()
