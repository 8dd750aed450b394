"""Ledgers beside the loop: when they are reconciled, what becomes of it, and of a child that fails.

The child is a small program that answers as the test wants; what the real one answers is seen in
`tests/e2e/test_bookkeeping.py`, on the real contracts.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest

from monitor.bookkeeping import (
    OUTCOME_BYTES_MAX,
    REST,
    RETRY_SECONDS,
    Bookkeeping,
)
from monitor.config import Ledger, Settings
from monitor.ledger.configured import LEDGERS
from monitor.ledger.job import Outcome, outcome_json
from monitor.ledger.last import last_of
from monitor.model import Address, BlockNumber, BlockStamp, Hash32, Level
from monitor.poco.difference import Difference
from monitor.sidecar import Sidecar
from tests.test_sidecar import World, errors, levels

HUB = Address("0x" + "0d" * 20)
KEY = ("ledger", "ledger:drops")
BLOCK = BlockStamp(BlockNumber(36), Hash32("0x" + "ab" * 32), 1_700_000_000)
EQUAL = Outcome("pass", chain_id=1, block=BLOCK, events=12)
WRONG = Outcome(
    "fail",
    chain_id=1,
    block=BLOCK,
    events=12,
    differences_count=1,
    differences_by_kind={"stake": 1},
    differences=(Difference(kind="stake", why="predicted 1, stored 2", delta=1),),
)
BEHIND = Outcome("inconclusive", reason="behind", detail="local lacks block 36")
WAIT_SECONDS_MAX = 30.0


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Nodes that listen."""
    from tests.rpc.canned import serving

    world = World()
    async with serving(*world.references.values(), *world.nodes):
        yield world


def with_ledgers(world: World, *names: str) -> Settings:
    """One node, and ledgers of these names that are read from it."""
    ledgers = tuple(Ledger(name=name, network="dev", node="local", address=HUB) for name in names)
    return world.settings("local").model_copy(update={"ledgers": ledgers})


class Child:
    """A program that answers what is written down for it, and counts its runs."""

    def __init__(self, folder: Path) -> None:
        self.script = folder / "child.py"
        self.said = folder / "said"
        self.runs = folder / "runs"
        self.asked = folder / "asked"
        self.answers(EQUAL)

    @property
    def command(self) -> Sequence[str]:
        return (sys.executable, str(self.script))

    @property
    def count(self) -> int:
        return len(self.runs.read_bytes()) if self.runs.exists() else 0

    def answers(self, outcome: Outcome) -> None:
        self.said.write_bytes(outcome_json(outcome))
        self.does(f"sys.stdout.buffer.write(open({str(self.said)!r}, 'rb').read())")

    def does(self, last: str) -> None:
        self.script.write_text(
            "import os, sys, time\n"
            f"open({str(self.asked)!r}, 'wb').write(sys.stdin.buffer.read())\n"
            f"open({str(self.runs)!r}, 'ab').write(b'.')\n"
            f"{last}\n"
        )


@pytest.fixture
def child(tmp_path: Path) -> Child:
    return Child(tmp_path)


async def finished(books: Bookkeeping) -> None:
    """Wait for what is under way."""
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        tasks = [book.task for book in books.books.values() if book.task is not None]
        await asyncio.gather(*tasks)


async def turn(world: World, sidecar: Sidecar, books: Bookkeeping, *, seconds: float = 0.0) -> None:
    """A round of the network, what it sets going, and the end of that."""
    world.clock.now += seconds
    await world.rounds(sidecar)
    books.rounded("dev")
    await finished(books)


