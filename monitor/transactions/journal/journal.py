"""The front of the journal, for the loop: what is told is on the disk when the call returns.

`open` it first, `close` it last, use it from one event loop. Writes go through one thread and one
connection (`writer`); what is asked goes through another of each, so that nobody who sends waits
for somebody who reads. A call that is cancelled may have been written.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from monitor.model import Address, Hash32
from monitor.transactions.journal import arrivals, sends, store
from monitor.transactions.journal.opening import (
    BUSY_SECONDS,
    Hold,
    open_journal,
    open_reading,
    translated,
)
from monitor.transactions.journal.record import (
    Arrival,
    Change,
    Intent,
    JournalError,
    Note,
    Outcome,
    Place,
    Reservation,
    Sighting,
)
from monitor.transactions.journal.rows import read_slots
from monitor.transactions.journal.writer import Writer
from monitor.transactions.plan import Past
from monitor.transactions.words import AttemptKind, Slot, State, Transaction

T = TypeVar("T")
READ_SECONDS = 10.0
ARRIVALS_A_PORTION = 500
DAY_SECONDS = 86_400.0


def _ignore(_seconds: float) -> None:
    """Nobody wants to know what a commit took."""


@dataclass(frozen=True, slots=True)
class _Open:
    """What an open journal consists of."""

    hold: Hold
    reading: sqlite3.Connection
    writer: Writer


class Journal:
    """The journal of one process, which is the only one that writes it."""

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], float] = time.time,
        stopwatch: Callable[[], float] = time.monotonic,
        on_commit: Callable[[float], None] = _ignore,
        page_limit: int | None = None,
        busy_seconds: float = BUSY_SECONDS,
    ) -> None:
        """`on_commit` is told the seconds that each commit took, with its fsync.

        `page_limit` is the most pages that the file may have (PRAGMA max_page_count). Whoever
        writes it from outside is waited for `busy_seconds`.
        """
        self.path = path
        self.epoch = 0
        """The number of this opening, one more than that of the last; 0 until it is open."""
        self._clock = clock
        self._stopwatch = stopwatch
        self._on_commit = on_commit
        self._page_limit = page_limit
        self._busy_seconds = busy_seconds
        self._open: _Open | None = None
        self._is_closed = False
        self._read_until = 0.0
        self._writing_thread = ThreadPoolExecutor(1, "journal-writer")
        self._reading_thread = ThreadPoolExecutor(1, "journal-reader")

    async def open(self) -> None:
        """Open, create or bring forward the file, and begin an epoch.

        Raises JournalHeldError where another process has it, JournalDamagedError and JournalError
        where the file or its place is not fit.
        """
        if self._open is not None:
            message = f"{self.path} is open already"
            raise JournalError(message)
        loop = asyncio.get_running_loop()
        hold, reading = await loop.run_in_executor(self._writing_thread, self._connect)
        writer = Writer(
            hold, self._writing_thread, stopwatch=self._stopwatch, on_commit=self._on_commit
        )
        self._open, self.epoch = _Open(hold, reading, writer), hold.epoch

    async def close(self) -> None:
        """Write what waits, and let go of the file, of its lock and of the threads."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._open is not None:
            await self._open.writer.close()
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._reading_thread, self._open.reading.close)
            await loop.run_in_executor(self._writing_thread, self._open.hold.close)
        self._writing_thread.shutdown(wait=False)
        self._reading_thread.shutdown(wait=False)

    # -- the tap ---------------------------------------------------------------------------------

    async def arrive(self, raw: bytes, hash_: Hash32, *, source: str, at: float) -> None:
        """Keep bytes before any of them leaves. Once more, it counts as one more delivery."""
        await self._write(partial(arrivals.arrive, raw=raw, hash_=hash_, source=source, at=at), raw)

    async def answered(self, hash_: Hash32, outcome: Outcome, message: str, at: float) -> None:
        """Write down that the sender was told an error; what was accepted needs no word.

        Of a hash that was filed meanwhile nothing is written: a pool has it.
        """
        await self._write(
            partial(arrivals.answered, hash_=hash_, outcome=outcome, message=message, at=at)
        )

    async def arrivals(self) -> tuple[Arrival, ...]:
        """What is neither filed, dismissed nor refused; bounded in count and bytes."""
        return await self._read(arrivals.read_news)

    async def dismiss(self, hash_: Hash32, why: str, at: float) -> None:
        """It is nobody's whom we watch, or refused as invalid everywhere."""
        await self._write(partial(arrivals.dismiss, hash_=hash_, why=why, at=at))

    # -- slots -----------------------------------------------------------------------------------

    async def observe(self, sighting: Sighting, at: float) -> Slot:
        """File a transaction: slot and attempt where they are new, bytes where they were missing.

        Its arrival leaves its bytes and its time to the attempt. A closed slot is as it was, but
        with the attempt.
        """
        return await self._write(partial(store.observe, sighting=sighting, at=at), sighting.raw)

    async def fill_slot(
        self,
        *,
        network: str,
        chain_id: int,
        alias: str,
        sender: Address,
        nonce: int,
        at: float,
    ) -> Slot:
        """A slot without attempts, for a filler that policy or an operator has ordered.

        The one that is there, if it is open; else SlotClosedError.
        """
        place = Place(network=network, chain_id=chain_id, alias=alias, sender=sender, nonce=nonce)
        return await self._write(partial(store.fill_slot, place=place, at=at))

    async def name_account(
        self, *, network: str, alias: str, chain_id: int, sender: Address
    ) -> int:
        """File an account's live slots under the names that it has now; how many had others."""
        return await self._write(
            partial(
                store.name_account, network=network, alias=alias, chain_id=chain_id, sender=sender
            )
        )

    async def live(self, network: str) -> tuple[Slot, ...]:
        """The slots that are not closed, by sender and nonce."""
        return await self._read(
            lambda connection: read_slots(
                connection, "slot.network = ? AND slot.closed_at IS NULL", (network,)
            )
        )

    async def entered(self, changes: Sequence[Change]) -> None:
        """Append each to its slot's history, and make it the slot's state: all of them or none."""
        await self._write(partial(store.enter, changes=tuple(changes)))

    async def seen(self, notes: Sequence[Note]) -> None:
        """Append observations; of each slot the first and the newest 200 are kept."""
        await self._write(partial(store.note, notes=tuple(notes)))

    async def close_slot(
        self,
        slot_id: int,
        state: State,
        *,
        consumer_hash: Hash32 | None,
        number: int | None,
        block_hash: Hash32 | None,
        summary: str,
        at: float,
    ) -> None:
        """End a slot by what took its nonce in a final block: once, then SlotClosedError.

        Hash and block are None where nobody can show any more what that was.
        """
        closing = Change(
            slot_id=slot_id,
            state=state,
            at=at,
            row="",
            level=None,
            summary=summary,
            mined_number=number,
            mined_hash=block_hash,
        )
        await self._write(partial(store.close_slot, closing=closing, consumer_hash=consumer_hash))

    # -- signing and sending ---------------------------------------------------------------------

    async def lease(
        self, slot_id: int, kind: AttemptKind, at: float, reservation: Reservation | None = None
    ) -> int:
        """The right to sign one attempt; JournalError while another lease is younger than 60 s.

        With its cost reserved in the day's budget at once; OverBudgetError where there is no room.
        """
        return await self._write(
            partial(sends.lease, slot_id=slot_id, kind=kind, at=at, reservation=reservation)
        )

    async def release(self, lease_id: int, at: float) -> None:
        """Give a lease back unused: the signer failed."""
        await self._write(partial(sends.release, lease_id=lease_id, at=at))

    async def signed(
        self,
        lease_id: int,
        raw: bytes,
        transaction: Transaction,
        at: float,
        *,
        number: int | None = None,
    ) -> Slot:
        """File what was signed, before any of it leaves; it counts for the day's spending.

        `number` is the network's height; without it that of the last beat is written.
        """
        return await self._write(
            partial(
                sends.signed,
                lease_id=lease_id,
                transaction=transaction,
                raw=raw,
                at=at,
                number=number,
            ),
            raw,
        )

    async def intend(self, hash_: Hash32, node: str, act: str, at: float) -> int:
        """A send to one node is about to begin; the number by which it is concluded."""
        return await self._write(partial(sends.intend, hash_=hash_, node=node, act=act, at=at))

    async def conclude(self, action_id: int, reaction: str, message: str, at: float) -> None:
        """What came of a send, once."""
        await self._write(
            partial(sends.conclude, action_id=action_id, reaction=reaction, message=message, at=at)
        )

    async def open_intents(self) -> tuple[Intent, ...]:
        """Sends of which no answer is known, oldest first: to be sent again, byte for byte."""
        return await self._read(sends.read_intents)

    async def raw_of(self, hash_: Hash32) -> bytes | None:
        """The bytes of an attempt or an arrival; None where the journal has none."""
        return await self._read(partial(sends.read_raw, hash_=hash_))

    async def past_of(self, slot_id: int, now: float, day: str) -> Past:
        """What was done for a slot, and what its account has spent on a day (`2026-11-18`)."""
        return await self._read(partial(sends.read_past, slot_id=slot_id, now=now, day=day))

    async def spent_wei(self, network: str, sender: Address, day: str) -> int:
        """Gas at its cap of all that was or is being signed for an account on a day (UTC)."""
        return await self._read(partial(sends.read_spent, network=network, sender=sender, day=day))

    # -- its upkeep ------------------------------------------------------------------------------

    async def beat(self, network: str, number: int, at: float) -> None:
        """A round of a network is written down: how fresh the journal is, for readers."""
        await self._write(partial(store.beat, network=network, number=number, at=at))

    async def retire(self, older_than: float) -> int:
        """Delete what was closed, dismissed or refused before a time; how many slots.

        In portions, between which others write.
        """
        slots = 0
        while count := await self._write(partial(store.retire_slots, older_than=older_than)):
            slots += count
        portion = partial(arrivals.retire_arrivals, older_than=older_than, count=ARRIVALS_A_PORTION)
        while await self._write(portion):
            continue
        # Never today's, whatever is asked: a budget is kept with it.
        before = min(older_than, self._clock()) - DAY_SECONDS
        await self._write(partial(sends.retire_spending, before=before))
        return slots

    # -- the threads -----------------------------------------------------------------------------

    async def _write(self, work: Callable[[sqlite3.Connection], T], raw: bytes | None = None) -> T:
        return await self._opened().writer.run(work, len(raw or b""))

    async def _read(self, ask: Callable[[sqlite3.Connection], T]) -> T:
        opened = self._opened()
        opened.writer.check()
        loop = asyncio.get_running_loop()
        work = partial(self._ask, opened.reading, ask)
        return await loop.run_in_executor(self._reading_thread, work)

    def _opened(self) -> _Open:
        if self._open is None:
            message = f"{self.path} is not open"
            raise JournalError(message)
        return self._open

    def _connect(self) -> tuple[Hold, sqlite3.Connection]:
        """In the writer's thread: the right to write, and a connection to read with."""
        with contextlib.ExitStack() as undone:
            hold = open_journal(
                self.path, page_limit=self._page_limit, busy_seconds=self._busy_seconds
            )
            undone.callback(hold.close)
            reading = open_reading(
                self.path, lambda: self._stopwatch() > self._read_until, seconds=BUSY_SECONDS
            )
            undone.pop_all()
        return hold, reading

    def _ask(self, connection: sqlite3.Connection, ask: Callable[[sqlite3.Connection], T]) -> T:
        """In the reader's thread: all that is asked at once is of one moment."""
        self._read_until = self._stopwatch() + READ_SECONDS
        with translated(self.path, "read"):
            connection.execute("BEGIN")
            try:
                return ask(connection)
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
