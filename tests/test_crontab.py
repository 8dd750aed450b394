"""Crontab lines: days as cron counts them, and moments in zones whose clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.crontab import CHANGE_SECONDS, LATEST_SECONDS, around, cron_problem, trigger

DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


def at(text: str) -> float:
    """A moment, written with its offset."""
    return datetime.fromisoformat(text).timestamp()


def days_of(weekday: str) -> set[str]:
    """The days on which a line fires within a week, by asking it for each time."""
    times = trigger(f"0 12 * * {weekday}")
    found = set()
    since = datetime(2026, 3, 1, tzinfo=UTC)  # a Sunday
    for offset in range(7):
        day = since + timedelta(days=offset)
        if times.get_next_fire_time(None, day) == day.replace(hour=12):
            found.add(DAYS[offset])
    return found


@pytest.mark.parametrize(
    ("weekday", "days"),
    [
        ("*", "sun mon tue wed thu fri sat"),
        ("0", "sun"),
        ("7", "sun"),
        ("1", "mon"),
        ("6", "sat"),
        ("MON", "mon"),
        ("0-3", "sun mon tue wed"),
        ("5-7", "fri sat sun"),
        ("0-7", "sun mon tue wed thu fri sat"),
        ("1-5", "mon tue wed thu fri"),
        ("sat-sun", "sat sun"),
        ("fri-mon", "fri sat sun mon"),
        ("6-0", "sat sun"),
        ("1,3,5", "mon wed fri"),
        ("0,2-3,sat", "sun tue wed sat"),
        ("*/2", "sun tue thu sat"),
        ("*/3", "sun wed sat"),
        ("1-5/2", "mon wed fri"),
        ("1/2", "mon wed fri"),
        ("5-7/2", "fri sun"),
    ],
)
def test_days_of_the_week_are_counted_as_cron_does(weekday: str, days: str) -> None:
    """Monday is 1 and Sunday both 0 and 7, in lists, ranges and steps too."""
    assert days_of(weekday) == set(days.split())


def brute(first: int, last: int, step: int) -> set[str]:
    """The definition: from the first, a step at a time, until the last, round the week."""
    while last < first:
        last += 7
    return {DAYS[number % 7] for number in range(first, last + 1, step)}


@settings(deadline=None)
@given(st.integers(0, 7), st.integers(0, 7), st.integers(1, 7))
def test_range_of_days_is_what_counting_finds(first: int, last: int, step: int) -> None:
    """Every range with every step, by number and by name, says the days that counting says."""
    expected = brute(first, last, step)
    assert days_of(f"{first}-{last}/{step}") == expected
    if first < 7 and last < 7:
        assert days_of(f"{DAYS[first]}-{DAYS[last]}/{step}") == expected


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("0 3 * * tue#2", "2026-11-10T03:00:00+00:00"),
        ("0 3 * * 2#2", "2026-11-10T03:00:00+00:00"),
        ("0 3 * * friL", "2026-11-27T03:00:00+00:00"),
        ("0 3 * * sun#1,sun#3", "2026-11-01T03:00:00+00:00"),
        ("0 3 last * *", "2026-10-31T03:00:00+00:00"),
        ("30 4 15 jan *", "2027-01-15T04:30:00+00:00"),
        ("0 0 29 2 *", "2028-02-29T00:00:00+00:00"),
    ],
)
def test_days_of_the_month_come_when_they_should(cron: str, expected: str) -> None:
    """The second Tuesday, the last Friday and rare dates are found."""
    assert cron_problem(cron) == ""
    assert around(cron, "UTC", at("2026-10-31T00:00:00+00:00"))[1] == at(expected)


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("", "expected 5 fields"),
        ("0 3 * *", "found 4"),
        ("60 3 * * *", "60"),
        ("0 24 * * *", "24"),
        ("0 3 * 13 *", "13"),
        ("0 3 * * 8", "0 to 7"),
        ("0 3 * * monday", "'monday'"),
        ("0 3 * * 1-5/0", "0 to 7"),
        ("0 3 * * 1,", "''"),
        ("0 3 * * mon#6", "'mon#6'"),
        ("0 3 * * mon#1,tue", "no others beside them"),
        ("0 3 13 * 5", "both given"),
        ("0 3 1-7 * mon", "both given"),
        ("x 3 * * *", "x"),
        ("0 0 30 2 *", "never"),
    ],
)
def test_line_that_is_wrong_is_named(cron: str, words: str) -> None:
    """What cannot be a time is refused in words, and so is a date that never comes."""
    assert words in cron_problem(cron)


@settings(deadline=None)
@given(st.text(alphabet="0123456789*/-,#lLsunmoe ", max_size=30))
def test_line_of_anything_is_a_problem_or_a_time(text: str) -> None:
    """Whatever is written: one line of words, or a line that can be asked for its times."""
    problem = cron_problem(text)
    assert "\n" not in problem
    if not problem:
        assert around(text, "Europe/Paris", 1.7e9)[1] is not None


@pytest.mark.parametrize(
    ("cron", "now", "latest", "following"),
    [
        # Forward at 02:00 +01:00, which is 03:00 +02:00, on 2026-03-29.
        ("30 2 * * *", "2026-03-29T03:29:00+02:00", "2026-03-28T02:30:00+01:00", None),
        ("30 2 * * *", "2026-03-29T03:30:00+02:00", "2026-03-29T03:30:00+02:00", None),
        ("0 3 * * *", "2026-03-29T01:59:00+01:00", None, "2026-03-29T03:00:00+02:00"),
        ("0 4 * * *", "2026-03-29T01:59:00+01:00", None, "2026-03-29T04:00:00+02:00"),
        ("30 * * * *", "2026-03-29T03:10:00+02:00", "2026-03-29T01:30:00+01:00", None),
        ("30 */2 * * *", "2026-03-29T03:40:00+02:00", "2026-03-29T00:30:00+01:00", None),
        # Back at 03:00 +02:00, which is 02:00 +01:00, on 2026-10-25.
        ("30 2 * * *", "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+02:00", None),
        ("30 2 * * *", "2026-10-25T02:45:00+01:00", "2026-10-25T02:30:00+02:00", None),
        ("30 2 * * *", "2026-10-25T02:29:00+01:00", None, "2026-10-26T02:30:00+01:00"),
        ("30 * * * *", "2026-10-25T02:29:00+01:00", None, "2026-10-25T02:30:00+01:00"),
        ("30 * * * *", "2026-10-25T02:45:00+01:00", "2026-10-25T02:30:00+01:00", None),
        ("0 22 * * sat", "2026-10-25T04:00:00+01:00", "2026-10-24T22:00:00+02:00", None),
    ],
)
def test_clocks_that_change_neither_lose_nor_double_a_time(
    cron: str, now: str, latest: str | None, following: str | None
) -> None:
    """RFC 5545: what is skipped counts by the old offset, what comes twice counts once."""
    found = around(cron, "Europe/Paris", at(now))
    if latest is not None:
        assert found[0] == at(latest)
    if following is not None:
        assert found[1] == at(following)


def test_zone_that_nobody_knows_is_an_error() -> None:
    """The configuration has refused it before; here it is a mistake of ours."""
    with pytest.raises(ZoneInfoNotFoundError):
        around("0 3 * * *", "Europe/Nowhere", 1.7e9)


minutes = st.sampled_from(["0", "30", "*/20", "5,50", "*", "59"])
hours = st.sampled_from(["*", "2", "0-3", "*/6", "1,2,3", "23"])
months = st.sampled_from(["*", "3", "10"])
weekdays = st.sampled_from(["*", "0", "0-3", "fri-mon", "*/2"])
ZONES = ("UTC", "Europe/Paris", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu")
AROUND_CHANGES = (
    at("2026-03-29T01:00:00+00:00"),
    at("2026-10-25T01:00:00+00:00"),
    at("2026-04-04T15:00:00+00:00"),
    at("2026-03-08T05:30:00+00:00"),
)


def matches(cron: str, wall: datetime) -> bool:
    """Whether a line names this minute, read in the plainest way."""

    def named(field: str, value: int, low: int, high: int) -> bool:
        for item in field.split(","):
            span, _, step = item.partition("/")
            first, last = (low, high) if span == "*" else (span.split("-") * 2)[:2]
            if value in range(int(first), int(last) + 1, int(step or 1)):
                return True
        return False

    minute, hour, _, month, weekday = cron.split()
    day = wall.isoweekday() % 7
    return (
        named(minute, wall.minute, 0, 59)
        and named(hour, wall.hour, 0, 23)
        and named(month, wall.month, 1, 12)
        and (day in {5, 6, 0, 1} if weekday == "fri-mon" else named(weekday, day, 0, 6))
    )


@settings(deadline=None)
@given(
    cron=st.tuples(minutes, hours, st.just("*"), months, weekdays).map(" ".join),
    zone=st.sampled_from(ZONES),
    change=st.sampled_from(AROUND_CHANGES),
    offset=st.integers(-2 * 86_400, 2 * 86_400),
)
def test_times_are_those_that_a_walk_through_every_minute_finds(
    cron: str, zone: str, change: float, offset: int
) -> None:
    """In whatever zone and near whatever change: no time is missed, and none invented."""
    now = change + offset
    info = ZoneInfo(zone)
    is_every_hour = cron.split()[1].startswith("*")
    found = set()
    # Every minute on the wall, and the moment that it stands for.
    wall = datetime.fromtimestamp(now - 86_400, info).replace(tzinfo=None, second=0, fold=0)
    for _ in range(2 * 1440):
        if matches(cron, wall):
            first = wall.replace(tzinfo=info).timestamp()
            second = wall.replace(tzinfo=info, fold=1).timestamp()
            if not is_every_hour:
                found.add(first)
            elif first <= second:
                found.update((first, second))
        wall += timedelta(minutes=1)
    latest, following = around(cron, zone, now)
    near = 86_400 - CHANGE_SECONDS
    assert max((m for m in found if now - near < m <= now), default=None) == (
        latest if latest is not None and latest > now - near else None
    )
    assert min((m for m in found if now < m < now + near), default=None) == (
        following if following is not None and following < now + near else None
    )


@settings(deadline=None)
@given(st.integers(0, 14 * 86_400))
def test_newest_time_is_looked_for_as_long_as_a_window_may_last(offset: int) -> None:
    """A time counts as the newest for a week, to the second."""
    fired = at("2026-06-01T03:00:00+00:00")
    latest, _ = around("0 3 1 6 *", "UTC", fired + offset)
    assert latest == (fired if offset < LATEST_SECONDS else None)
