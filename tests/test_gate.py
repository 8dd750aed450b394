"""The gate: health in one round, an accusation repeated, blindness looked at again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.config import Ledger, Settings
from monitor.gate import Asked, Outcome, gate, is_settled
from monitor.judge.verdict import EXIT_COUNT
from monitor.lab.network import LabNetwork
from monitor.lab.timeline import lab_settings
from monitor.model import Address, Finding, Level, Verdict
from monitor.policy.rules import Options, parse
from monitor.policy.samples import Sample, Stored
from monitor.sidecar import Sidecar
from tests.rpc.canned import (
    Canned,
    Chain,
    Hang,
    network_of,
    node_of,
    nothing_unheard,
    serving,
    settings_of,
)

INTERVAL_SECONDS = 0.2
"""Polls come every 0.1 s, the shortest there is; `dev` then calls 5 blocks a lag."""
LAG_BLOCKS = 20
LATE_SECONDS = 5.0


class World:
    """Three canned references and a node of one chain that stands still."""

    def __init__(self) -> None:
        self.chain = Chain(100)
        self.references = {name: Canned(self.chain) for name in "abc"}
        self.node = Canned(self.chain)

    def settings(self, deadline_seconds: float = 5.0) -> Settings:
        network = network_of(self.references, interval_seconds=INTERVAL_SECONDS)
        return settings_of(
            {"dev": network}, node_of("local", self.node), deadline_seconds=deadline_seconds
        )

    def lag(self) -> None:
        self.node.chain = Chain(self.chain.head - LAG_BLOCKS)

    def heal(self) -> None:
        self.node.chain = self.chain


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Nodes that listen; whatever a test does, nothing fails unheard."""
    world = World()
    with nothing_unheard():
        async with serving(*world.references.values(), world.node):
            yield world


def found(outcome: Outcome, check: str = "head", subject: str = "node:local") -> Finding:
    """One finding of the verdict."""
    (finding,) = [f for f in outcome.verdict.findings if f.key == (check, subject)]
    return finding


async def test_gate_of_a_healthy_node_passes_in_one_round(world: World) -> None:
    """Health is believed at once: a pipeline does not wait for it."""
    outcome = await gate(world.settings())
    assert (outcome.verdict.word, outcome.rounds, outcome.timed_out) == ("pass", 1, False)
    assert world.node.methods.count("eth_chainId") == 1


async def test_gate_judges_what_is_asked_beside_the_rounds(world: World) -> None:
    """It has no next round to judge it in, and so waits: few peers are a warning, seen twice."""
    world.node.answers["net_peerCount"] = "0x1"
    outcome = await gate(world.settings())
    assert outcome.verdict.word == "pass"
    assert found(outcome, "peers").level == Level.DEGRADED
    assert world.node.methods.count("net_peerCount") == 2
    strict = await gate(world.settings(), strict=True)
    assert strict.verdict.word == "fail"


async def test_gate_passes_without_what_a_node_does_not_have(world: World) -> None:
    """It is said what was skipped."""
    outcome = await gate(world.settings())
    assert ("peers", "node:local") in outcome.verdict.skipped
    assert outcome.rounds == 1


async def test_gate_of_a_real_network_passes(anvil_path: Path) -> None:
    """The same with real nodes."""
    async with LabNetwork(("a", "b", "c"), INTERVAL_SECONDS) as net:
        await net.wait_blocks(3)
        outcome = await gate(lab_settings(net, INTERVAL_SECONDS))
    assert outcome.verdict.word == "pass"


async def test_gate_of_an_unreachable_node_is_inconclusive(world: World) -> None:
    """Not seen is neither good nor bad; it is looked at again before that is said."""
    await world.node.port.unplug()
    outcome = await gate(world.settings())
    assert (outcome.verdict.word, outcome.timed_out) == ("inconclusive", False)
    assert outcome.rounds == EXIT_COUNT
    assert (found(outcome).level, found(outcome).reason) == (Level.UNKNOWN, "refused")


async def test_gate_without_references_is_inconclusive(world: World) -> None:
    """A node cannot be judged by its own word."""
    for one in world.references.values():
        await one.port.unplug()
    outcome = await gate(world.settings())
    assert outcome.verdict.word == "inconclusive"
    assert found(outcome, "references", "reference:dev/quorum").reason == "too_few"


