"""The pages of the tail, and what goes with them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from monitor.ledger.errors import BrokenStore
from monitor.ledger.store.opening import create_tail, open_tail
from monitor.ledger.store.tail import Page, Span, Tail
from monitor.ledger.store.words import Mark, Snapshot
from tests.ledger.store.samples import IDENTITY, logs_of, named

ROOM_PAGES = 40


def ours() -> None:
    """Nobody else may write."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "state.sqlite"
    create_tail(path, IDENTITY)
    return path


@pytest.fixture
def tail(path: Path) -> Iterator[Tail]:
    """A tail that holds blocks 10 to 14 and 15 to 19."""
    tail = Tail(path, open_tail(path, IDENTITY), ours)
    tail.append(logs_of(range(10, 15)), 10, Mark(14, named(14)))
    tail.append(logs_of(range(15, 20)), 15, Mark(19, named(19)))
    yield tail
    tail.close()


def test_append_makes_a_page(tail: Tail) -> None:
    """Its range, its end and its count are known without reading it."""
    assert tail.span == Span(10, 10, 19, named(19))
    assert tail.pages == (Page(10, 14, named(14), 5), Page(15, 19, named(19), 5))
    assert tail.read(tail.pages[1]).equals(logs_of(range(15, 20)))
    tail.check()


@pytest.mark.parametrize(
    ("to", "pages"),
    [
        (9, ((10, 14), (15, 19))),
        (10, ((11, 14), (15, 19))),
        (14, ((15, 19),)),
        (17, ((18, 19),)),
        (19, ()),
    ],
)
def test_trim_keeps_what_is_above(tail: Tail, to: int, pages: tuple[tuple[int, int], ...]) -> None:
    """A page that is sealed in part keeps the rest; what is held is the same."""
    tail.trim(to)
    assert tail.span == Span(10, to + 1, 19, named(19))
    assert tuple((page.first, page.last) for page in tail.pages) == pages
    assert all(tail.read(p).equals(logs_of(range(p.first, p.last + 1))) for p in tail.pages)
    tail.check()


@pytest.mark.parametrize(
    ("to", "pages"),
    [(18, ((10, 14), (15, 18))), (14, ((10, 14),)), (12, ((10, 12),)), (10, ((10, 10),))],
)
def test_cut_keeps_what_is_below(tail: Tail, to: int, pages: tuple[tuple[int, int], ...]) -> None:
    """A page that is rolled back in part keeps the rest, and ends with the hash of the mark."""
    tail.cut(Mark(to, named(to)))
    assert tail.span == Span(10, 10, to, named(to))
    assert tuple((page.first, page.last) for page in tail.pages) == pages
    assert tail.pages[-1].mark == Mark(to, named(to))
    tail.check()


def test_cut_below_the_pages_leaves_none(tail: Tail) -> None:
    """The end of a sealed file may be the end of all."""
    tail.trim(14)
    tail.cut(Mark(12, named(12)))
    assert (tail.span, tail.pages) == (Span(10, 13, 12, named(12)), ())
    tail.cut(None)
    assert (tail.span, tail.pages) == (None, ())
    tail.check()


