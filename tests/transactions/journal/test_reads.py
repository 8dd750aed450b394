"""What other processes see: whole, bounded, newest first, and never in the writer's way."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from monitor.model import Evidence, Level
from monitor.transactions.journal import (
    Arrival,
    Beat,
    Count,
    Inclusion,
    Journal,
    JournalDamagedError,
    JournalError,
    Listed,
    Note,
    Reader,
)
from monitor.transactions.journal.opening import PROGRESS_STEPS
from monitor.transactions.story import Said, Send, Stage, as_json
from monitor.transactions.words import Act, Slot, State
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
    raw_of,
    sighting,
    transaction,
)

ROOT = Path(__file__).resolve().parents[3]
ELSEWHERE = "gnosis"
WATCHING = """
import sys
from pathlib import Path
from monitor.transactions.journal import Reader

reader = Reader(Path(sys.argv[1]))
for line in sys.stdin:
    print(*(listed.slot.nonce for listed in reader.slots()), flush=True)
"""


@pytest.fixture
def reader(path: Path) -> Reader:
    return Reader(path)


async def close(
    journal: Journal,
    slot: Slot,
    state: State = State.FINAL_OK,
    consumer: str | None = None,
    at: float = NOW + 100,
) -> None:
    await journal.close_slot(
        slot.id,
        state,
        consumer_hash=slot.attempts[0].hash if consumer is None else hash_of(consumer),
        number=101,
        block_hash=BLOCK,
        summary="final in block 101",
        at=at,
    )


async def other(journal: Journal, nonce: int, at: float = NOW) -> Slot:
    """Of another account, on another network."""
    of = transaction(nonce, sender=OTHER, hash=hash_of("other", nonce), chain_id=100)
    seen = sighting(
        nonce, sender=OTHER, hash=of.hash, transaction=of, chain_id=100, network=ELSEWHERE
    )
    return await journal.observe(seen, at)


# -- lists ---------------------------------------------------------------------------------------


async def test_slots_come_newest_first_with_their_last_words(
    journal: Journal, reader: Reader
) -> None:
    """The state, the names, the level and the sentence; what took the nonce, once it is final."""
    first = await journal.observe(sighting(7), NOW)
    second = await journal.observe(sighting(8), NOW + 1)
    await journal.entered([change(first.id)])
    await close(journal, second)
    closed, judged = reader.slots()
    (live,) = await journal.live(NETWORK)
    assert judged == Listed(
        NETWORK, ALIAS, live, None, Level.FAILED, "unknown everywhere for 3 rounds"
    )
    assert (closed.slot.id, closed.slot.state) == (second.id, State.FINAL_OK)
    assert (closed.consumer_hash, closed.level) == (sighting(8).hash, None)
    assert closed.summary == "final in block 101"


async def test_slots_are_chosen_by_what_is_named(journal: Journal, reader: Reader) -> None:
    """Network, alias, state, closed or not, each alone and together; nothing named is all."""
    await journal.observe(sighting(7), NOW)
    dropped = await journal.observe(sighting(8, alias="worker"), NOW + 1)
    await journal.entered([change(dropped.id)])
    await close(journal, await journal.observe(sighting(9), NOW + 2))
    await other(journal, 1, NOW + 3)

    def nonces(listed: tuple[Listed, ...]) -> list[int]:
        return [each.slot.nonce for each in listed]

    assert nonces(reader.slots()) == [1, 9, 8, 7]
    assert nonces(reader.slots(network=NETWORK)) == [9, 8, 7]
    assert nonces(reader.slots(network=ELSEWHERE)) == [1]
    assert nonces(reader.slots(alias=ALIAS)) == [1, 9, 7]
    assert nonces(reader.slots(state=State.DROPPED)) == [8]
    assert nonces(reader.slots(is_closed=True)) == [9]
    assert nonces(reader.slots(is_closed=False)) == [1, 8, 7]
    assert nonces(reader.slots(network=NETWORK, alias=ALIAS, is_closed=False)) == [7]
    assert nonces(reader.slots(network="none")) == []


@pytest.mark.parametrize(("limit", "wanted"), [(-1, 1), (0, 1), (1, 1), (3, 3), (99, 5)])
async def test_slots_are_as_many_as_asked(
    journal: Journal, reader: Reader, limit: int, wanted: int
) -> None:
    """The newest; at least one."""
    for nonce in range(5):
        await journal.observe(sighting(nonce), NOW)
    found = [listed.slot.nonce for listed in reader.slots(limit=limit)]
    assert found == list(range(4, 4 - wanted, -1))


async def test_counts_are_by_account_and_state(journal: Journal, reader: Reader) -> None:
    """Closed ones too."""
    for nonce in range(3):
        await journal.observe(sighting(nonce), NOW)
    await close(journal, await journal.observe(sighting(3), NOW))
    await other(journal, 1)
    assert reader.counts() == (
        Count(ELSEWHERE, ALIAS, State.PENDING, 1),
        Count(NETWORK, ALIAS, State.FINAL_OK, 1),
        Count(NETWORK, ALIAS, State.PENDING, 3),
    )


async def test_beats_arrivals_and_spending_are_read(journal: Journal, reader: Reader) -> None:
    """As they were told."""
    await journal.beat("b", 5, NOW)
    await journal.beat("a", 6, NOW + 1)
    assert reader.beats() == (Beat("a", 6, NOW + 1), Beat("b", 5, NOW))
    await journal.arrive(b"\x02", hash_of("x"), source="tap", at=NOW)
    assert reader.arrivals() == (Arrival(hash_of("x"), b"\x02", NOW, "tap"),)
    assert reader.spent_wei(NETWORK, SENDER, DAY) == 0


# -- stories -------------------------------------------------------------------------------------


async def test_story_has_everything_of_its_slot(journal: Journal, reader: Reader) -> None:
    """Attempts with their bytes and sources, stages with evidence, sends, what nodes said."""
    first, second = transaction(7), transaction(7, tip_cap_wei=2)
    slot = await journal.observe(bare(7, source="pool of main"), NOW)
    lease = await journal.lease(slot.id, "replace", NOW)
    await journal.signed(lease, raw_of(second), second, NOW + 2)
    done = await journal.intend(second.hash, "ref-a", Act.REPLACE, NOW + 3)
    left = await journal.intend(second.hash, "ref-b", Act.REPLACE, NOW + 3)
    await journal.conclude(done, "known", "already known", NOW + 4)
    await journal.seen([Note(slot.id, "main", "absent", 100, NOW + 5)])
    evidence = (Evidence("ref-a", "eth_getTransactionReceipt", "null", NOW),)
    await journal.entered([change(slot.id, evidence=evidence, mined_number=5, mined_hash=BLOCK)])
    await other(journal, 7)
    (now,) = await journal.live(NETWORK)
    story = reader.story(first.hash)
    assert story is not None
    assert (story.network, story.alias, story.slot) == (NETWORK, ALIAS, now)
    assert story.sources == {first.hash: "pool of main", second.hash: "signer"}
    assert story.raw == {second.hash: raw_of(second)}
    assert story.stages == (
        Stage(NOW, None, State.PENDING, "", None, "first seen: pool of main"),
        Stage(
            NOW + 60,
            State.PENDING,
            State.DROPPED,
            "17",
            Level.FAILED,
            "unknown everywhere for 3 rounds",
            evidence,
            5,
            BLOCK,
        ),
    )
    assert story.sends == (
        Send(done, second.hash, "ref-a", "replace", NOW + 3, NOW + 4, "known", "already known"),
        Send(left, second.hash, "ref-b", "replace", NOW + 3, None),
    )
    assert story.said == (Said("main", "absent", 100, NOW + 5),)
    assert story.consumer_hash is None
    assert reader.story(second.hash) == story


async def test_story_is_found_by_what_took_its_nonce(journal: Journal, reader: Reader) -> None:
    """Also when that is none of its attempts."""
    slot = await journal.observe(sighting(7), NOW)
    await close(journal, slot, State.REPLACED_OTHER, "somebody else's")
    story = reader.story(hash_of("somebody else's"))
    assert story is not None
    assert story.slot.nonce == 7
    assert story.consumer_hash == hash_of("somebody else's")
    assert story == reader.story(sighting(7).hash)


async def test_story_is_found_by_the_beginning_of_a_hash(journal: Journal, reader: Reader) -> None:
    """Six digits or more, in either case, where they are one transaction's only."""
    for nonce, ending in ((7, "0"), (8, "1")):
        hash_ = "0xabcdef" + ending * 58
        of = transaction(nonce, hash=hash_)
        await journal.observe(sighting(nonce, hash=hash_, transaction=of), NOW)
    await journal.observe(sighting(9), NOW)
    for name, nonce in (
        ("0xabcdef0", 7),
        ("0xABCDEF1", 8),
        ("0xabcdef" + "1" * 58, 8),
        (sighting(9).hash[:8], 9),
    ):
        story = reader.story(name)
        assert story is not None
        assert story.slot.nonce == nonce
    with pytest.raises(JournalError, match="several transactions begin with 0xabcdef"):
        reader.story("0xabcdef")
    assert reader.story("0xabcdee") is None
    assert reader.story("0xabcdff") is None
    assert reader.story(hash_of("nobody's")) is None


