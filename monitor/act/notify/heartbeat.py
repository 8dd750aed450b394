"""An address that is fetched as long as the loop turns, and that misses it when it does not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiohttp

from monitor.act.notify.exchange import Request, send
from monitor.act.notify.tally import Tally
from monitor.config.settings import Heartbeat


class Pulse:
    """One heartbeat. It has no timer of its own: a loop that stands still stops it."""

    def __init__(
        self, settings: Heartbeat, tally: Tally, *, clock: Callable[[], float], deadline: float
    ) -> None:
        self.settings = settings
        self.tally = tally
        self.deadline_seconds = deadline
        self._clock = clock
        self._begun_at: float | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a request is under way."""
        return self._task is not None and not self._task.done()

    def beat(self, session: aiohttp.ClientSession) -> None:
        """Fetch it if it is time, and if the last time is over."""
        now = self._clock()
        is_early = (
            self._begun_at is not None
            and 0 <= now - self._begun_at < self.settings.interval_seconds
        )
        if is_early or self.is_busy:
            return
        self._begun_at = now
        self._task = asyncio.create_task(self._fetch(session))

    async def _fetch(self, session: aiohttp.ClientSession) -> None:
        request = Request(self.settings.url)
        answer = await send(session, request, deadline_seconds=self.deadline_seconds)
        if answer.is_accepted:
            self.tally.sent(self._clock())
        else:
            self.tally.failed(answer.problem)

    async def stop(self) -> None:
        """End what is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
