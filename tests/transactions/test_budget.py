"""A day's budget, however many are signed at the same moment; the journal is a real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from eth_keys.datatypes import PrivateKey

from monitor.config.transactions import Account
from monitor.model import Address
from monitor.transactions.fees import Fees
from monitor.transactions.journal import Journal, Sighting
from monitor.transactions.orders import CappedError, OrderError
from monitor.transactions.rules import Rules
from monitor.transactions.signers import SignerError
from monitor.transactions.signing import Offer, Signed, Signing
from monitor.transactions.unsigned import Unsigned, cancellation_of
from monitor.transactions.ward import Ward
from monitor.transactions.words import Act, Slot
from tests.transactions.builders import GWEI, NOW, hash_of
from tests.transactions.signing import CHAIN_ID, SENDER

ADDRESS = Address(SENDER.address.lower())
COST = 21_000 * 30 * GWEI
NETWORK = "net"


class SlowSigner:
    """Signs once it may, or fails."""

    def __init__(self) -> None:
        self.asked = 0
        self.may_sign = asyncio.Event()
        self.is_broken = False

    async def sign(self, unsigned: Unsigned, sender: Address) -> bytes:
        assert sender == ADDRESS
        self.asked += 1
        await self.may_sign.wait()
        if self.is_broken:
            message = "no answer"
            raise SignerError(message)
        signature = PrivateKey(SENDER.key).sign_msg_hash(unsigned.signing_hash())
        return unsigned.signed(signature.v, signature.r, signature.s)

    async def close(self) -> None:
        """Nothing is secret."""


class Counter:
    """What signs for one account, and what came of it."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.signer = SlowSigner()
        self.results: list[str] = []
        self.signing = Signing(
            journal,
            clock=lambda: NOW,
            signer_of=lambda _alias: self.signer,
            on_signed=lambda _ward, _act, result: self.results.append(result),
        )

    def ward(self, budget_wei: int) -> Ward:
        account = Account(alias="scheduler", address=ADDRESS, network=NETWORK)
        return Ward(account, Rules(cancel=True, budget_a_day_wei=budget_wei), NETWORK)

    async def slot(self, nonce: int) -> Slot:
        sighting = Sighting(
            network=NETWORK,
            chain_id=CHAIN_ID,
            alias="scheduler",
            sender=ADDRESS,
            nonce=nonce,
            hash=hash_of(f"tx {nonce}"),
            transaction=None,
            raw=None,
            source="a",
        )
        return await self.journal.observe(sighting, NOW)

    async def sign(self, ward: Ward, nonce: int) -> Signed:
        unsigned = cancellation_of(chain_id=CHAIN_ID, sender=ADDRESS, nonce=nonce, is_legacy=False)
        fees = Fees(30 * GWEI, 2 * GWEI)
        priced = unsigned.with_fees(fee_cap_wei=fees.fee_cap_wei, tip_cap_wei=fees.tip_cap_wei)
        return await self.signing.sign(
            ward, await self.slot(nonce), Act.CANCEL, Offer(priced, fees)
        )


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Counter]:
    journal = Journal(tmp_path / "journal.sqlite", clock=lambda: NOW)
    await journal.open()
    yield Counter(journal)
    await journal.close()


async def asked_of(desk: Counter, count: int) -> None:
    """Once so many have gone to the signer."""
    async with asyncio.timeout(10):
        while desk.signer.asked < count:
            await asyncio.sleep(0)


async def test_signing_two_at_once_spends_no_more_than_the_budget(desk: Counter) -> None:
    """Both were offered while nothing was spent; the signer is asked for one of them."""
    ward = desk.ward(2 * COST - 1)
    both = [asyncio.create_task(desk.sign(ward, nonce)) for nonce in (1, 2)]
    await asked_of(desk, 1)
    done, _ = await asyncio.wait(both, timeout=5, return_when=asyncio.FIRST_COMPLETED)
    (refused,) = done
    error = refused.exception()
    assert isinstance(error, CappedError)
    assert error.reason == "budget_exhausted"
    assert f"{COST - 1} wei are left" in str(error)
    desk.signer.may_sign.set()
    await asyncio.gather(*both, return_exceptions=True)
    assert desk.results == ["over_budget", "signed"]
    assert desk.signer.asked == 1
    assert await desk.signing.spent_wei(ward) == COST


async def test_signing_two_at_once_spends_all_of_the_budget(desk: Counter) -> None:
    """What holds both lets both be signed."""
    ward = desk.ward(2 * COST)
    both = [asyncio.create_task(desk.sign(ward, nonce)) for nonce in (1, 2)]
    await asked_of(desk, 2)
    desk.signer.may_sign.set()
    assert len({signed.hash for signed in await asyncio.gather(*both)}) == 2
    assert await desk.signing.spent_wei(ward) == 2 * COST


async def test_signing_that_fails_gives_its_share_back(desk: Counter) -> None:
    """The next one has the whole budget again."""
    ward = desk.ward(COST)
    desk.signer.may_sign.set()
    desk.signer.is_broken = True
    with pytest.raises(OrderError, match="did not sign"):
        await desk.sign(ward, 1)
    desk.signer.is_broken = False
    await desk.sign(ward, 2)
    assert desk.results == ["failed", "signed"]


async def test_signing_that_is_cancelled_gives_its_share_back(desk: Counter) -> None:
    """Whoever asked is gone, and what the signer still signs goes nowhere."""
    ward = desk.ward(COST)
    task = asyncio.create_task(desk.sign(ward, 1))
    await asked_of(desk, 1)
    assert await desk.signing.spent_wei(ward) == COST
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await desk.signing.spent_wei(ward) == 0
    desk.signer.may_sign.set()
    await desk.sign(ward, 2)
    assert await desk.signing.spent_wei(ward) == COST
