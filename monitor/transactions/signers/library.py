"""eth_account, without what its import does to the whole process."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eth_account import Account


def load_account() -> type[Account]:
    """`eth_account.Account`. It takes half a second, and is loaded by the first who signs.

    One of its dependencies (py_ecc) raises the limit of recursion to 100,000 when it is imported.
    With that, deeply nested JSON of a node would overflow the stack of the whole process, instead
    of being refused; so the limit is put back.
    """
    limit = sys.getrecursionlimit()
    try:
        from eth_account import Account
    finally:
        sys.setrecursionlimit(limit)
    return Account
