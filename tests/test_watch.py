"""Rounds: the same questions to all at one moment, within budgets, none waiting for another."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator, Sequence

import aiohttp
import pytest

from monitor.checks import CHECKS, REFERENCES, REQUIRED_CHECKS
from monitor.endpoint import (
    HEADS_COUNT_MAX,
    KNOWN_COUNT_MAX,
    NEWEST_COUNT,
    Endpoint,
)
from monitor.judge.profiles import JUMP_BLOCKS, PROFILES, override, policy
from monitor.judge.quorum import NoQuorum, Round
from monitor.judge.seen import Ancestor, ForkSeen, HeadSeen
from monitor.lab.network import LabNetwork
from monitor.lab.timeline import lab_settings
from monitor.model import Head, Reference, Unseen
from monitor.probes import head as head_probe
from monitor.rpc.budget import DAY_SECONDS, Budget
from monitor.rpc.node import Limits, Node
from monitor.sidecar import Sidecar
from monitor.url import Url
from monitor.watch import (
    ANCESTOR_SECONDS,
    IDENTITY_SECONDS,
    SAMPLED_METHODS,
    SPREAD_SECONDS_MAX,
    TURN_NODES,
    Watch,
)
from monitor.wire import open_session
from tests.rpc.canned import (
    GENESIS_TIMESTAMP,
    SECONDS_A_BLOCK,
    Canned,
    Chain,
    Clock,
    Hang,
    Json,
    Refusal,
    nothing_unheard,
    serving,
)

DEADLINE_SECONDS = 0.3
LATE_SECONDS = 2.0
START = 100
MIDNIGHT = (GENESIS_TIMESTAMP // DAY_SECONDS + 1) * DAY_SECONDS


class World:
    """Canned references and nodes on one chain, and a watch over them at a time of our choice."""

    def __init__(self, session: aiohttp.ClientSession, references: int, nodes: int) -> None:
        self.chain = Chain(START)
        self.clock = Clock(GENESIS_TIMESTAMP + START * SECONDS_A_BLOCK + 1.0)
        self.session = session
        self.references = [Canned(self.chain) for _ in range(references)]
        self.nodes = [Canned(self.chain) for _ in range(nodes)]

    def open(self, calls_a_day: Sequence[int] = ()) -> Watch:
        """Once they listen."""
        rules = policy(override(PROFILES["dev"], interval_seconds=float(SECONDS_A_BLOCK)))
        budgets = [*calls_a_day, *[10_000_000] * len(self.references)]
        references = [
            Endpoint(self._node(f"dev/{name}", one, budgets[index]), f"operator-{name}")
            for index, (name, one) in enumerate(zip("abcde", self.references, strict=False))
        ]
        own = [Endpoint(self._node(f"n{index}", one)) for index, one in enumerate(self.nodes)]
        self.watch = Watch("dev", rules, references, own, self.clock)
        return self.watch

    def _node(self, label: str, canned: Canned, calls_a_day: int | None = None) -> Node:
        budget = None if calls_a_day is None else Budget(calls_a_day, self.clock)
        limits = Limits(deadline_seconds=DEADLINE_SECONDS)
        url = Url(canned.url)
        return Node(label, url, self.session, clock=self.clock, limits=limits, budget=budget)

    async def rounds(self, count: int, *, seconds: float, blocks: float = 0.0) -> Round:
        """So many rounds, this far apart, with so many new blocks before each."""
        made = 0.0
        for _ in range(count):
            self.clock.now += seconds
            made += blocks
            if made >= 1.0:
                self.chain.head += int(made)
                made -= int(made)
            found = await self.watch.ask()
        return found


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """The session of the process; whatever a test does, nothing fails unheard."""
    with nothing_unheard():
        async with open_session() as session:
            yield session


@pytest.fixture
async def world(session: aiohttp.ClientSession) -> AsyncIterator[World]:
    """Three references and one node, in step."""
    world = World(session, references=3, nodes=1)
    async with serving(*world.references, *world.nodes):
        yield world


@pytest.fixture
async def small(session: aiohttp.ClientSession) -> AsyncIterator[World]:
    """One reference and one node."""
    world = World(session, references=1, nodes=1)
    async with serving(*world.references, *world.nodes):
        yield world


# -- what a round is -----------------------------------------------------------------------------


async def test_round_elects_the_head_that_all_name(world: World) -> None:
    """What comes out is a Round of all witnesses, and every history has its observation."""
    watch = world.open()
    found = await watch.ask()
    assert isinstance(found.reference, Reference)
    assert found.reference.head.number == START
    assert found.reference.voters == ("operator-a", "operator-b", "operator-c")
    assert watch.round is found
    assert (watch.rounds_total, watch.round_at, watch.is_asking) == (1, world.clock.now, False)
    assert [len(list(watch.histories(check))) for check in REQUIRED_CHECKS] == [1, 1, 2, 1, 4]
    # Without a survey nothing else is asked.
    assert not [h for check in CHECKS if not check.required for h in watch.histories(check)]
    for check in REQUIRED_CHECKS:
        for history in watch.histories(check):
            assert history[-1].check == check.asks or check is REFERENCES


async def test_round_of_a_real_network_agrees(anvil_path: object) -> None:
    """The same with real nodes, block after block."""
    async with LabNetwork(("a", "b", "c"), 0.1) as net, Sidecar(lab_settings(net, 0.1)) as sidecar:
        watch = sidecar.watches["dev"]
        for _ in range(5):
            await net.wait_blocks(1)
            found = await watch.ask()
            assert isinstance(found.reference, Reference)
            assert len(found.reference.voters) >= 2
            (node,) = watch.nodes
            assert isinstance(node.forks[-1].seen, ForkSeen)
            assert node.forks[-1].seen.ancestor is None


async def test_round_in_the_steady_state_costs_each_reference_its_heads_only(
    world: World,
) -> None:
    """Links of headers replace calls by number: two calls a round, at two polls a block."""
    world.open()
    await world.rounds(4, seconds=6.0, blocks=0.5)
    for _ in range(40):
        for one in world.references:
            one.forget()
        await world.rounds(1, seconds=6.0, blocks=0.5)
        world.chain.head += world.watch.rounds_total % 2
        assert [len(one.calls) for one in world.references] == [head_probe.CALLS] * 3
        assert [one.heights for one in world.references] == [[], [], []]


@pytest.mark.parametrize("blocks", [0.0, 0.5, 1.0, 2.0, 3.0])
async def test_round_at_any_pace_costs_each_reference_three_calls_at_most(
    world: World, blocks: float
) -> None:
    """Also where polls miss blocks, and with a finality that moves every 32 blocks."""
    for one in (*world.references, *world.nodes):
        one.answers = {"eth_getBlockByNumber": finality(one)}
    world.open()
    await world.rounds(2, seconds=6.0, blocks=blocks)
    for one in world.references:
        one.forget()
    await world.rounds(60, seconds=6.0, blocks=blocks)
    for one in world.references:
        assert len(one.calls) <= 3 * 60 + 60 * blocks / 32 + 1


def finality(node: Canned) -> object:
    """Two epochs of 32 behind the last boundary, as on Ethereum."""

    def block(params: list[Json]) -> Json:
        top = node.chain.head
        named = {"latest": top, "finalized": max(0, top - top % 32 - 64)}
        which = named.get(params[0])
        return node.chain.block(int(params[0], 16) if which is None else which)

    return block


async def test_round_asks_a_node_in_two_requests(world: World) -> None:
    """One batch, and the sample that travels alone."""
    world.open()
    await world.rounds(3, seconds=6.0, blocks=0.5)
    world.nodes[0].forget()
    await world.rounds(6, seconds=6.0, blocks=0.5)
    assert len(world.nodes[0].requests) == 12


async def test_sample_rotates_through_every_method(world: World) -> None:
    """Each round one method of the table is measured by itself."""
    watch = world.open()
    await world.rounds(2 * len(SAMPLED_METHODS), seconds=6.0, blocks=0.5)
    (node,) = watch.nodes
    node.node.latencies.clear()
    await world.rounds(len(SAMPLED_METHODS), seconds=6.0, blocks=0.5)
    assert [method for method, _ in node.node.latencies] == list(SAMPLED_METHODS)


# -- memory --------------------------------------------------------------------------------------


async def test_histories_stay_bounded_over_a_thousand_rounds(small: World) -> None:
    """Heads, identities, forks, known and deep blocks, latencies and the trail."""
    watch = small.open()
    for one in (*small.references, *small.nodes):
        one.answers = {"eth_getBlockByNumber": finality(one)}
    # Two blocks a round keep the histories longest: no head repeats and no link is whole.
    await small.rounds(1000, seconds=12.0, blocks=2.0)
    for endpoint in watch.endpoints:
        assert len(endpoint.heads) <= HEADS_COUNT_MAX
        assert len(endpoint.identities) <= NEWEST_COUNT
        assert len(endpoint.forks) <= NEWEST_COUNT
        assert len(endpoint.known) <= KNOWN_COUNT_MAX
        assert len(endpoint.deep) <= KNOWN_COUNT_MAX
        assert len(endpoint.node.latencies) <= 64
        assert endpoint.node._flushes == set()
    assert len(watch.trail) <= HEADS_COUNT_MAX
    assert watch.rounds_total == 1000


async def test_head_that_repeats_is_remembered_twice(world: World) -> None:
    """A quiet network for fifty rounds is two observations each, with the first time kept."""
    watch = world.open()
    await watch.ask()
    first = world.clock.now
    await world.rounds(50, seconds=6.0)
    for history in (*(endpoint.heads for endpoint in watch.endpoints), watch.trail):
        assert [observation.at for observation in history] == [first, world.clock.now]


# -- references cost money -----------------------------------------------------------------------


async def test_budget_of_a_reference_lasts_the_day_and_is_never_exceeded(world: World) -> None:
    """Forty calls a day: asked now and then over all of it, shown as `budget` in between."""
    world.clock.now = float(MIDNIGHT)
    watch = world.open(calls_a_day=[40])
    poor = watch.references[0]
    reasons, asked_in = [], []
    for hour in range(24):
        world.references[0].forget()
        for _ in range(6):
            found = await world.rounds(1, seconds=595.0, blocks=50)
            assert isinstance(found.reference, Reference)
            assert poor.node.budget is not None
            assert poor.node.budget.spent <= 40
            shown = next(iter(watch.histories(REFERENCES)))[-1].seen
            reasons.append(shown.reason if isinstance(shown, Unseen) else "seen")
        asked_in += [hour] * bool(world.references[0].calls)
    assert set(reasons) == {"budget", "seen"}
    assert min(asked_in) == 0
    assert max(asked_in) >= 16
    assert len(asked_in) >= 4
    shown = next(iter(watch.histories(REFERENCES)))[-1].seen
    assert isinstance(shown, Unseen)
    assert shown.detail.endswith("its 40 calls a day do not allow more")


async def test_budget_that_is_spent_is_shown_until_midnight(world: World) -> None:
    """Not enough for one round: refused without a call, and asked again the next day."""
    world.clock.now = float(MIDNIGHT)
    watch = world.open(calls_a_day=[5])
    await world.rounds(1, seconds=6.0)
    assert len(world.references[0].calls) == 5
    await world.rounds(30, seconds=1200.0, blocks=100)
    assert len(world.references[0].calls) == 5
    newest = watch.references[0].heads[-1].seen
    assert isinstance(newest, Unseen)
    assert (newest.reason, newest.detail) == ("budget", "its 5 calls of today (UTC) are spent")
    world.clock.now = float(MIDNIGHT + DAY_SECONDS)
    await world.rounds(1, seconds=6.0)
    assert isinstance(watch.references[0].heads[-1].seen, HeadSeen)


async def test_budgets_of_all_that_are_spent_leave_no_reference(world: World) -> None:
    """Nobody to compare with is said as that, and the node is still asked."""
    watch = world.open(calls_a_day=[7, 7, 7])
    await world.rounds(1, seconds=6.0)
    found = await world.rounds(3, seconds=60.0, blocks=5)
    assert isinstance(found.reference, NoQuorum)
    assert watch.nodes[0].newest_head is not None
    assert watch.nodes[0].newest_head.number == world.chain.head


# -- identity ------------------------------------------------------------------------------------


async def asked_identity(world: World, rounds: int, **pace: float) -> list[bool]:
    """In which of these rounds the first reference was asked which chain it serves."""
    asked = []
    for _ in range(rounds):
        world.references[0].forget()
        await world.rounds(1, seconds=6.0, **pace)
        asked.append("eth_chainId" in world.references[0].methods)
    return asked


async def test_identity_of_a_reference_is_asked_once(world: World) -> None:
    """It costs three calls, and a chain does not change under an endpoint without a sign."""
    world.open()
    assert await asked_identity(world, 6, blocks=0.5) == [True] + [False] * 5
    world.clock.now += IDENTITY_SECONDS
    assert await asked_identity(world, 2, blocks=0.5) == [True, False]


async def test_identity_of_a_reference_is_asked_again_after_its_absence(world: World) -> None:
    """What comes back may be another node behind the same address."""
    world.open()
    await world.rounds(2, seconds=6.0)
    await world.references[0].port.unplug()
    await world.rounds(1, seconds=6.0)
    await world.references[0].port.plug()
    world.references[0].chain_id = "0x86"
    assert await asked_identity(world, 2) == [True, False]
    found = await world.rounds(1, seconds=6.0)
    assert found.refused["a"][0] == "wrong_chain"


@pytest.mark.parametrize(("blocks", "again"), [(JUMP_BLOCKS + 1, True), (JUMP_BLOCKS, False)])
async def test_identity_of_a_reference_is_asked_again_after_a_jump(
    world: World, blocks: int, again: bool
) -> None:
    """A head that leaps further than any chain moves in a poll may be another chain's."""
    world.open()
    await world.rounds(2, seconds=6.0)
    world.references[0].chain = Chain(START + blocks)
    await world.rounds(1, seconds=6.0)
    assert await asked_identity(world, 1) == [again]


