"""The metrics of the transaction watchdog: a part of the table in `metrics`.

An account is named by its alias, never by its address; a transaction is no label at all. Its hash
is the exemplar of the time that it took to get into a block, in OpenMetrics alone.
"""

from __future__ import annotations

from monitor.act.metric import Metric

_ACCOUNT = ("network", "account")

TRANSACTION_METRICS: tuple[Metric, ...] = (
    # -- each watched account --
    Metric(
        "headwatch_account_finding_level",
        "gauge",
        "What one check found of a watched account: 0 ok, 1 unknown, 2 degraded, 3 failed.",
        ("check", *_ACCOUNT),
    ),
    Metric(
        "headwatch_tx_slots",
        "gauge",
        "Live transactions of a watched account, by the state of the decision table.",
        (*_ACCOUNT, "state"),
    ),
    Metric(
        "headwatch_tx_oldest_pending_seconds",
        "gauge",
        "Since the oldest transaction that is in no block was first seen; none where there is "
        "none.",
        _ACCOUNT,
    ),
    Metric(
        "headwatch_tx_nonce",
        "gauge",
        "The account's next nonce as an endpoint counts it, tag latest or pending; node is "
        "NETWORK/NAME for a reference.",
        (*_ACCOUNT, "node", "tag"),
    ),
    Metric(
        "headwatch_tx_local_only_nonces",
        "gauge",
        "Nonces that the account's own node counts as pending beyond what any reference does: "
        "transactions that only it knows.",
        _ACCOUNT,
    ),
    Metric(
        "headwatch_tx_local_stale",
        "gauge",
        "Whether the account's own node would hand out nonces that the network has used.",
        _ACCOUNT,
    ),
    Metric(
        "headwatch_tx_gap_nonces",
        "gauge",
        "Nonces below a live transaction of which nothing is live anywhere.",
        _ACCOUNT,
    ),
    Metric(
        "headwatch_tx_evidence_weak",
        "gauge",
        "Whether nothing may be signed on what was seen: too few references were fresh, or one "
        "operator is all there is.",
        _ACCOUNT,
    ),
    Metric(
        "headwatch_tx_round_timestamp_seconds",
        "gauge",
        "When the references were last asked about the account, since the Unix epoch.",
        _ACCOUNT,
    ),
    # -- what became of its transactions --
    Metric(
        "headwatch_tx_inclusion_seconds",
        "histogram",
        "From a transaction's first sight to its first sight in a block of the network. In "
        "OpenMetrics a bucket's exemplar is the hash of one of its transactions.",
        _ACCOUNT,
    ),
    Metric(
        "headwatch_tx_closed_total",
        "counter",
        "Transactions whose nonce is used in a final block, by the state they ended in.",
        (*_ACCOUNT, "state"),
    ),
    Metric(
        "headwatch_tx_reorged_total",
        "counter",
        "Transactions whose block was gone again.",
        _ACCOUNT,
    ),
    # -- what was done for them --
    Metric(
        "headwatch_tx_sends_total",
        "counter",
        "Sends of bytes by headwatch, by what for and how the endpoint took them; node is "
        "NETWORK/NAME for a reference.",
        ("network", "node", "act", "reaction"),
    ),
    Metric(
        "headwatch_tx_signed_total",
        "counter",
        "Replacements, cancellations and fillers that were to be signed: signed, failed, or not "
        "signed because a cap of the policy (capped) or its budget of the day (over_budget) was "
        "in the way. What is in the way counts in every round.",
        (*_ACCOUNT, "act", "result"),
    ),
    Metric(
        "headwatch_tx_budget_spent_wei",
        "gauge",
        "Gas, at its cap, of what was signed for the account on this day (UTC).",
        _ACCOUNT,
    ),
    Metric(
        "headwatch_tx_budget_limit_wei",
        "gauge",
        "What may be spent so on a day; none where nothing may be signed.",
        _ACCOUNT,
    ),
    Metric(
        "headwatch_tx_proposals_total",
        "counter",
        "Unsigned replacements that were posted: sent or failed.",
        ("outcome",),
    ),
    # -- the watchdog itself --
    Metric(
        "headwatch_tx_mode",
        "gauge",
        "1 for the mode that holds, 0 for the others: acting, dry_run or halted.",
        ("mode",),
    ),
    Metric(
        "headwatch_tx_journal_commit_seconds",
        "histogram",
        "Time of one commit of the journal, its fsync included.",
    ),
    Metric(
        "headwatch_tx_journal_errors_total",
        "counter",
        "Rounds and requests that failed because the journal could not be read or written.",
    ),
    # -- the tap --
    Metric(
        "headwatch_tap_requests_total",
        "counter",
        "Requests through the tap: send, other, or refused (by headwatch itself).",
        ("kind",),
    ),
    Metric(
        "headwatch_tap_seconds",
        "histogram",
        "Time of one request through the tap, the node's own included.",
        ("kind",),
    ),
)
