"""Small and large bodies are looked through alike."""

from __future__ import annotations

import gzip
import threading

import pytest

from monitor.transactions.tap.looking import LARGE_BYTES, find_sends, unpack
from monitor.transactions.tap.packing import PackedError

SEND = b'{"id":1,"method":"eth_sendRawTransaction","params":["0x%s"]}'
SIZES = (70, LARGE_BYTES // 2 - 40, LARGE_BYTES // 2, LARGE_BYTES)


@pytest.mark.parametrize("size", SIZES)
async def test_sends_are_found_at_any_size(size: int) -> None:
    """In the loop or in a thread, the reading is the same."""
    reading = await find_sends(SEND % (b"ab" * size))
    assert [call.raws for call in reading.calls] == [(b"\xab" * size,)]
    assert not (await find_sends(b"x" * size)).calls


async def test_large_body_is_looked_through_in_a_thread() -> None:
    """While it is, the loop goes on: another thread has it."""
    before = threading.active_count()
    await find_sends(b"x" * LARGE_BYTES)
    assert threading.active_count() == before + 1


@pytest.mark.parametrize("size", SIZES)
async def test_packed_bodies_are_unpacked_at_any_size(size: int) -> None:
    """And what is not gzip is refused."""
    body = bytes(index * 7919 % 251 for index in range(size))
    assert await unpack(gzip.compress(body), "gzip", size) == body
    assert await unpack(body, "", size) == body
    with pytest.raises(PackedError):
        await unpack(b"x" * size, "gzip", size)
