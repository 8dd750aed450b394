"""The logs of one ledger on disk: bytes in, the same bytes out, whenever the power goes.

    FOLDER/state.sqlite     the newest blocks, page by page; facts; the snapshot (`tail.py`)
    FOLDER/events/*.parquet sealed files of 100,000 logs and more, by block range (`files.py`)
    FOLDER/manifest.json    the sealed files: ranges, counts, sha256 (`manifest.py`)
    FOLDER/store.lock       who writes (`monitor/lock.py`)

`Store` is the front, and `store.py` says what makes the parts agree after a kill at any point. What
is damaged, missing, of another ledger or of a newer version is refused with one line that names the
file; nothing is repaired by guesswork, since all of it can be fetched again.
"""

from __future__ import annotations

from monitor.ledger.store.store import Store
from monitor.ledger.store.words import Identity, Mark, Snapshot

__all__ = ("Identity", "Mark", "Snapshot", "Store")
