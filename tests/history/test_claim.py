"""The lock of a data directory: one at a time, and never longer than its process."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.history.claim import LOCK_NAME, Claim, ClaimedError

ROOT = Path(__file__).resolve().parents[2]
HOLDER = """
import sys
from pathlib import Path
from monitor.history.claim import Claim

claim = Claim(Path(sys.argv[1]))
claim.take()
print("held", flush=True)
sys.stdin.read()
"""


def test_directory_is_one_holders_at_a_time(tmp_path: Path) -> None:
    """The second is refused until the first lets go; taking it again is nothing new."""
    first, second = Claim(tmp_path), Claim(tmp_path)
    first.take()
    first.take()
    with pytest.raises(ClaimedError, match="another headwatch uses"):
        second.take()
    first.release()
    second.take()
    second.release()
    second.release()


def test_claim_ends_with_its_process(tmp_path: Path) -> None:
    """A kill leaves a file behind, and no lock."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        claim = Claim(tmp_path)
        with pytest.raises(ClaimedError):
            claim.take()
        holder.kill()
        holder.wait()
    claim.take()
    claim.release()
    assert (tmp_path / LOCK_NAME).exists()


def test_claim_of_a_directory_that_was_taken_away_is_made_anew(tmp_path: Path) -> None:
    """A lock on a deleted file would keep nobody out of the directory that takes its place."""
    directory = tmp_path / "data"
    first = Claim(directory)
    first.take()
    shutil.rmtree(directory)
    first.take()
    with pytest.raises(ClaimedError):
        Claim(directory).take()
    first.release()


def test_directory_that_cannot_be_used_is_no_others(tmp_path: Path) -> None:
    """What is wrong is said as it is: nobody else has it."""
    (tmp_path / "data").write_text("a file")
    with pytest.raises(OSError, match="exists") as caught:
        Claim(tmp_path / "data").take()
    assert not isinstance(caught.value, ClaimedError)
