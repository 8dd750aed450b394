"""The chains of today: their profiles, each number with its source.

`assumed` names the numbers that nobody has published; `unknown` says what was not found.
"""

from __future__ import annotations

from monitor.judge.chain_profile import Profile, Source
from monitor.model import Hash32

MAINNET_GENESIS = Hash32("0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3")
_TIMING = ("arrival_seconds", "skew_seconds")
_TESTNET_MISS = Source(
    "etherworld",
    "2025-03-14",
    "Holesky, February 2025: about half of the slots empty, two weeks without finality. "
    "Empty slots of this network were not counted: 5 % is assumed, a degraded day",
)
_TWO_EPOCHS = Source(
    "consensus-specs, finality",
    "2020",
    "a block is final after two epochs of 32 slots, where two thirds vote; on a testnet that "
    "may stop",
)

DEV = Profile(
    key="dev",
    version=1,
    model="slots",
    interval_seconds=1.0,
    arrival_seconds=2.0,
    skew_seconds=0.75,
    miss=0.05,
    confirmations_min=2,
    calls_a_day=50_000_000,
    sources=(
        Source(
            "monitor/lab",
            "2026-11",
            "a development chain (anvil) on one busy machine: arrival and skew are what two slow "
            "shared cores need, 5 % of ticks late by a whole block; no reorgs of its own",
        ),
    ),
)

ETHEREUM = Profile(
    key="ethereum",
    version=1,
    model="slots",
    interval_seconds=12.0,
    arrival_seconds=4.0,
    skew_seconds=3.0,
    miss=0.003,
    fork_rate=0.00059,
    fork_ratio=4 / 1406,
    finality_blocks=64,
    chain_id=1,
    genesis_hash=MAINNET_GENESIS,
    assumed=("skew_seconds",),
    sources=(
        Source("reldo.dev", "2026-02-02", "missed slots 0.15-0.31 % a day, runs up to 7"),
        Source(
            "observatory ethp2p",
            "2026-02",
            "block arrival: median 1.9 s after the start of the slot; 4 s taken as p99",
        ),
        Source(
            "ethresear.ch 16333",
            "2023-08",
            "reorged 0.059 % of blocks: 1,406 of depth 1, 4 of depth 2",
        ),
        Source(
            "EIP-3675",
            "2022-09-15",
            "the merge: a slot every 12 s, none of them drawn by work",
        ),
        Source(
            "consensus-specs, finality", "2020", "a block is final after two epochs of 32 slots"
        ),
    ),
)

SEPOLIA = Profile(
    key="sepolia",
    version=1,
    model="slots",
    interval_seconds=12.0,
    arrival_seconds=4.0,
    skew_seconds=3.0,
    miss=0.05,
    fork_rate=None,
    finality_blocks=64,
    chain_id=11_155_111,
    genesis_hash=Hash32("0x25a5cc106eea7138acab33231d7160d69cb777ee0c2c553fcddf5138993e6dd9"),
    assumed=(*_TIMING, "miss", "reorg_usual_blocks"),
    unknown=("how often slots stay empty", "how often blocks are replaced"),
    sources=(
        _TESTNET_MISS,
        _TWO_EPOCHS,
        Source(
            "go-ethereum params/config.go",
            "2026-08",
            "SepoliaChainConfig and SepoliaGenesisHash: chain id and genesis",
        ),
    ),
)

HOODI = Profile(
    key="hoodi",
    version=1,
    model="slots",
    interval_seconds=12.0,
    arrival_seconds=4.0,
    skew_seconds=3.0,
    miss=0.05,
    fork_rate=None,
    finality_blocks=64,
    chain_id=560_048,
    genesis_hash=Hash32("0xbbe312868b376a3001692a646dd2d7d1e4406380dfd86b98aa8a34d1557c971b"),
    assumed=(*_TIMING, "miss", "reorg_usual_blocks"),
    unknown=("how often slots stay empty", "how often blocks are replaced"),
    sources=(
        _TESTNET_MISS,
        _TWO_EPOCHS,
        Source(
            "go-ethereum params/config.go",
            "2026-08",
            "HoodiChainConfig and HoodiGenesisHash: chain id and genesis",
        ),
    ),
)

