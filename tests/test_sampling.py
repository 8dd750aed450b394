"""What rules speak of, measured: from findings and calls of a round, and from stores."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from monitor.checks import CHECKS
from monitor.config import Account, CheckSettings, Ledger, Settings, Transactions
from monitor.judge import offers
from monitor.judge.offer import Offer
from monitor.ledger.configured import LEDGERS
from monitor.ledger.job import Outcome
from monitor.ledger.last import Last, put_last
from monitor.model import Address, Finding, Level
from monitor.policy.evaluation import MAX_AGE_SECONDS as POLICY_AGE_SECONDS
from monitor.policy.evaluation import evaluate
from monitor.policy.measures import MEASURES
from monitor.policy.rules import Options, Rule, parse
from monitor.policy.samples import Sample
from monitor.roster import rows_of
from monitor.sampling import Sampler, read_stores, subjects_of
from monitor.sidecar import Sidecar
from monitor.transactions.journal import JOURNAL_NAME, Journal
from monitor.transactions.reckoning import MAX_AGE_SECONDS
from tests.rpc.canned import (
    Canned,
    Chain,
    Clock,
    Json,
    Refusal,
    network_of,
    node_of,
    nothing_unheard,
    serving,
    settings_of,
)

NOW = 1_700_001_300.0
ADDRESS = Address("0x" + "0d" * 20)
RULES = tuple(
    parse(f"{measure.paths[0]} >= {'0s' if measure.unit == 'seconds' else '0'}")
    for measure in MEASURES
    if measure.kind != "stored"
)
ANSWERS: dict[str, Json] = {
    "eth_syncing": False,
    "net_peerCount": "0x19",
    "admin_peers": [
        {
            "name": "Geth/v1.16.2-stable/linux-amd64/go1.24.4",
            "network": {"inbound": True},
            "protocols": {"eth": {"version": 69, "latestBlock": 100}},
        }
    ],
    "txpool_status": {"pending": "0x78", "queued": "0x7"},
    "debug_getBadBlocks": [],
}
"""What the optional checks are told."""
NEED_SEVERAL = {"sync.rate_blocks_per_second"}
"""Measures that one answer does not make."""


class World:
    """Three references, a node, and a sampler of everything that a round can measure."""

    def __init__(self) -> None:
        self.chain = Chain(100)
        self.references = {name: Canned(self.chain) for name in "abc"}
        self.node = Canned(self.chain, answers=dict(ANSWERS))
        self.clock = Clock(NOW)

    def settings(self) -> Settings:
        return settings_of({"dev": network_of(self.references)}, node_of("local", self.node))

    async def rounds(self, count: int = 1) -> dict[str, list[Sample]]:
        """The node's or the quorum's samples of so many rounds, by series."""
        async with Sidecar(self.settings(), clock=self.clock) as sidecar:
            sampler = Sampler(RULES, self.settings(), self.clock())
            sidecar.on_round = lambda watch, found: sampler.rounded(watch, found, self.clock())
            for _ in range(count):
                (watch,) = sidecar.watches.values()
                await sidecar.round(watch, is_patient=True)
                self.clock.now += 1.0
        found: dict[str, list[Sample]] = {}
        for rule in RULES:
            for subject in sampler.samples.subjects[rule.measure.subjects]:
                series = sampler.samples.series(rule.series, subject.name)
                assert series is not None
                found.setdefault(rule.series, []).extend(series.samples)
        return found


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Nodes that listen; whatever a test does, nothing fails unheard."""
    world = World()
    with nothing_unheard():
        async with serving(*world.references.values(), world.node):
            yield world


def values(samples: list[Sample]) -> list[float]:
    return [sample.value for sample in samples]


ELSEWHERE = (
    *("subscription.", "beacon.", "clock.", "rpc.throttled_ratio", "rpc.slowest_p70_seconds"),
    *("finality.", "profile.", "state.", "logs.", "retention.", "upgrade.", "version."),
)
"""What takes a websocket, a consensus client, dates, more calls than one round makes, or methods
that these nodes do not have."""


