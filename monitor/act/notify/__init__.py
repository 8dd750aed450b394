"""Telling people and machines of edges: Alertmanager, apprise, heartbeats."""

from monitor.act.notify.notifier import Notifier

__all__ = ["Notifier"]
