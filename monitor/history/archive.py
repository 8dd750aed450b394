"""The file, or the memory in its stead, and the two threads that use it.

One thread writes, with the one connection that may; another reads, each time with a connection of
its own, so that whoever reads long keeps nobody from writing. What cannot be read is answered with
"nothing is known". Trouble is counted, and said once until it is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from monitor.history import opening
from monitor.history.claim import ClaimedError
from monitor.history.moving import batch_of
from monitor.history.record import HistoryError
from monitor.history.store import Store

log = logging.getLogger("headwatch")

T = TypeVar("T")
READ_SECONDS = 5.0
RETRY_SECONDS = 60.0
"""How often a file that could not be opened is tried again."""
READS_WAITING_MAX = 32
TROUBLE = (sqlite3.Error, OSError)


class Archive:
    """A store in its threads. `open` it first; use it from one event loop."""

    def __init__(
        self,
        path: Path | None,
        *,
        clock: Callable[[], float] = time.time,
        stopwatch: Callable[[], float] = time.monotonic,
        claim: Callable[[], None] | None = None,
    ) -> None:
        """Without a path it is in memory, as it was wanted.

        `claim` is called before a file is opened, and raises ClaimedError while it is another's.
        """
        self.errors_total = 0
        """Times that something could not be opened, written or read."""
        self.problem = ""
        """What is wrong now, in one line; empty while everything is written."""
        self.adopt: Callable[[Store], None] = lambda store: None
        """Called in the writer's thread with every file that is opened, before it is used."""
        self._path = path
        self._file: Path | None = None
        """The path, while the file is what is written to."""
        self._number: int | None = None
        """The file's inode: another one under its name is another file."""
        self._clock = clock
        self._stopwatch = stopwatch
        self._claim = claim
        self._store: Store | None = None
        self._is_closed = False
        self._is_damaged = False
        self._is_anothers = False
        self._tried_at = 0.0
        self._is_read_failing = False
        self._reads_waiting = 0
        self._writer = ThreadPoolExecutor(1, "history-writer")
        self._reader = ThreadPoolExecutor(1, "history-reader")

    @property
    def is_kept(self) -> bool:
        """Whether it is where it was wanted: in the file, or in memory without one."""
        return self._store is not None and self._file == self._path

    @property
    def is_in_file(self) -> bool:
        """Whether what is written is in a file now."""
        return self._file is not None

    async def open(self) -> None:
        """Open or create the file. Never fails: where there can be none, memory stands in."""
        await self._in_writer(self._open)

    async def close(self) -> None:
        """Let go of the file and of the threads."""
        if self._is_closed:
            return
        self._is_closed = True
        store, self._store = self._store, None
        if store is not None:
            await self._in_writer(store.close)
        self._writer.shutdown(wait=False)
        self._reader.shutdown(wait=False)

    # -- writing ---------------------------------------------------------------------------------

    async def write(self, work: Callable[[Store], T]) -> T:
        """What `work` answers, in the writer's thread. Raises HistoryError where it failed.

        A damaged file is set aside first, and one that was taken away is begun anew.
        """
        if self._is_closed:
            message = "the history is closed"
            raise HistoryError(message)
        try:
            answer: T = await self._in_writer(self._write, work)
        except TROUBLE as error:
            self._is_damaged = self._is_damaged or opening.is_damage(error)
            self.errors_total += 1
            if not self.problem:
                log.error("history: cannot be written: %s; tried again", error)  # noqa: TRY400
            self.problem = f"it cannot be written: {error}"
            raise HistoryError(self.problem) from error
        if self.problem and self.is_kept:
            log.warning("history: it is written again")
            self.problem = ""
        return answer

    def size_bytes(self) -> int:
        """Of the file and its log, 0 for memory."""
        return 0 if self._file is None else _size(str(self._file)) + _size(f"{self._file}-wal")

    def _write(self, work: Callable[[Store], T]) -> T:
        """In the writer's thread, as everything below."""
        now = self._clock()
        if self._store is not None and self._file is None and self._path is not None:
            if self._is_retried(now):
                self._return(self._store, self._path, now)
        elif self._file is not None and (self._is_damaged or _inode(self._file) != self._number):
            self._replace(self._file, now)
        if self._store is None:
            message = "the history is not open"
            raise OSError(message)
        return work(self._store)

    def _is_retried(self, now: float) -> bool:
        """Whether the file should be tried again: another's is, at every write."""
        if self._is_anothers or self._tried_at == math.inf:
            return self._is_anothers
        return not 0 <= now - self._tried_at < RETRY_SECONDS

    def _replace(self, file: Path, now: float) -> None:
        """Go on with another file, or in memory."""
        if self._store is not None:
            self._store.close()
            self._store = None
        if self._is_damaged:
            aside = opening.set_aside(file, now)
            self._say(f"{file} is damaged; it was set aside as {aside.name}")
            self._is_damaged = False
        else:
            self._say(f"{file} was taken away; another is begun")
        self._open()

    def _open(self) -> None:
        if self._path is None:
            self._store = Store(opening.open_memory())
            return
        now = self._clock()
        try:
            self._store = self._open_file(self._path, now)
        except opening.NewerFileError as error:
            # It stays so until somebody brings the newer headwatch back, and with it a restart.
            self._tried_at = math.inf
            said = f"{self._path} {error}; it is left alone, and the history is kept in memory"
        except TROUBLE as error:
            self._tried_at = now
            said = f"{self._path} cannot be opened ({error}); the history is kept in memory"
        else:
            return
        self._say(said)
        self._store, self._file, self.problem = Store(opening.open_memory()), None, said

    def _open_file(self, path: Path, now: float) -> Store:
        try:
            if self._claim is not None:
                self._claim()
        except ClaimedError:
            self._is_anothers = True
            raise
        opened = opening.open_file(path, now)
        self._say(opened.said)
        store = Store(opened.connection)
        try:
            self.adopt(store)
        except BaseException:
            store.close()
            raise
        self._file, self._number = path, _inode(path)
        return store

    def _return(self, memory: Store, path: Path, now: float) -> None:
        """Try the file again, and take what was kept in memory into it.

        Not into one that was another's: it was written while this one waited.
        """
        self._tried_at = now
        was_anothers = self._is_anothers
        try:
            store = self._open_file(path, now)
        except (opening.NewerFileError, *TROUBLE) as error:
            log.debug("history: %s still cannot be opened: %s", path, error)
            return
        self._store, self._is_anothers = store, False
        with contextlib.closing(memory):
            if not was_anothers:
                store.write(batch_of(memory.connection))

    def _say(self, words: str) -> None:
        if words:
            self.errors_total += 1
            log.error("history: %s", words)

    # -- reading ---------------------------------------------------------------------------------

    async def read(self, ask: Callable[[sqlite3.Connection], T], nothing: T) -> T:
        """What `ask` answers, or `nothing` where no answer can be had now."""
        if self._store is None:
            return nothing
        if self._reads_waiting >= READS_WAITING_MAX:
            self.errors_total += 1
            return nothing
        self._reads_waiting += 1
        try:
            answer = await self._asked(ask)
        except TROUBLE as error:
            self.errors_total += 1
            self._is_damaged = self._is_damaged or opening.is_damage(error)
            if not self._is_read_failing:
                log.error("history: cannot be read: %s", error)  # noqa: TRY400 - a full disk, say
            self._is_read_failing = True
            return nothing
        finally:
            self._reads_waiting -= 1
        self._is_read_failing = False
        return answer

    async def _asked(self, ask: Callable[[sqlite3.Connection], T]) -> T:
        if self._file is None:
            return await self._in_writer(self._write, lambda store: ask(store.connection))
        work = partial(self._ask_file, self._file, ask)
        return await asyncio.get_running_loop().run_in_executor(self._reader, work)

    def _ask_file(self, file: Path, ask: Callable[[sqlite3.Connection], T]) -> T:
        until = self._stopwatch() + READ_SECONDS
        connection = opening.open_reading(file, lambda: self._stopwatch() > until)
        with contextlib.closing(connection):
            return ask(connection)

    async def _in_writer(self, work: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writer, work, *arguments)


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - a text, with an ending of SQLite's
    except OSError:
        return 0


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None
