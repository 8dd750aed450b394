"""`headwatch tx` as its users start it, beside a sidecar's API and without one."""

from __future__ import annotations

import argparse
import asyncio
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from monitor.act.server import application
from monitor.cli import main
from monitor.commands.slot_lines import HEADINGS
from monitor.commands.transaction_access import Access
from monitor.commands.transactions import _ordering
from monitor.config import Settings, load
from monitor.model import Level
from monitor.transactions.journal import Journal, Reader
from monitor.transactions.orders import OrderError, Orders, Trouble
from monitor.transactions.words import State
from tests.act.accounts import (
    ALIAS,
    HOSTILE,
    OTHER,
    SENDER,
    Clerk,
    change,
    raw_of,
    tx_hash,
    watched,
    written,
)
from tests.act.conftest import Stage, view_of
from tests.act.snapshots import NETWORK, NOW, TIP, hash_of
from tests.stack import free_port

TOKEN = "a-bearer-token"  # noqa: S105 - of a server of this test
HASH = tx_hash(17)


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Awaitable[Ran]]


def configured(directory: Path, port: int, *, token_file: Path | None = None) -> Path:
    """A file that watches two accounts on a network of which nothing answers."""
    path = directory / "headwatch.yaml"
    accounts = [
        {"alias": ALIAS, "address": SENDER, "network": NETWORK},
        {"alias": OTHER, "address": "0x" + "11" * 20, "network": NETWORK},
    ]
    settings = {
        "data_dir": str(directory / "data"),
        "http": {"listen": f"127.0.0.1:{port}"},
        "networks": {
            NETWORK: {
                "profile": "ethereum",
                "references": [{"name": "a", "url": "http://127.0.0.1:10"}],
            }
        },
        "nodes": [{"name": "local", "network": NETWORK, "url": "http://127.0.0.1:9"}],
        "transactions": {"accounts": accounts},
    }
    if token_file is not None:
        settings["http"] = {"listen": f"127.0.0.1:{port}", "token_file": str(token_file)}
    path.write_text(json.dumps(settings))
    return path


@dataclass
class Sidecar:
    """A server over accounts, and what was ordered of it."""

    stage: Stage
    clerk: Clerk
    config: Path
    journal: Path


@pytest.fixture
async def sidecar(tmp_path: Path) -> AsyncIterator[Sidecar]:
    """A sidecar that wants a token, which the configuration names."""
    token_file = tmp_path / "token"
    token_file.write_text(f"{TOKEN}\n")
    (tmp_path / "data").mkdir()
    path = await written(tmp_path / "data" / "journal.sqlite")
    clerk = Clerk()
    stage = Stage(watched(), orders=clerk, journal=Reader(path))
    server = TestServer(application(view_of(stage, token=TOKEN)))
    await server.start_server()
    assert server.port is not None
    yield Sidecar(stage, clerk, configured(tmp_path, server.port, token_file=token_file), path)
    await server.close()


