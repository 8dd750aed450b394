"""The watchdog when its own ground gives way: journals, locks, disks, reloads; and its secrets.

In the first half the real watchdog stands on a real network and a test holds its journal; in the
second whole processes are started, as a service manager and a person at a shell would.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import re
import resource
import signal
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from eth_account import Account as Key

from monitor.config import Account, Settings, Tap, TransactionPolicy, show
from monitor.config.transactions import Keystore, Signer
from monitor.lab.network import LOCAL
from monitor.model import Address, Hash32, Level, account_subject
from monitor.sidecar import Sidecar
from monitor.transactions.journal import JOURNAL_NAME, Journal, JournalFullError
from monitor.transactions.journal.schema import VERSION
from monitor.transactions.orders import OrderError
from monitor.transactions.words import State
from monitor.url import Url
from monitor.watchdog import BEAT_SECONDS, HALT_NAME, Watchdog
from tests.e2e.killing import free_port, listens
from tests.e2e.processes import get, headwatch, headwatch_beside
from tests.e2e.stage import ALIAS, NETWORK, Stage, WallAndMore, settings_of
from tests.transactions.fakepool import payments
from tests.transactions.fakepool.ground import Ground

SEND = "eth_sendRawTransaction"
BUSY_SECONDS = 0.2
PATIENT_SECONDS = 10.0
INTERVAL_SECONDS = 0.25
SECONDS_MAX = 30.0
URL_KEY = "k3y0f4nURLthatPays"
PASSWORD = "s3cr3tPassw0rd"  # noqa: S105 - of a key that everybody has


# -- the watchdog in this process ----------------------------------------------------------------


@asynccontextmanager
async def watched(
    folder: Path, binary: Path, *, journal: Journal | None = None, **settings: Any
) -> AsyncIterator[tuple[Stage, str]]:
    """A healthy network, watched for a few rounds; with the address of a tap before its node."""
    async with Ground(binary=binary) as ground:
        clock = WallAndMore()
        tap = Tap(listen="127.0.0.1:0", node=LOCAL, fan_out="never")
        made = settings_of(ground, folder, tap=tap, **settings)
        async with Sidecar(made, clock=clock) as sidecar:
            watchdog = Watchdog(sidecar, folder)
            if journal is not None:
                watchdog.journal = journal
            await watchdog.open()
            stage = Stage(ground, sidecar, watchdog, clock)
            try:
                async with watchdog.tapping.open(None) as address:
                    assert address is not None
                    await stage.blocks(3)
                    yield stage, address
            finally:
                await watchdog.close()


async def through(stage: Stage, address: str, raw: str) -> Any:
    """What the tap answers to a send."""
    body = {"jsonrpc": "2.0", "id": 1, "method": SEND, "params": [raw]}
    async with stage.ground.session.post(address, json=body) as response:
        return await response.json()


def reached(stage: Stage) -> int:
    """How often anything was sent to the account's node."""
    return stage.ground.local.pool.front.calls.count(SEND)