async def test_ledger_is_reconciled_once_its_network_is_seen(
    world: World, child: Child, tmp_path: Path
) -> None:
    """Not before there is a final block; then at once, and its finding is there with its facts."""
    told: list[str] = []
    async with Sidecar(with_ledgers(world, "drops"), clock=world.clock) as sidecar:
        books = Bookkeeping(sidecar, tmp_path, child=child.command)
        books.on_news = lambda: told.append("news")
        books.rounded("dev")
        assert books.books["drops"].task is None
        assert [facts.reconciled_at for facts in sidecar.snapshot().ledgers] == [None]
        await turn(world, sidecar, books)
        (facts,) = sidecar.snapshot().ledgers
        assert (facts.block, facts.events, facts.is_running) == (BLOCK, 12, False)
        assert facts.reconciled_at == world.clock.now
        assert levels(sidecar)[KEY] is Level.OK
        assert told == ["news"]
    kept = last_of(tmp_path / LEDGERS / "drops")
    assert kept is not None
    assert kept.outcome == EQUAL


async def test_ledger_of_a_network_without_references_is_reconciled_as_its_node_moves(
    world: World, child: Child, tmp_path: Path
) -> None:
    """Nobody vouches for the block, which is then said with it; but the ledger is looked at."""
    settings = with_ledgers(world, "drops")
    alone = {"dev": settings.networks["dev"].model_copy(update={"references": ()})}
    async with Sidecar(
        settings.model_copy(update={"networks": alone}), clock=world.clock
    ) as sidecar:
        books = Bookkeeping(sidecar, tmp_path, child=child.command)
        await turn(world, sidecar, books)
        assert child.count == 1
        assert levels(sidecar)[KEY] is Level.OK
        await turn(world, sidecar, books, seconds=600)
        assert child.count == 2


async def test_ledger_rests_until_another_block_is_final(
    world: World, child: Child, tmp_path: Path
) -> None:
    """The same block says the same again; its finding is kept alive meanwhile."""
    async with Sidecar(with_ledgers(world, "drops"), clock=world.clock) as sidecar:
        books = Bookkeeping(sidecar, tmp_path, child=child.command)
        await turn(world, sidecar, books)
        books.rounded("dev")
        await finished(books)
        assert child.count == 1
        await turn(world, sidecar, books, seconds=600)
        assert child.count == 2
        await turn(world, sidecar, books, seconds=0)
        proposed = sidecar.memory[KEY].proposed_at
        assert world.clock.now - proposed < 10


async def test_ledger_rests_longer_than_it_took(world: World, child: Child, tmp_path: Path) -> None:
    """However fast blocks become final, a fifth of a core is all that it takes."""
    async with Sidecar(with_ledgers(world, "drops"), clock=world.clock) as sidecar:
        books = Bookkeeping(sidecar, tmp_path, child=child.command)
        await world.rounds(sidecar)
        books.rounded("dev")
        await asyncio.sleep(0)  # It begins.
        world.clock.now += 100.0
        await finished(books)
        book = books.books["drops"]
        assert book.took_seconds == 100.0
        assert book.not_before == world.clock.now + REST * 100.0
        assert not book.is_due(10**9, book.not_before - 1)
        assert book.is_due(10**9, book.not_before)


async def test_ledger_rests_no_longer_for_a_clock_that_is_set(
    world: World, child: Child, tmp_path: Path
) -> None:
    """A day forward is no work of a day; an hour back is no hour of rest."""
    async with Sidecar(with_ledgers(world, "drops"), clock=world.clock) as sidecar:
        books = Bookkeeping(sidecar, tmp_path, child=child.command, deadline_seconds=60.0)
        await world.rounds(sidecar)
        books.rounded("dev")
        await asyncio.sleep(0)  # It begins.
        world.clock.now += 86_400.0
        await finished(books)
        book, now = books.books["drops"], world.clock.now
        assert book.took_seconds == 60.0
        assert book.not_before == now + REST * 60.0
        assert not book.is_due(10**9, now)
        assert book.is_due(10**9, now - 3600.0)


