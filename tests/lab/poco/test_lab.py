"""A node with PoCo on it: the same seed makes the same chain."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.lab.anvil import HASHES_ONLY
from monitor.lab.errors import LabError
from monitor.lab.poco.lab import GENESIS_TIMESTAMP, PocoLab


async def _played(anvil: Path, artifacts: Path, seed: int, workers: int = 8) -> tuple[str, object]:
    """The hash of the last block, and the counts."""
    async with PocoLab(anvil, seed=seed, artifacts=artifacts) as lab:
        summary = await lab.workerdrop(workers=workers, orders=5)
        head = await lab.anvil.rpc("eth_getBlockByNumber", "latest", HASHES_ONLY)
        return head["hash"], summary


async def test_lab_of_one_seed_makes_the_same_blocks(anvil_path: Path, poco_path: Path) -> None:
    """Every transaction, enclaves' signatures and all, is there again, down to the last hash."""
    first = await _played(anvil_path, poco_path, 21)
    assert await _played(anvil_path, poco_path, 21) == first


async def test_lab_of_another_seed_makes_other_blocks(anvil_path: Path, poco_path: Path) -> None:
    """Seeds differ in who there is and in what they do."""
    (one, first), (other, second) = [
        await _played(anvil_path, poco_path, seed) for seed in (21, 22)
    ]
    assert one != other
    assert first != second


async def test_lab_chain_is_the_one_asked_for(anvil_path: Path, poco_path: Path) -> None:
    """Chain id and first timestamp are arguments; the node answers at the lab's URL."""
    async with PocoLab(
        anvil_path, chain_id=4, genesis_timestamp=GENESIS_TIMESTAMP + 7, artifacts=poco_path
    ) as lab:
        assert int(await lab.anvil.rpc("eth_chainId"), 16) == 4
        first = await lab.anvil.rpc("eth_getBlockByNumber", "0x0", HASHES_ONLY)
        assert int(first["timestamp"], 16) == GENESIS_TIMESTAMP + 7
        assert lab.url == lab.anvil.url


async def test_lab_that_is_not_started_has_no_contracts() -> None:
    """Asking too early says so."""
    with pytest.raises(LabError, match="not started"):
        _ = PocoLab().deployment


async def test_lab_without_artifacts_leaves_no_node_behind(
    anvil_path: Path, tmp_path: Path
) -> None:
    """A deployment that fails stops the node that it was to be on."""
    lab = PocoLab(anvil_path, artifacts=tmp_path)
    with pytest.raises(LabError, match="no artifact of iexec-poco"):
        async with lab:
            raise AssertionError
    with pytest.raises(LabError, match="not running"):
        await lab.anvil.rpc("eth_chainId")
