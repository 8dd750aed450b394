"""What is costly to make: one at a time, away from the loop, and kept for whoever asks next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from monitor.model import Snapshot

KEEP_SECONDS = 0.5
"""How long a page that was drawn serves whoever asks next."""
KEPT_MAX = 64
"""Pages kept at once, whatever is asked for."""

K = TypeVar("K")
V = TypeVar("V")
P = TypeVar("P")


class Drawn(Generic[K, V]):
    """Pages that are costly to draw: one at a time, in a thread, each kept for a moment."""

    def __init__(self, snapshot: Callable[[], Snapshot], clock: Callable[[], float]) -> None:
        self._snapshot = snapshot
        self._clock = clock
        self._lock = asyncio.Lock()
        self._kept: dict[K, tuple[float, V]] = {}

    async def get(self, key: K, draw: Callable[[Snapshot], V]) -> V:
        """The page under this key, drawn anew when it is older than `KEEP_SECONDS`.

        The snapshot is taken on the loop, where nothing else changes meanwhile, and is drawn
        elsewhere.
        """

        async def nothing(snapshot: Snapshot) -> None:
            del snapshot

        return await self.get_with(key, nothing, lambda snapshot, _: draw(snapshot))

    async def get_with(
        self,
        key: K,
        gather: Callable[[Snapshot], Awaitable[P]],
        draw: Callable[[Snapshot, P], V],
    ) -> V:
        """As `get`, of a page that shows more than the snapshot: `gather` fetches it first."""
        async with self._lock:
            now = self._clock()
            kept = {k: (at, p) for k, (at, p) in self._kept.items() if now - at < KEEP_SECONDS}
            if key not in kept:
                snapshot = self._snapshot()
                page = await asyncio.to_thread(draw, snapshot, await gather(snapshot))
                while len(kept) >= KEPT_MAX:
                    kept.pop(next(iter(kept)))
                kept[key] = (self._clock(), page)
            self._kept = kept
            return kept[key][1]
