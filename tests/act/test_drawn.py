from __future__ import annotations

import asyncio
import threading

import pytest

from monitor.act.drawn import KEEP_SECONDS, KEPT_MAX, Drawn
from monitor.model import Snapshot
from tests.act import snapshots


class Desk:
    """A clock that a test moves, and how often it was looked and drawn."""

    def __init__(self) -> None:
        self.now = 0.0
        self.looks = 0
        self.drawn: Drawn[object, str] = Drawn(self.look, lambda: self.now)

    def look(self) -> Snapshot:
        self.looks += 1
        return snapshots.healthy()


async def test_drawn_page_is_kept_for_a_moment() -> None:
    """Who asks within half a second gets the same page; who asks later, another."""
    desk = Desk()
    for _ in range(3):
        assert await desk.drawn.get("a", lambda _: "page") == "page"
    assert desk.looks == 1
    desk.now += KEEP_SECONDS
    assert await desk.drawn.get("a", lambda _: "newer") == "newer"
    assert desk.looks == 2


async def test_drawn_pages_are_made_one_at_a_time() -> None:
    """However many pages are asked for at once, one thread is busy with them."""
    desk = Desk()
    busy = 0
    most = 0

    async def gather(snapshot: Snapshot) -> int:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await asyncio.sleep(0)
        busy -= 1
        return 7

    pages = [desk.drawn.get_with(key, gather, lambda _, found: str(found)) for key in range(20)]
    assert await asyncio.gather(*pages) == ["7"] * 20
    assert most == 1


async def test_drawn_pages_are_made_beside_the_loop() -> None:
    """Whoever asks for something small meanwhile does not wait for a large page."""
    desk = Desk()
    thread = await desk.drawn.get("a", lambda _: f"{threading.get_ident()}")
    assert thread != f"{threading.get_ident()}"


async def test_drawn_pages_that_are_kept_have_a_limit() -> None:
    """Whatever addresses are asked for, memory is bounded; the newest stay."""
    desk = Desk()
    for key in range(KEPT_MAX + 10):
        await desk.drawn.get(key, lambda _: "page")
    assert len(desk.drawn._kept) == KEPT_MAX
    looks = desk.looks
    await desk.drawn.get(KEPT_MAX + 9, lambda _: "page")
    assert desk.looks == looks


async def test_drawn_page_that_fails_is_not_kept() -> None:
    """A mistake while drawing does not last longer than its cause."""
    desk = Desk()

    def fail(_: Snapshot) -> str:
        message = "once"
        raise RuntimeError(message)

    with pytest.raises(RuntimeError, match="once"):
        await desk.drawn.get("a", fail)
    assert await desk.drawn.get("a", lambda _: "page") == "page"
