"""Every event that is looked for is in the ABI of the package."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.lab.poco.artifacts import signatures
from monitor.lab.poco.topics import EVENTS, HUB, POOL, TOKEN


@pytest.mark.parametrize("contract", EVENTS)
def test_events_are_the_packages_own(poco_path: Path, contract: str) -> None:
    """All of them, where the contract is one of the ledger's."""
    own = signatures(poco_path, contract, "event")
    assert set(EVENTS[contract]) <= own
    if contract in {"IexecHub", "Marketplace"}:
        assert set(EVENTS[contract]) == own


def test_topics_are_the_known_ones() -> None:
    """ERC-20's Transfer, and two that were seen on the mainnet; the same name is not the same."""
    assert TOKEN["Transfer"].hex().startswith("ddf252ad1be2c89b")
    assert HUB["Deposit"].hex().startswith("e1fffcc4923d04b5")
    assert POOL["Contribute"].hex().startswith("1593a9a000265660")
    assert HUB["WorkOrderClaimed"] != POOL["WorkOrderClaimed"]
