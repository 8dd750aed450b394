"""The loop: schedule -> probe -> judge -> fold -> act. It owns the clock, the signals, the server.

One scheduler job a network, not one a node and check. The scheduler is APScheduler's, with its
traps sprung beforehand: no `jitter` (it slows the cadence; rounds are spread by their first run
instead), the first run set by hand, no grace time after which late runs vanish unseen, every
missed or failed run counted, and running rounds waited for before it is shut down.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import logging
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from aiohttp import web
from apscheduler.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
    EVENT_JOB_SUBMITTED,
    JobEvent,
)
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from monitor.act.server import application
from monitor.act.view import View
from monitor.config import ConfigError, Settings, read_token
from monitor.garbage import tune_collector
from monitor.gatekeeping import Gatekeeper
from monitor.guarding import guarding, keeping_books, tapping
from monitor.herald import Herald
from monitor.sidecar import Sidecar
from monitor.watch import Watch

if TYPE_CHECKING:
    from monitor.bookkeeping import Bookkeeping
    from monitor.watchdog import Watchdog

log = logging.getLogger("headwatch")

BEAT_SECONDS = 1.0
"""How often the loop shows that it is alive and lets stale levels expire."""
ALIVE_SECONDS = 30.0
CLOCK_STEP_SECONDS = 2.0
"""What the clock may gain or lose in a second, and still count as running."""
DRAIN_SECONDS = 10.0
"""How long running rounds are waited for at the end; each has deadlines of its own."""
EVENT_NAMES = {
    EVENT_JOB_ERROR: "error",
    EVENT_JOB_MISSED: "missed",
    EVENT_JOB_MAX_INSTANCES: "overrun",
}


class Loader(Protocol):
    """Reads the settings again; raises ConfigError, and then the old ones stay in force."""

    def __call__(self) -> Settings: ...


class Loop:
    """Rounds at the pace of each chain, until stopped."""

    def __init__(
        self,
        sidecar: Sidecar,
        load: Loader | None = None,
        *,
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        """`stopwatch` counts seconds that nobody can set."""
        self.sidecar = sidecar
        self._stopwatch = stopwatch
        self._load = load
        self._scheduler = AsyncIOScheduler(timezone=datetime.UTC)
        self._busy: set[asyncio.Task[object]] = set()
        self._beat_at = stopwatch()
        self._minding: asyncio.Task[None] | None = None
        self._is_stopping = False
        self._pace: dict[str, float] = {}
        self._looking: dict[str, asyncio.Task[None]] = {}
        """Rounds of accounts under way, by network."""
        self.watchdog: Watchdog | None = None
        """Who watches transactions; None where no account is configured."""
        self.books: Bookkeeping | None = None
        """Who reconciles ledgers; None where none is configured."""
        self.herald: Herald | None = None
        """Who passes on what is found; None where nobody is to be told."""
        self.gates: Gatekeeper | None = None
        """Who holds rules against what is measured."""
        sidecar.on_head = self._hasten
        # Its warnings are counted by the listener instead; `headwatch_scheduler_events_total`.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)

    @property
    def is_alive(self) -> bool:
        """Whether the loop still turns. Says nothing of any chain."""
        return self._stopwatch() - self._beat_at < ALIVE_SECONDS

    def start(self) -> None:
        """Begin the rounds, spread over one poll so that networks do not all ask at once."""
        self._scheduler.add_listener(
            self._count,
            EVENT_JOB_ERROR | EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES | EVENT_JOB_SUBMITTED,
        )
        self._scheduler.add_job(
            self._beat, IntervalTrigger(seconds=BEAT_SECONDS), id="beat", misfire_grace_time=None
        )
        self._schedule()
        self._scheduler.start()
        self._minding = asyncio.create_task(self._mind_clock())

    async def _mind_clock(self) -> None:
        """Plan anew when the clock was set: APScheduler plans by it.

        Set back by an hour, it would let every round and every beat wait for an hour.
        """
        while True:
            ahead = self.sidecar.clock() - self._stopwatch()
            await asyncio.sleep(BEAT_SECONDS)
            step = self.sidecar.clock() - self._stopwatch() - ahead
            if abs(step) > CLOCK_STEP_SECONDS:
                log.warning("the clock was set by %+.0f s: rounds are planned anew", step)
                now = datetime.datetime.now(datetime.UTC)
                self._scheduler.modify_job("beat", next_run_time=now)
                self._schedule()

    async def stop(self) -> None:
        """Start no more rounds, let the running ones end, then shut the scheduler down."""
        if self._minding is not None:
            self._minding.cancel()
        self._is_stopping = True
        self._scheduler.pause()
        await asyncio.sleep(0)  # A round that was submitted in this very tick has yet to begin.
        if self._busy:
            await asyncio.wait(self._busy, timeout=DRAIN_SECONDS)
        await asyncio.gather(*(watch.close() for watch in self.sidecar.watches.values()))
        self._scheduler.shutdown(wait=False)

    async def reload(self) -> str | None:
        """Read the settings again and watch what they say; None, or why the old ones stay."""
        if self._load is None:
            return "there is no file to reload"
        try:
            settings = await asyncio.to_thread(self._load)
        except ConfigError as error:
            # The operator erred, not we: no traceback.
            log.error("reload failed, the old configuration stays:\n%s", error)  # noqa: TRY400
            self.sidecar.instruments.reloaded(at=None)
            return str(error)
        if settings.http != self.sidecar.settings.http:
            log.warning("http settings changed: they take effect at the next start")
        self.sidecar.apply(settings)
        if self.watchdog is not None:
            self.watchdog.apply(settings)
        elif settings.transactions.accounts:
            log.warning("accounts were configured: they are watched from the next start on")
        if self.books is not None:
            self.books.apply(settings)
        elif settings.ledgers:
            log.warning("ledgers were configured: they are reconciled from the next start on")
        if self.herald is not None:
            self.herald.apply(settings)
        if self.gates is not None:
            self.gates.apply(settings)
        self._schedule()
        self.sidecar.instruments.reloaded(at=self.sidecar.clock())
        log.info("configuration reloaded: %d nodes", len(settings.nodes))
        return None

    def _schedule(self) -> None:
        """One job a network; jobs of networks that are gone are removed."""
        watches = self.sidecar.watches
        for job in self._scheduler.get_jobs():
            if job.id != "beat" and job.id not in watches:
                job.remove()
        now = datetime.datetime.now(datetime.UTC)
        for index, (name, watch) in enumerate(watches.items()):
            spread = watch.policy.poll_seconds * index / len(watches)
            self._pace[name] = watch.policy.poll_seconds
            self._scheduler.add_job(
                self._turn,
                IntervalTrigger(seconds=watch.policy.poll_seconds),
                args=(name,),
                id=name,
                replace_existing=True,
                next_run_time=now + datetime.timedelta(seconds=spread),
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
            )

    async def _turn(self, name: str) -> None:
        watch = self.sidecar.watches.get(name)
        task = asyncio.current_task()
        if watch is None or task is None:
            return
        self._busy.add(task)
        try:
            await self.sidecar.round(watch)
        finally:
            self._busy.discard(task)
        if self.herald is not None:
            self.herald.rounded()
        self._keep_pace(name, watch)
        self._look_at_accounts(name)
        if self.books is not None and not self._is_stopping:
            self.sidecar.shielded("ledger", partial(self.books.rounded, name))

    def guard(self, watchdog: Watchdog | None) -> None:
        """Watch transactions as well."""
        self.watchdog = watchdog
        if watchdog is not None:
            watchdog.on_news = self._look_at_accounts

    def keep_books(self, books: Bookkeeping | None) -> None:
        """Reconcile ledgers as well."""
        self.books = books
        if books is not None:
            books.on_news = self._pass_on

    def _pass_on(self) -> None:
        if self.herald is not None:
            self.herald.rounded()

    def _look_at_accounts(self, name: str) -> None:
        """Begin a round of a network's accounts, unless one is under way: it may take longer.

        Beside the rounds of nodes, so that an account never holds up what is said of a node.
        """
        if self.watchdog is None or self._is_stopping:
            return
        if name in self._looking or name not in self.watchdog.keepers:
            return
        task = asyncio.create_task(self.watchdog.round(name))
        self._looking[name] = task
        self._busy.add(task)

        def done(task: asyncio.Task[None]) -> None:
            self._busy.discard(task)
            del self._looking[name]
            if not task.cancelled():
                self.sidecar.shielded("transactions", task.result)
            if self.herald is not None:
                self.herald.rounded()

        task.add_done_callback(done)

    def _keep_pace(self, name: str, watch: Watch) -> None:
        """Poll twice a block, or once where a live subscription tells of every head at once.

        What speaks against the present state is confirmed or dropped at the quicker pace.
        """
        pace = watch.policy.poll_seconds
        subscriptions = [node.subscription for node in watch.nodes]
        is_contested = any(
            held.pressure and held.finding.network == name for held in self.sidecar.memory.values()
        )
        if not is_contested and all(s is not None and s.state == "live" for s in subscriptions):
            pace = max(pace, min(2 * pace, watch.policy.profile.interval_seconds))
        if pace != self._pace.get(name) and self._scheduler.get_job(name) is not None:
            self._pace[name] = pace
            self._scheduler.reschedule_job(name, trigger=IntervalTrigger(seconds=pace))

    def _hasten(self, watch: Watch) -> None:
        """A head came in: bring the next round forward, unless one just was or is under way."""
        now = self.sidecar.clock()
        recent = watch.round_at is not None and now - watch.round_at < watch.policy.poll_seconds / 2
        if recent or watch.is_asking or self._scheduler.get_job(watch.name) is None:
            return
        self._scheduler.modify_job(watch.name, next_run_time=datetime.datetime.now(datetime.UTC))

    async def _beat(self) -> None:
        """A coroutine, because the scheduler runs plain functions in a thread, beside the loop."""
        self._beat_at = self._stopwatch()
        self.sidecar.fold()
        for name in () if self.watchdog is None else self.watchdog.due():
            self._look_at_accounts(name)
        if self.herald is not None:
            self.herald.beat()

    def _count(self, event: JobEvent) -> None:
        instruments = self.sidecar.instruments
        if event.code == EVENT_JOB_SUBMITTED:
            planned = event.scheduled_run_times[-1].timestamp()
            instruments.scheduler_lag_seconds.set(max(0.0, self.sidecar.clock() - planned))
            return
        instruments.scheduler_events.labels(event=EVENT_NAMES[event.code]).inc()


@contextlib.asynccontextmanager
async def serving(
    sidecar: Sidecar, loop: Loop, reload: Callable[[], Awaitable[str | None]] | None
) -> AsyncIterator[str]:
    """Serve the pages while the context is open; yields the address that is listened on.

    Raises OSError when the address is taken or not ours, ConfigError when the token file cannot
    be read or is empty.
    """
    http = sidecar.settings.http
    token = None if http.token_file is None else read_token(http.token_file)
    herald = loop.herald
    view = View(
        snapshot=sidecar.snapshot,
        alive=lambda: loop.is_alive,
        reload=reload if http.reload else None,
        token=token,
        instruments=sidecar.instruments,
        exchange=sidecar.last_exchange,
        windows=lambda: sidecar.windows,
        has_eip2159=http.eip2159,
        gates=loop.gates,
    )
    if herald is not None:
        view = replace(
            view,
            history=herald.history,
            windows_changed=herald.reread_windows,
            live=herald.live,
            page_url=herald.page_url,
        )
    watchdog = loop.watchdog
    if watchdog is not None:
        view = replace(view, orders=watchdog.orders, journal=watchdog.reader)
    if loop.books is not None:
        view = replace(view, ledger_report=loop.books.report)
    # It logs a traceback for every request that is no HTTP; what is ours, the edge logs.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    runner = web.AppRunner(application(view), access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    try:
        host, port = http.address
        site = web.TCPSite(runner, host, port)
        await site.start()
        bound = runner.addresses[0]
        shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        yield f"http://{shown}:{bound[1]}"
    finally:
        await runner.cleanup()


async def run(
    settings: Settings,
    load: Loader | None,
    on_ready: Callable[[str], None],
    *,
    directory: Path | None = None,
) -> None:
    """The sidecar until SIGTERM or SIGINT; SIGHUP reads the configuration again.

    `on_ready` gets the address of the server once it listens. Raises OSError when it cannot.
    Without a `directory` nothing outlives the process.
    """
    stopped = asyncio.Event()
    events = asyncio.get_running_loop()
    tune_collector()
    async with (
        Sidecar(settings) as sidecar,
        guarding(sidecar, directory) as watchdog,
        keeping_books(sidecar, directory) as books,
    ):
        loop = Loop(sidecar, load)
        loop.guard(watchdog)
        loop.keep_books(books)
        loop.gates = Gatekeeper(sidecar, directory)
        herald = loop.herald = Herald(sidecar, directory)
        await herald.open()
        reloads: set[asyncio.Task[str | None]] = set()

        def hang_up() -> None:
            task = asyncio.create_task(loop.reload())
            reloads.add(task)
            task.add_done_callback(reloads.discard)

        for number in (signal.SIGTERM, signal.SIGINT):
            events.add_signal_handler(number, stopped.set)
        events.add_signal_handler(signal.SIGHUP, hang_up)
        sidecar.instruments.reloaded(at=sidecar.clock())
        try:
            async with serving(sidecar, loop, loop.reload) as address, tapping(watchdog):
                await herald.begin(address)
                loop.start()
                on_ready(address)
                await stopped.wait()
                await loop.stop()
        finally:
            await herald.close()
