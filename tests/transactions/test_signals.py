"""One operator is one vote, and absence is made of answers that say so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from monitor.model import Unseen
from monitor.transactions.signals import (
    UNASKED,
    fold,
    fold_slot,
    in_a_row,
    named,
    presence_of,
    reached,
    standing,
    votes,
)
from monitor.transactions.words import PoolEntry, View
from tests.transactions.builders import (
    ETHER,
    TIMEOUT,
    TIP,
    attempt,
    empty_slot,
    hash_of,
    local,
    payment,
    receipt_of,
    references,
    round_of,
    slot_of,
    view,
)

OLD, NEW = hash_of("tx 7"), hash_of("dearer 7")
TWO = slot_of(attempt(), attempt(payment("dearer 7"), kind="replace"))


def nonces(*values: int | Unseen, operators: str = "abc") -> tuple[View, ...]:
    """Views that differ in the next nonce."""
    return tuple(
        view(f"net/{place}", {}, operator=operator, nonce=nonce)
        for place, (operator, nonce) in enumerate(zip(operators, values, strict=True))
    )


@pytest.mark.parametrize(
    ("views", "nonce"),
    [
        (nonces(7, 7, 7), 7),
        (nonces(7, 7, 9), 7),
        (nonces(7, 9, 9), 9),
        (nonces(7, 8, 9), 8),
        (nonces(0, 8, 9), 8),
        (nonces(7, 8, TIMEOUT), 7),
        (nonces(7, TIMEOUT, TIMEOUT), None),
        (nonces(7, 7, 9, operators="aab"), 7),
        (nonces(7, 8, 9, operators="aab"), None),
        (nonces(7, TIMEOUT, 9, operators="aab"), None),
        (nonces(9, 9, operators="aa"), None),
    ],
    ids=[
        "all agree",
        "one ahead",
        "one behind",
        "heads differ",
        "one far behind",
        "one unseen",
        "two unseen",
        "two endpoints of one operator",
        "an operator contradicts itself",
        "an operator saw half",
        "one operator",
    ],
)
def test_next_nonce_is_what_a_quorum_has_reached(
    views: tuple[View, ...], nonce: int | None
) -> None:
    """The highest that two of three operators have got to; it is theirs where they agree."""
    assert fold(round_of(*views)).nonce == nonce


def test_reached_is_what_is_named_where_a_majority_agrees() -> None:
    """The order statistic and the exact vote cannot differ."""
    cast = {"a": 7, "b": 7, "c": 9}
    assert named(cast, 2) == reached(cast, 2) == 7
    assert (named({"a": 7, "b": 8}, 2), reached({"a": 7, "b": 8}, 2)) == (None, 7)
    assert (named({}, 1), reached({}, 1)) == (None, None)


def test_vote_of_an_operator_is_what_all_its_endpoints_say() -> None:
    """A second endpoint adds no vote, and takes it away where it says otherwise."""
    views = nonces(7, 7, 8)
    of_one = {"a": views[:2], "b": views[1:]}
    assert votes(of_one, lambda each: each.nonce_latest) == {"a": 7}


@pytest.mark.parametrize(
    ("balances", "balance"),
    [
        ((ETHER, ETHER, 0), ETHER),
        ((ETHER, 0, 1), None),
        ((ETHER, ETHER, TIMEOUT), ETHER),
        ((0, TIMEOUT, TIMEOUT), None),
        ((0, None, None), None),
    ],
)
def test_balance_is_what_a_quorum_names(balances: tuple[Any, ...], balance: int | None) -> None:
    """Exactly: between two values there is no majority to have got to one."""
    views = tuple(view(f"net/{n}", {}, balance=b) for n, b in enumerate(balances))
    assert fold(round_of(*views)).balance_wei == balance


@pytest.mark.parametrize(
    ("has", "stands"),
    [
        ({OLD: "absent", NEW: "absent"}, "out"),
        ({OLD: "pending", NEW: "absent"}, "out"),
        ({OLD: "absent", NEW: TIMEOUT}, None),
        ({OLD: "absent", NEW: None}, None),
        ({OLD: "mined", NEW: TIMEOUT}, "mined"),
        ({OLD: "mined", NEW: "mined"}, None),
        ({OLD: receipt_of(), NEW: TIMEOUT}, receipt_of()),
        ({OLD: receipt_of(), NEW: receipt_of("dearer 7")}, None),
    ],
    ids=[
        "in no block",
        "pooled",
        "one unseen",
        "one not asked",
        "in a block by its hash",
        "both",
        "a receipt",
        "two receipts",
    ],
)
def test_view_has_a_slot_in_a_block_or_not_or_does_not_say(has: Any, stands: Any) -> None:
    """A yes needs one attempt, a no all of them, and two are no answer."""
    assert standing(view("net/a", has), TWO) == stands


@pytest.mark.parametrize(
    ("presence", "receipts", "stands"),
    [
        ({OLD: "mined"}, {OLD: None}, None),
        ({OLD: "mined"}, {}, "mined"),
        ({OLD: "absent"}, {}, "out"),
        ({OLD: TIMEOUT}, {}, None),
        ({OLD: TIMEOUT}, {OLD: None}, "out"),
        ({OLD: "absent"}, {OLD: TIMEOUT}, None),
        ({}, {OLD: None}, "out"),
        ({}, {}, None),
    ],
    ids=[
        "an index that is being written",
        "its receipt was not asked",
        "absent, and its receipt not asked",
        "unseen, and its receipt not asked",
        "unseen, and no receipt",
        "absent, and its receipt unseen",
        "no receipt, and not asked for itself",
        "not asked",
    ],
)
def test_receipt_is_asked_first_and_the_hash_where_it_was_not(
    presence: Any, receipts: Any, stands: str | None
) -> None:
    """In a block by its hash and without a receipt is no answer; neither is an error."""
    said = replace(view("net/a", {}), presence=presence, receipts=receipts)
    assert standing(said, slot_of()) == stands


@pytest.mark.parametrize(
    ("has", "pool", "place"),
    [
        ({OLD: "absent", NEW: "absent"}, {}, "absent"),
        ({OLD: "absent", NEW: "queued"}, {}, "queued"),
        ({OLD: "pending", NEW: "queued"}, {}, "pending"),
        ({OLD: "pending", NEW: "mined"}, {}, "mined"),
        ({OLD: "absent", NEW: TIMEOUT}, {}, None),
        ({OLD: "absent"}, {}, None),
        ({OLD: "queued", NEW: TIMEOUT}, {}, "queued"),
        ({OLD: "absent", NEW: "absent"}, {OLD: "queued"}, "queued"),
        ({OLD: TIMEOUT, NEW: TIMEOUT}, {NEW: "pending"}, "pending"),
        ({OLD: "pending", NEW: "absent"}, {OLD: "queued"}, "queued"),
        ({OLD: "mined", NEW: "absent"}, {OLD: "queued"}, "mined"),
        ({}, {OLD: "pending"}, "pending"),
        ({}, {}, None),
    ],
)
def test_presence_is_the_most_that_is_said_of_any_attempt(
    has: Any, pool: Any, place: str | None
) -> None:
    """Absent is all of them, seen; what the pool lists it has, and how."""
    assert presence_of(view("net/a", has), TWO.attempts, pool) == place


@pytest.mark.parametrize(
    ("before", "is_so", "is_new", "rounds"),
    [
        (2, True, True, 3),
        (2, True, False, 2),
        (2, False, True, 0),
        (2, False, False, 0),
        (2, None, True, 2),
        (2, None, False, 2),
    ],
)
def test_round_is_counted_once_a_head_and_ended_by_a_no(
    before: int, is_so: bool | None, is_new: bool, rounds: int
) -> None:
    """What is not known holds the count."""
    assert in_a_row(before, is_so=is_so, is_new=is_new) == rounds


# -- the account ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "blind", "weak"),
    [
        ({}, False, False),
        ({"operators": 5, "need": 3}, False, False),
        ({"operators": 2, "need": 2}, False, False),
        ({"operators": 7, "need": 4}, True, True),
        ({"number": None}, True, True),
        ({"operators": 1, "need": 1}, False, True),
    ],
)
def test_evidence_is_weak_without_a_quorum_a_head_or_a_second_operator(
    changes: dict[str, Any], *, blind: bool, weak: bool
) -> None:
    """One operator is enough to tell, and not enough to sign for."""
    account = fold(round_of(*references({}), **changes))
    assert (account.is_blind, account.is_weak) == (blind, weak)


LISTED = (PoolEntry(OLD, 7, "pending"), PoolEntry(hash_of("tx 9"), 9, "queued"))


@pytest.mark.parametrize(
    ("here", "changes", "dead"),
    [
        (local({}, pool=LISTED), {}, (8, 10, 11)),
        (local({}, pool=()), {}, (7, 8, 9, 10, 11)),
        (local({}, pool=LISTED, pending=9), {}, (10, 11)),
        (local({}, pool=LISTED), {"pending": 11}, (11,)),
        (local({}, pool=LISTED), {"pending": TIMEOUT}, ()),
        (local({}, pool=LISTED, pending=TIMEOUT), {}, (8, 10, 11)),
        (local({}, pool=None), {}, (7,)),
        (local({}, pool=TIMEOUT), {}, (7,)),
        (local({}, pool=None, nonce=6, pending=6), {}, ()),
        (local({}, pool=None, nonce=7, pending=8), {}, ()),
        (local({}, pool=None, nonce=TIMEOUT, pending=TIMEOUT), {}, ()),
        (TIMEOUT, {}, ()),
    ],
    ids=[
        "listed by the pool",
        "an empty pool",
        "counted locally",
        "counted at references",
        "references do not count",
        "local count unseen",
        "no pool: the next nonce",
        "pool unseen: the next nonce",
        "no pool, behind",
        "no pool, one pending",
        "no pool, no counts",
        "no local node",
    ],
)
def test_nonces_are_dead_that_nobody_counts_or_lists(
    here: View | Unseen, changes: dict[str, Any], dead: tuple[int, ...]
) -> None:
    """Known of a quorum's counts and of the local pool, or of the counts where no pool is shown."""
    account = fold(round_of(*references({}, **changes), local=here))
    assert tuple(account.dead(7, 12)) == dead
    assert tuple(nonce for nonce in range(7, 12) if account.is_dead(nonce)) == dead


