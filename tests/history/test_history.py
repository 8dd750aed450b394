"""The front of the history: what it is told of comes back, also after a restart and a kill."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.history import History, HistoryError, LagPoint, Uptime
from monitor.history.history import EDGES_MAX, WINDOWS_MAX
from monitor.history.record import FORGOTTEN, Incident
from monitor.judge.seen import HeadSeen
from monitor.maintenance import Window
from monitor.model import Action, BlockNumber, Finding, Level, Snapshot
from tests.act.snapshots import (
    NOW,
    TIP,
    head_at,
    healthy,
    observed,
    stalled,
    with_finding,
)
from tests.history.samples import DAY, HEAD, MINUTE, SETTINGS, Clock, action, at, finding, history

ROOT = Path(__file__).resolve().parents[2]
(NETWORK,) = healthy().networks
PATIENCE_SECONDS = NETWORK.stall_seconds + NETWORK.lag_blocks * NETWORK.interval_seconds


def nobody(_: Finding) -> bool:
    return False


@asynccontextmanager
async def opened(path: Path | None, clock: Clock) -> AsyncIterator[History]:
    found = history(path, clock)
    await found.open()
    try:
        yield found
    finally:
        await found.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite"


async def only(found: History) -> Incident:
    (incident,) = await found.incidents()
    return incident


def watch(found: History, clock: Clock, seconds: int, shown: Snapshot) -> None:
    """So many seconds, one sample each."""
    for _ in range(seconds):
        found.sample(at(clock.now, shown))
        clock.now += 1
    found.sample(at(clock.now, shown))


@pytest.mark.parametrize("is_file", [True, False])
async def test_history_tells_what_it_was_told(path: Path, *, is_file: bool) -> None:
    """Incidents, bars, uptime, lag and sizes, in a file or in memory."""
    clock = Clock(MINUTE)
    async with opened(path if is_file else None, clock) as found:
        found.record([action(at=clock.now)], lambda each: each.subject == "node:local")
        watch(found, clock, 40, stalled())
        watch(found, clock, 20, healthy("local", "spare"))
        await found.flush()
        incident = await only(found)
        assert (incident.opened_at, incident.worst, incident.silenced) == (
            MINUTE,
            Level.FAILED,
            True,
        )
        bars = await found.bars(["node:local", "node:spare"], span_seconds=DAY, count=48)
        local, spare = bars["node:local"][-1], bars["node:spare"][-1]
        assert local is not None
        assert spare is not None
        assert (local.failed_seconds, local.ok_seconds, local.worst) == (40, 20, Level.FAILED)
        assert (spare.ok_seconds, spare.worst) == (60, Level.OK)
        assert (await found.uptime(["node:local"]))["node:local"].day == pytest.approx(1 / 3)
        assert (await found.lag("local", since=NOW - DAY))[0] == LagPoint(MINUTE, TIP, 9, TIP)
        assert found.size_bytes > 0
        assert (found.errors_total, found.problem, found.lost_total) == (0, "", 0)


async def test_history_before_anything_says_that_nothing_is_known(path: Path) -> None:
    """No bar is green by default."""
    async with opened(path, Clock()) as found:
        bars = await found.bars(["node:local"], span_seconds=DAY, count=3)
        assert bars == {"node:local": (None, None, None)}
        uptime = await found.uptime(["node:local"])
        assert uptime == {"node:local": Uptime(None, None, None)}
        assert await found.incidents() == ()
        assert await found.lag("local", since=0) == ()
        assert await found.spent("2026-11-18") == {}
        for span, count in ((DAY, 0), (DAY, 10**6), (0, 1)):
            with pytest.raises(ValueError, match="expected 1 to"):
                await found.bars([], span_seconds=span, count=count)


# -- restarts ------------------------------------------------------------------------------------


async def test_incident_that_ended_while_nobody_looked_is_closed_once_it_stays_well(
    path: Path,
) -> None:
    """The fold of a new process has no edge for what begins well."""
    clock = Clock()
    async with opened(path, clock) as found:
        found.record([action()], nobody)
    clock.now += 600
    async with opened(path, clock) as found:
        assert (await only(found)).closed_at is None
        # Not seen yet, and then not yet certain: neither is an end.
        found.sample(at(clock.now, with_finding(healthy(), finding(Level.UNKNOWN))))
        await found.flush()
        assert (await only(found)).closed_at is None
        well_at = clock.now = clock.now + 6
        watch(found, clock, int(PATIENCE_SECONDS) + 1, healthy())
        await found.flush()
        incident = await only(found)
        assert incident.closed_at == well_at
        assert [step.kind for step in incident.steps] == ["opened", "closed"]
        assert incident.steps[-1].before == Level.FAILED
        found.sample(at(clock.now + 1))
        await found.flush()
        assert len((await only(found)).steps) == 2


async def test_incident_goes_on_where_a_check_needs_time_to_see_it_again(path: Path) -> None:
    """A node that stands still looks well until somebody has watched it for a while."""
    clock = Clock()
    async with opened(path, clock) as found:
        found.record([action()], nobody)
    clock.now += 5
    async with opened(path, clock) as found:
        watch(found, clock, int(PATIENCE_SECONDS) - 1, healthy())
        found.record([action(at=clock.now)], nobody)
        watch(found, clock, int(PATIENCE_SECONDS) + 1, stalled())
        await found.flush()
        incident = await only(found)
        assert (incident.opened_at, incident.closed_at) == (NOW, None)
        assert [step.kind for step in incident.steps] == ["opened"]


async def test_incident_stays_open_where_it_was_well_only_between_two_failures(path: Path) -> None:
    """What is well for a moment again and again has to begin anew each time."""
    clock = Clock()
    async with opened(path, clock) as found:
        found.record([action()], nobody)
    async with opened(path, clock) as found:
        for _ in range(3):
            watch(found, clock, int(PATIENCE_SECONDS) - 1, healthy())
            watch(found, clock, 1, with_finding(healthy(), finding(Level.UNKNOWN)))
        await found.flush()
        assert (await only(found)).closed_at is None


async def test_incident_that_is_still_there_after_a_restart_goes_on(path: Path) -> None:
    """It opens again for the new process, and is the same incident."""
    clock = Clock()
    async with opened(path, clock) as found:
        found.record([action()], nobody)
    clock.now += 600
    async with opened(path, clock) as found:
        found.record([action(at=clock.now)], nobody)
        await found.flush()
        incident = await only(found)
        assert (incident.opened_at, incident.closed_at) == (NOW, None)
        found.record([action("closed", Level.OK, clock.now + 9)], nobody)
        await found.flush()
        assert (await only(found)).closed_at == clock.now + 9


async def test_incident_of_a_node_that_is_no_longer_configured_is_forgotten(path: Path) -> None:
    """Also while headwatch runs, after its configuration was read again."""
    clock = Clock()
    gone = ("head", "node:gone")
    async with opened(path, clock) as found:
        found.record([action(), action(key=gone), action(key=("head", "monitor"))], nobody)
        await found.flush()
        assert [i.closed_at for i in await found.incidents()] == [None] * 3
        found.sample(at(clock.now, stalled()))
        clock.now += 10
        await found.flush()
        closed = [i for i in await found.incidents() if i.closed_at is not None]
        assert [(i.subject, i.closed_at) for i in closed] == [("node:gone", clock.now)]
        assert closed[0].steps[-1].reason == FORGOTTEN


async def test_budgets_outlive_a_restart(path: Path) -> None:
    """The calls of the day; what is not yet written counts too."""
    async with opened(path, Clock()) as found:
        found.remember_spent("2026-11-18", {"ethereum/a": 5, "ethereum/b": 2})
        assert await found.spent("2026-11-18") == {"ethereum/a": 5, "ethereum/b": 2}
        await found.flush()
        found.remember_spent("2026-11-18", {"ethereum/a": 9})
    async with opened(path, Clock()) as found:
        assert await found.spent("2026-11-18") == {"ethereum/a": 9, "ethereum/b": 2}
        assert await found.spent("2026-11-19") == {}


KILLED = """
import asyncio, sys
from pathlib import Path
from monitor.history import History
from tests.history.samples import SETTINGS, Clock, action, at
from tests.act.snapshots import stalled

