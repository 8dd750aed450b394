from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from monitor.ledger.v1.explain_account import ENTRIES, explain_account
from monitor.ledger.words import rlc
from monitor.model import Address, Hash32
from monitor.poco.v1.compare import asked_of
from monitor.poco.v1.facts import Facts
from monitor.poco.v1.laws import LIVE, locked_by
from monitor.poco.v1.movement import Field, Movement, Reason
from monitor.poco.v1.replay import Replay, new_state
from monitor.poco.v1.state import State
from tests.ledger.v1.stories import (
    FIRST,
    OWNER,
    REQUESTER,
    SCHEDULER,
    SECOND,
    Told,
    Year,
    a_year,
    announced,
)
from tests.poco.v1.by_hand import (
    FAULTY,
    GOOD,
    IDLE,
    ORDER,
    PAID,
    RUNNING,
    STRANGER,
    ledger,
)
from tests.poco.v1.world import history

GOLDEN = Path(__file__).parent / "golden"
FACTS = Facts(orders={1: ORDER})
year = cache(a_year)


def golden(name: str) -> str:
    return (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


def told(ledger_told: Told, account: Address) -> str:
    return explain_account(ledger_told.state, ledger_told.facts, ledger_told.movements, account)


def moved(
    account: Address, field: Field, delta: int, reason: Reason, *, block: int = 9
) -> Movement:
    return Movement(block, 12, Hash32("0x" + "77" * 32), account, field, delta, reason, PAID)


def of_the_hub(past: Year) -> Address:
    return past.told.state.hub


@pytest.mark.parametrize(
    ("name", "account"),
    [
        ("account-worker", FIRST),
        ("account-scheduler", SCHEDULER),
        ("account-requester", REQUESTER),
        ("account-owner", OWNER),
    ],
)
def test_explain_account_of_a_whole_history_is_the_golden_text(name: str, account: Address) -> None:
    """A worker that met with everything, its scheduler, its requester, and who owns the app."""
    assert told(year().told, account) == golden(name)


def test_explain_account_of_the_hub_is_the_golden_text() -> None:
    """What it has is the kitty."""
    past = year()
    assert told(past.told, past.told.state.hub) == golden("account-hub")


def test_explain_account_of_the_announcements_worker_is_the_golden_text() -> None:
    """The worker with the score 4, whose part of 45 RLC is 14.85."""
    ledger_told, _ = announced()
    text = told(ledger_told, SECOND)
    assert text == golden("account-announced")
    assert "44.550000000 RLC × 3 / 9, rounded down: 14.850000000 RLC" in text


@pytest.mark.parametrize("seed", range(3))
def test_explain_account_of_anybody_adds_up(seed: int) -> None:
    """Entries make the total, holds make what is locked; and nobody of the ledger is unknown."""
    world = history(seed, workers=8, orders=12)
    movements: list[Movement] = []
    replay = Replay(new_state(world.hub), world.facts, movements.append)
    for logged in world.logged:
        replay.apply(logged)
    replay.finish()
    state = replay.state
    for account in asked_of(state).accounts:
        text = explain_account(state, world.facts, movements, account)
        stake, locked = world.stored.accounts.get(account, (0, 0))
        assert f"{rlc(stake)} free, {rlc(locked)} locked" in text.splitlines()[0]
        assert "before that" not in text
        assert sum(hold.amount for hold in locked_by(state, account)) == locked
        assert text.count("\n  Its reward: ") == sum(
            each.account == account and each.reason == "reward" for each in movements
        )


def test_explain_account_of_a_stranger_says_so() -> None:
    """Not an empty page: nobody of this name was ever heard of."""
    text = explain_account(ledger(), FACTS, [], STRANGER)
    assert text == f"{STRANGER} is no account of this ledger.\n"


def test_explain_account_leaves_out_what_is_of_others() -> None:
    """The movements may be those of the whole ledger."""
    others = [moved(FAULTY, "score", -50, "faulty"), moved(FAULTY, "stake", 7, "deposit")]
    both = explain_account(ledger(), FACTS, others, GOOD)
    assert both == explain_account(ledger(), FACTS, [], GOOD)


def test_explain_account_says_what_was_there_before_the_movements() -> None:
    """A history that begins in the middle is not passed off as the whole."""
    text = explain_account(ledger(), FACTS, [moved(GOOD, "stake", 128, "reward")], GOOD)
    assert [line.split() for line in text.splitlines()[5:8]] == [
        ["before", "that", "+0.000001000"],
        ["rewards", "for", "right", "results", "1", "+0.000000128"],
        ["in", "all,", "free", "and", "locked", "0.000001128"],
    ]


def test_explain_account_counts_an_event_once_whatever_it_moves() -> None:
    """A claim rewards and locks in one: three movements of the hub, one addition to the kitty."""
    state = ledger()
    moves: list[tuple[Field, int]] = [("stake", 30), ("stake", -30), ("locked", 30)]
    own = [moved(state.hub, field, delta, "kitty_in") for field, delta in moves]
    text = explain_account(state, FACTS, own, state.hub)
    row = next(line for line in text.splitlines() if ENTRIES["kitty_in"] in line)
    assert row.split()[-2:] == ["1", "+0.000000030"]


@pytest.mark.parametrize(
    ("before", "delta", "words"),
    [
        (60, -50, "50 less"),
        (50, -50, "50 less"),
        (49, -49, "50 less, but never below 0"),
        (0, 0, "50 less, but never below 0"),
    ],
)
def test_explain_account_tells_a_whole_slash_from_one_that_ends_at_zero(
    before: int, delta: int, words: str
) -> None:
    """Below, at and above the 50 points that a faulty contribution costs."""
    state = ledger()
    state.scores[FAULTY] = before + delta
    text = explain_account(state, FACTS, [moved(FAULTY, "score", delta, "faulty")], FAULTY)
    row = next(line for line in text.splitlines() if f"faulty in {PAID}" in line)
    assert row.endswith(f"faulty in {PAID}: {words}")
    assert row.split()[2:4] == [f"{delta:+,}", str(before + delta)]


def test_explain_account_of_a_score_says_what_the_next_contribution_weighs() -> None:
    """A score is of interest for what it will bring."""
    text = explain_account(ledger(), FACTS, [moved(GOOD, "score", 1, "proved")], GOOD)
    assert "with score 5: 1 + log2(5) rounded up = 1 + 3 = 4." in text


def test_explain_account_of_a_faulty_one_without_its_movement_still_says_why() -> None:
    """By how much the score fell is in the movements alone."""
    text = explain_account(ledger(), FACTS, [], FAULTY)
    assert "Why: its result (0x222222…222222) was not the one agreed on" in text
    assert "It lost its stake of 0.000000030 RLC.\n" in text
    fell = explain_account(ledger(), FACTS, [moved(FAULTY, "score", -50, "faulty")], FAULTY)
    assert "It lost its stake of 0.000000030 RLC, and 50 points of its score.\n" in fell


@pytest.mark.parametrize("is_known", [True, False])
def test_explain_account_names_the_time_allowed_where_its_category_is_known(
    *, is_known: bool
) -> None:
    """Ten clocks of the category of the market order."""
    text = explain_account(ledger(), FACTS if is_known else Facts(), [], GOOD)
    assert (f"work order {RUNNING} (time allowed: 3,000 s)" in text) is is_known
    assert f"it contributed to the work order {RUNNING}" in text


def test_explain_account_of_an_idle_worker_says_that_nothing_is_at_stake() -> None:
    """Authorised is not contributed."""
    text = explain_account(ledger(), FACTS, [], IDLE)
    assert f"{RUNNING} (active): authorised, has not contributed." in text
    assert "What holds the locked RLC" not in text


def test_explain_account_of_locks_without_a_work_order_says_nothing_of_ends() -> None:
    """A subscription does not wait for anybody's claim."""
    state = ledger()
    for order in state.work_orders.values():
        if order.status in LIVE:
            order.contributors.clear()
    text = explain_account(state, FACTS, [], GOOD)
    assert "belongs to the pool" in text
    assert "can only be claimed as failed" not in text


def test_explain_account_of_an_empty_ledger_is_the_empty_hub() -> None:
    """One line: there is nothing to tell."""
    state = State(STRANGER)
    assert explain_account(state, Facts(), [], STRANGER) == (
        f"The hub {STRANGER}: 0.000000000 RLC free, 0.000000000 RLC locked, score 0\n"
    )
