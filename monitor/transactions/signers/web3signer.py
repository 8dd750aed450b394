"""Web3Signer in its eth1 mode: `eth_signTransaction` over HTTP, which answers with the raw bytes.

https://docs.web3signer.consensys.io/reference/api/json-rpc#eth_signtransaction
"""

from __future__ import annotations

from collections.abc import Callable

import aiohttp

from monitor.model import Address
from monitor.rpc import decode
from monitor.rpc.errors import RpcError
from monitor.rpc.node import Limits, Node
from monitor.transactions.raw import RawError, from_hex
from monitor.transactions.signers.verified import SignerError, refuse_unsignable, verified
from monitor.transactions.unsigned import DYNAMIC_FEE, LEGACY, Unsigned
from monitor.url import Url

METHOD = "eth_signTransaction"
LIMITS = Limits(deadline_seconds=30.0, body_bytes_max=2**20, batch_calls_max=1)
"""Behind it may be a vault or a hardware module; it serves no batches."""


class Web3SignerSigner:
    """Signs with a key that Web3Signer holds.

    Web3Signer ignores fields that it does not know (EthSendTransactionJsonParameters), and so
    would sign a transaction without its lists: it is asked for types 0 and 2 only. The chain is
    that of its configuration, and verified.
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
        self._node = Node("web3signer", url, session, clock=clock, limits=limits)

    async def sign(self, unsigned: Unsigned, sender: Address) -> bytes:
        """The signed bytes, verified; raises SignerError."""
        refuse_unsignable(unsigned)
        if unsigned.type not in {LEGACY, DYNAMIC_FEE} or unsigned.access_list:
            message = "web3signer: it signs no access lists and no authorizations"
            raise SignerError(message)
        try:
            answer = await self._node.ask(METHOD, (unsigned.as_json(sender),), decode.text)
            raw = from_hex(answer)
        except (RpcError, RawError) as error:
            message = f"web3signer: {error}"
            raise SignerError(message) from None
        return verified(raw, unsigned, sender)

    async def close(self) -> None:
        """End what is under way."""
        await self._node.close()
