"""version: whether what a node runs is old, or known to be vulnerable."""

from __future__ import annotations

from typing import Any

from monitor.checks.row import Check
from monitor.judge import version
from monitor.judge.version import VersionSeen
from monitor.probes import version as version_probe

VERSION: Check[VersionSeen] = Check(
    name="version",
    title="The node's version is recent, and nothing is known against it",
    why="An old version meets the next fork unprepared, and its vulnerabilities are public.",
    remedy="Read the release's notes, and let the new version through a gate: docs/rollout.md.",
    runbook="checks.md#version",
    scopes=("node",),
    asks="version",
    methods=("web3_clientVersion",),
    probe=version_probe.probe,
    judge=version.judge,
    every_seconds=300.0,
)

RELEASE_CHECKS: tuple[Check[Any], ...] = (VERSION,)
