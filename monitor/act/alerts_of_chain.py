"""The alerts of the checks of the chain: reorgs, finality, upgrades, its profile. Pure."""

from __future__ import annotations

from monitor.act.rules import Alert

CHAIN_ALERTS: tuple[Alert, ...] = ()
