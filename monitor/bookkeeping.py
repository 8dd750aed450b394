"""Reconciles the ledgers beside the loop: each time a block is final, in a process of its own.

The loop never waits for a ledger. What a reconciliation came to is proposed again in every round of
its network, for a finding that nobody confirms goes stale, and it is written down for a gate, which
is not there all day.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from monitor.act.words import duration
from monitor.config import Ledger, Settings
from monitor.judge.finality import final_number
from monitor.ledger.configured import LEDGERS, job_of
from monitor.ledger.job import CHILD, Outcome, Request, outcome_of, request_json
from monitor.ledger.last import Last, put_last
from monitor.ledger.plain import PlainError
from monitor.ledger.telling import finding_of
from monitor.model import Finding, LedgerFacts, Reference
from monitor.sidecar import Sidecar
from monitor.watch import Watch

log = logging.getLogger("headwatch")

DEADLINE_SECONDS = 3600.0
"""A first reconciliation fetches all there is; what it fetched is kept when it is ended here."""
REST = 4.0
"""A ledger rests so many times as long as its last reconciliation took: a fifth of a core."""
REST_SECONDS_MIN = 1.0
RETRY_SECONDS = 30.0
"""What could not be seen is tried again after this, whether or not a new block is final."""
OUTCOME_BYTES_MAX = 16 * 2**20
REPORT_NAME = "report.json"


class ChildError(Exception):
    """The process ended without an outcome; `str()` is one line for a person."""


@dataclass(slots=True)
class Book:
    """One ledger in memory. Mutable, and the bookkeeping's alone."""

    ledger: Ledger
    task: asyncio.Task[None] | None = None
    """The reconciliation that is under way."""
    finding: Finding | None = None
    """Of the last attempt."""
    whole: Outcome | None = None
    """The last that saw everything, and when."""
    whole_at: float | None = None
    took_seconds: float | None = None
    tried_final: int | None = None
    """The network's final height when the last attempt began."""
    not_before: float = 0.0
    ended_at: float = 0.0
    """When the last attempt was over."""
    is_urgent: bool = True
    """The last attempt saw nothing, or there was none: no new block is waited for."""

    def is_due(self, final: int | None, now: float) -> bool:
        """Whether it is to be reconciled: a block became final since, and it has rested.

        Where the clock was set back meanwhile nobody knows for how long it has, and it is.
        """
        is_resting = self.ended_at <= now < self.not_before
        if self.task is not None or final is None or is_resting:
            return False
        return self.is_urgent or final != self.tried_final

    def facts(self) -> LedgerFacts:
        """What the pages say of it."""
        whole = self.whole
        return LedgerFacts(
            name=self.ledger.name,
            network=self.ledger.network or "",
            node=self.ledger.node or "",
            protocol=self.ledger.protocol,
            contract=self.ledger.address,
            is_running=self.task is not None,
            reconciled_at=self.whole_at,
            took_seconds=self.took_seconds,
            block=None if whole is None else whole.block,
            events=0 if whole is None else whole.events,
            differences={} if whole is None else whole.differences_by_kind,
            totals=None if whole is None else whole.totals,
        )


