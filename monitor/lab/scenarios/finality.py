"""What is final: tags that stand, go back, change places or name another block."""

from __future__ import annotations

from monitor.judge.chains import GNOSIS
from monitor.lab.faults import Fault
from monitor.lab.network import LOCAL, LabNetwork
from monitor.lab.scenarios.row import (
    LOCAL_SUBJECT,
    QUORUM_SUBJECT,
    Scenario,
    asked_every,
    faulty,
    finding,
    heal_all,
)
from monitor.model import Level

OFTEN = asked_every(0.2, "finality")
"""Once a block, as the lab's chain finalizes."""
BACK_BLOCKS = 40


async def _nobody_finalizes(net: LabNetwork) -> None:
    for node in (net.local, *net.reference.values()):
        node.proxy.set(Fault("finality_stalled"))


FINALITY: tuple[Scenario, ...] = (
    Scenario(
        name="finality-stalled",
        title="the local node goes on, and what it calls final stays where it was",
        counterpart="an execution client whose consensus client no longer finalizes",
        fault=faulty(LOCAL, Fault("finality_stalled")),
        heal=heal_all,
        findings=frozenset({finding("finality", LOCAL_SUBJECT, Level.DEGRADED)}),
        exit_code=0,
        settings=OFTEN,
    ),
    Scenario(
        name="finality-backwards",
        title=f"the local node calls final what was so {BACK_BLOCKS} blocks ago",
        counterpart="a restart from an old database behind the same address",
        fault=faulty(LOCAL, Fault("finality_backwards", blocks=BACK_BLOCKS)),
        heal=heal_all,
        findings=frozenset({finding("finality", LOCAL_SUBJECT, Level.FAILED)}),
        exit_code=0,
        settings=OFTEN,
    ),
    Scenario(
        name="finalized-hash-differs",
        title="only the local node's `finalized` names another block than the network's",
        counterpart="go-ethereum 35418: after a restart, a finalized block that nobody finalized",
        fault=faulty(LOCAL, Fault("finalized_hash")),
        heal=heal_all,
        findings=frozenset(
            {
                finding("finality", LOCAL_SUBJECT, Level.FAILED),
                finding("fork", LOCAL_SUBJECT, Level.FAILED),
            }
        ),
        exit_code=1,
        settings=OFTEN,
    ),
    Scenario(
        name="tags-unordered",
        title="the local node's `safe` and `finalized` have changed places",
        counterpart="proxyd bans a backend for it",
        fault=faulty(LOCAL, Fault("tags_unordered", tag="finalized")),
        heal=heal_all,
        findings=frozenset({finding("finality", LOCAL_SUBJECT, Level.DEGRADED)}),
        exit_code=0,
        settings=OFTEN,
    ),
    Scenario(
        name="chain-finality-stalled",
        title="the chain goes on, and what all nodes call final stays where it was",
        counterpart="the beacon chain, 11 and 12 May 2023; Holesky, two weeks of February 2025",
        fault=_nobody_finalizes,
        heal=heal_all,
        findings=frozenset({finding("finality", QUORUM_SUBJECT, Level.DEGRADED)}),
        exit_code=0,
        settings=OFTEN,
        profile=GNOSIS.key,
    ),
)
