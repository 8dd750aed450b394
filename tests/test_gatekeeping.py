"""Gates by name: their rules, and what a running sidecar says of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.config import Gate, GateRule, Ledger, Settings
from monitor.gatekeeping import Gatekeeper, asked_of, gates_of
from monitor.ledger.configured import LEDGERS
from monitor.ledger.job import Outcome
from monitor.ledger.last import Last, put_last
from monitor.model import Address
from monitor.policy.rules import Rule
from monitor.sidecar import Sidecar, policy_of
from tests.rpc.canned import (
    Canned,
    Chain,
    Clock,
    network_of,
    node_of,
    nothing_unheard,
    serving,
    settings_of,
)

NOW = 1_700_001_300.0
ADDRESS = Address("0x" + "0d" * 20)


class World:
    """Three references, a node that answers, and settings with gates."""

    def __init__(self) -> None:
        self.chain = Chain(100)
        self.references = {name: Canned(self.chain) for name in "abc"}
        self.node = Canned(self.chain)
        self.clock = Clock(NOW)

    def settings(self, **gates: Gate) -> Settings:
        made = settings_of({"dev": network_of(self.references)}, node_of("local", self.node))
        return made.model_copy(update={"gate": gates})


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Nodes that listen; whatever a test does, nothing fails unheard."""
    world = World()
    with nothing_unheard():
        async with serving(*world.references.values(), world.node):
            yield world


def gate_of(*texts: str, **options: object) -> Gate:
    return Gate(rules=tuple(GateRule.model_validate({"rule": t, **options}) for t in texts))


def texts(rules: tuple[Rule, ...]) -> list[str]:
    return [rule.text for rule in rules]


async def rounds(sidecar: Sidecar, clock: Clock, count: int) -> None:
    for _ in range(count):
        (watch,) = sidecar.watches.values()
        await sidecar.round(watch)
        clock.now += 1.0


def test_gates_are_those_of_the_configuration(world: World) -> None:
    """A preset comes first, from the thresholds of each network; then what is written."""
    more = Gate(preset="quick", rules=(GateRule(rule="rpc.errors.count == 0", over="2m"),))
    settings = world.settings(deploy=gate_of("head.lag_blocks.max < 3"), more=more)
    found = gates_of(settings)
    assert texts(found["deploy"]) == ["head.lag_blocks.max < 3"]
    lag = policy_of(settings, "dev").lag_blocks
    assert f"head.lag_blocks.max < {lag}" in texts(found["more"])[:-1]
    assert {rule.options.network for rule in found["more"][:-1]} == {"dev"}
    assert found["more"][-1].options.over_seconds == 120.0
    assert gates_of(world.settings()) == {}


def test_asked_holds_the_rules_and_reads_the_stores(world: World, tmp_path: Path) -> None:
    """What `--gate NAME` asks for; a name that there is not is none."""
    ledger = Ledger(name="drop", network="dev", node="local", address=ADDRESS)
    settings = world.settings(deploy=gate_of("ledger.differences.count == 0"))
    settings = settings.model_copy(update={"ledgers": (ledger,)})
    put_last(tmp_path / LEDGERS / "drop", Last(NOW, ADDRESS, Outcome("pass")))
    asked = asked_of(settings, "deploy", tmp_path)
    (stored,) = asked.stored(NOW)
    assert (asked.name, stored.subject) == ("deploy", "ledger:drop")
    assert stored.sample is not None
    with pytest.raises(KeyError):
        asked_of(settings, "other", tmp_path)


async def test_gatekeeper_judges_by_what_the_sidecar_remembers(world: World) -> None:
    """Without a sample nothing passes; with them it does, and a lag of one poll is seen."""
    settings = world.settings(deploy=gate_of("head.lag_blocks.max < 3", min_samples=2))
    async with Sidecar(settings, clock=world.clock) as sidecar:
        keeper = Gatekeeper(sidecar, None)
        assert keeper.names == ("deploy",)
        words = []
        for _ in range(3):
            _, ruling = await keeper.judge("deploy")
            words.append(ruling.word)
            await rounds(sidecar, world.clock, 1)
        assert words == ["inconclusive", "inconclusive", "pass"]
        world.node.chain = Chain(world.chain.head - 9)
        await rounds(sidecar, world.clock, 1)
        _, ruling = await keeper.judge("deploy")
        assert (ruling.word, ruling.results[0].actual) == ("fail", 9.0)
        with pytest.raises(KeyError):
            await keeper.judge("other")


async def test_gatekeeper_joins_the_verdict_of_the_checks(world: World) -> None:
    """A rule that holds does not outvote a check that fails."""
    world.node.chain_id = "0x86"
    settings = world.settings(deploy=gate_of("rpc.error_ratio < 50%"))
    async with Sidecar(settings, clock=world.clock) as sidecar:
        keeper = Gatekeeper(sidecar, None)
        await rounds(sidecar, world.clock, 3)
        verdict, ruling = await keeper.judge("deploy")
    assert ruling.results[0].word == "pass"
    assert verdict.word == ruling.word == "fail"


async def test_gatekeeper_reads_the_stores_that_rules_speak_of(
    world: World, tmp_path: Path
) -> None:
    """Anew each time; where there is no directory there is nothing to read."""
    ledger = Ledger(name="drop", network="dev", node="local", address=ADDRESS)
    settings = world.settings(deploy=gate_of("ledger.differences.count == 0"))
    settings = settings.model_copy(update={"ledgers": (ledger,)})
    async with Sidecar(settings, clock=world.clock) as sidecar:
        await rounds(sidecar, world.clock, 1)
        words = []
        keeper = Gatekeeper(sidecar, tmp_path)
        for outcome in (Outcome("pass"), Outcome("fail", differences_count=1)):
            put_last(tmp_path / LEDGERS / "drop", Last(world.clock(), ADDRESS, outcome))
            words.append((await keeper.judge("deploy"))[1].word)
        blind = (await Gatekeeper(sidecar, None).judge("deploy"))[1]
    assert words == ["pass", "fail"]
    assert (blind.word, blind.results[0].reason) == ("inconclusive", "no_data")


async def test_gatekeeper_keeps_samples_over_a_reload_that_changes_no_rule(world: World) -> None:
    """Rules that changed begin anew: what they speak of was not all measured before."""
    settings = world.settings(deploy=gate_of("head.lag_blocks.max < 3"))
    other = world.settings(deploy=gate_of("head.lag_blocks.max < 2"))
    async with Sidecar(settings, clock=world.clock) as sidecar:
        keeper = Gatekeeper(sidecar, None)
        await rounds(sidecar, world.clock, 2)
        counts = []
        for made in (settings, other):
            keeper.apply(made)
            counts.append((await keeper.judge("deploy"))[1].results[0].samples)
    assert counts == [2, 0]
