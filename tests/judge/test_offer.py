"""One declaration, two names: of the measure and of the metric."""

from __future__ import annotations

from monitor.judge.offer import Offer


def test_offer_is_named_after_its_check() -> None:
    """The path of a rule and the name of a gauge are one name in two spellings."""
    offer: Offer[object] = Offer("txpool.pending_count", "transactions", "Waiting")
    assert (offer.check, offer.metric) == ("txpool", "headwatch_txpool_pending")
    seconds: Offer[object] = Offer("clock.skew_seconds", "seconds", "Skew")
    assert seconds.metric == "headwatch_clock_skew_seconds"
    assert (offer.read, offer.subjects) == (None, "node")
