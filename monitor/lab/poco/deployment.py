"""PoCo as it was deployed in 2018, on a chain of the lab."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from monitor.lab.anvil import Anvil
from monitor.lab.errors import LabError
from monitor.lab.poco.accounts import named
from monitor.lab.poco.artifacts import creation_code
from monitor.lab.poco.blocks import Blocks, Tx
from monitor.lab.poco.calls import call, words
from monitor.lab.tools import find_poco
from monitor.model import Address

CLOCKS_SECONDS = (300, 900, 1800, 3600, 7200)
"""`workClockTimeRef` of categories 1 to 5 on the mainnet."""
RLC = 10**9
"""nRLC in one RLC."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """The contracts of one hub, all wired."""

    blocks: Blocks
    artifacts: Path
    owner: Address
    """Deployed everything, and holds the RLC that nobody was given: 29 million at first."""
    rlc: Address
    hub: Address
    marketplace: Address
    worker_pool_hub: Address
    app_hub: Address
    dataset_hub: Address
    clocks_seconds: tuple[int, ...]
    """Of category 1, 2, ..."""
    first_block: int
    """The hub's."""


async def deploy(
    anvil: Anvil,
    *,
    name: str = "deployer",
    artifacts: Path | None = None,
    clocks_seconds: tuple[int, ...] = CLOCKS_SECONDS,
) -> Deployment:
    """Deploy and wire everything, as `migrations/2_deploy_contracts.js` does.

    Another `name` deploys another PoCo beside the first. Raises LabError where the artifacts are
    missing or a step fails.
    """
    folder = artifacts or find_poco()
    blocks = Blocks(anvil)
    await blocks.open()
    owner = named(0, name)

    async def create(contract: str, arguments: bytes = b"") -> tuple[Address, int]:
        code = creation_code(folder, contract) + arguments
        (receipt,) = await blocks.mine([Tx(owner, None, code)])
        if receipt.contract is None:
            message = f"{contract} was not created"
            raise LabError(message)
        return receipt.contract, receipt.block

    rlc, _ = await create("RLC", words(("address",) * 3, owner, owner, owner))
    worker_pool_hub, _ = await create("WorkerPoolHub")
    app_hub, _ = await create("AppHub")
    dataset_hub, _ = await create("DatasetHub")
    hubs = (worker_pool_hub, app_hub, dataset_hub)
    hub, first_block = await create("IexecHub")
    await blocks.mine([call(owner, one, "setImmutableOwnership(address)", hub) for one in hubs])
    marketplace, _ = await create("Marketplace", words(("address",), hub))
    attach = "attachContracts(address,address,address,address,address)"
    await blocks.mine([call(owner, hub, attach, rlc, marketplace, *hubs)])
    category = "createCategory(string,string,uint256)"
    await blocks.mine(
        [
            call(owner, hub, category, f"category {number}", "{}", clock)
            for number, clock in enumerate(clocks_seconds, 1)
        ]
    )
    return Deployment(
        blocks,
        folder,
        owner,
        rlc=rlc,
        hub=hub,
        marketplace=marketplace,
        worker_pool_hub=worker_pool_hub,
        app_hub=app_hub,
        dataset_hub=dataset_hub,
        clocks_seconds=clocks_seconds,
        first_block=first_block,
    )
