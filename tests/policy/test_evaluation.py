"""Rules against samples: pass, fail, or inconclusive, each for a reason that is told."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model import VerdictWord
from monitor.policy.evaluation import (
    MAX_AGE_SECONDS,
    Result,
    aggregate,
    evaluate,
    verdict_word,
)
from monitor.policy.measures import find
from monitor.policy.rules import Options, Rule, parse
from monitor.policy.samples import Sample, Samples, Stored, Subject

NOW = 1_000.0
BEGAN = 900.0
LAG = "head.lag_blocks.max < 3"


def watched(rule: Rule, *subjects: str, network: str = "main", began: float = BEGAN) -> Samples:
    """Samples of what a rule speaks of."""
    samples = Samples()
    found = tuple(Subject(subject, network) for subject in subjects)
    samples.watch([(rule.series, rule.measure.subjects)], {rule.measure.subjects: found}, began)
    return samples


def sampled(rule: Rule, values: Sequence[float], *, newest: float = NOW) -> Samples:
    """One node's samples, ten seconds apart."""
    samples = watched(rule, "node:a")
    for index, value in enumerate(values):
        at = newest - 10 * (len(values) - 1 - index)
        samples.add(rule.series, "node:a", Sample(at, value))
    return samples


def told(result: Result) -> tuple[str, str, float | None]:
    return result.word, result.reason, result.actual


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([2.0, 0.0], ("pass", "held", 2.0)),
        ([3.0, 0.0], ("fail", "broken", 3.0)),
        ([0.0, 4.0], ("fail", "broken", 4.0)),
        ([-7.0], ("pass", "held", -7.0)),
    ],
)
def test_rule_with_samples_holds_or_is_broken(
    values: list[float], expected: tuple[str, str, float]
) -> None:
    """Below, at and above the limit; the actual value is told."""
    rule = parse(LAG)
    result = evaluate(rule, sampled(rule, values), NOW)
    assert told(result) == expected
    assert (result.subject, result.samples) == ("node:a", len(values))


def test_rule_without_samples_is_inconclusive() -> None:
    """Not seen is neither good nor bad."""
    rule = parse(LAG)
    result = evaluate(rule, watched(rule, "node:a"), NOW)
    assert told(result) == ("inconclusive", "no_data", None)
    assert (result.subject, result.detail) == ("node:a", "nothing was measured")


def test_rule_of_nothing_that_is_watched_is_inconclusive() -> None:
    """No node, no journal, no ledger, or none on that network: that is said."""
    lag = parse(LAG)
    assert told(evaluate(lag, watched(lag), NOW)) == ("inconclusive", "not_measured", None)
    elsewhere = parse(LAG, Options(network="other"))
    result = evaluate(elsewhere, watched(elsewhere, "node:a"), NOW)
    assert (result.reason, result.detail) == ("not_measured", "no node is watched")
    ledger = parse("ledger.differences.count == 0")
    assert "`ledgers`" in evaluate(ledger, Samples(), NOW).detail
    other = evaluate(parse("rpc.error_ratio < 1%"), watched(lag, "node:a"), NOW)
    assert (other.reason, other.subject) == ("not_measured", "node:a")


@pytest.mark.parametrize(("count", "expected"), [(2, "inconclusive"), (3, "pass"), (4, "pass")])
def test_rule_with_too_few_samples_is_inconclusive(count: int, expected: str) -> None:
    """One below what it asks for, at it, and above."""
    rule = parse(LAG, Options(min_samples=3))
    result = evaluate(rule, sampled(rule, [0.0] * count), NOW)
    assert result.word == expected
    if expected == "inconclusive":
        assert (result.reason, result.detail) == ("too_few_samples", "2 of 3 samples")
        assert result.actual == 0.0


def test_rule_with_too_few_samples_does_not_fail_either() -> None:
    """One odd reading accuses nobody where three were asked for."""
    rule = parse(LAG, Options(min_samples=3))
    assert evaluate(rule, sampled(rule, [9.0, 9.0]), NOW).word == "inconclusive"


