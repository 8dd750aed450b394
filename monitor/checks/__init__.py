"""The table of checks: one named, type-checked row each. A row without documentation cannot be.

`row` says what a row is; the rows lie with their kind: `required`, and of those that a verdict can
do without `chain`, `client`, `answers`, `transport`, `beacon` and `releases`.
"""

from __future__ import annotations

from typing import Any

from monitor.checks.answers import ANSWERS_CHECKS
from monitor.checks.beacon import BEACON_CHECKS
from monitor.checks.chain import CHAIN_CHECKS
from monitor.checks.client import CLIENT_CHECKS
from monitor.checks.releases import RELEASE_CHECKS
from monitor.checks.required import FORK, HEAD, IDENTITY, REFERENCES, REQUIRED_CHECKS, STALL
from monitor.checks.row import Check, Need, Scope
from monitor.checks.transport import TRANSPORT_CHECKS

__all__ = [
    "CHECKS",
    "FORK",
    "HEAD",
    "IDENTITY",
    "REFERENCES",
    "REQUIRED_CHECKS",
    "STALL",
    "Check",
    "Need",
    "Scope",
]

CHECKS: tuple[Check[Any], ...] = (
    *REQUIRED_CHECKS,
    *CHAIN_CHECKS,
    *CLIENT_CHECKS,
    *ANSWERS_CHECKS,
    *TRANSPORT_CHECKS,
    *BEACON_CHECKS,
    *RELEASE_CHECKS,
)
