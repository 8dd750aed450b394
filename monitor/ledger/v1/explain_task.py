"""One work order in words: its terms, what happened, who was paid or slashed, and why. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from monitor.ledger.v1.arithmetic import (
    Division,
    division_of,
    fault_of,
    outcome_of,
    pot_lines,
    scheduler_line,
    weight_words,
    weights_line,
)
from monitor.ledger.words import counted, rlc, table
from monitor.model import Address, short
from monitor.poco.v1 import events as e
from monitor.poco.v1.events import Event, Logged
from monitor.poco.v1.facts import Facts
from monitor.poco.v1.rules import ask_stake
from monitor.poco.v1.state import ContributionStatus, State, WorkOrder, WorkOrderStatus

TIMEOUT_CLOCKS = 10
"""Clocks of its category that a work order has (`WorkerPool.CONSENSUS_DURATION_RATIO`)."""


def explain_task(state: State, facts: Facts, logged: Iterable[Logged], woid: Address) -> str:
    """The whole story of a work order; `logged` may hold events of others, which are left out."""
    order = state.work_orders.get(woid)
    if order is None:
        return f"{woid} is no work order of this ledger.\n"
    lines = [
        f"Work order {woid}: {status_words(order)}",
        "",
        *_terms(state, facts, order),
        "",
        "What happened",
        *table([("block", "log", "what"), *_story(facts, order, logged, woid)], right=_PLACE),
    ]
    if order.contributions:
        lines += ["", "Who took part", *_part_lines(order)]
    if order.status == WorkOrderStatus.COMPLETED:
        lines += ["", "How it was paid", *_paid(state, order)]
    elif order.status == WorkOrderStatus.CLAIMED:
        lines += ["", "How it was settled", *_settled(order)]
    else:
        lines += ["", "What it holds until it ends", *_held(order)]
    return "\n".join(lines) + "\n"


_PLACE = frozenset({0, 1})


def status_words(order: WorkOrder) -> str:
    """The status, and of an end its block."""
    status = order.status.name.lower()
    return status if order.ended_at is None else f"{status} in block {order.ended_at[0]:,}"


def _terms(state: State, facts: Facts, order: WorkOrder) -> Iterator[str]:
    yield f"Bought by {order.requester} of market order {order.order}, for the pool {order.pool}."
    yield (
        f"Its terms are those of that moment; what the pool changed later does not touch it. "
        f"Value {rlc(order.value)}; each contributor stakes {rlc(order.stake_amount)}; the "
        f"scheduler, {order.scheduler}, stakes {rlc(ask_stake(order.value))} and has "
        f"{order.scheduler_ratio} % of the pot; app and dataset cost {rlc(order.emit_cost)}."
    )
    timeout = timeout_seconds(state, facts, order)
    if timeout is not None:
        yield (
            f"It had {timeout:,} s, {TIMEOUT_CLOCKS} clocks of its category; after that the "
            "requester may claim it as failed."
        )


def timeout_seconds(state: State, facts: Facts, order: WorkOrder) -> int | None:
    """Between its purchase and when it may be claimed; None where its category is not known."""
    sold = facts.orders.get(order.order)
    clock = None if sold is None else state.clocks.get(sold.category)
    return None if clock is None else TIMEOUT_CLOCKS * clock


def _story(
    facts: Facts, order: WorkOrder, logged: Iterable[Logged], woid: Address
) -> Iterator[tuple[str, str, str]]:
    for block, log_index, _, event in logged:
        if getattr(event, "woid", None) == woid:
            words = _words(facts, order, event)
            if words:
                yield f"{block:,}", str(log_index), words


def _words(facts: Facts, order: WorkOrder, event: Event) -> str:  # noqa: PLR0911 — a line an event
    """One event; empty for those that only repeat another."""
    match event:
        case e.WorkOrderActive():
            return "bought, and active"
        case e.AllowWorker(_, woid, worker, score):
            enclave = ", with an enclave" if (woid, worker) in facts.enclaves else ""
            return f"{worker} is authorised; its score is {score}{enclave}"
        case e.Contribute(_, _, worker, result_hash):
            return f"{worker} contributes {short(result_hash)}; its stake is locked"
        case e.RevealConsensus(_, _, consensus):
            return f"the scheduler names {short(consensus)} as the result agreed on"
        case e.Reveal(_, _, worker, _):
            return f"{worker} reveals its result, which is right"
        case e.Reopen():
            return "reopened: nobody revealed in time; who gave that result is rejected"
        case e.WorkOrderCompleted():
            return f"completed: {counted(len(order.contributors), 'contribution')} settled"
        case e.WorkOrderClaimed():
            return "claimed by the requester: there was no result in time"
        case _:
            return ""


def _part_lines(order: WorkOrder) -> list[str]:
    division = division_of(order) if order.status == WorkOrderStatus.COMPLETED else None
    rows: list[Sequence[str]] = [("worker", "result", "score", "weight", "paid", "what came of it")]
    idle = [worker for worker in order.contributions if worker not in order.contributors]
    for worker in (*order.contributors, *idle):
        part = order.contributions[worker]
        has = worker in order.contributors
        rows.append(
            (
                worker,
                short(part.result_hash) if has else "",
                f"{part.score}{' × 3' if part.is_enclave else ''}" if has else "",
                str(part.weight) if part.weight else "",
                rlc(division.rewards[worker], "") if division and part.weight else "",
                outcome_of(order, worker),
            )
        )
    lines = table(rows, right=frozenset({2, 3, 4}))
    lines.append(
        "The score is the worker's at the moment of its contribution, not before or after."
    )
    if division is not None:
        lines += [
            f"{worker} was faulty: {fault_of(order, worker)}."
            for worker in order.contributors
            if order.contributions[worker].status != ContributionStatus.PROVED
        ]
    return lines


def _paid(state: State, order: WorkOrder) -> Iterator[str]:
    division = division_of(order)
    yield from pot_lines(division)
    yield weights_line(division)
    yield from _formulas(order, division)
    yield scheduler_line(division)
    yield f"The requester paid {rlc(order.value + order.emit_cost)}: the value, and the prices."
    for kind, at, of in (
        ("app", order.app, state.apps),
        ("dataset", order.dataset, state.datasets),
    ):
        priced = None if at is None else of.get(at)
        if priced is not None and priced.price:
            yield f"{priced.owner}, who owns the {kind} {at}, was paid {rlc(priced.price)}."
    stake = rlc(ask_stake(order.value))
    yield f"The scheduler's stake of {stake} was unlocked."
    if order.kitty_drawn:
        yield (
            f"The scheduler also drew {rlc(order.kitty_drawn)} from the kitty: what other "
            "schedulers lost for work orders that failed."
        )


def _formulas(order: WorkOrder, division: Division) -> Iterator[str]:
    """One line for each weight that somebody had: those of one weight are paid the same."""
    for weight in sorted(set(division.weights.values())):
        workers = [worker for worker, each in division.weights.items() if each == weight]
        worker = workers[0]
        who = worker if len(workers) == 1 else f"{len(workers)} workers, each"
        how = weight_words(order.contributions[worker])
        how = f" ({how})" if len(workers) == 1 else ""
        yield (
            f"{who}: {rlc(division.share)} × {weight} / {division.total_weight}, rounded down: "
            f"{rlc(division.rewards[worker])}{how}"
        )


def _settled(order: WorkOrder) -> Iterator[str]:
    yield "Nobody was paid, and no score moved, whatever the results were."
    if order.contributors:
        count = counted(len(order.contributors), "contributor")
        yield f"{count} got the stake of {rlc(order.stake_amount)} back."
    yield f"The requester got {rlc(order.value + order.emit_cost)} back: the value, and the prices."
    yield (
        f"The scheduler lost its stake of {rlc(ask_stake(order.value))} to the kitty, which later "
        "schedulers draw from."
    )


def _held(order: WorkOrder) -> Iterator[str]:
    yield f"Of the requester: {rlc(order.value + order.emit_cost)}, the value and the prices."
    yield f"Of the scheduler: {rlc(ask_stake(order.value))}."
    if order.contributors:
        count = counted(len(order.contributors), "contributor")
        yield f"Of {count}: {rlc(order.stake_amount)} each, whatever became of the result."
