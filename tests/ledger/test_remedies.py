"""Every reason comes with what can be done about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.ledger import remedies
from monitor.ledger.confirming import LOGS_DIFFER, LOGS_TRUNCATED, VALUES_DIFFER
from monitor.ledger.job import BROKEN_STORE, NOT_A_HUB
from monitor.ledger.ranges import Meaning as MeaningOfLogs
from monitor.ledger.refusals import Meaning
from monitor.ledger.remedies import REMEDIES, unseen

SLUGS = tuple(
    value
    for name, value in vars(remedies).items()
    if name.isupper() and name != "ARCHIVE" and isinstance(value, str)
)


@pytest.mark.parametrize("reason", sorted({*map(str, Meaning), *map(str, MeaningOfLogs), *SLUGS}))
def test_remedies_have_one_for_every_reason(reason: str) -> None:
    """No reason is told without a way out, which is one line that goes on after a semicolon."""
    remedy = REMEDIES[reason]
    assert remedy
    assert not remedy.endswith((".", ";", " "))
    assert "\n" not in remedy


def test_remedies_are_of_reasons_that_there_are() -> None:
    """A remedy whose reason is gone goes too."""
    assert set(REMEDIES) == {*Meaning, *MeaningOfLogs, *SLUGS}
    assert len(SLUGS) == 8


def test_unseen_ends_with_the_remedy_and_keeps_the_slug() -> None:
    """The reason is plain text, as reports write it; the detail says what to do at its end."""
    error = unseen(Meaning.PRUNED, "alpha: gone")
    assert type(error.reason) is str
    assert error.reason == "pruned"
    assert str(error) == error.detail == f"alpha: gone; {REMEDIES['pruned']}"


@pytest.mark.parametrize(
    "reason",
    sorted(
        {*REMEDIES, *map(str, MeaningOfLogs), LOGS_DIFFER, LOGS_TRUNCATED, VALUES_DIFFER}
        | {NOT_A_HUB, BROKEN_STORE}
    ),
)
def test_documentation_names_every_reason(reason: str) -> None:
    """Whoever meets one at night finds it in the table."""
    page = Path(__file__).parents[2] / "docs" / "ledger.md"
    night = page.read_text(encoding="utf-8").partition("## The differences")[0]
    assert f"`{reason}`" in night
