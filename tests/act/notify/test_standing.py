"""What is wrong now, as everybody who is told is compared with."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.act.notify.standing import Bad, Standing, cause_of, follow
from monitor.judge.verdict import verdict_of
from monitor.model import Key, Level
from tests.act.notify.stage import NODE, World, edge, finding

OK, UNKNOWN, DEGRADED, FAILED = Level
STALL, HEAD, FORK = ("stall", NODE), ("head", NODE), ("fork", NODE)


def test_edges_move_levels_and_the_first_says_since_when() -> None:
    """From one bad level to another it is still the same trouble."""
    world = World()
    standing: Standing = {}
    for now, level in ((1.0, UNKNOWN), (5.0, FAILED)):
        actions = world.put(finding(level=level), now=now)
        standing, _ = follow(standing, actions, world.verdict(now))
    assert (standing[STALL].level, standing[STALL].opened_at) == (FAILED, 1.0)
    actions = world.put(finding(level=OK), now=9.0)
    standing, edges = follow(standing, actions, world.verdict(9.0))
    assert (standing, edges) == ({}, actions)


def test_verdict_alone_opens_nothing() -> None:
    """An accusation that waits for its confirmation stands in it as UNKNOWN."""
    verdict = verdict_of([finding(level=UNKNOWN, reason="confirming")], 1.0)
    assert follow({}, (), verdict) == ({}, ())


def test_verdict_brings_new_numbers_and_the_cause() -> None:
    """What was said at the edge stays beside what is measured now."""
    world = World()
    standing, _ = follow({}, world.put(finding(), now=1.0), world.verdict(1.0))
    newer = finding(measured=9.0, because=HEAD)
    standing, _ = follow(standing, (), verdict_of([newer], 2.0))
    assert standing[STALL].newest.measured == 9.0
    assert standing[STALL].finding.measured is None
    assert standing[STALL].finding.because == HEAD


def test_key_that_the_verdict_does_not_know_is_over() -> None:
    """A reload draws no edge, so that one is drawn here."""
    world = World()
    standing, _ = follow({}, world.put(finding(because=HEAD), now=1.0), world.verdict(1.0))
    standing, edges = follow(standing, (), verdict_of([], 7.0))
    assert standing == {}
    (gone,) = edges
    assert (gone.kind, gone.key, gone.at, gone.before) == ("closed", STALL, 7.0, FAILED)
    assert (gone.finding.level, gone.finding.reason, gone.finding.because) == (
        OK,
        "forgotten",
        None,
    )


def test_edge_of_a_key_that_closed_twice_changes_nothing() -> None:
    """An edge that was missed is no reason to fail."""
    over = edge(finding(level=OK), FAILED, 1.0)
    assert follow({}, (over,), verdict_of([over.finding], 1.0)) == ({}, (over,))


@pytest.mark.parametrize(
    ("because", "cause"),
    [
        ({}, None),
        ({HEAD: STALL}, STALL),
        ({HEAD: STALL, STALL: FORK}, FORK),
        ({HEAD: ("identity", NODE)}, None),
        ({HEAD: STALL, STALL: HEAD}, None),
        ({HEAD: HEAD}, None),
        ({HEAD: STALL, STALL: FORK, FORK: STALL}, FORK),
    ],
)
def test_cause_is_the_root_among_what_is_visible(
    because: dict[Key, Key], cause: Key | None
) -> None:
    """Chains are followed; what is not there explains nothing; a circle ends."""
    standing: Standing = {}
    for key in (STALL, HEAD, FORK):
        made = replace(finding(key[0]), because=because.get(key))
        standing = {**standing, key: Bad(made, 0.0, made)}
    assert cause_of(standing[HEAD].finding, standing) == cause
