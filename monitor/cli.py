"""Arguments in, exit code out: the shape of the command line and its outermost edge.

Exit codes are an API: 0 pass, 1 findings or the gate failed, 2 usage or configuration, 3 could not
see, 4 internal error, 130 interrupted. What the commands do is in `commands`; everything heavy is
imported by the command that needs it.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from monitor import __version__, commands
from monitor.commands import (
    CONFIG_DEFAULT,
    INCONCLUSIVE,
    INTERNAL,
    INTERRUPTED,
    USAGE,
    OutputError,
    UnseenError,
    UsageError,
    gate_arguments,
    lab_arguments,
    ledger_arguments,
    people,
    profiles,
    transaction_arguments,
)
from monitor.commands.arguments import config_option, seconds_of
from monitor.url import masked

Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code says how it ended, one line on stderr says why."""
    try:
        chosen = parser().parse_args(arguments)
    except SystemExit as stop:  # argparse's own: usage errors and --help
        return stop.code if isinstance(stop.code, int) else USAGE
    # Only `run` logs; the other commands print what there is to say themselves.
    logging.getLogger("headwatch").addHandler(logging.NullHandler())
    try:
        command: Command = chosen.command
        return command(chosen)
    except KeyboardInterrupt:
        _say("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return INTERRUPTED
    except OutputError as error:
        _say(f"cannot write the result: {error}")
        return USAGE
    except UsageError as error:
        _say(str(error))
        return USAGE
    except UnseenError as error:
        _say(str(error))
        return INCONCLUSIVE
    except Exception as error:
        return _failed(error)


def _drop_output() -> None:
    """Nobody takes our output: what is still buffered must not raise once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _failed(error: Exception) -> int:
    from monitor.config import ConfigError
    from monitor.lab.errors import LabError

    if isinstance(error, ConfigError):
        print(error, file=sys.stderr)
        return USAGE
    if isinstance(error, LabError):
        _say(f"lab: {error}")
        return INCONCLUSIVE
    traceback.print_exception(error)
    _say("internal error: please report the traceback above")
    return INTERNAL


def _say(line: str) -> None:
    # It repeats what was typed, and a URL that was typed in the wrong place has a key all the same.
    print(f"headwatch: {masked(line)}", file=sys.stderr)


class Parser(argparse.ArgumentParser):
    """argparse's own, whose errors repeat what was typed without the key of a URL."""

    def error(self, message: str) -> NoReturn:
        """One line and exit code 2, as ever."""
        super().error(masked(message))


def parser() -> argparse.ArgumentParser:
    """The whole command line; importing nothing but argparse."""
    root: argparse.ArgumentParser = Parser(
        prog="headwatch",
        description="Is this Ethereum node on the network's chain, and how far behind? "
        "From evidence, never from the node's own word.",
        epilog="exit codes: 0 pass, 1 findings or gate failed, 2 usage or configuration, "
        "3 inconclusive (could not see), 4 internal error, 130 interrupted",
    )
    root.add_argument("--version", action="version", version=f"headwatch {__version__}")
    subparsers = root.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _run_parser(subparsers)
    gate_arguments.add_gate(
        subparsers.add_parser(
            "gate",
            help="the same checks as a pipeline gate",
            description=gate_arguments.DESCRIPTION,
            epilog=gate_arguments.EXIT_CODES,
        )
    )
    _status_parser(subparsers)
    _transactions_parser(subparsers)
    _ledger_parsers(subparsers)
    _maintenance_parser(subparsers)
    _notify_parser(subparsers)
    _assets_parser(subparsers)
    _config_parser(subparsers)
    _profile_parser(subparsers)
    _lab_parser(subparsers)
    _demo_parser(subparsers)
    return root


_Commands = argparse._SubParsersAction


def _run_parser(subparsers: _Commands[argparse.ArgumentParser]) -> None:
    run = subparsers.add_parser(
        "run",
        help="the sidecar: probes, metrics, status page",
        description="Watch the configured nodes until SIGTERM or SIGINT. SIGHUP reads the "
        "configuration again; a faulty one changes nothing.",
    )
    config_option(run)
    run.add_argument(
        "--log-level",
        choices=("debug", "info", "warning"),
        default="info",
        help="the least that is logged, on standard error (default: info)",
    )
    run.set_defaults(command=commands.run_command)


def _status_parser(subparsers: _Commands[argparse.ArgumentParser]) -> None:
    status = subparsers.add_parser(
        "status",
        help="a running sidecar's state, live in the terminal",
        description="Show the state of a running sidecar, live on a terminal; elsewhere a line "
        "for each change. Reads the sidecar and asks no node.",
        epilog="exit codes with --once: 0 pass, 1 failed, 2 usage, 3 inconclusive, or the "
        "sidecar cannot be read; without it: 0 after q, 130 after Ctrl-C",
    )
    config_option(status)
    status.add_argument(
        "--url", metavar="URL", help="of the sidecar (default: http.listen of the configuration)"
    )
    status.add_argument(
        "--once", action="store_true", help="show it once and exit with the verdict"
    )
    status.add_argument("--json", action="store_true", help="a document a line, at every change")
    status.add_argument("--node", metavar="NAME", help="only this node, and its network")
    status.set_defaults(command=people.status_command)


def _transactions_parser(subparsers: _Commands[argparse.ArgumentParser]) -> None:
    transaction_arguments.add(
        subparsers.add_parser(
            "tx",
            help="transactions of the watched accounts: where they are, and what to do",
            description="Transactions of the accounts under `transactions` in the configuration. "
            "The running sidecar is asked; where none runs, its journal is read, and orders are "
            "carried out here.",
            epilog=transaction_arguments.EXIT_CODES,
        )
    )


def _ledger_parsers(subparsers: _Commands[argparse.ArgumentParser]) -> None:
    ledger_arguments.add_ledger(
        subparsers.add_parser(
            "ledger",
            help="the PoCo ledger: recomputed from its events, compared with the chain",
            description="Scores, stakes and rewards of a PoCo hub, recomputed from the events by "
            "the protocol's rules, and compared with what the contracts hold at one block. Needs "
            "pip install 'headwatch[ledger]'.",
            epilog=ledger_arguments.EXIT_CODES,
        )
    )
    ledger_arguments.add_airdrop(
        subparsers.add_parser("airdrop", help="a token distribution, against what was paid")
    )


def _maintenance_parser(subparsers: _Commands[argparse.ArgumentParser]) -> None:
    maintenance = subparsers.add_parser(
        "maintenance",
        help="windows that silence people, not measurement",
        description="Windows in which nobody is told of findings. The running sidecar is asked; "
        "where none runs, its history is read and written. Recurring windows are in the "
        "configuration, under `maintenance`.",
    )
    verbs = maintenance.add_subparsers(title="verbs", metavar="VERB", required=True)
    add = verbs.add_parser("add", help="begin a window, or plan one")
    add.add_argument(
        "--for",
        dest="duration",
        metavar="TIME",
        type=seconds_of,
        required=True,
        help="how long it lasts: 60s to 7 days, e.g. 30m, 2h",
    )
    add.add_argument("--reason", required=True, help="one line for whoever looks meanwhile")
    add.add_argument(
        "--from", dest="start", metavar="TIME", help="RFC 3339 with an offset (default: now)"
    )
    for what in ("node", "network"):
        add.add_argument(
            f"--{what}",
            metavar="NAME",
            action="append",
            default=[],
            help=f"only this {what}; repeatable (default: everything)",
        )
    add.set_defaults(command=people.maintenance_add)
    listed = verbs.add_parser("list", help="the windows that are active, and those planned")
    listed.add_argument("--past", action="store_true", help="one-off windows that are over as well")
    listed.set_defaults(command=people.maintenance_list)
    end = verbs.add_parser("end", help="end a one-off window before its time")
    end.add_argument("name", metavar="ID", help="as `headwatch maintenance list` shows it")
    end.set_defaults(command=people.maintenance_end)
    for verb in (add, end):
        verb.add_argument("--actor", help="who does this (default: the user)")
    for verb in (add, listed, end):
        config_option(verb)
        verb.add_argument("--json", action="store_true", help="as JSON")


def _notify_parser(subparsers: _Commands[argparse.ArgumentParser]) -> None:
    notify = subparsers.add_parser("notify", help="who is told: try everybody who is configured")
    verbs = notify.add_subparsers(title="verbs", metavar="VERB", required=True)
    test = verbs.add_parser(
        "test",
        help="send a test to every Alertmanager, channel and heartbeat",
        description="Send a message that says it is a test to everybody under `alerting`. "
        "An Alertmanager gets an alert HeadwatchTest that ends after a minute.",
        epilog="exit codes: 0 taken by all, 1 not by all, 2 usage or configuration",
    )
    test.add_argument("name", metavar="NAME", nargs="*", help="only these (default: everybody)")
    config_option(test)
    test.add_argument("--json", action="store_true", help="as JSON")
    test.set_defaults(command=people.notify_test)


def _assets_parser(subparsers: _Commands[argparse.ArgumentParser]) -> None:
    assets = subparsers.add_parser(
        "assets",
        help="the alert rules, their runbook and the dashboards of this version",
        description="Write Prometheus' rules, an example for Alertmanager, Grafana's provisioning, "
        "the runbook and the dashboards, as they belong to this version, below a directory. Files "
        "that are there already and differ are left alone, and named; exit 1.",
    )
    assets.add_argument(
        "directory", metavar="DIR", type=Path, help="where to; it is made where it is missing"
    )
    assets.add_argument(
        "--runbook-url",
        metavar="URL",
        help="where alerts link to, e.g. https://headwatch.your.org/runbook: the sidecar serves it",
    )
    assets.add_argument("--force", action="store_true", help="replace files that differ")
    assets.add_argument("--json", action="store_true", help="what was written, as JSON")
    assets.set_defaults(command=people.assets_command)


def _config_parser(subparsers: _Commands[argparse.ArgumentParser]) -> None:
    config = subparsers.add_parser("config", help="start, validate and print a configuration")
    verbs = config.add_subparsers(title="verbs", metavar="VERB", required=True)
    init = verbs.add_parser("init", help="write a first configuration")
    init.add_argument(
        "path",
        metavar="FILE",
        nargs="?",
        type=Path,
        default=Path(CONFIG_DEFAULT),
        help=f"the file to write, which must not be there (default: {CONFIG_DEFAULT})",
    )
    init.set_defaults(command=commands.config_init)
    for name, command, text in (
        ("check", commands.config_check, "validate; every problem with its file, line and path"),
        ("show", commands.config_show, "print with all defaults, secrets masked"),
    ):
        verb = verbs.add_parser(name, help=text)
        config_option(verb)
        verb.add_argument("--json", action="store_true", help="as JSON")
        verb.set_defaults(command=command)
    schema = verbs.add_parser("schema", help="print the JSON schema of the file")
    schema.set_defaults(command=commands.config_schema)


def _profile_parser(subparsers: _Commands[argparse.ArgumentParser]) -> None:
    profiles.add(
        subparsers.add_parser(
            "profile",
            help="the chain profiles: thresholds, false alarms a month, sources",
            description="What is known of each chain, and the thresholds that follow from it. "
            "Asks no node.",
        )
    )


def _lab_parser(subparsers: _Commands[argparse.ArgumentParser]) -> None:
    lab_arguments.add(
        subparsers.add_parser(
            "lab", help="real anvil nodes that lag, stall, fork and lie on purpose"
        )
    )


def _demo_parser(subparsers: _Commands[argparse.ArgumentParser]) -> None:
    demo = subparsers.add_parser(
        "demo",
        help="no node at hand: lab networks, watched while faults come and go",
        description="A lab network of real nodes, watched while its local node stalls and forks; "
        "then payments through a node that is alone, which come through all the same, and a ledger "
        "with one wrong number. It ends by itself.",
    )
    demo.add_argument("--keep", action="store_true", help="leave it up at the end, until Ctrl-C")
    demo.add_argument(
        "--listen",
        metavar="HOST:PORT",
        default="127.0.0.1:9845",
        help="of the status page (default: 127.0.0.1:9845)",
    )
    demo.add_argument("--json", action="store_true", help="the timeline as JSON lines, no screen")
    demo.set_defaults(command=commands.demo_command)