@pytest.fixture
async def alone(tmp_path: Path) -> Path:
    """A configuration whose sidecar does not run; its journal is there."""
    (tmp_path / "data").mkdir()
    await written(tmp_path / "data" / "journal.sqlite")
    return configured(tmp_path, free_port())


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs a command beside the servers of this loop."""

    async def ran(config: Path, *arguments: str) -> Ran:
        capfd.readouterr()
        code = await asyncio.to_thread(main, ["tx", *arguments, "-c", str(config)])
        said = capfd.readouterr()
        return Ran(code, said.out, said.err)

    return ran


# -- list and show -------------------------------------------------------------------------------


async def test_list_is_a_table_with_the_worst_on_top(sidecar: Sidecar, run: Run) -> None:
    """Account, nonce, state, age, the whole hash and a sentence; 1, since one is degraded."""
    done = await run(sidecar.config, "list")
    assert (done.code, done.err) == (1, "")
    heading, *rows = done.out.splitlines()
    assert heading.split() == [*HEADINGS[:-1], *HEADINGS[-1].split()]
    assert [row.split()[2] for row in rows] == ["17", "18", "19"]
    assert rows[0].split()[:4] == ["degraded", ALIAS, "17", "not_propagated"]
    assert "6 min 40 s" in rows[0]
    assert HASH in rows[0]
    assert rows[0].endswith("no reference knows it")


async def test_list_as_json_is_the_api_s(sidecar: Sidecar, run: Run) -> None:
    """For scripts, the document as it is, with what was asked for."""
    done = await run(sidecar.config, "list", "--json", "--all", "--state", "final_ok")
    assert done.code == 0
    assert [row["nonce"] for row in done.document["transactions"]] == [16]
    done = await run(sidecar.config, "list", "--json", "--account", ALIAS, "--limit", "1")
    assert done.document["left_out"] == 2
    assert done.err == "headwatch: 2 more are not shown: see --limit\n"


async def test_list_of_an_account_at_rest_passes(sidecar: Sidecar, run: Run) -> None:
    """Nothing on its way is a sentence, and nothing wrong."""
    done = await run(sidecar.config, "list", "--account", OTHER)
    assert (done.code, done.out) == (0, "no transaction is on its way\n")


@pytest.mark.parametrize(
    ("mode", "said"), [("halted", "halted: nothing is sent"), ("dry_run", "dry run: nothing is")]
)
async def test_list_says_when_nothing_is_sent(
    mode: Any, said: str, sidecar: Sidecar, run: Run
) -> None:
    """Whoever waits for something to be done learns that nothing will be."""
    sidecar.stage.snapshot = replace(sidecar.stage.snapshot, transactions_mode=mode)
    assert said in (await run(sidecar.config, "list")).err


async def test_list_with_one_that_cannot_be_judged_could_not_see(
    sidecar: Sidecar, run: Run
) -> None:
    """Too little evidence is not that all is well; what nobody has looked at yet is no trouble."""
    journal = Journal(sidecar.journal, clock=lambda: NOW)
    await journal.open()
    (slot,) = [s for s in await journal.live(NETWORK) if s.nonce == 18]
    weak = change(slot, State.EVIDENCE_WEAK, "0", Level.UNKNOWN, "1 of 3 references is fresh")
    await journal.entered([weak])
    await journal.close()
    assert (await run(sidecar.config, "list", "--state", "evidence_weak")).code == 3
    assert (await run(sidecar.config, "list", "--state", "pending")).code == 0


async def test_list_without_a_sidecar_is_the_journal_s_and_says_how_old(
    alone: Path, run: Run
) -> None:
    """What was known is shown; that nobody looks any more is said; what is bad stays bad."""
    done = await run(alone, "list")
    assert done.code == 1
    assert "not_propagated" in done.out
    assert "ethereum: the newest round in the journal is" in done.err
    assert "old: no sidecar runs" in done.err
    done = await run(alone, "list", "--state", "blocked", "--json")
    assert done.code == 3, "well as it was, but nobody has seen it for long"
    assert done.document["mode"] == "alone"


async def test_list_without_sidecar_and_journal_could_not_see(tmp_path: Path, run: Run) -> None:
    """Nothing there is not nothing wrong; and looking makes no file."""
    done = await run(configured(tmp_path, free_port()), "list")
    assert (done.code, done.out) == (3, "")
    assert "there is no journal at" in done.err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("list", "--account", "scheduller"), "--account: found 'scheduller', watched are"),
        (("list", "--state", "lost_it"), "--state: found 'lost_it', expected one of"),
        (("list", "--limit", "0"), "--limit: expected a whole number from 1 to 1000"),
        (("list", "--limit", "x"), "--limit: expected a whole number from 1 to 1000"),
        (("show", "0x12"), "expected a hash, at least six digits of one, or ALIAS/NONCE"),
        (("show", "../../halt"), "expected a hash"),
        (("cancel", "--yes", "17"), "expected a hash"),
        (("replace", "--yes", "--tip-gwei", "1", HASH), "are given together"),
        (("replace", "--yes", "--tip-gwei", "-1", HASH), "expected gwei"),
        (("replace", "--yes", "--tip-gwei", "0.0000000001", HASH), "expected gwei"),
        (("replace", "--yes", "--tip-gwei", "nan", HASH), "expected gwei"),
        (("replace", "--yes", "--tip-gwei", "1e99", HASH), "expected gwei"),
        (("watch", "0xzz"), "expected 0x and hexadecimal digits"),
        (("watch", "@/nowhere/at/all"), "No such file"),
        (("watch", "0x" + "0" * 2_200_000), "expected 0x and hexadecimal digits"),
    ],
)
async def test_mistake_of_usage_is_one_line_and_nothing_is_ordered(
    arguments: tuple[str, ...], said: str, sidecar: Sidecar, run: Run
) -> None:
    """2, with what was found and what was expected."""
    done = await run(sidecar.config, *arguments)
    assert done.code == 2
    assert said in done.err.splitlines()[-1]
    assert sidecar.clerk.given == []


async def test_nothing_watched_is_a_matter_of_configuration(tmp_path: Path, run: Run) -> None:
    """2, and where to name an account."""
    config = configured(tmp_path, free_port())
    document = json.loads(config.read_text())
    del document["transactions"]
    config.write_text(json.dumps(document))
    for arguments in (("list",), ("halt",), ("show", HASH)):
        done = await run(config, *arguments)
        assert done.code == 2
        assert "no account is watched: name one under `transactions`" in done.err


@pytest.mark.parametrize("name", [HASH, HASH[:10], f"{ALIAS}/17"])
async def test_show_is_the_same_story_with_a_sidecar_and_without(
    name: str, tmp_path: Path, run: Run
) -> None:
    """States, evidence, sends and the bytes with a command: from wherever they can be had."""
    (tmp_path / "data").mkdir()
    path = await written(tmp_path / "data" / "journal.sqlite", said=HOSTILE)
    stage = Stage(watched(), orders=Clerk(), journal=Reader(path))
    server = TestServer(application(view_of(stage)))
    await server.start_server()
    assert server.port is not None
    config = configured(tmp_path, server.port)
    beside, beside_json = await run(config, "show", name), await run(config, "show", name, "--json")
    await server.close()
    alone, alone_json = await run(config, "show", name), await run(config, "show", name, "--json")
    assert (beside.code, beside.out) == (0, alone.out)
    assert beside_json.document == alone_json.document
    assert f"0x{raw_of(17).hex()}" in beside.out
    assert "curl -s" in beside.out
    assert "\x1b" not in beside.out


async def test_show_bears_the_token_so_that_nothing_is_withheld(sidecar: Sidecar, run: Run) -> None:
    """What is not public yet is shown to whoever may give orders."""
    done = await run(sidecar.config, "show", f"{ALIAS}/18", "--json")
    assert done.document["attempts"][0]["raw"] == f"0x{raw_of(18).hex()}"
    (sidecar.config.parent / "token").write_text("another")
    done = await run(sidecar.config, "show", f"{ALIAS}/18")
    assert done.code == 2
    assert "the sidecar refused: expected a bearer token" in done.err
    (sidecar.config.parent / "token").unlink()
    done = await run(sidecar.config, "show", f"{ALIAS}/18")
    assert done.code == 2
    assert "http.token_file" in done.err


@pytest.mark.parametrize("name", [tx_hash(99), f"{ALIAS}/99"])
async def test_show_of_what_is_not_there_says_so(
    name: str, sidecar: Sidecar, run: Run, tmp_path: Path
) -> None:
    """2: a name that is none, with a sidecar and without."""
    done = await run(sidecar.config, "show", name)
    assert (done.code, done.out) == (2, "")
    assert f"the journal has no transaction {name}" in done.err
    done = await run(configured(tmp_path, free_port()), "show", name)
    assert done.code == 2
    assert f"the journal has no transaction {name}" in done.err


# -- orders --------------------------------------------------------------------------------------


async def test_rebroadcast_says_who_took_it(sidecar: Sidecar, run: Run) -> None:
    """Every endpoint and its answer; what nodes say moves no cursor; 0, since one took it."""
    done = await run(sidecar.config, "rebroadcast", f"{ALIAS}/17")
    assert done.code == 0
    assert sidecar.clerk.given == [("rebroadcast", {"name": f"{ALIAS}/17"})]
    assert done.out.splitlines()[:3] == [
        "rebroadcast: done",
        f"hash {HASH}",
        "  ethereum/a: accepted",
    ]
    assert "local: transport (connection reset" in done.out
    assert "\x1b" not in done.out
    done = await run(sidecar.config, "rebroadcast", HASH, "--json")
    assert done.document["deliveries"][0]["reaction"] == "accepted"


async def test_replace_shows_the_price_and_signs_at_it(sidecar: Sidecar, run: Run) -> None:
    """Both fees, before and then, and the cost in ether; what was shown is what is ordered."""
    done = await run(sidecar.config, "replace", HASH, "--yes")
    assert done.code == 0
    for line in (
        f"replace nonce 17 of {ALIAS} (ethereum)",
        "pays 2 ether to 0x70707070",
        "now   fee cap 30 gwei, tip 2 gwei",
        "then  fee cap 44 gwei, tip 3 gwei",
        "cost  at most 0.000924 ether for 21000 gas, 2.000924 ether in all",
    ):
        assert line in done.err
    assert f"hash {tx_hash(17, 1)}" in done.out
    priced = {"cap": 44 * 10**9, "tip": 3 * 10**9}
    assert sidecar.clerk.given == [
        ("replace", {"name": HASH, "cap": None, "tip": None, "dry_run": True}),
        ("replace", {"name": HASH, **priced, "dry_run": False}),
    ]


async def test_cancel_says_what_is_no_longer_paid(sidecar: Sidecar, run: Run) -> None:
    """The cost is that of a transfer, whatever the payment was; given fees are those asked for."""
    fees = ("--fee-cap-gwei", "50.5", "--tip-gwei", "0")
    done = await run(sidecar.config, "cancel", HASH, "--dry-run", *fees)
    assert done.code == 0
    assert "would no longer pay 2 ether" in done.out
    assert "at most 0.000924 ether for 21000 gas\n" in done.out
    assert sidecar.clerk.given == [
        ("cancel", {"name": HASH, "cap": 50_500_000_000, "tip": 0, "dry_run": True})
    ]


@pytest.mark.parametrize("act", ["replace", "cancel"])
async def test_signing_without_a_terminal_needs_a_yes(
    act: str, sidecar: Sidecar, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script that forgot to say so is refused before anything is asked; a dry run is not."""
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    done = await run(sidecar.config, act, HASH)
    assert done.code == 2
    assert "here is no terminal: give --yes" in done.err
    assert sidecar.clerk.given == []
    assert (await run(sidecar.config, act, HASH, "--dry-run")).code == 0


