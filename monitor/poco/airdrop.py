"""An equal-split token distribution, against what was paid.

An airdrop is plain ERC-20 transfers, outside the hub: N units to W wallets, floor(N / W) each, the
remainder stated and paid to nobody. Amounts are the token's smallest units (RLC: 10^-9).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from monitor.model import Address, Hash32

Standing = Literal["exact", "missing", "short", "twice", "over", "stranger"]


class Shares(NamedTuple):
    """What an equal split gives."""

    each: int
    remainder: int
    """Too small to be split: less than one unit for each wallet."""
    expected: Mapping[Address, int]
    """Wallet -> `each`, in the order given."""


class Transfer(NamedTuple):
    """One `Transfer` event of the token."""

    sender: Address
    recipient: Address
    amount: int
    block: int
    log_index: int
    transaction: Hash32


class Payment(NamedTuple):
    """One wallet: what it should have, and what it got."""

    wallet: Address
    standing: Standing
    """`twice`: paid its whole share more than once; `over`: too much in any other way;
    `stranger`: not on the list."""
    expected: int
    paid: int
    transfers: tuple[Transfer, ...]
    """In the order of the chain."""

    @property
    def delta(self) -> int:
        """What was paid minus what should have been."""
        return self.paid - self.expected


@dataclass(frozen=True, slots=True)
class AirdropReport:
    """Every wallet of the list in its order, then the strangers by address."""

    payer: Address
    payments: tuple[Payment, ...]

    @property
    def is_exact(self) -> bool:
        """Whether every wallet has its share to the last unit, and nobody else has anything."""
        return all(payment.standing == "exact" for payment in self.payments)

    @property
    def expected(self) -> int:
        return sum(payment.expected for payment in self.payments)

    @property
    def paid(self) -> int:
        return sum(payment.paid for payment in self.payments)

    @property
    def counts(self) -> Mapping[Standing, int]:
        """Standing -> wallets; standings that nobody has are absent."""
        return Counter(payment.standing for payment in self.payments)

    @property
    def wrong(self) -> tuple[Payment, ...]:
        return tuple(payment for payment in self.payments if payment.standing != "exact")


def shares(total: int, wallets: Sequence[Address]) -> Shares:
    """The split of `total` units over the wallets: floor, and what is left over.

    Raises ValueError for a negative total, for no wallets, and for one that is listed twice: who
    is meant by it cannot be guessed.
    """
    if total < 0:
        message = f"{total} units cannot be shared out"
        raise ValueError(message)
    if not wallets:
        message = "no wallets to share between"
        raise ValueError(message)
    repeated = [wallet for wallet, count in Counter(wallets).items() if count > 1]
    if repeated:
        message = f"listed more than once: {', '.join(repeated)}"
        raise ValueError(message)
    each, remainder = divmod(total, len(wallets))
    return Shares(each, remainder, dict.fromkeys(wallets, each))


def verify(
    payer: Address, expected: Mapping[Address, int], transfers: Iterable[Transfer]
) -> AirdropReport:
    """Compare what the payer sent with what each wallet should have, wallet by wallet.

    Transfers of others are not the payer's, and are left out. So are transfers of nothing, which
    anybody can make in another's name (ERC-20 `transferFrom` of 0 needs no allowance), and what
    the payer sends to itself without being on the list. Instalments that add up are exact.
    """
    received: dict[Address, list[Transfer]] = {}
    for transfer in sorted(transfers, key=lambda each: (each.block, each.log_index)):
        is_idle = transfer.recipient == payer and payer not in expected
        if transfer.sender == payer and transfer.amount and not is_idle:
            received.setdefault(transfer.recipient, []).append(transfer)
    strangers = sorted(received.keys() - expected.keys())
    return AirdropReport(
        payer,
        (
            *(_payment(wallet, due, received.get(wallet, [])) for wallet, due in expected.items()),
            *(_payment(wallet, None, received[wallet]) for wallet in strangers),
        ),
    )


def _payment(wallet: Address, due: int | None, transfers: Sequence[Transfer]) -> Payment:
    paid = sum(transfer.amount for transfer in transfers)
    return Payment(wallet, _standing(due, paid, transfers), due or 0, paid, tuple(transfers))


def _standing(due: int | None, paid: int, transfers: Sequence[Transfer]) -> Standing:
    if due is None:
        return "stranger"
    if paid == due:
        return "exact"
    if not paid:
        return "missing"
    if paid < due:
        return "short"
    is_repeated = len(transfers) > 1 and all(transfer.amount == due for transfer in transfers)
    return "twice" if is_repeated else "over"
