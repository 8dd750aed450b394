"""Wrong numbers in the contracts' own storage: no transaction put them there and no log tells.

Slots are those of `iexec-poco@1.1.17`, compiled by solc 0.4.21.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from eth_hash.auto import keccak

from monitor.lab.errors import LabError
from monitor.lab.poco.blocks import Log, log_of
from monitor.lab.poco.deployment import Deployment
from monitor.lab.poco.stage import address_in
from monitor.lab.poco.topics import HUB
from monitor.model import Address

WORD_MAX: Final = 2**256 - 1
DELTA_MAX: Final = 1000
"""The largest that `choose` chooses."""


class Field(Enum):
    """A number of the ledger, by the kind of difference that a wrong one is."""

    STAKE = "stake"
    """`IexecHub.m_accounts[account].stake`, nRLC; the next is its `locked`."""
    LOCKED = "locked"
    SCORE = "score"
    """`IexecHub.m_scores[account]`."""
    STATUS = "status"
    """`WorkerPool.m_contributions[task][account]`; so are the next two."""
    CONTRIBUTION_SCORE = "contribution_score"
    WEIGHT = "weight"
    SUCCEEDED = "succeeded"
    """`IexecHub.m_contributionHistory.success`, of everybody together; the next is its `failed`."""
    FAILED = "failed"
    HUB_BALANCE = "hub_balance"
    """`RLC.balances[hub]`, nRLC."""

    @property
    def kind(self) -> str:
        """The kind of the difference: what belongs to nobody breaks only a law."""
        return "invariant" if self in _NOBODYS else self.value


_NOBODYS: Final = frozenset({Field.SUCCEEDED, Field.FAILED, Field.HUB_BALANCE})
_HUB_SLOTS: Final = {
    # Field -> the variable's slot, and the word of it.
    Field.STAKE: (8, 0),
    Field.LOCKED: (8, 1),
    Field.SCORE: (10, 0),
}
_HISTORY_SLOTS: Final = {Field.SUCCEEDED: 11, Field.FAILED: 12}
_CONTRIBUTIONS_SLOT: Final = 13
_CONTRIBUTION_WORDS: Final = {
    Field.STATUS: 0,
    Field.CONTRIBUTION_SCORE: 4,
    Field.WEIGHT: 5,
}
_BALANCES_SLOT: Final = 9


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is to be wrong, and by how much."""

    field: Field
    delta: int
    """What it will be, minus what it is; not 0."""
    account: Address | None = None
    """Whose, except of what is everybody's."""
    task: Address | None = None
    """The work order, of what belongs to a contribution; `pool` is its pool."""
    pool: Address | None = None


@dataclass(frozen=True, slots=True)
class Planted:
    """What is wrong now."""

    field: Field
    account: Address | None
    """Whose; the hub's, where it is everybody's."""
    task: Address | None
    delta: int
    """`after` minus `before`: what the difference is to say, unless it is one of statuses, which
    are words."""
    before: int
    after: int
    contract: Address
    """Whose storage it is."""
    slot: int

    @property
    def kind(self) -> str:
        """The kind of the difference that has to be found."""
        return self.field.kind


async def plant(deployment: Deployment, *wrongs: Wrong) -> list[Planted]:
    """Write these, one after the other, and make them final by empty blocks.

    Raises LabError where a number would leave its 256 bits, or something needed is not named.
    """
    anvil = deployment.blocks.anvil
    planted = []
    for wrong in wrongs:
        contract, slot = place(deployment, wrong)
        before = int(await anvil.rpc("eth_getStorageAt", contract, hex(slot), "latest"), 16)
        after = before + wrong.delta
        if not 0 <= after <= WORD_MAX or not wrong.delta:
            message = f"{wrong.field.value} is {before} and cannot be made wrong by {wrong.delta}"
            raise LabError(message)
        await anvil.rpc("anvil_setStorageAt", contract, hex(slot), f"0x{after:064x}")
        planted.append(
            Planted(
                wrong.field,
                deployment.hub if wrong.field in _NOBODYS else wrong.account,
                wrong.task,
                wrong.delta,
                before=before,
                after=after,
                contract=contract,
                slot=slot,
            )
        )
    await deployment.blocks.settle()
    return planted


async def choose(
    deployment: Deployment, *, seed: int = 0, fields: Sequence[Field] = tuple(Field)
) -> list[Wrong]:
    """One wrong number of each of these fields, in whoever was paid: all different accounts.

    Raises LabError where fewer contributions were ever rewarded than fields are asked for.
    """
    rng = random.Random(f"plant {seed}")
    pools = {
        address_in(log.data): address_in(log.data[32:])
        for log in await _logs(deployment, HUB["WorkOrderCompleted"])
    }
    tasks = {
        address_in(log.topics[1]): address_in(log.data)
        for log in await _logs(deployment, HUB["AccurateContribution"])
    }
    if len(tasks) < len(fields):
        message = f"{len(tasks)} workers were ever rewarded, and {len(fields)} are needed"
        raise LabError(message)
    victims = rng.sample(sorted(tasks), len(fields))
    return [
        _wrong(field, rng.randint(1, DELTA_MAX), account, tasks[account], pools[tasks[account]])
        for field, account in zip(fields, victims, strict=True)
    ]


def place(deployment: Deployment, wrong: Wrong) -> tuple[Address, int]:
    """The contract and the slot where the number lies; raises LabError as `plant` does."""
    field, hub = wrong.field, deployment.hub
    if field in _HISTORY_SLOTS:
        return hub, _HISTORY_SLOTS[field]
    if field is Field.HUB_BALANCE:
        return deployment.rlc, _of_mapping(_BALANCES_SLOT, hub)
    if wrong.account is None:
        message = f"whose {field.value} is to be wrong?"
        raise LabError(message)
    if field in _HUB_SLOTS:
        slot, word = _HUB_SLOTS[field]
        return hub, _of_mapping(slot, wrong.account) + word
    if wrong.task is None or wrong.pool is None:
        message = f"the {field.value} of which contribution is to be wrong?"
        raise LabError(message)
    slot = _of_mapping(_of_mapping(_CONTRIBUTIONS_SLOT, wrong.task), wrong.account)
    return wrong.pool, slot + _CONTRIBUTION_WORDS[field]


def _wrong(field: Field, delta: int, account: Address, task: Address, pool: Address) -> Wrong:
    if field in _NOBODYS:
        return Wrong(field, delta)
    if field in _HUB_SLOTS:
        return Wrong(field, delta, account)
    if field is Field.STATUS:
        # Proved becomes rejected: a status that there is.
        return Wrong(field, 1, account, task, pool)
    return Wrong(field, delta, account, task, pool)


def _of_mapping(slot: int, key: Address) -> int:
    """`keccak(key . slot)`, where the mapping of that slot keeps the key's value."""
    word = bytes.fromhex(key[2:]).rjust(32, b"\0")
    return int.from_bytes(keccak(word + slot.to_bytes(32, "big")), "big")


async def _logs(deployment: Deployment, topic: bytes) -> list[Log]:
    asked = {
        "address": deployment.hub,
        "fromBlock": hex(deployment.first_block),
        "toBlock": "latest",
        "topics": [f"0x{topic.hex()}"],
    }
    return [log_of(one) for one in await deployment.blocks.anvil.rpc("eth_getLogs", asked)]
