"""Where two chains part: the heights to ask for, and the fields of the header that differ. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from monitor.canary.differences import Json, Mask, differences, unmasked

FAN_OUT = 8
"""Heights asked at once while searching."""
STEPS_MAX = 16
"""The first step leaves at most half of the chain, and each further one a ninth of it, so that
eleven find one block among a thousand millions; a chain that changes meanwhile must not go on."""
NOT_HEADER = frozenset(
    {"hash", "size", "totalDifficulty", "transactions", "uncles", "withdrawals", "parentHash"}
)
"""What a block object has beside its header, or what differs wherever anything does."""


@dataclass(frozen=True, slots=True)
class Range:
    """Both agree at `common` and differ at `differs`; the first difference lies above the one."""

    common: int
    """-1 where they differ in the genesis block already."""
    differs: int

    @property
    def is_found(self) -> bool:
        """Whether `differs` is the first block that does."""
        return self.differs - self.common <= 1


def first_heights(differs: int) -> tuple[int, ...]:
    """One, two, four, ... below a block that differs, and genesis: most forks are shallow."""
    heights = []
    distance = 1
    while differs - distance > 0:
        heights.append(differs - distance)
        distance *= 2
    return (*heights, 0) if differs > 0 else ()


def heights_between(search: Range) -> tuple[int, ...]:
    """Up to `FAN_OUT` heights that cut what is left into equal parts."""
    inside = search.differs - search.common - 1
    if inside <= FAN_OUT:
        return tuple(range(search.common + 1, search.differs))
    parts = range(1, FAN_OUT + 1)
    return tuple(search.common + (inside + 1) * part // (FAN_OUT + 1) for part in parts)


def narrowed(search: Range, a: Mapping[int, str], b: Mapping[int, str]) -> Range:
    """What is left once both have named hashes, by height; what only one has proves nothing.

    Blocks that are equal are equal below, so the highest that is equal and the lowest that is not
    are enough.
    """
    both = sorted(height for height in a if height in b)
    common = max((h for h in both if a[h] == b[h]), default=search.common)
    common = max(common, search.common)
    above = [h for h in both if a[h] != b[h] and h > common]
    return Range(common, min((*above, search.differs)))


def differing_fields(
    baseline: bytes, candidate: bytes, mask: Mask = unmasked
) -> tuple[tuple[str, str, str], ...]:
    """(field, baseline's, candidate's) of two block objects (execution-apis, `Block`).

    Of blocks with one parent: `parentHash` is left out, as is all that is not in the header. What
    cannot be read has no fields.
    """
    found = differences(_header(baseline), _header(candidate), mask=mask)
    return tuple((one.path, one.baseline.strip('"'), one.candidate.strip('"')) for one in found)


def _header(raw: bytes) -> dict[str, Json]:
    try:
        read: Json = json.loads(raw)
    except (ValueError, RecursionError):
        return {}  # Nested, or with numbers, beyond what can be read.
    fields = read if isinstance(read, dict) else {}
    return {key: value for key, value in fields.items() if key not in NOT_HEADER}
