"""Every row of the scenario table: real nodes, the real loop, the real gate command."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from monitor.checks import CHECKS
from monitor.config import Settings
from monitor.judge.verdict import Memory
from monitor.lab.commands import line, listing
from monitor.lab.events import Event
from monitor.lab.network import LabNetwork
from monitor.lab.report import Report
from monitor.lab.scenarios import BY_NAME, LOCAL_SUBJECT, NETWORK, SCENARIOS, Scenario
from monitor.lab.scenarios.reorgs import DEPTHS
from monitor.lab.timeline import (
    INTERVAL_SECONDS,
    is_healthy,
    lab_settings,
    run_scenario,
    watched,
)
from monitor.model import Level

HEALTHY_BLOCKS = 200


WIDE = {
    *("garbage", "liar-behind", "liar-hash", "reference-down", "reference-throttled", "hanging"),
    *("slowloris", "truncated", "websocket-duplicates", "websocket-out-of-order", "own-clock"),
    *("process-stopped", "tags-unordered", "finality-backwards", "indexing-at-the-tip"),
    *("syncing-far-behind", "receipts-missing-log", "network-quiet", "unreachable"),
    *("batch-partial", "websocket-gaps", "finality-stalled", "wrong-state", "restart"),
    *("provider-limits", "lost-transactions", "slow", "chain-finality-stalled"),
    *(f"chain-reorg-{depth}" for depth in DEPTHS if depth != 2),
}
"""Cousins of other rows: tried as well, where there is time for all of them."""
ROWS = [
    pytest.param(row, id=row.name, marks=[pytest.mark.wide] if row.name in WIDE else [])
    for row in SCENARIOS
]


@pytest.mark.parametrize("scenario", ROWS)
async def test_scenario_on_real_nodes_opens_and_closes_exactly_its_findings(
    scenario: Scenario, anvil_path: Path
) -> None:
    """Exactly the row's findings open and close, and the gate exits as the row says.

    Findings that name an expected one in `because` belong to it. Detection takes at most two
    blocks of the leader beyond the profile's threshold.
    """
    del anvil_path
    report = await run_scenario(scenario)
    told = "\n".join(line(event) for event in report.events)
    assert report.problems == [], f"\n{told}"


async def test_loop_over_200_healthy_blocks_opens_nothing(anvil_path: Path) -> None:
    """A healthy network stays without a finding for 200 blocks of the dev profile."""
    del anvil_path
    told: list[Event] = []
    async with LabNetwork() as net:
        settings = lab_settings(net, INTERVAL_SECONDS)
        async with watched(net, settings, told.append) as (view, _):
            assert await view.until(is_healthy, INTERVAL_SECONDS)
            await net.wait_blocks(HEALTHY_BLOCKS)
            watch = view.sidecar.watches["dev"]
            # On a loaded machine some rounds find two new blocks at once.
            assert await view.until(
                lambda _: watch.rounds_total >= HEALTHY_BLOCKS, INTERVAL_SECONDS
            )
            assert [line(event) for event in told if event.level is not None] == []
            assert is_healthy(view.sidecar.memory)
            assert view.sidecar.verdict.word == "pass"


def test_report_of_a_scenario_that_went_otherwise_names_every_difference() -> None:
    """The check itself can fail: missing, unexpected, unclosed and a wrong exit are each told."""
    scenario = SCENARIOS[0]
    (expected, level) = next(iter(scenario.findings))
    stranger = ("fork", "node:local")
    report = Report(scenario, gate_exit=0, still_open=frozenset({expected}))
    report.worst = {stranger: Level.FAILED}
    report.detection_limit, report.detected_blocks = 4, 7
    text = "; ".join(report.problems)
    assert f"expected {level.word}, it did not open" in text
    assert "fork node:local: opened failed, not expected" in text
    assert "did not close" in text
    assert "gate: expected exit 1, found 0" in text
    assert "detected after 7 blocks, at most 6 are allowed" in text


def test_report_of_a_finding_that_names_an_expected_one_is_as_expected() -> None:
    """What an expected finding explains is part of it; what another explains is not."""
    scenario = next(s for s in SCENARIOS if s.name == "stall")
    cause, level = next(iter(scenario.findings))
    report = Report(scenario, gate_exit=1)
    report.worst = {cause: level, ("head", "node:local"): Level.FAILED}
    assert report.problems == ["head node:local: opened failed, not expected"]
    report.explained = {("head", "node:local"): cause}
    assert report.problems == []


def test_report_of_a_finding_that_a_row_allows_is_as_expected_up_to_its_level() -> None:
    """What may be out of sight may be that, and nothing worse."""
    scenario = BY_NAME["restart"]
    fork = ("fork", "node:local")
    assert (fork, Level.UNKNOWN) in scenario.also
    report = Report(scenario, gate_exit=0)
    report.worst = {fork: Level.UNKNOWN}
    assert report.problems == []
    report.worst = {fork: Level.DEGRADED}
    assert report.problems == ["fork node:local: opened degraded, not expected"]


def test_report_of_a_finding_that_an_allowed_one_explains_is_as_expected_up_to_its_level() -> None:
    """What a row only allows explains nothing that is worse than that."""
    fork, head = ("fork", "node:local"), ("head", "node:local")
    row = replace(BY_NAME["chain-reorg-1"], also=frozenset({(fork, Level.DEGRADED)}))
    report = Report(row, worst={head: Level.DEGRADED}, explained={head: fork}, gate_exit=0)
    assert report.problems == []
    report.worst = {head: Level.FAILED}
    assert report.problems == ["head node:local: opened failed, not expected"]


@pytest.mark.parametrize("depth", DEPTHS)
def test_report_of_a_chain_reorg_accepts_no_failure_of_the_node_that_went_along(depth: int) -> None:
    """Nobody is at fault for what the chain took back: what fails of the node is a problem."""
    row = BY_NAME[f"chain-reorg-{depth}"]
    told = dict(row.findings)
    assert Report(row, worst=told, gate_exit=0).problems == []
    for check in (one.name for one in CHECKS if "node" in one.scopes):
        report = Report(row, worst={**told, (check, LOCAL_SUBJECT): Level.FAILED}, gate_exit=0)
        assert report.problems == [f"{check} node:local: opened failed, not expected"]


def test_report_of_a_fault_that_met_no_call_says_so() -> None:
    """A row that finds nothing must at least have done something."""
    report = Report(BY_NAME["batch-partial"], gate_exit=0)
    assert report.problems == []
    report.idle = ("local",)
    assert report.problems == ["the fault of local never struck"]


def test_report_of_a_gate_that_fails_after_the_healing_says_so() -> None:
    """Where a row names the gate's exit after the healing, that counts too."""
    scenario = next(s for s in SCENARIOS if s.name == "late-joiner")
    ((key, level),) = scenario.findings
    report = Report(scenario, worst={key: level}, gate_exit=1, healed_exit=0)
    assert report.problems == []
    report.healed_exit = 3
    assert report.problems == ["gate: expected exit 0 after the healing, found 3"]


