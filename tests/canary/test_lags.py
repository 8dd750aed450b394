"""What a soak saw: lag against a limit, peers by half, and when a node will have caught up."""

from __future__ import annotations

import pytest

from monitor.canary.lags import Sample, eta_seconds, head, limit_blocks, odd_count, peers, sync
from monitor.judge.profiles import PROFILES, policy
from monitor.model import Unseen

ABSENT, BLIND = Unseen("unsupported", "absent"), Unseen("timeout", "late")
REJECTED = Unseen("rpc_error", "error -32000")
POLICY = policy(PROFILES["dev"])
LIMIT = POLICY.lag_blocks - 1


def polls(
    candidate: list[int | None], *, baseline: int = 0, references: tuple[int, ...] = ()
) -> list[Sample]:
    """So many blocks behind block 1000 in each poll, a second apart; None was not seen."""
    return [
        Sample(
            float(at),
            1000 - baseline,
            None if behind is None else 1000 - behind,
            tuple(1000 - one for one in references),
        )
        for at, behind in enumerate(candidate)
    ]


@pytest.mark.parametrize(
    ("candidate", "outcome", "reason"),
    [
        ([0] * 6, "pass", "within"),
        ([LIMIT] * 6, "pass", "within"),
        ([LIMIT + 1] * 6, "fail", "behind"),
        ([0] * 5 + [LIMIT + 1], "warn", "behind_once"),
        ([0] * 4 + [LIMIT + 1] * 2, "fail", "behind"),
        ([0] * 98 + [LIMIT + 1] * 2, "warn", "behind_once"),
        ([0] * 38 + [LIMIT + 1] * 2, "warn", "behind_once"),
        ([0] * 37 + [LIMIT + 1] * 2, "fail", "behind"),
        ([0] * 5 + [None], "warn", "silent_once"),
        ([0] * 4 + [None] * 2, "fail", "silent"),
        ([0] * 55 + [None] * 45, "fail", "silent"),
        ([0] * 38 + [None] * 2, "warn", "silent_once"),
        ([0] * 4 + [None, LIMIT + 1], "fail", "behind"),
        ([None] * 6, "fail", "silent"),
        ([], "unknown", "unseen"),
    ],
)
def test_candidate_may_lag_as_the_profile_allows(
    candidate: list[int | None], outcome: str, reason: str
) -> None:
    """At the limit it may, above it not; one odd reading of few, or two of forty, only warn.

    Not to answer while the baseline does is no better than to lag.
    """
    found = head(polls(candidate), POLICY)
    assert (found.outcome, found.reason) == (outcome, reason)
    assert found.asked == len(candidate)


def test_candidate_may_lag_as_the_baseline_does() -> None:
    """A node that is no worse than the one it replaces is not blocked for the network's pace."""
    behind: list[int | None] = [LIMIT + 5] * 6
    assert head(polls(behind, baseline=LIMIT + 5, references=(0, 0)), POLICY).outcome == "pass"
    assert head(polls(behind, baseline=LIMIT + 4, references=(0, 0)), POLICY).outcome == "fail"
    found = head(polls(behind, baseline=0), POLICY)
    assert [(line.baseline, line.candidate) for line in found.lines] == [
        ("0", str(LIMIT + 5)),
        ("0", str(LIMIT + 5)),
    ]
    assert "each other" in found.summary
    assert "the references" in head(polls(behind, references=(0,)), POLICY).summary


def with_lags(baseline: list[int], candidate: list[int]) -> list[Sample]:
    """Both so many blocks behind a reference, poll by poll."""
    return [
        Sample(float(at), 1000 - mine, 1000 - theirs, (1000,))
        for at, (mine, theirs) in enumerate(zip(baseline, candidate, strict=True))
    ]


def test_one_odd_poll_of_the_baseline_sets_no_limit() -> None:
    """Ten thousand blocks behind once, it would let a candidate be so all the time."""
    odd = [0] * 5 + [10_000]
    assert head(with_lags(odd, [100] * 6), POLICY).reason == "behind"
    assert head(with_lags(odd, [0] * 6), POLICY).outcome == "pass"


@pytest.mark.parametrize(
    ("polls_count", "odd"), [(1, 1), (6, 1), (39, 1), (40, 2), (60, 3), (100, 5)]
)
def test_candidate_that_lags_as_the_baseline_does_poll_for_poll_passes(
    polls_count: int, odd: int
) -> None:
    """As many polls as may be odd of the one may be odd of the other; one more is its usual lag."""
    assert odd_count(polls_count) == odd
    for count in range(polls_count + 1):
        alike = [LIMIT + 50] * count + [0] * (polls_count - count)
        assert head(with_lags(alike, alike), POLICY).outcome == "pass", count
        is_usual = count > odd or count == polls_count
        assert (limit_blocks(alike, POLICY) > LIMIT) is is_usual, count


@pytest.mark.parametrize(
    ("samples", "outcome", "said"),
    [
        ([Sample(0.0, None, 7)] * 6, "unknown", "seen in 0 of 6 polls"),
        ([Sample(0.0, 7, 7)] * 2 + [Sample(0.0, None, 7)] * 4, "unknown", "seen in 2 of 6 polls"),
        ([Sample(0.0, 7, 7)] * 3 + [Sample(0.0, None, None)] * 3, "pass", "100% of 3 polls"),
        ([Sample(0.0, None, 7, (7,))] * 6, "pass", "the references in 100% of 6 polls"),
        ([Sample(0.0, None, None, (7,))] * 6, "fail", "without an answer in 6"),
    ],
)
def test_candidate_alone_is_behind_nobody(samples: list[Sample], outcome: str, said: str) -> None:
    """Polls that saw nobody else are left out; with few others nothing is known."""
    found = head(samples, POLICY)
    assert (found.outcome, said in found.summary) == (outcome, True), found


