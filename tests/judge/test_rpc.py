"""When calls that fail, are throttled or take long are worth a word, and when they are not."""

from __future__ import annotations

import pytest

from monitor.judge.rpc import OFFERS, RULE, MethodSeen, RpcSeen, judge, quantile
from monitor.model import Finding, Level, Observation, Unseen
from tests.judge.builders import NOW, POLICY, agreeing, round_of

ROUND = round_of(*agreeing())
VALUE = {offer.name: offer.read for offer in OFFERS}


def of(
    calls: int,
    failed: int = 0,
    throttled: int = 0,
    *,
    timed: int = 0,
    p70: float | None = None,
    mean: float | None = None,
    method: str = "eth_chainId",
) -> MethodSeen:
    """One method's calls."""
    return MethodSeen(method, calls, failed, throttled, timed, p70, mean)


def found(*methods: MethodSeen, recent: tuple[int, int, int] | None = None) -> Finding:
    """What is said of these calls; the newest are as all of them, unless they are given."""
    calls, failed = sum(m.calls for m in methods), sum(m.failed for m in methods)
    now = (calls, failed, sum(m.throttled for m in methods)) if recent is None else recent
    seen = RpcSeen(methods, (("refused", failed),) if failed else (), *now)
    (finding,) = judge([Observation("local", "rpc", NOW, 0.0, seen)], ROUND, POLICY, NOW)
    assert (finding.check, finding.subject, finding.network) == ("rpc", "node:local", "net")
    assert len(finding.evidence) == len(methods)
    return finding


def test_judge_of_nothing_says_nothing() -> None:
    """A node that was never asked has no finding."""
    assert judge([], ROUND, POLICY, NOW) == ()


def test_judge_of_what_could_not_be_seen_is_unknown() -> None:
    """The reason is that of the observation."""
    newest: Observation[RpcSeen] = Observation("local", "rpc", NOW, 0.0, Unseen("timeout", "late"))
    (finding,) = judge([newest], ROUND, POLICY, NOW)
    assert (finding.level, finding.reason) == (Level.UNKNOWN, "timeout")
    assert finding.evidence[0].method == RULE


@pytest.mark.parametrize(
    ("calls", "failed", "throttled", "level", "reason"),
    [
        (0, 0, 0, Level.OK, "few_calls"),
        (9, 9, 9, Level.OK, "few_calls"),
        (10, 10, 10, Level.DEGRADED, "throttled"),
        (10, 0, 0, Level.OK, "answering"),
        (10, 5, 0, Level.OK, "answering"),
        (10, 6, 0, Level.DEGRADED, "errors"),
        (100, 51, 0, Level.DEGRADED, "errors"),
        (100, 50, 40, Level.OK, "answering"),
        (100, 50, 41, Level.DEGRADED, "throttled"),
        (100, 60, 40, Level.DEGRADED, "errors"),
        (100, 100, 41, Level.DEGRADED, "throttled"),
    ],
)
def test_calls_are_judged_by_the_share_that_failed(
    calls: int, failed: int, throttled: int, level: Level, reason: str
) -> None:
    """Ten calls at least; more than half failed, or more than two fifths throttled."""
    finding = found(of(calls, failed, throttled))
    assert (finding.level, finding.reason) == (level, reason)


def test_finding_of_failures_has_its_numbers_and_their_reasons() -> None:
    """The two numbers, and the words in which a person reads them."""
    finding = found(of(30, 28), of(10, 0, method="eth_call"))
    assert (finding.measured, finding.limit, finding.unit) == (0.7, 0.5, "ratio")
    assert finding.summary == "28 of 40 calls brought no usable answer: 28 refused"
    finding = found(of(40, 20, 20))
    assert (finding.measured, finding.limit, finding.unit) == (0.5, 0.4, "ratio")
    assert finding.summary == "20 of 40 calls were refused for being too many"
    finding = found(of(40, 4))
    assert (finding.measured, finding.limit) == (0.1, 0.5)
    assert finding.summary == "36 of 40 calls brought their answer"


@pytest.mark.parametrize(
    ("recent", "level"),
    [((20, 5, 0), Level.OK), ((20, 6, 0), Level.DEGRADED), ((20, 0, 0), Level.OK)],
    ids=["at half", "above", "over"],
)
def test_failures_that_are_over_are_none(recent: tuple[int, int, int], level: Level) -> None:
    """The newest calls must exceed half of the limit too: the window is long, an outage short."""
    assert found(of(100, 90), recent=recent).level == level


@pytest.mark.parametrize(
    ("recent", "reason"), [((20, 4, 4), "answering"), ((20, 5, 5), "throttled")]
)
def test_throttling_that_is_over_is_none(recent: tuple[int, int, int], reason: str) -> None:
    """The same of the other limit."""
    assert found(of(100, 45, 45), recent=recent).reason == reason


@pytest.mark.parametrize(
    ("timed", "p70", "level"),
    [
        (20, 3.0, Level.OK),
        (20, 3.001, Level.DEGRADED),
        (19, 9.0, Level.OK),
        (20, None, Level.OK),
    ],
)
def test_method_is_slow_by_seven_calls_of_ten(timed: int, p70: float | None, level: Level) -> None:
    """Twenty calls at least, and the slowest method is the one that is named."""
    fast = of(50, timed=32, p70=0.1, mean=0.1)
    finding = found(fast, of(50, timed=timed, p70=p70, mean=1.0, method="eth_getLogs"))
    assert finding.level == level
    if level == Level.DEGRADED:
        assert finding.summary == "three of ten eth_getLogs take 3 s or longer"
        assert (finding.reason, finding.measured, finding.limit) == ("slow", p70, 3.0)
        assert finding.unit == "seconds"


@pytest.mark.parametrize(
    ("timed", "mean", "reason"),
    [(10, 10.0, "answering"), (10, 10.1, "slow"), (9, 99.0, "answering")],
)
def test_calls_are_slow_on_average(timed: int, mean: float, reason: str) -> None:
    """Of ten calls that were timed, whatever their methods."""
    finding = found(of(20, timed=timed, p70=1.0, mean=mean))
    assert finding.reason == reason
    assert (finding.measured == mean) == (reason == "slow")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ((), None),
        ((2.0,), 2.0),
        ((1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0), 7.0),
        ((3.0, 1.0, 2.0), 3.0),
    ],
)
def test_quantile_is_a_duration_that_was_measured(
    seconds: tuple[float, ...], expected: float | None
) -> None:
    """Seven of ten do not exceed it; nothing is interpolated."""
    assert quantile(seconds) == expected


@pytest.mark.parametrize(
    ("method", "throttled", "slowest"),
    [
        (of(9, 9, 9), None, None),
        (of(10, 5, 5), 0.5, None),
        (of(20, timed=20, p70=0.2, mean=0.1), 0.0, 0.2),
    ],
)
def test_offers_have_no_number_of_too_few_calls(
    method: MethodSeen, throttled: float | None, slowest: float | None
) -> None:
    """Where the judge says nothing, nothing is measured."""
    ratio, seconds = VALUE["rpc.throttled_ratio"], VALUE["rpc.slowest_p70_seconds"]
    assert ratio is not None
    assert seconds is not None
    seen = RpcSeen((method,))
    assert (ratio(seen), seconds(seen)) == (throttled, slowest)
