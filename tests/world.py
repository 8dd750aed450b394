"""A seeded world in simulated time: a chain, references and one node that see it, and the judges.

The chain is drawn from a profile, at the gaps that the lab draws as well. A block
reaches each endpoint after a delay that all have in common and one of its own, together at most
the profile's arrival time, and apart at most its skew. Where the profile has reorgs, a block may
have a rival that some endpoints see first and leave when the next block comes.

Rounds are held as `monitor/watch.py` and `monitor/sidecar.py` hold them, without their network:
the same questions, histories, elections, judges and fold. Nothing here waits or reads a clock.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, cast

from monitor.checks import REQUIRED_CHECKS, Check
from monitor.endpoint import NEWEST_COUNT, Endpoint, append, shortened
from monitor.judge.chain_profile import DAY_SECONDS
from monitor.judge.fork import SearchRange, compare, is_current, search_range
from monitor.judge.head import is_jump
from monitor.judge.profiles import DEV, PROFILES, Profile, override, policy
from monitor.judge.quorum import (
    CONTESTED_DEPTH,
    Round,
    Witness,
    admit,
    elect_identity,
    heights_to_ask,
    hold_round,
)
from monitor.judge.seen import Ancestor, ForkSeen, HeadSeen, IdentitySeen, chain_of
from monitor.judge.verdict import EMPTY, Memory, fold, verdict_of
from monitor.lab.pace import Gaps, drawn_from
from monitor.model import (
    Action,
    BlockNumber,
    Finding,
    Hash32,
    Head,
    Key,
    Level,
    Observation,
    Unseen,
    reference_label,
)
from monitor.rpc.node import Node
from monitor.watch import ANCESTOR_SECONDS, IDENTITY_SECONDS

NETWORK = "net"
LOCAL = "local"
BEGIN = 1_795_000_000.0
FIRST = 5000
"""The height of the chain when the world begins."""
MAIN = "main"
FAST_DEV = override(DEV, interval_seconds=0.25)
TWINS = ("hoodi", "arbitrum-sepolia")
"""Profiles whose every number is another's: their worlds would be the same."""
WORLDS = {p.key: p for p in (*PROFILES.values(), FAST_DEV) if p.key not in TWINS}
FINALITY_BLOCKS = {"dev": 8, "dev/0.25s": 8}
"""How far below its head a node calls a block final, where the profile does not say."""
REORG_RATE = 0.01
"""How often a block has a rival, where the profile does not say."""
REFUSED = Unseen("refused", "connection refused")


@cache
def hash_of(number: int, branch: str) -> Hash32:
    return Hash32("0x" + hashlib.sha256(f"{branch} {number}".encode()).hexdigest())


class Chain:
    """The network's blocks, made as time goes by."""

    def __init__(self, profile: Profile, draw: random.Random, reorg_depth_max: int) -> None:
        self.profile = profile
        self.born = {FIRST: BEGIN}
        self.rivals: dict[int, int] = {}
        """Where a rival branch begins -> how many blocks it has."""
        self.is_quiet = False
        self._draw = draw
        self._gap = Gaps(profile, draw)
        self._reorg_depth_max = reorg_depth_max
        self._next = BEGIN + self._gap()

    @property
    def number(self) -> int:
        return FIRST + len(self.born) - 1

    def advance(self, now: float) -> None:
        """Make the blocks that are due."""
        if self.is_quiet:
            self._next = max(self._next, now + self._gap())
        while self._next <= now:
            number = self.number + 1
            self.born[number] = self._next
            self._next += self._gap()
            rate = self.profile.fork_rate
            rate = REORG_RATE if rate is None else rate
            if self._draw.random() < rate and not self.rival_at(number):
                depth = 1
                while depth < self._reorg_depth_max and (
                    self._draw.random() < self.profile.fork_ratio
                ):
                    depth += 1
                self.rivals[number] = depth

    def skip(self, slots: int) -> None:
        """Let so many slots stay empty from here on."""
        self._next += slots * self.profile.interval_seconds

    def rival_at(self, number: int) -> int | None:
        """Where the rival branch begins that has a block at this height, or None."""
        for start in range(number, number - max(1, self._reorg_depth_max), -1):
            if start in self.rivals and number < start + self.rivals[start]:
                return start
        return None

    def timestamp(self, number: int) -> int:
        interval = self.profile.interval_seconds
        return int(self.born.get(number, BEGIN + (number - FIRST) * interval))


