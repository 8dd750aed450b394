"""`headwatch` as its users start it: commands run to their end, a sidecar beside a lab."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

SECONDS_MAX = 60.0


def headwatch(*arguments: str, env: dict[str, str] | None = None, cwd: Path | None = None) -> Any:
    """Run a command to its end; what it would keep for later ends with it."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("HEADWATCH_")}
    with tempfile.TemporaryDirectory(prefix="headwatch-state-") as state:
        clean |= {"PYTHONPATH": str(Path(__file__).parents[2]), "STATE_DIRECTORY": state}
        return subprocess.run(
            [sys.executable, "-m", "monitor", *arguments],
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
            env={**clean, **(env or {})},
            cwd=cwd,
        )


async def headwatch_beside(*arguments: str) -> Any:
    """The same beside a lab that this loop keeps alive."""
    return await asyncio.to_thread(headwatch, *arguments)


@asynccontextmanager
async def sidecar(config: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A running `headwatch run` and the address of its page, as its log names it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "monitor", "run", "-c", str(config)),
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "HEADWATCH_DATA_DIR": str(config.parent / "state")},
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(SECONDS_MAX):
            while match := await process.stderr.readline():
                address = re.search(rb"status page on (http://\S+)/", match)
                if address:
                    break
            else:
                pytest.fail("headwatch run ended before it listened")
        yield process, address[1].decode()
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def get(url: str) -> tuple[int, str]:
    """Status and body of one page."""
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS_MAX)) as session,
        session.get(url) as response,
    ):
        return response.status, await response.text()


async def until_status(url: str, status: int) -> str:
    """The body of a page once it has this status."""
    async with asyncio.timeout(SECONDS_MAX):
        while True:
            found, body = await get(url)
            if found == status:
                return body
            await asyncio.sleep(0.05)
