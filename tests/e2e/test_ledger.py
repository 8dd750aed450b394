"""`headwatch ledger` and `airdrop` as their users start them: exit codes, output, bad input."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import pytest
import pytest_asyncio

from monitor.lab.poco.deployment import Deployment
from monitor.lab.poco.plant import Field, choose, plant
from monitor.lab.poco.tally import Summary
from monitor.ledger.reconcile import compared
from monitor.ledger.store import Identity, Store
from tests.e2e.processes import headwatch, headwatch_beside
from tests.ledger.drops import SECRET, cut_at, door, job_of, lab_of, ranges_of
from tests.ledger.relay import PASS
from tests.rpc.canned import Json, Refusal

SCHEMA = Path(__file__).parents[2] / "docs" / "ledger.schema.json"
UNSEEN = SCHEMA.with_name("ledger-unseen.schema.json")


class Played(NamedTuple):
    """A history, and how it is asked for."""

    deployment: Deployment
    summary: Summary

    @property
    def url(self) -> str:
        return f"{self.deployment.blocks.anvil.url}/?key={SECRET}"

    def flags(self, url: str | None = None) -> list[str]:
        return ["--rpc", url or self.url, "--hub", self.deployment.hub]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def played() -> AsyncIterator[Played]:
    """8 workers, some work orders and every trap; nobody changes it."""
    async with lab_of(3) as lab:
        yield Played(lab.deployment, await lab.workerdrop(workers=8, orders=4))


async def ran(*words: str) -> Any:
    """A command that was run to its end, and told no key."""
    done = await headwatch_beside(*words)
    assert SECRET not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


# -- what is as it should be ---------------------------------------------------------------------


async def test_reconcile_of_an_honest_drop_exits_0_with_the_verdict(
    played: Played, tmp_path: Path
) -> None:
    """For a person, as JSON, and into a file."""
    out = tmp_path / "report.json"
    done = await ran("ledger", "reconcile", *played.flags(), "--output", str(out))
    assert done.returncode == 0
    assert done.stdout.startswith("PASS: ")
    done = await ran("ledger", "reconcile", *played.flags(), "--json")
    document = json.loads(done.stdout)
    jsonschema.validate(document, json.loads(SCHEMA.read_text()))
    assert document == json.loads(out.read_text())
    assert len(document["tasks"]) == len(played.summary.work_orders)


async def test_ledger_of_a_configuration_is_found_by_its_name(
    played: Played, tmp_path: Path
) -> None:
    """The sidecar's file serves the command too: its node, its references, its folder."""
    config = tmp_path / "headwatch.yaml"
    config.write_text(
        f"""
data_dir: {tmp_path}
networks:
  lab:
    profile: {{profile: dev, chain_id: 31337}}
    references:
      - {{name: a, url: "{played.url}", operator: one}}
      - {{name: b, url: "{played.url}2", operator: two}}
nodes: [{{name: local, network: lab, url: "{played.url}3"}}]
ledgers: [{{name: drop, address: "{played.deployment.hub}"}}]
"""
    )
    done = await ran("ledger", "sync", "-c", str(config), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ledger"] == "drop"
    assert (tmp_path / "ledger" / "drop" / "manifest.json").exists()
    done = await ran("ledger", "reconcile", "-c", str(config), "--name", "drop")
    assert done.returncode == 0, done.stderr


async def test_reconcile_reads_its_url_from_the_environment(played: Played) -> None:
    """A key need not stand in the list of processes."""
    words = ("ledger", "reconcile", *played.flags("${env:LAB_URL}"))
    done = await asyncio.to_thread(headwatch, *words, env={"LAB_URL": played.url})
    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stdout + done.stderr


async def test_export_and_explain_say_what_the_rules_make(played: Played, tmp_path: Path) -> None:
    """Movements as a file, a work order and an account in words, a stranger refused."""
    moved = tmp_path / "moved.csv"
    done = await ran("ledger", "export", *played.flags(), "--movements", str(moved))
    assert done.returncode == 0
    assert "nothing was compared" in done.stdout.splitlines()[0]
    header, *rows = moved.read_text().splitlines()
    assert header == "block,log_index,transaction,account,field,delta,reason,task"
    woid, account = played.summary.work_orders[0], rows[0].split(",")[3]
    for who in (woid, account):
        done = await ran("ledger", "explain", who, *played.flags())
        assert done.returncode == 0
        assert who in done.stdout
    done = await ran("ledger", "explain", "0x" + "12" * 20, *played.flags())
    assert done.returncode == 2
    assert "is no account and no work order" in done.stderr
    done = await ran("ledger", "export", *played.flags(), "--movements", str(tmp_path / "x.txt"))
    assert done.returncode == 2


# -- what is not ---------------------------------------------------------------------------------


async def test_reconcile_of_planted_numbers_exits_1_and_names_them() -> None:
    """Each account, field and delta, in the text and in the JSON."""
    async with lab_of(3) as lab:
        await lab.workerdrop(workers=8, orders=4)
        fields = (Field.SCORE, Field.STAKE, Field.LOCKED, Field.WEIGHT, Field.CONTRIBUTION_SCORE)
        planted = await plant(lab.deployment, *await choose(lab.deployment, fields=fields))
        flags = ["--rpc", lab.url, "--hub", lab.deployment.hub]
        done = await ran(
            "ledger", "reconcile", *flags, "--reference", f"{lab.url}/?other", "--json"
        )
        assert done.returncode == 1
        document = json.loads(done.stdout)
        jsonschema.validate(document, json.loads(SCHEMA.read_text()))
        assert {
            (d["kind"], d["account"], d["task"], d["delta"]) for d in document["differences"]
        } == {(one.kind, one.account, one.task, str(one.delta)) for one in planted}
        done = await ran("ledger", "reconcile", *flags)
        assert done.returncode == 1
        assert done.stdout.startswith("FAIL: ")
        assert all(str(one.account) in done.stdout for one in planted)


async def test_reconcile_of_truncated_logs_exits_3(played: Played, tmp_path: Path) -> None:
    """A proxy that cuts answers is no difference: inconclusive, with the reason, also as JSON."""
    async with door(played.deployment.blocks.anvil.url) as relay:
        relay.change = cut_at(137)
        out = tmp_path / "report.json"
        words = ["ledger", "reconcile", *played.flags(relay.url), "--json", "--output", str(out)]
        done = await ran(*words)
        assert done.returncode == 3
        assert "inconclusive: logs truncated" in done.stderr
        assert json.loads(done.stdout)["reason"] == "logs_truncated"
        jsonschema.validate(json.loads(out.read_text()), json.loads(UNSEEN.read_text()))


async def test_sync_that_is_killed_again_and_again_is_whole_in_the_end(
    played: Played, tmp_path: Path
) -> None:
    """Kill -9 after each few pages: every run goes on, and the ledger reconciles."""
    async with door(played.deployment.blocks.anvil.url) as relay:

        def narrow(method: str, params: list[Json]) -> Json:
            if method == "eth_getLogs":
                first, last = (int(params[0][end], 16) for end in ("fromBlock", "toBlock"))
                if last - first >= 3:
                    return Refusal("query returned more than 10000 results", -32005)
            return PASS

        relay.instead = narrow
        words = ["ledger", "sync", *played.flags(relay.url), "--data-dir", str(tmp_path)]
        reached = played.deployment.first_block
        for _ in range(3):
            reached = await _killed(relay, words, reached + 8)
        relay.forget()
        done = await ran(*words)
        assert done.returncode == 0
        assert min(first for first, _ in ranges_of(relay)) > played.deployment.first_block + 16
        done = await ran("ledger", "reconcile", *played.flags(), "--data-dir", str(tmp_path))
        assert done.returncode == 0


async def _killed(relay: Any, words: list[str], at: int) -> int:
    """Run a command until it asks for logs of this block or later, and kill it there."""
    stuck, asked = asyncio.Event(), asyncio.Event()

    async def before(request: int) -> None:
        del request
        if any(first >= at for first, _ in ranges_of(relay)[-3:]):
            asked.set()
            await stuck.wait()

    relay.before = before
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "monitor", *words),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    await asyncio.wait_for(asked.wait(), 30)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    relay.before = None
    stuck.set()
    return at


