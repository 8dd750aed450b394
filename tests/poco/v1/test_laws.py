from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from monitor.model import Address
from monitor.poco.v1.compare import compare
from monitor.poco.v1.events import Logged, Reward, Seize, Withdraw
from monitor.poco.v1.laws import LAWS, Hold, check, locked_by
from monitor.poco.v1.replay import Replay, new_state
from monitor.poco.v1.state import Account, ContributionStatus, State, WorkOrderStatus
from monitor.poco.v1.stored import Stored
from tests.poco.v1.by_hand import (
    FAILED,
    FAULTY,
    GOOD,
    HUB,
    IDLE,
    PAID,
    POOL,
    REQUESTER,
    RUNNING,
    SCHEDULER,
    STRANGER,
    UNPAID,
    ledger,
    stored_of,
    with_entry,
)
from tests.poco.v1.world import World, history

Broken = tuple[int, Address | None, Address | None, int | None]
"""Law, account, work order, delta."""


def test_laws_are_numbered_and_say_what_their_check_says() -> None:
    """One row a law, in order, each with its source and a check whose sentence has its number."""
    assert [law.number for law in LAWS] == list(range(1, 9))
    for law in LAWS:
        assert law.source
        assert (law.broken.__doc__ or "").startswith(f"{law.number}. ")


def test_laws_hold_of_a_lawful_ledger() -> None:
    """Nothing is found where nothing is wrong."""
    assert check(ledger(), stored_of(ledger())) == []


def test_laws_hold_of_an_empty_ledger() -> None:
    """A hub in which nothing has happened has nothing."""
    assert check(State(HUB), Stored({}, {}, {}, {}, {}, hub_balance=0)) == []


def replayed(world: World, logged: Iterable[Logged]) -> State:
    replay = Replay(new_state(world.hub), world.facts)
    for each in logged:
        replay.apply(each)
    replay.finish()
    return replay.state


@pytest.mark.parametrize("seed", range(6))
def test_laws_hold_of_whole_histories_as_does_what_is_stored(seed: int) -> None:
    """Re-entrant orders, evictions, strays and failures: nothing lawful is complained of."""
    world = history(seed, workers=8, orders=15)
    state = replayed(world, world.logged)
    assert check(state, world.stored) == []
    assert compare(state, world.stored) == []


@pytest.mark.parametrize(
    ("kind", "laws"), [(Withdraw, {1}), (Reward, {2, 4}), (Seize, {2, 4})], ids=["out", "in", "off"]
)
@pytest.mark.parametrize("seed", [0, 5])
def test_laws_find_one_log_that_is_missing(
    kind: type[Withdraw | Reward | Seize], laws: set[int], seed: int
) -> None:
    """Of each that moved something, by the amount that it moved."""
    world = history(seed, workers=6, orders=30)
    place, amount = [
        (place, each.event.amount)
        for place, each in enumerate(world.logged)
        if isinstance(each.event, kind) and each.event.amount
    ][-1]
    state = replayed(world, world.logged[:place] + world.logged[place + 1 :])
    ((law, _, _, delta),) = [each for each in found(state, world.stored) if each[0] in laws]
    assert law in laws
    assert delta in {amount, -amount}


def found(state: State, stored: Stored) -> list[Broken]:
    differences = check(state, stored)
    assert {each.kind for each in differences} <= {"invariant"}
    return [
        (int(each.why.split()[1].rstrip(":")), each.account, each.task, each.delta)
        for each in differences
    ]


class Spoiler:
    """A lawful ledger, and ways to make it unlawful that can be put one after another."""

    def __init__(self) -> None:
        self.state = ledger()

    def move(self, account: Address, stake: int, locked: int = 0) -> Spoiler:
        self.state.accounts[account].stake += stake
        self.state.accounts[account].locked += locked
        return self

    def log(self, account: Address, total: int) -> Spoiler:
        self.state.logged[account] = total
        return self

    def reward(self, woid: Address, account: Address, stake: int, locked: int) -> Spoiler:
        self.state.work_orders[woid].rewards[account] = (stake, locked)
        return self

    def draw(self, woid: Address, amount: int) -> Spoiler:
        self.state.work_orders[woid].kitty_drawn = amount
        return self

    def join(self, worker: Address) -> Spoiler:
        self.state.affiliations[worker] = POOL
        return self

    def close(self, index: int) -> Spoiler:
        self.state.orders[index].is_closed = True
        return self

    def deposit(self, amount: int) -> Spoiler:
        self.state.deposited += amount
        return self


