"""The sealed files: what is listed counts, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.ledger.errors import BrokenStore
from monitor.ledger.logs import merged
from monitor.ledger.store.files import Files
from monitor.ledger.store.manifest import name_of
from monitor.ledger.store.words import Mark
from tests.ledger.store.samples import IDENTITY, files_of, logs_of, named


def files_in(folder: Path) -> Files:
    """The files below a folder, as a store opens them."""
    return Files(folder / "events", folder / "manifest.json", IDENTITY)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Three of ten blocks each, from block 10."""
    files = files_in(tmp_path)
    for first in (10, 20, 30):
        halves = [logs_of(range(first, first + 5)), logs_of(range(first + 5, first + 10))]
        files.add(halves, first, Mark(first + 9, named(first + 9)))
    return files


def test_files_that_were_added_are_listed(tmp_path: Path, files: Files) -> None:
    """Here and for whoever reads the list next, with their ranges and sizes."""
    again = files_in(tmp_path)
    assert again.listed == files.listed
    assert [(each.first, each.last, each.logs) for each in again.listed] == [
        (10, 19, 10),
        (20, 29, 10),
        (30, 39, 10),
    ]
    sizes = [(tmp_path / "events" / each.name).stat().st_size for each in again.listed]
    assert [each.bytes for each in again.listed] == sizes
    assert again.sealed_to == 39
    again.check()


@pytest.mark.parametrize(("first", "last"), [(0, 99), (15, 34), (20, 29), (29, 30), (34, 34)])
def test_batches_are_those_of_the_range(files: Files, first: int, last: int) -> None:
    """Both bounds are included, over the bounds of files."""
    found = merged(list(files.batches(first, last)))
    assert found.equals(logs_of(range(max(first, 10), min(last, 39) + 1)))


@pytest.mark.parametrize(("above", "left"), [(39, 3), (38, 2), (29, 2), (28, 1), (18, 0), (-1, 0)])
def test_drop_takes_away_what_ends_above(
    tmp_path: Path, files: Files, above: int, left: int
) -> None:
    """From the list and from the disk; a file that reaches above goes as a whole."""
    files.drop(above)
    assert len(files.listed) == len(files_of(tmp_path)) == left
    assert files_in(tmp_path).listed == files.listed


def test_check_takes_away_what_a_kill_left(tmp_path: Path, files: Files) -> None:
    """A file that was written and not listed yet, whole or in part."""
    for name in (name_of(40, 49), name_of(40, 49) + ".new"):
        (tmp_path / "events" / name).write_bytes(b"left")
    (tmp_path / "manifest.json.new").write_bytes(b"left")
    files_in(tmp_path).check()
    assert files_of(tmp_path) == [each.name for each in files.listed]
    assert not (tmp_path / "manifest.json.new").exists()


def test_check_names_a_stranger(tmp_path: Path, files: Files) -> None:
    """What is certainly not ours is left alone, and named: others may read the folder."""
    stranger = tmp_path / "events" / "notes.txt"
    stranger.write_text("mine")
    with pytest.raises(BrokenStore, match=f"^{stranger} is no file of this store"):
        files.check()
    assert stranger.read_text() == "mine"


def test_add_that_fails_lists_nothing(tmp_path: Path, files: Files) -> None:
    """A file that cannot be written is not counted."""
    before = files.listed
    blocked = tmp_path / "events" / name_of(40, 49)
    (blocked / "in the way").mkdir(parents=True)
    with pytest.raises(BrokenStore, match=f"{blocked}.* cannot be written"):
        files.add([logs_of(range(40, 50))], 40, Mark(49, named(49)))
    assert files.listed == files_in(tmp_path).listed == before
