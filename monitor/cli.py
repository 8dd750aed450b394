"""Arguments in, exit code out. Everything heavy is imported by the command that needs it.

Exit codes are an API: 0 pass, 1 findings or the gate failed, 2 usage or configuration, 3 could not
see, 4 internal error, 130 interrupted.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import math
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from monitor import __version__

if TYPE_CHECKING:
    from monitor.config import Settings
    from monitor.model import Verdict, VerdictWord

PASS, FINDINGS, USAGE, INCONCLUSIVE, INTERNAL, INTERRUPTED = 0, 1, 2, 3, 4, 130
EXIT_CODES: dict[VerdictWord, int] = {
    "pass": PASS,
    "fail": FINDINGS,
    "inconclusive": INCONCLUSIVE,
}
CONFIG_DEFAULT = "headwatch.yaml"
OUTPUT_KINDS = ("text", "json")

Command = Callable[[argparse.Namespace], int]


class UsageError(Exception):
    """The operator's mistake: one clear line, exit 2."""


class _OutputError(Exception):
    """Standard output does not take the result: a full disk, a closed descriptor."""


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
    except _OutputError as error:
        _drop_output()
        _say(f"cannot write the result: {error}")
        return USAGE
    except UsageError as error:
        _say(str(error))
        return USAGE
    except Exception as error:
        return _failed(error)


