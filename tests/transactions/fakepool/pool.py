"""A transaction pool: what is pooled, what of it is executable, what is announced. Pure.

What is pending and what is queued follows from the account's nonce at the head, so that nothing has
to be kept in step; what has been announced is remembered, since a pool announces once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.transactions.fakepool.admission import admit
from tests.transactions.fakepool.checks import Account, Head, Settings, check_account, check_bytes
from tests.transactions.fakepool.contents import Contents, Entry
from tests.transactions.fakepool.dialects import Dialect
from tests.transactions.fakepool.refusals import Refusal, Refused
from tests.transactions.fakepool.signed import BLOB, Signed


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an event did to the pool."""

    announced: tuple[Signed, ...] = ()
    """Told to the peers, now and never again."""
    replaced: Signed | None = None
    evicted: tuple[Signed, ...] = ()
    """Pushed out by a better one, or unpayable, or below the base fee where that is not kept."""
    used: tuple[Entry, ...] = ()
    """Their nonces are in the chain."""
    is_dropped: bool = False
    """The newcomer was reported as taken, and is not there."""


class Pool(Contents):
    """The pool of one node."""

    def __init__(self, dialect: Dialect, head: Head, settings: Settings | None = None) -> None:
        super().__init__(dialect, head, settings)
        self._announced: set[str] = set()

    def add(self, transaction: Signed, *, is_local: bool) -> Change:
        """Take a transaction, or raise Refused. The sender's account must be known."""
        tx = transaction
        if tx.hash in self:
            raise Refused(Refusal.KNOWN, hash=tx.hash)
        is_own = is_local and not self.settings.no_locals
        check_bytes(tx, self.dialect, self.settings, self.head, is_local=is_local)
        check_account(tx, self.dialect, self.accounts[tx.sender])
        old = next((other for other in self.of(tx.sender) if other.nonce == tx.nonce), None)
        evicted = admit(self, tx, old, is_own=is_own)
        if evicted is None:
            return Change(is_dropped=True)
        for victim in (*evicted, *([old] if old else [])):
            self.drop(victim.hash)
        self._entries[tx.hash] = Entry(tx, is_own)
        return Change(announced=self._promote(), replaced=old, evicted=evicted)

    def move(self, head: Head, accounts: Mapping[str, Account]) -> Change:
        """Stand on another head, with every pooled sender's account at it."""
        self.head = head
        self.accounts = dict(accounts)
        used, evicted = [], []
        for entry in tuple(self._entries.values()):
            transaction = entry.transaction
            account = self.accounts[transaction.sender]
            is_below = transaction.fee_cap_wei < head.base_fee_wei
            if transaction.nonce < account.nonce:
                used.append(entry)
            elif (
                transaction.cost_wei > account.balance_wei and self.dialect.unpayable == "dropped"
            ) or (is_below and self.dialect.below_base_fee == "refused"):
                evicted.append(transaction)
            else:
                continue
            self.drop(transaction.hash)
        return Change(announced=self._promote(), used=tuple(used), evicted=tuple(evicted))

    def drop(self, hash_: str) -> None:
        """Forget one; what came after it is not executable any more."""
        self._entries.pop(hash_, None)
        self._announced.discard(hash_)

    def wipe(self) -> None:
        self._entries.clear()
        self._announced.clear()

    def restart(self, *, has_journal: bool = True) -> tuple[Signed, ...]:
        """Come up again with what this client keeps; the result is announced anew."""
        keeps = self.dialect.keeps if has_journal else "nothing"
        self._announced.clear()
        self._entries = {
            hash_: entry
            for hash_, entry in self._entries.items()
            if keeps == "all"
            or (keeps == "locals" and entry.is_local)
            or (keeps == "blobs" and entry.transaction.type == BLOB)
        }
        return self._promote()

    def local_pending(self) -> list[Signed]:
        """Its own that are executable, the best paid first."""
        base_fee = self.head.base_fee_wei
        own = [t for t, p in self.places() if p == "pending" and self._entries[t.hash].is_local]
        return sorted(own, key=lambda transaction: -transaction.tip_wei(base_fee))

    def _promote(self) -> tuple[Signed, ...]:
        """What is executable and was never announced; from now on it was."""
        fee_min = self.head.base_fee_wei * self.dialect.announce_percent
        fresh = tuple(
            transaction
            for transaction, place in self.places()
            if place == "pending"
            and transaction.hash not in self._announced
            and transaction.fee_cap_wei * 100 >= fee_min
        )
        self._announced.update(transaction.hash for transaction in fresh)
        return fresh
