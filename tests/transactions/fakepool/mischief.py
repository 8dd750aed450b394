"""What goes wrong between a client and a node: before the node has done anything, or after it has.

The faults are the lab's (`monitor.lab.faults`). Told after the deed, `reset` is a node that has
done what it was asked and whose answer is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Literal

from aiohttp import web

from monitor.lab.faults import Deck, Fault, Kind
from monitor.lab.port import Port
from monitor.lab.proxy import HTML_PAGE

When = Literal["before", "after"]

SEND = "eth_sendRawTransaction"


class Mischief:
    """The faults of one node's front, each with its own count; seeded where they are random."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._decks: list[tuple[When, Deck]] = []
        self._changed = asyncio.Event()

    # -- what a test says ------------------------------------------------------------------------

    def add(self, fault: Fault, when: When = "before") -> None:
        """One more fault, beside those in force."""
        deck = Deck(self._seed + len(self._decks))
        deck.set([fault])
        self._decks.append((when, deck))

    def heal(self) -> None:
        """No faults any more; calls that hang go on."""
        self._decks.clear()
        self._changed.set()
        self._changed = asyncio.Event()

    def drop_request(self, methods: str = SEND, times: int | None = 1) -> None:
        """The connection is reset before anything is done."""
        self.add(Fault("reset", methods=methods, times=times))

    def drop_answer(self, methods: str = SEND, times: int | None = 1) -> None:
        """All is done, and then the connection is reset: nobody is told."""
        self.add(Fault("reset", methods=methods, times=times), "after")

    def delay(self, seconds: float, methods: str = "*", times: int | None = None) -> None:
        self.add(Fault("latency", seconds=seconds, methods=methods, times=times))

    def status(
        self, code: int, methods: str = "*", times: int | None = None, when: When = "before"
    ) -> None:
        """An HTTP status instead of an answer: 429, 502, 503."""
        self.add(Fault("http", status=code, methods=methods, times=times), when)

    def garbage(self, methods: str = "*", times: int | None = None, when: When = "before") -> None:
        """A page of a load balancer instead of an answer, with status 200."""
        self.add(Fault("html", methods=methods, times=times), when)

    def hang(self, methods: str = "*", times: int | None = None, when: When = "before") -> None:
        """Silence until it is healed."""
        self.add(Fault("hang", methods=methods, times=times), when)

    def fail(
        self,
        methods: str,
        error: tuple[int, str],
        times: int | None = None,
        when: When = "before",
    ) -> None:
        """A JSON-RPC error; `after`: of what has been done all the same."""
        self.add(Fault("override", methods=methods, error=error, times=times), when)

    # -- what the front asks ---------------------------------------------------------------------

    def pick(self, methods: Collection[str], when: When, *kinds: Kind) -> Fault | None:
        """The first fault of these kinds that strikes now."""
        for moment, deck in self._decks:
            fault = deck.pick(methods, *kinds) if moment == when else None
            if fault is not None:
                return fault
        return None

    async def transport(
        self, port: Port, request: web.BaseRequest, methods: Collection[str], when: When
    ) -> web.StreamResponse | None:
        """What becomes of the exchange at this moment; None: it goes on."""
        fault = self.pick(methods, when, "latency")
        if fault is not None:
            await asyncio.sleep(fault.seconds)
        if self.pick(methods, when, "hang"):
            await self._changed.wait()
        fault = self.pick(methods, when, "reset", "http", "html")
        if fault is None:
            return None
        if fault.kind == "reset":
            port.reset(request.transport)
            return web.Response()
        if fault.kind == "html":
            return web.Response(text=HTML_PAGE, content_type="text/html")
        return web.Response(status=fault.status, text=fault.text)