def _drop_output() -> None:
    """Nobody takes our output: what is still buffered must not raise once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _failed(error: Exception) -> int:
    from monitor.config import ConfigError
    from monitor.lab.errors import LabError

    if isinstance(error, ConfigError):
        _print(str(error), sys.stderr)
        return USAGE
    if isinstance(error, LabError):
        _say(f"lab: {error}")
        return INCONCLUSIVE
    traceback.print_exception(error)
    _say("internal error: please report the traceback above")
    return INTERNAL


def _say(line: str) -> None:
    print(f"headwatch: {line}", file=sys.stderr)


def _print(text: str, file: TextIO | None = None) -> None:
    try:
        print(text, file=file or sys.stdout, flush=True)  # noqa: T201
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _OutputError(error.strerror) from None


# -- the shape of the command line ---------------------------------------------------------------


def parser() -> argparse.ArgumentParser:
    """The whole command line; importing nothing but argparse."""
    root = argparse.ArgumentParser(
        prog="headwatch",
        description="Is this Ethereum node on the network's chain, and how far behind? "
        "From evidence, never from the node's own word.",
        epilog="exit codes: 0 pass, 1 findings or gate failed, 2 usage or configuration, "
        "3 inconclusive (could not see), 4 internal error, 130 interrupted",
    )
    root.add_argument("--version", action="version", version=f"headwatch {__version__}")
    commands = root.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _run_parser(commands)
    _gate_parser(commands)
    _config_parser(commands)
    _lab_parser(commands)
    _demo_parser(commands)
    return root


_Commands = argparse._SubParsersAction


def _run_parser(commands: _Commands[argparse.ArgumentParser]) -> None:
    run = commands.add_parser(
        "run",
        help="the sidecar: probes, metrics, status page",
        description="Watch the configured nodes until SIGTERM or SIGINT. SIGHUP reads the "
        "configuration again; a faulty one changes nothing.",
    )
    _config_option(run)
    run.add_argument("--log-level", choices=("debug", "info", "warning"), default="info")
    run.set_defaults(command=run_command)


def _gate_parser(commands: _Commands[argparse.ArgumentParser]) -> None:
    gate = commands.add_parser(
        "gate",
        help="the same checks as a pipeline gate",
        description="Judge the nodes once, or for a window of time, and exit with the verdict.",
        epilog="exit codes: 0 pass, 1 failed, 2 usage or configuration, 3 inconclusive",
    )
    _config_option(gate)
    gate.add_argument("--node", metavar="URL", help="one-off use: the node to judge")
    gate.add_argument(
        "--reference",
        metavar="URL",
        action="append",
        default=[],
        help="one-off use: an endpoint of another operator to compare with; repeatable",
    )
    gate.add_argument(
        "--network", metavar="NAME", help="one-off use: the chain profile (default: ethereum)"
    )
    gate.add_argument(
        "--interval-seconds",
        metavar="SECONDS",
        type=float,
        help="one-off use: the time between blocks, where it is not the profile's",
    )
    gate.add_argument(
        "--for",
        dest="window",
        metavar="TIME",
        type=_seconds,
        default=0.0,
        help="judge for this long, each finding at its worst; e.g. 60s, 5m (default: once)",
    )
    gate.add_argument(
        "--timeout",
        metavar="TIME",
        type=_seconds,
        default=300.0,
        help="decide by then with what is known (default: 5m)",
    )
    gate.add_argument("--strict", action="store_true", help="degraded fails as well")
    gate.add_argument("--json", action="store_true", help="the verdict as JSON on stdout")
    gate.add_argument(
        "--output",
        metavar="KIND=PATH",
        action="append",
        default=[],
        help=f"write a report as well; KIND: {', '.join(OUTPUT_KINDS)}; repeatable",
    )
    gate.set_defaults(command=gate_command)


def _config_parser(commands: _Commands[argparse.ArgumentParser]) -> None:
    config = commands.add_parser("config", help="start, validate and print a configuration")
    verbs = config.add_subparsers(title="verbs", metavar="VERB", required=True)
    init = verbs.add_parser("init", help="write a first configuration")
    init.add_argument("path", nargs="?", type=Path, default=Path(CONFIG_DEFAULT))
    init.set_defaults(command=config_init)
    for name, command, text in (
        ("check", config_check, "validate; every problem with its file, line and path"),
        ("show", config_show, "print with all defaults, secrets masked"),
    ):
        verb = verbs.add_parser(name, help=text)
        _config_option(verb)
        verb.add_argument("--json", action="store_true", help="as JSON")
        verb.set_defaults(command=command)
    schema = verbs.add_parser("schema", help="print the JSON schema of the file")
    schema.set_defaults(command=config_schema)


def _lab_parser(commands: _Commands[argparse.ArgumentParser]) -> None:
    lab = commands.add_parser(
        "lab", help="real anvil nodes that lag, stall, fork and lie on purpose"
    )
    verbs = lab.add_subparsers(title="verbs", metavar="VERB", required=True)
    listed = verbs.add_parser("list", help="the scenarios: fault, findings, exit code of the gate")
    listed.add_argument("--json", action="store_true", help="as JSON")
    listed.set_defaults(command=lab_list)
    scenario = verbs.add_parser("scenario", help="run one and print its timeline")
    scenario.add_argument("name", metavar="NAME", help="a scenario of `headwatch lab list`")
    scenario.add_argument("--seed", type=int, default=0, help="of the lab's traffic (default: 0)")
    scenario.add_argument("--json", action="store_true", help="the timeline as JSON")
    scenario.set_defaults(command=lab_scenario)
    up = verbs.add_parser("up", help="a healthy lab network with a configuration for it")
    up.add_argument("--interval-seconds", type=float, default=1.0, help="of blocks (default: 1)")
    up.set_defaults(command=lab_up)
    fetch = verbs.add_parser("fetch", help="fetch anvil from npm, checked by its hash")
    fetch.add_argument("directory", nargs="?", type=Path, help="where to (default: user cache)")
    fetch.set_defaults(command=lab_fetch)


def _demo_parser(commands: _Commands[argparse.ArgumentParser]) -> None:
    demo = commands.add_parser(
        "demo",
        help="no node at hand: a lab network, watched while its local node stalls and forks",
    )
    demo.add_argument("--keep", action="store_true", help="leave it up at the end, until Ctrl-C")
    demo.add_argument("--listen", default="127.0.0.1:9845", help="of the status page")
    demo.add_argument("--json", action="store_true", help="the timeline as JSON lines, no screen")
    demo.set_defaults(command=demo_command)


def _config_option(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "-c",
        "--config",
        metavar="FILE",
        type=Path,
        help=f"the configuration (default: $HEADWATCH_CONFIG, or {CONFIG_DEFAULT})",
    )


def _seconds(text: str) -> float:
    """A time as 60, 60s, 5m, 1h or 250ms; in seconds."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)?", text)
    if match is None:
        message = f"expected a time such as 60s, 5m or 250ms, found {text!r}"
        raise argparse.ArgumentTypeError(message)
    seconds = float(match[1]) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[match[2] or "s"]
    if not math.isfinite(seconds) or seconds > 7 * 86_400:
        message = f"expected at most a week, found {text!r}"
        raise argparse.ArgumentTypeError(message)
    return seconds