async def test_gate_of_a_node_that_lags_fails_after_confirmation(world: World) -> None:
    """One reading accuses nobody: the verdict is given when it was repeated."""
    world.lag()
    words: list[str] = []

    def note(verdict: Verdict, seconds: float) -> None:
        words.append(verdict.word)

    outcome = await gate(world.settings(), progress=note)
    assert outcome.verdict.word == "fail"
    assert (found(outcome).level, found(outcome).measured) == (Level.FAILED, float(LAG_BLOCKS))
    assert words[0] == "inconclusive"
    assert words[-1] == "fail"
    assert len(words) == outcome.rounds >= 2


async def test_gate_of_a_node_that_lags_for_one_reading_passes(world: World) -> None:
    """A reading that is not repeated is nothing."""
    world.lag()

    def heal(verdict: Verdict, seconds: float) -> None:
        world.heal()

    outcome = await gate(world.settings(), progress=heal)
    assert outcome.verdict.word == "pass"
    assert found(outcome).level == Level.OK


async def test_gate_of_another_chain_fails(world: World) -> None:
    """The node serves another network altogether."""
    world.node.chain_id = "0x86"
    outcome = await gate(world.settings())
    assert outcome.verdict.word == "fail"
    assert found(outcome, "identity").reason == "wrong_chain"


async def test_gate_with_a_window_keeps_the_worst(world: World) -> None:
    """A node that failed and recovered within the window has failed."""
    seen: list[Level] = []

    def play(verdict: Verdict, seconds: float) -> None:
        (head,) = [f for f in verdict.findings if f.key == ("head", "node:local")]
        seen.append(head.level)
        if seen.count(Level.OK) == 3:
            world.lag()
        if Level.FAILED in seen:
            world.heal()

    outcome = await gate(world.settings(), window_seconds=3.0, progress=play)
    assert seen[0] == Level.OK
    assert seen[-1] == Level.OK
    assert outcome.verdict.word == "fail"
    assert found(outcome).level == Level.FAILED
    assert found(outcome, "identity").level == Level.OK


async def test_gate_with_a_window_lasts_as_long(world: World) -> None:
    """A healthy node is watched to the end of it, and passes."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    outcome = await gate(world.settings(), window_seconds=0.6)
    assert 0.6 <= loop.time() - began < 0.6 + LATE_SECONDS
    assert outcome.verdict.word == "pass"
    assert outcome.rounds >= 2


async def test_gate_past_its_time_says_what_is_known(world: World) -> None:
    """A node that answers nothing until the time is over: inconclusive, and said to be late."""
    world.node.respond = hang = Hang()
    loop = asyncio.get_running_loop()
    began = loop.time()
    outcome = await gate(world.settings(deadline_seconds=60.0), timeout_seconds=0.5)
    assert 0.5 <= loop.time() - began < 0.5 + LATE_SECONDS
    assert (outcome.verdict.word, outcome.timed_out) == ("inconclusive", True)
    hang.released.set()


async def test_gate_past_its_time_does_not_pass_for_what_was_not_judged(world: World) -> None:
    """Of two networks one was judged and is well: the other's nodes are UNKNOWN, not absent."""
    others = {name: Canned(world.chain) for name in "abc"}
    slow = Canned(world.chain)
    slow.respond = hang = Hang()
    async with serving(*others.values(), slow):
        settings = settings_of(
            {
                "dev": network_of(world.references, interval_seconds=INTERVAL_SECONDS),
                "second": network_of(others, interval_seconds=INTERVAL_SECONDS),
            },
            node_of("local", world.node),
            node_of("slow", slow, "second"),
            deadline_seconds=60.0,
        )
        outcome = await gate(settings, timeout_seconds=0.5)
        assert outcome.timed_out
        assert found(outcome).level == Level.OK
        assert outcome.verdict.word == "inconclusive"
        for check in ("identity", "head", "stall", "fork"):
            assert found(outcome, check, "node:slow").level == Level.UNKNOWN
            assert found(outcome, check, "node:slow").network == "second"
        hang.released.set()