SPOILED: dict[str, tuple[Callable[[Spoiler], Spoiler], list[Broken]]] = {
    "more is owed than was deposited": (
        lambda s: s.move(GOOD, 1).log(GOOD, 1129),
        [(1, HUB, None, -1), (1, HUB, None, -1)],
    ),
    "more was deposited than is owed": (lambda s: s.deposit(1), [(1, HUB, None, 1)]),
    "accounts have what the events of others brought": (
        lambda s: s.move(GOOD, 1).move(FAULTY, -1),
        [(2, GOOD, None, -1), (2, FAULTY, None, 1)],
    ),
    "events brought something to nobody's account": (
        lambda s: s.log(STRANGER, 4),
        [(2, STRANGER, None, 4)],
    ),
    "an end made something": (
        lambda s: s.reward(UNPAID, FAULTY, 31, -30),
        [(3, None, UNPAID, 1)],
    ),
    "an end burnt something": (lambda s: s.reward(FAILED, HUB, 0, 29), [(3, None, FAILED, -1)]),
    "the hub has something free": (
        lambda s: s.move(HUB, 1, -1),
        [(4, HUB, None, 1), (4, HUB, None, 1), (6, HUB, None, -1)],
    ),
    "the kitty is not what its events made": (lambda s: s.log(HUB, 31), [(4, HUB, None, 1)]),
    "the kitty was drawn from for nobody": (
        lambda s: s.draw(PAID, 29),
        [(6, HUB, None, -1), (8, None, PAID, 1)],
    ),
    "something is locked that nothing holds": (
        lambda s: s.move(FAULTY, -1, 1),
        [(6, FAULTY, None, 1)],
    ),
    "something holds what is not locked": (
        lambda s: s.join(STRANGER),
        [(6, STRANGER, None, -10)],
    ),
    "an order that is closed still holds": (lambda s: s.close(1), [(6, SCHEDULER, None, 30)]),
    "the pot was not paid out": (
        lambda s: s.reward(PAID, SCHEDULER, 61, -30).reward(PAID, HUB, 0, -29),
        [(8, None, PAID, -1)],
    ),
    "more than the pot was paid out": (
        lambda s: s.reward(PAID, SCHEDULER, 63, -30).reward(PAID, HUB, 0, -31),
        [(8, None, PAID, 1)],
    ),
}


@pytest.mark.parametrize("name", SPOILED)
def test_law_that_is_broken_is_named_with_account_task_and_delta(name: str) -> None:
    """Each way to spoil the predicted ledger breaks its law, says by how much, and no other."""
    spoil, expected = SPOILED[name]
    assert found(spoil(Spoiler()).state, stored_of(ledger())) == expected


def test_law_of_an_end_says_where_in_the_chain_it_was() -> None:
    """Block and log index of the closing event; none where the ledger has none."""
    state = Spoiler().reward(UNPAID, FAULTY, 31, -30).state
    (broken,) = check(state, stored_of(ledger()))
    assert (broken.block, broken.log_index) == (13, 4)
    state.work_orders[UNPAID].ended_at = None
    (broken,) = check(state, stored_of(ledger()))
    assert (broken.block, broken.log_index) == (None, None)


@pytest.mark.parametrize("delta", [-1, 0, 1])
def test_law_of_conservation_counts_the_hubs_balance_to_the_last_nrlc(delta: int) -> None:
    """4,000 nRLC of accounts and 5 astray; one more or less is named."""
    stored = replace(stored_of(ledger()), hub_balance=4005 + delta)
    assert found(ledger(), stored) == ([(1, HUB, None, delta)] if delta else [])


