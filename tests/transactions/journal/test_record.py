"""The words of the journal."""

from __future__ import annotations

import pytest

from monitor.transactions import journal
from monitor.transactions.journal import JournalError
from tests.transactions.journal.samples import sighting


@pytest.mark.parametrize("name", [name for name in journal.__all__ if name.endswith("Error")])
def test_error_of_every_kind_is_a_journal_error(name: str) -> None:
    """Who catches JournalError has caught everything that the journal raises."""
    assert issubclass(getattr(journal, name), JournalError)


def test_place_of_a_sighting_has_its_names_and_its_nonce() -> None:
    """A sighting says which slot it belongs to."""
    of = sighting(9)
    assert (of.place.network, of.place.chain_id, of.place.alias) == ("mainnet", 1, "scheduler")
    assert (of.place.sender, of.place.nonce) == (of.sender, 9)