class Bookkeeping:
    """The ledgers of a configuration; lives as long as its sidecar."""

    def __init__(
        self,
        sidecar: Sidecar,
        directory: Path,
        *,
        child: Sequence[str] = (sys.executable, "-m", CHILD),
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        """`directory` is the data directory; `child` is the command that reconciles one ledger."""
        self.sidecar = sidecar
        self.directory = directory
        self._child = tuple(child)
        self._deadline_seconds = deadline_seconds
        self.books: dict[str, Book] = {}
        self.on_news: Callable[[], None] = lambda: None
        """Called when a reconciliation has ended and its finding is folded."""
        sidecar.ledgers = self.facts
        self.apply(sidecar.settings)

    def apply(self, settings: Settings) -> None:
        """Keep what these settings say; a ledger that did not change keeps what is known of it."""
        books = {}
        for ledger in settings.ledgers:
            before = self.books.pop(ledger.name, None)
            if before is not None and before.ledger == ledger:
                if before.is_urgent:
                    # What could not be seen may be just what was corrected.
                    before.not_before = 0.0
                books[ledger.name] = before
                continue
            _end(before)
            books[ledger.name] = Book(ledger)
        for gone in self.books.values():
            _end(gone)
        self.books = books

    async def close(self) -> None:
        """End what is under way: its process is killed, and its store is whole."""
        tasks = [book.task for book in self.books.values() if book.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def facts(self) -> tuple[LedgerFacts, ...]:
        """What the pages say of every ledger, by name."""
        return tuple(book.facts() for _, book in sorted(self.books.items()))

    def report(self, name: str) -> Path:
        """Where the last whole report of a ledger lies, if there is one."""
        return self.directory / LEDGERS / name / REPORT_NAME

    def rounded(self, network: str) -> None:
        """After a round of a network: say again what is known, and reconcile what is due."""
        watch = self.sidecar.watches.get(network)
        if watch is None:
            return
        mine = [book for book in self.books.values() if book.ledger.network == network]
        known = [book.finding for book in mine if book.finding is not None]
        if known:
            self.sidecar.fold(known)
        now = self.sidecar.clock()
        for book in mine:
            final = _final_of(watch, book.ledger)
            if book.is_due(final, now):
                book.tried_final = final
                book.task = asyncio.create_task(self._reconcile(book))

    async def _reconcile(self, book: Book) -> None:
        """One reconciliation; never raises but for cancellation, a mistake of ours is counted."""
        ledger, began = book.ledger, self.sidecar.clock()
        try:
            outcome = await self._ask(ledger)
        except ChildError as error:
            log.error("ledger %s: %s", ledger.name, error)  # noqa: TRY400 - the child has told it
            self.sidecar.instruments.internal_errors.labels(place="ledger").inc()
            outcome = Outcome("inconclusive", reason="internal_error", detail=str(error))
        finally:
            book.task = None
        now = self.sidecar.clock()
        self._learn(book, outcome, began, now)
        if self.books.get(ledger.name) is not book:
            return
        path = self.directory / LEDGERS / ledger.name
        try:
            await asyncio.to_thread(put_last, path, Last(now, ledger.address, outcome))
        except OSError as error:
            # The finding stands all the same; a gate will say that what it reads is stale.
            log.error("ledger %s: cannot keep its outcome: %s", ledger.name, error)  # noqa: TRY400
        self.on_news()

    def _learn(self, book: Book, outcome: Outcome, began: float, now: float) -> None:
        ledger = book.ledger
        # It is ended at its deadline: what seems longer is a clock that was set.
        book.took_seconds = min(max(0.0, now - began), self._deadline_seconds)
        book.ended_at = now
        book.is_urgent = outcome.verdict == "inconclusive"
        rest = RETRY_SECONDS if book.is_urgent else REST_SECONDS_MIN
        book.not_before = now + max(rest, REST * book.took_seconds)
        book.finding = finding_of(ledger.name, ledger.network or "", outcome, now)
        if not book.is_urgent:
            book.whole, book.whole_at = outcome, now
        if self.books.get(ledger.name) is book:
            self.sidecar.fold([book.finding])

    async def _ask(self, ledger: Ledger) -> Outcome:
        """The outcome of a process that reconciles this ledger. Raises ChildError."""
        folder = self.directory / LEDGERS / ledger.name
        job = job_of(self.sidecar.settings, ledger, self.directory)
        written = request_json(Request(job, report=folder / REPORT_NAME))
        process = await asyncio.create_subprocess_exec(
            *self._child,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=OUTCOME_BYTES_MAX,
            env=_environment(os.environ),
        )
        try:
            async with asyncio.timeout(self._deadline_seconds):
                told, complained = await process.communicate(written)
        except TimeoutError:
            within = duration(self._deadline_seconds)
            detail = f"not done within {within}: the next one goes on from there"
            return Outcome("inconclusive", reason="timeout", detail=detail)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0 or len(told) > OUTCOME_BYTES_MAX:
            last = complained.decode("utf-8", "replace").strip().rsplit("\n", 1)[-1][:300]
            message = f"the process that reconciles it ended with {process.returncode}: {last}"
            raise ChildError(message)
        try:
            return outcome_of(told)
        except PlainError as error:
            message = f"the process that reconciles it answered what cannot be read: {error}"
            raise ChildError(message) from None


def _final_of(watch: Watch, ledger: Ledger) -> int | None:
    """Up to where the references call the network final now; None where they name no head.

    Where there are none to ask it is the head of the ledger's own node: that it moves is what
    counts, and the block that is compared is final all the same.
    """
    if not watch.references:
        node = next((node for node in watch.nodes if node.name == ledger.node), None)
        head = None if node is None else node.newest_head
        return None if head is None else head.number
    if watch.round is None or not isinstance(watch.round.reference, Reference):
        return None
    return final_number(watch.round, watch.round.reference.head)


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    """What the child inherits: all but the settings, which it is told."""
    return {name: value for name, value in ours.items() if not name.startswith("HEADWATCH_")}


def _end(book: Book | None) -> None:
    if book is not None and book.task is not None:
        book.task.cancel()
