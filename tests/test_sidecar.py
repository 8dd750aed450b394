"""The one evaluated state: what is watched, what a round makes of it, what becomes of mistakes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from monitor import checks
from monitor.act.instruments import Instruments
from monitor.config import CheckSettings, Network, NodeSettings, Settings
from monitor.config.releases import ReleaseFeed
from monitor.judge.profiles import DEV, Policy
from monitor.judge.quorum import Round
from monitor.judge.seen import ForkSeen, IdentitySeen
from monitor.judge.verdict import STALE_SECONDS
from monitor.lab.network import LabNetwork
from monitor.lab.timeline import lab_settings
from monitor.maintenance import Window
from monitor.model import Action, Finding, Level, Observation, Unseen
from monitor.probes import identity
from monitor.probes.asked import Asked
from monitor.sidecar import Sidecar, policy_of
from monitor.survey import UNSUPPORTED_SECONDS
from monitor.url import Url
from monitor.watch import Watch
from tests.rpc.canned import (
    GENESIS_TIMESTAMP,
    SECONDS_A_BLOCK,
    Canned,
    Chain,
    Clock,
    Hang,
    Refusal,
    Sockets,
    network_of,
    node_of,
    nothing_unheard,
    serving,
    settings_of,
)

START = 100
POLL_SECONDS = 6.0
DEADLINE_SECONDS = 0.3
LATE_SECONDS = 2.0
WAIT_SECONDS_MAX = 20.0


class World:
    """Canned nodes on one chain, and the settings that watch them."""

    def __init__(self) -> None:
        self.chain = Chain(START)
        self.clock = Clock(GENESIS_TIMESTAMP + START * SECONDS_A_BLOCK + 1.0)
        self.references = {name: Canned(self.chain, clock=self.clock) for name in "abc"}
        self.nodes = [Canned(self.chain, clock=self.clock) for _ in range(3)]

    @property
    def network(self) -> Network:
        return network_of(self.references)

    def settings(self, *names: str, deadline_seconds: float = 5.0) -> Settings:
        """One network; a node for each name, the first name on the first canned node."""
        nodes = [node_of(name, one) for name, one in zip(names, self.nodes, strict=False)]
        return settings_of({"dev": self.network}, *nodes, deadline_seconds=deadline_seconds)

    async def rounds(
        self, sidecar: Sidecar, count: int = 1, *, is_patient: bool = False
    ) -> tuple[Action, ...]:
        """So many polls of every network, with a block between every two of them."""
        actions: list[Action] = []
        for _ in range(count):
            self.clock.now += POLL_SECONDS
            self.chain.head = int(self.clock.now - GENESIS_TIMESTAMP) // SECONDS_A_BLOCK
            for watch in list(sidecar.watches.values()):
                actions += await sidecar.round(watch, is_patient=is_patient)
        return tuple(actions)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Nodes that listen; whatever a test does, nothing fails unheard."""
    world = World()
    with nothing_unheard():
        async with serving(*world.references.values(), *world.nodes):
            yield world


def levels(sidecar: Sidecar) -> dict[tuple[str, str], Level]:
    """What is known of each key."""
    return {finding.key: finding.level for finding in sidecar.verdict.findings}


def word(sidecar: Sidecar) -> str:
    """The verdict as it is now."""
    return sidecar.verdict.word


def errors(instruments: Instruments) -> dict[str, float]:
    """Mistakes of ours, counted by place; places without any are left out."""
    return {
        sample.labels["place"]: sample.value
        for metric in instruments.internal_errors.collect()
        for sample in metric.samples
        if sample.name.endswith("_total") and sample.value
    }


# -- one round -----------------------------------------------------------------------------------


async def test_round_of_a_healthy_network_passes_at_once(world: World) -> None:
    """Every check of the table has its finding, all OK, and there is nothing to tell."""
    async with Sidecar(world.settings("local"), clock=world.clock) as sidecar:
        assert word(sidecar) == "inconclusive"
        assert await world.rounds(sidecar) == ()
        assert word(sidecar) == "pass"
        assert set(levels(sidecar)) == {
            *((check, "node:local") for check in ("identity", "head", "stall", "fork")),
            *((check, "node:local") for check in ("rpc", "clock")),
            *(("references", f"reference:dev/{name}") for name in "abc"),
            *((check, "reference:dev/quorum") for check in ("stall", "references", "clock")),
        }
        assert set(levels(sidecar).values()) == {Level.OK}
        assert errors(sidecar.instruments) == {}