async def test_identity_of_a_node_is_asked_every_round(world: World) -> None:
    """A node is ours to ask."""
    world.open()
    await world.rounds(3, seconds=6.0)
    assert world.nodes[0].methods.count("eth_chainId") == 3


# -- trouble -------------------------------------------------------------------------------------


async def timed(world: World, rounds: int = 1) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await world.rounds(rounds, seconds=6.0, blocks=0.5)
    return loop.time() - began


async def test_node_that_hangs_costs_the_others_one_slow_round(
    session: aiohttp.ClientSession,
) -> None:
    """Its own answer is Unseen, the others' are of this round, and no later round waits for it."""
    world = World(session, references=3, nodes=3)
    async with serving(*world.references, *world.nodes):
        watch = world.open()
        await world.rounds(2, seconds=6.0)
        world.nodes[1].respond = hang = Hang()
        assert DEADLINE_SECONDS <= await timed(world) < DEADLINE_SECONDS + LATE_SECONDS
        for _ in range(3):
            await timed(world)
            hung = watch.nodes[1].heads[-1].seen
            assert isinstance(hung, Unseen)
            assert hung.reason == "timeout"
            assert isinstance(watch.nodes[1].forks[-1].seen, Unseen)
            for well in (watch.nodes[0], watch.nodes[2]):
                assert well.newest_head is not None
                assert well.newest_head.number == world.chain.head
                assert well.heads[-1].at == world.clock.now
        hang.released.set()
        world.nodes[1].respond = None
        assert watch.nodes[1].asking is not None
        await watch.nodes[1].asking
        await world.rounds(2, seconds=6.0)
        assert watch.nodes[1].newest_head is not None
        assert watch.nodes[1].newest_head.number == world.chain.head


