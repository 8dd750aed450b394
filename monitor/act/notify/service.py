"""One message to one apprise URL, in a thread of its own, with its secrets kept out of every log.

A thread that a slow service holds cannot be ended; it is a daemon, so that it never keeps headwatch
from ending, and the caller starts no second one while it lasts.
"""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import unquote

from monitor.act.words import plain
from monitor.notices import Message, cut
from monitor.url import SECRET_LENGTH_MIN

if TYPE_CHECKING:
    from apprise import Apprise

PROBLEM_CHARACTERS_MAX = 200
QUIET = ("apprise", "urllib3", "requests")
"""Loggers that print whole URLs when they are let. What apprise warns of is still handed to us."""


class Service:
    """What is behind one apprise URL. Importing apprise takes a third of a second."""

    def __init__(self, url: str) -> None:
        """Raises ValueError, without the URL, for one that apprise does not understand."""
        for name in QUIET:
            logging.getLogger(name).propagate = False
            logging.getLogger(name).setLevel(logging.WARNING)
        from apprise import Apprise, AppriseAsset

        # One service in the calling thread, and no redirect: whatever key there is would follow it.
        asset = AppriseAsset(async_mode=False, http_redirects=False, service_timeout=0)
        self._secrets = secrets_of(url)
        self._apprise: Apprise = Apprise(asset=asset)
        if not self._apprise.add(url):
            message = "apprise does not understand this URL"
            raise ValueError(message)

    def send(self, title: str, body: str, kind: str) -> str:
        """Send, blocking; what went wrong, empty for nothing. `kind` as of `kind_of`."""
        from apprise import NotifyFormat, NotifyType

        result = self._apprise.notify(
            title=title, body=body, notify_type=NotifyType(kind), body_format=NotifyFormat.TEXT
        )
        if result:
            return ""
        said = [entry.message for entry in result.logs()]
        return self.masked(said[-1] if said else "it did not say why")

    def masked(self, text: str) -> str:
        """A text without any part of the URL that may be a key."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return cut(plain(text), PROBLEM_CHARACTERS_MAX)


def secrets_of(url: str) -> tuple[str, ...]:
    """Every part of an apprise URL behind its scheme, as written and decoded, the longest first."""
    rest = url.partition("://")[2]
    written = {rest, *re.split(r"[/:@?&=#,;]", rest)}
    parts = written | {unquote(part) for part in written}
    known = {part for part in parts if len(part) >= SECRET_LENGTH_MIN}
    return tuple(sorted(known, key=len, reverse=True))


def kind_of(message: Message) -> str:
    """How a service colours it: `success`, `failure` or `warning`."""
    if all(notice.is_over for notice in message.notices):
        return "success"
    return "failure" if message.level == "failed" else "warning"


def in_thread(call: Callable[[], str]) -> asyncio.Future[str]:
    """What `call` answers, from a thread of its own; inside the running loop.

    The loop's own threads look up host names and read files, and must not wait for a mail server.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[str] = loop.create_future()

    def settle(problem: str) -> None:
        if not future.done():
            future.set_result(problem)

    def run() -> None:
        # Apprise catches what its services raise; of anything else the thread prints a traceback.
        problem = "it broke off"
        try:
            problem = call()
        finally:
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, problem)

    threading.Thread(target=run, name="headwatch-notify", daemon=True).start()
    return future
