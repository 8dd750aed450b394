"""The table of scenarios: a fault, the findings it must raise, the gate's exit code, the healing.

A scenario passes when exactly its findings open, and those that name one of them in `because`, and
all of them close again after the healing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from monitor.lab.faults import Fault
from monitor.lab.network import LOCAL, LabNetwork
from monitor.model import (
    Key,
    Level,
    account_subject,
    node_subject,
    reference_label,
    subject_of,
)

NETWORK = "dev"
"""The name of the lab's network in configuration and subjects."""
LOCAL_SUBJECT = node_subject(LOCAL)
QUORUM_SUBJECT = subject_of(reference_label(NETWORK))
PAYER_ALIAS = "payer"
"""The watched account, where transactions are sent."""
LAG_BLOCKS = 8
AHEAD_BLOCKS = 1_000_000

Step = Callable[[LabNetwork], Awaitable[None]]
Limit = Literal["lag_blocks", "confirmations"]


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
    """Of the gate while the fault is in force."""
    detected_within: Limit | None = None
    """The threshold of the profile, in blocks, beyond which detection may take two blocks."""
    clients: tuple[str, ...] = ("", "", "")
    """One reference each, with the client family it is configured to be."""
    payments: int = 0
    """So many transactions are sent through the local node while the fault is in force; all of them
    must be mined on the network in the end. Nobody but their sender has a key."""
    also: frozenset[Key] = frozenset()
    """What may open besides, or be over too soon to be told."""


def _finding(check: str, subject: str, level: Level) -> tuple[Key, Level]:
    return ((check, subject), level)


def _reference(name: str) -> str:
    return subject_of(reference_label(NETWORK, name))


def _faulty(name: str, *faults: Fault) -> Step:
    """Set these faults on the proxy of one node."""

    async def step(net: LabNetwork) -> None:
        node = net.local if name == LOCAL else net.reference[name]
        node.proxy.set(*faults)

    return step


async def _heal_all(net: LabNetwork) -> None:
    net.go()
    for node in (net.local, *net.reference.values()):
        node.proxy.heal()
        node.proxy.route(node.name)
        await node.proxy.plug()
    for name in (LOCAL, *list(net.reference)[1:]):
        node = net.local if name == LOCAL else net.reference[name]
        node.follow()


async def _stall(net: LabNetwork) -> None:
    net.local.stall()


async def _quiet(net: LabNetwork) -> None:
    net.quiet()


async def _private_fork(net: LabNetwork) -> None:
    net.local.fork()


async def _wrong_chain(net: LabNetwork) -> None:
    other = await net.other_chain()
    net.local.proxy.add_upstream("other", other.url)
    net.local.proxy.route("other")


async def _split(net: LabNetwork) -> None:
    for name in ("b", "c"):
        net.reference[name].fork()


async def _client_split(net: LabNetwork) -> None:
    net.reference["c"].fork()
    net.reference["d"].proxy.route("c")


async def _unplug_local(net: LabNetwork) -> None:
    await net.local.proxy.unplug()


async def _unplug_reference(net: LabNetwork) -> None:
    await net.reference["c"].proxy.unplug()


async def _hang_references(net: LabNetwork) -> None:
    for node in net.reference.values():
        node.proxy.set(Fault("hang"))


