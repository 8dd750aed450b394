"""The outcome of a gate, said on standard output and written as every report that was asked for."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.commands import (
    EXIT_CODES,
    PASS,
    USAGE,
    OutputError,
    UsageError,
    no_colour,
    note,
    say,
)

if TYPE_CHECKING:
    from monitor.act.reports.told import Told

STDOUT = Path("-")
Outputs = Sequence[tuple[str, Path]]
"""KIND and PATH of each `--output`."""


def check_outputs(outputs: Outputs) -> None:
    """What cannot be written is told before the nodes are watched. Raises UsageError."""
    for kind, path in outputs:
        trouble = None if path == STDOUT else _trouble(path)
        if trouble is not None:
            message = f"--output {kind}={path}: {trouble}"
            raise UsageError(message)


def _trouble(path: Path) -> str | None:
    """Why a file cannot be written, as far as one can tell without doing it."""
    try:
        if path.is_dir():
            return os.strerror(errno.EISDIR)
        if not path.exists() and not path.parent.is_dir():
            return os.strerror(errno.ENOENT)
        place = path if path.exists() else path.parent
    except OSError as error:
        return error.strerror
    return None if os.access(place, os.W_OK) else os.strerror(errno.EACCES)


def report(chosen: argparse.Namespace, told: Told, outputs: Outputs) -> int:
    """Write the reports, say the outcome unless one of them goes to standard output; the exit code.

    What cannot be written is told, and all else written. A pass of which a report is missing is
    exit code 2: who asked for it would look for it in vain. What failed or was not seen stays so.
    """
    written = [_is_written(kind, path, told) for kind, path in outputs if path != STDOUT]
    is_whole = all(written)
    try:
        for text in _said(chosen, told, outputs):
            say(text)
    except OutputError as error:
        note(f"cannot write the result: {error}")
        is_whole = False
    code = EXIT_CODES[told.word]
    return USAGE if code == PASS and not is_whole else code


def _said(chosen: argparse.Namespace, told: Told, outputs: Outputs) -> list[str]:
    """What goes to standard output."""
    from monitor.act.reports.kinds import KINDS

    reports = [KINDS[kind].draw(told).rstrip("\n") for kind, path in outputs if path == STDOUT]
    if chosen.json:
        reports.insert(0, KINDS["json"].draw(told).rstrip("\n"))
    elif not reports:
        return [_text(told, is_coloured=sys.stdout.isatty() and not no_colour())]
    return [text for text in reports if text]


def _text(told: Told, *, is_coloured: bool) -> str:
    from monitor.act.conformance import conformance_text
    from monitor.act.report import gate_text

    if told.conformance is not None:
        return conformance_text(told.verdict, told.conformance, colour=is_coloured)
    return gate_text(
        told.verdict, colour=is_coloured, ruling=told.ruling, comparisons=told.comparisons
    )


def _is_written(kind: str, path: Path, told: Told) -> bool:
    """Write one report; a note says why it could not be."""
    from monitor.act.reports.kinds import KINDS

    text = KINDS[kind].draw(told)
    try:
        with path.open("a" if KINDS[kind].appends else "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        note(f"--output {kind}={path}: {error.strerror}")
        return False
    return True
