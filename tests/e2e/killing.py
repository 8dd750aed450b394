"""headwatch killed again and again, while a program sends through it and nodes misbehave.

The program does what any careful one does: it signs a payment once, and sends the same bytes until
somebody says that he has them. The nodes lose, refuse, drop, forget and lag at random; the sidecar
is killed with SIGKILL at random instants. In the end every payment must be on the network once.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from monitor.config import Settings, Tap, show
from tests.e2e.stage import settings_of
from tests.transactions.fakepool import payments
from tests.transactions.fakepool.ground import Ground
from tests.transactions.fakepool.server import FakePool

INTERVAL_SECONDS = 0.25
SETTLE_INTERVAL_SECONDS = 1.0
"""Between two blocks once all faults are healed: a busy machine asks a node within one block."""
SETTLE_SECONDS_MAX = 240.0
"""After the last fault is healed, everything must be final within this."""
LIVES_SECONDS = (0.0, 1.2)
"""How long a sidecar lives once it is up, before it is killed: from, to."""
START_SECONDS_MAX = 60.0


KILLED_EARLY = 0.1
"""So many sidecars are killed before they listen."""
Act = Callable[[], Awaitable[None]]
Work = Coroutine[object, object, None]


@dataclass
class Tally:
    """What happened, to be printed."""

    payments: int
    kills: int = 0
    kills_while_starting: int = 0
    tries: int = 0
    """Times that the program sent something."""
    faults: int = 0
    acknowledged: set[str] = field(default_factory=set)
    mined: int = 0
    closed: int = 0
    paid_wei: int = 0

    def __str__(self) -> str:
        return (
            f"{self.kills} kills ({self.kills_while_starting} of them before it listened), "
            f"{self.payments} payments sent in {self.tries} tries, {self.faults} faults; "
            f"{self.mined} mined, {self.paid_wei} wei paid of {self.payments}, "
            f"{self.closed} slots closed"
        )


def free_port() -> int:
    """A port that was free a moment ago; the tap keeps it over all its lives."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Program:
    """Sends payments of one account through one URL, one after the other, until each is taken."""

    def __init__(self, url: str, tally: Tally, draw: random.Random) -> None:
        self._url = url
        self._tally = tally
        self._draw = draw
        self.hashes: list[str] = []

    async def run(self, count: int) -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            for nonce in range(count):
                raw = await asyncio.to_thread(payments.payment, nonce)
                while not await self._is_taken(session, raw):
                    await asyncio.sleep(self._draw.uniform(0.02, 0.1))

    async def _is_taken(self, session: aiohttp.ClientSession, raw: str) -> bool:
        body = {"jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": [raw]}
        self._tally.tries += 1
        try:
            async with session.post(self._url, json=body) as response:
                answer = await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return False
        result = answer.get("result") if isinstance(answer, dict) else None
        message = str(answer.get("error")) if isinstance(answer, dict) else ""
        if isinstance(result, str):
            self._tally.acknowledged.add(result)
            return True
        # "nonce too low" of its own bytes: they were mined before the answer came through.
        return "already known" in message or "nonce too low" in message


def _wiped(pool: FakePool) -> Act:
    async def act() -> None:
        async with pool._lock:
            pool.wipe()

    return act


def _now(do: Callable[[], object]) -> Act:
    async def act() -> None:
        do()

    return act


def faults_of(ground: Ground, draw: random.Random) -> tuple[Act, ...]:
    """What may go wrong, each as something to be done."""
    local = ground.local.pool
    references = [seat.pool for seat in ground.references.values()]
    one = draw.choice(references)
    times = draw.randint(1, 3)
    return (
        _wiped(local),
        _wiped(one),
        _now(lambda: local.mischief.drop_answer(times=times)),
        _now(lambda: local.mischief.drop_request(times=times)),
        _now(lambda: one.mischief.drop_answer(times=times)),
        _now(lambda: one.mischief.status(503, times=times)),
        _now(lambda: setattr(local, "gossips", not local.gossips)),
        local.freeze,
        local.thaw,
        local.restart,
    )


async def mischief(ground: Ground, tally: Tally, draw: random.Random, is_up: asyncio.Event) -> None:
    """Something goes wrong at some node, again and again, while there is a sidecar to see it."""
    while True:
        await is_up.wait()
        await asyncio.sleep(draw.uniform(0.05, 0.5))
        tally.faults += 1
        await draw.choice(faults_of(ground, draw))()


@dataclass
class Pace:
    """How long the miner waits before each block."""

    seconds: float = INTERVAL_SECONDS


async def mining(ground: Ground, pace: Pace) -> None:
    """A block after each wait, for ever."""
    while True:
        await asyncio.sleep(pace.seconds)
        await ground.miner.mine_one()


async def heal(ground: Ground) -> None:
    """Everybody is well again."""
    for seat in ground.seats.values():
        seat.pool.mischief.heal()
        seat.pool.gossips = True
        await seat.pool.thaw()


