"""What is in a pool: which of it is executable follows from the account's nonce at the head. Pure.

So nothing has to be kept in step: a gap that fills or a block that comes promotes by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tests.transactions.fakepool.checks import Account, Head, Settings
from tests.transactions.fakepool.dialects import Dialect
from tests.transactions.fakepool.signed import Signed

Place = Literal["pending", "parked", "queued"]
"""Executable; executable but for the base fee, in pools that keep those apart; not executable."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One pooled transaction."""

    transaction: Signed
    is_local: bool


class Contents:
    """Everything one node has pooled, on the head that it sees."""

    def __init__(self, dialect: Dialect, head: Head, settings: Settings | None = None) -> None:
        self.dialect = dialect
        self.head = head
        self.settings = settings or Settings()
        self.accounts: dict[str, Account] = {}
        """The senders at the head."""
        self._entries: dict[str, Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, hash_: str) -> bool:
        return hash_ in self._entries

    def get(self, hash_: str) -> Signed | None:
        entry = self._entries.get(hash_)
        return entry.transaction if entry else None

    @property
    def senders(self) -> set[str]:
        return {transaction.sender for transaction in self.transactions()}

    def transactions(self) -> list[Signed]:
        return [entry.transaction for entry in self._entries.values()]

    def of(self, sender: str) -> list[Signed]:
        """The sender's transactions, nonces ascending."""
        theirs = [one for one in self.transactions() if one.sender == sender]
        return sorted(theirs, key=lambda transaction: transaction.nonce)

    def places(self) -> Iterator[tuple[Signed, Place]]:
        """Everything that is pooled, and how; by sender and nonce."""
        for sender in sorted(self.senders):
            yield from self._places(sender)

    def place(self, hash_: str) -> Place | None:
        transaction = self.get(hash_)
        if transaction is None:
            return None
        return next(p for t, p in self._places(transaction.sender) if t is transaction)

    def next_nonce(self, sender: str) -> int:
        """The nonce after the account's last executable one: what `pending` counts."""
        nonce = self.accounts[sender].nonce
        for transaction in self.of(sender):
            nonce += transaction.nonce == nonce
        return nonce

    def executable(self) -> list[Signed]:
        """What a block producer could take now: pending, and not below the base fee."""
        base_fee = self.head.base_fee_wei
        return [t for t, p in self.places() if p == "pending" and t.fee_cap_wei >= base_fee]

    @property
    def is_full(self) -> bool:
        limit = self.settings.slots_max
        return limit is not None and len(self) >= limit

    def _places(self, sender: str) -> Iterator[tuple[Signed, Place]]:
        account = self.accounts[sender]
        place: Place = "pending"
        for nonce, transaction in enumerate(self.of(sender), account.nonce):
            if transaction.nonce != nonce or transaction.cost_wei > account.balance_wei:
                place = "queued"
            elif (
                place == "pending"
                and self.dialect.below_base_fee == "parked"
                and transaction.fee_cap_wei < self.head.base_fee_wei
            ):
                place = "parked"
            yield transaction, place
