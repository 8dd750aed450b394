"""What a ledger's last reconciliation came to, on disk: for a gate, which was not there.

Only as good as it is fresh: one that is older than `MAX_AGE_SECONDS` says nothing of now, and the
answer is UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from monitor.config.ledgers import Ledger
from monitor.ledger.configured import LEDGERS
from monitor.ledger.job import Outcome
from monitor.ledger.plain import PlainError, dump, load
from monitor.ledger.store.disk import write_whole
from monitor.ledger.telling import finding_of, unknown
from monitor.model import Address, Finding

NAME = "last.json"
MAX_AGE_SECONDS = 1800.0
"""A chain makes a block final every few minutes at most, and each is reconciled."""
BYTES_MAX = 16 * 2**20
DIFFERENCES = "ledger.differences.count"
"""The path by which rules name how many differences a ledger has."""


@dataclass(frozen=True, slots=True)
class Last:
    """An outcome, and when it was there."""

    at: float
    contract: Address
    """Of which ledger it is: another may have its name by now."""
    outcome: Outcome


def put_last(folder: Path, last: Last) -> None:
    """Write down what was found, whole or not at all. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / NAME, dump(Last, last))


def last_of(folder: Path) -> Last | None:
    """What was written down last; None where nothing was. Raises OSError and PlainError."""
    path = folder / NAME
    try:
        with path.open("rb") as file:
            raw = file.read(BYTES_MAX + 1)
    except FileNotFoundError:
        return None
    if len(raw) > BYTES_MAX:
        message = f"more than {BYTES_MAX} bytes"
        raise PlainError(message)
    return load(Last, raw)


def findings(
    directory: Path,
    ledgers: Iterable[Ledger],
    now: float,
    max_age_seconds: float = MAX_AGE_SECONDS,
) -> tuple[Finding, ...]:
    """One finding a ledger, from what is below the data directory alone."""
    return tuple(_finding(directory, ledger, now, max_age_seconds) for ledger in ledgers)


def measures(
    directory: Path, ledgers: Iterable[Ledger], now: float, max_age_seconds: float = MAX_AGE_SECONDS
) -> Mapping[str, float | None]:
    """`ledger.differences.count`, of all ledgers together: what rules may be written about.

    None where one of them was not compared whole, or too long ago.
    """
    found = findings(directory, ledgers, now, max_age_seconds)
    counts = [one.measured for one in found]
    if not counts or any(count is None for count in counts):
        return {DIFFERENCES: None}
    return {DIFFERENCES: sum(count for count in counts if count is not None)}


def _finding(directory: Path, ledger: Ledger, now: float, max_age_seconds: float) -> Finding:
    network = ledger.network or ""
    path = directory / LEDGERS / ledger.name
    try:
        last = last_of(path)
    except (OSError, PlainError) as error:
        detail = f"{path / NAME} cannot be read: {getattr(error, 'strerror', None) or error}"
        return unknown(ledger.name, network, "no_outcome", detail, now)
    if last is not None and last.contract != ledger.address:
        detail = f"the last outcome is of {last.contract}: is the sidecar running?"
        return unknown(ledger.name, network, "stale_outcome", detail, now)
    # Later than now is no proof of freshness: the clock was set back.
    if last is None or abs(now - last.at) > max_age_seconds:
        age = "never" if last is None else f"{now - last.at:.0f} s ago"
        detail = f"it was last reconciled {age}: is the sidecar running?"
        return unknown(ledger.name, network, "stale_outcome", detail, now)
    return finding_of(ledger.name, network, last.outcome, last.at)
