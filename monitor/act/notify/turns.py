"""One attempt at a time, and a pause after each that failed. Nothing here waits or has a timer.

Whoever sends asks at every beat whether it may begin. A loop that stands still sends nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine

from monitor.act.instruments import Instruments
from monitor.act.notify.backoff import Backoff

log = logging.getLogger("headwatch")


class Turns:
    """The attempts of one sender."""

    def __init__(
        self, backoff: Backoff, *, clock: Callable[[], float], instruments: Instruments
    ) -> None:
        self._backoff = backoff
        self._clock = clock
        self._instruments = instruments
        self._retry_at: float | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether an attempt is under way."""
        return self._task is not None and not self._task.done()

    @property
    def is_failing(self) -> bool:
        """Whether the last attempt failed."""
        return self._backoff.failures > 0

    def may_begin(self) -> bool:
        """Whether nothing is under way and no pause has to be kept."""
        if self.is_busy:
            return False
        if self._retry_at is None:
            return True
        # A clock that was set back must not make a pause longer than any pause is.
        left = self._retry_at - self._clock()
        return left <= 0 or left > self._backoff.cap_seconds

    def begin(self, attempt: Coroutine[object, object, None]) -> None:
        """Start an attempt, which says itself what came of it."""
        self._task = asyncio.create_task(attempt)
        self._task.add_done_callback(self._ended)

    def succeeded(self) -> None:
        """It was taken."""
        self._backoff.reset()
        self._retry_at = None

    def failed(self) -> None:
        """It was not; the next one has to wait."""
        self._retry_at = self._clock() + self._backoff.next_seconds()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or (error := task.exception()) is None:
            return
        # A mistake of ours: said, counted, and tried again like any other failure.
        log.error("internal error while telling", exc_info=error)
        self._instruments.internal_errors.labels(place="notify").inc()
        self.failed()

    async def join(self) -> None:
        """Wait for the attempt that is under way."""
        if self._task is not None:
            await asyncio.wait({self._task})

    async def cancel(self) -> None:
        """End what is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
