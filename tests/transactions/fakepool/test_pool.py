"""What is executable, what is announced, and what a pool loses."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transactions.fakepool.checks import Account, Settings
from tests.transactions.fakepool.payments import GWEI, address, blobs, delegation, payment
from tests.transactions.fakepool.pool import Pool
from tests.transactions.fakepool.refusals import CLIENTS, Client, Refusal, Refused
from tests.transactions.fakepool.signed import decode
from tests.transactions.fakepool.situations import ETHER, HEAD, RICH, add, fresh

ME = address(0)


def places(pool: Pool) -> dict[int, str]:
    """By nonce, of the first account."""
    return {t.nonce: place for t, place in pool.places() if t.sender == ME}


def move(
    pool: Pool, *, nonce: int = 0, base_fee_wei: int | None = None, wei: int | None = None
) -> None:
    head = replace(HEAD, number=HEAD.number + 1, hash="0x" + "bb" * 32)
    if base_fee_wei is not None:
        head = replace(head, base_fee_wei=base_fee_wei)
    balance = RICH.balance_wei if wei is None else wei
    pool.move(head, {**pool.accounts, ME: Account(nonce=nonce, balance_wei=balance)})


@pytest.mark.parametrize("client", CLIENTS)
def test_gap_is_queued_and_promoted_when_it_fills(client: Client) -> None:
    """What is after a gap is not executable, not counted and not announced, until the gap fills."""
    pool = fresh(client)
    assert add(pool, payment(0)).announced == (decode(payment(0)),)
    assert add(pool, payment(2)).announced == ()
    assert places(pool) == {0: "pending", 2: "queued"}
    assert pool.next_nonce(ME) == 1
    promoted = add(pool, payment(1)).announced
    assert [transaction.nonce for transaction in promoted] == [1, 2]
    assert places(pool) == dict.fromkeys(range(3), "pending")
    assert pool.next_nonce(ME) == 3


SIX = tuple(payment(nonce) for nonce in range(6))


@settings(deadline=None, max_examples=40)
@given(st.permutations(range(6)), st.integers(0, 3))
def test_order_of_arrival_does_not_matter(order: list[int], nonce: int) -> None:
    """In the end all from the account's nonce on is pending, and each was told once."""
    pool = fresh()
    told = [t.nonce for n in order for t in add(pool, SIX[n]).announced]
    assert sorted(told) == list(range(6))
    move(pool, nonce=nonce)
    assert places(pool) == dict.fromkeys(range(nonce, 6), "pending")
    assert pool.next_nonce(ME) == 6


def test_chain_that_moves_promotes_and_removes() -> None:
    """What the chain has used is gone; what waited for it is executable and announced."""
    pool = fresh()
    add(pool, payment(0))
    add(pool, payment(3))
    head = replace(HEAD, hash="0x" + "bb" * 32)
    change = pool.move(head, {ME: Account(nonce=3, balance_wei=ETHER)})
    assert [entry.transaction.nonce for entry in change.used] == [0]
    assert [transaction.nonce for transaction in change.announced] == [3]
    assert places(pool) == {3: "pending"}


def test_transaction_that_is_lost_makes_those_after_it_wait() -> None:
    """Later nonces are not executable without it; they are told again only when they are again."""
    pool = fresh()
    for nonce in range(3):
        add(pool, payment(nonce))
    pool.drop(decode(payment(1)).hash)
    assert places(pool) == {0: "pending", 2: "queued"}
    assert [t.nonce for t in add(pool, payment(1)).announced] == [1]


def test_replacement_takes_the_place_and_is_announced() -> None:
    """The old one is gone, by its hash too; the new one is told."""
    pool = fresh()
    add(pool, payment(0))
    better = payment(0, fee_cap_wei=40 * GWEI, tip_cap_wei=4 * GWEI)
    change = add(pool, better)
    assert change.replaced == decode(payment(0))
    assert change.announced == (decode(better),)
    assert decode(payment(0)).hash not in pool
    assert len(pool) == 1


