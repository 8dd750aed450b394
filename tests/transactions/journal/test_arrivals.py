"""What comes through the tap: kept before it leaves, and what its sender was told."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest

from monitor.transactions.journal import JournalError, arrivals
from monitor.transactions.journal.arrivals import (
    answered,
    arrive,
    dismiss,
    read_arrivals,
    read_news,
    retire_arrivals,
    take,
)
from monitor.transactions.journal.record import Arrival, Outcome
from monitor.transactions.journal.schema import RAW_BYTES_MAX
from monitor.transactions.journal.store import observe
from tests.transactions.journal.samples import NOW, bare, hash_of, raw_of, sighting, transaction

FIRST = transaction(7)
RAW = raw_of(FIRST)


def come(connection: sqlite3.Connection, at: float = NOW) -> None:
    arrive(connection, RAW, FIRST.hash, "tap", at)


def only(connection: sqlite3.Connection) -> Arrival:
    (arrival,) = read_arrivals(connection)
    return arrival


def test_arrival_is_kept_once_with_its_first_time(connection: sqlite3.Connection) -> None:
    """However often it comes."""
    come(connection)
    come(connection, NOW + 5)
    assert read_arrivals(connection) == (Arrival(FIRST.hash, RAW, NOW, "tap", None, ""),)


@pytest.mark.parametrize(
    ("deliveries", "answers", "outcome"),
    [
        (1, [], None),
        (1, ["refused"], "refused"),
        (1, ["unanswered"], "unanswered"),
        # Sent again after an error, it may have been accepted until something else is known.
        (2, ["refused"], None),
        (2, ["unanswered"], None),
        (2, ["refused", "refused"], "refused"),
        (2, ["refused", "unanswered"], "unanswered"),
        (2, ["unanswered", "refused"], "unanswered"),
        # An answer too many speaks for nothing: one delivery has one answer.
        (1, ["refused", "unanswered"], "refused"),
        (1, ["unanswered", "refused"], "unanswered"),
    ],
)
def test_arrival_is_refused_only_when_every_delivery_was(
    connection: sqlite3.Connection,
    deliveries: int,
    answers: list[Outcome],
    outcome: Outcome | None,
) -> None:
    """What was accepted once, or may have been, counts as sent for ever."""
    for _ in range(deliveries):
        come(connection)
    for answer in answers:
        answered(connection, FIRST.hash, answer, "nonce too low", NOW)
    assert only(connection).outcome == outcome
    assert only(connection).message == ("nonce too low" if answers else "")


def test_answer_too_many_does_not_speak_for_the_next_delivery(
    connection: sqlite3.Connection,
) -> None:
    """It is forgotten at once."""
    come(connection)
    outcomes: list[Outcome] = ["unanswered", "refused", "unanswered", "refused"]
    for outcome in outcomes:
        answered(connection, FIRST.hash, outcome, "", NOW)
    come(connection)
    assert only(connection).outcome is None


def test_answer_is_cut(connection: sqlite3.Connection) -> None:
    """A node may say as much as it likes."""
    come(connection)
    answered(connection, FIRST.hash, "refused", "x" * 10_000, NOW)
    assert len(only(connection).message) == 500


def test_answer_of_a_kind_that_there_is_not_is_refused(connection: sqlite3.Connection) -> None:
    """And nothing of it reaches a statement."""
    come(connection)
    with pytest.raises(JournalError, match="deliveries is no outcome"):
        answered(connection, FIRST.hash, "deliveries", "", NOW)  # type: ignore[arg-type]
    assert only(connection).outcome is None


@pytest.mark.parametrize("name", ["answered", "dismiss"])
def test_word_on_what_never_came_is_refused(connection: sqlite3.Connection, name: str) -> None:
    """A mistake of whoever calls, and said so; of what was filed meanwhile it is none."""

    def call() -> None:
        if name == "answered":
            answered(connection, FIRST.hash, "refused", "", NOW)
        else:
            dismiss(connection, FIRST.hash, "", NOW)

    with pytest.raises(JournalError, match=f"{FIRST.hash} has not come"):
        call()
    observe(connection, sighting(7), NOW)
    call()
    assert read_arrivals(connection) == ()


def test_arrival_that_is_dismissed_is_not_asked_about_again(
    connection: sqlite3.Connection,
) -> None:
    """Until it comes once more, which makes it open again."""
    come(connection)
    dismiss(connection, FIRST.hash, "nobody's", NOW)
    assert read_arrivals(connection) == ()
    come(connection)
    assert only(connection).hash == FIRST.hash


def test_arrival_of_an_attempt_with_bytes_is_nothing_new(connection: sqlite3.Connection) -> None:
    """Its bytes are in the journal; without them it is kept, so that they can be added."""
    observe(connection, sighting(7), NOW)
    come(connection)
    assert read_arrivals(connection) == ()
    observe(connection, bare(8), NOW)
    arrive(connection, RAW, bare(8).hash, "tap", NOW)
    assert only(connection).hash == bare(8).hash


def test_arrival_is_taken_once_dismissed_or_not(connection: sqlite3.Connection) -> None:
    """Its bytes, its time and its source go to the attempt."""
    come(connection)
    dismiss(connection, FIRST.hash, "refused everywhere", NOW)
    taken = take(connection, FIRST.hash)
    assert taken == arrivals.Taken(RAW, NOW, "tap")
    assert take(connection, FIRST.hash) is None


@pytest.mark.parametrize("size", [0, RAW_BYTES_MAX + 1])
def test_bytes_of_a_size_that_no_transaction_has_are_refused(
    connection: sqlite3.Connection, size: int
) -> None:
    """None, and more than nine blobs need: said with the number and the limit."""
    with pytest.raises(JournalError, match=f"{size} bytes is none of 1 to 2097152"):
        arrive(connection, bytes(size), FIRST.hash, "tap", NOW)


def test_bytes_of_the_largest_size_are_kept(connection: sqlite3.Connection) -> None:
    """The limit itself is within it."""
    arrive(connection, bytes(RAW_BYTES_MAX), FIRST.hash, "tap", NOW)
    assert len(only(connection).raw) == RAW_BYTES_MAX


def test_refused_arrivals_stand_behind_the_others(connection: sqlite3.Connection) -> None:
    """They may stay for long, and must keep no other from being seen."""
    for number in range(4):
        arrive(connection, RAW, hash_of(number), "tap", NOW + number)
    for number in (0, 2):
        answered(connection, hash_of(number), "refused", "", NOW)
    order = [arrival.hash for arrival in read_arrivals(connection)]
    assert order == [hash_of(number) for number in (1, 3, 0, 2)]


def test_news_are_what_was_not_refused(connection: sqlite3.Connection) -> None:
    """By age; what was refused comes back when it is sent again, what was dismissed as well."""
    for number in range(4):
        arrive(connection, RAW, hash_of(number), "tap", NOW - number)
    answered(connection, hash_of(0), "refused", "", NOW)
    answered(connection, hash_of(1), "unanswered", "", NOW)
    dismiss(connection, hash_of(2), "nobody's", NOW)
    assert [one.hash for one in read_news(connection)] == [hash_of(3), hash_of(1)]
    for number in (0, 2):
        arrive(connection, RAW, hash_of(number), "tap", NOW)
    assert [one.hash for one in read_news(connection)] == [hash_of(n) for n in (3, 2, 1, 0)]


def test_news_are_found_by_an_index_and_not_among_the_refused(
    connection: sqlite3.Connection,
) -> None:
    """They are read in every round, and the refused lie there for weeks."""
    plan = connection.execute(f"EXPLAIN QUERY PLAN {arrivals.NEWS}", (1,)).fetchall()
    assert [row[3] for row in plan] == ["SCAN arrival USING INDEX arrival_news"]


@pytest.mark.parametrize("read", [read_arrivals, read_news])
def test_arrivals_of_one_answer_are_bounded_in_bytes(
    connection: sqlite3.Connection, read: Callable[[sqlite3.Connection], tuple[Arrival, ...]]
) -> None:
    """64 MiB of them, however few they are."""
    for number in range(33):
        arrive(connection, bytes(RAW_BYTES_MAX), hash_of(number), "tap", NOW + number)
    assert len(read(connection)) == 32


def test_arrivals_of_one_answer_are_bounded_in_count(connection: sqlite3.Connection) -> None:
    """The oldest thousand, and the next when these are filed."""
    for number in range(arrivals.ARRIVALS_MAX + 5):
        arrive(connection, RAW, hash_of(number), "tap", NOW + number)
    found = read_arrivals(connection)
    assert len(found) == arrivals.ARRIVALS_MAX
    assert found[0].hash == hash_of(0)


def test_arrivals_that_are_over_are_retired_in_portions(connection: sqlite3.Connection) -> None:
    """Those that were dismissed, or refused at every delivery, before a time; never another."""
    for number in range(9):
        arrive(connection, RAW, hash_of(number), "tap", NOW)
    for number in range(4):
        dismiss(connection, hash_of(number), "", NOW + number)
    answered(connection, hash_of(4), "refused", "", NOW + 2)
    answered(connection, hash_of(5), "refused", "", NOW + 3)
    answered(connection, hash_of(6), "unanswered", "", NOW)
    answered(connection, hash_of(7), "refused", "", NOW)
    arrive(connection, RAW, hash_of(7), "tap", NOW)
    counts = [retire_arrivals(connection, NOW + 3, 3) for _ in range(3)]
    assert counts == [3, 1, 0]
    left = connection.execute("SELECT hash FROM arrival ORDER BY rowid").fetchall()
    assert left == [(hash_of(number),) for number in (3, 5, 6, 7, 8)]
