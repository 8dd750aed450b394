"""One anvil process: started, asked, stopped and never left behind."""

from __future__ import annotations

import asyncio
import ctypes
import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

import aiohttp
import msgspec

from monitor.lab.errors import LabError, LabRpcError
from monitor.lab.tools import find_anvil

Json: TypeAlias = Any
"""What a node of the lab answered. We started it ourselves, so its answers are read where they are
used; a missing field is a KeyError in a test, not a state to handle."""

Call: TypeAlias = tuple[Json, ...]
"""A method and its parameters."""

HASHES_ONLY = False
WITH_TRANSACTIONS = True
"""The second parameter of `eth_getBlockByNumber`."""

START_SECONDS_MAX = 20.0
RPC_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 0.5
START_POLL_SECONDS = 0.01
LOG_TAIL_CHARACTERS = 2000

_LISTENING = re.compile(r"Listening on 127\.0\.0\.1:(\d+)")


@dataclass(frozen=True, slots=True)
class Chain:
    """What a chain starts from: nodes agree on every hash only if they agree on all of it."""

    chain_id: int
    genesis_timestamp: int
    slots_in_an_epoch: int = 4
    """anvil shows `safe` one epoch and `finalized` two epochs behind its head."""
    hardfork: str = "prague"
    mnemonic: str = "test test test test test test test test test test test junk"

    def arguments(self) -> list[str]:
        """The arguments of anvil; every node mines only when told, in the order of arrival."""
        return [
            *("--chain-id", str(self.chain_id)),
            *("--timestamp", str(self.genesis_timestamp)),
            *("--slots-in-an-epoch", str(self.slots_in_an_epoch)),
            *("--hardfork", self.hardfork),
            *("--mnemonic", self.mnemonic),
            *("--accounts", "10", "--balance", "10000", "--gas-limit", "30000000"),
            *("--no-mining", "--order", "fifo"),
        ]


