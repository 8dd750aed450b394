"""Everybody who is told, and the one standing that they are told of.

`tell` and `beat` compare, count and start what is due; they return at once and never wait for a
receiver. There is no timer here: the loop's beat is the clock, so that a loop that stands still
lets its heartbeats miss.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence

import aiohttp

from monitor.act.instruments import Instruments
from monitor.act.notify.alertmanager import Pusher
from monitor.act.notify.backoff import Backoff
from monitor.act.notify.board import Board
from monitor.act.notify.channel import Mouth, rules_of
from monitor.act.notify.digest import Digest
from monitor.act.notify.heartbeat import Pulse
from monitor.act.notify.service import Service
from monitor.act.notify.standing import Standing, follow
from monitor.act.notify.tally import Tally
from monitor.act.notify.turns import Turns
from monitor.config.settings import Alerting, Alertmanager, Channel, Heartbeat
from monitor.model import Action, Finding, Verdict
from monitor.wire import open_session

STOP_SECONDS = 4.0
"""How long `stop` waits for what is under way and for what is sent last."""

Silenced = Callable[[Finding], bool]


class Notifier:
    """Tells Alertmanagers, channels and heartbeats; of the loop's thread only."""

    def __init__(
        self,
        alerting: Alerting,
        *,
        instruments: Instruments,
        clock: Callable[[], float] = time.time,
        page_url: str,
        backoff: Callable[[], Backoff] = Backoff,
    ) -> None:
        """`page_url` is where the status page is, unless `alerting.external_url` says it."""
        self._instruments = instruments
        self._clock = clock
        self._own_url = page_url
        self._backoff = backoff
        self._session: aiohttp.ClientSession | None = None
        self._standing: Standing = {}
        self._pushers: dict[str, Pusher] = {}
        self._mouths: dict[str, Mouth] = {}
        self._pulses: dict[str, Pulse] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self.apply(alerting)

    # -- who is told -----------------------------------------------------------------------------

    def apply(self, alerting: Alerting) -> None:
        """Tell those that these settings name; who stays remembers what was told."""
        page_url = self._own_url
        if alerting.external_url is not None:
            page_url = alerting.external_url.reveal()
        page_url = page_url.rstrip("/")
        old: dict[str, Pusher | Mouth | Pulse] = {**self._pushers, **self._mouths, **self._pulses}
        self._pushers = {
            s.name: self._pusher(s, alerting, page_url) for s in alerting.alertmanagers
        }
        self._mouths = {s.name: self._mouth(s, alerting, page_url) for s in alerting.channels}
        self._pulses = {s.name: self._pulse(s, alerting) for s in alerting.heartbeats}
        kept = self._everybody()
        for name, each in old.items():
            if kept.get(name) is not each:
                self._leave(each)
            if name not in kept:
                each.tally.forget()

    def _everybody(self) -> dict[str, Pusher | Mouth | Pulse]:
        return {**self._pushers, **self._mouths, **self._pulses}

    def _pusher(self, settings: Alertmanager, alerting: Alerting, page_url: str) -> Pusher:
        old = self._pushers.get(settings.name)
        if old is not None and (old.settings, old.board.page_url) == (settings, page_url):
            old.deadline_seconds = alerting.deadline_seconds
            return old
        board = Board(settings.resolve_timeout_seconds, settings.labels, page_url)
        tally = Tally(settings.name, self._instruments, holds=False)
        return Pusher(settings, tally, self._turns(), self._clock, alerting.deadline_seconds, board)

    def _mouth(self, settings: Channel, alerting: Alerting, page_url: str) -> Mouth:
        old = self._mouths.get(settings.name)
        if old is not None and old.settings.url == settings.url:
            old.renewed(settings, alerting, page_url)
            return old
        return Mouth(
            settings=settings,
            service=Service(settings.url.get_secret_value()),
            digest=Digest(rules_of(settings, alerting)),
            tally=Tally(settings.name, self._instruments, holds=True),
            turns=self._turns(),
            clock=self._clock,
            deadline_seconds=alerting.deadline_seconds,
            page_url=page_url,
        )

    def _pulse(self, settings: Heartbeat, alerting: Alerting) -> Pulse:
        old = self._pulses.get(settings.name)
        deadline = alerting.deadline_seconds
        if old is not None and old.settings == settings:
            old.deadline_seconds = deadline
            return old
        tally = Tally(settings.name, self._instruments, holds=False)
        return Pulse(settings, tally, clock=self._clock, deadline=deadline)

    def _turns(self) -> Turns:
        return Turns(self._backoff(), clock=self._clock, instruments=self._instruments)

    def _leave(self, each: Pusher | Mouth | Pulse) -> None:
        """End what is under way for one that is told no more."""
        ending = each.stop() if isinstance(each, Pulse) else each.turns.cancel()
        if self._session is None:
            ending.close()
            return
        task = asyncio.get_running_loop().create_task(ending)
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    # -- the time between start and stop ---------------------------------------------------------

    async def start(self) -> None:
        """Open what messages go through. Before it, what is told only waits."""
        self._session = open_session({})

    async def stop(self, *, seconds: float = STOP_SECONDS) -> None:
        """Send what waits, for a few seconds, and end; what could not be told is counted."""
        session, self._session = self._session, None
        if session is None:
            return
        everybody: Iterable[Pusher | Mouth | Pulse] = self._everybody().values()
        last = [asyncio.create_task(self._last(each, session)) for each in everybody]
        if last:
            await asyncio.wait(last, timeout=seconds)
        for task in (*last, *self._leaving):
            task.cancel()
        await asyncio.gather(*last, *self._leaving, return_exceptions=True)
        await session.close()

    async def _last(self, each: Pusher | Mouth | Pulse, session: aiohttp.ClientSession) -> None:
        if isinstance(each, Pulse):
            await each.stop()
            return
        try:
            await each.turns.join()
            await (each.flush() if isinstance(each, Mouth) else each.flush(session))
        finally:
            each.tally.dropped(each.waiting, "headwatch stops, and it could not be told")
            await each.turns.cancel()

    # -- what is told ----------------------------------------------------------------------------

    def tell(self, actions: Sequence[Action], verdict: Verdict, silenced: Silenced) -> None:
        """Edges of the fold, with the verdict that they led to. Returns at once."""
        self._standing, edges = follow(self._standing, actions, verdict)
        for mouth in self._mouths.values():
            mouth.note(edges, silenced)
        self._refresh(silenced)

    def beat(self, verdict: Verdict, silenced: Silenced) -> None:
        """The loop is alive: fetch heartbeats, send what has become due. Returns at once."""
        self.tell((), verdict, silenced)
        if self._session is not None:
            for pulse in self._pulses.values():
                pulse.beat(self._session)

    def _refresh(self, silenced: Silenced) -> None:
        for pusher in self._pushers.values():
            pusher.refresh(self._standing, silenced)
            if self._session is not None:
                pusher.beat(self._session)
        for mouth in self._mouths.values():
            mouth.refresh(self._standing, silenced)
            if self._session is not None:
                mouth.beat()
