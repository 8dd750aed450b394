"""What the dates of answers that came anyway say of clocks."""

from __future__ import annotations

import time

import aiohttp
import pytest

from monitor.judge.clock import ClockSeen
from monitor.lab.faults import Fault
from monitor.lab.proxy import FaultProxy
from monitor.probes import clock
from monitor.rpc import decode
from monitor.rpc.errors import MethodAbsent
from monitor.rpc.node import Node
from monitor.url import Url
from tests.judge.builders import NOW, TIMEOUT, TIP, run, said, seen_head
from tests.probes.conftest import Dial
from tests.probes.situation import asked_of
from tests.rpc.canned import Canned, Clock, serving


async def dated(dial: Dial, at: float) -> Node:
    """An endpoint that was heard once: its clock says this while ours says 0."""
    async with serving(Canned(clock=Clock(at))) as (server,):
        node = dial(server.url)
        await node.ask("eth_chainId", (), decode.text)
        return node


async def test_probe_compares_the_host_with_the_references(dial: Dial) -> None:
    """Each by its dates, the references by what most of them say; the head by its timestamp."""
    references = [await dated(dial, at) for at in (100.0, 101.0, 900.0)]
    node = await dated(dial, 160.0)
    seen = await clock.probe(asked_of(node, references=references))
    assert seen == ClockSeen(160.5, 101.5, seen_head(TIP).head.timestamp - NOW)


async def test_probe_of_the_references_together_is_of_no_host(dial: Dial) -> None:
    """The endpoint asked is one of them, and its own clock is not the question."""
    references = [await dated(dial, 100.0) for _ in range(3)]
    seen = await clock.probe(asked_of(references[0], references=references))
    assert seen == ClockSeen(None, 100.5, 0.0)


async def test_probe_without_a_majority_of_dates_knows_no_time(dial: Dial) -> None:
    """One dated reference of three is no majority."""
    references = [await dated(dial, 100.0), dial("http://127.0.0.1:9")]
    seen = await clock.probe(asked_of(await dated(dial, 100.0), references=references))
    assert (seen.skew_seconds, seen.own_skew_seconds) == (100.5, None)


async def test_probe_of_a_head_seen_earlier_is_of_the_time_it_was_seen(node: Node) -> None:
    """An old answer is no older head."""
    heads = [*run(TIP)[:-1], said(seen_head(TIP), NOW - 5.0)]
    seen = await clock.probe(asked_of(node, heads=heads, clock=Clock(NOW + 100.0)))
    assert seen == ClockSeen(None, None, 5.0)


@pytest.mark.parametrize("heads", [[], [said(TIMEOUT)]], ids=["none", "unseen"])
async def test_probe_that_knows_nothing_says_so(node: Node, heads: list[object]) -> None:
    """No dates and no head: there is nothing to be said of clocks."""
    with pytest.raises(MethodAbsent):
        await clock.probe(asked_of(node, heads=heads))  # type: ignore[arg-type]


async def test_probe_of_a_real_host_sees_its_clock_leave_and_come_back(
    proxy: FaultProxy, session: aiohttp.ClientSession
) -> None:
    """A clock that is set is known by what comes after."""
    node = Node("n", Url(proxy.url), session, clock=time.time)
    skews = []
    for faults in ((), (Fault("date_skew", seconds=-90.0),), ()):
        proxy.set(*faults)
        await node.ask("eth_chainId", (), decode.text)
        seen = await clock.probe(asked_of(node))
        assert seen.skew_seconds is not None
        skews.append(seen.skew_seconds)
    assert skews == pytest.approx([0.0, -90.0, 0.0], abs=2.0)
