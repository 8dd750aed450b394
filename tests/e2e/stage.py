"""A network of fake pools before real chains, watched by the real sidecar, step by step.

Nothing runs by itself: a block is mined when a test says so, and so is a round. Time is the wall's
and what a test adds to it, so that a transaction may be hours old at once.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monitor.config import (
    Account,
    Network,
    NodeSettings,
    ProfileRef,
    ReferenceSettings,
    Rpc,
    Settings,
    TransactionPolicy,
    Transactions,
)
from monitor.config.transactions import Signer
from monitor.lab.network import LOCAL
from monitor.model import Address, Finding, account_subject
from monitor.sidecar import Sidecar
from monitor.transactions.journal import Reader
from monitor.transactions.story import Story
from monitor.transactions.ward import Ward
from monitor.transactions.words import Decision, Slot, State
from monitor.url import Url
from monitor.watchdog import Watchdog
from tests.transactions.fakepool import payments
from tests.transactions.fakepool.ground import Ground

NETWORK, ALIAS = "dev", "payer"
INTERVAL_SECONDS = 1.0
CALLS_A_DAY = 10**9
FINAL_BLOCKS = 12
"""Mined upon a block, they make it final for everybody: the lab's epochs are of four."""


@dataclass
class WallAndMore:
    """A clock that can be set forward."""

    added_seconds: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.added_seconds


def settings_of(
    ground: Ground,
    data_dir: Path,
    *,
    policy: Mapping[str, Any] | None = None,
    signer: Signer | None = None,
    interval_seconds: float = INTERVAL_SECONDS,
    **more: Any,
) -> Settings:
    """The configuration of this network, as an operator would write it."""
    references = tuple(
        ReferenceSettings(
            name=name, url=Url(seat.url), operator=seat.operator, calls_a_day=CALLS_A_DAY
        )
        for name, seat in ground.references.items()
    )
    account = Account(
        alias=ALIAS, address=Address(payments.address(0)), network=NETWORK, node=LOCAL
    )
    transactions: dict[str, Any] = {
        "accounts": (account,),
        "policies": {"default": TransactionPolicy(**(policy or {}))},
        "signer": signer,
    }
    return Settings(
        data_dir=data_dir,
        rpc=Rpc(deadline_seconds=2.0),
        networks={
            NETWORK: Network(
                profile=ProfileRef(profile="dev", interval_seconds=interval_seconds),
                references=references,
            )
        },
        nodes=(NodeSettings(name=LOCAL, network=NETWORK, url=Url(ground.local.url)),),
        transactions=Transactions(**(transactions | more)),
    )


@dataclass
class Stage:
    """The network, the sidecar, and what a test does with them."""

    ground: Ground
    sidecar: Sidecar
    watchdog: Watchdog
    clock: WallAndMore
    hashes: dict[int, str] = field(default_factory=dict)
    """The last transaction sent at each nonce."""

    # -- what happens ----------------------------------------------------------------------------

    async def round(self, count: int = 1) -> None:
        """The nodes are asked and judged, then the accounts."""
        for _ in range(count):
            await self.sidecar.round(self.sidecar.watches[NETWORK])
            await self.watchdog.round(NETWORK)

    async def blocks(self, count: int = 1) -> None:
        """So many blocks, with a round after each."""
        for _ in range(count):
            await self.ground.miner.mine_one()
            await self.round()

    async def final(self) -> None:
        """Enough blocks for everything that is mined to be final, and closed."""
        await self.blocks(FINAL_BLOCKS)

    async def send(self, nonce: int, **fields: Any) -> str:
        """Sign a payment of one wei, and send it through the local node; it is looked at."""
        raw = payments.payment(nonce, **fields)
        self.hashes[nonce] = await self.ground.send(self.ground.local, raw)
        await self.round()
        return self.hashes[nonce]

    def later(self, seconds: float) -> None:
        """So much time passes at once."""
        self.clock.added_seconds += seconds

    # -- what is seen ----------------------------------------------------------------------------

    @property
    def ward(self) -> Ward:
        return self.watchdog.keepers[NETWORK].wards[0]

    def slot(self, nonce: int = 0) -> Slot:
        return self.ward.slots[nonce]

    def state(self, nonce: int = 0) -> State:
        return self.slot(nonce).state

    def decision(self, nonce: int = 0) -> Decision:
        assert self.ward.decision is not None
        return self.ward.decision.slots[self.slot(nonce).id]

    def row(self, nonce: int = 0) -> tuple[str, State]:
        decision = self.decision(nonce)
        return decision.row, decision.state

    @property
    def finding(self) -> Finding:
        """The account's, as it is held."""
        return self.sidecar.memory["transactions", account_subject(ALIAS)].finding

    def story(self, nonce: int = 0) -> Story:
        found = Reader(self.watchdog.journal.path).story_of(ALIAS, nonce)
        assert found is not None
        return found

    def was(self, nonce: int = 0) -> list[State]:
        """Every state of a slot, in order."""
        return [stage.state for stage in self.story(nonce).stages]

    def sends(self, nonce: int = 0) -> list[tuple[str, str, str]]:
        """What headwatch sent for a slot: to whom, what for, and how it was taken."""
        return [(s.node, s.act, s.reaction or "") for s in self.story(nonce).sends]

    async def mined(self, hash_: str) -> bool:
        """Whether the network has it in a block."""
        anvil = self.ground.net.leader.anvil
        return await anvil.rpc("eth_getTransactionReceipt", hash_) is not None


@contextlib.asynccontextmanager
async def staged(
    data_dir: Path,
    *,
    change: Callable[[Settings], Settings] = lambda settings: settings,
    local: Any = "geth",
    binary: Path | None = None,
    **settings: Any,
) -> AsyncIterator[Stage]:
    """A healthy network that has been watched for a few rounds."""
    async with Ground(local, binary=binary) as ground:
        clock = WallAndMore()
        made = change(settings_of(ground, data_dir, **settings))
        async with Sidecar(made, clock=clock) as sidecar:
            watchdog = Watchdog(sidecar, data_dir)
            await watchdog.open()
            stage = Stage(ground, sidecar, watchdog, clock)
            await stage.blocks(3)
            try:
                yield stage
            finally:
                await watchdog.close()
