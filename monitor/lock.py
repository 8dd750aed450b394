"""Whose a journal or a store is: one process's at a time, by a lock that ends with it.

The lock is flock(2) on a file beside it; the process writes its number into it, so that whoever is
refused can say by whom.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

NUMBER_BYTES_MAX = 20


class Lock:
    """One lock: `take` it once, `release` it once."""

    def __init__(self, path: Path, whose: Path, refusal: Callable[[str], Exception]) -> None:
        """`whose` is what the lock is of, as people are told; `refusal` makes what is raised."""
        self._path = path
        self._whose = whose
        self._refusal = refusal
        self._file: int | None = None

    def take(self) -> None:
        """Raises the refusal when another process has it, OSError where there can be none."""
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
                    f"{self._whose} is used by another headwatch"
                    f" (pid {holder.decode() if holder.isdigit() else 'unknown'}):"
                    " one writer at a time"
                )
                raise self._refusal(message) from None
            except OSError:
                self.release()
                raise

    def check(self) -> None:
        """Raises the refusal where the lock keeps nobody out any more."""
        if not self.is_held():
            message = f"{self._path} was taken away or replaced: another headwatch may write there"
            raise self._refusal(message)

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
