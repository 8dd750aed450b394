"""`headwatch gate`: the checks for a pipeline, once, for a window, or until all is well."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from monitor import __version__
from monitor.commands import UsageError, config_path, load_settings, note
from monitor.commands.reporting import Outputs, check_outputs, report

if TYPE_CHECKING:
    from monitor.act.reports.told import Told
    from monitor.config import Settings
    from monitor.config.accepted import Accepted
    from monitor.gate import Asked, Outcome
    from monitor.model import Finding, Verdict

TIMEOUT_SECONDS = 300.0
BEYOND_SECONDS = 60.0
"""How much longer than it watches a gate may take, where nobody says."""
OUTPUT_KINDS = (
    *("text", "json", "junit", "sarif", "markdown", "annotations", "github-output"),
    *("codequality", "dotenv", "openmetrics"),
)
"""Those of `act.reports.KINDS`, which is not imported for a help text."""


def gate_command(chosen: argparse.Namespace) -> int:
    """`headwatch gate`."""
    outputs = [output_of(text) for text in chosen.output]
    check_outputs(outputs)
    elsewhere = _elsewhere(chosen)
    if elsewhere is not None:
        return elsewhere(chosen, outputs)
    settings = _gate_settings(chosen)
    entries = entries_of(chosen.accepted)
    check_state(chosen.state)
    found: list[Verdict] = []

    def accepted(verdict: Verdict) -> Verdict:
        from monitor.accepting import accept

        found[:] = [verdict]
        return accept(entries, verdict, strict=chosen.strict) if entries else verdict

    outcome, timeout = _judged(chosen, settings, accepted)
    told = _told(chosen, outcome)
    code = report(chosen, told, outputs)
    if chosen.state is not None and outcome.word == "pass":
        remember(chosen.state, [node.name for node in settings.nodes], outcome.versions, told)
    if entries:
        from monitor.accepting import notes

        for line in notes(entries, found[0]):
            note(line)
    if outcome.ruling is not None and outcome.ruling.is_aborted:
        note("ended early: a rule with abort_on_fail has failed")
    if outcome.timed_out:
        note(f"the time of {timeout:g} s was over before everything was certain")
    return code


def _elsewhere(
    chosen: argparse.Namespace,
) -> Callable[[argparse.Namespace, Outputs], int] | None:
    """Who runs what judges no node by the network; None where the network is to judge."""
    if chosen.max_age is not None and chosen.sidecar is None:
        message = "--max-age is of `headwatch gate --sidecar URL`"
        raise UsageError(message)
    if chosen.verb == "conformance":
        from monitor.commands.conformance import conformance_command

        return conformance_command
    for name in ("vectors", "method", "skip"):
        if getattr(chosen, name):
            message = f"--{name} is of `headwatch gate conformance`"
            raise UsageError(message)
    if is_canary(chosen):
        from monitor.commands.canary import canary_command

        return canary_command
    if chosen.sidecar is not None:
        from monitor.commands.asked_sidecar import sidecar_command

        return sidecar_command
    return None


def _judged(
    chosen: argparse.Namespace, settings: Settings, accepted: Callable[[Verdict], Verdict]
) -> tuple[Outcome, float]:
    """The outcome, and the seconds it was given."""
    from monitor.gate import NOTHING, gate
    from monitor.waiting import wait

    asked = NOTHING if chosen.gate is None else _asked(settings, chosen.gate)
    is_waiting = chosen.verb == "wait"
    window = chosen.window if is_waiting else max(chosen.window, asked.over_seconds)
    timeout: float | None = chosen.timeout
    if timeout is None:
        timeout = max(TIMEOUT_SECONDS, window + BEYOND_SECONDS)
    with _progress(timeout if is_waiting else window, quiet=chosen.json) as progress:
        if is_waiting:
            waiting = wait(
                settings,
                hold_seconds=window,
                timeout_seconds=timeout,
                strict=chosen.strict,
                asked=asked,
                remembered=_remembered(settings),
                accepted=accepted,
                progress=progress,
            )
            return asyncio.run(waiting), timeout
        judging = gate(
            settings,
            window_seconds=window,
            timeout_seconds=timeout,
            strict=chosen.strict,
            asked=asked,
            remembered=_remembered(settings),
            accepted=accepted,
            progress=progress,
        )
        return asyncio.run(judging), timeout


def is_canary(chosen: argparse.Namespace) -> bool:
    """Whether two nodes are to be compared, and none to be judged by the network."""
    return any(value is not None for value in canary_options(chosen).values())


def canary_options(chosen: argparse.Namespace) -> dict[str, object]:
    """What only a canary run takes, by flag; None where it was not given."""
    return {
        "--baseline": chosen.baseline,
        "--candidate": chosen.candidate,
        "--traffic": chosen.traffic,
        "--candidate-data": chosen.candidate_data,
        "--transaction": chosen.transaction,
        "--restart-command": chosen.restart_command,
    }


def entries_of(path: Path | None, clock: Callable[[], float] = time.time) -> Sequence[Accepted]:
    """What somebody has accepted. Raises ConfigError."""
    if path is None:
        return ()
    from monitor.config.accepted import load_accepted

    return load_accepted(path, clock())


def check_state(path: Path | None) -> None:
    """What is wrong with the state file is told before the nodes are watched, and not after."""
    if path is None:
        return
    from monitor.passed import StateError, read

    try:
        read(path)
    except StateError as error:
        raise UsageError(str(error)) from None
    folder = path.resolve().parent
    if not os.access(folder, os.W_OK):
        message = f"--state {path}: {folder} is no directory that can be written to"
        raise UsageError(message)


def remember(path: Path, names: Iterable[str], versions: Mapping[str, str], told: Told) -> None:
    """Write down which versions of these nodes passed. Raises UsageError where it cannot be."""
    from monitor.act.reports.kinds import KINDS
    from monitor.passed import StateError, digest, record

    report_digest = digest(KINDS["json"].draw(told))
    try:
        record(path, versions, report=report_digest, at=told.verdict.at)
    except StateError as error:
        raise UsageError(str(error)) from None
    for name in names:
        if name not in versions:
            note(f"{path} does not say that {name} passed: its version was not seen")


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


def _told(chosen: argparse.Namespace, outcome: Outcome) -> Told:
    """The outcome with the places of what it speaks of; one-off use has no file to point to."""
    from monitor.act.reports.told import Told
    from monitor.config.lines import lines_of

    verdict, ruling = outcome.verdict, outcome.ruling
    if chosen.node is not None:
        return Told(verdict, __version__, ruling)
    path = config_path(chosen)
    count = 0 if ruling is None else len(ruling.results)
    return Told(verdict, __version__, ruling, str(path), lines_of(path, chosen.gate, count))


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


def output_of(text: str) -> tuple[str, Path]:
    """KIND and PATH of `--output`. Raises UsageError."""
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
