"""What follows from the evaluated state: it is written down, told and shown.

The sidecar judges; the herald passes on. Edges go into the history and to the notifier, the state
of every second into the history's bars, and whoever looks at a page learns that there is something
new. It owns the maintenance windows, which keep people from being told and nothing from being
measured. Nothing here waits in the way of a round: the notifier has queues, the history a thread.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Sequence
from pathlib import Path

from monitor.act.live import Live
from monitor.act.notify import Notifier
from monitor.config import Settings
from monitor.history import History
from monitor.history.claim import Claim
from monitor.maintenance import Window, windows_of
from monitor.model import Action, Finding
from monitor.sidecar import Sidecar

FLUSH_SECONDS = 10.0
"""How often the history is written, and budgets are remembered."""


class Herald:
    """Passes on what the sidecar finds.

    `open` before the pages are served, `begin` before the first round, `close` after the last.
    """

    def __init__(self, sidecar: Sidecar, directory: Path | None) -> None:
        """Without a directory the history lives in memory, and ends with the process."""
        settings = sidecar.settings
        self.sidecar = sidecar
        self._claim = None if directory is None else Claim(directory)
        self.history = History(
            None if directory is None else directory / "history.sqlite",
            settings=settings.history,
            clock=sidecar.clock,
            claim=None if self._claim is None else self._claim.take,
        )
        self.live = Live()
        self.notifier: Notifier | None = None
        self._address = ""
        self._one_offs: tuple[Window, ...] = ()
        self._flushing: asyncio.Task[None] | None = None
        self._flushed_at = sidecar.clock()
        self._errors_counted = 0
        self._lost_counted = 0

    async def open(self) -> None:
        """Read what outlived the restart: windows, budgets, incidents."""
        await self.history.open()
        spent = await self.history.spent(_day(self.sidecar.clock()))
        for label, budget in self.sidecar.budgets().items():
            budget.resume(spent.get(label, 0))
        self._one_offs = await self.history.windows()
        self._look_at_calendar()
        self.sidecar.listeners.append(self._acted)

    async def begin(self, address: str) -> None:
        """Start to tell people; `address` is where the pages are served."""
        self._address = address
        self.notifier = Notifier(
            self.sidecar.settings.alerting,
            instruments=self.sidecar.instruments,
            clock=self.sidecar.clock,
            page_url=address,
        )
        await self.notifier.start()

    async def close(self) -> None:
        """Tell what is still to be told, write what is still to be written."""
        self.sidecar.listeners.remove(self._acted)
        if self._flushing is not None:
            await asyncio.wait({self._flushing})
        if self.notifier is not None:
            await self.notifier.stop()
        self._remember()
        await self.history.close()
        if self._claim is not None:
            self._claim.release()

    def page_url(self) -> str:
        """Where people reach the pages, as configured; else where they are served."""
        external = self.sidecar.settings.alerting.external_url
        return (self._address if external is None else external.reveal()).rstrip("/")

    def apply(self, settings: Settings) -> None:
        """Follow a configuration that was read again."""
        if self.notifier is not None:
            self.notifier.apply(settings.alerting)
        self.history.settings = settings.history
        self._look_at_calendar()

    def beat(self) -> None:
        """Once a second: windows, bars, reminders, and now and then the disk."""
        self.sidecar.shielded("notify", self._look_at_calendar)
        self.sidecar.shielded("history", self._sample)
        self.sidecar.shielded("notify", self._remind)
        now = self.sidecar.clock()
        # A clock that was set back must not put off what is to be written.
        is_early = 0 <= now - self._flushed_at < FLUSH_SECONDS
        if not is_early and (self._flushing is None or self._flushing.done()):
            self._flushed_at = now
            self._flushing = asyncio.create_task(self._flush())
            self._flushing.add_done_callback(self._flushed)

    def _sample(self) -> None:
        self.history.sample(self.sidecar.snapshot())

    def _remind(self) -> None:
        if self.notifier is not None:
            self.notifier.beat(self.sidecar.verdict, self._is_silenced)

    def rounded(self) -> None:
        """A round is over, or something turned: whoever looks at a page may look again."""
        verdict = self.sidecar.verdict
        rounds = sum(watch.rounds_total for watch in self.sidecar.watches.values())
        self.live.publish(at=verdict.at, verdict=verdict.word, rounds=rounds)

    async def reread_windows(self) -> None:
        """A window was added or ended: know of it at once."""
        self._one_offs = await self.history.windows()
        self._look_at_calendar()
        self.rounded()

    def _look_at_calendar(self) -> None:
        self.sidecar.windows = windows_of(
            self.sidecar.settings.maintenance, self._one_offs, self.sidecar.clock()
        )

    def _acted(self, actions: Sequence[Action]) -> None:
        self.history.record(actions, self._is_silenced)
        self._flushed_at = 0.0  # The next beat writes it: edges are few, and pages show them.
        if self.notifier is not None:
            self.notifier.tell(actions, self.sidecar.verdict, self._is_silenced)
        self.rounded()

    def _is_silenced(self, finding: Finding) -> bool:
        return self.sidecar.is_silenced(finding.network, finding.subject)

    def _remember(self) -> None:
        spent = {label: budget.spent for label, budget in self.sidecar.budgets().items()}
        self.history.remember_spent(_day(self.sidecar.clock()), spent)

    async def _flush(self) -> None:
        self._remember()
        await self.history.flush()
        # Not only those added here: a file that was away for a while may bring its own back.
        self._one_offs = await self.history.windows()
        instruments = self.sidecar.instruments
        instruments.history_size_bytes.set(self.history.size_bytes)
        instruments.history_errors.inc(self.history.errors_total - self._errors_counted)
        self._errors_counted = self.history.errors_total
        instruments.history_lost.inc(self.history.lost_total - self._lost_counted)
        self._lost_counted = self.history.lost_total

    def _flushed(self, task: asyncio.Task[None]) -> None:
        """A mistake of ours in writing is counted like any other."""
        if not task.cancelled():
            self.sidecar.shielded("history", task.result)


def _day(at: float) -> str:
    return datetime.datetime.fromtimestamp(at, datetime.UTC).date().isoformat()