async def main() -> None:
    clock = Clock()
    found = History(Path(sys.argv[1]), settings=SETTINGS, clock=clock)
    await found.open()
    await found.add_window(
        starts_at=clock.now, ends_at=clock.now + 600, networks=(), nodes=(), reason="r", actor="a"
    )
    found.record([action()], lambda _: False)
    while True:
        for _ in range(10):
            found.sample(at(clock.now, stalled()))
            clock.now += 1
        found.remember_spent("2026-11-18", {"ethereum/a": int(clock.now)})
        await found.flush()
        print(int(clock.now), flush=True)

asyncio.run(main())
"""


async def test_history_survives_a_kill_while_it_works(path: Path) -> None:
    """Kill -9 of a real process: what was flushed is there, and the next one goes on."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, str(path), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    async with asyncio.timeout(60):
        for _ in range(25):
            line = await child.stdout.readline()
        os.kill(child.pid, signal.SIGKILL)
        rest = (await child.stdout.read()).decode().splitlines(keepends=True)
        await child.wait()
    flushed = int([line.decode(), *(each for each in rest if each.endswith("\n"))][-1])
    clock = Clock(flushed)
    async with opened(path, clock) as found:
        assert (found.errors_total, found.problem) == (0, "")
        assert (await only(found)).closed_at is None
        bars = await found.bars(["node:local"], span_seconds=DAY, count=1)
        bar = bars["node:local"][0]
        assert bar is not None
        # Between two samples of ten, the last second is counted with the next ten.
        assert bar.failed_seconds >= flushed - NOW - 1
        assert (await found.spent("2026-11-18"))["ethereum/a"] >= flushed
        assert [window.id for window in await found.windows()] == ["w1"]


