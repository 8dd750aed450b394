"""upgrade: the rules that a node follows and will follow, beside the references'.

One call at the node and one at each reference.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

import msgspec

from monitor.judge.upgrade import METHOD, Config, Fork, UpgradeSeen
from monitor.probes.asked import Asked
from monitor.rpc.decode import Quantity

NAMES_MAX = 256
FORK_ID = r"^0x[0-9a-fA-F]{8}\Z"
ADDRESS_TEXT = 42

Time = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
ForkId = Annotated[str, msgspec.Meta(pattern=FORK_ID)]
Named = Annotated[dict[str, str], msgspec.Meta(max_length=NAMES_MAX)]
"""Name -> address, and address -> name in drafts of the EIP."""


class _RawBlobSchedule(msgspec.Struct, rename="camel", frozen=True):
    base_fee_update_fraction: int
    max: int
    target: int


class _RawFork(msgspec.Struct, rename="camel", frozen=True):
    """A configuration object (EIP-7910); what came with Cancun may be missing before."""

    activation_time: Time
    chain_id: Quantity
    fork_id: ForkId
    precompiles: Named
    system_contracts: Named | None = None
    blob_schedule: _RawBlobSchedule | None = None

    @property
    def fork(self) -> Fork:
        """The same as a value that can be compared."""
        blobs = self.blob_schedule
        return Fork(
            activation_time=self.activation_time,
            fork_id=self.fork_id.lower(),
            chain_id=int(self.chain_id, 16),
            blob_schedule=None
            if blobs is None
            else (blobs.target, blobs.max, blobs.base_fee_update_fraction),
            precompiles=_addresses(self.precompiles),
            system_contracts=_addresses(self.system_contracts or {}),
        )


class _RawConfig(msgspec.Struct, frozen=True):
    current: _RawFork
    next: _RawFork | None = None


_raw: msgspec.json.Decoder[_RawConfig] = msgspec.json.Decoder(_RawConfig)


class _ConfigDecoder:
    def decode(self, raw: msgspec.Raw, /) -> Config:
        """A node's configuration; raises what msgspec raises."""
        said = _raw.decode(raw)
        return Config(said.current.fork, None if said.next is None else said.next.fork)


CONFIG: Final = _ConfigDecoder()


async def probe(asked: Asked[UpgradeSeen]) -> UpgradeSeen:
    """`eth_config` (EIP-7910), everywhere. Raises RpcError."""
    head = asked.head
    config, answers = await asyncio.gather(
        asked.node.ask(METHOD, (), CONFIG), asked.panel.ask(METHOD, (), CONFIG)
    )
    return UpgradeSeen(
        config=config,
        head_timestamp=None if head is None else head.timestamp,
        seconds=None if config.next is None else config.next.activation_time - asked.clock(),
        answers=answers,
    )


def _addresses(named: dict[str, str]) -> frozenset[str]:
    pairs = ((name.lower(), value.lower()) for name, value in named.items())
    return frozenset(
        name if name.startswith("0x") and len(name) == ADDRESS_TEXT else value
        for name, value in pairs
    )