class Party:
    """One endpoint: what of the chain it has seen, and what is wrong with it."""

    def __init__(self, endpoint: Endpoint, chain: Chain, draw: random.Random) -> None:
        self.endpoint = endpoint
        self._chain = chain
        self._draw = draw
        skew, arrival = chain.profile.skew_seconds, chain.profile.arrival_seconds
        self._delay_seconds = max(0.0, arrival - skew)
        self._spread_seconds = min(skew, arrival)
        self._tip = FIRST
        self._arrived = BEGIN
        self._pending = FIRST
        self._on_rival: set[int] = set()
        self.heal()

    def heal(self) -> None:
        """An endpoint with which nothing is wrong."""
        self.lag_blocks = 0
        self.ahead_blocks = 0
        self.frozen: int | None = None
        self.branch, self.above = MAIN, 0
        self.is_silent = False
        self.is_elsewhere = False
        self.final_branch = MAIN
        """Whose block it calls final, whatever its head is."""
        self.final_frozen: int | None = None

    def advance(self, now: float) -> None:
        """See the blocks that have arrived; a rival is seen first as often as not."""
        while self._tip < self._chain.number:
            if self._pending == self._tip:
                self._pending += 1
                delay = self._delay_seconds + self._draw.random() * self._spread_seconds
                born = self._chain.born[self._pending]
                self._arrived = max(self._arrived, born + delay)
            if self._arrived > now:
                return
            self._tip = self._pending
            if self._tip in self._chain.rivals and self._draw.random() < 1 / 2:
                self._on_rival.add(self._tip)

    @property
    def number(self) -> int:
        if self.is_elsewhere:
            return self._tip - FIRST // 2
        if self.frozen is not None:
            return self.frozen
        return self._tip - self.lag_blocks + self.ahead_blocks

    @property
    def seen_number(self) -> int:
        """The height of the network's chain that has reached it, whatever it says."""
        return self._tip

    def freeze(self) -> None:
        self.frozen = self.number

    def part(self, branch: str, above: int | None = None) -> None:
        """Go on with blocks of its own, above its own head or above a height."""
        self.branch, self.above = branch, self.number if above is None else above

    def _branch_at(self, number: int) -> str:
        if self.is_elsewhere:
            return "elsewhere"
        if self.ahead_blocks and number > self._tip:
            return "made up"
        if self.branch != MAIN and number > self.above:
            return self.branch
        start = self._chain.rival_at(number)
        # The rival is left as soon as the main branch is longer.
        if start in self._on_rival and self._tip < start + self._chain.rivals[start]:
            return f"rival of {start}"
        return MAIN

    def block(self, number: int) -> Head:
        """Its block at a height up to its own."""
        return Head(
            BlockNumber(number),
            hash_of(number, self._branch_at(number)),
            hash_of(number - 1, self._branch_at(number - 1)),
            self._chain.timestamp(number),
        )

    def blocks(self, numbers: Sequence[int]) -> tuple[Head, ...]:
        return tuple(self.block(number) for number in numbers if number <= self.number)

    def head(self) -> HeadSeen | Unseen:
        if self.is_silent:
            return REFUSED
        return HeadSeen(self.block(self.number), self.final())

    def final(self) -> Head | None:
        profile = self._chain.profile
        depth = profile.finality_blocks or FINALITY_BLOCKS.get(profile.key)
        if depth is None:
            return None
        number = self.number - depth if self.final_frozen is None else self.final_frozen
        if self.final_branch == MAIN:
            return self.block(number)
        parent = self.block(number - 1).hash
        named = hash_of(number, self.final_branch)
        return Head(BlockNumber(number), named, parent, self._chain.timestamp(number))

    def freeze_final(self) -> None:
        final = self.final()
        self.final_frozen = None if final is None else final.number

    def identity(self) -> IdentitySeen | Unseen:
        if self.is_silent:
            return REFUSED
        chain_id = 5 if self.is_elsewhere else self._chain.profile.chain_id or 31337
        genesis = self._chain.profile.genesis_hash or hash_of(0, MAIN)
        if self.is_elsewhere:
            genesis = hash_of(0, "elsewhere")
        return IdentitySeen(chain_id, genesis, "Geth/v1.16.2/linux")


@dataclass(frozen=True, slots=True)
class Label:
    """What an `Endpoint` needs of its node where nobody dials."""

    label: str


