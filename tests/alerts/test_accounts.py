"""What can be found of a watched account has its alert, its page and its line in the documentation.

The counterpart of what the house asks of every row of the checks: accounts are judged by a decision
table, and each of its rows that is bad is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.act.alerts import RECORDING_RULES
from monitor.act.alerts_of_headwatch import INCLUSION_SECONDS
from monitor.act.alerts_of_transactions import ACCOUNT_ALERTS, EXPLAINED_DEGRADED
from monitor.act.instruments import INCLUSION_SECONDS_BUCKETS
from monitor.act.rules import Alert
from monitor.model import Level
from monitor.transactions.decide import CONSUMED, TABLE
from monitor.transactions.telling import CHECK
from monitor.transactions.words import State

ROOT = Path(__file__).parents[2]
SECTION = re.split(r"(?m)^## ", (ROOT / "docs" / "checks.md").read_text(encoding="utf-8"))
BAD_STATES = sorted(
    {(row.state, row.level) for row in TABLE if row.level > Level.OK}
    | {(state, level) for state, level in CONSUMED.items() if level > Level.OK}
)
OF_ACCOUNTS = {
    "nonce_reused": Level.FAILED,
    "journal_failed": Level.FAILED,
    "budget_exhausted": Level.FAILED,
    "local_ahead": Level.DEGRADED,
    "cap_blocks_bump": Level.DEGRADED,
    "conflict": Level.DEGRADED,
    "inclusion_slow": Level.DEGRADED,
    "halted": Level.DEGRADED,
}
"""Reasons that are no state of a transaction, and how bad they are."""
REST = {alert.level: alert for alert in ACCOUNT_ALERTS if not alert.reasons}
"""The alerts of all that no other claims, by level."""


def claims(reason: str, level: Level) -> Iterator[Alert]:
    """The alerts that name this reason, at this level."""
    for alert in ACCOUNT_ALERTS:
        if reason in alert.reasons and alert.level in {None, level}:
            yield alert


def test_every_bad_level_has_an_alert_for_whatever_no_other_claims() -> None:
    """A reason that the watchdog gains tomorrow is told from the first day on."""
    assert set(REST) == {level for level in Level if level > Level.OK}
    severities = [REST[level].severity for level in (Level.UNKNOWN, Level.DEGRADED, Level.FAILED)]
    assert severities == ["warning", "warning", "critical"]


@pytest.mark.parametrize(
    ("reason", "level"),
    [*((state.value, level) for state, level in BAD_STATES), *OF_ACCOUNTS.items()],
    ids=str,
)
def test_reason_of_an_account_has_one_alert_at_its_level(reason: str, level: Level) -> None:
    """At most one row claims it, and what is failed wakes a person."""
    claimed = list(claims(reason, level))
    assert len(claimed) <= 1
    alert = next(iter(claimed), REST[level])
    assert (alert.severity == "critical") == (level == Level.FAILED)


def test_reasons_that_are_claimed_are_found() -> None:
    """A word that was renamed does not live on in a row that can never be told."""
    found = {(state.value, level) for state, level in BAD_STATES} | set(OF_ACCOUNTS.items())
    for alert in ACCOUNT_ALERTS:
        for reason in alert.reasons:
            levels = {level for word, level in found if word == reason}
            assert levels, f"{alert.name} claims {reason}, which nobody finds"
            assert alert.level in {None, *levels}, f"{alert.name} claims {reason} at another level"


def test_states_of_the_expressions_are_those_of_the_decision_table() -> None:
    """A rule that waits for a state that is not there would be silent for ever."""
    states = {state.value for state in State}
    read = set()
    for alert in ACCOUNT_ALERTS:
        for found in re.findall(r'state=~?"([^"]+)"', alert.expr):
            read |= set(found.split("|"))
    assert read <= states
    claimed = {reason for alert in ACCOUNT_ALERTS for reason in alert.reasons}
    assert (claimed & states) - {"gap"} <= read


def test_states_with_an_alert_of_their_own_are_left_to_it() -> None:
    """What speaks for the rest of the degraded is silent about what another row claims, and only.

    A gap whose bytes are known is nobody else's at this level.
    """
    (listed,) = re.findall(r'state=~"([^"]+)"', EXPLAINED_DEGRADED.expr)
    claimed = {
        reason
        for alert in ACCOUNT_ALERTS
        if alert.level == Level.DEGRADED
        for reason in alert.reasons
    }
    live = {state.value for state in State} - {"final_reverted"}
    assert set(listed.split("|")) == claimed & live


@pytest.mark.parametrize("alert", ACCOUNT_ALERTS, ids=lambda alert: alert.name)
def test_alert_of_an_account_has_its_page_that_names_its_reasons(alert: Alert) -> None:
    """Whoever is woken finds the word of the status page on the page that they open."""
    page = (ROOT / "alerts" / "runbook" / f"{alert.name}.md").read_text(encoding="utf-8")
    for reason in alert.reasons:
        assert f"`{reason}`" in page, reason
    assert "headwatch tx " in page


def test_documentation_of_the_check_has_every_reason_with_its_level() -> None:
    """The section says what each word means and how bad it is."""
    (section,) = [part for part in SECTION if part.startswith(f"{CHECK}\n")]
    rows = [line.split("|")[1:3] for line in section.splitlines() if line.startswith("| ")]
    said = {
        (reason, Level[level.strip().upper()])
        for level, reasons in rows
        if level.strip().upper() in Level.__members__
        for reason in re.findall(r"`(\w+)`", reasons)
    }
    found = {(state.value, level) for state, level in BAD_STATES} | set(OF_ACCOUNTS.items())
    assert found <= said, sorted(found - said)


def test_objective_of_inclusion_is_one_that_is_counted() -> None:
    """The bucket that the objective reads is one of the histogram's, as it is written."""
    assert INCLUSION_SECONDS in INCLUSION_SECONDS_BUCKETS
    expressions = [rule.expr for rule in RECORDING_RULES if "inclusion" in rule.record]
    assert len(expressions) == 4
    assert all(f'le="{INCLUSION_SECONDS}"' in expr for expr in expressions)