@pytest.mark.parametrize("name", ["", "0x", "0xabcde", "abcdef", "0xabcdeg", "0x" + "a" * 65, "%"])
async def test_name_that_is_no_hash_is_refused(journal: Journal, reader: Reader, name: str) -> None:
    """Fewer than six digits, more than there are, or something else."""
    with pytest.raises(JournalError, match="is no hash"):
        reader.story(name)


async def test_story_is_found_by_account_and_nonce(journal: Journal, reader: Reader) -> None:
    """By the alias or by the address, in either case."""
    await journal.observe(sighting(7), NOW)
    await journal.observe(sighting(8), NOW)
    for account in (ALIAS, SENDER, SENDER.upper().replace("0X", "0x")):
        story = reader.story_of(account, 7)
        assert story is not None
        assert (story.slot.sender, story.slot.nonce) == (SENDER, 7)
    assert reader.story_of(ALIAS, 6) is None
    assert reader.story_of("nobody", 7) is None
    assert reader.story_of(ALIAS, 7, network=ELSEWHERE) is None


async def test_story_of_an_account_on_two_networks_needs_its_network(
    journal: Journal, reader: Reader
) -> None:
    """An alias, or an address, that has the nonce more than once."""
    await journal.observe(sighting(7), NOW)
    await other(journal, 7)
    with pytest.raises(JournalError, match=r"more than once \(gnosis, mainnet\): name its network"):
        reader.story_of(ALIAS, 7)
    story = reader.story_of(ALIAS, 7, network=ELSEWHERE)
    assert story is not None
    assert story.slot.chain_id == 100


