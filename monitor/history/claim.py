"""Whose a data directory is: one sidecar's at a time, by a lock that ends with its process.

Two that wrote one history would each close the other's incidents.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

LOCK_NAME = "sidecar.lock"


class ClaimedError(OSError):
    """Another process has it."""


class Claim:
    """The lock of one directory. `take` it as often as you like, `release` it once."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / LOCK_NAME
        self._lock: IO[str] | None = None

    def take(self) -> None:
        """Raises ClaimedError when another process has it, OSError where there can be no lock."""
        if self._is_held():
            return
        self.release()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lock = self._path.open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            message = f"another headwatch uses {self._path.parent}"
            raise ClaimedError(message) from None
        except BaseException:
            lock.close()
            raise
        self._lock = lock

    def release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _is_held(self) -> bool:
        """A lock on a file that was taken away keeps nobody out."""
        if self._lock is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._lock.fileno()), self._path.stat())
        except FileNotFoundError:
            return False
