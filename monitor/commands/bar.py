"""Where long work stands: a bar on a terminal, elsewhere a line when something else begins."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import TextIO

from monitor.ledger.job import Step, Tell

LINE_SECONDS = 15.0
"""Without a terminal, so often at most is said how far the same work has come."""


@contextlib.contextmanager
def progress(
    out: TextIO = sys.stderr, *, stopwatch: Callable[[], float] = time.monotonic
) -> Iterator[Tell]:
    """What to tell of each step of long work; what a terminal showed is gone in the end."""
    if not out.isatty():
        yield Lines(out, stopwatch).tell
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[count]}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(file=out), transient=True) as bar:
        shown = bar.add_task("beginning", total=None, count="")

        def tell(step: Step) -> None:
            bar.update(
                shown,
                description=step.doing,
                completed=step.done,
                total=step.total or None,
                count=counted(step),
            )

        yield tell


def counted(step: Step) -> str:
    """`1,234 of 5,678 blocks`; empty where nothing is counted."""
    if not step.done and not step.total:
        return ""
    whole = f" of {step.total:,}" if step.total else ""
    return f"{step.done:,}{whole} {step.unit}".strip()


class Lines:
    """A line when another thing is done, and now and then how far it has come."""

    def __init__(self, out: TextIO, stopwatch: Callable[[], float]) -> None:
        self._out = out
        self._stopwatch = stopwatch
        self._doing = ""
        self._said_at = 0.0

    def tell(self, step: Step) -> None:
        now = self._stopwatch()
        if step.doing == self._doing and now - self._said_at < LINE_SECONDS:
            return
        self._doing, self._said_at = step.doing, now
        count = counted(step)
        print(f"headwatch: {step.doing}{': ' if count else ''}{count}", file=self._out, flush=True)
