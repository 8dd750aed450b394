"""The accounts and scores of the hub, moved as its own functions move them.

What would have reverted on the chain (an account that has less than is taken) is written down as a
difference and done all the same: the ledger stays a sum, and what follows is still compared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from monitor.model import Address
from monitor.poco.difference import Difference
from monitor.poco.v1.events import Logged
from monitor.poco.v1.movement import Field, Movement, Reason
from monitor.poco.v1.state import Account, State

Watch: TypeAlias = Callable[[Movement], None]


class Books:
    """Writes into a state; tells a watch, if there is one, of every movement."""

    def __init__(self, state: State, watch: Watch | None, differences: list[Difference]) -> None:
        self._accounts = state.accounts
        self._scores = state.scores
        self._is_watched = watch is not None
        self._watch: Watch = watch if watch is not None else lambda movement: None
        self._differences = differences

    def credit(
        self, at: Logged, owner: Address, amount: int, reason: Reason, task: Address | None = None
    ) -> None:
        """Stake up (`IexecHub.deposit`, `reward`)."""
        self._account(owner).stake += amount
        if self._is_watched:
            self._tell(at, owner, ("stake", amount), reason, task)

    def withdraw(self, at: Logged, owner: Address, amount: int) -> None:
        """Stake down (`IexecHub.withdraw`)."""
        account = self._account(owner)
        if account.stake < amount:
            self._overdrawn(at, owner, ("stake", account.stake), amount, None)
        account.stake -= amount
        if self._is_watched:
            self._tell(at, owner, ("stake", -amount), "withdraw", None)

    def seize(
        self, at: Logged, owner: Address, amount: int, reason: Reason, task: Address | None = None
    ) -> None:
        """Locked stake down (`IexecHub.seize`)."""
        account = self._account(owner)
        if account.locked < amount:
            self._overdrawn(at, owner, ("locked", account.locked), amount, task)
        account.locked -= amount
        if self._is_watched:
            self._tell(at, owner, ("locked", -amount), reason, task)

    def lock(
        self, at: Logged, owner: Address, amount: int, reason: Reason, task: Address | None = None
    ) -> None:
        """From free to locked (`IexecHub.lock`)."""
        account = self._account(owner)
        if account.stake < amount:
            self._overdrawn(at, owner, ("stake", account.stake), amount, task)
        account.stake -= amount
        account.locked += amount
        if self._is_watched:
            self._tell(at, owner, ("stake", -amount), reason, task)
            self._tell(at, owner, ("locked", amount), reason, task)

    def unlock(
        self, at: Logged, owner: Address, amount: int, reason: Reason, task: Address | None = None
    ) -> None:
        """From locked to free (`IexecHub.unlock`)."""
        account = self._account(owner)
        if account.locked < amount:
            self._overdrawn(at, owner, ("locked", account.locked), amount, task)
        account.locked -= amount
        account.stake += amount
        if self._is_watched:
            self._tell(at, owner, ("locked", -amount), reason, task)
            self._tell(at, owner, ("stake", amount), reason, task)

    def score(
        self, at: Logged, worker: Address, new: int, reason: Reason, task: Address | None
    ) -> None:
        """A worker's score becomes what it now is."""
        old = self._scores.get(worker, 0)
        self._scores[worker] = new
        if self._is_watched:
            self._tell(at, worker, ("score", new - old), reason, task)

    def _account(self, owner: Address) -> Account:
        account = self._accounts.get(owner)
        if account is None:
            account = self._accounts[owner] = Account()
        return account

    def _tell(
        self,
        at: Logged,
        owner: Address,
        change: tuple[Field, int],
        reason: Reason,
        task: Address | None,
    ) -> None:
        field, delta = change
        place = at.block, at.log_index, at.transaction
        self._watch(Movement(*place, owner, field, delta, reason, task))

    def _overdrawn(
        self,
        at: Logged,
        owner: Address,
        found: tuple[Field, int],
        amount: int,
        task: Address | None,
    ) -> None:
        field, has = found
        word = "free" if field == "stake" else "locked"
        self._differences.append(
            Difference(
                kind="stake" if field == "stake" else "locked",
                why=f"{amount} nRLC are taken of {has} that {owner} has {word}, where the hub "
                f"would have reverted",
                account=owner,
                task=task,
                predicted=has,
                logged=amount,
                delta=amount - has,
                block=at.block,
                transaction=at.transaction,
                log_index=at.log_index,
            )
        )
