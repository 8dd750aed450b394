"""What is signed and sent for a slot: leases, bytes before intents, intents before sends."""

from __future__ import annotations

import sqlite3

import pytest

from monitor.transactions.journal import (
    Intent,
    JournalError,
    OverBudgetError,
    Past,
    Reservation,
    SlotClosedError,
    store,
)
from monitor.transactions.journal.arrivals import arrive, read_arrivals
from monitor.transactions.journal.rows import read_slot
from monitor.transactions.journal.schema import RAW_BYTES_MAX
from monitor.transactions.journal.sends import (
    LEASE_SECONDS,
    conclude,
    day_of,
    intend,
    lease,
    read_intents,
    read_past,
    read_raw,
    read_spent,
    release,
    retire_spending,
    signed,
)
from monitor.transactions.journal.store import close_slot, fill_slot, observe
from monitor.transactions.words import Act, Attempt, AttemptKind, Slot, Transaction
from tests.transactions.journal.samples import (
    DAY,
    NETWORK,
    NOW,
    OTHER,
    SENDER,
    bare,
    closing,
    hash_of,
    place,
    raw_of,
    sighting,
    transaction,
)

BUMPED = transaction(7, tip_cap_wei=2 * 10**9)
COST = 21_000 * 30 * 10**9


@pytest.fixture
def slot(connection: sqlite3.Connection) -> Slot:
    return observe(connection, sighting(7), NOW)


def sign(
    connection: sqlite3.Connection,
    lease_id: int,
    of: Transaction = BUMPED,
    at: float = NOW,
    number: int | None = 100,
) -> Slot:
    return signed(connection, lease_id, of, raw_of(of), at=at, number=number)


# -- leases --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("later", "is_given"),
    [
        (0.0, False),
        (LEASE_SECONDS - 1, False),
        (LEASE_SECONDS, True),
        (LEASE_SECONDS + 1, True),
        (-1.0, True),  # the clock was set back: nobody knows how old it is
    ],
)
def test_lease_is_one_at_a_time_until_it_is_old(
    connection: sqlite3.Connection, slot: Slot, later: float, *, is_given: bool
) -> None:
    """From 60 seconds on another takes its place, and the first signs nothing any more."""
    first = lease(connection, slot.id, "replace", NOW)
    if not is_given:
        with pytest.raises(JournalError, match="a replace is being signed for slot 1"):
            lease(connection, slot.id, "cancel", NOW + later)
        return
    second = lease(connection, slot.id, "replace", NOW + later)
    assert second != first
    with pytest.raises(JournalError, match=f"the lease {first} of slot 1 is over"):
        sign(connection, first)
    assert len(sign(connection, second).attempts) == 2


def test_lease_of_one_slot_is_nothing_to_another(
    connection: sqlite3.Connection, slot: Slot
) -> None:
    """Each slot has its own; one that is taken over ends no other, and none that was over."""
    other = observe(connection, sighting(8), NOW)
    release(connection, lease(connection, slot.id, "replace", NOW), NOW + 1)
    numbers = [lease(connection, each.id, "replace", NOW + 2) for each in (slot, other)]
    lease(connection, slot.id, "replace", NOW + 2 + LEASE_SECONDS)
    ended = connection.execute("SELECT ended_at FROM lease ORDER BY id").fetchall()
    assert ended == [(NOW + 1,), (NOW + 2 + LEASE_SECONDS,), (None,), (None,)]
    assert len(set(numbers)) == 2


def test_lease_that_is_given_back_is_over(connection: sqlite3.Connection, slot: Slot) -> None:
    """The next is given at once; giving back twice, or what was used, is nothing."""
    first = lease(connection, slot.id, "replace", NOW)
    release(connection, first, NOW + 1)
    release(connection, first, NOW + 2)
    assert connection.execute("SELECT ended_at FROM lease").fetchall() == [(NOW + 1,)]
    assert lease(connection, slot.id, "replace", NOW + 2) != first


