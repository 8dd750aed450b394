"""The store of one ledger's logs: added at the end, sealed when final, rolled back, read in order.

Two things are changed each at once, and never together: the list of sealed files (a rename) and the
tail (a transaction). What makes them agree after a kill between the two:

- Sealing writes the file, then lists it, then takes its blocks out of the tail: blocks that both
  have are taken out of the tail.
- Rolling back shortens the tail, then the list, then removes the files: the tail says what is held,
  and files that end above that are taken off the list.
- A file that is not listed is none.

Blocks that neither has are nobody's doing but that of a damaged disk, and refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from monitor.ledger.errors import BrokenStore
from monitor.ledger.logs import BadLogs, between, ordered, schema
from monitor.ledger.store.disk import REMEDY, translated
from monitor.ledger.store.files import Files
from monitor.ledger.store.manifest import MANIFEST_NAME
from monitor.ledger.store.marks import marks_of
from monitor.ledger.store.opening import create_tail, is_there, open_tail
from monitor.ledger.store.tail import Page, Tail
from monitor.ledger.store.words import Identity, Mark, Snapshot
from monitor.lock import Lock
from monitor.model import Hash32

if TYPE_CHECKING:
    import pyarrow as pa

TAIL_NAME, FILES_NAME, LOCK_NAME = "state.sqlite", "events", "store.lock"
LOGS_A_FILE = 100_000
"""A sealed file has so many, and the rest of the last one's block."""
LOGS_A_PAGE = 4_096
PAGES_JOINED = 64
"""So many final pages at the end, each of fewer logs than that, are made one."""
HEIGHT_END = 2**63
"""SQLite's integers, and the columns', are of 64 bits with a sign."""


