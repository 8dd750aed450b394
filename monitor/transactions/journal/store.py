"""Slots: seen first, judged, closed, retired. Functions of the writer's connection.

Each is called inside a transaction, and raises JournalError where it did nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from monitor.evidence import WORD_CHARACTERS_MAX, cut, written
from monitor.model import Address, Hash32
from monitor.transactions.journal import arrivals
from monitor.transactions.journal.record import (
    Change,
    JournalError,
    Note,
    Place,
    Sighting,
    SlotClosedError,
)
from monitor.transactions.journal.rows import (
    EVIDENCE_COUNT_MAX,
    TEXT_CHARACTERS_MAX,
    TRANSACTION,
    read_slot,
    transaction_row,
)
from monitor.transactions.words import TERMINAL, Slot, State, Transaction

OBSERVATIONS_MAX = 200
"""Of one slot, besides the first."""
SLOTS_A_PORTION = 100
"""Deleted in one transaction: the writer is not held for long."""
_NEW_STAGE = (
    "INSERT INTO state_history (slot, at, before, state, row, level, summary, evidence,"
    " mined_number, mined_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def observe(connection: sqlite3.Connection, sighting: Sighting, at: float) -> Slot:
    """File a transaction: its slot and its attempt where they are new, its bytes where missing."""
    if sighting.kind != "observed":
        message = f"an attempt of kind {sighting.kind} is made under a lease"
        raise JournalError(message)
    if sighting.raw is not None:
        arrivals.check_raw(sighting.raw)
    if sighting.transaction is not None:
        check_same(
            sighting.transaction,
            (sighting.chain_id, sighting.sender, sighting.nonce),
            sighting.hash,
        )
    taken = arrivals.take(connection, sighting.hash)
    first_at = at if taken is None else min(at, taken.at)
    source = sighting.source if taken is None else taken.source
    slot_id = _find(connection, sighting.place)
    if slot_id is None:
        slot_id = _create(
            connection,
            sighting.place,
            State.PENDING,
            at=at,
            summary=f"first seen: {source}",
            first_at=first_at,
            number=sighting.number,
        )
    raw = sighting.raw if taken is None else taken.raw
    if not complete(connection, slot_id, sighting.hash, raw, sighting.transaction):
        connection.execute(
            "INSERT INTO attempt (hash, slot, kind, first_seen_at, source, raw,"  # noqa: S608
            f" {TRANSACTION}) VALUES (?, ?, 'observed', ?, ?, ?{', ?' * 11})",
            (
                sighting.hash,
                slot_id,
                first_at,
                cut(source, WORD_CHARACTERS_MAX),
                raw,
                *transaction_row(sighting.transaction),
            ),
        )
    return read_slot(connection, slot_id)


def complete(
    connection: sqlite3.Connection,
    slot_id: int,
    hash_: Hash32,
    raw: bytes | None,
    transaction: Transaction | None,
) -> bool:
    """Add to an attempt what it lacks; whether there is one."""
    found = connection.execute(
        "SELECT slot, raw IS NULL, type IS NULL FROM attempt WHERE hash = ?", (hash_,)
    ).fetchone()
    if found is None:
        return False
    of_slot, lacks_raw, lacks_transaction = found
    if of_slot != slot_id:
        message = f"{hash_} is an attempt of slot {of_slot}, and cannot be one of slot {slot_id}"
        raise JournalError(message)
    if lacks_raw and raw is not None:
        connection.execute("UPDATE attempt SET raw = ? WHERE hash = ?", (raw, hash_))
    if lacks_transaction and transaction is not None:
        columns = ", ".join(f"{name} = ?" for name in TRANSACTION.split(", "))
        connection.execute(
            f"UPDATE attempt SET {columns} WHERE hash = ?",  # noqa: S608 - constants
            (*transaction_row(transaction), hash_),
        )
    return True


def check_same(
    transaction: Transaction, slot: tuple[int, Address, int], hash_: Hash32 | None = None
) -> None:
    """Raises JournalError for a transaction that is none of the slot, or of another hash."""
    chain_id, sender, nonce = slot
    pairs = (
        ("chain", transaction.chain_id, chain_id if transaction.chain_id is not None else None),
        ("sender", transaction.sender, sender),
        ("nonce", transaction.nonce, nonce),
        ("hash", transaction.hash, transaction.hash if hash_ is None else hash_),
    )
    for name, has, wanted in pairs:
        if has != wanted:
            message = f"{transaction.hash} has {name} {has}, and {wanted} was told"
            raise JournalError(message)


def fill_slot(connection: sqlite3.Connection, place: Place, at: float) -> Slot:
    """A slot without attempts, for a filler; the one that is there, if it is open."""
    slot_id = _find(connection, place)
    if slot_id is None:
        slot_id = _create(connection, place, State.GAP, at=at, summary="to be filled, by order")
    require_open(connection, slot_id)
    return read_slot(connection, slot_id)


def name_account(
    connection: sqlite3.Connection, network: str, alias: str, chain_id: int, sender: Address
) -> int:
    """File the live slots of an account under new names; how many had others."""
    done = connection.execute(
        "UPDATE slot SET network = ?1, alias = ?2 WHERE chain_id = ?3 AND sender = ?4"
        " AND closed_at IS NULL AND (network IS NOT ?1 OR alias IS NOT ?2)",
        (network, alias, chain_id, sender),
    )
    return done.rowcount


def enter(connection: sqlite3.Connection, changes: Sequence[Change]) -> None:
    """Append each to its slot's history, and make it the slot's state."""
    for change in changes:
        if change.state in TERMINAL:
            message = f"{change.state} is entered by closing slot {change.slot_id}"
            raise JournalError(message)
        before = require_open(connection, change.slot_id)
        connection.execute(
            "UPDATE slot SET state = ?1, since = CASE WHEN state = ?1 THEN since ELSE ?2 END,"
            " mined_number = ?3, mined_hash = ?4,"
            " mined_at = CASE WHEN ?3 IS NULL THEN NULL ELSE coalesce(mined_at, ?2) END"
            " WHERE id = ?5",
            (change.state, change.at, change.mined_number, change.mined_hash, change.slot_id),
        )
        _append(connection, change, before)


def close_slot(
    connection: sqlite3.Connection, closing: Change, consumer_hash: Hash32 | None
) -> None:
    """End a slot, once, by what took its nonce in a final block; nothing is signed for it now."""
    if closing.state not in TERMINAL:
        message = f"{closing.state} does not close slot {closing.slot_id}"
        raise JournalError(message)
    before = require_open(connection, closing.slot_id)
    connection.execute(
        "UPDATE slot SET state = ?1, since = ?2, closed_at = ?2, consumer_hash = ?3,"
        " mined_number = ?4, mined_hash = ?5, mined_at = coalesce(mined_at, ?2) WHERE id = ?6",
        (
            closing.state,
            closing.at,
            consumer_hash,
            closing.mined_number,
            closing.mined_hash,
            closing.slot_id,
        ),
    )
    connection.execute(
        "UPDATE lease SET ended_at = ? WHERE slot = ? AND ended_at IS NULL",
        (closing.at, closing.slot_id),
    )
    _append(connection, closing, before)


def note(connection: sqlite3.Connection, notes: Sequence[Note]) -> None:
    """Append observations; of each slot the first and the newest are kept."""
    for each in notes:
        connection.execute(
            "INSERT INTO observation (slot, node, said, number, at) VALUES (?, ?, ?, ?, ?)",
            (
                each.slot_id,
                cut(each.node, WORD_CHARACTERS_MAX),
                cut(each.said, TEXT_CHARACTERS_MAX),
                each.number,
                each.at,
            ),
        )
    for slot_id in {each.slot_id for each in notes}:
        connection.execute(
            "DELETE FROM observation WHERE slot = ?1"
            " AND id > (SELECT min(id) FROM observation WHERE slot = ?1) AND id <= (SELECT id"
            " FROM observation WHERE slot = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            (slot_id, OBSERVATIONS_MAX),
        )


def beat(connection: sqlite3.Connection, network: str, number: int, at: float) -> None:
    """The network's round is written down up to here."""
    connection.execute(
        "INSERT INTO beat VALUES (?, ?, ?) ON CONFLICT DO UPDATE"
        " SET number = excluded.number, at = excluded.at",
        (network, number, at),
    )


