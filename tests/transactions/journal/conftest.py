"""What every test of the journal may ask for."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from monitor.transactions.journal import Journal
from tests.transactions.journal.samples import NOW, memory


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    """The tables in memory, for functions of a connection."""
    with memory() as made:
        yield made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.fixture
def commits() -> list[float]:
    """The seconds of every commit of `journal`."""
    return []


@pytest.fixture
async def journal(path: Path, commits: list[float]) -> AsyncIterator[Journal]:
    """An open journal in a file."""
    made = Journal(path, clock=lambda: NOW, on_commit=commits.append)
    await made.open()
    yield made
    await made.close()
