"""One place where the ledger on the chain is not what its rules say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from monitor.model import Address, Hash32

Kind = Literal[
    "score",
    "stake",
    "locked",
    "weight",
    "contribution_score",
    "status",
    "effect",
    "invariant",
]


@dataclass(frozen=True, slots=True)
class Difference:
    """Two or three values that should be one; None where there is no such value."""

    kind: Kind
    why: str
    """One sentence for a person, with both values."""
    account: Address | None = None
    task: Address | None = None
    """The work order, or the task."""
    predicted: int | str | None = None
    """By the rules, from the events that drive them."""
    logged: int | str | None = None
    """By the effects that the contracts emitted."""
    stored: int | str | None = None
    """By the contracts' getters at the pinned block."""
    delta: int | None = None
    """What was found minus what was predicted, of amounts, scores and weights."""
    block: int | None = None
    transaction: Hash32 | None = None
    log_index: int | None = None
