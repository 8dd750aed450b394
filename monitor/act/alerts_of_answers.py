"""The alerts of the checks of its answers: state, logs, how far back. Pure."""

from __future__ import annotations

from monitor.act.rules import Alert

ANSWERS_ALERTS: tuple[Alert, ...] = ()
