"""The store as a whole: what is added comes back, in order, once, whatever happened meanwhile."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.ledger.errors import BrokenStore
from monitor.ledger.logs import BadLogs, merged
from monitor.ledger.store import Identity, Mark, Snapshot, Store
from monitor.ledger.store.manifest import name_of
from monitor.ledger.store.store import LOGS_A_FILE, PAGES_JOINED
from monitor.model import Address
from tests.ledger.store.samples import (
    HUB,
    IDENTITY,
    files_of,
    fill,
    held,
    logs_of,
    named,
    nothing,
    opened,
    same,
)

OTHERS = (
    Identity(2, "poco-v1", HUB),
    Identity(1, "poco-v3", HUB),
    Identity(1, "poco-v1", Address("0x" + "cd" * 20)),
)


# -- adding ----------------------------------------------------------------------------------------


def test_open_new_holds_nothing(tmp_path: Path) -> None:
    """A store that was just made, folders and all, holds no block."""
    with opened(tmp_path / "some" / "where") as store:
        assert (store.held_from, store.held_to, store.hash_at_end) == (None, None, None)
        assert (store.sealed_to, store.marks(), list(store.batches())) == (None, [], [])
        assert (store.snapshot(), store.facts("orders")) == (None, None)


def test_add_is_there_for_the_next_process(tmp_path: Path) -> None:
    """What was added is held after the store was closed and opened again."""
    with opened(tmp_path) as store:
        fill(store, (100, 103), (104, 104), a_block=2)
    with opened(tmp_path) as store:
        assert (store.held_from, store.held_to, store.hash_at_end) == (100, 104, named(104))
        assert same(held(store), logs_of(range(100, 105), 2))


def test_add_without_logs_moves_the_end(tmp_path: Path) -> None:
    """Blocks without logs are held as well; no empty batch is given out."""
    with opened(tmp_path) as store:
        store.add(nothing(), first=7, last=90, last_hash=named(90))
        fill(store, (91, 92))
        store.add(nothing(), first=93, last=99, last_hash=named(99))
        assert (store.held_from, store.held_to) == (7, 99)
        assert [batch.num_rows for batch in store.batches()] == [2]
        assert store.marks() == [Mark(99, named(99)), *_marks(92, 91), Mark(90, named(90))]


@pytest.mark.parametrize(
    ("first", "last"), [(104, 110), (102, 110), (105, 104), (103, 103), (0, 5), (105, 2**63)]
)
def test_add_of_what_does_not_follow_is_refused(tmp_path: Path, first: int, last: int) -> None:
    """Only blocks from the next one on can be added, and nothing is changed otherwise."""
    with opened(tmp_path) as store:
        fill(store, (100, 104))
        with pytest.raises(ValueError, match="do not follow block 104"):
            store.add(nothing(), first=first, last=last, last_hash=named(last))
        assert store.held_to == 104


@pytest.mark.parametrize("block", [99, 111])
def test_add_of_logs_outside_of_the_range_is_refused(tmp_path: Path, block: int) -> None:
    """A log of a block that is not among those that are added is nobody's."""
    with opened(tmp_path) as store:
        with pytest.raises(ValueError, match="outside of blocks 100 to 110"):
            store.add(logs_of([block]), first=100, last=110, last_hash=named(110))
        assert store.held_to is None


def test_add_of_logs_that_end_in_another_block_is_refused(tmp_path: Path) -> None:
    """Where the last block has logs, they are of the hash that is told; else a reorg came between.

    Logs of a block below it say nothing of its hash.
    """
    with opened(tmp_path) as store:
        with pytest.raises(BadLogs, match=f"block 101 is {named(101, 'b')}, and its logs are of"):
            store.add(logs_of([100, 101]), first=100, last=101, last_hash=named(101, "b"))
        store.add(logs_of([100, 101]), first=100, last=102, last_hash=named(102, "b"))
        assert store.hash_at_end == named(102, "b")


