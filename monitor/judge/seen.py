"""What the five required probes write down, and how a chain of headers is read from it.

The types live here and not with the probes, so that the shell that does IO depends on the pure
core and never the reverse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from monitor.model import BlockNumber, Hash32, Head, Observation, Unseen

LINK_DEPTH_MAX = 16
"""How far below a head its own history is followed: past `finalized` of a lab, three past a tip."""
NOTHING_KNOWN: Mapping[Hash32, Head] = {}


@dataclass(frozen=True, slots=True)
class IdentitySeen:
    """Which chain an endpoint says it serves, and which program serves it."""

    chain_id: int
    genesis_hash: Hash32
    client_version: str
    """Empty where it does not say: not every endpoint serves the `web3` namespace."""


@dataclass(frozen=True, slots=True)
class HeadSeen:
    """The endpoint's `latest` and `finalized` blocks."""

    head: Head
    finalized: Head | Unseen | None
    """`None`: the chain or the client has no such tag (any chain before the merge)."""

    @property
    def final(self) -> Head | None:
        """The finalized block, where one was seen."""
        return self.finalized if isinstance(self.finalized, Head) else None


@dataclass(frozen=True, slots=True)
class Ancestor:
    """Where a node's chain and its references' part."""

    number: BlockNumber | None
    """The highest common block; `None`: none above `floor`."""
    floor: BlockNumber
    """The lowest height that was looked at."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The hashes an endpoint vouches for now, by height.

    A header names its parent's hash, so a run of headers that were seen one after the other proves
    the hashes below the newest without asking again. A height that is missing was not seen.
    """

    hashes: Mapping[int, Hash32] = field(default_factory=dict)
    heads: Mapping[int, Head] = field(default_factory=dict)
    """The full headers, where they were seen; a subset of `hashes`."""


@dataclass(frozen=True, slots=True)
class ForkSeen:
    """An endpoint's own chain at the heights it is compared at."""

    head: HeadSeen
    chain: Chain
    ancestor: Ancestor | None = None
    """Only where hashes differed and the common ancestor was looked for."""
    client: str = ""
    """The client's family; empty where unknown."""


def chain_of(
    history: Sequence[Observation[HeadSeen]],
    asked: Sequence[Head] = (),
    known: Mapping[Hash32, Head] = NOTHING_KNOWN,
) -> Chain:
    """The chain below the newest head of `history` (oldest first).

    `asked` are blocks named by number this round: they count even where no link reaches them.
    `known` are blocks named earlier, by hash: they count only where a link from the head confirms
    them.
    """
    hashes: dict[int, Hash32] = {}
    heads: dict[int, Head] = {}
    for head in asked:
        heads[head.number] = head
        hashes[head.number] = head.hash
        if head.number:
            hashes.setdefault(head.number - 1, head.parent_hash)
    newest = history[-1].seen if history else None
    if not isinstance(newest, HeadSeen):
        return Chain(hashes, heads)
    head = newest.head
    heads[head.number] = head
    hashes[head.number] = head.hash
    position = len(history) - 2
    for _ in range(LINK_DEPTH_MAX):
        if not head.number:
            break
        hashes[head.number - 1] = head.parent_hash
        parent = known.get(head.parent_hash)
        while parent is None and position >= 0:
            older = history[position].seen
            if isinstance(older, HeadSeen) and older.head.number < head.number:
                if older.head.hash == head.parent_hash:
                    parent = older.head
                break
            position -= 1
        if parent is None:
            break
        head = parent
        heads[head.number] = head
    return Chain(hashes, heads)
