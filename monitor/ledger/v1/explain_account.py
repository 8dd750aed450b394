"""One account in words: what it has and why, its score, and its work orders one by one. Pure.

For a worker who wonders about a reward: every amount with the arithmetic that gave it, and every
locked RLC with what holds it. Schedulers, requesters and the hub have the same pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from monitor.ledger.v1.arithmetic import (
    division_of,
    fault_of,
    outcome_of,
    pot_lines,
    reward_line,
    weight_words,
    weights_line,
)
from monitor.ledger.v1.explain_task import TIMEOUT_CLOCKS, status_words, timeout_seconds
from monitor.ledger.words import counted, rlc, signed_rlc, table
from monitor.model import Address
from monitor.poco.v1.compare import NO_ACCOUNT, asked_of
from monitor.poco.v1.facts import Facts
from monitor.poco.v1.laws import LIVE, Hold, locked_by
from monitor.poco.v1.movement import Movement, Reason
from monitor.poco.v1.rules import SCORE_UNITARY_SLASH, ask_stake
from monitor.poco.v1.state import (
    Contribution,
    ContributionStatus,
    State,
    WorkOrder,
    WorkOrderStatus,
)

ENTRIES: Mapping[Reason, str] = {
    "deposit": "deposited",
    "withdraw": "withdrawn",
    "reward": "rewards for right results",
    "seize": "stakes lost for faulty contributions",
    "scheduler": "its part of the pots, as scheduler",
    "kitty_out": "drawn from the kitty",
    "forfeit": "stakes lost for failed work orders, as scheduler",
    "kitty_in": "put into the kitty, of failed work orders",
    "app": "prices of its apps",
    "dataset": "prices of its datasets",
    "spent": "paid for work orders, as requester",
}
"""What makes an account richer or poorer; every other movement is a lock, and moves nothing."""


def explain_account(
    state: State, facts: Facts, movements: Iterable[Movement], account: Address
) -> str:
    """Everything about one account; `movements` may hold those of others, which are left out."""
    if account not in asked_of(state).accounts:
        return f"{account} is no account of this ledger.\n"
    own = [movement for movement in movements if movement.account == account]
    sections = (
        ("What came in and went out", _entries(state, own, account)),
        ("What holds the locked RLC", _locked(state, facts, account)),
        ("Score, step by step", _scores(state, own, account)),
        ("Work orders it worked on", _worked(state, own, account)),
        ("Work orders it scheduled", _scheduled(state, own, account)),
        ("Work orders it bought", _bought(state, account)),
    )
    lines = list(_head(state, account))
    for title, section in sections:
        rows = list(section)
        if rows:
            lines += ["", title, *rows]
    return "\n".join(lines) + "\n"


def _head(state: State, account: Address) -> Iterator[str]:
    has = state.accounts.get(account, NO_ACCOUNT)
    name = "The hub" if account == state.hub else "Account"
    score = f"score {state.scores.get(account, 0):,}"
    yield f"{name} {account}: {rlc(has.stake)} free, {rlc(has.locked)} locked, {score}"
    pool = state.affiliations.get(account)
    if pool is not None:
        yield f"It belongs to the pool {pool}."
    for address, each in state.pools.items():
        if each.owner == account:
            yield f"It owns the pool {address}."


# -- amounts -------------------------------------------------------------------------------------


def _entries(state: State, own: Sequence[Movement], account: Address) -> Iterator[str]:
    """Sums by reason, which make what the account has, free and locked."""
    rows = []
    explained = 0
    for reason, words in ENTRIES.items():
        moved = [each for each in own if each.reason == reason]
        if moved:
            # One event moves several amounts where it takes and locks, and is counted once.
            times = len({(each.block, each.log_index) for each in moved})
            amount = sum(each.delta for each in moved)
            explained += amount
            rows.append((words, f"{times:,}", signed_rlc(amount, "")))
    has = state.accounts.get(account, NO_ACCOUNT)
    total = has.stake + has.locked
    if total != explained:
        rows.insert(0, ("before that", "", signed_rlc(total - explained, "")))
    if rows:
        rows.append(("in all, free and locked", "", rlc(total, "")))
        yield from table([("what", "times", "RLC"), *rows], right=frozenset({1, 2}))


def _locked(state: State, facts: Facts, account: Address) -> Iterator[str]:
    held = locked_by(state, account)
    if not held:
        return
    rows = [(rlc(hold.amount, ""), _hold_words(state, facts, hold)) for hold in held]
    yield from table([("RLC", "what holds it"), *rows], right=frozenset({0}))
    if any(_work_order_of(state, hold) for hold in held):
        yield (
            "A work order lets go of everything when its scheduler finalises it. Once its time is "
            f"over ({TIMEOUT_CLOCKS} clocks of its category) it can only be claimed as failed, "
            "which gives contributors and requester back what is theirs, and costs the scheduler "
            "its stake. Nobody but its requester can do that: until then all stays locked."
        )


def _hold_words(state: State, facts: Facts, hold: Hold) -> str:
    order = _work_order_of(state, hold)
    timeout = None if order is None else timeout_seconds(state, facts, order)
    allowed = "" if timeout is None else f" (time allowed: {timeout:,} s)"
    return {
        "subscription": f"it belongs to the pool {hold.of}: until it leaves, or is evicted",
        "order": f"what is left of its market order {hold.of}: until that is bought or closed",
        "value": f"it bought the work order {hold.of}{allowed}: the value",
        "emit_cost": f"it bought the work order {hold.of}{allowed}: the prices of app and dataset",
        "ask_stake": f"it schedules the work order {hold.of}{allowed}",
        "contribution": f"it contributed to the work order {hold.of}{allowed}",
        "kitty": "the kitty: what schedulers lost for failed work orders, until others draw it",
    }[hold.reason]


def _work_order_of(state: State, hold: Hold) -> WorkOrder | None:
    return state.work_orders.get(hold.of) if isinstance(hold.of, str) else None


# -- the score -----------------------------------------------------------------------------------


def _scores(state: State, own: Sequence[Movement], account: Address) -> Iterator[str]:
    changes = [movement for movement in own if movement.field == "score"]
    if not changes:
        return
    now = state.scores.get(account, 0)
    score = now - sum(change.delta for change in changes)
    rows = []
    for change in changes:
        score += change.delta
        place = f"{change.block:,}", str(change.log_index)
        rows.append((*place, f"{change.delta:+,}", f"{score:,}", _score_words(change)))
    head = ("block", "log", "change", "score", "why")
    yield from table([head, *rows], right=frozenset({0, 1, 2, 3}))
    yield f"A contribution made now would weigh, with {weight_words(Contribution(score=now))}."


def _score_words(change: Movement) -> str:
    if change.reason == "proved":
        return f"right in {change.task}"
    if change.delta == -SCORE_UNITARY_SLASH:
        return f"faulty in {change.task}: {SCORE_UNITARY_SLASH} less"
    return f"faulty in {change.task}: {SCORE_UNITARY_SLASH} less, but never below 0"


# -- work orders ---------------------------------------------------------------------------------


def _worked(state: State, own: Sequence[Movement], account: Address) -> Iterator[str]:
    """A paragraph each, in the order in which they were bought."""
    fell = {each.task: each.delta for each in own if each.reason == "faulty"}
    for woid, order in state.work_orders.items():
        if account in order.contributions:
            outcome = outcome_of(order, account)
            yield f"{woid} ({status_words(order)}): {outcome}."
            yield from (f"  {line}" for line in _part(order, account, fell.get(woid)))


def _part(order: WorkOrder, worker: Address, fell: int | None) -> Iterator[str]:
    """What became of one contribution; `fell`: by how much it changed the score, if faulty."""
    part = order.contributions[worker]
    stake = rlc(order.stake_amount)
    if part.status == ContributionStatus.AUTHORIZED:
        yield "Nothing of it was locked; who does not contribute neither wins nor loses."
    elif order.status == WorkOrderStatus.CLAIMED:
        yield f"The requester claimed it after its time: the stake of {stake} came back."
        yield "Such an end pays nobody and changes no score, whoever was right."
    elif order.status != WorkOrderStatus.COMPLETED:
        yield f"Its stake of {stake} is locked until the work order ends."
    elif part.status == ContributionStatus.PROVED:
        division = division_of(order)
        yield f"Its weight, with the score it had when it contributed, {weight_words(part)}."
        yield from pot_lines(division)
        yield weights_line(division)
        yield f"Its reward: {reward_line(division, worker)}."
        yield f"Its stake of {stake} was unlocked."
    else:
        yield f"Why: {fault_of(order, worker)}."
        score = "" if fell is None else f", and {counted(-fell, 'point')} of its score"
        yield f"It lost its stake of {stake}{score}."
        yield "The stake went into the pot of this work order."


def _scheduled(state: State, own: Sequence[Movement], account: Address) -> Iterator[str]:
    """What each brought or cost: its part of the pot, the kitty's, its stake."""
    moved: dict[tuple[str, Address | None], int] = {}
    for each in own:
        key = each.reason, each.task
        moved[key] = moved.get(key, 0) + each.delta
    rows = [
        (
            woid,
            status_words(order),
            rlc(order.value, ""),
            _change(moved.get(("scheduler", woid))),
            _change(moved.get(("kitty_out", woid))),
            _change(moved.get(("forfeit", woid))),
            rlc(ask_stake(order.value), "") if order.status in LIVE else "",
        )
        for woid, order in state.work_orders.items()
        if order.scheduler == account
    ]
    if rows:
        head = ("work order", "status", "value", "its part", "kitty", "lost stake", "locked")
        yield from table([head, *rows], right=frozenset({2, 3, 4, 5, 6}))


def _change(amount: int | None) -> str:
    return "" if amount is None else signed_rlc(amount, "")


def _bought(state: State, account: Address) -> Iterator[str]:
    words = {WorkOrderStatus.COMPLETED: "paid", WorkOrderStatus.CLAIMED: "returned"}
    rows = [
        (
            woid,
            status_words(order),
            rlc(order.value, ""),
            rlc(order.emit_cost, ""),
            words.get(order.status, "locked"),
        )
        for woid, order in state.work_orders.items()
        if order.requester == account
    ]
    if rows:
        head = ("work order", "status", "value", "app and dataset", "both were")
        yield from table([head, *rows], right=frozenset({2, 3}))
