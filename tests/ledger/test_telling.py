"""What a reconciliation came to, as a finding."""

from __future__ import annotations

import pytest

from monitor.ledger.job import Outcome
from monitor.ledger.telling import (
    EVIDENCE_MAX,
    MIXED,
    SCORE_TOPS,
    finding_of,
    foremost,
    score_bands,
)
from monitor.model import BlockNumber, BlockStamp, Hash32, Level
from monitor.poco.difference import Difference, Kind
from monitor.poco.v1.rules import weight_of

NOW = 1_795_000_000.0
BLOCK = BlockStamp(BlockNumber(6_000_000), Hash32("0x" + "ab" * 32), 1_532_000_000)


def difference(kind: Kind, why: str = "predicted 1, stored 2") -> Difference:
    return Difference(kind=kind, why=why, predicted=1, stored=2, delta=1)


def failed(*kinds: Kind) -> Outcome:
    """A comparison that found one difference of each of these kinds, in this order."""
    return Outcome(
        "fail",
        chain_id=1,
        block=BLOCK,
        events=100,
        differences_count=len(kinds),
        differences_by_kind={kind: kinds.count(kind) for kind in kinds},
        differences=tuple(difference(kind, f"{kind} number {n}") for n, kind in enumerate(kinds)),
    )


def test_finding_of_an_equal_ledger_is_ok_at_its_block() -> None:
    """It is measured: no difference, of which none is allowed."""
    found = finding_of("drops", "ethereum", Outcome("pass", block=BLOCK, events=1234), NOW)
    assert (found.check, found.subject, found.network) == ("ledger", "ledger:drops", "ethereum")
    assert (found.level, found.reason) == (Level.OK, "equal")
    assert (found.measured, found.limit, found.unit) == (0.0, 0.0, "differences")
    assert found.as_of == BLOCK
    assert found.summary == "block 6000000: what its rules say, to the last nRLC"
    assert "1,234 events" in found.evidence[0].said


def test_finding_of_differences_of_one_kind_has_that_kind_as_its_reason() -> None:
    """Whoever is told sees by one word whether money or reputation is wrong."""
    found = finding_of("drops", "ethereum", failed("stake", "stake"), NOW)
    assert (found.level, found.reason, found.measured) == (Level.FAILED, "stake", 2.0)
    assert found.summary == ("block 6000000: 2 differences (2 stake); the first: stake number 0")
    assert [one.method for one in found.evidence] == ["stake", "stake"]


def test_finding_of_several_kinds_shows_one_of_each_before_others() -> None:
    """A hundred wrong stakes do not hide the one wrong score."""
    money: tuple[Kind, ...] = ("stake",) * 20
    found = finding_of("drops", "ethereum", failed(*money, "contribution_score"), NOW)
    assert found.reason == MIXED
    assert "(1 contribution score, 20 stake)" in found.summary
    assert len(found.evidence) == EVIDENCE_MAX
    assert [one.method for one in found.evidence[:3]] == ["stake", "contribution_score", "stake"]


@pytest.mark.parametrize("reason", ["behind", "forked", "pruned", "not_a_hub", "broken_store"])
def test_finding_of_what_could_not_be_seen_is_unknown_with_its_reason(reason: str) -> None:
    """It is never a difference, and says in its own words what was in the way."""
    outcome = Outcome("inconclusive", reason=reason, detail="local lacks block 7")
    found = finding_of("drops", "ethereum", outcome, NOW)
    assert (found.level, found.reason) == (Level.UNKNOWN, reason)
    assert found.summary == "local lacks block 7"
    assert found.measured is None


def test_foremost_keeps_all_in_their_order_within_a_kind() -> None:
    """Nothing is lost, nothing is doubled."""
    those = failed("score", "score", "stake", "score").differences
    assert [one.why for one in foremost(those)] == [
        "score number 0",
        "stake number 2",
        "score number 1",
        "score number 3",
    ]


def test_score_bands_hold_the_scores_that_weigh_the_same() -> None:
    """Within a band every score has one weight, and the next band has another."""
    for lowest, top in zip((0, *SCORE_TOPS[1:-1]), SCORE_TOPS[1:], strict=True):
        weights = {weight_of(score, is_enclave=False) for score in range(lowest + 1, top + 1)}
        assert len(weights) == 1


def test_score_bands_count_every_score_once() -> None:
    """The sum over all bands is the number of workers, whatever their scores."""
    scores = sorted([0, 0, 1, 2, 3, 4, 5, 1024, 1025, 10**9])
    bands = score_bands(scores)
    assert sum(bands.values()) == len(scores)
    assert (bands["0"], bands["3-4"], bands["513-1024"], bands[">1024"]) == (2, 2, 1, 2)
    assert set(score_bands(())) == set(bands)
