"""The contracts as they stood in 2018: deployed, wired, and more than once if need be."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.lab.errors import LabError, LabRpcError
from monitor.lab.poco.blocks import Blocks
from monitor.lab.poco.deployment import CLOCKS_SECONDS, RLC, deploy
from tests.lab.poco.history import ask, number


async def test_deploy_wires_the_contracts_as_the_migration_does(
    blocks: Blocks, poco_path: Path
) -> None:
    """The hub knows the other five, they know it, and the categories have the mainnet's clocks."""
    made = await deploy(blocks.anvil, artifacts=poco_path)
    for getter, wanted in (
        ("rlc()", made.rlc),
        ("marketplace()", made.marketplace),
        ("workerPoolHub()", made.worker_pool_hub),
        ("appHub()", made.app_hub),
        ("datasetHub()", made.dataset_hub),
    ):
        assert await ask(made, made.hub, getter) == [number(wanted)], getter
    for owned in (made.worker_pool_hub, made.app_hub, made.dataset_hub):
        assert await ask(made, owned, "m_owner()") == [number(made.hub)]
    for category, clock in enumerate(CLOCKS_SECONDS, 1):
        signature = "getCategoryWorkClockTimeRef(uint256)"
        assert await ask(made, made.hub, signature, category) == [clock]
    with pytest.raises(LabRpcError):
        await ask(made, made.hub, "getCategoryWorkClockTimeRef(uint256)", len(CLOCKS_SECONDS) + 1)
    assert await ask(made, made.rlc, "balanceOf(address)", made.owner) == [29_000_000 * RLC]


async def test_deploy_names_the_block_of_the_hub(blocks: Blocks, poco_path: Path) -> None:
    """Before `first_block` the hub has no code, and in it it has."""
    made = await deploy(blocks.anvil, artifacts=poco_path)
    before, then = [
        await blocks.anvil.rpc("eth_getCode", made.hub, hex(height))
        for height in (made.first_block - 1, made.first_block)
    ]
    assert before == "0x"
    assert len(then) > 1000


async def test_deploy_under_another_name_stands_beside_the_first(
    blocks: Blocks, poco_path: Path
) -> None:
    """Two hubs on one chain share nothing."""
    first = await deploy(blocks.anvil, artifacts=poco_path)
    other = await deploy(blocks.anvil, artifacts=poco_path, name="other", clocks_seconds=(30,))
    assert not {first.hub, first.rlc, first.marketplace} & {other.hub, other.rlc, other.marketplace}
    assert await ask(other, other.hub, "m_categoriesCount()") == [1]
    assert await ask(first, first.hub, "m_categoriesCount()") == [len(CLOCKS_SECONDS)]
    assert other.first_block > first.first_block


async def test_deploy_without_artifacts_says_which_is_missing(
    blocks: Blocks, tmp_path: Path
) -> None:
    """The error names the file."""
    with pytest.raises(LabError, match=r"RLC\.json is no artifact"):
        await deploy(blocks.anvil, artifacts=tmp_path)
