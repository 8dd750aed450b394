"""The status page as HTML. Jinja is imported at the first view, and every value is escaped."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from monitor.act.page import page_of
from monitor.model import Snapshot

if TYPE_CHECKING:
    from jinja2 import Template


def status_html(snapshot: Snapshot, *, refresh_seconds: int) -> str:
    """The page as HTML; every value from outside is escaped. 0 seconds: it stays as it is."""
    return _template().render(page=page_of(snapshot, refresh_seconds=refresh_seconds))


def _short(hash_: str) -> str:
    """Enough of a hash to compare by eye; the whole of it is in the cell's title."""
    return f"{hash_[:8]}…{hash_[-4:]}"


def _coded(text: str) -> str:
    """Text with its words in backticks as code; everything in it is escaped."""
    from markupsafe import Markup, escape

    parts = text.split("`")
    marked = [
        Markup("<code>{}</code>").format(part) if index % 2 else escape(part)
        for index, part in enumerate(parts)
    ]
    return Markup("").join(marked) if len(parts) % 2 else escape(text)


@cache
def _template() -> Template:
    """Jinja is imported at the first view: where nobody opens the page, nobody pays for it."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["short"] = _short
    environment.filters["coded"] = _coded
    source = files("monitor.act").joinpath("web", "status.html.j2").read_text(encoding="utf-8")
    return environment.from_string(source)