def test_add_of_other_columns_is_refused(tmp_path: Path) -> None:
    """A batch has the columns of logs, in their order."""
    few = logs_of([1]).select(["block", "log_index"])
    with opened(tmp_path) as store, pytest.raises(ValueError, match="not those of logs"):
        store.add(few, first=1, last=1, last_hash=named(1))


def test_add_out_of_order_is_put_in_order(tmp_path: Path) -> None:
    """Whatever order logs are added in, they are given out in that of the chain."""
    with opened(tmp_path) as store:
        logs = logs_of(range(10, 20), 3)
        order = list(reversed(range(logs.num_rows)))
        store.add(logs.take(order), first=10, last=19, last_hash=named(19))
        assert same(held(store), logs)


# -- sealing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("finalised", "sealed"),
    [(108, None), (109, 109), (118, 109), (119, 119), (125, 119), (10**9, 119)],
)
def test_seal_fills_files_from_final_blocks(
    tmp_path: Path, finalised: int, sealed: int | None
) -> None:
    """A file is made where ten logs are final, and not with nine; none above what is final."""
    with opened(tmp_path) as store:
        fill(store, (100, 104), (105, 111), (112, 125))
        store.seal(finalised)
        assert store.sealed_to == sealed
        assert same(held(store), logs_of(range(100, 126)))
    with opened(tmp_path) as store:
        assert (store.sealed_to, store.held_to) == (sealed, 125)
        assert same(held(store), logs_of(range(100, 126)))


def test_seal_never_parts_a_block(tmp_path: Path) -> None:
    """A file has all logs of its last block, so that it has more than ten here."""
    with opened(tmp_path) as store:
        fill(store, (0, 5), (6, 9), a_block=4)
        store.seal(9)
        assert files_of(tmp_path) == [name_of(0, 2), name_of(3, 5), name_of(6, 8)]
        assert [each.logs for each in store._files.listed] == [12, 12, 12]
        assert same(held(store), logs_of(range(10), 4))


def test_seal_of_one_large_page_makes_several_files(tmp_path: Path) -> None:
    """Whatever was added at once, files are of ten logs."""
    with opened(tmp_path) as store:
        fill(store, (1, 45))
        store.seal(45)
        assert [each.logs for each in store._files.listed] == [10] * 4
        fill(store, (46, 60))
        store.seal(60)
        assert (store.sealed_to, len(files_of(tmp_path))) == (60, 6)
        assert same(held(store), logs_of(range(1, 61)))


def test_seal_takes_blocks_without_logs_along(tmp_path: Path) -> None:
    """The ranges of files leave no block out, whether it has logs or not."""
    with opened(tmp_path) as store:
        store.add(nothing(), first=1, last=50, last_hash=named(50))
        fill(store, (51, 60))
        store.seal(60)
        assert files_of(tmp_path) == [name_of(1, 60)]
        store.add(nothing(), first=61, last=70, last_hash=named(70))
        store.seal(70)
        assert (store.sealed_to, store.held_to, store.hash_at_end) == (60, 70, named(70))


def test_seal_joins_many_small_final_pages(tmp_path: Path) -> None:
    """Pages of single blocks do not pile up for ever where logs are rare; those not final stay."""
    with opened(tmp_path, logs_a_file=10_000) as store:
        final = PAGES_JOINED + 3
        for block in range(1, final + 3):
            fill(store, (block, block))
            store.seal(min(block, final))
        assert len(store._tail.pages) == (final + 2) - PAGES_JOINED + 1
        assert store._tail.pages[0].last == PAGES_JOINED
        assert same(held(store), logs_of(range(1, final + 3)))


def test_seal_files_hold_a_hundred_thousand_logs() -> None:
    """The grain of files, where nothing else is asked for."""
    assert LOGS_A_FILE == 100_000


