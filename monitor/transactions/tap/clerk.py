"""Keeps the book: a send is in the journal before it leaves, an error before it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from monitor.model import Hash32
from monitor.transactions.reactions import Outcome
from monitor.transactions.tap.judging import Send, Verdict
from monitor.transactions.tap.reading import Call

Told = Literal["refused", "unanswered"]
"""What is written down beside an arrival: where the node took it, nothing is."""
NOT_FORWARDED = "not forwarded"
SOURCE = "tap"
"""Under which the journal has what came this way."""


class Ledger(Protocol):
    """The part of the journal that the tap needs; what is written is durable when it returns."""

    async def arrive(self, raw: bytes, hash_: Hash32, *, source: str, at: float) -> None:
        """It is about to leave. Once more for the same hash is one more delivery of it."""

    async def answered(self, hash_: Hash32, outcome: Told, message: str, at: float) -> None:
        """What its sender is about to be told of one delivery."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of one transaction that was sent through the tap."""

    hash: Hash32
    raw: bytes | None
    """None where the node signed it (`eth_sendTransaction`)."""
    outcome: Outcome
    message: str
    """The node's error, or why there is no answer; empty where it was taken."""
    at: float


class NotEnteredError(Exception):
    """The journal cannot be written, and nothing may be forwarded; one line."""

    def __init__(self, text: str, *, is_open: bool = False) -> None:
        super().__init__(text)
        self.is_open = is_open
        """Whether part of the request is in the journal and will count as sent."""


def named(raw: bytes) -> Hash32:
    """The hash by which nodes name these bytes; of what no node can read, that of the bytes."""
    # Loads the curve: whoever does not tap need not pay for it.
    from eth_hash.auto import keccak

    from monitor.transactions.raw import RawError, transaction_hash

    try:
        return transaction_hash(raw)
    except RawError:
        return Hash32("0x" + keccak(raw).hex())


class Clerk:
    """Between the tap and the journal. `journal_error` is what a journal that cannot write raises.

    Everything of one request is written at the same time, so that it shares one commit.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        clock: Callable[[], float],
        on_sent: Callable[[Sent], None],
        journal_error: type[Exception],
        hash_of: Callable[[bytes], Hash32] = named,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._on_sent = on_sent
        self._journal_error = journal_error
        self._hash_of = hash_of

    async def enter(self, calls: Iterable[Call]) -> tuple[Send, ...]:
        """Write down everything that these calls send. Raises NotEnteredError: forward nothing."""
        sends = [
            Send(call, None if raw is None else self._hash_of(raw), raw)
            for call in calls
            for raw in call.raws or (None,)
        ]
        at = self._clock()
        entered = [
            (send.raw, send.hash)
            for send in sends
            if send.raw is not None and send.hash is not None
        ]
        failed = await self._all(
            self._ledger.arrive(raw, hash_, source=SOURCE, at=at) for raw, hash_ in entered
        )
        reason = next((error for error in failed if error is not None), None)
        if reason is None:
            return tuple(sends)
        # What was written counts as sent, and its sender is about to be told that it was not.
        written = [
            hash_ for (_, hash_), error in zip(entered, failed, strict=True) if error is None
        ]
        back = await self._all(
            self._ledger.answered(hash_, "refused", NOT_FORWARDED, at) for hash_ in written
        )
        is_open = any(error is not None for error in back)
        raise NotEnteredError(str(reason), is_open=is_open)

    async def settle(self, verdicts: Sequence[Verdict]) -> bool:
        """Write down what the senders are about to be told, then pass on what came of each.

        False where it could not be written. Then it counts as sent, so the sender must not be told
        that it failed.
        """
        at = self._clock()
        failed = await self._all(
            self._ledger.answered(one.hash, one.outcome, one.message, at)
            for one in verdicts
            if one.outcome != "accepted" and one.hash is not None and one.send.raw is not None
        )
        is_written = not any(failed)
        for one in verdicts:
            if one.hash is not None:
                # A refusal that is not in the journal is none: nobody is told of it.
                outcome = one.outcome if is_written else _unless_refused(one.outcome)
                sent = Sent(one.hash, one.send.raw, outcome, one.message, at)
                self._on_sent(sent)
        return is_written

    async def _all(self, writes: Iterable[Awaitable[None]]) -> list[Exception | None]:
        """Write at the same time; for each, what the journal said against it."""
        failures = await asyncio.gather(*writes, return_exceptions=True)
        for failure in failures:
            if failure is not None and not isinstance(failure, self._journal_error):
                raise failure
        return [failure if isinstance(failure, Exception) else None for failure in failures]


def _unless_refused(outcome: Outcome) -> Outcome:
    return "unanswered" if outcome == "refused" else outcome
