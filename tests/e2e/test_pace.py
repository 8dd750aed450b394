"""Chains other than the development chain, rehearsed: the real loop, the real gate, real nodes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.judge.profiles import PROFILES
from monitor.lab.commands import line
from monitor.lab.pace import pace_of, speed_max
from monitor.lab.scenarios import BY_NAME
from monitor.lab.timeline import run_scenario
from tests.e2e.processes import SECONDS_MAX, headwatch


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("lag", "gnosis"),
        pytest.param("stall", "ethereum", marks=pytest.mark.wide),
        pytest.param("stall", "ethereum-2018", marks=pytest.mark.wide),
        pytest.param("lag", "bellecour", marks=pytest.mark.wide),
    ],
)
async def test_scenario_at_the_pace_of_a_chain_is_found_by_its_thresholds(
    name: str, key: str, anvil_path: Path
) -> None:
    """Slots, work and turns, as fast as goes: the same findings, and the gate says the same."""
    del anvil_path
    profile = PROFILES[key]
    report = await run_scenario(BY_NAME[name], pace=pace_of(profile, speed_max(profile)))
    told = "\n".join(line(event) for event in report.events)
    assert report.problems == [], f"\n{told}"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("scenario", "lag", "--profile", "gnosi"), "did you mean 'gnosis'? (see `headwatch p"),
        (("scenario", "lag", "--profile", ""), "no chain profile ''"),
        (("scenario", "lag", "--profile", "gnosis", "--speed", "11"), "highest for gnosis is 10"),
        (("scenario", "lag", "--speed", "4.1"), "the highest for dev is 4"),
        (("scenario", "chain-finality-stalled", "--speed", "11"), "highest for gnosis is 10"),
        (("scenario", "lag", "--speed", "0"), "a number above 0, found '0'"),
        (("scenario", "lag", "--speed", "inf"), "a number above 0, found 'inf'"),
        (("scenario", "lag", "--speed", "fast"), "a number above 0, found 'fast'"),
        (("scenario", "lag", "--seed", "x"), "invalid int value"),
        (("up", "--profile", "ethereum", "--speed", "100"), "the highest for ethereum is 24"),
        (("up", "--interval-seconds", "0"), "expected above 0"),
        (("up", "--interval-seconds", "nan"), "expected above 0"),
        (("up", "--interval-seconds", "1", "--speed", "1"), "in place of --speed"),
        (("up", "--interval-seconds", "1", "--profile", "gnosis"), "is for profile dev"),
    ],
)
def test_lab_command_that_cannot_go_is_refused_before_any_node_is_started(
    arguments: tuple[str, ...], said: str
) -> None:
    """Exit 2, with what is wrong and what would be right in the last line."""
    done = headwatch("lab", *arguments)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.wide
def test_lab_up_of_a_chain_prints_a_configuration_that_passes_its_check(
    anvil_path: Path, tmp_path: Path
) -> None:
    """The profile, the speed, and the chain that these nodes are; it ends with Ctrl-C."""
    del anvil_path
    process = subprocess.Popen(
        [sys.executable, "-m", "monitor", "lab", "up", "--profile", "gnosis", "--speed", "10"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    try:
        assert process.stdout is not None
        lines = []
        for text in process.stdout:
            lines.append(text)
            if text == "    network: dev\n":
                break
    finally:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=SECONDS_MAX)
    assert process.returncode == 130, errors
    printed = "".join(lines)
    assert "profile: gnosis" in printed
    assert "speed: 10" in printed
    assert "chain_id: 31337" in printed
    config = tmp_path / "headwatch.yaml"
    config.write_text(printed)
    checked = headwatch("config", "check", "-c", str(config))
    assert checked.returncode == 0, checked.stderr
