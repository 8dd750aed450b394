"""The pages as HTML. Jinja is imported at the first view, and every value is escaped."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from monitor.act.assets import stamp, templates
from monitor.act.pages.fleet import FleetPage
from monitor.act.pages.node import NodePage
from monitor.act.pages.runbook import RunbookPage
from monitor.act.pages.story import StoryPage
from monitor.act.pages.timeline import IncidentsPage

if TYPE_CHECKING:
    from jinja2 import Environment

Page = FleetPage | NodePage | IncidentsPage | RunbookPage | StoryPage
TEMPLATES: dict[type[Page], str] = {
    FleetPage: "fleet.html.j2",
    NodePage: "node.html.j2",
    IncidentsPage: "incidents.html.j2",
    RunbookPage: "runbook.html.j2",
    StoryPage: "story.html.j2",
}


def html_of(page: Page) -> str:
    """The page as HTML; every value from outside is escaped."""
    return _environment().get_template(TEMPLATES[type(page)]).render(page=page, stamp=stamp())


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
def _environment() -> Environment:
    """Jinja is imported at the first view: where nobody opens the page, nobody pays for it."""
    from jinja2 import DictLoader, Environment, StrictUndefined

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        loader=DictLoader(dict(templates())),
    )
    environment.filters["short"] = _short
    environment.filters["coded"] = _coded
    return environment
