"""What is signed: same nonce, within caps, verified, kept before it is sent; on real chains.

The key is in a keystore file here, as an operator would give it; the pools replace by the rules of
their clients.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from eth_account import Account as Key

from monitor.config.transactions import Keystore, Proposals, Signer
from monitor.model import Hash32
from monitor.transactions.orders import OrderError
from monitor.transactions.raw import decode
from monitor.transactions.words import State
from monitor.url import Url
from tests.e2e.stage import Stage, staged
from tests.transactions.fakepool import payments

GWEI = 10**9
BOLD: dict[str, Any] = {
    "replace": True,
    "cancel": True,
    "fill": True,
    "fee_cap_max_gwei": 500.0,
    "budget_a_day_ether": 1.0,
    "bump_after_seconds": 60.0,
    "market_multiple_max": 1000,
}


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    """The payer's key, encrypted, and its password; nobody else may read them."""
    return signer_of(tmp_path, 0)


def signer_of(folder: Path, index: int) -> Signer:
    key = Key.encrypt(payments.account(index).key, "s3cret", kdf="pbkdf2", iterations=100)
    file, password = folder / "key.json", folder / "password"
    file.write_text(json.dumps(key))
    password.write_text("s3cret\n")
    for path in (file, password):
        path.chmod(0o600)
    return Signer(keystore=Keystore(file=file, password_file=password))


@contextlib.asynccontextmanager
async def bold(
    folder: Path, binary: Path, signer: Signer | None, **policy: Any
) -> AsyncIterator[Stage]:
    """A stage whose policy lets everything be signed, but for what is changed."""
    async with staged(
        folder / "state", binary=binary, signer=signer, policy=BOLD | policy
    ) as stage:
        yield stage


async def stuck(stage: Stage, **fields: Any) -> str:
    """A payment whose cap is far below the base fee, and old."""
    hash_ = await stage.send(0, **({"fee_cap_wei": 7, "tip_cap_wei": 7} | fields))
    await stage.blocks(2)
    stage.later(100)
    return hash_


def kinds(stage: Stage) -> list[str]:
    return [attempt.kind for attempt in stage.story().slot.attempts]


async def test_underpriced_payment_is_replaced_and_mined_once(
    tmp_path: Path, anvil_path: Path, signer: Signer
) -> None:
    """The same payment at the same nonce with fees that every pool takes; the old one never is."""
    async with bold(tmp_path, anvil_path, signer) as stage:
        old = await stuck(stage)
        await stage.blocks(4)
        assert kinds(stage) == ["observed", "replace"]
        await stage.final()
        story = stage.story()
        assert story.slot.state is State.FINAL_OK
        new = story.slot.attempts[1]
        assert story.consumer_hash == new.hash
        assert not await stage.mined(old)
        first, second = (decode(story.raw[attempt.hash]) for attempt in story.slot.attempts)
        assert (first.purpose, first.nonce, first.gas) == (
            second.purpose,
            second.nonce,
            second.gas,
        )
        assert second.fee_cap_wei > first.fee_cap_wei
        assert stage.ward.budget_spent_wei == second.gas * second.fee_cap_wei


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ({"fee_cap_max_gwei": 1e-7}, "fee_cap_max_wei"),
        ({"budget_a_day_ether": 1e-15}, "budget_a_day_wei"),
        ({"cost_max_ether": 1e-15}, "cost_max_wei"),
    ],
)
async def test_cap_below_the_least_bump_signs_nothing_and_says_which(
    tmp_path: Path, anvil_path: Path, signer: Signer, policy: dict[str, float], words: str
) -> None:
    """Nothing useless is signed; the old bytes stay, and the sentence names the cap."""
    async with bold(tmp_path, anvil_path, signer, **policy) as stage:
        await stuck(stage)
        await stage.blocks(4)
        assert kinds(stage) == ["observed"]
        facts = stage.watchdog.facts()[0]
        assert words in facts.slots[0].summary
        assert stage.ward.budget_spent_wei == 0


async def test_bumps_are_limited_and_blocks_apart(
    tmp_path: Path, anvil_path: Path, signer: Signer
) -> None:
    """At most so many, at least so many blocks between two, whatever stays unmined."""
    async with bold(
        tmp_path, anvil_path, signer, bumps_max=2, bump_blocks_min=3, fee_cap_max_gwei=1e-6
    ) as stage:
        stage.ground.miner.censor(payments.address(0))
        await stuck(stage)
        await stage.blocks(14)
        assert kinds(stage).count("replace") <= 2