class Store:
    """One ledger's logs. All calls block; one thread at a time.

    Every call may raise BrokenStore, and has changed nothing then that a later one would not set
    right: it may be made again, when there is room again.
    """

    def __init__(self, tail: Tail, files: Files, closing: ExitStack, *, logs_a_file: int) -> None:
        self._tail = tail
        self._files = files
        self._closing = closing
        self._logs_a_file = logs_a_file
        self._changes = 0

    @classmethod
    def open(cls, folder: Path, identity: Identity, *, logs_a_file: int = LOGS_A_FILE) -> Self:
        """Take the lock; make the store, or check all of it and finish what a kill interrupted.

        Raises BrokenStore, naming the file, for what is damaged, missing, newer, of another ledger
        or another program, and the process that holds the lock.
        """
        tail_path, manifest = folder / TAIL_NAME, folder / MANIFEST_NAME
        with ExitStack() as closing:
            lock = Lock(folder / LOCK_NAME, folder, BrokenStore)
            with translated(folder, "opened"):
                folder.mkdir(parents=True, exist_ok=True)
                lock.take()
            closing.callback(lock.release)
            is_listed = manifest.exists()
            if not is_there(tail_path):
                # The tail is made first: a list without it has lost it.
                if is_listed:
                    message = f"{tail_path} is missing: {REMEDY}"
                    raise BrokenStore(message)
                create_tail(tail_path, identity)
            connection = open_tail(tail_path, identity)
            # The file first: who gets the lock must find it closed.
            closing.callback(connection.close)
            tail = Tail(tail_path, connection, lock.check)
            if tail.span is not None and not is_listed:
                message = f"{manifest} is missing: {REMEDY}"
                raise BrokenStore(message)
            store = cls(
                tail,
                Files(folder / FILES_NAME, manifest, identity),
                closing.pop_all(),
                logs_a_file=logs_a_file,
            )
            try:
                store._check()
            except BaseException:
                store.close()
                raise
            return store

    def close(self) -> None:
        """Let the files and the lock go."""
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def held_from(self) -> int | None:
        """The first block whose logs are held; None: none are."""
        return None if self._tail.span is None else self._tail.span.held_from

    @property
    def held_to(self) -> int | None:
        """The last block whose logs are held."""
        return None if self._tail.span is None else self._tail.span.held_to

    @property
    def hash_at_end(self) -> Hash32 | None:
        """The hash of the last block held."""
        return None if self._tail.span is None else self._tail.span.held_hash

    @property
    def sealed_to(self) -> int | None:
        """The last block of the sealed files."""
        return self._files.sealed_to

    def add(self, batch: pa.RecordBatch, *, first: int, last: int, last_hash: Hash32) -> None:
        """Add all logs from `first`, which follows what is held, to `last`, whose hash is told.

        It is on the disk when the call returns. Raises ValueError for a range that does not follow
        and for logs outside of it, BadLogs where the logs cannot be of one chain that ends there.
        """
        self._settle()
        held_to = self.held_to
        if not 0 <= first <= last < HEIGHT_END or held_to not in {None, first - 1}:
            message = f"blocks {first} to {last} do not follow block {held_to}"
            raise ValueError(message)
        if not batch.schema.equals(schema()):
            message = "the columns are not those of logs"
            raise ValueError(message)
        batch = ordered(batch)
        if between(batch, first, last).num_rows != batch.num_rows:
            message = f"there are logs outside of blocks {first} to {last}"
            raise ValueError(message)
        _check_end(batch, Mark(last, last_hash))
        self._changes += 1
        self._tail.append(batch, first, Mark(last, last_hash))

    def seal(self, finalised: int) -> None:
        """Put logs of blocks up to this one into files, as long as they fill one.

        Of what remains, many small pages are made one: the fewer heights are known by their hash.
        """
        self._settle()
        self._changes += 1
        while self._seal_one(finalised):
            self._settle()
        few: list[Page] = []
        for page in reversed(self._tail.pages):
            if page.last <= finalised:
                if page.logs >= LOGS_A_PAGE:
                    break
                few.insert(0, page)
        if len(few) >= PAGES_JOINED:
            self._tail.join(few)

    def marks(self) -> list[Mark]:
        """The heights whose hash is known, newest first: the end comes first.

        In the tail these are the ends of pages and the blocks of logs, in the sealed part the ends
        of files. Where a node has another hash at one of them, it has other hashes above it too.
        """
        self._settle()
        in_tail = [
            mark
            for page in reversed(self._tail.pages)
            for mark in marks_of(self._tail.read(page), page.mark)
        ]
        return in_tail + [sealed.mark for sealed in reversed(self._files.listed)]

    def rollback(self, to: int) -> int | None:
        """Forget all above the newest mark that is not above `to`; where the store ends now.

        None: it is empty again. What is held below that stays; the snapshot and facts of blocks
        above it go as well.
        """
        self._settle()
        if self.held_to is not None and to < self.held_to:
            end = next((mark for mark in self.marks() if mark.block <= to), None)
            self._changes += 1
            self._tail.cut(end)
            self._settle()
        return self.held_to

    def batches(
        self, first: int | None = None, last: int | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The logs from one block to another, or all, in the order of the chain, none empty.

        Raises RuntimeError where logs are added, sealed or rolled back meanwhile.
        """
        self._settle()
        changes = self._changes
        start = 0 if first is None else first
        stop = HEIGHT_END - 1 if last is None else last
        for batch in self._batches(start, stop):
            yield batch
            if changes != self._changes:
                message = "the store was changed while it was read"
                raise RuntimeError(message)

    def facts(self, key: str) -> bytes | None:
        """The document that was put there under this key; None where there is none."""
        return self._tail.facts(key)

    def put_facts(self, key: str, document: bytes, *, block: int) -> None:
        """Keep a document that was read at a block: it goes when that block is rolled back."""
        self._tail.put_facts(key, document, block)

    def snapshot(self) -> Snapshot | None:
        """What was put there last, where its block was not rolled back since."""
        return self._tail.snapshot()

    def put_snapshot(self, block: int, hash_: Hash32, body: bytes) -> None:
        """Keep the state at the end of a block, in place of the former."""
        self._tail.put_snapshot(block, hash_, body)

    def _check(self) -> None:
        """Raises BrokenStore where there is not all of it, or not as it was written."""
        self._settle()
        span, listed = self._tail.span, self._files.listed
        if span is not None:
            sealed_from = listed[0].first if listed else span.tail_from
            sealed_to = listed[-1].last if listed else span.tail_from - 1
            if sealed_from != span.held_from or sealed_to != span.tail_from - 1:
                message = (
                    f"{self._tail.path} holds blocks from {span.tail_from} on, and the sealed files"
                    f" not those from {span.held_from} to there: {REMEDY}"
                )
                raise BrokenStore(message)
            if not self._tail.pages and listed and listed[-1].mark != span.mark:
                message = f"{self._tail.path} is damaged (another hash than {listed[-1].name}'s)"
                raise BrokenStore(message)
        self._files.check()
        self._tail.check()

    def _settle(self) -> None:
        """Finish what was interrupted between the list and the tail."""
        span = self._tail.span
        held_to = -1 if span is None else span.held_to
        sealed_to = self._files.sealed_to
        if sealed_to is not None and sealed_to > held_to:
            self._files.drop(above=held_to)
            sealed_to = self._files.sealed_to
        if span is not None and sealed_to is not None and span.tail_from <= sealed_to:
            self._tail.trim(sealed_to)

    def _seal_one(self, finalised: int) -> bool:
        """Seal the lowest blocks of the tail that fill a file; False where too few are final."""
        final = (page.logs for page in self._tail.pages if page.first <= finalised)
        if sum(final) < self._logs_a_file:
            return False
        parts: list[pa.RecordBatch] = []
        logs = 0
        for page in self._tail.pages:
            if page.first > finalised:
                break
            part = between(self._tail.read(page), page.first, finalised)
            if logs + part.num_rows < self._logs_a_file:
                parts.append(part)
                logs += part.num_rows
                continue
            blocks, hashes = part.column(0), part.column(2)
            at = self._logs_a_file - logs - 1
            end = Mark(blocks[at].as_py(), Hash32("0x" + hashes[at].as_py().hex()))
            parts.append(between(part, page.first, end.block))
            filled = [each for each in parts if each.num_rows]
            self._files.add(filled, self._tail.pages[0].first, end)
            return True
        return False

    def _batches(self, first: int, last: int) -> Iterator[pa.RecordBatch]:
        yield from self._files.batches(first, last)
        for page in self._tail.pages:
            if page.first <= last and first <= page.last and page.logs:
                part = between(self._tail.read(page), first, last)
                if part.num_rows:
                    yield part


def _check_end(batch: pa.RecordBatch, end: Mark) -> None:
    """Raises BadLogs where logs of the last block are of another hash than it has."""
    if batch.num_rows and batch.column(0)[-1].as_py() == end.block:
        of_log = "0x" + batch.column(2)[-1].as_py().hex()
        if of_log != end.hash:
            message = f"block {end.block} is {end.hash}, and its logs are of {of_log}"
            raise BadLogs(message)