@contextlib.contextmanager
def write_lock(path: Path) -> Iterator[None]:
    """SQLite's own lock, in the hands of somebody else."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")


def large(nonce: int) -> str:
    """A payment that no page of a full file has room for."""
    return payments.payment(nonce, data="0x" + "01" * 20_000, gas=1_000_000)


async def refused_by_the_tap(stage: Stage, address: str, nonce: int, reason: str) -> None:
    """The sender is told an error with its reason, and nothing of it got to the node."""
    before = reached(stage)
    answer = await through(stage, address, large(nonce))
    assert "result" not in answer
    assert "not forwarded" in answer["error"]["message"]
    assert reason in answer["error"]["message"]
    assert reached(stage) == before


async def told_as_failed(stage: Stage, reason: str) -> None:
    """The account is FAILED with `journal_failed`, and its node is judged on."""
    for _ in range(6):
        stage.later(2.0)
        await stage.blocks()
        if (stage.finding.reason, stage.finding.level) == ("journal_failed", Level.FAILED):
            break
    assert (stage.finding.reason, stage.finding.level) == ("journal_failed", Level.FAILED)
    assert reason in stage.finding.summary
    head = stage.sidecar.memory["head", f"node:{LOCAL}"].finding
    assert head.level is Level.OK
    assert head.as_of is not None


async def recovers(stage: Stage, address: str, nonce: int) -> None:
    """What is sent is taken, filed and mined, and the account is well in the end."""
    answer = await through(stage, address, payments.payment(nonce))
    assert "result" in answer, answer
    for _ in range(8):
        stage.later(2.0)
        await stage.blocks()
    assert await stage.mined(answer["result"])
    assert stage.state(nonce) is State.MINED
    assert stage.finding.level is Level.OK


async def test_journal_without_room_refuses_sends_and_recovers_with_room(
    tmp_path: Path, anvil_path: Path
) -> None:
    """A full disk: the tap passes nothing on, the finding says so, and room heals all of it."""
    journal = Journal(tmp_path / JOURNAL_NAME, page_limit=80)
    async with watched(tmp_path, anvil_path, journal=journal) as (stage, address):
        filler = 0
        with contextlib.suppress(JournalFullError):
            while True:
                filler += 1
                await journal.arrive(
                    bytes([filler]) * 2000, Hash32(f"0x{filler:064x}"), source="fill", at=0.0
                )
        await refused_by_the_tap(stage, address, 0, "there is no room")
        stage.hashes[0] = await stage.ground.send(stage.ground.local, large(0))
        stage.ground.miner.hold(stage.hashes[0])
        with closing(sqlite3.connect(journal.path, isolation_level=None)) as other:
            # Not to be dismissed, which would make room.
            other.execute("UPDATE arrival SET refused = deliveries, answered_at = 0")
        await told_as_failed(stage, "there is no room")
        with closing(sqlite3.connect(journal.path, isolation_level=None)) as other:
            other.execute("DELETE FROM arrival WHERE source = 'fill'")
        stage.ground.miner.release(stage.hashes[0])
        await recovers(stage, address, 1)


async def test_journal_locked_for_longer_than_is_waited_refuses_and_recovers(
    tmp_path: Path, anvil_path: Path
) -> None:
    """Somebody opened it with a shell and a transaction: a clear error, then all is well again."""
    journal = Journal(tmp_path / JOURNAL_NAME, busy_seconds=BUSY_SECONDS)
    async with watched(tmp_path, anvil_path, journal=journal) as (stage, address):
        with write_lock(journal.path):
            await refused_by_the_tap(stage, address, 0, "locked")
            stage.hashes[0] = await stage.ground.send(stage.ground.local, payments.payment(0))
            await told_as_failed(stage, "locked")
            assert stage.watchdog.mode == "acting"
            raw = bytes.fromhex(payments.payment(1)[2:])
            with pytest.raises(OrderError, match=r"nothing was done.*locked"):
                await stage.watchdog.orders.register(raw=raw, hash_=None, network=None)
        await recovers(stage, address, 1)


async def test_journal_that_fails_is_logged_once_until_it_heals(
    tmp_path: Path, anvil_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in every round; a change of its words and the end of it are news, and it may recur."""
    journal = Journal(tmp_path / JOURNAL_NAME, busy_seconds=BUSY_SECONDS)
    caplog.set_level("INFO", "headwatch")
    async with watched(tmp_path, anvil_path, journal=journal) as (stage, _):
        for times in (1, 2):
            stage.later(BEAT_SECONDS)
            with write_lock(journal.path):
                await told_as_failed(stage, "locked")
                await stage.round(3)
                assert stage.finding.reason == "journal_failed"
            assert _logged(caplog, "cannot be written: database is locked") == times
            assert _logged(caplog, "the journal is well again") == times - 1
            stage.later(2.0)
            await stage.round(2)
            assert _logged(caplog, "the journal is well again") == times


