"""What a reconciliation came to, as a finding: the one language of metrics, alerts, page and gate.

One finding a ledger, whose evidence is its differences, the first of each kind before others. Pure.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from monitor.ledger.words import counted
from monitor.model import Evidence, Finding, Level, ledger_subject

if TYPE_CHECKING:
    from monitor.ledger.job import Outcome
    from monitor.poco.difference import Difference

CHECK = "ledger"
EVIDENCE_MAX = 12
SCORE_TOPS = (0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
"""Scores up to each of these, and above the one before, weigh the same (`SafeMathOZ.log`)."""
MIXED = "differences"
"""The reason where differences are of several kinds; else it is their kind."""


def finding_of(name: str, network: str, outcome: Outcome, at: float) -> Finding:
    """The ledger's finding: OK, FAILED where anything differs, UNKNOWN where it was not seen.

    `at` is when the outcome was there.
    """
    if outcome.verdict == "inconclusive":
        return unknown(name, network, outcome.reason or "unseen", outcome.detail, at)
    kinds = outcome.differences_by_kind
    evidence = tuple(_evidence(one, at) for one in foremost(outcome.differences)[:EVIDENCE_MAX])
    if outcome.verdict == "pass":
        said = f"{counted(outcome.events, 'event')}, recomputed and compared: no difference"
        evidence = (Evidence("contracts", "reconcile", said, at, outcome.block),)
    return Finding(
        check=CHECK,
        subject=ledger_subject(name),
        network=network,
        level=Level.OK if outcome.verdict == "pass" else Level.FAILED,
        reason="equal" if outcome.verdict == "pass" else _reason(kinds),
        summary=_summary(outcome),
        measured=float(outcome.differences_count),
        limit=0.0,
        unit="differences",
        as_of=outcome.block,
        evidence=evidence,
    )


def unknown(name: str, network: str, reason: str, detail: str, at: float) -> Finding:
    """The finding of a ledger that could not be compared."""
    return Finding(
        check=CHECK,
        subject=ledger_subject(name),
        network=network,
        level=Level.UNKNOWN,
        reason=reason,
        summary=detail,
        evidence=(Evidence("headwatch", "reconcile", detail, at),),
    )


def foremost(differences: Sequence[Difference]) -> list[Difference]:
    """The first of each kind, then the others, each in its order."""
    first = {one.kind: index for index, one in reversed(list(enumerate(differences)))}
    heads = set(first.values())
    return [differences[index] for index in sorted(heads)] + [
        one for index, one in enumerate(differences) if index not in heads
    ]


def score_bands(scores: Sequence[int]) -> dict[str, int]:
    """How many of these ascending scores there are of each weight, by band: `0`, `1`, `2`, `3-4`.

    All bands, also empty ones, so that a series never ends.
    """
    counts: dict[str, int] = {}
    before, lowest = 0, 0
    for top in SCORE_TOPS:
        upto = bisect_right(scores, top)
        counts[str(top) if lowest == top else f"{lowest}-{top}"] = upto - before
        before, lowest = upto, top + 1
    counts[f">{SCORE_TOPS[-1]}"] = len(scores) - before
    return counts


def _reason(kinds: Iterable[str]) -> str:
    """The kind of all differences; where there are several, that there are."""
    named = sorted(kinds)
    return named[0] if len(named) == 1 else MIXED


def _summary(outcome: Outcome) -> str:
    number = "?" if outcome.block is None else outcome.block.number
    if outcome.verdict == "pass":
        return f"block {number}: what its rules say, to the last nRLC"
    of_kinds = ", ".join(
        f"{count} {kind.replace('_', ' ')}"
        for kind, count in sorted(outcome.differences_by_kind.items())
    )
    first = next((one.why for one in foremost(outcome.differences)), "")
    many = counted(outcome.differences_count, "difference")
    return f"block {number}: {many} ({of_kinds}); the first: {first}"


def _evidence(difference: Difference, at: float) -> Evidence:
    source = "events" if difference.stored is None else "contracts"
    return Evidence(source, difference.kind, difference.why, at)
