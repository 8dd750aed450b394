"""How fast the candidate's data grows: the directory's size at two moments."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from monitor.canary import rules
from monitor.canary.comparison import NOT_ASKED, Comparison


@dataclass(frozen=True, slots=True)
class Reading:
    """The files of a directory at one moment."""

    at: float
    size_bytes: int
    free_bytes: int


def reading(directory: Path, now: float) -> Reading:
    """What the files take on the disk; those that vanish meanwhile count nothing. Raises OSError.

    Blocks and not lengths: databases keep files with holes.
    """
    size = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                size += Path(folder, name).lstat().st_blocks * 512
    return Reading(now, size, shutil.disk_usage(directory).free)


async def read(directory: Path | None, clock: Callable[[], float]) -> Reading | str | None:
    """A reading, taken in a thread; why there is none; None where no directory was named."""
    if directory is None:
        return None
    try:
        return await asyncio.to_thread(reading, directory, clock())
    except OSError as error:
        return error.strerror or type(error).__name__


def growth(before: Reading | str | None, after: Reading | str | None) -> Comparison:
    """The check `disk`, from the reading before the soak and the one after it."""
    if before is None or after is None:
        said = "not asked for: --candidate-data DIR names the directory to measure"
        return Comparison("disk", "skipped", NOT_ASKED, said)
    if isinstance(before, str) or isinstance(after, str):
        why = before if isinstance(before, str) else after
        said = f"the directory cannot be read: {why}"
        return Comparison("disk", "unknown", "unseen", said)
    return rules.disk(after.size_bytes - before.size_bytes, after.at - before.at, after.free_bytes)
