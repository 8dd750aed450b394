"""The alerts of watched accounts, and of the watchdog that watches them.

An account has one finding, which is its worst condition. Prometheus sees its level, and beside it
what can be counted: transactions by state, nonces, what was signed and sent. A row that names
reasons speaks for those alone; the rows at the end speak for all of a level that no other explains.
"""

from __future__ import annotations

from monitor.act.rules import Alert, Signal, grew, in_state, of_account
from monitor.model import Level

ACCOUNT = "{{ $labels.account }} ({{ $labels.network }})"
ACTS = ("act", "result")

LOST = in_state("lost")
FORKED = in_state("local_fork")
GAP = Signal("headwatch_tx_gap_nonces > 0")
REUSED = Signal("headwatch_tx_local_stale == 1")
TAKEN_FINALLY = Signal(grew('headwatch_tx_closed_total{state="replaced_other"}', "1h"), ("state",))
OVER_BUDGET = Signal('increase(headwatch_tx_signed_total{result="over_budget"}[15m]) > 0', ACTS)
CAPPED = Signal('increase(headwatch_tx_signed_total{result="capped"}[15m]) > 0', ACTS)
JOURNAL = Signal("increase(headwatch_tx_journal_errors_total[15m]) > 0", ("network", "account"))
REVERTED = Signal(
    'headwatch_tx_slots{state="reverted"} > 0\nor '
    + grew('headwatch_tx_closed_total{state="final_reverted"}', "15m"),
    ("state",),
)
"""Where blocks are final at once, it is never seen before it is closed."""

WEAK = in_state("evidence_weak")

LOCAL_ONLY = ("local_only", "local_desync")
STUCK = ("underpriced_cap", "underpriced_tip", "stuck_other")
EXPLAINED_DEGRADED = in_state(
    *(*LOCAL_ONLY, "not_propagated", *STUCK, "dropped", "unfunded"),
    *("reorged_out", "reverted", "nonce_taken"),
)
"""States that have an alert of their own at this level."""

