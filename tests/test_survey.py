"""Optional checks: asked beside the rounds, each at its pace, and never twice for one answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from monitor.checks import Check
from monitor.endpoint import Endpoint
from monitor.judge.answer import unseen
from monitor.judge.profiles import PROFILES, Policy, override, policy
from monitor.judge.quorum import Round
from monitor.judge.seen import HeadSeen
from monitor.judge.verdict import EMPTY, Memory, fold
from monitor.model import Finding, Level, Observation, Unseen, subject_of
from monitor.probes.asked import Asked
from monitor.rpc import decode
from monitor.rpc.budget import Budget
from monitor.rpc.node import Limits, Node
from monitor.survey import (
    KEPT_COUNT,
    PROBE_SECONDS_MAX,
    RETRY_SECONDS,
    UNSUPPORTED_SECONDS,
    Survey,
)
from monitor.url import Url
from monitor.watch import Watch
from monitor.wire import open_session
from tests.rpc.canned import (
    GENESIS_TIMESTAMP,
    SECONDS_A_BLOCK,
    Canned,
    Chain,
    Clock,
    Hang,
    Refusal,
    nothing_unheard,
    serving,
)

START = 100
POLL_SECONDS = 6.0
PACE_SECONDS = 60.0
METHOD = "net_peerCount"
QUORUM = "dev/quorum"
ABSENT = Refusal(f"the method {METHOD} does not exist/is not available", -32601)


@dataclass(frozen=True, slots=True)
class Said:
    """A number that was said."""

    count: int


def judge(
    history: Sequence[Observation[Any]], context: Round, rules: Policy, now: float
) -> tuple[Finding, ...]:
    """One is well and all else is not."""
    newest = history[-1]
    if isinstance(newest.seen, Unseen):
        return (unseen(newest.check, newest, context, METHOD),)
    level = Level.OK if newest.seen.count == 1 else Level.DEGRADED
    subject = subject_of(newest.node)
    return (Finding(newest.check, subject, "dev", level, "said", f"{newest.seen.count}"),)


async def says(asked: Asked[Said]) -> Said:
    """A number of the node."""
    return Said(int(await asked.node.ask(METHOD, (), decode.quantity), 16))


ROW: Check[Said] = Check(
    name="peers",
    title="",
    why="",
    remedy="",
    runbook="",
    scopes=("node",),
    asks="peers",
    methods=(METHOD,),
    probe=says,
    judge=judge,
    every_seconds=PACE_SECONDS,
)


class World:
    """Three references, two nodes, and a watch that surveys them by the rows of a test."""

    def __init__(self) -> None:
        self.chain = Chain(START)
        self.clock = Clock(GENESIS_TIMESTAMP + START * SECONDS_A_BLOCK + 1.0)
        self.session = open_session()
        self.references = [Canned(self.chain) for _ in range(3)]
        self.nodes = [Canned(self.chain, answers={METHOD: "0x1"}) for _ in range(2)]
        self.mistakes: list[tuple[str, str]] = []
        self.memory: Memory = EMPTY
        self.shown: dict[tuple[str, str], Finding] = {}
        self.proposed: tuple[Finding, ...] = ()

    def open(self, *rows: Check[Any], probe_seconds_max: float = PROBE_SECONDS_MAX) -> Watch:
        """Once they listen; a second watch takes over the endpoints of the first."""
        rules = policy(override(PROFILES["dev"], interval_seconds=float(SECONDS_A_BLOCK)))
        self.rows = rows
        self.survey = Survey(
            "dev", rules, rows, self.clock, self._mistaken, probe_seconds_max=probe_seconds_max
        )
        before = getattr(self, "watch", None)
        if before is None:
            budgets = [Budget(10_000_000, self.clock) for _ in self.references]
            references = [
                Endpoint(self._node(f"dev/{name}", one, budget), f"operator-{name}")
                for name, one, budget in zip("abc", self.references, budgets, strict=True)
            ]
            nodes = [Endpoint(self._node(f"n{i}", one)) for i, one in enumerate(self.nodes)]
        else:
            references, nodes = list(before.references), list(before.nodes)
        self.watch = Watch("dev", rules, references, nodes, self.clock, survey=self.survey)
        if before is not None:
            self.watch.resume(before)
            before.stop_survey()
        return self.watch

    def _node(self, label: str, canned: Canned, budget: Budget | None = None) -> Node:
        limits = Limits(deadline_seconds=5.0)
        url = Url(canned.url)
        return Node(label, url, self.session, clock=self.clock, limits=limits, budget=budget)

    def _mistaken(self, check: str, error: Exception) -> None:
        self.mistakes.append((check, repr(error)))

    async def round(self, *, seconds: float = POLL_SECONDS, is_answered: bool = True) -> None:
        """A round as the sidecar holds it, with its block, and what is asked in it answered."""
        self.clock.now += seconds
        self.chain.head = int(self.clock.now - GENESIS_TIMESTAMP) // SECONDS_A_BLOCK
        context = await self.watch.ask()
        self.proposed = tuple(
            finding
            for row in self.rows
            for history in self.watch.histories(row)
            for finding in row.judge(history, context, self.watch.policy, self.clock.now)
        )
        self.memory, verdict, _ = fold(self.memory, self.proposed, self.clock.now)
        self.shown = {finding.key: finding for finding in verdict.findings}
        self.watch.contest(self.memory)
        if is_answered:
            await self.watch.surveyed()

    async def rounds(self, count: int) -> None:
        for _ in range(count):
            await self.round()

    def asked(self, node: int = 0) -> int:
        """How often a node was asked for it."""
        return self.nodes[node].methods.count(METHOD)

    def level(self, node: int = 0) -> Level | None:
        found = self.shown.get(("peers", f"node:n{node}"))
        return None if found is None else found.level


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Nodes that listen; whatever a test does, nothing fails unheard and no task is left."""
    before = asyncio.all_tasks()
    with nothing_unheard():
        world = World()
        async with world.session, serving(*world.references, *world.nodes):
            yield world
            await world.watch.close()
            for endpoint in world.watch.endpoints:
                await endpoint.close()
            ours = [task for task in asyncio.all_tasks() - before if "survey" in repr(task)]
            assert not ours


