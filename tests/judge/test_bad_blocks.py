"""What a node refused, and whether the network took it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.judge.bad_blocks import OFFERS, BadBlock, BadBlocksSeen, judge
from monitor.judge.quorum import Round
from monitor.model import BlockNumber, Finding, Hash32, Level, Observation, Unseen, short
from tests.judge.builders import (
    NOW,
    POLICY,
    TIMEOUT,
    TIP,
    agreeing,
    hash_of,
    round_of,
    seen_head,
    witness,
)

FINAL = TIP - 70
BAD = Hash32("0x" + "bb" * 32)
SETTLED = round_of(*(witness(name, seen_head(TIP, final=FINAL)) for name in "abc"))
ALONE = round_of(witness("a", seen_head(TIP, final=FINAL)))
NOWHERE = round_of(*(witness(name, TIMEOUT) for name in "abc"))


def refused(number: int, own: Hash32 | None = None) -> BadBlock:
    """A block of the network that the node calls bad."""
    return BadBlock(hash_of(number), BlockNumber(number), hash_of(number), own)


def stray(number: int | None) -> BadBlock:
    """A bad block that the network does not have."""
    return BadBlock(BAD, number, None if number is None else hash_of(number))


def judged(*blocks: BadBlock, context: Round = SETTLED) -> Finding:
    return judged_of(BadBlocksSeen(len(blocks), blocks), context)


def judged_of(seen: BadBlocksSeen | Unseen, context: Round = SETTLED) -> Finding:
    observation: Observation[BadBlocksSeen] = Observation("local", "bad_blocks", NOW, 0.1, seen)
    (finding,) = judge([observation], context, POLICY, NOW)
    assert finding.key == ("bad_blocks", "node:local")
    return finding


def test_bad_blocks_without_history_give_no_finding() -> None:
    """Nobody asked, nobody judged."""
    assert judge([], SETTLED, POLICY, NOW) == ()


@pytest.mark.parametrize(
    "unseen", [TIMEOUT, Unseen("malformed", "the answer is larger than 8388608 bytes")]
)
def test_bad_blocks_that_were_not_seen_are_unknown(unseen: Unseen) -> None:
    """A list too large to be read is not an empty one, and says why."""
    finding = judged_of(unseen)
    assert (finding.level, finding.reason) == (Level.UNKNOWN, unseen.reason)
    assert unseen.detail in finding.summary


def test_bad_blocks_that_are_none_are_well() -> None:
    """The usual answer."""
    finding = judged()
    assert (finding.level, finding.reason, finding.measured) == (Level.OK, "none", 0.0)


def test_bad_block_that_the_references_have_and_the_node_has_not_is_failed() -> None:
    """The node refused the network's chain; the lowest is where it began."""
    finding = judged(refused(TIP), refused(TIP - 1))
    assert (finding.level, finding.reason) == (Level.FAILED, "refused_canonical")
    assert finding.summary == (
        f"it refused block {TIP - 1}, {short(hash_of(TIP - 1))}, which the references have"
    )
    assert (finding.measured, len(finding.evidence)) == (2.0, 2)


def test_bad_block_beside_another_one_of_the_node_is_failed() -> None:
    """It has a block of its own there: a fork, and its reason."""
    finding = judged(refused(TIP - 1, own=hash_of(TIP - 1, "mine")))
    assert finding.level == Level.FAILED
    assert f"it has {hash_of(TIP - 1, 'mine')}" in finding.evidence[0].said


def test_bad_block_that_the_node_has_taken_since_is_well() -> None:
    """Geth keeps its list over restarts and updates: what it holds now is right."""
    finding = judged(refused(TIP - 1, own=hash_of(TIP - 1)), stray(FINAL))
    assert (finding.level, finding.reason) == (Level.OK, "accepted_since")


@pytest.mark.parametrize("context", [ALONE, NOWHERE], ids=["one_reference", "no_quorum"])
def test_bad_block_of_references_that_may_be_wrong_is_degraded(context: Round) -> None:
    """Against one reference, or none that can be believed, nobody is declared wrong."""
    finding = judged(refused(TIP), context=context)
    assert (finding.level, finding.reason) == (Level.DEGRADED, "refused_canonical")


def test_bad_block_that_a_reference_has_not_either_is_degraded() -> None:
    """Holesky, February 2025: the majority took a bad block, and who refused it was right."""
    finding = judged(replace(refused(TIP), is_disputed=True))
    assert (finding.level, finding.reason) == (Level.DEGRADED, "refused_canonical")
    assert finding.summary.endswith("though not all of them")


@pytest.mark.parametrize(
    ("number", "level", "reason"),
    [
        (FINAL - 1, Level.OK, "past"),
        (FINAL, Level.OK, "past"),
        (FINAL + 1, Level.DEGRADED, "refused_block"),
        (TIP + 1, Level.DEGRADED, "refused_block"),
        (None, Level.OK, "past"),
    ],
)
def test_bad_block_of_nobody_is_told_until_its_height_is_final(
    number: int | None, level: Level, reason: str
) -> None:
    """Somebody made a bad block and it was refused, rightly: once that is settled it is counted."""
    finding = judged(stray(number))
    assert (finding.level, finding.reason, finding.measured) == (level, reason, 1.0)


@pytest.mark.parametrize(("depth", "level"), [(64, Level.OK), (63, Level.DEGRADED)])
def test_bad_block_of_a_chain_without_finality_is_told_for_64_blocks(
    depth: int, level: Level
) -> None:
    """Where there is no such tag, depth stands for it."""
    assert judged(stray(TIP - depth), context=round_of(*agreeing())).level == level


def test_bad_block_without_a_quorum_is_only_counted() -> None:
    """What is final is not known, so that nothing is said of it."""
    assert judged(stray(TIP), context=NOWHERE).level == Level.OK


@pytest.mark.parametrize(
    ("block", "said"),
    [
        (BadBlock(BAD, None), f"refused at a height it does not say, {BAD}"),
        (BadBlock(BAD, 7), f"refused block 7, {BAD}"),
        (stray(7), f"refused block 7, {BAD}; the references have {hash_of(7)}"),
    ],
)
def test_evidence_names_the_block_and_what_the_references_have(block: BadBlock, said: str) -> None:
    """Two hashes, for whoever looks for the block elsewhere."""
    assert judged(block).evidence[0].said == said


def test_offers_are_the_numbers_of_one_answer() -> None:
    """How many are listed, and how many of them the network has and the node has not."""
    seen = BadBlocksSeen(12, (refused(TIP), refused(TIP - 1, own=hash_of(TIP - 1)), stray(5)))
    assert [offer.read(seen) for offer in OFFERS if offer.read is not None] == [12.0, 1.0]