# -- rolling back ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("to", "held_to"),
    [
        (200, 130),
        (130, 130),
        (129, 127),
        (127, 127),
        (124, 124),
        (119, 119),
        (118, 109),
        (109, 109),
        (108, None),
        (-1, None),
    ],
)
def test_rollback_ends_at_the_newest_known_hash(
    tmp_path: Path, to: int, held_to: int | None
) -> None:
    """Not above what was asked for, at a block of logs, the end of a page or of a sealed file."""
    with opened(tmp_path) as store:
        fill(store, (100, 127))
        store.add(nothing(), first=128, last=130, last_hash=named(130))
        store.seal(120)
        assert store.rollback(to) == held_to
        _check_rolled_back(store, held_to)
    with opened(tmp_path) as store:
        _check_rolled_back(store, held_to)


def _check_rolled_back(store: Store, held_to: int | None) -> None:
    assert store.held_to == held_to
    assert store.hash_at_end == (None if held_to is None else named(held_to))
    kept = range(100, 100 if held_to is None else min(held_to, 127) + 1)
    assert same(held(store), logs_of(kept) if kept else nothing())


def test_rollback_then_another_chain(tmp_path: Path) -> None:
    """What is added after a reorg takes the place of what was rolled back, sealed or not."""
    with opened(tmp_path) as store:
        fill(store, (100, 127))
        store.seal(127)
        assert store.rollback(112) == 109
        assert files_of(tmp_path) == [name_of(100, 109)]
        fill(store, (110, 131), fork="b")
        store.seal(131)
        expected = [logs_of(range(100, 110)), logs_of(range(110, 132), fork="b")]
        assert same(held(store), merged(expected))
        assert store.marks() == [
            Mark(131, named(131, "b")),
            Mark(130, named(130, "b")),
            Mark(129, named(129, "b")),
            Mark(119, named(119, "b")),
            Mark(109, named(109)),
        ]


def test_rollback_to_nothing_begins_anywhere(tmp_path: Path) -> None:
    """An emptied store is like a new one: it may begin at another block."""
    with opened(tmp_path) as store:
        fill(store, (100, 127))
        store.seal(127)
        assert store.rollback(-1) is None
        assert (files_of(tmp_path), store.held_from, store.marks()) == ([], None, [])
        fill(store, (3, 5))
        assert (store.held_from, store.held_to) == (3, 5)


@pytest.mark.parametrize(("to", "is_kept"), [(115, True), (114, False)])
def test_rollback_takes_what_was_read_above_along(tmp_path: Path, to: int, is_kept: bool) -> None:
    """Facts and snapshot of a block that is rolled back go; those of the last one held stay."""
    with opened(tmp_path) as store:
        fill(store, (100, 127))
        store.put_facts("orders", b"{}", block=115)
        store.put_facts("pools", b"[]", block=100)
        store.put_snapshot(115, named(115), b"state")
        store.rollback(to)
        snapshot = Snapshot(115, named(115), b"state")
        assert store.facts("orders") == (b"{}" if is_kept else None)
        assert store.snapshot() == (snapshot if is_kept else None)
        assert store.facts("pools") == b"[]"


def test_marks_are_newest_first(tmp_path: Path) -> None:
    """The end is the first, then every height whose hash is known, downwards."""
    with opened(tmp_path) as store:
        fill(store, (100, 111))
        store.seal(111)
        store.add(logs_of([113]), first=112, last=115, last_hash=named(115))
        assert store.marks() == _marks(115, 113, 111, 110, 109)


# -- reading ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (None, None),
        (100, 125),
        (0, 10**9),
        (105, None),
        (None, 105),
        (109, 110),
        (110, 119),
        (119, 124),
        (122, 122),
        (126, None),
        (None, 99),
        (105, 104),
    ],
)
def test_batches_are_those_of_the_range(
    tmp_path: Path, first: int | None, last: int | None
) -> None:
    """Both bounds are included, over files and pages alike."""
    with opened(tmp_path) as store:
        fill(store, (100, 112), (113, 122), (123, 125))
        store.seal(122)
        wanted = range(max(first or 0, 100), min(125 if last is None else last, 125) + 1)
        assert same(held(store, first, last), logs_of(wanted) if wanted else nothing())


