"""What a consensus client's words come to: the deepest of its troubles, or none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.judge.beacon import METHOD, OFFERS, BeaconSeen, judge
from monitor.model import Finding, Level, Observation, Unseen
from tests.judge.builders import NOW, POLICY, agreeing, round_of

ROUND = round_of(*agreeing())
SLOT = 9_000_000
EPOCH = SLOT // 32
WELL = BeaconSeen(
    version="Lighthouse/v5.3.0",
    head_slot=SLOT,
    sync_distance=0,
    is_syncing=False,
    is_optimistic=False,
    el_offline=False,
    finalized_epoch=EPOCH - 2,
    peers=56,
    clock_slot=SLOT,
    reference_slot=SLOT,
    execution_slot=SLOT,
    epoch_slots=32,
    genesis_time=1_606_824_023,
    slot_seconds=12.0,
)


def found(seen: BeaconSeen | Unseen) -> Finding:
    """What is said of it."""
    (finding,) = judge([Observation("local", "beacon", NOW, 0.1, seen)], ROUND, POLICY, NOW)
    assert (finding.check, finding.subject) == ("beacon", "node:local")
    return finding


def reason(**changed: object) -> str:
    """The word on a client that is well but for this; bad words are DEGRADED, never worse."""
    finding = found(replace(WELL, **changed))  # type: ignore[arg-type]
    assert finding.level == (Level.OK if finding.reason == "in_sync" else Level.DEGRADED)
    return finding.reason


def test_judge_of_nothing_says_nothing() -> None:
    """A node without a consensus client to ask has no finding."""
    assert judge([], ROUND, POLICY, NOW) == ()


def test_client_that_does_not_answer_is_unknown_in_its_words() -> None:
    """The node's own head may well stand: that is for others to say."""
    finding = found(Unseen("refused", "/eth/v1/node/syncing: connection refused"))
    assert (finding.level, finding.reason) == (Level.UNKNOWN, "refused")
    assert "connection refused" in finding.summary
    assert finding.evidence[0].method == METHOD


def test_client_that_is_well_says_where_it_is() -> None:
    """Its version, its head, and what is final, for whoever looks."""
    finding = found(WELL)
    assert (finding.level, finding.reason) == (Level.OK, "in_sync")
    assert finding.summary == "Lighthouse/v5.3.0: its head is of slot 9000000, verified"
    assert finding.evidence[0].said == (
        "Lighthouse/v5.3.0: head slot 9000000, 0 from its clock's, epoch 281248 is final, 56 peers"
    )


def test_client_that_gives_no_finality_and_no_peers_is_judged_by_the_rest() -> None:
    """What it refuses to say while it syncs is not held against it."""
    finding = found(replace(WELL, finalized_epoch=None, peers=None))
    assert finding.level == Level.OK
    assert finding.evidence[0].said == "Lighthouse/v5.3.0: head slot 9000000, 0 from its clock's"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"el_offline": True}, "el_offline"),
        ({"el_offline": None}, "in_sync"),
        ({"is_optimistic": True}, "optimistic"),
        ({"is_optimistic": None}, "in_sync"),
        ({"is_syncing": True, "sync_distance": 2}, "in_sync"),
        ({"sync_distance": 32}, "in_sync"),
        ({"sync_distance": 33}, "cl_syncing"),
        ({"reference_slot": SLOT + 4}, "in_sync"),
        ({"reference_slot": SLOT + 5}, "cl_behind"),
        ({"reference_slot": SLOT - 50}, "in_sync"),
        ({"reference_slot": None, "clock_slot": SLOT + 4}, "in_sync"),
        ({"reference_slot": None, "clock_slot": SLOT + 5}, "cl_behind"),
        ({"clock_slot": SLOT + 500}, "in_sync"),
        ({"execution_slot": SLOT + 3}, "in_sync"),
        ({"execution_slot": SLOT + 4}, "apart"),
        ({"execution_slot": SLOT - 3}, "in_sync"),
        ({"execution_slot": SLOT - 4}, "apart"),
        ({"execution_slot": None}, "in_sync"),
        ({"finalized_epoch": EPOCH - 5}, "in_sync"),
        ({"finalized_epoch": EPOCH - 6}, "finality_behind"),
        ({"finalized_epoch": EPOCH + 1}, "in_sync"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(map(str, value.items())),
)
def test_trouble_begins_beyond_its_limit(changed: dict[str, object], expected: str) -> None:
    """At the limit it is none; what is not known is none."""
    assert reason(**changed) == expected


def test_troubles_at_once_are_told_by_the_deepest() -> None:
    """What is behind may be so for any of the earlier ones."""
    order: list[tuple[str, dict[str, object]]] = [
        ("finality_behind", {"finalized_epoch": EPOCH - 60}),
        ("apart", {"execution_slot": SLOT - 90}),
        ("cl_behind", {"reference_slot": SLOT + 90}),
        ("optimistic", {"is_optimistic": True}),
        ("cl_syncing", {"sync_distance": 90}),
        ("el_offline", {"el_offline": True}),
    ]
    seen: dict[str, object] = {}
    for expected, changed in order:
        seen |= changed
        assert reason(**seen) == expected


@pytest.mark.parametrize(
    ("changed", "summary", "numbers"),
    [
        (
            {"sync_distance": 90},
            "the consensus client is syncing: 90 slots behind its clock",
            (90.0, 32.0, "slots"),
        ),
        (
            {"reference_slot": SLOT + 9},
            "the consensus client is 9 slots behind the references' head",
            (9.0, 4.0, "slots"),
        ),
        (
            {"reference_slot": None, "clock_slot": SLOT + 9},
            "the consensus client is 9 slots behind our clock",
            (9.0, 4.0, "slots"),
        ),
        (
            {"execution_slot": SLOT - 7},
            "the node is 7 slots behind its consensus client: another one may lead it",
            (-7.0, 3.0, "slots"),
        ),
        (
            {"execution_slot": SLOT + 7},
            "the node is 7 slots ahead of its consensus client: another one may lead it",
            (7.0, 3.0, "slots"),
        ),
        (
            {"finalized_epoch": EPOCH - 10},
            "nothing was finalized for 9 epochs before the last one",
            (9.0, 4.0, "epochs"),
        ),
    ],
    ids=["syncing", "behind", "clock", "lags", "leads", "finality"],
)
def test_trouble_is_told_with_its_two_numbers(
    changed: dict[str, object], summary: str, numbers: tuple[float, float, str]
) -> None:
    """Who is where, and how far that may be."""
    finding = found(replace(WELL, **changed))  # type: ignore[arg-type]
    assert finding.summary == summary
    assert (finding.measured, finding.limit, finding.unit) == numbers


def test_offers_have_no_number_of_what_is_not_known() -> None:
    """Distance, link, finality and peers; nothing is zero for not being said."""
    read = {offer.name: offer.read for offer in OFFERS if offer.read is not None}
    seen = replace(WELL, sync_distance=3, execution_slot=SLOT - 1)
    assert {name: of(seen) for name, of in read.items()} == {
        "beacon.sync_distance_slots": 3.0,
        "beacon.apart_slots": -1.0,
        "beacon.finality_delay_epochs": 1.0,
        "beacon.peers_count": 56.0,
    }
    blind = replace(WELL, execution_slot=None, finalized_epoch=None, peers=None)
    assert [of(blind) for of in read.values()] == [0.0, None, None, None]