def test_lease_is_for_what_is_signed_for_us(connection: sqlite3.Connection, slot: Slot) -> None:
    """What is observed needs none."""
    with pytest.raises(JournalError, match="needs no lease"):
        lease(connection, slot.id, "observed", NOW)


@pytest.mark.parametrize("lease_id", [5, 0, -1])
def test_lease_that_was_never_given_signs_nothing(
    connection: sqlite3.Connection, slot: Slot, lease_id: int
) -> None:
    """A number that is none."""
    with pytest.raises(JournalError, match=f"there is no lease {lease_id}"):
        sign(connection, lease_id)


# -- what is signed ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["replace", "cancel", "fill"])
def test_signed_attempt_is_filed_with_its_bytes_and_ends_its_lease(
    connection: sqlite3.Connection, slot: Slot, kind: AttemptKind
) -> None:
    """As a kind of its lease; the lease signs once."""
    number = lease(connection, slot.id, kind, NOW)
    after = sign(connection, number, at=NOW + 3)
    assert after.attempts == (
        *slot.attempts,
        Attempt(BUMPED.hash, kind, NOW + 3, BUMPED, has_raw=True),
    )
    assert after.newest == after.attempts[-1]
    assert read_raw(connection, BUMPED.hash) == raw_of(BUMPED)
    with pytest.raises(JournalError, match="is over"):
        sign(connection, number, transaction(7, tip_cap_wei=3))


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (transaction(8), "has nonce 8, and 7 was told"),
        (transaction(7, sender=OTHER), "has sender"),
        (transaction(7, chain_id=5), "has chain 5, and 1 was told"),
    ],
)
def test_signature_of_something_else_is_refused(
    connection: sqlite3.Connection, slot: Slot, of: Transaction, words: str
) -> None:
    """Same sender, same nonce, same chain, or nothing."""
    number = lease(connection, slot.id, "replace", NOW)
    with pytest.raises(JournalError, match=words):
        sign(connection, number, of)
    assert read_slot(connection, slot.id) == slot
    assert read_spent(connection, NETWORK, SENDER, DAY) == 0


def test_signature_of_a_hash_of_another_slot_is_refused(
    connection: sqlite3.Connection, slot: Slot
) -> None:
    """A hash belongs to one slot."""
    observe(connection, bare(8, hash=BUMPED.hash), NOW)
    with pytest.raises(JournalError, match="is an attempt of slot 2"):
        sign(connection, lease(connection, slot.id, "replace", NOW))


@pytest.mark.parametrize("raw", [b"", bytes(RAW_BYTES_MAX + 1)])
def test_signature_without_fit_bytes_is_refused(
    connection: sqlite3.Connection, slot: Slot, raw: bytes
) -> None:
    """As for what is observed."""
    number = lease(connection, slot.id, "replace", NOW)
    with pytest.raises(JournalError, match="bytes is none of"):
        signed(connection, number, BUMPED, raw, at=NOW, number=None)


def test_signature_for_a_slot_that_closed_meanwhile_is_refused(
    connection: sqlite3.Connection, slot: Slot
) -> None:
    """It took too long: the nonce is used."""
    number = lease(connection, slot.id, "replace", NOW)
    close_slot(connection, closing(slot.id), None)
    with pytest.raises(SlotClosedError):
        sign(connection, number)


def test_signature_of_what_was_seen_before_adds_its_bytes(
    connection: sqlite3.Connection, slot: Slot
) -> None:
    """The signer sent it by itself, and a pool was faster: one attempt, whole, and it is paid."""
    observe(connection, bare(7, hash=BUMPED.hash), NOW)
    after = sign(connection, lease(connection, slot.id, "replace", NOW))
    assert after.attempts[1:] == (Attempt(BUMPED.hash, "observed", NOW, BUMPED, has_raw=True),)
    assert read_spent(connection, NETWORK, SENDER, DAY) == COST
    assert lease(connection, slot.id, "replace", NOW)