async def test_round_of_a_healthy_node_measures_everything_once(world: World) -> None:
    """A sample of every measure that a round can bring, each of that round."""
    found = await world.rounds()
    assert found.pop("rpc.latency_seconds")[0].value > 0
    for name in [name for name in found if name.startswith(ELSEWHERE) or name in NEED_SEVERAL]:
        assert len(found.pop(name)) <= 1
    assert {name: len(samples) for name, samples in found.items()} == dict.fromkeys(found, 1)
    assert values(found["head.lag_blocks"]) == [0.0]
    assert values(found["head.unseen_ratio"]) == [0.0]
    assert values(found["identity.mismatch_ratio"]) == [0.0]
    assert values(found["fork.depth_blocks"]) == [0.0]
    assert values(found["references.agreeing_operators"]) == [3.0]
    assert values(found["rpc.errors"]) == [0.0]
    (ratio,) = found["rpc.error_ratio"]
    assert (ratio.value, ratio.whole) == (0.0, float(len(world.node.calls)))
    assert {sample.at for samples in found.values() for sample in samples} == {NOW}


async def test_answer_of_an_optional_check_is_one_sample_however_often_it_is_judged(
    world: World,
) -> None:
    """A rule that wants five samples wants five answers."""
    assert values((await world.rounds(5))["peers.connected_count"]) == [25.0]


async def test_answer_that_was_not_seen_is_no_sample(world: World) -> None:
    """A node that refuses has no number of peers, and one without the method neither."""
    for said in (Refusal("not now", -32000), Refusal("the method does not exist", -32601)):
        world.node.answers["net_peerCount"] = said
        assert (await world.rounds(2))["peers.connected_count"] == []


async def test_finding_of_an_optional_check_is_a_sample_of_its_answer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the observation has no number the finding has it: once for each answer."""
    offer: Offer[object] = Offer("peers.connected_count", "peers", "Measured by the judge")
    monkeypatch.setitem(cast("dict[str, object]", offers.BY_CHECK), "peers", (offer,))
    assert values((await world.rounds(5))["peers.connected_count"]) == [25.0]
    world.node.answers["net_peerCount"] = Refusal("not now", -32000)
    assert (await world.rounds(2))["peers.connected_count"] == []


@pytest.mark.parametrize("every", [None, 20.0, 900.0])
async def test_answer_of_a_slow_check_can_be_ruled_on_until_the_next(
    world: World, every: float | None
) -> None:
    """A number of peers that is asked each minute, or as configured, is not too old in between."""
    rule = parse("peers.connected_count.min >= 3")
    settings = world.settings()
    if every is not None:
        settings = settings.model_copy(
            update={"checks": {"peers": CheckSettings(every_seconds=every)}}
        )
    pace = {row.name: row for row in rows_of(CHECKS, settings.checks)}["peers"].every_seconds
    async with Sidecar(settings, clock=world.clock) as sidecar:
        sampler = Sampler([rule], settings, world.clock())
        sidecar.on_round = lambda watch, found: sampler.rounded(watch, found, world.clock())
        await sidecar.round(sidecar.watches["dev"], is_patient=True)
    oldest = max(POLICY_AGE_SECONDS, 2 * pace)
    assert evaluate(rule, sampler.samples, world.clock() + oldest).reason == "held"
    assert evaluate(rule, sampler.samples, world.clock() + oldest + 1).reason == "too_old"


async def test_round_counts_calls_of_that_round_alone(world: World) -> None:
    """What was counted before is not counted again, and no latency is told twice."""
    found = await world.rounds(3)
    assert sum(sample.whole for sample in found["rpc.error_ratio"]) == len(world.node.calls)
    assert {sample.at for sample in found["rpc.latency_seconds"]} == {NOW, NOW + 1, NOW + 2}


async def test_round_of_a_node_that_lags_measures_its_lag(world: World) -> None:
    """The number is that of the finding, from the first reading on: a rule wants no second."""
    world.node.chain = Chain(world.chain.head - 7)
    assert values((await world.rounds())["head.lag_blocks"]) == [7.0]


async def test_round_of_a_node_of_another_chain_is_a_mismatch(world: World) -> None:
    """One of one round."""
    world.node.chain_id = "0x86"
    assert values((await world.rounds())["identity.mismatch_ratio"]) == [1.0]


async def test_round_of_a_node_that_is_not_there_measures_that_alone(world: World) -> None:
    """Unseen is no lag of zero: only that it was not seen is known, and that calls failed."""
    await world.node.port.unplug()
    found = await world.rounds()
    assert values(found["head.unseen_ratio"]) == [1.0]
    for name in ("head.lag_blocks", "stall.missed_blocks", "fork.depth_blocks"):
        assert found[name] == []
    assert found["identity.mismatch_ratio"] == []
    (ratio,) = found["rpc.error_ratio"]
    assert ratio.value == ratio.whole > 0
    assert values(found["rpc.errors"]) == [ratio.value]


async def test_round_with_calls_that_are_not_supported_counts_no_error(world: World) -> None:
    """That there is no finality, or no such method, is an answer and no failure."""
    for said in ("finalized block not found", "unknown block"):
        world.node.finalized = Refusal(said, -32000)
        assert values((await world.rounds())["rpc.errors"]) == [0.0]
    world.node.finalized = Refusal("internal error", -32000)
    # The finality check asks for it as well.
    assert values((await world.rounds())["rpc.errors"]) == [2.0]


async def test_round_without_a_majority_measures_no_agreement(world: World) -> None:
    """Two of three that are silent leave nobody to agree."""
    for name in "ab":
        await world.references[name].port.unplug()
    found = await world.rounds()
    assert found["references.agreeing_operators"] == found["stall.quiet_seconds"] == []
    assert found["head.lag_blocks"] == []


async def test_sampler_of_an_endpoint_that_was_made_anew_counts_from_its_beginning(
    world: World,
) -> None:
    """The calls of another are not those of the one before, however many they are."""
    rule = parse("rpc.error_ratio < 1%")
    settings = world.settings()
    sampler = Sampler([rule], settings, NOW)
    for _ in range(2):
        async with Sidecar(settings, clock=world.clock) as sidecar:
            (watch,) = sidecar.watches.values()
            await watch.ask()
            sampler.rounded(watch, (), NOW)
    series = sampler.samples.series(rule.series, "node:local")
    assert series is not None
    assert [sample.whole > 0 for sample in series.samples] == [True, True]


async def test_sampler_leaves_single_references_to_the_checks(world: World) -> None:
    """What is said of one reference is not the quorum's."""
    rule = parse("references.agreeing_operators.min >= 2")
    sampler = Sampler([rule], world.settings(), NOW)
    async with Sidecar(world.settings(), clock=world.clock) as sidecar:
        (watch,) = sidecar.watches.values()
        finding = Finding(
            "references", "reference:dev/a", "dev", Level.OK, "agrees", "", measured=1.0
        )
        sampler.rounded(watch, (finding,), NOW)
    series = sampler.samples.series(rule.series, "reference:dev/quorum")
    assert series is not None
    assert not series.samples


