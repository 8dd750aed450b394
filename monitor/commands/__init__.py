"""What the commands do: settings in, a result printed, an exit code out."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from monitor import __version__

if TYPE_CHECKING:
    from monitor.act.reports import Told
    from monitor.config import Settings
    from monitor.gate import Asked, Outcome
    from monitor.model import Finding, Verdict, VerdictWord

PASS, FINDINGS, USAGE, INCONCLUSIVE, INTERNAL, INTERRUPTED = 0, 1, 2, 3, 4, 130
EXIT_CODES: dict[VerdictWord, int] = {
    "pass": PASS,
    "fail": FINDINGS,
    "inconclusive": INCONCLUSIVE,
}
CONFIG_DEFAULT = "headwatch.yaml"
OUTPUT_KINDS = (
    *("text", "json", "junit", "sarif", "markdown", "annotations", "github-output"),
    *("codequality", "dotenv", "openmetrics"),
)
"""Those of `act.reports.KINDS`, which is not imported for a help text."""
STDOUT = Path("-")
TIMEOUT_SECONDS = 300.0
BEYOND_SECONDS = 60.0
"""How much longer than it watches a gate may take, where nobody says."""


class UsageError(Exception):
    """The operator's mistake: one clear line, exit 2."""


class UnseenError(Exception):
    """Who was to be asked does not answer: one clear line, exit 3."""


class OutputError(Exception):
    """Standard output does not take the result: a full disk, a closed descriptor."""


