"""A process that watches many transactions: `python -m benchmarks.tracking DIR ACCOUNTS NONCES`.

It reads the addresses of a node and its references as one line of JSON, fills a journal, and
answers each further line with what one round of the accounts took.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.tracked import megabytes
from monitor.config import (
    Account,
    Network,
    NodeSettings,
    ProfileRef,
    ReferenceSettings,
    Settings,
    Transactions,
)
from monitor.model import Address, Hash32, Wei
from monitor.sidecar import Sidecar
from monitor.transactions.journal import Journal, Sighting
from monitor.transactions.words import Transaction
from monitor.url import Url
from monitor.watchdog import Watchdog

CHAIN_ID = 31337
NETWORK = "dev"


def settings_of(urls: list[str], accounts: int) -> Settings:
    """A node, its references, and so many accounts."""
    references = tuple(
        ReferenceSettings(
            name=f"r{index}", url=Url(url), operator=f"o{index}", calls_a_day=1_000_000_000
        )
        for index, url in enumerate(urls[1:])
    )
    return Settings(
        networks={
            NETWORK: Network(
                profile=ProfileRef(profile="dev", interval_seconds=2), references=references
            )
        },
        nodes=(NodeSettings(name="local", network=NETWORK, url=Url(urls[0])),),
        transactions=Transactions(
            accounts=tuple(
                Account(alias=f"a{index}", address=address(index), network=NETWORK, node="local")
                for index in range(accounts)
            )
        ),
    )


def address(index: int) -> Address:
    """Of the account of this number."""
    return Address(f"0x{index + 1:040x}")


def sighting(account: int, nonce: int) -> Sighting:
    """A transaction of its own, whose bytes are as long as a transfer's."""
    hash_ = Hash32(f"0x{account:032x}{nonce:032x}")
    transaction = Transaction(
        hash=hash_,
        type=2,
        chain_id=CHAIN_ID,
        sender=address(account),
        nonce=nonce,
        to=address(0),
        value_wei=Wei(1),
        gas=21_000,
        fee_cap_wei=10**10,
        tip_cap_wei=10**9,
        blob_fee_cap_wei=None,
        data=b"",
    )
    return Sighting(
        network=NETWORK,
        chain_id=CHAIN_ID,
        alias=f"a{account}",
        sender=address(account),
        nonce=nonce,
        hash=hash_,
        transaction=transaction,
        raw=b"\x02" * 110,
        source="local",
    )


async def fill(path: Path, accounts: int, nonces: int) -> None:
    """A journal of so many that wait."""
    journal = Journal(path / "journal.sqlite")
    await journal.open()
    for account in range(accounts):
        await asyncio.gather(
            *(journal.observe(sighting(account, nonce), time.time()) for nonce in range(nonces))
        )
    await journal.close()


async def main(folder: Path, accounts: int, nonces: int) -> None:
    """Answer each line until there is none."""
    urls: list[str] = json.loads(sys.stdin.readline())
    folder.mkdir(parents=True)
    await fill(folder, accounts, nonces)
    async with Sidecar(settings_of(urls, accounts)) as sidecar:
        watchdog = Watchdog(sidecar, folder)
        await watchdog.open()
        watch = sidecar.watches[NETWORK]
        await sidecar.round(watch)
        say(await measured(watchdog))
        assert sum(len(ward.slots) for ward in watchdog.keepers[NETWORK].wards) == accounts * nonces
        while line := await asyncio.to_thread(sys.stdin.readline):
            if json.loads(line)["head"]:
                node = watch.nodes[0].node
                from monitor.transactions.reading import raw_object

                await node.ask("anvil_mine", (), raw_object)
                await sidecar.round(watch)
            say(await measured(watchdog))
        await watchdog.close()


async def measured(watchdog: Watchdog) -> dict[str, float]:
    """What one round of the accounts took."""
    wall, cpu = time.perf_counter(), time.process_time()
    await watchdog.round(NETWORK)
    return {
        "wall_ms": 1000 * (time.perf_counter() - wall),
        "cpu_ms": 1000 * (time.process_time() - cpu),
        "megabytes": megabytes(),
    }


def say(answer: Any) -> None:
    """One line of JSON."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
