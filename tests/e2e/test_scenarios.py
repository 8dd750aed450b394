"""Every row of the scenario table: real nodes, the real loop, the real gate command."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.judge.verdict import Memory
from monitor.lab.commands import line, listing
from monitor.lab.events import Event
from monitor.lab.network import LabNetwork
from monitor.lab.scenarios import SCENARIOS, Scenario
from monitor.lab.timeline import (
    INTERVAL_SECONDS,
    Report,
    is_healthy,
    lab_settings,
    run_scenario,
    watched,
)
from monitor.model import Level

HEALTHY_BLOCKS = 200


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
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
            assert [line(event) for event in told if event.level is not None] == []
            assert is_healthy(view.sidecar.memory)
            assert watch.rounds_total >= HEALTHY_BLOCKS
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


def test_listing_names_every_scenario_with_its_findings_and_exit() -> None:
    """`headwatch lab list` shows the table as it is."""
    text = listing(as_json=False)
    for scenario in SCENARIOS:
        assert scenario.name in text
        assert f"gate exits {scenario.exit_code}" in text


def test_memory_without_findings_is_not_healthy() -> None:
    """Nothing judged is not the same as everything well."""
    empty: Memory = {}
    assert not is_healthy(empty)