# -- the commands --------------------------------------------------------------------------------


def _config_path(chosen: argparse.Namespace) -> Path:
    path: Path | None = chosen.config
    return path or Path(os.environ.get("HEADWATCH_CONFIG") or CONFIG_DEFAULT)


def _load(chosen: argparse.Namespace) -> Settings:
    from monitor.config import load

    return load(_config_path(chosen), os.environ)


def run_command(chosen: argparse.Namespace) -> int:
    """`headwatch run`."""
    settings = _load(chosen)
    from monitor.run import run

    logging.basicConfig(
        level=chosen.log_level.upper(),
        format="%(asctime)s %(levelname)s %(message)s",
        stream=sys.stderr,
    )
    log = logging.getLogger("headwatch")

    def ready(address: str) -> None:
        log.info("nodes watched: %d; status page on %s/", len(settings.nodes), address)

    try:
        asyncio.run(run(settings, lambda: _load(chosen), ready))
    except OSError as error:
        message = f"cannot listen on {settings.http.listen}: {error.strerror or error}"
        raise UsageError(message) from None
    return PASS


def gate_command(chosen: argparse.Namespace) -> int:
    """`headwatch gate`."""
    outputs = [_output(text) for text in chosen.output]
    settings = _gate_settings(chosen)
    from monitor.act.report import gate_json, gate_text
    from monitor.gate import gate

    with _progress(chosen.window, quiet=chosen.json) as progress:
        outcome = asyncio.run(
            gate(
                settings,
                window_seconds=chosen.window,
                timeout_seconds=chosen.timeout,
                strict=chosen.strict,
                progress=progress,
            )
        )
    document = json.dumps(gate_json(outcome.verdict, version=__version__), indent=2)
    plain = gate_text(outcome.verdict, colour=False)
    if chosen.json:
        _print(document)
    else:
        _print(gate_text(outcome.verdict, colour=sys.stdout.isatty() and not _no_colour()))
    for kind, path in outputs:
        try:
            path.write_text((document if kind == "json" else plain) + "\n", encoding="utf-8")
        except OSError as error:
            message = f"--output {kind}={path}: {error.strerror}"
            raise UsageError(message) from None
    if outcome.timed_out:
        _say(f"the time of {chosen.timeout:g} s was over before everything was certain")
    return EXIT_CODES[outcome.verdict.word]


def _no_colour() -> bool:
    return bool(os.environ.get("NO_COLOR"))


def _output(text: str) -> tuple[str, Path]:
    kind, separator, path = text.partition("=")
    if not separator or not path or kind not in OUTPUT_KINDS:
        kinds = ", ".join(OUTPUT_KINDS)
        message = f"--output: expected KIND=PATH with KIND one of {kinds}, found {text!r}"
        raise UsageError(message)
    return kind, Path(path)


