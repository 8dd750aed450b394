"""`headwatch gate conformance --vectors DIR --node URL`: does a node answer as it should?"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from monitor import __version__
from monitor.commands import UsageError, note
from monitor.commands.gating import canary_options
from monitor.commands.reporting import Outputs, report

if TYPE_CHECKING:
    from monitor.act.reports.told import Told
    from monitor.conformance.finding import Place, Skip
    from monitor.conformance.outcome import Conformance
    from monitor.conformance.run import Plan, Progress


def conformance_command(
    chosen: argparse.Namespace,
    outputs: Outputs,
    clock: Callable[[], float] = time.time,
) -> int:
    """Put the vectors, report, and exit as they come out."""
    _check(chosen)
    from monitor.conformance.run import run
    from monitor.conformance.vectors import VectorError

    try:
        plan = _plan(chosen)
        with _progress(quiet=chosen.json) as progress:
            found = asyncio.run(run(plan, progress=progress))
    except VectorError as error:
        raise UsageError(str(error)) from None
    told = _told(found, clock(), strict=chosen.strict)
    code = report(chosen, told, outputs)
    if not chosen.method:
        for line in _unused(chosen.skip, plan.places, plan.skips):
            note(line)
    return code


def _check(chosen: argparse.Namespace) -> None:
    """Raises UsageError for what is missing or does not go together."""
    if chosen.vectors is None or not chosen.node:
        message = "conformance needs --vectors DIR and --node URL"
        raise UsageError(message)
    others = {
        **canary_options(chosen),
        "-c": chosen.config,
        "--gate": chosen.gate,
        "--sidecar": chosen.sidecar,
        "--reference": chosen.reference or None,
        "--network": chosen.network,
        "--interval-seconds": chosen.interval_seconds,
        "--for": chosen.window or None,
        "--timeout": chosen.timeout,
        "--accepted": chosen.accepted,
        "--state": chosen.state,
    }
    for name, value in others.items():
        if value is not None:
            message = f"{name} does not go with conformance"
            raise UsageError(message)
    if not chosen.vectors.is_dir():
        message = f"--vectors {chosen.vectors}: it is no directory"
        raise UsageError(message)


def _plan(chosen: argparse.Namespace) -> Plan:
    """What is put to which node. Raises ConfigError and VectorError."""
    from monitor.config.flags import ConformanceFlags, read_flags
    from monitor.conformance.finding import find, head_hash, read_skips
    from monitor.conformance.run import Plan

    return Plan(
        folder=chosen.vectors,
        url=read_flags(ConformanceFlags, {"node": chosen.node}, os.environ).node,
        places=find(chosen.vectors, chosen.method),
        head=head_hash(chosen.vectors),
        skips=() if chosen.skip is None else read_skips(chosen.skip),
    )


def _told(found: Conformance, now: float, *, strict: bool) -> Told:
    from monitor.act.reports.told import Told
    from monitor.conformance.outcome import word_of
    from monitor.model import Level, Verdict

    word = word_of(found, strict=strict)
    levels = {"pass": Level.OK, "fail": Level.FAILED, "inconclusive": Level.UNKNOWN}
    return Told(Verdict(now, (), word, levels[word]), __version__, conformance=found)


def _unused(path: Path | None, places: Sequence[Place], skips: Sequence[Skip]) -> Iterator[str]:
    """Lines that leave nothing out: such a file must not only grow."""
    from monitor.conformance.finding import skip_of

    used = {skip_of(place, skips) for place in places}
    for one in skips:
        if one not in used:
            yield f"{path}, line {one.line}: {one.pattern} leaves out nothing"


@contextlib.contextmanager
def _progress(*, quiet: bool) -> Iterator[Progress]:
    """A bar on a terminal, a line now and then elsewhere; nothing where nobody is to be told."""
    if quiet:
        yield lambda done, total: None
        return
    from monitor.commands.bar import progress
    from monitor.ledger.job import Step

    with progress() as tell:
        yield lambda done, total: tell(Step("asking", done, total, "files"))
