"""How fast a directory grows, by two readings."""

from __future__ import annotations

from pathlib import Path

from monitor.canary.disk import Reading, growth, read, reading
from tests.rpc.canned import Clock

GIGABYTE = 10**9


async def test_reading_is_what_the_files_take(tmp_path: Path) -> None:
    """With those of its folders; what is free is of the file system."""
    empty = reading(tmp_path, 1.0).size_bytes
    (tmp_path / "chaindata").mkdir()
    (tmp_path / "chaindata" / "a.sst").write_bytes(b"x" * 100_000)
    found = await read(tmp_path, Clock(7.0))
    assert isinstance(found, Reading)
    assert found.at == 7.0
    assert found.size_bytes - empty >= 100_000
    assert found.free_bytes > 0


async def test_directory_that_was_not_named_is_skipped_and_says_how_to() -> None:
    """What was not asked for is no pass."""
    assert await read(None, Clock(0.0)) is None
    found = growth(None, None)
    assert (found.outcome, found.reason) == ("skipped", "not_asked")
    assert "--candidate-data" in found.summary


async def test_directory_that_cannot_be_read_is_unknown(tmp_path: Path) -> None:
    """With the system's reason; before the soak or after it."""
    gone = await read(tmp_path / "absent", Clock(0.0))
    assert gone == "No such file or directory"
    found = growth(gone, Reading(0.0, 0, 0))
    assert (found.outcome, found.reason) == ("unknown", "unseen")
    assert growth(Reading(0.0, 0, 0), gone).summary.endswith("No such file or directory")


def test_growth_is_judged_over_the_time_between() -> None:
    """A gigabyte in an hour is 24 a day."""
    found = growth(Reading(0.0, 0, 0), Reading(3600.0, GIGABYTE, 24 * GIGABYTE))
    assert (found.outcome, found.reason) == ("warn", "full_soon")
    assert found.lines[0].candidate == "24.00"
