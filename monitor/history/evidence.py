"""Evidence as it is stored: JSON of a bounded size, and back. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence

from monitor.history.record import Edge
from monitor.model import Action, BlockNumber, BlockStamp, Evidence, Hash32, Level

SUMMARY_CHARACTERS_MAX = 500
WORD_CHARACTERS_MAX = 100
SAID_CHARACTERS_MAX = 300
EVIDENCE_COUNT_MAX = 6
"""With every text at its longest, that is about 4 kB."""


def edge_of(action: Action, *, silenced: bool) -> Edge:
    """What is remembered of an action."""
    finding = action.finding
    return Edge(
        at=action.at,
        kind=action.kind,
        key=action.key,
        network=finding.network,
        level=finding.level,
        before=action.before,
        reason=cut(finding.reason, WORD_CHARACTERS_MAX),
        summary=cut(finding.summary, SUMMARY_CHARACTERS_MAX),
        because=finding.because,
        evidence=written(finding.evidence),
        silenced=silenced,
    )


def cut(text: str, most: int) -> str:
    """At most so many characters, and without what no file could hold (lone surrogates)."""
    text = text if len(text) <= most else text[: most - 1] + "…"
    return text.encode(errors="replace").decode()


def written(evidence: Sequence[Evidence]) -> str:
    """The first few, cut; empty where there is none."""
    rows = [
        (
            cut(each.source, WORD_CHARACTERS_MAX),
            cut(each.method, WORD_CHARACTERS_MAX),
            cut(each.said, SAID_CHARACTERS_MAX),
            each.at,
            None
            if each.block is None
            else (each.block.number, each.block.hash, each.block.timestamp),
            None if each.threshold is None else cut(each.threshold, SAID_CHARACTERS_MAX),
            each.p_value,
        )
        for each in evidence[:EVIDENCE_COUNT_MAX]
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


def level_of(word: str) -> Level:
    """A level by the word it is stored under."""
    return Level[word.upper()]
