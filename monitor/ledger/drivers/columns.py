"""A history as arrays: what the stages read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from monitor.ledger.kernels.bounds import flags, ints, offsets_of, same_length, within
from monitor.model import Address

if TYPE_CHECKING:
    from monitor.ledger.kernels.bounds import Flags, Ints

AMOUNT_MAX = 2**60
"""nRLC, of any one amount: thirteen times all the RLC there is. Four of them fit 64 bits."""
NOBODY = -1
"""No account has this number."""
OPEN = -1
"""The end of a work order that has none."""
BLOCK_MAX = 2**31 - 1
LOG_BITS = 32


class WorkOrders(NamedTuple):
    """One row a work order, in the order in which they were bought; amounts in nRLC."""

    value: Ints
    stake: Ints
    """Of each contributor; 0 where nobody contributed."""
    scheduler_ratio: Ints
    """Per cent."""
    scheduler: Ints
    """Account number, as all of these."""
    requester: Ints
    app_owner: Ints
    app_price: Ints
    dataset_owner: Ints
    """NOBODY where there is no dataset."""
    dataset_price: Ints
    ended: Ints
    """Place of the event that closed it; OPEN where there is none."""
    is_completed: Flags
    """Of those that ended: finalised, and not claimed."""
    offsets: Ints
    """Where its contributions begin, and after the last row where those of the last end."""


class Contributions(NamedTuple):
    """One row a contribution: work order by work order, in the order of contribution."""

    worker: Ints
    place: Ints
    is_enclave: Flags
    is_proved: Flags


class Moves(NamedTuple):
    """Changes of accounts, in nRLC."""

    account: Ints
    stake: Ints
    locked: Ints


@dataclass(frozen=True, slots=True)
class Columns:
    """Everything that scores, weights, rewards and balances follow from."""

    accounts: tuple[Address, ...]
    """By their number."""
    tasks: tuple[Address, ...]
    """The work orders' addresses, row by row."""
    hub: int
    """The hub's own account number: its `locked` is the kitty."""
    work_orders: WorkOrders
    contributions: Contributions
    moves: Moves
    """Deposits, withdrawals, subscriptions and market orders."""


def place_of(block: int, log_index: int) -> int:
    """A place in the chain as one number, in the order of the logs."""
    return block << LOG_BITS | log_index


def check(columns: Columns) -> None:
    """Raises OutOfBounds where a column is none, or an amount is beyond AMOUNT_MAX."""
    orders, contributions, moves = columns.work_orders, columns.contributions, columns.moves
    last = len(columns.accounts) - 1
    for group, truths in (
        (orders, ("is_completed",)),
        (contributions, ("is_enclave", "is_proved")),
        (moves, ()),
    ):
        found = group._asdict()
        offsets = found.pop("offsets", None)
        if offsets is not None:
            offsets_of(offsets, len(contributions.worker), "offsets")
            found["offsets"] = offsets[1:]
        for name, column in found.items():
            (flags if name in truths else ints)(column, name)
        same_length(**found)
    for column, name in (
        (orders.value, "value"),
        (orders.stake, "stake"),
        (orders.app_price, "app_price"),
        (orders.dataset_price, "dataset_price"),
    ):
        within(column, 0, AMOUNT_MAX, name)
    for column, name in ((moves.stake, "stake moved"), (moves.locked, "locked moved")):
        within(column, -AMOUNT_MAX, AMOUNT_MAX, name)
    for column, name in (
        (orders.scheduler, "scheduler"),
        (orders.requester, "requester"),
        (orders.app_owner, "app_owner"),
        (contributions.worker, "worker"),
        (moves.account, "account"),
    ):
        within(column, 0, last, name)
    within(orders.dataset_owner, NOBODY, last, "dataset_owner")
