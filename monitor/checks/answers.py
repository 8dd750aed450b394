"""The checks of what it answers at a block that all have: state, logs, how far back."""

from __future__ import annotations

from typing import Any

from monitor.checks.row import Check

ANSWERS_CHECKS: tuple[Check[Any], ...] = ()
