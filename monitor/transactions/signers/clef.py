"""Clef: `account_signTransaction` over HTTP, which a person, or a rule, has to approve.

https://geth.ethereum.org/docs/tools/clef/apis, and go-ethereum's signer/core/api.go
"""

from __future__ import annotations

from collections.abc import Callable

import aiohttp
import msgspec

from monitor.model import Address
from monitor.rpc.errors import RpcError
from monitor.rpc.node import Limits, Node
from monitor.transactions.raw import RawError, from_hex
from monitor.transactions.signers.verified import SignerError, refuse_unsignable, verified
from monitor.transactions.unsigned import SET_CODE, Unsigned
from monitor.url import Url

METHOD = "account_signTransaction"
LIMITS = Limits(deadline_seconds=50.0, body_bytes_max=2**20, batch_calls_max=1)
"""A person has so long to answer; a lease for signing is open for a minute."""


class SignTransactionResult(msgspec.Struct, frozen=True):
    """What Clef answers (go-ethereum, SignTransactionResult); `tx` is the same, taken apart."""

    raw: str


ANSWER = msgspec.json.Decoder(SignTransactionResult)


class ClefSigner:
    """Signs with a key that Clef holds.

    Clef rejects addresses without their checksum (signer/fourbyte/validation.go), which
    `Unsigned.as_json` writes. Its arguments have no authorizations (SendTxArgs), and fields that it
    does not know are ignored: type 4 is not asked of it. Whoever approves may change fields, which
    the verification tells.
    """

    def __init__(
        self,
        url: Url,
        session: aiohttp.ClientSession,
        *,
        clock: Callable[[], float],
        limits: Limits = LIMITS,
    ) -> None:
        """`session` is the process's own and stays open."""
        self._node = Node("clef", url, session, clock=clock, limits=limits)

    async def sign(self, unsigned: Unsigned, sender: Address) -> bytes:
        """The signed bytes, verified; raises SignerError."""
        refuse_unsignable(unsigned)
        if unsigned.type == SET_CODE:
            message = "clef: it signs no authorizations"
            raise SignerError(message)
        try:
            answer = await self._node.ask(METHOD, (unsigned.as_json(sender),), ANSWER)
            raw = from_hex(answer.raw)
        except (RpcError, RawError) as error:
            message = f"clef: {error}"
            raise SignerError(message) from None
        return verified(raw, unsigned, sender)

    async def close(self) -> None:
        """End what is under way."""
        await self._node.close()
