"""Replacements that every client takes, by the clients' own rules, and never above the caps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypedDict

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.transactions.fees import (
    TRANSFER_GAS,
    CapBlocks,
    Fees,
    Free,
    bump,
    capped,
    fill_fees,
    minimum_accepted,
)
from monitor.transactions.rules import Rules
from monitor.transactions.words import Market

GWEI = 10**9
ETHER = 10**18
OPEN = Rules(fee_cap_max_wei=10**30, budget_a_day_wei=10**40, market_multiple_max=10**12)
"""Caps that nothing here reaches."""

# -- the clients' rules, as their sources have them ----------------------------------------------

Takes = Callable[[Fees, Fees, bool], bool]


def geth(old: Fees, new: Fees, is_blob: bool) -> bool:
    """legacypool/list.go: floor, and strictly more; blobpool.go: floor of the double."""
    percent = 100 if is_blob else 10

    def takes(before: int, after: int) -> bool:
        return after > before and after >= before * (100 + percent) // 100

    blob = takes(old.blob_fee_cap_wei or 0, new.blob_fee_cap_wei or 0) if is_blob else True
    return (
        takes(old.fee_cap_wei, new.fee_cap_wei) and takes(old.tip_cap_wei, new.tip_cap_wei) and blob
    )


def reth(old: Fees, new: Fees, is_blob: bool) -> bool:
    """transaction-pool: ceil; the tip is skipped where one of the two is 0."""
    percent = 100 if is_blob else 10

    def takes(before: int, after: int) -> bool:
        return after * 100 >= before * (100 + percent)

    is_tip_free = 0 in {old.tip_cap_wei, new.tip_cap_wei}
    return (
        takes(old.fee_cap_wei, new.fee_cap_wei)
        and (is_tip_free or takes(old.tip_cap_wei, new.tip_cap_wei))
        and takes(old.blob_fee_cap_wei or 0, new.blob_fee_cap_wei or 0)
    )


def reth_2024(old: Fees, new: Fees, is_blob: bool) -> bool:
    """The same before it was rounded up: strictly more than the floor, tips of 0 left out."""
    percent = 100 if is_blob else 10

    def takes(before: int, after: int) -> bool:
        return after > before * (100 + percent) // 100

    is_tip_free = 0 in {old.tip_cap_wei, new.tip_cap_wei}
    return (
        takes(old.fee_cap_wei, new.fee_cap_wei)
        and (is_tip_free or takes(old.tip_cap_wei, new.tip_cap_wei))
        and (not is_blob or takes(old.blob_fee_cap_wei or 0, new.blob_fee_cap_wei or 0))
    )


def erigon(old: Fees, new: Fees, is_blob: bool) -> bool:
    """txpool/pool.go: floor, on the caps and on the blob fee."""
    percent = 100 if is_blob else 10

    def takes(before: int, after: int) -> bool:
        return after >= before * (100 + percent) // 100

    return (
        takes(old.fee_cap_wei, new.fee_cap_wei)
        and takes(old.tip_cap_wei, new.tip_cap_wei)
        and takes(old.blob_fee_cap_wei or 0, new.blob_fee_cap_wei or 0)
    )


def nethermind(old: Fees, new: Fees, is_blob: bool) -> bool:
    """CompareReplacedTxByFee.cs: a tenth, divided down, and more than nothing; blobs: double."""
    if old.fee_cap_wei == 0:
        return True
    if is_blob:
        return (
            new.fee_cap_wei >= 2 * old.fee_cap_wei
            and new.tip_cap_wei >= 2 * old.tip_cap_wei
            and (new.blob_fee_cap_wei or 0) >= 2 * (old.blob_fee_cap_wei or 0)
        )

    def takes(before: int, after: int) -> bool:
        tenth = before // 10
        return after > before + tenth or (after == before + tenth and tenth > 0)

    return takes(old.fee_cap_wei, new.fee_cap_wei) and takes(old.tip_cap_wei, new.tip_cap_wei)


def besu(old: Fees, new: Fees, is_blob: bool, *, base_fee: int, is_legacy: bool) -> bool:
    """TransactionReplacementBy{GasPrice,FeeMarket}Rule.java, at the node's own base fee."""

    def price(fees: Fees) -> int:
        if is_legacy:
            return fees.fee_cap_wei
        return min(fees.fee_cap_wei, base_fee + fees.tip_cap_wei)

    def tip(fees: Fees) -> int:
        return max(0, min(fees.tip_cap_wei, fees.fee_cap_wei - base_fee))

    def is_bumped(before: int, after: int) -> bool:
        return before * 110 <= after * 100

    if is_legacy:
        return is_bumped(price(old), price(new))
    if is_bumped(price(old), price(new)):
        is_priced = tip(new) >= tip(old)
    else:
        is_priced = price(old) == price(new) and is_bumped(tip(old), tip(new))
    blob = (new.blob_fee_cap_wei or 0) >= (old.blob_fee_cap_wei or 0) * 200 // 100
    return is_priced and (blob or not is_blob)


