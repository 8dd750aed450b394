"""The one thread that writes: everything that waits at the same moment is one transaction.

A call is durable when it is answered, so each transaction ends with an fsync; what comes in while
one is on its way waits, and goes into the next together. Groups are made on the loop's thread, so
nothing here is locked. Use it from one event loop.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar, cast

from monitor.transactions.journal.opening import Hold, translated
from monitor.transactions.journal.record import JournalError, JournalFencedError

T = TypeVar("T")
GROUP_MAX = 500
GROUP_BYTES_MAX = 16 * 2**20
WAITING_MAX = 10_000
WAITING_BYTES_MAX = 64 * 2**20
JOB_BYTES = 1_000
"""What a call is taken to weigh besides the bytes of its transaction."""
ALONE = (
    JournalError,
    ArithmeticError,
    LookupError,
    TypeError,
    ValueError,
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
)
"""What is wrong with one call, and not with the file: the others of its group are written."""

REFUSED = (sqlite3.IntegrityError, sqlite3.DataError, OverflowError, UnicodeError)
"""A promise of the schema that would be broken, or a value that no file can hold."""


@dataclass(slots=True)
class _Job(Generic[T]):
    """One call. Mutable: the writer's thread leaves its answer here."""

    work: Callable[[sqlite3.Connection], T]
    future: asyncio.Future[T]
    size_bytes: int
    answer: T | None = None
    error: BaseException | None = None

    def do(self, connection: sqlite3.Connection) -> None:
        """All of it or nothing, inside the transaction of its group."""
        connection.execute("SAVEPOINT job")
        try:
            self.answer = self.work(connection)
        except ALONE as error:
            connection.execute("ROLLBACK TO job")
            self.error = error
            if isinstance(error, REFUSED):
                self.error = JournalError(str(error))
                self.error.__cause__ = error
        connection.execute("RELEASE job")

    def settle(self, failure: BaseException | None) -> None:
        """Tell who waits; whoever was cancelled meanwhile waits no more."""
        if self.future.done():
            return
        if isinstance(failure, JournalError):
            # One of its own for each: a traceback belongs to who raised it.
            mine = type(failure)(str(failure))
            mine.__cause__ = failure
            self.future.set_exception(mine)
        elif failure is not None or self.error is not None:
            self.future.set_exception(cast("BaseException", failure or self.error))
        else:
            self.future.set_result(cast("T", self.answer))


class Writer:
    """The writing side of an open journal."""

    def __init__(
        self,
        hold: Hold,
        thread: Executor,
        *,
        stopwatch: Callable[[], float],
        on_commit: Callable[[float], None],
    ) -> None:
        self._hold = hold
        self._thread = thread
        self._stopwatch = stopwatch
        self._on_commit = on_commit
        self._waiting: deque[_Job[object]] = deque()
        self._waiting_bytes = 0
        self._is_busy = False
        self._is_closed = False
        self._idle = asyncio.Event()
        self._idle.set()
        self.fenced = ""
        """Why nothing is written any more; empty while we may."""

    async def run(self, work: Callable[[sqlite3.Connection], T], size_bytes: int = 0) -> T:
        """What `work` answers, once it is on the disk; `size_bytes` of it are bytes to be written.

        Raises JournalFullError and JournalError where it is not, and what `work` raises.
        """
        self.check()
        size_bytes += JOB_BYTES
        if (
            len(self._waiting) >= WAITING_MAX
            or self._waiting_bytes + size_bytes > WAITING_BYTES_MAX
        ):
            message = (
                f"{self._hold.path} cannot be written as fast as it is told:"
                f" {len(self._waiting)} calls wait"
            )
            raise JournalError(message)
        loop = asyncio.get_running_loop()
        job: _Job[T] = _Job(work, loop.create_future(), size_bytes)
        self._waiting.append(cast("_Job[object]", job))
        self._waiting_bytes += size_bytes
        self._idle.clear()
        if not self._is_busy:
            self._is_busy = True
            # A turn later, so that what is called in the same turn goes along.
            loop.call_soon(self._begin)
        return await job.future

    def check(self) -> None:
        """Raises JournalFencedError once we were fenced, JournalError once it is closed."""
        if self.fenced:
            raise JournalFencedError(self.fenced)
        if self._is_closed:
            message = f"{self._hold.path} is closed"
            raise JournalError(message)

    async def close(self) -> None:
        """Write what waits; nothing more is taken."""
        self._is_closed = True
        await self._idle.wait()

    # -- on the loop's thread --------------------------------------------------------------------

    def _begin(self) -> None:
        group: list[_Job[object]] = []
        size_bytes = 0
        while self._waiting and len(group) < GROUP_MAX:
            size_bytes += self._waiting[0].size_bytes
            if group and size_bytes > GROUP_BYTES_MAX:
                break
            group.append(self._waiting.popleft())
        self._waiting_bytes -= sum(job.size_bytes for job in group)
        running = asyncio.get_running_loop().run_in_executor(self._thread, self._commit, group)
        running.add_done_callback(partial(self._finish, group))

    def _finish(self, group: Sequence[_Job[object]], running: asyncio.Future[float | None]) -> None:
        failure = running.exception()
        if isinstance(failure, JournalFencedError):
            self.fenced = str(failure)
        for job in group:
            job.settle(failure)
        if self._waiting:
            self._begin()
        else:
            self._is_busy = False
            self._idle.set()
        if failure is None:
            took_seconds = running.result()
            if took_seconds is not None:
                self._on_commit(took_seconds)

    # -- on the writer's thread ------------------------------------------------------------------

    def _commit(self, group: Sequence[_Job[object]]) -> float | None:
        """Write a group; the seconds that its commit took, None where nothing was to be written."""
        connection = self._hold.connection
        with translated(self._hold.path, "written"):
            self._hold.check_files()
            try:
                connection.execute("BEGIN IMMEDIATE")
                self._hold.check_epoch()
                is_changed = False
                for job in group:
                    before = connection.total_changes
                    job.do(connection)
                    is_changed |= job.error is None and connection.total_changes != before
                began = self._stopwatch()
                connection.execute("COMMIT")
                return self._stopwatch() - began if is_changed else None
            finally:
                # A full disk ends a transaction by itself.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
