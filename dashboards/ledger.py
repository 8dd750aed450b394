"""The ledgers that are reconciled: whether they are right, how fresh that is, what they come to."""

from __future__ import annotations

from dashboards import promql
from dashboards.board import SHARED, Board, Line, Section, Variable
from dashboards.panels import (
    ANY_IS_BAD,
    BLOCKS,
    LEVELS,
    Column,
    Query,
    Step,
    stat,
    table,
    timeline,
    timeseries,
)
from dashboards.promql import series, worst

LEDGER = 'ledger=~"$ledger"'
EACH = "network, ledger"
NAMED = "{{network}} {{ledger}}"
RLC = "suffix:RLC"
RUNNING = (Step(0, "text", "at rest"), Step(1, "blue", "running"))
BANDS = (
    *("0", "1", "2", "3-4", "5-8", "9-16", "17-32", "33-64", "65-128"),
    *("129-256", "257-512", "513-1024", ">1024"),
)
"""Of scores, the lowest first: names alone would be sorted by their letters."""
ROLES = (("worker", "workers"), ("scheduler", "schedulers"))
PICKED = Variable(
    "ledger",
    "Ledger",
    promql.values(
        "ledger",
        "headwatch_ledger_running",
        *(f'{each.name}=~"${each.name}"' for each in SHARED),
    ),
    ".*",
)


def _of_ledger(name: str, *matchers: str) -> str:
    return series(name, LEDGER, *matchers)


def _each(name: str) -> str:
    return worst(EACH, _of_ledger(name))


def _sum(name: str, by: str = "", *matchers: str) -> str:
    """Of the chosen ledgers together, each counted once, however many headwatches keep it."""
    labels = f"{EACH}, {by}" if by else EACH
    once = worst(labels, _of_ledger(name, *matchers))
    return f"sum by ({by}) ({once})" if by else f"sum({once})"


LEVEL = _each("headwatch_ledger_finding_level")
AGE = f"time() - {_each('headwatch_ledger_reconciled_timestamp_seconds')}"
TOOK = _each("headwatch_ledger_reconcile_duration_seconds")
BLOCK = _each("headwatch_ledger_block_number")
HEAD = worst("network", series("headwatch_quorum_head_number"))
APART = f"{HEAD} - on (network) group_right () {BLOCK}"
DIFFERENCES = "headwatch_ledger_differences"
PAID, SLASHED = "headwatch_ledger_paid_rlc", "headwatch_ledger_slashed_rlc"
KITTY = "headwatch_ledger_kitty_rlc"
CONTRIBUTIONS, ORDERS = "headwatch_ledger_contributions", "headwatch_ledger_work_orders"
ACCURATE = _sum(CONTRIBUTIONS, "", 'outcome="accurate"')
JUDGED = _sum(CONTRIBUTIONS, "outcome", 'outcome=~"accurate|faulty"')

