"""How answers travel, or do not."""

from __future__ import annotations

from monitor.lab.faults import Fault
from monitor.lab.network import LOCAL, LabNetwork
from monitor.lab.scenarios.row import (
    LOCAL_SUBJECT,
    Scenario,
    faulty,
    finding,
    heal_all,
)
from monitor.model import Level


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
)
