"""Values come back from the file as they went in."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.model import Address, Wei
from monitor.transactions.journal.rows import read_slot, read_slots
from monitor.transactions.journal.store import observe
from monitor.transactions.words import Transaction
from tests.transactions.journal.samples import (
    CHAIN,
    NOW,
    OTHER,
    SENDER,
    bare,
    hash_of,
    memory,
    sighting,
    transaction,
)

WEI = st.integers(0, 2**256 - 1)
TRANSACTIONS = st.builds(
    Transaction,
    hash=st.just(hash_of("drawn")),
    type=st.integers(0, 4),
    chain_id=st.sampled_from([None, CHAIN]),
    sender=st.just(SENDER),
    nonce=st.integers(0, 2**63 - 1),
    to=st.sampled_from([None, OTHER]),
    value_wei=WEI,
    gas=st.integers(0, 2**64 - 1),
    fee_cap_wei=WEI,
    tip_cap_wei=WEI,
    blob_fee_cap_wei=st.none() | WEI,
    data=st.binary(max_size=100),
    blob_count=st.integers(0, 9),
    authorizations=st.integers(0, 9),
)


@given(TRANSACTIONS)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_transaction_comes_back_as_it_went_in(of: Transaction) -> None:
    """Every field, also amounts beyond 64 bits, whatever the type."""
    with memory() as connection:
        seen = replace(sighting(of.nonce), transaction=of, hash=of.hash)
        observe(connection, seen, NOW)
        (attempt,) = read_slots(connection, "slot.nonce = ?", (of.nonce,))[0].attempts
        assert attempt.transaction == of
        assert type(attempt.transaction.data) is bytes


def test_attempts_of_a_slot_come_oldest_first(connection: sqlite3.Connection) -> None:
    """In the order in which they were filed, whatever their hashes; each with its own bytes."""
    for tip in range(1, 20):
        observe(connection, sighting(7, tip_cap_wei=tip), NOW + tip)
    slot = observe(connection, bare(7, tip_cap_wei=99), NOW)
    tips = [each.transaction.tip_cap_wei for each in slot.attempts if each.transaction is not None]
    assert tips == list(range(1, 20))
    assert [each.has_raw for each in slot.attempts] == [True] * 19 + [False]


def test_slots_come_by_account_and_nonce(connection: sqlite3.Connection) -> None:
    """The lowest nonce of an account stands first; what the condition excludes stays away."""
    for nonce in (9, 7, 8):
        observe(connection, sighting(nonce), NOW)
    of = transaction(7, sender=OTHER, hash=hash_of("of another"))
    observe(connection, sighting(7, sender=OTHER, hash=of.hash, transaction=of), NOW)
    found = [(slot.sender, slot.nonce) for slot in read_slots(connection, "nonce < ?", (9,))]
    assert found == [(SENDER, 7), (SENDER, 8), (OTHER, 7)]


def test_slot_that_is_read_alone_is_the_one_asked_for(connection: sqlite3.Connection) -> None:
    """By its number."""
    slots = [observe(connection, sighting(nonce), NOW) for nonce in (7, 8)]
    assert [read_slot(connection, slot.id) for slot in slots] == slots


def test_address_of_a_contract_creation_is_none(connection: sqlite3.Connection) -> None:
    """No recipient is not an empty one."""
    of = transaction(7, to=None, value_wei=Wei(0))
    slot = observe(connection, sighting(7, transaction=of), NOW)
    (attempt,) = slot.attempts
    assert attempt.transaction is not None
    recipient: Address | None = attempt.transaction.to
    assert recipient is None
