"""Between values and rows: transactions, attempts and slots, as they are stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from monitor.model import Address, Hash32, Wei
from monitor.transactions.words import Attempt, Slot, State, Transaction

TEXT_CHARACTERS_MAX = 500
"""Of what nodes say and of sentences; the rest is cut."""
EVIDENCE_COUNT_MAX = 20

TRANSACTION = (
    "type, of_chain, recipient, value_wei, gas, fee_cap_wei, tip_cap_wei, blob_fee_cap_wei,"
    " blob_count, authorizations, calldata"
)
"""The columns of an attempt that hold its transaction, in the order of `transaction_row`."""
NO_TRANSACTION: tuple[None, ...] = (None,) * len(TRANSACTION.split(","))
_SLOT = (
    "slot.id, slot.chain_id, slot.sender, slot.nonce, slot.state, slot.since, slot.first_seen_at,"
    " slot.first_seen_number, slot.mined_number, slot.mined_hash, slot.closed_at"
)
_ATTEMPT = (
    "slot.id, slot.sender, slot.nonce, attempt.hash, attempt.kind, attempt.first_seen_at,"
    f" attempt.raw IS NOT NULL, {TRANSACTION}"
)


def transaction_row(transaction: Transaction | None) -> tuple[object, ...]:
    """The columns `TRANSACTION`; its hash, sender and nonce are those of attempt and slot."""
    if transaction is None:
        return NO_TRANSACTION
    blob_fee_cap_wei = transaction.blob_fee_cap_wei
    return (
        transaction.type,
        transaction.chain_id,
        transaction.to,
        str(transaction.value_wei),
        str(transaction.gas),
        str(transaction.fee_cap_wei),
        str(transaction.tip_cap_wei),
        None if blob_fee_cap_wei is None else str(blob_fee_cap_wei),
        transaction.blob_count,
        transaction.authorizations,
        transaction.data,
    )


def _transaction_of(
    hash_: Hash32, sender: Address, nonce: int, row: Sequence[Any]
) -> Transaction | None:
    kind, chain_id, to, value, gas, fee_cap, tip_cap, blob_fee_cap, blobs, signed, calldata = row
    if kind is None:
        return None
    return Transaction(
        hash=hash_,
        type=kind,
        chain_id=chain_id,
        sender=sender,
        nonce=nonce,
        to=to,
        value_wei=Wei(int(value)),
        gas=int(gas),
        fee_cap_wei=int(fee_cap),
        tip_cap_wei=int(tip_cap),
        blob_fee_cap_wei=None if blob_fee_cap is None else int(blob_fee_cap),
        data=calldata,
        blob_count=blobs,
        authorizations=signed,
    )


def read_slots(
    connection: sqlite3.Connection,
    where: str,
    parameters: Sequence[object],
    order: str = "slot.sender, slot.chain_id, slot.nonce",
) -> tuple[Slot, ...]:
    """The slots for which a condition of ours holds, with their attempts, oldest first.

    Two statements: call it in a transaction, or others may write between them.
    """
    attempts: dict[int, list[Attempt]] = {}
    for slot_id, sender, nonce, hash_, kind, at, has_raw, *row in connection.execute(
        f"SELECT {_ATTEMPT} FROM slot JOIN attempt ON attempt.slot = slot.id"  # noqa: S608
        f" WHERE {where} ORDER BY attempt.rowid",
        parameters,
    ):
        transaction = _transaction_of(hash_, sender, nonce, row)
        attempts.setdefault(slot_id, []).append(
            Attempt(hash_, kind, at, transaction, bool(has_raw))
        )
    slots = connection.execute(
        f"SELECT {_SLOT} FROM slot WHERE {where} ORDER BY {order}",  # noqa: S608
        parameters,
    )
    return tuple(
        Slot(
            id=row[0],
            chain_id=row[1],
            sender=row[2],
            nonce=row[3],
            attempts=tuple(attempts.get(row[0], ())),
            state=State(row[4]),
            since=row[5],
            first_seen_at=row[6],
            first_seen_number=row[7],
            mined_number=row[8],
            mined_hash=row[9],
            closed_at=row[10],
        )
        for row in slots
    )


def read_slot(connection: sqlite3.Connection, slot_id: int) -> Slot:
    """One slot that is known to be there."""
    (slot,) = read_slots(connection, "slot.id = ?", (slot_id,))
    return slot
