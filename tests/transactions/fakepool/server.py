"""A fake pool as a client dials it: a node, its RPC and its port."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import aiohttp

from tests.transactions.fakepool.checks import Settings
from tests.transactions.fakepool.front import Front
from tests.transactions.fakepool.mischief import Mischief
from tests.transactions.fakepool.node import Node
from tests.transactions.fakepool.refusals import Client
from tests.transactions.fakepool.rpc import Rpc
from tests.transactions.fakepool.signed import Signed
from tests.transactions.fakepool.upstream import Upstream


class FakePool(Node):
    """A node of some client before a real chain; an async context manager."""

    def __init__(
        self,
        name: str,
        client: Client,
        upstream_url: str,
        *,
        session: aiohttp.ClientSession,
        settings: Settings | None = None,
        seed: int = 0,
    ) -> None:
        """`upstream_url` is a node of the lab, or the proxy before it; `session` stays open."""
        super().__init__(name, client, Upstream(upstream_url, session), settings)
        self.rpc = Rpc(self)
        self.front = Front(self.rpc.answer, self.upstream, seed)
        self.on_pending = self._announce

    @property
    def url(self) -> str:
        return self.front.url

    @property
    def ws_url(self) -> str:
        return self.front.ws_url

    @property
    def mischief(self) -> Mischief:
        """What goes wrong between its clients and it."""
        return self.front.mischief

    def balance(self, *others: FakePool) -> None:
        """Be a load balancer's address: exchanges go to this node and to the others in turn."""
        self.front.balance(*(other.rpc.answer for other in others))

    async def __aenter__(self) -> Self:
        await self.refresh()
        await self.front.port.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.mischief.heal()
        await self.front.port.close()

    async def _announce(self, transaction: Signed) -> None:
        await self.front.announce(transaction.hash)
