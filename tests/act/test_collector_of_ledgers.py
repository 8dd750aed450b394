from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import get_args

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse

from monitor.act.collector import registry_of, render
from monitor.act.collector_of_ledgers import KINDS, OUTCOMES, STATUSES
from monitor.act.metrics_of_ledgers import LEDGER_METRICS
from monitor.ledger.telling import SCORE_TOPS, score_bands
from monitor.model import LedgerFacts, Level, Snapshot
from monitor.poco.difference import Kind
from tests.act import ledgers, snapshots
from tests.act.ledgers import HUB, NAME, OTHER, TOTALS, WORKER
from tests.act.snapshots import NETWORK, NOW, TIP

Series = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


def page(snapshot: Snapshot) -> str:
    body, _ = render(registry_of(snapshot), "application/openmetrics-text")
    return body.decode()


def series(snapshot: Snapshot) -> Series:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parse(page(snapshot))  # type: ignore[no-untyped-call]
        for sample in family.samples
    }


def value(found: Series, name: str, ledger: str = NAME, **labels: str) -> float | None:
    key = {"network": NETWORK, "ledger": ledger, **labels}
    return found.get((f"headwatch_ledger_{name}", frozenset(key.items())))


def by(found: Series, name: str, label: str, ledger: str = NAME) -> dict[str, float]:
    """The samples of one ledger by one label."""
    return {
        dict(labels)[label]: number
        for (each, labels), number in found.items()
        if each == f"headwatch_ledger_{name}" and ("ledger", ledger) in labels
    }


def keeping(*all_facts: LedgerFacts) -> Snapshot:
    return ledgers.kept(snapshots.healthy(), *((facts, None) for facts in all_facts))


def test_ledger_shows_what_the_last_whole_comparison_saw() -> None:
    """When, at which block, from how many events, what it comes to: amounts as RLC."""
    found = series(keeping(ledgers.compared()))
    assert value(found, "reconciled_timestamp_seconds") == NOW - 60
    assert value(found, "reconcile_duration_seconds") == 4.2
    assert value(found, "block_number") == TIP - 64
    assert value(found, "events") == 12_345
    assert value(found, "accounts") == 312
    assert value(found, "paid_rlc") == 2_400.000000001
    assert by(found, "slashed_rlc", "role") == {"worker": 30.0, "scheduler": 13.5}
    assert value(found, "kitty_rlc") == 13.5
    assert by(found, "contributions", "outcome") == TOTALS.contributions


def test_ledger_has_every_kind_status_outcome_and_band_from_zero_on() -> None:
    """A rise from nothing is seen as one, and no curve ends where the last of them is gone."""
    bare = replace(TOTALS, work_orders={}, contributions={}, scores=())
    found = series(keeping(ledgers.compared(totals=bare)))
    assert by(found, "differences", "kind") == dict.fromkeys(get_args(Kind), 0)
    assert by(found, "work_orders", "status") == dict.fromkeys(STATUSES, 0)
    assert by(found, "contributions", "outcome") == dict.fromkeys(OUTCOMES, 0)
    assert by(found, "workers", "score") == dict.fromkeys(score_bands(()), 0)
    assert len(by(found, "workers", "score")) == len(SCORE_TOPS) + 1


def test_words_of_the_labels_are_those_of_the_ledger() -> None:
    """What totals and differences are counted by is what is shown, and `unset` is no status."""
    assert get_args(Kind) == KINDS
    assert STATUSES == ("active", "revealing", "claimed", "completed")
    assert set(TOTALS.work_orders) <= set(STATUSES)
    assert set(TOTALS.contributions) == set(OUTCOMES)


def test_differences_are_counted_by_kind() -> None:
    """Each kind has its own number."""
    found = by(series(keeping(ledgers.wrong())), "differences", "kind")
    assert {kind: count for kind, count in found.items() if count} == {"stake": 2, "invariant": 1}


def test_workers_are_counted_by_the_band_of_their_score() -> None:
    """0, 1, 2, then up to each power of two."""
    found = by(series(keeping(ledgers.compared())), "workers", "score")
    counted = {band: count for band, count in found.items() if count}
    assert counted == {"0": 2, "1": 1, "3-4": 1, "9-16": 1, "17-32": 1}


def test_ledger_never_compared_shows_that_it_is_there_and_nothing_else() -> None:
    """No zero stands for what nobody has seen; a rule can tell that it is missing."""
    found = series(keeping(ledgers.fresh()))
    shown = {name for name, _ in found if name.startswith("headwatch_ledger_")}
    assert shown == {"headwatch_ledger_running"}
    assert value(found, "running", OTHER) == 1
    assert value(series(keeping(ledgers.compared())), "running") == 0


def test_ledger_that_could_not_be_seen_at_first_has_its_duration_alone() -> None:
    """The attempt took its time, and saw nothing to be shown."""
    tried = replace(ledgers.fresh(), is_running=False, took_seconds=30.0)
    found = series(keeping(tried))
    assert value(found, "reconcile_duration_seconds", OTHER) == 30.0
    assert value(found, "reconciled_timestamp_seconds", OTHER) is None
    assert not by(found, "differences", "kind", OTHER)


def test_ledger_compared_without_a_block_or_totals_shows_the_rest() -> None:
    """Each is shown where it is known."""
    found = series(keeping(ledgers.compared(block=None, totals=None)))
    assert value(found, "block_number") is None
    assert value(found, "paid_rlc") is None
    assert value(found, "events") == 12_345


@pytest.mark.parametrize("level", Level)
def test_level_is_that_of_its_own_finding(level: Level) -> None:
    """Two ledgers, one of them judged: the other has none, rather than that all is well."""
    snapshot = ledgers.kept(
        snapshots.healthy(),
        (ledgers.compared(), ledgers.ledger_finding(NAME, level)),
        (ledgers.compared(OTHER), None),
    )
    found = series(snapshot)
    assert value(found, "finding_level", check="ledger") == level
    assert value(found, "finding_level", OTHER, check="ledger") is None


def test_finding_of_another_check_is_not_its_level() -> None:
    """A level has one source."""
    other = snapshots.finding("head", f"ledger:{NAME}", Level.FAILED)
    snapshot = ledgers.kept(snapshots.healthy(), (ledgers.compared(), other))
    assert value(series(snapshot), "finding_level", check="ledger") is None


def test_account_and_contract_are_no_labels() -> None:
    """Neither a worker nor the hub is on the page, whatever is found of them."""
    text = page(ledgers.two_ledgers())
    assert WORKER not in text
    assert HUB not in text


def test_ledger_that_left_the_configuration_leaves_no_series() -> None:
    """Also when its finding has not expired yet."""
    gone = replace(ledgers.two_ledgers(), ledgers=())
    assert "headwatch_ledger_" not in page(gone)


def test_every_metric_of_ledgers_is_shown_of_one_that_was_compared() -> None:
    """No row of the table is without a sample."""
    text = page(ledgers.two_ledgers())
    assert {metric.name for metric in LEDGER_METRICS if f"\n{metric.name}{{" not in text} == set()
