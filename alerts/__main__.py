"""Write every generated file of this folder: `python -m alerts [--runbook-url BASE]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from alerts.files import generated
from monitor.act.alerts import RUNBOOK_BASE

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Write them; say which have changed."""
    parser = argparse.ArgumentParser(prog="python -m alerts", description=__doc__)
    parser.add_argument(
        "--runbook-url",
        metavar="BASE",
        default=RUNBOOK_BASE,
        help=f"where the runbook is served; an alert's name follows (default: {RUNBOOK_BASE})",
    )
    parser.add_argument(
        "--to",
        metavar="DIRECTORY",
        type=Path,
        default=ROOT,
        help="the root below which the files are written (default: this repository)",
    )
    chosen = parser.parse_args(arguments)
    for name, text in generated(chosen.runbook_url).items():
        path: Path = chosen.to / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"{name}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