async def test_gate_with_a_window_longer_than_its_time_is_timed_out(world: World) -> None:
    """The window was not watched to its end: that is said, with what was seen by then."""
    outcome = await gate(world.settings(), window_seconds=60.0, timeout_seconds=0.5)
    assert outcome.timed_out
    assert found(outcome).level == Level.OK


async def test_gate_judges_every_node(world: World) -> None:
    """One bad node of two fails the gate, and the good one is said to be good."""
    other = Canned(Chain(world.chain.head - LAG_BLOCKS))
    async with serving(other):
        network = network_of(world.references, interval_seconds=INTERVAL_SECONDS)
        settings = settings_of(
            {"dev": network}, node_of("local", world.node), node_of("other", other)
        )
        outcome = await gate(settings)
    assert outcome.verdict.word == "fail"
    assert found(outcome).level == Level.OK
    assert found(outcome, "head", "node:other").level == Level.FAILED


@pytest.mark.parametrize(("strict", "word"), [(False, "pass"), (True, "fail")])
async def test_gate_that_is_strict_fails_for_what_is_degraded(
    world: World, strict: bool, word: str
) -> None:
    """A reference that lags degrades; only a strict gate minds."""
    world.references["a"].chain = Chain(world.chain.head - LAG_BLOCKS)
    outcome = await gate(world.settings(), strict=strict)
    assert found(outcome, "references", "reference:dev/a").level == Level.DEGRADED
    assert outcome.verdict.word == word


async def test_settled_is_when_every_required_check_of_every_node_is_certain(
    world: World,
) -> None:
    """Nothing judged is not settled, one reading of a lag is not, two are."""
    async with Sidecar(world.settings()) as sidecar:
        watches = tuple(sidecar.watches.values())
        assert not is_settled(sidecar.memory, watches)
        world.lag()
        await sidecar.round(watches[0], is_patient=True)
        assert not is_settled(sidecar.memory, watches)
        await sidecar.round(watches[0], is_patient=True)
        assert is_settled(sidecar.memory, watches)


# Rules ------------------------------------------------------------------------------------------


def asked_of(*rules: tuple[str, Options] | str, stored: tuple[Stored, ...] = ()) -> Asked:
    """A gate of these rules."""
    parsed = [parse(rule) if isinstance(rule, str) else parse(*rule) for rule in rules]
    return Asked("deploy", tuple(parsed), lambda now: stored)


def ruled(outcome: Outcome) -> list[tuple[str, str]]:
    assert outcome.ruling is not None
    return [(result.word, result.reason) for result in outcome.ruling.results]


async def test_gate_with_rules_that_hold_passes_and_tells_the_values(world: World) -> None:
    """Each rule's actual value is of the rounds that the gate made."""
    asked = asked_of(
        "head.lag_blocks.max < 3",
        "rpc.error_ratio == 0%",
        "rpc.latency_seconds.p95 < 30s",
        "identity.mismatch_ratio == 0%",
        "fork.depth_blocks.max == 0",
        "references.agreeing_operators.min >= 3",
    )
    outcome = await gate(world.settings(), asked=asked)
    assert (outcome.word, outcome.rounds) == ("pass", 1)
    assert ruled(outcome) == [("pass", "held")] * 6
    assert outcome.ruling is not None
    assert [r.actual for r in outcome.ruling.results if r.rule.measure.unit != "seconds"] == [
        *(0.0, 0.0, 0.0, 0.0),
        3.0,
    ]


async def test_gate_fails_for_a_rule_where_every_check_passes(world: World) -> None:
    """A rule may be stricter than what is believed without it; its value is told."""
    world.node.chain = Chain(world.chain.head - 1)
    outcome = await gate(world.settings(), asked=asked_of("head.lag_blocks.max < 1"))
    assert (outcome.verdict.word, outcome.word) == ("pass", "fail")
    assert outcome.ruling is not None
    (result,) = outcome.ruling.results
    assert (result.actual, result.subject) == (1.0, "node:local")


@pytest.mark.parametrize(("strict", "word"), [(False, "pass"), (True, "fail")])
async def test_gate_with_a_rule_that_warns_passes_unless_strict(
    world: World, strict: bool, word: str
) -> None:
    """A warning is told, and decides nothing."""
    world.node.chain = Chain(world.chain.head - 1)
    asked = asked_of(("head.lag_blocks.max < 1", Options(severity="warn")))
    outcome = await gate(world.settings(), asked=asked, strict=strict)
    assert ruled(outcome) == [("fail", "broken")]
    assert outcome.word == word


