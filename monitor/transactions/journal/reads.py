"""What other processes may ask of a journal, while its writer lives or after.

Every question has a connection of its own, which cannot write, sees one moment, and is cut off
after a few seconds. Everything is bounded, newest first.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from monitor.evidence import read
from monitor.model import Address, Hash32, Level
from monitor.transactions.journal.arrivals import read_arrivals
from monitor.transactions.journal.opening import open_reading, translated
from monitor.transactions.journal.record import (
    AmbiguousError,
    Arrival,
    Beat,
    Count,
    Inclusion,
    JournalError,
    Listed,
)
from monitor.transactions.journal.rows import read_slot
from monitor.transactions.journal.sends import read_spent
from monitor.transactions.story import Said, Send, Stage, Story
from monitor.transactions.words import State

T = TypeVar("T")
READ_SECONDS = 5.0
LISTED_MAX = 1000
INCLUSIONS_MAX = 50_000
STAGES_MAX = 1000
SENDS_MAX = 1000
_PREFIX = re.compile(r"0x[0-9a-f]{6,64}")


class Reader:
    """Read-only questions to the journal at a path. Each raises JournalError with one line."""

    def __init__(
        self,
        path: Path,
        *,
        stopwatch: Callable[[], float] = time.monotonic,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self.path = path
        self._stopwatch = stopwatch
        self._read_seconds = read_seconds

    def slots(
        self,
        *,
        network: str | None = None,
        alias: str | None = None,
        state: State | None = None,
        is_closed: bool | None = None,
        limit: int = 100,
    ) -> tuple[Listed, ...]:
        """Slots, the newest first; of everything that is named only that."""
        return self._ask(
            lambda connection: _listed(
                connection,
                (network, alias, state, is_closed),
                max(1, min(limit, LISTED_MAX)),
            )
        )

    def story(self, name: str) -> Story | None:
        """The slot of a hash, or of its first six digits or more; None where there is none.

        Raises AmbiguousError where several transactions begin with them.
        """
        prefix = name.lower()
        if not _PREFIX.fullmatch(prefix):
            message = f"{name[:80]!r} is no hash: 0x and 6 to 64 hexadecimal digits"
            raise JournalError(message)
        return self._ask(lambda connection: _story(connection, _of_hash(connection, prefix)))

    def story_of(self, account: str, nonce: int, *, network: str | None = None) -> Story | None:
        """The slot of an account, by its alias or its address; None where there is none.

        Raises AmbiguousError where it has one on several networks, and none is named.
        """
        return self._ask(
            lambda connection: _story(connection, _of_account(connection, account, nonce, network))
        )

    def arrivals(self) -> tuple[Arrival, ...]:
        """What came through the tap and is neither filed nor dismissed."""
        return self._ask(read_arrivals)

    def inclusions(self, network: str, since: float) -> tuple[Inclusion, ...]:
        """Transactions of others that were mined since, or are in no block yet; the newest first.

        What was replaced by another purpose or cancelled is in neither.
        """
        return self._ask(lambda connection: _inclusions(connection, network, since))

    def beats(self) -> tuple[Beat, ...]:
        """How fresh the journal is, by network."""
        return self._ask(
            lambda connection: tuple(
                Beat(*row)
                for row in connection.execute("SELECT network, number, at FROM beat ORDER BY 1")
            )
        )

    def counts(self) -> tuple[Count, ...]:
        """How many slots stand where, closed ones too."""
        return self._ask(
            lambda connection: tuple(
                Count(network, alias, State(state), slots)
                for network, alias, state, slots in connection.execute(
                    "SELECT network, alias, state, count(*) FROM slot"
                    " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
                )
            )
        )

    def spent_wei(self, network: str, sender: Address, day: str) -> int:
        """Gas at its cap of all that was signed for an account on a day (UTC)."""
        return self._ask(lambda connection: read_spent(connection, network, sender, day))

    def _ask(self, ask: Callable[[sqlite3.Connection], T]) -> T:
        until = self._stopwatch() + self._read_seconds
        connection = open_reading(self.path, lambda: self._stopwatch() > until)
        with translated(self.path, "read"), closing(connection):
            connection.execute("BEGIN")
            return ask(connection)


def _listed(
    connection: sqlite3.Connection,
    filters: tuple[str | None, str | None, State | None, bool | None],
    limit: int,
) -> tuple[Listed, ...]:
    found = connection.execute(
        "SELECT id, network, alias, consumer_hash FROM slot"
        " WHERE (?1 IS NULL OR network = ?1) AND (?2 IS NULL OR alias = ?2)"
        " AND (?3 IS NULL OR state = ?3) AND (?4 IS NULL OR (closed_at IS NOT NULL) = ?4)"
        " ORDER BY first_seen_at DESC, id DESC LIMIT ?5",
        (*filters, limit),
    ).fetchall()
    return tuple(
        Listed(
            network,
            alias,
            read_slot(connection, slot_id),
            consumer_hash,
            *_last_words(connection, slot_id),
        )
        for slot_id, network, alias, consumer_hash in found
    )


def _last_words(connection: sqlite3.Connection, slot_id: int) -> tuple[Level | None, str]:
    level, summary = connection.execute(
        "SELECT level, summary FROM state_history WHERE slot = ? ORDER BY id DESC LIMIT 1",
        (slot_id,),
    ).fetchone()
    return (_level_of(level), summary)


def _of_hash(connection: sqlite3.Connection, prefix: str) -> int | None:
    """The slot of a transaction; both bounds are searched in an index: `g` follows all digits."""
    found = connection.execute(
        "SELECT hash, slot FROM attempt WHERE hash >= ?1 AND hash < ?2"
        " UNION SELECT consumer_hash, id FROM slot WHERE consumer_hash >= ?1 AND consumer_hash < ?2"
        " LIMIT 3",
        (prefix, f"{prefix}g"),
    ).fetchall()
    if len({hash_ for hash_, _ in found}) > 1:
        message = f"several transactions begin with {prefix}: name more of its digits"
        raise AmbiguousError(message)
    return found[0][1] if found else None


def _of_account(
    connection: sqlite3.Connection, account: str, nonce: int, network: str | None
) -> int | None:
    found = connection.execute(
        "SELECT id, network FROM slot WHERE nonce = ?1 AND (alias = ?2 OR sender = ?3)"
        " AND (?4 IS NULL OR network = ?4) LIMIT 3",
        (nonce, account, account.lower(), network),
    ).fetchall()
    if len(found) > 1:
        names = ", ".join(sorted({name for _, name in found}))
        message = f"{account} has a nonce {nonce} more than once ({names}): name its network"
        raise AmbiguousError(message)
    return found[0][0] if found else None


def _story(connection: sqlite3.Connection, slot_id: int | None) -> Story | None:
    if slot_id is None:
        return None
    network, alias, consumer_hash = connection.execute(
        "SELECT network, alias, consumer_hash FROM slot WHERE id = ?", (slot_id,)
    ).fetchone()
    attempts = connection.execute(
        "SELECT hash, source, raw FROM attempt WHERE slot = ?", (slot_id,)
    ).fetchall()
    return Story(
        network=network,
        alias=alias,
        slot=read_slot(connection, slot_id),
        sources={Hash32(hash_): source for hash_, source, _ in attempts},
        raw={Hash32(hash_): raw for hash_, _, raw in attempts if raw is not None},
        stages=_stages(connection, slot_id),
        sends=_sends(connection, slot_id),
        said=tuple(
            Said(*row)
            for row in connection.execute(
                "SELECT node, said, number, at FROM observation WHERE slot = ? ORDER BY id",
                (slot_id,),
            )
        ),
        consumer_hash=consumer_hash,
    )


def _stages(connection: sqlite3.Connection, slot_id: int) -> tuple[Stage, ...]:
    """The newest of very many."""
    found = connection.execute(
        "SELECT at, before, state, row, level, summary, evidence, mined_number, mined_hash"
        " FROM state_history WHERE slot = ? ORDER BY id DESC LIMIT ?",
        (slot_id, STAGES_MAX),
    ).fetchall()
    return tuple(
        Stage(
            at=at,
            before=None if before is None else State(before),
            state=State(state),
            row=row,
            level=_level_of(level),
            summary=summary,
            evidence=read(evidence),
            mined_number=mined_number,
            mined_hash=mined_hash,
        )
        for at, before, state, row, level, summary, evidence, mined_number, mined_hash in reversed(
            found
        )
    )


def _sends(connection: sqlite3.Connection, slot_id: int) -> tuple[Send, ...]:
    """The newest of very many."""
    found = connection.execute(
        "SELECT action.id, action.hash, node, act, intent_at, done_at, coalesce(reaction, ''),"
        " coalesce(message, '') FROM action JOIN attempt ON attempt.hash = action.hash"
        " WHERE slot = ? ORDER BY action.id DESC LIMIT ?",
        (slot_id, SENDS_MAX),
    ).fetchall()
    return tuple(Send(*row) for row in reversed(found))


def _inclusions(
    connection: sqlite3.Connection, network: str, since: float
) -> tuple[Inclusion, ...]:
    """A slot's own transaction: its consumer where it is an attempt, else the newest attempt."""
    found = connection.execute(
        "SELECT alias, coalesce("
        " (SELECT hash FROM attempt WHERE hash = consumer_hash),"
        " (SELECT hash FROM attempt WHERE slot = slot.id ORDER BY rowid DESC LIMIT 1)) AS hash,"
        " first_seen_at, mined_at FROM slot WHERE network = ?1"
        " AND state NOT IN ('cancelled', 'replaced_other')"
        " AND (mined_at >= ?2 OR (mined_at IS NULL AND closed_at IS NULL))"
        " AND EXISTS (SELECT 1 FROM attempt WHERE slot = slot.id AND kind = 'observed')"
        " ORDER BY first_seen_at DESC, id DESC LIMIT ?3",
        (network, since, INCLUSIONS_MAX),
    )
    return tuple(Inclusion(*row) for row in found)


def _level_of(word: str | None) -> Level | None:
    return None if word is None else Level[word.upper()]
