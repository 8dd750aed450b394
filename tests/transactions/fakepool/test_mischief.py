"""Each fault between a client and a node: what the client sees, and what was done all the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from monitor.lab.faults import Fault
from tests.transactions.fakepool.conftest import Open
from tests.transactions.fakepool.mischief import Mischief
from tests.transactions.fakepool.payments import payment
from tests.transactions.fakepool.server import FakePool
from tests.transactions.fakepool.signed import decode

HASH = decode(payment(0)).hash
SEND = {"jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": [payment(0)]}
READ = {"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []}


async def post(session: aiohttp.ClientSession, pool: FakePool, body: Any) -> Any:
    """The parsed answer; the status where that is not 200, the text where it is no JSON."""
    async with session.post(pool.url, json=body) as response:
        if response.status != 200:
            return response.status
        is_json = response.content_type == "application/json"
        return await response.json() if is_json else await response.text()


@pytest.mark.parametrize(
    ("strike", "is_pooled"),
    [(Mischief.drop_request, False), (Mischief.drop_answer, True)],
    ids=["request", "answer"],
)
async def test_send_whose_connection_is_reset_may_have_been_done(
    strike: Callable[[Mischief], None],
    open_pool: Open,
    session: aiohttp.ClientSession,
    *,
    is_pooled: bool,
) -> None:
    """The client sees the same both times; only the pool knows. Once, then all is well."""
    pool = await open_pool()
    strike(pool.mischief)
    assert await post(session, pool, READ)
    # Over a connection of its own: one that was idle would be dialled again by itself.
    async with aiohttp.ClientSession() as fresh:
        with pytest.raises(aiohttp.ClientError):
            await post(fresh, pool, SEND)
    assert (HASH in pool.pool) is is_pooled
    answer = await post(session, pool, SEND)
    assert ("error" in answer) is is_pooled


@pytest.mark.parametrize(
    ("strike", "seen"),
    [
        (lambda mischief, when: mischief.status(429, when=when), 429),
        (lambda mischief, when: mischief.status(503, when=when), 503),
        (lambda mischief, when: mischief.garbage(when=when), "<html>"),
        (
            lambda mischief, when: mischief.fail("*", (-32603, "Timeout expired"), when=when),
            {"jsonrpc": "2.0", "id": 1, "error": {"code": -32603, "message": "Timeout expired"}},
        ),
    ],
    ids=["throttled", "unavailable", "garbage", "error"],
)
@pytest.mark.parametrize("when", ["before", "after"])
async def test_answer_that_is_none_may_hide_a_deed(
    when: str,
    strike: Callable[[Mischief, str], None],
    seen: Any,
    open_pool: Open,
    session: aiohttp.ClientSession,
) -> None:
    """Status, page or error; told after the deed, the transaction is pooled. Until it is healed."""
    pool = await open_pool()
    strike(pool.mischief, when)
    for _ in range(2):
        found = await post(session, pool, SEND)
        assert found.startswith(seen) if isinstance(seen, str) else found == seen
    assert (HASH in pool.pool) is (when == "after")
    pool.mischief.heal()
    assert (await post(session, pool, READ))["result"]


async def test_error_of_one_method_leaves_the_others_and_ends_when_told(
    open_pool: Open, session: aiohttp.ClientSession
) -> None:
    """Once or always, for the methods that are named, within a batch too."""
    pool = await open_pool()
    pool.mischief.fail("eth_block*", (-32000, "boom"), times=1)
    first, second, third = await post(session, pool, [READ, READ, SEND])
    assert first["error"]["message"] == "boom"
    assert second["result"] == "0x8"
    assert third["result"] == HASH


async def test_answer_may_be_any_result(open_pool: Open, session: aiohttp.ClientSession) -> None:
    """The lab's own faults are all there."""
    pool = await open_pool()
    pool.mischief.add(Fault("override", methods="eth_blockNumber", result="0xff"))
    assert (await post(session, pool, READ))["result"] == "0xff"


async def test_call_that_hangs_goes_on_when_it_is_healed(
    open_pool: Open, session: aiohttp.ClientSession
) -> None:
    """Silence after the deed: the transaction is pooled, the client waits."""
    pool = await open_pool()
    pooled = asyncio.Event()

    async def note(transaction: object) -> None:
        pooled.set()

    pool.on_pending = note
    pool.mischief.hang(when="after")
    waiting = asyncio.create_task(post(session, pool, SEND))
    async with asyncio.timeout(20):
        await pooled.wait()
        assert not waiting.done()
        pool.mischief.heal()
        assert (await waiting)["result"] == HASH


async def test_delay_comes_before_the_answer(
    open_pool: Open, session: aiohttp.ClientSession
) -> None:
    """Slower than the client's deadline; without the delay it is in time."""
    pool = await open_pool()
    pool.mischief.delay(60, times=1)
    timeout = aiohttp.ClientTimeout(total=0.2)
    with pytest.raises(TimeoutError):
        await session.post(pool.url, json=READ, timeout=timeout)
    assert (await post(session, pool, READ))["result"] == "0x8"


async def test_faults_of_chance_are_the_same_for_the_same_seed(session: object) -> None:
    """A run can be repeated."""

    def strikes(seed: int) -> list[bool]:
        mischief = Mischief(seed)
        mischief.add(Fault("reset", probability=0.5))
        return [mischief.pick(["eth_call"], "before", "reset") is not None for _ in range(40)]

    assert strikes(1) == strikes(1)
    assert strikes(1) != strikes(2)


async def test_fault_that_has_struck_is_not_revived_by_the_next(
    open_pool: Open, session: aiohttp.ClientSession
) -> None:
    """Each counts for itself."""
    pool = await open_pool()
    pool.mischief.status(503, times=1)
    assert await post(session, pool, READ) == 503
    pool.mischief.status(429, methods="eth_call", times=1)
    assert (await post(session, pool, READ))["result"] == "0x8"