def test_batches_while_the_store_changes_end_with_an_error(tmp_path: Path) -> None:
    """Nobody goes on reading what may have been rolled back."""
    with opened(tmp_path) as store:
        fill(store, (1, 3), (4, 6))
        reading = store.batches()
        next(reading)
        fill(store, (7, 7))
        with pytest.raises(RuntimeError, match="changed while it was read"):
            next(reading)


def test_facts_and_snapshot_are_replaced(tmp_path: Path) -> None:
    """The last that was put under a key counts, for the next process too."""
    with opened(tmp_path) as store:
        for body in (b"one", b"\x00two"):
            store.put_facts("orders", body, block=1)
            store.put_snapshot(2, named(2), body * 2)
    with opened(tmp_path) as store:
        assert store.facts("orders") == b"\x00two"
        assert store.snapshot() == Snapshot(2, named(2), b"\x00two\x00two")
        assert store.facts("others") is None


# -- any history -----------------------------------------------------------------------------------

ADD, SEAL, ROLLBACK, REOPEN = "add", "seal", "rollback", "reopen"
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just(ADD), st.integers(1, 15), st.integers(0, 3)),
        st.tuples(st.just(SEAL), st.integers(0, 60), st.just(0)),
        st.tuples(st.just(ROLLBACK), st.integers(0, 60), st.just(0)),
        st.tuples(st.just(REOPEN), st.just(0), st.just(0)),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=40)
@given(ACTS)
def test_store_holds_what_a_dictionary_would(acts: list[tuple[str, int, int]]) -> None:
    """After any history there is, block by block, what was added last and not rolled back."""
    with tempfile.TemporaryDirectory() as name:
        chain: dict[int, tuple[int, str]] = {}
        store = opened(Path(name))
        for number, (act, amount, a_block) in enumerate(acts):
            if act == ADD:
                first, fork = max(chain, default=-1) + 1, str(number)
                fill(store, (first, first + amount - 1), a_block=a_block, fork=fork)
                chain |= dict.fromkeys(range(first, first + amount), (a_block, fork))
            elif act == SEAL:
                store.seal(amount)
            elif act == ROLLBACK:
                end = store.rollback(amount)
                assert end is None or end <= amount or end == max(chain)
                kept = -1 if end is None else end
                chain = {block: it for block, it in chain.items() if block <= kept}
            else:
                store.close()
                store = opened(Path(name))
            assert store.held_to == max(chain, default=None)
        of_blocks = [logs_of([block], *it) for block, it in chain.items() if it[0]]
        assert same(held(store), merged(of_blocks))
        ends = {mark.block: mark.hash for mark in store.marks()}
        assert all(named(block, chain[block][1]) == known for block, known in ends.items())
        store.close()


# -- what is refused -------------------------------------------------------------------------------


def test_open_twice_is_refused_with_the_number_of_the_process(tmp_path: Path) -> None:
    """One writer at a time; it is free again when that one closes."""
    used = rf"{tmp_path} is used by another headwatch \(pid {os.getpid()}\)"
    with opened(tmp_path), pytest.raises(BrokenStore, match=used):
        opened(tmp_path)
    opened(tmp_path).close()


@pytest.mark.parametrize("other", OTHERS)
def test_open_of_another_ledger_is_refused(tmp_path: Path, other: Identity) -> None:
    """A store is one ledger's, by chain, protocol and contract; both are named."""
    opened(tmp_path).close()
    with pytest.raises(BrokenStore, match="is of another ledger") as caught:
        Store.open(tmp_path, other)
    assert str(other) in str(caught.value)
    assert str(IDENTITY) in str(caught.value)
    opened(tmp_path).close()


def test_open_where_there_can_be_no_folder_is_refused(tmp_path: Path) -> None:
    """A file in the place of the folder is named."""
    (tmp_path / "file").write_text("mine")
    with pytest.raises(BrokenStore, match="file cannot be opened"):
        opened(tmp_path / "file")


Damage = Callable[[Path], object]
SEALED = f"events/{name_of(110, 119)}"