_LOST: tuple[Alert, ...] = (
    of_account(
        "HeadwatchTransactionLost",
        level=Level.FAILED,
        clauses=(LOST.seen,),
        reasons=frozenset({"lost"}),
        severity="critical",
        minutes=1,
        keep_minutes=5,
        summary=f"A transaction of account {ACCOUNT} is lost",
        description="No node knows it any more, its nonce is free, and its bytes cannot be had: "
        "nobody can send it again. Its payment will not happen, and every later transaction of "
        "the account waits, until its sender signs this nonce again.",
    ),
    of_account(
        "HeadwatchTransactionReplaced",
        level=Level.FAILED,
        compared="",
        clauses=(TAKEN_FINALLY.seen,),
        reasons=frozenset({"replaced_other"}),
        severity="critical",
        minutes=1,
        summary=f"A nonce of account {ACCOUNT} was taken by another transaction, for good",
        description="In a final block the nonce is used by a transaction that pays somebody else, "
        "or something else. The one that was watched can never happen: its payment is not made, "
        "though its sender may believe that it is.",
    ),
    of_account(
        "HeadwatchTransactionForked",
        level=Level.FAILED,
        clauses=(FORKED.seen,),
        reasons=frozenset({"local_fork"}),
        severity="critical",
        minutes=1,
        keep_minutes=5,
        summary=f"A transaction of account {ACCOUNT} is mined only on a fork",
        description="Its node has a receipt for it, in a block that the network does not have. The "
        "sender was told of success, and for everybody else nothing has happened.",
    ),
)
_NONCES: tuple[Alert, ...] = (
    of_account(
        "HeadwatchNonceGap",
        level=Level.FAILED,
        # What is lost is missing, too, and has an alert that says more.
        clauses=(GAP.seen, LOST.unseen),
        reasons=frozenset({"gap"}),
        severity="critical",
        minutes=2,
        keep_minutes=5,
        summary=f"A nonce of account {ACCOUNT} is missing, and later ones wait for it",
        description="Nothing is known of a transaction with this nonce, anywhere. All later ones "
        "of the account are signed and sent, and none can get into a block before it is used.",
    ),
    of_account(
        "HeadwatchNonceReused",
        level=Level.FAILED,
        clauses=(REUSED.seen,),
        reasons=frozenset({"nonce_reused"}),
        severity="critical",
        minutes=1,
        keep_minutes=2,
        summary=f"The node of account {ACCOUNT} hands out nonces that are used",
        description="Its next nonce of the account is one that the network has used already. What "
        "the sender signs with it is refused or, on a fork, believed: either way it is never "
        "paid.",
    ),
    of_account(
        "HeadwatchNonceTaken",
        level=Level.DEGRADED,
        clauses=(in_state("nonce_taken").seen,),
        reasons=frozenset({"nonce_taken"}),
        severity="warning",
        minutes=1,
        keep_minutes=5,
        summary=f"A nonce of account {ACCOUNT} was used by no transaction that is known",
        description="The network has used it, and none of the transactions that were seen for it "
        "is in a block. Who took it is looked for; once that is final, it is told again where it "
        "matters.",
    ),
    of_account(
        "HeadwatchNonceAhead",
        level=Level.DEGRADED,
        compared="",
        clauses=(
            Signal("headwatch_tx_local_only_nonces > 0").seen,
            in_state(*LOCAL_ONLY, "not_propagated").unseen,
        ),
        reasons=frozenset({"local_ahead"}),
        severity="warning",
        minutes=5,
        summary=f"Only its own node counts some nonces of account {ACCOUNT} as pending",
        description="It counts more of them than any reference does: transactions that nobody else "
        "was told of, though none is known by its hash yet. The first sign of one that is lost.",
    ),
)
_UNDER_WAY: tuple[Alert, ...] = (
    of_account(
        "HeadwatchTransactionLocalOnly",
        level=Level.DEGRADED,
        clauses=(in_state(*LOCAL_ONLY).seen,),
        reasons=frozenset(LOCAL_ONLY),
        severity="warning",
        minutes=2,
        keep_minutes=2,
        summary=f"A transaction of account {ACCOUNT} is known to its own node alone",
        description="The node is behind, parted or alone, and told nobody. Its sender believes the "
        "transaction sent. The same bytes are sent to the references, where the policy allows it.",
    ),
    of_account(
        "HeadwatchTransactionNotPropagated",
        level=Level.DEGRADED,
        clauses=(in_state("not_propagated").seen,),
        reasons=frozenset({"not_propagated"}),
        severity="warning",
        minutes=10,
        keep_minutes=5,
        summary=f"A transaction of account {ACCOUNT} does not reach the network",
        description="Its node is well and has it as pending; for ten minutes no reference does, "
        "although it was sent to them again where the policy allows it. Nobody else can mine it.",
    ),
    of_account(
        "HeadwatchTransactionReorged",
        level=Level.DEGRADED,
        clauses=(in_state("reorged_out").seen,),
        reasons=frozenset({"reorged_out"}),
        severity="warning",
        minutes=1,
        keep_minutes=5,
        summary=f"A transaction of account {ACCOUNT} was in a block that is gone",
        description="The network has put another block in its place, without it. Whoever acted on "
        "its receipt acted too soon. The same bytes are sent to everybody again.",
    ),
    of_account(
        "HeadwatchTransactionReverted",
        level=Level.DEGRADED,
        compared="",
        clauses=(REVERTED.seen,),
        reasons=frozenset({"reverted", "final_reverted"}),
        severity="warning",
        minutes=1,
        summary=f"A transaction of account {ACCOUNT} was mined and reverted",
        description="It used its nonce and its gas, and did nothing. It is never tried again by "
        "headwatch: whether it should be is for its sender to say.",
    ),
    of_account(
        "HeadwatchTransactionUnfunded",
        level=Level.DEGRADED,
        clauses=(in_state("unfunded").seen,),
        reasons=frozenset({"unfunded"}),
        severity="warning",
        minutes=5,
        keep_minutes=2,
        summary=f"Account {ACCOUNT} cannot pay for what it has sent",
        description="Its balance does not cover the transactions that are on their way, with their "
        "gas at its cap. Pools drop what cannot be paid; the bytes are kept and sent again once "
        "there is enough.",
    ),
    of_account(
        "HeadwatchTransactionStuck",
        level=Level.DEGRADED,
        # What keeps it from being replaced says more.
        clauses=(in_state(*STUCK).seen, CAPPED.unseen, OVER_BUDGET.unseen),
        reasons=frozenset(STUCK),
        severity="warning",
        minutes=5,
        keep_minutes=5,
        summary=f"A transaction of account {ACCOUNT} waits and is not mined",
        description="The network knows it, and blocks go by without it: it pays less than blocks "
        "take, or something else keeps it out. Everything the account sends after it waits, too.",
    ),
    of_account(
        "HeadwatchTransactionDropped",
        level=Level.DEGRADED,
        clauses=(in_state("dropped").seen,),
        reasons=frozenset({"dropped"}),
        severity="warning",
        minutes=5,
        keep_minutes=5,
        summary=f"A transaction of account {ACCOUNT} was dropped by every node",
        description="It is in no pool and in no block, and its nonce is free. Its bytes are in the "
        "journal, and sending them again has not helped for five minutes, or is not allowed.",
    ),
)
_SIGNING: tuple[Alert, ...] = (
    of_account(
        "HeadwatchTransactionCapped",
        level=Level.DEGRADED,
        clauses=(CAPPED.seen,),
        reasons=frozenset({"cap_blocks_bump"}),
        severity="warning",
        minutes=5,
        summary=f"A cap keeps a transaction of account {ACCOUNT} from being replaced",
        description="The least that the pools would take is more than the policy of the account "
        "allows. Nothing is signed; the old bytes are still sent again.",
    ),
    of_account(
        "HeadwatchTransactionBudgetExhausted",
        level=None,
        # Whoever only asks what a replacement would cost is not in trouble.
        compared=f">= {Level.DEGRADED:d}",
        clauses=(OVER_BUDGET.seen,),
        reasons=frozenset({"budget_exhausted"}),
        severity="critical",
        minutes=1,
        summary=f"The day's budget of account {ACCOUNT} is spent, and a transaction is stuck",
        description="A replacement is needed and would cost more than is left of the budget of "
        "this day (UTC). Nothing more is signed for the account before midnight.",
    ),
    of_account(
        "HeadwatchJournalFailing",
        level=None,
        clauses=(JOURNAL.seen,),
        reasons=frozenset({"journal_failed"}),
        severity="critical",
        minutes=1,
        keep_minutes=5,
        summary=f"The journal fails, and nothing is done for account {ACCOUNT}",
        description="Nothing is sent before it is written down, so that nothing is sent at all: "
        "neither by the watchdog nor through the tap, whose senders are refused.",
    ),
)
_REST: tuple[Alert, ...] = (
    of_account(
        "HeadwatchEvidenceWeak",
        level=Level.UNKNOWN,
        clauses=(WEAK.seen,),
        reasons=frozenset({"evidence_weak"}),
        severity="warning",
        minutes=10,
        keep_minutes=2,
        summary=f"Too few references answer to judge the transactions of account {ACCOUNT}",
        description="Whether they are on their way cannot be said, and a fault would not be "
        "noticed. Nothing is replaced or cancelled meanwhile.",
    ),
    of_account(
        "HeadwatchAccountFailed",
        level=Level.FAILED,
        clauses=tuple(
            signal.unseen
            for signal in (LOST, FORKED, GAP, REUSED, TAKEN_FINALLY, OVER_BUDGET, JOURNAL)
        ),
        severity="critical",
        minutes=2,
        keep_minutes=2,
        summary=f"Transactions of account {ACCOUNT} fail",
        description="Something is wrong that no other alert names. The status page has the reason.",
    ),
    of_account(
        "HeadwatchAccountDegraded",
        level=Level.DEGRADED,
        clauses=tuple(
            signal.unseen for signal in (EXPLAINED_DEGRADED, CAPPED, OVER_BUDGET, JOURNAL)
        ),
        severity="warning",
        minutes=5,
        keep_minutes=5,
        summary=f"Transactions of account {ACCOUNT} are not as they should be",
        description="Two transactions were signed for one nonce, or inclusion has become slow, or "
        "a missing one is being sent again. The status page says which.",
    ),
    of_account(
        "HeadwatchAccountUnknown",
        level=Level.UNKNOWN,
        clauses=(WEAK.unseen, JOURNAL.unseen),
        severity="warning",
        minutes=10,
        keep_minutes=2,
        summary=f"Where the transactions of account {ACCOUNT} are is not known",
        description="They were not judged for a while, or what was seen makes no sense yet. A "
        "transaction that is lost meanwhile would not be noticed.",
    ),
)
ACCOUNT_ALERTS: tuple[Alert, ...] = (*_LOST, *_NONCES, *_UNDER_WAY, *_SIGNING, *_REST)

