from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse

from monitor.act.collector import registry_of, render
from monitor.act.collector_of_transactions import LIVE_STATES, MODES, Watched, transaction_blocks
from monitor.act.instruments import FINAL_STATES, Instruments
from monitor.judge.verdict import STALE_SECONDS
from monitor.model import AccountFacts, Level, Snapshot, TransactionsMode, transaction_subject
from monitor.transactions.words import State
from tests.act import snapshots

Series = Mapping[tuple[str, frozenset[tuple[str, str]]], float]
PAYER = {"network": snapshots.NETWORK, "account": "payer"}
NETWORKS = {"local": snapshots.NETWORK, "ethereum/a": snapshots.NETWORK}
HASH = snapshots.hash_of(77)


def page(snapshot: Snapshot, instruments: Instruments | None = None) -> str:
    body, _ = render(registry_of(snapshot, instruments), "application/openmetrics-text")
    return body.decode()


def series(snapshot: Snapshot, instruments: Instruments | None = None) -> Series:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parse(page(snapshot, instruments))  # type: ignore[no-untyped-call]
        for sample in family.samples
    }


def value(found: Series, name: str, **labels: str) -> float | None:
    return found.get((f"headwatch_{name}", frozenset({**PAYER, **labels}.items())))


def watching(**facts: object) -> Snapshot:
    return snapshots.watching(snapshots.healthy(), snapshots.account_facts(**facts))


def of_transactions(found: Series) -> set[str]:
    prefixes = ("headwatch_tx_", "headwatch_tap_", "headwatch_account_")
    return {name for name, _ in found if name.startswith(prefixes)}


# -- what is so ----------------------------------------------------------------------------------


def test_account_shows_what_the_snapshot_says() -> None:
    """Transactions by state, the oldest, nonces by who counts them, the day's budget."""
    found = series(watching(local_only=2, is_local_stale=True, gap_nonces=3))
    assert value(found, "tx_slots", state="pending") == 1
    assert value(found, "tx_slots", state="mined") == 3
    assert value(found, "tx_oldest_pending_seconds") == 9.0
    assert value(found, "tx_nonce", node="local", tag="pending") == 8
    assert value(found, "tx_nonce", node="ethereum/a", tag="latest") == 7
    assert value(found, "tx_local_only_nonces") == 2
    assert value(found, "tx_local_stale") == 1
    assert value(found, "tx_gap_nonces") == 3
    assert value(found, "tx_evidence_weak") == 0
    assert value(found, "tx_round_timestamp_seconds") == snapshots.NOW - 1.5
    assert value(found, "tx_budget_spent_wei") == 2e15
    assert value(found, "tx_budget_limit_wei") == 1e17


def test_account_has_every_live_state_from_zero_on() -> None:
    """A curve of a state begins where nothing is in it; what is final is counted elsewhere."""
    found = series(watching(states={}, oldest_pending_seconds=None))
    shown = {dict(labels)["state"] for name, labels in found if name == "headwatch_tx_slots"}
    assert shown == set(LIVE_STATES)
    assert {*LIVE_STATES, *FINAL_STATES} == {state.value for state in State}
    assert not set(LIVE_STATES) & set(FINAL_STATES)
    assert value(found, "tx_slots", state="lost") == 0
    assert value(found, "tx_oldest_pending_seconds") is None


def test_account_without_a_budget_has_no_limit() -> None:
    """Where nothing may be signed there is no limit of zero."""
    assert value(series(watching(budget_limit_wei=None)), "tx_budget_limit_wei") is None


@pytest.mark.parametrize(
    ("age", "shown"),
    [(None, False), (0.0, True), (STALE_SECONDS, True), (STALE_SECONDS + 0.1, False)],
)
def test_account_shows_what_a_round_saw_as_long_as_levels_hold(
    age: float | None, *, shown: bool
) -> None:
    """Before the first round, and when the last one is too old, there is no sample: unseen."""
    round_at = None if age is None else snapshots.NOW - age
    found = series(watching(round_at=round_at))
    names = ("tx_local_only_nonces", "tx_local_stale", "tx_gap_nonces", "tx_evidence_weak")
    assert {value(found, name) is not None for name in names} == {shown}
    nonce = value(found, "tx_nonce", node="local", tag="latest")
    assert (nonce is not None) == shown
    assert value(found, "tx_round_timestamp_seconds") == round_at
    # The journal knows what is on its way, and what was spent, whenever it was asked.
    assert value(found, "tx_slots", state="pending") == 1
    assert value(found, "tx_budget_spent_wei") == 2e15


def test_account_level_is_that_of_its_own_finding() -> None:
    """Two accounts, one of them bad; the same alias elsewhere is another account."""
    bad = snapshots.account_finding("payer", Level.FAILED, "lost")
    elsewhere = replace(snapshots.account_finding("other", Level.DEGRADED), network="another")
    healthy = snapshots.watching(
        snapshots.healthy(), *(snapshots.account_facts(name) for name in ("payer", "other"))
    )
    found = series(
        snapshots.with_finding(healthy, bad),
    )
    level = "account_finding_level"
    assert value(found, level, check="transactions") == Level.FAILED
    assert value(found, level, check="transactions", account="other") == Level.OK
    found = series(snapshots.with_finding(healthy, elsewhere))
    assert value(found, level, check="transactions", account="other") is None


def test_account_not_judged_yet_has_no_level() -> None:
    """Before its first finding nothing is said, rather than that all is well."""
    begun = replace(
        snapshots.healthy(),
        accounts=(snapshots.account_facts(),),
        transactions_mode="acting",
    )
    assert value(series(begun), "account_finding_level", check="transactions") is None


