"""`python -m dashboards` writes every board to `dashboards/json/`.

A further board is one more file with a `BOARD`, and one more row in `BOARDS`.
"""

from __future__ import annotations

from pathlib import Path

from dashboards import checks, fleet, ledger, node, normal, references, transactions, watcher
from dashboards.board import Board

BOARDS: tuple[Board, ...] = (
    fleet.BOARD,
    node.BOARD,
    checks.BOARD,
    references.BOARD,
    transactions.BOARD,
    ledger.BOARD,
    watcher.BOARD,
)
DIRECTORY = Path(__file__).resolve().parent / "json"


def generated() -> dict[str, str]:
    """The text of every file, by its name."""
    return {f"{board.name}.json": normal.text(board.dashboard()) for board in BOARDS}


def main(directory: Path = DIRECTORY) -> None:
    """Write the files, and remove those of boards that are no more."""
    directory.mkdir(exist_ok=True)
    files = generated()
    for stray in set(directory.glob("*.json")) - {directory / name for name in files}:
        stray.unlink()
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
