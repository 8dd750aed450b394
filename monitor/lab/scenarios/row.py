"""One row of the table of scenarios, and what many rows are made of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from monitor.config import CheckSettings, Settings
from monitor.judge.profiles import DEV
from monitor.judge.verdict import NODE_CHECKS
from monitor.lab.faults import Fault
from monitor.lab.network import LOCAL, LabNetwork
from monitor.model import Key, Level, node_subject, reference_label, subject_of

NETWORK = "dev"
"""The name of the lab's network in configuration and subjects."""
LOCAL_SUBJECT = node_subject(LOCAL)
QUORUM_SUBJECT = subject_of(reference_label(NETWORK))
PATIENT_SECONDS = 10.0
"""The deadline of a call in a row whose answers come late, and are to come."""
PAYER_ALIAS = "payer"
"""The watched account, where transactions are sent."""

Step = Callable[[LabNetwork], Awaitable[None]]
Limit = Literal["lag_blocks", "confirmations"]


def as_they_are(settings: Settings) -> Settings:
    """The lab's configuration, unchanged."""
    return settings


async def as_it_is(net: LabNetwork) -> None:
    """The lab's network, unchanged."""
    del net


@dataclass(frozen=True, slots=True)
class Scenario:
    """One row. Steps act on a healthy lab network that is being watched."""

    name: str
    title: str
    """What happens, in a sentence."""
    counterpart: str
    """Where it was met in the world."""
    fault: Step
    heal: Step
    findings: frozenset[tuple[Key, Level]]
    """What must open, at its worst level."""
    exit_code: int
    """Of a gate that starts while the fault is in force: it has no past to compare with."""
    detected_within: Limit | None = None
    """The threshold of the profile, in blocks, beyond which detection may take two blocks."""
    clients: tuple[str, ...] = ("", "", "")
    """One reference each, with the client family it is configured to be."""
    payments: int = 0
    """So many transactions are sent through the local node while the fault is in force; all of them
    must be mined on the network in the end. Nobody but their sender has a key."""
    also: frozenset[tuple[Key, Level]] = frozenset()
    """What may open besides, or be over too soon to be told, and how bad it may be at most."""
    healed_exit_code: int | None = None
    """Of the gate after the healing; `None`: it is not asked again."""
    settings: Callable[[Settings], Settings] = as_they_are
    """What the row configures otherwise, for the loop that watches and for the gate alike."""
    before: Step = as_it_is
    """What is so before anything is watched: answers that real nodes give and anvil does not."""
    profile: str = DEV.key
    """The chain whose pace and thresholds it is run with, where no other is asked for."""


def finding(check: str, subject: str, level: Level) -> tuple[Key, Level]:
    """What must open: of which check, on what, how bad."""
    return ((check, subject), level)


def reference(name: str) -> str:
    """The subject of one reference of the lab."""
    return subject_of(reference_label(NETWORK, name))


LOCAL_UNSEEN = frozenset(finding(check, LOCAL_SUBJECT, Level.UNKNOWN) for check in NODE_CHECKS)
"""What may open of a node that is away for a moment."""


def asked_every(
    seconds: float, *checks: str, deadline_seconds: float | None = None
) -> Callable[[Settings], Settings]:
    """Ask these checks at the pace of the lab, so that a scenario is not as long as their pause.

    The deadline of a call is the lab's own, which is short, unless another is given.
    """
    paced = {name: CheckSettings(every_seconds=seconds) for name in checks}

    def configured(settings: Settings) -> Settings:
        deadline = settings.rpc.deadline_seconds if deadline_seconds is None else deadline_seconds
        rpc = settings.rpc.model_copy(update={"deadline_seconds": deadline})
        return settings.model_copy(update={"checks": settings.checks | paced, "rpc": rpc})

    return configured


def faulty(name: str, *faults: Fault) -> Step:
    """Set these faults on the proxy of one node."""

    async def step(net: LabNetwork) -> None:
        node = net.local if name == LOCAL else net.reference[name]
        node.proxy.set(*faults)

    return step


def for_blocks(count: int, step: Step) -> Step:
    """Take a step and let the network go on, in a row whose fault opens nothing."""

    async def held(net: LabNetwork) -> None:
        await step(net)
        await net.wait_blocks(count)

    return held


async def heal_all(net: LabNetwork) -> None:
    """Take every fault away, of the proxies, the nodes and the network."""
    net.go()
    for node in (net.local, *net.reference.values()):
        await net.revive(node.name)
        node.proxy.heal()
        node.proxy.route(node.name)
        await node.proxy.plug()
    for name in (LOCAL, *list(net.reference)[1:]):
        node = net.local if name == LOCAL else net.reference[name]
        node.follow()


def healed_but(*faults: Fault) -> Step:
    """Take every fault away but these of the local node, which say what anvil does not."""

    async def healed(net: LabNetwork) -> None:
        await heal_all(net)
        net.local.proxy.set(*faults)

    return healed