def retire_slots(connection: sqlite3.Connection, older_than: float) -> int:
    """Delete some slots that were closed before a time, with all that is theirs; how many."""
    done = connection.execute(
        "DELETE FROM slot WHERE id IN"
        " (SELECT id FROM slot WHERE closed_at < ? ORDER BY closed_at LIMIT ?)",
        (older_than, SLOTS_A_PORTION),
    )
    return done.rowcount


def require_open(connection: sqlite3.Connection, slot_id: int) -> str:
    """The slot's state. Raises SlotClosedError, or JournalError where there is none."""
    found = connection.execute(
        "SELECT state, closed_at FROM slot WHERE id = ?", (slot_id,)
    ).fetchone()
    if found is None:
        message = f"there is no slot {slot_id}"
        raise JournalError(message)
    if found[1] is not None:
        message = f"slot {slot_id} is closed ({found[0]})"
        raise SlotClosedError(message)
    return str(found[0])


def _find(connection: sqlite3.Connection, place: Place) -> int | None:
    found = connection.execute(
        "SELECT id FROM slot WHERE chain_id = ? AND sender = ? AND nonce = ?",
        (place.chain_id, place.sender, place.nonce),
    ).fetchone()
    return None if found is None else int(found[0])


def _create(
    connection: sqlite3.Connection,
    place: Place,
    state: State,
    *,
    at: float,
    summary: str,
    first_at: float | None = None,
    number: int | None = None,
) -> int:
    made = connection.execute(
        "INSERT INTO slot (chain_id, sender, nonce, network, alias, state, since, first_seen_at,"
        " first_seen_number) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            place.chain_id,
            place.sender,
            place.nonce,
            place.network,
            place.alias,
            state,
            at,
            at if first_at is None else first_at,
            number,
        ),
    )
    slot_id = made.lastrowid or 0
    connection.execute(
        _NEW_STAGE,
        (slot_id, at, None, state, "", None, cut(summary, TEXT_CHARACTERS_MAX), "", None, None),
    )
    return slot_id


def _append(connection: sqlite3.Connection, change: Change, before: str) -> None:
    connection.execute(
        _NEW_STAGE,
        (
            change.slot_id,
            change.at,
            before,
            change.state,
            cut(change.row, WORD_CHARACTERS_MAX),
            None if change.level is None else change.level.word,
            cut(change.summary, TEXT_CHARACTERS_MAX),
            written(
                change.evidence,
                count_max=EVIDENCE_COUNT_MAX,
                characters_max=TEXT_CHARACTERS_MAX,
            ),
            change.mined_number,
            change.mined_hash,
        ),
    )