def _logged(caplog: pytest.LogCaptureFixture, words: str) -> int:
    """How often the transactions' log said it."""
    return sum(words in one for one in caplog.messages if one.startswith("transactions of"))


def _replace_the_lock(folder: Path) -> None:
    lock = folder / JOURNAL_NAME.replace(".sqlite", ".lock")
    lock.unlink()
    lock.write_text("4711\n")


def _take_a_turn(folder: Path) -> None:
    with closing(sqlite3.connect(folder / JOURNAL_NAME, isolation_level=None)) as other:
        other.execute("UPDATE fence SET epoch = epoch + 1")


def _move_away(folder: Path) -> None:
    (folder / JOURNAL_NAME).rename(folder / "elsewhere")


@pytest.mark.parametrize(
    ("intrude", "words"),
    [
        (_replace_the_lock, "lock file was replaced"),
        (_take_a_turn, "another headwatch has opened it"),
        (_move_away, "moved away or replaced"),
    ],
    ids=["lock", "epoch", "moved"],
)
async def test_fenced_watchdog_sends_nothing_any_more(
    tmp_path: Path, anvil_path: Path, intrude: Any, words: str
) -> None:
    """Another process may write the journal now: this one refuses, halts, says so, stays so."""
    async with watched(tmp_path, anvil_path) as (stage, address):
        stage.ground.isolate_local()
        hash_ = await stage.send(0)
        intrude(tmp_path)
        await refused_by_the_tap(stage, address, 1, words)
        await told_as_failed(stage, words)
        assert stage.watchdog.mode == "halted"
        with pytest.raises(OrderError, match="halted"):
            await stage.watchdog.orders.rebroadcast(hash_)
        await stage.watchdog.orders.resume()
        assert stage.watchdog.mode == "halted"
        references = [seat.pool.front.calls for seat in stage.ground.references.values()]
        assert all(SEND not in calls for calls in references)
        assert not await stage.mined(hash_)


async def test_halt_in_the_middle_of_a_round_stops_what_that_round_would_send(
    tmp_path: Path, anvil_path: Path
) -> None:
    """The kill switch is for what leaves, not for what begins: a round may take seconds."""
    journal = Journal(tmp_path / JOURNAL_NAME, busy_seconds=PATIENT_SECONDS)
    async with watched(tmp_path, anvil_path, journal=journal) as (stage, _):
        stage.ground.isolate_local()
        await stage.ground.send(stage.ground.local, payments.payment(0))
        for _ in range(4):
            await stage.ground.miner.mine_one()
            await stage.sidecar.round(stage.sidecar.watches[NETWORK])
            with write_lock(journal.path):
                round_ = asyncio.create_task(stage.watchdog.round(NETWORK))
                await asyncio.sleep(0)
                await stage.watchdog.orders.halt()
            await round_
            await stage.watchdog.orders.resume()
        assert stage.sends() == []
        await stage.blocks(2)
        assert {act for _, act, _ in stage.sends()} == {"rebroadcast"}


async def test_reload_while_a_round_reads_the_journal_forgets_nothing(
    tmp_path: Path, anvil_path: Path
) -> None:
    """What the round before the reload has read is not what the accounts after it know."""
    journal = Journal(tmp_path / JOURNAL_NAME, busy_seconds=PATIENT_SECONDS)
    async with watched(tmp_path, anvil_path, journal=journal) as (stage, _):
        stage.ground.miner.hold(await stage.send(0))
        for seat in stage.ground.seats.values():
            seat.pool.wipe()
        stage.watchdog.apply(stage.sidecar.settings)
        with write_lock(journal.path):
            round_ = asyncio.create_task(stage.watchdog.round(NETWORK))
            await asyncio.sleep(0)
            stage.sidecar.apply(stage.sidecar.settings)
            stage.watchdog.apply(stage.sidecar.settings)
        await round_
        await stage.round()
        assert 0 in stage.ward.slots


