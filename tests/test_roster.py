"""Endpoints are made once, and what belongs to them lives as long as they do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from monitor.checks import CHECKS
from monitor.config import CheckSettings, NodeSettings, ReferenceSettings
from monitor.endpoint import Endpoint
from monitor.judge.profiles import PROFILES, policy
from monitor.roster import Known, Roster, rows_of
from monitor.url import Url
from monitor.watch import Watch
from monitor.wire import open_session
from tests.rpc.canned import Chain, Clock, Sockets, nothing_unheard, settings_of

NODE = NodeSettings(name="one", network="dev", url=Url("http://127.0.0.1:1/key"))
REFERENCE = ReferenceSettings(
    name="a", url=Url("http://127.0.0.1:2"), operator="x", client="geth", calls_a_day=50
)
SETTINGS = settings_of({}, NODE)
CLOCK = Clock(1_700_000_000.0)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """The session of the process; nothing fails unheard."""
    with nothing_unheard():
        async with open_session() as session:
            yield session


@pytest.fixture
async def roster(session: aiohttp.ClientSession) -> AsyncIterator[Roster]:
    """Closed in the end."""
    roster = Roster(session, CLOCK)
    yield roster
    await roster.close()


def known(endpoint: Endpoint) -> Known:
    return {(endpoint.label, endpoint.node.url): endpoint}


async def test_endpoint_of_a_node_has_no_budget_and_that_of_a_reference_has(
    roster: Roster,
) -> None:
    """One's own nodes are asked freely; a reference has its operator and its client."""
    node = roster.endpoint({}, "one", NODE, SETTINGS, None)
    assert (node.label, node.node.budget, node.operator) == ("one", None, "")
    reference = roster.endpoint({}, "dev/a", REFERENCE, SETTINGS, 50)
    assert reference.node.budget is not None
    assert reference.node.budget.calls_a_day == 50
    assert (reference.operator, reference.configured_client) == ("x", "geth")


async def test_endpoint_at_the_same_address_is_kept_with_new_numbers(roster: Roster) -> None:
    """Its memory and what it spent stay; limits, operator and budget are the new ones."""
    before = roster.endpoint({}, "dev/a", REFERENCE, SETTINGS, 50)
    wanted = REFERENCE.model_copy(update={"operator": "y", "client": None})
    quicker = settings_of({}, NODE, deadline_seconds=1.5)
    after = roster.endpoint(known(before), "dev/a", wanted, quicker, 70)
    assert after is before
    assert after.node.budget is not None
    assert after.node.budget.calls_a_day == 70
    assert (after.operator, after.configured_client) == ("y", "")
    assert after.node.limits.deadline_seconds == 1.5


async def test_endpoint_at_another_address_is_another(roster: Roster) -> None:
    """So is one of another name."""
    before = roster.endpoint({}, "one", NODE, SETTINGS, None)
    moved = NODE.model_copy(update={"url": Url("http://127.0.0.1:3")})
    assert roster.endpoint(known(before), "one", moved, SETTINGS, None) is not before
    assert roster.endpoint(known(before), "uno", NODE, SETTINGS, None) is not before


# -- subscriptions -------------------------------------------------------------------------------


@pytest.fixture
async def sockets() -> AsyncIterator[Sockets]:
    """A websocket beside."""
    sockets = Sockets()
    await sockets.port.open()
    yield sockets
    await sockets.port.close()


async def until_open(sockets: Sockets, count: int) -> None:
    async with asyncio.timeout(20):
        while len(sockets.open) != count:
            await asyncio.sleep(0.01)


async def test_subscription_is_opened_once_kept_and_ended(roster: Roster, sockets: Sockets) -> None:
    """It lives as long as the setting; what it hears goes to the newest watch."""
    wanted = NODE.model_copy(update={"websocket": Url(sockets.url)})
    endpoint = roster.endpoint({}, "one", wanted, SETTINGS, None)
    heard: asyncio.Queue[Watch] = asyncio.Queue()
    first, second = (
        Watch("dev", policy(PROFILES["dev"]), (), (endpoint,), CLOCK) for _ in range(2)
    )
    roster.listen(endpoint, first, heard.put_nowait)
    await until_open(sockets, 1)
    subscription = endpoint.subscription
    roster.listen(endpoint, second, heard.put_nowait)
    assert endpoint.subscription is subscription
    await sockets.announce(Chain(100))
    assert await heard.get() is second
    roster.forget({"one"})
    await sockets.announce(Chain(101))
    assert await heard.get() is second
    endpoint.websocket = None
    roster.listen(endpoint, second, heard.put_nowait)
    assert endpoint.subscription is None
    await until_open(sockets, 0)


async def test_subscription_of_a_node_that_is_gone_is_ended(
    roster: Roster, sockets: Sockets
) -> None:
    """And with the roster all of them."""
    for name, count in (("one", 1), ("two", 2)):
        wanted = NODE.model_copy(update={"name": name, "websocket": Url(sockets.url)})
        endpoint = roster.endpoint({}, name, wanted, SETTINGS, None)
        watch = Watch("dev", policy(PROFILES["dev"]), (), (endpoint,), CLOCK)
        roster.listen(endpoint, watch, lambda watch: None)
        await until_open(sockets, count)
    roster.forget({"two"})
    await until_open(sockets, 1)
    await roster.close()
    await until_open(sockets, 0)


# -- the optional checks -------------------------------------------------------------------------


def test_rows_are_the_optional_checks_as_configured() -> None:
    """At the pace of the table or of the configuration; switched off, not at all."""
    peers = next(check for check in CHECKS if check.name == "peers")
    others = [check for check in CHECKS if not check.required]
    assert rows_of(CHECKS, {}) == tuple(others)
    quick = rows_of(CHECKS, {"peers": CheckSettings(every_seconds=0.5)})
    assert quick == tuple(
        replace(peers, every_seconds=0.5) if check is peers else check for check in others
    )
    off = rows_of(CHECKS, {"peers": CheckSettings(enabled=False, every_seconds=0.5)})
    assert off == tuple(check for check in others if check is not peers)
