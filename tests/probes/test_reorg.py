"""A chain followed head by head: what is asked, and what is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from monitor.judge.chains import ARBITRUM
from monitor.judge.profiles import DEV, Policy, policy
from monitor.judge.quorum import Round
from monitor.judge.seen import HeadSeen
from monitor.judge.trace import BLOCKS_COUNT_MAX, ReorgSeen
from monitor.model import BlockNumber, Observation, Unseen
from monitor.probes import reorg
from monitor.probes.asked import Asked, Panel
from monitor.probes.reorg import REFERENCE_SECONDS
from monitor.rpc import decode
from monitor.rpc.errors import RpcError
from monitor.rpc.node import Node
from tests.judge.builders import round_of, seen_head, witness
from tests.probes.conftest import Dial
from tests.rpc.canned import Canned, Chain, Refusal

RULES = policy(DEV)
DENSE = policy(ARBITRUM)
ALONE = round_of(witness("a", Unseen("timeout", "no answer")))


def parted(head: int, depth: int, salt: str = "other") -> Chain:
    """A chain that has left the plain one `depth` blocks below block 100."""
    return Chain(head, parts_after=100 - depth, salt=salt)


class Followed:
    """A canned node whose heads are handed to the probe, as the rounds would."""

    def __init__(self, server: Canned, node: Node, rules: Policy = RULES) -> None:
        self.server, self.node, self.rules = server, node, rules
        self.heads: list[Observation[HeadSeen]] = []
        self.before: list[Observation[ReorgSeen]] = []
        self.now = 0.0
        self.round: Round = ALONE

    def see(self, number: int, *, final: int | None = None) -> None:
        """A round has seen this head of the server's chain."""
        self.now += 1.0
        raws = [self.server.chain.block(n) for n in (number, final) if n is not None]
        heads = [decode.header.decode(decode.encode(raw)) for raw in raws]
        first, *rest = [head.head() for head in heads if head is not None]
        self.heads.append(
            Observation("n", "head", self.now, 0.0, HeadSeen(first, rest[0] if rest else None))
        )

    async def look(self) -> ReorgSeen:
        asked: Asked[ReorgSeen] = Asked(
            node=self.node,
            panel=Panel(()),
            round=self.round,
            policy=self.rules,
            heads=self.heads,
            before=tuple(self.before),
            clock=lambda: self.now,
        )
        seen = await reorg.probe(asked)
        self.before = [Observation("n", "reorg", self.now, 0.0, seen)]
        return seen

    async def grown(self, numbers: Sequence[int] = range(80, 101)) -> ReorgSeen:
        for number in numbers:
            self.see(number)
        return await self.look()


@pytest.fixture
def followed(server: Canned, node: Node) -> Followed:
    return Followed(server, node)


async def test_heads_that_link_are_followed_without_a_question(followed: Followed) -> None:
    """On most chains, in most rounds, it costs nothing."""
    seen = await followed.grown()
    assert (len(seen.chain), seen.total) == (22, 0)
    assert followed.server.calls == []


async def test_heads_are_each_followed_once(followed: Followed) -> None:
    """Asked again in the same round, nothing is counted anew."""
    await followed.grown()
    followed.server.chain = parted(101, 3)
    followed.see(101)
    assert (await followed.look()).total == 1
    assert (await followed.look()).total == 1
    followed.heads.append(replace(followed.heads[-1], at=followed.now + 1))
    assert (await followed.look()).total == 1


@pytest.mark.parametrize(
    ("depth", "grows"),
    [(1, 0), (1, 1), *((depth, grows) for depth in (2, 3, 7, 15, 20) for grows in (-1, 0, 1))],
)
async def test_reorg_is_found_with_its_depth_by_few_questions(
    followed: Followed, depth: int, grows: int
) -> None:
    """Whether the new chain is longer, as long or shorter; below the tip what is asked doubles."""
    await followed.grown()
    followed.server.chain = parted(100 + grows, depth)
    followed.see(100 + grows)
    seen = await followed.look()
    (found,) = seen.reorgs
    assert (found.depth_blocks, found.new.number) == (depth, 100 + grows)
    assert found.common is not None
    assert found.common.number == 100 - depth
    assert len(followed.server.calls) <= 2 * depth + 2
    assert len(followed.server.requests) <= 6


async def test_head_that_steps_back_on_its_chain_is_no_reorg(followed: Followed) -> None:
    """Two backends behind one address, one of them a little later."""
    followed.server.chain = Chain(102)
    await followed.grown()
    for number in (97, 101, 99, 100, 102):
        followed.see(number)
    seen = await followed.look()
    assert seen.total == 0
    assert seen.chain[-1].number == 102


async def test_reorg_in_two_steps_is_counted_once(followed: Followed) -> None:
    """A node that first rolls back, and then takes the other chain."""
    await followed.grown()
    followed.see(95)
    assert (await followed.look()).total == 0
    followed.server.chain = parted(98, 5)
    for number in (96, 97, 98):
        followed.see(number)
    seen = await followed.look()
    assert [one.depth_blocks for one in seen.reorgs] == [5]
    assert followed.server.calls == []


