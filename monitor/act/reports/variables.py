"""The verdict as variables: for later steps on GitHub, for later jobs on GitLab. Pure."""

from __future__ import annotations

import hashlib

from monitor.act.reports.told import Told


def github_output(told: Told) -> str:
    """Lines for $GITHUB_OUTPUT: `verdict`, `ok`, and `summary`, which is text of others.

    A text of several lines, or one that looks like a delimiter, could set other outputs; it is put
    between delimiters that it does not hold.
    """
    summary = told.headline
    mark = "headwatch_" + hashlib.sha256(summary.encode()).hexdigest()[:16]
    counts = dict.fromkeys(("failed", "blind", "warned"), 0)
    for point in told.worst():
        if point.state in counts:
            counts[point.state] += 1
    lines = [
        f"verdict={told.word}",
        f"ok={'true' if told.word == 'pass' else 'false'}",
        *(f"{state}={count}" for state, count in counts.items()),
        f"summary<<{mark}",
        summary,
        mark,
    ]
    return "\n".join(lines) + "\n"


def dotenv(told: Told) -> str:
    """Lines for GitLab's dotenv: no spaces, quotes or line breaks, so no sentences either."""
    lines = [
        f"HEADWATCH_VERDICT={told.word}",
        f"HEADWATCH_OK={'true' if told.word == 'pass' else 'false'}",
        *(
            f"HEADWATCH_{state.upper()}={sum(p.state == state for p in told.worst())}"
            for state in ("failed", "blind", "warned")
        ),
    ]
    return "\n".join(lines) + "\n"
