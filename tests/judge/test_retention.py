"""How far back a node answers, against what the chain may take back and what it was."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from monitor.judge.retention import (
    OFFERS,
    STATES_MIN,
    Kept,
    Resource,
    RetentionSeen,
    judge,
)
from monitor.model import Finding, Level, Observation, Unseen
from tests.judge.builders import NOW, POLICY, TIMEOUT, agreeing, round_of

CONTEXT = round_of(*agreeing())
HEAD = 10_000
FINAL = HEAD - 80


def kept(
    resource: Resource, blocks: int | None, *, head: int = HEAD, final: int | None = FINAL
) -> RetentionSeen:
    """Of one resource so many blocks; None: it is served for none."""
    oldest = None if blocks is None else head - blocks
    return RetentionSeen(head, final, (Kept(resource, oldest),), is_declared=True)


def judged(*seen: RetentionSeen | Unseen) -> Finding:
    history: Sequence[Observation[RetentionSeen]] = [
        Observation("local", "retention", NOW, 0.1, one) for one in seen
    ]
    (finding,) = judge(history, CONTEXT, POLICY, NOW)
    return finding


def test_retention_without_history_gives_no_finding() -> None:
    """Nobody asked, nobody judged."""
    assert judge([], CONTEXT, POLICY, NOW) == ()


def test_retention_unseen_is_unknown_with_its_reason() -> None:
    """What was not answered is not gone."""
    finding = judged(TIMEOUT)
    assert (finding.level, finding.reason) == (Level.UNKNOWN, "timeout")


@pytest.mark.parametrize(
    ("seen", "level"),
    [
        (kept("state", STATES_MIN + 1), Level.OK),
        (kept("state", STATES_MIN), Level.OK),
        (kept("state", STATES_MIN - 1), Level.DEGRADED),
        (kept("state", None), Level.DEGRADED),
        (kept("state", 5, head=5, final=0), Level.OK),
        (kept("state", 4, head=5, final=0), Level.DEGRADED),
        (kept("receipts", 80), Level.OK),
        (kept("receipts", 79), Level.DEGRADED),
        (kept("logs", None), Level.DEGRADED),
        (kept("bodies", POLICY.confirmations, final=None), Level.OK),
        (kept("bodies", POLICY.confirmations - 1, final=None), Level.DEGRADED),
        (RetentionSeen(HEAD, FINAL, (), is_declared=True), Level.OK),
    ],
    ids=[
        "states_more",
        "states_enough",
        "states_too_few",
        "states_none",
        "young_chain",
        "young_chain_too_few",
        "receipts_to_finality",
        "receipts_not_to_finality",
        "logs_none",
        "bodies_without_finality",
        "bodies_too_few",
        "nothing_said",
    ],
)
def test_retention_is_measured_by_what_the_chain_may_take_back(
    seen: RetentionSeen, level: Level
) -> None:
    """64 states, and everything else down to the finalized block or the confirmations."""
    finding = judged(seen)
    assert finding.level == level
    assert finding.reason == ("too_little" if level else "retained")


@pytest.mark.parametrize(
    ("before", "now", "level"),
    [
        (1000, 501, Level.OK),
        (1000, 500, Level.OK),
        (1000, 499, Level.DEGRADED),
        (100, 1000, Level.OK),
        (None, 1000, Level.OK),
    ],
)
def test_retention_that_shrank_by_more_than_half_is_degraded(
    before: int | None, now: int, level: Level
) -> None:
    """A window that slides is no change, a lost flag is."""
    finding = judged(kept("receipts", before), TIMEOUT, kept("state", 128), kept("receipts", now))
    assert finding.level == level
    if level:
        assert (finding.reason, finding.measured, finding.limit) == ("shrunk", 499.0, 500.0)
        assert "half of what it was" in finding.summary


def test_retention_of_a_handful_of_blocks_does_not_shrink() -> None:
    """Of one block, half is nothing."""
    assert judged(kept("bodies", 1, head=1, final=0), kept("bodies", 0, head=0, final=0)).level == 0


def test_retention_says_from_where_on_and_how_that_is_known() -> None:
    """What is declared and what was tried are told apart."""
    both = (Kept("state", 9_000), Kept("logs", None), Kept("receipts", 0))
    finding = judged(RetentionSeen(HEAD, FINAL, both, is_declared=True))
    assert finding.reason == "too_little"
    assert finding.evidence[0].said == "state from block 9000, no logs, receipts from block 0"
    assert finding.evidence[0].method == "eth_capabilities"
    tried = judged(RetentionSeen(HEAD, FINAL, (Kept("state", 9_000),), is_declared=False))
    assert tried.evidence[0].method == "by asking for old blocks"
    assert (tried.measured, tried.limit, tried.unit) == (1000.0, 64.0, "blocks")


def test_retention_offers_what_is_known_and_nothing_else() -> None:
    """None is not 0 blocks: nothing was said of it."""
    numbers = {offer.name: offer.read for offer in OFFERS}
    seen = kept("state", 128)
    read_state, read_logs = numbers["retention.state_blocks"], numbers["retention.logs_blocks"]
    assert read_state is not None
    assert read_logs is not None
    assert read_state(seen) == 128.0
    assert read_logs(seen) is None
    assert read_logs(kept("logs", None)) == 0.0
