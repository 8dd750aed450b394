"""What the end of a work order does, step by step in the order of the contracts. Pure.

`finalise` is `WorkerPool.distributeRewards` and then `IexecHub.finalizeWorkOrder`; `claim` is
`claimFailedConsensus` of both. They read the state and change nothing: an `Ending` is what would be
done, which `replay.py` does. `Rules` holds every rule by name, so that one can be exchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from monitor.model import Address
from monitor.poco.v1 import rules
from monitor.poco.v1.movement import Reason
from monitor.poco.v1.state import ContributionStatus, State, WorkOrder

Act: TypeAlias = Literal["lock", "unlock", "reward", "seize", "proved", "faulty"]
"""`lock` and `unlock` emit nothing. The last two change a score: one up, or slashed."""


class Step(NamedTuple):
    """One statement of the contracts that changes an account or a score."""

    act: Act
    account: Address
    amount: int
    """nRLC; 0 where a score is what changes."""
    reason: Reason


class Ending(NamedTuple):
    """Everything that one end does."""

    steps: list[Step]
    weights: dict[Address, int]
    """Worker -> weight, of the proved, in the order of contribution."""
    kitty_drawn: int


def finalise(by: Rules, state: State, woid: Address) -> Ending:
    """Pay the proved, slash the others, pay the scheduler and the makers, draw from the kitty."""
    work = state.work_orders[woid]
    weights = {
        worker: by.weight_of(part.score, part.is_enclave)
        for worker in work.contributors
        if (part := work.contributions[worker]).status == ContributionStatus.PROVED
    }
    # The stakes of all others are divided too: wrong, right but not revealed, and rejected.
    pot = work.value + work.stake_amount * (len(work.contributors) - len(weights))
    share = by.workers_share(pot, work.scheduler_ratio)
    total = sum(weights.values())
    steps = []
    for worker in work.contributors:
        weight = weights.get(worker)
        if weight is None:
            steps.append(Step("seize", worker, work.stake_amount, "seize"))
            steps.append(Step("faulty", worker, 0, "faulty"))
        else:
            reward = by.worker_reward(share, weight, total)
            pot -= reward
            steps.append(Step("unlock", worker, work.stake_amount, "unlocked"))
            steps.append(Step("reward", worker, reward, "reward"))
            steps.append(Step("proved", worker, 0, "proved"))
    # What is left is the scheduler's part, and every remainder of a division with it.
    steps.append(Step("reward", work.scheduler, pot, "scheduler"))
    steps.extend(_prices(state, work))
    steps.append(Step("seize", work.requester, work.value + work.emit_cost, "spent"))
    steps.append(Step("unlock", work.scheduler, by.ask_stake(work.value), "unlocked"))
    hub = state.accounts.get(state.hub)
    drawn = by.kitty_share(hub.locked) if hub is not None and hub.locked > 0 else 0
    if drawn:
        steps.append(Step("seize", state.hub, drawn, "kitty_out"))
        steps.append(Step("reward", work.scheduler, drawn, "kitty_out"))
    return Ending(steps, weights, drawn)


def _prices(state: State, work: WorkOrder) -> list[Step]:
    """What app and dataset cost; a price of 0 is not paid at all."""
    steps = []
    app = state.apps.get(work.app)
    if app is not None and app.price > 0:
        steps.append(Step("reward", app.owner, app.price, "app"))
    dataset = state.datasets.get(work.dataset) if work.dataset is not None else None
    if dataset is not None and dataset.price > 0:
        steps.append(Step("reward", dataset.owner, dataset.price, "dataset"))
    return steps


def claim(by: Rules, state: State, woid: Address) -> Ending:
    """Everybody's stake goes back but the scheduler's, which goes to the kitty; no score moves."""
    work = state.work_orders[woid]
    forfeit = by.ask_stake(work.value)
    steps = [Step("unlock", worker, work.stake_amount, "unlocked") for worker in work.contributors]
    steps.append(Step("unlock", work.requester, work.value + work.emit_cost, "unlocked"))
    steps.append(Step("seize", work.scheduler, forfeit, "forfeit"))
    steps.append(Step("reward", state.hub, forfeit, "kitty_in"))
    steps.append(Step("lock", state.hub, forfeit, "kitty_in"))
    return Ending(steps, {}, 0)


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules that a replay goes by."""

    weight_of: Callable[[int, bool], int] = rules.weight_of
    raised_score: Callable[[int], int] = rules.raised_score
    seized_score: Callable[[int], int] = rules.seized_score
    work_stake: Callable[[int, int], int] = rules.work_stake
    ask_stake: Callable[[int], int] = rules.ask_stake
    workers_share: Callable[[int, int], int] = rules.workers_share
    worker_reward: Callable[[int, int, int], int] = rules.worker_reward
    kitty_share: Callable[[int], int] = rules.kitty_share
    completed: Callable[[Rules, State, Address], Ending] = finalise
    claimed: Callable[[Rules, State, Address], Ending] = claim


V1 = Rules()
"""What ran in 2018."""