NOW = (
    stat(
        "Worst finding",
        "The worst level that is found of the chosen ledgers.",
        Query(f"max({LEVEL})", "worst"),
        steps=LEVELS,
        filled=True,
        missing="not judged",
    ),
    stat(
        "Differences",
        "Places in which the chosen ledgers are not what their rules say, when they were last "
        "compared whole.",
        Query(f"sum({worst(f'{EACH}, kind', _of_ledger(DIFFERENCES))})", "differences"),
        steps=ANY_IS_BAD,
        missing="never compared",
    ),
    stat(
        "Last compared",
        "Since the ledger whose turn was longest ago was compared whole.",
        Query(f"max({AGE})", "longest ago"),
        unit="s",
        steps=(Step(0, "green"), Step(1800, "orange"), Step(3600, "red")),
        missing="never",
    ),
    stat(
        "Paid",
        "RLC paid to workers and schedulers since the first block.",
        Query(_sum(PAID), "paid"),
        unit=RLC,
    ),
    stat(
        "Slashed",
        "RLC of stakes that workers and schedulers lost.",
        Query(f"sum({worst(f'{EACH}, role', _of_ledger(SLASHED))})", "slashed"),
        unit=RLC,
    ),
    stat(
        "Kitty",
        "RLC of schedulers' lost stakes that the contract holds for later work orders.",
        Query(_sum(KITTY), "kitty"),
        unit=RLC,
    ),
    stat(
        "Right contributions",
        "Of the contributions to completed work orders, the share that was accurate.",
        Query(f"{ACCURATE} / sum({JUDGED})", "right"),
        unit="percentunit",
        missing="none yet",
    ),
)
LEVELS_OVER_TIME = timeline(
    "Findings",
    "The level of each ledger over time. Unknown: a node could not show what was needed, and "
    "nothing is said of the ledger.",
    Query(LEVEL, NAMED),
)
LEDGERS = table(
    "Ledgers now",
    "One row a ledger, the worst first. The report, with every difference, is at /api/v1/ledger.",
    Column("Network", "network"),
    Column("Ledger", "ledger"),
    Column("Level", LEVEL, steps=LEVELS),
    Column("Differences", f"sum by ({EACH}) ({worst(f'{EACH}, kind', _of_ledger(DIFFERENCES))})"),
    Column("Compared ago", AGE, unit="s"),
    Column("Block", BLOCK),
    Column("Events", _each("headwatch_ledger_events")),
    Column("Accounts", _each("headwatch_ledger_accounts")),
    Column("Paid", _each(PAID), unit=RLC),
    Column("Kitty", _each(KITTY), unit=RLC),
    sort_by="Level",
    hidden=_each("headwatch_ledger_running"),
)
DIFFERENCES_BY_KIND = timeseries(
    "Differences by kind",
    "Of the last whole comparison: stake, locked, effect and invariant are money; score, weight, "
    "contribution_score and status decide over later rewards.",
    Query(_sum(DIFFERENCES, "kind"), "{{kind}}"),
    unit="none",
    stacked=True,
    stepped=True,
)
COMPARED_AGO = timeseries(
    "Since the last whole comparison",
    "It saws between zero and the time in which blocks become final. A climb is a ledger that "
    "cannot be seen, or is not tried.",
    Query(AGE, NAMED),
    unit="s",
)
DURATION = timeseries(
    "Time of a reconciliation",
    "How long the last one took, whether it saw everything or not. The first fetches all events; "
    "afterwards a ledger rests four times as long as it took.",
    Query(TOOK, NAMED),
    unit="s",
    stepped=True,
)
HEIGHTS = timeseries(
    "Block compared, and the network's head",
    "The block at which each ledger was last compared whole, and the highest one on which the "
    "references agree.",
    Query(HEAD, "head {{network}}"),
    Query(BLOCK, NAMED),
    unit="none",
    soft_min=None,
    stepped=True,
)
BEHIND = timeseries(
    "Blocks below the head",
    "How far the compared block is below the network's head: what finality takes, and what a "
    "reconciliation takes.",
    Query(APART, NAMED),
    unit=BLOCKS,
    stepped=True,
)
RUNNING_OVER_TIME = timeline(
    "Reconciling",
    "When each ledger was being reconciled, as far as a scrape saw it.",
    Query(_each("headwatch_ledger_running"), NAMED),
    steps=RUNNING,
)
PAID_OVER_TIME = timeseries(
    "RLC paid",
    "To workers and schedulers out of completed work orders, since the first block.",
    Query(_each(PAID), NAMED),
    unit=RLC,
    stepped=True,
)
SLASHED_BY_ROLE = timeseries(
    "RLC slashed, by role",
    "Stakes of workers that were wrong or silent, and of schedulers whose work orders were "
    "claimed, since the first block.",
    *(Query(_sum(SLASHED, "role", f'role="{role}"'), word) for role, word in ROLES),
    unit=RLC,
    stacked=True,
    stepped=True,
)
KITTY_OVER_TIME = timeseries(
    "Kitty",
    "What the contract holds of schedulers' stakes; each completed work order draws from it.",
    Query(_each(KITTY), NAMED),
    unit=RLC,
    stepped=True,
)
WORK_ORDERS = timeseries(
    "Work orders by status",
    "Active and revealing ones are under way; a claimed one paid nobody.",
    Query(_sum(ORDERS, "status"), "{{status}}"),
    unit="none",
    stacked=True,
    stepped=True,
)
CONTRIBUTED = timeseries(
    "Contributions, right and wrong",
    "Accurate and faulty ones of completed work orders, returned ones of claimed work orders, and "
    "those that are open.",
    Query(_sum(CONTRIBUTIONS, "outcome"), "{{outcome}}"),
    unit="none",
    stacked=True,
    stepped=True,
)
SCORES = timeseries(
    "Workers by score",
    "How many workers have a score in each band; within a band all weigh the same, and each band "
    "one more than the one before, from 2 on.",
    *(Query(_sum("headwatch_ledger_workers", "score", f'score="{band}"'), band) for band in BANDS),
    unit="none",
    stacked=True,
    stepped=True,
)
EVENTS = timeseries(
    "Events",
    "Events of the contracts that each ledger was computed from.",
    Query(_each("headwatch_ledger_events"), NAMED),
    unit="none",
    stepped=True,
)
PARTIES = timeseries(
    "Accounts",
    "Accounts that ever had a stake.",
    Query(_each("headwatch_ledger_accounts"), NAMED),
    unit="none",
    stepped=True,
)

BOARD = Board(
    name="ledger",
    title="headwatch / Ledger",
    description="Reconciled ledgers: differences, freshness, what was paid, slashed and scored.",
    variables=(PICKED,),
    sections=(
        Section(
            "",
            (
                Line(4, NOW, (4, 3, 4, 3, 3, 3, 4)),
                Line(6, (LEVELS_OVER_TIME,)),
                Line(7, (LEDGERS,)),
                Line(8, (DIFFERENCES_BY_KIND,)),
            ),
        ),
        Section(
            "Freshness",
            (
                Line(8, (COMPARED_AGO, DURATION)),
                Line(8, (HEIGHTS, BEHIND)),
                Line(5, (RUNNING_OVER_TIME,)),
            ),
        ),
        Section("Money", (Line(8, (PAID_OVER_TIME, SLASHED_BY_ROLE, KITTY_OVER_TIME)),)),
        Section(
            "Work",
            (Line(8, (WORK_ORDERS, CONTRIBUTED)), Line(9, (SCORES,)), Line(7, (EVENTS, PARTIES))),
        ),
    ),
)