def test_pool_of_a_reference_is_not_the_local_one() -> None:
    """Only the local node's pool is listed as such."""
    views = tuple(view(f"net/{n}", {}, pool=LISTED) for n in "abc")
    assert fold(round_of(*views)).pool == {}
    here = fold(round_of(*views, local=local({}, pool=LISTED)))
    assert here.pool == {OLD: "pending", hash_of("tx 9"): "queued"}
    assert {nonce: set(hashes) for nonce, hashes in here.pool_hashes.items()} == {
        7: {OLD},
        9: {hash_of("tx 9")},
    }


# -- the slot ------------------------------------------------------------------------------------


def test_slot_that_nobody_was_asked_about_has_no_signals() -> None:
    """And the shortcut says what the long way says."""
    account = fold(round_of(*references({}), local=local({})))
    assert fold_slot(slot_of(), account) is UNASKED
    empty = fold_slot(empty_slot(), account)
    assert (empty.receipt, empty.local, empty.holders) == (None, None, frozenset())
    assert empty.is_deserted


def test_holders_and_absentees_are_operators() -> None:
    """One endpoint that has it makes its operator a holder; all must lack it for an absentee."""
    views = (
        view("net/a1", "pending", operator="a"),
        view("net/a2", "absent", operator="a"),
        view("net/b1", "absent", operator="b"),
        view("net/b2", TIMEOUT, operator="b"),
        view("net/c", "absent", operator="c"),
    )
    signals = fold_slot(slot_of(), fold(round_of(*views)))
    assert signals.holders == {"a"}
    assert signals.absentees == {"c"}
    assert signals.pooled == {OLD: 1}


