"""What a ledger comes to, by hand and against the logs of any history."""

from __future__ import annotations

from hypothesis import given, settings

from monitor.model import LedgerTotals
from monitor.poco.v1 import events as e
from monitor.poco.v1.state import State
from monitor.poco.v1.totals import totals_of
from tests.poco.v1.by_hand import FAULTY, HUB, ledger
from tests.poco.v1.scenes import replayed
from tests.poco.v1.test_replay import WORLDS
from tests.poco.v1.world import World


def test_totals_of_a_ledger_by_hand() -> None:
    """One work order paid, two claimed, one running."""
    assert totals_of(ledger()) == LedgerTotals(
        paid=100 + 30 + 30,
        slashed_workers=30,
        slashed_schedulers=60,
        kitty=30,
        accounts=6,
        work_orders={"claimed": 2, "completed": 1, "active": 1},
        contributions={"returned": 1, "accurate": 1, "faulty": 1, "open": 1},
        scores=(5, 10),
    )


def test_totals_of_nothing_are_nothing() -> None:
    """A new hub has no accounts, and no kitty."""
    nothing = totals_of(State(HUB))
    assert nothing == LedgerTotals(0, 0, 0, 0, 0, {}, {}, ())


def test_totals_count_a_worker_without_a_score() -> None:
    """Who has failed only has 0, and is a worker."""
    state = ledger()
    del state.scores[FAULTY]
    assert totals_of(state).scores == (0, 5)


@settings(max_examples=25, deadline=None)
@given(WORLDS)
def test_totals_of_any_history_are_what_its_logs_say(world: World) -> None:
    """Each sum is there twice: in the ledger, and in the contracts' own events."""
    state = replayed(world).state
    totals = totals_of(state)
    logged = [each.event for each in world.logged]
    accurate = sum(isinstance(each, e.AccurateContribution) for each in logged)
    faulty = sum(isinstance(each, e.FaultyContribution) for each in logged)
    contributed = sum(isinstance(each, e.Contribute) for each in logged)
    counts = totals.contributions
    assert (counts.get("accurate", 0), counts.get("faulty", 0)) == (accurate, faulty)
    assert sum(counts.values()) == contributed
    assert sum(totals.work_orders.values()) == sum(
        isinstance(each, e.WorkOrderActive) for each in logged
    )
    rewards = sum(each.amount for each in logged if isinstance(each, e.Reward))
    prices = sum(
        order.emit_cost for order in state.work_orders.values() if order.status.name == "COMPLETED"
    )
    assert totals.paid == rewards - prices - totals.slashed_schedulers
