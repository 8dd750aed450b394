"""Rules: one line of text, read by a grammar and never run."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.policy.measures import find
from monitor.policy.rules import (
    OPERATORS,
    RULE_CHARACTERS_MAX,
    SAMPLES_MAX,
    Options,
    over_of,
    parse,
)
from monitor.policy.units import PolicyError


@pytest.mark.parametrize(
    ("text", "path", "sign", "limit"),
    [
        ("head.lag_blocks.max < 3", "head.lag_blocks.max", "<", 3.0),
        ("rpc.latency_seconds.p95 < 500ms", "rpc.latency_seconds.p95", "<", 0.5),
        ("rpc.error_ratio<1%", "rpc.error_ratio", "<", 0.01),
        (
            "transactions.inclusion_seconds.p99 < 36s",
            "transactions.inclusion_seconds.p99",
            "<",
            36.0,
        ),
        ("ledger.differences.count == 0", "ledger.differences.count", "==", 0.0),
        ("  head.lag_blocks.min   >= -5 ", "head.lag_blocks.min", ">=", -5.0),
    ],
)
def test_parse_reads_path_comparison_and_limit(
    text: str, path: str, sign: str, limit: float
) -> None:
    """The rules of the documentation, and what else may be written so."""
    rule = parse(text)
    assert (rule.measure, rule.aggregation) == find(path)
    assert (rule.sign, rule.limit) == (sign, limit)
    assert rule.text == " ".join(text.split())
    assert parse(rule.text) == rule
    assert rule.options == Options()


@pytest.mark.parametrize(
    ("text", "expected", "found", "hint"),
    [
        ("", "expected PATH, a comparison and a limit", "", "such as head.lag_blocks.max < 3"),
        (
            "head.lag_blocks.max",
            "expected PATH, a comparison and a limit",
            "head.lag_blocks.max",
            "such as head.lag_blocks.max < 3",
        ),
        (
            "3 > head.lag_blocks.max",
            "expected PATH, a comparison and a limit",
            "3 > head.lag_blocks.max",
            "such as head.lag_blocks.max < 3",
        ),
        (
            "head.lag_blocks.max = 3",
            "expected one of < <= > >= == !=, not =",
            "",
            "for equality write ==",
        ),
        ("head.lag_blocks.max <> 3", "expected one of < <= > >= == !=, not <>", "", ""),
        (
            "head.lag_blocks.max < 3s",
            "expected blocks",
            "3s",
            "write blocks or nothing, as in 3",
        ),
        (
            "head.lag_blocks.max < 3 and rpc.error_ratio < 1%",
            "expected a number and its unit",
            "3 and rpc.error_ratio < 1%",
            "such as 3, 500ms, 2m, 1% or 30gwei",
        ),
    ],
)
def test_parse_of_what_is_no_rule_says_why(text: str, expected: str, found: str, hint: str) -> None:
    """What was expected, what was found, and what to write instead."""
    with pytest.raises(PolicyError) as caught:
        parse(text)
    assert (caught.value.expected, caught.value.found, caught.value.hint) == (expected, found, hint)


@pytest.mark.parametrize(("more", "is_taken"), [(0, True), (1, False)])
def test_parse_takes_so_many_characters_and_no_more(more: int, *, is_taken: bool) -> None:
    """A text without end is not read."""
    text = "head.lag_blocks.max < 3".ljust(RULE_CHARACTERS_MAX + more)
    if is_taken:
        assert parse(text).limit == 3.0
    else:
        with pytest.raises(PolicyError):
            parse(text)


@given(st.text(max_size=60) | st.from_regex(r"[a-z._]{0,20} ?[<>=!]{0,3} ?[0-9a-z%.]{0,9}"))
@settings(deadline=None)
def test_parse_of_any_text_is_a_rule_or_a_policy_error(text: str) -> None:
    """Nothing else comes of it, whatever it holds."""
    try:
        assert parse(text).sign in OPERATORS
    except PolicyError as error:
        assert error.expected  # noqa: PT017


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("head.lag_blocks.max < 3", Options(min_samples=0), "min_samples: expected a whole number"),
        ("head.lag_blocks.max < 3", Options(min_samples=SAMPLES_MAX + 1), "min_samples: expected"),
        ("head.lag_blocks.max < 3", Options(consecutive=0), "consecutive: expected a whole number"),
        ("head.lag_blocks.p95 < 3", Options(consecutive=2), "consecutive goes with paths that end"),
        ("rpc.error_ratio < 1%", Options(consecutive=2), "consecutive goes with paths that end"),
        ("ledger.differences.count == 0", Options(over_seconds=9.0), "over says nothing of ledger"),
        ("ledger.differences.count == 0", Options(min_samples=2), "min_samples says nothing of"),
        ("ledger.differences.count == 0", Options(consecutive=2), "consecutive says nothing of"),
        ("ledger.differences.count == 0", Options(abort_on_fail=True), "abort_on_fail says"),
    ],
)
def test_parse_refuses_options_that_say_nothing(text: str, options: Options, expected: str) -> None:
    """What would be ignored is a mistake that is told."""
    with pytest.raises(PolicyError) as caught:
        parse(text, options)
    assert caught.value.expected.startswith(expected)


@pytest.mark.parametrize(
    ("text", "options", "needed"),
    [
        ("head.lag_blocks.max < 3", Options(), 1),
        ("head.lag_blocks.max < 3", Options(min_samples=SAMPLES_MAX), SAMPLES_MAX),
        ("head.lag_blocks.min > -3", Options(consecutive=3, min_samples=2), 3),
        ("head.lag_blocks.p95 < 3", Options(over_seconds=120.0, min_samples=7), 7),
    ],
)
def test_rule_needs_as_many_samples_as_it_asks_for(
    text: str, options: Options, needed: int
) -> None:
    """The larger of both numbers: with fewer in a row none could be out of bounds."""
    assert parse(text, options).samples_needed == needed


@pytest.mark.parametrize(
    ("text", "series"),
    [
        ("head.lag_blocks.max < 3", "head.lag_blocks"),
        ("rpc.error_ratio < 1%", "rpc.error_ratio"),
        ("transactions.inclusion_seconds.p99 < 36s", "transactions.inclusion_seconds.p99"),
    ],
)
def test_rule_looks_at_one_series_a_measure_or_a_stored_path(text: str, series: str) -> None:
    """All aggregations of what is sampled share the samples; what is stored is kept by path."""
    assert parse(text).series == series


@pytest.mark.parametrize(
    ("sign", "below", "at", "above"),
    [
        ("<", None, False, False),
        ("<=", None, None, False),
        ("==", None, None, False),
        (">", None, None, True),
        (">=", None, True, True),
        ("!=", None, None, True),
    ],
)
def test_rule_of_a_value_that_may_be_larger_is_settled_where_it_can_be(
    sign: str, below: bool | None, at: bool | None, above: bool | None
) -> None:
    """True and False hold for everything from the value up; None where it depends."""
    rule = parse(f"head.lag_blocks.max {sign} 3")
    assert [rule.holds_from(value) for value in (2.0, 3.0, 4.0)] == [below, at, above]


@given(
    sign=st.sampled_from(sorted(OPERATORS)),
    value=st.integers(-5, 5),
    more=st.lists(st.integers(0, 20), min_size=1),
)
@settings(deadline=None)
def test_rule_that_is_settled_from_a_value_up_is_so_for_every_larger_one(
    sign: str, value: int, more: list[int]
) -> None:
    """What is said of a lower bound is never contradicted by the true value."""
    rule = parse(f"head.lag_blocks.max {sign} 0")
    settled = rule.holds_from(float(value))
    if settled is not None:
        assert {rule.holds(float(value + extra)) for extra in more} == {settled}


def test_over_is_a_time_up_to_a_day() -> None:
    """In any unit of time, and in no other."""
    assert over_of("2m") == 120.0
    with pytest.raises(PolicyError):
        over_of("2 blocks")
    with pytest.raises(PolicyError):
        over_of("25h")
