"""The lock of a store: one process at a time, and never longer than its process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from monitor.ledger.errors import BrokenStore
from monitor.ledger.store.lock import LOCK_NAME, Lock

ROOT = Path(__file__).resolve().parents[3]
HOLDER = """
import sys
from pathlib import Path
from monitor.ledger.store.lock import Lock

Lock(Path(sys.argv[1])).take()
print("held", flush=True)
sys.stdin.read()
"""


def test_lock_is_one_holders_at_a_time(tmp_path: Path) -> None:
    """The second is refused until the first lets go; taking it again is nothing new."""
    first, second = Lock(tmp_path), Lock(tmp_path)
    first.take()
    first.take()
    with pytest.raises(BrokenStore):
        second.take()
    assert (first.is_held(), second.is_held()) == (True, False)
    first.release()
    second.take()
    assert (first.is_held(), second.is_held()) == (False, True)
    second.release()
    second.release()


def test_lock_names_who_has_it_and_ends_with_its_process(tmp_path: Path) -> None:
    """The one who is refused learns the number of the other; a kill leaves no lock behind."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        lock = Lock(tmp_path)
        with pytest.raises(BrokenStore) as caught:
            lock.take()
        assert str(caught.value) == (
            f"{tmp_path} is used by another headwatch (pid {holder.pid}): one writer at a time"
        )
        holder.kill()
        holder.wait()
        lock.take()
        lock.check()
        lock.release()


@pytest.mark.parametrize("is_replaced", [False, True])
def test_lock_on_a_file_that_was_taken_away_is_none(tmp_path: Path, *, is_replaced: bool) -> None:
    """Who writes is told that another may write too; whoever comes then gets a lock of his own."""
    lock = Lock(tmp_path)
    lock.take()
    lock.check()
    (tmp_path / LOCK_NAME).unlink()
    if is_replaced:
        (tmp_path / LOCK_NAME).write_text("1\n")
    with pytest.raises(BrokenStore, match=f"{LOCK_NAME} was taken away or replaced"):
        lock.check()
    lock.take()
    lock.check()
    lock.release()


def test_lock_where_there_is_no_folder_is_the_disks_error(tmp_path: Path) -> None:
    """No folder, no lock."""
    with pytest.raises(FileNotFoundError):
        Lock(tmp_path / "none").take()
