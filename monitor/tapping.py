"""The tap in the sidecar: where it listens, what is in the air, what references get as well."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING

from monitor.config import NodeSettings, Settings
from monitor.model import Hash32
from monitor.transactions.journal import Journal, JournalError
from monitor.transactions.orders import OrderError
from monitor.transactions.reactions import Outcome
from monitor.transactions.tap import Sent, Tap, TapLimits, open_session
from monitor.transactions.tap.recording import Recorder

if TYPE_CHECKING:
    from monitor.watchdog import Watchdog

log = logging.getLogger("headwatch")

IN_FLIGHT_SECONDS_MAX = 2 * TapLimits().deadline_seconds
"""An answer that takes longer than this will not come any more."""


class Tapping:
    """One tap, for as long as its context is open."""

    def __init__(self, watchdog: Watchdog) -> None:
        self._watchdog = watchdog
        self._passed_on: dict[Hash32, list[float]] = {}
        """What the node has been given and has not answered: when, once for each delivery."""
        self._tap: Tap | None = None

    def in_flight(self) -> frozenset[Hash32]:
        """What nobody may file yet: its sender may be about to be told that it failed."""
        since = self._watchdog.sidecar.clock() - IN_FLIGHT_SECONDS_MAX
        for hash_ in [h for h, times in self._passed_on.items() if max(times) < since]:
            del self._passed_on[hash_]
        return frozenset(self._passed_on)

    def apply(self, settings: Settings) -> None:
        """Follow a node whose address has changed; where the tap listens takes a new start."""
        node = tapped(settings)
        if self._tap is not None and node is not None:
            self._tap.upstream, self._tap.websocket = node.url, node.websocket

    @contextlib.asynccontextmanager
    async def open(self, token: str | None) -> AsyncIterator[str | None]:
        """Listen for programs that send; the address, or None where no tap is configured.

        Raises OSError where the address is taken or not ours.
        """
        settings = self._watchdog.sidecar.settings.transactions.tap
        node = tapped(self._watchdog.sidecar.settings)
        if settings is None or node is None:
            yield None
            return
        recorder = None
        if settings.record is not None:
            recorder = Recorder(settings.record, share=settings.record_share)
        async with open_session() as session:
            tap = self._tap = Tap(
                upstream=node.url,
                websocket=node.websocket,
                ledger=_Ledger(self._watchdog.journal, self._passed_on, self._doubt),
                session=session,
                token=token,
                limits=TapLimits(),
                clock=self._watchdog.sidecar.clock,
                on_sent=self._sent,
                on_request=self._count,
                on_read=recorder.note if recorder is not None else lambda text: None,
                hosts=settings.hosts,
            )
            host, port = settings.address
            try:
                try:
                    shown, number = await tap.start(host, port)
                except OSError as error:
                    # With where, because the status page listens as well.
                    raise OSError(error.errno, error.strerror, settings.listen) from None
                yield f"http://[{shown}]:{number}" if ":" in shown else f"http://{shown}:{number}"
            finally:
                await tap.stop()
                if recorder is not None:
                    await recorder.close()

    def _doubt(self) -> None:
        """The journal took nothing: the next round tries it too, and its findings say so."""
        self._watchdog.sidecar.instruments.tx_journal_errors.inc()
        self._watchdog.beaten_at.clear()
        self._watchdog.hasten()

    def _count(self, kind: str, seconds: float) -> None:
        instruments = self._watchdog.sidecar.instruments
        instruments.tap_requests.labels(kind=kind).inc()
        instruments.tap_seconds.labels(kind=kind).observe(seconds)

    def _sent(self, sent: Sent) -> None:
        """Its sender is about to be told what the node said."""
        landed(self._passed_on, sent.hash)
        tap = self._watchdog.sidecar.settings.transactions.tap
        if sent.outcome != "accepted" or tap is None:
            return
        self._watchdog.hasten()
        is_well = self._watchdog.is_on_network(tap.node) is True
        if tap.fan_out == "always" or (tap.fan_out == "behind" and not is_well):
            self._watchdog.hold(self._fan_out(sent))

    async def _fan_out(self, sent: Sent) -> None:
        """Send to the references what the node has just taken, where it is an account's."""
        if sent.raw is None or self._watchdog.mode != "acting":
            return
        try:
            filed = await self._watchdog.orders.register(raw=sent.raw, hash_=None, network=None)
            if self._watchdog.may_rebroadcast(filed.network, filed.alias):
                await self._watchdog.orders.rebroadcast(sent.hash)
        except OrderError as error:
            log.info("%s did not go to the references: %s", sent.hash, error)


class _Ledger:
    """The journal as the tap sees it, which knows what is in the air."""

    def __init__(
        self,
        journal: Journal,
        passed_on: dict[Hash32, list[float]],
        on_failed: Callable[[], None],
    ) -> None:
        self._journal = journal
        self._passed_on = passed_on
        self._on_failed = on_failed

    async def arrive(self, raw: bytes, hash_: Hash32, *, source: str, at: float) -> None:
        self._passed_on.setdefault(hash_, []).append(at)
        try:
            with self._watched():
                await self._journal.arrive(raw, hash_, source=source, at=at)
        except BaseException:
            landed(self._passed_on, hash_)
            raise

    async def answered(self, hash_: Hash32, outcome: Outcome, message: str, at: float) -> None:
        if outcome != "accepted":
            with self._watched():
                await self._journal.answered(hash_, outcome, message, at)

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except JournalError:
            self._on_failed()
            raise


def landed(passed_on: dict[Hash32, list[float]], hash_: Hash32) -> None:
    """One delivery of a transaction is in the air no more; others of it may be."""
    times = passed_on.get(hash_, [])[1:]
    if times:
        passed_on[hash_] = times
    else:
        passed_on.pop(hash_, None)


def tapped(settings: Settings) -> NodeSettings | None:
    """The node behind the tap; None where no tap is configured."""
    tap = settings.transactions.tap
    return next((node for node in settings.nodes if tap and node.name == tap.node), None)
