"""The arguments of `headwatch lab`; importing nothing but argparse."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from monitor import commands

PACE = (
    "With --profile the leader makes its blocks as that chain does: drawn by work, in slots of "
    "which some stay empty, in turns of which some are missed, or as traffic comes; every other "
    "node has each block as late as the profile says; and the configuration has that chain's "
    "thresholds. All times are divided by --speed. The seed draws the same chain again. The "
    "profile dev is a block by the clock, and what is late is the machine's doing."
)


def speed_of(text: str) -> float:
    """A speed as it is written: how many times as fast."""
    try:
        speed = float(text.removesuffix("x"))
    except ValueError:
        speed = math.nan
    if not 0 < speed < math.inf:
        message = f"expected how many times as fast, a number above 0, found {text[:40]!r}"
        raise argparse.ArgumentTypeError(message)
    return speed


def add(lab: argparse.ArgumentParser) -> None:
    """Add every verb of `headwatch lab`."""
    verbs = lab.add_subparsers(title="verbs", metavar="VERB", required=True)
    listed = verbs.add_parser("list", help="the scenarios: fault, findings, exit code of the gate")
    listed.add_argument("--json", action="store_true", help="as JSON")
    listed.set_defaults(command=commands.lab_list)
    scenario = verbs.add_parser(
        "scenario",
        help="run one and print its timeline",
        description="Let a real lab network be healthy, become faulty and be healed, under the "
        f"eyes of the real loop and of the real gate. {PACE}",
        epilog="exit codes: 0 exactly the expected findings opened and closed, 1 not so, 2 usage, "
        "3 the lab itself failed",
    )
    scenario.add_argument("name", metavar="NAME", help="a scenario of `headwatch lab list`")
    _pace(scenario, "the highest that goes for the profile", profile=None)
    scenario.add_argument("--json", action="store_true", help="the timeline as JSON")
    scenario.set_defaults(command=commands.lab_scenario)
    up = verbs.add_parser(
        "up",
        help="a healthy lab network with a configuration for it",
        description=f"A healthy lab network, until Ctrl-C, and a configuration for it. {PACE}",
    )
    up.add_argument(
        "--interval-seconds",
        metavar="SECONDS",
        type=float,
        help="of the blocks of profile dev, in place of --speed (default: 1)",
    )
    _pace(up, "1, as fast as the chain itself", profile="dev")
    up.set_defaults(command=commands.lab_up)
    fetch = verbs.add_parser(
        "fetch", help="fetch anvil and the contracts of PoCo from npm, checked by their hashes"
    )
    fetch.add_argument("directory", nargs="?", type=Path, help="where to (default: user cache)")
    fetch.set_defaults(command=commands.lab_fetch)


def _pace(parser: argparse.ArgumentParser, speed: str, *, profile: str | None) -> None:
    default = "the scenario's own, mostly dev" if profile is None else profile
    parser.add_argument(
        "--profile",
        metavar="KEY",
        default=profile,
        help="the chain that is rehearsed, as `headwatch profile list` shows it "
        f"(default: {default})",
    )
    parser.add_argument(
        "--speed",
        metavar="N",
        type=speed_of,
        help=f"how many times as fast as the chain itself (default: {speed})",
    )
    parser.add_argument(
        "--seed",
        metavar="S",
        type=int,
        default=0,
        help="of what is drawn: blocks, delays, traffic (default: 0)",
    )
