"""`headwatch gate --sidecar URL`: what a running sidecar says, as the gate's own verdict.

Nothing is probed here: the sidecar has watched for longer than any gate, and holds the rules of its
own configuration against what it remembers.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import ProxyHandler, Request, build_opener

from monitor import __version__
from monitor.commands import EXIT_CODES, UnseenError, UsageError, no_colour, note, say
from monitor.commands.gating import STDOUT, entries_of, write_reports
from monitor.url import Url

if TYPE_CHECKING:
    from monitor.act.reports.told import Told

READ_SECONDS_MAX = 15.0
ANSWER_BYTES_MAX = 32 << 20
MAX_AGE_SECONDS = 60.0
NOT_FOUND = 404


def sidecar_command(
    chosen: argparse.Namespace,
    outputs: Sequence[tuple[str, Path]],
    clock: Callable[[], float] = time.time,
) -> int:
    """Ask, report, and exit as the sidecar's verdict comes out."""
    from monitor.accepting import accept, notes
    from monitor.act.reports.kinds import KINDS
    from monitor.act.reports.told import Told
    from monitor.act.told_document import DocumentError, read
    from monitor.policy.evaluation import verdict_word

    _check(chosen)
    entries = entries_of(chosen.accepted)
    url = _url(chosen.sidecar)
    path = "/api/v1/verdict" if chosen.gate is None else f"/api/v1/gate/{quote(chosen.gate, '')}"
    try:
        found, ruling = read(_asked(url, path))
    except DocumentError as error:
        message = f"the sidecar at {url}: {error}"
        raise UnseenError(message) from None
    _check_age(clock() - found.at, chosen.max_age, url)
    verdict = accept(entries, found, strict=chosen.strict) if entries or chosen.strict else found
    if ruling is not None:
        word = verdict_word(verdict.word, ruling.results, strict=chosen.strict)
        ruling = replace(ruling, word=word)
    told = Told(verdict, __version__, ruling)
    if chosen.json:
        say(KINDS["json"].draw(told).rstrip("\n"))
    elif STDOUT not in (path for _, path in outputs):
        say(_text(told))
    write_reports(outputs, told)
    for line in notes(entries, found):
        note(line)
    return EXIT_CODES[told.word]


def _text(told: Told) -> str:
    from monitor.act.report import gate_text

    is_coloured = sys.stdout.isatty() and not no_colour()
    return gate_text(told.verdict, colour=is_coloured, ruling=told.ruling)


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


def _url(text: str) -> Url:
    try:
        url = Url(text.rstrip("/"))
    except ValueError as error:
        message = f"--sidecar: {error}"
        raise UsageError(message) from None
    if url.scheme not in {"http", "https"}:
        message = f"--sidecar: expected http:// or https://, found {url.scheme}://"
        raise UsageError(message)
    return url


def _asked(url: Url, path: str) -> bytes:
    """The answer. Raises UnseenError where there is none, UsageError for a gate that is not."""
    request = Request(url.reveal() + path)  # noqa: S310 - its scheme is checked
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=READ_SECONDS_MAX) as answer:
            body: bytes = answer.read(ANSWER_BYTES_MAX + 1)
    except HTTPError as error:
        if error.code == NOT_FOUND and path.startswith("/api/v1/gate/"):
            message = f"the sidecar at {url} has no gate of this name"
            raise UsageError(message) from None
        message = f"the sidecar at {url} answers with HTTP status {error.code}"
        raise UnseenError(message) from None
    except (HTTPException, OSError, ValueError) as error:
        reason = url.scrub(str(getattr(error, "reason", error)))
        message = f"the sidecar at {url} does not answer: {reason}"
        raise UnseenError(message) from None
    if len(body) > ANSWER_BYTES_MAX:
        message = f"the sidecar at {url} answers with more than {ANSWER_BYTES_MAX} bytes"
        raise UnseenError(message)
    return body


def _check_age(age_seconds: float, max_age_seconds: float | None, url: Url) -> None:
    """A verdict of long ago, or of a clock that differs, says nothing of now."""
    limit = MAX_AGE_SECONDS if max_age_seconds is None else max_age_seconds
    if abs(age_seconds) > limit:
        message = (
            f"the verdict of the sidecar at {url} is {age_seconds:.0f} s old, and {limit:g} s are "
            "allowed: is its clock, or ours, right? see --max-age"
        )
        raise UnseenError(message)