async def test_sampler_without_rules_keeps_nothing(world: World) -> None:
    """A sidecar without gates pays nothing for them."""
    sampler = Sampler((), world.settings(), NOW)
    async with Sidecar(world.settings(), clock=world.clock) as sidecar:
        (watch,) = sidecar.watches.values()
        await watch.ask()
        sampler.rounded(watch, (), NOW)
    assert all(sampler.samples.series(rule.series, "node:local") is None for rule in RULES)


# Stores -----------------------------------------------------------------------------------------


def kept_settings(world: World) -> Settings:
    account = Account(alias="scheduler", address=ADDRESS, network="dev", node="local")
    ledger = Ledger(name="drop", network="dev", node="local", address=ADDRESS)
    more = {"transactions": Transactions(accounts=(account,)), "ledgers": (ledger,)}
    return world.settings().model_copy(update=more)


def stored(
    settings: Settings, directory: Path, *rules: Rule
) -> dict[str, tuple[float | None, str, str]]:
    """Series -> its value, its subject, and why there is none."""
    found = read_stores(rules, settings, directory, NOW)
    return {
        one.series: (one.sample.value if one.sample else None, one.subject, one.why_none)
        for one in found
    }


def test_subjects_are_what_is_configured(world: World) -> None:
    """Nodes, the references of each network, each network's journal, and ledgers."""
    found = {
        k: [(s.name, s.network) for s in v] for k, v in subjects_of(kept_settings(world)).items()
    }
    assert found == {
        "node": [("node:local", "dev")],
        "quorum": [("reference:dev/quorum", "dev")],
        "journal": [("network:dev", "dev")],
        "ledger": [("ledger:drop", "dev")],
    }


