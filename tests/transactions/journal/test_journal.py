"""The front of the journal: what was told is there, for whoever asks next, whatever happens."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from monitor.transactions.journal import (
    Journal,
    JournalError,
    JournalFencedError,
    JournalFullError,
    JournalHeldError,
    Note,
    OverBudgetError,
    Past,
    Reader,
    Reservation,
    SlotClosedError,
)
from monitor.transactions.journal.store import SLOTS_A_PORTION
from monitor.transactions.words import Slot, State
from tests.transactions.journal.samples import (
    ALIAS,
    BLOCK,
    CHAIN,
    DAY,
    NETWORK,
    NOW,
    OTHER,
    SENDER,
    bare,
    change,
    hash_of,
    opened,
    raw_of,
    sighting,
    transaction,
)

BUMPED = transaction(7, tip_cap_wei=2 * 10**9)


async def close(journal: Journal, slot: Slot, at: float = NOW) -> None:
    await journal.close_slot(
        slot.id,
        State.FINAL_OK,
        consumer_hash=slot.attempts[0].hash if slot.attempts else None,
        number=101,
        block_hash=BLOCK,
        summary="final in block 101",
        at=at,
    )


# -- its life ------------------------------------------------------------------------------------


async def test_journal_that_is_not_open_takes_nothing(path: Path) -> None:
    """Before its opening and after its closing; a second closing is none."""
    journal = Journal(path)
    assert journal.epoch == 0
    for said in ("is not open", "is closed"):
        with pytest.raises(JournalError, match=said):
            await journal.beat(NETWORK, 1, NOW)
        with pytest.raises(JournalError, match=said):
            await journal.live(NETWORK)
        if said == "is not open":
            await journal.open()
            await journal.close()
    await journal.close()


async def test_journal_is_opened_once(journal: Journal, path: Path) -> None:
    """Neither the same nor another may while it is open; afterwards another epoch begins."""
    assert journal.epoch == 1
    with pytest.raises(JournalError, match="is open already"):
        await journal.open()
    another = Journal(path)
    with pytest.raises(JournalHeldError, match="is used by another headwatch"):
        await another.open()
    await journal.close()
    await another.open()
    assert another.epoch == 2
    await another.close()


async def test_journal_that_is_refused_holds_nothing(path: Path) -> None:
    """The same object may try again when somebody has restored the file."""
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE cookies (name TEXT)")
    journal = Journal(path)
    with pytest.raises(JournalError, match="another program's database"):
        await journal.open()
    path.rename(path.with_name("cookies.sqlite"))  # noqa: ASYNC240 - nobody waits
    await journal.open()
    await journal.beat(NETWORK, 1, NOW)
    await journal.close()
    assert sorted(file.name for file in path.parent.iterdir() if file.suffix != ".sqlite") == [
        "journal.lock"
    ]


async def test_journal_that_is_closed_writes_what_waits(journal: Journal, path: Path) -> None:
    """What was told before is answered, and is in the file."""
    telling = [
        asyncio.ensure_future(journal.arrive(b"\x02", hash_of(number), source="tap", at=NOW))
        for number in range(9)
    ]
    await asyncio.sleep(0)
    await journal.close()
    assert await asyncio.gather(*telling) == [None] * 9
    assert len(Reader(path).arrivals()) == 9


async def test_journal_remembers_what_the_last_process_told(journal: Journal, path: Path) -> None:
    """Slots, bytes, arrivals, open intents, spending: as they were."""
    slot = await journal.observe(sighting(7), NOW)
    lease = await journal.lease(slot.id, "replace", NOW)
    slot = await journal.signed(lease, raw_of(BUMPED), BUMPED, NOW, number=100)
    action = await journal.intend(BUMPED.hash, "ref", "replace", NOW)
    await journal.arrive(b"\x02", hash_of("waits"), source="tap", at=NOW)
    await journal.close()
    again = Journal(path)
    await again.open()
    assert await again.live(NETWORK) == (slot,)
    assert await again.raw_of(BUMPED.hash) == raw_of(BUMPED)
    assert [arrival.hash for arrival in await again.arrivals()] == [hash_of("waits")]
    (intent,) = await again.open_intents()
    assert (intent.id, intent.raw) == (action, raw_of(BUMPED))
    assert await again.spent_wei(NETWORK, SENDER, DAY) == 21_000 * 30 * 10**9
    await again.close()


# -- what is told is there -----------------------------------------------------------------------


async def test_everything_that_was_told_is_in_the_file_when_it_returns(
    journal: Journal, path: Path, commits: list[float]
) -> None:
    """Another reader sees each at once, and for each that wrote there was one commit."""
    reader = Reader(path)
    of = transaction(7)

    await journal.arrive(raw_of(of), of.hash, source="tap", at=NOW)
    assert [arrival.outcome for arrival in reader.arrivals()] == [None]
    await journal.answered(of.hash, "unanswered", "connection reset", NOW)
    assert [arrival.outcome for arrival in reader.arrivals()] == ["unanswered"]
    slot = await journal.observe(sighting(7), NOW)
    assert [listed.slot for listed in reader.slots()] == [slot]
    assert reader.arrivals() == await journal.arrivals() == ()
    await journal.arrive(b"\x02", hash_of("nobody's"), source="tap", at=NOW)
    await journal.dismiss(hash_of("nobody's"), "nobody's", NOW)
    assert reader.arrivals() == ()

    await journal.entered([change(slot.id)])
    await journal.seen([Note(slot.id, "main", "absent", 100, NOW)])
    lease = await journal.lease(slot.id, "replace", NOW)
    await journal.release(lease, NOW)
    lease = await journal.lease(slot.id, "replace", NOW)
    slot = await journal.signed(lease, raw_of(BUMPED), BUMPED, NOW, number=100)
    assert slot.newest is not None
    assert slot.newest.hash == BUMPED.hash
    action = await journal.intend(BUMPED.hash, "ref", "replace", NOW)
    assert [intent.id for intent in await journal.open_intents()] == [action]
    await journal.conclude(action, "accepted", "", NOW + 1)
    assert await journal.open_intents() == ()
    cost = 21_000 * 30 * 10**9
    assert await journal.past_of(slot.id, NOW, DAY) == Past(NOW, 0, 1, 1, 100, cost)

    story = reader.story(of.hash)
    assert story is not None
    assert story.slot == slot
    assert [stage.state for stage in story.stages] == [State.PENDING, State.DROPPED]
    assert [said.said for said in story.said] == ["absent"]
    assert [send.reaction for send in story.sends] == ["accepted"]
    assert reader.spent_wei(NETWORK, SENDER, DAY) == cost

    gap = await journal.fill_slot(
        network=NETWORK, chain_id=CHAIN, alias=ALIAS, sender=SENDER, nonce=6, at=NOW
    )
    assert await journal.live(NETWORK) == (gap, slot)
    await journal.beat(NETWORK, 100, NOW)
    assert [(beat.network, beat.number, beat.at) for beat in reader.beats()] == [
        (NETWORK, 100, NOW)
    ]
    await close(journal, slot)
    assert await journal.live(NETWORK) == (gap,)
    renamed = await journal.name_account(network="main", alias="new", chain_id=CHAIN, sender=SENDER)
    assert renamed == 1
    assert (await journal.live(NETWORK), await journal.live("main")) == ((), (gap,))
    assert len(commits) == 17


async def test_calls_of_one_moment_share_one_commit(journal: Journal, commits: list[float]) -> None:
    """Whatever they are; who fails among them fails alone."""
    slot = await journal.observe(sighting(7), NOW)
    await close(journal, slot)
    commits.clear()
    calls: tuple[Awaitable[object], ...] = (
        journal.observe(sighting(8), NOW),
        close(journal, slot),
        journal.beat(NETWORK, 1, NOW),
        journal.arrive(b"", hash_of("x"), source="tap", at=NOW),
        journal.lease(99, "cancel", NOW),
        journal.arrive(b"\x02", hash_of("y"), source="tap", at=NOW),
    )
    answers = await asyncio.gather(*calls, return_exceptions=True)
    kinds = [type(answer) for answer in answers]
    nothing = type(None)
    assert kinds == [Slot, SlotClosedError, nothing, JournalError, JournalError, nothing]
    assert len(commits) == 1
    assert len(await journal.live(NETWORK)) == 1
    assert len(await journal.arrivals()) == 1


async def test_changes_of_one_call_are_all_or_none(journal: Journal) -> None:
    """The first of two is taken back when the second cannot be."""
    first, second = [await journal.observe(sighting(nonce), NOW) for nonce in (7, 8)]
    await close(journal, second)
    with pytest.raises(SlotClosedError):
        await journal.entered([change(first.id), change(second.id)])
    assert await journal.live(NETWORK) == (first,)


async def test_sighting_that_is_refused_leaves_the_arrival(journal: Journal) -> None:
    """The arrival is removed with what takes its place, or not at all."""
    await journal.arrive(raw_of(transaction(7)), sighting(7).hash, source="tap", at=NOW)
    await journal.observe(bare(9, hash=hash_of("bare")), NOW)
    await journal.arrive(b"\x02", hash_of("bare"), source="tap", at=NOW)
    with pytest.raises(JournalError, match="is an attempt of slot"):
        await journal.observe(bare(8, hash=hash_of("bare")), NOW)
    assert len(await journal.arrivals()) == 2
    assert len(await journal.live(NETWORK)) == 1


async def test_slot_is_closed_by_one_of_many(journal: Journal) -> None:
    """Called at the same moment, all but one learn that it is closed."""
    slot = await journal.observe(sighting(7), NOW)
    answers = await asyncio.gather(
        *(close(journal, slot, NOW + number) for number in range(20)), return_exceptions=True
    )
    assert [type(answer) for answer in answers].count(SlotClosedError) == 19


async def test_lease_is_given_to_one_of_many(journal: Journal) -> None:
    """Called at the same moment, all but one are refused."""
    slot = await journal.observe(sighting(7), NOW)
    answers = await asyncio.gather(
        *(journal.lease(slot.id, "replace", NOW) for _ in range(20)), return_exceptions=True
    )
    assert [type(answer) for answer in answers].count(int) == 1


async def test_arrival_that_was_refused_is_shown_and_not_read_to_be_filed(
    journal: Journal, path: Path
) -> None:
    """Its bytes stay, for the case that a pool has it; sent once more, it is read again."""
    await journal.arrive(b"\x02", hash_of("x"), source="tap", at=NOW)
    await journal.answered(hash_of("x"), "refused", "insufficient funds", NOW)
    assert await journal.arrivals() == ()
    assert await journal.raw_of(hash_of("x")) == b"\x02"
    assert [arrival.outcome for arrival in Reader(path).arrivals()] == ["refused"]
    await journal.arrive(b"\x02", hash_of("x"), source="tap", at=NOW)
    assert [arrival.hash for arrival in await journal.arrivals()] == [hash_of("x")]


async def test_budget_is_spent_once_by_many(journal: Journal) -> None:
    """Called at the same moment, no more are given than the day's budget holds."""
    slots = [await journal.observe(sighting(nonce), NOW) for nonce in range(20)]
    asked = Reservation(wei=10, budget_a_day_wei=39)
    answers = await asyncio.gather(
        *(journal.lease(slot.id, "replace", NOW, asked) for slot in slots), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [int] * 3 + [OverBudgetError] * 17
    assert await journal.spent_wei(NETWORK, SENDER, DAY) == 30


async def test_reservation_of_a_process_that_has_ended_holds_nothing(path: Path) -> None:
    """What it had signed and did not write down is nowhere; its lease still stands a while."""
    async with opened(path) as journal:
        slot = await journal.observe(sighting(7), NOW)
        await journal.lease(slot.id, "replace", NOW, Reservation(10, 10))
    async with opened(path) as journal:
        assert await journal.spent_wei(NETWORK, SENDER, DAY) == 0
        with pytest.raises(JournalError, match="is being signed"):
            await journal.lease(slot.id, "replace", NOW, Reservation(10, 10))


async def test_live_slots_are_those_of_their_network(journal: Journal) -> None:
    """By account and nonce; closed ones and those of other networks are not among them."""
    for nonce in (9, 7, 8):
        await journal.observe(sighting(nonce), NOW)
    of = transaction(1, sender=OTHER, hash=hash_of("other"), chain_id=5)
    elsewhere = sighting(1, sender=OTHER, hash=of.hash, transaction=of, chain_id=5, network="b")
    await journal.observe(elsewhere, NOW)
    await close(journal, (await journal.live(NETWORK))[1])
    assert [slot.nonce for slot in await journal.live(NETWORK)] == [7, 9]
    assert [slot.sender for slot in await journal.live("b")] == [OTHER]
    assert await journal.live("c") == ()


async def test_past_of_a_slot_that_there_is_not_is_an_error(journal: Journal) -> None:
    """Also for what is only asked."""
    with pytest.raises(JournalError, match="there is no slot 7"):
        await journal.past_of(7, NOW, DAY)


# -- retention -----------------------------------------------------------------------------------


async def test_retention_lets_others_write_in_between(
    journal: Journal, commits: list[float]
) -> None:
    """In portions of a hundred slots, each a commit of its own."""
    slots = await asyncio.gather(
        *(journal.observe(sighting(nonce), NOW) for nonce in range(2 * SLOTS_A_PORTION + 50))
    )
    await asyncio.gather(*(close(journal, slot) for slot in slots))
    live = await journal.observe(sighting(999), NOW)
    await journal.arrive(b"\x02", hash_of("gone"), source="tap", at=NOW)
    await journal.dismiss(hash_of("gone"), "nobody's", NOW)
    commits.clear()
    assert await journal.retire(NOW + 1) == len(slots)
    # Three of slots and one of arrivals: no day's spending is old enough.
    assert len(commits) == 4
    assert await journal.live(NETWORK) == (live,)
    assert await journal.raw_of(hash_of("gone")) is None
    assert await journal.retire(NOW + 1) == 0


@pytest.mark.parametrize("older_than", [NOW + 10 * 86_400, NOW])
async def test_retention_never_refills_the_budget_of_today(
    journal: Journal, older_than: float
) -> None:
    """Whatever is asked: what was spent on the day of the clock is known; older days are not."""
    slot = await journal.observe(sighting(7), NOW)
    for number, at in enumerate((NOW, NOW - 3 * 86_400)):
        lease = await journal.lease(slot.id, "replace", NOW)
        of = transaction(7, tip_cap_wei=number)
        await journal.signed(lease, raw_of(of), of, at)
    await close(journal, slot)
    assert await journal.retire(older_than) == (1 if older_than > NOW else 0)
    assert await journal.spent_wei(NETWORK, SENDER, DAY) > 0
    assert await journal.spent_wei(NETWORK, SENDER, "2026-11-15") == 0


# -- trouble -------------------------------------------------------------------------------------


async def test_full_disk_loses_nothing_that_was_told(path: Path) -> None:
    """What was answered is there, what was refused is not, and with room it goes on."""
    async with opened(path, page_limit=60) as journal:
        for number in range(5):
            await journal.arrive(bytes(5000), hash_of(number), source="tap", at=NOW)
            await journal.dismiss(hash_of(number), "nobody's", NOW)
        answers: list[BaseException | None] = []
        for number in range(60):
            call = journal.arrive(bytes(5000), hash_of("more", number), source="tap", at=NOW)
            answers += await asyncio.gather(call, return_exceptions=True)
        kept = [hash_of("more", number) for number in range(60) if answers[number] is None]
        errors = [error for error in answers if error is not None]
        assert kept
        assert [type(error) for error in errors] == [JournalFullError] * (60 - len(kept))
        assert "cannot be written: there is no room" in str(errors[0])
        assert sorted(arrival.hash for arrival in await journal.arrivals()) == sorted(kept)
        await journal.retire(NOW + 1)
        await journal.arrive(bytes(5000), hash_of("last"), source="tap", at=NOW)
        assert len(await journal.arrivals()) == len(kept) + 1


async def test_journal_that_is_full_at_its_opening_is_opened(path: Path) -> None:
    """What is in it is known, and what finds room in its pages is written."""
    async with opened(path, page_limit=1) as journal:
        with pytest.raises(JournalFullError):
            await journal.arrive(bytes(500_000), hash_of("x"), source="tap", at=NOW)
        await journal.beat(NETWORK, 1, NOW)


def ask_for_beats(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM beat").fetchone()[0])


def bump_epoch(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("UPDATE fence SET epoch = epoch + 1")


def replace_lock(path: Path) -> None:
    path.with_suffix(".lock").unlink()
    path.with_suffix(".lock").touch()


@pytest.mark.parametrize("spoil", [bump_epoch, replace_lock])
async def test_journal_that_is_fenced_answers_nothing_any_more(
    journal: Journal, path: Path, spoil: Callable[[Path], None]
) -> None:
    """Once it has learnt of it, not even questions: whatever follows from them may be old."""
    await journal.observe(sighting(7), NOW)
    spoil(path)
    with pytest.raises(JournalFencedError):
        await journal.intend(sighting(7).hash, "ref", "rebroadcast", NOW)
    for call in (journal.beat(NETWORK, 1, NOW), journal.live(NETWORK), journal.open_intents()):
        with pytest.raises(JournalFencedError):
            await call
    story = Reader(path).story(sighting(7).hash)
    assert story is not None
    assert story.sends == ()


async def test_journal_whose_lock_was_replaced_makes_way_for_another(
    journal: Journal, path: Path
) -> None:
    """The other gets the next epoch, and the first writes nothing from then on."""
    replace_lock(path)
    other = Journal(path)
    await other.open()
    assert other.epoch == journal.epoch + 1
    await other.beat(NETWORK, 2, NOW)
    with pytest.raises(JournalFencedError):
        await journal.beat(NETWORK, 1, NOW)
    await journal.close()
    await other.beat(NETWORK, 3, NOW)
    assert [beat.number for beat in Reader(path).beats()] == [3]
    await other.close()


async def test_file_that_is_locked_by_another_program_is_tried_again(path: Path) -> None:
    """A person with a database browser: an error while it lasts, and nothing afterwards."""
    async with opened(path, busy_seconds=0) as journal:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(JournalError, match="database is locked"):
                await journal.beat(NETWORK, 1, NOW)
            assert await journal.live(NETWORK) == ()
            other.execute("ROLLBACK")
        await journal.beat(NETWORK, 1, NOW)


async def test_question_that_takes_too_long_is_cut_off(path: Path) -> None:
    """After ten seconds of the stopwatch; the next is answered."""
    ticks = itertools.count(step=20.0)
    async with opened(path, stopwatch=lambda: next(ticks)) as journal:
        await asyncio.gather(*(journal.observe(sighting(nonce), NOW) for nonce in range(1000)))
        with pytest.raises(JournalError, match="cannot be read: it took too long"):
            await journal.live(NETWORK)
        assert await journal.raw_of(sighting(7).hash) == raw_of(transaction(7))


async def test_question_is_of_one_moment(journal: Journal, path: Path) -> None:
    """Slots and their attempts are read one after the other, and belong together."""

    def ask(connection: sqlite3.Connection) -> list[int]:
        counts = []
        for number in range(2):
            counts += [n for (n,) in connection.execute("SELECT count(*) FROM beat")]
            with closing(sqlite3.connect(path, isolation_level=None)) as other:
                other.execute("INSERT INTO beat VALUES (?, 1, 1)", (str(number),))
        return counts

    assert await journal._read(ask) == [0, 0]
    assert await journal._read(ask_for_beats) == 2


# -- readers -------------------------------------------------------------------------------------


async def test_reader_sees_whole_calls_while_they_go_on(journal: Journal, path: Path) -> None:
    """Nobody waits for a reader, and no reader sees half of what is told."""
    reader = Reader(path)
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as outside:
        # Another program, in the middle of a long read.
        outside.execute("BEGIN")
        outside.execute("SELECT count(*) FROM slot").fetchone()
        counts = []
        for number in range(15):
            slot = await journal.observe(sighting(number), NOW)
            changes = [change(slot.id, at=NOW + step) for step in range(4)]
            _, story = await asyncio.gather(
                journal.entered(changes), asyncio.to_thread(reader.story, sighting(number).hash)
            )
            assert story is not None
            counts.append(len(story.stages))
        assert set(counts) <= {1, 5}
        assert outside.execute("SELECT count(*) FROM slot").fetchone() == (0,)
    assert len(await journal.live(NETWORK)) == 15
