"""Arguments that several commands take; importing nothing but argparse."""

from __future__ import annotations

import argparse
import math
import re
from pathlib import Path

from monitor.commands import CONFIG_DEFAULT


def config_option(command: argparse.ArgumentParser) -> None:
    """`-c`: which configuration."""
    command.add_argument(
        "-c",
        "--config",
        metavar="FILE",
        type=Path,
        help=f"the configuration (default: $HEADWATCH_CONFIG, or {CONFIG_DEFAULT})",
    )


def seconds_of(text: str) -> float:
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
