"""What every HTTP answer carries beside its content: a body within a limit, and the host's time."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import aiohttp

from monitor.rpc.errors import MalformedAnswer

BOUNDS_KEPT = 16


async def read_body(response: aiohttp.ClientResponse, bytes_max: int) -> bytes:
    """The whole body. Raises MalformedAnswer where it is larger, without reading the rest."""
    declared = response.content_length
    if (
        declared is not None
        and declared <= bytes_max
        and "Content-Encoding" not in response.headers
    ):
        return await response.read()
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > bytes_max:
            response.close()
            message = f"the answer is larger than {bytes_max} bytes"
            raise MalformedAnswer(message)
        chunks.append(chunk)
    return b"".join(chunks)


class HostClock:
    """The clock of the host that answers, against ours, by the `Date` of its answers.

    `Date` is cut to whole seconds (RFC 9110, section 6.6.1), so that one answer bounds the skew to
    a second and its round trip. The bounds of the last answers must all hold, which leaves less.
    What a cache gives is as much older as its `Age` says (RFC 9111, section 5.1).
    """

    __slots__ = ("_bounds",)

    def __init__(self) -> None:
        self._bounds: deque[tuple[float, float]] = deque(maxlen=BOUNDS_KEPT)

    def take(self, headers: Mapping[str, str], began: float, ended: float) -> None:
        """Note what an answer says that was asked for and came at these times of our clock.

        Answers without a readable date say nothing.
        """
        try:
            date = parsedate_to_datetime(headers.get("Date", "")).timestamp()
        except (ValueError, OverflowError):
            return
        age = headers.get("Age", "")
        stored = float(age) if age.isdecimal() and len(age) <= len("31536000") else 0.0
        low, high = date + stored - ended, date + stored + 1.0 - began
        if stored:
            high += 1.0
        if self._bounds and not self._agree(low, high):
            self._bounds.clear()  # One of the two clocks was set.
        self._bounds.append((low, high))

    def _agree(self, low: float, high: float) -> bool:
        return max(low, *(one for one, _ in self._bounds)) <= min(
            high, *(one for _, one in self._bounds)
        )

    @property
    def skew_seconds(self) -> float | None:
        """How far it is ahead of ours, within about half a second; None while nothing is known."""
        if not self._bounds:
            return None
        low = max(low for low, _ in self._bounds)
        return (low + min(high for _, high in self._bounds)) / 2
