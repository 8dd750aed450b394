"""`headwatch tx`: what a person asks of the watched accounts' transactions, and orders.

What is heavy is imported by the command that needs it: the command line imports this file.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.commands import (
    FINDINGS,
    INCONCLUSIVE,
    PASS,
    USAGE,
    UsageError,
    load_settings,
    note,
    say,
)

if TYPE_CHECKING:
    from monitor.commands.transaction_access import Access, Done, Told
    from monitor.transactions.orders import Orders

Json = Mapping[str, object]
Command = Callable[[argparse.Namespace], int]
TROUBLE_CODES = {"unknown": USAGE, "refused": FINDINGS, "unavailable": INCONCLUSIVE}
RAW_CHARACTERS_MAX = 2_200_000
"""Of a blob transaction in its network form, in hexadecimal."""
TRANSFER_GAS = 21_000
"""What a cancellation uses (Yellow Paper, appendix G, G_transaction)."""
_HASH = re.compile(r"0x[0-9a-fA-F]{64}")
_RAW = re.compile(r"0x(?:[0-9a-fA-F]{2})+")


def _ordering(command: Command) -> Command:
    """The command, with orders that are not carried out as one line and an exit code."""

    @wraps(command)
    def ordered(chosen: argparse.Namespace) -> int:
        from monitor.act.words import plain
        from monitor.transactions.orders import OrderError

        try:
            return command(chosen)
        except OrderError as error:
            note(plain(str(error)))
            return TROUBLE_CODES[error.trouble]

    return ordered


@_ordering
def list_command(chosen: argparse.Namespace) -> int:
    """`headwatch tx list`."""
    from monitor.act.transactions import Wanted, states_of
    from monitor.commands.slot_lines import notes_of, table

    try:
        states = states_of(chosen.state)
    except ValueError as error:
        message = f"--{error}"
        raise UsageError(message) from None
    wanted = Wanted(chosen.account, states, has_closed=chosen.all, limit=chosen.limit)
    told = _access(chosen).list(wanted)
    found = told.values
    say(json.dumps(told.document, indent=2) if chosen.json else table(found))
    for line in notes_of(found):
        note(line)
    if found.level in {"degraded", "failed"}:
        return FINDINGS
    is_blind = found.level == "unknown" or any(network.is_stale for network in found.networks)
    return INCONCLUSIVE if is_blind else PASS


@_ordering
def show_command(chosen: argparse.Namespace) -> int:
    """`headwatch tx show`."""
    access, name = _access(chosen), _name(chosen)
    if chosen.json:
        say(json.dumps(access.story(name, chosen.network).document, indent=2))
    else:
        say(access.text(name, chosen.network))
    return PASS


@_ordering
def watch_command(chosen: argparse.Namespace) -> int:
    """`headwatch tx watch`: registers, and with `--wait` follows."""
    from monitor.act.transactions import ordered_json
    from monitor.commands.following import Progress, follow

    given = _given(chosen.what)
    asked = {("hash" if _HASH.fullmatch(given) else "raw"): given, "network": chosen.network}
    raw = bytes.fromhex(given[2:]) if "raw" in asked else None
    hash_ = given.lower() if raw is None else None
    access = _access(chosen)

    async def carry(orders: Orders) -> Json:
        done = await orders.register(raw=raw, hash_=hash_, network=chosen.network)
        return ordered_json(done)

    told = access.done("", asked, carry)
    if chosen.wait is None or told.values.hash is None or not access.is_kept:
        say(json.dumps(told.document, indent=2) if chosen.json else told.values.summary)
        if chosen.wait is None:
            return PASS
        note("no sidecar runs: nobody sees what becomes of it")
        return INCONCLUSIVE
    note(told.values.summary)
    hash_ = told.values.hash
    ending = follow(
        lambda: access.story(hash_), chosen.wait, Progress(sys.stderr, sys.stderr.isatty())
    )
    say(json.dumps(ending.document, indent=2) if chosen.json else ending.sentence)
    return ending.exit_code


@_ordering
def rebroadcast_command(chosen: argparse.Namespace) -> int:
    """`headwatch tx rebroadcast`."""
    from monitor.act.transactions import ordered_json
    from monitor.commands.transaction_access import order_path

    name = _name(chosen)

    async def carry(orders: Orders) -> Json:
        return ordered_json(await orders.rebroadcast(name))

    return _sent(chosen, _access(chosen).done(order_path(name, "rebroadcast"), {}, carry))


@_ordering
def sign_command(chosen: argparse.Namespace) -> int:
    """`headwatch tx replace` and `headwatch tx cancel`: say what it costs, ask, do it."""
    from monitor.commands.slot_lines import offer

    name = _name(chosen)
    if (chosen.fee_cap_wei is None) != (chosen.tip_wei is None):
        message = "--fee-cap-gwei and --tip-gwei are given together, or neither is"
        raise UsageError(message)
    if not (chosen.dry_run or chosen.yes or sys.stdin.isatty()):
        message = f"{chosen.act} asks before it signs, and here is no terminal: give --yes"
        raise UsageError(message)
    access = _access(chosen)
    story = access.story(name).values
    planned = _sign(chosen, access, chosen.fee_cap_wei, chosen.tip_wei, dry_run=True)
    shown = offer(story, planned.values, TRANSFER_GAS)
    if chosen.dry_run:
        say(json.dumps(planned.document, indent=2) if chosen.json else shown)
        return PASS
    sys.stderr.write(f"{shown}\n")
    if not chosen.yes and not _agreed(f"sign and send this {chosen.act}?"):
        note("nothing was signed")
        return FINDINGS
    fee_cap_wei, tip_cap_wei = planned.values.fee_cap_wei, planned.values.tip_cap_wei
    return _sent(chosen, _sign(chosen, access, fee_cap_wei, tip_cap_wei, dry_run=False))


@_ordering
def propose_command(chosen: argparse.Namespace) -> int:
    """`headwatch tx propose`."""
    name = _name(chosen)
    say(json.dumps(_access(chosen).proposal(name), indent=2))
    return PASS


@_ordering
def switch_command(chosen: argparse.Namespace) -> int:
    """`headwatch tx halt` and `headwatch tx resume`."""
    is_halt, access = chosen.act == "halt", _access(chosen)
    access.switch(is_halt=is_halt)
    text = "halted: nothing is sent until `headwatch tx resume`" if is_halt else "resumed"
    say(json.dumps({"halted": is_halt}) if chosen.json else text)
    if not is_halt and access.settings.transactions.halted:
        note("`transactions.halted` of the configuration still holds: nothing is sent")
        return FINDINGS
    return PASS


# -- what they share -----------------------------------------------------------------------------


def _access(chosen: argparse.Namespace) -> Access:
    from monitor.commands.transaction_access import Access

    return Access(load_settings(chosen), os.environ)


def _name(chosen: argparse.Namespace) -> str:
    from monitor.act.transactions import NAMES, is_name

    name: str = chosen.name
    if not is_name(name):
        message = f"found {name[:80]!r}, expected {NAMES}"
        raise UsageError(message)
    return name


def _sign(
    chosen: argparse.Namespace,
    access: Access,
    fee_cap_wei: int | None,
    tip_cap_wei: int | None,
    *,
    dry_run: bool,
) -> Told[Done]:
    from monitor.act.transactions import ordered_json
    from monitor.commands.transaction_access import order_path

    async def carry(orders: Orders) -> Json:
        sign = orders.replace if chosen.act == "replace" else orders.cancel
        done = await sign(
            chosen.name, fee_cap_wei=fee_cap_wei, tip_cap_wei=tip_cap_wei, dry_run=dry_run
        )
        return ordered_json(done)

    document = {"fee_cap_wei": fee_cap_wei, "tip_cap_wei": tip_cap_wei, "dry_run": dry_run}
    return access.done(order_path(chosen.name, chosen.act), document, carry)


def _sent(chosen: argparse.Namespace, told: Told[Done]) -> int:
    """Say who took it; pass when somebody did."""
    from monitor.commands.slot_lines import deliveries
    from monitor.transactions.reactions import TAKEN

    say(json.dumps(told.document, indent=2) if chosen.json else deliveries(told.values))
    return PASS if any(d.reaction in TAKEN for d in told.values.deliveries) else FINDINGS


def _agreed(question: str) -> bool:
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _given(what: str) -> str:
    """A hash or signed bytes: from stdin, a file, or the command line. Raises UsageError."""
    try:
        if what == "-":
            text = sys.stdin.read(RAW_CHARACTERS_MAX + 1)
        elif what.startswith("@"):
            with Path(what[1:]).open(encoding="ascii") as file:
                text = file.read(RAW_CHARACTERS_MAX + 1)
        else:
            text = what
    except (OSError, UnicodeDecodeError) as error:
        message = f"{what}: {getattr(error, 'strerror', None) or 'not text'}"
        raise UsageError(message) from None
    text = text.strip()
    if len(text) > RAW_CHARACTERS_MAX or not _RAW.fullmatch(text):
        message = "expected 0x and hexadecimal digits: a hash, or the bytes of a transaction"
        raise UsageError(message)
    return text
