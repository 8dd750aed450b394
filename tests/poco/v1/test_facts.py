"""What is read once, and what is said when it was not."""

from __future__ import annotations

from monitor.poco.v1.facts import MissingFact
from tests.poco.v1.by_hand import POOL


def test_missing_fact_says_what_is_to_be_read() -> None:
    """Whoever catches it knows what to read; whoever sees it, too."""
    missing = MissingFact(fact="orders", key=7)
    assert (missing.fact, missing.key) == ("orders", 7)
    assert str(missing) == "the facts have no 7 in orders"
    assert POOL in str(MissingFact(fact="subscription_locks", key=POOL))
