"""The checks of the chain: reorgs, finality, upgrades, and whether it keeps to its profile."""

from __future__ import annotations

from typing import Any

from monitor.checks.row import Check

CHAIN_CHECKS: tuple[Check[Any], ...] = ()