GNOSIS = Profile(
    key="gnosis",
    version=1,
    model="slots",
    interval_seconds=5.0,
    arrival_seconds=2.0,
    skew_seconds=3.0,
    miss=0.02,
    fork_rate=None,
    finality_blocks=32,
    chain_id=100,
    genesis_hash=Hash32("0x4f1dd23188aab3a76b463e4af801b52b1248ef073c648cbdc4c9333d3da79756"),
    assumed=(*_TIMING, "miss", "reorg_usual_blocks"),
    unknown=("how often slots stay empty: 2 % is assumed", "how often blocks are replaced"),
    sources=(
        Source(
            "docs.gnosischain.com",
            "2026",
            "slots of 5 s, 16 to an epoch; final after 2.7 minutes, that is two epochs",
        ),
        Source("erigon params/config.go", "2026", "GnosisGenesisHash: the genesis"),
    ),
)

POLYGON = Profile(
    key="polygon",
    version=2,
    model="slots",
    interval_seconds=2.0,
    arrival_seconds=2.0,
    skew_seconds=3.0,
    miss=0.01,
    fork_rate=None,
    reorg_usual_blocks=32,
    reorg_record_blocks=157,
    finality_late_seconds=32.0,
    chain_id=137,
    genesis_hash=Hash32("0xa9c28ce2141b56c474f1dc504bee9b01eb1bd7d1a507580d5519d4437a97de1b"),
    assumed=(*_TIMING, "miss"),
    unknown=(
        "how often a producer misses its block: 1 % is assumed",
        "how often blocks are replaced, and how deep under the producer rules since 2023",
        "how many blocks a milestone takes",
    ),
    sources=(
        Source(
            "mplankton.substack.com",
            "2023-02",
            "157 blocks replaced in February 2023; producers seal sprints of 16 blocks, so that "
            "a depth of 32 is possible",
        ),
        Source("quicknode.com", "2026", "a block in about 2 s, each at its time"),
        Source("PIP-11", "2023", "milestones: what `finalized` names"),
        Source(
            "bor eth/backend.go",
            "2026",
            "a milestone is asked of Heimdall every 2 s, and waited for 30 s",
        ),
        Source("erigon params/config.go", "2023", "BorMainnetGenesisHash: the genesis"),
    ),
)

BELLECOUR = Profile(
    key="bellecour",
    version=1,
    model="rota",
    interval_seconds=5.0,
    arrival_seconds=2.0,
    skew_seconds=3.0,
    authorities=8,
    fork_rate=None,
    chain_id=134,
    assumed=(*_TIMING, "reorg_usual_blocks"),
    unknown=("its finality", "its client", "its genesis", "how often blocks are replaced"),
    sources=(
        Source(
            "docs.iex.ec, sidechain overview",
            "2026",
            "proof of authority, 8 validators, a block in 5 s, chain id 134",
        ),
    ),
)

_SEQUENCER = Source(
    "arbitrum-docs",
    "2026",
    "one sequencer orders all, so that no rival blocks are made while it is sound; at least "
    "0.25 s between blocks, and no block without transactions",
)
_PARENT = Source(
    "nitro arbnode/inbox_reader.go, consensus-specs",
    "2026",
    "final is what the parent chain calls final, asked of a node of that chain that each has for "
    "itself; it comes once in 32 slots of 12 s, and who has missed one step is late",
)

ARBITRUM = Profile(
    key="arbitrum",
    version=2,
    model="traffic",
    interval_seconds=0.25,
    arrival_seconds=2.0,
    skew_seconds=1.0,
    confirmations_min=2,
    finality_late_seconds=384.0,
    chain_id=42_161,
    assumed=(*_TIMING, "confirmations_min"),
    unknown=("how quiet its traffic becomes", "a client's word for its genesis"),
    sources=(_SEQUENCER, _PARENT),
)

ARBITRUM_SEPOLIA = Profile(
    key="arbitrum-sepolia",
    version=2,
    model="traffic",
    interval_seconds=0.25,
    arrival_seconds=2.0,
    skew_seconds=1.0,
    confirmations_min=2,
    finality_late_seconds=384.0,
    chain_id=421_614,
    genesis_hash=Hash32("0x77194da4010e549a7028a9c3c51c3e277823be6ac7d138d0bb8a70197b5c004c"),
    assumed=(*_TIMING, "confirmations_min"),
    unknown=("how quiet its traffic becomes",),
    sources=(
        _SEQUENCER,
        _PARENT,
        Source("erigon ArbSepoliaGenesisHash", "2026", "the genesis"),
    ),
)
