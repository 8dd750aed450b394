"""What rows are made of: durations, and the expressions that every row of a kind shares."""

from __future__ import annotations

from typing import get_args

import pytest

from monitor import checks
from monitor.act.rules import (
    ACCOUNTS,
    LEDGERS,
    SELECTORS,
    SEVERITIES,
    Scope,
    Signal,
    Subjects,
    duration,
    finding,
    grew,
    in_state,
    seconds_of,
)
from monitor.model import Level


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (1, "1s"), (59, "59s"), (60, "1m"), (90, "90s"), (3600, "1h"), (86_400, "1d")],
)
def test_duration_is_written_in_the_largest_unit_that_divides_it(seconds: int, text: str) -> None:
    """Prometheus reads what we write, and a person reads it at a glance."""
    assert duration(seconds) == text
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["1h30m", "5", "5x", ""])
def test_seconds_of_anything_else_are_refused(text: str) -> None:
    """A window that is misspelled is no window of another length."""
    with pytest.raises((ValueError, KeyError, IndexError)):
        seconds_of(text)


def test_scopes_are_those_of_the_checks() -> None:
    """A scope that the checks gain has a selector, or the rules would not see it.

    Accounts and ledgers are no scopes of a check: their level is a metric of its own.
    """
    assert set(get_args(checks.Scope)) == set(SELECTORS)
    assert set(get_args(Scope)) == {*SELECTORS, "account", "ledger"}


def test_severities_come_worst_first() -> None:
    """The runbook's index and the routes agree on what is bad."""
    assert SEVERITIES == ("critical", "warning", "info", "none")


def test_finding_row_compares_its_level_and_respects_maintenance() -> None:
    """The clause of a row's own stands between the level and the maintenance."""
    row = finding(
        "HeadwatchX",
        check="head",
        scope="node",
        level=Level.FAILED,
        severity="critical",
        minutes=2,
        keep_minutes=1,
        also="unless headwatch_ready == 0",
        summary="x",
        description="X.",
    )
    assert row.expr.splitlines() == [
        'headwatch_finding_level{check="head", node!=""} == 3',
        "unless headwatch_ready == 0",
        "unless ignoring (check) headwatch_maintenance == 1",
    ]
    assert (row.for_seconds, row.keep_firing_for_seconds) == (120, 60)


def test_grown_counter_is_seen_from_its_first_event_on() -> None:
    """A counter that is exported from its first event on cannot rise; that it appears is said."""
    assert grew("headwatch_x_total", "15m").split("\nor (\n") == [
        "increase(headwatch_x_total[15m]) > 0",
        "  headwatch_x_total > 0\n  unless headwatch_x_total offset 15m\n)",
    ]


@pytest.mark.parametrize(
    ("subjects", "scope", "check", "group"),
    [
        (ACCOUNTS, "account", "transactions", "transactions"),
        (LEDGERS, "ledger", "ledger", "ledgers"),
    ],
    ids=["account", "ledger"],
)
@pytest.mark.parametrize(
    ("level", "compared", "first"),
    [
        (Level.FAILED, None, " == 3"),
        (Level.UNKNOWN, None, " == 1"),
        (Level.FAILED, "", ""),
        (None, None, ""),
        (None, ">= 2", " >= 2"),
    ],
)
def test_row_of_a_subject_compares_its_level_and_respects_maintenance(
    subjects: Subjects,
    *,
    scope: str,
    check: str,
    group: str,
    level: Level | None,
    compared: str | None,
    first: str,
) -> None:
    """Its clauses stand between the level, where it is compared, and its network's maintenance."""
    row = subjects.alert(
        "HeadwatchX",
        level=level,
        compared=compared,
        clauses=(in_state("lost").seen, Signal("headwatch_tx_gap_nonces > 0").unseen),
        reasons=frozenset({"lost"}),
        severity="critical",
        minutes=2,
        keep_minutes=1,
        summary="x",
        description="X.",
    )
    matched = f"ignoring (check, {scope}, reference)"
    assert row.expr.splitlines() == [
        f'headwatch_{scope}_finding_level{{check="{check}"}}{first}',
        'and ignoring (check, state) headwatch_tx_slots{state="lost"} > 0',
        "unless ignoring (check) headwatch_tx_gap_nonces > 0",
        f'unless {matched} headwatch_maintenance{{reference="quorum"}} == 1',
    ]
    assert (row.check, row.scope, row.level, row.group) == (check, scope, level, group)
    assert row.reasons == {"lost"}
    assert row.severity == "critical"
    assert (row.for_seconds, row.keep_firing_for_seconds) == (120, 60)


def test_clause_of_maintenance_ignores_the_labels_that_only_one_side_has() -> None:
    """An expression without a check is matched as well."""
    assert LEDGERS.not_in_maintenance() == (
        'unless ignoring (ledger, reference) headwatch_maintenance{reference="quorum"} == 1'
    )


def test_signal_of_several_states_or_lines_is_one_clause() -> None:
    """States are matched together, in one order; an expression of several lines is in brackets."""
    expr = in_state("b", "a").expr
    assert expr == 'headwatch_tx_slots{state=~"a|b"} > 0'
    assert Signal("x > 0\nor y > 0", ("z",)).seen.splitlines() == [
        "and ignoring (check, z) (",
        "  x > 0",
        "  or y > 0",
        ")",
    ]
