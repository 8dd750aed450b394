"""The lock of a journal or a store: one process at a time, and never longer than its process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.lock import Lock

ROOT = Path(__file__).resolve().parents[1]
HOLDER = """
import sys
from pathlib import Path
from monitor.lock import Lock

path = Path(sys.argv[1])
Lock(path.with_suffix(".lock"), path, OSError).take()
print("held", flush=True)
sys.stdin.read()
"""


class RefusedError(Exception):
    """Another has it."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """What is locked."""
    return tmp_path / "journal.sqlite"


def lock_of(path: Path) -> Lock:
    return Lock(path.with_suffix(".lock"), path, RefusedError)


def test_lock_is_one_holders_at_a_time(path: Path) -> None:
    """The second is refused until the first lets go; taking it again is nothing new."""
    first, second = lock_of(path), lock_of(path)
    first.take()
    first.take()
    with pytest.raises(RefusedError):
        second.take()
    assert (first.is_held(), second.is_held()) == (True, False)
    first.release()
    second.take()
    assert (first.is_held(), second.is_held()) == (False, True)
    second.release()
    second.release()


def test_lock_names_who_has_it_and_ends_with_its_process(path: Path) -> None:
    """The one who is refused learns the number of the other; a kill leaves no lock behind."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        lock = lock_of(path)
        with pytest.raises(RefusedError) as caught:
            lock.take()
        assert str(caught.value) == (
            f"{path} is used by another headwatch (pid {holder.pid}): one writer at a time"
        )
        holder.kill()
        holder.wait()
    lock.take()
    assert path.with_suffix(".lock").read_text() == f"{os.getpid()}\n"
    lock.release()


def test_lock_whose_holder_wrote_no_number_names_none(path: Path) -> None:
    """What is no number is not repeated."""
    first = lock_of(path)
    first.take()
    path.with_suffix(".lock").write_text("\x1b[31m nonsense")
    with pytest.raises(RefusedError, match=r"\(pid unknown\)"):
        lock_of(path).take()
    first.release()


@pytest.mark.parametrize("is_replaced", [True, False])
def test_lock_on_a_file_that_was_taken_away_is_held_no_more(
    path: Path, *, is_replaced: bool
) -> None:
    """It would keep nobody out; taken again, it does."""
    first = lock_of(path)
    first.take()
    path.with_suffix(".lock").unlink()
    if is_replaced:
        path.with_suffix(".lock").touch()
    assert not first.is_held()
    with pytest.raises(RefusedError, match=r"journal\.lock was taken away or replaced"):
        first.check()
    first.take()
    first.check()
    with pytest.raises(RefusedError):
        lock_of(path).take()
    first.release()


def test_lock_where_there_can_be_none_is_no_others(tmp_path: Path) -> None:
    """What is wrong is said as it is: nobody else has it."""
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError):
        lock_of(tmp_path / "file" / "journal.sqlite").take()
