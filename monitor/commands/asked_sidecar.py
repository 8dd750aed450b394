"""`headwatch gate --sidecar URL`: what a running sidecar says, as the gate's own verdict.

Nothing is probed here: the sidecar has watched for longer than any gate, and holds the rules of its
own configuration against what it remembers.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

from monitor import __version__
from monitor.commands import UnseenError, UsageError, note
from monitor.commands.gating import entries_of
from monitor.commands.reporting import Outputs, report
from monitor.status.feed import LostError, Pace, Place, StatusError, open_feed

MAX_AGE_SECONDS = 60.0
NOT_FOUND = 404


def sidecar_command(
    chosen: argparse.Namespace,
    outputs: Outputs,
    clock: Callable[[], float] = time.time,
    pace: Pace | None = None,
) -> int:
    """Ask, report, and exit as the sidecar's verdict comes out."""
    from monitor.accepting import accept, notes
    from monitor.act.reports.told import Told
    from monitor.act.told_document import DocumentError, read
    from monitor.policy.evaluation import verdict_word

    _check(chosen)
    entries = entries_of(chosen.accepted)
    place = _place(chosen.sidecar)
    try:
        found, ruling = read(asyncio.run(_asked(place, chosen.gate, pace or Pace())))
    except (LostError, DocumentError) as error:
        message = f"the sidecar at {place.origin} cannot be read: {error}"
        raise UnseenError(message) from None
    _check_age(clock() - found.at, chosen.max_age, place)
    verdict = accept(entries, found, strict=chosen.strict) if entries or chosen.strict else found
    if ruling is not None:
        word = verdict_word(verdict.word, ruling.results, strict=chosen.strict)
        ruling = replace(ruling, word=word)
    code = report(chosen, Told(verdict, __version__, ruling), outputs)
    for line in notes(entries, found):
        note(line)
    return code


def _check(chosen: argparse.Namespace) -> None:
    """Refuse what only a gate that probes by itself can do. Raises UsageError."""
    given = {
        "wait": chosen.verb,
        "-c": chosen.config,
        "--node": chosen.node,
        "--reference": chosen.reference or None,
        "--network": chosen.network,
        "--interval-seconds": chosen.interval_seconds,
        "--for": chosen.window or None,
        "--timeout": chosen.timeout,
        "--state": chosen.state,
    }
    wrong = [flag for flag, value in given.items() if value is not None]
    if wrong:
        message = f"--sidecar asks one that has watched already: it goes without {wrong[0]}"
        raise UsageError(message)


def _place(text: str) -> Place:
    try:
        return Place(text)
    except ValueError as error:
        message = f"--sidecar: {error}"
        raise UsageError(message) from None


async def _asked(place: Place, gate: str | None, pace: Pace) -> bytes:
    """The answer. Raises LostError where there is none, UsageError for a gate that is not there."""
    path = "/api/v1/verdict" if gate is None else f"/api/v1/gate/{quote(gate, '')}"
    try:
        async with open_feed(place, pace) as feed:
            return await feed.document(path)
    except StatusError as error:
        if error.status == NOT_FOUND and gate is not None:
            message = f"the sidecar at {place.origin} has no gate of this name"
            raise UsageError(message) from None
        raise


def _check_age(age_seconds: float, max_age_seconds: float | None, place: Place) -> None:
    """A verdict of long ago, or of a clock that differs, says nothing of now."""
    limit = MAX_AGE_SECONDS if max_age_seconds is None else max_age_seconds
    if abs(age_seconds) > limit:
        message = (
            f"the verdict of the sidecar at {place.origin} is {age_seconds:.0f} s old, and "
            f"{limit:g} s are allowed: is its clock, or ours, right? see --max-age"
        )
        raise UnseenError(message)
