"""A store that is killed before any step, or has no room at any: what was told is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.ledger.store.samples import files_of, fill, named, opened
from tests.ledger.store.story import ACTS, DONE, Told, told

ROOT = Path(__file__).resolve().parents[3]
STEPS_MIN = 45


def lived(*arguments: str) -> list[int]:
    """Run the story in a process of its own; the numbers that it prints."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.ledger.store.story", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    return [int(line) for line in ran.stdout.split()]


@pytest.fixture
def states(tmp_path: Path) -> list[Told]:
    """What the store says before the first act, and after each, where nothing goes wrong."""
    with opened(tmp_path / "undisturbed") as store:
        said = [told(store)]
        for act in ACTS:
            act(store)
            said.append(told(store))
        return said


def test_kill_before_any_step_leaves_what_was_acknowledged(
    tmp_path: Path, states: list[Told]
) -> None:
    """After a kill the store opens, and is as after the last act that was over, or the next one.

    No file is left that the list does not name, and the story can go on.
    """
    steps = lived("kill", str(tmp_path))
    assert len(steps) > STEPS_MIN
    seen = set()
    for step in steps:
        folder = tmp_path / f"{step:04}"
        acts = len((tmp_path / f"{folder.name}.{DONE}").read_bytes())
        with opened(folder) as store:
            said = told(store)
            assert said in states[acts : acts + 2], f"killed before step {step}, after act {acts}"
            seen.add(acts)
            assert not [path for path in folder.rglob("*") if path.name.endswith(".new")]
            assert [each.name for each in store._files.listed] == files_of(folder)
            first = 0 if store.held_to is None else store.held_to + 1
            fill(store, (first, first + 9), fork="after")
            store.seal(first + 9)
            end = store.hash_at_end
        with opened(folder) as store:
            assert (store.held_to, store.hash_at_end) == (first + 9, named(first + 9, "after"))
            assert end == store.hash_at_end
    assert seen >= set(range(len(ACTS)))


@pytest.mark.parametrize("room_bytes", [100, 3_000, 20_000])
def test_room_that_ends_at_any_file_leaves_nothing_half(
    tmp_path: Path, states: list[Told], room_bytes: int
) -> None:
    """Whichever file cannot grow: the act is refused, and may be made again when there is room."""
    (failures,) = lived("cramped", str(tmp_path), str(room_bytes))
    assert failures > 0
    with opened(tmp_path / "cramped") as store:
        assert told(store) == states[-1]
