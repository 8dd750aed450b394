"""What clients say of themselves, each in its own dialect: read strictly, into one shape a method.

No specification binds these answers, or none is kept to. Numbers come as hex, as decimal text or as
JSON numbers. A field that is declared here and holds something else makes the answer malformed; one
that is not declared is passed over.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from monitor.rpc.decode import HexHash

Written = (
    Annotated[int, msgspec.Meta(ge=0)]
    | Annotated[str, msgspec.Meta(pattern=r"^(0x[0-9a-fA-F]{1,64}|[0-9]{1,78})\Z")]
)
"""A number as some client writes it."""


def number(written: int | str) -> int:
    """The number, however it was written."""
    if isinstance(written, int):
        return written
    return int(written, 16) if written.startswith("0x") else int(written)


class RawStage(msgspec.Struct, frozen=True):
    """How far one stage of a staged synchronisation has come.

    erigon and reth say `stage_name`; `block_number` is erigon's (rpc/jsonrpc/eth_system.go),
    `block` that of reth (alloy, rpc-types-eth/src/syncing.rs), which formerly said `name`.
    """

    stage_name: str | None = None
    name: str | None = None
    block_number: Written | None = None
    block: Written | None = None

    def __post_init__(self) -> None:
        _ = self.label, self.reached

    @property
    def label(self) -> str:
        """Its name, under either key. Raises ValueError where it has none."""
        label = self.stage_name if self.stage_name is not None else self.name
        if label is None:
            message = "a stage without a name"
            raise ValueError(message)
        return label

    @property
    def reached(self) -> Written:
        """Its block, under either key. Raises ValueError where it has none."""
        reached = self.block_number if self.block_number is not None else self.block
        if reached is None:
            message = f"stage {self.label} without a block"
            raise ValueError(message)
        return reached


class RawSyncing(msgspec.Struct, rename="camel", frozen=True):
    """The object that `eth_syncing` answers with, whoever says it.

    The specification: the three blocks. go-ethereum (internal/ethapi) adds what is left to index
    and to heal; besu (results/SyncingResult) `pulledStates` and `knownStates`, left out where there
    are none; nethermind (Facade/Eth/SyncingResult): `isSyncing`, `syncMode`. nitro
    (arbnode/sync_monitor.go) has none of the blocks, but counts of messages and batches.
    """

    is_syncing: bool = True
    current_block: Written | None = None
    highest_block: Written | None = None
    stages: list[RawStage] | dict[str, Written] | None = None
    sync_mode: str | int | None = None
    tx_index_remaining_blocks: Written | None = None
    state_index_remaining: Written | None = None
    trienode_index_remaining: Written | None = None
    healing_trienodes: Written | None = None
    healing_bytecode: Written | None = None
    pulled_states: Written | None = None
    known_states: Written | None = None
    msg_count: Written | None = None
    max_message_count: Written | None = None
    batch_seen: Written | None = None
    batch_processed: Written | None = None


class RawPeerNetwork(msgspec.Struct, frozen=True):
    """How a peer is connected (go-ethereum, p2p/peer.go)."""

    inbound: bool | None = None
    """besu and EthereumJS do not say."""


class RawPeerEth(msgspec.Struct, rename="camel", frozen=True):
    """What a peer said of its chain. Before eth/69 (EIP-7642) that was a hash and no height."""

    latest_block: Written | None = None


class RawPeerProtocols(msgspec.Struct, frozen=True):
    """What is spoken with a peer."""

    eth: RawPeerEth | str | None = None
    """geth says "handshake" as long as that lasts, and "unknown" of what it has no word for."""


class RawPeer(msgspec.Struct, rename="camel", frozen=True):
    """One row of `admin_peers`."""

    name: str | None = None
    client_id: str | None = None
    """Of an older nethermind, which had neither `name` nor `network`."""
    network: RawPeerNetwork | None = None
    protocols: RawPeerProtocols | None = None


class RawPool(msgspec.Struct, frozen=True):
    """`txpool_status` (go-ethereum: hex; nethermind: numbers)."""

    pending: Written
    queued: Written


class RawBesuPool(msgspec.Struct, rename="camel", frozen=True):
    """`txpool_besuStatistics`: what was sent here, and what peers told."""

    local_count: Written
    remote_count: Written


class RawRefusedBlock(msgspec.Struct, frozen=True):
    """The block within a row of `debug_getBadBlocks`."""

    number: Written | None = None
    hash: HexHash | None = None


class RawBadBlock(msgspec.Struct, rename="camel", frozen=True):
    """One row of `debug_getBadBlocks`.

    geth, erigon, besu and nethermind: `{block, hash, rlp}`; geth's `block` has nothing but an
    `error` where it cannot be shown. Others: the block itself.
    """

    hash: HexHash | None = None
    block_hash: HexHash | None = None
    number: Written | None = None
    block: RawRefusedBlock | str | None = None

    def __post_init__(self) -> None:
        _ = self.named

    @property
    def named(self) -> str:
        """Its hash, wherever it stands. Raises ValueError where there is none."""
        inner = self.block.hash if isinstance(self.block, RawRefusedBlock) else None
        named = self.hash or self.block_hash or inner
        if named is None:
            message = "a bad block without a hash"
            raise ValueError(message)
        return named

    @property
    def height(self) -> Written | None:
        if isinstance(self.block, RawRefusedBlock) and self.block.number is not None:
            return self.block.number
        return self.number


syncing: msgspec.json.Decoder[bool | RawSyncing] = msgspec.json.Decoder(bool | RawSyncing)
count: msgspec.json.Decoder[int | str] = msgspec.json.Decoder(Written)
"""A number alone, as `net_peerCount` and the count of a block's transactions are."""
optional_count: msgspec.json.Decoder[int | str | None] = msgspec.json.Decoder(Written | None)
peers: msgspec.json.Decoder[list[RawPeer]] = msgspec.json.Decoder(list[RawPeer])
pool: msgspec.json.Decoder[RawPool] = msgspec.json.Decoder(RawPool)
besu_pool: msgspec.json.Decoder[RawBesuPool] = msgspec.json.Decoder(RawBesuPool)
bad_blocks: msgspec.json.Decoder[list[RawBadBlock] | None] = msgspec.json.Decoder(
    list[RawBadBlock] | None
)