def test_signature_takes_its_arrival_away(connection: sqlite3.Connection, slot: Slot) -> None:
    """A signer behind the tap: what is filed is no arrival."""
    arrive(connection, raw_of(BUMPED), BUMPED.hash, "tap", NOW)
    sign(connection, lease(connection, slot.id, "replace", NOW))
    assert read_arrivals(connection) == ()


# -- intents -------------------------------------------------------------------------------------


def test_intent_is_open_until_it_is_concluded(connection: sqlite3.Connection, slot: Slot) -> None:
    """With the bytes to be sent again, oldest first; each is concluded once."""
    (attempt,) = slot.attempts
    first = intend(connection, attempt.hash, "ref-a", Act.REBROADCAST, NOW)
    second = intend(connection, attempt.hash, "ref-b", Act.REBROADCAST, NOW)
    raw = raw_of(transaction(7))
    assert read_intents(connection) == (
        Intent(first, slot.id, attempt.hash, raw, "ref-a", "rebroadcast", NOW, SENDER, 7),
        Intent(second, slot.id, attempt.hash, raw, "ref-b", "rebroadcast", NOW, SENDER, 7),
    )
    conclude(connection, first, "known", "already known" + "!" * 999, NOW + 1)
    assert [intent.id for intent in read_intents(connection)] == [second]
    with pytest.raises(JournalError, match=f"there is no open action {first}"):
        conclude(connection, first, "accepted", "", NOW + 2)
    kept = connection.execute(
        "SELECT done_at, reaction, length(message) FROM action WHERE id = ?", (first,)
    ).fetchone()
    assert kept == (NOW + 1, "known", 500)


def test_intent_that_was_never_made_is_not_concluded(connection: sqlite3.Connection) -> None:
    """A number that is none."""
    with pytest.raises(JournalError, match="there is no open action 5"):
        conclude(connection, 5, "accepted", "", NOW)


def test_intent_of_a_slot_that_closed_is_still_concluded(
    connection: sqlite3.Connection, slot: Slot
) -> None:
    """The answer came after the end: it is written down all the same."""
    number = intend(connection, slot.attempts[0].hash, "ref", "rebroadcast", NOW)
    close_slot(connection, closing(slot.id), None)
    assert [intent.id for intent in read_intents(connection)] == [number]
    conclude(connection, number, "nonce_low", "nonce too low", NOW)
    assert read_intents(connection) == ()


@pytest.mark.parametrize("seen", [bare(8), None])
def test_intent_without_bytes_is_refused(connection: sqlite3.Connection, seen: object) -> None:
    """Nothing is sent that could not be sent again byte for byte; nor what only arrived."""
    if seen is not None:
        observe(connection, bare(8), NOW)
    else:
        arrive(connection, b"\x02", bare(8).hash, "tap", NOW)
    with pytest.raises(JournalError, match="the journal has no bytes of"):
        intend(connection, bare(8).hash, "ref", "rebroadcast", NOW)


def test_bytes_are_those_of_the_attempt_or_of_the_arrival(connection: sqlite3.Connection) -> None:
    """And none of what was never seen whole."""
    arrive(connection, b"\x02arrived", hash_of("arrived"), "tap", NOW)
    observe(connection, bare(8), NOW)
    assert read_raw(connection, hash_of("arrived")) == b"\x02arrived"
    assert read_raw(connection, bare(8).hash) is None
    arrive(connection, b"\x02both", bare(8).hash, "tap", NOW)
    assert read_raw(connection, bare(8).hash) == b"\x02both"
    assert read_raw(connection, hash_of("never")) is None


# -- the past ------------------------------------------------------------------------------------


