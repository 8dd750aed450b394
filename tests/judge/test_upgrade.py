"""Whether a node goes along with the upgrades of its chain."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.judge.answer import Answer
from monitor.judge.upgrade import HORIZON_SECONDS, OFFERS, Config, Fork, UpgradeSeen, judge
from monitor.model import Finding, Level, Observation, Unseen
from tests.judge.builders import NOW, POLICY, TIMEOUT, agreeing, round_of

THREE = round_of(*agreeing())
ONE = round_of(*agreeing(names="a"))
ABSENT = Unseen("unsupported", "eth_config: the method does not exist")
DAY = 86_400
AT = int(NOW)
PRAGUE = Fork(0, "0xc376cf8b", 1, (6, 9, 5_007_716), frozenset({"0x01"}), frozenset({"0x02"}))
OSAKA = replace(PRAGUE, activation_time=AT + 3 * DAY, fork_id="0x5167e2a6")
LATER = replace(OSAKA, activation_time=AT + HORIZON_SECONDS + 1)
CALM = Config(PRAGUE, None)
READY = Config(PRAGUE, OSAKA)
DONE = Config(OSAKA, None)


def judged(
    mine: Config,
    *theirs: Config | Unseen,
    head_timestamp: int | None = AT,
    at: float = NOW,
    single: bool = False,
) -> Finding:
    """The finding of a node whose references say these things, in the order a, b, c."""
    answers = tuple(
        Answer(f"net/{name}", f"op-{name}", "", said)
        for name, said in zip("abc", theirs, strict=False)
    )
    seen = UpgradeSeen(mine, head_timestamp, 5.0, answers)
    observation = Observation("local", "upgrade", at, 0.1, seen)
    (finding,) = judge([observation], ONE if single else THREE, POLICY, at)
    return finding


def passed(config: Config, seconds: int) -> Config:
    """The same, whose next fork was due so many seconds ago."""
    assert config.next is not None
    return replace(config, next=replace(config.next, activation_time=AT - seconds))


def test_upgrade_without_history_gives_no_finding() -> None:
    """Nobody asked, nobody judged."""
    assert judge([], THREE, POLICY, NOW) == ()


def test_upgrade_unseen_is_unknown_with_its_reason() -> None:
    """What was not answered is no schedule."""
    observation: Observation[UpgradeSeen] = Observation("local", "upgrade", NOW, 0.1, TIMEOUT)
    (finding,) = judge([observation], THREE, POLICY, NOW)
    assert (finding.level, finding.reason) == (Level.UNKNOWN, "timeout")


OTHER_TIME = Config(PRAGUE, replace(OSAKA, activation_time=OSAKA.activation_time + 1))
OTHER_BLOBS = Config(PRAGUE, replace(OSAKA, blob_schedule=(9, 12, 5_007_716)))
OTHER_DEPOSITS = Config(PRAGUE, replace(OSAKA, system_contracts=frozenset({"0x03"})))
OTHER_NOW = Config(replace(PRAGUE, precompiles=frozenset()), OSAKA)
SOON = Config(PRAGUE, replace(OSAKA, activation_time=AT + HORIZON_SECONDS))
FAR = Config(PRAGUE, LATER)
STRANGER = Config(replace(PRAGUE, fork_id="0xdeadbeef"), None)


@pytest.mark.parametrize(
    ("mine", "theirs", "level", "reason"),
    [
        (CALM, (CALM, CALM, CALM), "OK", "same_schedule"),
        (READY, (READY, READY, CALM), "OK", "same_schedule"),
        (STRANGER, (CALM, CALM, CALM), "FAILED", "other_fork"),
        (STRANGER, (STRANGER, STRANGER, CALM), "OK", "same_schedule"),
        (CALM, (READY, READY, CALM), "FAILED", "next_unknown"),
        (CALM, (SOON, SOON, SOON), "FAILED", "next_unknown"),
        (CALM, (FAR, FAR, FAR), "DEGRADED", "next_unknown"),
        (OTHER_TIME, (READY, READY, READY), "FAILED", "next_differs"),
        (OTHER_BLOBS, (READY, READY, READY), "FAILED", "next_differs"),
        (READY, (FAR, FAR, FAR), "FAILED", "next_differs"),
        (READY, (CALM, CALM, CALM), "DEGRADED", "next_differs"),
        (OTHER_DEPOSITS, (READY, READY, READY), "DEGRADED", "next_differs"),
        (OTHER_NOW, (READY, READY, READY), "DEGRADED", "current_differs"),
        (CALM, (READY, TIMEOUT, CALM), "UNKNOWN", "no_quorum"),
        (CALM, (TIMEOUT, TIMEOUT, CALM), "UNKNOWN", "no_quorum"),
        (CALM, (READY, CALM, FAR), "UNKNOWN", "no_quorum"),
        (CALM, (ABSENT, CALM, CALM), "OK", "same_schedule"),
        (CALM, (ABSENT, TIMEOUT, CALM), "UNKNOWN", "no_quorum"),
        (CALM, (ABSENT, ABSENT, CALM), "OK", "uncompared"),
        (CALM, (ABSENT, ABSENT, ABSENT), "OK", "uncompared"),
    ],
    ids=[
        "nothing_ahead",
        "same_next",
        "other_rules",
        "other_rules_of_the_majority",
        "unknown_soon",
        "unknown_at_the_horizon",
        "unknown_beyond_the_horizon",
        "other_time",
        "other_blobs",
        "earlier_than_the_references",
        "alone",
        "other_deposit_contract",
        "other_precompiles_now",
        "one_of_three_knows",
        "one_answers",
        "three_schedules",
        "one_lacks_the_method",
        "one_lacks_one_is_silent",
        "two_lack_the_method",
        "nobody_has_the_method",
    ],
)
def test_upgrade_is_judged_against_the_majority(
    mine: Config, theirs: tuple[Config | Unseen, ...], level: str, reason: str
) -> None:
    """What will part it from the majority within a week fails; the rest is told in time."""
    finding = judged(mine, *theirs)
    assert (finding.level, finding.reason) == (Level[level], reason)


def test_upgrade_with_one_reference_is_never_failed() -> None:
    """A single voice may be the wrong one."""
    assert judged(CALM, READY, single=True).level == Level.DEGRADED
    assert judged(STRANGER, CALM, single=True).level == Level.DEGRADED
    assert judged(CALM, CALM, single=True).level == Level.OK


@pytest.mark.parametrize(
    ("mine", "theirs", "head_timestamp", "level", "reason"),
    [
        (passed(READY, 5), DONE, AT - 6, "OK", "crossing"),
        (passed(READY, 5), DONE, None, "OK", "crossing"),
        (passed(READY, 5), DONE, AT - 5, "FAILED", "other_fork"),
        (DONE, passed(READY, 5), AT, "OK", "crossing"),
        (passed(READY, 5), passed(READY, 5), AT - 6, "OK", "same_schedule"),
        (passed(READY, 5), passed(READY, 5), AT - 5, "DEGRADED", "due"),
        (passed(READY, 600), passed(READY, 600), AT - 601, "DEGRADED", "due"),
        (passed(READY, 600), DONE, AT - 601, "DEGRADED", "due"),
    ],
    ids=[
        "references_first",
        "references_first_head_unseen",
        "its_head_is_past_it",
        "node_first",
        "nobody_yet",
        "head_is_past_it_and_nobody_changed",
        "long_ago_by_our_clock",
        "long_ago_and_references_went",
    ],
)
def test_upgrade_that_is_being_made_accuses_only_who_did_not_make_it(
    mine: Config, theirs: Config, head_timestamp: int | None, level: str, reason: str
) -> None:
    """One side reaches the moment first; a head beyond it with the old rules is not on its way."""
    finding = judged(mine, theirs, theirs, theirs, head_timestamp=head_timestamp)
    assert (finding.level, finding.reason) == (Level[level], reason)


@pytest.mark.parametrize(("late", "level"), [(-0.1, Level.OK), (0.0, Level.DEGRADED)])
def test_upgrade_is_due_once_the_chain_would_be_called_quiet(late: float, level: Level) -> None:
    """A missed slot at the moment of the upgrade is no reason to call."""
    mine = passed(READY, 0)
    at = AT + POLICY.stall_seconds + late
    assert judged(mine, mine, mine, mine, head_timestamp=AT - 12, at=at).level == level


def test_upgrade_whose_next_fork_is_the_current_one_is_not_due() -> None:
    """Some clients name the last of their forks twice."""
    twice = Config(PRAGUE, replace(PRAGUE, activation_time=AT - DAY))
    assert judged(twice, twice, twice, twice).level == Level.OK


@pytest.mark.parametrize(
    ("days", "words"), [(6.0, "6 days"), (1.9, "46 hours"), (0.05, "72 minutes"), (-1, "0 minutes")]
)
def test_upgrade_that_is_unknown_says_how_long_there_is_left(days: float, words: str) -> None:
    """A person reads whether it is for today."""
    theirs = Config(PRAGUE, replace(OSAKA, activation_time=AT + int(days * DAY)))
    finding = judged(CALM, theirs, theirs, theirs)
    assert finding.summary.endswith(f"and it knows of none: {words} are left")
    assert finding.measured == int(days * DAY)
    assert finding.limit == HORIZON_SECONDS


def test_upgrade_that_differs_says_in_what() -> None:
    """Both sides are told, or which part of the configuration differs."""
    assert "it knows of 0x5167e2a6 at" in judged(OTHER_TIME, READY, READY, READY).summary
    assert judged(OTHER_DEPOSITS, READY, READY, READY).summary.endswith("other system contracts")
    assert (
        judged(OTHER_NOW, READY, READY, READY).evidence[0].said.startswith("fork 0xc376cf8b, next")
    )


def test_upgrade_offers_the_time_that_the_node_told() -> None:
    """The gauge needs no reference."""
    (offer,) = OFFERS
    assert offer.read is not None
    assert offer.read(UpgradeSeen(READY, None, 7.0, ())) == 7.0
