"""What waits at the same moment is one transaction; what fails in it fails alone."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from monitor.transactions.journal import (
    JournalDamagedError,
    JournalError,
    JournalFencedError,
    JournalFullError,
    SlotClosedError,
)
from monitor.transactions.journal.opening import Hold, open_journal
from monitor.transactions.journal.writer import (
    GROUP_BYTES_MAX,
    GROUP_MAX,
    JOB_BYTES,
    WAITING_BYTES_MAX,
    WAITING_MAX,
    Writer,
)

PUT = "INSERT INTO beat VALUES (?, ?, 0)"


class Ticks:
    """A stopwatch that moves by a second with every look."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


@pytest.fixture
async def hold(path: Path) -> AsyncIterator[Hold]:
    made = open_journal(path, busy_seconds=0)
    yield made
    made.close()


@pytest.fixture
async def writer(hold: Hold, commits: list[float]) -> AsyncIterator[Writer]:
    with ThreadPoolExecutor(1) as thread:
        made = Writer(hold, thread, stopwatch=Ticks(), on_commit=commits.append)
        yield made
        await made.close()


def put(name: str, error: Exception | None = None) -> Callable[[sqlite3.Connection], str]:
    """Work that writes a row, and then may fail."""

    def work(connection: sqlite3.Connection) -> str:
        connection.execute(PUT, (name, 1))
        if error is not None:
            raise error
        return name

    return work


def written(hold: Hold) -> list[str]:
    """What is in the file, as another connection sees it."""
    other = sqlite3.connect(hold.path)
    try:
        return [name for (name,) in other.execute("SELECT network FROM beat ORDER BY network")]
    finally:
        other.close()


async def all_of(writer: Writer, *works: Callable[[sqlite3.Connection], str]) -> list[object]:
    """What each answered or raised."""
    return list(await asyncio.gather(*map(writer.run, works), return_exceptions=True))


async def test_call_is_in_the_file_when_it_returns(
    writer: Writer, hold: Hold, commits: list[float]
) -> None:
    """And what the commit took was told by then."""
    assert await writer.run(put("a")) == "a"
    assert written(hold) == ["a"]
    assert commits == [1.0]


async def test_calls_of_one_moment_share_one_commit(
    writer: Writer, hold: Hold, commits: list[float]
) -> None:
    """A hundred at once are one transaction, and each has its own answer."""
    names = [f"{number:03}" for number in range(100)]
    assert await all_of(writer, *map(put, names)) == names
    assert written(hold) == names
    assert len(commits) == 1


async def test_calls_that_come_during_a_commit_share_the_next(
    writer: Writer, hold: Hold, commits: list[float]
) -> None:
    """Whenever in it they come: nobody waits for more than two."""
    may_go = threading.Event()

    def slow(connection: sqlite3.Connection) -> str:
        may_go.wait(10)
        return put("first")(connection)

    calls = [asyncio.ensure_future(writer.run(slow))]
    for number in range(50):
        # A turn of the loop, and more than one, between them.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        calls.append(asyncio.ensure_future(writer.run(put(f"{number:03}"))))
    await asyncio.sleep(0)
    may_go.set()
    assert await asyncio.gather(*calls) == ["first", *(f"{number:03}" for number in range(50))]
    assert len(commits) == 2
    assert len(written(hold)) == 51


async def test_calls_one_after_another_have_a_commit_each(
    writer: Writer, commits: list[float]
) -> None:
    """Who waits for each has each on the disk."""
    for number in range(3):
        await writer.run(put(str(number)))
    assert len(commits) == 3


async def test_call_that_only_looks_is_no_commit(writer: Writer, commits: list[float]) -> None:
    """Nothing was written, so nothing was waited for."""
    assert await writer.run(lambda connection: connection.execute("SELECT 1").fetchone()) == (1,)
    assert commits == []


@pytest.mark.parametrize(
    "error",
    [
        SlotClosedError("slot 7 is closed"),
        JournalError("no"),
        ValueError("no"),
        KeyError("no"),
        TypeError("no"),
        ZeroDivisionError("no"),
    ],
    ids=repr,
)
async def test_call_that_fails_fails_alone(
    writer: Writer, hold: Hold, commits: list[float], error: Exception
) -> None:
    """Nothing of it is written; the others of its transaction are."""
    answers = await all_of(writer, put("a"), put("b", error), put("c"))
    assert answers == ["a", error, "c"]
    assert written(hold) == ["a", "c"]
    assert len(commits) == 1


