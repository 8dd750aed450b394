"""logs: does the node tell what happened in a block that everybody has?

A node on the right head may still tell wrong logs: its index is another database than its chain
(erigontech/erigon 19404, 22106). The receipts it tells come to a root that the block's header
holds, and with that its hash, so that one right hash is enough to judge them by; the logs must be
those of the receipts. Only what does not prove itself so is compared with the references, whose
majority has the last word: chains whose receipts have rules of their own are no fault of a node.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from monitor.judge.answer import Answer, agreed, parts_of, unseen
from monitor.judge.offer import Offer
from monitor.judge.profiles import Policy
from monitor.judge.quorum import Round
from monitor.model import (
    BlockStamp,
    Evidence,
    Finding,
    Hash32,
    Level,
    Observation,
    Unseen,
    short,
    subject_of,
)

CHECK = "logs"
LOGS_METHOD = "eth_getLogs"
RECEIPTS_METHOD = "eth_getBlockReceipts"


@dataclass(frozen=True, slots=True)
class LogsSaid:
    """The logs of a block in one node's words (`eth_getLogs` by hash)."""

    count: int
    digest: str
    """Of address, topics, data, index and transaction of each, in order."""
    bloom: str
    """Of them all, to be held against the header's."""


@dataclass(frozen=True, slots=True)
class ReceiptsSaid:
    """The receipts of a block in one node's words (`eth_getBlockReceipts`)."""

    count: int
    root: str | None
    """That they come to; None where the encoding of one of them is not known."""
    digest: str
    """Of outcome, gas, bloom and logs of each, in order."""
    logs_digest: str
    """As of `LogsSaid`, of the logs in them."""
    adds_up: bool
    """The gas of each is the difference of the sums, which the root does not say."""


@dataclass(frozen=True, slots=True)
class LogsSeen:
    """What a node tells of one block, and what it is held against."""

    stamp: BlockStamp
    logs: LogsSaid
    receipts: ReceiptsSaid | None
    """None: it does not have the method."""
    receipts_root: Hash32 | None
    """In the header, as the references have it; None where they do not agree."""
    logs_bloom: str | None
    log_answers: tuple[Answer[LogsSaid], ...] = ()
    """Of the references; none where the logs prove themselves."""
    receipt_answers: tuple[Answer[ReceiptsSaid], ...] = ()

    @property
    def has_right_receipts(self) -> bool:
        """The receipts come to the header's root."""
        said = self.receipts
        return (
            said is not None
            and said.root is not None
            and said.root == self.receipts_root
            and said.adds_up
        )

    @property
    def has_right_logs(self) -> bool:
        """The logs are those of receipts that are right."""
        said = self.receipts
        return self.has_right_receipts and said is not None and self.logs.digest == said.logs_digest


@dataclass(frozen=True, slots=True)
class _Part:
    """What came of one of the two comparisons."""

    level: Level
    reason: str
    summary: str
    evidence: Evidence


OFFERS: tuple[Offer[LogsSeen], ...] = (
    Offer(
        "logs.differences_count",
        "differences",
        "Whether its logs and its receipts differ, at a block that all have: 0 to 2",
    ),
)


def judge(
    history: Sequence[Observation[LogsSeen]], context: Round, policy: Policy, now: float
) -> tuple[Finding, ...]:
    """One finding; measured is how many of logs and receipts differ.

    FAILED: they are not what a majority of the references tells. DEGRADED: they are not what the
    header says, and no majority tells anything; or there is only one reference. UNKNOWN: neither
    header nor majority says what they should be.
    """
    del policy, now
    if not history:
        return ()
    newest = history[-1]
    seen = newest.seen
    if isinstance(seen, Unseen):
        return (unseen(CHECK, newest, context, LOGS_METHOD),)
    parts = (_receipts_part(newest, seen, context.need), _logs_part(newest, seen, context.need))
    wrong = [part for part in parts if part is not None]
    blank = Finding(
        check=CHECK,
        subject=subject_of(newest.node),
        network=context.network,
        level=Level.OK,
        reason="same_logs",
        summary=f"{seen.logs.count} logs at block {seen.stamp.number}, as they should be",
        unit="differences",
        as_of=seen.stamp,
    )
    if not wrong:
        return (replace(blank, measured=0.0, limit=1.0),)
    worst = max(wrong, key=lambda part: part.level)
    level = min(worst.level, Level.DEGRADED) if context.operators == 1 else worst.level
    differing = sum(part.level != Level.UNKNOWN for part in wrong)
    return (
        replace(
            blank,
            level=level,
            reason=worst.reason,
            summary=worst.summary,
            measured=float(differing) if differing else None,
            limit=1.0,
            evidence=tuple(part.evidence for part in wrong),
        ),
    )