# -- the pace ------------------------------------------------------------------------------------


async def test_survey_asks_at_once_and_then_at_its_pace(world: World) -> None:
    """Judged in every round, asked once a minute."""
    world.open(ROW)
    await world.round()
    assert (world.asked(), world.proposed) == (1, ())
    for _ in range(9):
        await world.round()
        assert (world.asked(), len(world.proposed)) == (1, 2)
    await world.round()
    assert world.asked() == 2
    assert world.level() == Level.OK


async def test_survey_of_no_pace_asks_in_every_round(world: World) -> None:
    """0 is every round."""
    world.open(replace(ROW, every_seconds=0.0))
    await world.rounds(4)
    assert world.asked() == 4


async def test_round_waits_for_no_answer(world: World) -> None:
    """It ends before the node has said anything, and what is under way is not asked twice."""
    world.open(replace(ROW, every_seconds=0.0))
    world.nodes[0].respond = hang = Hang(METHOD)
    await world.round(is_answered=False)
    await hang.holding.wait()
    await world.round(is_answered=False)
    assert world.watch.rounds_total == 2
    assert world.asked() == 1
    hang.released.set()
    await world.watch.surveyed()
    await world.round()
    assert world.level() == Level.OK


async def test_survey_keeps_a_bounded_past(world: World) -> None:
    """However long it goes on."""
    world.open(replace(ROW, every_seconds=0.0))
    await world.rounds(KEPT_COUNT + 3)
    assert len(world.watch.nodes[0].surveys["peers"]) == KEPT_COUNT


async def test_rows_that_share_a_probe_are_asked_once(world: World) -> None:
    """At the quicker pace of the two."""
    world.open(ROW, replace(ROW, name="others", every_seconds=12.0))
    await world.rounds(3)
    assert world.asked() == 2


# -- what speaks against the present state -------------------------------------------------------


