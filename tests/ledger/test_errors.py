"""The ways to end without a verdict, told apart by whoever catches them."""

from __future__ import annotations

import pytest

from monitor.ledger.errors import BrokenStore, CouldNotSee, LedgerError, NotAHub
from monitor.ledger.logs import BadLogs


def test_could_not_see_has_a_reason_and_one_line() -> None:
    """The slug is for programs, the line for a person."""
    error = CouldNotSee("pruned", "block 5 is pruned")
    assert (error.reason, error.detail, str(error)) == ("pruned", *["block 5 is pruned"] * 2)


@pytest.mark.parametrize(
    ("error", "is_unseen"),
    [
        (CouldNotSee("timeout", ""), True),
        (BadLogs(""), True),
        (NotAHub(""), False),
        (BrokenStore(""), False),
    ],
)
def test_only_what_was_not_seen_is_inconclusive(error: LedgerError, *, is_unseen: bool) -> None:
    """The operator's mistakes and the disk's are no statement about the chain."""
    assert isinstance(error, CouldNotSee) == is_unseen
