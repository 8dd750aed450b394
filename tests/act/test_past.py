from __future__ import annotations

from monitor.act.pages.node import node_of
from monitor.act.past import INCIDENTS_RECENT_MAX, KEEP_SECONDS, KEPT_MAX, Past
from monitor.history import History
from monitor.model import NodeFacts, Snapshot
from tests.act import pasts, snapshots


def local() -> NodeFacts:
    facts = node_of(snapshots.stalled(), "local")
    assert facts is not None
    return facts


async def told(*chapters: tuple[float, Snapshot]) -> History:
    history = await pasts.history_at()
    pasts.live_through(history, chapters)
    await history.flush()
    return history


async def test_past_without_a_history_is_empty_and_says_so() -> None:
    """No bars, no incidents, and no claim that there were none."""
    past = Past(None, lambda: 0.0)
    fleet = await past.fleet(snapshots.healthy())
    node = await past.node(snapshots.stalled(), local())
    assert (fleet.is_kept, fleet.bars, fleet.incidents) == (False, {}, ())
    assert (node.is_kept, node.bars, node.lag) == (False, (), ())
    assert await past.incidents(network="", node="") is None


async def test_past_of_a_node_is_its_own() -> None:
    """Bars, uptime, lag and incidents of the one that is looked at."""
    history = await told((0.5, snapshots.healthy("local", "spare")), (0.5, snapshots.stalled()))
    past = Past(history, lambda: 0.0)
    found = await past.node(snapshots.stalled(), local())
    assert found.is_kept
    assert {bar.worst.word for bar in found.bars if bar is not None} == {"ok", "failed"}
    assert found.uptime is not None
    assert found.uptime.day is not None
    assert 0.45 < found.uptime.day < 0.55
    assert {incident.check for incident in found.incidents} == {"stall", "head"}
    assert found.lag[-1].lag_blocks == 9
    await history.close()


async def test_past_bars_are_asked_seldom_and_incidents_always() -> None:
    """Bars of half hours are kept for seconds; what has just begun is seen at once."""
    history = await told((0.5, snapshots.healthy("local", "spare")))
    now = 0.0
    past = Past(history, lambda: now)
    before = await past.fleet(snapshots.stalled())
    assert before.incidents == ()
    history.record(
        pasts.edges_of(None, snapshots.stalled(), snapshots.NOW - 1), lambda finding: False
    )
    history.sample(pasts.at(snapshots.stalled(), snapshots.NOW - 5))
    history.sample(snapshots.stalled())
    await history.flush()
    after = await past.fleet(snapshots.stalled())
    assert after.bars is before.bars
    assert len(after.incidents) == 2
    now += KEEP_SECONDS
    later = await past.fleet(snapshots.stalled())
    assert later.bars is not before.bars
    newest = later.bars["node:local"][-1]
    assert newest is not None
    assert newest.worst.word == "failed"
    await history.close()


async def test_past_on_the_first_page_is_short() -> None:
    """The newest incidents; all others are on their own page."""
    well, ill = snapshots.healthy("local", "spare"), snapshots.stalled()
    history = await told(*[(0.01, well), (0.01, ill)] * 10)
    past = Past(history, lambda: 0.0)
    assert len((await past.fleet(ill)).incidents) == INCIDENTS_RECENT_MAX
    everything = await past.incidents(network="", node="")
    assert everything is not None
    assert len(everything) == 20
    await history.close()


async def test_past_that_is_kept_has_a_limit() -> None:
    """Whatever is asked for, memory is bounded."""
    history = await told()
    past = Past(history, lambda: 0.0)
    snapshot = snapshots.fleet(1)
    for number in range(KEPT_MAX + 5):
        await past.node(snapshot, snapshots.node_facts(f"node-{number}"))
    assert len(past._kept) == KEPT_MAX
    await history.close()
