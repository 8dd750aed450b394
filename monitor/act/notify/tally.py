"""What is counted and logged of one of those that are told."""

from __future__ import annotations

import logging

from monitor.act.instruments import Instruments

log = logging.getLogger("headwatch")

OUTCOMES = ("sent", "failed", "dropped")
REASONS = ("maintenance", "flapping")


class Tally:
    """The instruments of one name, and a log that speaks when something begins or ends."""

    def __init__(self, name: str, instruments: Instruments, *, holds: bool) -> None:
        """`holds`: edges may be held back from it, as from people."""
        self.name = name
        self.is_failing = False
        self._instruments = instruments
        for outcome in OUTCOMES:
            instruments.notifications.labels(channel=name, outcome=outcome)
        for reason in REASONS if holds else ():
            instruments.notifications_held.labels(channel=name, reason=reason)

    def sent(self, now: float) -> None:
        """A message was taken."""
        self._count("sent")
        self._instruments.told_at[self.name] = now
        if self.is_failing:
            log.info("%s takes messages again", self.name)
        self.is_failing = False

    def failed(self, problem: str) -> None:
        """An attempt failed; `problem` names no key. Said once, until it works again."""
        self._count("failed")
        level = logging.DEBUG if self.is_failing else logging.WARNING
        log.log(level, "%s cannot be told: %s", self.name, problem)
        self.is_failing = True

    def dropped(self, count: int, why: str) -> None:
        """So much will never be told."""
        if count:
            self._count("dropped", count)
            log.warning("%s: %d messages dropped: %s", self.name, count, why)

    def held(self, reason: str, count: int) -> None:
        """So many edges were held back."""
        self._instruments.notifications_held.labels(channel=self.name, reason=reason).inc(count)

    def queued(self, count: int) -> None:
        """So much waits."""
        self._instruments.queued[self.name] = count

    def forget(self) -> None:
        """It is no longer configured."""
        for outcome in OUTCOMES:
            self._instruments.notifications.remove(self.name, outcome)
        for reason in REASONS:
            self._instruments.notifications_held.remove(self.name, reason)
        self._instruments.queued.pop(self.name, None)
        self._instruments.told_at.pop(self.name, None)

    def _count(self, outcome: str, count: int = 1) -> None:
        self._instruments.notifications.labels(channel=self.name, outcome=outcome).inc(count)
