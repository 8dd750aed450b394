"""Predicted against stored: what the rules make of the events, and what the getters say.

`asked_of` says what has to be read, `compare` what differs. A value that was not asked for is not
compared; one that the ledger does not know is predicted to be zero, or unset.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import NamedTuple

from monitor.model import Address
from monitor.poco.difference import Difference, Kind
from monitor.poco.v1.state import (
    Account,
    Contribution,
    ContributionStatus,
    State,
    WorkOrderStatus,
)
from monitor.poco.v1.stored import Stored, StoredContribution

NO_ACCOUNT = Account()
NOT_AUTHORIZED = Contribution(status=ContributionStatus.UNSET)


class Questions(NamedTuple):
    """What has to be read to compare a ledger, each once and in order of address."""

    accounts: tuple[Address, ...]
    work_orders: tuple[tuple[Address, Address], ...]
    """(pool, work order)."""
    contributions: tuple[tuple[Address, Address, Address], ...]
    """(pool, work order, worker), of everybody who was authorised."""


class Answer(NamedTuple):
    """One value of which there are two: the rules' and the chain's."""

    name: str
    """As sentences call it."""
    predicted: int | str
    stored: int | str


def asked_of(state: State) -> Questions:
    """Everybody whom the ledger has ever named, every work order and every contribution."""
    orders = state.work_orders
    accounts = {
        state.hub,
        *state.accounts,
        *state.scores,
        *state.logged,
        *state.affiliations,
        *(pool.owner for pool in state.pools.values()),
        *(order.facts.owner for order in state.orders.values()),
        *(priced.owner for priced in (*state.apps.values(), *state.datasets.values())),
        *(worker for order in orders.values() for worker in order.contributions),
    }
    return Questions(
        tuple(sorted(accounts)),
        tuple((order.pool, woid) for woid, order in sorted(orders.items())),
        tuple(
            (order.pool, woid, worker)
            for woid, order in sorted(orders.items())
            for worker in sorted(order.contributions)
        ),
    )


def compare(state: State, stored: Stored) -> list[Difference]:
    """Every value that is not what the rules say; delta is stored minus predicted.

    By account (score, free stake, locked stake), then by work order, then by contribution. Free and
    locked stake are two differences, since `lock` and `unlock` move one to the other silently.
    """
    return [
        *_accounts(state, stored),
        *_work_orders(state, stored),
        *_contributions(state, stored),
    ]


def word(status: int, statuses: type[enum.IntEnum]) -> str:
    """A status in lower case; a number that no status has is itself."""
    known = {int(each): each.name.lower() for each in statuses}
    return known.get(status, str(status))


def _accounts(state: State, stored: Stored) -> Iterator[Difference]:
    for account in sorted({*stored.scores, *stored.accounts}):
        if account in stored.scores:
            score = Answer("score", state.scores.get(account, 0), stored.scores[account])
            yield from _difference("score", score, account=account)
        if account in stored.accounts:
            predicted = state.accounts.get(account, NO_ACCOUNT)
            stake, locked = stored.accounts[account]
            free = Answer("free stake", predicted.stake, stake)
            yield from _difference("stake", free, account=account)
            held = Answer("locked stake", predicted.locked, locked)
            yield from _difference("locked", held, account=account)


def _work_orders(state: State, stored: Stored) -> Iterator[Difference]:
    for woid, found in sorted(stored.work_orders.items()):
        order = state.work_orders.get(woid)
        status = WorkOrderStatus.UNSET if order is None else order.status
        answer = Answer(
            "status", word(status, WorkOrderStatus), word(found.status, WorkOrderStatus)
        )
        yield from _difference("status", answer, task=woid)
        if order is not None:
            consensus = Answer("consensus", order.consensus, found.consensus)
            yield from _difference("status", consensus, task=woid)


def _contributions(state: State, stored: Stored) -> Iterator[Difference]:
    for (woid, worker), found in sorted(stored.contributions.items()):
        order = state.work_orders.get(woid)
        predicted = order.contributions.get(worker) if order is not None else None
        yield from _contribution(woid, worker, predicted or NOT_AUTHORIZED, found)


def _contribution(
    woid: Address, worker: Address, predicted: Contribution, found: StoredContribution | None
) -> Iterator[Difference]:
    status = ContributionStatus.UNSET if found is None else found.status
    answers: list[tuple[Kind, Answer]] = [
        (
            "status",
            Answer(
                "contribution's status",
                word(predicted.status, ContributionStatus),
                word(status, ContributionStatus),
            ),
        )
    ]
    if found is not None:
        answers += [
            ("status", Answer("result hash", predicted.result_hash, found.result_hash)),
            (
                "status",
                Answer("enclave challenge", _set(predicted.is_enclave), _set(found.is_enclave)),
            ),
            ("contribution_score", Answer("contribution's score", predicted.score, found.score)),
            ("weight", Answer("contribution's weight", predicted.weight, found.weight)),
        ]
    for kind, answer in answers:
        yield from _difference(kind, answer, account=worker, task=woid)


def _set(is_set: bool) -> str:  # noqa: FBT001 — it turns the boolean into a word
    return "set" if is_set else "unset"


def _difference(
    kind: Kind,
    answer: Answer,
    *,
    account: Address | None = None,
    task: Address | None = None,
) -> Iterator[Difference]:
    """The difference, if the two values are two."""
    name, predicted, stored = answer
    if predicted == stored:
        return
    both = isinstance(predicted, int) and isinstance(stored, int)
    delta = int(stored) - int(predicted) if both else None
    unit = " nRLC" if kind in {"stake", "locked"} else ""
    owner = " in ".join(each for each in (account, task) if each is not None)
    yield Difference(
        kind=kind,
        why=f"the {name} of {owner} is {stored}{unit} on the chain, and {predicted}{unit} by the "
        "rules",
        account=account,
        task=task,
        predicted=predicted,
        stored=stored,
        delta=delta,
    )