async def test_reload_that_removes_an_account_during_its_round_leaves_no_finding(
    tmp_path: Path, anvil_path: Path
) -> None:
    """What that round found is of an account that is not watched any more."""
    journal = Journal(tmp_path / JOURNAL_NAME, busy_seconds=PATIENT_SECONDS)
    async with watched(tmp_path, anvil_path, journal=journal) as (stage, _):
        settings = stage.sidecar.settings
        other = Account(
            alias="other", address=Address(payments.address(1)), network=NETWORK, node=LOCAL
        )
        swapped = settings.model_copy(
            update={"transactions": settings.transactions.model_copy(update={"accounts": (other,)})}
        )
        stage.watchdog.apply(settings)
        with write_lock(journal.path):
            round_ = asyncio.create_task(stage.watchdog.round(NETWORK))
            await asyncio.sleep(0)
            stage.sidecar.apply(swapped)
            stage.watchdog.apply(swapped)
        await round_
        await stage.blocks(2)
        subjects = {subject for _, subject in stage.sidecar.memory}
        assert account_subject(ALIAS) not in subjects
        assert account_subject("other") in subjects


async def test_reload_of_policy_and_accounts_holds_at_once_and_forgets_nothing(
    tmp_path: Path, anvil_path: Path
) -> None:
    """Rebroadcasts off, the account gone, both back: only then is its transaction sent again."""
    async with watched(tmp_path, anvil_path) as (stage, _):
        whole = stage.sidecar.settings

        def reload(**changed: Any) -> None:
            transactions = whole.transactions.model_copy(update=changed)
            made = whole.model_copy(update={"transactions": transactions})
            stage.sidecar.apply(made)
            stage.watchdog.apply(made)

        stage.ground.isolate_local()
        reload(policies={"default": TransactionPolicy(rebroadcast=False)})
        hash_ = await stage.send(0)
        await stage.blocks(4)
        assert stage.row() == ("11", State.LOCAL_ONLY)
        reload(accounts=())
        assert stage.watchdog.keepers == {}
        await stage.blocks()
        reload(halted=True)
        await stage.blocks(4)
        assert stage.row() == ("11", State.LOCAL_ONLY)
        assert stage.sends() == []
        reload()
        await stage.blocks(4)
        assert {act for _, act, _ in stage.sends()} == {"rebroadcast"}
        assert await stage.mined(hash_)


# -- whole processes -----------------------------------------------------------------------------


@dataclass
class Site:
    """A configuration file, and where the sidecar that runs by it listens."""

    config: Path
    tap_port: int
    http_port: int
    journal: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def tap(self) -> str:
        return f"http://127.0.0.1:{self.tap_port}"

    def rewrite(self, change: str, into: str) -> None:
        """Replace a text of the configuration that is in it."""
        text = self.config.read_text()
        assert change in text
        self.config.write_text(text.replace(change, into, 1))

    async def mode(self) -> str:
        return str(json.loads((await get(f"{self.url}/api/v1/transactions"))[1])["mode"])

    async def finding(self) -> tuple[str, str]:
        """Level and reason of the account's finding; empty while there is none."""
        state = json.loads((await get(f"{self.url}/api/v1/state"))[1])
        for one in state["findings"]:
            if one["subject"] == account_subject(ALIAS):
                return one["level"], one["reason"]
        return "", ""


def site_of(folder: Path, ground: Ground | None = None, **more: Any) -> Site:
    """A configuration of one account; without a network, its endpoints are dead."""
    tap_port, http_port = free_port(), free_port()
    tap = Tap(listen=f"127.0.0.1:{tap_port}", node=LOCAL)
    if ground is None:
        text = DEAD.format(
            state=folder / "state", tap=tap_port, http=http_port, dead=free_port(), key=URL_KEY
        )
    else:
        settings: Settings = settings_of(
            ground, folder / "state", interval_seconds=INTERVAL_SECONDS, tap=tap, **more
        )
        http = settings.http.model_copy(update={"listen": f"127.0.0.1:{http_port}"})
        text = show(settings.model_copy(update={"http": http}))
    config = folder / "headwatch.yaml"
    config.write_text(text)
    return Site(config, tap_port, http_port, folder / "state" / JOURNAL_NAME)