# -- trouble -------------------------------------------------------------------------------------


async def test_history_that_cannot_be_written_keeps_it_and_writes_it_later(path: Path) -> None:
    """Another program holds the file: nothing is lost but time."""
    clock = Clock(MINUTE)
    async with opened(path, clock) as found:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            found.record([action()], nobody)
            watch(found, clock, 30, stalled())
            found.remember_spent("2026-11-18", {"ethereum/a": 5})
            await found.flush()
            assert found.errors_total == 1
            assert "locked" in found.problem
            with pytest.raises(HistoryError, match="locked"):
                await add(found, clock)
            found.record([action("closed", Level.OK, clock.now)], nobody)
            watch(found, clock, 20, healthy())
            found.remember_spent("2026-11-18", {"ethereum/a": 6})
            other.execute("ROLLBACK")
        await found.flush()
        assert (found.problem, found.lost_total) == ("", 0)
        incident = await only(found)
        assert [step.kind for step in incident.steps] == ["opened", "closed"]
        (bar,) = (await found.bars(["node:local"], span_seconds=3600, count=1))["node:local"]
        assert bar is not None
        assert (bar.failed_seconds, bar.ok_seconds) == (30, 20)
        assert await found.spent("2026-11-18") == {"ethereum/a": 6}


async def test_history_that_is_never_written_fills_no_memory(path: Path) -> None:
    """The oldest edges are dropped, and counted."""
    clock = Clock()
    async with opened(path, clock) as found:
        found.record([action(at=NOW + n) for n in range(EDGES_MAX + 7)], nobody)
        assert found.lost_total == 7
        assert len(found._edges) == EDGES_MAX
        assert found._edges[-1].at == NOW + EDGES_MAX + 6


async def settled(found: History) -> None:
    """Nothing of it is in the log any more."""
    await found._archive.write(
        lambda store: store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    )


def spoil(path: Path) -> None:
    """Write over all but the header."""
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xee" * (path.stat().st_size - 4096))


async def test_history_that_was_damaged_keeps_the_windows_people_rely_on(path: Path) -> None:
    """A window that silences people today outlives the file it was written in."""
    clock = Clock()
    async with opened(path, clock) as found:
        await add(found, clock)
        window = await add(found, clock)
        await settled(found)
        spoil(path)
        assert await found.incidents() == ()
        found.record([action()], nobody)
        await found.flush()
        assert (found.problem, found.errors_total) == ("", 2)
        assert (await only(found)).opened_at == NOW
    async with opened(path, clock) as found:
        assert window in await found.windows()


@pytest.mark.parametrize("harm", [spoil, Path.unlink])
async def test_incident_that_is_open_outlives_the_file_it_was_written_in(
    path: Path, harm: Callable[[Path], None]
) -> None:
    """What is wrong now is in the new file too, and so is its end."""
    clock = Clock()
    shown = replace(healthy(), edges=(action(),), silenced=frozenset({"node:local"}))
    async with opened(path, clock) as found:
        found.record([action()], nobody)
        watch(found, clock, 60, shown)
        await found.flush()
        await settled(found)
        harm(path)
        assert await found.incidents() == ()
        await found.flush()
        watch(found, clock, 1, shown)
        await found.flush()
        incident = await only(found)
        assert (incident.check, incident.worst, incident.silenced) == ("head", Level.FAILED, True)
        watch(found, clock, 1, shown)
        found.record([action("closed", Level.OK, clock.now)], nobody)
        await found.flush()
        incident = await only(found)
        assert incident.closed_at == clock.now
        assert [step.kind for step in incident.steps] == ["opened", "closed"]


async def test_history_in_memory_in_the_place_of_a_file_takes_no_windows(path: Path) -> None:
    """A window that a restart would forget is none; where no file is wanted it is one."""
    clock = Clock()
    async with opened(path.parent, clock) as found:
        with pytest.raises(HistoryError, match="cannot be opened"):
            await add(found, clock)
    async with opened(None, clock) as found:
        assert (await add(found, clock)).id == "w1"


