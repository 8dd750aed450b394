"""Transactions of watched accounts: where they are, how long they take, what is done for them."""

from __future__ import annotations

from dashboards import promql
from dashboards.board import SHARED, Board, Line, Section, Variable
from dashboards.panels import (
    ANY_IS_BAD,
    LEVELS,
    Column,
    Query,
    Step,
    stat,
    table,
    timeline,
    timeseries,
)
from dashboards.promql import RANGE_WINDOW, grown, increase, quantile, rate, series, worst

ACCOUNT = 'account=~"$account"'
EACH = "network, account"
NAMED = "{{network}} {{account}}"
INCLUSION = "headwatch_tx_inclusion_seconds"
COMMITS = "headwatch_tx_journal_commit_seconds"
TAP = "headwatch_tap_seconds"
UNKNOWN_WORDS = 'reaction="unrecognised"'
MODES = (
    Step(1, "green", "acting"),
    Step(2, "blue", "dry run"),
    Step(3, "orange", "halted"),
)
STALE = (Step(0, "green", "no"), Step(1, "red", "yes"))
WEAK = (Step(0, "green", "no"), Step(1, "purple", "yes"))
PICKED = Variable(
    "account",
    "Account",
    promql.values(
        "account",
        "headwatch_tx_slots",
        *(f'{each.name}=~"${each.name}"' for each in SHARED),
    ),
    ".*",
)


def _of_account(name: str, *matchers: str) -> str:
    return series(name, ACCOUNT, *matchers)


def _each(name: str) -> str:
    return worst(EACH, _of_account(name))


def _sum(by: str, expression: str) -> str:
    return f"sum by ({by}) ({expression})"


def _mode(word: str) -> str:
    return series("headwatch_tx_mode", f'mode="{word}"')


# The first word that holds: `or` keeps what is on its left.
MODE = " or ".join(
    f"{value} * max by (instance) ({_mode(word)} == 1)"
    for value, word in ((3, "halted"), (2, "dry_run"), (1, "acting"))
)
LEVEL = worst(EACH, _of_account("headwatch_account_finding_level"))
OLDEST = _each("headwatch_tx_oldest_pending_seconds")
SPENT = _of_account("headwatch_tx_budget_spent_wei")
LIMIT = _of_account("headwatch_tx_budget_limit_wei")
SHARE = worst(EACH, f"{SPENT} / {LIMIT}")
NOT_WELL = 'state!~"pending|mined|blocked|local_lag|reorg_running|local_dropped"'
LIVE = _of_account("headwatch_tx_slots")