def test_past_counts_all_endpoints_of_a_send_once(
    connection: sqlite3.Connection, slot: Slot
) -> None:
    """By the endpoint that was sent most, whatever times the sends of one rebroadcast have."""
    (attempt,) = slot.attempts
    hour_ago = NOW - 3600
    for node, act, at in (
        ("ref-a", "rebroadcast", hour_ago - 10),
        ("ref-a", "rebroadcast", hour_ago),
        ("ref-a", "rebroadcast", NOW - 20),
        ("ref-b", "rebroadcast", NOW - 19.5),
        ("main", "resend", NOW - 500),
        ("main", "resend", NOW - 10),
        ("hook", "propose", NOW - 1),
    ):
        intend(connection, attempt.hash, node, act, at)
    assert read_past(connection, slot.id, NOW, DAY) == Past(
        last_sent_at=NOW - 10, rebroadcasts=3, sent_last_hour=3
    )


def test_past_of_another_slot_is_not_counted(connection: sqlite3.Connection, slot: Slot) -> None:
    """Sends and signatures are of their slot; what was spent is of the account."""
    other = observe(connection, sighting(8), NOW)
    intend(connection, slot.attempts[0].hash, "ref", "rebroadcast", NOW)
    sign(connection, lease(connection, slot.id, "replace", NOW))
    assert read_past(connection, other.id, NOW, DAY) == Past(spent_today_wei=COST)


@pytest.mark.parametrize(
    ("kinds", "bumps"),
    [
        ([], 0),
        (["replace"], 1),
        (["replace", "cancel"], 2),
        (["fill"], 0),
        (["fill", "fill", "cancel"], 2),
    ],
)
def test_past_counts_bumps(
    connection: sqlite3.Connection, kinds: list[AttemptKind], bumps: int
) -> None:
    """Replacements, cancellations, and fillers but the first, which replaces nothing."""
    slot = fill_slot(connection, place(7), NOW)
    for number, kind in enumerate(kinds):
        of = transaction(7, tip_cap_wei=number)
        sign(connection, lease(connection, slot.id, kind, NOW), of, number=100 + number)
    past = read_past(connection, slot.id, NOW, DAY)
    assert past.bumps == bumps
    assert past.last_bump_number == (99 + len(kinds) if kinds else None)


@pytest.mark.parametrize(
    ("told", "beat", "number"), [(100, 90, 100), (None, 90, 90), (None, None, None)]
)
def test_past_knows_the_height_of_the_last_bump(
    connection: sqlite3.Connection,
    slot: Slot,
    told: int | None,
    beat: int | None,
    number: int | None,
) -> None:
    """As told with the signature, else that of the network's last beat, else none."""
    store.beat(connection, "other", 1, NOW)
    if beat is not None:
        store.beat(connection, NETWORK, beat, NOW)
    sign(connection, lease(connection, slot.id, "replace", NOW), number=told)
    assert read_past(connection, slot.id, NOW, DAY).last_bump_number == number


def test_past_of_no_slot_is_an_error(connection: sqlite3.Connection) -> None:
    """A number that was never given, or was retired."""
    with pytest.raises(JournalError, match="there is no slot 7"):
        read_past(connection, 7, NOW, DAY)


# -- what was spent ------------------------------------------------------------------------------


def test_spending_is_gas_at_its_cap_of_a_day_and_an_account(
    connection: sqlite3.Connection, slot: Slot
) -> None:
    """Without the value, with blobs, and beyond 64 bits; what was observed costs us nothing."""
    assert read_spent(connection, NETWORK, SENDER, DAY) == 0
    sign(connection, lease(connection, slot.id, "replace", NOW))
    dear = transaction(7, tip_cap_wei=3, fee_cap_wei=10**18, blob_count=2, blob_fee_cap_wei=10**15)
    sign(connection, lease(connection, slot.id, "replace", NOW), dear)
    wanted = COST + 21_000 * 10**18 + 2 * 131_072 * 10**15
    assert wanted > 2**64
    assert read_spent(connection, NETWORK, SENDER, DAY) == wanted
    assert read_spent(connection, NETWORK, OTHER, DAY) == 0
    assert read_spent(connection, "other", SENDER, DAY) == 0
    assert read_spent(connection, NETWORK, SENDER, "2026-11-19") == 0


