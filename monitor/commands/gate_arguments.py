"""The arguments of `headwatch gate`."""

from __future__ import annotations

import argparse
from pathlib import Path

from monitor.commands import gating
from monitor.commands.arguments import config_option, seconds_of
from monitor.commands.gating import OUTPUT_KINDS

DESCRIPTION = (
    "Judge the nodes once, or for a window of time, and exit with the verdict. The first line on "
    "standard output is the verdict and why. `gate wait` judges again and again until all is well, "
    "or the time is over. With --baseline and --candidate: may the one replace the other? "
    "`gate conformance` puts the test vectors of execution-apis to a node."
)
EXIT_CODES = "exit codes: 0 pass, 1 failed, 2 usage or configuration, 3 inconclusive"


def add_gate(gate: argparse.ArgumentParser) -> None:
    """Add what `headwatch gate` takes."""
    gate.add_argument(
        "verb",
        nargs="?",
        choices=("wait", "conformance"),
        help="wait: until the verdict is pass, and has been for the time of --for; conformance: "
        "put test vectors to a node",
    )
    config_option(gate)
    gate.add_argument(
        "--gate", metavar="NAME", help="hold the rules of this gate of the configuration as well"
    )
    gate.add_argument(
        "--sidecar",
        metavar="URL",
        help="ask a running sidecar, which has watched already, and probe nothing",
    )
    gate.add_argument(
        "--max-age",
        metavar="TIME",
        type=seconds_of,
        help="with --sidecar: how old its verdict may be (default: 60s)",
    )
    _add_one_off(gate)
    gate.add_argument(
        "--for",
        dest="window",
        metavar="TIME",
        type=seconds_of,
        default=0.0,
        help="judge for this long, each finding at its worst; e.g. 60s, 5m (default: once)",
    )
    gate.add_argument(
        "--timeout",
        metavar="TIME",
        type=seconds_of,
        help="decide by then with what is known (default: 5m, or a minute more than is watched; "
        "with --baseline and --candidate as long as it takes)",
    )
    gate.add_argument(
        "--accepted",
        metavar="FILE",
        type=Path,
        help="findings that are accepted, each with a reason and an end; see docs/gate.md",
    )
    gate.add_argument(
        "--state",
        metavar="FILE",
        type=Path,
        help="write down here, on a pass, which version of each node passed; see docs/rollout.md",
    )
    _add_canary(gate)
    _add_conformance(gate)
    gate.add_argument("--strict", action="store_true", help="degraded fails as well")
    gate.add_argument("--json", action="store_true", help="the verdict as JSON on stdout")
    gate.add_argument(
        "--output",
        metavar="KIND=PATH",
        action="append",
        default=[],
        help=f"write a report as well, - for standard output; KIND: {', '.join(OUTPUT_KINDS)}; "
        "markdown and github-output add to their file; repeatable",
    )
    gate.set_defaults(command=gating.gate_command)


def _add_one_off(gate: argparse.ArgumentParser) -> None:
    """What names the nodes where no configuration does."""
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


def _add_canary(gate: argparse.ArgumentParser) -> None:
    """What compares a new version of a node with the one in service."""
    canary = gate.add_argument_group(
        "canary", "may a candidate replace the node in service? see docs/gate.md"
    )
    canary.add_argument("--baseline", metavar="URL", help="the node in service")
    canary.add_argument("--candidate", metavar="URL", help="the node that is to replace it")
    canary.add_argument(
        "--traffic",
        metavar="FILE",
        type=Path,
        help='recorded requests to put to both, a line each: {"method": …, "params": […]}',
    )
    canary.add_argument(
        "--candidate-data",
        metavar="DIR",
        type=Path,
        help="the candidate's data directory, to measure how fast it grows",
    )
    canary.add_argument(
        "--transaction",
        metavar="FILE",
        type=Path,
        help="a signed raw transaction (hex) to send through the candidate",
    )
    canary.add_argument(
        "--restart-command",
        metavar="COMMAND",
        help="restarts the candidate; run without a shell, and its head compared before and after",
    )


def _add_conformance(gate: argparse.ArgumentParser) -> None:
    """What holds a node's answers against test vectors."""
    conformance = gate.add_argument_group(
        "conformance", "does --node answer as execution-apis' tests say? see docs/gate.md"
    )
    conformance.add_argument(
        "--vectors",
        metavar="DIR",
        type=Path,
        help="the test vectors, METHOD/NAME.io; headfcu.json beside them names the head",
    )
    conformance.add_argument(
        "--method",
        metavar="GLOB",
        action="append",
        default=[],
        help="only the vectors of these methods, e.g. 'eth_get*'; repeatable",
    )
    conformance.add_argument(
        "--skip",
        metavar="FILE",
        type=Path,
        help="vectors to leave out: METHOD/NAME or a glob, and after # why, a line each",
    )