async def test_round_of_nodes_that_do_not_say_their_version_passes(world: World) -> None:
    """As a geth that serves `eth_` alone; references are asked once all the same."""
    absent = Refusal("the method web3_clientVersion does not exist/is not available", -32601)
    for one in (*world.references.values(), *world.nodes):
        one.version = absent
    async with Sidecar(world.settings("local"), clock=world.clock) as sidecar:
        await world.rounds(sidecar, 3)
        assert word(sidecar) == "pass"
        assert levels(sidecar)["identity", "node:local"] == Level.OK
        asked = [one.methods.count("eth_chainId") for one in world.references.values()]
        assert asked == [1, 1, 1]
        assert {facts.client for facts in sidecar.snapshot().endpoints} == {""}


async def test_round_of_a_real_network_passes(anvil_path: Path) -> None:
    """The same with real nodes and the real clock."""
    async with LabNetwork(("a", "b", "c"), 0.1) as net, Sidecar(lab_settings(net, 0.1)) as sidecar:
        for _ in range(4):
            await net.wait_blocks(1)
            await sidecar.round(sidecar.watches["dev"])
        assert word(sidecar) == "pass"


async def test_round_with_a_node_gone_opens_and_closes_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Edges are told to whoever asked to be told, and logged; nothing in between is."""
    caplog.set_level(logging.INFO, "headwatch")
    told: list[Action] = []

    def tell(actions: Sequence[Action]) -> None:
        told.extend(actions)

    async with Sidecar(world.settings("local"), clock=world.clock) as sidecar:
        sidecar.listeners.append(tell)
        await world.rounds(sidecar, 2)
        await world.nodes[0].port.unplug()
        await world.rounds(sidecar, 4)
        assert word(sidecar) == "inconclusive"
        opened = [action for action in told if action.key == ("head", "node:local")]
        assert [action.kind for action in opened] == ["opened"]
        assert opened[0].finding.reason == "refused"
        await world.nodes[0].port.plug()
        await world.rounds(sidecar, 4)
        assert word(sidecar) == "pass"
        kinds = [action.kind for action in told if action.key == ("head", "node:local")]
        assert kinds == ["opened", "closed"]
        text = "\n".join(record.getMessage() for record in caplog.records)
        assert text.count("opened node:local head: ") == 1
        assert text.count("closed node:local head: ") == 1


async def test_snapshot_keeps_the_newest_edge_of_each_key(world: World) -> None:
    """Dashboards mark when a finding turned; a subject that is gone takes its edges along."""
    async with Sidecar(world.settings("local"), clock=world.clock) as sidecar:
        await world.rounds(sidecar, 2)
        assert sidecar.snapshot().edges == ()
        await world.nodes[0].port.unplug()
        await world.rounds(sidecar, 4)
        edges = {edge.key: edge.kind for edge in sidecar.snapshot().edges}
        assert edges["head", "node:local"] == "opened"
        await world.nodes[0].port.plug()
        await world.rounds(sidecar, 4)
        edges = {edge.key: edge.kind for edge in sidecar.snapshot().edges}
        assert edges["head", "node:local"] == "closed"
        sidecar.apply(world.settings("renamed"))
        assert not [edge for edge in sidecar.snapshot().edges if edge.key[1] == "node:local"]


async def test_snapshot_under_maintenance_silences_people_and_measures_as_ever(
    world: World,
) -> None:
    """A window changes what is told and no finding; the references are not the node's."""
    async with Sidecar(world.settings("local"), clock=world.clock) as sidecar:
        now = world.clock.now
        node = Window("w1", now, now + 3600, (), ("local",), "update", "me")
        later = Window("w2", now + 7200, now + 9000, ("dev",), (), "move", "me")
        sidecar.windows = (node, later)
        await world.nodes[0].port.unplug()
        await world.rounds(sidecar, 3)
        shown = sidecar.snapshot()
        assert shown.silenced == {"node:local"}
        assert (shown.windows_active, shown.windows_planned) == (1, 1)
        assert levels(sidecar)["head", "node:local"] == Level.UNKNOWN
        world.clock.now = now + 7300
        assert sidecar.snapshot().silenced == {
            "node:local",
            *(f"reference:dev/{name}" for name in (*"abc", "quorum")),
        }


