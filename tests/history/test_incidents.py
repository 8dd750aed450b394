"""Incidents: opened, changed and closed by edges, over restarts and without gaps."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.history import reads
from monitor.history.incidents import STEPS_KEPT_MAX, forget, is_forgotten, open_keys
from monitor.history.record import FORGOTTEN, Edge, Incident, StepKind
from monitor.history.store import Batch, Store
from monitor.model import Key, Level
from tests.act.snapshots import NOW
from tests.history.samples import HEAD, edge, store


def written(*edges: Edge, into: Store | None = None) -> Sequence[Incident]:
    """The incidents after these edges, newest first."""
    target = into or store()
    target.write(Batch(list(edges)))
    return reads.incidents(target.connection, subject=None, network=None, since=0, limit=500)


def test_incident_lasts_from_its_opening_to_its_closing() -> None:
    """Each edge is a step; the incident says the last and the worst that it was."""
    (incident,) = written(
        edge("opened", Level.UNKNOWN, NOW, reason="timeout", silenced=True),
        edge("changed", Level.FAILED, NOW + 5, before=Level.UNKNOWN),
        edge("changed", Level.DEGRADED, NOW + 9, before=Level.FAILED, reason="slow"),
        edge("closed", Level.OK, NOW + 20, before=Level.DEGRADED, reason="level"),
    )
    assert (incident.opened_at, incident.closed_at) == (NOW, NOW + 20)
    assert (incident.level, incident.worst) == (Level.DEGRADED, Level.FAILED)
    assert (incident.reason, incident.silenced) == ("slow", True)
    steps = [(s.at - NOW, s.kind, s.level, s.before, s.reason) for s in incident.steps]
    assert steps == [
        (0, "opened", Level.UNKNOWN, Level.OK, "timeout"),
        (5, "changed", Level.FAILED, Level.UNKNOWN, "behind"),
        (9, "changed", Level.DEGRADED, Level.FAILED, "slow"),
        (20, "closed", Level.OK, Level.DEGRADED, "level"),
    ]


def test_incident_that_opens_again_is_another() -> None:
    """What was closed stays closed."""
    second, first = written(
        edge(), edge("closed", Level.OK, NOW + 1), edge(at=NOW + 2, reason="again")
    )
    assert (first.closed_at, second.closed_at) == (NOW + 1, None)
    assert second.id > first.id


def test_incident_of_before_a_restart_goes_on() -> None:
    """The fold begins anew and opens what is open: it is one incident, and no news."""
    file = store()
    written(edge(), into=file)
    (same,) = written(edge(at=NOW + 60), into=file)
    assert (same.opened_at, len(same.steps), same.summary) == (NOW, 1, f"behind at {NOW + 60:.0f}")
    (other,) = written(edge(level=Level.DEGRADED, at=NOW + 90), into=file)
    assert other.id == same.id
    step = other.steps[-1]
    assert (step.kind, step.before, step.level) == ("changed", Level.FAILED, Level.DEGRADED)


def test_edges_without_their_opening_make_what_they_can() -> None:
    """A change whose opening was lost opens an incident, a closing alone is none."""
    assert not written(edge("closed", Level.OK))
    (incident,) = written(edge("changed", Level.DEGRADED, before=Level.FAILED))
    assert (incident.steps[0].kind, incident.opened_at) == ("opened", NOW)


def test_incident_says_what_explains_it() -> None:
    """The newest cause, and none when there is none any more."""
    cause = ("stall", "node:local")
    file = store()
    assert written(replace(edge(), because=cause), into=file)[0].because == cause
    assert written(edge("changed", Level.DEGRADED, NOW + 1), into=file)[0].because is None


def test_incident_with_endless_steps_keeps_the_first_and_the_newest() -> None:
    """A finding that goes to and fro for days fills no file."""
    file = store()
    levels = [Level.DEGRADED, Level.FAILED]
    edges = [edge("changed", levels[n % 2], NOW + n) for n in range(3 * STEPS_KEPT_MAX)]
    (incident,) = written(edge(), *edges, into=file)
    (kept,) = file.connection.execute("SELECT count(*) FROM steps").fetchone()
    assert kept == STEPS_KEPT_MAX
    assert len(incident.steps) == reads.STEPS_MAX
    assert (incident.steps[0].kind, incident.steps[-1].at) == ("opened", edges[-1].at)
    ats = [step.at for step in incident.steps]
    assert ats == sorted(ats)


@pytest.mark.parametrize(
    ("subject", "forgotten"),
    [
        ("node:local", False),
        ("node:gone", True),
        ("reference:ethereum/gone", True),
        ("monitor", False),
        ("ledger:poco", False),
    ],
)
def test_subject_that_is_no_longer_configured_is_forgotten(
    subject: str, *, forgotten: bool
) -> None:
    """Nodes and references are configured; what else there is comes and goes by itself."""
    assert is_forgotten(subject, {"node:local"}) is forgotten
    file = store()
    written(edge(key=("head", subject)), into=file)
    assert forget(file.connection, {"node:local"}, NOW + 9) == forgotten
    (incident,) = written(into=file)
    assert incident.closed_at == (NOW + 9 if forgotten else None)
    assert (incident.steps[-1].reason == FORGOTTEN) is forgotten
    assert forget(file.connection, {"node:local"}, NOW + 10) == 0


keys = st.sampled_from([HEAD, ("stall", "node:local"), ("head", "node:spare")])
KINDS: tuple[StepKind, ...] = ("opened", "changed", "closed")
kinds = st.sampled_from(KINDS)


@settings(deadline=None)
@given(st.lists(st.tuples(kinds, keys, st.sampled_from(list(Level)[1:])), max_size=30))
def test_incidents_of_a_key_never_overlap(told: list[tuple[StepKind, Key, Level]]) -> None:
    """Whatever edges come, and whichever are lost: at most one is open, after all others."""
    edges = [
        replace(edge(at=NOW + n), kind=kind, key=key, level=Level.OK if kind == "closed" else level)
        for n, (kind, key, level) in enumerate(told)
    ]
    file = store()
    found = written(*edges, into=file)
    for key in {each.key for each in edges}:
        mine = [i for i in found if (i.check, i.subject) == key][::-1]
        for before, after in itertools.pairwise(mine):
            assert before.closed_at is not None
            assert before.closed_at < after.opened_at
        last = [each for each in edges if each.key == key][-1]
        assert (key in open_keys(file.connection)) is (last.kind != "closed")
    for incident in found:
        assert incident.level != Level.OK
        assert incident.worst >= max(step.level for step in incident.steps)