NOW = (
    stat(
        "Worst finding",
        "The worst level that is found of the chosen accounts.",
        Query(f"max({LEVEL})", "worst"),
        steps=LEVELS,
        filled=True,
        missing="not judged",
    ),
    stat(
        "Mode",
        "Whether anything is sent: acting, a dry run, or halted by the kill switch.",
        Query(f"max({MODE})", "mode"),
        steps=MODES,
        missing="off",
    ),
    stat(
        "Live",
        "Transactions whose nonce is not used in a final block yet.",
        Query(f"sum({worst(f'{EACH}, state', LIVE)})", "live"),
    ),
    stat(
        "Not as they should be",
        "Live transactions in a state that needs something: unknown to somebody, underpriced, "
        "stuck, missing, lost.",
        Query(
            f"sum({worst(f'{EACH}, state', _of_account('headwatch_tx_slots', NOT_WELL))})",
            "not well",
        ),
        steps=ANY_IS_BAD,
    ),
    stat(
        "Oldest pending",
        "Since the oldest transaction that is in no block was first seen.",
        Query(f"max({OLDEST})", "oldest"),
        unit="s",
        missing="none",
    ),
    stat(
        "Included in time",
        "Of the transactions that were mined within the chosen time, the share that took at most "
        "two minutes from first sight.",
        Query(
            "sum("
            + increase(f"{INCLUSION}_bucket", ACCOUNT, 'le="120.0"', window=RANGE_WINDOW)
            + ") / sum("
            + increase(f"{INCLUSION}_count", ACCOUNT, window=RANGE_WINDOW)
            + ")",
            "in time",
        ),
        unit="percentunit",
        steps=(Step(0, "red"), Step(0.7, "orange"), Step(0.95, "green")),
        missing="none mined",
    ),
    stat(
        "Journal errors",
        "Rounds and requests within the chosen time that failed because of the journal. While it "
        "fails nothing is sent.",
        Query(
            f"sum({increase('headwatch_tx_journal_errors_total', window=RANGE_WINDOW)})", "errors"
        ),
        steps=ANY_IS_BAD,
        missing="0",
    ),
)
LEVELS_OVER_TIME = timeline(
    "Findings",
    "The level of each account over time: that of its worst condition.",
    Query(LEVEL, NAMED),
)
ACCOUNTS = table(
    "Accounts now",
    "One row an account, the worst first. Its transactions by hash are on headwatch's own pages.",
    Column("Network", "network"),
    Column("Account", "account"),
    Column("Level", LEVEL, steps=LEVELS),
    Column("Live", _sum(EACH, worst(f"{EACH}, state", LIVE))),
    Column("Oldest pending", OLDEST, unit="s"),
    Column("Local only", _each("headwatch_tx_local_only_nonces")),
    Column("Missing nonces", _each("headwatch_tx_gap_nonces")),
    Column("Budget spent", SHARE, unit="percentunit"),
    Column(
        "Asked ago",
        f"time() - {_each('headwatch_tx_round_timestamp_seconds')}",
        unit="s",
    ),
    sort_by="Level",
)
STATES = timeseries(
    "Live transactions by state",
    "Where the live transactions of the chosen accounts stand, in the words of the decision table.",
    Query(f"{_sum('state', worst(f'{EACH}, state', LIVE))} > 0", "{{state}}"),
    unit="none",
    stacked=True,
    stepped=True,
)
OLDEST_PENDING = timeseries(
    "Oldest pending",
    "Since each account's oldest transaction that is in no block was first seen. A climb is one "
    "that waits; those after it wait too.",
    Query(OLDEST, NAMED),
    unit="s",
)
INCLUDED = timeseries(
    "Time until inclusion",
    "Quantiles from first sight to a block. A dot is one transaction, and has its hash.",
    *(
        Query(quantile(q, INCLUSION, EACH, ACCOUNT), f"{100 * q:g} %, {NAMED}", exemplars=True)
        for q in (0.5, 0.9, 0.99)
    ),
    unit="s",
)
CLOSED = timeseries(
    "Closed",
    "Transactions whose nonce was used in a final block, by how they ended.",
    Query(
        _sum("account, state", grown("headwatch_tx_closed_total", ACCOUNT)) + " > 0",
        "{{account}} {{state}}",
    ),
    unit="none",
    stacked=True,
)
REORGED = timeseries(
    "Blocks that were gone again",
    "Transactions that were mined in a block which the network has not kept.",
    Query(_sum(EACH, grown("headwatch_tx_reorged_total", ACCOUNT)), NAMED),
    unit="none",
)
LOCAL, OF_REFERENCES = 'node!~".+/.+"', 'node=~".+/.+"'


def _nonce(whose: str, tag: str) -> str:
    return worst(EACH, _of_account("headwatch_tx_nonce", whose, f'tag="{tag}"'))