def test_replacement_of_what_is_queued_is_not_announced() -> None:
    """Nothing that waits is told, new or old."""
    pool = fresh()
    add(pool, payment(1))
    change = add(pool, payment(1, fee_cap_wei=40 * GWEI, tip_cap_wei=4 * GWEI))
    assert change.replaced == decode(payment(1))
    assert change.announced == ()


BELOW = 9 * GWEI


@pytest.mark.parametrize(
    ("client", "place", "is_told"),
    [
        ("geth", "pending", True),
        ("besu", "pending", True),
        ("nethermind", "pending", True),
        ("hardhat", "pending", True),
        ("reth", "parked", False),
        ("erigon", "parked", False),
    ],
)
def test_fee_cap_below_the_base_fee_is_kept_and_not_minable(
    client: Client, place: str, *, is_told: bool
) -> None:
    """All but anvil keep it; two keep it apart, and tell nobody before the base fee falls."""
    pool = fresh(client)
    told = add(pool, payment(0, fee_cap_wei=BELOW)).announced
    assert places(pool) == {0: place}
    assert bool(told) is is_told
    assert pool.executable() == []
    assert pool.next_nonce(ME) == 1
    head = replace(HEAD, hash="0x" + "bb" * 32, base_fee_wei=BELOW)
    told = pool.move(head, pool.accounts).announced
    assert bool(told) is not is_told
    assert len(pool.executable()) == 1


def test_nethermind_announces_from_seven_tenths_of_the_base_fee() -> None:
    """Below that it is pending and silent, until the base fee has come down."""
    pool = fresh("nethermind")
    assert add(pool, payment(0, fee_cap_wei=7 * GWEI)).announced
    assert not add(pool, payment(1, fee_cap_wei=7 * GWEI - 1)).announced
    assert places(pool) == {0: "pending", 1: "pending"}
    head = replace(HEAD, hash="0x" + "bb" * 32, base_fee_wei=9 * GWEI)
    assert [t.nonce for t in pool.move(head, pool.accounts).announced] == [1]


def test_anvil_deletes_what_falls_below_the_base_fee() -> None:
    """At the next block, where others keep it."""
    for client, left in (("anvil", 0), ("geth", 1)):
        pool = fresh("anvil" if client == "anvil" else "geth")
        add(pool, payment(0, fee_cap_wei=11 * GWEI))
        move(pool, base_fee_wei=12 * GWEI)
        assert len(pool) == left


@pytest.mark.parametrize("client", CLIENTS)
def test_transaction_that_cannot_be_paid_any_more_is_not_executable(client: Client) -> None:
    """Most drop it; reth and Erigon let it wait for money."""
    pool = fresh(client)
    add(pool, payment(0))
    move(pool, wei=decode(payment(0)).cost_wei - 1)
    assert places(pool) == ({0: "queued"} if client in {"reth", "erigon"} else {})
    assert pool.executable() == []


def test_full_pool_of_geth_gives_way_to_better_ones_only() -> None:
    """The worst is pushed out by one that pays more; one that pays as much is not taken."""
    pool = fresh("geth", Settings(slots_max=2))
    cheap = payment(0, sender=1)
    add(pool, cheap)
    add(pool, payment(0, sender=2, tip_cap_wei=3 * GWEI))
    with pytest.raises(Refused) as caught:
        add(pool, payment(0))
    assert caught.value.refusal is Refusal.UNDERPRICED
    change = add(pool, payment(0, tip_cap_wei=3 * GWEI))
    assert change.evicted == (decode(cheap),)
    assert len(pool) == 2


@pytest.mark.parametrize("client", ["nethermind", "besu"])
def test_full_pool_that_says_yes_has_nothing(client: Client) -> None:
    """The worst of all is reported as taken and is not there (M6)."""
    pool = fresh(client, Settings(slots_max=1))
    add(pool, payment(0, sender=1, tip_cap_wei=3 * GWEI))
    change = add(pool, payment(0))
    assert change.is_dropped
    assert decode(payment(0)).hash not in pool
    assert not add(pool, payment(0, tip_cap_wei=4 * GWEI)).is_dropped


