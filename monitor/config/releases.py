"""Where the releases and advisories of a client are read: `releases` in the configuration."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Discriminator, Field, Tag

from monitor.config.kinds import FilePath, HttpUrl, Model, Seconds, Word, expects
from monitor.judge.release import supports
from monitor.url import Url

BY_URL, BY_PATH = "as a URL", "as a path"
"""The tags of the union: steps of a path that nobody wrote."""
RANGE = "expected >= or > and a version in quotes, such as '>=1.16'"


def _kind(value: object) -> str:
    """Of a URL or a path, by how it is written."""
    is_url = isinstance(value, Url) or (isinstance(value, str) and "://" in value)
    return BY_URL if is_url else BY_PATH


def _range(value: str) -> str:
    supports(value)
    return value


Source = Annotated[
    Annotated[HttpUrl, Tag(BY_URL)] | Annotated[FilePath, Tag(BY_PATH)], Discriminator(_kind)
]


class ReleaseFeed(Model):
    """What is known of one client."""

    client: Word
    """The client, one lower-case word as its web3_clientVersion begins: geth, reth, nitro, …"""
    feed: Source
    """GitHub's list of its releases: Atom (releases.atom), or JSON of its API; a URL or a file."""
    advisories: Source | None = None
    """Its known vulnerabilities, in the format of geth's vulnerabilities.json; a URL or a file."""
    supported: Annotated[str, AfterValidator(_range), expects(RANGE)] | None = None
    """The versions that are still supported, such as ">=1.16". Default: all."""
    every_seconds: Annotated[float, Seconds(10, 604_800)] = 3600.0
    """How often it is read, in seconds; after a failure a tenth of that later."""
    releases_max: Annotated[
        int, Field(ge=0, le=1000), expects("expected a whole number of releases from 0 to 1000")
    ] = 3
    """How many newer releases there may be before the node counts as behind."""
    days_max: Annotated[
        float, Field(ge=0, le=3650), expects("expected a number of days from 0 to 3650")
    ] = 60.0
    """How long there may have been a newer release before the node counts as behind, in days."""