def test_pooled_counts_operators_of_each_attempt() -> None:
    """Mined is not pooled, and two endpoints of one operator are one."""
    views = (
        view("net/a1", {OLD: "pending", NEW: "absent"}, operator="a"),
        view("net/a2", {OLD: "queued", NEW: "absent"}, operator="a"),
        view("net/b", {OLD: "absent", NEW: "pending"}, operator="b"),
        view("net/c", {OLD: "absent", NEW: "mined"}, operator="c", nonce=8),
    )
    signals = fold_slot(TWO, fold(round_of(*views)))
    assert signals.pooled == {OLD: 1, NEW: 1}
    assert signals.holders == {"a", "b", "c"}


def test_outside_is_said_at_a_height_and_of_a_used_nonce() -> None:
    """An operator testifies at the lowest of its heads, and that a nonce is used with all."""
    views = (
        view("net/a1", "absent", operator="a", number=TIP, nonce=8),
        view("net/a2", "absent", operator="a", number=TIP - 2, nonce=8),
        view("net/b1", "absent", operator="b", nonce=8),
        view("net/b2", "absent", operator="b", nonce=7),
        view("net/c", receipt_of(), operator="c", nonce=8),
    )
    signals = fold_slot(slot_of(), fold(round_of(*views)))
    assert signals.outside == {"a": TIP - 2, "b": TIP}
    assert signals.outside_used == 1


@pytest.mark.parametrize(
    ("views", "here", "is_deserted"),
    [
        (references("absent"), local("absent"), True),
        (references("absent", "absent", TIMEOUT), local("absent"), False),
        (references("absent", "absent", "pending"), local("absent"), False),
        (references("absent", nonce=8), local("absent"), False),
        (references("absent", nonce=6), local("absent"), False),
        (references("absent", pending=TIMEOUT), local("absent"), False),
        (references("absent"), local(TIMEOUT), False),
        (references("absent"), local("queued"), False),
        (references("absent"), local("absent", pool=[PoolEntry(NEW, 7, "queued")]), False),
        (references("absent"), TIMEOUT, False),
    ],
    ids=[
        "nobody",
        "one unseen",
        "one has it",
        "used",
        "not the next",
        "counts unseen",
        "unseen here",
        "queued here",
        "another is listed here",
        "no local node",
    ],
)
def test_deserted_is_what_everybody_says_is_empty(
    views: tuple[View, ...], here: View | Unseen, *, is_deserted: bool
) -> None:
    """A nonce may be filled with nothing only where all agree that nothing is there."""
    signals = fold_slot(slot_of(), fold(round_of(*views, local=here)))
    assert signals.is_deserted is is_deserted
