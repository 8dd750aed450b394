"""What is known of a client's releases: versions, releases, advisories. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from monitor.judge.pattern import Pattern
from monitor.model import Unseen

NUMBERS_COUNT = 4
TEXT_CHARACTERS_MAX = 512
"""Of a client version: a longer one is cut, since a node may say anything."""
_VERSION = re.compile(r"v?(\d{1,9}(?:\.\d{1,9}){1,3})(?:[-+~_ ].*)?", re.DOTALL | re.IGNORECASE)
_UNFINISHED = re.compile(
    r"[-.~_](?:rc|alpha|beta|unstable|dev|develop|snapshot|pre|preview|nightly)(?![a-z])",
    re.IGNORECASE,
)
_RANGE = re.compile(r"(>=|>)\s*(\S+)")


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A version as semver.org orders them: by its numbers, and unfinished before finished.

    Two unfinished ones of the same numbers are equal. What follows a `+`, and the commit that geth,
    reth and Nitro put behind a hyphen, order nothing.
    """

    numbers: tuple[int, ...]
    """Four of them; what is not written is 0."""
    is_finished: bool

    def __str__(self) -> str:
        shown = self.numbers if self.numbers[-1] else self.numbers[:-1]
        return ".".join(map(str, shown)) + ("" if self.is_finished else ", unfinished")


def version_of(text: str) -> Version | None:
    """The version in a `web3_clientVersion`, or in the name of a release; None where there is none.

    It is the first part between slashes that begins with two numbers or more: geth may be called
    `Geth/NAME/v1.16.2-stable-…`, Parity wrote `Parity-Ethereum//v2.7.2-stable`, and a repository of
    several programs tags `op-node/v1.13.4`.
    """
    for part in text[:TEXT_CHARACTERS_MAX].split("/"):
        match = _VERSION.fullmatch(part.strip())
        if match is not None:
            numbers = [int(number) for number in match[1].split(".")]
            numbers += [0] * (NUMBERS_COUNT - len(numbers))
            return Version(tuple(numbers), _UNFINISHED.search(part) is None)
    return None


def supports(range_: str) -> Callable[[Version], bool]:
    """The versions of a range such as `>=1.16`. Raises ValueError where it is none."""
    match = _RANGE.fullmatch(range_.strip())
    lowest = None if match is None else version_of(match[2])
    if match is None or lowest is None:
        message = "expected >= or > and a version, such as >=1.16"
        raise ValueError(message)
    if match[1] == ">":
        return lambda version: version > lowest
    return lambda version: version >= lowest


@dataclass(frozen=True, slots=True)
class Release:
    """One finished release."""

    name: str
    """As it is tagged."""
    version: Version
    at: float
    """When it was published."""


@dataclass(frozen=True, slots=True)
class Advisory:
    """One known vulnerability (geth's `vulnerabilities.json`)."""

    uid: str
    name: str
    severity: str
    """In its publisher's words: Low, Medium, High, Critical."""
    fixed: str
    """The first version without it."""
    check: Pattern
    """Found in the `web3_clientVersion` of a node that has it."""


@dataclass(frozen=True, slots=True)
class Feed:
    """What is known of one client."""

    client: str
    """The family, as `client_family` names it."""
    releases: Sequence[Release] | Unseen
    advisories: Sequence[Advisory] | Unseen = ()
    supported: str = ""
    """A range of versions; empty where all are."""
    releases_max: int = 3
    """So many newer releases are nothing to speak of."""
    days_max: float = 60.0
    """Nor is a newer one that is not older than this."""