@asynccontextmanager
async def living(config: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A sidecar; killed at the end, whatever it is doing."""
    with (config.parent / "log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "monitor", "run", "-c", str(config), "--log-level", "warning"),
            stderr=log,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()


async def listens(port: int, process: asyncio.subprocess.Process) -> bool:
    """Whether the tap is up; False where the sidecar has ended by itself."""
    async with asyncio.timeout(START_SECONDS_MAX):
        while process.returncode is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            return True
    return False


def configured(ground: Ground, folder: Path) -> tuple[Path, int]:
    """A configuration file with a tap before the local node, and the tap's port."""
    port = free_port()
    settings: Settings = settings_of(
        ground,
        folder / "state",
        interval_seconds=INTERVAL_SECONDS,
        policy={"rebroadcast_seconds": 1.0, "actions_an_hour_max": 1000},
        tap=Tap(listen=f"127.0.0.1:{port}", node="local"),
    )
    settings = settings.model_copy(
        update={"http": settings.http.model_copy(update={"listen": "127.0.0.1:0"})}
    )
    path = folder / "headwatch.yaml"
    path.write_text(show(settings), encoding="utf-8")
    return path, port


async def kill_again_and_again(
    folder: Path, *, count: int, kills: int, seed: int, binary: Path
) -> Tally:
    """The whole loop; what happened, with what is true in the end."""
    draw = random.Random(seed)  # noqa: S311 - to be replayed, not secret
    tally = Tally(count)
    async with Ground(seed=seed, binary=binary) as ground, background() as begin:
        pace = Pace()
        begin(mining(ground, pace))
        before = await _balance(ground)
        path, port = configured(ground, folder)
        program = Program(f"http://127.0.0.1:{port}", tally, draw)
        sending = begin(program.run(count))
        is_up = asyncio.Event()
        faults = begin(mischief(ground, tally, draw, is_up))
        while tally.kills < kills or not sending.done():
            async with living(path) as process:
                if draw.random() < KILLED_EARLY:
                    await asyncio.sleep(draw.uniform(0.0, 1.0))
                    tally.kills_while_starting += 1
                else:
                    assert await listens(port, process), (folder / "log").read_text()
                    is_up.set()
                    await asyncio.sleep(draw.uniform(*LIVES_SECONDS))
            is_up.clear()
            tally.kills += 1
        await sending
        faults.cancel()
        await heal(ground)
        pace.seconds = SETTLE_INTERVAL_SECONDS
        async with living(path) as process:
            await _settled(folder / "state" / "journal.sqlite", count, process)
        await _audit(ground, folder / "state" / "journal.sqlite", tally, before)
    return tally


@asynccontextmanager
async def background() -> AsyncIterator[Callable[[Work], asyncio.Task[None]]]:
    """Work beside the test; the first that fails ends it at once, and is told."""
    async with asyncio.TaskGroup() as group:
        tasks: list[asyncio.Task[None]] = []

        def begin(work: Work) -> asyncio.Task[None]:
            tasks.append(group.create_task(work))
            return tasks[-1]

        yield begin
        for task in tasks:
            task.cancel()


async def _balance(ground: Ground) -> int:
    payee = payments.account(1).address
    return int(await ground.net.leader.anvil.rpc("eth_getBalance", payee, "latest"), 16)


async def _settled(journal: Path, count: int, process: asyncio.subprocess.Process) -> None:
    """Wait until every slot is closed; where that takes too long, say what they wait in."""
    states: dict[str, int] = {}
    try:
        async with asyncio.timeout(SETTLE_SECONDS_MAX):
            while process.returncode is None:
                with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as reading:
                    states = dict(
                        reading.execute(
                            "SELECT CASE WHEN closed_at IS NULL THEN state ELSE 'closed' END,"
                            " count(*) FROM slot GROUP BY 1"
                        )
                    )
                if states.get("closed", 0) >= count:
                    return
                await asyncio.sleep(0.5)
    except TimeoutError:
        message = f"not settled within {SETTLE_SECONDS_MAX:.0f} s: {states}"
        raise AssertionError(message) from None


async def _audit(ground: Ground, journal: Path, tally: Tally, before: int) -> None:
    """What is true, from the chain and from the journal, neither of which was told by the other."""
    anvil = ground.net.leader.anvil
    receipts = await anvil.batch(
        [("eth_getTransactionReceipt", hash_) for hash_ in sorted(tally.acknowledged)]
    )
    lost = [
        hash_
        for hash_, receipt in zip(sorted(tally.acknowledged), receipts, strict=True)
        if not isinstance(receipt, dict) or receipt["status"] != "0x1"
    ]
    assert not lost, f"acknowledged and lost: {lost}"
    tally.mined = int(await anvil.rpc("eth_getTransactionCount", payments.address(0), "latest"), 16)
    tally.paid_wei = await _balance(ground) - before
    with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as reading:
        rows = reading.execute(
            "SELECT slot.nonce, slot.state, count(attempt.hash) FROM slot"
            " JOIN attempt ON attempt.slot = slot.id WHERE slot.closed_at IS NOT NULL"
            " GROUP BY slot.id"
        ).fetchall()
        closings = reading.execute(
            "SELECT slot, count(*) FROM state_history WHERE state IN"
            " ('final_ok', 'final_reverted', 'replaced_same', 'cancelled', 'replaced_other')"
            " GROUP BY slot HAVING count(*) > 1"
        ).fetchall()
    assert not closings, f"closed more than once: {closings}"
    assert {state for _, state, _ in rows} == {"final_ok"}, rows
    assert all(attempts == 1 for *_, attempts in rows), "another hash at a nonce"
    tally.closed = len(rows)
