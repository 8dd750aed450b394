"""A Chromium without a window, for the tests that need a real browser.

It is taken from `CHROMIUM_BIN`, else from the PATH: `apt-get install chromium`, where root may.
What it would ask its maker for by itself is switched off, and names are not resolved: it can reach
nothing but the server of the test.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, async_playwright

VARIABLE = "CHROMIUM_BIN"
NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",  # containers run as root, and load only what the test serves
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--hide-scrollbars",
    "--font-render-hinting=none",
    "--force-color-profile=srgb",
)


class MissingChromiumError(Exception):
    """There is no Chromium here; the message says what to do."""


def find() -> Path:
    """The program; raises MissingChromiumError."""
    named = os.environ.get(VARIABLE)
    if named:
        if os.access(named, os.X_OK):
            return Path(named)
        message = f"{VARIABLE} names {named}, which is not a program"
        raise MissingChromiumError(message)
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return Path(found)
    message = f"no Chromium: `apt-get install chromium`, or name one in {VARIABLE}"
    raise MissingChromiumError(message)


@asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    """A browser, closed at the end."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find(), args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            await browser.close()


def main() -> int:
    """Install Debian's Chromium where that can be done: by root, and with apt.

    Without root it cannot be unpacked like the other programs: its libraries are in too many
    packages. A Chromium that is missing all the same is a failure in CI only.
    """
    try:
        find()
    except MissingChromiumError:
        apt = shutil.which("apt-get")
        if apt is not None and os.geteuid() == 0:
            environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            for step in (("update",), ("install", "-y", "--no-install-recommends", "chromium")):
                subprocess.run((apt, "-qq", *step), env=environment, check=False)
    try:
        sys.stdout.write(f"chromium: {find()}\n")
    except MissingChromiumError as error:
        sys.stderr.write(f"chromium: missing, so its tests are skipped: {error}\n")
        return 1 if os.environ.get("CI") else 0
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
