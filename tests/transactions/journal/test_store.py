"""Slots: made by a sighting, judged, closed once, and deleted only after that."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace

import pytest

from monitor.evidence import read
from monitor.model import Evidence, Level
from monitor.transactions.journal import JournalError, Note, SlotClosedError, arrivals, store
from monitor.transactions.journal.arrivals import arrive, read_arrivals
from monitor.transactions.journal.record import Sighting
from monitor.transactions.journal.rows import read_slot, read_slots
from monitor.transactions.journal.schema import RAW_BYTES_MAX
from monitor.transactions.journal.sends import intend, lease, read_raw, release
from monitor.transactions.journal.store import (
    OBSERVATIONS_MAX,
    SLOTS_A_PORTION,
    close_slot,
    enter,
    fill_slot,
    name_account,
    note,
    observe,
    require_open,
    retire_slots,
)
from monitor.transactions.words import TERMINAL, Attempt, Slot, State
from tests.transactions.journal.samples import (
    BLOCK,
    CHAIN,
    NETWORK,
    NOW,
    OTHER,
    SENDER,
    bare,
    change,
    closing,
    hash_of,
    place,
    raw_of,
    sighting,
    transaction,
)


def count(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608


def stages(connection: sqlite3.Connection, slot: Slot) -> list[tuple[str | None, str, str]]:
    return connection.execute(
        "SELECT before, state, summary FROM state_history WHERE slot = ? ORDER BY id", (slot.id,)
    ).fetchall()


# -- sightings -----------------------------------------------------------------------------------


def test_sighting_makes_slot_attempt_and_the_first_stage(connection: sqlite3.Connection) -> None:
    """All that was seen, and from whom."""
    slot = observe(connection, sighting(7), NOW)
    of = transaction(7)
    assert slot == Slot(
        id=1,
        chain_id=CHAIN,
        sender=SENDER,
        nonce=7,
        attempts=(Attempt(of.hash, "observed", NOW, of, has_raw=True),),
        state=State.PENDING,
        since=NOW,
        first_seen_at=NOW,
        first_seen_number=100,
    )
    assert stages(connection, slot) == [(None, "pending", "first seen: main")]
    assert read_raw(connection, of.hash) == raw_of(of)


@pytest.mark.parametrize("see", [bare, sighting])
def test_sighting_of_what_is_known_changes_nothing(
    connection: sqlite3.Connection, see: Callable[..., Sighting]
) -> None:
    """Later, from elsewhere, with less or with as much: the first sight stands."""
    slot = observe(connection, sighting(7), NOW)
    changes = connection.total_changes
    again = observe(connection, see(7, source="ref", number=500), NOW + 60)
    assert again == slot
    assert connection.total_changes == changes


def test_sighting_adds_what_was_missing(connection: sqlite3.Connection) -> None:
    """First a hash and a nonce, then the bytes, then what they say; each at its first chance."""
    of = transaction(7)
    slot = observe(connection, bare(7), NOW)
    assert slot.attempts == (Attempt(of.hash, "observed", NOW, None, has_raw=False),)
    assert not slot.has_raw
    slot = observe(connection, sighting(7, transaction=None), NOW + 1)
    assert slot.attempts == (Attempt(of.hash, "observed", NOW, None, has_raw=True),)
    slot = observe(connection, sighting(7, raw=b"\x02 other bytes"), NOW + 2)
    assert slot.attempts == (Attempt(of.hash, "observed", NOW, of, has_raw=True),)
    assert read_raw(connection, of.hash) == raw_of(of)


def test_sighting_of_another_hash_is_another_attempt(connection: sqlite3.Connection) -> None:
    """A replacement, or a conflict: one slot, both attempts, the older first."""
    observe(connection, sighting(7), NOW)
    slot = observe(connection, sighting(7, tip_cap_wei=2), NOW + 5)
    hashes = [attempt.hash for attempt in slot.attempts]
    assert hashes == [transaction(7).hash, transaction(7, tip_cap_wei=2).hash]
    assert (slot.first_seen_at, count(connection, "slot")) == (NOW, 1)


def test_sighting_takes_the_arrival_over(connection: sqlite3.Connection) -> None:
    """Its bytes and its earlier time; the arrival is gone with the same statement."""
    of = transaction(7)
    arrive(connection, raw_of(of), of.hash, "tap", NOW - 9)
    slot = observe(connection, bare(7), NOW)
    assert slot.attempts == (Attempt(of.hash, "observed", NOW - 9, None, has_raw=True),)
    assert (slot.first_seen_at, slot.since) == (NOW - 9, NOW)
    assert stages(connection, slot) == [(None, "pending", "first seen: tap")]
    assert read_raw(connection, of.hash) == raw_of(of)
    assert read_arrivals(connection) == ()
    assert connection.execute("SELECT source FROM attempt").fetchall() == [("tap",)]


def test_arrival_that_is_younger_does_not_make_the_sight_later(
    connection: sqlite3.Connection,
) -> None:
    """A clock that was set back between the two."""
    arrive(connection, b"\x02", sighting(7).hash, "tap", NOW + 9)
    assert observe(connection, sighting(7), NOW).first_seen_at == NOW


def test_arrival_that_was_dismissed_leaves_its_bytes_too(connection: sqlite3.Connection) -> None:
    """What is seen in a pool after all is sent again when it must be."""
    of = transaction(7)
    arrive(connection, raw_of(of), of.hash, "tap", NOW)
    arrivals.dismiss(connection, of.hash, "refused as invalid", NOW)
    assert observe(connection, bare(7), NOW).has_raw


def test_arrival_completes_an_attempt_without_bytes(connection: sqlite3.Connection) -> None:
    """Seen in a pool first, and in the tap later."""
    of = transaction(7)
    observe(connection, bare(7), NOW)
    arrive(connection, raw_of(of), of.hash, "tap", NOW + 1)
    slot = observe(connection, sighting(7, raw=None), NOW + 2)
    assert slot.attempts == (Attempt(of.hash, "observed", NOW, of, has_raw=True),)
    assert read_arrivals(connection) == ()


def test_sighting_for_a_closed_slot_adds_its_attempt_and_no_more(
    connection: sqlite3.Connection,
) -> None:
    """The closed slot is answered as it is, with one more hash that is known."""
    slot = observe(connection, sighting(7), NOW)
    close_slot(connection, closing(slot.id), sighting(7).hash)
    before = read_slot(connection, slot.id)
    after = observe(connection, sighting(7, tip_cap_wei=2, network="renamed"), NOW + 99)
    assert after == replace(before, attempts=after.attempts)
    assert len(after.attempts) == 2


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (sighting(7, kind="replace"), "kind replace is made under a lease"),
        (
            sighting(8, transaction=transaction(7), hash=transaction(7).hash),
            "has nonce 7, and 8 was told",
        ),
        (sighting(7, sender=OTHER), f"has sender {SENDER}, and {OTHER} was told"),
        (sighting(7, chain_id=5), "has chain 1, and 5 was told"),
        (sighting(7, hash=hash_of("x")), "has hash .*, and .* was told"),
        (sighting(7, raw=b""), "0 bytes is none of"),
        (sighting(7, raw=bytes(RAW_BYTES_MAX + 1)), "2097153 bytes is none of"),
    ],
)
def test_sighting_that_contradicts_itself_is_refused(
    connection: sqlite3.Connection, seen: Sighting, words: str
) -> None:
    """Nothing of it is written."""
    with pytest.raises(JournalError, match=words):
        observe(connection, seen, NOW)
    assert (count(connection, "slot"), count(connection, "attempt")) == (0, 0)


def test_hash_is_of_one_slot_only(connection: sqlite3.Connection) -> None:
    """Who says that it has another nonce is not believed."""
    slot = observe(connection, sighting(7), NOW)
    connection.execute("SAVEPOINT job")
    with pytest.raises(JournalError, match=f"is an attempt of slot {slot.id}, and cannot be one"):
        observe(connection, bare(8, hash=sighting(7).hash), NOW)


def test_transaction_without_replay_protection_is_of_any_chain(
    connection: sqlite3.Connection,
) -> None:
    """A legacy transaction that names no chain (before EIP-155) is of the chain it was seen on."""
    of = transaction(7, chain_id=None, type=0)
    slot = observe(connection, sighting(7, transaction=of, chain_id=5), NOW)
    assert slot.chain_id == 5
    assert slot.attempts[0].transaction == of


# -- orders and names ----------------------------------------------------------------------------


def test_slot_to_be_filled_has_no_attempt_and_is_a_gap(connection: sqlite3.Connection) -> None:
    """Ordered twice, it is one."""
    slot = fill_slot(connection, place(7), NOW)
    assert (slot.attempts, slot.state, slot.since, slot.newest) == ((), State.GAP, NOW, None)
    assert fill_slot(connection, place(7), NOW + 5) == slot
    assert stages(connection, slot) == [(None, "gap", "to be filled, by order")]


def test_slot_that_is_there_is_filled_only_while_it_is_open(connection: sqlite3.Connection) -> None:
    """The one that is open is answered as it is; a closed one is refused."""
    slot = observe(connection, sighting(7), NOW)
    assert fill_slot(connection, place(7), NOW + 5) == slot
    close_slot(connection, closing(slot.id), None)
    with pytest.raises(SlotClosedError):
        fill_slot(connection, place(7), NOW + 9)


def test_account_that_is_renamed_keeps_its_live_slots(connection: sqlite3.Connection) -> None:
    """Under the names that the configuration has now; what is closed keeps its own."""
    first, second = (observe(connection, sighting(nonce), NOW) for nonce in (7, 8))
    close_slot(connection, closing(first.id), None)
    other = transaction(7, sender=OTHER, hash=hash_of("other"))
    observe(connection, sighting(7, sender=OTHER, hash=other.hash, transaction=other), NOW)
    assert name_account(connection, "main", "new", CHAIN, SENDER) == 1
    assert name_account(connection, "main", "new", CHAIN, SENDER) == 0
    assert name_account(connection, "main", "new", 99, OTHER) == 0
    (named,) = read_slots(connection, "network = 'main' AND alias = 'new'", ())
    assert named == second
    assert len(read_slots(connection, "network = ?", (NETWORK,))) == 2


# -- states --------------------------------------------------------------------------------------


def test_slot_enters_a_state_and_its_history_grows(connection: sqlite3.Connection) -> None:
    """The row, the level, the sentence and the evidence are kept, and the block."""
    slot = observe(connection, sighting(7), NOW)
    evidence = (Evidence("ref", "eth_getTransactionReceipt", "status 1", NOW),)
    mined = change(
        slot.id,
        State.MINED,
        row="2",
        level=Level.OK,
        summary="in block 101",
        evidence=evidence,
        mined_number=101,
        mined_hash=BLOCK,
    )
    enter(connection, [change(slot.id), mined])
    now = read_slot(connection, slot.id)
    assert now == replace(
        slot, state=State.MINED, since=NOW + 60, mined_number=101, mined_hash=BLOCK
    )
    assert [stage[:2] for stage in stages(connection, slot)] == [
        (None, "pending"),
        ("pending", "dropped"),
        ("dropped", "mined"),
    ]
    *kept, text = connection.execute(
        "SELECT at, row, level, summary, mined_number, mined_hash, evidence FROM state_history"
        " ORDER BY id DESC LIMIT 1"
    ).fetchone()
    assert kept == [NOW + 60, "2", "ok", "in block 101", 101, BLOCK]
    assert read(text) == evidence


def test_slot_that_stays_in_its_state_keeps_the_time_of_its_entry(
    connection: sqlite3.Connection,
) -> None:
    """Another block, the same state: since when it is mined does not change."""
    slot = observe(connection, sighting(7), NOW)
    for later in (60, 90):
        at = NOW + later
        mined = change(slot.id, State.MINED, at=at, mined_number=later, mined_hash=hash_of(later))
        enter(connection, [mined])
    now = read_slot(connection, slot.id)
    assert (now.since, now.mined_number, now.mined_hash) == (NOW + 60, 90, hash_of(90))
    assert len(stages(connection, slot)) == 3


def mined_at(connection: sqlite3.Connection, slot: Slot) -> float | None:
    (found,) = connection.execute("SELECT mined_at FROM slot WHERE id = ?", (slot.id,)).fetchone()
    return None if found is None else float(found)


def test_slot_is_mined_since_it_was_first_seen_in_a_block(connection: sqlite3.Connection) -> None:
    """Until it is in none; then anew. Closing keeps the time."""
    slot = observe(connection, sighting(7), NOW)
    assert mined_at(connection, slot) is None
    for at, number, since in (
        (NOW + 1, 5, NOW + 1),
        (NOW + 2, 6, NOW + 1),
        (NOW + 3, None, None),
        (NOW + 4, 7, NOW + 4),
    ):
        state = State.REORGED_OUT if number is None else State.MINED
        enter(connection, [change(slot.id, state, at=at, mined_number=number)])
        assert mined_at(connection, slot) == since
    close_slot(connection, closing(slot.id, at=NOW + 5), None)
    assert mined_at(connection, slot) == NOW + 4


def test_slot_that_was_never_seen_mined_is_so_when_it_closes(
    connection: sqlite3.Connection,
) -> None:
    """After a long stop of the sidecar, say."""
    slot = observe(connection, sighting(7), NOW)
    close_slot(connection, closing(slot.id, at=NOW + 5), None)
    assert mined_at(connection, slot) == NOW + 5


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_slot_enters_no_closing_state_without_being_closed(
    connection: sqlite3.Connection, state: State
) -> None:
    """What ends a slot is said with what took its nonce."""
    slot = observe(connection, sighting(7), NOW)
    with pytest.raises(JournalError, match=f"{state} is entered by closing slot 1"):
        enter(connection, [change(slot.id, state)])


@pytest.mark.parametrize("state", sorted(set(State) - TERMINAL))
def test_slot_is_closed_by_no_other_state(connection: sqlite3.Connection, state: State) -> None:
    """Nothing that may still change ends it."""
    slot = observe(connection, sighting(7), NOW)
    with pytest.raises(JournalError, match=f"{state} does not close slot 1"):
        close_slot(connection, closing(slot.id, state), None)


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_slot_closes_with_what_took_its_nonce(connection: sqlite3.Connection, state: State) -> None:
    """The consumer, its block, the time and the sentence; open leases end with it."""
    slot = observe(connection, sighting(7), NOW)
    lease(connection, slot.id, "replace", NOW)
    close_slot(connection, closing(slot.id, state), hash_of("consumer"))
    assert read_slot(connection, slot.id) == replace(
        slot,
        state=state,
        since=NOW + 60,
        closed_at=NOW + 60,
        mined_number=101,
        mined_hash=BLOCK,
    )
    found = connection.execute("SELECT consumer_hash FROM slot").fetchone()
    assert found == (hash_of("consumer"),)
    assert stages(connection, slot)[-1] == ("pending", state, "final")
    assert connection.execute("SELECT ended_at FROM lease").fetchone() == (NOW + 60,)


def test_slot_that_closes_ends_no_lease_but_its_own(connection: sqlite3.Connection) -> None:
    """Of other slots none, and of its own none that was over."""
    slot, other = (observe(connection, sighting(nonce), NOW) for nonce in (7, 8))
    release(connection, lease(connection, slot.id, "replace", NOW), NOW + 1)
    lease(connection, slot.id, "replace", NOW + 2)
    lease(connection, other.id, "replace", NOW + 3)
    close_slot(connection, closing(slot.id), None)
    ended = connection.execute("SELECT ended_at FROM lease ORDER BY id").fetchall()
    assert ended == [(NOW + 1,), (NOW + 60,), (None,)]


CLOSED: dict[str, Callable[[sqlite3.Connection, int], object]] = {
    "closed": lambda connection, slot: close_slot(connection, closing(slot), None),
    "judged": lambda connection, slot: enter(connection, [change(slot)]),
    "leased": lambda connection, slot: lease(connection, slot, "cancel", NOW),
    "asked for": require_open,
    "sent": lambda connection, slot: intend(
        connection, sighting(7).hash, "ref", "rebroadcast", NOW
    ),
}


@pytest.mark.parametrize("name", CLOSED)
def test_slot_that_is_closed_stays_as_it_is(connection: sqlite3.Connection, name: str) -> None:
    """Once: then it is neither closed, judged, signed for nor sent."""
    slot = observe(connection, sighting(7), NOW)
    close_slot(connection, closing(slot.id), None)
    before = read_slot(connection, slot.id)
    with pytest.raises(SlotClosedError, match=r"slot 1 is closed \(final_ok\)"):
        CLOSED[name](connection, slot.id)
    assert read_slot(connection, slot.id) == before
    assert len(stages(connection, slot)) == 2


@pytest.mark.parametrize("name", [name for name in CLOSED if name != "sent"])
def test_slot_that_there_is_not_is_no_closed_one(connection: sqlite3.Connection, name: str) -> None:
    """Another error: a number that was never given, or that was retired."""
    with pytest.raises(JournalError, match="there is no slot 7") as caught:
        CLOSED[name](connection, 7)
    assert not isinstance(caught.value, SlotClosedError)


# -- observations --------------------------------------------------------------------------------


def notes(slot: int, numbers: range) -> list[Note]:
    return [Note(slot, "main", "pending", number, NOW + number) for number in numbers]


def test_observations_keep_the_first_and_the_newest(connection: sqlite3.Connection) -> None:
    """200 of each slot besides the first, however many come at once; others keep theirs."""
    first, second = (observe(connection, sighting(nonce), NOW) for nonce in (7, 8))
    note(connection, [*notes(first.id, range(150)), *notes(second.id, range(3))])
    note(connection, notes(first.id, range(150, 500)))
    kept = connection.execute(
        "SELECT number FROM observation WHERE slot = ? ORDER BY id", (first.id,)
    ).fetchall()
    assert kept == [(0,), *((number,) for number in range(300, 500))]
    assert len(kept) == OBSERVATIONS_MAX + 1
    note(connection, notes(first.id, range(500, 501)))
    assert count(connection, "observation") == OBSERVATIONS_MAX + 1 + 3


@pytest.mark.parametrize("before", [OBSERVATIONS_MAX, OBSERVATIONS_MAX + 1])
def test_observations_up_to_the_limit_are_all_kept(
    connection: sqlite3.Connection, before: int
) -> None:
    """Nothing is dropped before it must be."""
    slot = observe(connection, sighting(7), NOW)
    note(connection, notes(slot.id, range(before)))
    assert count(connection, "observation") == before


def test_observation_is_cut_and_may_have_no_height(connection: sqlite3.Connection) -> None:
    """A node may say as much as it likes, or not where it stands."""
    slot = observe(connection, sighting(7), NOW)
    note(connection, [Note(slot.id, "m" * 999, "x" * 999, None, NOW)])
    node, said, number = connection.execute("SELECT node, said, number FROM observation").fetchone()
    assert (len(node), len(said), number) == (100, 500, None)


# -- retention -----------------------------------------------------------------------------------


def test_beat_is_the_newest_of_its_network(connection: sqlite3.Connection) -> None:
    """One row for each network."""
    for network, number in (("a", 1), ("b", 5), ("a", 2)):
        store.beat(connection, network, number, NOW + number)
    found = connection.execute("SELECT * FROM beat ORDER BY network").fetchall()
    assert found == [("a", 2, NOW + 2), ("b", 5, NOW + 5)]


def test_closed_slots_are_retired_in_portions_and_live_ones_never(
    connection: sqlite3.Connection,
) -> None:
    """What was closed before a time, the oldest first, with all that is theirs."""
    slots = [observe(connection, sighting(nonce), NOW) for nonce in range(SLOTS_A_PORTION + 30)]
    for number, slot in enumerate(slots[:-10]):
        close_slot(connection, closing(slot.id, at=NOW + number), None)
    edge = NOW + SLOTS_A_PORTION + 5
    counts = [retire_slots(connection, edge) for _ in range(3)]
    assert counts == [SLOTS_A_PORTION, 5, 0]
    left = [slot.nonce for slot in read_slots(connection, "1", ())]
    assert left == list(range(SLOTS_A_PORTION + 5, SLOTS_A_PORTION + 30))
    assert count(connection, "attempt") == len(left)
    assert connection.execute("SELECT count(DISTINCT slot) FROM state_history").fetchone() == (
        len(left),
    )