DEAD = """
data_dir: {state}
http: {{listen: "127.0.0.1:{http}"}}
rpc: {{deadline_seconds: 0.5}}
networks:
  dev:
    profile: {{profile: dev, interval_seconds: 0.25}}
    references:
      - {{name: a, url: "http://127.0.0.1:{dead}/v3/{key}", operator: one}}
      - {{name: b, url: "http://127.0.0.1:{dead}/v4/{key}", operator: two}}
nodes:
  - {{name: local, network: dev, url: "http://127.0.0.1:{dead}/v5/{key}"}}
transactions:
  accounts:
    - {{alias: payer, address: "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"}}
  tap: {{node: local, listen: "127.0.0.1:{tap}"}}
"""


@dataclass
class Running:
    """A sidecar, and what it has said."""

    process: asyncio.subprocess.Process
    said: list[str] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def log(self) -> str:
        return "".join(self.said)

    async def listen(self) -> None:
        assert self.process.stderr is not None
        while line := await self.process.stderr.readline():
            self.said.append(line.decode(errors="replace"))
            self._news.set()

    async def until_said(self, words: str) -> None:
        """Wait until its log has these words."""
        async with asyncio.timeout(SECONDS_MAX):
            while words not in self.log:
                self._news.clear()
                await self._news.wait()

    async def ended(self) -> int:
        async with asyncio.timeout(SECONDS_MAX):
            return await self.process.wait()


