"""`headwatch ledger`: the events fetched, the ledger recomputed, compared, printed, explained.

What is heavy is imported by the command that needs it: the command line imports this file.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.commands import (
    EXIT_CODES,
    INCONCLUSIVE,
    PASS,
    USAGE,
    UsageError,
    load_settings,
    note,
    say,
)

if TYPE_CHECKING:
    from monitor.config import Ledger, Settings
    from monitor.judge.profiles import Profile
    from monitor.ledger.job import Job, Seat
    from monitor.ledger.report import Report
    from monitor.rpc.node import Limits
    from monitor.url import Url

Command = Callable[[argparse.Namespace], int]
EXTRA = "the ledger needs numpy and pyarrow: pip install 'headwatch[ledger]'"
ONE_OFF = ("rpc", "hub", "protocol", "network", "data_dir")
"""Flags that go without a configuration."""
DEADLINE_SECONDS = 30.0
"""Of one-off use. A range of events is no poll: a node may search long before it answers."""
BODY_BYTES_MAX = 64 << 20
NOT_COMPARED = "by the rules alone: nothing was compared with what the contracts hold"
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


def require_extra() -> None:
    """Raises UsageError where the extra that the ledger needs is not installed."""
    try:
        import numpy as _numpy
        import pyarrow as _pyarrow
    except ImportError:
        raise UsageError(EXTRA) from None
    del _numpy, _pyarrow


def ending(command: Command) -> Command:
    """The command, with what ends it without a verdict as one line and an exit code."""

    @wraps(command)
    def ended(chosen: argparse.Namespace) -> int:
        require_extra()
        from monitor.act.words import plain
        from monitor.garbage import seldom
        from monitor.ledger.errors import BrokenStore, CouldNotSee, NotAHub

        try:
            with seldom():
                return command(chosen)
        except CouldNotSee as error:
            note(f"inconclusive: {plain(error.detail)}")
            if getattr(chosen, "json", False) or chosen.output is not None:
                _hand_out(chosen, json.dumps(unseen_json(error), indent=2), None)
            return INCONCLUSIVE
        except (NotAHub, BrokenStore) as error:
            note(plain(str(error)))
            return USAGE

    return ended


def unseen_json(error: Exception) -> Mapping[str, object]:
    """What is printed where there is no report, because something could not be seen."""
    return {
        "schema": "headwatch.ledger-unseen/1",
        "verdict": "inconclusive",
        "reason": getattr(error, "reason", ""),
        "detail": str(error),
    }


@ending
def sync_command(chosen: argparse.Namespace) -> int:
    """`headwatch ledger sync`."""
    from monitor.commands.bar import progress
    from monitor.ledger.sync import sync_ledger

    job = job_of_command(chosen)
    if job.folder is None:
        message = "sync keeps what it fetches: give --data-dir DIR, or a configuration"
        raise UsageError(message)
    with progress() as tell:
        kept = asyncio.run(sync_ledger(job, tell))
    document = {
        "ledger": job.name,
        "chain_id": kept.chain_id,
        "block": asdict(kept.block),
        "events": kept.events,
        "events_new": kept.events_new,
    }
    line = (
        f"{job.name}: {kept.events:,} events up to block {kept.block.number:,}, "
        f"{kept.events_new:,} of them new"
    )
    _hand_out(chosen, json.dumps(document, indent=2), line)
    return PASS


@ending
def reconcile_command(chosen: argparse.Namespace) -> int:
    """`headwatch ledger reconcile`: exits with the verdict."""
    from monitor.commands.bar import progress
    from monitor.ledger.reconcile import reconcile

    job = job_of_command(chosen)
    with progress() as tell:
        report = asyncio.run(reconcile(job, tell))
    _print(chosen, report)
    return EXIT_CODES[report.verdict]


@ending
def export_command(chosen: argparse.Namespace) -> int:
    """`headwatch ledger export`."""
    from monitor.commands.bar import progress
    from monitor.ledger.exporting import SUFFIXES, export

    movements: Path | None = chosen.movements
    if movements is not None and movements.suffix.lower() not in SUFFIXES:
        message = f"--movements {movements}: expected a name that ends in {' or '.join(SUFFIXES)}"
        raise UsageError(message)
    job = job_of_command(chosen)
    with progress() as tell:
        try:
            report = asyncio.run(export(job, tell, movements))
        except OSError as error:
            message = f"--movements {movements}: {error.strerror or error}"
            raise UsageError(message) from None
    _print(chosen, report, NOT_COMPARED)
    return PASS


@ending
def explain_command(chosen: argparse.Namespace) -> int:
    """`headwatch ledger explain`."""
    from monitor.commands.bar import progress
    from monitor.ledger.explaining import explain
    from monitor.model import Address

    if not _ADDRESS.fullmatch(chosen.who):
        message = f"found {chosen.who[:80]!r}, expected 0x and 40 hexadecimal digits"
        raise UsageError(message)
    job = job_of_command(chosen)
    with progress() as tell:
        text = asyncio.run(explain(job, Address(chosen.who.lower()), tell))
    if text is None:
        message = f"{chosen.who.lower()} is no account and no work order of this ledger"
        raise UsageError(message)
    _hand_out(chosen, text.rstrip("\n"), None, is_shown=True)
    return PASS


# -- which ledger --------------------------------------------------------------------------------


def job_of_command(chosen: argparse.Namespace) -> Job:
    """What the flags, or the configuration, ask for. Raises UsageError and ConfigError."""
    given = [name for name in ONE_OFF if getattr(chosen, name) is not None]
    job = _of_flags(chosen) if given or chosen.reference else _of_settings(chosen)
    if chosen.from_block is not None:
        job = replace(job, from_block=chosen.from_block)
    return job if chosen.at is None else replace(job, at=chosen.at)


def _of_settings(chosen: argparse.Namespace) -> Job:
    from monitor.config import data_directory
    from monitor.ledger.configured import job_of

    settings = load_settings(chosen)
    return job_of(settings, _named(settings, chosen.name), data_directory(settings, os.environ))


def _named(settings: Settings, name: str | None) -> Ledger:
    """The ledger of this name, or the only one. Raises UsageError."""
    known = {ledger.name: ledger for ledger in settings.ledgers}
    if not known:
        message = "there is nothing under `ledgers` in the configuration; or give --rpc and --hub"
        raise UsageError(message)
    if name is None and len(known) == 1:
        return next(iter(known.values()))
    if name in known:
        return known[str(name)]
    names = ", ".join(known)
    message = "which ledger? give --name" if name is None else f"no ledger {name[:63]!r}"
    message = f"{message}; configured: {names}"
    raise UsageError(message)


def _of_flags(chosen: argparse.Namespace) -> Job:
    if chosen.config is not None or chosen.name is not None:
        message = "-c and --name go without --rpc, --hub and the other flags of one-off use"
        raise UsageError(message)
    if chosen.rpc is None or chosen.hub is None:
        message = "one-off use needs --rpc URL and --hub ADDRESS"
        raise UsageError(message)
    from monitor.config.flags import LedgerFlags, read_flags
    from monitor.judge.profiles import confirmations
    from monitor.ledger.configured import LEDGERS
    from monitor.ledger.job import FINALIZED, Job

    asked = read_flags(
        LedgerFlags,
        {
            "rpc": chosen.rpc,
            "reference": tuple(chosen.reference),
            "hub": chosen.hub,
            "protocol": chosen.protocol,
        },
        os.environ,
    )
    profile = profile_of(chosen.network)
    return Job(
        name=asked.hub,
        protocol=asked.protocol,
        contract=asked.hub,
        node=seats((asked.rpc,), "--rpc")[0],
        references=witnesses(asked.rpc, asked.reference),
        folder=None if chosen.data_dir is None else chosen.data_dir / LEDGERS / asked.hub,
        at=FINALIZED,
        chain_id=None if chosen.network is None else profile.chain_id,
        confirmations=confirmations(profile),
        limits=limits(),
    )


def profile_of(name: str | None) -> Profile:
    """The chain profile of this name; Ethereum's where none is given. Raises UsageError."""
    from monitor.judge.profiles import ETHEREUM, PROFILES

    if name is None:
        return ETHEREUM
    if name not in PROFILES:
        message = f"--network: no chain profile {name[:63]!r}; known: {', '.join(PROFILES)}"
        raise UsageError(message)
    return PROFILES[name]


