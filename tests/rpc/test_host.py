"""What an HTTP answer says beside its content: how large it is, and what time it is over there."""

from __future__ import annotations

from email.utils import formatdate

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.rpc.errors import MalformedAnswer
from monitor.rpc.host import HostClock, read_body
from tests.rpc.canned import Canned, always

NOW = 1_800_000_000.0


def dated(at: float, **more: str) -> dict[str, str]:
    """The headers of an answer that was made at a time."""
    return {"Date": formatdate(at, usegmt=True), **more}


@pytest.mark.parametrize(
    ("headers", "is_known"),
    [
        ({}, False),
        ({"Date": ""}, False),
        ({"Date": "yesterday"}, False),
        ({"Date": "Mon, 99 Foo 2026 00:00:00 GMT"}, False),
        (dated(NOW), True),
    ],
    ids=["none", "empty", "words", "no date", "date"],
)
def test_clock_is_known_by_a_readable_date_only(headers: dict[str, str], *, is_known: bool) -> None:
    """Gateways leave the header out, or write what they like."""
    clock = HostClock()
    clock.take(headers, NOW, NOW)
    assert (clock.skew_seconds is not None) is is_known


def test_clock_by_one_answer_is_known_to_its_resolution_and_round_trip() -> None:
    """A second is cut off, and the answer was made somewhere between asking and hearing."""
    clock = HostClock()
    clock.take(dated(NOW), NOW + 10.0, NOW + 10.4)
    assert clock.skew_seconds == pytest.approx(-9.7)


def test_clock_by_several_answers_is_known_better() -> None:
    """An answer just before a full second and one just after leave no second between them."""
    clock = HostClock()
    clock.take(dated(NOW), NOW + 0.9, NOW + 0.9)
    clock.take(dated(NOW + 1), NOW + 1.0, NOW + 1.0)
    assert clock.skew_seconds == pytest.approx(0.05)


def test_clock_that_was_set_is_known_by_what_came_after() -> None:
    """Bounds that contradict each other are of two clocks; the newest counts."""
    clock = HostClock()
    clock.take(dated(NOW), NOW + 0.5, NOW + 0.5)
    clock.take(dated(NOW + 61), NOW + 1.5, NOW + 1.5)
    assert clock.skew_seconds == pytest.approx(60.0)


@pytest.mark.parametrize(
    ("age", "skew"),
    [("30", 1.0), ("0", 0.5), ("", 0.5), ("-3", 0.5), ("soon", 0.5), ("9" * 40, 0.5)],
)
def test_clock_of_a_cached_answer_is_reckoned_from_its_age(age: str, skew: float) -> None:
    """A cache's answer was made so many seconds ago (RFC 9111); nonsense is no age."""
    clock = HostClock()
    made_at = NOW - 30 if age == "30" else NOW
    clock.take(dated(made_at, Age=age), NOW, NOW)
    assert clock.skew_seconds == pytest.approx(skew)


@given(
    skew=st.floats(-1e6, 1e6),
    steps=st.lists(st.tuples(st.floats(0.1, 60), st.floats(0, 3), st.floats(0, 1)), max_size=40),
)
def test_clock_of_a_steady_host_is_within_its_bounds(
    skew: float, steps: list[tuple[float, float, float]]
) -> None:
    """However answers travel, the estimate is half a second and half a round trip off at most."""
    clock, now, least = HostClock(), NOW, 3.0
    for pause, took, share in steps:
        now += pause
        clock.take(dated(now + share * took + skew), now, now + took)
        least, now = min(least, took), now + took
    if clock.skew_seconds is not None and len(steps) <= 16:
        assert abs(clock.skew_seconds - skew) <= 0.5 + least / 2 + 1e-3


@pytest.mark.parametrize(("size", "fits"), [(10, True), (11, False)])
@pytest.mark.parametrize("declared", [True, False])
async def test_body_beyond_the_limit_is_not_read(
    server: Canned, session: aiohttp.ClientSession, size: int, *, fits: bool, declared: bool
) -> None:
    """Whether its length is declared or not."""
    plain = always("x" * size)
    server.respond = plain if declared else always("x" * size, Content_Encoding="identity")
    async with session.post(server.url, data=b"{}") as response:
        if fits:
            assert await read_body(response, 10) == b"x" * size
        else:
            with pytest.raises(MalformedAnswer, match="larger than 10 bytes"):
                await read_body(response, 10)
