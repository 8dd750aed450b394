"""Every call that the lab makes to the contracts of PoCo, as a transaction.

Signatures are those of the ABI in `iexec-poco@1.1.17`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

from eth_hash.auto import keccak

from monitor.lab.poco.blocks import Tx
from monitor.model import Address

NOBODY = Address("0x" + "0" * 40)
ASK = 2
"""`IexecLib.MarketOrderDirectionEnum.ASK`."""
UNSIGNED = (0, bytes(32), bytes(32))
"""v, r and s of a contribution without an enclave."""

SIGNATURES: Final = {
    "RLC": (
        "transfer(address,uint256)",
        "approve(address,uint256)",
        "transferFrom(address,address,uint256)",
        "balanceOf(address)",
    ),
    "IexecHub": (
        "attachContracts(address,address,address,address,address)",
        "createCategory(string,string,uint256)",
        "createWorkerPool(string,uint256,uint256,uint256)",
        "createApp(string,uint256,string)",
        "createDataset(string,uint256,string)",
        "deposit(uint256)",
        "withdraw(uint256)",
        "buyForWorkOrder(uint256,address,address,address,string,address,address)",
        "claimFailedConsensus(address)",
        "checkBalance(address)",
        "m_scores(address)",
        "m_contributionHistory()",
    ),
    "Marketplace": (
        "createMarketOrder(uint8,uint256,uint256,uint256,address,uint256)",
        "closeMarketOrder(uint256)",
        "getMarketOrder(uint256)",
        "m_orderCount()",
        "workOrderCallback(address,string,string,string)",
    ),
    "WorkerPool": (
        "changeWorkerPoolPolicy(uint256,uint256,uint256,uint256)",
        "subscribeToPool()",
        "unsubscribeFromPool()",
        "evictWorker(address)",
        "allowWorkersToContribute(address,address[],address)",
        "allowWorkerToContribute(address,address,address)",
        "contribute(address,bytes32,bytes32,uint8,bytes32,bytes32)",
        "revealConsensus(address,bytes32)",
        "reveal(address,bytes32)",
        "reopen(address)",
        "finalizeWork(address,string,string,string)",
        "getContribution(address,address)",
        "m_consensus(address)",
        "m_owner()",
    ),
    "WorkerPoolHub": ("setImmutableOwnership(address)",),
    "WorkOrder": ("m_status()",),
    "IexecAPI": (
        "approveIexecHub(uint256)",
        "depositRLCOnIexecHub(uint256)",
        "buyForWorkOrder(uint256,address,address,address,string,address,address)",
    ),
}
"""Contract -> the functions that are called."""

_KNOWN: Final = frozenset(one for listed in SIGNATURES.values() for one in listed)


class Terms(NamedTuple):
    """What a work order is bought for."""

    app: Address
    dataset: Address = NOBODY
    callback: Address = NOBODY
    beneficiary: Address = NOBODY
    params: str = "{}"


def calldata(signature: str, *arguments: object) -> bytes:
    """A call as the ABI says; the signature has to be one of `SIGNATURES`."""
    if signature not in _KNOWN:
        raise LookupError(signature)
    return selector(signature) + words(_types(signature), *arguments)


@cache
def selector(signature: str) -> bytes:
    """The first 4 bytes of a call."""
    return keccak(signature.encode())[:4]


def words(types: Sequence[str], *values: object) -> bytes:
    """Values as the ABI encodes them."""
    from eth_abi.abi import encode

    return encode(types, values)


@cache
def _types(signature: str) -> tuple[str, ...]:
    inside = signature.partition("(")[2].removesuffix(")")
    return tuple(inside.split(",")) if inside else ()


def call(sender: Address, to: Address, signature: str, *arguments: object) -> Tx:
    """A transaction that makes one call."""
    return Tx(sender, to, calldata(signature, *arguments))


def reverting(transaction: Tx) -> Tx:
    """The same, expected to fail."""
    return transaction._replace(reverts=True)


# -- what workers, schedulers and requesters do ---------------------------------------------------


def order(
    marketplace: Address,
    sender: Address,
    pool: Address,
    *,
    category: int,
    value: int,
    volume: int,
) -> Tx:
    """An ask order; `value` in nRLC."""
    signature = "createMarketOrder(uint8,uint256,uint256,uint256,address,uint256)"
    return call(sender, marketplace, signature, ASK, category, 0, value, pool, volume)


def buy(hub: Address, sender: Address, pool: Address, index: int, terms: Terms) -> Tx:
    """One work order of market order `index`."""
    signature = "buyForWorkOrder(uint256,address,address,address,string,address,address)"
    return call(
        sender,
        hub,
        signature,
        *(index, pool, terms.app, terms.dataset),
        *(terms.params, terms.callback, terms.beneficiary),
    )


def allow(
    scheduler: Address,
    pool: Address,
    woid: Address,
    workers: Sequence[Address],
    challenge: Address = NOBODY,
) -> Tx:
    """Authorise these; `challenge` is the address that an enclave signs for."""
    if len(workers) == 1:
        signature = "allowWorkerToContribute(address,address,address)"
        return call(scheduler, pool, signature, woid, workers[0], challenge)
    signature = "allowWorkersToContribute(address,address[],address)"
    return call(scheduler, pool, signature, woid, list(workers), challenge)


def contribute(
    worker: Address,
    pool: Address,
    woid: Address,
    result: bytes,
    signature: tuple[int, bytes, bytes] = UNSIGNED,
) -> Tx:
    """A worker commits to a result (`WorkerPool.contribute`)."""
    function = "contribute(address,bytes32,bytes32,uint8,bytes32,bytes32)"
    return call(
        worker, pool, function, woid, result_hash(result), result_sign(result, worker), *signature
    )


def finalize(scheduler: Address, pool: Address, woid: Address, text: str = "") -> Tx:
    """The end of a work order; `text` is its standard output."""
    return call(
        scheduler, pool, "finalizeWork(address,string,string,string)", woid, text, "", "ipfs"
    )


def result_hash(result: bytes) -> bytes:
    """What a worker commits to, and the scheduler names as the consensus."""
    return keccak(result)


def result_sign(result: bytes, worker: Address) -> bytes:
    """`keccak256(result ^ keccak256(worker))`, which nobody can copy from another worker."""
    mask = keccak(bytes.fromhex(worker[2:]))
    return keccak(bytes(a ^ b for a, b in zip(result, mask, strict=True)))