@pytest.mark.parametrize(("age", "expected"), [(0.0, "held"), (0.1, "too_old")])
def test_rule_with_old_samples_is_inconclusive(age: float, expected: str) -> None:
    """What was well a minute ago may be anything now."""
    rule = parse(LAG)
    newest = NOW - MAX_AGE_SECONDS - age
    assert evaluate(rule, sampled(rule, [0.0], newest=newest), NOW).reason == expected


@pytest.mark.parametrize(
    ("every", "age", "expected"),
    [
        (15.0, MAX_AGE_SECONDS, "held"),
        (15.0, MAX_AGE_SECONDS + 0.1, "too_old"),
        (3600.0, 7200.0, "held"),
        (3600.0, 7200.1, "too_old"),
    ],
)
def test_rule_on_what_is_measured_seldom_takes_samples_of_the_last_two_times(
    every: float, age: float, expected: str
) -> None:
    """What is asked once an hour can be ruled on in every minute of it."""
    rule = parse("retention.state_blocks.min >= 100000")
    samples = Samples()
    subjects = {rule.measure.subjects: (Subject("node:a", "main"),)}
    names = [(rule.series, rule.measure.subjects)]
    samples.watch(names, subjects, BEGAN, paces={rule.series: every})
    samples.add(rule.series, "node:a", Sample(NOW - age, 200_000.0))
    assert evaluate(rule, samples, NOW).reason == expected
    own = parse(rule.text, Options(max_age_seconds=age - 1.0))
    assert evaluate(own, samples, NOW).reason == "too_old"


@pytest.mark.parametrize(("age", "expected"), [(600.0, "held"), (600.5, "too_old")])
def test_rule_with_an_age_of_its_own_takes_samples_so_old(age: float, expected: str) -> None:
    """What changes once an hour need not be measured every minute."""
    rule = parse(LAG, Options(max_age_seconds=600.0))
    assert evaluate(rule, sampled(rule, [0.0], newest=NOW - age), NOW).reason == expected


def test_rule_over_a_time_looks_at_that_time_alone() -> None:
    """What was bad before does not count; what is bad within does."""
    rule = parse(LAG, Options(over_seconds=20.0))
    assert told(evaluate(rule, sampled(rule, [9.0, 0.0, 1.0, 0.0]), NOW)) == ("pass", "held", 1.0)
    within = sampled(rule, [0.0, 9.0, 0.0, 0.0])
    assert told(evaluate(rule, within, NOW)) == ("fail", "broken", 9.0)
    gone = evaluate(rule, sampled(rule, [0.0], newest=NOW - 21), NOW)
    assert (gone.word, gone.reason, gone.detail) == (
        "inconclusive",
        "too_old",
        "the last sample is 21s old",
    )


@pytest.mark.parametrize(("over", "expected"), [(100.0, "held"), (100.5, "too_short")])
def test_rule_over_a_time_that_was_not_watched_whole_does_not_pass(
    over: float, expected: str
) -> None:
    """A pass needs the whole time; the time since it was watched is a hundred seconds here."""
    rule = parse(LAG, Options(over_seconds=over))
    result = evaluate(rule, sampled(rule, [0.0]), NOW)
    assert result.reason == expected
    assert result.detail == ("watched for 100s of 100.5s" if expected == "too_short" else "")


def test_rule_over_a_time_that_was_not_watched_whole_fails_all_the_same() -> None:
    """What is broken already is not mended by more of it."""
    rule = parse(LAG, Options(over_seconds=500.0))
    assert told(evaluate(rule, sampled(rule, [3.0]), NOW)) == ("fail", "broken", 3.0)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([9.0, 9.0, 0.0, 9.0, 9.0], ("pass", "held", 0.0)),
        ([0.0, 5.0, 9.0, 4.0, 0.0], ("fail", "broken", 4.0)),
        ([9.0, 9.0], ("inconclusive", "too_few_samples", None)),
    ],
)
def test_rule_with_consecutive_needs_so_many_in_a_row(
    values: list[float], expected: tuple[str, str, float]
) -> None:
    """Two bad readings between good ones are nothing where three are asked for."""
    rule = parse(LAG, Options(consecutive=3))
    assert told(evaluate(rule, sampled(rule, values), NOW)) == expected


