"""`newHeads` over a websocket: it makes us earlier, it is never believed.

Sockets go deaf without closing (ethers issue 5121, bor issue 788), so the heads that arrive here
only wake the poll; what is judged is always polled over HTTP. The polls are the canary at the same
time: when they name a head that the socket has not named within `deaf_seconds`, the socket is
deaf, it is dialled again, and polling goes on at the pace of the chain's blocks.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Literal

import aiohttp
import msgspec

from monitor.model import BlockNumber, Head
from monitor.rpc import decode
from monitor.url import Url

State = Literal["live", "deaf", "down"]
DIAL_SECONDS_MAX = 10.0
REDIAL_SECONDS_MIN, REDIAL_SECONDS_MAX = 0.5, 30.0
MESSAGE_BYTES_MAX = 1 << 20
HEARTBEAT_SECONDS = 20.0
CLOSE_SECONDS_MAX = 2.0
HEADS_KEPT = 20
"""Of one socket, the newest: what is counted of their order is counted among them."""
LOST = (aiohttp.ClientError, OSError, msgspec.DecodeError, UnicodeError, RecursionError)
"""What ends a socket and not the subscription: no connection, or a message that is none."""


class Subscription:
    """One endpoint's `newHeads`. `run()` until cancelled; `state` says whether it may be trusted.

    `on_head` is called in the loop for each head as it arrives; it must not block.
    """

    params: tuple[object, ...] = ("newHeads",)
    """Of `eth_subscribe`."""

    def __init__(
        self,
        url: Url,
        session: aiohttp.ClientSession,
        on_head: Callable[[Head], None],
        *,
        clock: Callable[[], float],
        deaf_seconds: float,
    ) -> None:
        self._state: State = "down"
        self.since = clock()
        """When it entered its state."""
        self.heads_total = 0
        self.duplicates_total = 0
        """Heads that were told again."""
        self.late_total = 0
        """Heads that were told after their child."""
        self.heard_at: float | None = None
        """When a head was last told."""
        self.behind_since: float | None = None
        """Since when HTTP names a higher head than any that was told; kept over dialling again."""
        self.redials_total = 0
        self.last_error = ""
        """Why the socket was last lost; one line, without the URL."""
        self.url = url
        self._session = session
        self.on_head = on_head
        self._clock = clock
        self.deaf_seconds = deaf_seconds
        self._heads: deque[Head] = deque(maxlen=HEADS_KEPT)
        self._reached: BlockNumber | None = None
        self._number: BlockNumber | None = None
        self._missing_since: float | None = None
        self._hearing: asyncio.Timeout | None = None

    @property
    def state(self) -> State:
        return self._state

    @state.setter
    def state(self, state: State) -> None:
        if state != self._state:
            self._state, self.since = state, self._clock()

    @property
    def heads_count(self) -> int:
        """Different heights among the newest heads of this socket."""
        return len({head.number for head in self._heads})

    @property
    def gaps_count(self) -> int:
        """Places in the chain that these heads leave out, however long each is."""
        numbers = sorted({head.number for head in self._heads})
        return sum(after - before > 1 for before, after in itertools.pairwise(numbers))

    def canary(self, polled: Head) -> None:
        """Told of every head that was polled over HTTP: is the socket still hearing?

        It is deaf when HTTP has been ahead of it for `deaf_seconds`, also where the subscription
        was never confirmed. A deaf socket is closed, which makes `run` dial again.
        """
        self._compare(polled)
        if self._hearing is None:
            return
        if self._number is not None and self._number >= polled.number:
            self._missing_since = None
            return
        now = self._clock()
        if self._missing_since is None:
            self._missing_since = now
        elif now - self._missing_since >= self.deaf_seconds:
            self.state = "deaf"
            self.last_error = f"HTTP is at block {polled.number}, the socket named {self._number}"
            self._hearing.reschedule(asyncio.get_running_loop().time())
            self._hearing = None

    def _compare(self, polled: Head) -> None:
        """Whether HTTP has left behind what was told; what it named first is where that begins."""
        if self._reached is None:
            self._reached = polled.number
        if polled.number <= self._reached:
            self.behind_since = None
        elif self.behind_since is None:
            self.behind_since = self._clock()

    async def run(self) -> None:
        """Dial, listen, dial again, with a pause that doubles up to half a minute."""
        pause = REDIAL_SECONDS_MIN
        while True:
            heard = self.heads_total
            try:
                await self._listen()
            except LOST as error:
                self.last_error = self.url.scrub(f"{type(error).__name__}: {error}")
                self.state = "down"
            if self.state == "live":
                self.state = "down"
            self.redials_total += 1
            pause = REDIAL_SECONDS_MIN if self.heads_total > heard else pause
            await asyncio.sleep(pause)
            pause = min(REDIAL_SECONDS_MAX, pause * 2)

    async def _listen(self) -> None:
        async with asyncio.timeout(DIAL_SECONDS_MAX):
            socket = await self._session.ws_connect(
                self.url.reveal(),
                heartbeat=HEARTBEAT_SECONDS,
                max_msg_size=MESSAGE_BYTES_MAX,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS_MAX),
            )
        self._number = self._missing_since = None
        self._heads.clear()
        try:
            # The timeout has no end of its own: the canary sets it to now when the socket is deaf,
            # and has said why.
            with suppress(TimeoutError):
                async with asyncio.timeout(None) as self._hearing:
                    await self._hear_out(socket)
        finally:
            self._hearing = None
            await socket.close()

    async def _hear_out(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        ask = {"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": self.params}
        await socket.send_str(decode.encode(ask).decode())
        async for message in socket:
            if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                break
            self._take(message.data)
        self.last_error = f"closed by the other side ({socket.close_code})"

    def _take(self, message: str | bytes) -> None:
        self._hear(decode.notice.decode(message))

    def _hear(self, notice: decode.RawNotice) -> None:
        if notice.error is not None:
            message = f"eth_subscribe: error {notice.error.code}: {notice.error.message}"
            raise aiohttp.ClientPayloadError(message)
        if notice.result is not None:
            self.state = "live"
        if notice.params is not None:
            head = notice.params.result.head()
            self.state = "live"
            self._number = head.number
            self.heads_total += 1
            self._missing_since = self.behind_since = None
            self._reached = head.number
            self.heard_at = self._clock()
            self._count(head)
            self.on_head(head)

    def _count(self, head: Head) -> None:
        """Whether it comes again, or after its child; a reorg names other hashes and is neither."""
        if any(head.hash == known.hash for known in self._heads):
            self.duplicates_total += 1
            return
        self.late_total += any(head.hash == known.parent_hash for known in self._heads)
        self._heads.append(head)
