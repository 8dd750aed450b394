"""Websockets: opened towards the node first, then towards the client, and joined."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiohttp
from aiohttp import web

from monitor.transactions.tap import headers
from monitor.transactions.tap.pair import ClientSocket, Means, NodeSocket, Pair
from monitor.transactions.tap.wording import BAD_GATEWAY, problem
from monitor.url import Url
from monitor.wire import BROKEN, connection_text

BAD_REQUEST, NOT_IMPLEMENTED, UNAVAILABLE = 400, 501, 503
CLOSE_SECONDS_MAX = 2.0
"""For the other side's farewell."""


class Sockets:
    """All websockets of a tap."""

    def __init__(
        self,
        means: Means,
        session: aiohttp.ClientSession,
        *,
        upstream: Callable[[], Url | None],
    ) -> None:
        self._means = means
        self._session = session
        self._upstream = upstream
        self._pairs: dict[asyncio.Task[None], Pair] = {}
        self._opening = 0

    async def join(self, request: web.Request) -> web.StreamResponse:
        """Open both sides, and go on until either closes."""
        upstream = self._upstream()
        limits = self._means.limits
        offered = [
            name.strip()
            for line in request.headers.getall("Sec-WebSocket-Protocol", ())
            for name in line.split(",")
        ]
        if upstream is None:
            return problem(NOT_IMPLEMENTED, "no websocket of the node is configured")
        if not web.WebSocketResponse(protocols=offered).can_prepare(request):
            return problem(BAD_REQUEST, "not the opening of a websocket")
        count = len(self._pairs) + self._opening
        if count >= limits.sockets_at_once_max:
            return problem(UNAVAILABLE, f"{count} websockets are open already")
        self._opening += 1
        try:
            node = await self._dial(request, upstream, offered)
        except TimeoutError:
            return problem(BAD_GATEWAY, "the node did not answer: no connection in time")
        except aiohttp.WSServerHandshakeError as error:
            return problem(BAD_GATEWAY, f"the node refused a websocket: HTTP {error.status}")
        except BROKEN as error:
            why = upstream.scrub(connection_text(error))
            return problem(BAD_GATEWAY, f"the node did not answer: {why}")
        finally:
            self._opening -= 1
        client: ClientSocket = web.WebSocketResponse(
            timeout=CLOSE_SECONDS_MAX,
            autoclose=False,
            autoping=False,
            protocols=() if node.protocol is None else (node.protocol,),
            compress=False,
            max_msg_size=limits.message_bytes_max,
            decode_text=False,
        )
        pair = Pair(self._means, client, node, upstream)
        task = asyncio.create_task(_joined(pair, request, client, node))
        self._pairs[task] = pair
        task.add_done_callback(self._pairs.__delitem__)
        # Whoever leaves ends the handler; what was sent is still to be answered.
        await asyncio.shield(task)
        return client

    async def close(self) -> None:
        """End all, and wait until they have ended."""
        for pair in self._pairs.values():
            pair.end()
        if self._pairs:
            await asyncio.wait(tuple(self._pairs), timeout=self._means.limits.stop_seconds)
        for task in tuple(self._pairs):
            task.cancel()
        await asyncio.gather(*self._pairs, return_exceptions=True)

    async def _dial(self, request: web.Request, upstream: Url, protocols: list[str]) -> NodeSocket:
        limits = self._means.limits
        async with asyncio.timeout(limits.connect_seconds):
            return await self._session.ws_connect(
                upstream.reveal(),
                protocols=protocols,
                headers=headers.onward_of_socket(request.headers),
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS_MAX),
                autoclose=False,
                autoping=False,
                max_msg_size=limits.message_bytes_max,
                decode_text=False,
            )


async def _joined(pair: Pair, request: web.Request, client: ClientSocket, node: NodeSocket) -> None:
    """Answer the client's opening, and go on until either closes."""
    transport = request.transport
    try:
        await client.prepare(request)
    except BROKEN:
        # It left while the node's side was opened.
        await node.close()
        return
    try:
        await pair.run((lambda: None) if transport is None else transport.abort)
    finally:
        await node.close()
