from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from monitor.ledger.v1.explain_task import explain_task, timeout_seconds
from monitor.model import Hash32
from monitor.poco.v1 import events as e
from monitor.poco.v1.events import Event, Logged
from monitor.poco.v1.facts import Facts
from monitor.poco.v1.state import Contribution, ContributionStatus
from tests.ledger.v1.stories import a_year, announced
from tests.poco.v1.by_hand import (
    DATASET,
    FAILED,
    GOOD,
    ORDER,
    OWNER,
    PAID,
    POOL,
    REQUESTER,
    RIGHT,
    RUNNING,
    STRANGER,
    UNPAID,
    ledger,
    named,
)

GOLDEN = Path(__file__).parent / "golden"
FACTS = Facts(orders={1: ORDER})
year = cache(a_year)


def golden(name: str) -> str:
    return (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


def logged(*events: Event) -> list[Logged]:
    hash_ = Hash32("0x" + "77" * 32)
    return [Logged(1000 + n, n, hash_, event) for n, event in enumerate(events)]


def test_explain_task_of_the_announcement_is_the_golden_text() -> None:
    """Scores 0, 4, 16 and 45 RLC: 4.95, 14.85, 24.75 RLC, and 0.45 for the scheduler."""
    told, woid = announced()
    text = explain_task(told.state, told.facts, told.logged, woid)
    assert text == golden("task-announced")
    for amount in ("4.950000000", "14.850000000", "24.750000000", "0.450000000"):
        assert f" {amount} RLC" in text


@pytest.mark.parametrize("name", ["paid", "reopened", "failed", "drawing", "running", "revealing"])
def test_explain_task_of_each_end_is_the_golden_text(name: str) -> None:
    """Paid with faults of every kind, failed, with the kitty; and what still runs."""
    told = year().told
    text = explain_task(told.state, told.facts, told.logged, getattr(year(), name))
    assert text == golden(f"task-{name}")


def test_explain_task_of_an_unknown_work_order_says_so() -> None:
    """Not an empty story."""
    text = explain_task(ledger(), FACTS, [], STRANGER)
    assert text == f"{STRANGER} is no work order of this ledger.\n"


def test_explain_task_leaves_out_the_events_of_others_and_those_that_repeat() -> None:
    """Other work orders, deposits, and the second name of the same happening."""
    none = explain_task(ledger(), FACTS, [], PAID)
    others = logged(
        e.Deposit(GOOD, 5),
        e.Contribute(POOL, RUNNING, GOOD, RIGHT),
        e.WorkOrderActivated(PAID, POOL),
        e.FinalizeWork(POOL, PAID),
        e.AccurateContribution(PAID, GOOD),
    )
    assert explain_task(ledger(), FACTS, others, PAID) == none
    own = logged(e.Contribute(POOL, PAID, GOOD, RIGHT))
    assert f"1,000    0  {GOOD} contributes 0x111111…111111" in explain_task(
        ledger(), FACTS, own, PAID
    )


@pytest.mark.parametrize("is_enclave", [True, False])
def test_explain_task_says_with_which_authorisation_an_enclave_was_asked_for(
    *, is_enclave: bool
) -> None:
    """No event tells: it is among the facts."""
    facts = Facts(orders=FACTS.orders, enclaves={(RUNNING, GOOD)} if is_enclave else set())
    allowed = logged(e.AllowWorker(POOL, RUNNING, GOOD, 5))
    text = explain_task(ledger(), facts, allowed, RUNNING)
    assert (f"{GOOD} is authorised; its score is 5, with an enclave" in text) is is_enclave


def test_explain_task_gives_each_weight_one_formula() -> None:
    """Two of a weight are paid the same, and told of together."""
    state = ledger()
    order = state.work_orders[PAID]
    for number, score in ((0xB1, 3), (0xB2, 9)):
        order.contributors.append(named(number))
        order.contributions[named(number)] = Contribution(
            ContributionStatus.PROVED, result_hash=RIGHT, score=score, weight=3 if score < 9 else 5
        )
    text = explain_task(state, FACTS, [], PAID)
    assert "2 workers, each: 0.000000128 RLC × 3 / 11, rounded down: 0.000000034 RLC\n" in text
    assert (
        f"{named(0xB2)}: 0.000000128 RLC × 5 / 11, rounded down: 0.000000058 RLC "
        "(score 9: 1 + log2(9) rounded up = 1 + 4 = 5)\n"
    ) in text


def test_explain_task_names_who_was_paid_for_app_and_dataset() -> None:
    """Their owners, and nobody for what is free or is not there."""
    text = explain_task(ledger(), FACTS, [], PAID)
    assert f"{OWNER}, who owns the dataset {DATASET}, was paid 0.000000002 RLC." in text
    state = ledger()
    state.datasets[DATASET].price = 0
    state.apps.clear()
    assert "who owns" not in explain_task(state, FACTS, [], PAID)
    state.work_orders[PAID].dataset = None
    assert "who owns" not in explain_task(state, FACTS, [], PAID)


def test_explain_task_of_a_failed_one_gives_everybody_back_but_the_scheduler() -> None:
    """No pay, no score; the kitty has the scheduler's stake."""
    text = explain_task(ledger(), FACTS, [], UNPAID)
    assert "1 contributor got the stake of 0.000000030 RLC back." in text
    assert "The requester got 0.000000107 RLC back" in text
    assert "The scheduler lost its stake of 0.000000030 RLC to the kitty" in text
    nobody = explain_task(ledger(), FACTS, [], FAILED)
    assert "Who took part" not in nobody
    assert "contributor had" not in nobody
    assert "contributors had" not in nobody


def test_explain_task_of_a_running_one_tells_what_it_holds() -> None:
    """The requester's, the scheduler's, each contributor's; and who was only authorised."""
    text = explain_task(ledger(), FACTS, [], RUNNING)
    assert f"Bought by {REQUESTER} of market order 1, for the pool {POOL}." in text
    assert "Of 1 contributor: 0.000000030 RLC each" in text
    assert "authorised, has not contributed" in text


def test_explain_task_of_one_that_nobody_works_on_holds_no_stakes() -> None:
    """What was bought a moment ago."""
    state = ledger()
    state.work_orders[RUNNING].contributors.clear()
    assert "contributors" not in explain_task(state, FACTS, [], RUNNING)


def test_timeout_is_ten_clocks_of_the_category_or_unknown() -> None:
    """Neither the order's facts nor the category may be there yet."""
    state = ledger()
    order = state.work_orders[RUNNING]
    assert timeout_seconds(state, FACTS, order) == 3000
    assert timeout_seconds(state, Facts(), order) is None
    state.clocks.clear()
    assert timeout_seconds(state, FACTS, order) is None
    assert "clocks of its category" not in explain_task(state, FACTS, [], RUNNING)
