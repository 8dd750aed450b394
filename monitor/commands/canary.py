"""`headwatch gate --baseline URL --candidate URL`: may the candidate replace the baseline?"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from monitor import __version__
from monitor.commands import UsageError, note
from monitor.commands.gating import canary_options, check_state, entries_of, remember
from monitor.commands.reporting import Outputs, report

if TYPE_CHECKING:
    from monitor.act.reports.told import Told
    from monitor.canary.comparison import Comparison
    from monitor.canary.run import Plan
    from monitor.canary.traffic import Request
    from monitor.config import Settings
    from monitor.model import Hash32
    from monitor.url import Url

TRANSACTION_CHARACTERS_MAX = 4 * 2**20
"""Of the file: twice what is taken for a transaction, so that what is cut is refused."""
CANDIDATE = "candidate"
"""The name under which the state file has the one that passed."""


def canary_command(
    chosen: argparse.Namespace,
    outputs: Outputs,
    clock: Callable[[], float] = time.time,
) -> int:
    """Compare, report, and exit as the comparisons come out."""
    _check(chosen)
    entries = entries_of(chosen.accepted)
    check_state(chosen.state)
    settings = _settings(chosen)
    with contextlib.ExitStack() as stack:
        traffic = stack.enter_context(_opened(chosen.traffic))
        progress = stack.enter_context(_progress(chosen.window, quiet=chosen.json))
        plan = _plan(chosen, settings, traffic)
        from monitor.canary.traffic import TrafficError

        try:
            found = asyncio.run(_compared(plan, progress, chosen.timeout))
        except TrafficError as error:
            message = f"--traffic {chosen.traffic}: {error}"
            raise UsageError(message) from None
        except UnicodeDecodeError:
            message = f"--traffic {chosen.traffic}: is not UTF-8"
            raise UsageError(message) from None
    now = clock()
    from monitor.accepting import accept_comparisons, notes_on_comparisons

    told = _told(accept_comparisons(entries, found, now), now, strict=chosen.strict)
    code = report(chosen, told, outputs)
    if chosen.state is not None and told.word == "pass":
        versions = asyncio.run(_versions(plan.candidate, clock))
        remember(chosen.state, [CANDIDATE], versions, told)
    for line in notes_on_comparisons(entries, found, now):
        note(line)
    return code


async def _compared(
    plan: Plan, progress: Callable[[str, float], None], timeout_seconds: float | None
) -> tuple[Comparison, ...]:
    """What came of the checks; all of them are unknown where the time is over before the last."""
    from monitor.canary.comparison import TITLES, Comparison
    from monitor.canary.run import compare

    limit = asyncio.timeout(timeout_seconds)
    try:
        async with limit:
            await asyncio.sleep(0)  # Where there is no time at all, nothing begins.
            return await compare(plan, progress=progress)
    except TimeoutError:
        if not limit.expired():
            raise
    said = f"not known when the {timeout_seconds:g} s of --timeout were over"
    return tuple(Comparison(check, "unknown", "timed_out", said) for check in TITLES)


async def _versions(candidate: Url, clock: Callable[[], float]) -> Mapping[str, str]:
    """What passed, as the state file has it; empty where the candidate does not say it."""
    from monitor.rpc import decode
    from monitor.rpc.errors import RpcError
    from monitor.rpc.node import Node
    from monitor.wire import open_session

    async with open_session() as session:
        node = Node(CANDIDATE, candidate, session, clock=clock)
        try:
            version = await node.ask("web3_clientVersion", (), decode.text)
        except RpcError:
            return {}
        finally:
            await node.close()
    version = candidate.scrub(version)
    return {CANDIDATE: version} if version else {}


def _check(chosen: argparse.Namespace) -> None:
    """Raises UsageError for what does not go together."""
    if not chosen.baseline or not chosen.candidate:
        given = next(name for name, value in canary_options(chosen).items() if value is not None)
        message = f"{given} is of a canary run, which needs --baseline URL and --candidate URL"
        raise UsageError(message)
    others = {
        "wait": chosen.verb,
        "-c": chosen.config,
        "--gate": chosen.gate,
        "--node": chosen.node,
        "--sidecar": chosen.sidecar,
    }
    for name, value in others.items():
        if value is not None:
            message = f"{name} does not go with --baseline and --candidate"
            raise UsageError(message)


def _settings(chosen: argparse.Namespace) -> Settings:
    from monitor.config import from_flags

    return from_flags(
        chosen.candidate,
        (chosen.baseline, *chosen.reference),
        chosen.network,
        interval_seconds=chosen.interval_seconds,
        env=os.environ,
        flags=("--candidate", "--baseline"),
    )


def _plan(chosen: argparse.Namespace, settings: Settings, traffic: Iterator[Request]) -> Plan:
    from monitor.canary.run import Plan
    from monitor.sidecar import policy_of

    (node,) = settings.nodes
    # The baseline was given as the first of the references; the others are named anew.
    baseline, *others = settings.networks[node.network].references
    names = [one.name for one in settings.networks[node.network].references]
    raw, hash_ = _transaction(chosen.transaction)
    return Plan(
        baseline=baseline.url,
        candidate=node.url,
        policy=policy_of(settings, node.network),
        references={name: one.url for name, one in zip(names, others, strict=False)},
        soak_seconds=chosen.window,
        traffic=traffic,
        candidate_data=chosen.candidate_data,
        raw=raw,
        raw_hash=hash_,
        restart_command=_command(chosen.restart_command),
    )


def _command(text: str | None) -> list[str] | None:
    """The words of a command, as a shell would part them. Raises UsageError."""
    if text is None:
        return None
    try:
        words = shlex.split(text)
    except ValueError as error:
        message = f"--restart-command: {error}"
        raise UsageError(message) from None
    if not words:
        message = "--restart-command: expected a command, found nothing"
        raise UsageError(message)
    return words


def _transaction(path: Path | None) -> tuple[bytes | None, Hash32 | None]:
    """A signed transaction and its hash, from a file of hex. Raises UsageError."""
    if path is None:
        return None, None
    from monitor.transactions.raw import RawError, decode, from_hex, transaction_hash

    try:
        with path.open(encoding="ascii") as file:
            raw = from_hex(file.read(TRANSACTION_CHARACTERS_MAX).strip())
        decode(raw)
    except OSError as error:
        message = f"--transaction {path}: {error.strerror}"
        raise UsageError(message) from None
    except UnicodeDecodeError:
        message = f"--transaction {path}: expected a signed transaction in hex"
        raise UsageError(message) from None
    except RawError as error:
        message = f"--transaction {path}: {error}"
        raise UsageError(message) from None
    return raw, transaction_hash(raw)


@contextlib.contextmanager
def _opened(path: Path | None) -> Iterator[Iterator[Request]]:
    """The requests of a file, read as they are asked for. Raises UsageError."""
    if path is None:
        yield iter(())
        return
    from monitor.canary.traffic import LINE_CHARACTERS_MAX, read

    try:
        file = path.open(encoding="utf-8")
    except OSError as error:
        message = f"--traffic {path}: {error.strerror}"
        raise UsageError(message) from None
    with file:
        # A piece of a line that never ends is as wrong as the whole, and takes less memory.
        yield read(iter(lambda: file.readline(LINE_CHARACTERS_MAX + 2), ""))


def _told(found: tuple[Comparison, ...], now: float, *, strict: bool) -> Told:
    from monitor.act.reports.told import Told
    from monitor.canary.comparison import word_of
    from monitor.model import Level, Verdict

    word = word_of(found, strict=strict)
    levels = {"pass": Level.OK, "fail": Level.FAILED, "inconclusive": Level.UNKNOWN}
    return Told(Verdict(now, (), word, levels[word]), __version__, comparisons=found)


@contextlib.contextmanager
def _progress(window: float, *, quiet: bool) -> Iterator[Callable[[str, float], None]]:
    """A bar on a terminal, which names the check that is made; nothing where nobody would see."""
    if quiet or not sys.stderr.isatty():
        yield lambda check, seconds: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("comparing", total=window or None)

        def show(check: str, seconds: float) -> None:
            bar.update(task, completed=seconds, description=f"comparing: {check}")

        yield show
