"""How answers travel, or do not."""

from __future__ import annotations

from monitor.lab.faults import Fault
from monitor.lab.network import LOCAL, LabNetwork
from monitor.lab.scenarios.row import (
    LOCAL_SUBJECT,
    Scenario,
    faulty,
    finding,
    for_blocks,
    heal_all,
)
from monitor.model import Level

THROTTLED = Fault("http", status=429, text="Too Many Requests", retry_after_seconds=1)
STEADY_BLOCKS = 10


async def _unplug_local(net: LabNetwork) -> None:
    await net.local.proxy.unplug()


TRANSPORT: tuple[Scenario, ...] = (
    Scenario(
        name="unreachable",
        title="the local node's port is closed",
        counterpart="a crashed client",
        fault=_unplug_local,
        heal=heal_all,
        findings=frozenset({finding("head", LOCAL_SUBJECT, Level.UNKNOWN)}),
        exit_code=3,
    ),
    Scenario(
        name="garbage",
        title="the local node answers with a page of its load balancer",
        counterpart="502 Bad Gateway with status 200",
        fault=faulty(LOCAL, Fault("html")),
        heal=heal_all,
        findings=frozenset({finding("head", LOCAL_SUBJECT, Level.UNKNOWN)}),
        exit_code=3,
    ),
    Scenario(
        name="throttled",
        title="the local node's provider refuses every request for a while (429)",
        counterpart="a provider's plan that is used up in the middle of the month",
        fault=faulty(LOCAL, THROTTLED),
        heal=heal_all,
        findings=frozenset({finding("head", LOCAL_SUBJECT, Level.UNKNOWN)}),
        exit_code=3,
    ),
    Scenario(
        name="hanging",
        title="the local node takes every request and answers none",
        counterpart="go-ethereum: a deadlock, with the port still open",
        fault=faulty(LOCAL, Fault("hang")),
        heal=heal_all,
        findings=frozenset({finding("head", LOCAL_SUBJECT, Level.UNKNOWN)}),
        exit_code=3,
    ),
    Scenario(
        name="slowloris",
        title="the local node answers byte by byte, and never within the deadline",
        counterpart="a proxy whose buffers are full",
        fault=faulty(LOCAL, Fault("slowloris", seconds=0.1)),
        heal=heal_all,
        findings=frozenset({finding("head", LOCAL_SUBJECT, Level.UNKNOWN)}),
        exit_code=3,
    ),
    Scenario(
        name="truncated",
        title="the local node's answers end in the middle",
        counterpart="a load balancer that cuts answers at its own limit",
        fault=faulty(LOCAL, Fault("truncate")),
        heal=heal_all,
        findings=frozenset({finding("head", LOCAL_SUBJECT, Level.UNKNOWN)}),
        exit_code=3,
    ),
    Scenario(
        name="batch-partial",
        title="the local node fails one call of each batch and answers the other",
        counterpart="providers count the calls of a batch one by one: -32005, limit exceeded",
        fault=for_blocks(
            STEADY_BLOCKS,
            faulty(
                LOCAL, Fault("batch_error", methods="eth_getBlockByNumber", params=("finalized",))
            ),
        ),
        heal=heal_all,
        findings=frozenset(),
        exit_code=0,
    ),
)