def test_rule_with_consecutive_from_below_needs_so_many_in_a_row() -> None:
    """The same for a lower bound."""
    rule = parse("head.lag_blocks.min > -3", Options(consecutive=2))
    assert evaluate(rule, sampled(rule, [-9.0, 0.0, -9.0]), NOW).word == "pass"
    assert told(evaluate(rule, sampled(rule, [0.0, -5.0, -9.0]), NOW))[2] == -5.0


@given(
    values=st.lists(st.integers(0, 5), min_size=1, max_size=12),
    consecutive=st.integers(1, 4),
    limit=st.integers(0, 6),
)
@settings(deadline=None)
def test_rule_with_consecutive_fails_exactly_when_a_run_is_as_long(
    values: list[int], consecutive: int, limit: int
) -> None:
    """Said in one number or counted one by one, it is the same."""
    rule = parse(f"head.lag_blocks.max < {limit}", Options(consecutive=consecutive))
    run = longest = 0
    for value in values:
        run = run + 1 if value >= limit else 0
        longest = max(longest, run)
    word = evaluate(rule, sampled(rule, [float(value) for value in values]), NOW).word
    if len(values) < consecutive:
        assert word == "inconclusive"
    else:
        assert (word == "fail") == (longest >= consecutive)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("head.lag_blocks.max", 100.0),
        ("head.lag_blocks.min", 1.0),
        ("head.lag_blocks.mean", 50.5),
        ("head.lag_blocks.p50", 50.0),
        ("head.lag_blocks.p90", 90.0),
        ("head.lag_blocks.p95", 95.0),
        ("head.lag_blocks.p99", 99.0),
        ("head.lag_blocks.last", 1.0),
        ("rpc.errors.count", 5050.0),
    ],
)
def test_aggregate_puts_samples_together(path: str, expected: float) -> None:
    """Of one to a hundred, backwards: quantiles are by the nearest rank, a value that was there."""
    measure, aggregation = find(path)
    samples = [Sample(float(-n), float(n)) for n in range(100, 0, -1)]
    assert aggregate(measure, aggregation, samples) == expected


def test_aggregate_of_few_samples_is_the_worst_of_them() -> None:
    """Nobody interpolates a better one."""
    measure, aggregation = find("rpc.latency_seconds.p95")
    samples = [Sample(0.0, value) for value in (0.1, 0.9, 0.2)]
    assert aggregate(measure, aggregation, samples) == 0.9
    assert aggregate(measure, aggregation, []) is None


def test_aggregate_of_a_ratio_weighs_its_parts() -> None:
    """One failure of one call and none of ninety-nine is one per cent, not a half."""
    measure, aggregation = find("rpc.error_ratio")
    samples = [Sample(0.0, 1.0, 1.0), Sample(1.0, 0.0, 99.0)]
    assert aggregate(measure, aggregation, samples) == 0.01
    assert aggregate(measure, aggregation, [Sample(0.0, 0.0, 0.0)]) is None


def test_rule_of_a_ratio_of_nothing_is_inconclusive() -> None:
    """No call was made, so none failed and none succeeded."""
    rule = parse("rpc.error_ratio < 1%")
    samples = watched(rule, "node:a")
    samples.add(rule.series, "node:a", Sample(NOW, 0.0, 0.0))
    assert told(evaluate(rule, samples, NOW)) == ("inconclusive", "no_data", None)


@pytest.mark.parametrize(
    ("text", "good", "bad", "worse"),
    [
        ("head.lag_blocks.max < 3", 0.0, 4.0, 5.0),
        ("head.lag_blocks.max <= 3", 0.0, 4.0, 5.0),
        ("head.lag_blocks.min > 3", 9.0, 2.0, 1.0),
        ("head.lag_blocks.min >= 3", 9.0, 2.0, 1.0),
        ("head.lag_blocks.last == 3", 3.0, 2.0, 5.0),
    ],
)
def test_rule_of_many_is_that_of_the_worst(
    text: str, good: float, bad: float, worse: float
) -> None:
    """A fleet that is well does not hide the one that is not, whichever way is bad."""
    rule = parse(text)
    samples = watched(rule, "node:a", "node:b", "node:c")
    for subject, value in (("node:a", bad), ("node:b", worse), ("node:c", good)):
        samples.add(rule.series, subject, Sample(NOW, value))
    result = evaluate(rule, samples, NOW)
    assert (result.word, result.subject, result.actual) == ("fail", "node:b", worse)


