"""What a library must not do to the process that loads it."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
from monitor.transactions.signers.library import load_account
before = sys.getrecursionlimit()
account = load_account()
print(account.__name__, before == sys.getrecursionlimit(), "py_ecc" in sys.modules)
"""


def test_load_account_leaves_the_limit_of_recursion_as_it_was() -> None:
    """A raised limit would turn a node's deeply nested answer into a crash of the process."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["Account", "True", "True"], done.stderr
