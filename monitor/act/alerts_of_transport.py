"""The alerts of the checks of the way to it: calls, subscriptions, clocks. Pure."""

from __future__ import annotations

from monitor.act.rules import Alert

TRANSPORT_ALERTS: tuple[Alert, ...] = ()