async def test_rounds_beside_a_node_that_hangs_do_not_wait(world: World) -> None:
    """From its second round on it is asked beside the others, once at a time."""
    watch = world.open()
    world.nodes[0].respond = hang = Hang()
    await timed(world)
    world.nodes[0].forget()
    watch.nodes[0].node.limits = Limits(deadline_seconds=60.0)
    assert await timed(world, rounds=5) < LATE_SECONDS
    async with asyncio.timeout(LATE_SECONDS):
        await hang.holding.wait()
    assert watch.nodes[0].asking is not None
    assert not watch.nodes[0].asking.done()
    assert world.nodes[0].methods.count("eth_chainId") <= 1
    await watch.nodes[0].close()
    hang.released.set()


async def test_reference_that_hangs_leaves_the_majority(world: World) -> None:
    """Two of three still elect, and the rounds go on at their pace."""
    world.open()
    world.references[0].respond = hang = Hang()
    await timed(world)
    found = await world.rounds(1, seconds=6.0)
    assert isinstance(found.reference, Reference)
    assert found.reference.voters == ("operator-b", "operator-c")
    assert found.refused["a"][0] == "unseen"
    hang.released.set()


async def test_reference_that_refuses_heights_has_no_vote_there(world: World) -> None:
    """Its head is seen and counts as a height; where hashes are compared, the others elect."""
    poor = world.references[0]
    blocks = {
        "latest": lambda: poor.chain.block(poor.chain.head),
        "0x0": lambda: poor.chain.block(0),
    }
    refused = Refusal("archive requests need another plan", -32000)
    poor.answers = {"eth_getBlockByNumber": lambda params: blocks.get(params[0], lambda: refused)()}
    poor.chain = Chain(START + 1)
    world.open()
    found = await world.rounds(2, seconds=6.0)
    assert isinstance(found.reference, Reference)
    assert found.reference.head.number == START
    assert found.refused == {}
    assert START - 2 not in found.admitted[0].chain.hashes
    assert {"operator-b", "operator-c"} <= set(found.reference.voters)


