"""What the checks of the way to a node see, and what they leave in peace."""

from __future__ import annotations

from monitor.lab.faults import RATE_LIMITED, Fault
from monitor.lab.network import LOCAL, LabNetwork
from monitor.lab.scenarios.row import (
    LOCAL_SUBJECT,
    PATIENT_SECONDS,
    QUORUM_SUBJECT,
    Scenario,
    asked_every,
    faulty,
    finding,
    for_blocks,
    heal_all,
)
from monitor.model import Level

STEADY_BLOCKS = 15
SKEW_SECONDS = 60.0
SLOW_SECONDS = 3.5
ANNOUNCED = "eth_subscription"


async def _all_ahead(net: LabNetwork) -> None:
    """Everybody's clock but ours is ahead: it is ours that is behind."""
    for node in (net.local, *net.reference.values()):
        node.proxy.set(Fault("date_skew", seconds=SKEW_SECONDS))


TRANSPORT_CHECKS: tuple[Scenario, ...] = (
    Scenario(
        name="websocket-deaf",
        title="the local node's websocket stays open and tells of no head any more",
        counterpart="ethers 5121, bor 788: newHeads goes deaf while HTTP is well",
        fault=faulty(LOCAL, Fault("deaf", methods=ANNOUNCED)),
        heal=heal_all,
        findings=frozenset({finding("subscription", LOCAL_SUBJECT, Level.DEGRADED)}),
        exit_code=0,
    ),
    Scenario(
        name="websocket-gaps",
        title="the local node's websocket leaves out every second head",
        counterpart="a load balancer that drops messages of slow readers",
        fault=faulty(LOCAL, Fault("ws_gap", methods=ANNOUNCED, every=2)),
        heal=heal_all,
        findings=frozenset({finding("subscription", LOCAL_SUBJECT, Level.DEGRADED)}),
        exit_code=0,
    ),
    Scenario(
        name="websocket-duplicates",
        title="the local node's websocket tells of every head twice",
        counterpart="two backends of a provider behind one subscription",
        fault=for_blocks(STEADY_BLOCKS, faulty(LOCAL, Fault("ws_duplicate", methods=ANNOUNCED))),
        heal=heal_all,
        findings=frozenset(),
        exit_code=0,
    ),
    Scenario(
        name="websocket-out-of-order",
        title="the local node's websocket tells of every third head after the next one",
        counterpart="two backends of a provider behind one subscription",
        fault=for_blocks(
            STEADY_BLOCKS, faulty(LOCAL, Fault("ws_out_of_order", methods=ANNOUNCED, every=3))
        ),
        heal=heal_all,
        findings=frozenset(),
        exit_code=0,
    ),
    Scenario(
        name="provider-limits",
        title="the local node's provider refuses all calls but those for the newest block (-32005)",
        counterpart="plans that count calls by their method",
        fault=faulty(
            LOCAL,
            Fault("override", methods="eth_chainId", error=RATE_LIMITED),
            Fault("override", methods="web3_clientVersion", error=RATE_LIMITED),
            Fault(
                "override",
                methods="eth_getBlockByNumber",
                params=("finalized",),
                error=RATE_LIMITED,
            ),
        ),
        heal=heal_all,
        findings=frozenset(
            {
                finding("identity", LOCAL_SUBJECT, Level.UNKNOWN),
                finding("rpc", LOCAL_SUBJECT, Level.DEGRADED),
            }
        ),
        exit_code=3,
        # It is asked what is final every twelve seconds, which may come meanwhile or not.
        also=frozenset({finding("finality", LOCAL_SUBJECT, Level.UNKNOWN)}),
    ),
    Scenario(
        name="slow",
        title=f"the local node takes {SLOW_SECONDS} seconds for what needs a proof of state",
        counterpart="a node whose disk is full of a rebuild, or of a neighbour's work",
        fault=faulty(LOCAL, Fault("latency", methods="eth_getProof", seconds=SLOW_SECONDS)),
        heal=heal_all,
        findings=frozenset({finding("rpc", LOCAL_SUBJECT, Level.DEGRADED)}),
        exit_code=0,
        settings=asked_every(1.0, "state", deadline_seconds=PATIENT_SECONDS),
    ),
    Scenario(
        name="clock-skewed",
        title="the clock of the local node's host is a minute ahead",
        counterpart="a client that finds no peers: discovery packets expire after 20 s",
        fault=faulty(LOCAL, Fault("date_skew", seconds=SKEW_SECONDS)),
        heal=heal_all,
        findings=frozenset({finding("clock", LOCAL_SUBJECT, Level.DEGRADED)}),
        exit_code=0,
    ),
    Scenario(
        name="own-clock",
        title="the clock of the monitor's own host is a minute behind everybody's",
        counterpart="a virtual machine that was suspended",
        fault=_all_ahead,
        heal=heal_all,
        findings=frozenset({finding("clock", QUORUM_SUBJECT, Level.DEGRADED)}),
        exit_code=0,
    ),
    Scenario(
        name="future-head",
        title="the local node's head is dated a minute ahead",
        counterpart="a block that a client will not take before its time has come",
        fault=faulty(LOCAL, Fault("timestamp_skew", seconds=SKEW_SECONDS)),
        heal=heal_all,
        findings=frozenset({finding("clock", LOCAL_SUBJECT, Level.DEGRADED)}),
        exit_code=0,
    ),
)
