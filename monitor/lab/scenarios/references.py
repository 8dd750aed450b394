"""Those it is compared with: one lies, one is gone, they part, none answers."""

from __future__ import annotations

from monitor.lab.faults import Fault
from monitor.lab.network import LabNetwork
from monitor.lab.scenarios.row import (
    QUORUM_SUBJECT,
    Scenario,
    faulty,
    finding,
    heal_all,
    reference,
)
from monitor.lab.scenarios.transport import THROTTLED
from monitor.model import Level

AHEAD_BLOCKS = 1_000_000
STALE_BACKEND_BLOCKS = 8


async def _split(net: LabNetwork) -> None:
    for name in ("b", "c"):
        net.reference[name].fork()


async def _client_split(net: LabNetwork) -> None:
    net.reference["c"].fork()
    net.reference["d"].proxy.route("c")


async def _unplug_reference(net: LabNetwork) -> None:
    await net.reference["c"].proxy.unplug()


async def _hang_references(net: LabNetwork) -> None:
    for node in net.reference.values():
        node.proxy.set(Fault("hang"))


async def _hash_liar(net: LabNetwork) -> None:
    net.reference["c"].proxy.set(Fault("mutate_hash", from_number=net.leader_number))


REFERENCES: tuple[Scenario, ...] = (
    Scenario(
        name="liar-ahead",
        title=f"one reference of three claims {AHEAD_BLOCKS:,} blocks more than there are",
        counterpart="erpc 998: one endpoint wrongly ahead evicts the healthy majority",
        fault=faulty("c", Fault("ahead", blocks=AHEAD_BLOCKS)),
        heal=heal_all,
        findings=frozenset({finding("references", reference("c"), Level.DEGRADED)}),
        exit_code=0,
    ),
    Scenario(
        name="liar-behind",
        title="one reference of three stays where it is",
        counterpart="a provider's stale backend",
        fault=faulty("c", Fault("freeze")),
        heal=heal_all,
        findings=frozenset({finding("references", reference("c"), Level.DEGRADED)}),
        exit_code=0,
    ),
    Scenario(
        name="liar-hash",
        title="one reference of three names other hashes from now on",
        counterpart="bnb-chain reth 233: two days to find which node was wrong",
        fault=_hash_liar,
        heal=heal_all,
        findings=frozenset({finding("references", reference("c"), Level.DEGRADED)}),
        exit_code=0,
    ),
    Scenario(
        name="reference-down",
        title="one reference of three cannot be reached",
        counterpart="any provider, some day",
        fault=_unplug_reference,
        heal=heal_all,
        findings=frozenset({finding("references", reference("c"), Level.UNKNOWN)}),
        exit_code=0,
    ),
    Scenario(
        name="references-split",
        title="three references, three chains",
        counterpart="Ropsten, October 2018: a three-way fork",
        fault=_split,
        heal=heal_all,
        findings=frozenset({finding("references", QUORUM_SUBJECT, Level.UNKNOWN)}),
        exit_code=3,
    ),
    Scenario(
        name="client-split",
        title="both references of one client part from those of the other",
        counterpart="Holesky, 24 February 2025: the majority followed an invalid chain",
        fault=_client_split,
        heal=heal_all,
        findings=frozenset({finding("references", QUORUM_SUBJECT, Level.UNKNOWN)}),
        exit_code=3,
        clients=("geth", "geth", "reth", "reth"),
    ),
    Scenario(
        name="references-hanging",
        title="no reference answers within the deadline",
        counterpart="chainlink 14978: all RPCs out of order at once, and no alarm",
        fault=_hang_references,
        heal=heal_all,
        findings=frozenset(
            {
                finding("references", QUORUM_SUBJECT, Level.UNKNOWN),
                *(finding("references", reference(name), Level.UNKNOWN) for name in "abc"),
            }
        ),
        exit_code=3,
    ),
    Scenario(
        name="provider-backwards",
        title="one reference of three is two backends, of which one is 8 blocks behind",
        counterpart="load-balanced providers: the head goes back and forth between two polls",
        fault=faulty("c", Fault("backwards", blocks=STALE_BACKEND_BLOCKS, probability=0.6)),
        heal=heal_all,
        findings=frozenset({finding("references", reference("c"), Level.DEGRADED)}),
        exit_code=0,
    ),
    Scenario(
        name="reference-throttled",
        title="one reference of three refuses every request for a while (429)",
        counterpart="a free plan, used up",
        fault=faulty("c", THROTTLED),
        heal=heal_all,
        findings=frozenset({finding("references", reference("c"), Level.UNKNOWN)}),
        exit_code=0,
    ),
)
