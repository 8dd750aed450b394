"""The two ends step by step, in the order of the contracts, on ledgers written out by hand."""

from __future__ import annotations

import copy

import pytest

from monitor.model import Address
from monitor.poco.v1.endings import V1, Step, claim, finalise
from monitor.poco.v1.state import (
    Account,
    Contribution,
    ContributionStatus,
    Priced,
    State,
    WorkOrder,
)
from tests.poco.v1.by_hand import APP, DATASET, HUB, OWNER, POOL, REQUESTER, SCHEDULER, named

RLC = 10**9
WOID = named(0xF0)
WORKERS = [named(0xA1 + number) for number in range(3)]
CONTRIBUTED, PROVED = ContributionStatus.CONTRIBUTED, ContributionStatus.PROVED
REJECTED, AUTHORIZED = ContributionStatus.REJECTED, ContributionStatus.AUTHORIZED


def ledger(
    *parts: Contribution, value: int = 100, ratio: int = 1, stake: int = 30, kitty: int = 0
) -> State:
    """One work order, contributed to by so many workers in their order."""
    workers = WORKERS[: len(parts)]
    return State(
        HUB,
        accounts={HUB: Account(0, kitty)} if kitty else {},
        apps={APP: Priced(OWNER, 5)},
        datasets={DATASET: Priced(OWNER, 2)},
        work_orders={
            WOID: WorkOrder(
                POOL,
                1,
                REQUESTER,
                SCHEDULER,
                value,
                APP,
                DATASET,
                emit_cost=7,
                stake_amount=stake,
                scheduler_ratio=ratio,
                contributors=[
                    worker
                    for worker, part in zip(workers, parts, strict=True)
                    if part.status is not AUTHORIZED
                ],
                contributions=dict(zip(workers, parts, strict=True)),
            )
        },
    )


def paid(state: State, reason: str) -> dict[Address, int]:
    steps = finalise(V1, state, WOID).steps
    return {each.account: each.amount for each in steps if each.reason == reason}


def test_finalise_announced_example_pays_what_was_announced() -> None:
    """Scores 0, 4 and 16, 45 RLC, 1 %: 4.95, 14.85 and 24.75 RLC, and 0.45 for the scheduler."""
    parts = [Contribution(PROVED, score=score) for score in (0, 4, 16)]
    state = ledger(*parts, value=45 * RLC, stake=0)
    assert finalise(V1, state, WOID).weights == dict(zip(WORKERS, (1, 3, 5), strict=True))
    assert list(paid(state, "reward").values()) == [4_950_000_000, 14_850_000_000, 24_750_000_000]
    assert paid(state, "scheduler") == {SCHEDULER: 450_000_000}


def test_finalise_steps_are_in_the_contracts_order() -> None:
    """Contributors first, as they came; then scheduler, app, dataset, requester; the kitty last."""
    state = ledger(Contribution(CONTRIBUTED, score=60), Contribution(PROVED, score=4), kitty=30)
    ending = finalise(V1, state, WOID)
    assert ending.steps == [
        Step("seize", WORKERS[0], 30, "seize"),
        Step("faulty", WORKERS[0], 0, "faulty"),
        Step("unlock", WORKERS[1], 30, "unlocked"),
        Step("reward", WORKERS[1], 128, "reward"),
        Step("proved", WORKERS[1], 0, "proved"),
        Step("reward", SCHEDULER, 2, "scheduler"),
        Step("reward", OWNER, 5, "app"),
        Step("reward", OWNER, 2, "dataset"),
        Step("seize", REQUESTER, 107, "spent"),
        Step("unlock", SCHEDULER, 30, "unlocked"),
        Step("seize", HUB, 30, "kitty_out"),
        Step("reward", SCHEDULER, 30, "kitty_out"),
    ]
    assert ending.weights == {WORKERS[1]: 3}
    assert ending.kitty_drawn == 30


