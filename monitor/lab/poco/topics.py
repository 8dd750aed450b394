"""First topics of what the contracts emit, by contract and name (`iexec-poco@1.1.17`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from eth_hash.auto import keccak

EVENTS: Final = {
    "IexecHub": (
        *("WorkOrderActivated(address,address)", "WorkOrderClaimed(address,address)"),
        *(
            "WorkOrderCompleted(address,address)",
            "CreateApp(address,address,string,uint256,string)",
        ),
        *("CreateDataset(address,address,string,uint256,string)",),
        *("CreateWorkerPool(address,address,string)",),
        *("CreateCategory(uint256,string,string,uint256)",),
        *("WorkerPoolSubscription(address,address)", "WorkerPoolUnsubscription(address,address)"),
        *("WorkerPoolEviction(address,address)", "AccurateContribution(address,address)"),
        *("FaultyContribution(address,address)", "Deposit(address,uint256)"),
        *("Withdraw(address,uint256)", "Reward(address,uint256)", "Seize(address,uint256)"),
    ),
    "Marketplace": (
        *("MarketOrderCreated(uint256)", "MarketOrderClosed(uint256)"),
        *("MarketOrderAskConsume(uint256,address)",),
        "WorkOrderCallbackProof(address,address,address,address,address,string,string,string)",
    ),
    "WorkerPool": (
        f"WorkerPoolPolicyUpdate({','.join(['uint256'] * 8)})",
        *("WorkOrderActive(address)", "WorkOrderClaimed(address)"),
        *("AllowWorkerToContribute(address,address,uint256)",),
        *("Contribute(address,address,bytes32)", "RevealConsensus(address,bytes32)"),
        *("Reveal(address,address,bytes32)", "Reopen(address)"),
        *("FinalizeWork(address,string,string,string)", "WorkerSubscribe(address)"),
        *("WorkerUnsubscribe(address)", "WorkerEviction(address)"),
    ),
    "RLC": ("Transfer(address,address,uint256)",),
}
"""Contract -> the signatures of its events."""


def _topics(contract: str) -> Mapping[str, bytes]:
    return {one.partition("(")[0]: keccak(one.encode()) for one in EVENTS[contract]}


HUB: Final = _topics("IexecHub")
MARKETPLACE: Final = _topics("Marketplace")
POOL: Final = _topics("WorkerPool")
TOKEN: Final = _topics("RLC")
