"""Which head is believed, and why: every reference's answers of one round become a `Round`.

Pure and stateless. One operator is one vote, however many endpoints it runs. A hash is believed
when a strict majority of all *configured* operators names it: those that do not answer count
against it, so that silence never elects anybody. A height is believed when a strict majority has
reached it, which is the order statistic floor(N/2), so that one reference a million blocks ahead
moves nothing. No high-water mark is kept: a mark that can veto fresh evidence has frozen whole
fleets (eRPC PR 924).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from monitor.judge.profiles import Policy
from monitor.judge.seen import LINK_DEPTH_MAX, Chain, HeadSeen, IdentitySeen
from monitor.model import (
    BlockNumber,
    Confidence,
    Hash32,
    Head,
    Observation,
    Reference,
    Unseen,
    reference_label,
    short,
)

CONTESTED_DEPTH = 2
"""Where the tip is contested (a block in flight), agreement is looked for this far below it."""

SIDE_OPERATORS_MIN = 2
"""A family parts from the others only where so many operators stand on either side."""
HIGH_OPERATORS_MIN = 3
"""From here on one liar can be told from the others."""

NoQuorumReason = Literal["too_few", "split", "client_split"]


NO_QUORUM_WORDS: Mapping[NoQuorumReason, str] = {
    "too_few": "too few references can be believed",
    "split": "the references disagree",
    "client_split": "the references part along a client",
}


@dataclass(frozen=True, slots=True)
class NoQuorum:
    """Why no head can be believed this round."""

    reason: NoQuorumReason
    summary: str

    @property
    def words(self) -> str:
        """Half a sentence, for the findings that follow from it."""
        return NO_QUORUM_WORDS[self.reason]


@dataclass(frozen=True, slots=True)
class ChainIdentity:
    """The chain that a network is, from its profile or from the majority of its references."""

    chain_id: int
    genesis_hash: Hash32


@dataclass(frozen=True, slots=True)
class Witness:
    """One reference and what it said this round."""

    name: str
    operator: str
    client: str
    """The client's family, configured or from its version; empty where unknown."""
    head: Observation[HeadSeen]
    identity: Observation[IdentitySeen] | None
    chain: Chain

    @property
    def seen(self) -> HeadSeen | None:
        return self.head.seen if isinstance(self.head.seen, HeadSeen) else None


@dataclass(frozen=True, slots=True)
class Round:
    """The context of every judge: what the references of one network said, and what follows."""

    network: str
    at: float
    witnesses: tuple[Witness, ...]
    operators: int
    """Operators configured; a strict majority of them is `need`."""
    identity: ChainIdentity | None
    admitted: tuple[Witness, ...]
    refused: Mapping[str, tuple[str, str]]
    """Witnesses whose word does not count: name -> (slug, sentence)."""
    reference: Reference | NoQuorum
    trail: tuple[Observation[HeadSeen], ...] = ()
    """The elections of the last rounds, newest last, this round's included."""
    families: Mapping[str, str] = field(default_factory=dict)
    """Operator -> client family, of admitted witnesses whose family is known."""
    believed: dict[int, Hash32 | None] = field(default_factory=dict, repr=False, compare=False)
    """What `believed_hash` has counted so far: it follows from the rest and is no part of it."""

    @property
    def need(self) -> int:
        return self.operators // 2 + 1


def client_family(version: str) -> str:
    """The family in a `web3_clientVersion`, e.g. `geth` of `Geth/v1.16.2-stable/linux`.

    The part before the first slash, lower case; EthereumJS, Nethermind, besu, erigon, reth, anvil
    all put their name there. Parity wrote `Parity-Ethereum//v2.0`, OpenEthereum likewise.
    """
    name = version.split("/", 1)[0].strip().lower()
    if name.startswith(("parity", "openethereum")):
        return "parity"
    return name


def votes(witnesses: Iterable[Witness], number: int) -> dict[str, Hash32]:
    """What each operator says the hash at `number` is; one that contradicts itself has no vote."""
    said: dict[str, set[Hash32]] = {}
    for witness in witnesses:
        block_hash = witness.chain.hashes.get(number)
        if block_hash is not None:
            said.setdefault(witness.operator, set()).add(block_hash)
    return {operator: next(iter(one)) for operator, one in said.items() if len(one) == 1}


def majority(cast: Mapping[str, Hash32], need: int) -> Hash32 | None:
    """The hash that at least `need` operators name, or None."""
    tally: dict[Hash32, int] = {}
    for block_hash in cast.values():
        tally[block_hash] = tally.get(block_hash, 0) + 1
    for block_hash, count in tally.items():
        if count >= need:
            return block_hash
    return None