@pytest.mark.parametrize("status", [CONTRIBUTED, REJECTED])
def test_finalise_everybody_who_is_not_proved_is_faulty(status: ContributionStatus) -> None:
    """Wrong, right but not revealed, rejected: the stake goes into the pot."""
    state = ledger(Contribution(PROVED), Contribution(status))
    assert paid(state, "seize") == {WORKERS[1]: 30}
    assert paid(state, "reward") == {WORKERS[0]: 130 * 99 // 100}


def test_finalise_who_was_authorised_only_is_nobody() -> None:
    """Nothing staked, nothing lost, no score moved."""
    state = ledger(Contribution(PROVED), Contribution(AUTHORIZED))
    assert WORKERS[1] not in {each.account for each in finalise(V1, state, WOID).steps}


def test_finalise_an_enclave_s_score_counts_three_times() -> None:
    """In the weight, and for who has one only."""
    parts = Contribution(PROVED, score=4, is_enclave=True), Contribution(PROVED, score=4)
    assert list(finalise(V1, ledger(*parts), WOID).weights.values()) == [5, 3]


@pytest.mark.parametrize(
    ("ratio", "worker", "scheduler"), [(0, 33, 1), (1, 33, 1), (50, 16, 52), (100, 0, 100)]
)
def test_finalise_scheduler_has_its_ratio_and_every_remainder(
    ratio: int, worker: int, scheduler: int
) -> None:
    """What three equal workers cannot share is the scheduler's."""
    state = ledger(*[Contribution(PROVED)] * 3, ratio=ratio, stake=0)
    assert list(paid(state, "reward").values()) == [worker] * 3
    assert paid(state, "scheduler") == {SCHEDULER: scheduler}


def test_finalise_price_of_nothing_is_not_paid() -> None:
    """There is no Reward of an app that costs nothing, and none of no dataset."""
    state = ledger(Contribution(PROVED))
    state.apps[APP].price = 0
    state.work_orders[WOID].dataset = None
    assert {"app", "dataset"}.isdisjoint(each.reason for each in finalise(V1, state, WOID).steps)
    state.work_orders[WOID].dataset = DATASET
    state.datasets[DATASET].price = 0
    assert paid(state, "dataset") == {}


def test_finalise_unknown_app_and_dataset_are_not_paid() -> None:
    """Nobody knows whom to pay, or how much; that it is unknown was said when it was bought."""
    state = ledger(Contribution(PROVED))
    state.apps.clear()
    state.datasets.clear()
    assert {"app", "dataset"}.isdisjoint(each.reason for each in finalise(V1, state, WOID).steps)


def test_finalise_an_empty_kitty_gives_nothing() -> None:
    """Neither without an account of the hub nor with an empty one."""
    state = ledger(Contribution(PROVED))
    for _ in range(2):
        ending = finalise(V1, state, WOID)
        assert ending.kitty_drawn == 0
        assert ending.steps[-1].reason == "unlocked"
        state.accounts[HUB] = Account()


def test_finalise_of_nothing_proved_divides_by_nothing() -> None:
    """On the chain it reverts; here the scheduler has the pot, and the replay says it."""
    state = ledger(Contribution(CONTRIBUTED))
    assert paid(state, "scheduler") == {SCHEDULER: 130}
    assert finalise(V1, state, WOID).weights == {}


def test_claim_steps_are_in_the_contracts_order() -> None:
    """Contributors of any status, the requester, then the scheduler's stake into the kitty."""
    state = ledger(Contribution(PROVED), Contribution(CONTRIBUTED), Contribution(REJECTED))
    ending = claim(V1, state, WOID)
    assert ending.steps == [
        *(Step("unlock", worker, 30, "unlocked") for worker in WORKERS),
        Step("unlock", REQUESTER, 107, "unlocked"),
        Step("seize", SCHEDULER, 30, "forfeit"),
        Step("reward", HUB, 30, "kitty_in"),
        Step("lock", HUB, 30, "kitty_in"),
    ]
    assert (ending.weights, ending.kitty_drawn) == ({}, 0)


@pytest.mark.parametrize("end", [finalise, claim])
def test_end_changes_nothing_by_itself(end: object) -> None:
    """It says what would be done; the replay does it."""
    state = ledger(Contribution(PROVED), Contribution(CONTRIBUTED), kitty=30)
    before = copy.deepcopy(state)
    assert callable(end)
    end(V1, state, WOID)
    assert state == before
