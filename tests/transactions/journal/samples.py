"""Transactions, sightings and journals for the tests of the journal."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

from monitor.model import Address, Hash32, Level, Wei
from monitor.transactions.journal import Journal
from monitor.transactions.journal.record import Change, Place, Sighting
from monitor.transactions.journal.schema import migrate
from monitor.transactions.words import State, Transaction

NOW = 1_795_000_000.0
DAY = "2026-11-18"
NETWORK = "mainnet"
ALIAS = "scheduler"
CHAIN = 1
SENDER = Address("0x" + "ab" * 20)
OTHER = Address("0x" + "cd" * 20)


def hash_of(*words: object) -> Hash32:
    return Hash32("0x" + hashlib.sha256(repr(words).encode()).hexdigest())


BLOCK = hash_of("block")


def transaction(nonce: int = 7, *, tip_cap_wei: int = 10**9, **changes: object) -> Transaction:
    """One transaction for each nonce and tip."""
    made = Transaction(
        hash=hash_of("transaction", nonce, tip_cap_wei),
        type=2,
        chain_id=CHAIN,
        sender=SENDER,
        nonce=nonce,
        to=OTHER,
        value_wei=Wei(5),
        gas=21_000,
        fee_cap_wei=30 * 10**9,
        tip_cap_wei=tip_cap_wei,
        blob_fee_cap_wei=None,
        data=b"\x01\x02",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def raw_of(of: Transaction) -> bytes:
    """Bytes that stand for it: the journal does not decode."""
    return b"\x02" + bytes.fromhex(of.hash[2:])


def sighting(nonce: int = 7, *, tip_cap_wei: int = 10**9, **changes: object) -> Sighting:
    """Seen whole, in the local node's pool."""
    of = transaction(nonce, tip_cap_wei=tip_cap_wei)
    made = Sighting(
        network=NETWORK,
        chain_id=CHAIN,
        alias=ALIAS,
        sender=SENDER,
        nonce=nonce,
        hash=of.hash,
        transaction=of,
        raw=raw_of(of),
        source="main",
        number=100,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def bare(nonce: int = 7, *, tip_cap_wei: int = 10**9, **changes: object) -> Sighting:
    """Only its hash and nonce are known."""
    return sighting(nonce, tip_cap_wei=tip_cap_wei, transaction=None, raw=None, **changes)


def place(nonce: int = 7) -> Place:
    return sighting(nonce).place


def change(slot_id: int, state: State = State.DROPPED, **changes: object) -> Change:
    made = Change(
        slot_id=slot_id,
        state=state,
        at=NOW + 60,
        row="17",
        level=Level.FAILED,
        summary="unknown everywhere for 3 rounds",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def closing(slot_id: int, state: State = State.FINAL_OK, **changes: object) -> Change:
    made = change(
        slot_id, state, row="", level=None, summary="final", mined_number=101, mined_hash=BLOCK
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@contextmanager
def memory() -> Iterator[sqlite3.Connection]:
    """A journal's tables, without a file."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    migrate(connection)
    try:
        yield connection
    finally:
        connection.close()


@asynccontextmanager
async def opened(
    path: Path,
    *,
    page_limit: int | None = None,
    busy_seconds: float = 2.0,
    stopwatch: Callable[[], float] = lambda: 0.0,
) -> AsyncIterator[Journal]:
    """A journal in a file, closed whatever happens."""
    journal = Journal(
        path,
        clock=lambda: NOW,
        stopwatch=stopwatch,
        page_limit=page_limit,
        busy_seconds=busy_seconds,
    )
    await journal.open()
    try:
        yield journal
    finally:
        await journal.close()
