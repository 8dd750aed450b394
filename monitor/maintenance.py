"""Maintenance windows: times in which people are not told. What is measured is as ever. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn, Protocol

from monitor.crontab import around, cron_problem

__all__ = ("Request", "Window", "cron_problem", "is_silenced", "one_off", "windows_of")

DAY_SECONDS = 86_400
DURATION_SECONDS_MIN = 60
DURATION_SECONDS_MAX = 7 * DAY_SECONDS
AHEAD_SECONDS_MAX = 366 * DAY_SECONDS
LATE_SECONDS_MAX = 60
"""A one-off may begin so long ago: clocks of two machines differ, and requests travel."""
REASON_CHARACTERS_MAX = 200
ACTOR_CHARACTERS_MAX = 63
SHOWN_CHARACTERS_MAX = 60

CONFIGURATION = "configuration"
"""Who acted, where a window was written into the configuration."""


@dataclass(frozen=True, slots=True)
class Window:
    """One stretch of time in which nobody is told of what it covers."""

    id: str
    """The configured name, or of a one-off `w1`, `w2`, …; a name has one or two occurrences."""
    starts_at: float
    ends_at: float
    """The first moment after it."""
    networks: tuple[str, ...]
    nodes: tuple[str, ...]
    """Neither networks nor nodes: everything. Both: these nodes, as far as of these networks."""
    reason: str
    actor: str
    """Who asked for it; `configuration` where it was configured."""
    ended_by: str = ""
    """Who ended a one-off before its time."""

    def is_active(self, now: float) -> bool:
        return self.starts_at <= now < self.ends_at

    def covers(self, network: str, subject: str) -> bool:
        """Whether it is meant for this subject of a finding.

        A window of nodes covers nothing but them; one of networks covers their references too.
        """
        if self.networks and network not in self.networks:
            return False
        kind, _, name = subject.partition(":")
        return not self.nodes or (kind == "node" and name in self.nodes)


class Recurring(Protocol):
    """What the configuration says of a window that comes again."""

    @property
    def name(self) -> str: ...
    @property
    def cron(self) -> str: ...
    @property
    def duration_seconds(self) -> float: ...
    @property
    def timezone(self) -> str: ...
    @property
    def networks(self) -> tuple[str, ...]: ...
    @property
    def nodes(self) -> tuple[str, ...]: ...
    @property
    def reason(self) -> str: ...


def is_silenced(windows: Sequence[Window], network: str, subject: str, now: float) -> bool:
    """Whether nobody is told of this subject now."""
    return any(window.is_active(now) and window.covers(network, subject) for window in windows)


def windows_of(
    configured: Sequence[Recurring], one_offs: Sequence[Window], now: float
) -> tuple[Window, ...]:
    """Those active now, the one that ends first before others; then the planned, soonest first.

    Of a configured window that is its newest occurrence, if it still lasts, and its next; when
    occurrences overlap, the newest tells how long it lasts. One-offs that are over or were ended
    are left out.
    """
    found = [window for window in one_offs if window.ends_at > now and not window.ended_by]
    for each in configured:
        found.extend(
            _occurrence(each, starts_at)
            for starts_at in around(each.cron, each.timezone, now)
            if starts_at is not None and starts_at + each.duration_seconds > now
        )
    active = sorted((w for w in found if w.is_active(now)), key=lambda w: (w.ends_at, w.id))
    planned = sorted((w for w in found if w.starts_at > now), key=lambda w: (w.starts_at, w.id))
    return (*active, *planned)


def _occurrence(each: Recurring, starts_at: float) -> Window:
    return Window(
        id=each.name,
        starts_at=starts_at,
        ends_at=starts_at + each.duration_seconds,
        networks=each.networks,
        nodes=each.nodes,
        reason=each.reason,
        actor=CONFIGURATION,
    )


# -- one-offs ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Request:
    """A one-off window that somebody asks for, found to be in order."""

    starts_at: float
    ends_at: float
    networks: tuple[str, ...]
    nodes: tuple[str, ...]
    reason: str
    actor: str


FIELDS = ("starts_at", "ends_at", "duration_seconds", "networks", "nodes", "reason", "actor")


def one_off(
    document: object, *, now: float, networks: Collection[str], nodes: Collection[str]
) -> Request:
    """The window that a JSON document asks for.

    `starts_at` (default: now) and `ends_at` are seconds since the epoch or RFC 3339 with an
    offset; `duration_seconds` stands instead of `ends_at`; `networks` and `nodes` are lists of
    configured names (default, both: everything); `reason` and `actor` are one line each.
    Raises ValueError with one line: the field, what was found and what was expected.
    """
    if not isinstance(document, dict):
        _refuse("the window", document, "an object")
    for name in document:
        if name not in FIELDS:
            _refuse("a field", name, f"one of {', '.join(FIELDS)}")
    starts_at = _time(document, "starts_at", now)
    if starts_at < now - LATE_SECONDS_MAX:
        _refuse("starts_at", document["starts_at"], "now or a later time")
    if starts_at > now + AHEAD_SECONDS_MAX:
        _refuse("starts_at", document["starts_at"], "a time within a year")
    return Request(
        starts_at=starts_at,
        ends_at=starts_at + _duration(document, starts_at),
        networks=_known(document, "networks", networks),
        nodes=_known(document, "nodes", nodes),
        reason=_line(document, "reason", REASON_CHARACTERS_MAX),
        actor=_line(document, "actor", ACTOR_CHARACTERS_MAX),
    )


def _refuse(field: str, found: object, expected: str) -> NoReturn:
    shown = repr(found)
    if len(shown) > SHOWN_CHARACTERS_MAX:
        shown = shown[: SHOWN_CHARACTERS_MAX - 1] + "…"
    message = f"{field}: found {shown}, expected {expected}"
    raise ValueError(message)


def _seconds(value: object) -> float | None:
    """A finite number; JSON as Python reads it knows NaN and numbers beyond every float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        seconds = float(value)
    except OverflowError:
        return None
    return seconds if math.isfinite(seconds) else None