def _gate_settings(chosen: argparse.Namespace) -> Settings:
    from monitor.config import from_flags

    flags = (chosen.node, chosen.network, chosen.interval_seconds, *chosen.reference)
    if all(flag is None for flag in flags):
        return _load(chosen)
    if chosen.config is not None:
        message = "-c goes without --node, --reference, --network and --interval-seconds"
        raise UsageError(message)
    if not chosen.node or not chosen.reference:
        message = "one-off use needs --node URL and at least one --reference URL"
        raise UsageError(message)
    return from_flags(
        chosen.node,
        chosen.reference,
        chosen.network,
        interval_seconds=chosen.interval_seconds,
        env=os.environ,
    )


@contextlib.contextmanager
def _progress(window: float, *, quiet: bool) -> Iterator[Callable[[Verdict, float], None]]:
    """A bar on a terminal while a window lasts; nothing where nobody would see it move."""
    if quiet or not window or not sys.stderr.isatty():
        yield lambda verdict, seconds: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("judging", total=window)

        def show(verdict: Verdict, seconds: float) -> None:
            bar.update(task, completed=seconds, description=f"judging: {verdict.word}")

        yield show


def config_init(chosen: argparse.Namespace) -> int:
    """`headwatch config init`: never overwrites."""
    from monitor.config import INITIAL

    try:
        with chosen.path.open("x", encoding="utf-8") as file:
            file.write(INITIAL)
    except FileExistsError:
        message = f"{chosen.path} is there already; it was left as it is"
        raise UsageError(message) from None
    except OSError as error:
        message = f"{chosen.path}: {error.strerror}"
        raise UsageError(message) from None
    _print(f"wrote {chosen.path}: put your node and references in, then `headwatch config check`")
    return PASS


def config_check(chosen: argparse.Namespace) -> int:
    """`headwatch config check`."""
    settings = _load(chosen)
    if chosen.json:
        _print(json.dumps({"ok": True, "nodes": len(settings.nodes)}))
    else:
        references = sum(len(n.references) for n in settings.networks.values())
        _print(f"{_config_path(chosen)}: ok, {len(settings.nodes)} nodes, {references} references")
    return PASS


def config_show(chosen: argparse.Namespace) -> int:
    """`headwatch config show`."""
    from monitor.config import show

    settings = _load(chosen)
    if chosen.json:
        _print(settings.model_dump_json(indent=2))
    else:
        _print(show(settings).rstrip())
    return PASS


def config_schema(chosen: argparse.Namespace) -> int:
    """`headwatch config schema`."""
    del chosen
    from monitor.config import schema

    _print(json.dumps(schema(), indent=2))
    return PASS


def lab_list(chosen: argparse.Namespace) -> int:
    """`headwatch lab list`."""
    from monitor.lab.commands import listing

    _print(listing(as_json=chosen.json))
    return PASS


def lab_scenario(chosen: argparse.Namespace) -> int:
    """`headwatch lab scenario NAME`: 0 when exactly its findings opened and closed."""
    import difflib

    from monitor.lab.commands import scenario_command
    from monitor.lab.scenarios import BY_NAME

    if chosen.name not in BY_NAME:
        near = difflib.get_close_matches(chosen.name, BY_NAME, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        message = f"no scenario {chosen.name!r}{hint} (see `headwatch lab list`)"
        raise UsageError(message)
    return scenario_command(chosen.name, seed=chosen.seed, as_json=chosen.json)


def lab_up(chosen: argparse.Namespace) -> int:
    """`headwatch lab up`."""
    from monitor.lab.commands import up_command

    return up_command(chosen.interval_seconds)


def lab_fetch(chosen: argparse.Namespace) -> int:
    """`headwatch lab fetch`."""
    from monitor.lab import tools

    _print(str(tools.fetch_anvil(chosen.directory or tools.cache_directory())))
    return PASS


def demo_command(chosen: argparse.Namespace) -> int:
    """`headwatch demo`."""
    from monitor.lab.demo import demo

    return demo(listen=chosen.listen, keep=chosen.keep, as_json=chosen.json)
