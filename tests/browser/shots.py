"""`python -m tests.browser.shots`: the screenshots of the documentation, made anew.

They show invented nodes in the situations of `scenes`, drawn by the pages that are in the tree.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser

from monitor.model import Snapshot
from tests.act import snapshots
from tests.act.accounts import tx_hash
from tests.browser.chromium import browsing
from tests.browser.scenes import KEPT, SCENES, WATCHED, shown

DIRECTORY = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
BYTES_MAX = 150_000
HEIGHT_MAX = 1600


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: what is shown, and on which screen."""

    scene: str
    route: str = "/"
    width: int = 1120
    height: int = 860
    scheme: Literal["light", "dark"] = "light"
    hours: float = 24.0


FLEET: Mapping[str, Snapshot] = {"fleet": snapshots.fleet(200)}
SHOTS: Mapping[str, Shot] = {
    "fleet-healthy": Shot("healthy"),
    "fleet-stalled": Shot("stalled"),
    "fleet-unknown": Shot("unknown"),
    "fleet-healthy-dark": Shot("healthy", scheme="dark"),
    "fleet-of-200": Shot("fleet", hours=3.0),
    "fleet-phone": Shot("stalled", width=360, height=780),
    "node-forked": Shot("forked", "/node/local", height=1000),
    "node-forked-dark": Shot("forked", "/node/local", height=1000, scheme="dark"),
    "node-phone-dark": Shot("stalled", "/node/local", width=360, height=780, scheme="dark"),
    "incidents": Shot("stalled", "/incidents"),
    "runbook": Shot("stalled", "/runbook/HeadwatchNodeStalled"),
    "transactions": Shot("watched", "/#transactions", height=760),
    "transaction": Shot("watched", f"/transactions/{tx_hash(17)}", height=1150),
    "transaction-dark": Shot("watched", f"/transactions/{tx_hash(17)}", height=1150, scheme="dark"),
    "ledgers": Shot("ledgers", "/#ledgers", height=900),
    "transactions-phone": Shot("halted", "/#transactions", width=360, height=780),
}


async def take(browser: Browser, shot: Shot) -> bytes:
    """The picture as PNG."""
    scenes = {**SCENES, **WATCHED, **KEPT, **FLEET}
    async with shown(scenes[shot.scene], hours=shot.hours) as theatre:
        context = await browser.new_context(
            viewport={"width": shot.width, "height": min(shot.height, HEIGHT_MAX)},
            color_scheme=shot.scheme,
            reduced_motion="reduce",
        )
        page = await context.new_page()
        await page.goto(theatre.address + shot.route)
        if await page.locator("#chart").count():
            await page.locator("#chart canvas").wait_for()
        await page.wait_for_function("document.getElementById('live-words').textContent==='live'")
        picture = await page.screenshot(animations="disabled")
        await context.close()
    return picture


async def main(names: list[str]) -> int:
    """All of them, or those that are named; 1 when one is too large to be committed."""
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    too_large = False
    async with browsing() as browser:
        for name, shot in SHOTS.items():
            if names and name not in names:
                continue
            picture = await take(browser, shot)
            too_large = too_large or len(picture) > BYTES_MAX
            (DIRECTORY / f"{name}.png").write_bytes(picture)
            sys.stdout.write(f"docs/screenshots/{name}.png: {len(picture):,} bytes\n")
    return int(too_large)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
