"""What we sign and send. Functions of the writer's connection, in a transaction each.

A lease comes before a signature, the signed bytes before an intent, and the intent before the send;
so that a kill at any instant leaves at most one more known hash on the same nonce, and every send
that may have happened is known.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

from monitor.evidence import WORD_CHARACTERS_MAX, cut
from monitor.model import Address, Hash32
from monitor.transactions.journal import arrivals
from monitor.transactions.journal.record import (
    Intent,
    JournalError,
    OverBudgetError,
    Reservation,
)
from monitor.transactions.journal.rows import (
    TEXT_CHARACTERS_MAX,
    TRANSACTION,
    read_slot,
    transaction_row,
)
from monitor.transactions.journal.store import check_same, complete, require_open
from monitor.transactions.plan import Past
from monitor.transactions.words import Act, AttemptKind, Slot, Transaction

LEASE_SECONDS = 60.0
"""A lease that is older may be taken over: whoever had it will not come back."""
HOUR_SECONDS = 3600.0
SENDING = (Act.REBROADCAST, Act.RESEND, Act.REPLACE, Act.CANCEL, Act.FILL)


def lease(
    connection: sqlite3.Connection,
    slot_id: int,
    kind: AttemptKind,
    at: float,
    reservation: Reservation | None = None,
) -> int:
    """The right to sign one attempt of a slot. JournalError while another has it.

    What is reserved counts as spent from here on, until the lease is over: then what was signed
    counts instead. OverBudgetError where the day's budget does not hold it.
    """
    require_open(connection, slot_id)
    if kind == "observed":
        message = "what is observed was signed by its sender, and needs no lease"
        raise JournalError(message)
    found = connection.execute(
        "SELECT kind, at FROM lease WHERE slot = ? AND ended_at IS NULL", (slot_id,)
    ).fetchone()
    if found is not None:
        # A clock that was set back must not hold the slot either.
        if 0 <= at - found[1] < LEASE_SECONDS:
            message = f"a {found[0]} is being signed for slot {slot_id}"
            raise JournalError(message)
        connection.execute(
            "UPDATE lease SET ended_at = ? WHERE slot = ? AND ended_at IS NULL", (at, slot_id)
        )
    if reservation is not None:
        _check_budget(connection, slot_id, reservation, day_of(at))
    made = connection.execute(
        "INSERT INTO lease (slot, kind, at, reserved_wei) VALUES (?, ?, ?, ?)",
        (slot_id, kind, at, None if reservation is None else str(reservation.wei)),
    )
    return made.lastrowid or 0


def release(connection: sqlite3.Connection, lease_id: int, at: float) -> None:
    """Give a lease back unused; one that is over stays so."""
    connection.execute(
        "UPDATE lease SET ended_at = ? WHERE id = ? AND ended_at IS NULL", (at, lease_id)
    )


def signed(
    connection: sqlite3.Connection,
    lease_id: int,
    transaction: Transaction,
    raw: bytes,
    *,
    at: float,
    number: int | None,
) -> Slot:
    """File what was signed under a lease, end the lease, and count what it may cost."""
    arrivals.check_raw(raw)
    found = connection.execute(
        "SELECT lease.slot, kind, ended_at, chain_id, sender, nonce, network FROM lease"
        " JOIN slot ON slot.id = lease.slot WHERE lease.id = ?",
        (lease_id,),
    ).fetchone()
    if found is None:
        message = f"there is no lease {lease_id}"
        raise JournalError(message)
    slot_id, kind, ended_at, *place, network = found
    require_open(connection, slot_id)
    if ended_at is not None:
        message = f"the lease {lease_id} of slot {slot_id} is over"
        raise JournalError(message)
    check_same(transaction, (place[0], place[1], place[2]))
    if number is None:
        number = _beat(connection, network)
    if not complete(connection, slot_id, transaction.hash, raw, transaction):
        connection.execute(
            "INSERT INTO attempt (hash, slot, kind, first_seen_at, source, lease,"  # noqa: S608
            f" signed_number, raw, {TRANSACTION})"
            f" VALUES (?, ?, ?, ?, 'signer', ?, ?, ?{', ?' * 11})",
            (
                transaction.hash,
                slot_id,
                kind,
                at,
                lease_id,
                number,
                raw,
                *transaction_row(transaction),
            ),
        )
    arrivals.take(connection, transaction.hash)
    connection.execute("UPDATE lease SET ended_at = ? WHERE id = ?", (at, lease_id))
    _spend(connection, network, transaction, at)
    return read_slot(connection, slot_id)


def intend(connection: sqlite3.Connection, hash_: Hash32, node: str, act: str, at: float) -> int:
    """A send is about to begin; the number by which it is concluded."""
    found = connection.execute(
        "SELECT slot, raw IS NOT NULL FROM attempt WHERE hash = ?", (hash_,)
    ).fetchone()
    if found is None or not found[1]:
        message = f"the journal has no bytes of {hash_}, and nothing else is sent"
        raise JournalError(message)
    require_open(connection, found[0])
    made = connection.execute(
        "INSERT INTO action (hash, node, act, intent_at) VALUES (?, ?, ?, ?)",
        (hash_, cut(node, WORD_CHARACTERS_MAX), cut(act, WORD_CHARACTERS_MAX), at),
    )
    return made.lastrowid or 0


def conclude(
    connection: sqlite3.Connection, action_id: int, reaction: str, message: str, at: float
) -> None:
    """What came of a send, once."""
    done = connection.execute(
        "UPDATE action SET done_at = ?, reaction = ?, message = ? WHERE id = ? AND done_at IS NULL",
        (at, cut(reaction, WORD_CHARACTERS_MAX), cut(message, TEXT_CHARACTERS_MAX), action_id),
    )
    if not done.rowcount:
        problem = f"there is no open action {action_id}"
        raise JournalError(problem)


def retire_spending(connection: sqlite3.Connection, before: float) -> None:
    """Forget what was spent on days that ended before a time."""
    connection.execute("DELETE FROM spending WHERE day < ?", (day_of(before),))


# -- what is asked -------------------------------------------------------------------------------


def read_intents(connection: sqlite3.Connection) -> tuple[Intent, ...]:
    """Sends of which no answer is known, oldest first."""
    found = connection.execute(
        "SELECT action.id, slot, action.hash, raw, node, act, intent_at, sender, nonce FROM action"
        " JOIN attempt ON attempt.hash = action.hash JOIN slot ON slot.id = attempt.slot"
        " WHERE done_at IS NULL ORDER BY action.id"
    )
    return tuple(Intent(*row) for row in found)


def read_raw(connection: sqlite3.Connection, hash_: Hash32) -> bytes | None:
    """The bytes of an attempt, or of an arrival that is not filed yet."""
    for table in ("attempt", "arrival"):
        found = connection.execute(
            f"SELECT raw FROM {table} WHERE hash = ?",  # noqa: S608 - constants
            (hash_,),
        ).fetchone()
        if found is not None and found[0] is not None:
            return bytes(found[0])
    return None


def read_past(connection: sqlite3.Connection, slot_id: int, now: float, day: str) -> Past:
    """What was done for a slot, and what its account has spent on a day."""
    place = connection.execute(
        "SELECT network, sender FROM slot WHERE id = ?", (slot_id,)
    ).fetchone()
    if place is None:
        message = f"there is no slot {slot_id}"
        raise JournalError(message)
    most: dict[str, int] = {}
    lately: dict[str, int] = {}
    last_at: float | None = None
    for act, _, count, newest_at, recent in connection.execute(
        "SELECT act, node, count(*), max(intent_at), sum(intent_at > ?) FROM action"
        " JOIN attempt ON attempt.hash = action.hash WHERE slot = ? GROUP BY act, node",
        (now - HOUR_SECONDS, slot_id),
    ):
        if act not in SENDING:
            continue
        most[act] = max(most.get(act, 0), count)
        lately[act] = max(lately.get(act, 0), recent)
        last_at = newest_at if last_at is None else max(last_at, newest_at)
    bumps, fills, number = connection.execute(
        "SELECT count(*) FILTER (WHERE kind IN ('replace', 'cancel')),"
        " count(*) FILTER (WHERE kind = 'fill'), max(signed_number)"
        " FROM attempt WHERE slot = ? AND lease IS NOT NULL",
        (slot_id,),
    ).fetchone()
    return Past(
        last_sent_at=last_at,
        rebroadcasts=most.get(Act.REBROADCAST, 0),
        sent_last_hour=sum(lately.values()),
        bumps=bumps + max(0, fills - 1),
        last_bump_number=number,
        spent_today_wei=read_spent(connection, place[0], place[1], day),
    )


def read_spent(connection: sqlite3.Connection, network: str, sender: Address, day: str) -> int:
    """Gas at its cap, in wei, of all that was signed for an account on a day (UTC).

    What is being signed counts as well, on any day: it may be written down after midnight.
    """
    found = connection.execute(
        "SELECT reserved_wei FROM lease JOIN slot ON slot.id = lease.slot WHERE network = ?"
        " AND sender = ? AND ended_at IS NULL AND reserved_wei IS NOT NULL",
        (network, sender),
    )
    reserved_wei = sum(int(wei) for (wei,) in found)
    return _read_signed(connection, network, sender, day) + reserved_wei


def day_of(at: float) -> str:
    """The day of a time, UTC: `2026-11-18`."""
    return datetime.fromtimestamp(at, UTC).date().isoformat()


def _check_budget(
    connection: sqlite3.Connection, slot_id: int, reservation: Reservation, day: str
) -> None:
    """Raises OverBudgetError. In the transaction that reserves, so that no other comes between."""
    network, sender = connection.execute(
        "SELECT network, sender FROM slot WHERE id = ?", (slot_id,)
    ).fetchone()
    spent_wei = read_spent(connection, network, sender, day)
    left_wei = max(0, reservation.budget_a_day_wei - spent_wei)
    if reservation.wei > left_wei:
        message = (
            f"budget_a_day_wei is in the way: {reservation.wei} wei would be needed,"
            f" {left_wei} wei are left"
        )
        raise OverBudgetError(message)


def _read_signed(connection: sqlite3.Connection, network: str, sender: Address, day: str) -> int:
    found = connection.execute(
        "SELECT wei FROM spending WHERE day = ? AND network = ? AND sender = ?",
        (day, network, sender),
    ).fetchone()
    return 0 if found is None else int(found[0])


def _spend(
    connection: sqlite3.Connection, network: str, transaction: Transaction, at: float
) -> None:
    day = day_of(at)
    wei = _read_signed(connection, network, transaction.sender, day)
    wei += transaction.cost_max_wei - transaction.value_wei
    connection.execute(
        "INSERT INTO spending VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET wei = excluded.wei",
        (day, network, transaction.sender, str(wei)),
    )


def _beat(connection: sqlite3.Connection, network: str) -> int | None:
    found = connection.execute("SELECT number FROM beat WHERE network = ?", (network,)).fetchone()
    return None if found is None else int(found[0])