@pytest.mark.parametrize(
    ("references", "tip"), [((), 1000), ((900,), 900), ((5000, 990), 990), ((990, 995, 9), 990)]
)
def test_lag_is_measured_from_what_one_liar_cannot_move(
    references: tuple[int, ...], tip: int
) -> None:
    """The second highest of the references; without any, the higher of the two."""
    sample = Sample(0.0, 1000, 980, references)
    assert sample.tip == tip
    assert sample.baseline_lag == max(0, tip - 1000)
    assert sample.candidate_lag == max(0, tip - 980)


def test_nobody_seen_is_no_lag() -> None:
    """A poll without answers says nothing of anybody, and one answer alone nothing either."""
    for sample in (Sample(0.0, None, None), Sample(0.0, None, 7), Sample(0.0, 7, None)):
        assert (sample.baseline_lag, sample.candidate_lag) == (None, None)
    assert Sample(0.0, None, None).tip is None


@pytest.mark.parametrize(
    ("baseline", "candidate", "outcome"),
    [
        ([24, 24, 26], [12, 12, 12], "pass"),
        ([24, 24, 26], [11, 11, 12], "fail"),
        ([25], [12], "fail"),
        ([25], [13], "pass"),
        ([0], [0], "pass"),
        ([ABSENT], [3], "skipped"),
        ([3], [ABSENT], "skipped"),
        ([ABSENT], [ABSENT], "skipped"),
        ([BLIND], [3], "unknown"),
        ([3], [BLIND], "unknown"),
        ([ABSENT], [BLIND], "skipped"),
        ([BLIND, 3], [BLIND, 3], "pass"),
        ([BLIND, BLIND, 3], [3, 3, 3], "unknown"),
        ([3, 3, 3], [3, BLIND, BLIND], "unknown"),
        ([REJECTED], [REJECTED], "skipped"),
        ([REJECTED], [ABSENT], "skipped"),
        ([REJECTED], [3], "unknown"),
        ([REJECTED], [BLIND], "unknown"),
        ([ABSENT, 25], [3, 3], "fail"),
        ([], [], "unknown"),
    ],
)
def test_candidate_needs_half_of_the_baseline_s_peers(
    baseline: list[int | Unseen], candidate: list[int | Unseen], outcome: str
) -> None:
    """By the medians; what is not served is skipped, what was seen too seldom is unknown."""
    found = peers(
        [
            Sample(0.0, 1, 1, (), mine, theirs)
            for mine, theirs in zip(baseline, candidate, strict=True)
        ]
    )
    assert found.outcome == outcome
    if outcome == "skipped":
        both = {baseline[0], candidate[0]} <= {ABSENT, REJECTED}
        assert ("neither" in found.summary) is both


def moving(first: int, last: int, seconds: float, tip: tuple[int, int]) -> list[Sample]:
    """A candidate that went from one block to another while the chain did too."""
    return [Sample(0.0, tip[0], first), Sample(seconds, tip[1], last)]


@pytest.mark.parametrize(
    ("samples", "outcome", "reason", "said"),
    [
        (moving(0, 600, 60.0, (10_000, 10_060)), "warn", "syncing", "in 17.5 minutes"),
        (moving(0, 60, 60.0, (10_000, 10_060)), "warn", "never", "never"),
        (moving(0, 0, 60.0, (10_000, 10_060)), "warn", "never", "never"),
        (moving(0, 1000, 60.0, (1000, 1000)), "pass", "in_sync", "in sync, at block 1000"),
        (moving(5, 5, 0.0, (1000, 1000)), "unknown", "seen_once", "seen only once"),
        ([Sample(0.0, 5, None)], "unknown", "unseen", "its head was not seen in the last poll"),
        ([Sample(0.0, 5, 5), Sample(1.0, 6, None)], "unknown", "unseen", "its head was not seen"),
        ([Sample(0.0, 5, 5), Sample(1.0, None, 6)], "unknown", "unseen", "nothing to measure"),
        ([Sample(0.0, None, 5), Sample(1.0, 6, 6)], "pass", "in_sync", "at block 6"),
        ([], "unknown", "unseen", "nothing to measure"),
    ],
)
def test_time_until_a_candidate_has_caught_up(
    samples: list[Sample], outcome: str, reason: str, said: str
) -> None:
    """What remains, by how much faster it is than the chain; no faster is never."""
    found = sync(samples, POLICY)
    assert (found.outcome, found.reason) == (outcome, reason)
    assert said in found.summary


@pytest.mark.parametrize(
    ("behind", "reason"), [(POLICY.lag_blocks - 1, "in_sync"), (POLICY.lag_blocks, "never")]
)
def test_candidate_within_the_limit_is_in_sync(behind: int, reason: str) -> None:
    """At the tip there is nothing left to catch up with."""
    assert sync(moving(100, 200 - behind, 10.0, (100, 200)), POLICY).reason == reason


def test_eta_counts_what_the_chain_moves_meanwhile() -> None:
    """100 blocks at 3 a second against 1 a second take 50 seconds."""
    assert eta_seconds(100, 3.0, 1.0) == 50.0
    assert eta_seconds(100, 1.0, 1.0) is None
