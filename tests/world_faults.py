"""What goes wrong in the seeded world, and exactly what must be said of it."""

from __future__ import annotations

from monitor.model import Key, Level, node_subject
from tests.world import LOCAL, NETWORK, Fault, World

WARM_BLOCKS = 20
"""Blocks of health before a fault: more than any threshold."""
LAG_BLOCKS = 12
MILLION = 1_000_000
LOCAL_SUBJECT = node_subject(LOCAL)
QUORUM_SUBJECT = f"reference:{NETWORK}/quorum"
UNKNOWN, DEGRADED, FAILED = Level.UNKNOWN, Level.DEGRADED, Level.FAILED
TWO_AND_TWO = ("geth", "geth", "reth", "reth")


def reference(name: str) -> str:
    return f"reference:{NETWORK}/{name}"


def expect(*findings: tuple[str, str, Level]) -> frozenset[tuple[Key, Level]]:
    return frozenset(((check, subject), level) for check, subject, level in findings)


LIAR = expect(("references", reference("c"), DEGRADED))
NO_QUORUM = ("references", QUORUM_SUBJECT, UNKNOWN)


def lag(world: World) -> None:
    world.local.lag_blocks = max(LAG_BLOCKS, 2 * world.policy.lag_blocks)


def stall(world: World) -> None:
    world.local.freeze()


def private_fork(world: World) -> None:
    world.local.part("private")


def wrong_chain(world: World) -> None:
    world.local.is_elsewhere = True


def unreachable(world: World) -> None:
    world.local.is_silent = True


def quiet(world: World) -> None:
    world.chain.is_quiet = True


def liar_ahead(world: World) -> None:
    world.references["c"].ahead_blocks = MILLION


def liar_behind(world: World) -> None:
    world.references["c"].freeze()


def liar_hash(world: World) -> None:
    world.references["c"].part("lie")


def liar_elsewhere(world: World) -> None:
    world.references["c"].is_elsewhere = True


def reference_down(world: World) -> None:
    world.references["c"].is_silent = True


def references_down(world: World) -> None:
    for party in world.references.values():
        party.is_silent = True


def split(world: World) -> None:
    part_together(world, {"b": "branch b", "c": "branch c"})


def client_split(world: World) -> None:
    part_together(world, {"c": "reth's", "d": "reth's"})


def part_together(world: World, branches: dict[str, str]) -> None:
    """Let references leave the main branch at one height, so that none is alone for a while."""
    above = min(party.number for party in world.references.values())
    for name, branch in branches.items():
        world.references[name].part(branch, above)


LAGS = Fault(
    "lag",
    f"the node is {LAG_BLOCKS} blocks behind at once, or twice the threshold, and moves on",
    lag,
    expect(("head", LOCAL_SUBJECT, FAILED)),
    "fail",
)
STALLS = Fault(
    "stall",
    "the node stops importing blocks and keeps answering",
    stall,
    expect(("stall", LOCAL_SUBJECT, FAILED)),
    "fail",
)
FORKS = Fault(
    "private-fork",
    "the node goes on with blocks of its own",
    private_fork,
    expect(("fork", LOCAL_SUBJECT, FAILED)),
    "fail",
)
QUIET = Fault(
    "network-quiet",
    "nobody makes blocks any more",
    quiet,
    expect(("stall", QUORUM_SUBJECT, DEGRADED)),
    "pass",
)
STRANGER = Fault(
    "wrong-chain",
    "behind the node's URL there is suddenly a node of another chain",
    wrong_chain,
    expect(("identity", LOCAL_SUBJECT, FAILED)),
    "fail",
)
GONE = Fault(
    "unreachable",
    "the node refuses connections",
    unreachable,
    expect(("head", LOCAL_SUBJECT, UNKNOWN)),
    "inconclusive",
)
LIARS = (
    Fault("liar-ahead", "one reference of three claims a million blocks more", liar_ahead, LIAR),
    Fault("liar-behind", "one reference of three stays where it is", liar_behind, LIAR),
    Fault("liar-hash", "one reference of three names other hashes from now on", liar_hash, LIAR),
    Fault("liar-elsewhere", "one reference of three is of another chain", liar_elsewhere, LIAR),
    Fault(
        "reference-down",
        "one reference of three refuses connections",
        reference_down,
        expect(("references", reference("c"), UNKNOWN)),
    ),
)
SILENCES = (
    Fault(
        "references-down",
        "every reference refuses connections",
        references_down,
        expect(NO_QUORUM, *(("references", reference(name), UNKNOWN) for name in "abc")),
        "inconclusive",
    ),
    Fault(
        "references-split",
        "three references, three chains",
        split,
        expect(NO_QUORUM),
        "inconclusive",
    ),
    Fault(
        "client-split",
        "both references of one client part from those of the other",
        client_split,
        expect(NO_QUORUM),
        "inconclusive",
        TWO_AND_TWO,
    ),
)
FAULTS = (LAGS, STALLS, FORKS, QUIET, STRANGER, GONE, *LIARS, *SILENCES)