async def test_budgets_are_those_of_the_references_by_label(world: World) -> None:
    """What is to outlive a restart can be read and resumed; nodes of ours have none."""
    async with Sidecar(world.settings("local"), clock=world.clock) as sidecar:
        await world.rounds(sidecar)
        assert set(sidecar.budgets()) == {"dev/a", "dev/b", "dev/c"}
        budget = sidecar.budgets()["dev/a"]
        before = budget.spent
        assert before > 0
        budget.resume(40)
        assert budget.spent == before + 40


async def test_round_with_a_hanging_node_ends_in_time_and_spares_the_others(
    world: World,
) -> None:
    """One node's silence is its own finding; the others are judged as if nothing were."""
    settings = world.settings("one", "two", deadline_seconds=DEADLINE_SECONDS)
    async with Sidecar(settings, clock=world.clock) as sidecar:
        await world.rounds(sidecar)
        world.nodes[0].respond = hang = Hang()
        loop = asyncio.get_running_loop()
        began = loop.time()
        await world.rounds(sidecar, 3)
        assert loop.time() - began < DEADLINE_SECONDS + LATE_SECONDS
        found = levels(sidecar)
        assert found["head", "node:one"] == Level.UNKNOWN
        assert found["head", "node:two"] == Level.OK
        assert found["references", "reference:dev/quorum"] == Level.OK
        hang.released.set()


async def test_rounds_of_two_networks_do_not_meet(world: World) -> None:
    """One network's references gone leaves the other's findings as they were."""
    others = {name: Canned(world.chain) for name in "abc"}
    async with serving(*others.values()):
        networks = {"dev": world.network, "second": network_of(others)}
        settings = settings_of(
            networks,
            node_of("one", world.nodes[0]),
            node_of("two", world.nodes[1], "second"),
        )
        async with Sidecar(settings, clock=world.clock) as sidecar:
            await world.rounds(sidecar)
            for one in others.values():
                await one.port.unplug()
            await world.rounds(sidecar, 3)
            found = levels(sidecar)
            assert found["head", "node:one"] == Level.OK
            assert found["head", "node:two"] == Level.UNKNOWN
            assert found["references", "reference:dev/quorum"] == Level.OK
            assert found["references", "reference:second/quorum"] == Level.UNKNOWN


async def test_round_observes_the_latency_of_what_travelled_alone(world: World) -> None:
    """Each sample is counted once, under the endpoint and the method."""
    async with Sidecar(world.settings("local"), clock=world.clock) as sidecar:
        await world.rounds(sidecar, 6)
        counted = {
            (sample.labels["node"], sample.labels["method"]): sample.value
            for metric in sidecar.instruments.rpc_call_seconds.collect()
            for sample in metric.samples
            if sample.name.endswith("_count")
        }
        for method in ("eth_chainId", "web3_clientVersion"):
            assert counted["local", method] == 2
        assert all(not e.node.latencies for e in sidecar.watches["dev"].endpoints)


# -- mistakes of ours ----------------------------------------------------------------------------


def crash(
    history: Sequence[Observation[ForkSeen]], context: Round, policy: Policy, now: float
) -> tuple[Finding, ...]:
    """A judge that should not have been let out."""
    message = "ours"
    raise ZeroDivisionError(message)


