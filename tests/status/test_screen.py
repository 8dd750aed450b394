from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from monitor import __version__
from monitor.model import Level, Snapshot
from monitor.status.document import EndpointState, Line, State, Window
from monitor.status.feed import Lost
from monitor.status.screen import Frame, screen, waiting
from tests.act import snapshots
from tests.status.stage import state

GOLDEN = Path(__file__).parent / "golden" / "stalled.txt"
LOST = Lost(3, "connection refused")
FOOTER = "127.0.0.1:9845; q or Ctrl-C ends it"


def drawn(shown: State | Snapshot, width: int = 80, height: int | None = 24, **more: object) -> str:
    """As a terminal without colours shows it, without the blanks at the ends of its lines."""
    frame = replace(Frame(width, height, footer=FOOTER), **more)  # type: ignore[arg-type]
    value = state(shown) if isinstance(shown, Snapshot) else shown
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(screen(value, frame))
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def failing_fleet() -> Snapshot:
    """Two hundred nodes, of which the last fails, and the one before is degraded."""
    snapshot = snapshots.fleet()
    for name, level in (("node-199", Level.FAILED), ("node-198", Level.DEGRADED)):
        bad = snapshots.finding("head", f"node:{name}", level, "behind")
        snapshot = snapshots.with_finding(snapshot, bad)
    return snapshot


def test_screen_of_a_stall_is_the_golden_one() -> None:
    """Verdict, network, cause, nodes worst first and references, on 80 columns."""
    text = drawn(snapshots.stalled()).replace(f"headwatch {__version__}", "headwatch VERSION")
    assert text == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [80, 200])
@pytest.mark.parametrize("lost", [None, LOST])
@pytest.mark.parametrize("situation", [*snapshots.SITUATIONS, "fleet"])
def test_screen_never_grows_beyond_its_size(situation: str, lost: Lost | None, width: int) -> None:
    """Whatever there is to show, and however small the window, lines and columns fit."""
    snapshot = {**snapshots.SITUATIONS, "fleet": failing_fleet()}[situation]
    for height in (7, 8, 9, 10, 11, 12, 15, 20, 24, 40, 60):
        lines = drawn(snapshot, width, height, lost=lost).splitlines()
        assert len(lines) <= height
        assert max(map(len, lines)) <= width
        assert lines[-1] == FOOTER


def test_screen_of_a_fleet_shows_the_worst_first_and_counts_the_rest() -> None:
    """Two of two hundred are bad: they stand at the top, and nobody is left out unsaid."""
    lines = drawn(failing_fleet()).splitlines()
    assert lines[0].startswith(" FAIL ")
    start = next(number for number, line in enumerate(lines) if line.startswith("NODE"))
    assert lines[start + 1].startswith("node-199  failed")
    assert lines[start + 2].startswith("node-198  degraded")
    shown = sum(line.startswith("node-") for line in lines)
    assert f"and {200 - shown} more nodes" in lines
    assert "and 3 more references" in lines


def test_screen_of_a_fleet_without_a_height_shows_everything() -> None:
    """What is written into a file is cut nowhere."""
    text = drawn(failing_fleet(), height=None)
    assert sum(line.startswith("node-") for line in text.splitlines()) == 200
    assert "more" not in text


def test_screen_wide_shows_hash_and_client() -> None:
    """Room is used where there is some."""
    text = drawn(snapshots.healthy(), 140)
    assert "Geth/v1.16.2" in text
    assert "0x000000…" in text
    assert "Geth" not in drawn(snapshots.healthy(), 80)


@pytest.mark.parametrize("situation", snapshots.SITUATIONS)
def test_screen_of_a_lost_connection_never_shows_its_state_as_current(situation: str) -> None:
    """The last state is still there, called old, and its verdict is one that was."""
    snapshot = snapshots.SITUATIONS[situation]
    lines = drawn(snapshot, lost=LOST, old_seconds=12.0).splitlines()
    word = snapshot.verdict.word.upper()
    assert lines[0] == " CONNECTION LOST, trying again (3): connection refused"
    assert lines[1] == "What follows is OLD: the last state, of 11:06:40 UTC, 12 s ago."
    assert lines[2].startswith(f"was {word}: ")
    assert not any(line.startswith(f" {word} ") for line in lines)


