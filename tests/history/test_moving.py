"""What was kept in memory goes into the file as if it had always been there."""

from __future__ import annotations

from dataclasses import replace

from monitor.history import reads
from monitor.history.moving import batch_of
from monitor.history.store import Batch, Store
from monitor.model import Level
from tests.act.snapshots import NOW
from tests.history.samples import HEAD, MINUTE, edge, minutes, row, store


def incidents(target: Store) -> list[tuple[object, ...]]:
    found = reads.incidents(target.connection, subject=None, network=None, since=0, limit=99)
    return [(i.opened_at, i.closed_at, i.worst, i.because, i.silenced, i.steps) for i in found]


def test_batch_of_memory_makes_the_same_history_elsewhere() -> None:
    """Minutes, incidents with their steps, and spent calls."""
    memory, file = store(), store()
    other = ("stall", "node:spare")
    memory.write(
        Batch(
            [
                replace(edge(silenced=True), evidence='[["a","m","said",1.0,null,null,null]]'),
                replace(edge(key=other, at=NOW + 1), because=HEAD),
                edge("changed", Level.DEGRADED, NOW + 2, before=Level.FAILED),
                edge("closed", Level.OK, NOW + 3, key=other, before=Level.FAILED),
            ],
            spent={"2026-11-18": {"ethereum/a": 7}},
        )
    )
    memory.write(minutes({MINUTE + 60 * n: row(50, 10, head=n, lag=n) for n in range(90)}))
    file.write(batch_of(memory.connection))
    assert incidents(file) == incidents(memory)
    assert len(incidents(file)) == 2
    ask = {"span_seconds": 86_400.0, "count": 48, "now": NOW + 7200}
    bars = reads.bars(file.connection, ["node:local"], **ask)  # type: ignore[arg-type]
    assert bars == reads.bars(memory.connection, ["node:local"], **ask)  # type: ignore[arg-type]
    lag = reads.lag(file.connection, "local", since=0, now=NOW + 7200)
    assert lag == reads.lag(memory.connection, "local", since=0, now=NOW + 7200)
    assert reads.spent(file.connection, "2026-11-18") == {"ethereum/a": 7}


def test_batch_of_memory_adds_to_what_the_file_had() -> None:
    """An incident that was open in the file goes on, and seconds are added."""
    memory, file = store(), store()
    file.write(Batch([edge()]))
    file.write(minutes({MINUTE: row(20)}))
    memory.write(Batch([edge(at=NOW + 5, level=Level.DEGRADED)]))
    memory.write(minutes({MINUTE: row(30)}))
    file.write(batch_of(memory.connection))
    ((opened_at, _, worst, *_),) = incidents(file)
    assert (opened_at, worst) == (NOW, Level.FAILED)
    (bar,) = reads.bars(file.connection, ["node:local"], span_seconds=3600, count=1, now=NOW)[
        "node:local"
    ]
    assert bar is not None
    assert bar.ok_seconds == 50