async def test_history_follows_its_settings(path: Path) -> None:
    """A retention that is shortened while it runs is kept from the next flush on."""
    clock = Clock()
    async with opened(path, clock) as found:
        ago = NOW - 5 * DAY
        found.record([action(at=ago), action("closed", Level.OK, ago + 60)], nobody)
        await found.flush()
        assert (await only(found)).opened_at == ago
        found.settings = SETTINGS.model_copy(update={"retention_days": 1.0})
        clock.now += 60
        await found.flush()
        assert await found.incidents() == ()


# -- one-off windows -----------------------------------------------------------------------------


async def add(found: History, clock: Clock, *, after: float = 0.0) -> Window:
    return await found.add_window(
        starts_at=clock.now + after,
        ends_at=clock.now + after + 600,
        networks=["ethereum"],
        nodes=["local"],
        reason="update",
        actor="ada",
    )


async def test_windows_outlive_a_restart_and_end_by_themselves(path: Path) -> None:
    """Active and planned ones; what is over is of the past, and remembered."""
    clock = Clock()
    async with opened(path, clock) as found:
        first, second = await add(found, clock), await add(found, clock, after=900)
        assert (first.id, first.starts_at, first.networks) == ("w1", NOW, ("ethereum",))
        assert await found.windows() == (second, first)
    clock.now += 600
    async with opened(path, clock) as found:
        assert await found.windows() == (second,)
        assert await found.windows(past=True) == (second, first)


@pytest.mark.parametrize("is_file", [True, False])
async def test_window_is_in_force_again_when_the_clock_is_set_back(
    path: Path, *, is_file: bool
) -> None:
    """A clock that was a day ahead for a moment must not wake whoever is at work."""
    clock = Clock()
    async with opened(path if is_file else None, clock) as found:
        window, ended = await add(found, clock), await add(found, clock)
        await found.end_window(ended.id, actor="me")
        clock.now += DAY
        assert await found.windows() == ()
        clock.now -= DAY
        assert await found.windows() == (window,)
        assert (await found.end_window(window.id, actor="me")) is not None


async def test_window_is_ended_early_by_somebody(path: Path) -> None:
    """It says who; nobody ends it twice, nor one that is not there."""
    clock = Clock()
    async with opened(path, clock) as found:
        await add(found, clock)
        await add(found, clock, after=900)
        clock.now += 60
        ended = await found.end_window("w1", actor="bob")
        assert ended is not None
        assert (ended.ends_at, ended.ended_by) == (NOW + 60, "bob")
        called_off = await found.end_window("w2", actor="bob")
        assert called_off is not None
        assert called_off.ends_at == called_off.starts_at
        assert await found.windows() == ()
        for name in ("w1", "w2", "w3", "w0", "weekly-update", "", "w1; DROP TABLE windows"):
            assert await found.end_window(name, actor="eve") is None
    async with opened(path, clock) as found:
        assert await found.windows() == ()
        assert [w.ended_by for w in await found.windows(past=True)] == ["bob", "bob"]
        assert (await add(found, clock)).id == "w3"


async def test_windows_are_bounded(path: Path) -> None:
    """A script that goes wild fills no calendar."""
    clock = Clock()
    async with opened(path, clock) as found:
        for _ in range(WINDOWS_MAX):
            await add(found, clock)
        with pytest.raises(HistoryError, match=f"{WINDOWS_MAX} windows"):
            await add(found, clock)
        clock.now += 600
        assert (await add(found, clock)).id == f"w{WINDOWS_MAX + 1}"


async def test_numbers_and_texts_of_any_node_can_be_written(path: Path) -> None:
    """What a node says goes into sentences: no text and no height ends the history."""
    clock = Clock(MINUTE)
    odd = replace(
        finding(), summary="\ud83d\x00'; DROP TABLE incidents; --" * 99, reason="\udfff" * 999
    )
    async with opened(path, clock) as found:
        found.record([Action("opened", HEAD, NOW, odd, Level.OK)], nobody)
        far = HeadSeen(replace(head_at(TIP), number=BlockNumber(2**80)), None)
        shown = stalled()
        others = [o for o in shown.observations if (o.node, o.check) != ("local", "head")]
        observations = (*others, observed("local", "head", far))
        watch(found, clock, 2, replace(shown, observations=observations))
        await found.flush()
        assert found.problem == ""
        assert "DROP TABLE" in (await only(found)).summary
        (point,) = await found.lag("local", since=0)
        assert point == LagPoint(MINUTE, None, None, TIP)
