"""What a benchmark hands back, and how it is shown: rows of figures, targets, the machine."""

from __future__ import annotations

import datetime
import os
import platform
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from monitor.lab.tools import ANVIL_VERSION

WIDTH = 180
"""Columns of what is not a terminal."""
PACKAGES = ("headwatch", "aiohttp", "msgspec", "prometheus-client", "web3")
Figure = float | str | None
"""None is drawn as a dash: this row has no such figure."""
Say = Callable[[str], None]
"""Shows how far a benchmark has come."""


@dataclass(frozen=True, slots=True)
class Row:
    """One contestant: its figures by column."""

    name: str
    figures: Mapping[str, Figure]


@dataclass(frozen=True, slots=True)
class Target:
    """A promise of ours beside what was measured."""

    what: str
    wanted: str
    measured: str
    is_met: bool


@dataclass(frozen=True, slots=True)
class Result:
    """One table."""

    title: str
    rows: tuple[Row, ...]
    note: str = ""
    targets: tuple[Target, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured: enough to be believed, or as little as shows that it works."""

    repeats: int
    scale: float
    """Of the number of polls in one repeat."""
    fleets: tuple[int, ...]
    """Nodes watched by one process; the last but one is scraped."""
    warm_seconds: float
    watch_seconds: float
    scrapes: int


FULL = Sizes(
    repeats=5, scale=1.0, fleets=(1, 200, 1000), warm_seconds=30, watch_seconds=20, scrapes=20
)
TINY = Sizes(repeats=1, scale=0.02, fleets=(2,), warm_seconds=0.2, watch_seconds=0.3, scrapes=1)


def median_ratio(peer: Sequence[float], ours: Sequence[float]) -> float:
    """How many times less ours took: the median over repeats that ran side by side."""
    return statistics.median(theirs / mine for theirs, mine in zip(peer, ours, strict=True))


def p99(values: Sequence[float]) -> float:
    """The value that 99 in 100 do not exceed; of few values the largest."""
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.99))]


def machine() -> dict[str, str]:
    """Where this ran: ratios carry over to other machines, absolute numbers do not."""
    load = " ".join(f"{part:.1f}" for part in os.getloadavg())
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "cores": str(os.cpu_count()),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release()}",
        "load when started (1, 5, 15 min)": load,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        **{name: version(name) for name in PACKAGES},
        "anvil": ANVIL_VERSION,
    }


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    if described.exists():
        for line in described.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def show(results: Sequence[Result], place: Mapping[str, str]) -> None:
    """The tables, below the machine, on stdout."""
    console = Console(width=None if Console().is_terminal else WIDTH)
    console.print(", ".join(f"{name} {text}" for name, text in place.items()), highlight=False)
    for result in results:
        columns = list(dict.fromkeys(name for row in result.rows for name in row.figures))
        table = Table(title=f"\n{result.title}", title_justify="left", caption=result.note or None)
        table.caption_justify = "left"
        table.add_column("", no_wrap=True)
        for column in columns:
            table.add_column(column, justify="right")
        for row in result.rows:
            table.add_row(row.name, *(_text(row.figures.get(column)) for column in columns))
        console.print(table, highlight=False)
        for target in result.targets:
            word = "met   " if target.is_met else "MISSED"
            line = f"  {word} {target.what}: {target.measured} (target {target.wanted})"
            console.print(line, highlight=False)


def _text(figure: Figure) -> str:
    if figure is None:
        return "–"
    if isinstance(figure, str):
        return figure
    return f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:.3g}"


def document(results: Mapping[str, Sequence[Result]], place: Mapping[str, str]) -> object:
    """The same for machines."""
    return {
        "machine": dict(place),
        "benchmarks": {name: [asdict(one) for one in many] for name, many in results.items()},
    }
