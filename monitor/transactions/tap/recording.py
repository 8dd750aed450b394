"""Writes down what programs ask, for a replay against a new version of the node.

Only methods that a replay puts, which read and never send, and of those the method and its
parameters: no headers, no path, no answer, and nothing of a method that takes a password or a key.
Nothing waits for the disk: lines are written in a thread, and left out where it does not follow.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import msgspec

from monitor.canary.traffic import is_safe
from monitor.transactions.tap.reading import UNREADABLE

BYTES_MAX = 64 * 2**20
"""Of the file, which then becomes the one before it (`FILE.1`); what was that is gone."""
BODY_BYTES_MAX = 64 * 1024
"""Longer requests are not looked into."""
LINES_AT_ONCE = 64
LINES_WAITING_MAX = 10_000
MODE = 0o600
"""What a program asks about is nobody else's to read."""
log = logging.getLogger("headwatch")


class _Asked(msgspec.Struct, frozen=True):
    method: str
    params: msgspec.Raw = msgspec.Raw(b"[]")


_asked: msgspec.json.Decoder[list[_Asked] | _Asked] = msgspec.json.Decoder(list[_Asked] | _Asked)


class Recorder:
    """One file of recorded requests, a line each; `close` writes what is still waiting."""

    def __init__(
        self,
        path: Path,
        *,
        share: float = 1.0,
        bytes_max: int = BYTES_MAX,
        draw: Callable[[], float] | None = None,
    ) -> None:
        """`share` of the requests are written down, chosen by `draw`."""
        self.path = path
        self.left_out = 0
        """Lines for which there was no room, because the disk did not follow."""
        self._share = share
        self._bytes_max = bytes_max
        self._draw = draw or Random().random  # noqa: S311 - a sample, not a secret
        self._waiting: list[bytes] = []
        self._writing: asyncio.Task[None] | None = None
        self._is_broken = False

    def note(self, body: bytes) -> None:
        """Take down the calls of one request that sends nothing; whatever it is, it never fails."""
        if self._is_broken or len(body) > BODY_BYTES_MAX or self._draw() >= self._share:
            return
        try:
            lines = list(_lines(body))
        except UNREADABLE:
            return
        room = LINES_WAITING_MAX - len(self._waiting)
        self.left_out += max(0, len(lines) - room)
        self._waiting += lines[: max(0, room)]
        if len(self._waiting) >= LINES_AT_ONCE and self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def close(self) -> None:
        """Write what is waiting, and end."""
        if self._writing is not None:
            await self._writing
        if self._waiting and not self._is_broken:
            await self._write()

    async def _write(self) -> None:
        lines, self._waiting = self._waiting, []
        try:
            await asyncio.to_thread(self._append, b"".join(lines))
        except OSError as error:
            self._is_broken = True
            log.warning("requests are not recorded any more: %s", error.strerror)
        finally:
            self._writing = None

    def _append(self, text: bytes) -> None:
        if self.path.exists() and self.path.stat().st_size + len(text) > self._bytes_max:
            self.path.replace(self.path.with_name(f"{self.path.name}.1"))
        opened = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, MODE)
        with os.fdopen(opened, "ab") as file:
            file.write(text)


def _lines(body: bytes) -> Iterator[bytes]:
    """A line for each call that a replay puts. Raises what decoding raises."""
    read = _asked.decode(body)
    for call in read if isinstance(read, list) else [read]:
        # A line break between two values is as good as a blank, and would end the line here.
        params = bytes(call.params).replace(b"\n", b" ").replace(b"\r", b" ").decode()
        if is_safe(call.method) and params.lstrip().startswith("["):
            name = msgspec.json.encode(call.method).decode()
            yield f'{{"method":{name},"params":{params}}}\n'.encode()
