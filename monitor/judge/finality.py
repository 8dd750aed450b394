"""Up to which block the references call the network final. Pure."""

from __future__ import annotations

from monitor.judge.quorum import Round
from monitor.judge.seen import HeadSeen
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
    for witness in round_.admitted:
        seen = witness.seen
        if not isinstance(seen, HeadSeen):
            continue
        if isinstance(seen.finalized, Head):
            number = seen.finalized.number
            said[witness.operator] = min(number, said.get(witness.operator, number))
        elif seen.finalized is None:
            without.add(witness.operator)
    ordered = sorted(said.values(), reverse=True)
    if len(ordered) >= round_.need:
        return ordered[round_.need - 1]
    if head is not None and len(without) >= round_.need:
        return max(0, head.number - CONFIRMATIONS)
    return None