@pytest.mark.parametrize(("budget_wei", "is_enough"), [(2 * COST, True), (2 * COST - 1, False)])
def test_reservation_fits_beside_what_is_signed_and_being_signed(
    connection: sqlite3.Connection, slot: Slot, budget_wei: int, *, is_enough: bool
) -> None:
    """To the wei; what is refused has no lease, and what is signed counts once."""
    other = observe(connection, sighting(8), NOW)
    asked = Reservation(COST, budget_wei)
    first = lease(connection, slot.id, "replace", NOW, asked)
    assert read_spent(connection, NETWORK, SENDER, DAY) == COST
    for is_signed in (False, True):
        if is_signed:
            sign(connection, first)
            assert read_spent(connection, NETWORK, SENDER, DAY) == COST
        if is_enough:
            release(connection, lease(connection, other.id, "replace", NOW, asked), NOW)
            continue
        with pytest.raises(OverBudgetError, match=f"{COST} wei would be needed, {COST - 1} wei"):
            lease(connection, other.id, "replace", NOW, asked)
        found = connection.execute("SELECT count(*) FROM lease WHERE slot = ?", (other.id,))
        assert found.fetchone() == (0,)


def test_reservation_ends_with_its_lease(connection: sqlite3.Connection, slot: Slot) -> None:
    """Given back, taken over and closed: none of it counts any more."""
    asked = Reservation(COST, COST)
    release(connection, lease(connection, slot.id, "replace", NOW, asked), NOW)
    assert read_spent(connection, NETWORK, SENDER, DAY) == 0
    lease(connection, slot.id, "replace", NOW, asked)
    lease(connection, slot.id, "replace", NOW + LEASE_SECONDS, asked)
    assert read_spent(connection, NETWORK, SENDER, DAY) == COST
    close_slot(connection, closing(slot.id), None)
    assert read_spent(connection, NETWORK, SENDER, DAY) == 0


def test_reservation_holds_over_midnight_and_for_its_account_alone(
    connection: sqlite3.Connection, slot: Slot
) -> None:
    """It may be written down on the next day, and counts there until that is known."""
    lease(connection, slot.id, "replace", NOW, Reservation(COST, COST))
    assert read_spent(connection, NETWORK, SENDER, "2026-11-19") == COST
    assert read_spent(connection, NETWORK, OTHER, DAY) == 0
    assert read_spent(connection, "other", SENDER, DAY) == 0


def test_spending_of_a_day_outlives_its_slot(connection: sqlite3.Connection, slot: Slot) -> None:
    """Retention must not refill a budget."""
    sign(connection, lease(connection, slot.id, "replace", NOW))
    close_slot(connection, closing(slot.id), BUMPED.hash)
    assert store.retire_slots(connection, NOW + 999) == 1
    assert read_spent(connection, NETWORK, SENDER, DAY) == COST


def test_spending_of_days_gone_by_is_forgotten(connection: sqlite3.Connection, slot: Slot) -> None:
    """Days before the one of the time; that day itself is kept."""
    day_seconds = 86_400
    sign(connection, lease(connection, slot.id, "replace", NOW))
    retire_spending(connection, NOW)
    assert read_spent(connection, NETWORK, SENDER, DAY) == COST
    retire_spending(connection, NOW + day_seconds)
    assert read_spent(connection, NETWORK, SENDER, DAY) == 0


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (NOW, DAY),
        (1_795_046_399.9, "2026-11-18"),
        (1_795_046_400.0, "2026-11-19"),
        (0, "1970-01-01"),
    ],
)
def test_day_is_that_of_universal_time(at: float, day: str) -> None:
    """Midnight begins the next."""
    assert day_of(at) == day