async def test_everybody_absent_is_unseen_and_nothing_is_raised(world: World) -> None:
    """A round with no answer at all is a round."""
    watch = world.open()
    await world.rounds(1, seconds=6.0)
    for one in (*world.references, *world.nodes):
        await one.port.unplug()
    found = await world.rounds(3, seconds=6.0)
    assert isinstance(found.reference, NoQuorum)
    for endpoint in watch.endpoints:
        newest = endpoint.heads[-1].seen
        assert isinstance(newest, Unseen)
        assert newest.reason == "refused"


@pytest.mark.parametrize(
    "said",
    [Refusal("busy", -32000), None, "0x1", {"number": "0x1"}, [], 7],
    ids=["refusal", "null", "text", "half", "list", "number"],
)
async def test_everybody_talking_nonsense_is_unseen_and_nothing_is_raised(
    world: World, said: Json
) -> None:
    """Whatever they answer, a round ends with what was seen."""
    world.open()
    for one in (*world.references, *world.nodes):
        one.answers = {"eth_getBlockByNumber": said, "eth_chainId": said}
    found = await world.rounds(3, seconds=6.0)
    assert isinstance(found.reference, NoQuorum)
    assert not world.watch.is_asking


async def test_mistake_while_asking_leaves_the_watch_ready_for_the_next_round(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`is_asking` does not stick, or heads would never hasten a round again."""
    watch = world.open()

    async def crash() -> None:
        message = "ours"
        raise KeyError(message)

    with monkeypatch.context() as patch:
        patch.setattr(watch, "_ask_hashes", crash)
        with pytest.raises(KeyError):
            await watch.ask()
    assert not watch.is_asking
    assert isinstance((await watch.ask()).reference, Reference)


@pytest.mark.parametrize("steps", range(1, 6))
async def test_round_that_is_ended_before_it_begins_leaves_nothing_unawaited(
    small: World, steps: int
) -> None:
    """A gate whose time is over ends its round wherever that is."""
    watch = small.open()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        round_ = asyncio.create_task(watch.ask())
        for _ in range(steps):
            await asyncio.sleep(0)
        round_.cancel()
        await asyncio.wait({round_})
        gc.collect()
    assert round_.cancelled()
    assert [str(one.message) for one in told] == []


async def test_mistake_beside_the_rounds_reaches_the_next_round(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash in a question that nobody waits for is raised, so that it can be counted."""
    watch = world.open()
    world.nodes[0].respond = hang = Hang()
    await timed(world)

    async def crash(node: Endpoint) -> None:
        message = "ours"
        raise KeyError(message)

    monkeypatch.setattr(watch, "_ask_node", crash)
    await timed(world)
    with pytest.raises(KeyError):
        await timed(world)
    hang.released.set()


# -- forks ---------------------------------------------------------------------------------------


def parting(seen: object) -> Ancestor | None:
    assert isinstance(seen, ForkSeen)
    return seen.ancestor


async def test_fork_of_a_node_is_searched_once_and_again_after_a_while(world: World) -> None:
    """The parting point is believed for a while; when the node returns it is forgotten."""
    watch = world.open()
    await world.rounds(2, seconds=6.0)
    honest = world.nodes[0].chain
    world.nodes[0].chain = Chain(START, parts_after=START - 40, salt="private")
    await world.rounds(1, seconds=6.0)
    (node,) = watch.nodes
    found = parting(node.forks[-1].seen)
    assert found is not None
    assert found.number == START - 40
    world.references[0].forget()
    await world.rounds(2, seconds=6.0)
    assert parting(node.forks[-1].seen) == found
    assert len(world.references[0].heights) <= 2
    assert node.ancestor is not None
    since = node.ancestor[1]
    await world.rounds(1, seconds=ANCESTOR_SECONDS + 1)
    assert node.ancestor[1] > since
    world.nodes[0].chain = honest
    await world.rounds(1, seconds=6.0)
    assert parting(node.forks[-1].seen) is None
    assert node.ancestor is None


async def test_fork_of_another_kind_is_searched_anew_before_the_while_is_over(
    world: World,
) -> None:
    """A parting point that this round contradicts is not carried over to another fork."""
    watch = world.open()
    await world.rounds(2, seconds=6.0)
    world.nodes[0].chain = Chain(START, parts_after=START - 40, salt="private")
    await world.rounds(1, seconds=6.0)
    world.nodes[0].chain = Chain(START, parts_after=START - 1, salt="tip")
    await world.rounds(1, seconds=6.0)
    found = parting(watch.nodes[0].forks[-1].seen)
    assert found is not None
    assert found.number == START - 1


async def test_round_that_takes_long_compares_what_was_asked_in_it(world: World) -> None:
    """Answers of this round are not too old, however late its last one came."""
    watch = world.open()

    async def slowly(request: object, body: Json) -> None:
        methods = {call["method"] for call in (body if isinstance(body, list) else [body])}
        if methods == {"eth_getBlockByNumber"}:
            world.clock.now += 60.0

    for reference in world.references:
        reference.respond = slowly
    found = await watch.ask()
    assert isinstance(found.reference, Reference)
    assert len(found.reference.voters) == len(world.references)
    assert world.clock.now > found.witnesses[0].head.at


async def test_round_of_a_large_fleet_asks_in_turns(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many nodes at once, the others a moment later; a small fleet waits for nobody."""
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(0)

    world = World(session, references=1, nodes=TURN_NODES + 2)
    async with serving(*world.references, *world.nodes):
        watch = world.open()
        monkeypatch.setattr("monitor.watch.asyncio.sleep", pause)
        await watch.ask()
        monkeypatch.undo()
    assert len(pauses) == 2, "the first turn waits for nothing"
    assert all(0 < seconds < SPREAD_SECONDS_MAX for seconds in pauses)
    assert all(isinstance(node.heads[-1].seen, HeadSeen) for node in watch.nodes)


async def test_fork_that_cannot_be_searched_is_still_seen(world: World) -> None:
    """The difference is what matters; where it begins is told when somebody answers."""
    watch = world.open()
    await world.rounds(2, seconds=6.0)
    private = Chain(START, parts_after=START - 40, salt="private")
    world.nodes[0].answers = {"eth_getBlockByNumber": shallow(private)}
    world.nodes[0].forget()
    await world.rounds(1, seconds=6.0)
    assert len(world.nodes[0].heights) > 3, "it was looked for"
    seen = watch.nodes[0].forks[-1].seen
    assert parting(seen) is None
    assert isinstance(seen, ForkSeen)
    assert seen.chain.hashes[START] == private.hash(START)


def shallow(chain: Chain) -> object:
    """A node that answers for its newest blocks only."""

    def block(params: list[Json]) -> Json:
        number = chain.head if params[0] in {"latest", "finalized"} else int(params[0], 16)
        return chain.block(number) if number > START - 5 or number == 0 else Refusal("pruned", -1)

    return block


async def test_blocks_of_a_reference_that_reorganised_are_asked_again(world: World) -> None:
    """Links that break are not believed: hashes are asked for by number, and found."""
    world.open()
    await world.rounds(4, seconds=6.0, blocks=1)
    other = Chain(world.chain.head + 1, parts_after=world.chain.head - 3, salt="reorg")
    for one in (*world.references, *world.nodes):
        one.chain = other
    found = await world.rounds(1, seconds=6.0)
    assert isinstance(found.reference, Reference)
    assert found.reference.head.hash == other.hash(other.head)
    newest = world.watch.nodes[0].newest_head
    assert isinstance(newest, Head)
    assert parting(world.watch.nodes[0].forks[-1].seen) is None


async def test_references_that_are_asked_seldom_are_asked_together(world: World) -> None:
    """Heads of different moments cannot be compared: whatever their budgets, rounds are shared."""
    world.clock.now = float(MIDNIGHT)
    watch = world.open(calls_a_day=[40, 90, 40])
    asked: list[set[str]] = []
    for _ in range(140):
        for one in world.references:
            one.forget()
        await world.rounds(1, seconds=595.0, blocks=50)
        rounds = zip("abc", world.references, strict=False)
        asked.append({name for name, one in rounds if one.calls})
    assert watch.rounds_total == 140
    poor = [names for names in asked if "a" in names]
    assert poor
    assert all("c" in names for names in poor)
    assert sum("b" in names for names in asked) > len(poor)


async def test_burst_of_calls_leaves_the_references_in_their_rounds(world: World) -> None:
    """A search that cost hundreds of calls is paid over the day, and not by minutes of silence."""
    world.clock.now = float(MIDNIGHT)
    watch = world.open(calls_a_day=[50_000] * 3)
    await world.rounds(2, seconds=float(SECONDS_A_BLOCK), blocks=1)
    for reference in watch.references:
        assert reference.node.budget is not None
        reference.node.budget.take(500)
        reference.node.tally.calls_total += 500
    for _ in range(4):
        found = await world.rounds(1, seconds=float(SECONDS_A_BLOCK), blocks=1)
        assert isinstance(found.reference, Reference)
        assert len(found.reference.voters) == 3