def test_transaction_is_no_label() -> None:
    """Its hash is in no label of the page, whatever is found of it."""
    lost = snapshots.finding(
        "transactions",
        transaction_subject(HASH),
        Level.FAILED,
        "lost",
        because=("transactions", "account:payer"),
    )
    assert HASH not in page(snapshots.with_finding(watching(), lost))


@pytest.mark.parametrize("mode", MODES)
def test_mode_is_one_of_three(mode: TransactionsMode) -> None:
    """The mode that holds is 1, the others are 0."""
    found = series(replace(watching(), transactions_mode=mode))
    shown = {
        dict(labels)["mode"]: held
        for (name, labels), held in found.items()
        if name.endswith("_mode")
    }
    assert shown == {each: float(each == mode) for each in MODES}


# -- what was counted ----------------------------------------------------------------------------


def counted() -> Instruments:
    instruments = Instruments()
    instruments.tx_inclusion_seconds.labels(**PAYER).observe(13.0, {"tx_hash": HASH})
    instruments.tx_closed.labels(**PAYER, state="final_ok").inc(3)
    instruments.tx_reorged.labels(**PAYER).inc()
    instruments.tx_signed.labels(**PAYER, act="replace", result="capped").inc(2)
    for node in NETWORKS:
        sends = instruments.tx_sends.labels(node=node, act="rebroadcast", reaction="known")
        sends.inc()
    instruments.tap_requests.labels(kind="send").inc()
    instruments.tap_seconds.labels(kind="send").observe(0.1)
    instruments.tx_journal_commit_seconds.observe(0.002)
    return instruments


def test_counts_are_shown_with_the_labels_of_the_table() -> None:
    """A send is counted by the endpoint's label, and the network is added."""
    found = series(watching(), counted())
    assert value(found, "tx_closed_total", state="final_ok") == 3
    assert value(found, "tx_reorged_total") == 1
    assert value(found, "tx_signed_total", act="replace", result="capped") == 2
    assert value(found, "tx_inclusion_seconds_bucket", le="15.0") == 1
    assert value(found, "tx_inclusion_seconds_bucket", le="10.0") == 0
    for node in NETWORKS:
        labels = {"network": snapshots.NETWORK, "node": node}
        name = ("headwatch_tx_sends_total", "act", "rebroadcast", "reaction", "known")
        key = frozenset({**labels, "act": name[2], "reaction": name[4]}.items())
        assert found[name[0], key] == 1


def test_inclusion_names_its_transaction_in_openmetrics_alone() -> None:
    """The hash is an exemplar, with the time that it took; Prometheus' text knows none."""
    lines = [line for line in page(watching(), counted()).splitlines() if HASH in line]
    assert len(lines) == 1
    assert lines[0].startswith("headwatch_tx_inclusion_seconds_bucket{")
    assert f'# {{tx_hash="{HASH}"}} 13.0 ' in lines[0]
    text, _ = render(registry_of(watching(), counted()), "text/plain")
    assert HASH not in text.decode()


def test_account_that_is_watched_counts_from_zero_on() -> None:
    """Prometheus sees the first transaction of each kind as an increase."""
    found = series(watching(), Instruments())
    assert value(found, "tx_reorged_total") == 0
    assert value(found, "tx_inclusion_seconds_count") == 0
    assert [value(found, "tx_closed_total", state=state) for state in FINAL_STATES] == [0] * len(
        FINAL_STATES
    )


def test_account_and_endpoint_that_left_leave_no_series() -> None:
    """What was counted for them is not shown, and is forgotten before they return."""
    instruments = counted()
    instruments.tx_sends.labels(node="gone", act="resend", reaction="accepted").inc()
    other = snapshots.watching(snapshots.healthy(), snapshots.account_facts("other"))
    text = page(other, instruments)
    assert 'account="payer"' not in text
    assert 'node="gone"' not in text
    assert 'account="other"' in text
    both = snapshots.watching(
        snapshots.healthy(), snapshots.account_facts(), snapshots.account_facts("other")
    )
    found = series(both, instruments)
    assert value(found, "tx_closed_total", state="final_ok") == 0
    assert value(found, "tx_inclusion_seconds_count") == 0
    assert value(found, "tx_signed_total", act="replace", result="capped") is None
    labels = frozenset(
        {
            "network": snapshots.NETWORK,
            "node": "local",
            "act": "rebroadcast",
            "reaction": "known",
        }.items()
    )
    assert found["headwatch_tx_sends_total", labels] == 1


def test_nothing_is_exported_where_no_transactions_are_watched() -> None:
    """Neither what is so nor what was counted, whatever is still in memory."""
    off = replace(watching(), transactions_mode="off")
    assert of_transactions(series(off, counted())) == set()
    assert of_transactions(series(snapshots.healthy(), Instruments())) == set()
    assert Watched.of(off) is None


def test_counter_that_nobody_used_has_no_block() -> None:
    """The tap is off, or nothing was signed: then there is no family without samples."""
    watched = Watched(frozenset({(snapshots.NETWORK, "payer")}))
    blocks = {block.name: block for block in transaction_blocks(Instruments(), {}, watched)}
    assert all(block.lines for block in blocks.values())
    assert not {"headwatch_tap_requests", "headwatch_tx_signed", "headwatch_tx_sends"} & set(blocks)
    assert "headwatch_tx_journal_errors" in blocks


def test_facts_of_an_account_hold_no_address() -> None:
    """What may become a label is chosen among these fields; none of them is the address."""
    assert "address" not in AccountFacts.__dataclass_fields__
