"""One signer out of the settings of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from monitor.transactions.signers import signer_of
from monitor.transactions.signers.clef import ClefSigner
from monitor.transactions.signers.command import CommandSigner
from monitor.transactions.signers.keystore import KeystoreSigner
from monitor.transactions.signers.web3signer import Web3SignerSigner
from monitor.url import Url
from tests.rpc.canned import Clock

URL = Url("http://signer.example.org/k3y")
KINDS: dict[str, tuple[Any, type]] = {
    "keystore": ((Path("key.json"), Path("password")), KeystoreSigner),
    "web3signer": (URL, Web3SignerSigner),
    "clef": (URL, ClefSigner),
    "command": (("sign", "--now"), CommandSigner),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_signer_is_of_the_kind_that_is_given(
    session: aiohttp.ClientSession, kind: str
) -> None:
    """Nothing is opened, dialled or started before the first signature."""
    given, expected = KINDS[kind]
    settings: dict[str, Any] = {kind: given}
    signer = signer_of(session=session, clock=Clock(0.0), **settings)
    assert type(signer) is expected
    await signer.close()


async def test_signer_of_no_kind_or_of_two_is_refused(session: aiohttp.ClientSession) -> None:
    """The configuration has seen to it; whoever else calls is told."""
    with pytest.raises(ValueError, match="one kind, and 0 are given"):
        signer_of(session=session, clock=Clock(0.0))
    with pytest.raises(ValueError, match="one kind, and 2 are given"):
        signer_of(session=session, clock=Clock(0.0), clef=URL, web3signer=URL)
    with pytest.raises(ValueError, match="at least one word"):
        signer_of(session=session, clock=Clock(0.0), command=())
