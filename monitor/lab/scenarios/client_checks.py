"""What a node says of itself: its synchronisation, its peers, the blocks it refused."""

from __future__ import annotations

from monitor.lab.anvil import HASHES_ONLY
from monitor.lab.faults import Fault
from monitor.lab.network import LOCAL, LabNetwork
from monitor.lab.scenarios.row import (
    LOCAL_SUBJECT,
    Scenario,
    Step,
    asked_every,
    faulty,
    finding,
    for_blocks,
    healed_but,
)
from monitor.model import Level

OFTEN = asked_every(0.5, "sync", "peers", "txpool", "bad_blocks")
LAG_BLOCKS = 8
FAR_BLOCKS = 24
STEADY_BLOCKS = 10

INDEXING = {
    "startingBlock": "0x0",
    "currentBlock": "0x30",
    "highestBlock": "0x30",
    "healingTrienodes": "0x0",
    "txIndexFinishedBlocks": "0x10",
    "txIndexRemainingBlocks": "0x20",
    "stateIndexRemaining": "0x0",
}
"""Of a geth that has all blocks and builds its index of transactions."""
STAGES = {
    "startingBlock": "0x0",
    "currentBlock": "0x0",
    "highestBlock": "0x30",
    "stages": [
        {"stage_name": "OtterSync", "block_number": "0x30"},
        {"stage_name": "Execution", "block_number": "0x0"},
    ],
}
"""Of an erigon."""
WELL = (
    Fault("override", methods="net_peerCount", result="0x19"),
    Fault("override", methods="debug_getBadBlocks", result=[]),
)
"""What anvil does not answer, and a node does: it is told from the start, and after the healing."""


async def _refuse_next(net: LabNetwork) -> None:
    """The local node stops before a block that the others take, and lists it as bad."""
    net.local.stall()
    await net.wait_blocks(2)
    own = int(await net.local.anvil.rpc("eth_blockNumber"), 16)
    block = await net.leader.anvil.rpc("eth_getBlockByNumber", hex(own + 1), HASHES_ONLY)
    bad = [{"hash": block["hash"], "block": block, "rlp": "0xf90211"}]
    net.local.proxy.set(WELL[0], Fault("override", methods="debug_getBadBlocks", result=bad))


def _and_well(*faults: Fault) -> Step:
    """These faults of the local node, beside what is told from the start."""
    return faulty(LOCAL, *faults, *WELL)


async def _fall_far_behind(net: LabNetwork) -> None:
    """The local node is far back, and not at block 0, where it would seem to stand still."""
    await net.wait_blocks(FAR_BLOCKS)
    net.local.proxy.set(
        Fault("lag", blocks=FAR_BLOCKS),
        Fault("override", methods="eth_syncing", result=STAGES),
        *WELL,
    )


CLIENT_SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="indexing-at-the-tip",
        title="the local node is level, and says that it is syncing: it builds an index",
        counterpart="go-ethereum, interfaces.go: syncing is not done while an index is built",
        before=faulty(LOCAL, *WELL),
        fault=for_blocks(
            STEADY_BLOCKS, _and_well(Fault("override", methods="eth_syncing", result=INDEXING))
        ),
        heal=healed_but(*WELL),
        findings=frozenset(),
        exit_code=0,
        settings=OFTEN,
    ),
    Scenario(
        name="says-synced-while-behind",
        title=f"the local node lies {LAG_BLOCKS} blocks back, and says that it is not syncing",
        counterpart="go-ethereum 33687, erigon 8754, besu 4436: synced, by its own word, for days",
        before=faulty(LOCAL, *WELL),
        fault=_and_well(Fault("lag", blocks=LAG_BLOCKS)),
        heal=healed_but(*WELL),
        findings=frozenset(
            {
                finding("head", LOCAL_SUBJECT, Level.FAILED),
                finding("sync", LOCAL_SUBJECT, Level.DEGRADED),
            }
        ),
        exit_code=1,
        settings=OFTEN,
    ),
    Scenario(
        name="syncing-far-behind",
        title="the local node is far back and syncing, in stages",
        counterpart="ethereum-metrics-exporter 115: the stages of reth become NaN",
        before=faulty(LOCAL, *WELL),
        fault=_fall_far_behind,
        heal=healed_but(*WELL),
        findings=frozenset(
            {
                finding("head", LOCAL_SUBJECT, Level.FAILED),
                finding("sync", LOCAL_SUBJECT, Level.DEGRADED),
            }
        ),
        exit_code=1,
        settings=OFTEN,
    ),
    Scenario(
        name="no-peers",
        title="the local node has lost its peers, and follows its consensus client",
        counterpart="a firewall, or a clock that is off: the chain goes on, transactions do not",
        before=faulty(LOCAL, *WELL),
        fault=faulty(LOCAL, Fault("override", methods="net_peerCount", result="0x0"), WELL[1]),
        heal=healed_but(*WELL),
        findings=frozenset({finding("peers", LOCAL_SUBJECT, Level.DEGRADED)}),
        exit_code=0,
        settings=OFTEN,
    ),
    Scenario(
        name="bad-block-canonical",
        title="the local node refuses a block that all others take, and stays before it",
        counterpart="Holesky, February 2025: each side called the other's block bad",
        before=faulty(LOCAL, *WELL),
        fault=_refuse_next,
        heal=healed_but(*WELL),
        findings=frozenset(
            {
                finding("stall", LOCAL_SUBJECT, Level.FAILED),
                finding("bad_blocks", LOCAL_SUBJECT, Level.FAILED),
            }
        ),
        exit_code=1,
        settings=OFTEN,
    ),
)
