"""A journal that holds, breaks and remembers as it is told."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field

from monitor.model import Hash32


class BrokenLedgerError(Exception):
    """What this journal raises."""


def hash_of(raw: bytes) -> Hash32:
    """Any name of the bytes."""
    return Hash32("0x" + hashlib.sha256(raw).hexdigest())


@dataclass(slots=True)
class FakeLedger:
    """Arrivals and outcomes in the order in which they became durable."""

    arrived: list[tuple[bytes, Hash32, str, float]] = field(default_factory=list)
    outcomes: list[tuple[Hash32, str, str, float]] = field(default_factory=list)
    breaks_arrivals: set[bytes] | bool = False
    """The bytes that cannot be written; True: none can."""
    breaks_answers: set[Hash32] | bool = False
    arrival_mistake: Exception | None = None
    on_arrived: asyncio.Event = field(default_factory=asyncio.Event)
    on_answered: asyncio.Event = field(default_factory=asyncio.Event)
    _held: asyncio.Event = field(default_factory=asyncio.Event)
    _count: int = 0
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def __post_init__(self) -> None:
        self._held.set()

    def hold(self) -> None:
        """Let every write wait until `release`."""
        self._held.clear()

    def release(self) -> None:
        self._held.set()

    async def waiting(self, count: int) -> None:
        """Until so many writes wait at the same time."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._count >= count)

    @property
    def hashes(self) -> list[Hash32]:
        return [hash_ for _, hash_, _, _ in self.arrived]

    @property
    def told(self) -> list[tuple[Hash32, str]]:
        """Hash and outcome of what was answered."""
        return [(hash_, outcome) for hash_, outcome, _, _ in self.outcomes]

    async def arrive(self, raw: bytes, hash_: Hash32, *, source: str, at: float) -> None:
        await self._wait()
        if self.arrival_mistake is not None:
            raise self.arrival_mistake
        if _holds(self.breaks_arrivals, raw):
            message = "the disk is full"
            raise BrokenLedgerError(message)
        self.arrived.append((raw, hash_, source, at))
        self.on_arrived.set()

    async def answered(self, hash_: Hash32, outcome: str, message: str, at: float) -> None:
        await self._wait()
        if _holds(self.breaks_answers, hash_):
            problem = "the disk is full"
            raise BrokenLedgerError(problem)
        self.outcomes.append((hash_, outcome, message, at))
        self.on_answered.set()

    async def _wait(self) -> None:
        self._count += 1
        async with self._changed:
            self._changed.notify_all()
        try:
            await self._held.wait()
        finally:
            self._count -= 1


def _holds(broken: set[bytes] | set[Hash32] | bool, what: bytes | Hash32) -> bool:
    return broken if isinstance(broken, bool) else what in broken
