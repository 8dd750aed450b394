"""Heads over a websocket: earlier than the poll, and never trusted."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web

from monitor.lab.anvil import Anvil
from monitor.lab.faults import Fault
from monitor.lab.port import Port
from monitor.lab.proxy import FaultProxy
from monitor.model import BlockNumber, Hash32, Head
from monitor.rpc import subscription
from monitor.rpc.subscription import Subscription
from monitor.url import Url
from tests.rpc.canned import Chain, Clock

WAIT_SECONDS_MAX = 20.0
LOOK_SECONDS = 0.01
PAUSE_SECONDS = 0.05
DEAF_SECONDS = 12.0
KEY = "9aBcD3fGhIjKlMn0pQ"

Speak = Callable[[web.WebSocketResponse], Awaitable[None]]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second between two dials is long for a test."""
    monkeypatch.setattr(subscription, "REDIAL_SECONDS_MIN", PAUSE_SECONDS)


class Listener:
    """A subscription that runs, and what it was told."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.clock = Clock(1000.0)
        self.heads: asyncio.Queue[Head] = asyncio.Queue()
        self.subscription = Subscription(
            Url(url), session, self.heads.put_nowait, clock=self.clock, deaf_seconds=DEAF_SECONDS
        )

    @property
    def state(self) -> str:
        return self.subscription.state

    async def next_number(self) -> int:
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            return (await self.heads.get()).number

    async def until(self, condition: Callable[[Subscription], object]) -> None:
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            while not condition(self.subscription):
                await asyncio.sleep(LOOK_SECONDS)

    async def until_state(self, *states: str) -> None:
        await self.until(lambda one: one.state in states)

    async def until_redials(self, count: int) -> None:
        await self.until(lambda one: one.redials_total >= count)

    async def deafen(self, number: int) -> None:
        """HTTP names a block that the socket does not name for as long as is allowed."""
        self.subscription.canary(head(number))
        self.clock.now += DEAF_SECONDS
        self.subscription.canary(head(number))


def head(number: int) -> Head:
    """A head as HTTP names it."""
    block = Hash32("0x" + "11" * 32)
    return Head(BlockNumber(number), block, block, 0)


@asynccontextmanager
async def listening(url: str, session: aiohttp.ClientSession) -> AsyncIterator[Listener]:
    """A subscription for as long as the context is open."""
    listener = Listener(url, session)
    task = asyncio.create_task(listener.subscription.run())
    try:
        yield listener
        assert not task.done(), "it ended by itself"
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def speaking(*speakers: Speak) -> AsyncIterator[str]:
    """A websocket server: the first connection meets the first speaker, the last one the rest."""
    turn = itertools.count()

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        socket = web.WebSocketResponse(timeout=0.1)
        await socket.prepare(request)
        await speakers[min(next(turn), len(speakers) - 1)](socket)
        await socket.close()
        return socket

    port = Port(handle)
    await port.open()
    try:
        yield f"ws://127.0.0.1:{port.number}"
    finally:
        await port.close()


def notice(number: int) -> dict[str, Any]:
    """As go-ethereum announces a head."""
    params = {"subscription": "0x1", "result": Chain(number).block(number)}
    return {"jsonrpc": "2.0", "method": "eth_subscription", "params": params}


async def serve_well(socket: web.WebSocketResponse) -> None:
    """Confirm, announce one head, and stay."""
    asked = msgspec.json.decode((await socket.receive()).data)
    assert (asked["method"], asked["params"]) == ("eth_subscribe", ["newHeads"])
    await socket.send_json({"jsonrpc": "2.0", "id": asked["id"], "result": "0x1"})
    await socket.send_json(notice(7))
    await socket.receive()


def say(*messages: Any) -> Speak:
    """Send these and stay."""

    async def speak(socket: web.WebSocketResponse) -> None:
        await socket.receive()
        for message in messages:
            if isinstance(message, bytes):
                await socket.send_bytes(message)
            elif isinstance(message, str):
                await socket.send_str(message)
            else:
                await socket.send_json(message)
        await socket.receive()

    return speak


# -- a real node ---------------------------------------------------------------------------------


async def test_heads_of_a_real_node_arrive(
    anvil: Anvil, proxy: FaultProxy, session: aiohttp.ClientSession
) -> None:
    """Every mined block is told as it comes, and the socket is live meanwhile."""
    async with listening(proxy.ws_url, session) as listener:
        assert listener.subscription.state == "down"
        await listener.until_state("live")
        await anvil.rpc("anvil_mine", "0x2")
        assert [await listener.next_number() for _ in range(2)] == [21, 22]
        assert listener.subscription.heads_total == 2
        assert listener.subscription.redials_total == 0


async def test_deaf_socket_is_told_by_the_polls_and_dialled_again(
    anvil: Anvil, proxy: FaultProxy, session: aiohttp.ClientSession
) -> None:
    """The canary marks it, says what both named, and the next socket hears again."""
    async with listening(proxy.ws_url, session) as listener:
        await listener.until_state("live")
        proxy.set(Fault("deaf", methods="eth_subscription"))
        await anvil.rpc("anvil_mine")
        listener.subscription.canary(head(21))
        listener.clock.now += DEAF_SECONDS - 0.1
        listener.subscription.canary(head(21))
        assert listener.state == "live"
        listener.clock.now += 0.1
        listener.subscription.canary(head(21))
        assert listener.state == "deaf"
        proxy.heal()
        await listener.until_state("live")
        assert listener.subscription.redials_total == 1
        assert listener.subscription.last_error == "HTTP is at block 21, the socket named None"
        await anvil.rpc("anvil_mine")
        assert await listener.next_number() == 22


async def test_deaf_socket_that_stays_deaf_is_dialled_until_it_hears(
    anvil: Anvil, proxy: FaultProxy, session: aiohttp.ClientSession
) -> None:
    """A server that opens sockets and answers nothing on them, not even the subscription."""
    proxy.set(Fault("deaf"))
    async with listening(proxy.ws_url, session) as listener:
        for redials in (1, 2):
            await listener.until(lambda one: one._hearing is not None)
            await listener.deafen(20 + redials)
            await listener.until_redials(redials)
            assert listener.subscription.state == "deaf"
        proxy.heal()
        await listener.until(lambda one: one._hearing is not None)
        await listener.until_state("live")
        await anvil.rpc("anvil_mine")
        assert await listener.next_number() == 21


async def test_server_that_goes_is_down_until_it_is_back(
    anvil: Anvil, proxy: FaultProxy, session: aiohttp.ClientSession
) -> None:
    """A socket that ends, or cannot be opened, is down and is dialled again and again."""
    async with listening(proxy.ws_url, session) as listener:
        await listener.until_state("live")
        await proxy.unplug()
        await listener.until_state("down")
        await listener.until(lambda one: one.redials_total >= 2)
        assert listener.subscription.last_error
        await proxy.plug()
        await listener.until_state("live")
        await anvil.rpc("anvil_mine")
        assert await listener.next_number() == 21


async def test_canary_of_a_socket_in_step_stays_silent(
    anvil: Anvil, proxy: FaultProxy, session: aiohttp.ClientSession
) -> None:
    """Polls that name what the socket named, or less, say that it hears."""
    async with listening(proxy.ws_url, session) as listener:
        await listener.until_state("live")
        listener.subscription.canary(head(20))
        await anvil.rpc("anvil_mine")
        assert await listener.next_number() == 21
        for number in (20, 21):
            listener.clock.now += DEAF_SECONDS
            listener.subscription.canary(head(number))
            assert listener.subscription.state == "live"
        listener.subscription.canary(head(22))
        await anvil.rpc("anvil_mine")
        assert await listener.next_number() == 22
        listener.clock.now += DEAF_SECONDS
        listener.subscription.canary(head(23))
        assert listener.subscription.state == "live"


# -- a canned server -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("<html>", "malformed"),
        ('{"params": {"subscription": "0x1"}}', "result"),
        (notice(7) | {"params": {"subscription": "0x1", "result": {"removed": True}}}, "number"),
        ({"id": "1", "result": "0x1"}, "id"),
        ('{"x": ' + "[" * 50_000, "RecursionError"),
        (b'{"id": 1, "result": "\xff"}', "UnicodeDecodeError"),
        ([notice(7)], "object"),
    ],
    ids=["html", "empty", "log", "id", "deep", "not_utf8", "batch"],
)
async def test_malformed_notice_loses_the_socket_and_says_why(
    session: aiohttp.ClientSession, message: Any, said: str
) -> None:
    """Nonsense ends the socket and never the subscription: the next one serves."""
    async with speaking(say(message), serve_well) as url, listening(url, session) as listener:
        assert await listener.next_number() == 7
        assert listener.subscription.redials_total == 1
        assert said in listener.subscription.last_error
        assert listener.subscription.state == "live"


async def test_error_answer_to_the_subscription_is_down_and_said(
    session: aiohttp.ClientSession,
) -> None:
    """A node without subscriptions answers with an error; the poll does without."""
    refusal = {"id": 1, "error": {"code": -32601, "message": "notifications not\nsupported"}}
    async with speaking(say(refusal)) as url, listening(url, session) as listener:
        await listener.until(lambda one: one.redials_total >= 2)
        assert listener.subscription.state == "down"
        told = listener.subscription.last_error
        assert told.endswith("eth_subscribe: error -32601: notifications not supported")


async def test_message_beyond_the_limit_loses_the_socket(session: aiohttp.ClientSession) -> None:
    """No message may fill the memory."""
    huge = say("x" * (subscription.MESSAGE_BYTES_MAX + 1))
    async with speaking(huge, serve_well) as url, listening(url, session) as listener:
        assert await listener.next_number() == 7
        assert listener.subscription.redials_total == 1


async def test_socket_closed_by_the_server_is_down_and_says_so(
    session: aiohttp.ClientSession,
) -> None:
    """A farewell is a loss too."""

    async def leave(socket: web.WebSocketResponse) -> None:
        await socket.receive()
        await socket.send_json({"id": 1, "result": "0x1"})

    async with speaking(leave, serve_well) as url, listening(url, session) as listener:
        assert await listener.next_number() == 7
        assert "closed" in listener.subscription.last_error


async def test_head_without_a_confirmation_is_a_live_socket(
    session: aiohttp.ClientSession,
) -> None:
    """Whoever announces heads has subscribed us, whatever became of the answer."""
    async with speaking(say(notice(7))) as url, listening(url, session) as listener:
        assert await listener.next_number() == 7
        assert listener.subscription.state == "live"


async def test_redial_waits_longer_each_time_and_little_after_a_head(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pause doubles up to its limit; a head that was heard makes it short again."""
    monkeypatch.setattr(subscription, "REDIAL_SECONDS_MAX", 4 * PAUSE_SECONDS)
    loop = asyncio.get_running_loop()
    dials: list[float] = []

    async def leave(socket: web.WebSocketResponse) -> None:
        dials.append(loop.time())

    async def announce(socket: web.WebSocketResponse) -> None:
        dials.append(loop.time())
        await socket.receive()
        await socket.send_json(notice(7))

    async with (
        speaking(leave, leave, leave, leave, announce, leave) as url,
        listening(url, session) as listener,
    ):
        await listener.until(lambda _: len(dials) >= 6)
    pauses = [after - before for before, after in itertools.pairwise(dials)]
    for pause, factor in zip(pauses[:5], (1, 2, 4, 4, 1), strict=True):
        assert pause >= factor * PAUSE_SECONDS * 0.9
    assert pauses[4] < min(pauses[2:4])


