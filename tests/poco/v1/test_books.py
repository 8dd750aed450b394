"""Accounts and scores as the hub moves them; what it would have refused is said, and done."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from monitor.model import Address
from monitor.poco.difference import Difference
from monitor.poco.v1 import events as e
from monitor.poco.v1.books import Books
from monitor.poco.v1.events import Logged
from monitor.poco.v1.movement import Movement
from monitor.poco.v1.state import NO_HASH, Account, State
from tests.poco.v1.by_hand import GOOD as USER
from tests.poco.v1.by_hand import HUB, OWNER
from tests.poco.v1.by_hand import PAID as WOID

AT = Logged(5, 3, NO_HASH, e.Deposit(USER, 0))


class Kept:
    """Books over one account, with all that they say."""

    def __init__(self, stake: int = 100, locked: int = 50, *, is_watched: bool = True) -> None:
        self.state = State(HUB, accounts={USER: Account(stake, locked)}, scores={USER: 7})
        self.movements: list[Movement] = []
        self.differences: list[Difference] = []
        watch = self.movements.append if is_watched else None
        self.books = Books(self.state, watch, self.differences)

    @property
    def account(self) -> tuple[int, int]:
        account = self.state.accounts[USER]
        return account.stake, account.locked

    @property
    def told(self) -> list[tuple[str, int]]:
        return [(each.field, each.delta) for each in self.movements]


Move = Callable[[Books, int], None]
MOVES: dict[str, tuple[Move, int, int, list[str]]] = {
    "credit": (lambda b, x: b.credit(AT, USER, x, "reward", WOID), 1, 0, ["stake"]),
    "withdraw": (lambda b, x: b.withdraw(AT, USER, x), -1, 0, ["stake"]),
    "seize": (lambda b, x: b.seize(AT, USER, x, "seize", WOID), 0, -1, ["locked"]),
    "lock": (lambda b, x: b.lock(AT, USER, x, "bought", WOID), -1, 1, ["stake", "locked"]),
    "unlock": (lambda b, x: b.unlock(AT, USER, x, "unlocked", WOID), 1, -1, ["locked", "stake"]),
}
"""What is called, and by how much an amount of 1 changes free and locked; in which order told."""
TAKEN = [("withdraw", 100), ("lock", 100), ("seize", 50), ("unlock", 50)]
"""What there is of that from which it takes."""


@pytest.mark.parametrize(("move", "stake", "locked", "fields"), MOVES.values(), ids=MOVES)
@pytest.mark.parametrize("amount", [0, 1, 50])
def test_books_move_and_tell(
    move: Move, stake: int, locked: int, fields: list[str], amount: int
) -> None:
    """Each change of each side is told, a zero too; who is not watched is moved the same."""
    kept, unwatched = Kept(), Kept(is_watched=False)
    move(kept.books, amount)
    move(unwatched.books, amount)
    assert kept.account == unwatched.account == (100 + stake * amount, 50 + locked * amount)
    deltas = {"stake": stake * amount, "locked": locked * amount}
    assert kept.told == [(field, deltas[field]) for field in fields]
    assert (kept.differences, unwatched.movements) == ([], [])
    for movement in kept.movements:
        assert movement[:4] == (5, 3, NO_HASH, USER)


@pytest.mark.parametrize(("name", "has"), TAKEN, ids=[name for name, _ in TAKEN])
def test_books_take_more_than_there_is_with_a_difference(name: str, has: int) -> None:
    """All of it is right; one nRLC more would have reverted, and is taken all the same."""
    move, stake, locked, _ = MOVES[name]
    kept = Kept()
    move(kept.books, has)
    assert kept.differences == []
    kept = Kept()
    move(kept.books, has + 1)
    (difference,) = kept.differences
    assert difference.kind == ("stake" if has == 100 else "locked")
    assert (difference.predicted, difference.logged, difference.delta) == (has, has + 1, 1)
    assert (difference.account, difference.block, difference.log_index) == (USER, 5, 3)
    assert difference.task == (None if name == "withdraw" else WOID)
    assert (" free, " if has == 100 else " locked, ") in difference.why
    assert kept.account == (100 + stake * (has + 1), 50 + locked * (has + 1))


def test_books_score_tells_how_far_it_moved() -> None:
    """A worker without a score has 0."""
    kept = Kept()
    kept.books.score(AT, USER, 0, "faulty", WOID)
    kept.books.score(AT, OWNER, 1, "proved", WOID)
    assert kept.state.scores == {USER: 0, OWNER: 1}
    assert kept.told == [("score", -7), ("score", 1)]
    assert [(each.reason, each.task) for each in kept.movements] == [
        ("faulty", WOID),
        ("proved", WOID),
    ]
    unwatched = Kept(is_watched=False)
    unwatched.books.score(AT, USER, 0, "faulty", WOID)
    assert unwatched.state.scores == {USER: 0}


def test_books_open_an_account_for_a_stranger() -> None:
    """Everybody has one, and nothing in it."""
    kept = Kept()
    stranger = Address(OWNER)
    kept.books.credit(AT, stranger, 5, "deposit")
    assert kept.state.accounts[stranger] == Account(5, 0)
    assert kept.movements == [Movement(5, 3, NO_HASH, stranger, "stake", 5, "deposit", None)]