async def test_contested_is_asked_again_and_not_confirmed_by_the_same_answer(world: World) -> None:
    """One bad answer, however often it is looked at, is one word; a second one confirms it."""
    world.open(ROW)
    await world.rounds(2)
    assert world.level() == Level.OK
    world.nodes[0].answers[METHOD] = "0x2"
    await world.round(seconds=PACE_SECONDS)
    assert world.asked() == 2
    # Judged for the first time, and asked again because of it. The answer does not come yet.
    await world.round()
    assert (world.level(), world.asked()) == (Level.OK, 2)
    world.nodes[0].respond = hang = Hang(METHOD)
    for _ in range(3):
        await world.round(is_answered=False)
        await hang.holding.wait()
        assert world.level() == Level.OK
    hang.released.set()
    await world.watch.surveyed()
    await world.round()
    assert (world.level(), world.asked()) == (Level.DEGRADED, 3)
    assert world.asked(1) == 2
    await world.rounds(2)
    assert world.asked() == 3


async def test_accusation_that_is_not_repeated_opens_nothing(world: World) -> None:
    """The second answer takes back the first."""
    world.open(ROW)
    await world.rounds(2)
    world.nodes[0].answers[METHOD] = "0x2"
    await world.round(seconds=PACE_SECONDS)
    world.nodes[0].answers[METHOD] = "0x1"
    for _ in range(4):
        await world.round()
        assert world.level() == Level.OK
    assert world.asked() == 3


# -- what cannot be seen -------------------------------------------------------------------------


async def test_unsupported_is_asked_seldom(world: World) -> None:
    """A method that a node does not have is asked for every ten minutes, not every minute."""
    world.open(ROW)
    world.nodes[0].answers[METHOD] = ABSENT
    await world.round()
    await world.round(seconds=UNSUPPORTED_SECONDS - POLL_SECONDS)
    assert world.asked() == 1
    await world.round(seconds=POLL_SECONDS)
    assert world.asked() == 2


async def test_unsupported_stays_so_while_the_node_is_gone(world: World) -> None:
    """A node that is down has no more findings than it had."""
    world.open(ROW)
    world.nodes[0].answers[METHOD] = ABSENT
    await world.rounds(2)
    await world.nodes[0].port.unplug()
    await world.round()
    (history,) = [h for h in world.watch.histories(ROW) if h[-1].node == "n0"]
    assert isinstance(history[-1].seen, Unseen)
    assert history[-1].seen.reason == "unsupported"


async def test_unseen_is_asked_again_sooner_than_an_answer(world: World) -> None:
    """What is due once an hour is not unknown for an hour because of one refusal."""
    world.open(replace(ROW, every_seconds=3600.0))
    world.nodes[0].answers[METHOD] = Refusal("not now", -32000)
    await world.rounds(2)
    assert (world.level(), world.asked()) == (Level.UNKNOWN, 1)
    world.nodes[0].answers[METHOD] = "0x1"
    await world.round(seconds=RETRY_SECONDS)
    assert (world.asked(), world.asked(1)) == (2, 1)
    await world.rounds(6)
    assert world.level() == Level.OK


async def test_node_that_is_gone_is_not_vouched_for(world: World) -> None:
    """What it said before says nothing of it now; nobody asks what cannot be answered."""
    world.open(ROW)
    await world.rounds(2)
    await world.nodes[0].port.unplug()
    await world.rounds(2)
    assert world.level() == Level.UNKNOWN
    assert world.shown["peers", "node:n0"].reason == "refused"
    assert world.level(1) == Level.OK


async def test_node_that_is_back_is_asked_anew_and_not_vouched_for_by_its_past(
    world: World,
) -> None:
    """The first thing that counts is what it says after it was gone."""
    world.open(replace(ROW, every_seconds=3600.0))
    await world.rounds(2)
    await world.nodes[0].port.unplug()
    await world.rounds(3)
    await world.nodes[0].port.plug()
    world.nodes[0].answers[METHOD] = "0x2"
    asked = world.asked()
    await world.round()
    assert world.asked() == asked + 1
    assert [f.subject for f in world.proposed] == ["node:n1"]
    await world.rounds(3)
    assert world.level() == Level.DEGRADED