def test_sub_pools_of_erigon_are_full_each_for_itself() -> None:
    """A queued one still has room where the pending ones have none."""
    pool = fresh("erigon", Settings(slots_max=1))
    add(pool, payment(0, sender=1))
    assert not add(pool, payment(1, sender=2)).is_dropped
    with pytest.raises(Refused) as caught:
        add(pool, payment(1, sender=3))
    assert caught.value.refusal is Refusal.QUEUED_FULL


@pytest.mark.parametrize(
    ("client", "kept"),
    [
        ("geth", {ME}),
        ("reth", {ME}),
        ("erigon", {ME, address(1), address(2)}),
        ("nethermind", {address(2)}),
        ("besu", set()),
        ("anvil", set()),
        ("hardhat", set()),
    ],
)
def test_restart_keeps_what_the_client_keeps(client: Client, kept: set[str]) -> None:
    """Locals from a journal, all of a database, blobs only, or nothing; kept ones are told anew."""
    pool = fresh(client)
    add(pool, payment(0))
    add(pool, payment(0, sender=1), is_local=False)
    add(pool, blobs(0, sender=2), is_local=False)
    assert {transaction.sender for transaction in pool.restart()} == kept
    assert pool.senders == kept
    assert pool.restart(has_journal=False) == ()
    assert len(pool) == 0


def test_delegated_account_has_one_in_flight_and_may_replace_it() -> None:
    """In geth (EIP-7702): a second nonce is refused, a better transaction of the first is not."""
    pool = fresh("geth")
    pool.accounts[ME] = Account(nonce=0, balance_wei=ETHER, is_delegated=True)
    add(pool, payment(0))
    with pytest.raises(Refused) as caught:
        add(pool, payment(1))
    assert caught.value.refusal is Refusal.IN_FLIGHT
    assert add(pool, payment(0, fee_cap_wei=40 * GWEI, tip_cap_wei=4 * GWEI)).replaced


def test_peers_transactions_are_held_to_more_than_our_own() -> None:
    """Nethermind takes any gap by RPC; from a peer, with a full pool, none."""
    pool = fresh("nethermind", Settings(slots_max=1))
    add(pool, payment(0, sender=1))
    with pytest.raises(Refused) as caught:
        add(pool, payment(5, tip_cap_wei=4 * GWEI), is_local=False)
    assert caught.value.refusal is Refusal.NONCE_GAP
    assert not add(pool, payment(5, tip_cap_wei=4 * GWEI)).is_dropped


def test_balance_that_covers_exactly_is_enough() -> None:
    """For one, and in geth for all that are pooled; one wei less is not."""
    cost = decode(payment(0)).cost_wei
    for wei, is_taken in ((2 * cost, True), (2 * cost - 1, False)):
        pool = fresh("geth")
        pool.accounts[ME] = Account(nonce=0, balance_wei=wei)
        add(pool, payment(0))
        assert _is_taken(pool, payment(1)) is is_taken
    for wei, is_taken in ((cost, True), (cost - 1, False)):
        pool = fresh("besu")
        pool.accounts[ME] = Account(nonce=0, balance_wei=wei)
        assert _is_taken(pool, payment(0)) is is_taken


@pytest.mark.parametrize(("client", "allowed"), [("geth", 1), ("reth", 1), ("nethermind", 0)])
def test_account_that_delegates_may_have_so_many_pooled(client: Client, allowed: int) -> None:
    """One in geth and reth, none in Nethermind."""
    for count in (allowed, allowed + 1):
        pool = fresh(client)
        for nonce in range(count):
            add(pool, payment(nonce, sender=1))
        raw = delegation(0, authority=1, authority_nonce=0)
        assert _is_taken(pool, raw) is (count == allowed)


def _is_taken(pool: Pool, raw: str) -> bool:
    try:
        add(pool, raw)
    except Refused:
        return False
    return True