async def test_judge_that_crashes_makes_only_its_check_unknown(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The check is UNKNOWN for every subject, the mistake is counted and logged; others stand."""
    broken = replace(checks.FORK, judge=crash)
    rows = tuple(broken if check is checks.FORK else check for check in checks.CHECKS)
    async with Sidecar(world.settings("one", "two"), clock=world.clock) as sidecar:
        await world.rounds(sidecar)
        with monkeypatch.context() as patch:
            patch.setattr(checks, "CHECKS", rows)
            await world.rounds(sidecar, 3)
            found = levels(sidecar)
            assert word(sidecar) == "inconclusive"
            worse = {key for key, level in found.items() if level != Level.OK}
            assert worse == {("fork", "node:one"), ("fork", "node:two")}
            assert {found[key] for key in worse} == {Level.UNKNOWN}
        assert errors(sidecar.instruments) == {"judge_fork": 6.0}
        assert "ZeroDivisionError" in caplog.text
        reasons = {f.reason for f in sidecar.verdict.findings if f.key in worse}
        assert reasons == {"internal_error"}
        await world.rounds(sidecar, 3)
        assert word(sidecar) == "pass"


async def test_optional_check_that_a_node_does_not_support_is_skipped_and_said(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No finding, which a gate would have to judge, but a word; a required check is UNKNOWN."""

    async def probe(asked: Asked[IdentitySeen]) -> IdentitySeen:
        return await identity.probe(asked.node)

    optional = replace(checks.IDENTITY, name="config", asks="config", probe=probe)
    monkeypatch.setattr(checks, "CHECKS", (*checks.CHECKS, optional))
    world.nodes[0].answers = {
        "eth_chainId": Refusal("the method eth_chainId does not exist/is not available", -32601)
    }
    async with Sidecar(world.settings("one", "two"), clock=world.clock) as sidecar:
        await world.rounds(sidecar, is_patient=True)
        told = [key for key in sidecar.verdict.skipped if key[0] in {"peers", "config"}]
        assert told == [
            *(("peers", f"node:{name}") for name in ("one", "two")),
            ("config", "node:one"),
        ]
        assert ("config", "node:one") not in levels(sidecar)
        assert levels(sidecar)["identity", "node:one"] == Level.UNKNOWN
        sidecar.apply(world.settings("one"))
        del world.nodes[0].answers["eth_chainId"]
        world.clock.now += UNSUPPORTED_SECONDS
        await world.rounds(sidecar, is_patient=True)
        told = [key for key in sidecar.verdict.skipped if key[0] in {"peers", "config"}]
        assert told == [("peers", "node:one")]


async def test_check_that_a_node_ceases_to_support_leaves_nothing_behind(world: World) -> None:
    """What was opened is closed, and nothing is left that grows stale and is told to people."""
    node = world.nodes[0]
    node.answers["net_peerCount"] = "0x0"
    told: list[Action] = []
    async with Sidecar(world.settings("one"), clock=world.clock) as sidecar:
        sidecar.listeners.append(told.extend)
        await world.rounds(sidecar, 4, is_patient=True)
        assert levels(sidecar)["peers", "node:one"] == Level.DEGRADED
        assert ("peers", "node:one") in {edge.key for edge in sidecar.snapshot().edges}
        node.answers["net_peerCount"] = Refusal("the method net_peerCount does not exist", -32601)
        await world.rounds(sidecar, 30, is_patient=True)
        assert ("peers", "node:one") in sidecar.verdict.skipped
        assert ("peers", "node:one") not in sidecar.memory
        assert [action.kind for action in told] == ["opened", "closed"]
        assert (told[1].before, told[1].finding.reason) == (Level.DEGRADED, "ended")
        assert sidecar.snapshot().edges == ()
        node.answers["net_peerCount"] = "0x10"
        world.clock.now += UNSUPPORTED_SECONDS
        await world.rounds(sidecar, is_patient=True)
        assert levels(sidecar)["peers", "node:one"] == Level.OK


async def test_round_that_crashes_while_asking_never_raises(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network is UNKNOWN, the mistake counted, and the next round is as ever."""

    async def ask() -> Round:
        message = "ours"
        raise ZeroDivisionError(message)

    async with Sidecar(world.settings("local"), clock=world.clock) as sidecar:
        await world.rounds(sidecar)
        with monkeypatch.context() as patch:
            patch.setattr(sidecar.watches["dev"], "ask", ask)
            await world.rounds(sidecar, 3)
        assert levels(sidecar)["head", "node:local"] == Level.UNKNOWN
        assert levels(sidecar)["fork", "node:local"] == Level.UNKNOWN
        assert word(sidecar) == "inconclusive"
        assert errors(sidecar.instruments) == {"round": 3.0}
        await world.rounds(sidecar, 3)
        assert word(sidecar) == "pass"


async def test_round_that_is_cancelled_is_cancelled(world: World) -> None:
    """Cancellation is no mistake of ours: it ends the round and is not counted."""
    async with Sidecar(world.settings("local"), clock=world.clock) as sidecar:
        world.nodes[0].respond = hang = Hang()
        task = asyncio.create_task(sidecar.round(sidecar.watches["dev"]))
        await hang.holding.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert errors(sidecar.instruments) == {}
        hang.released.set()


async def test_level_without_rounds_expires(world: World) -> None:
    """What is not confirmed any more is not known any more, without a round to say so."""
    async with Sidecar(world.settings("local"), clock=world.clock) as sidecar:
        await world.rounds(sidecar)
        world.clock.now += STALE_SECONDS + 1
        actions = sidecar.fold()
        assert word(sidecar) == "inconclusive"
        assert {finding.reason for finding in sidecar.verdict.findings} == {"stale"}
        assert {action.kind for action in actions} == {"opened"}


# -- what is watched -----------------------------------------------------------------------------


async def test_apply_with_a_node_more_asks_it_and_keeps_the_others(world: World) -> None:
    """What did not change keeps its endpoint, its histories, its budget and its level's age."""
    async with Sidecar(world.settings("one"), clock=world.clock) as sidecar:
        await world.rounds(sidecar, 3)
        watch = sidecar.watches["dev"]
        since = {finding.key: finding.since for finding in sidecar.verdict.findings}
        sidecar.apply(world.settings("one", "two"))
        after = sidecar.watches["dev"]
        assert after.references == watch.references
        assert after.nodes[0] is watch.nodes[0]
        assert (after.trail, after.rounds_total) == (watch.trail, watch.rounds_total)
        await world.rounds(sidecar)
        assert word(sidecar) == "pass"
        now = {finding.key: finding.since for finding in sidecar.verdict.findings}
        assert {key: now[key] for key in since} == since
        assert now["head", "node:two"] == world.clock.now


async def test_apply_without_a_node_forgets_its_findings(world: World) -> None:
    """Nobody is told of a node that is not watched any more."""
    async with Sidecar(world.settings("one", "two"), clock=world.clock) as sidecar:
        await world.nodes[1].port.unplug()
        await world.rounds(sidecar, 3)
        assert ("head", "node:two") in levels(sidecar)
        sidecar.apply(world.settings("one"))
        assert ("head", "node:two") not in sidecar.memory
        world.nodes[1].forget()
        await world.rounds(sidecar, 2)
        assert {key for key in levels(sidecar) if key[1] == "node:two"} == set()
        assert word(sidecar) == "pass"
        assert world.nodes[1].requests == []


async def test_apply_with_a_node_renamed_begins_it_anew(world: World) -> None:
    """A name is a subject: the old one is forgotten and the new one has no past."""
    async with Sidecar(world.settings("one"), clock=world.clock) as sidecar:
        await world.rounds(sidecar, 3)
        sidecar.apply(world.settings("uno"))
        assert sidecar.watches["dev"].nodes[0].heads == []
        await world.rounds(sidecar)
        subjects = {key[1] for key in levels(sidecar)}
        assert "node:uno" in subjects
        assert "node:one" not in subjects


async def test_apply_with_another_url_begins_the_node_anew(world: World) -> None:
    """The same name at another address is another node; its findings keep their key."""
    async with Sidecar(world.settings("one"), clock=world.clock) as sidecar:
        await world.rounds(sidecar, 2, is_patient=True)
        moved = settings_of({"dev": world.network}, node_of("one", world.nodes[2]))
        sidecar.apply(moved)
        world.nodes[0].forget()
        await world.rounds(sidecar)
        assert world.nodes[0].requests == []
        assert world.nodes[2].requests
        assert word(sidecar) == "pass"


async def test_apply_without_a_reference_forgets_it(world: World) -> None:
    """Its vote, its finding and its calls are gone."""
    async with Sidecar(world.settings("one"), clock=world.clock) as sidecar:
        await world.rounds(sidecar)
        fewer = {name: one for name, one in world.references.items() if name != "c"}
        sidecar.apply(settings_of({"dev": network_of(fewer)}, node_of("one", world.nodes[0])))
        await world.rounds(sidecar)
        assert ("references", "reference:dev/c") not in levels(sidecar)
        watch = sidecar.watches["dev"]
        assert watch.round is not None
        assert watch.round.operators == 2


async def test_apply_without_a_check_forgets_its_findings(world: World) -> None:
    """What is switched off neither grows stale nor is shown; the rest keeps its level."""
    world.nodes[0].answers["net_peerCount"] = "0x0"
    settings = world.settings("one")
    async with Sidecar(settings, clock=world.clock) as sidecar:
        await world.rounds(sidecar, 5, is_patient=True)
        assert levels(sidecar)["peers", "node:one"] == Level.DEGRADED
        assert ("peers", "node:one") in {edge.key for edge in sidecar.snapshot().edges}
        off = settings.model_copy(update={"checks": {"peers": CheckSettings(enabled=False)}})
        sidecar.apply(off)
        assert ("peers", "node:one") not in sidecar.memory
        assert ("head", "node:one") in sidecar.memory
        assert sidecar.snapshot().edges == ()
        asked = world.nodes[0].methods.count("net_peerCount")
        await world.rounds(sidecar, 20, is_patient=True)
        assert world.nodes[0].methods.count("net_peerCount") == asked
        assert set(levels(sidecar).values()) == {Level.OK}


@pytest.mark.parametrize(
    ("check", "needs", "url"),
    [
        ("subscription", "websocket", "ws://127.0.0.1:1"),
        ("beacon", "beacon", "http://127.0.0.1:1"),
    ],
)
async def test_apply_without_what_a_check_needs_ends_its_finding(
    world: World, check: str, needs: str, url: str
) -> None:
    """A websocket or a beacon that is taken out of the configuration is not asked, nor stale."""
    settings = world.settings("one", "two")
    one, two = (node.model_copy(update={needs: Url(url)}) for node in settings.nodes)
    both = settings.model_copy(update={"nodes": (one, two)})
    told: list[Action] = []
    async with Sidecar(both, clock=world.clock) as sidecar:
        sidecar.listeners.append(told.extend)
        await world.rounds(sidecar, 30, is_patient=True)
        assert levels(sidecar)[check, "node:one"] > Level.OK
        assert levels(sidecar)[check, "node:two"] > Level.OK
        plain = settings.nodes[0]
        sidecar.apply(settings.model_copy(update={"nodes": (plain, two)}))
        closed = [action for action in told if action.kind == "closed"]
        assert [(action.key, action.finding.reason) for action in closed] == [
            ((check, "node:one"), "ended")
        ]
        assert (check, "node:one") not in levels(sidecar)
        await world.rounds(sidecar, 30, is_patient=True)
        assert (check, "node:one") not in levels(sidecar)
        assert levels(sidecar)[check, "node:two"] > Level.OK
        assert [action for action in told if action.kind == "closed"] == closed


async def test_apply_without_the_feeds_of_releases_ends_what_was_said_of_versions(
    world: World, tmp_path: Path
) -> None:
    """Without a feed the check is not made, as if it were switched off."""
    feed = ReleaseFeed(client="geth", feed=tmp_path / "absent.json")
    settings = world.settings("one")
    async with Sidecar(
        settings.model_copy(update={"releases": (feed,)}), clock=world.clock
    ) as sidecar:
        await world.rounds(sidecar, 3, is_patient=True)
        assert levels(sidecar)["version", "node:one"] == Level.UNKNOWN
        sidecar.apply(settings)
        assert ("version", "node:one") not in levels(sidecar)
        await world.rounds(sidecar, 30, is_patient=True)
        assert ("version", "node:one") not in levels(sidecar)


async def test_apply_without_a_network_forgets_all_of_it(world: World) -> None:
    """Its quorum too; a network without nodes is not asked at all."""
    networks = {"dev": world.network, "second": world.network}
    both = settings_of(
        networks, node_of("one", world.nodes[0]), node_of("two", world.nodes[1], "second")
    )
    async with Sidecar(both, clock=world.clock) as sidecar:
        await world.rounds(sidecar)
        sidecar.apply(settings_of(networks, node_of("one", world.nodes[0])))
        assert set(sidecar.watches) == {"dev"}
        assert {key[1] for key in sidecar.memory if "second" in key[1] or "two" in key[1]} == set()


async def test_apply_with_other_numbers_takes_them_and_keeps_what_was_spent(
    world: World,
) -> None:
    """A budget raised at noon does not make the morning's calls unspent."""
    async with Sidecar(world.settings("one"), clock=world.clock) as sidecar:
        await world.rounds(sidecar)
        budget = sidecar.watches["dev"].references[0].node.budget
        assert budget is not None
        spent = budget.spent
        assert budget.calls_a_day == DEV.calls_a_day
        changed = settings_of(
            {"dev": network_of(world.references, interval_seconds=24.0, calls_a_day=77)},
            node_of("one", world.nodes[0]),
            deadline_seconds=1.5,
        )
        sidecar.apply(changed)
        watch = sidecar.watches["dev"]
        assert watch.references[0].node.budget is budget
        assert (budget.calls_a_day, budget.spent) == (77, spent)
        assert watch.nodes[0].node.limits.deadline_seconds == 1.5
        assert watch.policy.profile.interval_seconds == 24.0
        assert watch.trail == ()


async def test_apply_while_a_round_is_under_way_lets_no_removed_subject_return(
    world: World,
) -> None:
    """The round of before ends after the change: what it found is not of this configuration."""
    async with Sidecar(world.settings("one", "two"), clock=world.clock) as sidecar:
        world.nodes[1].respond = hang = Hang()
        task = asyncio.create_task(sidecar.round(sidecar.watches["dev"]))
        await hang.holding.wait()
        sidecar.apply(world.settings("one"))
        hang.released.set()
        await task
        assert {key for key in sidecar.memory if key[1] == "node:two"} == set()
        await world.rounds(sidecar)
        assert word(sidecar) == "pass"


def test_policy_of_a_network_is_its_profile_with_the_operators_numbers(world: World) -> None:
    """The label says both."""
    rules = policy_of(world.settings("one"), "dev")
    assert rules.label == "dev/12s@1"
    assert rules.poll_seconds == POLL_SECONDS


# -- subscriptions -------------------------------------------------------------------------------


@pytest.fixture
async def sockets() -> AsyncIterator[Sockets]:
    """Websockets beside the canned nodes."""
    sockets = Sockets()
    await sockets.port.open()
    yield sockets
    await sockets.port.close()


async def until(condition: Callable[[], object]) -> None:
    """Ask until it is so."""
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while not condition():
            await asyncio.sleep(0.005)


async def test_subscription_lives_with_its_node(world: World, sockets: Sockets) -> None:
    """Opened with the websocket setting, kept while it stays, closed when it goes."""

    def with_socket(name: str, url: str) -> Settings:
        return settings_of({"dev": world.network}, node_of(name, world.nodes[0], websocket=url))

    heard: asyncio.Queue[Watch] = asyncio.Queue()
    async with Sidecar(with_socket("one", sockets.url), clock=world.clock) as sidecar:
        sidecar.on_head = heard.put_nowait
        await until(lambda: len(sockets.open) == 1)
        await sockets.announce(world.chain)
        assert await heard.get() is sidecar.watches["dev"]
        endpoint = sidecar.watches["dev"].nodes[0]
        first = endpoint.subscription
        assert endpoint.facts("dev").subscription == "live"

        sidecar.apply(with_socket("one", sockets.url))
        assert endpoint.subscription is first
        await sockets.announce(world.chain)
        assert await heard.get() is sidecar.watches["dev"]

        sidecar.apply(with_socket("one", ""))
        assert endpoint.facts("dev").subscription == "off"
        await until(lambda: not sockets.open)

        sidecar.apply(with_socket("one", sockets.url))
        await until(lambda: len(sockets.open) == 1)
        sidecar.apply(with_socket("uno", sockets.url))
        await until(lambda: len(sockets.open) == 1)
    await until(lambda: not sockets.open)


async def test_subscription_is_told_of_the_polls(world: World, sockets: Sockets) -> None:
    """A socket that names nothing while HTTP moves on is found deaf."""
    node = node_of("one", world.nodes[0], websocket=sockets.url)
    async with Sidecar(settings_of({"dev": world.network}, node), clock=world.clock) as sidecar:
        await until(lambda: len(sockets.open) == 1)
        endpoint = sidecar.watches["dev"].nodes[0]
        assert endpoint.subscription is not None
        await until(lambda: endpoint.facts("dev").subscription == "live")
        await world.rounds(sidecar, 6)
        assert endpoint.facts("dev").subscription == "deaf"
        assert "HTTP is at block" in endpoint.subscription.last_error


# -- what is shown -------------------------------------------------------------------------------


async def test_snapshot_is_ready_after_the_first_round_of_every_network(world: World) -> None:
    """Before it there is a page with nothing on it."""
    networks = {"dev": world.network, "second": world.network}
    settings = settings_of(
        networks, node_of("one", world.nodes[0]), node_of("two", world.nodes[1], "second")
    )
    async with Sidecar(settings, clock=world.clock) as sidecar:
        before = sidecar.snapshot()
        assert (before.ready, before.observations) == (False, ())
        assert [network.reference for network in before.networks] == [None, None]
        await sidecar.round(sidecar.watches["dev"])
        assert not sidecar.snapshot().ready
        await sidecar.round(sidecar.watches["second"])
        snapshot = sidecar.snapshot()
        assert snapshot.ready
        assert snapshot.at == world.clock.now
        assert snapshot.verdict is sidecar.verdict
        (first, _) = snapshot.networks
        assert (first.name, first.profile, first.rounds_total) == ("dev", "dev/12s@1", 1)
        assert first.reference is not None
        assert first.round_at == world.clock.now
        assert "".join(facts.name for facts in snapshot.endpoints) == "abconeabctwo"
        seen = {(one.node, one.check) for one in snapshot.observations}
        assert {("one", "head"), ("one", "identity"), ("one", "fork"), ("dev/a", "head")} <= seen


async def test_last_exchange_of_an_endpoint_is_shown_to_who_asks(world: World) -> None:
    """The snapshot carries none; of a node, of a reference and of a stranger it is told apart."""
    async with Sidecar(world.settings("one"), clock=world.clock) as sidecar:
        await world.rounds(sidecar)
        facts = {one.name: one for one in sidecar.snapshot().endpoints}
        assert {one.last_exchange for one in facts.values()} == {None}
        for name in ("one", "a"):
            shown = sidecar.last_exchange(facts[name])
            assert shown is not None
            assert "eth_getBlockByNumber" in shown[0]
            assert '"result"' in shown[1]
        assert sidecar.last_exchange(replace(facts["one"], name="gone")) is None
        assert sidecar.last_exchange(replace(facts["one"], network="gone")) is None


async def test_snapshot_is_not_changed_by_later_rounds(world: World) -> None:
    """A page that is being drawn is of one moment."""
    async with Sidecar(world.settings("local"), clock=world.clock) as sidecar:
        await world.rounds(sidecar)
        snapshot = sidecar.snapshot()
        kept = (snapshot.verdict, snapshot.observations, snapshot.endpoints)
        text = repr(kept)
        await world.nodes[0].port.unplug()
        await world.rounds(sidecar, 3)
        assert repr(kept) == text
        asked = {"head", "identity", "fork"}
        newest = [one for one in sidecar.snapshot().observations if one.node == "local"]
        newest = [one for one in newest if one.check in asked]
        assert newest
        assert all(isinstance(one.seen, Unseen) for one in newest)


async def test_sidecar_that_ends_leaves_no_task_behind(world: World, sockets: Sockets) -> None:
    """Hanging calls, questions beside the rounds, sockets: all end with it."""
    before = asyncio.all_tasks()
    nodes = (
        node_of("one", world.nodes[0], websocket=sockets.url),
        node_of("two", world.nodes[1]),
    )
    settings = settings_of({"dev": world.network}, *nodes, deadline_seconds=DEADLINE_SECONDS)
    world.nodes[1].respond = hang = Hang()
    async with Sidecar(settings, clock=world.clock) as sidecar:
        await until(lambda: sockets.open)
        await world.rounds(sidecar, 2)
        assert {task for task in asyncio.all_tasks() - before if is_ours(task)}
        sidecar.apply(settings_of({"dev": world.network}, nodes[0]))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(sidecar.round(sidecar.watches["dev"]), 0.001)
    await until(lambda: not {task for task in asyncio.all_tasks() - before if is_ours(task)})
    hang.released.set()


def is_ours(task: asyncio.Task[object]) -> bool:
    """Whether a task runs code of the sidecar, and not of the servers on the other side."""
    code = getattr(task.get_coro(), "cr_code", None)
    room = Path(code.co_filename).parent if code is not None else Path()
    return room.name in {"monitor", "rpc", "probes"}


def test_node_settings_are_what_the_file_would_give(world: World) -> None:
    """The canned settings are the real ones."""
    assert isinstance(world.settings("one").nodes[0], NodeSettings)
