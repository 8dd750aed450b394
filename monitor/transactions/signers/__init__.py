"""Who signs replacements: a key of ours, or somebody who has it.

verified      what came back is what was asked for, or it is nothing
keystore      an encrypted key file, decrypted here
web3signer    Web3Signer's JSON-RPC
clef          Clef's JSON-RPC, behind which a person approves
command       any program

Every signer verifies what was signed, field by field and by its recovered sender, before it hands
it on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import aiohttp

from monitor.model import Address
from monitor.transactions.signers.clef import ClefSigner
from monitor.transactions.signers.command import CommandSigner
from monitor.transactions.signers.keystore import KeystoreSigner
from monitor.transactions.signers.verified import SignerError
from monitor.transactions.signers.web3signer import Web3SignerSigner
from monitor.transactions.unsigned import Unsigned
from monitor.url import Url

__all__ = ("Signer", "SignerError", "signer_of")


class Signer(Protocol):
    """Signs what it is asked to, for the senders whose keys it can use."""

    async def sign(self, unsigned: Unsigned, sender: Address) -> bytes:
        """Exactly this transaction, signed by exactly this sender; raises SignerError."""
        ...

    async def close(self) -> None:
        """End what is under way and forget what is secret."""
        ...


def signer_of(
    *,
    session: aiohttp.ClientSession,
    clock: Callable[[], float],
    keystore: tuple[Path, Path] | None = None,
    web3signer: Url | None = None,
    clef: Url | None = None,
    command: Sequence[str] | None = None,
) -> Signer:
    """The signer of the one kind that is given; raises ValueError for none and for several.

    `keystore` is the key's file and its password's. `session` serves those that speak HTTP, and
    stays open.
    """
    made: list[Signer] = []
    if keystore is not None:
        made.append(KeystoreSigner(*keystore))
    if web3signer is not None:
        made.append(Web3SignerSigner(web3signer, session, clock=clock))
    if clef is not None:
        made.append(ClefSigner(clef, session, clock=clock))
    if command is not None:
        made.append(CommandSigner(command))
    if len(made) != 1:
        message = f"a signer is of one kind, and {len(made)} are given"
        raise ValueError(message)
    return made[0]
