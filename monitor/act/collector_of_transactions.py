"""The transaction watchdog as metric families: what a snapshot says of accounts, what was counted.

Nothing of it is exported where no transactions are watched; an account that left the configuration
leaves no series behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from prometheus_client import Counter, Histogram
from prometheus_client.samples import Sample

from monitor.act.exposition import Block, block_of
from monitor.act.instruments import Instruments
from monitor.judge.verdict import STALE_SECONDS
from monitor.model import AccountFacts, Finding, Snapshot, TransactionsMode, account_subject
from monitor.transactions.words import TERMINAL, State

LIVE_STATES = tuple(state.value for state in State if state not in TERMINAL)
MODES: tuple[TransactionsMode, ...] = ("acting", "dry_run", "halted")


Labels = Mapping[str, str]


class Put(Protocol):
    """Takes one sample: its metric, value and labels; none where the value is None."""

    def __call__(self, name: str, value: float | None, /, *labels: str) -> None: ...


# -- what is so ----------------------------------------------------------------------------------


def put_transactions(put: Put, snapshot: Snapshot) -> None:
    """What a snapshot says of the watched accounts."""
    if snapshot.transactions_mode == "off":
        return
    for mode in MODES:
        put("headwatch_tx_mode", mode == snapshot.transactions_mode, mode)
    findings: dict[tuple[str, str], list[Finding]] = {}
    for finding in snapshot.verdict.findings:
        findings.setdefault((finding.network, finding.subject), []).append(finding)
    for facts in snapshot.accounts:
        labels = (facts.network, facts.alias)
        for finding in findings.get((facts.network, account_subject(facts.alias)), ()):
            put("headwatch_account_finding_level", finding.level, finding.check, *labels)
        _put_slots(put, facts)
        _put_round(put, facts, snapshot.at)
        put("headwatch_tx_budget_spent_wei", facts.budget_spent_wei, *labels)
        put("headwatch_tx_budget_limit_wei", facts.budget_limit_wei, *labels)


def _put_slots(put: Put, facts: AccountFacts) -> None:
    labels = (facts.network, facts.alias)
    for state in LIVE_STATES:
        put("headwatch_tx_slots", facts.states.get(state, 0), *labels, state)
    put("headwatch_tx_oldest_pending_seconds", facts.oldest_pending_seconds, *labels)


def _put_round(put: Put, facts: AccountFacts, at: float) -> None:
    """What the last round of questions saw; none where it is too old to be true now."""
    labels = (facts.network, facts.alias)
    put("headwatch_tx_round_timestamp_seconds", facts.round_at, *labels)
    if facts.round_at is None or at - facts.round_at > STALE_SECONDS:
        return
    for (node, tag), nonce in facts.nonces.items():
        put("headwatch_tx_nonce", nonce, *labels, node, tag)
    put("headwatch_tx_local_only_nonces", facts.local_only, *labels)
    put("headwatch_tx_local_stale", facts.is_local_stale, *labels)
    put("headwatch_tx_gap_nonces", facts.gap_nonces, *labels)
    put("headwatch_tx_evidence_weak", facts.is_evidence_weak, *labels)


# -- what was counted ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Watched:
    """The accounts that are watched, each a network and an alias."""

    accounts: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, snapshot: Snapshot) -> Watched | None:
        """Of a snapshot; None where no transactions are watched."""
        if snapshot.transactions_mode == "off":
            return None
        return cls(frozenset((facts.network, facts.alias) for facts in snapshot.accounts))


def transaction_blocks(
    counted: Instruments, networks: Mapping[str, str], watched: Watched | None
) -> Iterator[Block]:
    """What was counted for these accounts; `networks` are those of the endpoints, by label."""
    if watched is None:
        return
    counted.begin(watched.accounts)
    of_accounts: tuple[Counter | Histogram, ...] = (
        counted.tx_inclusion_seconds,
        counted.tx_closed,
        counted.tx_reorged,
        counted.tx_signed,
    )
    for counter in of_accounts:
        yield from _blocks(counter, lambda labels: _of_account(labels, watched))
    yield from _blocks(counted.tx_sends, lambda labels: _of_endpoint(labels, networks))
    for counter in (
        counted.tx_proposals,
        counted.tx_journal_commit_seconds,
        counted.tx_journal_errors,
        counted.tap_requests,
        counted.tap_seconds,
    ):
        yield from _blocks(counter, lambda labels: labels)


def _of_account(labels: Labels, watched: Watched) -> Labels | None:
    return labels if (labels["network"], labels["account"]) in watched.accounts else None


def _of_endpoint(labels: Labels, networks: Mapping[str, str]) -> Labels | None:
    network = networks.get(labels["node"])
    return None if network is None else {**labels, "network": network}


def _blocks(
    counter: Counter | Histogram, labelled: Callable[[Labels], Labels | None]
) -> Iterator[Block]:
    """The families of a counter that have samples, each with the labels that it is shown with.

    What is not to be shown at all is forgotten.
    """
    for family in counter.collect():
        kept: list[Sample] = []
        gone: set[frozenset[tuple[str, str]]] = set()
        for sample in family.samples:
            labels = labelled(sample.labels)
            if labels is None:
                gone.add(frozenset(sample.labels.items() - {("le", sample.labels.get("le"))}))
            else:
                kept.append(sample._replace(labels=dict(labels)))
        family.samples = kept
        if kept:
            yield block_of(family)
        for labels_gone in gone:
            counter.remove_by_labels(dict(labels_gone))
