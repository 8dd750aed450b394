from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from dashboards.__main__ import BOARDS, DIRECTORY, generated, main


def test_committed_boards_are_those_that_the_code_makes() -> None:
    """What people import is what is read in the code; `python -m dashboards` makes it so."""
    committed = {path.name: path.read_text(encoding="utf-8") for path in DIRECTORY.iterdir()}
    assert committed == generated()


def test_boards_are_the_same_in_every_run() -> None:
    """No order of a set or of a dictionary gets into a file."""
    program = "from dashboards.__main__ import generated; print(generated())"
    made = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=DIRECTORY.parents[1],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        made.add(done.stdout)
    assert len(made) == 1


def test_board_that_is_no_more_leaves_no_file(tmp_path: Path) -> None:
    """A file that nothing makes would be imported for ever."""
    (tmp_path / "gone.json").write_text("{}")
    (tmp_path / "notes.txt").write_text("kept")
    main(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "notes.txt",
        *(f"{board.name}.json" for board in BOARDS),
    }


def test_page_for_operators_lists_every_board() -> None:
    """Who reads the documentation finds each board with its file, and no other."""
    page = (DIRECTORY.parents[1] / "docs" / "dashboards.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| headwatch")]
    assert [tuple(row.split(" | ")[:2]) for row in rows] == [
        (f"| {board.title}", f"`{board.name}.json`") for board in BOARDS
    ]
    assert f"for board in {' '.join(board.name for board in BOARDS)}; do" in page