class Anvil:
    """One anvil process on a free port of 127.0.0.1, as an async context manager."""

    def __init__(
        self,
        chain: Chain,
        *,
        name: str = "anvil",
        binary: Path | None = None,
        session: aiohttp.ClientSession | None = None,
    ) -> None:
        """`session` is shared and stays open; without one the node brings its own."""
        self.name = name
        self._chain = chain
        self._binary = binary
        self._session = session
        self._own_session: aiohttp.ClientSession | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._directory: Path | None = None
        self._port = 0
        self._next_id = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        """For signals: SIGSTOP makes the node hang, SIGCONT heals it."""
        if self._process is None:
            message = f"{self.name} is not running"
            raise LabError(message)
        return self._process.pid

    async def start(self) -> None:
        """Start and wait until the node answers; raises LabError with the end of its log."""
        async with AsyncExitStack() as undo:
            undo.push_async_callback(self.stop)
            await self._start()
            undo.pop_all()

    async def stop(self) -> None:
        """Terminate, then kill; returns when the process is gone."""
        process = self._process
        try:
            if process is not None and process.returncode is None:
                with suppress(ProcessLookupError):
                    process.terminate()
                with suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), STOP_SECONDS_MAX)
        finally:
            if process is not None and process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
            if self._own_session is not None:
                await self._own_session.close()
                self._own_session = self._session = None
            if self._directory is not None:
                shutil.rmtree(self._directory, ignore_errors=True)

    async def rpc(self, method: str, *params: Json) -> Json:
        """The result of one call; raises LabRpcError for an error object, else LabError."""
        answer = await self._post(self._request((method, *params)), method)
        return _result(method, answer)

    async def batch(self, calls: Sequence[Call]) -> list[Json | LabRpcError]:
        """The result or the error of each call, in order; anvil begins them in that order."""
        if not calls:
            return []
        requests = [self._request(call) for call in calls]
        answers = {
            answer["id"]: answer for answer in await self._post(requests, f"{len(calls)} calls")
        }
        results: list[Json | LabRpcError] = []
        for call, request in zip(calls, requests, strict=True):
            try:
                results.append(_result(call[0], answers[request["id"]]))
            except LabRpcError as error:
                results.append(error)
        return results

    async def strict_batch(self, calls: Sequence[Call]) -> list[Json]:
        """As `batch`, but raises the first error."""
        results = await self.batch(calls)
        for result in results:
            if isinstance(result, LabRpcError):
                raise result
        return results

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def _start(self) -> None:
        binary = self._binary or find_anvil()
        self._directory = Path(tempfile.mkdtemp(prefix="headwatch-anvil-"))
        log = self._directory / "log"
        with log.open("wb") as output:
            try:
                self._process = await asyncio.create_subprocess_exec(
                    str(binary),
                    *("--host", "127.0.0.1", "--port", "0", "--threads", "1"),
                    *("--cache-path", str(self._directory)),
                    *self._chain.arguments(),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=asyncio.subprocess.STDOUT,
                    # Ctrl-C is ours to handle: nodes end in order, not all at once.
                    start_new_session=True,
                    preexec_fn=_die_with_parent(),
                )
            except OSError as error:
                message = f"{self.name}: {binary} does not start: {error}"
                raise LabError(message) from None
        self._port = await self._listening_port(log)
        if self._session is None:
            self._own_session = self._session = aiohttp.ClientSession()
        # Otherwise the node writes a line for every call, for as long as the lab is up.
        await self.strict_batch([("anvil_setLoggingEnabled", False)])

    async def _listening_port(self, log: Path) -> int:
        """The port the kernel chose; asking for port 0 leaves no race for it to be lost."""
        deadline = asyncio.get_running_loop().time() + START_SECONDS_MAX
        while asyncio.get_running_loop().time() < deadline:
            port = _port_in(log)
            if port is not None:
                return port
            if self._process is not None and self._process.returncode is not None:
                break
            await asyncio.sleep(START_POLL_SECONDS)
        message = f"{self.name} did not come up in {START_SECONDS_MAX:.0f} s{self._state()}"
        raise LabError(message)

    def _request(self, call: Call) -> dict[str, Json]:
        self._next_id += 1
        method, *params = call
        return {"jsonrpc": "2.0", "id": self._next_id, "method": method, "params": params}

    async def _post(self, payload: Json, what: str) -> Json:
        if self._session is None:
            message = f"{self.name} is not running"
            raise LabError(message)
        try:
            async with self._session.post(
                self.url,
                data=msgspec.json.encode(payload),
                headers={"Content-Type": "application/json"},
                timeout=aiohttp.ClientTimeout(total=RPC_SECONDS_MAX),
            ) as response:
                return msgspec.json.decode(await response.read())
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError) as error:
            message = f"{self.name} did not answer {what}: {error!r}{self._state()}"
            raise LabError(message) from error

    def _state(self) -> str:
        """How the process is, for an error text: its exit code and the end of its log."""
        code = self._process.returncode if self._process is not None else None
        text = "" if code is None else f"; it exited with {code}"
        if self._directory is not None and (self._directory / "log").exists():
            log = (self._directory / "log").read_text(errors="replace")
            text += f"; its log ends with:\n{log[-LOG_TAIL_CHARACTERS:]}"
        return text


def _port_in(log: Path) -> int | None:
    found = _LISTENING.search(log.read_text(errors="replace"))
    return int(found.group(1)) if found else None


def _result(method: str, answer: Json) -> Json:
    error = answer.get("error")
    if error is not None:
        raise LabRpcError(method, int(error.get("code", 0)), str(error.get("message", "")))
    return answer.get("result")


_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def _die_with_parent() -> Callable[[], None] | None:
    """What the child does before it becomes anvil: ask the kernel to be killed with its parent.

    A test runner that is killed runs no clean-up, so only the kernel can keep the promise that
    nothing is left behind. Between fork and exec only one thread lives and another's locks may be
    held for ever: hence all is looked up here, and the child makes three plain calls. The signal is
    tied to the thread that forks, which is the event loop's and lives as long as the nodes do.
    """
    if _LIBC is None:
        return None
    prctl = _LIBC.prctl
    parent = os.getpid()

    def request() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            # The parent died before the request was made: nobody would send the signal.
            os._exit(1)

    return request
