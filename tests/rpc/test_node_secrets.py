"""Providers put the key into the URL: it must come out of nowhere."""

from __future__ import annotations

import asyncio
import base64
import logging
import traceback

import aiohttp
import pytest
from aiohttp import web

from monitor.rpc import decode
from monitor.rpc.errors import RpcError
from monitor.rpc.node import EXCHANGE_BYTES_KEPT, Limits, Node
from monitor.url import Url
from tests.rpc.canned import Canned, Clock, Hang, Json, Refusal, Respond, always, reply

KEY = "9aBcD3fGhIjKlMn0pQ"
PLACES = {
    "path": f"/v3/{KEY}",
    "deep_path": f"/rpc/{KEY}/mainnet",
    "query": f"/?apikey={KEY}&x=1",
    "user": f"{KEY}:pass@",
    "password": f"user:{KEY}@",
}


def place(server: Canned, where: str, *, scheme: str = "http") -> Url:
    """The server's URL with the key somewhere in it."""
    host = f"127.0.0.1:{server.port.number}"
    part = PLACES[where]
    return Url(f"{scheme}://{part}{host}/" if "@" in part else f"{scheme}://{host}{part}")


def echo(status: int) -> Respond:
    """Repeat the request's own line and headers, as careless gateways do."""

    async def respond(request: web.BaseRequest, asked: Json) -> web.StreamResponse:
        told = f"{request.path_qs} {dict(request.headers)} {KEY}"
        return reply(told if status != 200 else {"id": 1, "error": {"message": told}}, status)

    return respond


BEHAVIOURS: dict[str, Respond | None] = {
    "echo_in_error": echo(200),
    "echo_on_401": echo(401),
    "echo_in_json_on_401": always({"id": 1, "error": {"message": f"bad key {KEY}"}}, 401),
    "echo_in_result": always({"id": 1, "result": KEY}),
    "echo_of_another_shape": always({"id": 1, "result": {KEY: KEY}}),
    "echo_as_id": always({"id": KEY, "result": "0x1"}),
    "echo_in_garbage": always(f"{{ {KEY}"),
    "redirect_with_key": always("", 302, Location=f"/{KEY}"),
    "throttled": always(KEY, 429, Retry_After="5"),
    "hang": Hang(),
}


def logged_by_us(caplog: pytest.LogCaptureFixture) -> str:
    """What was logged at any level, but for the access log of the server on the other side."""
    records = [record for record in caplog.records if record.name != "aiohttp.access"]
    return "\n".join(caplog.handler.format(record) for record in records)


def assert_secret(node: Node, error: BaseException | None, logged: str) -> None:
    """The key is in nothing that anybody could come to see."""
    shown = [repr(node), repr(node.url), str(node.url), f"{node.last_exchange}", logged]
    if error is not None:
        shown += [str(error), repr(error), *traceback.format_exception(error)]
        shown += [repr(error.__cause__), repr(error.__context__)]
    if isinstance(error, RpcError):
        shown.append(repr(error.unseen()))
    for text in shown:
        assert KEY not in text


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("behaviour", BEHAVIOURS)
async def test_key_of_a_failing_call_is_shown_nowhere(
    server: Canned,
    session: aiohttp.ClientSession,
    caplog: pytest.LogCaptureFixture,
    where: str,
    behaviour: str,
) -> None:
    """Not in texts, tracebacks or causes, logs at DEBUG, or the last exchange."""
    caplog.set_level(logging.DEBUG)
    server.respond = BEHAVIOURS[behaviour]
    url = place(server, where)
    node = Node("n", url, session, clock=Clock(0), limits=Limits(deadline_seconds=0.1))
    caught: BaseException | None = None
    try:
        await node.ask("eth_chainId", (KEY,), decode.text)
    except RpcError as error:
        caught = error
    assert (caught is None) == (behaviour == "echo_in_result")
    assert server.requests
    assert_secret(node, caught, logged_by_us(caplog))


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_key_of_a_broken_connection_is_shown_nowhere(
    server: Canned,
    session: aiohttp.ClientSession,
    caplog: pytest.LogCaptureFixture,
    where: str,
    scheme: str,
) -> None:
    """Refused, or TLS where there is none: aiohttp's own texts would name the URL."""
    caplog.set_level(logging.DEBUG)
    url = place(server, where, scheme=scheme)
    if scheme == "http":
        await server.port.unplug()
    node = Node("n", url, session, clock=Clock(0))
    with pytest.raises(RpcError) as caught:
        await node.ask("eth_chainId", (), decode.text)
    assert_secret(node, caught.value, logged_by_us(caplog))


async def test_key_that_was_sent_reaches_the_server(
    server: Canned, session: aiohttp.ClientSession
) -> None:
    """Masked everywhere, and still used: in the path, and as basic authentication."""
    seen: list[str] = []

    async def look(request: web.BaseRequest, asked: Json) -> None:
        seen.append(f"{request.path_qs} {request.headers.get('Authorization')}")

    server.respond = look
    for where in ("path", "query", "user"):
        node = Node("n", place(server, where), session, clock=Clock(0))
        assert await node.ask("eth_chainId", (), decode.text) == server.chain_id
    basic = base64.b64encode(f"{KEY}:pass".encode()).decode()
    assert seen == [f"/v3/{KEY} None", f"/?apikey={KEY}&x=1 None", f"/ Basic {basic}"]


@pytest.mark.parametrize("back", range(len(KEY) + 2))
async def test_key_at_the_cut_of_the_last_exchange_is_not_halved(
    server: Canned, session: aiohttp.ClientSession, back: int
) -> None:
    """What is kept of an answer is cut: never through a key, of which half would remain."""
    frame = '{"id": 1, "result": "'
    filler = "z" * (EXCHANGE_BYTES_KEPT - len(frame) - back)
    server.respond = always(f'{frame}{filler}{KEY}{"z" * 5000}"}}')
    node = Node("n", place(server, "path"), session, clock=Clock(0))
    await node.ask("eth_chainId", (), decode.text)
    assert node.last_exchange is not None
    assert KEY[:4] not in node.last_exchange[1]
    assert len(node.last_exchange[1]) <= EXCHANGE_BYTES_KEPT


async def test_key_repeated_before_the_cut_does_not_bring_half_of_one_back(
    server: Canned, session: aiohttp.ClientSession
) -> None:
    """Masking shortens the text: what was beyond the cut must not move into view."""
    server.respond = always('{"id": 1, "result": "' + KEY * 1000 + '"}')
    node = Node("n", place(server, "path"), session, clock=Clock(0))
    await node.ask("eth_chainId", (), decode.text)
    assert node.last_exchange is not None
    assert KEY[:4] not in node.last_exchange[1]


async def test_last_exchange_shows_the_last_question_and_answer(
    server: Canned, session: aiohttp.ClientSession
) -> None:
    """For a person who debugs: whole where it is short, and that of the newest exchange."""
    node = Node("n", place(server, "path"), session, clock=Clock(0))
    before = node.last_exchange
    assert before is None
    server.answers = {"eth_foo": Refusal("line one\nline\x00 two", -32000)}
    said = await asyncio.gather(
        node.ask("eth_chainId", (), decode.text),
        node.ask("eth_foo", (), decode.text),
        return_exceptions=True,
    )
    assert said[0] == server.chain_id
    assert node.last_exchange is not None
    request, answer = node.last_exchange
    assert '"method":"eth_chainId"' in request
    assert server.chain_id in answer
    assert "line one" in answer
    assert (request + answer).isprintable()