# -- inclusions ----------------------------------------------------------------------------------


async def test_inclusions_are_what_was_mined_since_and_what_waits(
    journal: Journal, reader: Reader
) -> None:
    """From the first sight to the first block, by the hash that was mined; the newest first."""
    mined = [await journal.observe(sighting(nonce), NOW + nonce) for nonce in (1, 2)]
    waiting = await journal.observe(sighting(3), NOW + 3)
    for slot, at in zip(mined, (NOW + 50, NOW + 60), strict=True):
        await journal.entered(
            [change(slot.id, State.MINED, at=at, mined_number=5, mined_hash=BLOCK)]
        )
    await close(journal, mined[1])
    await other(journal, 4)

    def one(nonce: int, mined_at: float | None) -> Inclusion:
        return Inclusion(ALIAS, sighting(nonce).hash, NOW + nonce, mined_at)

    wanted = (one(3, None), one(2, NOW + 60), one(1, NOW + 50))
    assert reader.inclusions(NETWORK, NOW + 50) == wanted
    assert reader.inclusions(NETWORK, NOW + 51) == wanted[:2]
    assert reader.inclusions(NETWORK, NOW + 999) == wanted[:1]
    await close(journal, waiting, State.REPLACED_OTHER, "other", at=NOW + 9999)
    assert reader.inclusions(NETWORK, NOW + 999) == ()


async def test_inclusion_names_what_was_mined(journal: Journal, reader: Reader) -> None:
    """The consumer where it is an attempt of ours, else the newest attempt."""
    first = await journal.observe(sighting(7), NOW)
    await journal.observe(sighting(7, tip_cap_wei=2), NOW)
    assert [each.hash for each in reader.inclusions(NETWORK, 0)] == [
        sighting(7, tip_cap_wei=2).hash
    ]
    await close(journal, first)
    assert [each.hash for each in reader.inclusions(NETWORK, 0)] == [sighting(7).hash]


@pytest.mark.parametrize(
    ("state", "is_counted"),
    [
        (State.FINAL_OK, True),
        (State.FINAL_REVERTED, True),
        (State.REPLACED_SAME, True),
        (State.CANCELLED, False),
        (State.REPLACED_OTHER, False),
    ],
)
async def test_inclusion_is_of_what_served_its_purpose(
    journal: Journal, reader: Reader, state: State, *, is_counted: bool
) -> None:
    """What was cancelled, or gave way to something else, says nothing of how long it takes."""
    await close(journal, await journal.observe(sighting(7), NOW), state)
    assert len(reader.inclusions(NETWORK, 0)) == (1 if is_counted else 0)