def say(text: str) -> None:
    """Print a result at once. Raises OutputError where nobody can take it."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(error.strerror) from None


def note(line: str) -> None:
    """Say something beside the result."""
    print(f"headwatch: {line}", file=sys.stderr)


def config_path(chosen: argparse.Namespace) -> Path:
    """The configuration file that a command is to use."""
    path: Path | None = chosen.config
    return path or Path(os.environ.get("HEADWATCH_CONFIG") or CONFIG_DEFAULT)


def load_settings(chosen: argparse.Namespace) -> Settings:
    """The settings of that file. Raises ConfigError."""
    from monitor.config import load

    return load(config_path(chosen), os.environ)


def run_command(chosen: argparse.Namespace) -> int:
    """`headwatch run`."""
    settings = load_settings(chosen)
    from monitor.config import data_directory
    from monitor.run import run

    logging.basicConfig(
        level=chosen.log_level.upper(),
        format="%(asctime)s %(levelname)s %(message)s",
        stream=sys.stderr,
    )
    log = logging.getLogger("headwatch")

    def ready(address: str) -> None:
        log.info("nodes watched: %d; status page on %s/", len(settings.nodes), address)

    directory = data_directory(settings, os.environ)
    from monitor.transactions.journal.record import JournalError

    try:
        asyncio.run(run(settings, lambda: load_settings(chosen), ready, directory=directory))
    except JournalError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        address = error.filename or settings.http.listen
        message = f"cannot listen on {address}: {error.strerror or error}"
        raise UsageError(message) from None
    return PASS


def _remembered(settings: Settings) -> Callable[[float], Iterable[Finding]]:
    """What journal and ledgers say; nothing where no account and no ledger is configured."""
    asked: list[Callable[[float], Iterable[Finding]]] = []
    accounts, ledgers = settings.transactions.accounts, settings.ledgers
    from monitor.config import data_directory

    if accounts:
        from monitor.transactions.journal import JOURNAL_NAME, Reader
        from monitor.transactions.reckoning import findings

        reader = Reader(data_directory(settings, os.environ) / JOURNAL_NAME)
        asked.append(lambda now: findings(reader, accounts, now))
    if ledgers:
        from monitor.ledger import last

        directory = data_directory(settings, os.environ)
        asked.append(lambda now: last.findings(directory, ledgers, now))
    return lambda now: [finding for ask in asked for finding in ask(now)]


def gate_command(chosen: argparse.Namespace) -> int:
    """`headwatch gate`."""
    outputs = [_output(text) for text in chosen.output]
    settings = _gate_settings(chosen)
    from monitor.act.report import gate_text
    from monitor.act.reports import KINDS
    from monitor.gate import NOTHING, gate

    asked = NOTHING if chosen.gate is None else _asked(settings, chosen.gate)
    window = max(chosen.window, asked.over_seconds)
    timeout = chosen.timeout or max(TIMEOUT_SECONDS, window + BEYOND_SECONDS)
    with _progress(window, quiet=chosen.json) as progress:
        outcome = asyncio.run(
            gate(
                settings,
                window_seconds=window,
                timeout_seconds=timeout,
                strict=chosen.strict,
                asked=asked,
                remembered=_remembered(settings),
                progress=progress,
            )
        )
    told = _told(chosen, outcome)
    if chosen.json:
        say(KINDS["json"].draw(told).rstrip("\n"))
    elif STDOUT not in (path for _, path in outputs):
        is_coloured = sys.stdout.isatty() and not no_colour()
        say(gate_text(outcome.verdict, colour=is_coloured, ruling=outcome.ruling))
    for kind, path in outputs:
        _write(kind, path, told)
    if outcome.ruling is not None and outcome.ruling.is_aborted:
        note("ended early: a rule with abort_on_fail has failed")
    if outcome.timed_out:
        note(f"the time of {timeout:g} s was over before everything was certain")
    return EXIT_CODES[outcome.word]


def _told(chosen: argparse.Namespace, outcome: Outcome) -> Told:
    """The outcome with the places of what it speaks of; one-off use has no file to point to."""
    from monitor.act.reports import Told
    from monitor.config.lines import lines_of

    verdict, ruling = outcome.verdict, outcome.ruling
    if chosen.node is not None:
        return Told(verdict, __version__, ruling)
    path = config_path(chosen)
    count = 0 if ruling is None else len(ruling.results)
    return Told(verdict, __version__, ruling, str(path), lines_of(path, chosen.gate, count))


def _write(kind: str, path: Path, told: Told) -> None:
    """Write one report; `-` is standard output. Raises UsageError where it cannot be written."""
    from monitor.act.reports import KINDS

    report = KINDS[kind].draw(told)
    if path == STDOUT:
        if report:
            say(report.rstrip("\n"))
        return
    try:
        with path.open("a" if KINDS[kind].appends else "w", encoding="utf-8") as file:
            file.write(report)
    except OSError as error:
        message = f"--output {kind}={path}: {error.strerror}"
        raise UsageError(message) from None


def _asked(settings: Settings, name: str) -> Asked:
    """The rules of a gate, and where what they speak of is stored. Raises UsageError."""
    from monitor.config import data_directory
    from monitor.config.problems import listed, nearest
    from monitor.gatekeeping import asked_of

    if name not in settings.gate:
        hint = nearest(name, settings.gate) or f"known: {listed(settings.gate)}"
        message = f"--gate: there is no gate {name!r} under `gate` in the configuration; {hint}"
        raise UsageError(message)
    return asked_of(settings, name, data_directory(settings, os.environ))


def no_colour() -> bool:
    """Whether the operator wants none (no-color.org)."""
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
        return load_settings(chosen)
    if chosen.gate is not None:
        message = "--gate names rules of a configuration: it goes with -c, without --node"
        raise UsageError(message)
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
    say(f"wrote {chosen.path}: put your node and references in, then `headwatch config check`")
    return PASS


def config_check(chosen: argparse.Namespace) -> int:
    """`headwatch config check`."""
    settings = load_settings(chosen)
    if chosen.json:
        say(json.dumps({"ok": True, "nodes": len(settings.nodes)}))
    else:
        references = sum(len(n.references) for n in settings.networks.values())
        say(f"{config_path(chosen)}: ok, {len(settings.nodes)} nodes, {references} references")
    return PASS


def config_show(chosen: argparse.Namespace) -> int:
    """`headwatch config show`."""
    from monitor.config import show

    settings = load_settings(chosen)
    if chosen.json:
        say(settings.model_dump_json(indent=2))
    else:
        say(show(settings).rstrip())
    return PASS


def config_schema(chosen: argparse.Namespace) -> int:
    """`headwatch config schema`."""
    del chosen
    from monitor.config import schema

    say(json.dumps(schema(), indent=2))
    return PASS


def lab_list(chosen: argparse.Namespace) -> int:
    """`headwatch lab list`."""
    from monitor.lab.commands import listing

    say(listing(as_json=chosen.json))
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

    directory = chosen.directory or tools.cache_directory()
    say(str(tools.fetch_anvil(directory)))
    say(str(tools.fetch_poco(directory)))
    return PASS


def demo_command(chosen: argparse.Namespace) -> int:
    """`headwatch demo`."""
    from monitor.lab.demo import demo

    return demo(listen=chosen.listen, keep=chosen.keep, as_json=chosen.json)
