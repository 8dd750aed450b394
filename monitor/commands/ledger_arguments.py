"""The arguments of `headwatch ledger` and `headwatch airdrop`; importing nothing but argparse."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path

from monitor.commands import airdrop, ledger
from monitor.commands.arguments import config_option

EXIT_CODES = (
    "exit codes: 0 no difference, 1 differences, 2 usage, configuration, or no such contract, "
    "3 inconclusive: a node could not show what was needed, 4 internal error"
)
DONE_CODES = (
    "exit codes: 0 done, 2 usage, configuration, or no such contract, 3 inconclusive: a node "
    "could not show what was needed, 4 internal error"
)
REFERENCE = "an endpoint of another operator that must agree on the block; repeatable"
TAGS = ("finalized", "safe", "latest")
_HASH = re.compile(r"0x[0-9a-fA-F]{64}")
AddParser = Callable[..., argparse.ArgumentParser]


def add_ledger(parser: argparse.ArgumentParser) -> None:
    """Add every verb of `headwatch ledger`."""
    add_parser = parser.add_subparsers(title="verbs", metavar="VERB", required=True).add_parser
    _syncing(add_parser)
    _reconciling(add_parser)
    _exporting(add_parser)
    _explaining(add_parser)


def add_airdrop(parser: argparse.ArgumentParser) -> None:
    """Add every verb of `headwatch airdrop`."""
    add_parser = parser.add_subparsers(title="verbs", metavar="VERB", required=True).add_parser
    verify = add_parser(
        "verify",
        help="an equal-split token distribution against what was paid",
        description="Every wallet of a list should have got the same from one payer: the total, "
        "divided by their number and rounded down. Compared with the token's Transfer events in a "
        "range of blocks: what is missing, short, over, paid twice, or went to a stranger.",
        epilog=EXIT_CODES,
    )
    verify.add_argument(
        "--rpc",
        metavar="URL",
        required=True,
        help="the node to ask; ${env:NAME} and file:PATH work",
    )
    _references(verify, REFERENCE)
    verify.add_argument("--token", metavar="ADDRESS", required=True, help="the token's contract")
    verify.add_argument("--payer", metavar="ADDRESS", required=True, help="who paid")
    verify.add_argument(
        "--wallets",
        metavar="FILE",
        required=True,
        help="an address a line; what follows a # is a comment; - for standard input",
    )
    verify.add_argument(
        "--total", metavar="AMOUNT", required=True, help="in whole tokens, e.g. 2000 or 0.5"
    )
    for name, text in (("from", "the first block looked at"), ("to", "the last one")):
        verify.add_argument(
            f"--{name}-block", metavar="N", type=block_number, required=True, help=text
        )
    _output(verify)
    verify.set_defaults(command=airdrop.verify_command)


def block_number(text: str) -> int:
    """The height of a block."""
    if not text.isascii() or not text.isdigit() or int(text) > 2**53:
        message = f"expected the number of a block, found {text[:80]!r}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def block_of(text: str) -> str:
    """A block: a tag, a number in decimal, or a hash."""
    if text in TAGS or _HASH.fullmatch(text):
        return text.lower()
    if text.isascii() and text.isdigit():
        return str(block_number(text))
    message = f"expected {', '.join(TAGS)}, a block's number or its hash, found {text[:80]!r}"
    raise argparse.ArgumentTypeError(message)


def _syncing(add_parser: AddParser) -> None:
    sync = add_parser(
        "sync",
        help="fetch the events that are not here yet",
        description="Fetch the events of a ledger up to a block, and keep them. What was fetched "
        "is not fetched again; an interrupted sync goes on where it was.",
        epilog=DONE_CODES,
    )
    _source(sync)
    _output(sync)
    sync.set_defaults(command=ledger.sync_command)


def _reconciling(add_parser: AddParser) -> None:
    reconcile = add_parser(
        "reconcile",
        help="recompute the ledger, and compare it with the chain at one block",
        description="Recompute every score, stake and reward from the events and the rules, and "
        "compare them with what the contracts emitted and with what they hold at one block. A "
        "node that is behind, forked or pruned, or that leaves events out, makes the result "
        "inconclusive; it is never taken for a difference.",
        epilog=EXIT_CODES,
    )
    _source(reconcile)
    _output(reconcile)
    reconcile.set_defaults(command=ledger.reconcile_command)


def _exporting(add_parser: AddParser) -> None:
    export = add_parser(
        "export",
        help="the recomputed ledger, without asking the contracts what they hold",
        description="Recompute the ledger at one block and print it. Nothing is compared with the "
        "contracts: the verdict of the JSON is inconclusive.",
        epilog=DONE_CODES,
    )
    _source(export)
    export.add_argument(
        "--movements",
        metavar="FILE",
        type=Path,
        help="write every change of a stake and a score there: .csv or .parquet, by its name",
    )
    _output(export)
    export.set_defaults(command=ledger.export_command)


def _explaining(add_parser: AddParser) -> None:
    explain = add_parser(
        "explain",
        help="in words: a worker's score, rewards and stake, or what became of a work order",
        description="Where a score comes from and what holds a stake, event by event; or who "
        "contributed what to a work order, and who was paid or slashed, with the arithmetic.",
        epilog=DONE_CODES,
    )
    explain.add_argument("who", metavar="0xWORKER|0xTASK", help="an account, or a work order")
    _source(explain)
    _output(explain, has_json=False)
    explain.set_defaults(command=ledger.explain_command)


def _source(verb: argparse.ArgumentParser) -> None:
    """Which ledger: one of the configuration, or of flags."""
    config_option(verb)
    verb.add_argument(
        "--name", metavar="LEDGER", help="which of the configuration's (default: the only one)"
    )
    verb.add_argument(
        "--rpc", metavar="URL", help="one-off use: the node to ask; ${env:NAME} and file:PATH work"
    )
    verb.add_argument("--hub", metavar="ADDRESS", help="one-off use: the hub's address")
    verb.add_argument(
        "--protocol", metavar="NAME", help="one-off use: whose rules hold (default: poco-v1)"
    )
    verb.add_argument(
        "--network", metavar="NAME", help="one-off use: the chain profile (default: any chain)"
    )
    _references(verb, f"one-off use: {REFERENCE}")
    verb.add_argument(
        "--from-block",
        metavar="N",
        type=block_number,
        help="the first block that may hold events (default: the hub's, which is looked for)",
    )
    verb.add_argument(
        "--data-dir",
        metavar="DIR",
        type=Path,
        help="one-off use: keep the events below it (default: keep nothing)",
    )
    verb.add_argument(
        "--at",
        metavar="BLOCK",
        type=block_of,
        help=f"{', '.join(TAGS)}, a number or a hash (default: finalized)",
    )


def _references(verb: argparse.ArgumentParser, text: str) -> None:
    verb.add_argument("--reference", metavar="URL", action="append", default=[], help=text)


def _output(verb: argparse.ArgumentParser, *, has_json: bool = True) -> None:
    if has_json:
        verb.add_argument("--json", action="store_true", help="as JSON")
        text = "write the JSON there as well"
    else:
        text = "write it there as well"
    verb.add_argument("--output", metavar="FILE", type=Path, help=text)
