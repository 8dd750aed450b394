"""The arguments of `headwatch tx`; importing nothing but argparse."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from decimal import Decimal

from monitor.commands import transactions
from monitor.commands.arguments import config_option, seconds_of

EXIT_CODES = (
    "exit codes: 0 done, or nothing is wrong; 1 something is wrong, or the order was refused; "
    "2 usage or configuration, or no such transaction; 3 could not see, or not in time"
)
LIMIT_DEFAULT = 100
WAIT_SECONDS_DEFAULT = 3600.0
LIMIT_MAX = 1000
GWEI_DIGITS = 9
_GWEI = re.compile(rf"[0-9]{{1,18}}(?:\.[0-9]{{1,{GWEI_DIGITS}}})?")
AddParser = Callable[..., argparse.ArgumentParser]


def add(tx: argparse.ArgumentParser) -> None:
    """Add every verb of `headwatch tx`."""
    verbs = tx.add_subparsers(title="verbs", metavar="VERB", required=True)
    _reading(verbs.add_parser)
    _sending(verbs.add_parser)
    _switching(verbs.add_parser)


def wei_of(text: str) -> int:
    """An amount in gwei, as whole wei."""
    if _GWEI.fullmatch(text):
        return int(Decimal(text).scaleb(GWEI_DIGITS))
    message = f"expected gwei with at most {GWEI_DIGITS} decimals, found {text[:80]!r}"
    raise argparse.ArgumentTypeError(message)


def _limit(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= LIMIT_MAX:
        message = f"expected a whole number from 1 to {LIMIT_MAX}, found {text!r}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _reading(add_parser: AddParser) -> None:
    listed = add_parser(
        "list",
        help="the live transactions, the worst first",
        description="The live transactions of the watched accounts, the worst first.",
        epilog="exit codes: 0 all is well, 1 one of them is degraded or failed, 2 usage or "
        "configuration, 3 one cannot be judged, or the journal cannot be read or is not kept up",
    )
    listed.add_argument("--account", metavar="ALIAS", help="only of this account")
    listed.add_argument(
        "--state",
        metavar="STATE",
        action="append",
        default=[],
        help="only in this state, e.g. not_propagated; repeatable",
    )
    listed.add_argument("--all", action="store_true", help="the newest closed ones as well")
    listed.add_argument(
        "--limit",
        metavar="N",
        type=_limit,
        default=LIMIT_DEFAULT,
        help=f"at most so many (default: {LIMIT_DEFAULT})",
    )
    _command(listed, transactions.list_command)
    show = add_parser(
        "show",
        help="everything of one: states, evidence, sends, and the bytes with a command",
        description="Everything that is known of one transaction, and a curl command that sends "
        "its bytes without headwatch.",
    )
    _name(show)
    show.add_argument(
        "--network", metavar="NAME", help="of ALIAS/NONCE, where the account is on several"
    )
    _command(show, transactions.show_command)


def _sending(add_parser: AddParser) -> None:
    watch = add_parser(
        "watch",
        help="register a transaction, and follow it until it is final",
        description="Register a signed transaction of a watched account. Give its bytes on "
        "standard input or in a file: a command line can be read by everybody on the machine.",
        epilog="exit codes with --wait: 0 in a final block and ok, 1 reverted, replaced or lost, "
        "3 not final in time",
    )
    watch.add_argument(
        "what", metavar="HASH|0xRAW|@FILE|-", help="its hash, its bytes, a file of them, or stdin"
    )
    watch.add_argument("--network", metavar="NAME", help="where the bytes name no chain")
    watch.add_argument(
        "--wait",
        metavar="TIME",
        type=seconds_of,
        nargs="?",
        const=WAIT_SECONDS_DEFAULT,
        help="follow it for so long, e.g. 10m (default: 1h)",
    )
    _command(watch, transactions.watch_command)
    again = add_parser(
        "rebroadcast", help="send the same bytes again, to every reference and the own node"
    )
    _name(again)
    _command(again, transactions.rebroadcast_command)
    for act, text in (
        ("replace", "sign the same payment with higher fees, and send it"),
        ("cancel", "sign a transfer of nothing at its nonce, and send it"),
    ):
        verb = add_parser(
            act,
            help=text,
            description=f"{text[0].upper()}{text[1:]}. The policy of the account must allow it, "
            "and its caps hold. Says what it costs and asks first.",
        )
        _name(verb)
        for name, what in (("fee-cap", "the most for a unit of gas"), ("tip", "the tip of it")):
            verb.add_argument(
                f"--{name}-gwei",
                metavar="GWEI",
                type=wei_of,
                dest=f"{name.replace('-', '_')}_wei",
                help=f"{what} (default: by the market)",
            )
        verb.add_argument("--dry-run", action="store_true", help="only say what it would cost")
        verb.add_argument("--yes", action="store_true", help="do not ask")
        _command(verb, transactions.sign_command)
        verb.set_defaults(act=act)
    propose = add_parser("propose", help="print the unsigned replacement, as JSON")
    _name(propose)
    _command(propose, transactions.propose_command, has_json=False)


def _switching(add_parser: AddParser) -> None:
    for act, text in (
        ("halt", "the kill switch: nothing is sent any more, also after a restart"),
        ("resume", "the end of halt"),
    ):
        verb = add_parser(act, help=text)
        _command(verb, transactions.switch_command)
        verb.set_defaults(act=act)


def _name(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "name", metavar="HASH|ALIAS/NONCE", help="six digits of a hash or more, or account/nonce"
    )


def _command(
    verb: argparse.ArgumentParser,
    command: Callable[[argparse.Namespace], int],
    *,
    has_json: bool = True,
) -> None:
    config_option(verb)
    if has_json:
        verb.add_argument("--json", action="store_true", help="as JSON")
    verb.set_defaults(command=command)
