"""A process that is killed in the middle of its writing, again and again, has lost nothing."""

from __future__ import annotations

import itertools
import random
import sqlite3
import subprocess
import sys
from collections import defaultdict
from contextlib import closing
from pathlib import Path

import pytest

from monitor.transactions.journal import Reader
from monitor.transactions.journal.opening import open_journal
from monitor.transactions.words import TERMINAL

ROOT = Path(__file__).resolve().parents[3]
KILLS = 20
SEED = 20_261_118
Told = dict[str, set[str]]
"""What was answered: by the call, the hashes or the numbers."""

WITHOUT_ATTEMPT = """
SELECT id FROM slot WHERE NOT EXISTS (SELECT 1 FROM attempt WHERE slot = slot.id)
"""
OTHER_THAN_ITS_HISTORY = """
SELECT id FROM slot WHERE state !=
    (SELECT state FROM state_history WHERE slot = slot.id ORDER BY id DESC LIMIT 1)
"""
LEASE_BY_HALF = """
SELECT id FROM lease WHERE
    (ended_at IS NULL) = EXISTS (SELECT 1 FROM attempt WHERE lease = lease.id)
"""
BROKEN_REFERENCE = "PRAGMA foreign_key_check"


def stream(path: Path, limit_bytes: int = 0) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.transactions.journal.stream", str(path), str(limit_bytes)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def read(line: str, told: Told) -> None:
    call, _, name = line.rstrip("\n").partition(" ")
    told[call].add(name)


def column(connection: sqlite3.Connection, query: str) -> set[str]:
    return {str(value) for (value,) in connection.execute(query)}


def check(connection: sqlite3.Connection, told: Told) -> None:
    """Everything that was answered is there, and nothing is there by half."""
    attempts = column(connection, "SELECT hash FROM attempt WHERE raw IS NOT NULL")
    arrivals = column(connection, "SELECT hash FROM arrival")
    assert told["arrived"] <= attempts | arrivals
    assert not attempts & arrivals
    assert told["observed"] <= attempts
    assert told["signed"] <= column(connection, "SELECT hash FROM attempt WHERE kind = 'replace'")
    assert told["intended"] <= column(connection, "SELECT id FROM action")
    done = column(connection, "SELECT id FROM action WHERE done_at IS NOT NULL")
    assert told["concluded"] <= done
    entered = column(connection, "SELECT slot FROM state_history WHERE state = 'dropped'")
    assert told["entered"] <= entered
    assert told["closed"] <= column(connection, "SELECT id FROM slot WHERE closed_at IS NOT NULL")
    for nothing in (WITHOUT_ATTEMPT, OTHER_THAN_ITS_HISTORY, LEASE_BY_HALF, BROKEN_REFERENCE):
        assert connection.execute(nothing).fetchall() == []
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_process_that_is_killed_has_everything_that_was_answered(path: Path) -> None:
    """Twenty kills of one journal, each after a drawn number of answers; each leaves it whole."""
    draw = random.Random(SEED)  # noqa: S311 - it draws moments, not keys
    told: Told = defaultdict(set)
    for kill in range(KILLS):
        count = draw.randrange(1, 400)
        with stream(path) as child:
            assert child.stdout is not None
            for line in itertools.islice(child.stdout, count):
                read(line, told)
            child.kill()
            # What it had said by then, though nobody had read it yet.
            for line in child.stdout:
                read(line, told)
        # Before anybody has put it in order, a reader sees all of it.
        counted = sum(each.slots for each in Reader(path).counts() if each.state in TERMINAL)
        assert counted >= len(told["closed"])
        with closing(open_journal(path)) as hold:
            # The child's epoch and ours.
            assert hold.epoch == 2 * (kill + 1), f"seed {SEED}, kill {kill}"
            check(hold.connection, told)
    assert "refused" not in told
    assert min(len(told[call]) for call in ("arrived", "signed", "closed")) > KILLS


@pytest.mark.parametrize("limit_bytes", [150_000, 300_000, 600_000])
def test_disk_that_takes_no_more_refuses_and_keeps_what_was_answered(
    path: Path, limit_bytes: int
) -> None:
    """In the middle of whatever it was writing; with room it goes on, and nothing is by half."""
    open_journal(path).close()
    told: Told = defaultdict(set)
    with stream(path, limit_bytes) as child:
        assert child.stdout is not None
        for line in child.stdout:
            read(line, told)
    assert child.returncode == 0
    assert told["refused"]
    assert all(str(path) in words and "cannot be written" in words for words in told["refused"])
    with closing(open_journal(path)) as hold:
        check(hold.connection, told)
    assert len(told["closed"]) >= 20