async def test_reorg_deeper_than_what_is_remembered_is_at_least_so_deep(
    followed: Followed,
) -> None:
    """The search ends where memory does."""
    followed.server.chain = Chain(300)
    await followed.grown(range(150, 301))
    followed.server.chain = Chain(301, parts_after=0, salt="other")
    followed.see(301)
    (found,) = (await followed.look()).reorgs
    assert (found.depth_blocks, found.common) == (BLOCKS_COUNT_MAX, None)
    assert len(followed.server.calls) <= BLOCKS_COUNT_MAX + 1


async def test_head_beyond_what_is_remembered_costs_one_question(followed: Followed) -> None:
    """A poll that was missed, or a chain with many blocks between two."""
    await followed.grown(range(60, 71))
    followed.see(90)
    seen = await followed.look()
    assert seen.total == 0
    assert [one.number for one in seen.chain[-3:]] == [70, 89, 90]
    assert followed.server.heights == [70]


async def test_reorg_behind_a_gap_is_found(followed: Followed) -> None:
    """What was seen before the gap is asked for."""
    await followed.grown(range(90, 101))
    followed.server.chain = parted(110, 4)
    followed.see(110)
    (found,) = (await followed.look()).reorgs
    assert (found.depth_blocks, found.new.number) == (4, 110)


async def test_head_that_is_gone_before_it_is_looked_into_is_left_out(followed: Followed) -> None:
    """The chain moved on meanwhile: the next head tells, and one reorg is counted and not two."""
    await followed.grown()
    followed.server.chain = parted(101, 3, "fleeting")
    followed.see(101)
    followed.server.chain = parted(102, 3, "lasting")
    seen = await followed.look()
    assert seen.total == 0
    followed.see(102)
    assert [one.depth_blocks for one in (await followed.look()).reorgs] == [3]


async def test_head_far_below_what_is_remembered_says_nothing(followed: Followed) -> None:
    """A node that begins anew is followed again once it is back."""
    await followed.grown()
    followed.see(10)
    seen = await followed.look()
    assert (seen.total, seen.chain[-1].number) == (0, 100)
    assert followed.server.calls == []


async def test_heads_that_were_not_seen_are_passed_over(followed: Followed) -> None:
    """A round without an answer is no head, and no reorg."""
    await followed.grown()
    followed.heads.append(Observation("n", "head", 99.0, 0.0, Unseen("timeout", "no answer")))
    assert (await followed.look()).chain[-1].number == 100


async def test_reorg_of_final_blocks_is_known_as_such(followed: Followed) -> None:
    """The tag of the heads before it counts, not the one after."""
    await followed.grown()
    followed.see(101 - 1, final=96)
    await followed.look()
    followed.server.chain = parted(101, 5)
    followed.see(101, final=90)
    seen = await followed.look()
    assert seen.reorgs[0].is_final
    assert seen.final == 90


async def test_question_that_fails_is_raised_and_asked_again(followed: Followed) -> None:
    """Nothing is counted on a guess, and nothing is lost."""
    await followed.grown()
    followed.server.chain = parted(101, 3)
    followed.see(101)
    followed.server.answers = {"eth_getBlockByNumber": Refusal("overloaded", -32000)}
    with pytest.raises(RpcError):
        await followed.look()
    followed.server.answers = {}
    assert (await followed.look()).total == 1


async def test_blocks_are_marked_by_what_the_references_name(followed: Followed) -> None:
    """So that whose they were is still known when they are gone."""
    await followed.grown()
    followed.round = round_of(*(witness(name, followed.heads[-3:]) for name in "abc"))
    marks = {int(one.number): one.is_shared for one in (await followed.look()).chain}
    assert (marks[100], marks[97], marks[80]) == (True, True, None)


async def test_chain_of_the_references_is_final_up_to_what_their_majority_says(
    server: Canned, dial: Dial
) -> None:
    """The heads that are elected carry no tag of their own."""
    chain = Followed(server, _labelled(dial(server.url)))
    chain.round = round_of(*(witness(n, seen_head(100, final=60 + i)) for i, n in enumerate("abc")))
    assert (await chain.grown()).final == 61
    chain.round = ALONE
    chain.see(100)
    assert (await chain.look()).final == 61


async def test_chain_of_the_references_with_many_blocks_a_poll_is_looked_at_once_a_minute(
    server: Canned, dial: Dial
) -> None:
    """References cost money; a node of ours does not."""
    server.chain = Chain(5000)
    chain = Followed(server, _labelled(dial(server.url)), DENSE)
    chain.see(100)
    for number in range(120, 400, 20):
        chain.see(number)
        await chain.look()
    assert server.heights == [100]
    chain.now += REFERENCE_SECONDS
    chain.see(420)
    assert (await chain.look()).chain[-1].number == BlockNumber(420)
    assert len(server.heights) == 2
    ours = Followed(server, dial(server.url), DENSE)
    server.forget()
    for number in (100, 120, 140):
        ours.see(number)
    await ours.look()
    assert server.heights == [100, 120]


def _labelled(node: Node) -> Node:
    node.label = "net/a"
    return node
