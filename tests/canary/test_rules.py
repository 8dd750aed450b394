"""What was said becomes one comparison a check, with both values."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.canary.comparison import Comparison
from monitor.canary.differences import Difference
from monitor.canary.latency import pace
from monitor.canary.rules import (
    DAY_SECONDS,
    DISK_DAYS_MIN,
    DISK_SECONDS_MIN,
    FIELD_LINES_MAX,
    LINES_MAX,
    Forks,
    Tally,
    answers,
    disk,
    identity,
    latency,
    methods,
    upgrades,
)
from monitor.judge.seen import IdentitySeen
from monitor.model import Hash32, Unseen

SEEN = IdentitySeen(1, Hash32("0x" + "a" * 64), "Geth/v1")
BLIND = Unseen("refused", "connection refused")
ABSENT = Unseen("unsupported", "no such method")


@pytest.mark.parametrize(
    ("baseline", "candidate", "outcome", "reason"),
    [
        (SEEN, replace(SEEN, client_version="Geth/v2"), "pass", "same_chain"),
        (SEEN, replace(SEEN, chain_id=2), "fail", "other_chain"),
        (SEEN, replace(SEEN, genesis_hash=Hash32("0xb")), "fail", "other_genesis"),
        (BLIND, SEEN, "unknown", "unseen"),
        (SEEN, BLIND, "unknown", "unseen"),
        (BLIND, BLIND, "unknown", "unseen"),
    ],
)
def test_identity_is_chain_and_genesis_and_not_the_version(
    baseline: IdentitySeen | Unseen, candidate: IdentitySeen | Unseen, outcome: str, reason: str
) -> None:
    """Another version is the point of it all; another chain is none to compare with."""
    found = identity(baseline, candidate)
    assert (found.outcome, found.reason) == (outcome, reason)
    if outcome != "unknown":
        assert [line.what for line in found.lines] == [
            *("eth_chainId", "genesis", "web3_clientVersion")
        ]
    else:
        assert ("baseline" in found.summary) is isinstance(baseline, Unseen)


def test_identity_of_a_node_that_names_no_version_says_so() -> None:
    """Its namespace `web3` may be closed."""
    found = identity(SEEN, replace(SEEN, client_version=""))
    assert found.summary == "chain 1, Geth/v1 and a client that names no version"


NOW, NEXT = Forks("0x1", ""), Forks("0x1", "0x2")
OLD, OTHER_NEXT = Forks("0x0", "0x1"), Forks("0x1", "0x3")
REJECTED = Unseen("rpc_error", "error -32000")
MALFORMED = Unseen("malformed", "no forkId")


def last(fork_id: str) -> Forks:
    return Forks("0x1", "0x2", fork_id)


@pytest.mark.parametrize(
    ("baseline", "candidate", "references", "outcome", "reason"),
    [
        (NOW, NOW, {}, "pass", "same_forks"),
        (NEXT, NEXT, {"a": NEXT}, "pass", "same_forks"),
        (NEXT, NOW, {}, "fail", "not_ready"),
        (NEXT, Forks("0x1", "0x3"), {}, "fail", "not_ready"),
        (NOW, NOW, {"a": NEXT}, "fail", "not_ready"),
        (NOW, NEXT, {"a": NEXT}, "warn", "others_not_ready"),
        (NOW, NEXT, {}, "warn", "others_not_ready"),
        (NOW, Forks("0x9", ""), {}, "fail", "other_rules"),
        (NOW, NOW, {"a": Forks("0x9", "")}, "fail", "other_rules"),
        (ABSENT, ABSENT, {}, "skipped", "unsupported"),
        (NOW, ABSENT, {}, "fail", "gone"),
        (NOW, ABSENT, {"a": NOW}, "fail", "gone"),
        (ABSENT, ABSENT, {"a": NEXT}, "skipped", "unsupported"),
        (REJECTED, REJECTED, {}, "skipped", "rpc_error"),
        (MALFORMED, MALFORMED, {}, "skipped", "malformed"),
        (NOW, MALFORMED, {}, "unknown", "unseen"),
        (NOW, REJECTED, {}, "unknown", "unseen"),
        (MALFORMED, NOW, {"a": NOW}, "pass", "same_forks"),
        (ABSENT, NOW, {}, "skipped", "nothing_to_compare"),
        (ABSENT, NOW, {"a": ABSENT}, "skipped", "nothing_to_compare"),
        (ABSENT, NOW, {"a": NEXT}, "fail", "not_ready"),
        (NOW, BLIND, {}, "unknown", "unseen"),
        (BLIND, NOW, {}, "unknown", "unseen"),
        (BLIND, ABSENT, {}, "unknown", "unseen"),
        (NOW, NOW, {"a": BLIND}, "pass", "same_forks"),
        (OLD, NOW, {"a": NOW}, "warn", "outvoted"),
        (OLD, NOW, {"a": NOW, "b": NOW, "c": OLD}, "warn", "outvoted"),
        (OLD, NOW, {"a": NOW, "b": OLD}, "fail", "other_rules"),
        (OLD, NOW, {"a": NOW, "b": ABSENT}, "fail", "other_rules"),
        (NOW, NOW, {"a": NOW, "b": NOW, "c": OLD}, "warn", "outvoted"),
        (OLD, NOW, {"a": NEXT}, "fail", "not_ready"),
        (NEXT, OTHER_NEXT, {"a": OTHER_NEXT}, "warn", "outvoted"),
        (NEXT, NOW, {"a": NOW, "b": NOW}, "fail", "not_ready"),
        (last("0x2"), last("0x2"), {"a": last("0x2")}, "pass", "same_forks"),
        (last("0x3"), last("0x2"), {}, "fail", "not_ready"),
        (last("0x3"), last(""), {}, "fail", "not_ready"),
        (last("0x3"), last("0x2"), {"a": last("0x2")}, "warn", "outvoted"),
        (last("0x3"), last("0x4"), {}, "warn", "other_last"),
        (last("0x2"), last("0x3"), {}, "warn", "other_last"),
        (NEXT, last("0x3"), {}, "pass", "same_forks"),
        (last("0x3"), NEXT, {}, "pass", "same_forks"),
    ],
)
def test_upgrade_readiness_is_what_the_others_know_of_the_next_fork(
    baseline: Forks | Unseen,
    candidate: Forks | Unseen,
    references: dict[str, Forks | Unseen],
    outcome: str,
    reason: str,
) -> None:
    """A fork that somebody schedules and the candidate does not know blocks.

    Where most references are of the candidate's mind, whoever is of another is outvoted; nobody
    outvotes a fork by not knowing of it.
    """
    found = upgrades(baseline, candidate, references)
    assert (found.outcome, found.reason) == (outcome, reason)
    if outcome == "skipped" and baseline is candidate:
        assert "which is no pass" in found.summary


def test_methods_gone_are_told_one_by_one() -> None:
    """So that one can be accepted without the other."""
    (well,) = methods({}, 23, 40)
    assert (well.outcome, well.asked) == ("pass", 40)
    gone = methods({"eth_getProof": "error -32601", "trace_block": "error -32004"}, 23, 40)
    assert [(one.outcome, one.subject) for one in gone] == [
        ("fail", "method:eth_getProof"),
        ("fail", "method:trace_block"),
    ]
    assert gone[0].lines[0].candidate == "error -32601"


def tally(*found: tuple[Difference, ...], asked: int = 5) -> Tally:
    return Tally(asked, found=[(f"eth_x at block {n}", one) for n, one in enumerate(found)])


CHANGED = Difference("logs[3].data", "changed", '"0x1"', '"0x2"')
ADDED = Difference("[0].blobGas", "added", "", '"0x1"')


@pytest.mark.parametrize(
    ("one", "outcome", "reason", "said"),
    [
        (tally((CHANGED,)), "fail", "changed", "differs in 1 of 5 answers: logs.data"),
        (
            tally((ADDED,)),
            "warn",
            "fields_added",
            "has fields that are new in 1 of 5 answers: blob",
        ),
        (tally((ADDED,), (CHANGED, ADDED)), "fail", "changed", "differs in 1 of 5 answers"),
        (
            tally((Difference("", "changed", "a result", "error 3"),)),
            "fail",
            "changed",
            "the whole answer",
        ),
    ],
)
def test_answers_that_differ_are_told_by_method(
    one: Tally, outcome: str, reason: str, said: str
) -> None:
    """New fields warn; beside something that is gone they are not told at all."""
    told, rest = answers({"eth_x": one, "eth_y": Tally(3)}, {})
    assert (told.outcome, told.reason, told.subject) == (outcome, reason, "method:eth_x")
    assert said in told.summary
    assert (rest.outcome, rest.summary) == ("pass", "1 of 2 methods answer alike, 8 questions")
    assert (outcome == "fail") is not any("added" in line.what for line in told.lines)


def test_evidence_of_answers_is_bounded_and_of_many_fields() -> None:
    """One field that differs everywhere does not crowd out the others."""
    many = [
        tuple(Difference(f"[{n}].{x}", "changed", "1", "2") for n in range(9)) for x in "abcdef"
    ]
    (told, _) = answers({"eth_x": tally(*many)}, {})
    assert len(told.lines) == LINES_MAX
    assert sum(".a " in line.what for line in told.lines) == FIELD_LINES_MAX
    assert any(".d " in line.what for line in told.lines)


def test_answers_beyond_what_is_kept_are_counted() -> None:
    """Twenty of ten thousand are looked at again; the others are not forgotten."""
    one = tally((CHANGED,), asked=10_000)
    one.more = 9_000
    (told, _) = answers({"eth_x": one}, {})
    assert "in 9001 of 10000 answers" in told.summary


@pytest.mark.parametrize(
    ("one", "outcome", "said"),
    [
        (Tally(100, more=80), "unknown", "eth_x differed in 80 of 100 answers"),
        (Tally(100, more_added=80), "unknown", "eth_x differed in 80 of 100 answers"),
        (Tally(100, open=1), "unknown", "whether it still does was not seen"),
        (replace(tally((ADDED,)), more_added=80), "warn", "new in 81 of 5 answers"),
        (replace(tally((ADDED,)), more=80), "unknown", "differed in 80 of 5 answers"),
        (replace(tally((CHANGED,)), more=80, open=1), "fail", "differs in 81 of 5 answers"),
    ],
)
def test_differences_that_were_not_asked_for_again_are_not_forgotten(
    one: Tally, outcome: str, said: str
) -> None:
    """They make the method unknown, unless it is worse than that already."""
    told, _ = answers({"eth_x": one, "eth_y": Tally(300)}, {})
    assert (told.outcome, told.subject) == (outcome, "method:eth_x")
    assert said in told.summary


@pytest.mark.parametrize(
    ("asked", "unseen", "outcomes"),
    [
        (10_000, 9_999, ["unknown", "unknown"]),
        (10, 6, ["unknown", "unknown"]),
        (10, 5, ["pass"]),
        (9, 9, ["unknown"]),
    ],
)
def test_answers_that_the_baseline_mostly_did_not_give_are_unknown(
    asked: int, unseen: int, outcomes: list[str]
) -> None:
    """One answer of ten thousand that is alike says nothing of the others."""
    found = answers({"eth_x": Tally(asked, unseen=unseen)}, {})
    assert [one.outcome for one in found] == outcomes
    assert f"; {unseen} the baseline did not answer" in found[-1].summary


def test_method_that_the_baseline_never_answers_is_skipped_by_name() -> None:
    """Nobody misses it; one of which it answers a few is another matter."""
    silent, some, rest = answers(
        {"eth_x": Tally(9, unseen=9), "eth_y": Tally(9, unseen=8), "eth_z": Tally(99)}, {}
    )
    assert (silent.outcome, silent.subject) == ("skipped", "method:eth_x")
    assert "answered none of 9" in silent.summary
    assert (some.outcome, some.subject) == ("unknown", "method:eth_y")
    assert "answered only 1 of 9" in some.summary
    assert rest.summary.startswith("1 of 3 methods answer alike, 117 questions; 17 the baseline")


def test_answers_say_what_was_not_put_and_what_nobody_saw() -> None:
    """A replay that put half of what was recorded must not look whole."""
    (found,) = answers(
        {"eth_x": Tally(9, unseen=2), **{f"trace_{n}": Tally() for n in range(5)}},
        {"unsafe": 3, "above": 0, "pending": 1},
    )
    assert found.summary == (
        "1 of 1 methods answer alike, 9 questions; not put: 1 pending, 3 unsafe; "
        "2 the baseline did not answer; not served by both: trace_0, trace_1, trace_2 and 2 more"
    )
    (blind,) = answers({"eth_x": Tally(9, unseen=9)}, {})
    assert (blind.outcome, blind.reason) == ("unknown", "unseen")
    assert answers({}, {})[0].outcome == "unknown"


def test_latency_names_the_slowest_beyond_doubt() -> None:
    """One slow method of many blocks; too few pairs of all are no judgement."""
    slow, well = [(0.01, 0.1)] * 25, [(0.01, 0.011)] * 25
    found = latency([pace("eth_call", well), pace("eth_getLogs", slow)])
    assert (found.outcome, found.reason, found.asked) == ("fail", "slower", 100)
    assert "1 of 2 methods are slower, at worst eth_getLogs: 10.0 times" in found.summary
    assert (found.lines[0].baseline, found.lines[0].candidate) == ("10.00 ms", "100.00 ms")
    assert latency([pace("eth_call", well)]).outcome == "pass"
    assert latency([pace("eth_call", slow[:5])]).reason == "too_few"
    assert latency([]).outcome == "unknown"


def test_latency_of_many_methods_is_told_of_the_worst() -> None:
    """And no more lines than anybody reads."""
    some = [pace(f"eth_{n}", [(0.01, 0.01)] * 25) for n in range(20)]
    assert len(latency(some).lines) == LINES_MAX


GIGABYTE = 10**9


@pytest.mark.parametrize(
    ("grown", "seconds", "free", "outcome", "reason"),
    [
        (GIGABYTE, DAY_SECONDS, DISK_DAYS_MIN * GIGABYTE, "pass", "room"),
        (GIGABYTE, DAY_SECONDS, DISK_DAYS_MIN * GIGABYTE - 1, "warn", "full_soon"),
        (0, DAY_SECONDS, 0, "pass", "not_growing"),
        (-5, DAY_SECONDS, 0, "pass", "not_growing"),
        (1, DISK_SECONDS_MIN, 10**18, "pass", "room"),
        (1, DISK_SECONDS_MIN - 1, 10**18, "unknown", "too_short"),
    ],
)
def test_disk_lasts_or_is_full_soon(
    grown: int, seconds: float, free: int, outcome: str, reason: str
) -> None:
    """A rate of a day, and how long what is free will take it; a short look says nothing."""
    found: Comparison = disk(grown, seconds, free)
    assert (found.outcome, found.reason) == (outcome, reason)