def seats(urls: tuple[Url, ...], flag: str) -> tuple[Seat, ...]:
    """Endpoints by the flag that names them, which is what messages call them."""
    from monitor.ledger.job import Seat

    several = len(urls) > 1
    return tuple(
        Seat(f"{flag} {number}" if several else flag, url, url.origin)
        for number, url in enumerate(urls, 1)
    )


def witnesses(rpc: Url, references: tuple[Url, ...]) -> tuple[Seat, ...]:
    """The references. Raises UsageError for the node itself, and for one named twice."""
    if rpc in references:
        message = "--reference: is the URL of --rpc, which cannot be its own witness"
        raise UsageError(message)
    if len(set(references)) != len(references):
        message = "--reference: one is given twice, and a witness counts once"
        raise UsageError(message)
    return seats(references, "--reference")


def limits() -> Limits:
    """What one exchange of one-off use may cost."""
    from monitor.rpc.node import Limits

    return Limits(deadline_seconds=DEADLINE_SECONDS, body_bytes_max=BODY_BYTES_MAX)


# -- what is handed out --------------------------------------------------------------------------


def _print(chosen: argparse.Namespace, report: Report, headline: str | None = None) -> None:
    """The report; `headline` takes the place of the verdict's."""
    from monitor.ledger.report import text, to_json

    told = text(report).rstrip("\n")
    if headline is not None:
        told = "\n".join((headline, *told.splitlines()[1:]))
    _hand_out(chosen, to_json(report).decode().rstrip("\n"), told)


def _hand_out(
    chosen: argparse.Namespace, document: str, line: str | None, *, is_shown: bool = False
) -> None:
    """The document into the file, where one is named; on stdout that, or the text for people."""
    if is_shown or chosen.json:
        say(document)
    elif line is not None:
        say(line)
    # Last: what hours of work came to is told even where the file cannot be written.
    path: Path | None = chosen.output
    if path is not None:
        write_output(path, document)


def write_output(path: Path, document: str) -> None:
    """Write what `--output` asks for. Raises UsageError with the system's reason.

    A file is there whole or as it was before; what is no file, such as /dev/stdout, is written to.
    """
    from monitor.ledger.store.disk import write_whole

    try:
        if path.exists() and not path.is_file():
            path.write_text(f"{document}\n", encoding="utf-8")
        else:
            write_whole(path.resolve(), f"{document}\n".encode())
    except OSError as error:
        message = f"--output {path}: {error.strerror}"
        raise UsageError(message) from None
