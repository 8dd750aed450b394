"""Evidence as it is stored: JSON of a bounded size, and back. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence

from monitor.model import BlockNumber, BlockStamp, Evidence, Hash32

WORD_CHARACTERS_MAX = 100
"""Of what a source or a method is called."""


def cut(text: str, most: int) -> str:
    """At most so many characters, and without what no file could hold (lone surrogates)."""
    text = text if len(text) <= most else text[: most - 1] + "…"
    return text.encode(errors="replace").decode()


def written(evidence: Sequence[Evidence], *, count_max: int, characters_max: int) -> str:
    """The first few as JSON, cut; empty where there is none.

    `characters_max` is of what was said, and of its limit.
    """
    rows = [
        (
            cut(each.source, WORD_CHARACTERS_MAX),
            cut(each.method, WORD_CHARACTERS_MAX),
            cut(each.said, characters_max),
            each.at,
            None
            if each.block is None
            else (each.block.number, each.block.hash, each.block.timestamp),
            None if each.threshold is None else cut(each.threshold, characters_max),
            each.p_value,
        )
        for each in evidence[:count_max]
    ]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":")) if rows else ""


def read(text: str) -> tuple[Evidence, ...]:
    """What `written` wrote."""
    return tuple(
        Evidence(
            source=source,
            method=method,
            said=said,
            at=at,
            block=None
            if block is None
            else BlockStamp(BlockNumber(block[0]), Hash32(block[1]), block[2]),
            threshold=threshold,
            p_value=p_value,
        )
        for source, method, said, at, block, threshold, p_value in json.loads(text or "[]")
    )
