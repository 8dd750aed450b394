"""Every way in which the ledger can end without a verdict.

    LedgerError             what a command of the ledger may raise; `str()` is one line for a person
    ├── CouldNotSee         a node did not show what was needed: inconclusive, never a difference
    ├── NotAHub             the address is no contract of this protocol: the operator's to correct
    └── BrokenStore         the store on disk cannot be used as it is, or belongs to another ledger

The texts never hold a URL: whatever a node or a library said was scrubbed by `rpc/node`.
"""

from __future__ import annotations


class LedgerError(Exception):
    """The ledger could not be told; `str()` is one line for a person."""


class CouldNotSee(LedgerError):
    """A node did not show what was needed, so that nothing can be said: inconclusive."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        """A slug, such as "timeout", "pruned", "bad_logs"."""
        self.detail = detail
        """One line: what could not be seen, where, and in which words it was refused."""


class NotAHub(LedgerError):
    """The address is no contract of this protocol: no code, or answers which none of it gives."""


class BrokenStore(LedgerError):
    """The store on disk is damaged, held by another writer, of another ledger, or cannot grow."""