def test_join_makes_one_page(tail: Tail) -> None:
    """Nothing of it is lost but the ends in between."""
    tail.join(list(tail.pages))
    assert tail.pages == (Page(10, 19, named(19), 10),)
    assert tail.read(tail.pages[0]).equals(logs_of(range(10, 20)))
    tail.check()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM page WHERE first = 10", "block 10 is gone"),
        ("DELETE FROM page WHERE first = 15", "block 15 is gone"),
        ("DELETE FROM page", "block 10 is gone"),
        ("UPDATE page SET first = 11 WHERE first = 10", "block 10 is gone"),
        ("UPDATE page SET body = x'00' WHERE first = 15", "blocks 15 to 19"),
        ("UPDATE page SET last_hash = '0x' WHERE first = 10", "blocks 10 to 14"),
        ("UPDATE page SET logs = 4 WHERE first = 10", "blocks 10 to 14"),
        ("UPDATE state SET held_hash = '0x'", "two hashes of block 19"),
        ("UPDATE state SET held_to = 20", "block 20 is gone"),
    ],
)
def test_check_names_what_is_not_as_it_was_written(
    path: Path, tail: Tail, statement: str, said: str
) -> None:
    """Whatever was changed behind our back."""
    tail.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)
    tail = Tail(path, open_tail(path, IDENTITY), ours)
    with pytest.raises(BrokenStore, match=rf"^{path} is damaged \({said}\)"):
        tail.check()
    tail.close()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE facts SET body = x'00'", "the facts 'orders'"),
        ("UPDATE facts SET sha256 = 'text'", "the facts 'orders'"),
        ("UPDATE facts SET block = 9", "the facts 'orders'"),
        ("UPDATE snapshot SET hash = '0x'", "the snapshot"),
        ("UPDATE snapshot SET block = 9", "the snapshot"),
    ],
)
def test_facts_and_snapshot_that_were_changed_are_refused(
    path: Path, tail: Tail, statement: str, said: str
) -> None:
    """Neither is given out with other words than it was put there with."""
    tail.put_facts("orders", b"facts", 12)
    tail.put_snapshot(12, named(12), b"state")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)
    read: Callable[[], object] = tail.snapshot
    if said != "the snapshot":
        read = partial(tail.facts, "orders")
    with pytest.raises(BrokenStore, match=rf"is damaged \({said}\)"):
        read()


def test_full_disk_changes_nothing(path: Path) -> None:
    """What does not fit is refused, what was there is there, and what fits is taken."""
    tail = Tail(path, open_tail(path, IDENTITY, pages_max=ROOM_PAGES), ours)
    logs = logs_of(range(10, 15))
    tail.append(logs, 10, Mark(14, named(14)))
    tail.put_facts("orders", b"facts", 12)
    large = bytes(ROOM_PAGES * 4096)
    refused: tuple[Callable[[], None], ...] = (
        lambda: tail.append(logs_of(range(15, 2000), 3), 15, Mark(1999, named(1999))),
        lambda: tail.put_snapshot(12, named(12), large),
        lambda: tail.put_facts("orders", large, 13),
    )
    for fails in refused:
        with pytest.raises(BrokenStore, match=f"^{path} cannot be written: there is no room$"):
            fails()
        assert tail.span == Span(10, 10, 14, named(14))
        assert (tail.facts("orders"), tail.snapshot()) == (b"facts", None)
    tail.put_snapshot(12, named(12), b"state")
    assert tail.snapshot() == Snapshot(12, named(12), b"state")
    tail.check()
    tail.close()


def test_change_that_fails_half_way_changes_nothing(path: Path, tail: Tail) -> None:
    """A page that turns out to be damaged leaves those before it as they were."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE page SET body = x'00' WHERE first = 15")
    before = tail.pages
    with pytest.raises(BrokenStore, match=r"is damaged \(blocks 15 to 19\)"):
        tail.cut(Mark(12, named(12)))
    again = Tail(path, open_tail(path, IDENTITY), ours)
    assert tail.pages == again.pages == before
    again.close()


def test_tail_is_not_written_once_another_may(path: Path) -> None:
    """Who has lost the lock writes no more."""
    message = "lost"

    def lost() -> None:
        raise BrokenStore(message)

    tail = Tail(path, open_tail(path, IDENTITY), lost)
    with pytest.raises(BrokenStore, match=message):
        tail.append(logs_of([1]), 1, Mark(1, named(1)))
    assert tail.span is None
    tail.close()


def test_read_of_a_page_that_is_gone_is_refused(path: Path, tail: Tail) -> None:
    """A page that somebody else took away."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DELETE FROM page WHERE first = 10")
    with pytest.raises(BrokenStore, match=r"block 10 is gone"):
        tail.read(tail.pages[0])