async def test_gate_lasts_until_its_rules_have_their_samples(world: World) -> None:
    """Health is believed in one round; a rule that wants four is given four."""
    asked = asked_of(("head.lag_blocks.max < 3", Options(min_samples=4)), "rpc.errors.count == 0")
    outcome = await gate(world.settings(), asked=asked)
    assert (outcome.word, outcome.rounds) == ("pass", 4)
    assert outcome.ruling is not None
    assert outcome.ruling.results[0].samples == 4


async def test_gate_lasts_as_long_as_its_rules_look_back(world: World) -> None:
    """A rule over a time makes a window of it."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    asked = asked_of(("head.lag_blocks.p95 < 3", Options(over_seconds=0.6)))
    outcome = await gate(world.settings(), asked=asked)
    assert 0.6 <= loop.time() - began < 0.6 + LATE_SECONDS
    assert outcome.word == "pass"


async def test_gate_past_its_time_does_not_pass_for_a_rule_that_lacks_it(world: World) -> None:
    """The checks pass; what was to be watched for a minute was not."""
    asked = asked_of(("head.lag_blocks.max < 3", Options(over_seconds=60.0)))
    outcome = await gate(world.settings(), asked=asked, timeout_seconds=0.5)
    assert (outcome.verdict.word, outcome.word) == ("pass", "inconclusive")
    assert ruled(outcome) == [("inconclusive", "too_short")]
    assert outcome.timed_out


async def test_gate_ends_at_once_where_a_rule_says_so(world: World) -> None:
    """A fail that is certain is not waited for, on any network; the rest is told as it is."""
    world.node.chain_id = "0x86"
    asked = asked_of(
        ("identity.mismatch_ratio == 0%", Options(abort_on_fail=True)),
        ("head.lag_blocks.max < 3", Options(over_seconds=60.0)),
    )
    loop = asyncio.get_running_loop()
    began = loop.time()
    outcome = await gate(world.settings(), asked=asked)
    assert loop.time() - began < LATE_SECONDS
    assert outcome.ruling is not None
    assert (outcome.word, outcome.ruling.is_aborted, outcome.timed_out) == ("fail", True, False)
    assert outcome.rounds == 1
    assert ruled(outcome) == [("fail", "broken"), ("inconclusive", "too_short")]


async def test_gate_with_rules_of_a_node_that_is_not_there_is_inconclusive(world: World) -> None:
    """No sample is no pass; that its calls fail is a value, and is judged."""
    await world.node.port.unplug()
    asked = asked_of("head.lag_blocks.max < 3", "head.unseen_ratio < 1%", "rpc.error_ratio < 1%")
    outcome = await gate(world.settings(), asked=asked)
    assert ruled(outcome) == [("inconclusive", "no_data"), *[("fail", "broken")] * 2]
    assert outcome.word == "fail"
    outcome = await gate(world.settings(), asked=asked_of("head.lag_blocks.max < 3"))
    assert outcome.word == "inconclusive"


async def test_gate_asks_the_stores_at_the_end(world: World) -> None:
    """What journal and ledgers hold is judged with the rest."""
    path = "ledger.differences.count"
    ledger = Ledger(name="drop", network="dev", node="local", address=Address("0x" + "0d" * 20))
    settings = world.settings().model_copy(update={"ledgers": (ledger,)})
    wrong = asked_of(f"{path} == 0", stored=(Stored(path, "ledger:drop", Sample(0.0, 2.0)),))
    outcome = await gate(settings, asked=wrong)
    assert (outcome.word, ruled(outcome)) == ("fail", [("fail", "broken")])
    outcome = await gate(settings, asked=asked_of(f"{path} == 0"))
    assert (outcome.word, ruled(outcome)) == ("inconclusive", [("inconclusive", "no_data")])


async def test_gate_without_rules_has_no_ruling(world: World) -> None:
    """Who names no gate is told nothing of rules."""
    outcome = await gate(world.settings())
    assert outcome.ruling is None
    assert outcome.word == outcome.verdict.word
