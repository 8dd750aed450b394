"""Sends bytes that are signed already, to one endpoint at a time, and writes down what came of it.

The intent is in the journal before a byte leaves, the outcome after; an intent without an outcome
is sent again, byte for byte, when the next process begins. An error is read by its text
(`reactions`), never by its code; no answer is no outcome.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from monitor.endpoint import Endpoint
from monitor.model import Hash32
from monitor.rpc import decode
from monitor.rpc.errors import CallRejected, RpcError
from monitor.transactions.orders import OrderError
from monitor.transactions.reactions import Reaction, react
from monitor.transactions.words import Act

log = logging.getLogger("headwatch")

METHOD = "eth_sendRawTransaction"


class Intents(Protocol):
    """The part of the journal that sending needs."""

    async def intend(self, hash_: Hash32, node: str, act: str, at: float) -> int: ...

    async def conclude(self, action_id: int, reaction: str, message: str, at: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Sent:
    """What one endpoint made of the bytes."""

    label: str
    reaction: Reaction
    message: str
    """In its own words; empty where it took them."""


class Sending:
    """One way out for everything that headwatch sends."""

    def __init__(
        self,
        journal: Intents,
        clock: Callable[[], float],
        on_sent: Callable[[Act, Sent], None] = lambda act, sent: None,
        *,
        is_halted: Callable[[], bool] = lambda: False,
    ) -> None:
        """`is_halted` is asked before every intent: a signer may think for longer than a halt."""
        self._is_halted = is_halted
        self._journal = journal
        self._clock = clock
        self._on_sent = on_sent

    async def send(self, endpoint: Endpoint, hash_: Hash32, raw: bytes, act: Act) -> Sent:
        """Send, and say how it was taken.

        Raises JournalError, and OrderError where everything is halted: then nothing was sent.
        """
        if self._is_halted():
            message = "halted: nothing is sent until `headwatch tx resume`"
            raise OrderError(message, "refused")
        action = await self._journal.intend(hash_, endpoint.label, act.value, self._clock())
        return await self.resume(endpoint, raw, act, action)

    async def resume(self, endpoint: Endpoint, raw: bytes, act: Act, action: int) -> Sent:
        """Send what is intended already. Raises JournalError where the outcome is not kept."""
        try:
            await endpoint.node.ask(METHOD, ("0x" + raw.hex(),), decode.text)
        except CallRejected as error:
            sent = Sent(endpoint.label, react(str(error)), str(error))
            if sent.reaction is Reaction.UNRECOGNISED:
                # Its text is without the endpoint's URL, on one line, and cut (`Url.scrub`).
                log.warning("unrecognised refusal of %s: %s", sent.label, sent.message)
        except RpcError as error:
            sent = Sent(endpoint.label, Reaction.TRANSPORT, str(error))
        else:
            sent = Sent(endpoint.label, Reaction.ACCEPTED, "")
        self._on_sent(act, sent)
        await self._journal.conclude(action, sent.reaction.value, sent.message, self._clock())
        return sent