@pytest.mark.parametrize(
    ("typed", "is_signed"),
    [("y\n", True), ("yes\n", True), ("YES\n", True), ("n\n", False), ("\n", False), ("", False)],
)
async def test_signing_on_a_terminal_asks_first(
    typed: str,
    *,
    is_signed: bool,
    sidecar: Sidecar,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only a plain yes signs; anything else, and the end of input, signs nothing and exits 1."""
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    done = await run(sidecar.config, "cancel", HASH)
    assert done.code == (0 if is_signed else 1)
    assert "sign and send this cancel? [y/N]" in done.err
    assert ("nothing was signed" in done.err) != is_signed
    assert [bool(given["dry_run"]) for _, given in sidecar.clerk.given] == [True, False][
        : 1 + is_signed
    ]


async def test_propose_prints_the_document_alone(sidecar: Sidecar, run: Run) -> None:
    """It is piped to a signer: JSON and nothing else."""
    done = await run(sidecar.config, "propose", HASH)
    assert (done.code, done.err) == (0, "")
    assert done.document["schema"] == "headwatch.proposal/1"


async def test_halt_and_resume_are_ordered(sidecar: Sidecar, run: Run) -> None:
    """The kill switch, by one word; where the configuration halts, resume says that it does."""
    assert "nothing is sent" in (await run(sidecar.config, "halt")).out
    assert (await run(sidecar.config, "resume", "--json")).document == {"halted": False}
    assert [act for act, _ in sidecar.clerk.given] == ["halt", "resume"]
    document = json.loads(sidecar.config.read_text())
    document["transactions"]["halted"] = True
    sidecar.config.write_text(json.dumps(document))
    done = await run(sidecar.config, "resume")
    assert done.code == 1
    assert "`transactions.halted` of the configuration still holds" in done.err


@pytest.mark.parametrize(("trouble", "code"), [("unknown", 2), ("refused", 1), ("unavailable", 3)])
@pytest.mark.parametrize(
    "arguments",
    [
        ("rebroadcast", HASH),
        ("replace", HASH, "--yes"),
        ("cancel", HASH, "--dry-run"),
        ("propose", HASH),
        ("halt",),
        ("watch", HASH),
    ],
)
async def test_order_that_is_not_carried_out_is_one_line_and_a_code(
    arguments: tuple[str, ...], trouble: Trouble, code: int, sidecar: Sidecar, run: Run
) -> None:
    """No such transaction 2, refused by a rule 1, nobody there 3; the reason is the sidecar's."""
    sidecar.clerk.trouble = OrderError("a cap\x1b[2J blocks it", trouble)
    done = await run(sidecar.config, *arguments)
    assert (done.code, done.out) == (code, "")
    assert done.err == "headwatch: a cap [2J blocks it\n"


def test_order_that_fails_here_moves_no_cursor(capfd: pytest.CaptureFixture[str]) -> None:
    """What a node says is quoted in reasons, also where no sidecar is between."""

    def fails(chosen: argparse.Namespace) -> int:
        message = "ethereum/a said\x1b[2J\nno"
        raise OrderError(message, "refused")

    assert _ordering(fails)(argparse.Namespace()) == 1
    assert capfd.readouterr().err == "headwatch: ethereum/a said [2J no\n"


async def test_order_with_a_wrong_token_is_refused(sidecar: Sidecar, run: Run) -> None:
    """2; and the token is in no text."""
    (sidecar.config.parent / "token").write_text("another-token")
    done = await run(sidecar.config, "halt")
    assert done.code == 2
    assert done.err == "headwatch: the sidecar refused: expected a bearer token\n"
    assert sidecar.clerk.given == []


# -- watch ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["stdin", "file", "argument"])
async def test_watch_registers_bytes(
    how: str, sidecar: Sidecar, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On standard input, in a file, or where everybody can read them."""
    text = f"0x{raw_of(17).hex()}"
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{text}\n"))
    (tmp_path / "raw").write_text(f"  {text}\n")
    what = {"stdin": "-", "file": f"@{tmp_path / 'raw'}", "argument": text}[how]
    done = await run(sidecar.config, "watch", what, "--network", NETWORK)
    assert (done.code, done.out) == (0, "register: done\n")
    asked = {"name": "", "raw": raw_of(17), "hash": None, "network": NETWORK}
    assert sidecar.clerk.given == [("register", asked)]


async def test_watch_registers_a_hash(sidecar: Sidecar, run: Run) -> None:
    """32 bytes are a hash and never a transaction, in whatever case."""
    done = await run(sidecar.config, "watch", "0x" + HASH[2:].upper(), "--json")
    assert done.document["hash"] == HASH
    ((_, given),) = sidecar.clerk.given
    assert (given["raw"], given["hash"]) == (None, HASH)


async def test_watch_and_wait_follows_to_the_end(sidecar: Sidecar, run: Run) -> None:
    """Until the nonce is used in a final block; elsewhere than on a terminal a line a change."""
    journal = Journal(sidecar.journal, clock=lambda: NOW)
    await journal.open()
    (slot,) = [s for s in await journal.live(NETWORK) if s.nonce == 17]
    await journal.close_slot(
        slot.id,
        State.FINAL_OK,
        consumer_hash=HASH,
        number=TIP,
        block_hash=hash_of(TIP),
        summary="in a final block",
        at=NOW,
    )
    await journal.close()
    done = await run(sidecar.config, "watch", HASH, "--wait", "1m")
    assert (done.code, done.out) == (0, f"nonce 17 of {ALIAS}: final_ok by {HASH}\n")
    assert done.err == "headwatch: register: done\nfinal_ok: in a final block\n"


async def test_watch_and_wait_ends_in_time(sidecar: Sidecar, run: Run) -> None:
    """3 where it is not final by then, with the state it is in."""
    done = await run(sidecar.config, "watch", HASH, "--wait", "0s", "--json")
    assert done.code == 3
    assert done.document["state"] == "not_propagated"
    assert "not_propagated: pending on local for 16 blocks" in done.err


async def test_watch_and_wait_where_nobody_looks_ends_at_once(tmp_path: Path, run: Run) -> None:
    """It is registered, and that is said; but without a sidecar there is nothing to wait for."""
    ordered = json.dumps(
        {
            "act": "register",
            "network": NETWORK,
            "alias": ALIAS,
            "nonce": 17,
            "hash": HASH,
            "deliveries": [],
            "fee_cap_wei": None,
            "tip_cap_wei": None,
            "summary": "watched",
        }
    ).encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        server.close()  # Whoever comes next is refused.
        head = b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n" % len(ordered)
        writer.write(head + ordered)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    done = await run(configured(tmp_path, port), "watch", HASH, "--wait")
    assert (done.code, done.out) == (3, "watched\n")
    assert done.err == "headwatch: no sidecar runs: nobody sees what becomes of it\n"


# -- without a sidecar ---------------------------------------------------------------------------


async def test_order_without_a_sidecar_is_carried_out_here(tmp_path: Path) -> None:
    """The same orders, given to whoever holds the journal meanwhile; then it is let go."""
    clerk = Clerk()
    held: list[Path | None] = []

    @asynccontextmanager
    async def alone(settings: Settings, directory: Path) -> AsyncIterator[Orders]:
        held.append(directory)
        yield clerk
        held.append(None)

    settings = load(configured(tmp_path, free_port()), {})
    access = Access(settings, {}, alone=alone)

    async def carry(orders: Orders) -> dict[str, object]:
        await orders.rebroadcast(HASH)
        return {"sent": True}

    order = asyncio.to_thread(access.order, "/x/rebroadcast", {}, carry)
    assert await order == {"sent": True}
    assert held == [tmp_path / "data", None]
    assert clerk.given == [("rebroadcast", {"name": HASH})]
    assert not await asyncio.to_thread(lambda: access.is_kept)


async def test_halt_without_a_sidecar_holds_for_the_next(alone: Path, run: Run) -> None:
    """It is a file beside the journal; then nothing is sent, until it is resumed."""
    flag = alone.parent / "data" / "halted"
    assert (await run(alone, "halt")).code == 0
    assert flag.exists()
    done = await run(alone, "rebroadcast", HASH)
    assert done.code == 1
    assert "halted: nothing is sent until `headwatch tx resume`" in done.err
    assert (await run(alone, "resume")).code == 0
    assert not flag.exists()


async def test_order_without_a_sidecar_whose_journal_is_held_could_not_see(
    alone: Path, run: Run
) -> None:
    """A sidecar that runs, and listens elsewhere than the configuration says, is not got round.

    But it is halted: the switch is looked at by whoever has the journal.
    """
    journal = Journal(alone.parent / "data" / "journal.sqlite")
    await journal.open()
    done = await run(alone, "rebroadcast", HASH)
    halted = await run(alone, "halt")
    await journal.close()
    assert (done.code, done.out) == (3, "")
    assert "no sidecar listens at 127.0.0.1:" in done.err
    assert "is used by another headwatch" in done.err
    assert (halted.code, (alone.parent / "data" / "halted").exists()) == (0, True)


async def test_switch_that_cannot_be_moved_is_said(tmp_path: Path, run: Run) -> None:
    """Where there is no data directory, nothing is made up and nobody is told that all is well."""
    done = await run(configured(tmp_path, free_port()), "halt")
    assert (done.code, done.out) == (3, "")
    assert "halted cannot be written: No such file or directory" in done.err
    assert not (tmp_path / "data").exists()


# -- who answers ---------------------------------------------------------------------------------

ODD = {
    "no HTTP": b"\x00\xff garbage\r\n\r\n",
    "no JSON": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "other JSON": b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"ok": 1}',
    "a list": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
    "deep JSON": b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + b"[" * 99_999,
    "cut short": b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n{",
    "no UTF-8": b'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"\xff\xfe"',
    "404 of another": b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone",
    "404 of an older one": b"HTTP/1.1 404 Not Found\r\nContent-Length: 22\r\n\r\n"
    b'{"error": "Not Found"}',
    "closed at once": b"",
}


@pytest.mark.parametrize("said", ODD.values(), ids=ODD)
async def test_what_listens_and_is_no_headwatch_is_said_so(
    said: bytes, tmp_path: Path, run: Run
) -> None:
    """3 and its address; its port is not taken for a free one, so that nothing is done here."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    config = configured(tmp_path, port)
    async with server:
        for arguments in (
            *(("list",), ("show", HASH), ("show", HASH, "--json")),
            *(("rebroadcast", HASH), ("propose", HASH), ("watch", HASH), ("resume",)),
        ):
            done = await run(config, *arguments)
            assert (done.code, done.out) == (3, "")
            assert f"127.0.0.1:{port}" in done.err
            assert len(done.err.splitlines()) == 1
    assert not (tmp_path / "data").exists()


async def test_order_without_an_answer_is_not_said_to_have_failed(tmp_path: Path, run: Run) -> None:
    """Whether it was carried out is not known, and where to look is said."""

    async def cut(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", cut)
    server = TestServer(app)
    await server.start_server()
    assert server.port is not None
    done = await run(configured(tmp_path, server.port), "rebroadcast", HASH)
    assert done.code == 3
    assert "whether it has done it is not known: see `headwatch tx list`" in done.err
    done = await run(configured(tmp_path, server.port), "list")
    assert "whether" not in done.err
    (tmp_path / "data").mkdir()
    done = await run(configured(tmp_path, server.port), "halt")
    assert (done.code, (tmp_path / "data" / "halted").exists()) == (0, True)
    assert (await run(configured(tmp_path, server.port), "resume")).code == 3
    await server.close()
