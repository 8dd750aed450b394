"""Maintenance windows: whom they cover, when they are active, and how one is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config.settings import MaintenanceWindow
from monitor.maintenance import (
    AHEAD_SECONDS_MAX,
    CONFIGURATION,
    DURATION_SECONDS_MAX,
    Request,
    Window,
    is_silenced,
    one_off,
    windows_of,
)

NOW = 1_795_000_000.0
DAY = 86_400.0


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@dataclass(frozen=True)
class Weekly:
    """A configured window, in its shape and with nothing to validate."""

    name: str = "weekly"
    cron: str = "0 3 * * 1"
    duration_seconds: float = 3600.0
    timezone: str = "UTC"
    networks: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    reason: str = "the client is updated"


def window(name: str = "w1", start: float = NOW, end: float = NOW + 3600) -> Window:
    return Window(name, start, end, (), (), "why", "me")


@pytest.mark.parametrize(
    ("networks", "nodes", "network", "subject", "covered"),
    [
        ((), (), "ethereum", "node:main", True),
        ((), (), "ethereum", "monitor", True),
        (("ethereum",), (), "ethereum", "node:main", True),
        (("ethereum",), (), "ethereum", "reference:ethereum/a", True),
        (("ethereum",), (), "ethereum", "reference:ethereum/quorum", True),
        (("ethereum",), (), "dev", "node:main", False),
        ((), ("main",), "ethereum", "node:main", True),
        ((), ("main",), "ethereum", "node:other", False),
        ((), ("main",), "ethereum", "reference:ethereum/main", False),
        ((), ("main",), "ethereum", "host:main", False),
        (("ethereum",), ("main",), "ethereum", "node:main", True),
        (("dev",), ("main",), "ethereum", "node:main", False),
    ],
)
def test_window_covers_what_it_names_and_nothing_else(
    networks: tuple[str, ...], nodes: tuple[str, ...], network: str, subject: str, *, covered: bool
) -> None:
    """A network with its references, a node alone, and everything where nothing is named."""
    named = replace(window(), networks=networks, nodes=nodes)
    assert named.covers(network, subject) is covered
    assert is_silenced((named,), network, subject, NOW) is covered
    assert not is_silenced((named,), network, subject, NOW + 3600)


def test_window_lasts_from_its_first_moment_until_before_its_end() -> None:
    """The boundaries: the start belongs to it, the end does not."""
    assert [window().is_active(NOW + s) for s in (-0.1, 0, 3599.9, 3600)] == [
        False,
        True,
        True,
        False,
    ]


def test_windows_show_one_that_began_before_the_process_did() -> None:
    """A window is active by the calendar, whoever was or was not there at its start."""
    monday = at("2026-11-16T03:00:00+00:00")
    active, planned = windows_of([Weekly()], (), monday + 1800)
    assert active == Window(
        "weekly", monday, monday + 3600, (), (), "the client is updated", CONFIGURATION
    )
    assert planned.starts_at == monday + 7 * DAY
    (only,) = windows_of([Weekly()], (), monday + 3600)
    assert only == planned


def test_windows_longer_than_a_day_last_into_the_next() -> None:
    """A window of the weekend is still there on Sunday night."""
    weekend = Weekly(cron="0 22 * * fri", duration_seconds=2.5 * DAY, timezone="Europe/Paris")
    friday = at("2026-10-23T22:00:00+02:00")  # the clocks go back in this weekend
    for hours in (0, 30, 59.9):
        assert windows_of([weekend], (), friday + hours * 3600)[0].starts_at == friday
    assert windows_of([weekend], (), friday + 60 * 3600)[0].starts_at > friday


def test_windows_that_overlap_themselves_last_as_long_as_the_newest() -> None:
    """An hourly window of ninety minutes is never over."""
    hourly = Weekly(cron="0 * * * *", duration_seconds=5400.0)
    hour = at("2026-11-16T05:00:00+00:00")
    for minutes in range(120):
        now = hour + minutes * 60
        newest = now - (now % 3600)
        active, planned = windows_of([hourly], (), now)
        assert active.is_active(now)
        assert (active.starts_at, planned.starts_at) == (newest, newest + 3600)


def test_windows_are_the_active_and_then_the_planned() -> None:
    """Those that end first lead the active, those that begin first the planned."""
    long, short = window("long", NOW - 10, NOW + 900), window("short", NOW - 5, NOW + 60)
    late, soon = window("late", NOW + 99, NOW + 999), window("soon", NOW + 9, NOW + 9999)
    over = window("over", NOW - 10, NOW)
    ended = replace(long, id="ended", ended_by="me")
    called_off = replace(soon, id="called_off", ended_by="me")
    found = windows_of((), (late, long, over, soon, ended, short, called_off), NOW)
    assert [each.id for each in found] == ["short", "long", "soon", "late"]


@settings(deadline=None)
@given(
    cron=st.sampled_from(["0 3 * * *", "30 2 * * 0-3", "0 */4 * * *", "0 0 1 * *", "15 3 * * 7"]),
    duration=st.integers(60, int(DURATION_SECONDS_MAX)),
    offset=st.integers(0, 400 * int(DAY)),
)
def test_window_is_active_if_and_only_if_it_began_within_its_duration(
    cron: str, duration: int, offset: int
) -> None:
    """Walking forward from one start to the next says the same as asking for this moment."""
    now = NOW + offset
    configured = Weekly(cron=cron, duration_seconds=float(duration))
    began = []
    since = now - duration - 60
    while since <= now:
        planned = [w for w in windows_of([configured], (), since) if w.starts_at > since]
        since = planned[0].starts_at
        if now - duration < since <= now:
            began.append(since)
    active = [w for w in windows_of([configured], (), now) if w.is_active(now)]
    assert bool(active) is bool(began)
    if began:
        assert active[0].starts_at == began[-1]


def test_settings_of_a_window_are_what_windows_are_made_of() -> None:
    """What the configuration has validated is taken as it is."""
    configured = MaintenanceWindow(
        name="update", cron="0 3 * * 1", duration_seconds=3600.0, nodes=("main",), reason="update"
    )
    (planned,) = windows_of([configured], (), NOW)
    assert (planned.id, planned.nodes, planned.actor) == ("update", ("main",), CONFIGURATION)


# -- one-offs ------------------------------------------------------------------------------------

ASKED = {"duration_seconds": 600, "reason": "disk is changed", "actor": "ada"}
NETWORKS, NODES = ("ethereum", "dev"), {"main": 1, "spare": 2}


def asked(**more: object) -> Request:
    document = {**ASKED, **more}
    left = {name: value for name, value in document.items() if value != "absent"}
    return one_off(left, now=NOW, networks=NETWORKS, nodes=NODES)


def test_one_off_begins_now_and_is_of_everything_unless_it_says_so() -> None:
    """The least that is asked for: how long, why, and who."""
    assert asked() == Request(NOW, NOW + 600, (), (), "disk is changed", "ada")


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"starts_at": NOW + 60}, (NOW + 60, NOW + 660)),
        ({"starts_at": NOW - 30.5}, (NOW - 30.5, NOW + 569.5)),
        ({"starts_at": "2026-11-18T12:00:00Z"}, (1795003200.0, 1795003800.0)),
        ({"starts_at": "2026-11-18T13:00:00+01:00"}, (1795003200.0, 1795003800.0)),
        ({"ends_at": NOW + 60, "duration_seconds": "absent"}, (NOW, NOW + 60)),
        (
            {"ends_at": "2026-11-18T12:00:00Z", "duration_seconds": None},
            (NOW, 1795003200.0),
        ),
        ({"duration_seconds": 60}, (NOW, NOW + 60)),
        ({"duration_seconds": 604_800.0}, (NOW, NOW + 604_800)),
        ({"starts_at": NOW + AHEAD_SECONDS_MAX}, None),
        ({"networks": ["dev", "dev"], "nodes": ["main"]}, None),
        ({"networks": [], "nodes": None, "starts_at": None}, None),
        ({"reason": "x" * 200, "actor": "y" * 63}, None),
        ({"reason": "  größer ✓ "}, None),
    ],
)
def test_one_off_within_its_limits_is_taken(
    more: dict[str, object], expected: tuple[float, float] | None
) -> None:
    """Numbers or RFC 3339, an end or a duration, and every limit itself."""
    request = asked(**more)
    if expected is not None:
        assert (request.starts_at, request.ends_at) == expected
    assert request.reason == request.reason.strip()
    assert len(set(request.networks)) == len(request.networks)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"starts": 1}, ("a field", "'starts'", "starts_at")),
        ({"starts_at": NOW - 61}, ("starts_at", "now or a later time")),
        ({"starts_at": NOW + AHEAD_SECONDS_MAX + 1}, ("starts_at", "within a year")),
        ({"starts_at": "2026-11-18T12:00:00"}, ("starts_at", "2026-01-31T23:00:00Z")),
        ({"starts_at": "tomorrow"}, ("starts_at", "'tomorrow'")),
        ({"starts_at": float("nan")}, ("starts_at", "nan")),
        ({"starts_at": 10**400}, ("starts_at", "…")),
        ({"starts_at": True}, ("starts_at", "True")),
        ({"duration_seconds": 59.9}, ("duration_seconds", "59.9", "60 to 604800")),
        ({"duration_seconds": 604_801}, ("duration_seconds", "604801")),
        ({"duration_seconds": "absent"}, ("duration_seconds", "None", "60 to 604800")),
        ({"duration_seconds": "600"}, ("duration_seconds", "'600'")),
        ({"duration_seconds": float("inf")}, ("duration_seconds", "inf")),
        ({"ends_at": NOW + 600}, ("duration_seconds", "not both")),
        ({"ends_at": NOW + 9, "duration_seconds": "absent"}, ("ends_at", "after its start")),
        ({"networks": "ethereum"}, ("networks", "'ethereum'", "a list")),
        ({"networks": ["ethereum", "mars"]}, ("networks", "'mars'", "dev, ethereum")),
        ({"nodes": ["gone"]}, ("nodes", "'gone'", "main, spare")),
        ({"nodes": [["main"]]}, ("nodes", "['main']")),
        ({"reason": "absent"}, ("reason", "None", "1 to 200")),
        ({"reason": "   "}, ("reason", "1 to 200")),
        ({"reason": "x" * 201}, ("reason", "1 to 200")),
        ({"reason": "two\nlines"}, ("reason", "printable")),
        ({"reason": "bell\x07"}, ("reason", "printable")),
        ({"actor": "y" * 64}, ("actor", "1 to 63")),
        ({"actor": 7}, ("actor", "7")),
    ],
)
def test_one_off_beyond_its_limits_is_refused_in_one_line(
    more: dict[str, object], words: tuple[str, ...]
) -> None:
    """The line names the field, what was found, and what was expected."""
    with pytest.raises(ValueError, match=r"found .*, expected ") as caught:
        asked(**more)
    line = str(caught.value)
    assert all(word in line for word in words), line
    assert line.startswith(words[0])
    assert "\n" not in line
    assert len(line) < 300


@pytest.mark.parametrize("document", [None, [], "now", 7, True])
def test_one_off_that_is_no_object_is_refused(document: object) -> None:
    """JSON may be anything."""
    with pytest.raises(ValueError, match=r"the window: found .*, expected an object"):
        one_off(document, now=NOW, networks=NETWORKS, nodes=NODES)


json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
fields = st.sampled_from(
    ["starts_at", "ends_at", "duration_seconds", "networks", "nodes", "reason", "actor"]
)


@settings(deadline=None)
@given(st.dictionaries(fields, json))
def test_one_off_of_anything_is_a_window_or_a_line(document: dict[str, object]) -> None:
    """Whatever arrives: a request within the limits, or a ValueError and no other error."""
    for known in (document, {**ASKED, **document}):
        try:
            request = one_off(known, now=NOW, networks=NETWORKS, nodes=NODES)
        except ValueError:
            continue
        assert 60 <= request.ends_at - request.starts_at <= DURATION_SECONDS_MAX
        assert request.starts_at <= NOW + AHEAD_SECONDS_MAX


def names(windows: Sequence[Window]) -> list[str]:
    return [each.id for each in windows]


def test_request_becomes_a_window_that_is_shown_until_it_is_over() -> None:
    """Planned, then active, then gone."""
    request = asked(starts_at=NOW + 100)
    planned = Window("w1", request.starts_at, request.ends_at, (), (), "r", "a")
    assert [names(windows_of((), (planned,), NOW + s)) for s in (0, 100, 699, 700)] == [
        ["w1"],
        ["w1"],
        ["w1"],
        [],
    ]
