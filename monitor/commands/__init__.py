"""What the commands do: settings in, a result printed, an exit code out."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.config import Settings
    from monitor.lab.pace import Pace
    from monitor.model import VerdictWord

PASS, FINDINGS, USAGE, INCONCLUSIVE, INTERNAL, INTERRUPTED = 0, 1, 2, 3, 4, 130
EXIT_CODES: dict[VerdictWord, int] = {
    "pass": PASS,
    "fail": FINDINGS,
    "inconclusive": INCONCLUSIVE,
}
CONFIG_DEFAULT = "headwatch.yaml"
INTERVAL_SECONDS_MAX = 86_400.0
"""Of blocks: a day, as in the configuration."""


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


def no_colour() -> bool:
    """Whether the operator wants none (no-color.org)."""
    return bool(os.environ.get("NO_COLOR"))


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
    own = BY_NAME[chosen.name].profile
    pace = _pace(own if chosen.profile is None else chosen.profile, chosen.speed)
    return scenario_command(chosen.name, seed=chosen.seed, pace=pace, as_json=chosen.json)


def _pace(key: str, speed: float | None) -> Pace:
    """The pace of a profile, by default as fast as it goes; raises UsageError beyond that."""
    import difflib

    from monitor.judge.profiles import PROFILES
    from monitor.lab.pace import pace_of, speed_max

    if key not in PROFILES:
        near = difflib.get_close_matches(key, PROFILES, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        message = f"no chain profile {key[:63]!r}{hint} (see `headwatch profile list`)"
        raise UsageError(message)
    most = speed_max(PROFILES[key])
    if speed is not None and speed > most:
        message = (
            f"--speed {speed:g} is more than the lab's nodes keep up with: "
            f"the highest for {key} is {most}"
        )
        raise UsageError(message)
    return pace_of(PROFILES[key], most if speed is None else speed)


def lab_up(chosen: argparse.Namespace) -> int:
    """`headwatch lab up`."""
    from monitor.lab.commands import up_command
    from monitor.lab.pace import steady

    seconds: float | None = chosen.interval_seconds
    if seconds is None:
        pace = _pace(chosen.profile, chosen.speed or 1.0)
    elif chosen.speed is not None or chosen.profile != "dev":
        message = "--interval-seconds is for profile dev, and in place of --speed"
        raise UsageError(message)
    elif not 0 < seconds <= INTERVAL_SECONDS_MAX:
        message = f"--interval-seconds: expected above 0 and up to {INTERVAL_SECONDS_MAX:g}"
        raise UsageError(message)
    else:
        pace = steady(seconds)
    return up_command(pace, chosen.seed)


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