async def test_call_that_fails_by_itself_is_no_commit(
    writer: Writer, hold: Hold, commits: list[float]
) -> None:
    """What was written and taken back is not counted."""
    await all_of(writer, put("a", ValueError("no")))
    assert (written(hold), commits) == ([], [])


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (("b", None), "NOT NULL constraint failed"),
        (("b", 2**63), "too large"),
        (("\ud800", 1), "surrogates"),
    ],
)
async def test_call_that_no_file_can_hold_fails_alone(
    writer: Writer, hold: Hold, values: tuple[object, ...], words: str
) -> None:
    """A promise of the schema or a value without a place: an error of the journal."""

    def work(connection: sqlite3.Connection) -> str:
        connection.execute(PUT, values)
        return "b"

    first, second, third = await all_of(writer, put("a"), work, put("c"))
    assert (first, third, written(hold)) == ("a", "c", ["a", "c"])
    assert type(second) is JournalError
    assert words in str(second)


async def test_mistake_of_ours_fails_all_of_its_group_and_is_over(
    writer: Writer, hold: Hold
) -> None:
    """Nothing hangs: each learns of it, nothing is written, and the next is as before."""
    mistake = RuntimeError("ours")
    assert await all_of(writer, put("a"), put("b", mistake)) == [mistake, mistake]
    assert written(hold) == []
    assert await writer.run(put("c")) == "c"


async def test_full_disk_fails_all_of_its_group_and_is_tried_again(
    writer: Writer, hold: Hold, commits: list[float]
) -> None:
    """Nothing of it is written, each has an error of its own, and with room it works again."""
    pages = hold.connection.execute("PRAGMA page_count").fetchone()[0]
    hold.connection.execute(f"PRAGMA max_page_count = {pages}")
    answers = await all_of(writer, put("a"), put("b" * 100_000), put("c"))
    assert [type(answer) for answer in answers] == [JournalFullError] * 3
    assert len({id(answer) for answer in answers}) == 3
    assert str(answers[0]) == (
        f"{hold.path} cannot be written: there is no room (database or disk is full)"
    )
    assert (written(hold), commits) == ([], [])
    hold.connection.execute("PRAGMA max_page_count = 100000")
    assert await all_of(writer, put("a"), put("b" * 100_000)) == ["a", "b" * 100_000]
    assert len(commits) == 1


async def test_file_that_may_not_be_written_fails_all_of_its_group(
    writer: Writer, hold: Hold
) -> None:
    """As a file system that was mounted anew; afterwards it is tried again."""
    hold.connection.execute("PRAGMA query_only = 1")
    first, second = await all_of(writer, put("a"), put("b"))
    assert (type(first), type(second)) == (JournalError, JournalError)
    assert "readonly" in str(first)
    hold.connection.execute("PRAGMA query_only = 0")
    assert await writer.run(put("a")) == "a"


