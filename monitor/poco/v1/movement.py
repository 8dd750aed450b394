"""One change of one account's stake, locked stake or score, with its reason.

The replay hands these to whoever watches; a `lock` is two of them (stake down, locked up), and so
is an `unlock`. Nothing is left out because it is zero: a reward of 0 nRLC was an event too.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from monitor.model import Address, Hash32

Field: TypeAlias = Literal["stake", "locked", "score"]

Reason: TypeAlias = Literal[
    "deposit",
    "withdraw",
    "subscribe",
    "unsubscribe",
    "evict",
    "order_made",
    "order_closed",
    "bought",
    "emit_cost",
    "contributed",
    "unlocked",
    "reward",
    "scheduler",
    "app",
    "dataset",
    "seize",
    "spent",
    "forfeit",
    "kitty_in",
    "kitty_out",
    "proved",
    "faulty",
]
"""What moved it, in the order of a history:

`deposit`, `withdraw`; `subscribe`, `unsubscribe`, `evict`: the pool's subscription lock;
`order_made`, `order_closed`: the scheduler's lock for an ask order; `bought`, `emit_cost`: the
requester's locks for the value, and for app and dataset; `contributed`: a contributor's stake.

At an end, `unlocked`: of a proved worker, of the scheduler, of everybody in a claim; `reward`: a
worker's; `scheduler`: its part with every rounding remainder; `app`, `dataset`: their prices;
`seize`: a faulty worker's stake; `spent`: what the requester paid; `forfeit`: the scheduler's
stake in a claim, and `kitty_in` the same on the hub's side (three movements: stake up, stake down,
locked up); `kitty_out`: down on the hub's side, up on the scheduler's; `proved`, `faulty`: scores.
"""


class Movement(NamedTuple):
    """Where in the chain, whose, what, by how much, and why."""

    block: int
    log_index: int
    """Of the event at which it took effect: at an end, of the hub's `WorkOrderCompleted` or
    `WorkOrderClaimed`, which closes it."""
    transaction: Hash32
    account: Address
    field: Field
    delta: int
    """nRLC, or points of score; may be 0."""
    reason: Reason
    task: Address | None
    """The work order, of those that belong to one."""
