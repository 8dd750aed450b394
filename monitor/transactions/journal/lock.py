"""Whose a journal is: one process's at a time, by a lock that ends with it.

The lock is flock(2) on a file beside the journal; the process writes its number into it, so that
whoever is refused can say by whom.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from monitor.transactions.journal.record import JournalHeldError

NUMBER_BYTES_MAX = 20


class Lock:
    """The lock of one journal: `take` it once, `release` it once."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._path = journal.with_suffix(".lock")
        self._file: int | None = None

    def take(self) -> None:
        """Raises JournalHeldError when another process has it, OSError where there can be none."""
        # Another may take the file away between its opening and the lock: then once more.
        while not self.is_held():
            self.release()
            file = self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.truncate(file, 0)
                os.write(file, f"{os.getpid()}\n".encode())
            except BlockingIOError:
                holder = os.read(file, NUMBER_BYTES_MAX).strip()
                self.release()
                message = (
                    f"{self._journal} is used by another headwatch"
                    f" (pid {holder.decode() if holder.isdigit() else 'unknown'}):"
                    " one writer at a time"
                )
                raise JournalHeldError(message) from None
            except OSError:
                self.release()
                raise

    def release(self) -> None:
        """The file stays: who deleted it would let two others in."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def is_held(self) -> bool:
        """A lock on a file that was taken away, or replaced, keeps nobody out."""
        if self._file is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._file), self._path.stat())
        except FileNotFoundError:
            return False
