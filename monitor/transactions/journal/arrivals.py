"""What came through the tap, until it is filed under a slot. Functions of the writer's connection.

The tap writes an arrival before a byte of it leaves, and what its sender was told afterwards. It
may come more than once; it is refused only when every delivery was.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from monitor.evidence import WORD_CHARACTERS_MAX, cut
from monitor.model import Hash32
from monitor.transactions.journal.record import Arrival, JournalError, Outcome
from monitor.transactions.journal.rows import TEXT_CHARACTERS_MAX
from monitor.transactions.journal.schema import RAW_BYTES_MAX

ARRIVALS_MAX = 1000
ARRIVALS_BYTES_MAX = 64 * 2**20
"""Of one answer; the rest comes when these are filed or dismissed."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What an arrival leaves to the attempt that it becomes."""

    raw: bytes
    at: float
    source: str


def check_raw(raw: bytes) -> None:
    """Raises JournalError for bytes that no transaction of a known kind can have."""
    if not 0 < len(raw) <= RAW_BYTES_MAX:
        message = f"a transaction of {len(raw)} bytes is none of 1 to {RAW_BYTES_MAX}"
        raise JournalError(message)


def arrive(
    connection: sqlite3.Connection, raw: bytes, hash_: Hash32, source: str, at: float
) -> None:
    """Keep the bytes, unless they are an attempt's already; once more, it counts as sent again."""
    check_raw(raw)
    found = connection.execute("SELECT raw IS NOT NULL FROM attempt WHERE hash = ?", (hash_,))
    if found.fetchone() == (1,):
        return
    connection.execute(
        "INSERT INTO arrival (hash, at, source, raw) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (hash) DO UPDATE SET deliveries = deliveries + 1,"
        " dismissed_at = NULL, dismissed_why = NULL",
        (hash_, at, cut(source, WORD_CHARACTERS_MAX), raw),
    )


def answered(
    connection: sqlite3.Connection, hash_: Hash32, outcome: Outcome, message: str, at: float
) -> None:
    """Write down what the sender was told, where it was an error."""
    if outcome not in {"refused", "unanswered"}:
        problem = f"{outcome} is no outcome of an arrival"
        raise JournalError(problem)
    done = connection.execute(
        # A second answer to one delivery must not speak for another.
        f"UPDATE arrival SET {outcome} = {outcome} + 1, message = ?, answered_at = ?"  # noqa: S608
        " WHERE hash = ? AND refused + unanswered < deliveries",
        (cut(message, TEXT_CHARACTERS_MAX), at, hash_),
    )
    if not done.rowcount:
        _require(connection, hash_)


def dismiss(connection: sqlite3.Connection, hash_: Hash32, why: str, at: float) -> None:
    """It is nobody's whom we watch, or no good anywhere; its bytes stay until they are retired."""
    done = connection.execute(
        "UPDATE arrival SET dismissed_at = ?, dismissed_why = ? WHERE hash = ?",
        (at, cut(why, TEXT_CHARACTERS_MAX), hash_),
    )
    if not done.rowcount:
        _require(connection, hash_)


def take(connection: sqlite3.Connection, hash_: Hash32) -> Taken | None:
    """Remove an arrival, dismissed or not, for the attempt that is written instead."""
    found = connection.execute(
        "SELECT raw, at, source FROM arrival WHERE hash = ?", (hash_,)
    ).fetchone()
    if found is None:
        return None
    connection.execute("DELETE FROM arrival WHERE hash = ?", (hash_,))
    return Taken(*found)


def read_arrivals(connection: sqlite3.Connection) -> tuple[Arrival, ...]:
    """Those that are neither filed nor dismissed: what counts as sent first, then by age."""
    return _read(
        connection,
        "SELECT hash, raw, at, source, deliveries, refused, unanswered, message FROM arrival"
        " WHERE dismissed_at IS NULL ORDER BY refused >= deliveries, at, rowid LIMIT ?",
    )


NEWS = (
    "SELECT hash, raw, at, source, deliveries, refused, unanswered, message FROM arrival"
    " WHERE dismissed_at IS NULL AND refused < deliveries ORDER BY at, rowid LIMIT ?"
)


def read_news(connection: sqlite3.Connection) -> tuple[Arrival, ...]:
    """Those of them that may have to be filed, by age: what was refused is never ours to send.

    It becomes news again when it is sent once more, and an attempt where a pool has it after all.
    """
    return _read(connection, NEWS)


def _read(connection: sqlite3.Connection, statement: str) -> tuple[Arrival, ...]:
    found = connection.execute(statement, (ARRIVALS_MAX,))
    arrivals: list[Arrival] = []
    size_bytes = 0
    for hash_, raw, at, source, deliveries, refused, unanswered, message in found:
        size_bytes += len(raw)
        if size_bytes > ARRIVALS_BYTES_MAX:
            break
        outcome: Outcome | None = None
        if refused + unanswered >= deliveries:
            outcome = "unanswered" if unanswered else "refused"
        arrivals.append(Arrival(hash_, raw, at, source, outcome, message))
    return tuple(arrivals)


def retire_arrivals(connection: sqlite3.Connection, older_than: float, count: int) -> int:
    """Delete some that were dismissed, or refused for good, before a time; how many."""
    done = connection.execute(
        "DELETE FROM arrival WHERE rowid IN (SELECT rowid FROM arrival WHERE dismissed_at < ?1"
        " OR (refused >= deliveries AND answered_at < ?1) LIMIT ?2)",
        (older_than, count),
    )
    return done.rowcount


def _require(connection: sqlite3.Connection, hash_: Hash32) -> None:
    """Raises JournalError for a hash that never came; one that was filed since is well."""
    for table in ("arrival", "attempt"):
        found = connection.execute(f"SELECT 1 FROM {table} WHERE hash = ?", (hash_,))  # noqa: S608
        if found.fetchone() is not None:
            return
    message = f"{hash_} has not come through the tap"
    raise JournalError(message)