class World:
    """A network that is watched: one round every `policy.poll_seconds`."""

    def __init__(
        self,
        profile: Profile,
        seed: int,
        *,
        clients: Sequence[str] = ("", "", ""),
        client: str = "",
        reorg_depth_max: int = 1,
    ) -> None:
        self.profile, self.policy, self.seed = profile, policy(profile), seed
        self.chain = Chain(profile, drawn_from(f"{seed} chain"), reorg_depth_max)
        self.now = BEGIN + drawn_from(f"{seed} phase").random() * self.policy.poll_seconds
        self.phase_seconds = drawn_from(f"{seed} fault").random() * self.policy.poll_seconds
        """A moment between two rounds, for whatever is to begin at one."""
        self.trail: tuple[Observation[HeadSeen], ...] = ()
        self.memory: Memory = EMPTY
        self.verdict = verdict_of((), self.now)
        self.round: Round | None = None
        self.actions: list[tuple[int, Action]] = []
        """With the height of the chain at that moment."""
        names = [chr(ord("a") + index) for index in range(len(clients))]
        self.references = {
            name: self._party(reference_label(NETWORK, name), f"op-{name}", family)
            for name, family in zip(names, clients, strict=True)
        }
        self.local = self._party(LOCAL, "", client)

    def _party(self, label: str, operator: str, client: str) -> Party:
        endpoint = Endpoint(cast("Node", Label(label)), operator, client)
        return Party(endpoint, self.chain, drawn_from(f"{self.seed} {label}"))

    @property
    def parties(self) -> tuple[Party, ...]:
        return (*self.references.values(), self.local)

    def heal(self) -> None:
        """Take every fault away."""
        self.chain.is_quiet = False
        for party in self.parties:
            party.heal()

    # -- one round, as the watch and the sidecar hold it -------------------------------------------

    def step(self) -> tuple[Action, ...]:
        """Let one poll interval pass and hold a round; the edges that came of it."""
        self.now += self.policy.poll_seconds
        self.chain.advance(self.now)
        for party in self.parties:
            party.advance(self.now)
        for reference in self.references.values():
            self._ask_reference(reference)
        node = self.local.endpoint
        node.remember_head(self._said(node, "head", self.local.head()))
        append(node.identities, self._said(node, "identity", self.local.identity()), NEWEST_COUNT)
        self._ask_hashes()
        self.round = hold_round(NETWORK, self._witnesses(), self.policy, self.now, self.trail)
        self.trail = shortened(self.round.trail)
        self._search(self.round)
        findings = [
            finding
            for check in REQUIRED_CHECKS
            for history in self._histories(check)
            for finding in check.judge(history, self.round, self.policy, self.now)
        ]
        findings += self.found_beside(self.round)
        self.memory, self.verdict, actions = fold(self.memory, findings, self.now)
        self.actions += [(self.chain.number, action) for action in actions]
        return actions

    def found_beside(self, context: Round) -> list[Finding]:
        """What the checks beside the required ones find; here none is made."""
        del context
        return []

    def pass_seconds(self, seconds: float) -> float:
        """Let a part of a poll interval pass without a round; the time that it is then."""
        moment = self.now + seconds
        self.chain.advance(moment)
        for party in self.parties:
            party.advance(moment)
        return moment

    def steps(self, blocks: int) -> Iterator[tuple[Action, ...]]:
        """Rounds for the time that so many blocks take, and at least two for each."""
        seconds = blocks * DAY_SECONDS / self.profile.blocks_a_day
        for _ in range(max(2 * blocks, math.ceil(seconds / self.policy.poll_seconds))):
            yield self.step()

    def pass_blocks(self, blocks: int) -> None:
        for _ in self.steps(blocks):
            pass

    def _said(self, endpoint: Endpoint, check: str, seen: Any) -> Observation[Any]:
        return Observation(endpoint.label, check, self.now, 0.0, seen)

    def _ask_reference(self, party: Party) -> None:
        endpoint = party.endpoint
        if self.now >= endpoint.identity_due_at:
            identity = self._said(endpoint, "identity", party.identity())
            append(endpoint.identities, identity, NEWEST_COUNT)
            if isinstance(identity.seen, IdentitySeen):
                endpoint.identity_due_at = self.now + IDENTITY_SECONDS
        seen = self._said(endpoint, "head", party.head())
        endpoint.remember_head(seen)
        if isinstance(seen.seen, Unseen) or is_jump(endpoint.heads, self.policy):
            endpoint.identity_due_at = 0.0

    def _witnesses(self) -> tuple[Witness, ...]:
        return tuple(
            Witness(
                name=name,
                operator=e.operator,
                client=e.client,
                head=e.heads[-1],
                identity=e.identities[-1] if e.identities else None,
                chain=chain_of(e.heads, e.vouched(self.now), e.known),
            )
            for name, e in ((name, party.endpoint) for name, party in self.references.items())
        )

    def _ask_hashes(self) -> None:
        witnesses = self._witnesses()
        need = len({witness.operator for witness in witnesses}) // 2 + 1
        admitted, _ = admit(witnesses, elect_identity(witnesses, self.policy, need))
        newest = self.local.endpoint.heads[-1].seen
        heads = [newest] if isinstance(newest, HeadSeen) else []
        heights = heights_to_ask(admitted, need, heads)
        for witness in admitted:
            party = self.references[witness.name]
            missing = [n for n in heights if n not in witness.chain.hashes]
            if missing:
                party.endpoint.remember_blocks(party.blocks(missing), self.now)
        self._ask_fork(heights[0] if heights else None)

    def _ask_fork(self, top: int | None) -> None:
        node = self.local.endpoint
        newest = node.heads[-1].seen
        if isinstance(newest, Unseen):
            append(node.forks, self._said(node, "fork", newest), NEWEST_COUNT)
            return
        wanted: tuple[int, ...] = ()
        if top is not None:
            common = min(newest.head.number, top)
            wanted = (common, max(0, common - CONTESTED_DEPTH))
        chain = chain_of(node.heads, (), node.known)
        missing = [number for number in wanted if number not in chain.hashes]
        if missing:
            chain = chain_of(node.heads, self.local.blocks(missing), node.known)
        seen = ForkSeen(newest, chain, None, node.client)
        append(node.forks, self._said(node, "fork", seen), NEWEST_COUNT)
        if missing:
            node.remember_known(chain.heads[n] for n in wanted if n in chain.heads)

    def _search(self, context: Round) -> None:
        node = self.local.endpoint
        newest = node.forks[-1]
        if not isinstance(newest.seen, ForkSeen):
            return
        search = search_range(compare(newest.seen.head, newest.seen.chain, context), context)
        if search is None:
            node.ancestor = None
            return
        if (
            node.ancestor is None
            or self.now - node.ancestor[1] > ANCESTOR_SECONDS
            or not is_current(node.ancestor[0], search)
        ):
            node.ancestor = (self._ancestor(search, context), self.now)
        node.forks[-1] = replace(newest, seen=replace(newest.seen, ancestor=node.ancestor[0]))

    def _ancestor(self, search: SearchRange, context: Round) -> Ancestor:
        """What the search would find, between the node and the first reference that is counted."""
        voters = getattr(context.reference, "voters", ())
        other = next(p for p in self.references.values() if p.endpoint.operator in voters)
        for number in range(search.highest - 1, search.lowest - 1, -1):
            if self.local.block(number).hash == other.block(number).hash:
                return Ancestor(BlockNumber(number), search.lowest)
        return Ancestor(None, search.lowest)

    def _histories(self, check: Check[Any]) -> Iterator[Sequence[Observation[Any]]]:
        if "node" in check.scopes:
            yield self.local.endpoint.history(check.asks)
        if "reference" in check.scopes:
            for party in self.references.values():
                yield party.endpoint.history(check.asks)
        if "quorum" in check.scopes:
            yield self.trail

    # -- what is known -----------------------------------------------------------------------------

    def level(self, key: Key) -> Level | None:
        """The level shown of a key; None before it was judged."""
        return self.memory[key].finding.level if key in self.memory else None

    @property
    def reference_number(self) -> int:
        """The height that the highest honest reference has seen."""
        return max(party.seen_number for party in self.references.values())

    def is_beyond(self, key: Key, limit: int) -> bool:
        """Whether what was measured of a key in the last round reaches the limit."""
        measured = self.memory[key].finding.measured
        return measured is not None and measured >= limit

    @property
    def is_healthy(self) -> bool:
        return bool(self.memory) and all(
            held.settled and held.finding.level == Level.OK for held in self.memory.values()
        )

    @property
    def story(self) -> str:
        """For a person, when a test fails: the seed, and every edge at its block."""
        lines = [f"profile {self.profile.key}, seed {self.seed}"]
        for number, action in self.actions:
            finding = action.finding
            lines.append(
                f"block {number - FIRST:+d}, {action.at - BEGIN:.2f} s: {action.kind} "
                f"{finding.check} {finding.subject} {finding.level.word} ({finding.reason}) "
                f"because {finding.because}: {finding.summary}"
            )
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong, and exactly what must be said of it."""

    name: str
    """That of the lab's scenario, where there is one."""
    title: str
    """What happens, in a sentence."""
    begin: Callable[[World], None]
    findings: frozenset[tuple[Key, Level]]
    word: str = "pass"
    """The verdict while it lasts."""
    clients: tuple[str, ...] = ("", "", "")
    """The client families of the references, one reference each."""