def test_rule_of_many_of_whom_one_was_not_seen_is_inconclusive() -> None:
    """The others do not vouch for it; but one that fails is enough for a fail."""
    rule = parse(LAG)
    samples = watched(rule, "node:a", "node:b", "node:c")
    samples.add(rule.series, "node:a", Sample(NOW, 0.0))
    assert evaluate(rule, samples, NOW).word == "inconclusive"
    samples.add(rule.series, "node:c", Sample(NOW, 9.0))
    result = evaluate(rule, samples, NOW)
    assert (result.word, result.subject) == ("fail", "node:c")


@pytest.mark.parametrize(
    ("seconds", "sign", "expected"),
    [
        (35.0, "<", ("inconclusive", "at_least")),
        (36.0, "<", ("fail", "broken")),
        (35.0, ">", ("inconclusive", "at_least")),
        (37.0, ">", ("pass", "held")),
    ],
)
def test_rule_of_a_value_that_may_be_larger_says_what_is_certain(
    seconds: float, sign: str, expected: tuple[str, str]
) -> None:
    """A transaction that still waits may take longer than it has so far."""
    rule = parse(f"transactions.inclusion_seconds.p99 {sign} 36s")
    samples = watched(rule, "network:main")
    samples.put(Stored(rule.series, "network:main", Sample(NOW, seconds, is_at_least=True)))
    result = evaluate(rule, samples, NOW)
    assert (result.word, result.reason) == expected
    assert "at least so much" in result.detail


def test_rule_of_a_store_says_why_there_is_nothing() -> None:
    """What the store said is passed on; a value that it has is taken, whenever it was read."""
    rule = parse("ledger.differences.count == 0")
    samples = watched(rule, "ledger:drop")
    samples.put(Stored(rule.series, "ledger:drop", None, "never reconciled"))
    result = evaluate(rule, samples, NOW)
    assert (told(result), result.detail) == (("inconclusive", "no_data", None), "never reconciled")
    samples.put(Stored(rule.series, "ledger:drop", Sample(0.0, 0.0)))
    assert told(evaluate(rule, samples, NOW)) == ("pass", "held", 0.0)


def result_of(word: VerdictWord, severity: str = "error") -> Result:
    rule = parse(LAG, Options(severity="error" if severity == "error" else "warn"))
    return Result(rule, word, "held", 0.0, "node:a", 1)


@pytest.mark.parametrize(
    ("checks", "rules", "strict", "expected"),
    [
        ("pass", [], False, "pass"),
        ("pass", ["pass"], False, "pass"),
        ("pass", ["pass", "inconclusive"], False, "inconclusive"),
        ("pass", ["inconclusive", "fail"], False, "fail"),
        ("inconclusive", ["pass"], False, "inconclusive"),
        ("inconclusive", ["fail"], False, "fail"),
        ("fail", ["pass", "inconclusive"], False, "fail"),
        ("pass", ["fail:warn"], False, "pass"),
        ("pass", ["inconclusive:warn"], False, "pass"),
        ("pass", ["fail:warn"], True, "fail"),
        ("pass", ["inconclusive:warn"], True, "pass"),
    ],
)
def test_verdict_of_checks_and_rules_is_the_worst_that_counts(
    checks: VerdictWord, rules: list[str], strict: bool, expected: str
) -> None:
    """Errors decide, warnings do not; a strict gate minds a warning that is certain."""
    words: dict[str, VerdictWord] = {"pass": "pass", "fail": "fail"}
    results = []
    for text in rules:
        word, _, severity = text.partition(":")
        results.append(result_of(words.get(word, "inconclusive"), severity or "error"))
    assert verdict_word(checks, results, strict=strict) == expected