def _receipts_part(newest: Observation[LogsSeen], seen: LogsSeen, need: int) -> _Part | None:
    """What is wrong with the receipts; None where nothing is, or none are told."""
    said = seen.receipts
    if said is None or seen.has_right_receipts:
        return None
    theirs = agreed(parts_of(seen.receipt_answers, lambda one: one.digest), need)
    if theirs == said.digest:
        return None
    is_other_root = None not in {said.root, seen.receipts_root} and said.root != seen.receipts_root
    what = f"the {said.count} receipts of block {seen.stamp.number}"
    if is_other_root:
        words = (
            f"{what} come to the root {short(said.root or '')}, its header says "
            f"{short(seen.receipts_root or '')}"
        )
    else:
        words = f"{what} come to {short(said.digest)}, not to {short(theirs or '')}"
    if theirs is None and not is_other_root:
        words = f"nobody says what {what} should be"
    return _part(newest, seen, "receipts_root_differs", words, (theirs, is_other_root))


def _logs_part(newest: Observation[LogsSeen], seen: LogsSeen, need: int) -> _Part | None:
    """What is wrong with the logs; None where nothing is."""
    if seen.has_right_logs:
        return None
    theirs = agreed(seen.log_answers, need)
    digest = None if theirs is None else theirs.digest
    if digest == seen.logs.digest:
        return None
    said = seen.receipts
    if seen.has_right_receipts and said is not None:
        is_other, whose = True, "those of its receipts, which come to the header's root"
    else:
        is_other = seen.logs_bloom is not None and seen.logs_bloom != seen.logs.bloom
        whose = "those that the bloom of its header says"
        if theirs is None and seen.logs_bloom is not None and not is_other:
            return None
    what = f"the {seen.logs.count} logs of block {seen.stamp.number}"
    words = f"{what} are not {whose}" if is_other else f"nobody says what {what} should be"
    if theirs is not None:
        words = (
            f"{what} are not the {theirs.count} of the references "
            f"({short(seen.logs.digest)}, theirs {short(theirs.digest)})"
        )
    return _part(newest, seen, "logs_differ", words, (digest, is_other))


def _part(
    newest: Observation[LogsSeen],
    seen: LogsSeen,
    reason: str,
    words: str,
    against: tuple[str | None, bool],
) -> _Part:
    """A difference; `against` is what the majority tells, and whether the header says otherwise."""
    theirs, is_other = against
    is_of_logs = reason == "logs_differ"
    alone = Level.DEGRADED if is_other else Level.UNKNOWN
    level = alone if theirs is None else Level.FAILED
    answers: tuple[Answer[str], ...] = (
        parts_of(seen.log_answers, lambda one: one.digest)
        if is_of_logs
        else parts_of(seen.receipt_answers, lambda one: one.digest)
    )
    same = sorted({one.operator for one in answers if one.seen == theirs})
    by = f"; so say {', '.join(same)}" if theirs is not None else ""
    method = LOGS_METHOD if is_of_logs else RECEIPTS_METHOD
    evidence = Evidence(newest.node, method, words + by, newest.at, seen.stamp)
    return _Part(level, "no_quorum" if level == Level.UNKNOWN else reason, words, evidence)