@pytest.mark.parametrize(
    ("age", "expected"), [(None, "never"), (MAX_AGE_SECONDS + 1, "61 s ago"), (0.0, "")]
)
async def test_journal_that_nobody_keeps_up_says_nothing(
    world: World, tmp_path: Path, age: float | None, expected: str
) -> None:
    """Only as good as it is fresh: an old journal knows of nothing that was lost since."""
    journal = Journal(tmp_path / JOURNAL_NAME, clock=lambda: NOW)
    await journal.open()
    try:
        if age is not None:
            await journal.beat("dev", 7, NOW - age)
        found = stored(
            kept_settings(world),
            tmp_path,
            parse("transactions.lost.count == 0"),
            parse("transactions.oldest_waiting_seconds.max < 60s"),
            parse("transactions.inclusion_seconds.p99 < 36s"),
            parse("head.lag_blocks.max < 3"),
        )
    finally:
        await journal.close()
    lost, oldest, inclusion = found.values()
    assert lost[1] == "network:dev"
    if expected:
        assert {lost[0], oldest[0], inclusion[0]} == {None}
        assert lost[2] == f"the journal was last written {expected}: is the sidecar running?"
    else:
        assert (lost[0], oldest[0]) == (0.0, 0.0)
        assert (inclusion[0], inclusion[2]) == (None, "there was none within the last day")


async def test_rule_with_an_age_of_its_own_takes_an_older_journal(
    world: World, tmp_path: Path
) -> None:
    """What it holds is as old as its last beat, and the rule decides whether that will do."""
    journal = Journal(tmp_path / JOURNAL_NAME, clock=lambda: NOW)
    await journal.open()
    try:
        await journal.beat("dev", 7, NOW - 300)
        rule = parse("transactions.lost.count == 0", Options(max_age_seconds=600.0))
        (found,) = read_stores([rule], kept_settings(world), tmp_path, NOW)
    finally:
        await journal.close()
    assert found.sample == Sample(NOW - 300, 0.0)


def test_ledger_is_as_old_as_its_last_comparison(world: World, tmp_path: Path) -> None:
    """And may be older than usual where a rule says so."""
    put_last(tmp_path / LEDGERS / "drop", Last(NOW - 7200, ADDRESS, Outcome("pass")))
    plain = parse("ledger.differences.count == 0")
    patient = parse("ledger.differences.count == 0", Options(max_age_seconds=10_000.0))
    settings = kept_settings(world)
    (usual,) = read_stores([plain], settings, tmp_path, NOW)
    (found,) = read_stores([patient], settings, tmp_path, NOW)
    assert usual.sample is None
    assert found.sample == Sample(NOW - 7200, 0.0)


def test_journal_that_cannot_be_read_says_so(world: World, tmp_path: Path) -> None:
    """No file is no empty journal."""
    found = stored(kept_settings(world), tmp_path, parse("transactions.lost.count == 0"))
    value, _, why = found["transactions.lost.count"]
    assert value is None
    assert why.startswith("the journal could not be read: ")


@pytest.mark.parametrize(
    ("outcome", "value"),
    [
        (Outcome("pass"), 0.0),
        (Outcome("fail", differences_count=2, differences_by_kind={"stake": 2}), 2.0),
        (None, None),
    ],
)
def test_ledger_tells_its_differences_or_why_not(
    world: World, tmp_path: Path, outcome: Outcome | None, value: float | None
) -> None:
    """As it was last reconciled, where it was."""
    if outcome is not None:
        put_last(tmp_path / LEDGERS / "drop", Last(NOW - 10, ADDRESS, outcome))
    found = stored(kept_settings(world), tmp_path, parse("ledger.differences.count == 0"))
    told, subject, why = found["ledger.differences.count"]
    assert (told, subject) == (value, "ledger:drop")
    assert ("last reconciled never" in why) == (outcome is None)


def test_stores_that_no_rule_speaks_of_are_not_read(world: World, tmp_path: Path) -> None:
    """Nor those that there are not."""
    settings = kept_settings(world)
    assert stored(settings, tmp_path, parse("head.lag_blocks.max < 3")) == {}
    rules = (parse("ledger.differences.count == 0"), parse("transactions.lost.count == 0"))
    assert stored(world.settings(), tmp_path, *rules) == {}
