"""`python -m benchmarks [NAME…] [--json PATH] [--page PATH] [--tiny]`."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks import (
    canary,
    delays,
    detection,
    fleet,
    ingestion,
    kernels,
    ledger,
    probe,
    scrape,
    start,
    tap,
    tracked,
)
from benchmarks.report import FULL, TINY, Result, Say, Sizes, document, machine, show

Benchmark = Callable[[Sizes, Say], Awaitable[list[Result]]]
BENCHMARKS: dict[str, Benchmark] = {
    "probe": probe.run,
    "fleet": fleet.run,
    "scrape": scrape.run,
    "start": start.run,
    "detection": detection.run,
    "tap": tap.run,
    "tracked": tracked.run,
    "ledger": ledger.run,
    "kernels": kernels.run,
    "ingestion": ingestion.run,
    "canary": canary.run,
}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    root = argparse.ArgumentParser(
        prog="python -m benchmarks", description="What headwatch costs, beside its peers."
    )
    root.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    root.add_argument("--json", type=Path, metavar="PATH", help="write the results there as well")
    root.add_argument(
        "--page",
        type=Path,
        metavar="PATH",
        help="detection: write its figures into docs/detection.md",
    )
    root.add_argument("--tiny", action="store_true", help="as little as shows that it works")
    return root


async def run(names: list[str], sizes: Sizes) -> dict[str, list[Result]]:
    """The named benchmarks, one after the other."""
    return {name: await BENCHMARKS[name](sizes, _say) for name in names}


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def main() -> int:
    """0 when everything was measured, whatever came out; 2 for a name that is not there."""
    root = parser()
    chosen = root.parse_args()
    names = chosen.names or list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        root.error(f"no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    if chosen.page is not None and (chosen.tiny or "detection" not in names):
        root.error("--page is for detection, measured in full")
    place = machine()
    results = asyncio.run(run(names, TINY if chosen.tiny else FULL))
    show([one for many in results.values() for one in many], place)
    if chosen.json is not None:
        text = json.dumps(document(results, place), indent=2, ensure_ascii=False)
        chosen.json.write_text(text + "\n", encoding="utf-8")
    if chosen.page is not None:
        text = chosen.page.read_text(encoding="utf-8")
        written = delays.page(text, results["detection"], place)
        chosen.page.write_text(written, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