# -- bad input -----------------------------------------------------------------------------------


def _rlc(played: Played) -> list[str]:
    return ["--rpc", played.url, "--hub", played.deployment.rlc]


def _nobody(played: Played) -> list[str]:
    return ["--rpc", played.url, "--hub", "0x" + "12" * 20]


def _no_address(played: Played) -> list[str]:
    return ["--rpc", played.url, "--hub", "0x12"]


def _half(played: Played) -> list[str]:
    return ["--rpc", played.url]


def _own_witness(played: Played) -> list[str]:
    return [*played.flags(), "--reference", played.url]


def _unknown_network(played: Played) -> list[str]:
    return [*played.flags(), "--network", "mars"]


def _other_chain(played: Played) -> list[str]:
    return [*played.flags(), "--network", "ethereum"]


def _other_protocol(played: Played) -> list[str]:
    return [*played.flags(), "--protocol", "poco-v9"]


def _bad_block(played: Played) -> list[str]:
    return [*played.flags(), "--at", "yesterday"]


def _late_block(played: Played) -> list[str]:
    return [*played.flags(), "--at", "1000000"]


def _unknown_hash(played: Played) -> list[str]:
    return [*played.flags(), "--at", "0x" + "12" * 32]


def _before_the_hub(played: Played) -> list[str]:
    return [*played.flags(), "--at", "1"]