async def test_difference_is_confirmed_and_then_failed(
    world: World, child: Child, tmp_path: Path
) -> None:
    """One that stands in two rounds is told; the facts name its kind."""
    child.answers(WRONG)
    async with Sidecar(with_ledgers(world, "drops"), clock=world.clock) as sidecar:
        books = Bookkeeping(sidecar, tmp_path, child=child.command)
        await turn(world, sidecar, books)
        await turn(world, sidecar, books)
        assert levels(sidecar)[KEY] is Level.FAILED
        assert sidecar.verdict.word == "fail"
        (facts,) = sidecar.snapshot().ledgers
        assert facts.differences == {"stake": 1}
        child.answers(EQUAL)
        for _ in range(4):
            await turn(world, sidecar, books, seconds=600)
        assert levels(sidecar)[KEY] is Level.OK


async def test_what_could_not_be_seen_is_unknown_and_tried_again(
    world: World, child: Child, tmp_path: Path
) -> None:
    """No block need become final for that; what was known before is still shown with its age."""
    async with Sidecar(with_ledgers(world, "drops"), clock=world.clock) as sidecar:
        books = Bookkeeping(sidecar, tmp_path, child=child.command)
        await turn(world, sidecar, books)
        at = world.clock.now
        child.answers(BEHIND)
        await turn(world, sidecar, books, seconds=600)
        finding = books.books["drops"].finding
        assert finding is not None
        assert (finding.level, finding.reason) == (Level.UNKNOWN, "behind")
        assert sidecar.snapshot().ledgers[0].reconciled_at == at
        book = books.books["drops"]
        assert not book.is_due(book.tried_final, world.clock.now + RETRY_SECONDS / 2)
        assert book.is_due(book.tried_final, book.not_before)


@pytest.mark.parametrize(
    ("last", "says"),
    [
        ("print('Traceback'); print('boom', file=sys.stderr); sys.exit(1)", "ended with 1: boom"),
        ("print('{}')", "cannot be read"),
        (f"sys.stdout.write('x' * {OUTCOME_BYTES_MAX + 1})", "cannot be read|ended with 0"),
        ("os.kill(os.getpid(), 9)", "ended with -9"),
    ],
    ids=["crashes", "answers nonsense", "answers without end", "is killed"],
)
async def test_child_that_fails_is_a_mistake_of_ours_that_is_counted(
    world: World, child: Child, tmp_path: Path, last: str, says: str
) -> None:
    """The ledger is UNKNOWN, never wrong, and the loop goes on."""
    child.does(last)
    with nobody_hears():
        async with Sidecar(with_ledgers(world, "drops"), clock=world.clock) as sidecar:
            books = Bookkeeping(sidecar, tmp_path, child=child.command)
            await turn(world, sidecar, books)
            finding = books.books["drops"].finding
            assert finding is not None
            assert (finding.level, finding.reason) == (Level.UNKNOWN, "internal_error")
            assert any(word in finding.summary for word in says.split("|"))
            assert errors(sidecar.instruments) == {"ledger": 1}


async def test_child_that_hangs_is_ended_at_its_deadline(
    world: World, child: Child, tmp_path: Path
) -> None:
    """It is killed, and what it fetched so far is kept by its store."""
    child.does("time.sleep(600)")
    async with Sidecar(with_ledgers(world, "drops"), clock=world.clock) as sidecar:
        books = Bookkeeping(sidecar, tmp_path, child=child.command, deadline_seconds=1.0)
        await turn(world, sidecar, books)
        finding = books.books["drops"].finding
        assert finding is not None
        assert (finding.level, finding.reason) == (Level.UNKNOWN, "timeout")
        assert "within 1.0 s" in finding.summary


async def test_close_ends_what_is_under_way(world: World, child: Child, tmp_path: Path) -> None:
    """No process outlives the sidecar that started it and ended in good order."""
    child.does("open(sys.argv[0] + '.pid', 'w').write(str(os.getpid())); time.sleep(600)")
    pid = Path(f"{child.script}.pid")
    async with Sidecar(with_ledgers(world, "drops"), clock=world.clock) as sidecar:
        books = Bookkeeping(sidecar, tmp_path, child=child.command)
        await world.rounds(sidecar)
        books.rounded("dev")
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            while not (number := read(pid)):
                await asyncio.sleep(0.01)
        await books.close()
        with pytest.raises(ProcessLookupError):
            os.kill(int(number), 0)


