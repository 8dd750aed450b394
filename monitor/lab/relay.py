"""The websocket side of the proxy: subscriptions pass, unless the node has gone deaf."""

from __future__ import annotations

import asyncio

import aiohttp
import msgspec
from aiohttp import web

from monitor.lab.disguise import Disguise, method_of
from monitor.lab.faults import VIEW_KINDS, Deck
from monitor.lab.view import Json

NOTIFICATION = "eth_subscription"
SUBSCRIBING = frozenset({"eth_subscribe", "eth_unsubscribe"})
MESSAGE_BYTES_MAX = 4 * 2**20
CLOSE_SECONDS_MAX = 0.1

_FAREWELLS = (ConnectionError, aiohttp.ClientError, TimeoutError)

_BODY_FIELDS = ("transactions", "uncles", "withdrawals", "size", "totalDifficulty")
"""What a block has and the header of a `newHeads` notification has not."""


async def relay(
    request: web.BaseRequest,
    session: aiohttp.ClientSession,
    upstream_url: str,
    deck: Deck,
    disguise: Disguise,
) -> web.StreamResponse:
    """Join a client's websocket to the node's until either of them closes."""
    timeout = aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS_MAX)
    async with session.ws_connect(
        upstream_url, timeout=timeout, max_msg_size=MESSAGE_BYTES_MAX
    ) as node:
        client = web.WebSocketResponse(timeout=CLOSE_SECONDS_MAX, max_msg_size=MESSAGE_BYTES_MAX)
        await client.prepare(request)
        pair = _Relay(client, node, deck, disguise)
        pumps = [asyncio.create_task(pair.upwards()), asyncio.create_task(pair.downwards())]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            endings = await asyncio.gather(*pumps, return_exceptions=True)
        for ending in endings:
            # Sockets end without a farewell all the time; anything else is a mistake of ours.
            if isinstance(ending, Exception) and not isinstance(ending, _FAREWELLS):
                raise ending
        await client.close()
    return client


class _Relay:
    """One client's websocket and the node's, side by side."""

    def __init__(
        self,
        client: web.WebSocketResponse,
        node: aiohttp.ClientWebSocketResponse,
        deck: Deck,
        disguise: Disguise,
    ) -> None:
        self._client = client
        self._node = node
        self._deck = deck
        self._disguise = disguise
        self._last_head: dict[str, str] = {}
        """Subscription -> the hash it was last told, where a fault chooses the heads."""

    async def upwards(self) -> None:
        """What the client says: subscriptions go to the node, calls are answered as over HTTP."""
        async for message in self._client:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            call = _object(message.data)
            method = method_of(call)
            if not self._deck.faults or not method or method in SUBSCRIBING:
                await self._node.send_str(message.data)
                continue
            answer = (await self._disguise.answers([call]))[0]
            await self._deliver(method, msgspec.json.encode(answer).decode())

    async def downwards(self) -> None:
        """What the node says, less what a fault keeps back."""
        async for message in self._node:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            text: str | None = message.data
            if not self._deck.faults:
                await self._client.send_str(message.data)
                continue
            parsed = _object(message.data)
            if method_of(parsed) == NOTIFICATION:
                text = await self._shown_head(parsed, message.data)
            if text is not None:
                # Answers name no method; whatever is not a notification came of subscribing.
                await self._deliver(method_of(parsed) or "eth_subscribe", text)

    async def _deliver(self, method: str, text: str) -> None:
        if not self._deck.pick((method,), "deaf"):
            await self._client.send_str(text)

    async def _shown_head(self, notification: Json, text: str) -> str | None:
        """The notification of a new head as the faulty view has it; `None`: nothing new."""
        header = notification["params"]["result"]
        shows = any(fault.kind in VIEW_KINDS for fault in self._deck.faults)
        if not shows or not isinstance(header, dict) or "parentHash" not in header:
            return text
        call = {"id": 0, "method": "eth_getBlockByNumber", "params": ["latest", False]}
        block = (await self._disguise.answers([call]))[0].get("result")
        subscription = str(notification["params"]["subscription"])
        if not block or self._last_head.get(subscription) == block["hash"]:
            return None
        self._last_head[subscription] = block["hash"]
        shown = {key: value for key, value in block.items() if key not in _BODY_FIELDS}
        notification["params"]["result"] = shown
        return msgspec.json.encode(notification).decode()


def _object(text: str) -> dict[str, Json]:
    """A message as an object; an empty one for anything that is none."""
    try:
        message = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return {}
    return message if isinstance(message, dict) else {}