@asynccontextmanager
async def running(site: Site, level: str = "info", *, up: bool = True) -> AsyncIterator[Running]:
    """`headwatch run`, killed at the end; by default once its tap listens."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "monitor", "run", "-c", str(site.config), "--log-level", level),
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        limit=2**22,
    )
    found = Running(process)
    listening = asyncio.create_task(found.listen())
    try:
        if up:
            assert await listens(site.tap_port, process), found.log
        yield found
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await listening


async def refused_to_start(site: Site) -> str:
    """The one line with which `headwatch run` ends, with exit code 2."""
    async with running(site, up=False) as found:
        assert await found.ended() == 2, found.log
    lines = found.log.strip().splitlines()
    assert len(lines) == 1, found.log
    return lines[0]


async def until(condition: Any) -> None:
    """Wait until an awaitable question is answered yes."""
    async with asyncio.timeout(SECONDS_MAX):
        while not await condition():
            await asyncio.sleep(0.05)


def made_journal(path: Path) -> None:
    """A good journal that was closed."""

    async def make() -> None:
        journal = Journal(path)
        await journal.open()
        for number in range(40):
            raw = bytes([number + 1]) * 2000
            await journal.arrive(raw, Hash32(f"0x{number:064x}"), source="tap", at=0.0)
        await journal.close()

    asyncio.run(make())


def _corrupt(path: Path) -> None:
    body = bytearray(path.read_bytes())
    body[4096:] = b"\xa5" * (len(body) - 4096)
    path.write_bytes(body)


def _newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute(f"PRAGMA user_version = {VERSION + 1}")


def _foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE theirs (one)")
        other.commit()


JOURNALS = {
    "corrupt": (_corrupt, "is damaged", "move it and what lies beside it away by hand"),
    "truncated": (
        lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
        "is damaged",
        "restore it, or move it",
    ),
    "empty": (lambda path: path.write_bytes(b""), "is empty", "restore it, or move it"),
    "text": (lambda path: path.write_bytes(b"no database " * 999), "is damaged", "restore it"),
    "foreign": (_foreign, "another program's database", "name another path"),
    "newer": (_newer, f"schema version {VERSION + 1}", "run the newer headwatch"),
}


@pytest.mark.parametrize("kind", JOURNALS)
def test_journal_that_is_no_good_is_refused_and_not_touched(tmp_path: Path, kind: str) -> None:
    """One line with the file, what is wrong and the remedy; exit code 2; nothing is set aside."""
    spoil, wrong, remedy = JOURNALS[kind]
    site = site_of(tmp_path)
    site.journal.parent.mkdir()
    made_journal(site.journal)
    spoil(site.journal)
    before = site.journal.read_bytes()
    read = headwatch("tx", "list", "-c", str(site.config))
    assert (read.returncode, read.stdout) == (3, ""), read
    assert wrong in read.stderr
    line = asyncio.run(refused_to_start(site))
    assert str(site.journal) in line
    assert wrong in line
    assert remedy in line
    assert site.journal.read_bytes() == before
    beside = {file.name for file in site.journal.parent.glob(f"{JOURNAL_NAME}*")}
    assert beside == {JOURNAL_NAME}


async def test_lock_in_the_hands_of_another_process_is_told_with_its_number(
    tmp_path: Path,
) -> None:
    """A journal that is locked: `run` ends with 2, an order with 3, each with one line."""
    site = site_of(tmp_path)
    site.journal.parent.mkdir()
    with site.journal.with_suffix(".lock").open("w+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        line = await refused_to_start(site)
        assert f"pid {os.getpid()}" in line
        ordered = await headwatch_beside("tx", "rebroadcast", "0x123456", "-c", str(site.config))
        assert ordered.returncode == 3, ordered
        assert ordered.stdout == ""
        (said,) = ordered.stderr.strip().splitlines()
        assert f"pid {os.getpid()}" in said
        assert f"no sidecar listens at 127.0.0.1:{site.http_port}" in said
    assert not site.journal.exists()


async def test_tap_whose_port_is_taken_is_refused_by_its_own_address(tmp_path: Path) -> None:
    """The line names where the tap was to listen, not the page; the journal is let go of."""
    site = site_of(tmp_path)
    with socket.create_server(("127.0.0.1", site.tap_port)):
        line = await refused_to_start(site)
    assert f"127.0.0.1:{site.tap_port}" in line
    assert str(site.http_port) not in line
    async with running(site):
        pass


async def test_second_sidecar_ends_at_once_and_the_first_goes_on(
    tmp_path: Path, anvil_path: Path
) -> None:
    """One process has the journal; orders go through its API, by its token, or take the lock."""
    async with Ground(binary=anvil_path, interval_seconds=INTERVAL_SECONDS) as ground:
        site = site_of(tmp_path, ground)
        token = tmp_path / "token"
        token.write_text("t0k3n-of-the-page\n")
        site.rewrite("  token_file:\n", f"  token_file: {token}\n")
        ground.miner.censor(payments.address(0))
        async with running(site) as first:
            hash_ = await ground.send(ground.local, payments.payment(0))
            order = ("tx", "rebroadcast", hash_, "-c", str(site.config))
            await until(lambda: _is_listed(site, hash_))
            line = await refused_to_start(site)
            assert f"pid {first.process.pid}" in line
            done = await headwatch_beside(*order)
            assert done.returncode == 0, done
            token.write_text("another\n")
            refused = await headwatch_beside(*order)
            assert refused.returncode == 2, refused
            (said,) = refused.stderr.strip().splitlines()
            assert said
            assert "Traceback" not in first.log
            assert first.process.returncode is None
        alone = await headwatch_beside(*order)
        assert alone.returncode == 0, alone
        assert "known" in alone.stdout


async def _is_listed(site: Site, hash_: str) -> bool:
    return hash_ in (await get(f"{site.url}/api/v1/transactions"))[1]


async def test_disk_without_room_stops_the_tap_and_not_the_checks_of_nodes(
    tmp_path: Path, anvil_path: Path
) -> None:
    """Every file of the process is at its limit; when the limit is gone, all is well again."""
    async with Ground(binary=anvil_path, interval_seconds=INTERVAL_SECONDS) as ground:
        site = site_of(tmp_path, ground)
        async with running(site) as found:
            await until(lambda: _is_at(site, "ok"))
            before = resource.prlimit(found.process.pid, resource.RLIMIT_FSIZE, (1, -1))
            raw = payments.payment(0)
            answer = await _posted(site.tap, raw)
            assert "not forwarded" in answer["error"]["message"]
            assert ground.local.pool.front.calls.count(SEND) == 0
            await until(lambda: _is_at(site, "failed", "journal_failed"))
            nodes = json.loads((await get(f"{site.url}/api/v1/state"))[1])["findings"]
            heads = [one["level"] for one in nodes if one["check"] == "head"]
            assert set(heads) == {"ok"}
            assert (await get(f"{site.url}/-/healthy"))[0] == 200
            resource.prlimit(found.process.pid, resource.RLIMIT_FSIZE, before)
            answer = await _posted(site.tap, raw)
            assert "result" in answer, answer
            await until(lambda: _is_at(site, "ok"))
            assert await ground.receipt(answer["result"]) is not None
            assert "Traceback" not in found.log


async def _is_at(site: Site, level: str, reason: str | None = None) -> bool:
    found = await site.finding()
    return found[0] == level and reason in {None, found[1]}


async def _posted(url: str, raw: str) -> Any:
    body = {"jsonrpc": "2.0", "id": 1, "method": SEND, "params": [raw]}
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
        return await response.json()


@pytest.mark.parametrize("how", ["dead", "garbage", "hanging"])
async def test_network_that_cannot_be_seen_at_the_start_is_unknown_and_no_crash(
    tmp_path: Path, anvil_path: Path, how: str
) -> None:
    """No endpoint says anything: healthy, no traceback, and `tx list` is inconclusive."""
    async with contextlib.AsyncExitStack() as stack:
        ground = None
        if how != "dead":
            ground = await stack.enter_async_context(Ground(binary=anvil_path))
            for seat in ground.seats.values():
                seat.pool.mischief.garbage() if how == "garbage" else seat.pool.mischief.hang()
        site = site_of(tmp_path, ground)
        async with running(site, "debug") as found:
            rounds = r'headwatch_rounds_total\{network="dev"\} [1-9]'
            await until(lambda: _is_measured(site, rounds))
            assert (await get(f"{site.url}/-/healthy"))[0] == 200
            await until(lambda: _is_at(site, "unknown", "network_unseen"))
            listed = await headwatch_beside("tx", "list", "-c", str(site.config))
            assert listed.returncode == 3, listed
            order = ("tx", "rebroadcast", "0x123456", "-c", str(site.config))
            ordered = await headwatch_beside(*order)
            assert ordered.returncode == 3, ordered
            assert "its network was not seen yet" in ordered.stderr
            assert "Traceback" not in found.log + listed.stderr
            assert "internal error" not in found.log


async def _is_measured(site: Site, pattern: str) -> bool:
    return re.search(pattern, (await get(f"{site.url}/metrics"))[1]) is not None


async def test_hang_up_changes_who_is_watched_and_what_may_be_sent(
    tmp_path: Path, anvil_path: Path
) -> None:
    """SIGHUP: halted on and off, an account more and less, and a broken file changes nothing."""
    async with Ground(binary=anvil_path, interval_seconds=INTERVAL_SECONDS) as ground:
        site = site_of(tmp_path, ground)
        whole = site.config.read_text()
        async with running(site) as found:
            await until(lambda: _is_at(site, "ok"))

            async def reloaded(text: str, words: str = "configuration reloaded") -> None:
                site.config.write_text(text)
                found.said.clear()
                found.process.send_signal(signal.SIGHUP)
                await found.until_said(words)

            await reloaded(whole.replace("  halted: false\n", "  halted: true\n"))
            assert await site.mode() == "halted"
            await reloaded("networks: [", "reload failed")
            assert await site.mode() == "halted"
            await reloaded(whole)
            assert await site.mode() == "acting"
            (site.journal.parent / HALT_NAME).touch()
            assert await site.mode() == "halted"
            await reloaded(whole)
            assert await site.mode() == "halted"
            (site.journal.parent / HALT_NAME).unlink()
            assert await site.mode() == "acting"
            await reloaded(whole.replace(f"alias: {ALIAS}", "alias: renamed"))
            await until(lambda: _is_at(site, ""))
            assert (await get(f"{site.url}/api/v1/transactions?account=renamed"))[0] == 200
            await reloaded(whole)
            await until(lambda: _is_at(site, "ok"))
            assert "Traceback" not in found.log
            assert found.process.returncode is None


async def test_no_key_and_no_password_is_shown_or_kept_anywhere(
    tmp_path: Path, anvil_path: Path
) -> None:
    """Not in the log at its most talkative, the pages, the stories, the errors or the files."""
    key = Key.encrypt(payments.account(0).key, PASSWORD, kdf="pbkdf2", iterations=100)
    files = {"key.json": json.dumps(key), "password": f"{PASSWORD}\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    keystore = Keystore(file=tmp_path / "key.json", password_file=tmp_path / "password")
    policy = {
        "replace": True,
        "fee_cap_max_gwei": 500.0,
        "budget_a_day_ether": 1.0,
        "bump_after_seconds": 1.0,
        "market_multiple_max": 1000,
        "rebroadcast_seconds": 1.0,
    }
    secrets = (URL_KEY, PASSWORD, payments.account(0).key.hex().removeprefix("0x"))
    async with Ground(binary=anvil_path, interval_seconds=INTERVAL_SECONDS) as ground:
        site = site_of(tmp_path, ground, policy=policy, signer=Signer(keystore=keystore))
        for seat in ground.seats.values():
            site.rewrite(Url(seat.url).reveal(), f"{seat.url}/v3/{URL_KEY}")
        ground.isolate_local()
        said: list[str] = []
        async with running(site, "debug") as found:
            await until(lambda: _is_at(site, "ok"))
            raw = payments.payment(0, fee_cap_wei=7, tip_cap_wei=7)
            hash_ = (await _posted(site.tap, raw))["result"]
            await until(lambda: _is_signed(site, hash_))
            local, one = ground.local.pool, ground.references["a"].pool
            local.mischief.drop_answer()
            said.append(json.dumps(await _posted(site.tap, payments.payment(1))))
            local.mischief.fail(SEND, (-32000, f"POST {local.url}/v3/{URL_KEY}: denied"), times=1)
            # To its sender the node's own words pass as they are.
            assert URL_KEY in json.dumps(await _posted(site.tap, payments.payment(2)))
            url = f"{one.url}/v3/{URL_KEY}"
            one.mischief.fail(SEND, (-32000, f"over the limit: {url}"), times=9)
            for arguments in (("rebroadcast",), ("show",), ("show", "--json")):
                verb, *more = arguments
                ran = await headwatch_beside("tx", verb, hash_, *more, "-c", str(site.config))
                said += [ran.stdout, ran.stderr]
            for path in ("/metrics", "/api/v1/transactions?all=1", "/api/v1/state", "/"):
                said.append((await get(f"{site.url}{path}"))[1])
            said.append((await get(f"{site.url}/api/v1/transactions/{hash_}"))[1])
        said.append(found.log)
        (tmp_path / "password").write_text("wrong\n")
        kept = b"".join(p.read_bytes() for p in site.journal.parent.iterdir() if p.is_file())
        assert b"denied" in kept
        assert any("over the limit" in text for text in said)
        for secret in secrets:
            assert [text for text in said if secret in text] == []
            assert secret.encode() not in kept
            if secret not in {URL_KEY, PASSWORD}:
                assert bytes.fromhex(secret) not in kept


async def _is_signed(site: Site, hash_: str) -> bool:
    return '"kind":"replace"' in (await get(f"{site.url}/api/v1/transactions/{hash_}"))[1]
