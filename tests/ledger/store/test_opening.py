"""The file of the tail: what is opened, brought forward, and refused."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from monitor.ledger.errors import BrokenStore
from monitor.ledger.store.opening import create_tail, is_there, open_tail
from monitor.ledger.store.schema import MIGRATIONS
from monitor.ledger.store.words import Identity
from monitor.migrations import version_of
from tests.ledger.store.samples import IDENTITY

NEXT = (*MIGRATIONS, ("ALTER TABLE page ADD COLUMN note TEXT",))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.sqlite"


def test_create_tail_makes_one_that_opens(path: Path) -> None:
    """Complete under its name, with nothing beside it; what a kill left is made anew."""
    path.with_name("state.sqlite.new").write_bytes(b"half")
    assert not is_there(path)
    create_tail(path, IDENTITY)
    assert [each.name for each in path.parent.iterdir()] == ["state.sqlite"]
    assert is_there(path)
    with closing(open_tail(path, IDENTITY)) as connection:
        assert version_of(connection) == len(MIGRATIONS)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_open_tail_of_an_older_version_brings_it_forward(path: Path) -> None:
    """A headwatch with one version more opens it, and its rows are kept."""
    create_tail(path, IDENTITY)
    with closing(open_tail(path, IDENTITY, NEXT)) as connection:
        assert version_of(connection) == len(NEXT)
        assert connection.execute("SELECT protocol FROM state").fetchone() == ("poco-v1",)


def test_open_tail_of_a_newer_version_is_refused(path: Path) -> None:
    """And is left as it is: the newer headwatch may still have it."""
    create_tail(path, IDENTITY)
    open_tail(path, IDENTITY, NEXT).close()
    before = path.read_bytes()
    with pytest.raises(BrokenStore) as caught:
        open_tail(path, IDENTITY)
    assert str(caught.value) == (
        f"{path} has schema version {len(NEXT)}, and this headwatch knows {len(MIGRATIONS)}:"
        " run the newer headwatch"
    )
    assert path.read_bytes() == before


def test_open_tail_of_another_program_is_refused(path: Path) -> None:
    """A database without our mark."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE state (a)")
    with pytest.raises(BrokenStore, match=f"^{path} is another program's database"):
        open_tail(path, IDENTITY)


def test_open_tail_of_another_ledger_is_refused(path: Path) -> None:
    """Both ledgers are named."""
    create_tail(path, IDENTITY)
    with pytest.raises(BrokenStore, match=f"^{path} is of another ledger: poco-v1 .* on chain 1,"):
        open_tail(path, Identity(5, "poco-v1", IDENTITY.contract))


def test_open_tail_without_its_row_is_refused(path: Path) -> None:
    """A tail that does not say whose it is."""
    create_tail(path, IDENTITY)
    with closing(open_tail(path, IDENTITY)) as connection:
        connection.execute("DELETE FROM state")
    with pytest.raises(BrokenStore, match="does not say whose it is"):
        open_tail(path, IDENTITY)


@pytest.mark.parametrize("raw", [b"", b"not a database " * 400])
def test_open_tail_of_something_else_is_refused(path: Path, raw: bytes) -> None:
    """Empty, which SQLite would take for a new one, or no database."""
    path.write_bytes(raw)
    with pytest.raises(BrokenStore, match=f"^{path} is damaged"):
        open_tail(path, IDENTITY)


def test_is_there_without_the_file_of_a_log_is_refused(path: Path) -> None:
    """A log without its file has the newest of what was told: no new file is put beside it."""
    path.with_name("state.sqlite-wal").write_bytes(b"log")
    with pytest.raises(BrokenStore, match=f"^{path} is gone and its log state.sqlite-wal is there"):
        is_there(path)
