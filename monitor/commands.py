"""What the commands do: settings in, a result printed, an exit code out."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from monitor import __version__

if TYPE_CHECKING:
    from monitor.config import Settings
    from monitor.model import Verdict, VerdictWord
    from monitor.windows import Desk

T = TypeVar("T")
PASS, FINDINGS, USAGE, INCONCLUSIVE, INTERNAL, INTERRUPTED = 0, 1, 2, 3, 4, 130
EXIT_CODES: dict[VerdictWord, int] = {
    "pass": PASS,
    "fail": FINDINGS,
    "inconclusive": INCONCLUSIVE,
}
CONFIG_DEFAULT = "headwatch.yaml"
URL_DEFAULT = "http://127.0.0.1:9845"
OUTPUT_KINDS = ("text", "json")


class UsageError(Exception):
    """The operator's mistake: one clear line, exit 2."""


class UnseenError(Exception):
    """Who was to be asked does not answer: one clear line, exit 3."""


class OutputError(Exception):
    """Standard output does not take the result: a full disk, a closed descriptor."""


def _print(text: str) -> None:
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(error.strerror) from None


def _note(line: str) -> None:
    print(f"headwatch: {line}", file=sys.stderr)


def _config_path(chosen: argparse.Namespace) -> Path:
    path: Path | None = chosen.config
    return path or Path(os.environ.get("HEADWATCH_CONFIG") or CONFIG_DEFAULT)


def _load(chosen: argparse.Namespace) -> Settings:
    from monitor.config import load

    return load(_config_path(chosen), os.environ)


def run_command(chosen: argparse.Namespace) -> int:
    """`headwatch run`."""
    settings = _load(chosen)
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
    try:
        asyncio.run(run(settings, lambda: _load(chosen), ready, directory=directory))
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
        _note(f"the time of {chosen.timeout:g} s was over before everything was certain")
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


def status_command(chosen: argparse.Namespace) -> int:
    """`headwatch status`."""
    from monitor.status.command import status_command as show

    url = chosen.url
    if url is None:
        wanted = chosen.config is not None or _config_path(chosen).is_file()
        url = _load(chosen).http.local_url if wanted else URL_DEFAULT
    return show(
        url=url,
        as_json=chosen.json,
        once=chosen.once,
        node=chosen.node,
        colour=sys.stdout.isatty() and not _no_colour(),
    )


def _desk(chosen: argparse.Namespace) -> Desk:
    from monitor.windows import Desk

    return Desk(_load(chosen), os.environ)


def maintenance_add(chosen: argparse.Namespace) -> int:
    """`headwatch maintenance add`."""
    from monitor.windows import operator

    document = {
        "duration_seconds": chosen.duration,
        "starts_at": chosen.start,
        "nodes": chosen.node,
        "networks": chosen.network,
        "reason": chosen.reason,
        "actor": chosen.actor or operator(),
    }
    return _windows(chosen, [_at_desk(lambda: _desk(chosen).add(document))])


def maintenance_list(chosen: argparse.Namespace) -> int:
    """`headwatch maintenance list`."""
    return _windows(chosen, _at_desk(lambda: _desk(chosen).all(past=chosen.past)))


def maintenance_end(chosen: argparse.Namespace) -> int:
    """`headwatch maintenance end`."""
    from monitor.windows import operator

    actor = chosen.actor or operator()
    return _windows(chosen, [_at_desk(lambda: _desk(chosen).end(chosen.name, actor))])


def _at_desk(ask: Callable[[], T]) -> T:
    from monitor.windows import UnreachableError, WindowError

    try:
        return ask()
    except WindowError as error:
        raise UsageError(str(error)) from None
    except UnreachableError as error:
        raise UnseenError(str(error)) from None


def _windows(chosen: argparse.Namespace, windows: Sequence[Mapping[str, object]]) -> int:
    """Print windows: a line each, or a JSON document."""
    if chosen.json:
        _print(json.dumps({"windows": windows}, indent=2))
        return PASS
    from monitor.windows import line

    _print("\n".join(map(line, windows)) or "no maintenance window is active or planned")
    return PASS


def assets_command(chosen: argparse.Namespace) -> int:
    """`headwatch assets DIR`: never overwrites what differs, unless it is told to."""
    from monitor.act.alerts import RUNBOOK_BASE
    from monitor.act.assets import shipped_files

    written: list[str] = []
    kept: list[str] = []
    base = (chosen.runbook_url or RUNBOOK_BASE).rstrip("/") + "/"
    for name, content in shipped_files(base).items():
        path: Path = chosen.directory / name
        try:
            if path.exists() and path.read_bytes() != content and not chosen.force:
                kept.append(name)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError as error:
            message = f"{path}: {error.strerror}"
            raise UsageError(message) from None
        written.append(name)
    if chosen.json:
        _print(json.dumps({"written": written, "kept": kept}, indent=2))
    else:
        _print(f"{chosen.directory}: {len(written)} files of headwatch {__version__}")
    for name in kept:
        _note(f"{name} differs and was left as it is; --force replaces it")
    return FINDINGS if kept else PASS


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
