"""Clef, as its documentation and its source have it, and whoever sits before it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import aiohttp
import pytest

from monitor.rpc.node import Limits
from monitor.transactions.signers import SignerError
from monitor.transactions.signers.clef import LIMITS, METHOD, ClefSigner
from monitor.url import Url
from tests.rpc.canned import Canned, Clock, Hang, Json, Refusal, always
from tests.transactions import signing
from tests.transactions.signers import fakes
from tests.transactions.signers.fakes import OTHER, SELF, TAMPERED, asked, priced
from tests.transactions.signing import SENDER, STRANGER, TO, sign

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
def signer(server: Canned, session: aiohttp.ClientSession) -> ClefSigner:
    """Our side of a server that signs as Clef does, where everything is approved."""
    server.answers = {METHOD: fakes.clef()}
    return ClefSigner(Url(server.url), session, clock=Clock(0.0))


async def test_clef_signs_what_it_is_asked(server: Canned, signer: ClefSigner) -> None:
    """One call with the documented object: addresses with checksum, either caps or a price."""
    raw = await signer.sign(priced(asked()), SELF)
    fields = signing.dynamic(nonce=7, maxFeePerGas=9 * 10**9, maxPriorityFeePerGas=2 * 10**9)
    assert raw == sign(fields).raw
    assert server.requests == [fakes.body(METHOD, REQUEST)]


@pytest.mark.parametrize("kind", ["legacy", "old_creation", "listed", "dynamic", "creation"])
async def test_clef_signs_every_kind_that_it_knows(signer: ClefSigner, kind: str) -> None:
    """It tells the type by the fields that are there."""
    raw = await signer.sign(asked(kind), SELF)
    assert raw == sign(signing.KINDS[kind](nonce=7, data="0xdeadbeef")).raw


@pytest.mark.parametrize(("kind", "length"), [("listed", 0), ("dynamic", 2)])
async def test_clef_signs_access_lists_of_both_types(
    signer: ClefSigner, kind: str, length: int
) -> None:
    """An empty one makes it type 1 all the same."""
    more = {"accessList": signing.ACCESS[:length]}
    raw = await signer.sign(asked(kind, **more), SELF)
    assert raw == sign(signing.KINDS[kind](nonce=7, data="0xdeadbeef", **more)).raw


async def test_clef_is_not_asked_for_authorizations(server: Canned, signer: ClefSigner) -> None:
    """It would leave them out, and sign something else."""
    with pytest.raises(SignerError, match="clef: it signs no authorizations"):
        await signer.sign(asked("set_code"), SELF)
    assert server.requests == []


async def test_clef_is_not_asked_to_sign_for_every_chain(
    server: Canned, signer: ClefSigner
) -> None:
    """What cannot be made good afterwards is not sent."""
    with pytest.raises(SignerError, match="names no chain"):
        await signer.sign(replace(asked("legacy"), chain_id=None), SELF)
    assert server.requests == []


async def test_clef_asked_twice_at_once_gets_two_requests(
    server: Canned, signer: ClefSigner
) -> None:
    """A person is shown each of them, and no answer of a batch waits for the other."""
    await asyncio.gather(signer.sign(asked(), SELF), signer.sign(asked("legacy"), SELF))
    assert [type(request) for request in server.requests] == [dict, dict]


async def test_clef_that_answers_too_much_is_an_error(server: Canned, signer: ClefSigner) -> None:
    """More than any signature."""
    server.respond = always("x" * (2**20 + 1))
    with pytest.raises(SignerError, match="clef: the answer is larger than 1048576 bytes"):
        await signer.sign(asked(), SELF)


@pytest.mark.parametrize("name", TAMPERED)
async def test_clef_that_signs_something_else_is_refused(
    server: Canned, signer: ClefSigner, name: str
) -> None:
    """Whoever approves may change every field: what differs is named, and no bytes come out."""
    tamper, words = TAMPERED[name]
    server.answers = {METHOD: fakes.clef(tamper=tamper)}
    with pytest.raises(SignerError, match=words):
        await signer.sign(asked(), SELF)


async def test_clef_with_another_key_is_refused(server: Canned, signer: ClefSigner) -> None:
    """The sender is what the signature recovers."""
    server.answers = {METHOD: fakes.clef(signer=STRANGER)}
    with pytest.raises(SignerError, match=f"sender {OTHER}, not {SELF}"):
        await signer.sign(asked(), SELF)


async def test_clef_of_another_chain_says_so(server: Canned, signer: ClefSigner) -> None:
    """It is told the chain, and compares it with its own."""
    server.answers = {METHOD: fakes.clef(chain_id=5)}
    with pytest.raises(SignerError, match="requested chainid does not match"):
        await signer.sign(asked(), SELF)


async def test_clef_refused_by_its_user_is_an_error_that_says_so(
    server: Canned, signer: ClefSigner
) -> None:
    """A person said no."""
    server.answers = {METHOD: Refusal("Request denied", -32000)}
    words = r"^clef: account_signTransaction: error -32000: Request denied$"
    with pytest.raises(SignerError, match=words):
        await signer.sign(asked(), SELF)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"raw": "0x", "tx": {}}, "clef: not 0x and pairs"),
        ({"raw": "0x00", "tx": {}}, "what it signed is no transaction"),
        ({"raw": None}, "clef: account_signTransaction: "),
        ({"tx": {}}, "clef: account_signTransaction: "),
        ("0x00", "clef: account_signTransaction: "),
        (None, "clef: account_signTransaction: "),
        ([], "clef: account_signTransaction: "),
    ],
)
async def test_clef_that_answers_something_else_is_an_error(
    server: Canned, signer: ClefSigner, answer: Json, words: str
) -> None:
    """Not the documented object, or not a transaction in it."""
    server.answers = {METHOD: answer}
    with pytest.raises(SignerError, match=words):
        await signer.sign(asked(), SELF)


async def test_clef_behind_a_broken_gateway_is_an_error(server: Canned, signer: ClefSigner) -> None:
    """A page is no answer."""
    server.respond = always("<html>", 500)
    with pytest.raises(SignerError, match="clef: HTTP 500"):
        await signer.sign(asked(), SELF)


async def test_clef_that_nobody_answers_is_left_at_the_deadline(
    server: Canned, session: aiohttp.ClientSession
) -> None:
    """The person is away; and what is waited for by itself is less than a minute."""
    server.respond = Hang()
    limits = Limits(deadline_seconds=0.05, batch_calls_max=1)
    hasty = ClefSigner(Url(server.url), session, clock=Clock(0.0), limits=limits)
    with pytest.raises(SignerError, match=r"clef: no answer within 0.05 s"):
        await hasty.sign(asked(), SELF)
    assert LIMITS.deadline_seconds < 60


async def test_clef_closed_leaves_nothing_waiting(server: Canned, signer: ClefSigner) -> None:
    """Whoever still waits is cancelled."""
    hang = Hang()
    server.respond = hang
    waiting = asyncio.ensure_future(signer.sign(asked(), SELF))
    await hang.holding.wait()
    await signer.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
