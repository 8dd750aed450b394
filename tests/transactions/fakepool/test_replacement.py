"""Each client's price for a second transaction of the same nonce, at the boundary."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.transactions.fakepool.payments import blobs, legacy, payment
from tests.transactions.fakepool.refusals import CLIENTS, Client
from tests.transactions.fakepool.replacement import may_replace
from tests.transactions.fakepool.signed import Signed, decode

BASE_FEE_WEI = 100

Caps = tuple[int, int]
"""Fee cap and tip cap, in wei."""


def dynamic(fee: int, tip: int, value: int = 1) -> Signed:
    known = decode(payment(0))
    return replace(known, fee_cap_wei=fee, tip_cap_wei=tip, value_wei=value)


def priced(price: int) -> Signed:
    return replace(decode(legacy(0)), fee_cap_wei=price, tip_cap_wei=price)


def with_blobs(fee: int, tip: int, blob: int, count: int = 1) -> Signed:
    known = decode(blobs(0))
    return replace(
        known,
        fee_cap_wei=fee,
        tip_cap_wei=tip,
        blob_fee_cap_wei=blob,
        blob_hashes=known.blob_hashes * count,
    )


@pytest.mark.parametrize(
    ("client", "old", "enough", "too_little"),
    [
        # geth: both, strictly more, and a tenth, rounded down.
        ("geth", (1000, 100), (1100, 110), [(1099, 110), (1100, 109), (1000, 110), (2000, 100)]),
        ("geth", (1009, 109), (1109, 119), [(1108, 119), (1109, 118)]),
        ("geth", (5, 1), (6, 2), [(5, 2), (6, 1)]),
        # reth: rounded up; a tip of nothing on either side does not count.
        ("reth", (1009, 109), (1110, 120), [(1109, 120), (1110, 119)]),
        ("reth", (1000, 0), (1100, 0), [(1099, 0)]),
        ("reth", (1000, 100), (1100, 0), [(1099, 0)]),
        # Erigon: rounded down, so that very little is nothing.
        ("erigon", (1009, 109), (1109, 119), [(1108, 119), (1109, 118)]),
        ("erigon", (5, 1), (5, 1), [(4, 1), (5, 0)]),
        # Nethermind: a tenth exactly only if a tenth is something; what is free gives way.
        ("nethermind", (1009, 109), (1109, 119), [(1108, 119), (1109, 118)]),
        ("nethermind", (1000, 9), (1100, 10), [(1100, 9), (1099, 10)]),
        ("nethermind", (0, 0), (0, 0), []),
        # Besu: the price at the base fee of 100, strictly more; the tip no less.
        ("besu", (1000, 100), (1000, 121), [(1000, 120), (5000, 120), (219, 219)]),
        ("besu", (150, 100), (166, 100), [(165, 100), (165, 165)]),
        ("besu", (90, 1), (100, 1), [(99, 99)]),
        # anvil: one wei more for the cap, whatever the tip.
        ("anvil", (1000, 100), (1001, 0), [(1000, 1000)]),
        # hardhat: both, rounded up.
        ("hardhat", (1009, 109), (1110, 120), [(1109, 120), (1110, 119)]),
    ],
)
def test_replacement_of_dynamic_fees_has_the_clients_boundary(
    client: Client, old: Caps, enough: Caps, too_little: list[Caps]
) -> None:
    """At the boundary it is taken, one wei below it is not, in either cap."""
    assert may_replace(client, dynamic(*old), dynamic(*enough), base_fee_wei=BASE_FEE_WEI)
    for caps in too_little:
        new = dynamic(*caps)
        assert not may_replace(client, dynamic(*old), new, base_fee_wei=BASE_FEE_WEI), caps


@pytest.mark.parametrize(
    ("client", "old", "least"),
    [
        ("geth", 1009, 1109),
        ("geth", 9, 10),
        ("reth", 1009, 1110),
        ("erigon", 1009, 1109),
        ("erigon", 9, 9),
        ("nethermind", 1009, 1109),
        ("nethermind", 9, 10),
        ("besu", 1009, 1110),
        ("besu", 1000, 1101),
        ("anvil", 1009, 1010),
        ("hardhat", 1009, 1110),
    ],
)
def test_replacement_of_a_price_has_the_clients_boundary(
    client: Client, old: int, least: int
) -> None:
    """Of two legacy transactions the gas price decides."""
    for price, is_taken in ((least, True), (least - 1, False)):
        taken = may_replace(client, priced(old), priced(price), base_fee_wei=BASE_FEE_WEI)
        assert taken is is_taken


def test_replacement_of_the_same_effective_price_needs_a_better_tip_in_besu() -> None:
    """Below the base fee two prices are the same if the caps are: then the tips are compared."""
    old = dynamic(200, 50)
    assert not may_replace("besu", old, dynamic(150, 55), base_fee_wei=BASE_FEE_WEI)
    assert may_replace("besu", old, dynamic(200, 66), base_fee_wei=BASE_FEE_WEI)
    assert not may_replace("besu", dynamic(0, 0), dynamic(0, 0), base_fee_wei=BASE_FEE_WEI)


def test_replacement_with_more_value_costs_more_in_erigon() -> None:
    """The tip's threshold is so many times as high as the sender has transactions pooled."""
    old = dynamic(1000, 100, value=1)
    for tip, is_taken in ((329, False), (330, True)):
        new = dynamic(1100, tip, value=2)
        assert may_replace("erigon", old, new, base_fee_wei=0, pooled=3) is is_taken
    assert may_replace("erigon", old, dynamic(1100, 110, value=1), base_fee_wei=0, pooled=3)


@pytest.mark.parametrize("client", [c for c in CLIENTS if c not in {"anvil", "hardhat"}])
def test_replacement_of_blobs_doubles_the_blob_fee(client: Client) -> None:
    """All clients that have a rule for blobs want twice the blob fee, most want twice of all."""
    old = with_blobs(1000, 100, 10)
    assert may_replace(client, old, with_blobs(2000, 200, 20), base_fee_wei=BASE_FEE_WEI)
    assert not may_replace(client, old, with_blobs(2000, 200, 19), base_fee_wei=BASE_FEE_WEI)
    is_enough = may_replace(client, old, with_blobs(1999, 200, 20), base_fee_wei=BASE_FEE_WEI)
    assert is_enough is (client == "besu")


def test_replacement_with_fewer_blobs_is_none_in_nethermind() -> None:
    """However much it pays."""
    old = with_blobs(1000, 100, 10, count=2)
    assert not may_replace("nethermind", old, with_blobs(9000, 900, 90), base_fee_wei=0)
    assert may_replace("nethermind", old, with_blobs(9000, 900, 90, count=2), base_fee_wei=0)
