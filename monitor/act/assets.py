"""The files of the pages: what is served as it is, the templates, and the runbook.

In a wheel the runbook lies inside the package; in the repository beside it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from monitor.act.alerts import RUNBOOK_BASE

CSS, JAVASCRIPT, SVG = (
    f"{kind}; charset=utf-8" for kind in ("text/css", "text/javascript", "image/svg+xml")
)
STATIC: Mapping[str, tuple[str, str]] = {
    "headwatch.css": ("headwatch.css", CSS),
    "live.js": ("live.js", JAVASCRIPT),
    "chart.js": ("chart.js", JAVASCRIPT),
    "pass.svg": ("pass.svg", SVG),
    "fail.svg": ("fail.svg", SVG),
    "inconclusive.svg": ("inconclusive.svg", SVG),
    "uPlot.iife.min.js": ("vendor/uPlot.iife.min.js", JAVASCRIPT),
    "uPlot.min.css": ("vendor/uPlot.min.css", CSS),
}
"""Name under `/static/` -> (file below `web/`, content type); nothing else is served."""
SHIPPED = {"alerts": ".yml", "runbook": ".md", "dashboards": ".json"}
"""Folder of what is handed out -> how the files in it end that are."""
INDEX = "README"
"""The page that lists the others."""
PAGE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}")


@dataclass(frozen=True, slots=True)
class Asset:
    """One file that is served as it is."""

    body: bytes
    content_type: str


def web_folder() -> Traversable:
    """Where the files of the pages are."""
    return files("monitor.act").joinpath("web")


@cache
def static() -> Mapping[str, Asset]:
    """Every file that is served as it is, read once."""
    folder = web_folder()
    return {
        name: Asset(folder.joinpath(*path.split("/")).read_bytes(), content_type)
        for name, (path, content_type) in STATIC.items()
    }


@cache
def stamp() -> str:
    """Changes whenever a served file does: a browser that keeps files asks anew only then."""
    return stamp_of(static())


def stamp_of(served: Mapping[str, Asset]) -> str:
    """The same of any files, in whatever order."""
    digest = hashlib.sha256()
    for name, asset in sorted(served.items()):
        digest.update(name.encode() + b"\0" + asset.body)
    return digest.hexdigest()[:12]


def templates() -> Mapping[str, str]:
    """The sources of the pages by name."""
    return {
        entry.name: entry.read_text(encoding="utf-8")
        for entry in web_folder().iterdir()
        if entry.name.endswith(".j2")
    }


def shipped() -> Mapping[str, Traversable]:
    """What travels with the code for others to use: name of a folder -> folder.

    In a wheel they lie inside the package; in the repository beside it.
    """
    inside = files("monitor").joinpath("_assets")
    root = Path(__file__).resolve().parents[2]
    beside: Mapping[str, Traversable] = {
        "alerts": root / "alerts",
        "runbook": root / "alerts" / "runbook",
        "dashboards": root / "dashboards" / "json",
    }
    found = {name: inside.joinpath(name) for name in beside} if inside.is_dir() else beside
    return {name: folder for name, folder in found.items() if folder.is_dir()}


def shipped_files(runbook_base: str = RUNBOOK_BASE) -> Mapping[str, bytes]:
    """Path -> content of every file that is handed out, below `alerts`, `runbook`, `dashboards`.

    Alerts link to their page of the runbook at `runbook_base` and its name.
    """
    default, base = RUNBOOK_BASE.encode(), runbook_base.encode()
    return {
        f"{name}/{entry.name}": entry.read_bytes().replace(default, base)
        for name, folder in shipped().items()
        for entry in sorted(folder.iterdir(), key=lambda one: one.name)
        if entry.name.endswith(SHIPPED[name])
    }


def runbook_folder() -> Traversable | None:
    """Where the runbook's pages are; None where it was not brought along."""
    return shipped().get("runbook")


@cache
def runbook_names() -> tuple[str, ...]:
    """The pages that there are but for the index, sorted."""
    folder = runbook_folder()
    entries = () if folder is None else folder.iterdir()
    names = (entry.name.removesuffix(".md") for entry in entries if entry.name.endswith(".md"))
    return tuple(sorted(n for n in names if n != INDEX and PAGE_NAME.fullmatch(n)))


def runbook_text(name: str) -> str | None:
    """A page's Markdown; None where there is none of this name."""
    folder = runbook_folder()
    if folder is None or name not in (INDEX, *runbook_names()):
        return None
    return folder.joinpath(f"{name}.md").read_text(encoding="utf-8")