@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        (_rlc, 2, "is no IexecHub"),
        (_nobody, 2, "has no code at block"),
        (_no_address, 2, "--hub"),
        (_half, 2, "one-off use needs --rpc URL and --hub ADDRESS"),
        (_own_witness, 2, "cannot be its own witness"),
        (_unknown_network, 2, "no chain profile 'mars'"),
        (_other_protocol, 2, "poco-v1"),
        (_bad_block, 2, "a block's number or its hash"),
        (_other_chain, 3, "serves chain 31337, not 1"),
        (_late_block, 3, "has no block 1000000"),
        (_unknown_hash, 3, "has no block 0x121212"),
        (_before_the_hub, 3, "it was deployed later"),
    ],
)
async def test_reconcile_of_bad_input_is_one_line_and_makes_nothing(
    played: Played, tmp_path: Path, flags: Callable[[Played], list[str]], code: int, said: str
) -> None:
    """What is wrong, in one line; the exit code; and no folder."""
    folder = tmp_path / "kept"
    done = await ran("ledger", "reconcile", *flags(played), "--data-dir", str(folder))
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert said in done.stderr.splitlines()[-1] + done.stderr
    assert not folder.exists()


async def test_verdict_is_told_even_where_its_file_cannot_be_written(
    played: Played, tmp_path: Path
) -> None:
    """A full disk takes the file, and not what hours of work came to."""
    nowhere = str(tmp_path / "none" / "out.json")
    done = await ran("ledger", "reconcile", *played.flags(), "--output", nowhere)
    assert (done.returncode, done.stdout[:6]) == (2, "PASS: ")
    assert f"--output {nowhere}: No such file" in done.stderr
    wallets = tmp_path / "wallets.txt"
    wallets.write_text(played.deployment.hub)
    done = await ran(
        *("airdrop", "verify", "--rpc", played.url, "--token", played.deployment.rlc),
        *("--payer", played.deployment.owner, "--wallets", str(wallets), "--total", "5"),
        *("--from-block", "0", "--to-block", "1", "--output", nowhere),
    )
    assert (done.returncode, done.stdout[:6]) == (2, "FAIL: ")


async def test_reconcile_into_a_bad_store_exits_2_and_names_it(
    played: Played, tmp_path: Path
) -> None:
    """A second writer, a damaged file, another ledger's folder: each by its name."""
    folder = tmp_path / "ledger" / played.deployment.hub
    words = ["ledger", "reconcile", *played.flags(), "--data-dir", str(tmp_path)]
    identity = Identity(31337, "poco-v1", played.deployment.hub)
    with Store.open(folder, identity):
        done = await ran(*words)
        assert done.returncode == 2
        assert f"pid {os.getpid()}" in done.stderr
    assert (await ran(*words)).returncode == 0
    (folder / "manifest.json").write_text("{")
    done = await ran(*words)
    assert done.returncode == 2
    assert "manifest.json is damaged" in done.stderr


async def test_airdrop_verify_exits_with_what_was_paid(played: Played, tmp_path: Path) -> None:
    """The list from a file; wallets that were paid otherwise are findings, and named."""
    wallets = tmp_path / "wallets.txt"
    wallets.write_text(f"# of the drop\n{played.deployment.hub}  # nobody\n\n")
    words = [
        *("airdrop", "verify", "--rpc", played.url, "--token", played.deployment.rlc),
        *("--payer", played.deployment.owner, "--wallets", str(wallets), "--total", "5"),
        *("--from-block", "0", "--to-block", str(played.summary.last_block)),
    ]
    done = await ran(*words)
    assert done.returncode == 1
    assert done.stdout.startswith("FAIL: ")
    document = json.loads((await ran(*words, "--json")).stdout)
    assert document["standings"]["missing"] == 1
    words[words.index("--payer") + 1] = "0x" + "12" * 20
    words[words.index("--total") + 1] = "0"
    assert (await ran(*words)).returncode == 0
    wallets.write_text(f"{played.deployment.hub}\n{played.deployment.hub}\n")
    done = await ran(*words)
    assert done.returncode == 2
    assert "listed more than once" in done.stderr


# -- as large as it was --------------------------------------------------------------------------


@pytest.mark.wide
@pytest.mark.parametrize("seed", range(5))
async def test_reconcile_of_a_workerdrop_of_2018_is_exact(seed: int) -> None:
    """311 workers and 170 work orders: no difference; then each planted number, and no other."""
    async with lab_of(seed) as lab:
        summary = await lab.workerdrop(workers=311, orders=170)
        assert summary.workers >= 311
        found = await compared(job_of(lab.deployment))
        assert found.differences == ()
        assert len(found.report().tasks) == len(summary.work_orders) >= 170
        wrongs = [one for one in await choose(lab.deployment, seed=seed) if one.account]
        planted = await plant(lab.deployment, *wrongs)
        report = (await compared(job_of(lab.deployment))).report()
        assert {(d.kind, d.account, d.task) for d in report.differences} == {
            (one.kind, one.account, one.task) for one in planted
        }
        deltas = {d.account: d.delta for d in report.differences if d.kind != "status"}
        assert deltas == {p.account: p.delta for p in planted if p.kind != "status"}
