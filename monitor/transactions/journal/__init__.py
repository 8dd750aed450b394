"""The transaction watchdog's memory: the only one that outlives the process, in one SQLite file.

`Journal` is the front: everything told to it is on the disk when the call returns. Calls that wait
at the same moment share one transaction and one fsync (`writer`). `schema` holds the promises that
no code of ours can break, `opening` and `lock` decide who may write, `store`, `arrivals` and
`sends` are the statements, and `Reader` answers other processes. A journal that is damaged, newer
or another program's is refused with one line; nothing is set aside and nothing begun anew.
"""

from __future__ import annotations

from monitor.transactions.journal.journal import Journal
from monitor.transactions.journal.reads import Reader
from monitor.transactions.journal.record import (
    AmbiguousError,
    Arrival,
    Beat,
    Change,
    Count,
    Inclusion,
    Intent,
    JournalDamagedError,
    JournalError,
    JournalFencedError,
    JournalFullError,
    JournalHeldError,
    Listed,
    Note,
    Outcome,
    OverBudgetError,
    Reservation,
    Sighting,
    SlotClosedError,
)
from monitor.transactions.plan import Past

JOURNAL_NAME = "journal.sqlite"
"""In the data directory."""
BROKEN_JOURNAL = (
    JournalDamagedError,
    JournalFencedError,
    JournalFullError,
    JournalHeldError,
)
"""What says of the journal that it is no good now; other errors are of one thing it was told."""

__all__ = (
    "BROKEN_JOURNAL",
    "JOURNAL_NAME",
    "AmbiguousError",
    "Arrival",
    "Beat",
    "Change",
    "Count",
    "Inclusion",
    "Intent",
    "Journal",
    "JournalDamagedError",
    "JournalError",
    "JournalFencedError",
    "JournalFullError",
    "JournalHeldError",
    "Listed",
    "Note",
    "Outcome",
    "OverBudgetError",
    "Past",
    "Reader",
    "Reservation",
    "Sighting",
    "SlotClosedError",
)
