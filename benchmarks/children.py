"""Processes that are started to be measured or to answer, and that never outlive this one."""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import resource
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

Json: TypeAlias = Any
"""What a child says: we started it ourselves, so it is read where it is used."""

ROOT = Path(__file__).resolve().parent.parent
ANSWER_SECONDS_MAX = 120.0
STOP_SECONDS_MAX = 15.0
LINE_BYTES_MAX = 1 << 20
FILES_WANTED = 8192
PR_SET_PDEATHSIG = 1  # linux/prctl.h
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def raise_open_files() -> None:
    """As many open files as we may have: a fleet is thousands of connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_WANTED if hard == resource.RLIM_INFINITY else min(FILES_WANTED, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _die_with_parent() -> Callable[[], None] | None:
    """What a child asks of the kernel before it becomes its program.

    Between fork and exec another thread's locks may be held for ever: all is looked up here.
    """
    if LIBC is None:
        return None
    prctl, parent = LIBC.prctl, os.getpid()

    def request() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return request


@asynccontextmanager
async def child(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A `python ARGUMENTS` of this environment, terminated when the context ends."""
    clean = {key: text for key, text in os.environ.items() if not key.startswith("HEADWATCH_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE if "monitor" in arguments else None,
        limit=LINE_BYTES_MAX,
        cwd=ROOT,
        env={**clean, "PYTHONHASHSEED": "0"},
        preexec_fn=_die_with_parent(),
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), STOP_SECONDS_MAX)
        if process.returncode is None:
            process.kill()
            await process.wait()


async def hear(process: asyncio.subprocess.Process) -> Json:
    """The next line of JSON that a child says; raises RuntimeError when it ended instead."""
    line = b""
    if process.stdout is not None:
        line = await asyncio.wait_for(process.stdout.readline(), ANSWER_SECONDS_MAX)
    if not line:
        message = f"a child of the benchmark ended early, with {await process.wait()}"
        raise RuntimeError(message)
    return json.loads(line)


async def tell(process: asyncio.subprocess.Process, what: object) -> Json:
    """Say one line of JSON to a child, and its answer."""
    if process.stdin is not None:
        process.stdin.write(json.dumps(what).encode() + b"\n")
        await process.stdin.drain()
    return await hear(process)


@asynccontextmanager
async def answerer(
    ports: int, *, transactions: int = 0, interval_seconds: float = 0.0, born_at: int | None = None
) -> AsyncIterator[list[str]]:
    """URLs under which one chain of canned blocks answers; see `answerer`.

    Two of them with the same `born_at`, a Unix time in seconds, answer alike; by default it is now.
    """
    born = int(time.time()) if born_at is None else born_at
    arguments = (str(ports), str(transactions), str(interval_seconds), str(born))
    async with child("-m", "benchmarks.answerer", *arguments) as process:
        yield [f"http://127.0.0.1:{port}" for port in await hear(process)]


def memory_bytes(pid: int | str) -> int | None:
    """The resident memory of a process; None where there is no /proc."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return None
    line = next(x for x in status.read_text(encoding="ascii").splitlines() if "VmRSS" in x)
    return int(line.split()[1]) * 1024


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used. Needs /proc."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
