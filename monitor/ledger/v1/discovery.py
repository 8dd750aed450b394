"""From the address of a hub to its other contracts, and to the block that it is in since."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from monitor.ledger.abi import ZERO_ADDRESS, BadWords, Getter, address_of
from monitor.ledger.calls import (
    PACE,
    Call,
    Pace,
    ask,
    block_parameter,
    call_many,
    data,
)
from monitor.ledger.errors import CouldNotSee, NotAHub
from monitor.ledger.refusals import Meaning
from monitor.ledger.remedies import NOT_THERE, WRONG_CHAIN, unseen
from monitor.ledger.v1 import getters
from monitor.model import Address, BlockStamp, Hash32
from monitor.rpc import decode
from monitor.rpc.node import Node

PROTOCOL = "IexecHub of iexec-poco@1.1.17"
CHAIN_ID_MAX = 2**63 - 37
"""`floor(MAX_UINT64 / 2) - 36` (EIP-2294)."""

DEPLOYMENTS: Mapping[tuple[int, Address], Hash32] = {
    (1, Address("0x0d5ef019ca4c5cc413ee892ced89d7107c5f424d")): Hash32(
        "0x931349936f3b358dc84c873e30d76258cf67ac64c953d11335211234b5ceee43"
    ),
    (3, Address("0x63d3215027dfaeab233d8feeddc660724c6b921b")): Hash32(
        "0xe8daef1530474edbf097305edfca2a3707146c1fa4e53fd75004f3e438e76e33"
    ),
    (4, Address("0x32aedc290604f7a674781b232143b837a358d711")): Hash32(
        "0x9dcaa4ee834a66bb877998c176364dc03496aaced0f751df4edc459c680d98a1"
    ),
    (42, Address("0x12b92a17b1ca4bb10b861386446b8b2716e58c9b")): Hash32(
        "0xa1dbdbf6f34fe166b0e9d5eb68d3995b435717866dd50829a852cde33218c0f4"
    ),
}
"""(chain id, hub) -> the transaction that created it, by `networks` of the package's IexecHub.json.