async def test_inclusion_of_a_filler_is_none(journal: Journal, reader: Reader) -> None:
    """What was signed to fill a gap is no payment of anybody's, nor is a gap."""
    slot = await journal.fill_slot(
        network=NETWORK, chain_id=CHAIN, alias=ALIAS, sender=SENDER, nonce=7, at=NOW
    )
    assert reader.inclusions(NETWORK, 0) == ()
    lease = await journal.lease(slot.id, "fill", NOW)
    await journal.signed(lease, raw_of(transaction(7)), transaction(7), NOW)
    assert reader.inclusions(NETWORK, 0) == ()


# -- from outside --------------------------------------------------------------------------------


async def test_reader_in_another_process_sees_what_was_told(journal: Journal, path: Path) -> None:
    """At once, while the journal is written; and after it is closed."""
    with subprocess.Popen(  # noqa: ASYNC220 - it answers in milliseconds
        [sys.executable, "-c", WATCHING, str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as watching:
        assert watching.stdin is not None
        assert watching.stdout is not None
        for nonce in range(5):
            await journal.observe(sighting(nonce), NOW)
            watching.stdin.write("\n")
            watching.stdin.flush()
            assert watching.stdout.readline().split() == [
                str(seen) for seen in range(nonce, -1, -1)
            ]
        await journal.close()
        watching.stdin.write("\n")
        watching.stdin.flush()
        assert len(watching.stdout.readline().split()) == 5


async def test_reader_writes_nothing(journal: Journal, reader: Reader) -> None:
    """Whatever its questions come to."""
    with pytest.raises(JournalError, match="cannot be read: attempt to write a readonly"):
        reader._ask(lambda connection: connection.execute("UPDATE fence SET epoch = 9"))
    await journal.beat(NETWORK, 1, NOW)


async def test_reader_of_a_locked_journal_gives_its_answer(
    journal: Journal, reader: Reader, path: Path
) -> None:
    """Somebody who writes keeps nobody from reading."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE fence SET epoch = epoch")
        assert reader.slots() == ()
        connection.execute("ROLLBACK")


def test_reader_of_no_journal_says_so(path: Path) -> None:
    """And makes none."""
    with pytest.raises(JournalError, match=f"there is no journal at {path}"):
        Reader(path).slots()
    assert list(path.parent.iterdir()) == []


def test_reader_of_a_damaged_journal_says_so(path: Path) -> None:
    """With the remedy, and in one line."""
    path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 5000)
    with pytest.raises(JournalDamagedError, match=r"is damaged .*restore it"):
        Reader(path).slots()


async def test_question_that_takes_too_long_is_cut_off(journal: Journal, path: Path) -> None:
    """After the seconds that it was given; the time begins with the question."""
    ticks = count(step=3.0)
    slow = Reader(path, stopwatch=lambda: next(ticks), read_seconds=5.0)
    query = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
        " SELECT count(*) FROM n"
    )
    with pytest.raises(JournalError, match="cannot be read: it took too long"):
        slow._ask(lambda connection: connection.execute(query, (PROGRESS_STEPS,)).fetchone())
    assert slow.slots() == ()
    patient = Reader(path, stopwatch=lambda: next(ticks), read_seconds=5000.0)
    found = patient._ask(lambda c: c.execute(query, (PROGRESS_STEPS,)).fetchone())
    assert found == (PROGRESS_STEPS,)


async def test_question_is_of_one_moment(journal: Journal, reader: Reader, path: Path) -> None:
    """What is written between two of its statements it does not see."""

    def ask(connection: sqlite3.Connection) -> list[int]:
        counts = []
        for number in range(2):
            counts += [n for (n,) in connection.execute("SELECT count(*) FROM beat")]
            with closing(sqlite3.connect(path, isolation_level=None)) as other_program:
                other_program.execute("INSERT INTO beat VALUES (?, 1, 1)", (str(number),))
        return counts

    assert reader._ask(ask) == [0, 0]
    assert len(reader.beats()) == 2


async def test_story_of_a_reader_is_fit_for_json(journal: Journal, reader: Reader) -> None:
    """What comes out of the file can be written elsewhere."""
    await journal.observe(sighting(7), NOW)
    story = reader.story_of(ALIAS, 7)
    assert story is not None
    assert json.loads(json.dumps(as_json(story)))["nonce"] == 7