def believed_hash(round_: Round, number: int) -> Hash32 | None:
    """The hash at `number` on which a strict majority of operators agrees, or None.

    Counted once a round and height: every node of a fleet asks for the same few.
    """
    if number not in round_.believed:
        round_.believed[number] = majority(votes(round_.admitted, number), round_.need)
    return round_.believed[number]


def client_split(cast: Mapping[str, Hash32], families: Mapping[str, str]) -> str | None:
    """The family that parts from the others as a whole, where two operators stand on either side.

    A bug of one client shows so (Holesky, February 2025: the larger side was the wrong one). One
    reference alone is a liar until a second one says the same.
    """
    by_family: dict[str, set[Hash32]] = {}
    members: dict[str, int] = {}
    for operator, block_hash in cast.items():
        family = families.get(operator, "")
        by_family.setdefault(family, set()).add(block_hash)
        members[family] = members.get(family, 0) + 1
    for family, hashes in by_family.items():
        smaller_side = min(members[family], len(cast) - members[family])
        if not family or len(hashes) != 1 or smaller_side < SIDE_OPERATORS_MIN:
            continue
        if all(hashes.isdisjoint(other) for name, other in by_family.items() if name != family):
            return family
    return None


def heights(witnesses: Iterable[Witness]) -> dict[str, int]:
    """Each operator's highest head."""
    result: dict[str, int] = {}
    for witness in witnesses:
        if witness.seen is not None:
            number = witness.seen.head.number
            result[witness.operator] = max(number, result.get(witness.operator, number))
    return result


def reached(witnesses: Sequence[Witness], need: int) -> BlockNumber | None:
    """The highest number that at least `need` operators have reached; None if too few answer."""
    descending = sorted(heights(witnesses).values(), reverse=True)
    return BlockNumber(descending[need - 1]) if len(descending) >= need else None


def elect_identity(witnesses: Iterable[Witness], policy: Policy, need: int) -> ChainIdentity | None:
    """The profile's chain where it names one, else the strict majority of the references'.

    An operator whose endpoints serve different chains has no vote.
    """
    said: dict[str, set[tuple[int, Hash32]]] = {}
    for witness in witnesses:
        if witness.identity is not None and isinstance(witness.identity.seen, IdentitySeen):
            seen = witness.identity.seen
            said.setdefault(witness.operator, set()).add((seen.chain_id, seen.genesis_hash))
    tally: dict[tuple[int, Hash32], int] = {}
    for pairs in said.values():
        if len(pairs) == 1:
            (pair,) = pairs
            tally[pair] = tally.get(pair, 0) + 1
    elected = next((pair for pair, count in tally.items() if count >= need), None)
    profile = policy.profile
    chain_id = profile.chain_id if profile.chain_id is not None else elected and elected[0]
    genesis = profile.genesis_hash or (elected and elected[1])
    if chain_id is None or genesis is None:
        return None
    return ChainIdentity(chain_id, genesis)


def refusal(witness: Witness, identity: ChainIdentity | None) -> tuple[str, str] | None:
    """Why a witness's word does not count, as (slug, sentence), or None."""
    seen = witness.seen
    if seen is None:
        return ("unseen", "its head could not be seen")
    who = witness.identity.seen if witness.identity is not None else None
    if not isinstance(who, IdentitySeen):
        return ("identity_unseen", "which chain it serves could not be seen")
    if identity is None:
        return ("no_identity", "the references do not agree which chain this network is")
    if (who.chain_id, who.genesis_hash) != (identity.chain_id, identity.genesis_hash):
        theirs = f"{identity.chain_id} from {short(identity.genesis_hash)}"
        return (
            "wrong_chain",
            f"it serves chain {who.chain_id} from {short(who.genesis_hash)}, not {theirs}",
        )
    if seen.final is not None and seen.final.number > seen.head.number:
        return (
            "tags",
            f"its finalized block {seen.final.number} lies above its head {seen.head.number}",
        )
    return None


def confidence_of(operators: int) -> Confidence:
    """How far a head may be trusted on which a majority of so many operators agrees."""
    if operators == 1:
        return "low"
    return "high" if operators >= HIGH_OPERATORS_MIN else "fair"


def _head_with(witnesses: Iterable[Witness], number: int, block_hash: Hash32) -> Head | None:
    for witness in witnesses:
        head = witness.chain.heads.get(number)
        if head is not None and head.hash == block_hash:
            return head
    return None