async def _hash_liar(net: LabNetwork) -> None:
    net.reference["c"].proxy.set(Fault("mutate_hash", from_number=net.leader_number))


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="lag",
        title=f"the local node shows the chain as it was {LAG_BLOCKS} blocks ago",
        counterpart="iexec-worker 205: balance and stake read too low, 'your node is in the past'",
        fault=_faulty(LOCAL, Fault("lag", blocks=LAG_BLOCKS)),
        heal=_heal_all,
        findings=frozenset({_finding("head", LOCAL_SUBJECT, Level.FAILED)}),
        exit_code=1,
        detected_within="lag_blocks",
    ),
    Scenario(
        name="stall",
        title="the local node stops importing blocks and keeps answering",
        counterpart="go-ethereum 33687: the consensus client dies, eth_syncing stays false",
        fault=_stall,
        heal=_heal_all,
        findings=frozenset({_finding("stall", LOCAL_SUBJECT, Level.FAILED)}),
        exit_code=1,
        detected_within="lag_blocks",
    ),
    Scenario(
        name="network-quiet",
        title="nobody makes blocks any more",
        counterpart="Ropsten, 13 October 2018: two hours without a block; zq2 2246",
        fault=_quiet,
        heal=_heal_all,
        findings=frozenset({_finding("stall", QUORUM_SUBJECT, Level.DEGRADED)}),
        exit_code=0,
    ),
    Scenario(
        name="private-fork",
        title="the local node goes on with blocks of its own",
        counterpart="Infura, 11 November 2020: mined on a fork, then gone",
        fault=_private_fork,
        heal=_heal_all,
        findings=frozenset({_finding("fork", LOCAL_SUBJECT, Level.FAILED)}),
        exit_code=1,
        detected_within="confirmations",
    ),
    Scenario(
        name="lost-transactions",
        title="the local node is on a private fork, where payments are sent and mined",
        counterpart="the workerdrops of July 2018: transactions lost to a desynchronised node",
        fault=_private_fork,
        heal=_heal_all,
        findings=frozenset({_finding("fork", LOCAL_SUBJECT, Level.FAILED)}),
        exit_code=1,
        payments=5,
        also=frozenset({("transactions", account_subject(PAYER_ALIAS))}),
    ),
    Scenario(
        name="wrong-chain",
        title="behind the local node's URL there is suddenly a node of another chain",
        counterpart="a data directory or a load balancer mixed up",
        fault=_wrong_chain,
        heal=_heal_all,
        findings=frozenset({_finding("identity", LOCAL_SUBJECT, Level.FAILED)}),
        exit_code=1,
    ),
    Scenario(
        name="liar-ahead",
        title=f"one reference of three claims {AHEAD_BLOCKS:,} blocks more than there are",
        counterpart="erpc 998: one endpoint wrongly ahead evicts the healthy majority",
        fault=_faulty("c", Fault("ahead", blocks=AHEAD_BLOCKS)),
        heal=_heal_all,
        findings=frozenset({_finding("references", _reference("c"), Level.DEGRADED)}),
        exit_code=0,
    ),
    Scenario(
        name="liar-behind",
        title="one reference of three stays where it is",
        counterpart="a provider's stale backend",
        fault=_faulty("c", Fault("freeze")),
        heal=_heal_all,
        findings=frozenset({_finding("references", _reference("c"), Level.DEGRADED)}),
        exit_code=0,
    ),
    Scenario(
        name="liar-hash",
        title="one reference of three names other hashes from now on",
        counterpart="bnb-chain reth 233: two days to find which node was wrong",
        fault=_hash_liar,
        heal=_heal_all,
        findings=frozenset({_finding("references", _reference("c"), Level.DEGRADED)}),
        exit_code=0,
    ),
    Scenario(
        name="reference-down",
        title="one reference of three cannot be reached",
        counterpart="any provider, some day",
        fault=_unplug_reference,
        heal=_heal_all,
        findings=frozenset({_finding("references", _reference("c"), Level.UNKNOWN)}),
        exit_code=0,
    ),
    Scenario(
        name="references-split",
        title="three references, three chains",
        counterpart="Ropsten, October 2018: a three-way fork",
        fault=_split,
        heal=_heal_all,
        findings=frozenset({_finding("references", QUORUM_SUBJECT, Level.UNKNOWN)}),
        exit_code=3,
    ),
    Scenario(
        name="client-split",
        title="both references of one client part from those of the other",
        counterpart="Holesky, 24 February 2025: the majority followed an invalid chain",
        fault=_client_split,
        heal=_heal_all,
        findings=frozenset({_finding("references", QUORUM_SUBJECT, Level.UNKNOWN)}),
        exit_code=3,
        clients=("geth", "geth", "reth", "reth"),
    ),
    Scenario(
        name="references-hanging",
        title="no reference answers within the deadline",
        counterpart="chainlink 14978: all RPCs out of order at once, and no alarm",
        fault=_hang_references,
        heal=_heal_all,
        findings=frozenset(
            {
                _finding("references", QUORUM_SUBJECT, Level.UNKNOWN),
                *(_finding("references", _reference(name), Level.UNKNOWN) for name in "abc"),
            }
        ),
        exit_code=3,
    ),
    Scenario(
        name="unreachable",
        title="the local node's port is closed",
        counterpart="a crashed client",
        fault=_unplug_local,
        heal=_heal_all,
        findings=frozenset({_finding("head", LOCAL_SUBJECT, Level.UNKNOWN)}),
        exit_code=3,
    ),
    Scenario(
        name="garbage",
        title="the local node answers with a page of its load balancer",
        counterpart="502 Bad Gateway with status 200",
        fault=_faulty(LOCAL, Fault("html")),
        heal=_heal_all,
        findings=frozenset({_finding("head", LOCAL_SUBJECT, Level.UNKNOWN)}),
        exit_code=3,
    ),
)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