def _time(document: Mapping[str, object], field: str, default: float) -> float:
    from datetime import datetime

    value = document.get(field)
    if value is None:
        return default
    seconds = _seconds(value)
    if seconds is not None:
        return seconds
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        if moment is not None and moment.tzinfo is not None:
            return moment.timestamp()
    except (ValueError, OverflowError):
        moment = None
    _refuse(field, value, "seconds since the epoch, or a time such as 2026-01-31T23:00:00Z")


def _duration(document: Mapping[str, object], starts_at: float) -> float:
    field = "ends_at" if document.get("ends_at") is not None else "duration_seconds"
    value = document.get(field)
    if field == "ends_at":
        if document.get("duration_seconds") is not None:
            _refuse("duration_seconds", document["duration_seconds"], "it or ends_at, not both")
        seconds: float | None = _time(document, "ends_at", starts_at) - starts_at
    else:
        seconds = _seconds(value)
    if seconds is None or not DURATION_SECONDS_MIN <= seconds <= DURATION_SECONDS_MAX:
        least, most = DURATION_SECONDS_MIN, DURATION_SECONDS_MAX
        after = " after its start" if field == "ends_at" else ""
        _refuse(field, value, f"{least} to {most} seconds{after}")
    return seconds


def _known(document: Mapping[str, object], field: str, known: Collection[str]) -> tuple[str, ...]:
    value = document.get(field)
    if value is None:
        return ()
    if not isinstance(value, list):
        _refuse(field, value, "a list of names")
    for name in value:
        if not isinstance(name, str) or name not in known:
            _refuse(field, name, f"one of {', '.join(sorted(known)) or 'none: none is configured'}")
    return tuple(dict.fromkeys(value))


def _line(document: Mapping[str, object], field: str, most: int) -> str:
    value = document.get(field)
    text = value.strip() if isinstance(value, str) else ""
    if not 1 <= len(text) <= most or not text.isprintable():
        _refuse(field, value, f"one line of 1 to {most} printable characters")
    return text