WATCHDOG_ALERTS: tuple[Alert, ...] = (
    Alert(
        name="HeadwatchErrorUnrecognised",
        expr=grew('headwatch_tx_sends_total{reaction="unrecognised"}', "1h"),
        for_seconds=60,
        severity="warning",
        summary="{{ $labels.node }} ({{ $labels.network }}) refuses transactions in words that are "
        "not known",
        description="An error text of eth_sendRawTransaction is in no row of the table of "
        "reactions. What it means is decided by nobody: the transaction is looked at again, and "
        "sent again later.",
        group="transactions",
    ),
    Alert(
        name="HeadwatchProposalsFailing",
        expr='rate(headwatch_tx_proposals_total{outcome="failed"}[15m]) > 0',
        for_seconds=300,
        severity="warning",
        summary="Proposals of replacements do not reach whoever has the key",
        description="The webhook does not take them. A transaction that only its own signer can "
        "help stays as it is, and nobody was asked.",
        group="transactions",
    ),
    Alert(
        name="HeadwatchTransactionsHalted",
        expr='headwatch_tx_mode{mode="halted"} == 1',
        for_seconds=3_600,
        severity="info",
        summary="Headwatch at {{ $labels.instance }} sends no transactions: it is halted",
        description="For an hour the kill switch has been on. Transactions are watched, and "
        "nothing is sent again, replaced or cancelled, whatever becomes of them.",
        group="transactions",
    ),
)
