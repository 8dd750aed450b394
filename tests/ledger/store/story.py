"""The life of a store, act by act, in a process that is killed or has no room.

`kill FOLDER` lives it again and again, each time in a folder of its own, killed a few steps later
than before; `cramped FOLDER BYTES` lives it once, no file being allowed to grow beyond so many
bytes, and begins an act anew with twice as many when there was no room. A step is a call that may
change the disk.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from monitor.ledger.errors import BrokenStore
from monitor.ledger.store import Snapshot, Store
from tests.ledger.store.samples import fill, held, named, nothing, opened

Act = Callable[[Store], object]
ACTS: tuple[Act, ...] = (
    lambda store: fill(store, (100, 107)),
    lambda store: store.put_facts("orders", b'{"0": 1}', block=107),
    lambda store: fill(store, (108, 125)),
    lambda store: store.seal(122),
    lambda store: store.put_snapshot(119, named(119), b"state of 119"),
    lambda store: store.put_facts("orders", b'{"0": 1, "1": 2}', block=125),
    lambda store: store.rollback(123),
    lambda store: fill(store, (124, 124), fork="b"),
    lambda store: fill(store, (125, 145), fork="b"),
    lambda store: store.seal(145),
    lambda store: store.put_snapshot(140, named(140, "b"), b"state of 140"),
    lambda store: store.rollback(121),
    lambda store: store.add(nothing(), first=120, last=130, last_hash=named(130, "c")),
    lambda store: store.rollback(-1),
    lambda store: fill(store, (90, 112), fork="d"),
    lambda store: store.seal(112),
)
"""Files are of ten logs: the second rollback goes below what is sealed."""
STEPS = frozenset(
    ("execute", "write", "fsync", "replace", "rename", "unlink", "mkdir", "truncate", "flock")
)
"""C functions that are called between one state of the disk and the next."""
NAMING = frozenset(("replace", "rename", "unlink"))
STEPS_APART = 9
DONE = "done"
"""The file that says how many acts are over, a byte each."""


class Told(NamedTuple):
    """All that a store says of itself; how it is kept is not in it."""

    held_from: int | None
    held_to: int | None
    hash_at_end: str | None
    logs: object
    facts: bytes | None
    snapshot: Snapshot | None


def told(store: Store) -> Told:
    """What can be seen from outside."""
    return Told(
        store.held_from,
        store.held_to,
        store.hash_at_end,
        held(store).to_pylist(),
        store.facts("orders"),
        store.snapshot(),
    )


def live(folder: Path, acts: tuple[Act, ...] = ACTS) -> None:
    """The acts in order; each that is over is written down beside the store."""
    with (folder.parent / f"{folder.name}.{DONE}").open("ab", buffering=0) as done:
        for number, act in enumerate(acts):
            # Now and then another process goes on.
            if number % 4 == 0:
                store = opened(folder)
            act(store)
            done.write(b".")
            if number % 4 == 3 or number == len(acts) - 1:
                store.close()


def watched(folder: Path, before: Callable[[int, str], None]) -> None:
    """Live; each step is announced with its number, from 1, and the name of the call."""
    seen = 0

    def watch(frame: FrameType, event: str, argument: object) -> None:
        nonlocal seen
        name = getattr(argument, "__name__", "")
        if event == "c_call" and name in STEPS:
            seen += 1
            before(seen, name)

    sys.setprofile(watch)
    live(folder)
    sys.setprofile(None)


def killed(folder: Path, step: int) -> None:
    """Live in a child that is killed before a step."""
    child = os.fork()
    if not child:
        watched(
            folder, lambda now, _: os.kill(os.getpid(), signal.SIGKILL) if now == step else None
        )
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        message = f"the child that lived in {folder} was not killed before step {step}"
        raise RuntimeError(message)


def steps_of(folder: Path) -> list[int]:
    """The steps to be killed before: where names change, and every few in between."""
    names: list[str] = []
    watched(folder, lambda _, name: names.append(name))
    return [step for step, name in enumerate(names, 1) if name in NAMING or step % STEPS_APART == 0]


def cramped(folder: Path, room_bytes: int) -> int:
    """Live with little room, and more when it was too little; how often it was.

    After each failure the store is as before the act, or after it, and can be used.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    failures = 0

    def limit(size: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))

    store: Store | None = None
    for act in ACTS:
        before = None if store is None else told(store)
        while True:
            limit(room_bytes)
            try:
                store = store or opened(folder)
                act(store)
            except BrokenStore:
                failures += 1
                room_bytes *= 2
                limit(resource.RLIM_INFINITY)
                if store is not None and before is not None and told(store) != before:
                    break
                continue
            limit(resource.RLIM_INFINITY)
            break
    assert store is not None
    store.close()
    return failures


def main() -> None:
    """Say in one line what came of it."""
    what, folder = sys.argv[1], Path(sys.argv[2])
    if what == "cramped":
        sys.stdout.write(f"{cramped(folder / 'cramped', int(sys.argv[3]))}\n")
        return
    # What is loaded by the first life is no step of the others.
    live(folder / "first")
    for step in steps_of(folder / "whole"):
        killed(folder / f"{step:04}", step)
        sys.stdout.write(f"{step}\n")


if __name__ == "__main__":
    main()
