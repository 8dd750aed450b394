from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Address, Hash32
from monitor.poco.airdrop import Transfer, shares, verify

RLC = 10**9
PAYER = Address("0x" + "fe" * 20)
OTHER = Address("0x" + "fd" * 20)
WALLETS = [Address(f"0x{number:040x}") for number in range(1, 312)]
FIRST, SECOND, STRANGER = WALLETS[0], WALLETS[1], Address("0x" + "ee" * 20)
NUMBERS = st.integers(min_value=0, max_value=10**30)


def sent(
    recipient: Address, amount: int, *, sender: Address = PAYER, block: int = 1, at: int = 0
) -> Transfer:
    return Transfer(sender, recipient, amount, block, at, Hash32(f"0x{block:064x}"))


def test_shares_of_the_airdrop_of_2018_are_known_to_the_last_unit() -> None:
    """2,000 RLC for 311 wallets: 6.430868167 RLC each, 63 nRLC over."""
    split = shares(2000 * RLC, WALLETS)
    assert (split.each, split.remainder) == (6_430_868_167, 63)
    assert list(split.expected) == WALLETS
    assert set(split.expected.values()) == {split.each}


@given(total=NUMBERS, count=st.integers(min_value=1, max_value=len(WALLETS)))
def test_shares_of_any_total_add_up_and_leave_less_than_one_each(total: int, count: int) -> None:
    """Nothing is created, nothing vanishes, and no larger equal share would have been possible."""
    split = shares(total, WALLETS[:count])
    assert sum(split.expected.values()) + split.remainder == total
    assert 0 <= split.remainder < count


@pytest.mark.parametrize(
    ("total", "wallets", "words"),
    [
        (-1, WALLETS, "-1 units cannot be shared out"),
        (1, [], "no wallets to share between"),
        (9, [FIRST, SECOND, FIRST], f"listed more than once: {FIRST}"),
    ],
)
def test_shares_of_what_cannot_be_split_are_refused(
    total: int, wallets: list[Address], words: str
) -> None:
    """A list that cannot be meant is not interpreted."""
    with pytest.raises(ValueError, match=words):
        shares(total, wallets)


@pytest.mark.parametrize(
    ("amounts", "standing", "delta"),
    [
        ([10], "exact", 0),
        ([4, 6], "exact", 0),
        ([], "missing", -10),
        ([0], "missing", -10),
        ([9], "short", -1),
        ([4, 5], "short", -1),
        ([11], "over", 1),
        ([10, 1], "over", 1),
        ([20], "over", 10),
        ([10, 10], "twice", 10),
        ([10, 10, 10], "twice", 20),
        ([10, 10, 9], "over", 19),
    ],
)
def test_verify_names_how_a_wallet_stands(amounts: list[int], standing: str, delta: int) -> None:
    """Below, at and above the share, in one transfer or in several."""
    transfers = [sent(FIRST, amount, at=place) for place, amount in enumerate(amounts)]
    (payment,) = verify(PAYER, {FIRST: 10}, transfers).payments
    assert (payment.standing, payment.delta) == (standing, delta)
    assert [transfer.amount for transfer in payment.transfers] == [a for a in amounts if a]


def test_verify_names_a_stranger_with_what_it_got() -> None:
    """Whoever is not on the list and was paid is named after the list, by address."""
    report = verify(PAYER, {FIRST: 10}, [sent(STRANGER, 3), sent(SECOND, 2), sent(FIRST, 10)])
    assert [payment.wallet for payment in report.payments] == [FIRST, SECOND, STRANGER]
    assert [payment.standing for payment in report.wrong] == ["stranger", "stranger"]
    assert report.counts == {"exact": 1, "stranger": 2}
    assert (report.expected, report.paid, report.is_exact) == (10, 15, False)


def test_verify_leaves_out_what_is_no_payment_of_the_payer() -> None:
    """Transfers of others, of nothing, and of the payer to itself change nothing."""
    transfers = [
        sent(FIRST, 10),
        sent(FIRST, 10, sender=OTHER),
        sent(STRANGER, 0),
        sent(PAYER, 7),
    ]
    report = verify(PAYER, {FIRST: 10}, transfers)
    assert [payment.wallet for payment in report.payments] == [FIRST]
    assert report.is_exact


def test_verify_counts_what_a_payer_on_the_list_pays_itself() -> None:
    """A payer that is one of the wallets is treated as all of them are."""
    assert verify(PAYER, {PAYER: 7}, [sent(PAYER, 7)]).is_exact


def test_verify_lists_transfers_in_the_order_of_the_chain() -> None:
    """Block first, log index second, whatever order they came in."""
    transfers = [sent(FIRST, 1, block=2), sent(FIRST, 2, at=3), sent(FIRST, 3, at=1)]
    (payment,) = verify(PAYER, {FIRST: 6}, transfers).payments
    assert [transfer.amount for transfer in payment.transfers] == [3, 2, 1]


def test_verify_of_a_share_of_nothing_needs_no_transfer() -> None:
    """A wallet that is due nothing and got nothing is exact, not missing; one unit is over."""
    assert verify(PAYER, {FIRST: 0}, []).is_exact
    (payment,) = verify(PAYER, {FIRST: 0}, [sent(FIRST, 1)]).payments
    assert payment.standing == "over"


@given(
    total=st.integers(min_value=311, max_value=10**20),
    spoiled=st.dictionaries(
        st.integers(min_value=0, max_value=310),
        st.integers(min_value=-(10**9), max_value=10**9).filter(bool),
        max_size=5,
    ),
)
def test_verify_of_a_spoiled_distribution_finds_exactly_what_was_spoiled(
    total: int, spoiled: dict[int, int]
) -> None:
    """Each wallet that was paid another amount is named with the difference, and no other is."""
    split = shares(total, WALLETS)
    paid = {
        wallet: max(0, split.each + spoiled.get(place, 0)) for place, wallet in enumerate(WALLETS)
    }
    report = verify(PAYER, split.expected, [sent(wallet, n) for wallet, n in paid.items()])
    assert {payment.wallet: payment.delta for payment in report.wrong} == {
        WALLETS[place]: paid[WALLETS[place]] - split.each for place in spoiled
    }
    assert report.is_exact is not bool(spoiled)
