"""The alerts of the checks of its consensus client, by the standard Beacon API. Pure."""

from __future__ import annotations

from monitor.act.rules import Alert

BEACON_ALERTS: tuple[Alert, ...] = ()
