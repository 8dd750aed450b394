"""The websocket side of the proxy: subscriptions pass, but for what a fault does to them."""

from __future__ import annotations

import asyncio
from collections import deque

import aiohttp
import msgspec
from aiohttp import web

from monitor.lab.disguise import Disguise, method_of
from monitor.lab.faults import HEAD_KINDS, ORDER_KINDS, Deck
from monitor.lab.view import Json

NOTIFICATION = "eth_subscription"
SUBSCRIBING = frozenset({"eth_subscribe", "eth_unsubscribe"})
MESSAGE_BYTES_MAX = 4 * 2**20
CLOSE_SECONDS_MAX = 0.1
LOGS_REMEMBERED_MAX = 1000

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
        self._held: dict[str, str] = {}
        """Subscription -> the head that is kept back until the next was told."""
        self._logs: deque[str] = deque(maxlen=LOGS_REMEMBERED_MAX)
        """The notifications of logs that were passed on, the newest last."""

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
        """What the node says, less what a fault keeps back, and what it adds."""
        async for message in self._node:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            if not self._deck.faults:
                await self._pass_on(message.data)
                continue
            parsed = _object(message.data)
            if method_of(parsed) == NOTIFICATION:
                await self._announce(parsed, message.data)
            else:
                # Answers name no method; whatever is not a notification came of subscribing.
                await self._deliver("eth_subscribe", message.data)

    async def _pass_on(self, text: str) -> None:
        """A message as it is, after what a fault had kept back."""
        late = list(self._held.values())
        self._held.clear()
        for one in (*late, text):
            await self._send(one)

    async def _announce(self, notification: Json, text: str) -> None:
        """A notification as the faults have it: in its place, later, twice, or not at all."""
        if self._logs:
            await self._remove_logs()
        shown = await self._shown_head(notification, text)
        if shown is None:
            return
        texts = [shown]
        if _is_head(notification):
            texts = self._in_order(str(notification["params"]["subscription"]), shown)
        for one in texts:
            await self._deliver(NOTIFICATION, one)

    def _in_order(self, subscription: str, text: str) -> list[str]:
        """What is told now, for this head."""
        held = self._held.pop(subscription, None)
        if held is not None:
            return [text, held]
        fault = self._deck.pick((NOTIFICATION,), *ORDER_KINDS)
        if fault is None:
            return [text]
        if fault.kind == "ws_out_of_order":
            self._held[subscription] = text
            return []
        return [text, text] if fault.kind == "ws_duplicate" else []

    async def _remove_logs(self) -> None:
        """Tell the newest logs again, as a node does that has left their block (geth: pubsub)."""
        fault = self._deck.pick((NOTIFICATION,), "removed_logs")
        if fault is None:
            return
        for _ in range(min(fault.count, len(self._logs))):
            notification = msgspec.json.decode(self._logs.pop())
            notification["params"]["result"]["removed"] = True
            await self._client.send_str(msgspec.json.encode(notification).decode())

    async def _deliver(self, method: str, text: str) -> None:
        if not self._deck.pick((method,), "deaf"):
            await self._send(text)

    async def _send(self, text: str) -> None:
        # Only logs have topics: without a fault no message is looked into further than that.
        if '"topics"' in text:
            self._logs.append(text)
        await self._client.send_str(text)

    async def _shown_head(self, notification: Json, text: str) -> str | None:
        """The notification of a new head as the faulty view has it; `None`: nothing new."""
        shows = any(fault.kind in HEAD_KINDS for fault in self._deck.faults)
        if not shows or not _is_head(notification):
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


def _is_head(notification: Json) -> bool:
    result = notification["params"]["result"]
    return isinstance(result, dict) and "parentHash" in result


def _object(text: str) -> dict[str, Json]:
    """A message as an object; an empty one for anything that is none."""
    try:
        message = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return {}
    return message if isinstance(message, dict) else {}
