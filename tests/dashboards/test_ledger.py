"""The words that the board of the ledgers asks for one by one are those that are exported."""

from __future__ import annotations

import re

from dashboards.ledger import BANDS
from monitor.act.collector_of_ledgers import OUTCOMES
from monitor.ledger.telling import score_bands
from tests.dashboards.boards import BOARDS, targets

EXPRESSIONS = " ".join(each.expression for each in targets(BOARDS["ledger"]))


def test_bands_are_all_those_of_the_scores_in_their_order() -> None:
    """No worker is missing from the sum, and the lowest lie at the bottom."""
    assert tuple(score_bands(())) == BANDS
    assert re.findall(r'score="([^"]+)"', EXPRESSIONS) == list(BANDS)


def test_roles_and_outcomes_are_those_that_are_counted() -> None:
    """A word that was renamed would leave its curve empty, and nobody would miss it."""
    assert re.findall(r'role="(\w+)"', EXPRESSIONS) == ["worker", "scheduler"]
    asked = set(re.findall(r"\w+", " ".join(re.findall(r'outcome=~?"([^"]+)"', EXPRESSIONS))))
    assert asked == {"accurate", "faulty"}
    assert asked < set(OUTCOMES)
