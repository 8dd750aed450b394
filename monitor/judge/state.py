"""state: does the node know what everybody has at a block that everybody has?

The root of the state stands in the block's header, and with that in its hash: an account's proof
(EIP-1186) under that root is right whoever sends it, and what else the node says of the account
must be the same. So a wrong value is shown by the node's own words. Where a node proves nothing,
its values are compared with the references', whose majority has the last word in any case: chains
whose state lies in another tree are no fault of a node.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from monitor.judge.answer import Answer, agreed, unseen
from monitor.judge.offer import Offer
from monitor.judge.profiles import Policy
from monitor.judge.quorum import Round
from monitor.model import (
    Address,
    BlockStamp,
    Evidence,
    Finding,
    Level,
    Observation,
    Unseen,
    short,
    subject_of,
)

CHECK = "state"
BALANCE_METHOD = "eth_getBalance"
NONCE_METHOD = "eth_getTransactionCount"
PROOF_METHOD = "eth_getProof"
CALL_METHOD = "eth_call"
EVIDENCE_MAX = 5

What = Literal["balance", "nonce", "code hash", "storage root", "state root"]
HASHES: tuple[What, ...] = ("code hash", "storage root", "state root")


@dataclass(frozen=True, slots=True)
class Reading:
    """One value in the node's words, and what it is held against."""

    account: Address
    method: str
    what: What
    said: int
    """Wei, a count, or a hash as a number. A state root: of a proof that proves nothing under the
    header's, where it begins, or 0. The chain may keep its state in another tree, so that only
    a majority that proves something tells the node's fault from the chain's way."""
    proven: int | None = None
    """By the account's proof under the root in the header; None where there is no proof."""
    answers: tuple[Answer[int], ...] = ()
    """Of the references; none where the value is what was proven."""

    @property
    def is_proven(self) -> bool:
        """Whether nobody else need be asked."""
        return self.said == self.proven


@dataclass(frozen=True, slots=True)
class StateSeen:
    """What a node says of a few accounts, after one block."""

    stamp: BlockStamp
    readings: tuple[Reading, ...]


OFFERS: tuple[Offer[StateSeen], ...] = (
    Offer(
        "state.differences_count",
        "differences",
        "Values of accounts that differ, at a block that all have",
    ),
)


def judge(
    history: Sequence[Observation[StateSeen]], context: Round, policy: Policy, now: float
) -> tuple[Finding, ...]:
    """One finding; measured is the number of values that differ.

    FAILED: a value is neither what a majority of the references says nor, where they say nothing
    together, what is proven. DEGRADED: the same with only one reference. UNKNOWN: a value that is
    not proven, and of which no majority says anything.
    """
    del policy, now
    if not history:
        return ()
    newest = history[-1]
    seen = newest.seen
    if isinstance(seen, Unseen):
        return (unseen(CHECK, newest, context, PROOF_METHOD),)
    blank = Finding(
        check=CHECK,
        subject=subject_of(newest.node),
        network=context.network,
        level=Level.OK,
        reason="same_state",
        summary=f"{len(seen.readings)} values after block {seen.stamp.number}, as they should be",
        measured=0.0,
        limit=1.0,
        unit="differences",
        as_of=seen.stamp,
    )
    held = [(reading, _expected(reading, context.need)) for reading in seen.readings]
    wrong = [
        (reading, expected)
        for reading, expected in held
        if expected is not None and expected != reading.said
    ]
    if wrong:
        evidence = tuple(
            _evidence(newest, seen, reading, expected) for reading, expected in wrong[:EVIDENCE_MAX]
        )
        return (
            replace(
                blank,
                level=Level.DEGRADED if context.operators == 1 else Level.FAILED,
                reason="state_differs",
                summary=f"after block {seen.stamp.number}, {evidence[0].said}",
                measured=float(len(wrong)),
                evidence=evidence,
            ),
        )
    unknown = [
        reading for reading, expected in held if expected is None and reading.what != "state root"
    ]
    if unknown:
        summary = (
            f"no proof and no majority says what {len(unknown)} values after block "
            f"{seen.stamp.number} should be"
        )
        return (
            replace(blank, level=Level.UNKNOWN, reason="no_quorum", summary=summary, measured=None),
        )
    return (blank,)


def _expected(reading: Reading, need: int) -> int | None:
    """What it should be: by majority, else by proof; None where neither says anything."""
    theirs = agreed(reading.answers, need)
    return reading.proven if theirs is None else theirs


def _evidence(
    newest: Observation[StateSeen], seen: StateSeen, reading: Reading, expected: int
) -> Evidence:
    same = sorted({one.operator for one in reading.answers if one.seen == expected})
    by = [*(["its proof"] if reading.proven == expected else []), *same]
    said = (
        f"the {reading.what} of {short(reading.account)} is {_shown(reading, reading.said)} by "
        f"{reading.method}, and {_shown(reading, expected)} by {', '.join(by)}"
    )
    return Evidence(newest.node, reading.method, said, newest.at, seen.stamp)


def _shown(reading: Reading, value: int) -> str:
    if reading.what in HASHES:
        return short(f"0x{value:064x}")
    return f"{value} wei" if reading.what == "balance" else str(value)