NONCES = timeseries(
    "Next nonces",
    "As the account's own node and the references count them. The own node's pending above the "
    "references' is what only it knows; below the network's latest it hands out used ones.",
    Query(_nonce(OF_REFERENCES, "latest"), f"network latest, {NAMED}"),
    Query(_nonce(LOCAL, "latest"), f"own node latest, {NAMED}"),
    Query(_nonce(OF_REFERENCES, "pending"), f"network pending, {NAMED}"),
    Query(_nonce(LOCAL, "pending"), f"own node pending, {NAMED}"),
    unit="none",
    soft_min=None,
    stepped=True,
)
LOCAL_ONLY = timeseries(
    "Known to the own node alone",
    "Nonces that the account's own node counts as pending beyond what any reference does.",
    Query(_each("headwatch_tx_local_only_nonces"), NAMED),
    unit="none",
    stepped=True,
)
GAPS = timeseries(
    "Missing nonces",
    "Nonces below a live transaction of which nothing is live anywhere; what is above them waits.",
    Query(_each("headwatch_tx_gap_nonces"), NAMED),
    unit="none",
    stepped=True,
)
REUSED = timeline(
    "Own node hands out used nonces",
    "Whether the account's own node would hand out nonces that the network has used.",
    Query(_each("headwatch_tx_local_stale"), NAMED),
    steps=STALE,
)
EVIDENCE = timeline(
    "Evidence too weak to sign on",
    "Whether too few references were fresh, or one operator is all there is.",
    Query(_each("headwatch_tx_evidence_weak"), NAMED),
    steps=WEAK,
)
SENDS = timeseries(
    "Sends by reaction",
    "Bytes sent by headwatch, by how the endpoints took them. `unrecognised` is a text to report.",
    Query(_sum("act, reaction", increase("headwatch_tx_sends_total")), "{{act}} {{reaction}}"),
    unit="none",
    stacked=True,
)
UNRECOGNISED = timeseries(
    "Words that are not known",
    "Refusals in a text that no row of the table of reactions knows, by endpoint.",
    Query(_sum("node", grown("headwatch_tx_sends_total", UNKNOWN_WORDS)), "{{node}}"),
    unit="none",
)
SIGNED = timeseries(
    "Signed",
    "Replacements, cancellations and fillers: signed, failed, or blocked by a cap or the budget. "
    "What is blocked counts in every round.",
    Query(
        _sum("act, result", increase("headwatch_tx_signed_total", ACCOUNT)), "{{act}} {{result}}"
    ),
    unit="none",
    stacked=True,
)
BUDGET = timeseries(
    "Budget of a day",
    "The share of each account's budget that is spent, gas at its cap; it begins anew at midnight, "
    "UTC.",
    Query(SHARE, NAMED),
    unit="percentunit",
)
PROPOSALS = timeseries(
    "Proposals",
    "Unsigned replacements that were posted to whoever has the key: sent or failed.",
    Query(_sum("outcome", increase("headwatch_tx_proposals_total")), "{{outcome}}"),
    unit="none",
    stacked=True,
)
MODES_OVER_TIME = timeline(
    "Mode",
    "Whether each instance acts, only says what it would do, or is halted.",
    Query(MODE, "{{instance}}"),
    steps=MODES,
)
ASKED = timeseries(
    "Since the references were last asked",
    "Of each account: with every block while something is on its way, else every half minute.",
    Query(f"time() - {_each('headwatch_tx_round_timestamp_seconds')}", NAMED),
    unit="s",
)
COMMITTED = timeseries(
    "Time of a commit",
    "Quantiles of the journal's commits, with their fsync: every send waits for one.",
    *(
        Query(quantile(q, COMMITS, "instance"), f"{100 * q:g} %, {{{{instance}}}}")
        for q in (0.5, 0.99)
    ),
    unit="s",
)
FAILED_COMMITS = timeseries(
    "Journal errors",
    "Rounds and requests that failed because the journal could not be read or written.",
    Query(_sum("instance", increase("headwatch_tx_journal_errors_total")), "{{instance}}"),
    unit="none",
)
TAPPED = timeseries(
    "Requests through the tap",
    "A second: sends of transactions, everything else, and what headwatch refused itself.",
    Query(_sum("kind", rate("headwatch_tap_requests_total")), "{{kind}}"),
    unit="reqps",
    stacked=True,
)
TAP_LATENCY = timeseries(
    "Time of a request through the tap",
    "The 95 % quantile, the node's own time included; a send waits for the journal as well.",
    Query(quantile(0.95, TAP, "kind"), "{{kind}}"),
    unit="s",
)

BOARD = Board(
    name="transactions",
    title="headwatch / Transactions",
    description="Watched accounts: their transactions by state, nonces, inclusion, what is done.",
    variables=(PICKED,),
    sections=(
        Section(
            "",
            (
                Line(4, NOW, (4, 3, 3, 4, 3, 4, 3)),
                Line(6, (LEVELS_OVER_TIME,)),
                Line(7, (ACCOUNTS,)),
                Line(8, (STATES, OLDEST_PENDING)),
            ),
        ),
        Section("Inclusion", (Line(9, (INCLUDED,)), Line(7, (CLOSED, REORGED)))),
        Section(
            "Nonces",
            (Line(9, (NONCES,)), Line(7, (LOCAL_ONLY, GAPS)), Line(5, (REUSED, EVIDENCE))),
        ),
        Section(
            "What is done",
            (Line(8, (SENDS, UNRECOGNISED)), Line(8, (SIGNED, BUDGET, PROPOSALS))),
        ),
        Section(
            "The watchdog and the tap",
            (
                Line(5, (MODES_OVER_TIME, ASKED)),
                Line(7, (COMMITTED, FAILED_COMMITS)),
                Line(7, (TAPPED, TAP_LATENCY)),
            ),
        ),
    ),
)