The word of the package, so that it only says where to look: the receipt must name the hub.
"""


@dataclass(frozen=True, slots=True)
class Contracts:
    """One deployment of the protocol."""

    hub: Address
    marketplace: Address
    token: Address
    """RLC."""
    app_hub: Address
    dataset_hub: Address
    worker_pool_hub: Address


class _Receipt(msgspec.Struct, rename="camel", frozen=True):
    block_number: decode.Quantity
    contract_address: str | None = None


class _Sent(msgspec.Struct, frozen=True):
    hash: decode.HexHash
    to: str | None = None


class _Filled(msgspec.Struct, frozen=True):
    transactions: list[_Sent]


_receipt: msgspec.json.Decoder[_Receipt | None] = msgspec.json.Decoder(_Receipt | None)
_filled: msgspec.json.Decoder[_Filled | None] = msgspec.json.Decoder(_Filled | None)

ATTACHED: tuple[Getter, ...] = (
    getters.MARKETPLACE,
    getters.RLC,
    getters.APP_HUB,
    getters.DATASET_HUB,
    getters.WORKER_POOL_HUB,
)
"""`IexecHub.attachContracts`, in the order of `Contracts`."""


async def chain_of(node: Node, expected: int | None = None, *, pace: Pace = PACE) -> int:
    """The chain id of a node; raises CouldNotSee where another one was expected."""
    chain_id = int(await ask(node, "eth_chainId", (), decode.quantity, pace=pace), 16)
    if expected is not None and chain_id != expected:
        detail = f"{node.label} serves chain {chain_id}, not {expected}"
        raise unseen(WRONG_CHAIN, detail)
    if chain_id > CHAIN_ID_MAX:
        detail = f"{node.label} answered the chain id {chain_id:#x}, which no chain can have"
        raise unseen(Meaning.MALFORMED, detail)
    return chain_id


async def discover(
    node: Node, hub: Address, at: BlockStamp, *, chain_id: int | None = None, pace: Pace = PACE
) -> Contracts:
    """The contracts that are attached to a hub at a block.

    A hub is one whose five getters name contracts, of which the three registries belong to it and
    the other two answer as a marketplace and a token. Raises NotAHub for anything else, CouldNotSee
    for what the node does not show or, with `chain_id`, for a node of another chain.
    """
    served = await chain_of(node, chain_id, pace=pace)
    claim = _Claim(node, hub, at, pace, served)
    answers = await claim.call([Call(hub, getter.calldata()) for getter in ATTACHED])
    if all(answer == b"" for answer in answers):
        raise await _nothing_there(claim)
    attached = [_attached(claim, g, a) for g, a in zip(ATTACHED, answers, strict=True)]
    contracts = Contracts(hub, *attached)
    await _require_consent(claim, contracts)
    return contracts


async def first_block(node: Node, hub: Address, at: BlockStamp, *, pace: Pace = PACE) -> int:
    """The block that created a hub, if that can be proven; else 0, from which nothing is missed.

    Known deployments are looked up by their transaction, others by halving the range in which the
    code appears; either way a receipt must say that the hub was created there. Without that proof
    (old state pruned, created by another contract) an answer could lie above the hub's first logs.
    """
    chain_id = await chain_of(node, pace=pace)
    transaction = DEPLOYMENTS.get((chain_id, hub))
    if transaction is not None:
        created = await _created_by(node, transaction, hub, pace)
        if created is not None and created <= at.number:
            return created
    return await _created_in(node, await _appearance(node, hub, at.number, pace), hub, pace)


# -- what is no hub ------------------------------------------------------------------------------


class _Claim(NamedTuple):
    """That an address is a hub on a chain, as one node shows it at one block."""

    node: Node
    hub: Address
    at: BlockStamp
    pace: Pace
    chain_id: int

    async def call(self, calls: list[Call]) -> list[bytes | None]:
        return await call_many(self.node, calls, self.at, pace=self.pace)

    def refuted(self, why: str) -> NotAHub:
        """The error, with the address that it should be where one is known."""
        known = [hub for chain, hub in DEPLOYMENTS if chain == self.chain_id]
        remedy = f"on chain {self.chain_id} it is {known[0]}" if known else _NONE_KNOWN
        return NotAHub(f"{why}; {remedy}")


_NONE_KNOWN = "check the address, and that it was copied from the same chain"


async def _nothing_there(claim: _Claim) -> NotAHub | CouldNotSee:
    """What it means that an address answers everything with nothing."""
    node, hub, at, pace, chain_id = claim
    probe = Call(hub, getters.MARKETPLACE.calldata())
    block = await block_parameter(node, probe, at, pace=pace)
    then = await ask(node, "eth_getCode", (hub, block), data, pace=pace)
    now = await ask(node, "eth_getCode", (hub, "latest"), data, pace=pace)
    if then:
        return claim.refuted(f"{hub} has code that answers {PROTOCOL}'s getters with nothing")
    if now:
        detail = (
            f"{node.label}: {hub} has code now and none at block {at.number}: it was deployed "
            "later, or the node does not have the state of that block"
        )
        return unseen(NOT_THERE, detail)
    return claim.refuted(f"{hub} has no code at block {at.number} of chain {chain_id}")


def _attached(claim: _Claim, getter: Getter, answer: bytes | None) -> Address:
    """The contract that a getter names; raises NotAHub."""
    if answer is None:
        why = f"{claim.hub} is no {PROTOCOL}: its {getter.signature} reverts"
        raise claim.refuted(why)
    try:
        attached = address_of(getter.read(answer)[0])
    except BadWords as error:
        why = f"{claim.hub} is no {PROTOCOL}: {error}"
        raise claim.refuted(why) from error
    if attached == ZERO_ADDRESS:
        why = f"{claim.hub} is no {PROTOCOL} in use: its {getter.signature} is not attached"
        raise claim.refuted(why)
    return attached


async def _require_consent(claim: _Claim, contracts: Contracts) -> None:
    """Ask the attached contracts whether they are what the hub takes them for; raises NotAHub."""
    registries = (contracts.app_hub, contracts.dataset_hub, contracts.worker_pool_hub)
    hub = contracts.hub
    asked = [
        (contracts.marketplace, getters.ORDER_COUNT, getters.ORDER_COUNT.calldata()),
        (contracts.token, getters.BALANCE_OF, getters.BALANCE_OF.calldata(hub)),
        *((one, getters.OWNER, getters.OWNER.calldata()) for one in registries),
    ]
    answers = await claim.call([Call(to, raw) for to, _, raw in asked])
    for (to, getter, _), answer in zip(asked, answers, strict=True):
        why = f"{hub} is no {PROTOCOL}: {to}, which it names, reverts at {getter.signature}"
        if answer is None:
            raise claim.refuted(why)
        try:
            (word,) = getter.read(answer)
        except BadWords as error:
            why = f"{hub} is no {PROTOCOL}: {to}, which it names: {error}"
            raise claim.refuted(why) from error
        if getter == getters.OWNER and word != int(hub, 16):
            why = f"{hub} is no {PROTOCOL}: {to}, which it names, belongs to {word:#042x}"
            raise claim.refuted(why)


# -- the first block -----------------------------------------------------------------------------


async def _appearance(node: Node, hub: Address, last: int, pace: Pace) -> int:
    """The lowest height up to `last` at which the address has code, as far as the node knows."""
    once = pace._replace(again=pace.again - {Meaning.NO_BLOCK})
    low, high = 0, last
    while low < high:
        middle = (low + high) // 2
        try:
            code = await ask(node, "eth_getCode", (hub, hex(middle)), data, pace=once)
        except CouldNotSee as error:
            if error.reason not in _UNKNOWABLE:
                raise
            code = b""
        low, high = (low, middle) if code else (middle + 1, high)
    return low


_UNKNOWABLE = frozenset({Meaning.PRUNED.value, Meaning.NO_BLOCK.value, Meaning.REFUSED.value})
"""Where a node refuses an old state, the search goes on above; the receipt decides."""


async def _created_in(node: Node, number: int, hub: Address, pace: Pace) -> int:
    """`number` if a transaction of that block created the hub, else 0."""
    block = await ask(node, "eth_getBlockByNumber", (hex(number), True), _filled, pace=pace)
    creating = [sent.hash for sent in block.transactions if sent.to is None] if block else []
    created = await asyncio.gather(*(_created_by(node, one, hub, pace) for one in creating))
    return number if number in created else 0


async def _created_by(node: Node, transaction: str, hub: Address, pace: Pace) -> int | None:
    """The block in which a transaction created the hub, or None where it did not, or is unknown."""
    params = (transaction,)
    receipt = await ask(node, "eth_getTransactionReceipt", params, _receipt, pace=pace)
    if receipt is None or (receipt.contract_address or "").lower() != hub:
        return None
    return int(receipt.block_number, 16)