async def test_file_that_is_locked_fails_all_of_its_group(writer: Writer, hold: Hold) -> None:
    """By a person with a database browser, for longer than is waited; then it works again."""
    other = sqlite3.connect(hold.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    first, second = await all_of(writer, put("a"), put("b"))
    assert (type(first), type(second)) == (JournalError, JournalError)
    assert "database is locked" in str(first)
    other.execute("ROLLBACK")
    other.close()
    assert await all_of(writer, put("a"), put("b")) == ["a", "b"]


async def test_file_that_is_damaged_in_use_says_so(writer: Writer, hold: Hold) -> None:
    """Nothing is moved and nothing begun anew: the remedy is named."""
    hold.connection.execute("PRAGMA writable_schema = 1")
    hold.connection.execute("UPDATE sqlite_master SET rootpage = 9999 WHERE name = 'beat'")
    hold.connection.execute("PRAGMA schema_version = 99")
    (answer,) = await all_of(writer, put("a"))
    assert type(answer) is JournalDamagedError
    assert "restore it, or move it" in str(answer)
    assert "\n" not in str(answer)


async def test_place_that_cannot_be_looked_at_fails_all_of_its_group(
    writer: Writer, hold: Hold
) -> None:
    """Whether the files are still ours is not known: nothing is written, and it is tried again."""
    folder = hold.path.parent
    away = folder.with_name("away")
    folder.rename(away)
    folder.touch()
    first, second = await all_of(writer, put("a"), put("b"))
    assert (type(first), type(second)) == (JournalError, JournalError)
    assert str(first) == f"{hold.path} cannot be written: Not a directory"
    folder.unlink()
    away.rename(folder)
    assert await all_of(writer, put("a"), put("b")) == ["a", "b"]


# -- fencing -------------------------------------------------------------------------------------


def bump_epoch(hold: Hold, by: int = 1) -> None:
    other = sqlite3.connect(hold.path)
    other.execute("UPDATE fence SET epoch = epoch + ?", (by,))
    other.commit()
    other.close()


def replace_lock(hold: Hold) -> None:
    lock = hold.path.with_suffix(".lock")
    lock.unlink()
    lock.touch()


@pytest.mark.parametrize("spoil", [bump_epoch, replace_lock])
async def test_writer_that_is_fenced_writes_nothing(
    writer: Writer, hold: Hold, commits: list[float], spoil: Callable[[Hold], None]
) -> None:
    """Every call of the group fails, and nothing of it is in the file."""
    await writer.run(put("a"))
    spoil(hold)
    answers = await all_of(writer, put("b"), put("c"))
    assert [type(answer) for answer in answers] == [JournalFencedError] * 2
    assert written(hold) == ["a"]
    assert len(commits) == 1


async def test_writer_that_was_fenced_stays_so(writer: Writer, hold: Hold) -> None:
    """Also when everything is as it was: in between another may have done anything."""
    bump_epoch(hold)
    await all_of(writer, put("a"))
    bump_epoch(hold, -1)
    with pytest.raises(JournalFencedError, match=r"\(epoch 2, ours is 1\)"):
        await writer.run(put("b"))
    with pytest.raises(JournalFencedError):
        writer.check()
    assert written(hold) == []


async def test_calls_that_wait_while_it_is_fenced_fail_too(writer: Writer, hold: Hold) -> None:
    """They were taken before it was known, and go into a transaction after."""
    bump_epoch(hold)
    first = asyncio.ensure_future(writer.run(put("a")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    answers = await all_of(writer, put("b"), put("c"))
    assert [type(answer) for answer in answers] == [JournalFencedError] * 2
    with pytest.raises(JournalFencedError):
        await first
    assert written(hold) == []


# -- limits --------------------------------------------------------------------------------------


async def test_group_is_bounded_in_calls(writer: Writer, commits: list[float]) -> None:
    """What is beyond goes into the next."""
    await all_of(writer, *(put(str(number)) for number in range(GROUP_MAX + 1)))
    assert len(commits) == 2


@pytest.mark.parametrize(("more", "count"), [(0, 1), (1, 2)])
async def test_group_is_bounded_in_bytes(
    writer: Writer, commits: list[float], more: int, count: int
) -> None:
    """Two that together are too heavy are two; one that is too heavy by itself is one."""
    half = GROUP_BYTES_MAX // 2 - JOB_BYTES
    await asyncio.gather(writer.run(put("a"), half), writer.run(put("b"), half + more))
    assert len(commits) == count
    assert await writer.run(put("c"), GROUP_BYTES_MAX + 1) == "c"


@pytest.mark.parametrize(
    ("count", "size_bytes", "fails"),
    [
        (WAITING_MAX, 0, 0),
        (WAITING_MAX + 1, 0, 1),
        (4, WAITING_BYTES_MAX // 4 - JOB_BYTES, 0),
        (5, WAITING_BYTES_MAX // 4 - JOB_BYTES, 1),
    ],
)
async def test_calls_that_wait_are_bounded(
    writer: Writer, count: int, size_bytes: int, fails: int
) -> None:
    """In number and in bytes; what is too much is refused at once, and the rest is written."""
    answers = await asyncio.gather(
        *(writer.run(put(str(number)), size_bytes) for number in range(count)),
        return_exceptions=True,
    )
    refused = [answer for answer in answers if isinstance(answer, JournalError)]
    assert len(refused) == fails
    assert all("cannot be written as fast as it is told" in str(each) for each in refused)
    assert len(answers) - fails == len({answer for answer in answers if isinstance(answer, str)})
    # What was written weighs no more.
    assert await writer.run(put("x"), size_bytes) == "x"


# -- its end -------------------------------------------------------------------------------------


async def test_writer_that_closes_writes_what_waits(writer: Writer, hold: Hold) -> None:
    """Everything that was taken is answered; then nothing is taken any more."""
    waiting = [asyncio.ensure_future(writer.run(put(str(number)))) for number in range(3)]
    await asyncio.sleep(0)
    await writer.close()
    assert [await each for each in waiting] == ["0", "1", "2"]
    assert written(hold) == ["0", "1", "2"]
    with pytest.raises(JournalError, match=f"{hold.path} is closed"):
        await writer.run(put("x"))
    await writer.close()


async def test_call_that_is_cancelled_takes_nobody_with_it(writer: Writer, hold: Hold) -> None:
    """It may be written all the same; the others are answered."""
    calls = [asyncio.ensure_future(writer.run(put(name))) for name in ("a", "b", "c")]
    await asyncio.sleep(0)
    calls[1].cancel()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert (answers[0], type(answers[1]), answers[2]) == ("a", asyncio.CancelledError, "c")
    assert written(hold) == ["a", "b", "c"]