async def test_signer_with_another_key_is_found_out_before_anything_is_sent(
    tmp_path: Path, anvil_path: Path
) -> None:
    """What another account signed is no attempt of this slot, and reaches no wire."""
    async with bold(tmp_path, anvil_path, signer_of(tmp_path, 1)) as stage:
        hash_ = await stuck(stage)
        with pytest.raises(OrderError, match="did not sign"):
            await stage.watchdog.orders.replace(
                hash_, fee_cap_wei=None, tip_cap_wei=None, dry_run=False
            )
        assert kinds(stage) == ["observed"]


async def test_order_to_cancel_takes_the_nonce_and_pays_nobody(
    tmp_path: Path, anvil_path: Path, signer: Signer
) -> None:
    """A transfer of nothing to oneself; the payment it replaces can never be mined."""
    async with bold(tmp_path, anvil_path, signer, bump_after_seconds=86_400.0) as stage:
        old = await stuck(stage)
        dry = await stage.watchdog.orders.cancel(
            old, fee_cap_wei=None, tip_cap_wei=None, dry_run=True
        )
        assert (dry.hash, kinds(stage)) == (None, ["observed"])
        done = await stage.watchdog.orders.cancel(
            old, fee_cap_wei=dry.fee_cap_wei, tip_cap_wei=dry.tip_cap_wei, dry_run=False
        )
        assert done.hash is not None
        raw = await stage.watchdog.journal.raw_of(Hash32(done.hash))
        assert raw is not None
        assert decode(raw).is_cancellation
        await stage.blocks(2)
        await stage.final()
        assert stage.story().slot.state is State.CANCELLED
        assert not await stage.mined(old)


async def test_order_with_fees_above_the_cap_is_refused(
    tmp_path: Path, anvil_path: Path, signer: Signer
) -> None:
    """A person's fees are held to the same caps; half of them is none."""
    async with bold(tmp_path, anvil_path, signer, bump_after_seconds=86_400.0) as stage:
        hash_ = await stuck(stage)
        for fee, tip in ((501 * GWEI, GWEI), (GWEI, None), (GWEI, 2 * GWEI)):
            with pytest.raises(OrderError):
                await stage.watchdog.orders.replace(
                    hash_, fee_cap_wei=fee, tip_cap_wei=tip, dry_run=False
                )
        assert kinds(stage) == ["observed"]


async def test_hole_is_filled_by_policy_and_what_waits_is_mined(
    tmp_path: Path, anvil_path: Path, signer: Signer
) -> None:
    """Nonce 0 was handed out and lost unseen; a transfer of nothing takes it, and 1 is mined."""
    async with bold(tmp_path, anvil_path, signer) as stage:
        waiting = await stage.send(1)
        await stage.blocks(4)
        assert stage.story(0).slot.attempts == ()
        stage.later(100)
        await stage.blocks(4)
        filler = stage.story(0).slot.attempts[0]
        assert filler.kind == "fill"
        assert filler.transaction is not None
        assert filler.transaction.is_cancellation
        await stage.blocks(4)
        assert await stage.mined(waiting)


async def test_proposal_is_posted_once_where_nobody_here_can_sign(
    tmp_path: Path, anvil_path: Path
) -> None:
    """No key: the webhook gets the unsigned replacement with its evidence, and gets it once."""
    got: list[Any] = []

    async def take(request: web.Request) -> web.Response:
        got.append(await request.json())
        return web.Response()

    app = web.Application()
    app.router.add_post("/", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    hook = Proposals(url=Url(f"http://{host}:{port}/"))
    policy = {"bump_after_seconds": 60.0}
    try:
        async with staged(tmp_path, binary=anvil_path, policy=policy, proposals=hook) as stage:
            old = await stuck(stage)
            await stage.blocks(4)
            assert [document["replaces"] for document in got] == [old]
            assert got[0]["reason"] == "underpriced_cap"
            assert got[0]["evidence"]
            assert "s3cret" not in json.dumps(got)
    finally:
        await runner.cleanup()
