"""Wakes whoever waits, and passes on the failure of a background task."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

from monitor.lab.errors import LabError


class Pulse:
    """Something happened: everybody looks again whether what he waits for is there."""

    def __init__(self) -> None:
        self.failure: BaseException | None = None
        """The first failure of a watched task: every wait raises it from then on."""
        self._event = asyncio.Event()
        self._beats = 0

    def beat(self) -> None:
        """Wake everybody."""
        self._beats += 1
        self._event.set()
        self._event = asyncio.Event()

    def watch(self, work: Coroutine[object, object, None], name: str) -> asyncio.Task[None]:
        """Run `work` in the background; its failure is kept and wakes everybody."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._note)
        return task

    async def until(self, reached: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait for `reached()`; raises LabError for a background failure or after `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    self.check()
                    event = self._event
                    if reached():
                        return
                    await event.wait()
        except TimeoutError:
            message = f"waited {seconds:.0f} s in vain for {what}"
            raise LabError(message) from None

    async def each(self, act: Callable[[], Coroutine[object, object, None]]) -> None:
        """Call `act` now and after every beat; beats during a call count as one."""
        while True:
            seen = self._beats
            await act()
            while self._beats == seen:
                await self._event.wait()

    def check(self) -> None:
        """Raise LabError if a watched task has failed."""
        if self.failure is not None:
            message = f"the lab failed in the background: {self.failure}"
            raise LabError(message) from self.failure

    def _note(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or task.exception() is None:
            return
        self.failure = self.failure or task.exception()
        self.beat()