@pytest.mark.parametrize("delta", [-1, 1])
@pytest.mark.parametrize("field", [0, 1])
def test_law_of_history_compares_the_counts_of_all_accounts(field: int, delta: int) -> None:
    """Five good, one faulty: either count one off is one difference."""
    counts = [5, 1]
    counts[field] += delta
    stored = with_entry(stored_of(ledger()), "histories", HUB, tuple(counts))
    (broken,) = check(ledger(), stored)
    assert found(ledger(), stored) == [(5, HUB, None, delta)]
    assert ("good", "faulty")[field] in broken.why
    assert (broken.predicted, broken.stored) == ((5, 1)[field], counts[field])


def test_law_of_history_does_not_mind_by_whom_the_counts_are_kept() -> None:
    """A count for each account adds up to the same; none at all was not asked."""
    by_account = replace(stored_of(ledger()), histories={GOOD: (5, 0), FAULTY: (0, 1)})
    assert found(ledger(), by_account) == []
    assert found(ledger(), replace(by_account, histories={})) == []


@pytest.mark.parametrize("delta", [-1, 1])
@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("pool_reward", "reward of the pool"),
        ("stake_amount", "stake of a contribution"),
        ("scheduler_ratio", "scheduler's percentage"),
    ],
)
def test_law_of_terms_names_the_term_that_is_another(field: str, words: str, delta: int) -> None:
    """What was frozen when the work order was bought is still what the pool stores."""
    stored = stored_of(ledger())
    was = stored.work_orders[RUNNING]
    changed: Any = {field: getattr(was, field) + delta}
    spoiled = with_entry(stored, "work_orders", RUNNING, replace(was, **changed))
    assert found(ledger(), spoiled) == [(7, None, RUNNING, delta)]
    assert words in check(ledger(), spoiled)[0].why


def test_law_of_terms_leaves_an_unknown_work_order_to_the_comparison() -> None:
    """It is no term that is wrong there."""
    stored = stored_of(ledger())
    was = stored.work_orders[RUNNING]
    assert found(ledger(), with_entry(stored, "work_orders", STRANGER, was)) == []


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        (GOOD, [Hold("subscription", POOL, 10), Hold("contribution", RUNNING, 30)]),
        (FAULTY, []),
        (SCHEDULER, [Hold("order", 1, 30), Hold("ask_stake", RUNNING, 30)]),
        (REQUESTER, [Hold("value", RUNNING, 100), Hold("emit_cost", RUNNING, 7)]),
        (IDLE, []),
        (HUB, [Hold("kitty", None, 30)]),
    ],
    ids=["good", "faulty", "scheduler", "requester", "idle", "hub"],
)
def test_locked_by_names_what_holds_each_nrlc(account: Address, expected: list[Hold]) -> None:
    """Reason, what it is of, and how much; it adds up to what is locked."""
    assert locked_by(ledger(), account) == expected
    locked = ledger().accounts.get(account, Account()).locked
    assert sum(hold.amount for hold in expected) == locked


@pytest.mark.parametrize(
    ("status", "is_held"),
    [
        (WorkOrderStatus.ACTIVE, True),
        (WorkOrderStatus.REVEALING, True),
        (WorkOrderStatus.CLAIMED, False),
        (WorkOrderStatus.COMPLETED, False),
    ],
)
def test_locked_by_a_work_order_until_it_ends(status: WorkOrderStatus, *, is_held: bool) -> None:
    """Active or revealing it holds stakes, price and value; ended it holds nothing."""
    state = ledger()
    state.work_orders[RUNNING].status = status
    assert bool(locked_by(state, REQUESTER)) is is_held
    assert (Hold("contribution", RUNNING, 30) in locked_by(state, GOOD)) is is_held


@pytest.mark.parametrize("status", ContributionStatus)
def test_locked_by_a_contribution_whatever_has_become_of_it(status: ContributionStatus) -> None:
    """Proved or rejected, the stake stays locked until the work order's end."""
    state = ledger()
    state.work_orders[RUNNING].contributions[GOOD].status = status
    assert Hold("contribution", RUNNING, 30) in locked_by(state, GOOD)


def test_locked_by_leaves_out_what_holds_nothing() -> None:
    """Terms of 0 nRLC, as in the first workerdrops, are no reason."""
    state = ledger()
    state.work_orders[RUNNING].stake_amount = 0
    state.pools[POOL].subscription_lock = 0
    assert locked_by(state, GOOD) == []
