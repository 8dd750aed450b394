"""Up to which block the references call the network final. Pure."""

from __future__ import annotations

from monitor.judge.quorum import Round
from monitor.model import Head

CONFIRMATIONS = 64
"""From which depth a block counts as final on a chain without the `finalized` tag."""


def final_number(round_: Round, head: Head | None) -> int | None:
    """The height up to which a majority of the operators calls blocks final.

    Where a majority says that there is no such tag, `CONFIRMATIONS` below the agreed head. None
    where neither is known.
    """
    said: dict[str, int] = {}
    without: set[str] = set()
    told = [(one.operator, one.seen.finalized) for one in round_.admitted if one.seen is not None]
    for operator, finalized in told:
        if isinstance(finalized, Head):
            said[operator] = min(finalized.number, said.get(operator, finalized.number))
        elif finalized is None:
            without.add(operator)
    ordered = sorted(said.values(), reverse=True)
    if len(ordered) >= round_.need:
        return ordered[round_.need - 1]
    if head is not None and len(without) >= round_.need:
        return max(0, head.number - CONFIRMATIONS)
    return None
