"""What a node says of its synchronisation, beside where it is: evidence before words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.judge.quorum import Round
from monitor.judge.sync import (
    OFFERS,
    RATE_SAMPLES_MAX,
    Pace,
    Remaining,
    Said,
    Stage,
    SyncingSeen,
    judge,
    pace_of,
)
from monitor.model import Finding, Level, Observation, Unseen
from tests.judge.builders import NOW, POLICY, TIMEOUT, TIP, agreeing, block, round_of, witness

LAG = POLICY.lag_blocks
HERE = round_of(*agreeing())
NOWHERE = round_of(*(witness(name, TIMEOUT) for name in "abc"))


def seen_of(said: Said, behind: int = 0, **more: object) -> SyncingSeen:
    """What was said by a node whose head lies so many blocks behind the references."""
    seen = SyncingSeen(said, block(TIP - behind), block(TIP))
    return replace(seen, **more)  # type: ignore[arg-type]


def observed(*seen: SyncingSeen | Unseen) -> list[Observation[SyncingSeen]]:
    """Answers fifteen seconds apart, the last one now."""
    last = len(seen) - 1
    return [
        Observation("local", "sync", NOW - 15.0 * (last - place), 0.1, one)
        for place, one in enumerate(seen)
    ]


def judged(*seen: SyncingSeen | Unseen, context: Round = HERE) -> Finding:
    (finding,) = judge(observed(*seen), context, POLICY, NOW)
    assert finding.key == ("sync", "node:local")
    return finding


def test_sync_without_history_gives_no_finding() -> None:
    """Nobody asked, nobody judged."""
    assert judge([], HERE, POLICY, NOW) == ()


def test_sync_of_a_node_that_was_not_seen_is_unknown() -> None:
    """Not having answered is not being synced."""
    finding = judged(seen_of("synced"), TIMEOUT)
    assert (finding.level, finding.reason, finding.measured) == (Level.UNKNOWN, "timeout", None)


@pytest.mark.parametrize("said", ["synced", "syncing", "no_peers"])
def test_sync_without_a_quorum_is_unknown_whatever_the_node_says(said: Said) -> None:
    """Its own word is no evidence: neither that it is level nor that it is behind."""
    finding = judged(seen_of(said), context=NOWHERE)
    assert (finding.level, finding.reason) == (Level.UNKNOWN, "no_quorum")


def test_sync_asked_while_there_was_no_quorum_is_unknown_until_it_is_asked_again() -> None:
    """The references that are back now were not there to compare it with."""
    finding = judged(seen_of("synced", reference=None))
    assert (finding.level, finding.reason) == (Level.UNKNOWN, "no_quorum")


@pytest.mark.parametrize(
    ("said", "behind", "level", "reason"),
    [
        ("synced", LAG - 1, Level.OK, "synced"),
        ("synced", LAG, Level.DEGRADED, "says_synced"),
        ("synced", LAG + 1, Level.DEGRADED, "says_synced"),
        ("synced", -LAG, Level.OK, "synced"),
        ("syncing", LAG - 1, Level.OK, "says_syncing"),
        ("syncing", LAG, Level.DEGRADED, "syncing"),
        ("syncing", LAG + 1, Level.DEGRADED, "syncing"),
        ("no_peers", LAG - 1, Level.OK, "no_peers"),
        ("no_peers", LAG, Level.DEGRADED, "no_peers"),
    ],
)
def test_sync_is_judged_by_where_the_node_is_and_not_by_what_it_says(
    said: Said, behind: int, level: Level, reason: str
) -> None:
    """`false` does not make well what is behind, nor an object bad what is level."""
    finding = judged(seen_of(said, behind), seen_of(said, behind))
    assert (finding.level, finding.reason) == (level, reason)
    assert (finding.measured, finding.limit) == (behind, LAG)
    assert finding.as_of == block(TIP - behind).stamp


def test_sync_that_indexes_at_the_tip_is_well_and_says_what_is_left() -> None:
    """A geth that builds its index says for hours that it is syncing: it answers from the tip."""
    left = Remaining("blocks of the transaction index", 1_200)
    finding = judged(seen_of("syncing", current=TIP, highest=TIP, remaining=(left,)))
    assert (finding.level, finding.reason) == (Level.OK, "indexing")
    assert finding.summary == (
        f"syncing, block {TIP} of {TIP}, 1200 blocks of the transaction index left, "
        "and level with the references"
    )


@pytest.mark.parametrize(("behind", "where"), [(1, "1 blocks behind"), (-1, "1 blocks ahead of")])
def test_sync_within_the_threshold_says_on_which_side(behind: int, where: str) -> None:
    """Level is not the same as one block off."""
    assert judged(seen_of("synced", behind)).summary == f"not syncing, {where} the references"


@pytest.mark.parametrize(
    ("history", "level"),
    [
        ((LAG,), Level.DEGRADED),
        ((0, LAG), Level.OK),
        ((LAG, 0), Level.OK),
        ((0, LAG, LAG), Level.DEGRADED),
        ((LAG, LAG, 0, LAG), Level.OK),
    ],
)
def test_sync_behind_is_what_was_behind_in_two_answers_in_a_row(
    history: Sequence[int], level: Level
) -> None:
    """One late answer among good ones is a block on its way; a first answer is all there is."""
    assert judged(*(seen_of("synced", behind) for behind in history)).level == level


def test_sync_behind_looks_through_what_was_not_seen() -> None:
    """An answer that did not come, or had nothing to be compared with, is neither well nor bad."""
    late = seen_of("synced", LAG)
    finding = judged(late, TIMEOUT, replace(late, reference=None), late)
    assert finding.level == Level.DEGRADED


def test_sync_far_behind_says_its_stages_its_pace_and_when_it_arrives() -> None:
    """Whoever waits learns how long: what remains, by how fast the distance shrinks."""
    stages = (Stage("Headers", 1_000), Stage("Execution", 400), Stage("Bodies", 900))
    seen = seen_of(
        "syncing",
        600,
        current=400,
        highest=990,
        stages=stages,
        mode="FastBlocks",
        pace=Pace(rate=2.1, closing=2.0),
    )
    finding = judged(seen)
    assert finding.level == Level.DEGRADED
    assert finding.summary == (
        "syncing, mode FastBlocks, block 400 of 990, "
        "stages Execution 400, Bodies 900, Headers 1000; "
        "600 blocks behind the references, 40.0 % there at 2.1 blocks/s, 5 min to go"
    )


@pytest.mark.parametrize(
    ("pace", "stages", "words"),
    [
        (None, (), "its pace is not known yet"),
        (Pace(0.05, -0.03), (), "at 0.05 blocks/s: at this pace it never arrives"),
        (Pace(0.05, 0.0), (), "at this pace it never arrives"),
        (Pace(0.0, -0.08), (), "at this pace it never arrives"),
        (Pace(0.0, -0.08), (Stage("Senders", 7),), "its stages are under way"),
        (Pace(0.05, -0.03), (Stage("Senders", 7),), "at this pace it never arrives"),
        (Pace(60.0, 60.0), (), "10 s to go"),
        (Pace(5.0, 5.0), (), "2 min to go"),
        (Pace(0.07, 0.0625), (), "3 h to go"),
        (Pace(0.1, 0.003), (), "2 d to go"),
    ],
)
def test_sync_says_when_it_arrives_and_when_never(
    pace: Pace | None, stages: tuple[Stage, ...], words: str
) -> None:
    """A node that is no faster than its chain never arrives; no block is done before all stages."""
    finding = judged(seen_of("syncing", 600, pace=pace, stages=stages))
    assert words in finding.summary


@pytest.mark.parametrize(
    ("seen", "position", "distance"),
    [
        (seen_of("synced", 7, current=TIP), TIP - 7, 7),
        (seen_of("syncing", 7), TIP - 7, 7),
        (seen_of("syncing", TIP, current=600), 600, TIP - 600),
        (seen_of("syncing", 7, current=5), TIP - 7, 7),
        (seen_of("syncing", 7, current=TIP + 9), TIP + 9, 0),
        (seen_of("syncing", 7, reference=None), TIP - 7, None),
        (seen_of("syncing", 7, head=None), None, None),
    ],
)
def test_position_is_the_head_or_the_block_that_a_snap_sync_has_come_to(
    seen: SyncingSeen, position: int | None, distance: int | None
) -> None:
    """The head of a snap sync stays at 0; what `false` goes with counts for nothing."""
    assert (seen.position, seen.distance) == (position, distance)
    assert (seen.lag is None) == (distance is None)


@pytest.mark.parametrize(
    ("seen", "eta"),
    [
        (seen_of("synced"), 0.0),
        (seen_of("syncing", -3), 0.0),
        (seen_of("syncing", 600, pace=Pace(3.0, 2.0)), 300.0),
        (seen_of("syncing", 600, pace=Pace(3.0, 0.0)), None),
        (seen_of("syncing", 600, pace=Pace(3.0, -0.1)), None),
        (seen_of("syncing", 600), None),
        (seen_of("syncing", 600, reference=None, pace=Pace(3.0, 2.0)), None),
    ],
)
def test_eta_is_what_remains_by_how_fast_the_distance_shrinks(
    seen: SyncingSeen, eta: float | None
) -> None:
    """None is never, or not known; a node that is level is there."""
    assert seen.eta_seconds == eta


def test_offers_are_the_numbers_of_one_answer() -> None:
    """What is measured is what is written down, and nothing where that is not known."""
    left = (Remaining("trie nodes to heal", 5), Remaining("byte codes to heal", 2))
    seen = seen_of("syncing", 600, pace=Pace(3.0, 2.0), remaining=left)
    blind = seen_of("syncing", 600, reference=None)
    read = {offer.name: offer.read for offer in OFFERS if offer.read is not None}
    assert {name: one(seen) for name, one in read.items()} == {
        "sync.remaining_blocks": 600.0,
        "sync.rate_blocks_per_second": 3.0,
        "sync.eta_seconds": 300.0,
        "sync.unfinished_items": 7.0,
    }
    assert [one(blind) for one in read.values()] == [None, None, None, 0.0]


def moving(node: Sequence[int], references: Sequence[int]) -> list[Observation[SyncingSeen]]:
    """Answers a second apart of a node and references at these heights."""
    return [
        Observation(
            "local", "sync", float(at), 0.1, SyncingSeen("syncing", block(mine), block(all_))
        )
        for at, (mine, all_) in enumerate(zip(node, references, strict=True))
    ]


def newest(node: int, reference: int) -> SyncingSeen:
    return SyncingSeen("syncing", block(node), block(reference))


@pytest.mark.parametrize(
    ("before", "pace"),
    [
        (moving([], []), None),
        (moving([10], [100]), None),
        (moving([10, 14], [100, 101]), Pace(4.0, 3.0)),
        (moving([10, 20], [100, 100]), Pace(4.0, 3.0)),
    ],
)
def test_pace_needs_three_answers(
    before: list[Observation[SyncingSeen]], pace: Pace | None
) -> None:
    """Two points are always on a line."""
    assert pace_of(before, newest(18, 102), 2.0) == pace


def test_pace_counts_only_answers_with_a_height_and_references() -> None:
    """What was not seen, or had nothing to be compared with, is no point."""
    before = moving([10, 14, 18], [100, 101, 102])
    before[1] = replace(before[1], seen=TIMEOUT)
    assert pace_of(before, newest(22, 103), 3.0) == Pace(4.0, 3.0)
    before[0] = replace(before[0], seen=replace(newest(10, 100), reference=None))
    assert pace_of(before, newest(22, 103), 3.0) is None
    before[0] = replace(before[0], seen=replace(newest(10, 100), head=None))
    assert pace_of(before, newest(22, 103), 3.0) is None


def test_pace_of_a_clock_that_stood_is_none() -> None:
    """Nothing is divided by no time."""
    before = [replace(one, at=5.0) for one in moving([10, 14], [100, 101])]
    assert pace_of(before, newest(18, 102), 5.0) is None


def test_pace_is_of_the_last_answers_only() -> None:
    """What a node did an hour ago says nothing of when it arrives."""
    count = RATE_SAMPLES_MAX
    slow = moving([0] * count, [1000] * count)
    fast = [
        replace(one, at=one.at + count)
        for one in moving(range(0, 5 * (count - 1), 5), [1000] * (count - 1))
    ]
    pace = pace_of([*slow, *fast], newest(5 * (count - 1), 1000), float(2 * count - 1))
    assert pace == Pace(5.0, 5.0)


@given(
    st.integers(1, 50), st.integers(0, 50), st.integers(0, 10_000), st.integers(3, RATE_SAMPLES_MAX)
)
def test_pace_of_steady_motion_is_that_motion(
    mine: int, chains: int, far: int, samples: int
) -> None:
    """So many blocks a second are so many, and the distance shrinks by the difference."""
    numbers = range(samples - 1)
    before = moving([mine * n for n in numbers], [far + chains * n for n in numbers])
    last = samples - 1
    pace = pace_of(before, newest(mine * last, far + chains * last), float(last))
    assert pace is not None
    assert (pace.rate, pace.closing) == pytest.approx((mine, mine - chains))
