"""Web3Signer, as its documentation and its source have it, and what may come from such a port."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import aiohttp
import pytest

from monitor.rpc.node import Limits
from monitor.transactions.signers import SignerError
from monitor.transactions.signers.web3signer import LIMITS, METHOD, Web3SignerSigner
from monitor.url import Url
from tests.rpc.canned import Canned, Clock, Hang, Json, Refusal, always
from tests.transactions import signing
from tests.transactions.signers import fakes
from tests.transactions.signers.fakes import OTHER, SELF, TAMPERED, asked, priced
from tests.transactions.signing import SENDER, STRANGER, TO, sign

SECRET = "k3y-0f-the-s1gner"  # noqa: S105 - invented
REQUEST = {
    "type": "0x2",
    "from": SENDER.address,
    "chainId": "0x7a69",
    "nonce": "0x7",
    "to": TO,
    "value": "0x5",
    "data": "0xdeadbeef",
    "gas": "0x7530",
    "maxFeePerGas": "0x218711a00",
    "maxPriorityFeePerGas": "0x77359400",
}


@pytest.fixture
def signer(server: Canned, session: aiohttp.ClientSession) -> Web3SignerSigner:
    """Our side of a server that signs as Web3Signer does, under a URL with a key in its path."""
    server.answers = {METHOD: fakes.web3signer()}
    return made(server, session)


def made(
    server: Canned, session: aiohttp.ClientSession, limits: Limits = LIMITS
) -> Web3SignerSigner:
    url = Url(f"{server.url}/{SECRET}")
    return Web3SignerSigner(url, session, clock=Clock(0.0), limits=limits)


async def test_web3signer_signs_what_it_is_asked(server: Canned, signer: Web3SignerSigner) -> None:
    """One call with the documented object, and the raw bytes it answers with."""
    raw = await signer.sign(priced(asked()), SELF)
    fields = signing.dynamic(nonce=7, maxFeePerGas=9 * 10**9, maxPriorityFeePerGas=2 * 10**9)
    assert raw == sign(fields).raw
    assert server.requests == [fakes.body(METHOD, REQUEST)]


async def test_web3signer_signs_a_legacy_transaction(
    server: Canned, signer: Web3SignerSigner
) -> None:
    """With one price, and without what would make it another type."""
    raw = await signer.sign(asked("legacy"), SELF)
    assert raw == sign(signing.legacy(nonce=7, data="0xdeadbeef")).raw
    (call,) = server.calls
    assert call["params"][0]["gasPrice"] == "0xb2d05e00"
    assert not {"maxFeePerGas", "accessList"} & call["params"][0].keys()


async def test_web3signer_signs_a_creation(signer: Web3SignerSigner) -> None:
    """Without a recipient."""
    raw = await signer.sign(asked("creation"), SELF)
    assert raw == sign(signing.creation(nonce=7, data="0xdeadbeef")).raw


@pytest.mark.parametrize("kind", ["listed", "set_code"])
async def test_web3signer_is_not_asked_for_lists(
    server: Canned, signer: Web3SignerSigner, kind: str
) -> None:
    """It would leave them out, and sign something else."""
    with pytest.raises(SignerError, match="no access lists and no authorizations"):
        await signer.sign(asked(kind), SELF)
    with pytest.raises(SignerError, match="no access lists"):
        await signer.sign(asked(accessList=signing.ACCESS), SELF)
    assert server.requests == []


async def test_web3signer_is_not_asked_to_sign_for_every_chain(
    server: Canned, signer: Web3SignerSigner
) -> None:
    """What cannot be made good afterwards is not sent."""
    with pytest.raises(SignerError, match="names no chain"):
        await signer.sign(replace(asked("legacy"), chain_id=None), SELF)
    assert server.requests == []


@pytest.mark.parametrize("name", TAMPERED)
async def test_web3signer_that_signs_something_else_is_refused(
    server: Canned, signer: Web3SignerSigner, name: str
) -> None:
    """What differs is named, and no bytes come out."""
    tamper, words = TAMPERED[name]
    server.answers = {METHOD: fakes.web3signer(tamper=tamper)}
    with pytest.raises(SignerError, match=words):
        await signer.sign(asked(), SELF)


async def test_web3signer_of_another_chain_is_refused(
    server: Canned, signer: Web3SignerSigner
) -> None:
    """Its chain is that of its configuration, whatever it is asked."""
    server.answers = {METHOD: fakes.web3signer(chain_id=5)}
    with pytest.raises(SignerError, match="chain 5, not 31337"):
        await signer.sign(asked(), SELF)


async def test_web3signer_with_another_key_is_refused(
    server: Canned, signer: Web3SignerSigner
) -> None:
    """Whether it says so or not."""
    server.answers = {METHOD: fakes.web3signer(signer=STRANGER)}
    words = "web3signer: eth_signTransaction: error -32000: No unlocked account matches the Sender"
    with pytest.raises(SignerError, match=words):
        await signer.sign(asked(), SELF)
    server.answers = {METHOD: "0x" + sign(signing.dynamic(nonce=7), STRANGER).raw.hex()}
    with pytest.raises(SignerError, match=f"sender {OTHER}, not {SELF}"):
        await signer.sign(asked(), SELF)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("0x", "web3signer: not 0x and pairs"),
        ("garbage", "web3signer: not 0x and pairs"),
        ("0x00", "what it signed is no transaction"),
        ("0x" + "c0" * 200, "what it signed is no transaction"),
        (None, "web3signer: eth_signTransaction: "),
        ({"raw": "0x00"}, "web3signer: eth_signTransaction: "),
        (Refusal("Invalid params", -32602), "eth_signTransaction: error -32602: Invalid params"),
        (Refusal(f"no route to /{SECRET}"), r"no route to /\*\*\*"),
    ],
)
async def test_web3signer_that_answers_something_else_is_an_error(
    server: Canned, signer: Web3SignerSigner, answer: Json, words: str
) -> None:
    """One line, without any part of the URL."""
    server.answers = {METHOD: answer}
    with pytest.raises(SignerError, match=words) as caught:
        await signer.sign(asked(), SELF)
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("<html>", 500, "web3signer: HTTP 500"),
        ("", 401, "web3signer: HTTP 401"),
        ("<html>", 200, "web3signer: not a JSON-RPC answer"),
        ("x" * (2**20 + 1), 200, "web3signer: the answer is larger than 1048576 bytes"),
    ],
)
async def test_web3signer_behind_a_broken_gateway_is_an_error(
    server: Canned, signer: Web3SignerSigner, body: str, status: int, words: str
) -> None:
    """A page, a refusal, and more than any signature."""
    server.respond = always(body, status)
    with pytest.raises(SignerError, match=words):
        await signer.sign(asked(), SELF)


async def test_web3signer_that_hangs_is_left_at_the_deadline(
    server: Canned, session: aiohttp.ClientSession
) -> None:
    """Nobody waits longer than a lease lasts."""
    server.respond = Hang()
    with pytest.raises(SignerError, match=r"web3signer: no answer within 0.05 s"):
        await made(server, session, Limits(deadline_seconds=0.05)).sign(asked(), SELF)
    assert LIMITS.deadline_seconds < 60


async def test_web3signer_that_is_not_there_is_an_error(session: aiohttp.ClientSession) -> None:
    """In words that name no address."""
    absent = Web3SignerSigner(Url("http://127.0.0.1:1/" + SECRET), session, clock=Clock(0.0))
    with pytest.raises(SignerError, match=r"^web3signer: connection refused$"):
        await absent.sign(asked(), SELF)


async def test_web3signer_asked_twice_at_once_gets_two_requests(
    server: Canned, signer: Web3SignerSigner
) -> None:
    """It serves no batches."""
    pair = await asyncio.gather(signer.sign(asked(), SELF), signer.sign(asked("legacy"), SELF))
    assert [type(raw) for raw in pair] == [bytes, bytes]
    assert [type(request) for request in server.requests] == [dict, dict]


async def test_web3signer_closed_leaves_nothing_waiting(
    server: Canned, signer: Web3SignerSigner
) -> None:
    """Whoever still waits is cancelled, and no exchange goes on."""
    hang = Hang()
    server.respond = hang
    waiting = asyncio.ensure_future(signer.sign(asked(), SELF))
    await hang.holding.wait()
    await signer.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_web3signer_is_shown_without_its_url(signer: Web3SignerSigner) -> None:
    """Its URL may hold a key."""
    assert SECRET not in repr(signer)
