"""A program that signs: JSON on its input, the raw bytes in hexadecimal digits on its output."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import PurePath
from typing import cast

import msgspec

from monitor.model import Address
from monitor.transactions.raw import RawError, from_hex
from monitor.transactions.signers.verified import SignerError, refuse_unsignable, verified
from monitor.transactions.unsigned import Unsigned

DEADLINE_SECONDS = 30.0
EXIT_SECONDS_MAX = 1.0
"""How long a killed program is waited for."""
OUTPUT_BYTES_MAX = 512 * 1024
"""Twice the digits of the longest transaction without blobs."""
COMPLAINT_BYTES_KEPT = 4096
COMPLAINT_CHARACTERS_MAX = 200
SECRET_LENGTH_MIN = 4
"""Shorter words of the command line are no secrets."""
_SECRET = re.compile(r"(?<=://)\S+|[0-9A-Fa-f]{32,}")
"""The rest of a URL, and digits as long as half a key, wherever a program prints them."""
_OUT = 1


class CommandSigner:
    """Signs by starting a program, without a shell, once for every signature.

    It gets one line of JSON, `{"sender": "0x…", "transaction": {…}}`, where the transaction is the
    object of `eth_signTransaction`, and prints `0x…`. It has a deadline, after which it is killed
    with everything it has started. What it prints on its standard error is shown when it fails,
    without its own arguments, URLs and long runs of hexadecimal digits.
    """

    def __init__(self, argv: Sequence[str], *, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        """`argv` is the program and its arguments; raises ValueError when it is empty."""
        if not argv:
            message = "a command has at least one word"
            raise ValueError(message)
        self._argv = tuple(argv)
        self._name = PurePath(argv[0]).name
        self._deadline_seconds = deadline_seconds

    async def sign(self, unsigned: Unsigned, sender: Address) -> bytes:
        """The signed bytes, verified; raises SignerError."""
        refuse_unsignable(unsigned)
        request = {"sender": sender, "transaction": unsigned.as_json(sender)}
        output = await self._run(msgspec.json.encode(request) + b"\n")
        try:
            raw = from_hex(output.decode("ascii", errors="replace").strip())
        except RawError as error:
            message = f"{self._name}: what it printed is {error}"
            raise SignerError(message) from None
        return verified(raw, unsigned, sender)

    async def close(self) -> None:
        """Nothing is kept between two signatures."""

    async def _run(self, request: bytes) -> bytes:
        """What the program prints, once it has ended well."""
        transport, heard = await self._start()
        try:
            writing = cast("asyncio.WriteTransport", transport.get_pipe_transport(0))
            writing.write(request)
            writing.write_eof()
            async with asyncio.timeout(self._deadline_seconds):
                await heard.ended
        except TimeoutError:
            message = f"{self._name}: no signature within {self._deadline_seconds:g} s"
            raise SignerError(message) from None
        finally:
            await _put_away(transport, heard)
        if heard.is_overlong:
            message = f"{self._name}: it printed more than {OUTPUT_BYTES_MAX} bytes"
            raise SignerError(message)
        code = transport.get_returncode()
        if code:
            message = f"{self._name}: {_ending(code)}{self._complaint(bytes(heard.complaint))}"
            raise SignerError(message)
        return bytes(heard.output)

    async def _start(self) -> tuple[asyncio.SubprocessTransport, _Heard]:
        """Start the program; raises SignerError where that cannot be done."""
        loop = asyncio.get_running_loop()
        starting = asyncio.ensure_future(
            loop.subprocess_exec(_Heard, *self._argv, start_new_session=True)
        )
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            # Cancelled halfway, asyncio would kill the program and leave what it has started.
            with suppress(OSError):
                await _put_away(*await starting)
            raise
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            message = f"{self._name}: it cannot be started: {reason}"
            raise SignerError(message) from None

    def _complaint(self, written: bytes) -> str:
        """The end of what it wrote on its standard error, on one line, for an error text."""
        text = written.decode(errors="replace")
        for secret in self._secrets():
            text = text.replace(secret, "***")
        text = _SECRET.sub("***", text)
        text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        if len(text) > COMPLAINT_CHARACTERS_MAX:
            text = "…" + text[1 - COMPLAINT_CHARACTERS_MAX :]
        return f": {text}" if text else ""

    def _secrets(self) -> list[str]:
        """What of the command line may be one: all but options, and what options are set to."""
        words = [
            word.partition("=")[2] if word.startswith("-") else word for word in self._argv[1:]
        ]
        found = {word for word in words if len(word) >= SECRET_LENGTH_MIN}
        return sorted(found, key=len, reverse=True)


class _Heard(asyncio.SubprocessProtocol):
    """What a program prints, within the limits, and that it has ended."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.output = bytearray()
        self.complaint = bytearray()
        """The end of its standard error."""
        self.is_overlong = False
        self.ended: asyncio.Future[None] = loop.create_future()
        """It has exited and its output is whole; or there is too much of it."""
        self.exited: asyncio.Future[None] = loop.create_future()
        self.is_closed = False
        """It has exited, and nothing is left that could print."""

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd != _OUT:
            self.complaint += data
            del self.complaint[:-COMPLAINT_BYTES_KEPT]
            return
        if self.is_overlong:
            return
        self.output += data
        if len(self.output) > OUTPUT_BYTES_MAX:
            self.is_overlong = True
            self._end(self.ended)

    def process_exited(self) -> None:
        self._end(self.exited)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.is_closed = True
        self._end(self.ended)

    @staticmethod
    def _end(future: asyncio.Future[None]) -> None:
        if not future.done():
            future.set_result(None)


async def _put_away(transport: asyncio.SubprocessTransport, heard: _Heard) -> None:
    """Leave nothing running: neither the program nor what it has started."""
    if not heard.is_closed:
        # Its session is its own, so its process group is named by its process id.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(transport.get_pid(), signal.SIGKILL)
        with suppress(TimeoutError):
            async with asyncio.timeout(EXIT_SECONDS_MAX):
                await heard.exited
    transport.close()


def _ending(code: int) -> str:
    """How a program ended that did not end well."""
    if code > 0:
        return f"it ended with exit code {code}"
    with suppress(ValueError):
        return f"it was ended by {signal.Signals(-code).name}"
    return f"it was ended by signal {-code}"