async def test_reload_keeps_a_ledger_that_did_not_change_and_forgets_one_that_is_gone(
    world: World, child: Child, tmp_path: Path
) -> None:
    """Facts, finding and metrics leave with the ledger; the other one is not asked again."""
    async with Sidecar(with_ledgers(world, "drops", "beta"), clock=world.clock) as sidecar:
        books = Bookkeeping(sidecar, tmp_path, child=child.command)
        await turn(world, sidecar, books)
        before = books.books["drops"]
        settings = with_ledgers(world, "drops")
        sidecar.apply(settings)
        books.apply(settings)
        sidecar.fold()
        assert books.books == {"drops": before}
        assert ("ledger", "ledger:beta") not in levels(sidecar)
        assert [facts.name for facts in sidecar.snapshot().ledgers] == ["drops"]
        moved = settings.ledgers[0].model_copy(update={"address": Address("0x" + "0e" * 20)})
        books.apply(settings.model_copy(update={"ledgers": (moved,)}))
        assert books.books["drops"].finding is None


async def test_reload_tries_at_once_what_could_not_be_seen(
    world: World, child: Child, tmp_path: Path
) -> None:
    """The node's URL may be just what was corrected; what was seen rests on."""
    settings = with_ledgers(world, "drops")
    async with Sidecar(settings, clock=world.clock) as sidecar:
        books = Bookkeeping(sidecar, tmp_path, child=child.command)
        await turn(world, sidecar, books)
        book = books.books["drops"]
        books.apply(settings)
        assert not book.is_due(10**9, world.clock.now)
        child.answers(BEHIND)
        await turn(world, sidecar, books, seconds=600)
        assert not book.is_due(book.tried_final, world.clock.now)
        books.apply(settings)
        assert book.is_due(book.tried_final, world.clock.now)


async def test_outcome_that_cannot_be_written_is_told_all_the_same(
    world: World, child: Child, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A full disk takes the gate's sight, not the sidecar's."""
    (tmp_path / LEDGERS).write_text("a file where a folder should be")
    with caplog.at_level(logging.ERROR):
        async with Sidecar(with_ledgers(world, "drops"), clock=world.clock) as sidecar:
            books = Bookkeeping(sidecar, tmp_path, child=child.command)
            await turn(world, sidecar, books)
            assert levels(sidecar)[KEY] is Level.OK
    assert "cannot keep its outcome" in caplog.text


async def test_child_is_given_no_setting_of_ours_by_its_environment(
    world: World, child: Child, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it is to do it reads from its input alone, whose URLs nobody else sees."""
    monkeypatch.setenv("HEADWATCH_DATA_DIR", "/nowhere")
    child.does("sys.exit(3 if any(n.startswith('HEADWATCH_') for n in os.environ) else 4)")
    with nobody_hears():
        async with Sidecar(with_ledgers(world, "drops"), clock=world.clock) as sidecar:
            books = Bookkeeping(sidecar, tmp_path, child=child.command)
            await turn(world, sidecar, books)
            finding = books.books["drops"].finding
            assert finding is not None
            assert "ended with 4" in finding.summary
    assert HUB.encode() in child.asked.read_bytes()


def read(path: Path) -> str:
    """What is in a file; nothing where there is none yet."""
    return path.read_text() if path.exists() else ""


@contextlib.contextmanager
def nobody_hears() -> Iterator[None]:
    """Errors that are meant to happen are not shown."""
    log = logging.getLogger("headwatch")
    before = log.disabled
    log.disabled = True
    try:
        yield
    finally:
        log.disabled = before
