"""A page for a job's summary, in GitHub's Markdown. Pure.

GitHub drops a summary above one mebibyte whole, so that what is too long is cut here, and says so.
"""

from __future__ import annotations

import re

from monitor.act.comparisons import outcome_counts
from monitor.act.reports.told import Told
from monitor.act.words import count_levels, rfc3339
from monitor.model import VerdictWord

BYTES_MAX = 900_000
ROOM_BYTES = 200
"""For what is said of the cut."""
MARKS: dict[VerdictWord, str] = {"pass": "✅", "fail": "❌", "inconclusive": "❔"}
STATES = {"failed": "❌", "blind": "❔", "warned": "⚠️", "unseen": "❔", "ok": "✅"}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~]|:(?=//)|(?<=www)\.)", re.IGNORECASE)
CUT = "\n\n*More was found than fits here: the other reports have all of it.*\n"


def markdown(told: Told) -> str:
    """The verdict, a table of what is not well, then of everything, then when and by what."""
    lines = [f"## {MARKS[told.word]} headwatch: {told.word}", "", escaped(told.headline), ""]
    worst = told.worst()
    if worst:
        lines += ["| | what | of | says |", "|---|---|---|---|"]
        lines += [
            f"| {STATES[p.state]} | {escaped(p.suite)} | {escaped(p.name)} | {escaped(p.summary)} |"
            for p in worst
        ]
        lines.append("")
        for point in worst:
            if point.detail and point.state in {"failed", "blind"}:
                lines += ["<details>", f"<summary>{_html(point.suite, point.name)}</summary>", ""]
                lines += [f"- {escaped(line)}" for line in point.detail.splitlines()]
                lines += ["", "</details>", ""]
    well = [point for point in told.points() if point.state == "ok"]
    if well:
        lines += ["<details>", f"<summary>{len(well)} are well</summary>", ""]
        lines += [f"- {escaped(p.suite)}, {escaped(p.name)}: {escaped(p.summary)}" for p in well]
        lines += ["", "</details>", ""]
    left_out = [point for point in told.points() if point.state == "skipped"]
    if left_out:
        lines += [f"- {escaped(p.suite)} was skipped: {escaped(p.summary)}" for p in left_out]
        lines.append("")
    counts = count_levels(told.verdict.findings)
    said = ", ".join(f"{count} {level.word}" for level, count in counts.items()) or "no findings"
    if told.comparisons:
        said = outcome_counts(told.comparisons)
    at = rfc3339(told.verdict.at)
    lines.append(f"<sub>headwatch {escaped(told.version)}, {at}, {said}</sub>")
    return _cut("\n".join(lines) + "\n")


def escaped(text: str) -> str:
    """Text as it is, in a cell of a table: a node's own words must not become links or HTML.

    Nor what GFM makes a link by itself (its autolinks). An address it looks for when escapes are
    gone, so that a comment stands in it.
    """
    return _SPECIAL.sub(r"\\\1", " ".join(text.split())).replace("@", "@<!-- -->")


def _html(*parts: str) -> str:
    text = ", ".join(parts)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(page: str) -> str:
    if len(page.encode()) <= BYTES_MAX:
        return page
    kept = page.encode()[: BYTES_MAX - ROOM_BYTES].decode(errors="ignore")
    kept = kept[: kept.rfind("\n")]
    # A row that was cut in half would break the table, and an open <details> hide the rest.
    is_open = kept.count("<details>") > kept.count("</details>")
    return kept + ("\n\n</details>" if is_open else "") + CUT
