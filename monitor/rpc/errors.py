"""Every way a call can fail, mapped once from whatever the libraries below raise.

    RpcError                what a probe may raise; the loop writes it down as `Unseen`
    ├── CallTimeout         no whole answer within the deadline
    ├── ConnectionRefused   no connection, or it broke: refused, reset, DNS, TLS, HTTP status
    │   └── Throttled           ... with which it asks for fewer calls
    ├── CallRejected        the node answered with a JSON-RPC error object
    │   └── MethodAbsent    ... which says that it does not have the method
    ├── MalformedAnswer     not JSON-RPC, not the requested shape, too large, the wrong id
    └── BudgetSpent         we did not ask: the reference's calls of the day are spent

The texts never hold a URL: `rpc/node` scrubs whatever a node or a library said.
"""

from __future__ import annotations

from typing import ClassVar

from monitor.model import Unseen, UnseenReason


class RpcError(Exception):
    """A call that brought no answer; `str()` is one line for a person."""

    reason: ClassVar[UnseenReason] = "rpc_error"

    def unseen(self) -> Unseen:
        """The value under which the loop writes this down."""
        return Unseen(self.reason, str(self))


class CallTimeout(RpcError):
    """No whole answer within the deadline."""

    reason: ClassVar[UnseenReason] = "timeout"


class ConnectionRefused(RpcError):
    """No connection, or one that broke, or an HTTP status that is no answer."""

    reason: ClassVar[UnseenReason] = "refused"


class Throttled(ConnectionRefused):
    """HTTP 429 (RFC 6585), or a refusal that says when to come again (`Retry-After`)."""


class CallRejected(RpcError):
    """The node answered with an error object (JSON-RPC 2.0, section 5.1)."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


class MethodAbsent(CallRejected):
    """The node does not have this method; asking again is no use."""

    reason: ClassVar[UnseenReason] = "unsupported"


class MalformedAnswer(RpcError):
    """An answer that cannot be read as what was asked for."""

    reason: ClassVar[UnseenReason] = "malformed"


class BudgetSpent(RpcError):
    """The reference's calls of the day are spent."""

    reason: ClassVar[UnseenReason] = "budget"


ABSENT_CODES = frozenset({-32601, -32004})
"""-32601: JSON-RPC 2.0 "method not found". -32004: EIP-1474 "method not supported" (hardhat)."""
ABSENT_TEXTS = (
    "does not exist",  # geth, erigon, nitro: "the method eth_foo does not exist/is not available"
    "not available",
    "not supported",  # nethermind, ganache: "Method eth_foo not supported."
    "unknown variant",  # anvil: its enum of methods has none of this name
    "method not found",  # reth, besu, parity
    "method not enabled",  # besu, with -32604: "Method not enabled"
    "unsupported method",  # providers in front of a node
)
METHOD_TEXT = "method"
THROTTLING_CODES = frozenset({-32005, 429})
"""-32005: EIP-1474 "limit exceeded". 429: providers write their HTTP status there."""
TOO_LARGE_TEXT = "returned more than"
"""With -32005 as well: the answer would be too large, however seldom one asks."""
NO_ERRORS = frozenset({"unsupported", "budget"})
"""Reasons of an Unseen that are no failure of a call: it was answered, or never sent."""


def is_absent(code: int, message: str) -> bool:
    """Whether an error object says that the method itself is missing, in any dialect.

    The texts "not available" and the like count only where the message speaks of a method: geth
    says "historical state is not available" of data, which is no statement about the method.
    """
    if code in ABSENT_CODES:
        return True
    lowered = message.lower()
    if "unknown variant" in lowered:
        return True
    return METHOD_TEXT in lowered and any(text in lowered for text in ABSENT_TEXTS)


def is_throttled(error: RpcError) -> bool:
    """Whether the node says that it is asked too much."""
    if isinstance(error, CallRejected):
        return error.code in THROTTLING_CODES and TOO_LARGE_TEXT not in str(error)
    return isinstance(error, Throttled)
