"""Crontab lines: what they say, and which moments that is in a zone of the tz database. Pure.

A line speaks of the time on the wall. Which moments those are is settled as RFC 5545 (3.3.5) does:
a time that is skipped when clocks go forward counts by the offset before the change, and a time
that comes twice counts once, at its first. Where the hour begins with `*` every real time counts,
each time it comes, as cron does.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from apscheduler.triggers.cron import CronTrigger

CRON_FIELDS = 5
MINUTE_SECONDS = 60
LATEST_SECONDS = 7 * 86_400
"""How far back the newest time is looked for: no window lasts longer."""
CHANGE_SECONDS = 3 * 3600
"""More than any clock is set forward or back at once; zones that skip whole days are not meant."""
EVER_SECONDS = 4_102_444_800.0
"""The year 2100: a line that has no time before it has none."""

DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
"""As cron counts them, with 7 for Sunday too; APScheduler would begin with Monday."""
ORDINALS = {"1": "1st", "2": "2nd", "3": "3rd", "4": "4th", "5": "5th", "l": "last"}
_DAY = f"(?:[0-7]|{'|'.join(DAYS)})"
_NTH = re.compile(rf"({_DAY})(?:#([1-5])|(l))")
_SPAN = re.compile(rf"(?:(\*)|({_DAY})(?:-({_DAY}))?)(?:/([1-9][0-9]?))?")


def trigger(cron: str) -> CronTrigger:
    """The wall times of a crontab line, as if they were UTC. Raises ValueError.

    Beside what crontab(5) knows, `tue#2` is the second Tuesday of a month and `friL` its last
    Friday. To give both a day of the month and a day of the week is refused: cron takes either,
    and whoever writes it mostly means both.
    """
    from apscheduler.triggers.cron import CronTrigger

    fields = cron.lower().split()
    if len(fields) != CRON_FIELDS:
        message = (
            f"expected {CRON_FIELDS} fields (minute, hour, day of month, month, day of week), "
            f"found {len(fields)}"
        )
        raise ValueError(message)
    minute, hour, day, month, weekday = fields
    if weekday != "*" and day != "*":
        message = (
            "expected '*' as day of month or as day of week, found both given; "
            "for the second Tuesday write * * tue#2 as the last three"
        )
        raise ValueError(message)
    nth = [_NTH.fullmatch(item) for item in weekday.split(",")]
    if any(nth):
        if not all(nth):
            message = f"expected days like tue#2 and no others beside them, found {weekday!r}"
            raise ValueError(message)
        day = ",".join(f"{ORDINALS[m[2] or m[3]]} {DAYS[_number(m[1])]}" for m in nth if m)
        weekday = "*"
    return CronTrigger(
        minute=minute,
        hour=hour,
        day=day,
        month=month,
        day_of_week=_named(weekday),
        timezone="UTC",
        end_date=_utc(EVER_SECONDS),
    )


def _named(weekday: str) -> str:
    """A day of week, every day by its name: lists, ranges (also over the week's end), steps."""
    if weekday == "*":
        return weekday
    chosen: set[str] = set()
    for item in weekday.split(","):
        found = _SPAN.fullmatch(item)
        if found is None:
            message = (
                "expected days of the week from 0 to 7 (0 and 7 are Sunday) or from sun to sat, "
                f"found {item!r}"
            )
            raise ValueError(message)
        every, first, last, step = found.groups()
        low = 0 if every else _number(first)
        high = 6 if every or (step and not last) else _number(last or first)
        if high < low:
            high += len(DAYS)
        chosen.update(DAYS[number % len(DAYS)] for number in range(low, high + 1, int(step or 1)))
    return ",".join(day for day in DAYS if day in chosen)


def _number(day: str) -> int:
    return int(day) if day.isdigit() else DAYS.index(day)


def cron_problem(cron: str) -> str:
    """What is wrong with a crontab line; empty where nothing is."""
    try:
        times = trigger(cron)
    except ValueError as error:
        return str(error)
    if _next_wall(times, _utc(0.0)) is None:
        return "expected a date that comes, found one that never does"
    return ""


# -- moments -------------------------------------------------------------------------------------


def around(cron: str, timezone: str, now: float) -> tuple[float | None, float | None]:
    """The newest time until `now`, of the last week, and the first after it; None: there is none.

    Raises ValueError where the line is wrong; an unknown zone raises KeyError.
    """
    moments = _moments(cron, timezone, int(now // MINUTE_SECONDS))
    index = bisect_right(moments, now)
    latest = moments[index - 1] if index else None
    following = moments[index] if index < len(moments) else None
    if latest is not None and latest <= now - LATEST_SECONDS:
        latest = None
    return latest, following


@lru_cache(maxsize=1024)
def _trigger(cron: str) -> CronTrigger:
    return trigger(cron)


@lru_cache(maxsize=256)
def _moments(cron: str, timezone: str, minute: int) -> tuple[float, ...]:
    """Times around a minute, sorted: at least the last before its end and the first after it.

    One answer serves the whole minute. Near a change of the clocks, later on the wall may be
    earlier in truth, so that a little more is looked at than must be.
    """
    from zoneinfo import ZoneInfo

    zone = ZoneInfo(timezone)
    times = _trigger(cron)
    is_every_hour = cron.split()[1].startswith("*")
    now = minute * MINUTE_SECONDS
    offset = zone.utcoffset(_utc(now).astimezone(zone))
    wall = now + (offset.total_seconds() if offset is not None else 0)
    newest = _newest_wall(times, wall - CHANGE_SECONDS)
    since = (wall if newest is None else newest) - CHANGE_SECONDS
    found: set[float] = set()
    enough = math.inf
    for each in _walls(times, since):
        if each.timestamp() > enough:
            break
        moments = _instants(each, zone, is_every_hour=is_every_hour)
        found.update(moments)
        # Later wall times may still be earlier moments, but not by more than a change.
        if enough == math.inf and any(m >= now + MINUTE_SECONDS for m in moments):
            enough = each.timestamp() + CHANGE_SECONDS
    return tuple(sorted(found))


def _instants(wall: datetime, zone: tzinfo, *, is_every_hour: bool) -> tuple[float, ...]:
    """The moments that a wall time stands for."""
    first = wall.replace(tzinfo=zone, fold=0).timestamp()
    second = wall.replace(tzinfo=zone, fold=1).timestamp()
    if is_every_hour and first > second:
        return ()  # skipped
    return (first, second) if is_every_hour else (first,)


def _newest_wall(times: CronTrigger, until: float) -> float | None:
    """The newest wall time until a moment, of those that can matter; found by halving.

    The first time after a minute grows with the minute, and cron knows no way back.
    """
    low = int((until - LATEST_SECONDS - CHANGE_SECONDS) // MINUTE_SECONDS)
    high = int(until // MINUTE_SECONDS)

    def is_early(minute: int) -> bool:
        following = _next_wall(times, _utc(minute * MINUTE_SECONDS))
        return following is not None and following.timestamp() <= until

    if not is_early(low):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if is_early(middle) else (low, middle)
    last = high if is_early(high) else low
    following = _next_wall(times, _utc(last * MINUTE_SECONDS))
    return None if following is None else following.timestamp()


def _walls(times: CronTrigger, since: float) -> Iterator[datetime]:
    following = _next_wall(times, _utc(since))
    while following is not None:
        yield following
        following = _next_wall(times, _utc(following.timestamp() + 1))


def _next_wall(times: CronTrigger, since: datetime) -> datetime | None:
    """The first wall time at or after another."""
    from datetime import datetime

    found = times.get_next_fire_time(None, since)
    return found if isinstance(found, datetime) else None


def _utc(at: float) -> datetime:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at, UTC)
