"""The list of everything that is offered: names that rules, metrics and judges agree on."""

from __future__ import annotations

import re

import pytest

from monitor.judge.offers import BY_CHECK, OFFERS, OPTIONAL_CHECKS
from monitor.judge.verdict import REQUIRED
from monitor.policy.measures import MEASURES


def test_offers_have_names_of_their_own() -> None:
    """Neither two measures nor two metrics share a name."""
    assert len({offer.name for offer in OFFERS}) == len(OFFERS)
    assert len({offer.metric for offer in OFFERS}) == len(OFFERS)


@pytest.mark.parametrize("offer", OFFERS, ids=lambda offer: offer.name)
def test_offer_is_written_as_its_readers_expect(offer: object) -> None:
    """A path of two words, a unit, and a meaning that a full stop is put to."""
    (one,) = [known for known in OFFERS if known is offer]
    assert re.fullmatch(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*", one.name)
    assert one.unit
    assert one.meaning[0].isupper()
    assert not one.meaning.endswith(".")
    assert one.check not in REQUIRED
    assert not one.metric.endswith(("_count", "_sum", "_bucket", "_total", "_info"))
    (measure,) = [measure for measure in MEASURES if measure.name == one.name]
    assert (measure.unit, measure.subjects, measure.kind) == (one.unit, one.subjects, "gauge")


def test_offers_by_check_are_all_of_them() -> None:
    """Nothing is lost on the way to the collector and the sampler."""
    assert [offer for check in OPTIONAL_CHECKS for offer in BY_CHECK[check]] == list(OFFERS)
    assert set(BY_CHECK) == set(OPTIONAL_CHECKS)
