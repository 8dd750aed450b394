from __future__ import annotations

from dataclasses import replace

from monitor.act.pages.timeline import STEPS_MAX, incident_rows, incidents_page
from monitor.history import Incident, Step
from monitor.model import Evidence, Key, Level
from tests.act import snapshots
from tests.act.snapshots import NOW


def incident(number: int = 1, ago_seconds: float = 600, lasted: float | None = 60) -> Incident:
    """An incident of the node `local` that began so long ago; None: it is open."""
    begin = NOW - ago_seconds
    evidence = (Evidence("local", "eth_getBlockByNumber", "block 7", begin),)
    opened = Step(begin, "opened", Level.FAILED, Level.OK, "stalled", "stands", evidence)
    because: Key = ("stall", "node:local")
    return Incident(
        id=number,
        check="head",
        subject="node:local",
        network="ethereum",
        opened_at=begin,
        closed_at=None if lasted is None else begin + lasted,
        level=Level.DEGRADED,
        worst=Level.FAILED,
        reason="behind",
        summary="9 blocks behind",
        because=because,
        silenced=True,
        steps=(opened,),
    )


def test_timeline_has_the_open_ones_first_then_the_newest() -> None:
    """What still lasts is above all that is over, however old it is."""
    rows = incident_rows(
        [incident(1, 60), incident(2, 9000, None), incident(3, 30), incident(4, 20, None)], NOW
    )
    assert [row.anchor for row in rows] == [f"incident-{n}" for n in (4, 2, 3, 1)]
    assert [row.is_open for row in rows] == [True, True, False, False]


def test_timeline_row_says_worst_level_length_and_cause() -> None:
    """The badge is the worst that it came to; an open one lasts until now."""
    closed, still = incident_rows([incident(1), incident(2, 500, None)], NOW)[::-1]
    assert (closed.badge, closed.lasted) == ("FAIL", "1 min")
    assert (still.ended, still.lasted) == ("", "8 min 20 s")
    assert closed.because == "stall of node local"
    assert closed.is_silenced
    assert closed.href == "/node/local"


def test_timeline_steps_carry_their_evidence_and_have_a_limit() -> None:
    """Of an incident that flaps for days the newest steps are shown, and how many are not."""
    one = incident()
    (row,) = incident_rows([one], NOW)
    assert [step.kind for step in row.steps] == ["opened"]
    assert row.steps[0].evidence[0].said == "block 7"
    steps = tuple(replace(one.steps[0], summary=f"{n}") for n in range(STEPS_MAX + 5))
    flapping = replace(one, steps=steps)
    (row,) = incident_rows([flapping], NOW)
    assert [step.summary for step in row.steps] == [f"{n}" for n in range(5, STEPS_MAX + 5)]
    assert row.steps_left_out == 5
    (row,) = incident_rows([flapping], NOW, has_steps=False)
    assert (row.steps, row.steps_left_out) == ((), 0)


def test_timeline_page_offers_what_can_be_chosen() -> None:
    """Networks and nodes of the configuration; links keep what was chosen."""
    page = incidents_page(
        snapshots.stalled(), (incident(),), refresh_seconds=5, limit=100, node="local"
    )
    assert (page.networks, page.nodes) == (("ethereum",), ("local", "spare"))
    assert page.band.path == "/incidents?node=local"
    assert (page.has_history, page.is_cut, page.open_count) == (True, False, 0)
    elsewhere = incidents_page(
        snapshots.stalled(), (), refresh_seconds=5, limit=100, network="elsewhere"
    )
    assert elsewhere.nodes == ()


def test_timeline_page_without_a_history_says_so() -> None:
    """None is not the same as no incident."""
    page = incidents_page(snapshots.stalled(), None, refresh_seconds=5, limit=100)
    assert (page.has_history, page.incidents) == (False, ())
