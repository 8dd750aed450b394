"""What the commands do that are about people: status, maintenance, notify, assets."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from monitor import __version__
from monitor.commands import (
    FINDINGS,
    PASS,
    UnseenError,
    UsageError,
    config_path,
    load_settings,
    no_colour,
    note,
    say,
)

if TYPE_CHECKING:
    from monitor.windows import Desk

T = TypeVar("T")
URL_DEFAULT = "http://127.0.0.1:9845"
FLAGS = {
    "duration_seconds": "--for",
    "starts_at": "--from",
    "nodes": "--node",
    "networks": "--network",
    "reason": "--reason",
    "actor": "--actor",
}
"""What a window is refused for, as the API calls it -> as it was typed."""
_FIELD = re.compile(r"^((?:the sidecar refused: )?)([a-z_]+)(?=: )")


def status_command(chosen: argparse.Namespace) -> int:
    """`headwatch status`."""
    from monitor.status.command import status_command as show

    url = chosen.url
    if url is None:
        wanted = chosen.config is not None or config_path(chosen).is_file()
        url = load_settings(chosen).http.local_url if wanted else URL_DEFAULT
    return show(
        url=url,
        as_json=chosen.json,
        once=chosen.once,
        node=chosen.node,
        colour=sys.stdout.isatty() and not no_colour(),
    )


def _desk(chosen: argparse.Namespace) -> Desk:
    from monitor.windows import Desk

    return Desk(load_settings(chosen), os.environ)


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
        raise UsageError(by_flag(str(error))) from None
    except UnreachableError as error:
        raise UnseenError(str(error)) from None


def by_flag(refusal: str) -> str:
    """Why a window was refused, with the flag in the place of the field that it begins with."""
    return _FIELD.sub(lambda found: found[1] + FLAGS.get(found[2], found[2]), refusal, count=1)


def _windows(chosen: argparse.Namespace, windows: Sequence[Mapping[str, object]]) -> int:
    """Print windows: a line each, or a JSON document."""
    if chosen.json:
        say(json.dumps({"windows": windows}, indent=2))
        return PASS
    from monitor.windows import line

    say("\n".join(map(line, windows)) or "no maintenance window is active or planned")
    return PASS


def notify_test(chosen: argparse.Namespace) -> int:
    """`headwatch notify test`."""
    from monitor.act.notify.trial import try_all

    alerting = load_settings(chosen).alerting
    known = {
        *(one.name for one in alerting.alertmanagers),
        *(one.name for one in alerting.channels),
        *(one.name for one in alerting.heartbeats),
    }
    unknown = [name for name in chosen.name if name not in known]
    if unknown or not known:
        there = ", ".join(sorted(known)) or "nobody: there is nothing under `alerting`"
        message = f"found {unknown[0]!r}, told are {there}" if unknown else f"told is {there}"
        raise UsageError(message)
    trials = asyncio.run(try_all(alerting, only=chosen.name))
    if chosen.json:
        found = [{"name": t.name, "kind": t.kind, "problem": t.problem} for t in trials]
        say(json.dumps({"trials": found}, indent=2))
    else:
        say("\n".join(f"{t.name}  {t.kind}  {t.problem or 'taken'}" for t in trials))
    return FINDINGS if any(trial.problem for trial in trials) else PASS


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
        say(json.dumps({"written": written, "kept": kept}, indent=2))
    else:
        say(f"{chosen.directory}: {len(written)} files of headwatch {__version__}")
    for name in kept:
        note(f"{name} differs and was left as it is; --force replaces it")
    return FINDINGS if kept else PASS