async def test_handshake_that_hangs_is_given_up(
    proxy: FaultProxy, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dialling has a deadline."""
    monkeypatch.setattr(subscription, "DIAL_SECONDS_MAX", 0.1)
    proxy.set(Fault("hang"))
    async with listening(proxy.ws_url, session) as listener:
        await listener.until(lambda one: one.redials_total >= 1)
        assert "TimeoutError" in listener.subscription.last_error
        monkeypatch.setattr(subscription, "DIAL_SECONDS_MAX", WAIT_SECONDS_MAX)
        proxy.heal()
        await listener.until_state("live")


@pytest.mark.parametrize("host", ["a..b", "nowhere.invalid"])
async def test_host_that_cannot_be_found_is_down(session: aiohttp.ClientSession, host: str) -> None:
    """A name that is none does not end the subscription."""
    async with listening(f"ws://{host}/", session) as listener:
        await listener.until(lambda one: one.redials_total >= 1)
        assert listener.subscription.state == "down"


@pytest.mark.parametrize("place", [f"/v3/{KEY}", f"/?key={KEY}"])
async def test_key_of_the_websocket_is_not_in_its_error(
    proxy: FaultProxy, session: aiohttp.ClientSession, place: str
) -> None:
    """The library's text of a refused handshake names the whole URL."""
    proxy.set(Fault("http", status=401, text=KEY))
    async with listening(proxy.ws_url + place, session) as listener:
        await listener.until(lambda one: one.redials_total >= 1)
        assert "401" in listener.subscription.last_error
        assert KEY not in listener.subscription.last_error


async def test_cancelled_subscription_closes_its_socket(session: aiohttp.ClientSession) -> None:
    """Nobody is left listening."""
    closed = asyncio.Event()

    async def watch(socket: web.WebSocketResponse) -> None:
        await socket.receive()
        await socket.send_json(notice(7))
        async for _ in socket:
            pass
        closed.set()

    async with speaking(watch) as url:
        async with listening(url, session) as listener:
            await listener.next_number()
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            await closed.wait()


# -- what is counted -----------------------------------------------------------------------------


def child(number: int, parent: str = "", salt: str = "") -> dict[str, Any]:
    """The announcement of a head of another branch."""
    block = Chain(number, parts_after=number - 1, salt=salt).block(number)
    params = {"subscription": "0x1", "result": block | ({"parentHash": parent} if parent else {})}
    return {"method": "eth_subscription", "params": params}


@pytest.mark.parametrize(
    ("told", "counts"),
    [
        ((1, 2, 3), (3, 0, 0, 0)),
        ((1, 2, 4), (3, 1, 0, 0)),
        ((1, 2, 90, 91, 95), (5, 2, 0, 0)),
        ((1, 2, 2, 3), (3, 0, 1, 0)),
        ((1, 3, 2, 4), (4, 0, 0, 1)),
        ((1, 2, 3, 1, 2, 3), (3, 0, 3, 0)),
    ],
    ids=["in order", "gap", "gaps", "twice", "late", "backwards"],
)
async def test_heads_are_counted_by_their_place(
    session: aiohttp.ClientSession, told: tuple[int, ...], counts: tuple[int, ...]
) -> None:
    """Heights, gaps, heads that came twice, and late: these fill their gap. All wake the poll."""
    said = say(*(notice(number) for number in told))
    async with speaking(said) as url, listening(url, session) as listener:
        assert [await listener.next_number() for _ in told] == list(told)
        one = listener.subscription
        assert (one.heads_count, one.gaps_count, one.duplicates_total, one.late_total) == counts
        assert one.heard_at == listener.clock.now


async def test_reorganisation_is_neither_twice_nor_late(session: aiohttp.ClientSession) -> None:
    """Other hashes at the heights that were told, each on the one before it."""
    other = child(2, salt="other")
    child_of_it = child(3, other["params"]["result"]["hash"], salt="other")
    said = say(notice(1), notice(2), notice(3), other, child_of_it)
    async with speaking(said) as url, listening(url, session) as listener:
        assert [await listener.next_number() for _ in range(5)] == [1, 2, 3, 2, 3]
        one = listener.subscription
        assert (one.heads_count, one.gaps_count) == (3, 0)
        assert (one.duplicates_total, one.late_total) == (0, 0)


async def test_heads_of_another_socket_leave_no_gap(session: aiohttp.ClientSession) -> None:
    """What went by while it was dialled again was not left out by the socket."""

    async def leave(socket: web.WebSocketResponse) -> None:
        await socket.receive()
        await socket.send_json(notice(3))

    async with speaking(leave, serve_well) as url, listening(url, session) as listener:
        assert [await listener.next_number() for _ in range(2)] == [3, 7]
        assert (listener.subscription.heads_count, listener.subscription.gaps_count) == (1, 0)


def behind(one: Subscription) -> float | None:
    """Since when HTTP has been ahead of it."""
    return one.behind_since


async def test_socket_is_behind_from_the_head_that_http_names_first(
    session: aiohttp.ClientSession,
) -> None:
    """Over dialling again too, until a head is told; a network that stands leaves nobody behind."""
    async with speaking(serve_well) as url, listening(url, session) as listener:
        one, clock = listener.subscription, listener.clock
        assert await listener.next_number() == 7
        one.canary(head(7))
        assert behind(one) is None
        clock.now += 1.0
        one.canary(head(8))
        clock.now += DEAF_SECONDS
        one.canary(head(9))
        assert behind(one) == clock.now - DEAF_SECONDS
        assert await listener.next_number() == 7
        assert one.redials_total == 1
        one.canary(head(9))
        assert behind(one) == clock.now
        one.canary(head(7))
        assert behind(one) is None


def test_socket_that_never_told_anything_is_behind_once_http_moves() -> None:
    """What HTTP named first may have been there before the socket was."""
    clock = Clock(1000.0)
    session: Any = None
    one = Subscription(Url("ws://x/"), session, lambda _: None, clock=clock, deaf_seconds=12.0)
    assert one.since == 1000.0
    clock.now += 1.0
    one.canary(head(100))
    assert behind(one) is None
    one.canary(head(101))
    assert behind(one) == 1001.0


def test_state_is_timed_from_its_beginning() -> None:
    """To be told again that it is down does not make it newly so."""
    clock = Clock(1000.0)
    session: Any = None
    one = Subscription(Url("ws://x/"), session, lambda _: None, clock=clock, deaf_seconds=12.0)
    clock.now = 1005.0
    one.state = "down"
    assert one.since == 1000.0
    one.state = "live"
    assert one.since == 1005.0
