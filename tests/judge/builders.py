"""Heads linked by hash, witnesses and rounds: the words that the tests of the judges share.

`main` is the network's chain. A branch of another name shares main's blocks up to `above` and has
blocks of its own from there on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from monitor.judge.profiles import DEV, ETHEREUM, policy
from monitor.judge.quorum import Round, Witness, hold_round
from monitor.judge.seen import Chain, ForkSeen, HeadSeen, IdentitySeen, chain_of
from monitor.model import (
    BlockNumber,
    Finding,
    Hash32,
    Head,
    Level,
    Observation,
    Unseen,
    reference_label,
)

NOW = 1_795_000_000.0
NETWORK = "net"
QUORUM_SUBJECT = f"reference:{NETWORK}/quorum"
MAIN = "main"
TIP = 1000
POLICY = policy(ETHEREUM)
"""Lag from 2 blocks, forked from 3; the chain is named by the profile."""
NAMELESS = policy(DEV)
"""Lag from 2 blocks, forked from 2; which chain it is, only the references say."""
HERE = IdentitySeen(1, ETHEREUM.genesis_hash or Hash32(""), "Geth/v1.16.2/linux")
ELSEWHERE = IdentitySeen(5, Hash32("0x" + "ee" * 32), "Geth/v1.16.2/linux")
TIMEOUT = Unseen("timeout", "no answer in 5 s")


def hash_of(number: int, branch: str = MAIN) -> Hash32:
    return Hash32("0x" + hashlib.sha256(f"{branch} {number}".encode()).hexdigest())


def block(number: int, branch: str = MAIN, above: int = -1) -> Head:
    """The block of a branch that leaves main above the height `above`."""
    return Head(
        number=BlockNumber(number),
        hash=hash_of(number, branch if number > above else MAIN),
        parent_hash=hash_of(number - 1, branch if number - 1 > above else MAIN),
        timestamp=int(NOW) - 12 * (TIP - number) if number < 2 * TIP else int(NOW),
    )


def seen_head(number: int, *, branch: str = MAIN, above: int = -1, final: int = -1) -> HeadSeen:
    """A head; its finalized block is of the same branch, and none where `final` is negative."""
    finalized = block(final, branch, above) if final >= 0 else None
    return HeadSeen(block(number, branch, above), finalized)


def said(seen: HeadSeen | Unseen, at: float = NOW, label: str = "local") -> Observation[HeadSeen]:
    return Observation(label, "head", at, 0.1, seen)


def run(
    number: int, count: int = 6, *, branch: str = MAIN, above: int = -1, label: str = "local"
) -> list[Observation[HeadSeen]]:
    """The last `count` heads of an endpoint that saw each block, oldest first, 12 s apart."""
    numbers = range(max(0, number - count + 1), number + 1)
    return [
        said(seen_head(n, branch=branch, above=above), NOW - 12.0 * (number - n), label)
        for n in numbers
    ]


def witness(
    name: str,
    history: Sequence[Observation[HeadSeen]] | HeadSeen | Unseen,
    *,
    operator: str = "",
    client: str = "",
    identity: IdentitySeen | Unseen | None = HERE,
    asked: Sequence[Head] = (),
) -> Witness:
    """A reference of an operator of its own, unless one is given."""
    label = reference_label(NETWORK, name)
    if isinstance(history, HeadSeen | Unseen):
        history = [said(history)]
    history = [replace(observation, node=label) for observation in history]
    who: Observation[IdentitySeen] | None = None
    if identity is not None:
        who = Observation(label, "identity", NOW, 0.1, identity)
    return Witness(
        name, operator or f"op-{name}", client, history[-1], who, chain_of(history, asked)
    )


def agreeing(number: int = TIP, names: str = "abc") -> tuple[Witness, ...]:
    """Witnesses of different operators that have all seen the same chain."""
    return tuple(witness(name, run(number)) for name in names)


def round_of(
    *witnesses: Witness,
    rules: object = None,
    at: float = NOW,
    trail: Sequence[Observation[HeadSeen]] = (),
) -> Round:
    """The round of these witnesses under `POLICY`, or under `NAMELESS` where that is given."""
    chosen = NAMELESS if rules is NAMELESS else POLICY
    return hold_round(NETWORK, witnesses, chosen, at, trail)


def fork_seen(
    history: Sequence[Observation[HeadSeen]], *, asked: Sequence[Head] = (), client: str = ""
) -> ForkSeen:
    newest = history[-1].seen
    assert isinstance(newest, HeadSeen)
    return ForkSeen(newest, chain_of(history, asked), None, client)


def without_hashes(seen: HeadSeen) -> ForkSeen:
    """An endpoint that named its head and vouches for no hash at all."""
    return ForkSeen(seen, Chain())


def finding(
    level: Level,
    *,
    check: str = "head",
    subject: str = "node:local",
    reason: str = "slug",
    network: str = NETWORK,
) -> Finding:
    return Finding(check, subject, network, level, reason, f"{check} is {level.word}")
