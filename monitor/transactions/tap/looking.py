"""Looks through what may be large, in a thread, so that the loop goes on."""

from __future__ import annotations

import asyncio

from monitor.transactions.tap.packing import unpacked
from monitor.transactions.tap.reading import NOTHING, Reading, is_harmless, read

LARGE_BYTES = 256 * 1024
"""From here on a thread is worth its while: half a millisecond, at the usual pace."""


async def unpack(body: bytes, coding: str, limit_bytes: int) -> bytes:
    """`packing.unpacked`, which raises PackedError."""
    if not coding or len(body) < LARGE_BYTES // 8:
        return unpacked(body, coding, limit_bytes)
    return await asyncio.to_thread(unpacked, body, coding, limit_bytes)


async def find_sends(body: bytes) -> Reading:
    """What a body sends, as the node will read it."""
    if len(body) < LARGE_BYTES:
        return _find_sends(body)
    return await asyncio.to_thread(_find_sends, body)


def _find_sends(body: bytes) -> Reading:
    return NOTHING if is_harmless(body) else read(body)