def test_screen_of_a_lost_connection_is_dim() -> None:
    """What is old does not look as if it were new, colours included."""
    console = Console(width=80, color_system="standard", force_terminal=True)
    with console.capture() as capture:
        console.print(screen(state(snapshots.healthy()), Frame(80, 24, LOST)))
    old = next(line for line in capture.get().splitlines() if "local" in line and "21" in line)
    assert "\x1b[2" in old


def test_screen_before_the_first_state_says_that_it_tries() -> None:
    """An address where nobody listens is a sentence and not an empty screen."""
    console = Console(width=80, color_system=None)
    with console.capture() as capture:
        console.print(waiting(None, Frame(80, 24)))
        console.print(waiting(LOST, Frame(80, 24, footer=FOOTER)))
    assert "connecting" in capture.get()
    assert "NO CONNECTION, trying again (3): connection refused" in capture.get()


def test_node_that_was_not_seen_has_dashes_and_why() -> None:
    """No number is shown for what was not seen, and the reason stands beside it."""
    text = drawn(snapshots.unreachable(), 140)
    row = next(line for line in text.splitlines() if line.startswith("local"))
    assert row.split()[:5] == ["local", "unknown", "–", "–", "–"]
    assert "the connection was refused" in row


def test_maintenance_is_said_above_and_beside_the_node() -> None:
    """Who wonders why nobody was told finds the reason."""
    told = state(replace(snapshots.stalled(), silenced=frozenset({"node:local"})))
    until = told.at.replace(hour=12, minute=0, second=0)
    reason, local = Line("disks"), (Line("local"),)
    windows = tuple(
        Window(active=active, ends_at=until, networks=(), nodes=nodes, reason=reason)
        for active, nodes in ((True, local), (True, ()), (False, ()))
    )
    changed = State(
        **{field: getattr(told, field) for field in State.__struct_fields__} | {"windows": windows}
    )
    text = drawn(changed)
    assert "maintenance of local until 12:00:00 UTC (disks); and 1 more" in text
    assert "head, stall; under maintenance" in text


def test_ends_of_numbers_that_nobody_expects_are_cut() -> None:
    """A height of 78 digits moves no column off the screen."""
    told = state(snapshots.healthy())
    node = told.nodes[0]
    huge = EndpointState(
        **{field: getattr(node, field) for field in EndpointState.__struct_fields__}
        | {"head": 2**256 - 1, "lag_blocks": -(2**255), "age_seconds": -1e77}
    )
    changed = State(
        **{field: getattr(told, field) for field in State.__struct_fields__} | {"nodes": (huge,)}
    )
    row = next(line for line in drawn(changed).splitlines() if line.startswith("local"))
    assert len(row) <= 80
    assert row.count("…") >= 3


def test_markup_in_a_word_of_a_node_stays_a_word() -> None:
    """A node cannot colour the screen, nor hide a line of it."""
    evil = snapshots.finding("head", "node:local", Level.FAILED, summary="[red]x[/] [link=a]b")
    assert "[red]x[/] [link=a]b" in drawn(snapshots.with_finding(snapshots.healthy(), evil))


def test_causes_in_a_circle_are_told_all_the_same() -> None:
    """Two findings that name each other are not both hidden as consequences."""
    snapshot = snapshots.healthy()
    for check, other in (("head", "stall"), ("stall", "head")):
        bad = snapshots.finding(check, "node:local", Level.FAILED, because=(other, "node:local"))
        snapshot = snapshots.with_finding(snapshot, bad)
    assert "head  node local" in drawn(snapshot)


def test_many_networks_are_counted() -> None:
    """A section never takes the room of those below it."""
    healthy = snapshots.healthy()
    networks = tuple(snapshots.network_facts(f"net-{number}") for number in range(30))
    text = drawn(replace(healthy, networks=networks))
    assert "more networks" in text
    assert "\nlocal " in text
