"""The checks of the way to it: calls, subscriptions, clocks."""

from __future__ import annotations

from typing import Any

from monitor.checks.row import Check

TRANSPORT_CHECKS: tuple[Check[Any], ...] = ()
