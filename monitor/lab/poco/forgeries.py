"""What a stranger may write into the chain's logs about others: everything, in the right words."""

from __future__ import annotations

from monitor.lab.poco.calls import words
from monitor.lab.poco.puppets import Claim
from monitor.lab.poco.topics import HUB, MARKETPLACE, POOL, TOKEN
from monitor.model import Address

AMOUNT_NRLC = 123_000_000_000


def forgeries(hub: Address, pool: Address, worker: Address, woid: Address) -> list[Claim]:
    """Logs in which real accounts gain and lose, indexed as the contracts index theirs."""
    return [
        Claim((), b"no topic at all"),
        *(
            _claim(HUB[name], (), worker, AMOUNT_NRLC)
            for name in ("Deposit", "Withdraw", "Reward", "Seize")
        ),
        *(
            _claim(HUB[name], (worker,), woid)
            for name in ("AccurateContribution", "FaultyContribution")
        ),
        *(
            _claim(HUB[name], (pool,), worker)
            for name in ("WorkerPoolSubscription", "WorkerPoolUnsubscription", "WorkerPoolEviction")
        ),
        # The stranger's own address is not known yet: it announces the worker's as a pool.
        Claim(
            (HUB["CreateWorkerPool"], _word(worker), _word(worker)), words(("string",), "a pool")
        ),
        _claim(HUB["WorkOrderActivated"], (pool,), woid),
        _claim(HUB["WorkOrderCompleted"], (), woid, pool),
        _claim(HUB["WorkOrderClaimed"], (), woid, pool),
        *(_claim(MARKETPLACE[name], (), 1) for name in ("MarketOrderCreated", "MarketOrderClosed")),
        _claim(MARKETPLACE["MarketOrderAskConsume"], (), 1, worker),
        _claim(POOL["WorkerPoolPolicyUpdate"], (), *(30, 1, 1, 99, 0, 7, 0, 7)),
        *(
            _claim(POOL[name], (woid,))
            for name in ("WorkOrderActive", "WorkOrderClaimed", "Reopen")
        ),
        _claim(POOL["AllowWorkerToContribute"], (woid, worker), 0),
        *(_claim(POOL[name], (woid, worker), woid) for name in ("Contribute", "Reveal")),
        _claim(POOL["RevealConsensus"], (woid,), woid),
        _claim(TOKEN["Transfer"], (worker, hub), AMOUNT_NRLC),
    ]


def _claim(topic: bytes, indexed: tuple[Address, ...], *values: int | Address) -> Claim:
    data = b"".join(
        value.to_bytes(32, "big") if isinstance(value, int) else _word(value) for value in values
    )
    return Claim((topic, *(_word(one) for one in indexed)), data)


def _word(address: Address) -> bytes:
    return bytes.fromhex(address[2:]).rjust(32, b"\0")