async def test_scenario_with_settings_of_its_own_is_watched_and_gated_with_them(
    anvil_path: Path,
) -> None:
    """What a row configures holds for the loop and for the gate.

    With one reference instead of three, who is behind is doubtful: no failure for either of them.
    """
    del anvil_path

    def with_one_reference(settings: Settings) -> Settings:
        network = settings.networks[NETWORK]
        alone = network.model_copy(update={"references": network.references[:1]})
        return settings.model_copy(update={"networks": {NETWORK: alone}})

    ((key, level),) = BY_NAME["lag"].findings
    assert level == Level.FAILED
    row = replace(
        BY_NAME["lag"],
        settings=with_one_reference,
        findings=frozenset({(key, Level.DEGRADED)}),
        exit_code=0,
    )
    report = await run_scenario(row)
    told = "\n".join(line(event) for event in report.events)
    assert report.problems == [], f"\n{told}"


def test_listing_names_every_scenario_with_its_findings_and_exit() -> None:
    """`headwatch lab list` shows the table as it is."""
    text = listing(as_json=False)
    for scenario in SCENARIOS:
        assert scenario.name in text
        assert f"a gate that starts then exits {scenario.exit_code}" in text
    assert "finds: nothing; a gate that starts then exits 0" in text
    assert "a gate that starts then exits 1, and 0 when it is over" in text


def test_gate_that_starts_passes_a_failure_only_where_it_needs_a_past() -> None:
    """docs/gate.md says which those are: a failed check fails the gate that has seen it."""
    failed = {
        check
        for scenario in SCENARIOS
        for (check, _), level in scenario.findings
        if level == Level.FAILED and scenario.exit_code == 0
    }
    assert failed == {"reorg", "finality"}


def test_memory_without_findings_is_not_healthy() -> None:
    """Nothing judged is not the same as everything well."""
    empty: Memory = {}
    assert not is_healthy(empty)
