"""A node of its own with PoCo on it, for whoever wants a history to look at."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from monitor.lab.anvil import Anvil, Chain
from monitor.lab.errors import LabError
from monitor.lab.poco.deployment import Deployment, deploy
from monitor.lab.poco.tally import Summary
from monitor.lab.poco.workerdrop import Progress, Workerdrop

GENESIS_TIMESTAMP = 1_528_761_600
"""2018-06-12, 00:00 UTC: the day on which PoCo came to the mainnet."""


class PocoLab:
    """One anvil with PoCo deployed; the same seed makes the same blocks, to the hash."""

    def __init__(
        self,
        binary: Path | None = None,
        *,
        seed: int = 0,
        chain_id: int = 31337,
        genesis_timestamp: int = GENESIS_TIMESTAMP,
        artifacts: Path | None = None,
    ) -> None:
        """Without `binary` and `artifacts` they are looked for where `tools` puts them."""
        self.anvil = Anvil(Chain(chain_id, genesis_timestamp), name="poco", binary=binary)
        self._seed = seed
        self._artifacts = artifacts
        self._stack = AsyncExitStack()
        self._deployment: Deployment | None = None

    @property
    def url(self) -> str:
        return self.anvil.url

    @property
    def deployment(self) -> Deployment:
        """The contracts."""
        if self._deployment is None:
            message = "this lab is not started"
            raise LabError(message)
        return self._deployment

    async def workerdrop(
        self,
        *,
        workers: int = 311,
        orders: int = 170,
        traps: bool = True,
        progress: Progress | None = None,
    ) -> Summary:
        """Play a workerdrop of the lab's seed; once, since its people have then been paid."""
        drop = Workerdrop(
            self.deployment, seed=self._seed, workers=workers, orders=orders, traps=traps
        )
        return await drop.run(progress)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as undo:
            await undo.enter_async_context(self.anvil)
            self._deployment = await deploy(self.anvil, artifacts=self._artifacts)
            self._stack = undo.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()
