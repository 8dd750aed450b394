"""`newPendingTransactions` over a websocket: it makes us earlier, it is never believed.

A transaction that is announced has the pool looked at; what is there is read from the pool itself.
Queued transactions are never announced, and sockets go deaf, so that the pool is polled as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import aiohttp
import msgspec

from monitor.rpc.decode import RawError
from monitor.rpc.subscription import Subscription
from monitor.url import Url

Sender = Annotated[str, msgspec.Meta(pattern=r"^0x[0-9a-fA-F]{40}\Z")]


class RawPending(msgspec.Struct, rename={"sender": "from"}, frozen=True):
    """Whose an announced transaction is (go-ethereum, RPC pub/sub, with full transactions)."""

    sender: Sender


class RawPendingParams(msgspec.Struct, frozen=True):
    """What a notification carries: an object where full ones were asked for, else a hash."""

    result: RawPending | str


class RawPendingNotice(msgspec.Struct, frozen=True):
    """A websocket message: the answer to `eth_subscribe`, or a notification of it."""

    id: int | None = None
    result: str | None = None
    error: RawError | None = None
    params: RawPendingParams | None = None


_notice: msgspec.json.Decoder[RawPendingNotice] = msgspec.json.Decoder(RawPendingNotice)


class PendingSubscription(Subscription):
    """One node's announcements. `on_pending` gets the sender, or None where only a hash is told.

    Full transactions are asked for; a node that knows them not is asked for hashes instead.
    """

    def __init__(
        self,
        url: Url,
        session: aiohttp.ClientSession,
        on_pending: Callable[[str | None], None],
        *,
        clock: Callable[[], float],
    ) -> None:
        super().__init__(url, session, lambda head: None, clock=clock, deaf_seconds=0.0)
        self.params = ("newPendingTransactions", True)
        self._on_pending = on_pending

    def _take(self, message: str | bytes) -> None:
        notice = _notice.decode(message)
        if notice.error is not None:
            self.params = ("newPendingTransactions",)
            text = f"eth_subscribe: error {notice.error.code}: {notice.error.message}"
            raise aiohttp.ClientPayloadError(text)
        self.state = "live"
        if notice.params is not None:
            self.heads_total += 1
            told = notice.params.result
            self._on_pending(None if isinstance(told, str) else told.sender.lower())
