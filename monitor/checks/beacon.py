"""The checks of its consensus client, by the standard Beacon API."""

from __future__ import annotations

from typing import Any

from monitor.checks.row import Check

BEACON_CHECKS: tuple[Check[Any], ...] = ()