FOUR: tuple[Takes, ...] = (geth, reth, reth_2024, erigon, nethermind)
"""Whose rules look at the caps alone."""

# -- what they are shown -------------------------------------------------------------------------

amounts = st.integers(0, 10**12) | st.integers(0, 40)
percents = st.integers(-5, 60)
flags = st.booleans()


@st.composite
def markets(draw: st.DrawFn) -> Market:
    low = draw(amounts)
    return Market(
        base_fee_wei=draw(amounts),
        tip_low_wei=low,
        tip_wei=low + draw(amounts),
        gas_limit=30_000_000,
        blob_base_fee_wei=draw(amounts),
    )


@st.composite
def offers(draw: st.DrawFn, *, is_blob: bool = False, is_legacy: bool = False) -> Fees:
    """The fees of a valid transaction: the tip cap is not above the fee cap."""
    tip = draw(amounts)
    fee = tip if is_legacy else tip + draw(amounts)
    return Fees(fee, tip, draw(amounts) if is_blob else None)


@st.composite
def base_fees(draw: st.DrawFn, market: Market) -> int:
    """What a node may reckon with that is a block before or behind: up or down an eighth."""
    base = market.base_fee_wei
    return draw(st.integers(base - base // 8, base + -(-base // 8)))


class How(TypedDict):
    """In which way a bump is asked for."""

    percent: int
    is_blob: bool
    for_besu: bool
    is_legacy: bool


def how(
    *, percent: int = 10, is_blob: bool = False, for_besu: bool = False, is_legacy: bool = False
) -> How:
    return How(percent=percent, is_blob=is_blob, for_besu=for_besu, is_legacy=is_legacy)


def bumped(old: Fees, market: Market, asked: How) -> Fees:
    new = bump(old, market, **asked)
    assert isinstance(new, Fees)
    return new


def market_of(base: int, tip: int, low: int = 0, blob: int = 0) -> Market:
    return Market(base, low, tip, 30_000_000, blob)


KINDS = pytest.mark.parametrize(
    ("is_blob", "is_legacy"),
    [(False, False), (True, False), (False, True)],
    ids=["type 2", "blobs", "legacy"],
)
LIFTED = market_of(7, 1, 1, 1)
"""A market so low that nothing is free, and that asks for nothing."""


@KINDS
@given(data=st.data())
def test_bump_and_its_minimum_are_taken_by_all_that_look_at_the_caps(
    data: st.DataObject, is_blob: bool, is_legacy: bool
) -> None:
    """geth, reth, Erigon and Nethermind take what is wanted, and the least that is worth it."""
    old = data.draw(offers(is_blob=is_blob, is_legacy=is_legacy))
    market = data.draw(markets())
    asked = how(
        percent=data.draw(percents),
        is_blob=is_blob,
        for_besu=data.draw(flags),
        is_legacy=is_legacy,
    )
    least = minimum_accepted(old, market, **asked)
    new = bump(old, market, **asked)
    if isinstance(new, Free):
        assert (old.fee_cap_wei, market.base_fee_wei, market.tip_wei) == (0, 0, 0)
        new = least
    for takes in FOUR:
        assert takes(old, new, is_blob), takes.__name__
        assert takes(old, least, is_blob), takes.__name__


@KINDS
@given(data=st.data())
def test_bump_for_besu_is_taken_by_besu_wherever_its_base_fee_is(
    data: st.DataObject, is_blob: bool, is_legacy: bool
) -> None:
    """Besu takes it a block before and a block after, when wanted, lowered and at the least."""
    old = data.draw(offers(is_blob=is_blob, is_legacy=is_legacy))
    market = data.draw(markets())
    base = data.draw(base_fees(market))
    asked = how(is_blob=is_blob, is_legacy=is_legacy, for_besu=True)
    least = minimum_accepted(old, market, **asked)
    new = bump(old, market, **asked)
    if isinstance(new, Free):
        new = least
    cap = data.draw(st.integers(least.fee_cap_wei, max(least.fee_cap_wei, new.fee_cap_wei)))
    most = max(cap, least.blob_fee_cap_wei or 0)
    tight = replace(OPEN, fee_cap_max_wei=most, fee_floor_wei=10**30)
    lowered = capped(new, least, 21_000, market, tight, spent_today_wei=0)
    assert isinstance(lowered, Fees)
    for fees in (least, lowered, new):
        assert besu(old, fees, is_blob, base_fee=base, is_legacy=is_legacy)


@example(old=Fees(10 * GWEI, 0), base=10 * GWEI)
@given(old=offers(), base=amounts)
def test_bump_for_besu_is_dearer_only_in_the_tip_it_needs(old: Fees, base: int) -> None:
    """Its term raises the tip, and the fee cap by no more than that."""
    market = replace(LIFTED, base_fee_wei=base)
    plain, dear = bumped(old, market, how()), bumped(old, market, how(for_besu=True))
    assert dear.tip_cap_wei >= plain.tip_cap_wei
    assert dear.fee_cap_wei - plain.fee_cap_wei <= dear.tip_cap_wei - plain.tip_cap_wei


@KINDS
@given(data=st.data())
def test_bump_is_well_formed_and_not_below_its_minimum(
    data: st.DataObject, is_blob: bool, is_legacy: bool
) -> None:
    """The tip is within the fee cap, one price is one price, and a block may take it."""
    old = data.draw(offers(is_blob=is_blob, is_legacy=is_legacy))
    market = data.draw(markets())
    asked = how(
        percent=data.draw(percents),
        is_blob=is_blob,
        for_besu=data.draw(flags),
        is_legacy=is_legacy,
    )
    least = minimum_accepted(old, market, **asked)
    new = bump(old, market, **asked)
    for fees in (least, least if isinstance(new, Free) else new):
        assert fees.tip_cap_wei <= fees.fee_cap_wei
        assert not is_legacy or fees.tip_cap_wei == fees.fee_cap_wei
        assert fees.fee_cap_wei >= least.fee_cap_wei >= market.base_fee_wei + market.tip_low_wei
        assert fees.tip_cap_wei >= least.tip_cap_wei
        assert (fees.blob_fee_cap_wei is None) == (not is_blob)
        assert (fees.blob_fee_cap_wei or 0) >= (least.blob_fee_cap_wei or 0)
        if is_blob:
            assert (fees.blob_fee_cap_wei or 0) >= market.blob_base_fee_wei


@pytest.mark.parametrize(
    ("old", "market", "asked", "expected"),
    [
        # The raise alone: strictly more than a tenth more, above, at and below a round number.
        (Fees(1000, 100), market_of(7, 1), how(), Fees(1101, 111)),
        (Fees(1001, 101), market_of(7, 1), how(), Fees(1102, 112)),
        (Fees(1009, 109), market_of(7, 1), how(), Fees(1110, 120)),
        (Fees(1, 0), market_of(0, 1), how(), Fees(2, 1)),
        (Fees(1000, 100), market_of(7, 1), how(percent=25), Fees(1251, 126)),
        (Fees(1000, 100), market_of(7, 1), how(percent=0), Fees(1101, 111)),
        # The market asks for more.
        (Fees(1000, 100), market_of(1000, 400), how(), Fees(2400, 400)),
        (Fees(1000, 100), market_of(1000, 111), how(), Fees(2111, 111)),
        (Fees(1000, 100), market_of(495, 110), how(), Fees(1101, 111)),
        (Fees(1000, 100), market_of(496, 110), how(), Fees(1103, 111)),
        # One price, which is no tip upon twice the base fee.
        (Fees(1000, 1000), market_of(500, 50), how(is_legacy=True), Fees(1101, 1101)),
        (Fees(1000, 1000), market_of(600, 50), how(is_legacy=True), Fees(1250, 1250)),
        # Blobs: the double of all three, whatever the operator's percentage below that is.
        (
            Fees(1000, 100, 10),
            market_of(7, 1, blob=1),
            how(is_blob=True, percent=30),
            Fees(2001, 201, 21),
        ),
        (
            Fees(1000, 100, 10),
            market_of(7, 1, blob=40),
            how(is_blob=True, percent=150),
            Fees(2501, 251, 80),
        ),
        # Besu: after a full block its price is 11.35 gwei, so 12.485, of which 11.25 is base fee.
        (
            Fees(100 * GWEI, GWEI // 10),
            market_of(10 * GWEI, 1),
            how(for_besu=True),
            Fees(110 * GWEI + 1, 1_235_000_001),
        ),
        # ... a tenth of the price with blobs, too, beside the double of every cap.
        (
            Fees(100 * GWEI, GWEI // 10, 1),
            market_of(10 * GWEI, 1),
            how(for_besu=True, is_blob=True),
            Fees(200 * GWEI + 1, 1_235_000_001, 3),
        ),
        # Where the fee cap ends the tip's growth is the worst: 9.9 gwei at a base fee of 8.9.
        (
            Fees(9 * GWEI, GWEI // 10),
            market_of(10 * GWEI, 1),
            how(for_besu=True),
            Fees(21 * GWEI + 1, GWEI + 1),
        ),
        # ... which the base fee may not reach within a block, on either side.
        (
            Fees(8 * GWEI, GWEI // 10),
            market_of(10 * GWEI, 1),
            how(for_besu=True),
            Fees(20 * GWEI + 110_000_001, 110_000_001),
        ),
        (
            Fees(8 * GWEI, GWEI),
            market_of(8 * GWEI, 1),
            how(for_besu=True),
            Fees(16 * GWEI + 1_800_000_001, 1_800_000_001),
        ),
    ],
)
def test_bump_by_hand(old: Fees, market: Market, asked: How, expected: Fees) -> None:
    """The formula, with numbers that can be followed."""
    assert bumped(old, market, asked) == expected


@pytest.mark.parametrize(
    ("old", "market", "asked", "expected"),
    [
        # The raise is more than the market's least.
        (Fees(1000, 100), market_of(976, 1), how(), Fees(1101, 111)),
        # The market's least is more: the base fee of 1000 after a full block, and a low tip.
        (Fees(1000, 100), market_of(1000, 500, low=3), how(), Fees(1128, 111)),
        (Fees(1000, 100), market_of(1001, 500, low=112), how(), Fees(1127 + 112, 112)),
        # A low tip that is above the usual one is nonsense, and counts as the usual one.
        (Fees(1000, 100), market_of(1000, 1, low=50), how(), Fees(1126, 111)),
        (Fees(1000, 1000), market_of(1000, 5, low=3), how(is_legacy=True), Fees(1128, 1128)),
        (Fees(1000, 100, 8), market_of(7, 1, blob=8), how(is_blob=True), Fees(2001, 201, 17)),
        (Fees(1000, 100, 8), market_of(7, 1, blob=16), how(is_blob=True), Fees(2001, 201, 18)),
        # A tip that Besu needs is above everything else.
        (Fees(10_000, 1), market_of(10_000, 1), how(for_besu=True), Fees(11_250, 1002)),
    ],
)
def test_minimum_accepted_by_hand(old: Fees, market: Market, asked: How, expected: Fees) -> None:
    """Accepted, and includable after one full block; no more than that."""
    assert minimum_accepted(old, market, **asked) == expected


@pytest.mark.parametrize(
    ("old", "market", "is_free"),
    [
        (Fees(0, 0), market_of(0, 0), True),
        (Fees(1, 0), market_of(0, 0), False),
        (Fees(0, 0), market_of(1, 0), False),
        (Fees(0, 0), market_of(0, 1), False),
    ],
)
def test_bump_where_gas_is_free_says_so(old: Fees, market: Market, is_free: bool) -> None:
    """Nothing can be more than nothing; but a price of 0 where others pay is only too low."""
    new = bump(old, market, **how(for_besu=True))
    assert isinstance(new, Free) == is_free
    if isinstance(new, Free):
        assert "+10 % of 0 is 0" in new.summary


# -- the caps ------------------------------------------------------------------------------------

WANTED = Fees(30 * GWEI, 3 * GWEI)
LEAST = Fees(20 * GWEI, 2 * GWEI)
MARKET = market_of(10 * GWEI, 2 * GWEI, low=GWEI)
"""22 gwei at twice the base fee."""
GAS = 100_000


def within(
    rules: Rules,
    *,
    wanted: Fees = WANTED,
    minimum: Fees = LEAST,
    spent_wei: int = 0,
    blob_gas: int = 0,
) -> Fees | CapBlocks:
    return capped(wanted, minimum, GAS, MARKET, rules, spent_today_wei=spent_wei, blob_gas=blob_gas)


def test_capped_without_a_cap_on_fees_or_on_the_day_signs_nothing() -> None:
    """What is not configured is not unlimited."""
    no_fee = within(replace(OPEN, fee_cap_max_wei=None))
    assert no_fee == CapBlocks("fee_cap_max_wei", LEAST.fee_cap_wei, None)
    assert no_fee.summary == "no cap configured: without fee_cap_max_wei nothing is signed"
    no_budget = within(replace(OPEN, budget_a_day_wei=None))
    assert no_budget == CapBlocks("budget_a_day_wei", GAS * LEAST.fee_cap_wei, None)
    assert within(Rules()) == no_fee


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (OPEN, WANTED),
        # The most for a unit of gas: above, at, and below what is wanted; at and below the least.
        (replace(OPEN, fee_cap_max_wei=31 * GWEI), WANTED),
        (replace(OPEN, fee_cap_max_wei=30 * GWEI), WANTED),
        (replace(OPEN, fee_cap_max_wei=30 * GWEI - 1), Fees(30 * GWEI - 1, 3 * GWEI)),
        (replace(OPEN, fee_cap_max_wei=20 * GWEI), Fees(20 * GWEI, 3 * GWEI)),
        (
            replace(OPEN, fee_cap_max_wei=20 * GWEI - 1),
            CapBlocks("fee_cap_max_wei", 20 * GWEI, 20 * GWEI - 1),
        ),
        # So many times the market, 22 gwei.
        (replace(OPEN, market_multiple_max=2), WANTED),
        (replace(OPEN, market_multiple_max=1), Fees(22 * GWEI, 3 * GWEI)),
        (
            replace(OPEN, market_multiple_max=0, fee_floor_wei=19 * GWEI),
            CapBlocks("market_multiple_max", 20 * GWEI, 19 * GWEI),
        ),
        # ... but below the floor it does not count.
        (replace(OPEN, market_multiple_max=0, fee_floor_wei=30 * GWEI), WANTED),
        (
            replace(OPEN, market_multiple_max=0, fee_floor_wei=20 * GWEI),
            Fees(20 * GWEI, 3 * GWEI),
        ),
        # All of one transaction, and of the day: 100,000 gas.
        (replace(OPEN, cost_max_wei=GAS * 30 * GWEI), WANTED),
        (replace(OPEN, cost_max_wei=GAS * 30 * GWEI - 1), Fees(30 * GWEI - 1, 3 * GWEI)),
        (replace(OPEN, cost_max_wei=GAS * 20 * GWEI), Fees(20 * GWEI, 3 * GWEI)),
        (
            replace(OPEN, cost_max_wei=GAS * 20 * GWEI - 1),
            CapBlocks("cost_max_wei", GAS * 20 * GWEI, GAS * 20 * GWEI - 1),
        ),
        (replace(OPEN, cost_max_wei=0), CapBlocks("cost_max_wei", GAS * 20 * GWEI, 0)),
        (replace(OPEN, budget_a_day_wei=GAS * 25 * GWEI), Fees(25 * GWEI, 3 * GWEI)),
        (
            replace(OPEN, budget_a_day_wei=GAS * 20 * GWEI - 1),
            CapBlocks("budget_a_day_wei", GAS * 20 * GWEI, GAS * 20 * GWEI - 1),
        ),
        (replace(OPEN, budget_a_day_wei=0), CapBlocks("budget_a_day_wei", GAS * 20 * GWEI, 0)),
    ],
)
def test_capped_lowers_to_the_cap_and_blocks_below_the_least(
    rules: Rules, expected: Fees | CapBlocks
) -> None:
    """Between wanted and least it is lowered; below, nothing is sent, and the cap is named."""
    assert within(rules) == expected


def test_capped_by_the_budget_counts_what_the_day_has_spent() -> None:
    """A day that is spent, or overspent, has nothing left."""
    rules = replace(OPEN, budget_a_day_wei=ETHER)
    assert within(rules, spent_wei=ETHER - GAS * 30 * GWEI) == WANTED
    assert within(rules, spent_wei=ETHER - GAS * 21 * GWEI) == Fees(21 * GWEI, 3 * GWEI)
    blocked = within(rules, spent_wei=ETHER - GAS * 20 * GWEI + 1)
    assert blocked == CapBlocks("budget_a_day_wei", GAS * 20 * GWEI, GAS * 20 * GWEI - 1)
    assert isinstance(blocked, CapBlocks)
    assert blocked.summary == (
        "budget_a_day_wei is in the way: at least 2000000000000000 wei would be needed, "
        "1999999999999999 wei are allowed"
    )
    overspent = within(rules, spent_wei=ETHER + 1)
    assert overspent == CapBlocks("budget_a_day_wei", GAS * 20 * GWEI, 0)


def test_capped_tip_stays_within_a_lowered_fee_cap() -> None:
    """A legacy price is lowered as one, and a tip is never above its fee cap."""
    rules = replace(OPEN, fee_cap_max_wei=25 * GWEI)
    legacy = within(rules, wanted=Fees(30 * GWEI, 30 * GWEI), minimum=Fees(20 * GWEI, 20 * GWEI))
    assert legacy == Fees(25 * GWEI, 25 * GWEI)


BLOB_OPEN = replace(OPEN, fee_floor_wei=10**20)
BLOB_WANTED = Fees(30 * GWEI, 3 * GWEI, 8 * GWEI)
BLOB_LEAST = Fees(20 * GWEI, 2 * GWEI, 4 * GWEI)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (BLOB_OPEN, BLOB_WANTED),
        # Without blobs in the market, the floor is what they may cost.
        (replace(BLOB_OPEN, fee_floor_wei=7 * GWEI), Fees(30 * GWEI, 3 * GWEI, 7 * GWEI)),
        (
            replace(BLOB_OPEN, fee_floor_wei=4 * GWEI - 1),
            CapBlocks("market_multiple_max", 4 * GWEI, 4 * GWEI - 1),
        ),
        (
            replace(BLOB_OPEN, cost_max_wei=GAS * 26 * GWEI),
            Fees(22 * GWEI, 3 * GWEI, 4 * GWEI),
        ),
        (
            replace(BLOB_OPEN, cost_max_wei=GAS * 36 * GWEI),
            Fees(30 * GWEI, 3 * GWEI, 6 * GWEI),
        ),
        (
            replace(BLOB_OPEN, cost_max_wei=GAS * 24 * GWEI - 1),
            CapBlocks("cost_max_wei", GAS * 24 * GWEI, GAS * 24 * GWEI - 1),
        ),
    ],
)
def test_capped_with_blobs_counts_their_gas_and_their_price(
    rules: Rules, expected: Fees | CapBlocks
) -> None:
    """Blobs pay out of the same purse: first the least of both, then the gas, then the blobs."""
    assert within(rules, wanted=BLOB_WANTED, minimum=BLOB_LEAST, blob_gas=GAS) == expected


def test_capped_price_of_blobs_is_under_the_cap_of_a_unit() -> None:
    """A unit of blob gas may cost what a unit of gas may."""
    dear = replace(BLOB_LEAST, blob_fee_cap_wei=26 * GWEI)
    floor = replace(OPEN, fee_cap_max_wei=25 * GWEI, fee_floor_wei=10**20)
    blocked = within(floor, wanted=dear, minimum=dear)
    assert blocked == CapBlocks("fee_cap_max_wei", 26 * GWEI, 25 * GWEI)
    lowered = within(floor, wanted=dear, minimum=BLOB_LEAST)
    assert lowered == Fees(20 * GWEI, 2 * GWEI, 25 * GWEI)


def test_capped_without_gas_costs_nothing() -> None:
    """A transaction that was seen with a gas limit of 0 is no division by it."""
    fees = capped(WANTED, LEAST, 0, MARKET, OPEN, spent_today_wei=0)
    assert fees == WANTED


limits = st.integers(0, 10**18)


@given(data=st.data(), is_blob=flags, gas=st.integers(0, 10**8), spent=limits, budget=limits)
def test_capped_fees_are_between_the_least_and_the_wanted_and_under_every_cap(
    data: st.DataObject, is_blob: bool, gas: int, spent: int, budget: int
) -> None:
    """Whatever the policy, what may be signed keeps to all of it, and what is blocked says why."""
    old, market = data.draw(offers(is_blob=is_blob)), data.draw(markets())
    asked = how(is_blob=is_blob, for_besu=data.draw(flags))
    least = minimum_accepted(old, market, **asked)
    wanted = bump(old, market, **asked)
    wanted = least if isinstance(wanted, Free) else wanted
    fee_cap, cost = data.draw(limits), data.draw(limits)
    rules = Rules(
        fee_cap_max_wei=fee_cap,
        market_multiple_max=data.draw(st.integers(0, 10)),
        fee_floor_wei=data.draw(amounts),
        cost_max_wei=data.draw(st.sampled_from([None, cost])),
        budget_a_day_wei=budget,
    )
    blob_gas = data.draw(st.integers(0, 10**6)) if is_blob else 0
    fees = capped(wanted, least, gas, market, rules, spent_today_wei=spent, blob_gas=blob_gas)
    if isinstance(fees, CapBlocks):
        assert fees.allowed_wei is not None
        assert fees.wanted_wei > fees.allowed_wei
        return
    assert least.fee_cap_wei <= fees.fee_cap_wei <= min(wanted.fee_cap_wei, fee_cap)
    assert least.tip_cap_wei <= fees.tip_cap_wei <= min(wanted.tip_cap_wei, fees.fee_cap_wei)
    blob = fees.blob_fee_cap_wei or 0
    assert (least.blob_fee_cap_wei or 0) <= blob <= min(wanted.blob_fee_cap_wei or 0, fee_cap)
    paid = gas * fees.fee_cap_wei + blob_gas * blob
    assert paid <= budget - spent or (paid == 0 and least.fee_cap_wei * gas == 0)
    assert rules.cost_max_wei is None or paid <= rules.cost_max_wei
    multiple = rules.market_multiple_max
    price = 2 * market.base_fee_wei + market.tip_wei
    assert fees.fee_cap_wei <= max(rules.fee_floor_wei, multiple * price)
    assert blob <= max(rules.fee_floor_wei, multiple * 2 * market.blob_base_fee_wei)


# -- what fills a nonce --------------------------------------------------------------------------


def test_fill_fees_are_the_markets_within_the_caps() -> None:
    """Twice the base fee and the usual tip; lowered to a cap; blocked below what a block takes."""
    assert fill_fees(MARKET, OPEN, spent_today_wei=0) == Fees(22 * GWEI, 2 * GWEI)
    tight = replace(OPEN, fee_cap_max_wei=12_250_000_000)
    assert fill_fees(MARKET, tight, spent_today_wei=0) == Fees(12_250_000_000, 2 * GWEI)
    tighter = replace(OPEN, fee_cap_max_wei=12_249_999_999)
    blocked = fill_fees(MARKET, tighter, spent_today_wei=0)
    assert blocked == CapBlocks("fee_cap_max_wei", 12_250_000_000, 12_249_999_999)


def test_fill_fees_count_the_gas_of_a_transfer_unless_told() -> None:
    """The budget is measured by the gas of what will be signed."""
    least = 12_250_000_000
    budget = replace(OPEN, budget_a_day_wei=TRANSFER_GAS * least)
    assert fill_fees(MARKET, budget, spent_today_wei=0) == Fees(least, 2 * GWEI)
    blocked = fill_fees(MARKET, budget, spent_today_wei=0, gas=TRANSFER_GAS + 1)
    assert blocked == CapBlocks(
        "budget_a_day_wei", (TRANSFER_GAS + 1) * least, TRANSFER_GAS * least
    )
    assert TRANSFER_GAS == 21_000


def test_fill_fees_on_a_free_chain_are_free() -> None:
    """Where gas costs nothing, a filler costs nothing, and replaces nothing."""
    assert fill_fees(market_of(0, 0), OPEN, spent_today_wei=0) == Fees(0, 0)
