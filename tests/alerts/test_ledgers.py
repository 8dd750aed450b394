"""What can be found of a ledger has its alert, its page and its line in the documentation.

The counterpart of what the house asks of every row of the checks: each kind of difference is told.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from alerts.examples_of_ledgers import KINDS, RECONCILED
from alerts.examples_of_ledgers import MONEY as MONEY_OF_EXAMPLES
from alerts.examples_of_ledgers import REPUTATION as REPUTATION_OF_EXAMPLES
from monitor.act.alerts import BY_NAME
from monitor.act.alerts_of_ledgers import (
    BOOKKEEPING_ALERTS,
    LEDGER_ALERTS,
    MONEY,
    REPUTATION,
    STALE_SECONDS,
)
from monitor.act.rules import Alert, seconds_of
from monitor.ledger.confirming import LOGS_DIFFER, LOGS_TRUNCATED, VALUES_DIFFER
from monitor.ledger.job import BROKEN_STORE, NOT_A_HUB
from monitor.ledger.last import MAX_AGE_SECONDS
from monitor.ledger.remedies import REMEDIES
from monitor.ledger.telling import CHECK, MIXED
from monitor.model import Level
from monitor.poco.difference import Kind

ROOT = Path(__file__).parents[2]
SECTION = re.split(r"(?m)^## ", (ROOT / "docs" / "checks.md").read_text(encoding="utf-8"))
REST = {alert.level: alert for alert in LEDGER_ALERTS if not alert.reasons}
"""The alerts of all that no other claims, by level."""
UNSEEN = {
    *(str(reason) for reason in REMEDIES),
    *(LOGS_TRUNCATED, LOGS_DIFFER, VALUES_DIFFER, NOT_A_HUB, BROKEN_STORE),
}
"""Reasons for which nothing can be said; `Meaning.REVERTED` and the like are among the remedies."""


def page_of(alert: Alert) -> str:
    return (ROOT / "alerts" / "runbook" / f"{alert.name}.md").read_text(encoding="utf-8")


def test_every_level_of_a_ledger_has_an_alert_for_whatever_no_other_claims() -> None:
    """A kind that the ledger gains tomorrow is told from the first day on."""
    assert set(REST) == {Level.UNKNOWN, Level.FAILED}
    assert (REST[Level.UNKNOWN].severity, REST[Level.FAILED].severity) == ("warning", "critical")


def test_every_kind_of_difference_wakes_somebody() -> None:
    """Each is money or reputation, and not both; both are failed, and critical."""
    assert set(get_args(Kind)) == MONEY | REPUTATION
    assert not MONEY & REPUTATION
    claimed = {alert.reasons: alert for alert in LEDGER_ALERTS if alert.reasons}
    assert set(claimed) == {MONEY, REPUTATION}
    for alert in claimed.values():
        assert (alert.level, alert.severity) == (Level.FAILED, "critical")


@pytest.mark.parametrize("alert", LEDGER_ALERTS, ids=lambda alert: alert.name)
def test_kinds_of_an_expression_are_those_that_it_claims(alert: Alert) -> None:
    """What Prometheus looks for is what is pushed under the same name."""
    read = {
        word for found in re.findall(r'kind=~?"([^"]+)"', alert.expr) for word in found.split("|")
    }
    assert read == alert.reasons


def test_situations_know_every_kind_and_every_alert() -> None:
    """The examples are written without the rows, and forget none of them."""
    assert frozenset(MONEY_OF_EXAMPLES) == MONEY
    assert frozenset(REPUTATION_OF_EXAMPLES) == REPUTATION
    for name, kinds in (
        ("HeadwatchLedgerMoneyWrong", MONEY_OF_EXAMPLES),
        ("HeadwatchLedgerReputationWrong", REPUTATION_OF_EXAMPLES),
    ):
        tried = [case for case in RECONCILED if case.alert == name]
        assert len(tried) == len(kinds)
    assert {case.alert for case in RECONCILED} == {alert.name for alert in LEDGER_ALERTS}
    assert all(len(case.signals) in {0, len(KINDS)} for case in RECONCILED)


def test_ledger_is_stale_where_a_gate_takes_it_for_nothing() -> None:
    """The rule's age is the gate's, and its window reaches as far back."""
    (alert,) = BOOKKEEPING_ALERTS
    assert STALE_SECONDS == MAX_AGE_SECONDS
    assert f"<= {STALE_SECONDS}\n" in alert.expr
    (window,) = re.findall(r"\[(\w+)\]", alert.expr)
    assert seconds_of(window) == STALE_SECONDS
    # With the age at which it begins, that is the hour of its words.
    assert STALE_SECONDS + alert.for_seconds == 3600


@pytest.mark.parametrize("alert", LEDGER_ALERTS, ids=lambda alert: alert.name)
def test_page_of_a_ledger_names_its_kinds_and_the_commands_that_show_them(alert: Alert) -> None:
    """Whoever is woken confirms it and reads its story, with what stands on the page."""
    page = page_of(alert)
    for kind in alert.reasons:
        assert f"`{kind}`" in page, kind
    assert "headwatch ledger reconcile --name LEDGER --json" in page
    assert "http://127.0.0.1:9845/api/v1/ledger\n" in page
    if alert.level == Level.FAILED:
        assert "headwatch ledger explain --name LEDGER 0x" in page
        assert "headwatch_ledger_differences{" in page


@pytest.mark.parametrize("alert", [*LEDGER_ALERTS, *BOOKKEEPING_ALERTS], ids=lambda a: a.name)
def test_page_of_a_ledger_says_when_it_is_over(alert: Alert) -> None:
    """Nobody sits there waiting for what does not come by itself."""
    assert "is over " in page_of(alert)


def test_page_of_what_cannot_be_seen_names_the_reasons_that_have_a_remedy_of_their_own() -> None:
    """Whoever reads a reason on the status page finds it here, with what helps."""
    page = page_of(BY_NAME["HeadwatchLedgerUnknown"])
    named = set(re.findall(r"`([a-z_]+)`", page))
    assert named >= {
        *("behind", "forked", "no_quorum", "pruned", "no_state", "not_there", "bad_logs"),
        *(LOGS_TRUNCATED, LOGS_DIFFER, VALUES_DIFFER, "timeout", "busy", "budget"),
        *(NOT_A_HUB, BROKEN_STORE, "internal_error", "stale"),
    }


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
    found = {(kind, Level.FAILED) for kind in (*get_args(Kind), MIXED)}
    found |= {(reason, Level.UNKNOWN) for reason in UNSEEN}
    assert found <= said, sorted(found - said)
