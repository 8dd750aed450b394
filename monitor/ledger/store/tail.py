"""The newest blocks, page by page, and what goes with them, in one SQLite file.

A page is what was added at once: its range, the hash of its last block, and its logs as one batch
with a digest. What is changed is changed in one transaction, and on the disk when the call returns.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from monitor.ledger.errors import BrokenStore
from monitor.ledger.logs import between, merged
from monitor.ledger.store.disk import REMEDY, translated
from monitor.ledger.store.encoding import page_bytes, read_page
from monitor.ledger.store.words import Mark, Snapshot
from monitor.model import Hash32

if TYPE_CHECKING:
    import pyarrow as pa


class Span(NamedTuple):
    """Which blocks are held; all bounds are included."""

    held_from: int
    tail_from: int
    """The first block that the pages hold: what is below it is sealed."""
    held_to: int
    held_hash: Hash32

    @property
    def mark(self) -> Mark:
        """The end."""
        return Mark(self.held_to, self.held_hash)


class Page(NamedTuple):
    """A page without its logs."""

    first: int
    last: int
    last_hash: Hash32
    logs: int

    @property
    def mark(self) -> Mark:
        """Its end."""
        return Mark(self.last, self.last_hash)


class _Row(NamedTuple):
    words: tuple[Any, ...]
    """What the columns before the digest hold."""
    body: bytes


class Tail:
    """The tail of an open store. Raises BrokenStore, naming the file, and is as it was then."""

    def __init__(
        self, path: Path, connection: sqlite3.Connection, may_write: Callable[[], None]
    ) -> None:
        """`may_write` raises BrokenStore where somebody else may."""
        self.path = path
        self._connection = connection
        self._may_write = may_write
        with translated(path, "read"):
            self.span = self._span()
            self.pages = self._pages()

    def close(self) -> None:
        self._connection.close()

    def read(self, page: Page) -> pa.RecordBatch:
        """The logs of a page, checked against its digest."""
        sql = "SELECT first, last, last_hash, logs, sha256, body FROM page WHERE first = ?"
        row = self._row(sql, page.first, f"blocks {page.first} to {page.last}")
        if row is None:
            raise self._gone(page.first)
        return read_page(row.body)

    def check(self) -> None:
        """Raises BrokenStore where the pages are not what was written, or not all of it."""
        span = self.span
        expected = None if span is None else span.tail_from
        for page in self.pages:
            if page.first != expected:
                raise self._gone(expected)
            self.read(page)
            expected = page.last + 1
        if span is not None and expected != span.held_to + 1:
            raise self._gone(expected)
        if span is not None and self.pages and self.pages[-1].mark != span.mark:
            message = f"{self.path} is damaged (two hashes of block {span.held_to}): {REMEDY}"
            raise BrokenStore(message)

    def append(self, batch: pa.RecordBatch, first: int, end: Mark) -> None:
        """Add a page at the end: the logs from `first` to `end`."""
        with self._writing() as connection:
            self._insert(connection, batch, first, end)
            if self.span is None:
                connection.execute(
                    "UPDATE state SET held_from = ?, tail_from = ?, held_to = ?, held_hash = ?",
                    (first, first, *end),
                )
            else:
                connection.execute("UPDATE state SET held_to = ?, held_hash = ?", end)

    def trim(self, sealed_to: int) -> None:
        """Take away what is sealed: the blocks up to this one."""
        with self._writing() as connection:
            for page in self.pages:
                if page.first <= sealed_to:
                    kept = between(self.read(page), sealed_to + 1, page.last)
                    connection.execute("DELETE FROM page WHERE first = ?", (page.first,))
                    if page.last > sealed_to:
                        self._insert(connection, kept, sealed_to + 1, page.mark)
            connection.execute("UPDATE state SET tail_from = ?", (sealed_to + 1,))

    def cut(self, to: Mark | None) -> None:
        """Forget all above a mark, which may be below the pages; None: forget everything."""
        with self._writing() as connection:
            block = -1 if to is None else to.block
            for page in self.pages:
                if page.last <= block:
                    continue
                kept = between(self.read(page), page.first, block)
                connection.execute("DELETE FROM page WHERE first = ?", (page.first,))
                if to is not None and page.first <= block:
                    self._insert(connection, kept, page.first, to)
            if to is None:
                connection.execute(
                    "UPDATE state SET held_from = NULL, tail_from = NULL, held_to = NULL,"
                    " held_hash = NULL"
                )
            else:
                connection.execute(
                    "UPDATE state SET tail_from = min(tail_from, ? + 1), held_to = ?,"
                    " held_hash = ?",
                    (block, *to),
                )
            connection.execute("DELETE FROM snapshot WHERE block > ?", (block,))
            connection.execute("DELETE FROM facts WHERE block > ?", (block,))

    def join(self, pages: list[Page]) -> None:
        """Make one page of several that follow each other."""
        with self._writing() as connection:
            whole = merged([self.read(page) for page in pages])
            for page in pages:
                connection.execute("DELETE FROM page WHERE first = ?", (page.first,))
            self._insert(connection, whole, pages[0].first, pages[-1].mark)

    def facts(self, key: str) -> bytes | None:
        """The document of that key."""
        sql = "SELECT key, block, sha256, body FROM facts WHERE key = ?"
        row = self._row(sql, key, f"the facts {key!r}")
        return None if row is None else row.body

    def put_facts(self, key: str, document: bytes, block: int) -> None:
        """Put a document there, in place of the former."""
        with self._writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO facts VALUES (?, ?, ?, ?)",
                _sealed((key, block), document),
            )

    def snapshot(self) -> Snapshot | None:
        """The newest that was put there, and not rolled back."""
        sql = "SELECT block, hash, sha256, body FROM snapshot WHERE only = ?"
        row = self._row(sql, 1, "the snapshot")
        if row is None:
            return None
        block, named = row.words
        return Snapshot(block, named, row.body)

    def put_snapshot(self, block: int, hash_: Hash32, body: bytes) -> None:
        """Put it there in place of the former."""
        with self._writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO snapshot VALUES (1, ?, ?, ?, ?)",
                _sealed((block, hash_), body),
            )

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it or nothing."""
        self._may_write()
        connection = self._connection
        with translated(self.path, "written"):
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            finally:
                # A full disk ends a transaction by itself.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            self.span = self._span()
            self.pages = self._pages()

    def _insert(
        self, connection: sqlite3.Connection, batch: pa.RecordBatch, first: int, end: Mark
    ) -> None:
        connection.execute(
            "INSERT INTO page VALUES (?, ?, ?, ?, ?, ?)",
            _sealed((first, *end, batch.num_rows), page_bytes(batch)),
        )

    def _span(self) -> Span | None:
        columns = "held_from, tail_from, held_to, held_hash"
        row = self._connection.execute(f"SELECT {columns} FROM state").fetchone()  # noqa: S608
        return None if row[0] is None else Span(row[0], row[1], row[2], Hash32(row[3]))

    def _pages(self) -> tuple[Page, ...]:
        """All of them, in order."""
        columns = "first, last, last_hash, logs"
        found = self._connection.execute(
            f"SELECT {columns} FROM page ORDER BY first"  # noqa: S608
        )
        return tuple(map(Page._make, found))

    def _row(self, sql: str, key: int | str, what: str) -> _Row | None:
        """A row that ends with a digest and bytes, checked; None where there is none."""
        with translated(self.path, "read"):
            found = self._connection.execute(sql, (key,)).fetchone()
        if found is None:
            return None
        *words, _, body = found
        if _sealed(words, body) != tuple(found):
            message = f"{self.path} is damaged ({what}): {REMEDY}"
            raise BrokenStore(message)
        return _Row(tuple(words), body)

    def _gone(self, block: int | None) -> BrokenStore:
        return BrokenStore(f"{self.path} is damaged (block {block} is gone): {REMEDY}")


def _sealed(words: Sequence[int | str], body: bytes) -> tuple[object, ...]:
    """The values of a row: what it says of its bytes, a digest of both, and the bytes."""
    digest = hashlib.sha256(repr(tuple(words)).encode() + body).digest()
    return (*words, digest, body)
