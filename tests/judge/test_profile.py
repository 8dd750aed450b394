"""Whether the chain is as its profile says: the finding of each answer, and its evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from monitor.judge.drift import SLOWER, drift
from monitor.judge.profile import OFFERS, IntervalsSeen, judge
from monitor.judge.profiles import DEV, ETHEREUM, ETHEREUM_2018, PROFILES, Profile, policy
from monitor.judge.quorum import Round
from monitor.judge.refit import GAPS_MIN
from monitor.model import Finding, Head, Level, Observation, Unseen
from tests.judge.builders import (
    NOW,
    QUORUM_SUBJECT,
    TIMEOUT,
    TIP,
    agreeing,
    block,
    round_of,
    witness,
)
from tests.judge.draws import births
from tests.judge.headers import gaps_of, headers

HEALTHY = [12] * 200
every_profile = pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda p: p.key)


def seen(found: Sequence[Head] | Unseen) -> Observation[IntervalsSeen]:
    what = found if isinstance(found, Unseen) else IntervalsSeen(tuple(found))
    return Observation("net/a", "intervals", NOW, 0.1, what)


def judged(
    gaps: Sequence[int], profile: Profile = ETHEREUM, context: Round | None = None
) -> Finding:
    round_ = round_of(*agreeing()) if context is None else context
    (finding,) = judge([seen(headers(gaps))], round_, policy(profile), NOW)
    return finding


def drawn(profile: Profile, count: int = 1024) -> list[int]:
    draw = np.random.default_rng([6, *profile.key.encode()])
    gaps: list[int] = gaps_of(births(profile, draw))[:count].tolist()
    return gaps


def test_profile_without_history_gives_no_finding() -> None:
    """Nobody asked, nobody judged."""
    assert judge([], round_of(*agreeing()), policy(ETHEREUM), NOW) == ()


@every_profile
def test_profile_of_its_own_chain_is_as_profiled(profile: Profile) -> None:
    """A thousand blocks of each chain, with evidence of both tests."""
    finding = judged(drawn(profile), profile)
    assert finding.key == ("profile", QUORUM_SUBJECT)
    assert (finding.level, finding.reason) == (Level.OK, "as_profiled")
    assert finding.as_of is not None
    assert finding.as_of.number == TIP
    assert len(finding.evidence) == (1 if drift(profile) is None else 2)
    for evidence in finding.evidence:
        assert evidence.threshold is not None
        assert f"{profile.key}@{profile.version}" in evidence.threshold
        assert evidence.block == finding.as_of
        assert evidence.source == "net/a"


def test_profile_of_slots_that_stay_empty_is_drifted_with_what_would_follow() -> None:
    """A tenth of the slots empty: what is, what was believed, and the thresholds instead."""
    finding = judged([12] * 50 + ([12] * 9 + [24]) * 10)
    assert (finding.level, finding.reason) == (Level.DEGRADED, "drifted")
    assert finding.summary == (
        "the chain has left its profile: slots empty 6.67 % (0.889 % to 21 %) in 150 gaps, where "
        "ethereum@1 has at most 0.3 %; by that it is quiet from 76 s (not 52 s), "
        "behind from 2 blocks (not 2)"
    )
    assert finding.measured == pytest.approx(10 / 150)
    assert (finding.limit, finding.unit) == (0.003, "share")
    fitted, summed = finding.evidence
    assert fitted.method == "eth_getBlockByNumber"
    assert fitted.said == ("slots empty 6.67 % (0.889 % to 21 %); from it follow 76 s, 2 blocks")
    assert fitted.threshold == (
        "outside at most 0.3 % (ethereum@1: p <= 2.3e-06 a block, with the running sum at most "
        "one false alarm in 30 days)"
    )
    assert fitted.p_value is not None
    assert fitted.p_value < 1e-9
    assert summed.said == "a running sum of 8.79 after 150 gaps, which has reached its threshold"
    assert summed.threshold is not None
    assert summed.threshold.startswith("a running sum of 8.79 (ethereum@1: 5 % of slots empty")


def test_profile_of_a_recent_change_is_drifted_before_the_window_says_so() -> None:
    """The sum sees the last few dozen gaps where a thousand good ones hide them."""
    finding = judged([12] * 950 + ([12] * 4 + [24]) * 4)
    assert finding.level is Level.DEGRADED
    assert finding.summary.startswith("the chain has left its profile: slots empty 0.412 %")
    assert finding.evidence[0].p_value is not None
    assert finding.evidence[0].p_value > 0.1
    once = judged([12] * 950 + ([12] * 4 + [24]) * 3)
    assert once.level is Level.OK


def test_profile_of_a_faster_chain_is_drifted_though_its_sum_is_nothing() -> None:
    """The sum looks for slower blocks only; the window sees both."""
    quick = replace(ETHEREUM_2018, interval_seconds=10.0)
    finding = judged(drawn(quick), ETHEREUM_2018)
    assert finding.level is Level.DEGRADED
    assert (finding.limit, finding.unit) == (14.55, "seconds")
    assert finding.measured == pytest.approx(10, rel=0.1)
    assert finding.evidence[1].said.startswith("a running sum of 0")


@pytest.mark.parametrize("key", ["ethereum-2018", "ropsten-2018"])
def test_profile_of_slower_work_is_drifted(key: str) -> None:
    """Half as long again is found by both tests."""
    profile = PROFILES[key]
    slow = replace(profile, interval_seconds=SLOWER * profile.interval_seconds)
    finding = judged(drawn(slow), profile)
    assert finding.level is Level.DEGRADED
    assert finding.evidence[1].said.endswith("after 1024 gaps, which has reached its threshold")
    assert finding.evidence[0].p_value is not None
    assert finding.evidence[0].p_value < 1e-6


@pytest.mark.parametrize(
    ("profile", "gaps", "limit"),
    [
        (DEV, [0, 0, 0, 1] * 250, 1.0),
        (DEV, [12] * 100, 0.05),
        (PROFILES["arbitrum"], [0] * 9 + [1] + [0, 0, 0, 0, 0, 0, 1] * 150, 0.25),
        (PROFILES["arbitrum"], [3] * 200, 1.8804),
    ],
)
def test_profile_of_a_chain_without_a_sum_is_drifted_by_its_window(
    profile: Profile, gaps: Sequence[int], limit: float
) -> None:
    """What is too fast is measured by the least gap, what is too slow by what is borne."""
    finding = judged(gaps, profile)
    assert (finding.level, finding.reason) == (Level.DEGRADED, "drifted")
    assert finding.limit == pytest.approx(limit, abs=1e-4)
    assert len(finding.evidence) == 1


@pytest.mark.parametrize(
    ("count", "level"), [(0, "unknown"), (GAPS_MIN - 1, "unknown"), (GAPS_MIN, "ok")]
)
def test_profile_of_few_headers_is_unknown(count: int, level: str) -> None:
    """Too little is neither good nor bad."""
    finding = judged([12] * count)
    assert finding.level.word == level
    if level == "unknown":
        assert finding.reason == "too_few_headers"
        assert finding.summary == f"{count} gaps between linked headers, and 64 are needed"


def test_profile_of_headers_with_a_hole_counts_those_above_it() -> None:
    """What is not linked may be of another chain."""
    chain = headers(HEALTHY)
    holed = (*chain[:120], *chain[121:])
    (finding,) = judge([seen(holed)], round_of(*agreeing()), policy(ETHEREUM), NOW)
    assert finding.level is Level.OK
    assert "in 79 gaps" in finding.summary
    (empty,) = judge([seen(())], round_of(*agreeing()), policy(ETHEREUM), NOW)
    assert empty.reason == "too_few_headers"


def test_profile_that_was_not_seen_is_unknown_whatever_was_seen_before() -> None:
    """The newest word counts."""
    history = [seen(headers(HEALTHY)), seen(TIMEOUT)]
    (finding,) = judge(history, round_of(*agreeing()), policy(ETHEREUM), NOW)
    assert (finding.level, finding.reason) == (Level.UNKNOWN, "timeout")
    assert finding.summary == "not seen: no answer in 5 s"
    (again,) = judge(history[::-1], round_of(*agreeing()), policy(ETHEREUM), NOW)
    assert again.level is Level.OK


def test_profile_without_a_quorum_is_unknown() -> None:
    """Where no chain is believed, none is measured."""
    finding = judged(HEALTHY, context=round_of(*agreeing()[:1], witness("b", TIMEOUT)))
    assert (finding.level, finding.reason) == (Level.UNKNOWN, "no_quorum")


def test_profile_of_another_chain_than_the_believed_is_unknown() -> None:
    """A reference on a fork of its own does not say how the network fares."""
    history = [seen(headers(HEALTHY, branch="fork"))]
    (finding,) = judge(history, round_of(*agreeing()), policy(ETHEREUM), NOW)
    assert (finding.level, finding.reason) == (Level.UNKNOWN, "not_believed")
    assert finding.summary == f"net/a names another block {TIP} than the majority does"


def test_profile_of_headers_beside_what_the_majority_names_is_judged() -> None:
    """Headers that nobody was asked about contradict nobody."""
    (finding,) = judge(
        [seen(headers(HEALTHY, tip=TIP + 500))], round_of(*agreeing()), policy(ETHEREUM), NOW
    )
    assert finding.level is Level.OK


def test_offers_are_the_pace_of_linked_headers_and_their_number() -> None:
    """A single header has no pace; headers that no link reaches do not count."""
    by_name = {offer.name: offer.read for offer in OFFERS}
    pace, count = by_name["profile.interval_seconds"], by_name["profile.headers_count"]
    assert pace is not None
    assert count is not None
    chain = tuple(block(number) for number in (7, 98, 99, 100))
    assert (pace(IntervalsSeen(chain)), count(IntervalsSeen(chain))) == (12.0, 3.0)
    assert (pace(IntervalsSeen(chain[-1:])), count(IntervalsSeen(chain[-1:]))) == (None, 1.0)
    assert (pace(IntervalsSeen(())), count(IntervalsSeen(()))) == (None, 0.0)