async def test_answer_that_nobody_renews_is_not_judged_for_ever(world: World) -> None:
    """Should asking stop by a mistake of ours, the check falls silent, and so becomes UNKNOWN."""
    watch = world.open(ROW)
    await world.rounds(2)
    assert len(list(watch.histories(ROW))) == 2
    world.clock.now += 2 * (PACE_SECONDS + PROBE_SECONDS_MAX)
    assert list(watch.histories(ROW)) == []


# -- mistakes of ours ----------------------------------------------------------------------------


@pytest.mark.parametrize("methods", [(METHOD,), ()], ids=["asked", "inline"])
async def test_probe_that_crashes_is_counted_and_unknown_and_the_others_stand(
    world: World, methods: tuple[str, ...]
) -> None:
    """The round goes on, and so does every other check and node."""

    async def crash(asked: Asked[Said]) -> Said:
        if asked.node.label == "n0":
            raise ZeroDivisionError
        return Said(1)

    fine = replace(ROW, name="fine", asks="fine")
    world.open(replace(ROW, probe=crash, methods=methods), fine)
    await world.rounds(2)
    assert world.mistakes[0] == ("peers", "ZeroDivisionError()")
    assert len(list(world.watch.histories(fine))) == 2
    broken = world.shown["peers", "node:n0"]
    assert world.level(0) == Level.UNKNOWN
    assert world.level(1) == Level.OK
    assert broken.reason == "internal_error"


async def test_probe_that_hangs_ends_at_its_limit(world: World) -> None:
    """It holds up neither the rounds nor the other node, and is unseen in the end."""
    never = asyncio.Event()

    async def wait(asked: Asked[Said]) -> Said:
        if asked.node.label == "n0":
            await never.wait()
        return Said(1)

    world.open(replace(ROW, probe=wait), probe_seconds_max=0.2)
    await world.round(is_answered=False)
    await world.round(is_answered=False)
    assert world.watch.rounds_total == 2
    await world.watch.surveyed()
    await world.round()
    assert (world.level(0), world.level(1)) == (Level.UNKNOWN, Level.OK)
    assert world.shown["peers", "node:n0"].summary == "not seen: no answer within 0.2 s"


# -- whom it is compared with --------------------------------------------------------------------


async def compares(asked: Asked[Said]) -> Said:
    """How many references answered."""
    answers = await asked.panel.ask("eth_gasPrice", (), decode.quantity)
    return Said(len([one for one in answers if not isinstance(one.seen, Unseen)]))


COMPARES = replace(ROW, probe=compares, compares=True)


async def test_references_are_asked_once_for_two_nodes(world: World) -> None:
    """They are what costs money."""
    for reference in world.references:
        reference.answers["eth_gasPrice"] = "0x1"
    world.open(COMPARES)
    await world.rounds(2)
    for node in world.watch.nodes:
        assert node.surveys["peers"][-1].seen == Said(3)
    assert [one.methods.count("eth_gasPrice") for one in world.references] == [1, 1, 1]


async def test_comparison_without_a_quorum_asks_nobody_and_is_due_again_at_once(
    world: World,
) -> None:
    """There is nothing to compare by; with the first round that has a quorum there is."""
    world.open(replace(COMPARES, every_seconds=3600.0))
    for one in world.references[1:]:
        await one.port.unplug()
    await world.rounds(2)
    assert world.shown["peers", "node:n0"].reason == "no_quorum"
    assert all("eth_gasPrice" not in one.methods for one in world.references)
    for one in world.references[1:]:
        await one.port.plug()
    await world.rounds(2)
    assert world.references[0].methods.count("eth_gasPrice") == 1


