"""A reconciliation as a process of its own: a request on standard input, an outcome on its output.

What it is asked and what it answers is in `job.py`. The loop of a sidecar never waits for it, and
may end it at any instant.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import Counter
from typing import BinaryIO, TextIO

from monitor.garbage import seldom
from monitor.ledger.errors import BrokenStore, CouldNotSee, NotAHub
from monitor.ledger.job import (
    BROKEN_STORE,
    DIFFERENCES_MAX,
    NOT_A_HUB,
    Outcome,
    Request,
    Step,
    Tell,
    outcome_json,
    request_of,
)
from monitor.ledger.plain import PlainError
from monitor.ledger.reconcile import Compared, compared
from monitor.ledger.report import to_json
from monitor.ledger.store.disk import write_whole
from monitor.poco.v1.totals import totals_of

USAGE = 2
REQUEST_BYTES_MAX = 1 << 20


async def answer(request: Request, tell: Tell) -> Outcome:
    """One reconciliation; whatever can be foreseen is an outcome."""
    try:
        found = await compared(request.job, tell)
    except CouldNotSee as error:
        return Outcome("inconclusive", error.reason, error.detail)
    except NotAHub as error:
        return Outcome("inconclusive", NOT_A_HUB, str(error))
    except BrokenStore as error:
        return Outcome("inconclusive", BROKEN_STORE, str(error))
    unwritten = _write(request, found)
    # What differs is told even where the disk is full.
    return outcome_of_all(found) if found.differences or unwritten is None else unwritten


def _write(request: Request, found: Compared) -> Outcome | None:
    """Put the report where it was asked for; what it comes to where it cannot be put there."""
    if request.report is None:
        return None
    try:
        write_whole(request.report, to_json(found.report()))
    except OSError as error:
        detail = f"{error.filename or request.report} cannot be written: {error.strerror}"
        return Outcome("inconclusive", BROKEN_STORE, detail)
    return None


def outcome_of_all(found: Compared) -> Outcome:
    """What is handed on of a reconciliation that saw everything."""
    differences = found.differences
    return Outcome(
        verdict="fail" if differences else "pass",
        chain_id=found.synced.chain_id,
        block=found.synced.block,
        events=found.synced.events,
        events_new=found.synced.events_new,
        differences_count=len(differences),
        differences_by_kind=dict(Counter(one.kind for one in differences)),
        differences=differences[:DIFFERENCES_MAX],
        totals=totals_of(found.predicted.state),
    )


def lines(out: TextIO) -> Tell:
    """A line when something else is begun."""
    doing = ""

    def tell(step: Step) -> None:
        nonlocal doing
        if step.doing != doing:
            doing = step.doing
            print(doing, file=out, flush=True)

    return tell


def main(read: BinaryIO, write: BinaryIO, told: TextIO) -> int:
    """The process. What is no request ends it with 2 and one line."""
    try:
        request = request_of(read.read(REQUEST_BYTES_MAX))
    except PlainError as error:
        print(f"no request: {error}", file=told)
        return USAGE
    with seldom():
        outcome = asyncio.run(answer(request, lines(told)))
    write.write(outcome_json(outcome) + b"\n")
    write.flush()
    return 0


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main(sys.stdin.buffer, sys.stdout.buffer, sys.stderr))
