"""What is asked of the past: bars, shares, lag and incidents, bounded."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.history import reads
from monitor.history.record import Bar, LagPoint, Uptime
from monitor.history.store import Batch, Store
from monitor.model import Level
from tests.act.snapshots import NOW
from tests.history.samples import DAY, MINUTE, edge, minutes, row, store

HOUR = MINUTE - MINUTE % 3600
LOCAL = "node:local"


def with_others(target: Store, subjects: Iterable[str] = ()) -> list[str]:
    """The subject beside so many others that all of the table is read through."""
    return [LOCAL, *subjects, *(f"node:{n}" for n in range(reads.FEW))]


@pytest.mark.parametrize("is_fleet", [False, True])
def test_bars_are_what_was_in_their_time(*, is_fleet: bool) -> None:
    """Oldest first, the newest with the moment that is now; None where nobody was there."""
    target = store()
    target.write(minutes({HOUR - 3600: row(60), HOUR: row(50, 0, 10, 0), HOUR + 60: row(0, 60)}))
    target.write(minutes({HOUR: row(0, 0, 0, 60)}, "node:0"))
    subjects = with_others(target) if is_fleet else [LOCAL]
    bars = reads.bars(target.connection, subjects, span_seconds=4 * 3600, count=4, now=HOUR + 120)
    first, second, *empty = bars[LOCAL][::-1]
    assert first == Bar(HOUR, 120, 50, 60, 10, 0)
    assert second == Bar(HOUR - 3600, 60, 60, 0, 0, 0)
    assert empty == [None, None]
    assert set(bars) == set(subjects)
    if is_fleet:
        assert bars["node:0"][-1] == Bar(HOUR, 60, 0, 0, 0, 60)
        assert bars["node:1"] == (None,) * 4


@pytest.mark.parametrize(
    ("span", "count", "length"),
    [
        (3600, 60, 60),
        (86_400, 48, 1800),
        (86_400, 144, 600),
        (7 * DAY, 7, DAY),
        (30 * DAY, 90, 28_800),
    ],
)
def test_bars_of_any_length_hold_all_that_is_known(span: float, count: int, length: int) -> None:
    """Minutes, tens or hours: the sum is the same, and bars stay where they are."""
    target = store()
    target.write(minutes({MINUTE - 600 * n: row(50, 10) for n in range(200)}))
    known = [n for n in range(200) if MINUTE - 600 * n >= (NOW // length + 1 - count) * length]
    for now in (NOW, NOW + 1):
        bars = reads.bars(target.connection, [LOCAL], span_seconds=span, count=count, now=now)
        found = [bar for bar in bars[LOCAL] if bar is not None]
        assert len(bars[LOCAL]) == count
        assert sum(bar.seconds for bar in found) == 60 * len(known)
        assert all(bar.starts_at % length == 0 for bar in found)
        assert all(bar.seconds <= length for bar in found)


def test_bars_are_bounded_whatever_is_asked() -> None:
    """A span since the epoch, a thousand bars, subjects that nobody knows."""
    target = store()
    target.write(minutes({MINUTE: row()}))
    for span in (1.0, 1e3, 1.1e9, 1e12):
        bars = reads.bars(
            target.connection, [LOCAL, "node:x"], span_seconds=span, count=10**6, now=NOW
        )
        assert len(bars[LOCAL]) == reads.BARS_MAX
        assert bars[LOCAL][-1] is not None
        assert bars["node:x"] == (None,) * reads.BARS_MAX
    assert reads.bars(target.connection, [], span_seconds=60, count=1, now=NOW) == {}


@pytest.mark.parametrize("is_fleet", [False, True])
def test_uptime_is_the_share_of_known_seconds_that_were_ok(*, is_fleet: bool) -> None:
    """What could not be seen is not up; what nobody looked at is nothing."""
    target = store()
    target.write(minutes({HOUR: row(45, 15)}))
    target.write(minutes({HOUR - 2 * DAY: row(0, 0, 0, 60)}))
    target.write(minutes({HOUR - 20 * DAY: row(60, 0, 60)}))
    subjects = with_others(target) if is_fleet else [LOCAL, "node:0"]
    found = reads.uptime(target.connection, subjects, now=NOW)
    assert found[LOCAL] == Uptime(45 / 60, 45 / 120, 105 / 240)
    assert found["node:0"] == Uptime(None, None, None)
    assert reads.uptime(target.connection, subjects, now=NOW + 5 * DAY)[LOCAL].day is None


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 800), st.integers(0, 3)), max_size=40))
def test_uptime_of_a_fleet_is_that_of_each_node(told: list[tuple[int, int]]) -> None:
    """Whether many are asked for or one, and against the plain definition."""
    target = store()
    sums: dict[int, list[float]] = {}
    for hours, level in told:
        seconds = [0.0, 0.0, 0.0, 0.0]
        seconds[level] = 30.0
        target.write(minutes({HOUR - 3600 * hours: row(*seconds)}))
        sums.setdefault(hours, []).append(float(level == 0))

    def share(hours_max: int) -> float | None:
        seen = [ok for hours, oks in sums.items() if hours < hours_max for ok in oks]
        return pytest.approx(sum(seen) / len(seen)) if seen else None  # type: ignore[return-value]

    alone = reads.uptime(target.connection, [LOCAL], now=NOW)[LOCAL]
    fleet = reads.uptime(target.connection, with_others(target), now=NOW)[LOCAL]
    assert alone == fleet
    assert (alone.day, alone.week, alone.month) == (share(24), share(168), share(720))


def test_lag_is_by_the_minute_for_a_day_and_by_the_hour_before() -> None:
    """Oldest first, without a gap or an overlap where the two meet."""
    target = store()
    offsets = range(0, 50 * 60, 7)
    target.write(
        minutes(
            {MINUTE - 60 * n: row(head=9000 - n, lag=n % 5, network_head=9001) for n in offsets}
        )
    )
    points = reads.lag(target.connection, "local", since=0, now=NOW)
    ats = [point.at for point in points]
    assert ats == sorted(set(ats))
    day = HOUR - DAY
    fine = [at for at in ats if at >= day]
    assert fine == sorted(MINUTE - 60 * n for n in offsets if MINUTE - 60 * n >= day)
    coarse = [at for at in ats if at < day]
    assert coarse
    assert all(at % 3600 == 0 for at in coarse)
    assert points[-1] == LagPoint(MINUTE, 9000, 0, 9001)
    # Of an hour the largest lag.
    assert max(point.lag_blocks or 0 for point in points if point.at in coarse) == 4
    newest = reads.lag(target.connection, "local", since=NOW - 1800, now=NOW)
    assert newest == tuple(point for point in points if point.at >= MINUTE - 1800)
    assert reads.lag(target.connection, "gone", since=0, now=NOW) == ()


def test_lag_that_was_not_seen_is_none() -> None:
    """A minute in which the node did not answer has no head, and is not hidden."""
    target = store()
    target.write(minutes({MINUTE: row(0, 60)}))
    assert reads.lag(target.connection, "local", since=0, now=NOW) == (
        LagPoint(MINUTE, None, None, None),
    )


def test_incidents_are_chosen_by_subject_network_and_time() -> None:
    """Newest first; what is open is of every time."""
    target = store()
    for n, subject in enumerate(["node:a", "node:b", "node:a", "node:c"]):
        key = ("head", subject)
        edges = [edge(at=NOW + 100 * n, key=key)]
        if subject != "node:c":
            edges.append(edge("closed", Level.OK, NOW + 100 * n + 50, key=key))
        target.write(Batch(edges))

    def ask(
        subject: str | None = None, network: str | None = None, since: float = 0, limit: int = 9
    ) -> list[int]:
        found = reads.incidents(
            target.connection, subject=subject, network=network, since=since, limit=limit
        )
        return [each.id for each in found]

    assert ask() == [4, 3, 2, 1]
    assert ask(limit=2) == [4, 3]
    assert ask(subject="node:a") == [3, 1]
    assert ask(subject="node:x") == []
    assert ask(network="ethereum", since=NOW + 150) == [4, 3, 2]
    assert ask(network="dev") == []
    assert ask(since=NOW + 9999) == [4]
    assert ask(limit=0) == [4]
    assert ask(limit=10**9) == [4, 3, 2, 1]