async def test_calls_of_the_survey_make_no_round_any_later(world: World) -> None:
    """A burst of optional questions is no reason to ask a reference for its head more seldom."""

    async def burst(asked: Asked[Said]) -> Said:
        for number in range(40):
            await asked.panel.ask("eth_getBalance", (number,), decode.quantity)
        return Said(1)

    watch = world.open(replace(COMPARES, probe=burst))
    for reference in watch.references:
        assert reference.node.budget is not None
        reference.node.budget.calls_a_day = 100_000
    await world.rounds(2)
    assert [one.methods.count("eth_getBalance") for one in world.references] == [40, 40, 40]
    for one in world.references:
        one.forget()
    await world.rounds(3)
    assert [one.methods.count("eth_getBlockByNumber") >= 3 for one in world.references] == [
        True
    ] * 3


async def test_quorum_is_asked_by_one_that_voted_and_falls_silent_without_one(
    world: World,
) -> None:
    """A check of the references together speaks under their name, and of nothing without them."""
    heads: list[HeadSeen | Unseen] = []

    async def probe(asked: Asked[Said]) -> Said:
        heads.append(asked.heads[-1].seen)
        assert asked.node.label.startswith("dev/")
        return Said(1)

    world.open(replace(ROW, probe=probe, scopes=("quorum",)))
    await world.rounds(2)
    assert [f.subject for f in world.proposed] == [f"reference:{QUORUM}"]
    assert len(heads) == 1
    assert isinstance(heads[0], HeadSeen)
    assert [one.node for one in world.survey.newest] == [QUORUM]
    for one in world.references[1:]:
        await one.port.unplug()
    await world.rounds(2)
    assert world.shown["peers", f"reference:{QUORUM}"].reason == "no_quorum"


async def test_check_that_needs_a_websocket_is_made_of_those_that_have_one(world: World) -> None:
    """Where nothing is configured, nothing is missing."""
    world.open(replace(ROW, needs="websocket"))
    await world.rounds(2)
    assert (world.asked(), world.proposed) == (0, ())


async def test_check_without_methods_is_written_down_in_the_round_itself(world: World) -> None:
    """It needs no asking: seen or not, it is there to be judged at once."""

    async def probe(asked: Asked[Said]) -> Said:
        return Said(1 if asked.head is not None else 2)

    world.open(replace(ROW, probe=probe, methods=()))
    await world.nodes[1].port.unplug()
    await world.round(is_answered=False)
    assert [f.summary for f in world.proposed] == ["1", "2"]


# -- the end, and a change -----------------------------------------------------------------------


async def test_close_leaves_nobody_asking(world: World) -> None:
    """Neither the node's question nor the one that was put to the references goes on."""
    world.open(ROW, replace(COMPARES, name="others", asks="others"))
    world.nodes[0].respond = own = Hang(METHOD)
    world.references[0].respond = others = Hang("eth_gasPrice")
    before = asyncio.all_tasks()
    await world.round(is_answered=False)
    await own.holding.wait()
    await others.holding.wait()
    await world.watch.close()
    left = asyncio.all_tasks() - before
    assert not [task for task in left if "survey" in repr(task) or "asked.py" in repr(task)]
    own.released.set()
    others.released.set()


async def test_watch_that_was_replaced_asks_no_more(world: World) -> None:
    """A round of before that ends after the change begins nothing."""
    before = world.open(ROW)
    world.open(ROW)
    world.clock.now += POLL_SECONDS
    await before.ask()
    await before.surveyed()
    assert world.asked() == 0


async def test_reload_keeps_what_was_answered_and_when_it_is_due(world: World) -> None:
    """A change of the configuration asks nothing anew: neither nodes nor references."""
    world.open(ROW, replace(ROW, name="all", asks="all", scopes=("quorum",), probe=PEERS_OF_ALL))
    await world.rounds(2)
    world.open(*world.rows)
    await world.rounds(3)
    assert world.asked() == 1
    assert len(world.proposed) == 3
    assert len(world.survey.of_quorum["all"]) == 1


async def PEERS_OF_ALL(asked: Asked[Said]) -> Said:  # noqa: N802
    return Said(1)


async def test_reload_without_a_check_drops_what_it_wrote(world: World) -> None:
    """A number of a check that is not made any more is not shown for ever."""
    world.open(ROW)
    await world.rounds(2)
    world.open()
    assert world.watch.nodes[0].surveys == {}
    await world.rounds(2)
    assert world.asked() == 1
