"""`headwatch airdrop`: an equal-split distribution, wallet by wallet, against what was paid.

What is heavy is imported by the command that needs it: the command line imports this file.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.commands import FINDINGS, PASS, UsageError, say
from monitor.commands.ledger import ending, limits, witnesses, write_output

if TYPE_CHECKING:
    from monitor.config.flags import AirdropFlags, Places
    from monitor.config.problems import Loc

WALLETS_BYTES_MAX = 16 << 20
STDIN = "-"


@ending
def verify_command(chosen: argparse.Namespace) -> int:
    """`headwatch airdrop verify`: exits 1 unless every wallet has its share and nobody else."""
    from monitor.commands.bar import progress
    from monitor.ledger.airdropping import Drop, airdrop_json, airdrop_text, verify_airdrop
    from monitor.ledger.job import Seat

    asked = _asked(chosen)
    drop = Drop(
        node=Seat("--rpc", asked.rpc),
        references=witnesses(asked.rpc, asked.reference),
        token=asked.token,
        payer=asked.payer,
        wallets=asked.wallets,
        total=chosen.total,
        first=asked.from_block,
        last=asked.to_block,
        limits=limits(),
    )
    with progress() as tell:
        try:
            outcome = asyncio.run(verify_airdrop(drop, tell))
        except ValueError as error:
            raise UsageError(str(error)) from None
    document = json.dumps(airdrop_json(outcome), indent=2)
    say(document if chosen.json else airdrop_text(outcome).rstrip("\n"))
    if chosen.output is not None:
        write_output(chosen.output, document)
    return PASS if outcome.report.is_exact else FINDINGS


def _asked(chosen: argparse.Namespace) -> AirdropFlags:
    """The flags and the list, checked together. Raises UsageError and ConfigError."""
    from monitor.config.flags import AirdropFlags, read_flags

    if chosen.from_block > chosen.to_block:
        message = f"--from-block {chosen.from_block} lies above --to-block {chosen.to_block}"
        raise UsageError(message)
    wallets, places = _wallets(chosen.wallets)
    flags = {
        "rpc": chosen.rpc,
        "reference": tuple(chosen.reference),
        "token": chosen.token,
        "payer": chosen.payer,
        "wallets": wallets,
        "from_block": chosen.from_block,
        "to_block": chosen.to_block,
    }
    return read_flags(AirdropFlags, flags, os.environ, places)


def _wallets(name: str) -> tuple[tuple[str, ...], Places]:
    """The lines of the list that are not empty, and where they stand. Raises UsageError."""
    from monitor.config.tree import Place

    try:
        if name == STDIN:
            text = sys.stdin.read(WALLETS_BYTES_MAX + 1)
        else:
            with Path(name).open(encoding="utf-8-sig") as file:
                text = file.read(WALLETS_BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        message = f"--wallets {name}: {getattr(error, 'strerror', None) or 'not text in UTF-8'}"
        raise UsageError(message) from None
    if len(text) > WALLETS_BYTES_MAX:
        message = f"--wallets {name}: larger than 16 MiB"
        raise UsageError(message)
    shown = "standard input" if name == STDIN else name
    found = [
        (wallet, number)
        for number, line in enumerate(text.splitlines(), 1)
        if (wallet := line.partition("#")[0].strip())
    ]
    if not found:
        message = f"--wallets {shown}: holds no address"
        raise UsageError(message)
    lines = enumerate(number for _, number in found)
    places: dict[Loc, Place] = {
        ("wallets", index): Place(shown, line, "wallet") for index, line in lines
    }
    return tuple(wallet for wallet, _ in found), places
