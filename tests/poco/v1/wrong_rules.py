"""Rules as somebody could have misread them: each must be found out by some history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from monitor.model import Address
from monitor.poco.v1 import events as e
from monitor.poco.v1 import rules
from monitor.poco.v1.endings import V1, Ending, Rules, Step, claim, finalise
from monitor.poco.v1.state import Contribution, ContributionStatus, State, WorkOrder
from tests.poco.v1.world import World

Change: TypeAlias = Callable[[State, WorkOrder, list[Step]], list[Step]]
"""What somebody thinks that the steps of an end are, who knows the right ones."""
PROVED = ContributionStatus.PROVED


def ending(change: Change, *, of: str = "completed") -> Rules:
    """Rules by which one of the ends takes other steps."""
    end = finalise if of == "completed" else claim

    def changed(by: Rules, state: State, woid: Address) -> Ending:
        right = end(by, state, woid)
        return right._replace(steps=change(state, state.work_orders[woid], right.steps))

    return replace(V1, completed=changed) if of == "completed" else replace(V1, claimed=changed)


def with_parts(change: Callable[[State, Address, Address, Contribution], Contribution]) -> Rules:
    """Rules by which contributions are other ones when they are paid."""

    def changed(by: Rules, state: State, woid: Address) -> Ending:
        work = state.work_orders[woid]
        parts = {who: change(state, woid, who, part) for who, part in work.contributions.items()}
        return _finalised_as(by, state, woid, replace(work, contributions=parts))

    return replace(V1, completed=changed)


def with_terms(change: Callable[[State, WorkOrder], WorkOrder]) -> Rules:
    """Rules by which a work order has other terms when it ends."""

    def changed(by: Rules, state: State, woid: Address) -> Ending:
        return _finalised_as(by, state, woid, change(state, state.work_orders[woid]))

    return replace(V1, completed=changed)


def _finalised_as(by: Rules, state: State, woid: Address, work: WorkOrder) -> Ending:
    other = replace(state, work_orders={**state.work_orders, woid: work})
    return finalise(by, other, woid)


def but(act: str, reason: str, amount: Callable[[Step], int] | None = None) -> Change:
    """The steps without some of them, or with other amounts there."""

    def changed(state: State, work: WorkOrder, steps: list[Step]) -> list[Step]:
        found: list[Step] = []
        for step in steps:
            if (step.act, step.reason) != (act, reason):
                found.append(step)
            elif amount is not None:
                found.append(step._replace(amount=amount(step)))
        return found

    return changed


# -- single misreadings --------------------------------------------------------------------------


def _forgiven_unrevealed(state: State, work: WorkOrder, steps: list[Step]) -> list[Step]:
    """Who was right and did not reveal has the stake back."""
    right = {w for w, part in work.contributions.items() if part.result_hash == work.consensus}
    return [
        step._replace(act="unlock", reason="unlocked")
        if step.act == "seize" and step.account in right and step.reason == "seize"
        else step
        for step in steps
    ]


def _forgiven_rejected(state: State, work: WorkOrder, steps: list[Step]) -> list[Step]:
    """Who was rejected has been punished enough."""
    return [
        step
        for step in steps
        if step.act != "faulty"
        or work.contributions[step.account].status is not ContributionStatus.REJECTED
    ]


def _by_address(state: State, work: WorkOrder, steps: list[Step]) -> list[Step]:
    """Workers are paid in the order of their addresses."""
    mine = [step for step in steps if step.account in work.contributions]
    mine = [
        step for step in mine if step.reason in {"unlocked", "reward", "proved", "seize", "faulty"}
    ]
    return [*sorted(mine, key=lambda step: step.account), *(s for s in steps if s not in mine)]


def _lost_remainder(state: State, work: WorkOrder, steps: list[Step]) -> list[Step]:
    """The scheduler has its percentage, and no remainder."""
    stakes = sum(step.amount for step in steps if step.reason == "seize")
    part = (work.value + stakes) * work.scheduler_ratio // 100
    return [step._replace(amount=part) if step.reason == "scheduler" else step for step in steps]


def _slashes_kept(state: State, work: WorkOrder, steps: list[Step]) -> list[Step]:
    """Stakes of the faulty go to the scheduler alone, and not into the pot."""
    proved = [step for step in steps if step.reason == "reward"]
    weights = {w: rules.weight_of(p.score, p.is_enclave) for w, p in work.contributions.items()}
    total = sum(weights[step.account] for step in proved)
    share = rules.workers_share(work.value, work.scheduler_ratio)
    rewards = {s.account: share * weights[s.account] // total for s in proved}
    pot = work.value + sum(step.amount for step in steps if step.reason == "seize")
    rest = pot - sum(rewards.values())
    return [
        step._replace(amount=rewards[step.account])
        if step.reason == "reward"
        else step._replace(amount=rest)
        if step.reason == "scheduler"
        else step
        for step in steps
    ]


def _zero_price_paid(state: State, work: WorkOrder, steps: list[Step]) -> list[Step]:
    """An app that costs nothing has a reward of nothing."""
    app = state.apps[work.app]
    place = next(n for n, step in enumerate(steps) if step.reason == "scheduler") + 1
    more = [] if app.price else [Step("reward", app.owner, 0, "app")]
    return [*steps[:place], *more, *steps[place:]]


def _kitty_to_workers(state: State, work: WorkOrder, steps: list[Step]) -> list[Step]:
    """The first proved worker has what the kitty gives."""
    worker = next(step.account for step in steps if step.act == "proved")
    return [
        step._replace(account=worker)
        if (step.act, step.reason) == ("reward", "kitty_out")
        else step
        for step in steps
    ]


def _claim_without_rejected(state: State, work: WorkOrder, steps: list[Step]) -> list[Step]:
    """A claim gives back no stake of the rejected."""
    rejected = {w for w, p in work.contributions.items() if p.status is ContributionStatus.REJECTED}
    return [s for s in steps if s.act != "unlock" or s.account not in rejected]


def _claim_lowers_scores(state: State, work: WorkOrder, steps: list[Step]) -> list[Step]:
    """Whoever contributed to what failed was faulty."""
    return [*(Step("faulty", worker, 0, "faulty") for worker in work.contributors), *steps]


def _at_authorisation(world: World) -> Rules:
    """The score that weighs is the one that the authorisation told."""
    told = {
        (each.event.woid, each.event.worker): each.event.score
        for each in world.logged
        if isinstance(each.event, e.AllowWorker)
    }
    return with_parts(lambda state, woid, who, part: replace(part, score=told[woid, who]))


def _modern_slash(score: int) -> int:
    return score * 2 // 3


def _tenth(kitty: int) -> int:
    return kitty // 10


WRONG_RULES: dict[str, Rules | Callable[[World], Rules]] = {
    # Weights.
    "logarithm rounded down": replace(
        V1, weight_of=lambda s, x: (s * (3 if x else 1)).bit_length() or 1
    ),
    "logarithm of one more": replace(V1, weight_of=lambda s, x: rules.weight_of(s + 1, x)),
    "weight without the one": replace(V1, weight_of=lambda s, x: max(rules.weight_of(s, x) - 1, 1)),
    "weight is the score": replace(V1, weight_of=lambda s, x: s + 1),
    "weights all equal": replace(V1, weight_of=lambda s, x: 1),
    "enclave ignored": replace(V1, weight_of=lambda s, x: rules.weight_of(s, is_enclave=False)),
    "enclave triples the weight": replace(
        V1, weight_of=lambda s, x: rules.weight_of(s, is_enclave=False) * (3 if x else 1)
    ),
    "enclave doubles the score": replace(
        V1, weight_of=lambda s, x: rules.weight_of(2 * s if x else s, is_enclave=False)
    ),
    "score of the authorisation": _at_authorisation,
    "score of the end": with_parts(
        lambda state, woid, who, part: replace(part, score=state.scores.get(who, 0))
    ),
    # Scores.
    "two points for a proof": replace(V1, raised_score=lambda score: score + 2),
    "slash of 49": replace(V1, seized_score=lambda score: max(score - 49, 0)),
    "slash of 51": replace(V1, seized_score=lambda score: max(score - 51, 0)),
    "slash below zero": replace(V1, seized_score=lambda score: score - 50),
    "slash to nothing": replace(V1, seized_score=lambda score: 0),
    "slash of who has enough only": replace(
        V1, seized_score=lambda score: score - 50 if score >= 50 else score
    ),
    "slash of a third": replace(V1, seized_score=_modern_slash),
    # Stakes.
    "stake of workers is 30 %": replace(V1, work_stake=lambda value, ratio: value * 30 // 100),
    "stake of workers at most 100 %": replace(
        V1, work_stake=lambda value, ratio: value * min(ratio, 100) // 100
    ),
    "stake of workers rounded up": replace(
        V1, work_stake=lambda value, ratio: -(-value * ratio // 100)
    ),
    "stake of schedulers rounded up": replace(V1, ask_stake=lambda value: -(-value * 30 // 100)),
    "stake of schedulers rounded": replace(V1, ask_stake=lambda value: (value * 30 + 50) // 100),
    "stake of schedulers is the whole value": replace(V1, ask_stake=lambda value: value),
    # Shares.
    "scheduler's part rounded down": replace(
        V1, workers_share=lambda pot, ratio: pot - pot * ratio // 100
    ),
    "workers share everything": replace(V1, workers_share=lambda pot, ratio: pot),
    "rewards rounded up": replace(V1, worker_reward=lambda s, w, total: -(-s * w // total)),
    "rewards by floats": replace(V1, worker_reward=lambda s, w, total: int(s * (w / total))),
    "remainder is lost": ending(_lost_remainder),
    "stakes of the faulty to the scheduler": ending(_slashes_kept),
    "scheduler's ratio of the end": with_terms(
        lambda state, work: replace(work, scheduler_ratio=state.pools[work.pool].scheduler_ratio)
    ),
    "stake ratio of the end": with_terms(
        lambda state, work: replace(
            work, stake_amount=work.value * state.pools[work.pool].stake_ratio // 100
        )
    ),
    # Who is faulty, who is paid, in which order.
    "unrevealed is forgiven": ending(_forgiven_unrevealed),
    "rejected is forgiven": ending(_forgiven_rejected),
    "paid by address": ending(_by_address),
    "price of nothing is paid": ending(_zero_price_paid),
    "price is the scheduler's to pay": ending(but("reward", "app")),
    "dataset is free": ending(but("reward", "dataset")),
    "requester pays no prices": ending(but("seize", "spent", lambda step: max(step.amount - 1, 0))),
    "scheduler's stake stays": ending(
        lambda state, work, steps: [
            s for s in steps if (s.act, s.account) != ("unlock", work.scheduler)
        ]
    ),
    # The kitty.
    "kitty by tenths only": replace(V1, kitty_share=_tenth),
    "kitty at once": replace(V1, kitty_share=lambda kitty: kitty),
    "kitty at most 1,000": replace(V1, kitty_share=lambda kitty: min(kitty, 1000)),
    "kitty from 10,000": replace(
        V1, kitty_share=lambda kitty: min(kitty, max(-(-kitty // 10), 1000))
    ),
    "kitty never drawn": ending(
        lambda state, work, steps: [s for s in steps if s.reason != "kitty_out"]
    ),
    "kitty is the workers'": ending(_kitty_to_workers),
    # Claims.
    "claim without a forfeit": ending(
        lambda state, work, steps: [s for s in steps if s.reason not in {"forfeit", "kitty_in"}],
        of="claimed",
    ),
    "claim leaves the kitty free": ending(but("lock", "kitty_in"), of="claimed"),
    "claim keeps the stakes of the rejected": ending(_claim_without_rejected, of="claimed"),
    "claim lowers scores": ending(_claim_lowers_scores, of="claimed"),
    "claim keeps the prices": ending(
        lambda state, work, steps: [
            s._replace(amount=work.value) if s.account == work.requester else s for s in steps
        ],
        of="claimed",
    ),
}
"""What is misread, and a replay that goes by it."""