def _lag_head(admitted: Sequence[Witness], operators: int) -> Head:
    """The second highest operator's head (with fewer than three, the highest: confidence says)."""
    best: dict[str, Head] = {}
    for operator, head in ((w.operator, w.seen.head) for w in admitted if w.seen is not None):
        if operator not in best or head.number > best[operator].number:
            best[operator] = head
    descending = sorted(best.values(), key=lambda head: head.number, reverse=True)
    return descending[1] if operators >= HIGH_OPERATORS_MIN else descending[0]


def _elect(
    admitted: Sequence[Witness], families: Mapping[str, str], operators: int, depth: int
) -> Reference | NoQuorum:
    """The highest block, at most `depth` below the tip, whose hash a strict majority names."""
    need = operators // 2 + 1
    top = reached(admitted, need)
    if top is None:
        count = len({witness.operator for witness in admitted})
        return NoQuorum(
            "too_few", f"{count} of {operators} reference operators can be believed, {need} needed"
        )
    settled = max(0, top - CONTESTED_DEPTH)
    # Not at the tip: a block in flight may fall along client lines by chance.
    family = client_split(votes(admitted, settled), families)
    if family is not None:
        return NoQuorum(
            "client_split",
            f"at block {settled} every {family} reference names one hash and all others another",
        )
    cast: Mapping[str, Hash32] = {}
    for number in range(top, max(0, top - depth) - 1, -1):
        cast = votes(admitted, number)
        block_hash = majority(cast, need)
        head = _head_with(admitted, number, block_hash) if block_hash is not None else None
        if block_hash is not None and head is not None:
            return Reference(
                head=head,
                lag_head=_lag_head(admitted, operators),
                voters=tuple(sorted(op for op, said in cast.items() if said == block_hash)),
                operators=operators,
                confidence=confidence_of(operators),
            )
    said = ", ".join(f"{operator} {short(block_hash)}" for operator, block_hash in cast.items())
    return NoQuorum(
        "split",
        f"no hash has {need} of {operators} operators at block {top} "
        f"nor {depth} below it, where they say {said or 'nothing'}",
    )


def hold_round(
    network: str,
    witnesses: Sequence[Witness],
    policy: Policy,
    now: float,
    trail: Sequence[Observation[HeadSeen]] = (),
) -> Round:
    """The round that these witnesses make; `trail` holds the elections before this one."""
    operators = len({witness.operator for witness in witnesses})
    identity = elect_identity(witnesses, policy, operators // 2 + 1)
    admitted, refused = admit(witnesses, identity)
    families = {witness.operator: witness.client for witness in admitted if witness.client}
    # The slowest of healthy references is less than the lag threshold behind. Looking down to it,
    # one that lies above them cannot make them seem to disagree.
    depth = max(CONTESTED_DEPTH, policy.lag_blocks - 1)
    reference = _elect(admitted, families, operators, depth)
    elected: Observation[HeadSeen] = Observation(
        node=reference_label(network),
        check="head",
        at=now,
        took_seconds=0.0,
        seen=HeadSeen(reference.head, None)
        if isinstance(reference, Reference)
        else Unseen("no_quorum", reference.summary),
    )
    return Round(
        network=network,
        at=now,
        witnesses=tuple(witnesses),
        operators=operators,
        identity=identity,
        admitted=admitted,
        refused=refused,
        reference=reference,
        trail=(*trail, elected),
        families=families,
    )


def admit(
    witnesses: Sequence[Witness], identity: ChainIdentity | None
) -> tuple[tuple[Witness, ...], Mapping[str, tuple[str, str]]]:
    """The witnesses whose word counts, and why that of the others does not (see `refusal`)."""
    refused = {
        witness.name: reason
        for witness in witnesses
        if (reason := refusal(witness, identity)) is not None
    }
    return tuple(w for w in witnesses if w.name not in refused), refused


def heights_to_ask(
    admitted: Sequence[Witness], need: int, node_heads: Iterable[HeadSeen]
) -> tuple[int, ...]:
    """Heights at which the references' hashes are needed and none may be assumed, highest first.

    The tip on which they could agree and `CONTESTED_DEPTH` below it; the heads of references that
    are a little later, and two below each; for each node the height it shares with them, two
    below, and the node's own finalized block.
    """
    top = reached(admitted, need)
    if top is None:
        return ()
    wanted = {top, max(0, top - CONTESTED_DEPTH)}
    for number in heights(admitted).values():
        if 0 < top - number <= LINK_DEPTH_MAX:
            wanted.update((number, max(0, number - CONTESTED_DEPTH)))
    for seen in node_heads:
        common = min(seen.head.number, top)
        wanted.update((common, max(0, common - CONTESTED_DEPTH)))
        if seen.final is not None and seen.final.number <= top:
            wanted.add(seen.final.number)
    return tuple(sorted(wanted, reverse=True))
