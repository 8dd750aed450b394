"""A listening port that can be unplugged and plugged in again."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable

from aiohttp import web

from monitor.lab.errors import LabError

CLOSE_SECONDS_MAX = 0.1
BACKLOG_CONNECTIONS_MAX = 128

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Port:
    """Serves HTTP on one port of 127.0.0.1, the same one after every unplugging."""

    def __init__(self, handler: Handler) -> None:
        self.number = 0
        self._handler = handler
        self._socket: socket.socket | None = None
        self._listener: asyncio.Server | None = None
        self._server: web.Server | None = None
        self._transports: set[asyncio.Transport] = set()

    async def open(self, number: int = 0) -> None:
        """Take the port (0: any free one) and listen."""
        self._socket = _bound(number)
        self.number = self._socket.getsockname()[1]
        await self.plug()

    async def plug(self) -> None:
        """Listen (again); does nothing on a port that listens."""
        if self._listener is not None:
            return
        if self._socket is None:
            message = "this port is not open"
            raise LabError(message)
        self._server = web.Server(self._serve, handler_cancellation=True)
        listening, self._socket = self._socket, None
        self._listener = await asyncio.get_running_loop().create_server(
            self._server, sock=listening, backlog=BACKLOG_CONNECTIONS_MAX
        )

    async def unplug(self) -> None:
        """Refuse connections and reset those that are open."""
        if self._listener is None:
            return
        await self._stop()
        # Bound but not listening: the kernel refuses clients, and nobody else gets the port.
        self._socket = _bound(self.number)

    async def close(self) -> None:
        """Give the port back."""
        await self._stop()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def reset(self, transport: asyncio.BaseTransport | None) -> None:
        """End a connection with RST, without a word."""
        if not isinstance(transport, asyncio.Transport):
            return
        connection = transport.get_extra_info("socket")
        if connection is not None and connection.fileno() >= 0:
            # Lingering for zero seconds makes the kernel send RST instead of FIN.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        transport = request.transport
        if transport is None:
            return web.Response()
        self._transports.add(transport)
        try:
            return await self._handler(request)
        finally:
            self._transports.discard(transport)

    async def _stop(self) -> None:
        listener, server = self._listener, self._server
        self._listener = self._server = None
        if listener is None or server is None:
            return
        listener.close()
        for transport in list(self._transports):
            self.reset(transport)
        # The transports tell their handlers in the next turn of the loop.
        await asyncio.sleep(0)
        server.pre_shutdown()
        await server.shutdown(CLOSE_SECONDS_MAX)


def _bound(number: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", number))
    except OSError as error:
        bound.close()
        message = f"cannot take port {number}: {error}"
        raise LabError(message) from None
    bound.settimeout(0)
    return bound
