"""The local node is on the right head, and what it answers there is wrong."""

from __future__ import annotations

import time

from monitor.lab.faults import Fault
from monitor.lab.network import LOCAL, LabNetwork
from monitor.lab.scenarios.row import (
    LOCAL_SUBJECT,
    Scenario,
    Step,
    asked_every,
    faulty,
    finding,
    heal_all,
    healed_but,
)
from monitor.model import Level

EVERY_SECONDS = 0.5
LOGGED_BLOCKS = 4
"""Until every block in which nodes are compared has a log."""
LONG_BLOCKS = 1024
SHRUNK_BLOCKS = 128
UPGRADE_SECONDS = 3 * 86_400
UPGRADE_FORK_ID = "0xfeedf04c"

MSTORE, PUSH1, LOG1 = 0x52, 0x60, 0xA1
"""Opcodes (Yellow Paper, appendix H)."""
WORD_BYTES, WORD_AT, WORD, TOPIC = 32, 0, 42, 1
_LOGGING = bytes(
    [
        *(PUSH1, WORD, PUSH1, WORD_AT, MSTORE),
        *(PUSH1, TOPIC, PUSH1, WORD_BYTES, PUSH1, WORD_AT, LOG1),
    ]
)
"""Emits one log of one word under one topic, and leaves a contract without code."""
LOGGER = "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65"
"""The fifth dev account, which no traffic is sent from."""
GWEI = 10**9


def _with_logs(*faults: Fault) -> Step:
    """Let every block have a log, and then set these faults on the local node."""

    async def step(net: LabNetwork) -> None:
        net.leader.in_every_block = (
            {
                "from": LOGGER,
                "data": "0x" + _LOGGING.hex(),
                "gas": hex(100_000),
                "maxFeePerGas": hex(20 * GWEI),
                "maxPriorityFeePerGas": hex(GWEI),
            },
        )
        await net.wait_blocks(LOGGED_BLOCKS)
        net.local.proxy.set(*faults)

    return step


async def _heal(net: LabNetwork) -> None:
    net.leader.in_every_block = ()
    await heal_all(net)


def _serves(blocks: int) -> Fault:
    """The local node's word that it is at `LONG_BLOCKS`, and of how many blocks it has the state.

    In the words of `eth_capabilities` (execution-apis pull 755), which anvil does not have; on a
    chain as short as the lab's, whatever is not served is too little.
    """

    def kept(oldest: int) -> dict[str, object]:
        return {"disabled": False, "oldestBlock": hex(oldest)}

    said = {
        "head": {"number": hex(LONG_BLOCKS), "hash": "0x" + "11" * 32},
        **dict.fromkeys(("blocks", "receipts", "logs"), kept(0)),
        "state": kept(LONG_BLOCKS - blocks),
    }
    return Fault("override", methods="eth_capabilities", result=said)


async def _upgrade(net: LabNetwork) -> None:
    """The references know of an upgrade in three days."""
    config = await net.leader.anvil.rpc("eth_config")
    upcoming = config["current"] | {
        "activationTime": int(time.time()) + UPGRADE_SECONDS,
        "forkId": UPGRADE_FORK_ID,
    }
    said = config | {"next": upcoming, "last": upcoming}
    for node in net.reference.values():
        node.proxy.set(Fault("override", methods="eth_config", result=said))


ANSWERS: tuple[Scenario, ...] = (
    Scenario(
        name="wrong-state",
        title="the local node says other balances and nonces, on the right head",
        counterpart="bnb-chain reth 233: two days to find which node's state was wrong",
        fault=faulty(LOCAL, Fault("wrong_state")),
        heal=heal_all,
        findings=frozenset({finding("state", LOCAL_SUBJECT, Level.FAILED)}),
        exit_code=1,
        settings=asked_every(EVERY_SECONDS, "state"),
    ),
    Scenario(
        name="wrong-logs",
        title="the local node's index lacks the last log of a block, on the right head",
        counterpart="erigon 19404, 22106: right head, wrong logs, weeks of debugging",
        fault=_with_logs(Fault("wrong_logs", methods="eth_getLogs")),
        heal=_heal,
        findings=frozenset({finding("logs", LOCAL_SUBJECT, Level.FAILED)}),
        exit_code=1,
        settings=asked_every(EVERY_SECONDS, "logs"),
    ),
    Scenario(
        name="receipts-missing-log",
        title="a receipt of the local node lacks a log, and its index has it",
        counterpart="node 487 of Base: receipts that do not come to the header's root",
        fault=_with_logs(Fault("wrong_logs", methods="eth_getBlockReceipts")),
        heal=_heal,
        findings=frozenset({finding("logs", LOCAL_SUBJECT, Level.FAILED)}),
        exit_code=1,
        settings=asked_every(EVERY_SECONDS, "logs"),
    ),
    Scenario(
        name="retention-shrunk",
        title=f"the local node has the states of {SHRUNK_BLOCKS} blocks, and had all of them",
        counterpart="a snapshot restored without its history, or a flag lost with an upgrade",
        before=faulty(LOCAL, _serves(LONG_BLOCKS)),
        fault=faulty(LOCAL, _serves(SHRUNK_BLOCKS)),
        heal=healed_but(_serves(LONG_BLOCKS)),
        findings=frozenset({finding("retention", LOCAL_SUBJECT, Level.DEGRADED)}),
        exit_code=0,
        settings=asked_every(EVERY_SECONDS, "retention"),
    ),
    Scenario(
        name="upgrade-unknown",
        title="the references upgrade in three days, and the local node has not heard of it",
        counterpart="Infura, 11 November 2020: a node that was left behind by a change of rules",
        fault=_upgrade,
        heal=heal_all,
        findings=frozenset({finding("upgrade", LOCAL_SUBJECT, Level.FAILED)}),
        exit_code=1,
        settings=asked_every(EVERY_SECONDS, "upgrade"),
    ),
)
