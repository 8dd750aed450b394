"""The words of a store."""

from __future__ import annotations

from monitor.ledger.store.words import Identity
from tests.ledger.store.samples import HUB


def test_identity_names_all_of_it() -> None:
    """Who is told of another ledger reads which."""
    assert str(Identity(5, "poco-v1", HUB)) == f"poco-v1 {HUB} on chain 5"
