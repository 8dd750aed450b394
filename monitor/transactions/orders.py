"""What a person may order of the watchdog, and what comes of it: the words of API and terminal.

The running sidecar carries orders out (`watchdog`); without one, the command line does, with the
same code, after it has taken the journal's lock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from monitor.model import Hash32

Trouble = Literal["unknown", "refused", "unavailable"]
"""`unknown`: no such transaction (404). `refused`: a rule or a cap forbids it, or it cannot be done
with what there is (409). `unavailable`: the journal, a signer or every endpoint failed (503)."""


class OrderError(Exception):
    """An order that was not carried out; one line for a person, without secrets."""

    def __init__(self, message: str, trouble: Trouble) -> None:
        super().__init__(message)
        self.trouble = trouble


class CappedError(OrderError):
    """A cap of the policy, or the day's budget, stands against what was to be signed."""

    def __init__(
        self, message: str, reason: Literal["cap_blocks_bump", "budget_exhausted"]
    ) -> None:
        super().__init__(message, "refused")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one endpoint made of the bytes."""

    label: str
    reaction: str
    """A word of `reactions.Reaction`."""
    message: str
    """In the endpoint's words, scrubbed; empty where it took them."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """What came of an order."""

    act: str
    """A word of `words.Act`, or `register`."""
    network: str
    alias: str
    nonce: int
    hash: Hash32 | None
    """Of what was sent or registered; None where nothing was, as in a dry run."""
    deliveries: tuple[Delivery, ...] = ()
    fee_cap_wei: int | None = None
    """Of a replacement or a cancellation."""
    tip_cap_wei: int | None = None
    summary: str = ""
    """One sentence."""


class Orders(Protocol):
    """What may be ordered. Every method raises OrderError.

    Transactions are named by any hash of their slot, or by a prefix of one, of at least six
    hexadecimal digits, that is unambiguous among what the journal has.
    """

    async def register(
        self, *, raw: bytes | None, hash_: str | None, network: str | None
    ) -> Ordered:
        """Watch a transaction: its bytes, or its hash, whose bytes are then looked for.

        Of a watched account only; `network` where the bytes name no chain, or by hash.
        """
        ...

    async def rebroadcast(self, name: str) -> Ordered:
        """Send the same bytes to every reference and to the account's own node, now."""
        ...

    async def replace(
        self, name: str, *, fee_cap_wei: int | None, tip_cap_wei: int | None, dry_run: bool
    ) -> Ordered:
        """Sign the same payment with higher fees and send it; fees by formula where not given.

        Within the policy's caps and budget, given fees too. The policy must allow it.
        """
        ...

    async def cancel(
        self, name: str, *, fee_cap_wei: int | None, tip_cap_wei: int | None, dry_run: bool
    ) -> Ordered:
        """Sign a transfer of nothing to the sender itself at its nonce, and send it; likewise."""
        ...

    async def propose(self, name: str) -> Mapping[str, object]:
        """The unsigned replacement, with its reason and evidence, as the webhook would get it."""
        ...

    async def halt(self) -> None:
        """The kill switch: from now on nothing is sent. It outlives a restart."""
        ...

    async def resume(self) -> None:
        """The end of `halt`; not of `transactions.halted` in the configuration."""
        ...