def _cut(name: str) -> Damage:
    def cut(folder: Path) -> None:
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[: len(whole) // 2])

    return cut


def _gone(name: str) -> Damage:
    return lambda folder: (folder / name).unlink()


def _emptied(name: str) -> Damage:
    return lambda folder: (folder / name).write_bytes(b"")


def _swapped(folder: Path) -> None:
    other = folder / "events" / name_of(100, 109)
    (folder / SEALED).write_bytes(other.read_bytes())


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        pytest.param(_cut(SEALED), "{}/" + SEALED + " is damaged", id="file cut"),
        pytest.param(_gone(SEALED), "{}/" + SEALED + " is missing", id="file gone"),
        pytest.param(_swapped, "{}/" + SEALED + " is damaged or another file", id="file swapped"),
        pytest.param(
            lambda folder: (folder / "events" / "mine.parquet").write_bytes(b"mine"),
            "{}/events/mine.parquet is no file of this store",
            id="stranger",
        ),
        pytest.param(_cut("manifest.json"), "{}/manifest.json is damaged", id="list cut"),
        pytest.param(_gone("manifest.json"), "{}/manifest.json is missing", id="list gone"),
        pytest.param(_emptied("manifest.json"), "{}/manifest.json is damaged", id="list emptied"),
        pytest.param(_cut("state.sqlite"), "{}/state.sqlite is damaged", id="tail cut"),
        pytest.param(_gone("state.sqlite"), "{}/state.sqlite is missing", id="tail gone"),
        pytest.param(_emptied("state.sqlite"), "{}/state.sqlite is damaged", id="tail emptied"),
    ],
)
def test_open_names_what_is_damaged_or_missing(tmp_path: Path, damage: Damage, said: str) -> None:
    """Whatever file of it is not as it was written: that file is named, and nothing is changed."""
    with opened(tmp_path) as store:
        fill(store, (100, 125))
        store.seal(125)
    damage(tmp_path)
    before = _bytes_of(tmp_path)
    with pytest.raises(BrokenStore) as caught:
        opened(tmp_path)
    assert str(caught.value).startswith(said.format(tmp_path))
    assert _bytes_of(tmp_path) == before


def test_open_of_lists_that_leave_blocks_out_is_refused(tmp_path: Path) -> None:
    """A list from before a file was sealed, beside a tail from after that: blocks are missing."""
    with opened(tmp_path) as store:
        fill(store, (100, 125))
        store.seal(110)
    early = (tmp_path / "manifest.json").read_bytes()
    with opened(tmp_path) as store:
        store.seal(125)
    (tmp_path / "manifest.json").write_bytes(early)
    with pytest.raises(BrokenStore, match="holds blocks from 120 on, and the sealed files not"):
        opened(tmp_path)


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_open_after_any_byte_changed_is_refused_or_as_before(data: st.DataObject) -> None:
    """No damage of a single byte anywhere gives other logs, facts or hashes than were written."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with opened(folder) as store:
            fill(store, (100, 125))
            store.seal(112)
            store.put_facts("orders", b"facts", block=110)
            store.put_snapshot(110, named(110), b"state")
            before = _said(store)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        path = data.draw(st.sampled_from([each for each in files if each.name != "store.lock"]))
        held_bytes = bytearray(path.read_bytes())
        at = data.draw(st.integers(0, len(held_bytes) - 1))
        held_bytes[at] ^= data.draw(st.integers(1, 255))
        path.write_bytes(held_bytes)
        try:
            with opened(folder) as store:
                assert _said(store) == before
        except BrokenStore as error:
            assert str(folder) in str(error)  # noqa: PT017 - either is right


def _said(store: Store) -> tuple[object, ...]:
    return (
        store.held_from,
        store.held_to,
        store.marks(),
        held(store).to_pylist(),
        store.facts("orders"),
        store.snapshot(),
    )


def _bytes_of(folder: Path) -> dict[str, bytes]:
    """What lies in a folder, the lock and SQLite's scratch files excepted."""
    return {
        str(path): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith((".lock", "-wal", "-shm"))
    }


def _marks(*blocks: int) -> list[Mark]:
    return [Mark(block, named(block)) for block in blocks]
